//! Records of changes: what is handed to whoever asks what became of one.

use serde_json::{Value, json};

use super::Served;
use super::office::{Office, SQL, folder, house};
use crate::night::facts::eventually;
use crate::night::house::House;
use crate::night::restored::sql;

/// A data change that went through production, and its house without a supervisor.
fn executed() -> House {
    let house = house();
    folder(&house, "rate", "data", SQL);
    let office = Office::of(house);
    office.done("wei", "rate", "submit", json!({}));
    office.done("dba", "rate", "review", json!({}));
    for by in ["dev", "ops"] {
        office.done(by, "rate", "approve", json!({ "environment": "production" }));
    }
    std::fs::copy(office.served.house.work("prod.db"), office.served.house.work("older")).unwrap();
    office.execute("prod");
    eventually("the stage", || office.page("rate")["stage"] == "executed");
    over_the_api(&office);
    let Office { served: Served { house, night, .. }, .. } = office;
    night.kill();
    house
}

/// Over the API no target is read, and the proof says so.
fn over_the_api(office: &Office) {
    let path = ("GET", "/api/v1/changes/rate/proof?environment=production");
    let proof = office.served.ask_as(&office.tokens["asker"], path, None).ok().json();
    assert_eq!(
        (&proof["whole"], &proof["faults"][0]["fault"]),
        (&json!(false), &json!("not-read"))
    );
    assert_eq!(proof["attempts"][0]["state"], "done");
    for of in ["rate/proof", "stats"] {
        let path = format!("/api/v1/changes/{of}?environment=produktion");
        let refused = office.served.ask_as(&office.tokens["asker"], ("GET", path.as_str()), None);
        assert!(refused.body.contains("no environment"), "{}", refused.body);
    }
    let told = office.command("asker", &["change", "proof", "rate"]).code(0).out;
    assert!(told.contains("was not read now"), "{told}");
    let path = ("GET", "/api/v1/changes/stats?by=class&environment=production");
    let stats = office.served.ask_as(&office.tokens["asker"], path, None).ok().json();
    assert_eq!(
        (&stats["lines"][0]["name"], &stats["lines"][0]["executed"]),
        (&json!("data"), &json!(1))
    );
    let csv = office.command("asker", &["change", "stats", "--csv"]).code(0).out;
    assert!(csv.starts_with("team,executed,abnormal"), "{csv}");
}

/// How many were executed, and that their scripts are kept to tell which come again.
fn counted(house: &House) {
    let stats = house.json(&["change", "stats", "--by", "author-team"]);
    let total = &stats["total"];
    assert_eq!(
        (&total["executed"], &total["abnormal"], &total["rows"]),
        (&json!(1), &json!(0), &json!(1))
    );
    assert_eq!((&stats["unknown_scripts"], &stats["recurring"]), (&json!(0), &json!([])));
    let text = house.run(&["--lang", "zh", "change", "stats"]).code(0).out;
    assert!(text.contains("custody") && text.contains("异常率"), "{text}");
    house.run(&["change", "stats", "--from", "soon"]).code(2);
}

/// Lists, figures and pages of a time.
fn exported(house: &House) {
    house.run(&["change", "check"]).code(0);
    let folder = house.work("export");
    let dir = folder.to_str().unwrap();
    let told = house.run(&["change", "export", dir]).code(0).out;
    assert!(told.contains("1 executions of 1 changes"), "{told}");
    let read = |name: &str| std::fs::read_to_string(folder.join(name)).unwrap();
    let list = read("changes.csv");
    let line = list.lines().nth(1).unwrap();
    assert!(line.starts_with("rate,Correct the rate,data,normal,custody,,asker,"), "{list}");
    assert!(line.ends_with(",1,true"), "{list}");
    let data: Value = serde_json::from_str(&read("changes.json")).unwrap();
    assert_eq!(
        (&data["changes"][0]["id"], &data["changes"][0]["whole"]),
        (&json!("rate"), &json!(true))
    );
    assert!(read("proofs/rate.html").contains("<h1><code>rate</code>"));
    // The scripts as they were submitted.
    for of in data["changes"][0]["scripts"].as_array().unwrap() {
        let script = of["script"].as_str().unwrap();
        let bytes = std::fs::read(folder.join("scripts/rate").join(script)).unwrap();
        let digest = nightrun::definition::copy::sha256(&bytes);
        assert_eq!(of["digest"], digest, "{script}");
    }
    for by in ["team", "author-team", "class", "month"] {
        let stats: Value = serde_json::from_str(&read(&format!("stats-{by}.json"))).unwrap();
        assert_eq!(stats["total"]["executed"], 1, "{by}");
        assert!(read(&format!("stats-{by}.csv")).starts_with(&format!("{by},executed")), "{by}");
    }
    house.run(&["change", "export", dir, "--offline"]).code(1);
    house.run(&["change", "export", dir, "--to", "2020-01-01"]).code(0);
}

