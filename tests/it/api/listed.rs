//! The list of a window: sealed when its run is opened, mailed, released, carried out.

use serde_json::{Value, json};

use super::office::{CHANGE, Office, folder, house};
use crate::night::facts::eventually;
use crate::night::house::House;

/// D15, without what depends on the day on which the test runs.
const WEEKLY: &str = "weekly:
  - {title: First sign-off, list: uat, meets: [fri 14:00]}
  - {title: Development plan, title_zh: 开发计划, due: sun 24:00, posted: mon 10:00}
";

/// By order; and one whose next start is far away.
const LISTS: [(&str, &str); 2] =
    [("list", ""), ("leap-day", "schedule: {cron: \"0 3 28,29 FEB *\", zone: Europe/Berlin}\n")];

/// Two data changes, one of which needs the other, and who is mailed the sealed list.
fn listing() -> House {
    let house = house();
    let rules = std::fs::read_to_string(house.site().join("change-rules.yaml")).unwrap();
    house.write("change-rules.yaml", &format!("{rules}seal_mail: [ccb]\n{WEEKLY}"));
    for (name, schedule) in LISTS {
        let changes = "changes: {environment: production, classes: [data]}\n";
        house.batch(name, &format!("title_zh: 数据变更清单\n{schedule}{changes}"));
    }
    folder(&house, "first", "data", "update fee set rate = 30 where id = 1;\n");
    let needs = CHANGE.replace("CLASS", "data") + "needs: [first]\n";
    for (name, text) in [
        ("change.yaml", needs.as_str()),
        ("backup.sql", "create table fee_second as select * from fee;\n"),
        ("change.sql", "update fee set rate = 31 where id = 1;\n"),
        ("verify.sql", "select 'rate', rate = 31, 'rate ' || rate from fee where id = 1;\n"),
        ("rollback.sql", "update fee set rate = 30 where id = 1;\n"),
    ] {
        house.write(&format!("changes/second/{name}"), text);
    }
    house
}

#[test]
fn a_list_is_sealed_and_mailed_and_runs_as_it_was_sealed() {
    let office = Office::of(listing());
    let house = &office.served.house;
    // Nothing is scheduled: it ends well at once, and says so.
    house.spawn(&["run", "list", "--date", "2026-10-29"]).ends(0);
    let empty = house.run(&["report", "--batch", "list", "--date", "2026-10-29"]).code(0).out;
    assert!(empty.contains("Nothing was on its list."), "{empty}");

    for change in ["first", "second"] {
        office.done("wei", change, "submit", json!({}));
        office.done("dba", change, "review", json!({}));
        for by in ["dev", "ops"] {
            office.done(by, change, "approve", json!({ "environment": "production" }));
        }
        office.done("ops", change, "schedule", json!({ "environment": "production" }));
    }
    office.done("wei", "rate", "submit", json!({}));
    signed_off(&office);
    // What would be on it, before anything is opened.
    let plan = house.run(&["plan", "--date", "2028-02-29", "leap-day"]).code(0).out;
    assert!(plan.contains("production, 2 changes"), "{plan}");
    assert!(plan.contains("first") && plan.contains("second"), "{plan}");
    // What its first start takes is no matter of its second one.
    let two = ["plan", "--from", "2028-02-28", "--days", "2", "leap-day"];
    let days = house.json(&two)["days"].clone();
    let on = |day: usize| days[day]["starts"][0]["list"].clone();
    assert_eq!(on(0)["changes"].as_array().unwrap().len(), 2, "{days:#}");
    assert_eq!((&on(1)["changes"], &on(1)["left_out"]), (&json!([]), &Value::Null), "{days:#}");
    let tried = house.run(&["run", "list", "--date", "2026-10-30", "--dry-run"]).code(0).out;
    assert!(tried.contains("first") && tried.contains("second"), "{tried}");

    let ordered = house.spawn(&["run", "list", "--date", "2026-10-30"]);
    eventually("the sealed list", || house.facts("run-opened").len() == 3);
    let opened = house.facts("run-opened").pop().unwrap();
    let list = &opened["list"];
    assert_eq!(list["environment"], "production");
    let names = |list: &Value| -> Vec<String> {
        let changes = list["changes"].as_array().unwrap().iter();
        changes.map(|of| of["change"].as_str().unwrap().to_owned()).collect()
    };
    assert_eq!(names(list), ["first", "second"]);
    let journal = house.journal();
    let last = list["journal"]["number"].as_u64().unwrap();
    assert_eq!(journal[last as usize]["fact"]["run"], opened["run"], "the next entry opens it");
    assert_eq!(list["journal"]["hash"].as_str().unwrap().len(), 64);
    // Sealed: what is altered from now on is not of this run.
    house.write("changes/second/change.sql", "update fee set rate = 99 where id = 1;\n");
    let sealed = || {
        let mut mails = house.mails();
        mails.retain(|mail| mail.subject.contains("2 changes") || mail.subject.contains("2 项"));
        mails.sort_by(|a, b| a.to.cmp(&b.to));
        mails
    };
    eventually("two mails", || sealed().len() == 2);
    let mails = sealed();
    assert_eq!(mails[0].to, "ccb-a@bank.example");
    assert_eq!(mails[0].subject, "list sealed: 2 changes for production");
    let digest = &list["changes"][0]["digest"].as_str().unwrap()[..12];
    for part in ["first: on prod", digest, "journal entry", "nightrun change release list"] {
        assert!(mails[0].text.contains(part), "{part}: {}", mails[0].text);
    }
    assert_eq!(mails[1].subject, "数据变更清单已封版：production 2 项变更");
    assert!(mails[1].text.contains("审批摘要"), "{}", mails[1].text);
    // No other list takes them meanwhile.
    let other = house.run(&["run", "list", "--date", "2026-10-31", "--dry-run"]).code(0).out;
    assert!(other.contains("It is on the list of list@2026-10-30#1"), "{other}");

    office.man("list");
    ordered.ends(0);
    let ended = house.facts("change-moved").into_iter().filter(|f| f["step"]["step"] == "ended");
    let states: Vec<(String, String, String)> = ended
        .map(|fact| {
            let ended = &fact["step"]["ended"];
            let word = |value: &Value| value.as_str().unwrap().to_owned();
            (word(&fact["change"]), word(&ended["state"]), word(&ended["content"]))
        })
        .collect();
    let contents: Vec<&Value> =
        list["changes"].as_array().unwrap().iter().map(|of| &of["content"]).collect();
    assert_eq!(states.len(), 2);
    for ((change, state, content), (name, sealed)) in
        states.iter().zip(["first", "second"].into_iter().zip(contents))
    {
        assert_eq!((change.as_str(), state.as_str()), (name, "done"));
        assert_eq!(content, sealed.as_str().unwrap());
    }
    let report = house.run(&["report", "--batch", "list", "--date", "2026-10-30"]).code(0).out;
    for part in ["production, 2 changes", digest, "journal entry"] {
        assert!(report.contains(part), "{part}: {report}");
    }
    // What was executed is on no further list.
    house.spawn(&["run", "list", "--date", "2026-11-01"]).ends(0);
    office.served.night.kill();
    house.nothing_is_lost();
}

