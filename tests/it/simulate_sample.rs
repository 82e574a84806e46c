//! Simulated nights of the sample site, against its plan and against what its files say.

use std::collections::{BTreeMap, BTreeSet};
use std::path::Path;
use std::process::{Command, Stdio};
use std::sync::Arc;

use jiff::civil::date;
use nightrun::definition::load;
use nightrun::definition::site::Site;
use nightrun::driver::files::read_site;
use nightrun::render;
use nightrun::simulate::Samples;
use nightrun::simulate::rehearsal::{Asked, many_nights, one_night};
use nightrun::simulate::what_if::Wishes;
use nightrun::types::{BatchId, Lang};
use nightrun::view::of_plan::{Wanted, plan};
use nightrun::view::rehearsal::{RehearsalView, Standing};
use serde_json::Value;

fn sample() -> Arc<Site> {
    let jobs = Path::new(env!("CARGO_MANIFEST_DIR")).join("jobs");
    Arc::new(load(&read_site(&jobs).unwrap()).site.expect("the sample site has no defects"))
}

fn played(wishes: &Wishes, days: i8) -> RehearsalView {
    let (from, to) = (date(2026, 10, 30), date(2026, 10, 29 + days));
    let (expected, samples) = (BTreeMap::new(), Samples::new());
    let (site, batches) = (sample(), [BatchId::new("eod").unwrap()]);
    let (expected, samples) = (&expected, &samples);
    one_night(Asked { site: &site, batches: &batches, from, to, expected, samples, wishes })
        .unwrap()
}

#[test]
fn a_night_of_which_nothing_is_supposed_is_the_plan() {
    let expected = BTreeMap::new();
    for (from, to) in
        [(date(2026, 10, 30), date(2026, 10, 30)), (date(2026, 12, 28), date(2027, 1, 4))]
    {
        let site = sample();
        let wanted =
            Wanted { batch: None, from, to, today: from, expected: &expected, lives: None };
        let plan = plan(&site, "d", wanted).unwrap();
        let (samples, wishes) = (Samples::new(), Wishes::default());
        let (expected, samples, wishes) = (&expected, &samples, &wishes);
        let asked = Asked { site: &site, batches: &[], from, to, expected, samples, wishes };
        let view = one_night(asked).unwrap();
        let mut starts: Vec<_> = plan.days.iter().flat_map(|day| &day.starts).collect();
        starts.sort_by_key(|start| start.at);
        assert_eq!(starts.len(), view.runs.len());
        assert!(starts.len() > 1);
        for (start, run) in starts.iter().zip(&view.runs) {
            assert_eq!((start.at, &start.batch), (run.head.opened, &run.head.batch));
            assert_eq!(start.expected_end, run.head.ended);
            for planned in &start.jobs {
                let played = run.jobs.iter().find(|job| job.line.name == planned.name).unwrap();
                // What only waits for a time or a person has no attempt: its end says when.
                if played.line.started.is_some() {
                    assert_eq!(planned.start, played.line.started, "{}", planned.name);
                }
                assert_eq!(planned.end, played.line.ended, "{}", planned.name);
            }
        }
    }
}

/// The night whose page is in the README, and one that stands still.
#[test]
fn what_a_tired_operator_reads() {
    let texts = |texts: &[&str]| texts.iter().map(|text| (*text).to_owned()).collect();
    let down = Wishes {
        host_down: texts(&["local=21:40-22:10"]),
        takes: texts(&["load-*=50s"]),
        fails: texts(&["fetch-payments=2"]),
        ..Wishes::default()
    };
    let lost = Wishes {
        host_down: texts(&["local=22:30-23:00"]),
        takes: texts(&["close=1h"]),
        ..Wishes::default()
    };
    let mut pages = String::new();
    for wishes in [down, lost] {
        let view = played(&wishes, 1);
        for lang in Lang::ALL {
            pages += &render::rehearsal::text(lang, &view);
            pages += "--------\n";
        }
    }
    insta::assert_snapshot!(pages);
}

#[test]
fn a_failed_check_stands_the_night_still_and_calls_the_people_on_duty() {
    let fails = vec!["eod.check-payments".to_owned()];
    let view = played(&Wishes { fails, ..Wishes::default() }, 1);
    let run = &view.runs[0];
    assert_eq!(run.standing, Standing::StandsStill);
    let told: Vec<&str> = run.incidents[0].told.iter().map(|who| who.id.as_str()).collect();
    let why =
        "escalation.yaml: the role duty, then the shift, its deputies and the operations lead";
    assert_eq!(told, ["anna-schmidt", "li-wei", "marta-kowalska"], "{why}");
    // Cut-off at 21:45, three jobs of a second, and its own.
    assert_eq!(run.incidents[0].opened.to_string(), "2026-10-30T20:45:04Z");
}

