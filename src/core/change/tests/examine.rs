//! When a change in doubt is looked at, and what its job does with the answer.

use crate::core::fact::{Action, Fact, RunResult};
use crate::core::night::Event;
use crate::core::phase::Phase;
use crate::core::test_night::{Night, boot, li_wei, local, name, site};
use crate::core::test_site::job;
use crate::definition::site::{EndingKind, Freeze, FreezeScope, Job, Kind};
use crate::types::{ChangeId, Ending, Outcome, Span, Text};
use crate::wire::{ChangeState, ChangeWork, Work};

fn change() -> Job {
    let mut change = job("a", &[]);
    change.kind = Kind::Change { change: ChangeId::new("fee").unwrap(), environment: None };
    change
}

fn lost() -> Ending {
    Ending::Lost { why: "its shim died".to_owned() }
}

/// A night whose change was lost, in a freeze that began meanwhile.
fn night(change: Job) -> Night {
    let mut site = site(vec![change, job("b", &["a"])]);
    site.freezes.push(Freeze {
        reason: Text::en("Year end"),
        from: "2026-10-30T22:00:00Z".parse().unwrap(),
        to: "2026-10-31T22:00:00Z".parse().unwrap(),
        scope: FreezeScope::default(),
    });
    let mut night = Night::with(site, |_| {});
    assert_eq!(night.started(), ["a/1"]);
    night.pass(3_600);
    night.end("a", lost());
    night
}

/// The look ends so.
fn says(night: &mut Night, state: ChangeState, unread: bool) {
    let code = i32::from(state != ChangeState::Done);
    let mut ended = night.ended("a", Ending::Exited { code });
    ended.work = Some(Work::Change(ChangeWork {
        rows: 1,
        backup_rows: 1,
        why: Some("as it was found".to_owned()),
        unread,
        ..ChangeWork::none(state)
    }));
    night.must(Event::Ended(Box::new(ended)));
}

fn incidents(night: &Night) -> (usize, usize) {
    let count = |of: fn(&Fact) -> bool| night.facts.iter().filter(|(_, fact)| of(fact)).count();
    (
        count(|fact| matches!(fact, Fact::IncidentOpened { .. })),
        count(|fact| matches!(fact, Fact::IncidentClosed { .. })),
    )
}

#[test]
fn a_lost_change_is_looked_at_at_once_whatever_is_frozen() {
    let mut night = night(change());
    assert_eq!(night.started(), ["a/2"]);
    let state = &night.run().jobs[0];
    assert!(state.is_examined() && state.tries == 1, "{state:?}");
    says(&mut night, ChangeState::Done, false);
    assert_eq!(night.outcome("a"), Some(Outcome::Succeeded));
    assert_eq!(incidents(&night), (1, 1));
}

#[test]
fn what_is_proven_clean_has_failed_unless_its_file_lets_it_try_again() {
    let mut first = night(change());
    says(&mut first, ChangeState::FailedClean, false);
    assert_eq!(first.outcome("a"), Some(Outcome::Failed));
    assert_eq!((first.run().result, incidents(&first)), (Some(RunResult::Failed), (1, 0)));
    for (on, again) in [(EndingKind::Lost, true), (EndingKind::Exit, false)] {
        let mut change = change();
        (change.retry.max, change.retry.on) = (1, vec![on]);
        change.retry.wait = Span::seconds(10);
        let mut night = night(change);
        says(&mut night, ChangeState::FailedClean, false);
        assert_eq!(matches!(night.phase("a"), Phase::RetryWait { .. }), again, "{on:?}");
    }
}

#[test]
fn a_target_that_cannot_be_asked_is_asked_again_each_minute_and_later_less_often() {
    let mut night = night(change());
    night.started();
    for look in 2..=10 {
        says(&mut night, ChangeState::InDoubt, true);
        night.pass(59);
        assert!(night.started().is_empty(), "look {look}");
        assert_eq!(night.run().result, None);
        night.pass(1);
        assert_eq!(night.started(), [format!("a/{}", look + 1)]);
    }
    // A look whose worker dies says as little.
    night.end("a", lost());
    night.pass(599);
    assert!(night.started().is_empty());
    night.pass(1);
    assert_eq!(night.started(), ["a/12"]);
    assert_eq!(incidents(&night), (1, 0));
    // What it says and does not settle anything is not asked again: people are.
    says(&mut night, ChangeState::InDoubt, false);
    assert_eq!(night.run().result, Some(RunResult::Failed));
    night.pass(3_600);
    assert!(night.started().is_empty());
    assert!(matches!(night.phase("a"), Phase::InDoubt { why } if why.contains("as it was found")));
}

#[test]
fn the_next_supervisor_looks_as_well() {
    let mut night = night(change());
    says(&mut night, ChangeState::InDoubt, true);
    night.started();
    night.pass(30);
    night.restart(&boot());
    night.must(Event::HostUp { host: local(), boot: boot() });
    assert!(night.started().is_empty());
    night.pass(30);
    assert_eq!(night.started(), ["a/3"]);
}

/// Its target has it; that the attempt of a rerun could not start takes nothing away.
#[test]
fn what_was_done_is_looked_at_where_a_rerun_never_began() {
    let mut night = Night::of(vec![change()]);
    night.end("a", lost());
    says(&mut night, ChangeState::Done, false);
    assert_eq!(night.outcome("a"), Some(Outcome::Succeeded));
    let (run, jobs) = (night.run().id().clone(), vec![name("a")]);
    let (by, reason) = (li_wei(), "again".to_owned());
    night.must(Event::Rerun { run, jobs, by, reason });
    let mut ended = night.ended("a", Ending::CouldNotStart { why: "no such user".to_owned() });
    ended.started = None;
    night.started();
    night.must(Event::Ended(Box::new(ended)));
    assert_eq!(night.started(), ["a/4"]);
    says(&mut night, ChangeState::Done, false);
    assert_eq!(night.outcome("a"), Some(Outcome::Succeeded));
}

#[test]
fn an_attempt_that_never_began_leaves_the_doubt_before_it() {
    let mut night = Night::of(vec![change()]);
    night.end("a", lost());
    says(&mut night, ChangeState::InDoubt, false);
    night.act(Action::Retry { job: name("a") }).unwrap();
    assert!(!night.run().jobs[0].is_examined());
    let mut ended = night.ended("a", Ending::CouldNotStart { why: "no such user".to_owned() });
    ended.started = None;
    night.started();
    night.must(Event::Ended(Box::new(ended)));
    assert_eq!(night.started(), ["a/4"]);
    assert!(night.run().jobs[0].is_examined(), "and not failed, as if nothing had been applied");
}