/// The check as a job: one incident and one mail, as of any other job that fails.
fn drift_is_told(house: &House) {
    let told = house.run(&["change", "check"]).code(1).out;
    assert!(told.contains("DRIFT: the journal calls it done"), "{told}");
    house.run(&["change", "check", "--environment", "uat"]).code(0);
    for of in [&["check"][..], &["proof", "rate"], &["stats"]] {
        let asked = [&["change"], of, &["--environment", "produktion"]].concat();
        house.run(&asked).refused("known: production, uat");
    }
    let (program, site, state) = (env!("CARGO_BIN_EXE_nightrun"), house.site(), house.state());
    let (site, state) = (site.display(), state.display());
    house.batch(
        "drift",
        &format!(
            "jobs:\n  check: {{title: Drift, run: [{program}, --site, {site}, --state, {state}, change, check]}}\n"
        ),
    );
    house.run(&["run", "drift", "--date", "2026-10-30"]).code(1);
    let mut incidents = house.facts("incident-opened");
    incidents.retain(|fact| fact["job"] == "check");
    assert_eq!(incidents.len(), 1);
    let mut mails = house.mails();
    mails.retain(|mail| mail.subject.contains("check"));
    assert_eq!(mails.len(), 1, "{mails:?}");
    assert!(mails[0].text.contains("DRIFT"), "{}", mails[0].text);
}

#[test]
fn a_change_is_proven_and_a_target_that_says_otherwise_is_told() {
    let house = executed();
    counted(&house);
    let proof: Value = house.json(&["change", "proof", "rate"]);
    assert_eq!((&proof["whole"], &proof["faults"]), (&json!(true), &json!([])), "{proof:#}");
    let attempt = &proof["attempts"][0];
    assert_eq!((&attempt["rows"], &attempt["backup_rows"]), (&json!(1), &json!(1)));
    assert_eq!(
        (&attempt["before"][0]["ok"], &attempt["after"][0]["ok"]),
        (&json!(false), &json!(true))
    );
    assert_eq!(
        (&attempt["executor"]["id"], &attempt["watcher"]["id"]),
        (&json!("ops"), &json!("dba"))
    );
    assert_eq!(attempt["entries"].as_array().unwrap().len(), 3);
    // Each step names its entry, and the entry is where the journal has it.
    let steps = proof["steps"].as_array().unwrap();
    let journal = house.facts("change-moved");
    assert_eq!(steps.len(), journal.len());
    for step in steps {
        assert!(step["entry"]["seq"].as_u64().unwrap() > 0, "{step}");
    }
    let head = house.json(&["journal", "verify"])["head"].clone();
    assert_eq!(proof["head"]["hash"], head);
    let rows = proof["targets"][0]["marked"]["rows"].as_array().unwrap();
    let marked: Vec<&str> = rows.iter().map(|row| row["step"].as_str().unwrap()).collect();
    assert_eq!(marked, ["started", "before", "backup", "ready"]);
    let page = house.work("proof.html");
    for lang in ["en", "zh"] {
        let page = page.to_str().unwrap();
        house.run(&["--lang", lang, "change", "proof", "rate", "--html", page]).code(0);
        let html = std::fs::read_to_string(page).unwrap();
        let digest = proof["attempts"][0]["digest"].as_str().unwrap();
        for part in [digest, head.as_str().unwrap(), "rate 30", "Dev Lead", "Product"] {
            assert!(html.contains(part), "{part}");
        }
        assert!(
            !html.contains("<script") && !html.contains("http://") && !html.contains("https://")
        );
    }
    exported(&house);
    house.run(&["change", "proof", "nope"]).refused("there is no change nope");
    let told = house.run(&["change", "proof", "rate", "--offline"]).code(1).out;
    assert!(told.contains("NOT WHOLE"), "{told}");

    // A target that was restored from an older copy has lost marker and data alike.
    let target = house.work("prod.db");
    sql(&target, "update nightrun_change_run set rows = 5 where step = 'ready'");
    let told = house.run(&["change", "proof", "rate"]).code(1).out;
    assert!(told.contains("DRIFT in prod (production)"), "{told}");
    assert!(told.contains("the marker says 5 rows, the journal 1"), "{told}");
    for end in ["-wal", "-shm"] {
        std::fs::remove_file(house.work(&format!("prod.db{end}"))).ok();
    }
    std::fs::copy(house.work("older"), &target).unwrap();
    let told = house.run(&["change", "proof", "rate"]).code(1).out;
    assert!(told.contains("the target has no marker of it"), "{told}");
    drift_is_told(&house);
    let away = house.work("away");
    std::fs::rename(&target, &away).unwrap();
    let told = house.run(&["change", "proof", "rate"]).code(1).out;
    assert!(told.contains("could not be read now") && told.contains("is not there"), "{told}");
    assert!(!told.contains("DRIFT"), "{told}");
}