/// The lists of the sign-off meetings: by the command from the store and from another host, by the API, as a page.
fn signed_off(office: &Office) {
    let house = &office.served.house;
    let path = ("GET", "/api/v1/changes/lists?environment=production");
    let page = office.served.ask_as(&office.tokens["asker"], path, None).ok().json();
    let list = &page["lists"][0];
    assert_eq!((&list["environment"], &list["first"]), (&json!("production"), &json!(false)));
    let ids: Vec<&str> =
        list["changes"].as_array().unwrap().iter().map(|of| of["id"].as_str().unwrap()).collect();
    assert_eq!(ids, ["first", "second"]);
    let dropped = &list["dropped"][0];
    assert_eq!(
        (&dropped["change"], &dropped["reasons"][0]["why"]),
        (&json!("rate"), &json!("not-approved"))
    );
    assert_eq!(list["weekly"], json!([]));
    assert_eq!(page["weekly"][0]["title"]["en"], "Development plan");
    let signatures = list["changes"][0]["signatures"].as_array().unwrap();
    let signed: Vec<(&str, &str, usize)> = signatures
        .iter()
        .map(|of| {
            let word = |key: &str| of[key].as_str().unwrap();
            (word("signs"), word("role"), of["signed"].as_array().unwrap().len())
        })
        .collect();
    let expected =
        [("review", "dba", 1), ("approval", "dev-lead", 1), ("approval", "operations", 1)];
    assert_eq!(signed, expected);
    let here = house.run(&["change", "lists"]).code(0).out;
    for part in [
        "Development plan: due Mon ",
        " 10:00",
        "Release plan: uat",
        "  First sign-off: meets Fri ",
        "________",
        "List of production",
        "rate: not approved for uat",
    ] {
        assert!(here.contains(part), "{part}: {here}");
    }
    let there =
        office.command("asker", &["--lang", "zh", "change", "lists", "--environment", "uat"]);
    let there = there.code(0).out;
    assert!(there.contains("版本计划：uat") && !there.contains("production 清单"), "{there}");
    house.run(&["change", "lists", "--environment", "nowhere"]).refused("no environment");
    let file = house.work("lists.html");
    let file = file.to_str().unwrap();
    house.run(&["--lang", "zh", "change", "lists", "--html", file]).code(0);
    let html = std::fs::read_to_string(file).unwrap();
    for part in [
        "production 清单",
        "First sign-off：会议时间 ",
        "开发计划：提交截止 ",
        "Dev Lead（",
        "rate",
        "uat 未审批",
    ] {
        assert!(html.contains(part), "{part}: {html}");
    }
}
