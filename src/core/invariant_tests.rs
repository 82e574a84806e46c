use jiff::civil::{date, time};

use super::super::fact::Action;
use super::super::fact::StopHow;
use super::super::gate::Resource;
use super::super::hand_over;
use super::super::night::{Event, StepError};
use super::super::state::Unfit;
use super::super::test_night::{Night, across, boot, li_wei, local, name, site};
use super::super::test_site::{job, rule};
use super::*;
use crate::definition::site::Site;
use crate::definition::site::{DayRule, Days, Freeze, FreezeScope, Opening, Window};
use crate::types::{BusinessDate, Ending, PoolName, Span, Text, WindowClass, Zone};

/// What the watch says to a fact that nobody decided.
fn verdict(night: &Night, fact: &Fact) -> Result<(), String> {
    let core = &night.core;
    let around = Around {
        state: &core.state,
        rules: &core.rules,
        hosts: &core.hosts,
        now: night.now,
        people_assumed: false,
    };
    Watch::of(&core.state).check(around, fact).map_err(|broken| broken.to_string())
}

fn intended(night: &Night, job: &str, number: u32) -> Fact {
    let attempt = AttemptId { run: night.run_id(), job: name(job), number };
    Fact::AttemptIntended { attempt, host: local(), boot: boot(), examine: false }
}

fn refused(night: &Night, fact: &Fact, why: &str) {
    let said = verdict(night, fact).unwrap_err();
    assert!(said.contains(why), "{said}");
}

fn start_refused(night: &Night, job: &str, number: u32, why: &str) {
    refused(night, &intended(night, job, number), why);
}

/// A night whose only host is away, so that its first job waits and could start.
fn waiting(site: Site) -> Night {
    let mut night = Night::new(site);
    night.must(Event::HostAway { host: local() });
    let opened = super::super::test_night::opened("eod", night.now.wall);
    night.open(opened, Vec::new());
    night.core.hosts.insert(local(), boot());
    night
}

#[test]
fn what_may_start_is_let_through() {
    let night = waiting(site(vec![job("a", &[])]));
    assert_eq!(verdict(&night, &intended(&night, "a", 1)), Ok(()));
}

#[test]
fn an_attempt_has_the_next_number_and_none_before_it_is_open() {
    let mut night = Night::of(vec![job("a", &[])]);
    start_refused(&night, "a", 1, "its number is not the next one");
    start_refused(&night, "a", 3, "its number is not the next one");
    start_refused(&night, "a", 2, "the attempt before it has not ended");
    night.bad("a");
    start_refused(&night, "a", 2, "the job does not wait");
    start_refused(&night, "z", 1, "there is no such job");
}

#[test]
fn needs_holds_stops_and_orders_are_heeded() {
    let mut night = waiting(site(vec![job("a", &[]), job("b", &["a"]), job("c", &["rep.x"])]));
    start_refused(&night, "b", 1, "its needs are not fulfilled: Wait");
    let run = night.run_id();
    night.core.state.runs.get_mut(&run).unwrap().opened.across = vec![across("rep.x")];
    start_refused(&night, "c", 1, "its needs are not fulfilled: Wait");
    night.core.state.runs.get_mut(&run).unwrap().jobs[0].asked = false;
    start_refused(&night, "a", 1, "nobody asked for it");
    night.core.state.runs.get_mut(&run).unwrap().jobs[0].asked = true;
    night.core.hosts.clear();
    start_refused(&night, "a", 1, "local is not reached in this boot");
    night.act(Action::Hold { job: name("a") }).unwrap();
    night.core.hosts.insert(local(), boot());
    start_refused(&night, "a", 1, "it is held");
    night.must(Event::Stop { by: li_wei(), how: StopHow::Wait });
    start_refused(&night, "a", 1, "its run is being stopped");
    night.core.state.runs.get_mut(&run).unwrap().stopping = None;
    start_refused(&night, "a", 1, "its run is over: Stopped");
}