fn nightrun(state: &Path, arguments: &[&str]) -> (Option<i32>, String, String) {
    let site = Path::new(env!("CARGO_MANIFEST_DIR")).join("jobs");
    let output = Command::new(env!("CARGO_BIN_EXE_nightrun"))
        .arg("--site")
        .arg(site)
        .arg("--state")
        .arg(state)
        .args(arguments)
        .stdin(Stdio::null())
        .output()
        .unwrap();
    let text = |bytes| String::from_utf8(bytes).unwrap();
    (output.status.code(), text(output.stdout), text(output.stderr))
}

/// Every key of a JSON value, as a path.
fn keys(value: &Value, path: &str, found: &mut BTreeSet<String>) {
    match value {
        Value::Object(fields) => {
            for (key, value) in fields {
                let path = format!("{path}.{key}");
                found.insert(path.clone());
                keys(value, &path, found);
            }
        }
        Value::Array(items) => {
            items.iter().for_each(|item| keys(item, &format!("{path}[]"), found))
        }
        _ => {}
    }
}

/// What scripts read: a key that changes its name or place shows here.
#[test]
fn the_form_of_the_json_is_kept() {
    let texts = |texts: &[&str]| texts.iter().map(|text| (*text).to_owned()).collect();
    let wishes = Wishes {
        host_down: texts(&["local=22:30-23:00"]),
        takes: texts(&["close=1h", "load-*=2x"]),
        fails: texts(&["fetch-payments=2", "notify-branches"]),
        arrives: texts(&["await-rates=21:30"]),
        ..Wishes::default()
    };
    let (day, expected, samples) = (date(2026, 10, 30), BTreeMap::new(), Samples::new());
    let (site, batches) = (sample(), [BatchId::new("eod").unwrap()]);
    let asked = Asked {
        site: &site,
        batches: &batches,
        from: day,
        to: day,
        expected: &expected,
        samples: &samples,
        wishes: &wishes,
    };
    let mut found = BTreeSet::new();
    keys(&serde_json::to_value(one_night(asked).unwrap()).unwrap(), "night", &mut found);
    keys(&serde_json::to_value(many_nights(asked, 2, 1).unwrap()).unwrap(), "nights", &mut found);
    insta::assert_snapshot!(found.into_iter().collect::<Vec<_>>().join("\n"));
}

#[test]
fn the_command_answers_in_both_languages_and_leaves_nothing_behind() {
    let folder = tempfile::tempdir().unwrap();
    let state = folder.path().join("state");
    let night = ["simulate", "eod", "--date", "2026-10-30"];
    let say = |more: &[&str]| {
        let (code, out, err) = nightrun(&state, &[&night, more].concat());
        assert_eq!(code, Some(0), "{err}");
        out
    };
    let english = say(&["--host-down", "local=22:00-22:30"]);
    assert!(english.starts_with("SIMULATED"), "{english}");
    assert!(
        english.contains("eod@2026-10-30 done at 22:30 (limit 06:30, 7h 59m left)"),
        "{english}"
    );
    assert!(english.contains("30m later than without the what-ifs (22:00)."), "{english}");
    let chinese = say(&["--host-down", "local=22:00-22:30", "--lang", "zh"]);
    assert!(chinese.starts_with("推演结果"), "{chinese}");
    assert!(chinese.contains("比无设定时（22:00）晚 30分钟"), "{chinese}");
    let json: Value =
        serde_json::from_str(&say(&["--fails", "close", "--format", "json"])).unwrap();
    assert_eq!(json["simulated"], true);
    assert_eq!(json["runs"][0]["standing"], "stands-still");
    assert_eq!(json["runs"][0]["incidents"][0]["job"], "close");
    let nights = ["--nights", "20", "--seed", "5", "--format", "json"];
    assert_eq!(say(&nights), say(&nights));
    let many: Value = serde_json::from_str(&say(&nights)).unwrap();
    assert_eq!(many["runs"][0]["ends"]["in_time"], 20);
    let drawing = folder.path().join("night.svg");
    say(&["--gantt", drawing.to_str().unwrap()]);
    let svg = std::fs::read_to_string(drawing).unwrap();
    assert!(svg.contains(">SIMULATED<") && svg.contains("fee-correction"));
    assert!(!state.exists(), "nothing is stored");
    for (wrong, hint) in [
        (&["simulate", "edo"][..], "did you mean `eod`?"),
        (&["simulate", "eod", "--takes", "clos=2x"], "did you mean `close`?"),
        (&["simulate", "eod", "--confirm-after", "5"], "is not a duration"),
        (&["simulate", "eod", "--nights", "2", "--gantt", "x.svg"], "--gantt draws one night"),
    ] {
        let (code, _, err) = nightrun(&state, wrong);
        assert_eq!(code, Some(2), "{err}");
        assert!(err.contains(hint), "{err}");
    }
}
