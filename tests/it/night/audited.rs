//! Who is on shift, what people did, and who could do what, by command.

use super::facts::account;
use super::house::{House, SITE};

const JOBS: &str = "
  a: {title: A, run: [sh, job.sh, wait]}
  b: {title: B, run: [sh, job.sh], needs: [a]}
";

/// The tests' account is Olga; she may do what `roles` let her.
fn people(house: &House, roles: &str) {
    let me = account();
    house.write(
        "people.yaml",
        &format!(
            "version: 1\npeople:\n  olga: {{name: Olga Operator, name_zh: 奥尔加, mail: olga@bank.example, roles: [{roles}], unix_user: {me}}}\n  \
             vera: {{name: Vera Viewer, mail: vera@bank.example, roles: [viewer]}}\n"
        ),
    );
}

fn house() -> House {
    let house = House::new(JOBS);
    people(&house, "duty, report, operator");
    let rights = "rights: {operator: [read, logs, operate, order, house], viewer: [read]}\n";
    house.write("site.yaml", &format!("{SITE}{rights}"));
    house
}

#[test]
fn who_is_on_shift_is_told_in_both_languages_and_a_clash_is_a_defect() {
    let house = house();
    let shifts = "version: 1\nshifts:\n  night: {title: Night, title_zh: 夜班, from: \"21:30\", to: \"08:30\"}\n  \
                  late: {title: Late, from: \"20:00\", to: \"22:00\"}\n";
    house.write("shifts.yaml", shifts);
    let none = house.run(&["roster", "who"]).code(0).out;
    assert!(none.contains("Nobody is on shift") && none.contains("names nobody after"), "{none}");
    let night = "  - {shift: night, from: 2026-10-26, to: 2026-11-01, people: [olga]}\n";
    house.write("roster.yaml", &format!("version: 1\nroster:\n{night}"));
    let at = ["roster", "who", "--at", "2026-10-31T02:00"];
    let text = house.run(&at).code(0).out;
    for part in ["Night 2026-10-30 21:30", "Olga Operator", "Next change at 2026-10-31 08:30"] {
        assert!(text.contains(part), "not `{part}`: {text}");
    }
    let chinese = house.run(&[&at[..], &["--lang", "zh"]].concat()).code(0).out;
    assert!(chinese.contains("夜班") && chinese.contains("奥尔加"), "{chinese}");
    let data = house.json(&at);
    assert_eq!(
        (&data["on"][0]["shift"], &data["on"][0]["date"]),
        (&"night".into(), &"2026-10-30".into())
    );
    assert_eq!(data["next_change"], "2026-10-31T07:30:00Z");

    let late = "  - {shift: late, from: 2026-10-28, people: [olga]}\n";
    house.write("roster.yaml", &format!("version: 1\nroster:\n{night}{late}"));
    let defects = house.run(&["check", "--today", "2026-10-01"]).code(2);
    let all = defects.out + &defects.err;
    assert!(
        all.contains("roster.yaml:4:5") && all.contains("olga has two shifts at once"),
        "{all}"
    );
}