#[test]
fn windows_freezes_and_what_fits_are_heeded() {
    let class = WindowClass::new("night").unwrap();
    let opening = Opening {
        days: rule(Days::EveryDay, 0),
        from: time(21, 0, 0, 0),
        to: time(22, 0, 0, 0),
        zone: Zone::utc(),
        only_while: None,
    };
    let mut one = job("a", &[]);
    one.window = Some(class.clone());
    one.expected = Some(Span::seconds(1200));
    let mut site = site(vec![one]);
    site.windows.insert(class, Window { title: Text::en("Night"), open: vec![opening] });
    // At 21:30 half an hour is left, and half an hour is wanted.
    let mut night = waiting(site.clone());
    assert_eq!(verdict(&night, &intended(&night, "a", 1)), Ok(()));
    night.now.wall += std::time::Duration::from_secs(1);
    start_refused(&night, "a", 1, "its window closes");
    night.now.wall += std::time::Duration::from_secs(1800);
    start_refused(&night, "a", 1, "its window `night` is closed");
    let scope = FreezeScope::default();
    let (from, to) = (night.now.wall, night.now.wall + std::time::Duration::from_secs(60));
    site.freezes.push(Freeze { reason: Text::en("Sealed"), from, to, scope });
    let mut frozen = waiting(site);
    frozen.now.wall = night.now.wall;
    let run = frozen.run_id();
    let overridden = Some("urgent".to_owned());
    frozen.core.state.runs.get_mut(&run).unwrap().opened.window_override = overridden;
    start_refused(&frozen, "a", 1, "it is frozen until");
}

#[test]
fn a_day_that_the_calendar_leaves_out_or_does_not_know_is_no_day() {
    let on = |days: DayRule| {
        let mut one = job("a", &[]);
        one.days = Some(days);
        let mut night = waiting(site(vec![job("first", &[])]));
        let mut other = waiting(site(vec![one]));
        std::mem::swap(&mut night.now, &mut other.now);
        // Left out, the core has settled it already: as if it had not.
        let run = other.run_id();
        let run = other.core.state.runs.get_mut(&run).unwrap();
        run.jobs[0].phase = Phase::Waiting;
        run.result = None;
        other
    };
    let not_today = on(rule(Days::Once(date(2026, 10, 31)), 0));
    start_refused(&not_today, "a", 1, "it takes no part on that day");
    let unknown = on(rule(Days::EveryBusinessDay, 0));
    start_refused(&unknown, "a", 1, "it is not known whether it is its day");
    let today = on(rule(Days::Once(date(2026, 10, 30)), 0));
    assert_eq!(verdict(&today, &intended(&today, "a", 1)), Ok(()));
}

#[test]
fn nothing_is_used_beyond_its_size_whatever_the_books_say() {
    let pool = PoolName::new("ledger").unwrap();
    let mut jobs = vec![job("a", &[]), job("b", &[])];
    for job in &mut jobs {
        job.pools.insert(pool.clone(), 2);
    }
    let mut site = site(jobs);
    site.pools.insert(pool, 3);
    let mut night = Night::with(site, |_| {});
    assert_eq!(night.started(), ["a/1"]);
    start_refused(&night, "b", 1, "2 of the 3 units");
    // In doubt it still has them, and its host's place too.
    night.end("a", Ending::Unknown { why: "?".to_owned() });
    assert!(night.started().is_empty());
    let run = night.run_id();
    night.core.state.runs.get_mut(&run).unwrap().result = None;
    start_refused(&night, "b", 1, "2 of the 3 units");
}

/// A retry holds its units once, and what ended holds none, however often it was asked after.
#[test]
fn units_are_counted_once_through_many_attempts() {
    let pool = PoolName::new("ledger").unwrap();
    let mut jobs = vec![job("a", &[]), job("b", &[])];
    for job in &mut jobs {
        job.pools.insert(pool.clone(), 1);
        job.retry.max = 5;
        job.retry.on = vec![crate::definition::site::EndingKind::Exit];
    }
    let mut site = site(jobs);
    site.pools.insert(pool, 2);
    let mut night = Night::with(site, |_| {});
    for _ in 0..5 {
        night.bad("a");
        night.pass(1);
    }
    night.bad("b");
    night.pass(1);
    assert_eq!(night.started().len(), 2 + 5 + 1);
}

#[test]
fn old_news_moves_nothing() {
    let mut night = Night::of(vec![job("a", &[])]);
    let id = night.attempt("a");
    let (pid, at) = (1, night.now.wall);
    night.must(Event::Started { attempt: id.clone(), pid, at });
    refused(&night, &Fact::AttemptStarted { attempt: id.clone(), pid, at }, "its job is Running");
    let later = AttemptId { number: 2, ..id };
    refused(&night, &Fact::AttemptStarted { attempt: later, pid, at }, "not the latest attempt");
    let ended = Box::new(night.ended("a", Ending::Exited { code: 0 }));
    night.good("a");
    refused(&night, &Fact::AttemptEnded { ended, good: true }, "its job is Settled");
}

