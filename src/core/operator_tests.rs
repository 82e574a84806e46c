//! Operators' actions on more than one job, on the whole run, and on the whole site.

use std::collections::BTreeMap;
use std::time::Duration;

use jiff::civil::time;

use super::fact::{Action, Deadline, Fact, RunResult};
use super::night::{Event, StepError, Turn};
use super::phase::Phase;
use super::refused::Rule;
use super::select::{Deed, Which};
use super::test_night::{Night, boot, li_wei, name, opened, site};
use super::test_site::job;
use crate::definition::site::{EndingKind, Freeze, FreezeScope, Job, TwoPeople};
use crate::types::{Ending, FreezeId, Outcome, PersonId, PoolName, RequestId, Text};

fn all(night: &mut Night, which: Which, deed: Deed) -> Result<Turn, StepError> {
    let run = night.run_id();
    night.step(Event::ActOn { run, by: li_wei(), reason: "because".to_owned(), which, deed })
}

fn rule(result: Result<Turn, StepError>) -> Rule {
    match result {
        Err(StepError::Refused(refused)) => refused.rule.unwrap(),
        other => panic!("not refused: {other:?}"),
    }
}

fn left(turn: &Turn) -> Vec<(String, Rule)> {
    let one = |(action, refused): &(Action, super::refused::Refused)| {
        (action.job().unwrap().to_string(), refused.rule.unwrap())
    };
    turn.left.iter().map(one).collect()
}

fn acted(turn: &Turn) -> Vec<String> {
    let acted = turn.facts.iter().filter_map(|fact| match fact {
        Fact::Acted { action, .. } => Some(action.job()?.to_string()),
        _ => None,
    });
    acted.collect()
}

fn loads() -> Vec<Job> {
    vec![
        job("load-a", &[]),
        job("load-b", &[]),
        job("load-c", &["load-a"]),
        job("close", &["load-c", "load-b"]),
    ]
}

#[test]
fn of_a_pattern_it_is_done_where_it_is_allowed_and_the_rest_is_named() {
    let mut night = Night::of(loads());
    let turn = all(&mut night, Which::Like("load-*".into()), Deed::Hold).unwrap();
    assert_eq!(acted(&turn), ["load-c"]);
    assert_eq!(left(&turn), [("load-a".into(), Rule::InFlight), ("load-b".into(), Rule::InFlight)]);
    // Nothing of it is left that could be held.
    let before = night.core.state().clone();
    let refused = all(&mut night, Which::Like("load-*".into()), Deed::Hold);
    assert_eq!(rule(refused), Rule::InFlight);
    assert_eq!(*night.core.state(), before);
}

#[test]
fn a_subtree_is_a_job_with_all_that_follows_it() {
    let mut night = Night::of(loads());
    let turn = all(&mut night, Which::Subtree(name("load-c")), Deed::Skip).unwrap();
    assert_eq!(acted(&turn), ["load-c", "close"]);
    night.good("load-a");
    night.good("load-b");
    assert_eq!(night.run().result, Some(RunResult::Well));
}

#[test]
fn a_cancelled_run_starts_nothing_and_ends_what_runs() {
    let mut jobs = loads();
    jobs[1].retry.max = 3;
    jobs[1].retry.on = vec![EndingKind::Exit];
    let mut night = Night::of(jobs);
    night.commands.clear();
    all(&mut night, Which::Run, Deed::Cancel).unwrap();
    let kills = night.commands.iter().filter(|c| matches!(c, super::night::Command::Kill { .. }));
    assert_eq!(kills.count(), 2);
    assert_eq!(night.outcome("load-c"), Some(Outcome::Cancelled));
    assert_eq!(night.outcome("close"), Some(Outcome::Cancelled));
    assert_eq!(night.run().result, None);
    // What ended well in spite of it has ended well; a failure is not tried again, and nobody is called for it.
    night.good("load-a");
    night.bad("load-b");
    assert_eq!(night.run().result, Some(RunResult::Cancelled));
    assert_eq!(night.started(), [""; 0]);
    assert!(night.core.state().incidents.is_empty());
    assert_eq!(rule(all(&mut night, Which::Job(name("load-b")), Deed::Retry)), Rule::RunCancelled);
    assert_eq!(rule(all(&mut night, Which::Run, Deed::Cancel)), Rule::RunCancelled);
}

