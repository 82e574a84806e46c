//! The life of changes, with people who prove who they are: by tokens over the network, by the command and by the account.

use rustix::process::Signal;
use serde_json::{Value, json};

use super::Served;
use super::incident_page::{browse, sign_in, token_of};
use super::office::{CHANGE, Office, PEOPLE, SQL, folder, house, lacks};
use crate::night::facts::{account, eventually, is_there, send};
use crate::night::house::House;

#[test]
fn a_change_goes_from_another_systems_request_to_its_archive() {
    let office = Office::of(house());
    let path = ("POST", "/api/v1/changes");
    let request = json!({ "title": "Correct the rate", "class": "structure", "requester": "asker",
        "team": "custody", "ticket": "CHG-4711" });
    let mut body = json!({ "change": "later", "key": "redmine/4711", "request": request, "reason": "webhook" });
    let first = office.served.ask_as(&office.tokens["machine"], path, Some(&body)).ok().json();
    assert!(first["done"].as_str().unwrap().contains("later: asked for"), "{first}");
    // Sent again it is the same one; with another content it is refused.
    let again = office.served.ask_as(&office.tokens["machine"], path, Some(&body)).ok().json();
    assert!(again["done"].as_str().unwrap().contains("before"), "{again}");
    body["request"]["title"] = json!("Another");
    let other = office.served.ask_as(&office.tokens["machine"], path, Some(&body));
    assert_eq!((other.status, &other.json()["rule"]), (409, &json!("key-used")));
    let page = office.page("later");
    assert_eq!(
        (&page["stage"], &page["folder"], &page["ticket"]),
        (&json!("created"), &json!(false), &json!("CHG-4711"))
    );
    office.done("dev", "later", "assign", json!({ "to": "wei" }));
    office.refused("wei", "later", "submit", json!({}), "no-such-thing");
    folder(&office.served.house, "later", "data", SQL);
    office.reload("later", |page| page["folder"] == true);
    office.done("wei", "later", "submit", json!({}));
    office.done("dba", "later", "review", json!({}));
    office.done("dev", "later", "approve", json!({ "environment": "uat" }));
    office.done("ops", "later", "withdraw", json!({}));
    office.done("ops", "later", "archive", json!({}));

    // The other one has its folder, and goes through both environments.
    office.done("wei", "rate", "submit", json!({}));
    office.done("dba", "rate", "review", json!({}));
    office.done("dev", "rate", "approve", json!({ "environment": "uat" }));
    office.done("ops", "rate", "schedule", json!({ "environment": "uat" }));
    assert_eq!(lacks(&office.page("rate"), "uat"), Vec::<String>::new());
    assert_eq!(
        lacks(&office.page("rate"), "production"),
        ["not-approved", "not-approved", "not-promoted"]
    );
    office.done("dev", "rate", "approve", json!({ "environment": "production" }));
    office.done("ops", "rate", "approve", json!({ "environment": "production" }));
    office.refused(
        "ops",
        "rate",
        "schedule",
        json!({ "environment": "production" }),
        "not-promoted",
    );
    office.execute("uat");
    eventually("the stage", || office.page("rate")["stage"] == "executed");
    office.done("ops", "rate", "schedule", json!({ "environment": "production" }));
    office.execute("prod");
    eventually("the stage", || office.page("rate")["stage"] == "executed");
    office.refused("ops", "rate", "close", json!({}), "wrong-stage");
    office.done("dev", "rate", "feed-back", json!({}));
    office.done("ops", "rate", "close", json!({}));
    office.done("ops", "rate", "archive", json!({}));
    let house = &office.served.house;
    // Requester and team have a mail for each execution, in their language, with rows, times and verification.
    let mails = || {
        let mut mails = house.mails();
        mails.retain(|mail| {
            ["Change rate", "变更 rate"].iter().any(|of| mail.subject.starts_with(of))
        });
        mails
    };
    eventually("four mails", || mails().len() == 4);
    let of = |to: &str| {
        let mails = mails();
        let found =
            mails.into_iter().find(|mail| mail.to == to && mail.subject.contains("production"));
        found.unwrap()
    };
    let english = of("asker@bank.example");
    assert_eq!(english.subject, "Change rate in production: applied and verified");
    for part in ["Rows: 1", "Verification: 1 of 1 good", "Started: ", "Ended: ", "Target: prod"] {
        assert!(english.text.contains(part), "{part}: {}", english.text);
    }
    let chinese = of("mate@bank.example");
    assert_eq!(chinese.subject, "变更 rate（production）：已执行并验证");
    assert!(chinese.text.contains("验证：1/1 通过"), "{}", chinese.text);
    // What was done by whom, in the journal, in the list and after a restart.
    let facts = house.facts("change-moved");
    let steps: Vec<(&str, &str)> = facts
        .iter()
        .filter(|fact| fact["change"] == "rate")
        .map(|fact| (fact["step"]["step"].as_str().unwrap(), fact["by"].as_str().unwrap()))
        .collect();
    let expected = [
        ("submitted", "wei"),
        ("reviewed", "dba"),
        ("approved", "dev"),
        ("scheduled", "ops"),
        ("approved", "dev"),
        ("approved", "ops"),
        ("began", "ops"),
        ("ended", "ops"),
        ("scheduled", "ops"),
        ("began", "ops"),
        ("ended", "ops"),
        ("fed-back", "dev"),
        ("closed", "ops"),
        ("archived", "ops"),
    ];
    assert_eq!(steps, expected);
    let archived = "/api/v1/changes?stage=archived&environment=production&team=custody&limit=1";
    let list =
        |path: &str| office.served.ask_as(&office.tokens["asker"], ("GET", path), None).ok().json();
    let first = list(archived);
    assert_eq!((&first["items"][0]["id"], &first["next"]), (&json!("later"), &json!("later")));
    let rest = list(&format!("{archived}&cursor=later"));
    assert_eq!((&rest["items"][0]["id"], &rest["next"]), (&json!("rate"), &json!(null)));
    let before = office.page("rate");
    let Office { served: Served { house, night, .. }, .. } = office;
    night.kill();
    let shown: Value = house.json(&["change", "show", "rate"]);
    assert_eq!(shown["steps"], before["steps"]);
    let text = house.run(&["--lang", "zh", "change", "show", "rate"]).code(0).out;
    for part in ["已归档", "以 dba 审核脚本", "产品经理", "1 至 1"] {
        assert!(text.contains(part), "{part}: {text}");
    }
    house.nothing_is_lost();
}