#[test]
fn a_job_is_settled_once_and_for_a_reason_that_holds() {
    let mut night = Night::of(vec![job("a", &[]), job("b", &["a"])]);
    let settled = |night: &Night, job: &str, outcome, why| Fact::Settled {
        run: night.run_id(),
        job: name(job),
        outcome,
        why,
    };
    let attempt = night.attempt("a");
    let by_attempt = Why::Attempt { attempt };
    let early = settled(&night, "a", Outcome::Succeeded, by_attempt.clone());
    refused(&night, &early, "does not say so");
    let need =
        Why::Need { job: "a".into(), when: crate::types::Condition::Ok, outcome: Outcome::Failed };
    refused(&night, &settled(&night, "b", Outcome::Blocked, need.clone()), "its needs say Wait");
    refused(&night, &settled(&night, "b", Outcome::NotScheduled, Why::NotAsked), "was asked for");
    refused(&night, &settled(&night, "b", Outcome::Succeeded, Why::TimeCame), "wait for a time");
    let person = Why::Person { by: li_wei(), reason: "?".to_owned() };
    refused(&night, &settled(&night, "a", Outcome::Skipped, person.clone()), "decides nothing");
    refused(&night, &settled(&night, "b", Outcome::Succeeded, person), "no confirmation");
    night.good("a");
    refused(&night, &settled(&night, "a", Outcome::Blocked, need), "settled already");
}

#[test]
fn what_ended_has_its_verdict_in_the_same_step() {
    let mut night = Night::of(vec![job("a", &[])]);
    let mut watch = Watch::of(&night.core.state);
    let core = &night.core;
    let around = Around {
        state: &core.state,
        rules: &core.rules,
        hosts: &core.hosts,
        now: night.now,
        people_assumed: false,
    };
    let ended = Box::new(night.ended("a", Ending::Exited { code: 0 }));
    watch.check(around, &Fact::AttemptEnded { ended, good: true }).unwrap();
    assert!(watch.end_of_step().is_err());
    night.good("a");
    assert_eq!(night.core.watch.end_of_step(), Ok(()));
}

#[test]
fn a_run_ends_when_nothing_of_it_may_run_and_as_its_jobs_came_out() {
    let mut night = Night::of(vec![job("a", &[])]);
    let end = |night: &Night, result| Fact::RunEnded { run: night.run_id(), result };
    refused(&night, &end(&night, RunResult::Well), "a may be running");
    refused(&night, &Fact::RunReopened { run: night.run_id() }, "it is not over");
    night.bad("a");
    refused(&night, &end(&night, RunResult::Failed), "it is over already");
    let run = night.run_id();
    night.core.state.runs.get_mut(&run).unwrap().result = None;
    refused(&night, &end(&night, RunResult::Well), "did not come out well");
    refused(&night, &end(&night, RunResult::Stopped), "nobody stops it");
}

/// The agenda's books are put wrong, as a defect would: the step is refused with a sentence, and none of it is told.
#[test]
fn a_defect_of_the_books_ends_the_step_and_starts_nothing() {
    let pool = PoolName::new("ledger").unwrap();
    let mut jobs = vec![job("a", &[]), job("b", &[]), job("c", &[])];
    jobs[0].pools.insert(pool.clone(), 1);
    jobs[1].pools.insert(pool.clone(), 1);
    let mut site = site(jobs);
    site.pools.insert(pool.clone(), 1);
    let mut night = Night::with(site, |_| {});
    assert_eq!(night.started(), ["a/1", "c/1"]);
    night.core.agenda.used.remove(&Resource::Pool(pool));
    let error = night.core.step(night.now, Event::Tick).unwrap_err();
    let StepError::Unfit(Unfit::Broken(broken)) = &error else { panic!("{error}") };
    assert_eq!(broken.of, "eod@2026-10-30#1/b/1");
    assert_eq!(
        error.to_string(),
        "defect in the core: eod@2026-10-30#1/b/1: `attempt-intended` was decided though 1 of the 1 units of pool ledger are in use, and it takes 1"
    );
}

#[test]
fn a_place_that_an_unknown_attempt_may_still_have_is_not_given_away() {
    // The run goes on, since somebody is asked.
    let mut ask = job("ask", &[]);
    ask.kind = Kind::Confirm { question: Text::en("Close?"), role: None };
    let mut site = site(vec![job("a", &[]), job("b", &[]), ask]);
    site.hosts.get_mut(&local()).unwrap().max_running = 1;
    let mut night = Night::with(site, |_| {});
    assert_eq!(night.started(), ["a/1"]);
    night.end("a", Ending::Unknown { why: "?".to_owned() });
    assert!(night.started().is_empty());
    let refused = verdict(&night, &intended(&night, "b", 1)).unwrap_err();
    assert!(refused.contains("1 of the 1 units of host local are in use"), "{refused}");
}