#[test]
fn a_cancelled_run_stays_so_after_a_restart_and_kills_again() {
    let mut night = Night::of(loads());
    all(&mut night, Which::Run, Deed::Cancel).unwrap();
    night.restart(&boot());
    let attempt = night.attempt("load-a");
    assert_eq!(night.run().to_be_killed(&attempt), Some(false));
    night.must(Event::HostUp { host: super::test_night::local(), boot: boot() });
    night.end("load-a", Ending::Killed);
    night.end("load-b", Ending::Killed);
    assert_eq!(night.run().result, Some(RunResult::Cancelled));
}

#[test]
fn a_rerun_that_is_under_way_is_not_begun_twice() {
    let mut night = Night::of(loads());
    for job in ["load-a", "load-b", "load-c", "close"] {
        night.good(job);
    }
    assert_eq!(night.run().result, Some(RunResult::Well));
    night.started();
    let rerun = |night: &mut Night| all(night, Which::Job(name("load-c")), Deed::Rerun);
    rerun(&mut night).unwrap();
    assert_eq!(night.started(), ["load-c/2"]);
    assert_eq!(rule(rerun(&mut night)), Rule::RerunUnderWay);
    night.good("load-c");
    assert_eq!(rule(rerun(&mut night)), Rule::RerunUnderWay, "what follows it is under way");
    night.good("close");
    assert_eq!(night.run().result, Some(RunResult::Well));
    assert_eq!(night.run().jobs[night.index("load-a")].attempts.len(), 1, "done stays done");
    rerun(&mut night).unwrap();
}

#[test]
fn a_higher_priority_takes_the_place_that_is_free_next() {
    let mut made = site(vec![job("a", &[]), job("b", &[]), job("c", &[])]);
    made.hosts.values_mut().for_each(|host| host.max_running = 1);
    let mut night = Night::with(made, |_| {});
    assert_eq!(night.started(), ["a/1"]);
    all(&mut night, Which::Job(name("c")), Deed::Priority { priority: 1 }).unwrap();
    let again = all(&mut night, Which::Job(name("c")), Deed::Priority { priority: 1 });
    assert_eq!(rule(again), Rule::NoChange);
    night.good("a");
    assert_eq!(night.started(), ["c/1"]);
    all(&mut night, Which::Job(name("b")), Deed::Priority { priority: -1 }).unwrap();
    night.good("c");
    assert_eq!(night.started(), ["b/1"]);
}

#[test]
fn a_moved_deadline_is_judged_by_its_new_time_and_what_was_missed_stays() {
    let mut slow = job("a", &[]);
    slow.must_complete_by = Some(time(22, 0, 0, 0));
    let mut night = Night::of(vec![slow]);
    night.pass(1_800);
    let missed =
        |night: &Night| night.run().missed.iter().map(|m| m.due.to_string()).collect::<Vec<_>>();
    assert_eq!(missed(&night), ["2026-10-30T22:00:00Z"]);
    let to = |hour| Deed::Deadline { deadline: Deadline::MustCompleteBy, to: time(hour, 0, 0, 0) };
    let a = || Which::Job(name("a"));
    assert_eq!(rule(all(&mut night, a(), to(22))), Rule::NoChange);
    assert_eq!(rule(all(&mut night, Which::Run, to(23))), Rule::NoSuchThing);
    all(&mut night, a(), to(23)).unwrap();
    let from = night.run().acts.last().map(|act| act.action.clone());
    let (deadline, to_time) = (Deadline::MustCompleteBy, time(23, 0, 0, 0));
    let moved = Action::Deadline {
        job: Some(name("a")),
        deadline,
        from: Some(time(22, 0, 0, 0)),
        to: to_time,
    };
    assert_eq!(from, Some(moved));
    assert_eq!(rule(all(&mut night, a(), to(22))), Rule::Past);
    night.pass(3_599);
    assert_eq!(missed(&night).len(), 1);
    night.pass(1);
    assert_eq!(missed(&night), ["2026-10-30T22:00:00Z", "2026-10-30T23:00:00Z"]);
    night.restart(&boot());
}

fn pool() -> PoolName {
    PoolName::new("one").unwrap()
}

fn size(night: &mut Night, size: u32, minutes: u64) -> Result<Turn, StepError> {
    let until = night.now.wall + Duration::from_secs(60 * minutes);
    let (by, reason) = (li_wei(), "slow disks".to_owned());
    night.step(Event::SizePool { pool: pool(), size, until, by, reason })
}

