//! Every cell of the table "What successors do" in `src/docs/format.md`, walked through the core.

use std::sync::Arc;

use super::fact::Action;
use super::night::Event;
use super::phase::Phase;
use super::test_night::{Night, across, li_wei, name, opened, site};
use super::test_site::{batch, job, rule};
use crate::definition::site::{Days, EndingKind, Job};
use crate::types::{Ending, Outcome, Span};

const ROWS: usize = 12;
/// Within its run nothing is left that could wait for it.
const ACROSS: &str = "was cancelled with its run";

/// The job that is needed, brought to the state that a row names.
fn night(state: &str) -> Night {
    if state == ACROSS {
        return across_runs();
    }
    let mut needed = job("p", &["q"]);
    match state {
        "has failed (not critical)" => needed.critical = false,
        "is not scheduled today" => {
            needed.days = Some(rule(Days::Once(jiff::civil::date(2020, 1, 1)), 0));
        }
        "waits for its next try" => {
            needed.retry.max = 1;
            needed.retry.wait = Span::seconds(60);
            needed.retry.on = vec![EndingKind::Exit];
        }
        _ => {}
    }
    let successors = [job("ok", &["p"]), job("ended", &["p:ended"]), job("failed", &["p:failed"])];
    let mut jobs: Vec<Job> = vec![job("q", &[]), needed];
    jobs.extend(successors);
    let mut night = Night::of(jobs);
    match state {
        "is held" => night.act(Action::Hold { job: name("p") }).unwrap(),
        "was skipped" => night.act(Action::Skip { job: name("p") }).unwrap(),
        "was forced complete" => night.act(Action::Force { job: name("p") }).unwrap(),
        _ => Default::default(),
    };
    if state == "is blocked" {
        night.bad("q")
    } else {
        night.good("q")
    };
    night
}

/// The same needs in another run, whose job was cancelled.
fn across_runs() -> Night {
    let mut made = site(vec![job("q", &[]), job("p", &["q"])]);
    let needs = ["eod.p", "eod.p:ended", "eod.p:failed"];
    let jobs = ["ok", "ended", "failed"].iter().zip(needs).map(|(name, need)| job(name, &[need]));
    let other = batch("dependent", None, jobs.collect());
    made.batches.insert(other.id.clone(), Arc::new(other));
    let mut night = Night::with(made, |_| {});
    let mut dependent = opened("dependent", night.now.wall);
    dependent.across = vec![across("eod.p")];
    night.open(dependent, Vec::new());
    let (run, by, reason) = ("eod@2026-10-30#1".parse().unwrap(), li_wei(), String::new());
    night.must(Event::Act { run, by, reason, action: Action::Cancel });
    night
}

fn bring(night: &mut Night, state: &str) {
    match state {
        "is held"
        | "is running"
        | "is not scheduled today"
        | "is blocked"
        | ACROSS
        | "was skipped"
        | "was forced complete" => {}
        "waits for its next try" | "has failed (critical)" | "has failed (not critical)" => {
            night.bad("p");
        }
        "is unknown" => {
            night.end("p", Ending::Unknown { why: "its host is gone".to_owned() });
        }
        "has ended well" => {
            night.good("p");
        }
        other => panic!("no way to bring a job to `{other}`"),
    }
}

fn what_it_does(night: &Night, job: &str) -> &'static str {
    match night.phase(job) {
        Phase::Waiting => "waits",
        Phase::Starting => "starts",
        Phase::Settled { outcome: Outcome::Blocked, .. } => "is blocked",
        Phase::Settled { outcome: Outcome::NotScheduled, .. } => "is left out",
        other => panic!("{job} is {other:?}"),
    }
}

#[test]
fn successors_do_what_the_table_says() {
    let text = include_str!("../docs/format.md");
    let (_, section) = text.split_once("\n## What successors do\n").unwrap();
    let rows: Vec<Vec<&str>> = section
        .split("\n## ")
        .next()
        .unwrap()
        .lines()
        .filter_map(|line| line.strip_prefix("| ")?.strip_suffix(" |"))
        .filter(|line| !line.starts_with("---"))
        .map(|line| line.split(" | ").collect())
        .collect();
    let (head, rows) = rows.split_first().unwrap();
    assert_eq!(head[1..], ["`job`", "`job:ended`", "`job:failed`"]);
    assert_eq!(rows.len(), ROWS);
    for row in rows {
        let mut night = night(row[0]);
        bring(&mut night, row[0]);
        for (job, wanted) in ["ok", "ended", "failed"].iter().zip(&row[1..]) {
            let found = what_it_does(&night, job);
            assert_eq!(found, *wanted, "the job that is needed {}, need {job}", row[0]);
        }
    }
}
