//! Every cell of the table "What operators may do" in `src/docs/states.md`: each action on a job in each state of it and of
//! its run.

use jiff::civil::time;

use super::containment::{Offer, of_job};
use super::fact::{Action, Deadline, StopHow};
use super::night::{Event, StepError};
use super::select::{Deed, Which};
use super::test_night::{Night, li_wei, name};
use super::test_site::{job, rule};
use crate::definition::site::{Containment, Days, EndingKind, Job, Kind};
use crate::types::{Ending, Span, Text};

static ACTIONS: [(&str, Deed); 12] = [
    ("hold", Deed::Hold),
    ("release", Deed::Release),
    ("skip", Deed::Skip),
    ("force", Deed::Force),
    ("retry", Deed::Retry),
    ("kill", Deed::Kill),
    ("confirm", Deed::Confirm),
    ("rerun", Deed::Rerun),
    ("priority", Deed::Priority { priority: 5 }),
    ("deadline", Deed::Deadline { deadline: Deadline::MustCompleteBy, to: time(5, 0, 0, 0) }),
    ("note", Deed::Note { text: String::new() }),
    ("cancel (the run)", Deed::Cancel),
];

const STATES: [&str; 23] = [
    "waiting",
    "waiting, held",
    "starting",
    "running",
    "retry wait",
    "retry wait, held",
    "in doubt",
    "succeeded",
    "failed",
    "skipped",
    "not scheduled",
    "forced",
    "blocked",
    "`confirm`, its needs not done",
    "`confirm`, asked",
    "`confirm`, asked and held",
    "run over, succeeded",
    "run over, failed",
    "run stopped, waiting",
    "run stopped, failed",
    "run cancelled, cancelled",
    "run cancelled, failed",
    "run cancelled, in doubt",
];

/// The job `p`, which needs `q` and is needed by `s`; `other` keeps the run under way.
fn begun(state: &str) -> Night {
    let mut p = job("p", &["q"]);
    p.must_complete_by = Some(time(6, 0, 0, 0));
    if state.starts_with("retry wait") {
        p.retry.max = 1;
        p.retry.wait = Span::seconds(60);
        p.retry.on = vec![EndingKind::Exit];
    }
    if state == "not scheduled" {
        p.days = Some(rule(Days::Once(jiff::civil::date(2020, 1, 1)), 0));
    }
    if state.starts_with("`confirm`") {
        p.kind = Kind::Confirm { question: Text::en("?"), role: None };
    }
    let jobs: Vec<Job> = vec![job("q", &[]), p, job("s", &["p"]), job("other", &[])];
    Night::of(jobs)
}

fn night(state: &str) -> Night {
    let mut night = begun(state);
    let act = |night: &mut Night, action| drop(night.act(action).unwrap());
    let p = || name("p");
    if ["succeeded", "skipped", "not scheduled", "forced"].contains(&state) {
        // What follows it would run by now.
        act(&mut night, Action::Hold { job: name("s") });
    }
    match state {
        "waiting" | "`confirm`, its needs not done" => return night,
        "waiting, held" => act(&mut night, Action::Hold { job: p() }),
        "skipped" => act(&mut night, Action::Skip { job: p() }),
        "forced" => act(&mut night, Action::Force { job: p() }),
        "blocked" => drop(night.bad("q")),
        "run stopped, waiting" => {
            night.must(Event::Stop { by: li_wei(), how: StopHow::Wait });
            night.good("q");
            night.good("other");
            return night;
        }
        "run cancelled, cancelled" => {
            act(&mut night, Action::Cancel);
            night.end("q", Ending::Killed);
            night.end("other", Ending::Killed);
            return night;
        }
        _ => {}
    }
    if !matches!(state, "waiting, held" | "blocked" | "skipped" | "forced") {
        night.good("q");
    }
    match state {
        "running" => {
            let attempt = night.attempt("p");
            let at = night.now.wall;
            night.must(Event::Started { attempt, pid: 1, at });
        }
        "retry wait" | "failed" => drop(night.bad("p")),
        "retry wait, held" => {
            night.bad("p");
            act(&mut night, Action::Hold { job: p() });
        }
        "in doubt" => drop(night.end("p", Ending::Unknown { why: String::new() })),
        "succeeded" => drop(night.good("p")),
        "`confirm`, asked and held" => act(&mut night, Action::Hold { job: p() }),
        "run over, succeeded" => {
            for job in ["p", "s", "other"] {
                night.good(job);
            }
        }
        "run over, failed" => {
            night.bad("p");
            night.good("other");
        }
        "run stopped, failed" => {
            night.bad("p");
            night.must(Event::Stop { by: li_wei(), how: StopHow::Terminate });
            night.end("other", Ending::Killed);
        }
        "run cancelled, failed" => {
            night.bad("p");
            act(&mut night, Action::Cancel);
            night.end("other", Ending::Killed);
        }
        "run cancelled, in doubt" => {
            night.end("p", Ending::Unknown { why: String::new() });
            act(&mut night, Action::Cancel);
            night.end("other", Ending::Killed);
        }
        _ => {}
    }
    night
}

