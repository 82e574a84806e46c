//! From an empty folder to a night that has run: what a newcomer does.

use std::process::{Command, Stdio};

use super::house::House;

fn command(folder: &std::path::Path, arguments: &[&str]) -> (Option<i32>, String, String) {
    let output = Command::new(env!("CARGO_BIN_EXE_nightrun"))
        .args(arguments)
        .current_dir(folder)
        .stdin(Stdio::null())
        .output()
        .unwrap();
    let text = |bytes| String::from_utf8(bytes).unwrap();
    (output.status.code(), text(output.stdout), text(output.stderr))
}

#[test]
fn a_newcomer_gets_from_an_empty_folder_to_a_report() {
    let folder = tempfile::tempdir().unwrap();
    let well = |arguments: &[&str]| {
        let (code, out, err) = command(folder.path(), arguments);
        assert_eq!(code, Some(0), "{arguments:?}\n{out}\n{err}");
        out
    };
    well(&["init", "jobs"]);
    let (code, _, err) = command(folder.path(), &["init", "jobs"]);
    assert_eq!(code, Some(3), "{err}");
    assert!(well(&["check"]).contains("no errors"));
    assert!(well(&["plan", "--date", "2026-10-30"]).contains("hello"));
    let night = well(&["run", "hello", "--date", "2026-10-30"]);
    assert!(night.contains("ended well") && night.contains("report: state/reports/"), "{night}");
    let looks: [&[&str]; 9] = [
        &["check"],
        &["plan", "--date", "2026-10-30"],
        &["runs"],
        &["status"],
        &["report", "--date", "2026-10-30"],
        &["why", "hello.post"],
        &["why", "hello.post", "--date", "2026-11-02"],
        &["journal", "verify"],
        &["schema"],
    ];
    for look in looks {
        assert!(!well(look).trim().is_empty(), "{look:?} says nothing");
        let json = well(&[look, &["--format", "json"]].concat());
        serde_json::from_str::<serde_json::Value>(&json)
            .unwrap_or_else(|why| panic!("{look:?}: {why}\n{json}"));
    }
    for line in well(&["journal", "show", "--format", "json"]).lines() {
        serde_json::from_str::<serde_json::Value>(line).unwrap();
    }
    assert!(well(&["log", "hello.announce"]).contains("bookings of 2026-10-30: 2 lines"));
    let html = folder.path().join("morning.html");
    well(&["report", "--date", "2026-10-30", "--html", "morning.html"]);
    assert!(std::fs::read_to_string(html).unwrap().contains("<svg"));
    assert!(well(&["--lang", "zh", "status"]).contains("日终"));

    // The inspection and the escalation that come with it.
    well(&["run", "inspection"]);
    let rounds = well(&["inspections"]);
    assert!(rounds.contains("host.disk") && rounds.contains("warn ≥ 90 %"), "{rounds}");
    // The night of 2026-10-30 was late, which was the first.
    well(&["incident", "open", "the portal is slow"]);
    assert!(well(&["status"]).contains("INC-2  the portal is slow"));
    well(&["incident", "ack", "INC-2"]);
    let shown = well(&["incident", "show", "INC-2"]);
    assert!(shown.contains("Response:") && shown.contains("Incident report by"), "{shown}");
    let mails = std::fs::read_dir(folder.path().join("state/mail")).unwrap();
    let mails = mails.map(|mail| std::fs::read_to_string(mail.unwrap().path()).unwrap());
    assert!(mails.into_iter().any(|mail| mail.contains("INC-2")), "nobody was told");
}

#[test]
fn each_exit_code_says_how_it_went() {
    let house = House::new("  a: {title: A, run: [sh, job.sh, wait]}\n");
    house.gates(&["a"]);
    let run = ["run", "night", "--date", "2026-10-30"];
    assert_eq!(house.run(&["run"]).code, Some(2), "a command line that is none");
    house.run(&["status"]).code(3);
    let night = house.spawn(&run);
    house.say("a", "no");
    night.ends(1);
    house.run(&run).code(3);
    let mut night = house.spawn(&["run", "night", "--date", "2026-10-31"]);
    night.started("a");
    night.signal(rustix::process::Signal::INT);
    night.event("stopping", "");
    house.say("a", "go");
    night.ends(0);
    house.batch("night", "jobs: {a: {title: A, needs: [b], run: [x]}}\n");
    let defects = house.run(&["check"]).code(2);
    assert!(defects.out.contains("night.yaml:4:"), "{}", defects.out);
    house.run(&["check", "--format", "json"]).code(2).json();
    house.run(&["run", "night", "--date", "2026-11-01"]).code(2);
}

#[test]
fn a_calendar_that_has_ended_does_not_keep_its_former_nights_from_being_looked_at() {
    let folder = tempfile::tempdir().unwrap();
    let on = |arguments: &[&str]| command(folder.path(), arguments);
    assert_eq!(on(&["init", "jobs"]).0, Some(0));
    let calendar = folder.path().join("jobs/calendars/weekdays.yaml");
    let text = std::fs::read_to_string(&calendar).unwrap();
    let (text, _) = text.split_once("exceptions:").unwrap();
    let ended = text.replace("2025-01-01..2035-12-31", "2020-01-01..2020-12-31");
    std::fs::write(&calendar, ended).unwrap();
    let (code, out, _) = on(&["check", "--today", "2026-11-23"]);
    assert_eq!(code, Some(2));
    assert!(out.contains("ended on 2020-12-31"), "{out}");
    assert_eq!(on(&["plan", "--date", "2020-06-05"]).0, Some(0));
    let (code, _, err) = on(&["run", "hello", "--at", "2020-06-05T20:00"]);
    assert_eq!(code, Some(0), "{err}");
    let (code, _, err) = on(&["run", "hello", "--date", "2026-11-23"]);
    assert_eq!(code, Some(2), "nothing runs beyond the data: {err}");
    assert!(err.contains("2020-12-31"), "{err}");
}
