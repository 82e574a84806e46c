use super::fact::{Action, Fact, RunResult, StopHow};
use super::night::{Command, Event};
use super::phase::Phase;
use super::test_night::{Night, boot, li_wei, local, name};
use super::test_site::job;
use crate::types::{Ending, Outcome};

fn two() -> Night {
    Night::of(vec![job("a", &[]), job("b", &["a"])])
}

#[test]
fn after_a_stop_nothing_starts_and_what_runs_may_end() {
    let mut night = two();
    night.started();
    night.must(Event::Stop { by: li_wei(), how: StopHow::Wait });
    assert_eq!(night.run().result, None);
    night.good("a");
    assert!(night.started().is_empty());
    assert_eq!(night.run().result, Some(RunResult::Stopped));
    let refused = night.act(Action::Skip { job: name("b") }).unwrap_err();
    assert!(refused.to_string().contains("resume"), "{refused}");
    night.restart(&boot());
    night.must(Event::HostUp { host: local(), boot: boot() });
    assert_eq!(night.started(), ["b/1"]);
    night.good("b");
    assert_eq!(night.run().result, Some(RunResult::Well));
}

#[test]
fn a_stop_with_nothing_running_ends_the_run() {
    let mut night = two();
    night.act(Action::Hold { job: name("b") }).unwrap();
    night.good("a");
    let turn = night.must(Event::Stop { by: li_wei(), how: StopHow::Wait });
    assert!(turn.facts.iter().any(|fact| matches!(fact, Fact::RunEnded { .. })));
    assert_eq!(night.run().result, Some(RunResult::Stopped));
}

#[test]
fn what_a_stop_terminates_takes_its_turn_again_without_losing_a_try() {
    for (how, at_once) in [(StopHow::Terminate, false), (StopHow::Kill, true)] {
        let mut night = two();
        let attempt = night.attempt("a");
        let turn = night.must(Event::Stop { by: li_wei(), how });
        assert_eq!(turn.commands, [Command::Kill { attempt, now: at_once }]);
        night.end("a", Ending::Killed);
        assert!(matches!(night.phase("a"), Phase::RetryWait { .. }));
        assert_eq!(night.run().jobs[0].tries, 0);
        assert_eq!(night.run().result, Some(RunResult::Stopped));
        night.started();
        night.restart(&boot());
        night.must(Event::HostUp { host: local(), boot: boot() });
        assert_eq!(night.started(), ["a/2"]);
    }
}

#[test]
fn a_job_that_a_person_kills_has_failed() {
    let mut night = two();
    let attempt = night.attempt("a");
    let turn = night.act(Action::Kill { job: name("a") }).unwrap();
    assert_eq!(turn.commands, [Command::Kill { attempt, now: false }]);
    night.end("a", Ending::Killed);
    assert_eq!(night.outcome("a"), Some(Outcome::Failed));
    assert_eq!(night.outcome("b"), Some(Outcome::Blocked));
}

#[test]
fn a_rerun_from_a_job_keeps_what_was_done_before_it() {
    let mut night = Night::of(vec![job("a", &[]), job("b", &["a"]), job("c", &["b"])]);
    for job in ["a", "b", "c"] {
        night.good(job);
    }
    night.started();
    let (run, by) = (night.run_id(), night.run().opened.by.clone());
    let reason = "late entry".to_owned();
    night.must(Event::Rerun { run, jobs: vec![name("b"), name("c")], by, reason });
    assert_eq!(night.started(), ["b/2"]);
    assert_eq!(night.outcome("a"), Some(Outcome::Succeeded));
    night.good("b");
    assert_eq!(night.started(), ["c/2"]);
    night.good("c");
    assert_eq!(night.run().result, Some(RunResult::Well));
}

#[test]
fn an_attempt_that_never_began_is_not_started_for_a_stop_that_would_end_it() {
    let mut night = two();
    night.started();
    night.must(Event::Stop { by: li_wei(), how: StopHow::Terminate });
    let attempt = night.attempt("a");
    night.must(Event::NotKnown { attempt });
    assert!(night.started().is_empty());
    assert_eq!(night.run().result, Some(RunResult::Stopped));
}

#[test]
fn the_order_to_end_an_attempt_is_said_again_to_a_host_that_was_away() {
    let up = || Event::HostUp { host: local(), boot: boot() };
    let mut night = two();
    let attempt = night.attempt("a");
    night.must(Event::HostAway { host: local() });
    night.pass(1);
    night.act(Action::Kill { job: name("a") }).unwrap();
    let again = Command::Kill { attempt: attempt.clone(), now: false };
    assert!(night.must(up()).commands.contains(&again));
    night.restart(&boot());
    assert!(night.must(up()).commands.contains(&again));
    night.started();
    night.must(Event::NotKnown { attempt });
    assert!(night.started().is_empty());
    assert_eq!(night.outcome("a"), Some(Outcome::Failed));

    let mut night = two();
    let attempt = night.attempt("a");
    night.must(Event::HostAway { host: local() });
    night.must(Event::Stop { by: li_wei(), how: StopHow::Kill });
    let again = Command::Kill { attempt, now: true };
    assert!(night.must(up()).commands.contains(&again));
}

#[test]
fn a_host_that_comes_and_goes_does_not_put_deadlines_off() {
    let mut slow = job("a", &[]);
    slow.must_complete_by = Some(jiff::civil::time(21, 31, 0, 0));
    let mut night = Night::of(vec![slow]);
    night.restart(&boot());
    for _ in 0..5 {
        night.pass(30);
        night.must(Event::HostUp { host: local(), boot: boot() });
        night.must(Event::HostAway { host: local() });
    }
    assert_eq!(night.run().missed.len(), 1);
}