/// `yes`, or the rule that says no.
fn answer(state: &str, deed: Deed) -> String {
    let mut night = night(state);
    let which = if deed == Deed::Cancel { Which::Run } else { Which::Job(name("p")) };
    let (run, before) = (night.run_id(), night.core.state().clone());
    let event = Event::ActOn { run, by: li_wei(), reason: "because".to_owned(), which, deed };
    match night.step(event) {
        Ok(_) => "yes".to_owned(),
        Err(StepError::Refused(refused)) => {
            assert_eq!(*night.core.state(), before, "a refusal changes nothing");
            refused.rule.expect("a rule with a name").to_string()
        }
        Err(defect) => panic!("{state}: {defect}"),
    }
}

#[test]
fn operators_may_do_what_the_table_says() {
    let head: Vec<&str> = ACTIONS.iter().map(|(name, _)| *name).collect();
    let mut table = format!("| | {} |\n| --- |{}\n", head.join(" | "), " --- |".repeat(head.len()));
    for state in STATES {
        let cells = ACTIONS.iter().map(|(_, deed)| answer(state, deed.clone()));
        table.push_str(&format!("| {state} | {} |\n", cells.collect::<Vec<_>>().join(" | ")));
    }
    let text = include_str!("../docs/states.md");
    let (_, section) = text.split_once("\n## What operators may do\n").unwrap();
    let lines = section.lines().skip_while(|line| !line.starts_with('|'));
    let written: String =
        lines.take_while(|line| line.starts_with('|')).map(|line| format!("{line}\n")).collect();
    assert!(written == table, "src/docs/states.md has another table than this:\n{table}");
}

/// The deeds that are offered for `p`, and whether what follows it can be held.
fn offered(night: &Night) -> (Vec<Deed>, bool) {
    let offers = of_job(night.core.state(), night.run(), night.index("p"));
    let (mut own, mut hold) = (Vec::new(), false);
    for offer in offers {
        let Offer::Act { jobs: Some(jobs), action } = offer else { panic!("{offer:?}") };
        match jobs.as_str() {
            "p" => own.push(action),
            "p+" => hold |= action == Deed::Hold,
            other => panic!("{other}"),
        }
    }
    (own, hold)
}

#[test]
fn an_incident_offers_what_the_rules_allow_and_nothing_else() {
    let could_hold = ["starting", "running", "in doubt"];
    for state in STATES {
        let (own, hold) = offered(&night(state));
        for deed in [Deed::Retry, Deed::Kill, Deed::Skip, Deed::Force, Deed::Release] {
            let allowed = answer(state, deed.clone()) == "yes";
            assert_eq!(own.contains(&deed), allowed, "{state}: {deed:?} of {own:?}");
        }
        // What follows waits, and is not held with the job itself.
        assert_eq!(hold, could_hold.contains(&state), "{state}");
    }
}

#[test]
fn an_incident_offers_no_more_than_the_runbook_of_its_job() {
    let contained = |contain: Option<Vec<Containment>>| {
        let mut p = job("p", &[]);
        p.contain = contain;
        let mut night = Night::of(vec![p, job("s", &["p"])]);
        let running = offered(&night);
        night.end("p", Ending::Unknown { why: String::new() });
        (running, offered(&night))
    };
    let all = vec![Deed::Retry, Deed::Skip, Deed::Force];
    assert_eq!(contained(None), ((vec![Deed::Kill], true), (all, true)));
    let retry = Some(vec![Containment::Retry]);
    assert_eq!(contained(retry), ((Vec::new(), false), (vec![Deed::Retry], false)));
    let two = Some(vec![Containment::Hold, Containment::Skip]);
    assert_eq!(contained(two), ((Vec::new(), true), (vec![Deed::Skip], true)));
    assert_eq!(contained(Some(Vec::new())), ((Vec::new(), false), (Vec::new(), false)));
}