#[test]
fn across_is_what_the_order_resolved() {
    let mut night = waiting(site(vec![job("c", &["rep.x"])]));
    let run = night.run_id();
    let known = across("rep.x");
    night.core.state.runs.get_mut(&run).unwrap().opened.across = vec![known.clone()];
    night.core.state.across.insert((known.job.clone(), known.date), Some(Outcome::Succeeded));
    assert_eq!(verdict(&night, &intended(&night, "c", 1)), Ok(()));
    let other = BusinessDate(date(2026, 10, 29));
    night.core.state.runs.get_mut(&run).unwrap().opened.across[0].date = other;
    start_refused(&night, "c", 1, "its needs are not fulfilled: Wait");
}

#[test]
fn a_step_of_a_change_is_the_next_one_and_nobody_approves_what_is_their_own() {
    use crate::core::change::ChangeStep;
    let mut night = Night::of(vec![job("a", &[])]);
    let person = |id: &str| crate::types::PersonId::new(id).unwrap();
    let moved = |number, by: &str, second: Option<&str>, step: ChangeStep| Fact::ChangeMoved {
        change: "fix".parse().unwrap(),
        number,
        by: person(by),
        reason: String::new(),
        second: second.map(person),
        step: Box::new(step),
    };
    let submitted = || ChangeStep::Submitted {
        content: "d1".into(),
        scripts: Vec::new(),
        environment: None,
        authors: vec![person("author")],
        accepted: None,
        confirmed: Vec::new(),
        in_git: Vec::new(),
    };
    let approved = || ChangeStep::Approved {
        environment: "uat".into(),
        digest: "d2".into(),
        role: "dev".parse().unwrap(),
        stands_in: false,
        ticked: Vec::new(),
        complete: true,
    };
    refused(&night, &moved(2, "helper", None, submitted()), "its number is not the next one");
    refused(&night, &moved(1, "dev", None, approved()), "it is draft");
    let first = moved(1, "helper", None, submitted());
    assert_eq!(verdict(&night, &first), Ok(()));
    night.core.state.apply(night.now.wall, &first).unwrap();
    for own in ["author", "helper"] {
        refused(&night, &moved(2, own, None, approved()), "wrote it or asked for it");
    }
    assert_eq!(verdict(&night, &moved(2, "dev", None, approved())), Ok(()));
    let (environment, applied, accepted) = ("uat".to_owned(), true, false);
    let decided = || ChangeStep::Decided { environment: environment.clone(), applied, accepted };
    refused(&night, &moved(2, "dev", Some("ops"), decided()), "it is written");
    // Whoever follows from here on only has no life that a later step would belong to; one with a gap is damaged.
    let later = moved(4, "dev", None, ChangeStep::Returned);
    assert!(night.core.state.apply(night.now.wall, &later).is_err());
    let mut follower = Night::of(vec![job("a", &[])]);
    assert!(follower.core.state.apply(night.now.wall, &later).is_ok());
    assert!(follower.core.state.standing.changes.is_empty());
}

#[test]
fn a_hand_over_is_forgotten_once_it_is_over_and_with_all_its_steps() {
    let mut night = Night::of(vec![job("a", &[])]);
    let hand_over: crate::types::HandOverId = "night@2026-06-01".parse().unwrap();
    let forgotten = |steps| Fact::HandOverForgotten { hand_over: hand_over.clone(), steps };
    refused(&night, &forgotten(0), "there is no such one");
    let now = night.now.wall;
    let opened = hand_over::Opened {
        hand_over: hand_over.clone(),
        to: Vec::new(),
        began: now,
        ends: now + std::time::Duration::from_secs(60),
        outgoing: vec![li_wei()],
        incoming: Vec::new(),
        notify: Vec::new(),
    };
    night.core.replay(now, &Fact::HandOverOpened(Box::new(opened))).unwrap();
    refused(&night, &forgotten(0), "nobody has accepted it");
    let moved = hand_over::Moved {
        hand_over: hand_over.clone(),
        number: 1,
        by: None,
        words: String::new(),
        step: hand_over::HandOverStep::Same,
    };
    night.core.replay(now, &Fact::HandOverMoved(Box::new(moved))).unwrap();
    refused(&night, &forgotten(0), "it has other steps");
    assert_eq!(verdict(&night, &forgotten(1)), Ok(()));
}