#[test]
fn wrong_people_are_refused_through_the_api_and_the_command_alike() {
    let office = Office::of(house());
    let production = || json!({ "environment": "production" });
    let approve: &[&str] =
        &["change", "approve", "rate", "--environment", "production", "--reason", "x"];
    office.refused("dba", "rate", "review", json!({}), "not-submitted");
    assert_eq!(office.ask("wei", "rate", "submit", json!({ "tick": [] })).status, 400);
    office.done("wei", "rate", "submit", json!({}));
    let table: [(&str, &str, Value, &[&str], &str); 7] = [
        ("dev", "approve", production(), approve, "not-reviewed"),
        (
            "wei",
            "review",
            json!({}),
            &["change", "review", "rate", "--reason", "x"],
            "role-missing",
        ),
        (
            "dev",
            "review",
            json!({}),
            &["change", "review", "rate", "--reason", "x"],
            "role-missing",
        ),
        (
            "dev",
            "schedule",
            production(),
            &["change", "schedule", "rate", "--environment", "production", "--reason", "x"],
            "role-missing",
        ),
        ("ops", "close", json!({}), &["change", "close", "rate", "--reason", "x"], "wrong-stage"),
        (
            "ops",
            "decide",
            json!({ "applied": true }),
            &["change", "decide", "rate", "applied", "--reason", "x"],
            "wrong-stage",
        ),
        (
            "dev",
            "confirm",
            json!({ "item": "late", "environment": "production" }),
            &["change", "confirm", "rate", "late", "--environment", "production", "--reason", "x"],
            "wrong-stage",
        ),
    ];
    for (by, step, body, words, rule) in &table {
        office.refused(by, "rate", step, body.clone(), rule);
        let told = office.command(by, words).code(3);
        assert!(told.err.contains(&format!("(rule: {rule})")), "{}", told.err);
    }
    office.command("dba", &["change", "review", "rate", "--reason", "read"]).code(0);
    office.refused("dba", "rate", "review", json!({}), "no-change");
    office.refused("ops", "rate", "approve", production(), "role-missing");
    office.refused("dev", "rate", "approve", json!({}), "no-such-thing");
    office.refused("asker", "rate", "approve", production(), "role-missing");
    // Its deputy stands in; and nobody approves twice.
    let told = office.command("deputy", approve).code(0);
    assert!(told.out.contains("approved for production as dev-lead (deputy)"), "{}", told.out);
    office.refused("deputy", "rate", "approve", production(), "role-missing");
    office.command("ops", approve).code(0);
    office.refused("ops", "rate", "approve", production(), "no-change");
    // Whoever has no part in changes, or no token for it, has none.
    let narrow = office.served.token("ops", &["read"]);
    let path = ("POST", "/api/v1/changes/rate/withdraw");
    let answer = office.served.ask_as(&narrow, path, Some(&json!({ "reason": "x" })));
    assert_eq!((answer.status, &answer.json()["rule"]), (403, &json!("right-missing")));
    // Nothing comes of what is only tried.
    let tried = office
        .command("ops", &["change", "withdraw", "rate", "--reason", "x", "--dry-run"])
        .code(0);
    assert!(tried.out.contains("change-moved"), "{}", tried.out);
    assert_eq!(office.page("rate")["stage"], "approved");
    office.served.night.kill();
}