#[test]
fn a_pool_has_another_size_until_its_time_is_over() {
    let jobs = ["a", "b", "c", "d"].map(|name| {
        let pools = BTreeMap::from([(pool(), 1)]);
        Job { pools, ..job(name, &[]) }
    });
    let mut made = site(jobs.to_vec());
    made.pools.insert(pool(), 1);
    let mut night = Night::with(made, |_| {});
    assert_eq!(night.started(), ["a/1"]);
    assert_eq!(rule(size(&mut night, 1, 60)), Rule::NoChange);
    size(&mut night, 3, 60).unwrap();
    assert_eq!(night.started(), ["b/1", "c/1"]);
    // Smaller than what is in use: what runs goes on, nothing starts.
    size(&mut night, 0, 60).unwrap();
    for job in ["a", "b", "c"] {
        night.good(job);
    }
    assert_eq!(night.started(), [""; 0]);
    night.restart(&boot());
    night.must(Event::HostUp { host: super::test_night::local(), boot: boot() });
    assert_eq!(night.core.next_wake().wall, Some(night.now.wall + Duration::from_secs(3_600)));
    night.pass(3_600);
    assert_eq!(night.started(), ["d/1"]);
    assert!(night.core.state().standing.pools.is_empty());
}

fn freeze(night: &mut Night, from: u64, to: u64, scope: FreezeScope) -> Result<Turn, StepError> {
    let at = |minutes| night.now.wall + Duration::from_secs(60 * minutes);
    let (reason, from, to) = (Text::en("release"), at(from), at(to));
    let what = Box::new(Freeze { reason, from, to, scope });
    let two_lift = night.site.takes_two(TwoPeople::Unfreeze);
    night.step(Event::Freeze { by: li_wei(), what, two_lift })
}

fn lift(night: &mut Night) -> Result<Turn, StepError> {
    let (by, reason) = (li_wei(), "done".to_owned());
    night.step(Event::Unfreeze { freeze: FreezeId(1), by, reason })
}

#[test]
fn an_ordered_freeze_keeps_jobs_until_it_is_lifted_and_holds_survive_it() {
    let mut night = Night::of(loads());
    all(&mut night, Which::Job(name("close")), Deed::Hold).unwrap();
    freeze(&mut night, 0, 60, FreezeScope::default()).unwrap();
    night.good("load-a");
    night.good("load-b");
    night.started();
    let (run, index) = (night.run_id(), night.index("load-c"));
    let why = night.core.obstacles(&run, index, night.now).unwrap();
    let said = format!("{why:?}");
    assert!(said.contains("Frozen") && said.contains("li-wei"), "{said}");
    night.restart(&boot());
    night.must(Event::HostUp { host: super::test_night::local(), boot: boot() });
    assert_eq!(night.started(), [""; 0]);
    lift(&mut night).unwrap();
    assert_eq!(night.started(), ["load-c/1"]);
    assert_eq!(rule(lift(&mut night)), Rule::NoSuchThing);
    night.good("load-c");
    assert_eq!(night.phase("close"), &Phase::Waiting);
    assert!(night.run().jobs[night.index("close")].held.is_some());
}

#[test]
fn a_freeze_ends_by_itself_and_stops_only_what_it_names() {
    let mut night = Night::of(vec![job("a", &[]), job("b", &["a"])]);
    let other = FreezeScope { batches: vec!["other".parse().unwrap()], ..Default::default() };
    freeze(&mut night, 0, 60, other).unwrap();
    let own = FreezeScope { batches: vec!["eod".parse().unwrap()], ..Default::default() };
    freeze(&mut night, 1, 30, own).unwrap();
    night.pass(120);
    night.good("a");
    assert_eq!(night.started(), ["a/1"]);
    night.pass(29 * 60);
    assert_eq!(night.started(), ["b/1"]);
}

#[test]
fn a_freeze_that_is_over_or_ends_before_it_begins_is_refused() {
    let mut night = Night::of(vec![job("a", &[])]);
    assert_eq!(rule(freeze(&mut night, 60, 60, FreezeScope::default())), Rule::Past);
    night.pass(7_200);
    let (by, wall) = (li_wei(), night.now.wall);
    let hour = Duration::from_secs(3_600);
    let what = Freeze {
        reason: Text::en("late"),
        from: wall - hour,
        to: wall,
        scope: FreezeScope::default(),
    };
    let over = night.step(Event::Freeze { by, what: Box::new(what), two_lift: false });
    assert_eq!(rule(over), Rule::Past);
}