#[test]
fn an_audit_tells_what_was_done_by_whom_and_proves_it() {
    let house = house();
    house.gates(&["a"]);
    let mut night = house.spawn(&["run", "night", "--date", "2026-10-30"]);
    night.started("a");
    house.run(&["hold", "night.b", "--reason", "=wait, \"please\""]).code(0);
    house.run(&["release", "night.b", "--reason", "seen"]).code(0);
    house.say("a", "go");
    night.ends(0);
    let until =
        ["freeze", "--until", "2099-01-01T00:00", "--scope", "site", "--reason", "release day"];
    house.run(&until).code(0);
    house.run(&["people", "token", "vera", "--name", "ci"]).code(0);
    // Olga is made an administrator, and Vera leaves.
    let me = account();
    house.write(
        "people.yaml",
        &format!("version: 1\npeople:\n  olga: {{name: Olga Operator, mail: olga@bank.example, roles: [duty, report, admin], unix_user: {me}}}\n"),
    );
    house.run(&["unfreeze", "F-1", "--reason", "over"]).code(0);
    let text = house.run(&["audit"]).code(0).out;
    assert!(!text.contains("people.yaml no more"), "no run has begun with it: {text}");
    let mut again = house.spawn(&["run", "night", "--date", "2026-11-02"]);
    again.started("a");
    house.say("a", "go");
    again.ends(0);

    let data = house.json(&["audit"]);
    let lines = data["lines"].as_array().unwrap();
    let did: Vec<&str> = lines.iter().map(|line| line["did"].as_str().unwrap()).collect();
    assert_eq!(
        did,
        ["order", "act", "act", "freeze", "make-token", "unfreeze", "access", "access", "order"]
    );
    assert!(
        lines.iter().filter(|line| line["did"] != "access").all(|line| line["person"] == "olga")
    );
    let rights = lines[6]["after"]["rights"].as_array().unwrap().len();
    assert_eq!(rights, nightrun::types::Right::ALL.len(), "{}", lines[6]);
    assert_eq!((&lines[7]["of"], &lines[7]["after"]), (&"vera".into(), &serde_json::Value::Null));
    // Each line has the hash of its entry, and the proof that of the journal's end.
    let journal = house.json(&["journal", "verify"]);
    assert_eq!(data["proof"]["head"]["hash"], journal["head"]);
    assert_eq!(data["proof"]["first"]["seq"], 1);
    assert_eq!(data["proof"]["last"]["seq"], journal["entries"]);

    let of_vera = house.json(&["audit", "--person", "vera"]);
    assert_eq!(of_vera["lines"].as_array().unwrap().len(), 2, "{of_vera}");
    let nothing = house.run(&["audit", "--to", "2020-01-01"]).code(0).out;
    assert!(
        nothing.contains("nothing was done") && nothing.contains("The chain is whole"),
        "{nothing}"
    );

    let text = house.run(&["audit"]).code(0).out;
    for part in [
        "held b",
        "ordered night@",
        "made the token T-1 of vera",
        "has roles [duty, report, admin]",
        "vera is in people.yaml no more",
    ] {
        assert!(
            text.replace("\n", " ").contains(part) || squeezed(&text).contains(part),
            "not `{part}`: {text}"
        );
    }
    let chinese = house.run(&["audit", "--lang", "zh"]).code(0).out;
    assert!(chinese.contains("挂起 b") && chinese.contains("流水链"), "{chinese}");
    let csv = house.run(&["audit", "--csv"]).code(0).out;
    assert!(csv.starts_with("time,person,second,what,reason,entry,hash\r\n"), "{csv}");
    assert!(csv.contains("\"'=wait, \"\"please\"\"\""), "{csv}");
    assert!(csv.contains("# head; the chain is whole"), "{csv}");
}

/// As one line, so that what a column has wrapped is found.
fn squeezed(text: &str) -> String {
    text.split_whitespace().collect::<Vec<_>>().join(" ")
}

#[test]
fn the_access_of_a_day_is_by_the_job_files_of_then() {
    let house = house();
    house.run(&["audit", "--access", "2020-01-01"]).refused("no run had begun");
    let today = jiff::Timestamp::now().to_zoned(jiff::tz::TimeZone::UTC).date();
    let tomorrow = today.tomorrow().unwrap().to_string();
    let list = house.json(&["audit", "--access", &tomorrow]);
    assert_eq!((&list[0]["id"], &list[1]["id"]), (&"olga".into(), &"vera".into()));
    assert_eq!(list[1]["rights"], serde_json::json!(["read"]));
    let one = house.json(&["audit", "--access", &tomorrow, "--person", "vera"]);
    assert_eq!(one.as_array().unwrap().len(), 1);
    let text = house.run(&["audit", "--access", &tomorrow]).code(0).out;
    assert!(text.contains("Vera Viewer") && text.contains("viewer"), "{text}");
}

#[test]
fn what_a_log_may_not_show_is_in_no_log_report_mail_or_entry() {
    let house = House::new(
        "  a: {title: A, shell: 'echo login password=hunter2 as x; exit 1', log_masks: [\"password=\"]}\n",
    );
    house.run(&["run", "night", "--date", "2026-10-30"]).code(1);
    let log = house.run(&["log", "night.a"]).code(0);
    assert_eq!(log.out, "login password=*** as x\n");
    let report = house.run(&["report"]).code(0).out;
    assert!(report.contains("login password=*** as x"), "{report}");
    let journal = house.run(&["journal", "show", "--last", "500", "--format", "json"]).code(0).out;
    assert!(journal.contains("password=***") && !journal.contains("hunter2 as"), "{journal}");
    for folder in ["mail", "reports"] {
        for file in files_in(&house.state().join(folder)) {
            let text = std::fs::read_to_string(&file).unwrap_or_default();
            assert!(!text.contains("hunter2 as"), "{}: {text}", file.display());
        }
    }
}

fn files_in(folder: &std::path::Path) -> Vec<std::path::PathBuf> {
    let mut files = Vec::new();
    for entry in std::fs::read_dir(folder).into_iter().flatten().flatten() {
        let path = entry.path();
        if path.is_dir() { files.extend(files_in(&path)) } else { files.push(path) }
    }
    files
}