#[test]
fn a_changed_byte_voids_every_approval_and_it_starts_again() {
    let office = Office::of(house());
    office.done("wei", "rate", "submit", json!({}));
    office.done("dba", "rate", "review", json!({}));
    office.done("dev", "rate", "approve", json!({ "environment": "uat" }));
    let before = office.page("rate");
    assert_eq!(lacks(&before, "uat"), Vec::<String>::new());
    // Beside the scripts nothing matters: a title is no content.
    let house = &office.served.house;
    house.write(
        "changes/rate/change.yaml",
        &CHANGE.replace("CLASS", "structure").replace("Correct the", "Correct this"),
    );
    office.reload("rate", |page| page["title"]["en"] == "Correct this rate");
    assert_eq!(lacks(&office.page("rate"), "uat"), Vec::<String>::new());
    house.write("changes/rate/change.sql", &SQL.replace(';', " ;"));
    office.reload("rate", |page| page["content"] != before["content"]);
    assert_eq!(lacks(&office.page("rate"), "uat"), ["lapsed", "not-reviewed", "lapsed"]);
    let diff = house.run(&["change", "diff", "rate"]).code(0).out;
    let line = |name: &str| diff.lines().find(|line| line.contains(name)).unwrap().to_owned();
    assert!(line("change.sql").ends_with("not as it was"), "{diff}");
    assert!(line("verify.sql").ends_with("  as it was"), "{diff}");
    assert!(line("dev-lead").ends_with("not as it was"), "{diff}");
    // Line by line, from what was handed in; here and by the server.
    let lines =
        "-update fee set rate = 30 where id = 1;\n+update fee set rate = 30 where id = 1 ;\n";
    assert!(diff.contains("--- submitted/change.sql\n+++ now/change.sql\n"), "{diff}");
    for words in
        [&["change", "diff", "rate"][..], &["change", "diff", "rate", "--since", "approval"]]
    {
        for told in [house.run(words), office.command("asker", words)] {
            let told = told.code(0).out;
            assert!(told.contains(lines), "{told}");
        }
    }
    office.refused("dev", "rate", "approve", json!({ "environment": "uat" }), "lapsed");
    office.refused("ops", "rate", "schedule", json!({ "environment": "uat" }), "lapsed");
    office.done("wei", "rate", "submit", json!({}));
    office.refused("dev", "rate", "approve", json!({ "environment": "uat" }), "not-reviewed");
    office.done("dba", "rate", "review", json!({}));
    office.done("dev", "rate", "approve", json!({ "environment": "uat" }));
    assert_eq!(lacks(&office.page("rate"), "uat"), Vec::<String>::new());
    office.served.night.kill();
}