fn two(actions: &[TwoPeople]) -> Night {
    let mut made = site(loads());
    made.second_person = actions.to_vec();
    Night::with(made, |_| {})
}

fn second(night: &mut Night, by: &str, known: bool) -> Result<Turn, StepError> {
    let (by, reason) = (PersonId::new(by).unwrap(), "I looked".to_owned());
    night.step(Event::Second { request: RequestId(1), by, known, reason })
}

#[test]
fn an_action_that_takes_two_waits_for_another_person() {
    let mut night = two(&[TwoPeople::Force]);
    all(&mut night, Which::Job(name("close")), Deed::Force).unwrap();
    assert_eq!(night.phase("close"), &Phase::Waiting);
    let again = all(&mut night, Which::Job(name("close")), Deed::Force);
    assert_eq!(rule(again), Rule::NoChange, "pressed twice it asks once");
    assert_eq!(rule(second(&mut night, "li-wei", true)), Rule::SecondPerson);
    assert_eq!(rule(second(&mut night, "unix-mallory", false)), Rule::UnknownPerson);
    night.restart(&boot());
    second(&mut night, "zhang-min", true).unwrap();
    assert_eq!(night.outcome("close"), Some(Outcome::Forced));
    let act = night.run().acts.last().unwrap();
    assert_eq!((act.by.as_str(), act.second.as_ref().unwrap().as_str()), ("li-wei", "zhang-min"));
    assert_eq!(rule(second(&mut night, "zhang-min", true)), Rule::NoSuchThing);
    // Another action takes one.
    all(&mut night, Which::Job(name("load-c")), Deed::Skip).unwrap();
    assert_eq!(night.outcome("load-c"), Some(Outcome::Skipped));
}

#[test]
fn a_request_expires_and_is_refused_when_it_is_no_longer_allowed() {
    let mut night = two(&[TwoPeople::Force]);
    all(&mut night, Which::Job(name("close")), Deed::Force).unwrap();
    night.pass(30 * 60);
    assert_eq!(rule(second(&mut night, "zhang-min", true)), Rule::Past);
    all(&mut night, Which::Job(name("load-c")), Deed::Force).unwrap();
    night.good("load-a");
    let (by, reason) = (PersonId::new("zhang-min").unwrap(), "yes".to_owned());
    let late = night.step(Event::Second { request: RequestId(2), by, known: true, reason });
    assert_eq!(rule(late), Rule::InFlight);
}

#[test]
fn lifting_a_freeze_takes_two_where_the_site_says_so() {
    let mut night = two(&[TwoPeople::Unfreeze]);
    freeze(&mut night, 0, 60, FreezeScope::default()).unwrap();
    lift(&mut night).unwrap();
    assert_eq!(night.core.state().standing.freezes.len(), 1);
    second(&mut night, "zhang-min", true).unwrap();
    assert!(night.core.state().standing.freezes.is_empty());
}

#[test]
fn a_window_override_takes_two_where_the_site_says_so() {
    let mut made = site(loads());
    made.second_person = vec![TwoPeople::WindowOverride];
    let mut night = Night::new(made);
    let mut order = opened("eod", night.now.wall);
    order.window_override = Some("agreed".to_owned());
    let open = |night: &mut Night, opened| {
        night.step(Event::Open { opened: Box::new(opened), across: Vec::new() })
    };
    assert_eq!(rule(open(&mut night, order.clone())), Rule::SecondPerson);
    order.second = PersonId::new("zhang-min").ok();
    open(&mut night, order).unwrap();
}

#[test]
fn what_would_come_of_it_changes_nothing() {
    let mut night = Night::of(loads());
    night.bad("load-a");
    let before = night.core.state().clone();
    let (run, which) = (night.run_id(), Which::Job(name("load-a")));
    let event =
        Event::ActOn { run, by: li_wei(), reason: "because".into(), which, deed: Deed::Retry };
    let (as_if, turn) = night.core.would(night.now, event).unwrap();
    assert!(turn.facts.iter().any(|fact| matches!(fact, Fact::AttemptIntended { .. })));
    assert_ne!(*as_if.state(), before);
    assert_eq!(*night.core.state(), before);
}
