//! The report of a night: what it says is what the journal says, in every form, and somebody answers for it.

use std::collections::BTreeMap;
use std::fs;

use jiff::Timestamp;
use mail_parser::{MessageParser, MimeHeaders};
use rustix::process::Signal;
use serde_json::Value;

use super::facts::{account, eventually};
use super::house::{House, SITE};
use super::serving::Town;
use super::watched::Night;

/// One that is tried twice, one that fails and does not matter, one that is not its day.
const JOBS: &str = "
  a: {title: A, run: [sh, job.sh]}
  b: {title: B, needs: [a], retry: {max: 1, wait: 1s}, shell: '[ \"$NIGHTRUN_ATTEMPT\" -gt 1 ]'}
  c: {title: C, critical: false, shell: exit 3}
  d: {title: D, run: ['true'], needs: ['a:failed']}
";

/// The tests' account is the person Olga, who gets the report.
fn house(jobs: &str, reports: &str) -> House {
    let house = House::new(jobs);
    house.write("site.yaml", &format!("{SITE}reports: {reports}\n"));
    let people = format!(
        "version: 1\npeople:\n  olga: {{name: Olga Operator, mail: olga@bank.example, team: operations, \
         roles: [duty, report], unix_user: {}}}\n",
        account()
    );
    house.write("people.yaml", &people);
    house
}

fn time(value: &Value) -> Timestamp {
    value.as_str().unwrap().parse().unwrap()
}

#[test]
fn figures_of_the_report_are_those_of_the_journal() {
    let house = house(JOBS, "{files: [text]}");
    house.run(&["run", "night", "--date", "2026-10-30"]).code(0);
    let report = house.json(&["report"]);
    // Reckoned once more, from the entries alone.
    let mut outcomes: BTreeMap<String, String> = BTreeMap::new();
    for fact in house.facts("settled") {
        let (job, outcome) = (fact["job"].as_str().unwrap(), fact["outcome"].as_str().unwrap());
        outcomes.insert(job.to_owned(), outcome.to_owned());
    }
    let ended = house.facts("attempt-ended");
    let count = |outcome: &str| outcomes.values().filter(|known| *known == outcome).count();
    let totals = &report["totals"];
    for (total, outcome) in
        [("well", "succeeded"), ("failed", "failed"), ("not_scheduled", "not-scheduled")]
    {
        assert_eq!(totals[total], count(outcome), "{total}: {outcomes:?}");
    }
    assert_eq!((count("succeeded"), count("failed"), count("not-scheduled")), (2, 1, 1));
    assert_eq!(totals["retried"], 1);
    for line in report["jobs"].as_array().unwrap() {
        let name = line["name"].as_str().unwrap();
        let prefix = format!("night@2026-10-30#1/{name}/");
        let of = |fact: &&Value| {
            fact["ended"]["attempt"].as_str().is_some_and(|id| id.starts_with(&prefix))
        };
        let attempts: Vec<&Value> = ended.iter().filter(of).map(|fact| &fact["ended"]).collect();
        assert_eq!(line["attempts"].as_array().unwrap().len(), attempts.len(), "{name}");
        let Some(first) = attempts.first() else { continue };
        let last = attempts.last().unwrap();
        assert_eq!(time(&line["started"]), time(&first["started"]), "{name}");
        assert_eq!(time(&line["ended"]), time(&last["ended"]), "{name}");
    }
    let over = &house.facts("run-ended")[0];
    assert_eq!(report["head"]["result"], over["result"]);
}

#[test]
fn a_night_is_compared_with_that_of_a_week_before() {
    let house = house(JOBS, "{files: [text]}");
    for date in ["2026-10-22", "2026-10-23", "2026-10-29"] {
        house.run(&["run", "night", "--date", date]).code(0);
    }
    let first = house.json(&["report", "--date", "2026-10-29"]);
    assert_eq!(first["week_before"]["run"], "night@2026-10-22#1", "the last of that date");
    house.run(&["run", "night", "--date", "2026-10-30"]).code(0);
    let former = house.json(&["report", "--date", "2026-10-23"]);
    assert!(former["week_before"].is_null());
    let report = house.json(&["report", "--date", "2026-10-30"]);
    let before = &report["week_before"];
    assert_eq!(before["run"], "night@2026-10-23#1");
    // The list of runs holds microseconds.
    for (key, value) in [("opened", &before["opened"]), ("ended", &before["ended"])] {
        let known = time(&former["head"][key]).as_microsecond();
        assert_eq!(time(value).as_microsecond(), known, "{key}");
    }
    let began = before["took"].as_object().unwrap().keys().cloned().collect::<Vec<_>>();
    assert_eq!(began, ["a", "b", "c"], "d had no attempt");
    let text = house.run(&["report", "--date", "2026-10-30"]).code(0).out;
    assert!(text.contains("Fri 2026-10-23, night@2026-10-23#1: ended well"), "{text}");
}

#[test]
fn a_start_of_a_batch_with_several_a_day_is_compared_with_that_of_the_same_time() {
    let town = Town::new();
    let jobs = "schedule: {cron: \"0 6,18 * * MON\"}\njobs:\n  look: {title: L, run: ['true']}\n";
    town.house.batch("look", jobs);
    for day in ["2026-11-02T05:59:58", "2026-11-02T17:59:58", "2026-11-09T05:59:58"] {
        town.set_clock(format!("{day}+01:00").parse().unwrap());
        let mut served = town.serve();
        served.event("run-ended", "");
        served.signal(Signal::TERM);
        served.ends(0);
    }
    let report = town.run(&["report", "--run", "look@20261109T050000Z#1", "--format", "json"], 0);
    let report: Value = serde_json::from_str(&report).unwrap();
    assert_eq!(report["week_before"]["run"], "look@20261102T050000Z#1");
}