/// Drift is found by the change that comes next, and people say what is lost.
#[test]
fn a_target_that_was_restored_takes_no_change_before_two_people_know() {
    let house = house();
    for id in ["rate", "next"] {
        folder(&house, id, "data", SQL);
    }
    house.batch("next", "jobs:\n  next: {title: N, change: next, environment: production}\n");
    let office = Office::of(house);
    for id in ["rate", "next"] {
        office.done("wei", id, "submit", json!({}));
        office.done("dba", id, "review", json!({}));
        for by in ["dev", "ops"] {
            office.done(by, id, "approve", json!({ "environment": "production" }));
        }
    }
    let house = &office.served.house;
    let (target, older) = (house.work("prod.db"), house.work("older"));
    std::fs::copy(&target, &older).unwrap();
    office.execute("prod");
    for end in ["-wal", "-shm"] {
        std::fs::remove_file(house.work(&format!("prod.db{end}"))).ok();
    }
    std::fs::copy(&older, &target).unwrap();
    let next = |date: &str, code: i32| {
        let ordered = house.spawn(&["run", "next", "--date", date]);
        office.man("next");
        ordered.ends(code);
    };
    next("2026-10-30", 1);
    let ended = || {
        let steps = office.page("next")["steps"].clone();
        let mut steps = steps.as_array().unwrap().clone();
        steps.retain(|step| step["step"] == "ended");
        steps.pop().unwrap()["ended"].clone()
    };
    let refused = ended();
    let why = refused["why"].as_str().unwrap();
    assert!(
        refused["state"] == "failed-clean" && why.contains("DRIFT") && why.contains("rate ("),
        "{why}"
    );
    eventually("the mail", || {
        let mails = house.mails();
        mails.iter().any(|mail| mail.to == "ann@bank.example" && mail.text.contains("DRIFT"))
    });
    // It takes two of those who decide.
    let lost = || json!({ "environment": "production" });
    office.refused("wei", "rate", "lost", lost(), "role-missing");
    office.done("ops", "rate", "lost", lost());
    office.refused("ops", "rate", "lost", lost(), "second-person");
    next("2026-10-31", 1);
    let told =
        office.command("dba", &["change", "lost", "rate", "--reason", "restored"]).code(0).out;
    assert!(told.contains("lost"), "{told}");
    assert_eq!(office.page("rate")["stage"], "failed");
    next("2026-11-01", 0);
    assert_eq!(ended()["state"], "done");
    let told = house.run(&["change", "check"]).code(0).out;
    assert!(!told.contains("DRIFT"), "{told}");
    let shown = house.run(&["--lang", "zh", "change", "show", "rate"]).code(0).out;
    assert!(shown.contains("已丢失"), "{shown}");
}