#[test]
fn an_emergency_is_mailed_when_its_quorum_is_there() {
    let house = house();
    let rules = std::fs::read_to_string(house.site().join("change-rules.yaml")).unwrap();
    let looked_at = "checklist: {looked-at: {title: Looked at, role: ccb, before: close, kinds: [emergency]}}\n";
    house.write("change-rules.yaml", &(rules + looked_at));
    folder(&house, "rate", "data\nkind: emergency", SQL);
    house.batch("urgent", "changes: {environment: production}\n");
    let mut office = Office::of(house);
    office.done("wei", "rate", "submit", json!({}));
    office.done("dba", "rate", "review", json!({}));
    let production = || json!({ "environment": "production" });
    office.done("dev", "rate", "approve", production());
    office.done("ccb-a", "rate", "approve", production());
    office.refused("ccb-a", "rate", "approve", production(), "own-work");
    assert_eq!(lacks(&office.page("rate"), "production"), ["not-approved"]);
    assert!(office.served.house.mails().is_empty());
    office.done("ccb-b", "rate", "approve", production());
    let house = &office.served.house;
    eventually("four mails", || house.mails().len() == 4);
    let mails = house.mails();
    let mut to: Vec<&str> = mails.iter().map(|mail| mail.to.as_str()).collect();
    to.sort_unstable();
    let expected =
        ["ann@bank.example", "ccb-a@bank.example", "ccb-b@bank.example", "pm@bank.example"];
    assert_eq!(to, expected);
    let of = |to: &str| mails.iter().find(|mail| mail.to.starts_with(to)).unwrap();
    assert_eq!(of("pm").subject, "[P1] Emergency change rate is approved for production");
    assert!(
        of("pm").text.contains("Approved by: Dev Lead, First Of Ccb, Second Of Ccb"),
        "{}",
        of("pm").text
    );
    assert!(of("ccb-b").subject.contains("紧急变更 rate 已获批准"), "{}", of("ccb-b").subject);
    // It is put on the list, which is opened at once; then it takes the same two people as any other.
    let all = ["read", "logs", "changes", "second", "order", "operate"];
    let ops = office.served.token("ops", &all);
    office.tokens.insert("ops", ops);
    let to = ["--environment", "production", "--reason", "cannot wait"];
    let words = office.words("ops", &[&["change", "execute", "rate"][..], &to].concat());
    let words: Vec<&str> = words.iter().map(String::as_str).collect();
    // It stays until the run has ended.
    let executed = office.served.house.spawn(&words);
    office.man("urgent");
    executed.ends(0);
    assert_eq!(office.page("rate")["stage"], "executed");
    // The board looks at it before it is closed.
    office.done("ops", "rate", "feed-back", json!({}));
    office.refused("ops", "rate", "close", json!({}), "not-confirmed");
    let shown = office.command("ops", &["change", "show", "rate"]).code(0).out;
    assert!(shown.contains("Before closing") && shown.contains("looked-at"), "{shown}");
    let looked_at = json!({ "environment": "production", "item": "looked-at" });
    office.done("ccb-a", "rate", "confirm", looked_at);
    office.done("ops", "rate", "close", json!({}));
    office.served.night.kill();
}

/// An update that never ends.
const ENDLESS: &str = "update fee set rate = 30 where id = 1 and \
    (with recursive n (i) as (select 1 union all select i + 1 from n) select max(i) from n) > 0;\n";