#[test]
fn a_report_is_given_in_the_forms_that_the_site_asks_for() {
    let house = house(JOBS, "{files: [html, text, pdf, xlsx], attach: [pdf, xlsx]}");
    house.run(&["run", "night", "--date", "2026-10-30"]).code(0);
    let folder = house.state().join("reports/night@2026-10-30#1");
    let mut written: Vec<String> = fs::read_dir(&folder)
        .unwrap()
        .map(|entry| entry.unwrap().file_name().into_string().unwrap())
        .collect();
    written.sort();
    let of = |lang: &str| ["html", "pdf", "txt", "xlsx"].map(|end| format!("report.{lang}.{end}"));
    assert_eq!(written, [of("en"), of("zh-CN")].concat());
    for (end, begin) in [("pdf", &b"%PDF-"[..]), ("xlsx", b"PK")] {
        let bytes = fs::read(folder.join(format!("report.zh-CN.{end}"))).unwrap();
        assert!(bytes.starts_with(begin), "{end}");
    }
    let mails = fs::read_dir(house.state().join("mail")).unwrap();
    let mails: Vec<Vec<u8>> = mails.map(|entry| fs::read(entry.unwrap().path()).unwrap()).collect();
    let report = mails.iter().find(|bytes| {
        MessageParser::default()
            .parse(bytes.as_slice())
            .unwrap()
            .subject()
            .unwrap()
            .starts_with("[OK]")
    });
    let message = MessageParser::default().parse(report.unwrap().as_slice()).unwrap();
    let named: Vec<&str> =
        message.attachments().filter_map(|part| part.attachment_name()).collect();
    assert_eq!(named, ["report.en.pdf", "report.en.xlsx"]);
    let picture = message.parts.iter().find(|part| part.content_id() == Some("timeline")).unwrap();
    assert!(picture.contents().starts_with(b"\x89PNG"), "the night as a picture");
    assert!(message.body_html(0).unwrap().contains("cid:timeline"));
    assert!(message.body_text(0).unwrap().contains("night@2026-10-30#1"), "the text is whole");
    // By hand, of a night that is long over.
    for (option, begin) in [("--pdf", &b"%PDF-"[..]), ("--xlsx", b"PK")] {
        let path = house.state().join(format!("by-hand{option}"));
        house.run(&["report", option, path.to_str().unwrap()]).code(0);
        assert!(fs::read(&path).unwrap().starts_with(begin), "{option}");
    }
}

#[test]
fn a_report_is_signed_when_its_night_is_over_and_its_files_say_so() {
    let house = house("  a: {title: A, run: [sh, job.sh, wait]}\n", "{files: [text]}");
    house.gates(&["a"]);
    let mut night = house.spawn(&["run", "night", "--date", "2026-10-30"]);
    night.started("a");
    let sign = || house.run(&["report", "sign", "night", "--reason", "complete"]);
    sign().refused("under way");
    house.say("a", "go");
    night.ends(0);
    let file = house.state().join("reports/night@2026-10-30#1/report.en.txt");
    assert!(fs::read_to_string(&file).unwrap().contains("Nobody has signed it yet."));
    sign().code(0);
    let acted = house.facts("acted");
    assert_eq!((&acted[0]["action"]["do"], &acted[0]["by"]), (&"sign".into(), &"olga".into()));
    let says = |text: &str| text.contains("Signed by Olga Operator") && text.contains("complete");
    assert!(says(&house.run(&["report"]).code(0).out));
    assert!(says(&fs::read_to_string(&file).unwrap()), "the file beside the run too");
    assert_eq!(house.ran(), ["a 1"], "nothing was set going");
    house.nothing_is_lost();
}

#[test]
fn a_night_that_goes_on_at_the_time_of_reports_is_told_of_then_and_when_it_is_over_in_one_thread() {
    let zone = jiff::tz::TimeZone::get("Europe/Berlin").unwrap();
    let soon = (Timestamp::now() + jiff::SignedDuration::from_hours(1)).to_zoned(zone);
    let at = soon.strftime("%H:%M").to_string();
    let house = house("  a: {title: A, run: [sh, job.sh, wait]}\n", &format!("{{at: \"{at}\"}}"));
    house.gates(&["a"]);
    let step = house.work("step");
    let mut run = house.command(&["run", "night", "--date", "2026-10-30", "--format", "json"]);
    run.env("NIGHTRUN_CLOCK_STEP", &step);
    let mut night = Night::watch(run);
    night.started("a");
    assert!(house.mails().is_empty());
    fs::write(&step, "7200\n").unwrap();
    eventually("the first mail", || house.mails().len() == 1);
    house.say("a", "go");
    night.ends(0);
    let mails = house.mails();
    let subjects: Vec<&str> =
        mails.iter().map(|mail| mail.subject.split(' ').next().unwrap()).collect();
    let mut sorted = subjects.clone();
    sorted.sort_unstable();
    assert_eq!(sorted, ["[OK]", "[RUNNING]"]);
    assert!(!mails[0].thread.is_empty() && mails[0].thread == mails[1].thread, "{mails:?}");
    assert_ne!(mails[0].id, mails[1].id);
    assert_eq!(house.facts("report-told").len(), 1);
    house.nothing_is_lost();
}
