//! What a restored store lacks is taken in: attempts in any order and number, and no start follows from it.

use super::fact::{Fact, LostAttempt};
use super::night::{Command, Core, Event, Turn};
use super::phase::Phase;
use super::restored::{Seen, TakeIn};
use super::test_night::{Night, boot, li_wei, local, name};
use super::test_site::job;
use crate::types::{AttemptId, Ending, Epoch, Outcome};

/// `a`, then `b`, then `c`; the store knows that `a` was started.
fn night() -> Night {
    Night::of(vec![job("a", &[]), job("b", &["a"]), job("c", &["b"])])
}

/// A supervisor of the restored store, whom no host has answered yet.
fn restored(night: &Night) -> Core {
    let mut core = Core::new(1);
    core.define("d", night.site.clone());
    for (at, fact) in &night.facts {
        core.replay(*at, fact).unwrap();
    }
    core
}

fn seen(night: &Night, job: &str, number: u32, ending: Option<Ending>) -> Seen {
    let attempt = AttemptId { run: night.run_id(), job: name(job), number };
    let ended = ending.map(|ending| {
        let mut ended = night.ended("a", ending);
        ended.attempt = attempt.clone();
        Box::new(ended)
    });
    let of = LostAttempt { attempt, host: local(), ended, marked: Vec::new() };
    Seen { of, business_date: None, trial: false }
}

fn take_in(night: &Night, core: &mut Core, seen: Vec<Seen>, other_spool: bool) -> Turn {
    let what = TakeIn {
        by: li_wei(),
        reason: "the disk was replaced".to_owned(),
        made: night.now.wall,
        epoch: Epoch(7),
        seen,
        retired: vec!["eod@2026-10-29#1".parse().unwrap()],
        other_spool,
        site: night.site.clone(),
    };
    let turn = core.step(night.now, Event::TakeIn(Box::new(what))).unwrap();
    // Who reads the journal afterwards finds the same.
    let mut again = restored(night);
    for fact in &turn.facts {
        again.replay(night.now.wall, fact).unwrap();
    }
    assert_eq!(again.state(), core.state());
    assert!(turn.commands.iter().all(|command| !matches!(command, Command::Start { .. })));
    turn
}

const WELL: Option<Ending> = Some(Ending::Exited { code: 0 });

#[test]
fn attempts_count_as_they_ended_whatever_is_missing_between_them() {
    let night = night();
    let mut core = restored(&night);
    // Of `b` the second is known and not the first; of `c` that it was begun.
    let lacking =
        vec![seen(&night, "c", 1, None), seen(&night, "b", 2, WELL), seen(&night, "a", 1, WELL)];
    let turn = take_in(&night, &mut core, lacking, false);
    let run = core.state().run(&night.run_id()).unwrap();
    let phase = |job: &str| &run.jobs[night.index(job)].phase;
    assert_eq!(phase("a").outcome(), Some(Outcome::Succeeded));
    assert_eq!(phase("b").outcome(), Some(Outcome::Succeeded));
    assert_eq!(run.jobs[night.index("b")].attempts.len(), 2);
    assert_eq!(*phase("c"), Phase::Starting);
    let lost = turn.facts.iter().find_map(|fact| match fact {
        Fact::RunLost(lost) => Some(lost),
        _ => None,
    });
    let lost = lost.unwrap();
    assert_eq!((lost.run.to_string().as_str(), lost.attempts.len()), ("eod@2026-10-29#1", 0));

    // Its host does not know `c`, in whatever boot: it is in doubt, and not given to it.
    let resume = Event::Resume { run: night.run_id(), by: li_wei(), boot: boot() };
    core.step(night.now, resume).unwrap();
    core.step(night.now, Event::HostUp { host: local(), boot: boot() }).unwrap();
    let attempt = AttemptId { run: night.run_id(), job: name("c"), number: 1 };
    let turn = core.step(night.now, Event::NotKnown { attempt }).unwrap();
    assert!(!turn.commands.iter().any(|command| matches!(command, Command::Start { .. })));
    let run = core.state().run(&night.run_id()).unwrap();
    assert!(matches!(run.jobs[night.index("c")].phase, Phase::InDoubt { .. }), "{turn:?}");
}

#[test]
fn a_run_that_was_over_goes_on_with_what_ran_since() {
    let mut night = night();
    for job in ["a", "b", "c"] {
        night.good(job);
    }
    assert!(night.run().result.is_some());
    let mut core = restored(&night);
    take_in(&night, &mut core, vec![seen(&night, "b", 2, None)], false);
    let run = core.state().run(&night.run_id()).unwrap();
    assert_eq!(run.result, None);
    assert_eq!(run.jobs[night.index("b")].phase, Phase::Starting);
    assert_eq!(run.jobs[night.index("c")].phase.outcome(), Some(Outcome::Succeeded));
}

#[test]
fn beside_another_spool_everything_that_waits_is_held() {
    let night = night();
    let mut core = restored(&night);
    take_in(&night, &mut core, Vec::new(), true);
    let run = core.state().run(&night.run_id()).unwrap();
    let held: Vec<bool> =
        ["a", "b", "c"].map(|job| run.jobs[night.index(job)].held.is_some()).to_vec();
    assert_eq!(held, [false, true, true]);
}