#[test]
fn two_people_say_what_became_of_a_change_in_doubt() {
    let house = house();
    folder(&house, "rate", "data", ENDLESS);
    let office = Office::of(house);
    let house = &office.served.house;
    office.done("wei", "rate", "submit", json!({}));
    office.done("dba", "rate", "review", json!({}));
    for by in ["dev", "ops"] {
        office.done(by, "rate", "approve", json!({ "environment": "production" }));
    }
    let ordered = house.spawn(&["run", "prod", "--date", "2026-10-30"]);
    office.man("prod");
    eventually("the worker", || house.facts("attempt-started").len() == 3);
    let worker = house.facts("attempt-started")[2]["pid"].as_i64().unwrap();
    let worker = i32::try_from(worker).unwrap();
    // Without its target no look says what became of it.
    let target = house.work("prod.db");
    std::fs::rename(&target, house.work("away")).unwrap();
    send(house.shim_pid("rate", 1), Signal::KILL);
    eventually("the doubt", || office.page("rate")["stage"] == "in-doubt");
    send(worker, Signal::KILL);
    eventually("the worker's end", || !is_there(worker));
    eventually("a look", || house.facts("attempt-ended").len() == 4);
    // What people see before they decide.
    let seen = house.run(&["change", "evidence", "rate"]).code(1).out;
    for part in ["statement 1 of change.sql", "is not there", "change decide rate not-applied"] {
        assert!(seen.contains(part), "{part}: {seen}");
    }
    house.run(&["change", "evidence", "rate", "--environment", "uat"]).refused("was not tried");
    // Neither an action on its job nor one person alone says what became of it.
    for act in ["force", "skip", "retry", "rerun"] {
        house.run(&[act, "prod.rate", "--reason", "x"]).refused("rule: second-person");
    }
    office.refused("wei", "rate", "decide", json!({ "applied": false }), "role-missing");
    office.refused("dev", "rate", "decide", json!({ "applied": false }), "role-missing");
    let asked = office.ask("ops", "rate", "decide", json!({ "applied": false })).ok().json();
    assert!(asked["done"].as_str().unwrap().contains("R-1 waits"), "{asked}");
    assert_eq!(office.page("rate")["stage"], "in-doubt");
    let second = |by: &str| {
        let body = json!({ "reason": "looked at it too" });
        let path = ("POST", "/api/v1/requests/R-1/second");
        office.served.ask_as(&office.tokens[by], path, Some(&body))
    };
    for (by, rule) in [("ops", "second-person"), ("wei", "role-missing"), ("mate", "role-missing")]
    {
        let refused = second(by);
        assert_eq!(refused.json()["rule"], rule, "{by}: {refused:?}");
    }
    second_by_page(&office);
    eventually("the stage", || office.page("rate")["stage"] == "failed");
    let decided = house.facts("change-moved");
    let last = decided.last().unwrap();
    assert_eq!((&last["by"], &last["second"]), (&json!("ops"), &json!("dba")));
    assert_eq!(
        last["step"],
        json!({ "step": "decided", "environment": "production", "applied": false })
    );
    ordered.ends(1);
    let settled = house.facts("settled");
    assert_eq!(settled.last().unwrap()["outcome"], "failed");
    office.served.night.kill();
    house.nothing_is_lost();
}

/// Whoever asked is not offered to be the second one; another is, and says so there.
fn second_by_page(office: &Office) {
    let served = &office.served;
    let of = |person: &str| {
        served.password(person, "a long night");
        sign_in(served, person)
    };
    let (ops, dba) = (of("ops"), of("dba"));
    let page = |cookie: &str, path: &str| {
        browse(served, ("GET", path), &[("cookie", cookie)], None).ok().body
    };
    let form = "rate/requests/R-1";
    let (own, other) = (page(&ops, "/changes/rate"), page(&dba, "/changes/rate"));
    for part in ["Ops Lead says: It was not applied", "a decision of what became of it"] {
        assert!(own.contains(part) && other.contains(part), "{part}: {own}");
    }
    assert!(!own.contains(form) && other.contains(form), "{own}");
    // What its attempt has left is shown with the way to its log.
    for part in ["Job and log", "../runs/prod@2026-10-30%231/jobs/rate\""] {
        assert!(other.contains(part), "{part}: {other}");
    }
    // Instead of it he could say what he has found himself.
    assert!(other.contains("rate/decide?applied=true"), "{other}");
    assert!(!other.contains("how=continue"), "{other}");
    let path = format!("/changes/{form}");
    let refused = browse(served, ("GET", &path), &[("cookie", &ops)], None);
    assert_eq!(refused.status, 409, "{refused:?}");
    let token = token_of(&page(&dba, &path));
    let said = format!("token={token}&reason=looked+at+it+too");
    // Below the address of its own change, and of no other.
    let other = ("POST", "/changes/nothing/requests/R-1");
    assert_eq!(browse(served, other, &[("cookie", &dba)], Some(&said)).status, 404);
    let answer = browse(served, ("POST", &path), &[("cookie", &dba)], Some(&said));
    assert_eq!((answer.status, answer.headers["location"].as_str()), (303, "../../rate"));
}

#[test]
fn steps_are_taken_without_a_supervisor_too_by_the_person_of_the_account() {
    let house = house();
    let step = |words: &[&str]| house.run(&[&["change"], words, &["--reason", "x"]].concat());
    // The account is nobody of the site.
    step(&["submit", "rate"]).refused("rule: unknown-person");
    let me = account();
    house.write(
        "people.yaml",
        &PEOPLE.replace("roles: [developer]", &format!("roles: [developer], unix_user: {me}")),
    );
    let told = step(&["submit", "rate"]).code(0).out;
    assert!(told.contains("rate: submitted (") && told.contains("as wei"), "{told}");
    step(&["review", "rate"]).refused("rule: role-missing");
    let listed = house.json(&["change", "list", "--stage", "written"]);
    assert_eq!(listed["items"][0]["id"], "rate");
    assert_eq!(house.json(&["change", "list", "--stage", "closed"])["items"], json!([]));
    let of_month = house.json(&["change", "list", "--month", "2020-01"]);
    assert_eq!(of_month["items"], json!([]));
    house.run(&["change", "list", "--month", "2020-1"]).code(2);
    step(&["submit", "nope"]).refused("rule: no-such-thing");
    // Without rules there is no such life.
    std::fs::remove_file(house.site().join("change-rules.yaml")).unwrap();
    step(&["withdraw", "rate"]).refused("rule: no-rules");
}

#[test]
fn a_rule_set_is_written_with_a_new_site_or_beside_one_that_is_there() {
    let house = House::bare();
    for rules in ["h", "c"] {
        let dir = house.work(&format!("new-{rules}"));
        let dir = dir.to_str().unwrap();
        house.run(&["init", dir, "--change-rules", rules]).code(0);
        let checked = house.run(&["check", dir]).code(0);
        let said = checked.out + &checked.err;
        assert!(said.contains("no errors, 0 warnings"), "{said}");
    }
    house.run(&["init", house.work("new-x").to_str().unwrap(), "--change-rules", "x"]).code(2);
    // Of a site that is there no file is touched; what the rules lack is named by the check.
    let (site, people) = (house.site(), std::fs::read(house.site().join("people.yaml")).unwrap());
    let told = house.run(&["init", site.to_str().unwrap(), "--change-rules", "h"]).code(0).out;
    assert!(told.contains("left as it is: people.yaml"), "{told}");
    assert_eq!(std::fs::read(site.join("people.yaml")).unwrap(), people);
    let checked = house.run(&["check", site.to_str().unwrap()]).code(0);
    let said = checked.out + &checked.err;
    assert!(said.contains("nobody in people.yaml has the role `dba`"), "{said}");
    let again = house.run(&["init", site.to_str().unwrap(), "--change-rules", "h"]);
    assert!(again.code(3).err.contains("change-rules.yaml is there already"));
}
