use jiff::civil::time;

use super::fact::{Action, Deadline, Fact, RunResult};
use super::gate::Resource;
use super::night::Event;
use super::obstacle::Obstacle;
use super::phase::Phase;
use super::test_night::{Night, across, boot, local, name, opened, site};
use super::test_site::job;
use crate::definition::site::{Freeze, FreezeScope, Kind, Window};
use crate::types::{Ending, Outcome, PoolName, RunId, Span, Text, WindowClass};

fn missed(night: &Night) -> Vec<Deadline> {
    night.run().missed.iter().map(|missed| missed.deadline).collect()
}

#[test]
fn pools_and_priorities_decide_who_starts_first() {
    let pool = PoolName::new("ledger").unwrap();
    let mut jobs = vec![job("a", &[]), job("b", &[]), job("c", &[])];
    for (index, job) in jobs.iter_mut().enumerate() {
        job.pools.insert(pool.clone(), 1);
        job.priority = index as i32;
    }
    let mut site = site(jobs);
    site.pools.insert(pool, 1);
    let mut night = Night::with(site, |_| {});
    assert_eq!(night.started(), ["c/1"]);
    night.good("c");
    assert_eq!(night.started(), ["b/1"]);
    let blocked = night.core.obstacles(&night.run_id(), 0, night.now).unwrap();
    assert!(matches!(blocked[..], [Obstacle::Full { size: 1, used: 1, needed: 1, .. }]));
}

#[test]
fn what_is_in_doubt_keeps_its_pool_after_the_run_is_over_and_after_a_restart() {
    let pool = PoolName::new("ledger").unwrap();
    let mut only = job("a", &[]);
    only.pools.insert(pool.clone(), 1);
    let mut site = site(vec![only]);
    site.pools.insert(pool, 1);
    let mut night = Night::with(site, |_| {});
    night.end("a", Ending::Unknown { why: "?".to_owned() });
    assert!(night.run().result.is_some());
    night.started();
    let again = |night: &mut Night, number: u32| {
        let mut opened = opened("eod", night.now.wall);
        opened.run = RunId { number, ..opened.run };
        night.open(opened, Vec::new());
        night.started()
    };
    assert!(again(&mut night, 2).is_empty());
    let mut core = super::night::Core::new(1);
    core.define("d", night.site.clone());
    for (at, fact) in &night.facts {
        core.replay(*at, fact).unwrap();
    }
    night.core = core;
    night.must(Event::HostUp { host: local(), boot: boot() });
    assert!(again(&mut night, 3).is_empty());
}

/// Two jobs on a host with one place, the first of which has ended so.
fn one_place(ending: &Ending, pool: bool) -> Night {
    let ledger = PoolName::new("ledger").unwrap();
    let mut jobs = vec![job("a", &[]), job("b", &[])];
    if pool {
        for job in &mut jobs {
            job.pools.insert(ledger.clone(), 1);
        }
    }
    let mut site = site(jobs);
    site.pools.insert(ledger, 1);
    site.hosts.get_mut(&local()).unwrap().max_running = 1;
    let mut night = Night::with(site, |_| {});
    assert_eq!(night.started(), ["a/1"]);
    night.end("a", ending.clone());
    assert!(matches!(night.phase("a"), Phase::InDoubt { .. }));
    night
}

fn lost() -> Ending {
    Ending::Lost { why: "the host restarted".to_owned() }
}

#[test]
fn a_doubt_keeps_its_place_on_the_host_only_while_something_of_it_may_run() {
    assert_eq!(one_place(&lost(), false).started(), ["b/1"]);
    let unknown = Ending::Unknown { why: "its watcher was killed, it is still there".to_owned() };
    assert!(one_place(&unknown, false).started().is_empty());
}

#[test]
fn what_a_lost_attempt_worked_on_waits_for_people() {
    let mut night = one_place(&lost(), true);
    assert!(night.started().is_empty(), "it may be half done");
    assert_eq!(night.run().result, Some(RunResult::Failed), "people are asked");
    night.act(Action::Force { job: name("a") }).unwrap();
    assert_eq!(night.started(), ["b/1"]);
}

#[test]
fn a_run_stays_open_for_a_person_or_a_time_whatever_a_doubt_keeps() {
    let mut ask = job("b", &[]);
    for kind in [
        Kind::Confirm { question: Text::en("Close?"), role: None },
        Kind::WaitUntil { time: time(23, 0, 0, 0) },
    ] {
        ask.kind = kind;
        let mut site = site(vec![job("a", &[]), ask.clone()]);
        site.hosts.get_mut(&local()).unwrap().max_running = 1;
        let mut night = Night::with(site, |_| {});
        night.end("a", Ending::Unknown { why: "?".to_owned() });
        assert_eq!(night.run().result, None, "{:?}", ask.kind);
    }
}

#[test]
fn a_place_is_given_back_once() {
    let host = Resource::Host(local());
    let mut night = one_place(&lost(), false);
    assert_eq!(night.core.used(&host), 1, "b has it");
    night.restart(&boot());
    night.must(Event::HostUp { host: local(), boot: boot() });
    assert_eq!(night.core.used(&host), 1, "b has it");
    night.act(Action::Force { job: name("a") }).unwrap();
    assert_eq!(night.core.used(&host), 1, "b has it");
    night.good("b");
    assert_eq!(night.core.used(&host), 0);
}

#[test]
fn a_run_does_not_stay_open_for_what_its_own_doubt_keeps() {
    let pool = PoolName::new("ledger").unwrap();
    let mut jobs = vec![job("a", &[]), job("b", &[])];
    for job in &mut jobs {
        job.pools.insert(pool.clone(), 1);
    }
    let mut site = site(jobs);
    site.pools.insert(pool, 1);
    let mut night = Night::with(site, |_| {});
    assert_eq!(night.started(), ["a/1"]);
    night.end("a", Ending::Unknown { why: "?".to_owned() });
    assert!(night.started().is_empty());
    assert_eq!(night.run().result, Some(RunResult::Failed), "people are asked");

    // A page that is made of the journal alone says what b waits for.
    let mut page = super::night::Core::new(1);
    page.define("d", night.site.clone());
    for (at, fact) in &night.facts {
        page.replay(*at, fact).unwrap();
    }
    page.assume_hosts_reached(&boot());
    let reasons = page.obstacles(&night.run_id(), 1, night.now).unwrap();
    assert!(reasons.iter().any(|r| matches!(r, Obstacle::Full { used: 1, .. })), "{reasons:?}");

    night.act(Action::Force { job: name("a") }).unwrap();
    assert_eq!(night.started(), ["b/1"]);
    night.good("b");
    assert_eq!(night.run().result, Some(RunResult::Well));
}

#[test]
fn a_deadline_is_kept_missed_or_learned_late() {
    let mut only = job("a", &[]);
    only.must_complete_by = Some(time(22, 0, 0, 0));
    let mut kept = Night::of(vec![only.clone()]);
    kept.pass(60);
    kept.good("a");
    kept.pass(3600);
    assert!(missed(&kept).is_empty());

    let mut late = Night::of(vec![only.clone()]);
    late.pass(1801);
    assert_eq!(missed(&late), [Deadline::MustCompleteBy]);
    late.good("a");
    assert_eq!(missed(&late).len(), 1, "once");

    // Nobody watched from 21:31 to 22:10; the job ended in time.
    let mut unwatched = Night::of(vec![only]);
    unwatched.pass(60);
    let ended = unwatched.ended("a", Ending::Exited { code: 0 });
    unwatched.now.wall += std::time::Duration::from_secs(2400);
    unwatched.now.since_boot += std::time::Duration::from_secs(2400);
    unwatched.restart(&boot());
    unwatched.must(Event::HostUp { host: local(), boot: boot() });
    assert!(missed(&unwatched).is_empty(), "its host is heard first");
    unwatched.must(Event::Ended(Box::new(ended)));
    assert_eq!(unwatched.outcome("a"), Some(Outcome::Succeeded));
    assert!(missed(&unwatched).is_empty());
}

#[test]
fn a_confirmation_waits_for_its_needs_and_for_a_person() {
    let mut ask = job("ask", &["a"]);
    ask.kind = Kind::Confirm { question: Text::en("Close?"), role: None };
    let mut night = Night::of(vec![job("a", &[]), ask, job("b", &["ask"])]);
    assert!(night.act(Action::Confirm { job: name("ask") }).is_err());
    night.good("a");
    night.started();
    night.pass(3600);
    assert!(night.started().is_empty());
    night.act(Action::Confirm { job: name("ask") }).unwrap();
    assert_eq!(night.started(), ["b/1"]);
}

#[test]
fn what_was_done_in_time_is_not_late_because_it_is_run_again() {
    let mut only = job("a", &[]);
    only.must_complete_by = Some(time(22, 0, 0, 0));
    let mut site = site(vec![only]);
    let batch = site.batches.values_mut().next().unwrap();
    let due = Some(time(22, 0, 0, 0));
    *batch = crate::definition::site::Batch { must_complete_by: due, ..(**batch).clone() }.into();
    let mut night = Night::with(site, |_| {});
    night.pass(60);
    night.good("a");
    night.pass(7200);
    let (run, by) = (night.run().id().clone(), super::test_night::li_wei());
    let reason = "once more".to_owned();
    night.must(Event::Rerun { run, jobs: vec![name("a")], by, reason });
    night.pass(60);
    night.good("a");
    assert_eq!(night.run().result, Some(RunResult::Well));
    assert!(missed(&night).is_empty(), "{:?}", missed(&night));
}

#[test]
fn only_somebody_with_the_role_can_confirm_and_the_question_is_noted_once() {
    let close = |role: &str| {
        let mut ask = job("ask", &[]);
        let role = Some(crate::types::Role::new(role).unwrap());
        ask.kind = Kind::Confirm { question: Text::en("Close?"), role };
        Night::of(vec![ask])
    };
    let mut night = close("manager");
    let refused = night.act(Action::Confirm { job: name("ask") }).unwrap_err();
    assert!(refused.to_string().contains("role `manager`"), "{refused}");
    night.pass(60);
    let asked = night.facts.iter().filter(|(_, f)| matches!(f, Fact::Asked { .. })).count();
    assert_eq!(asked, 1);
    close("duty").act(Action::Confirm { job: name("ask") }).unwrap();
}

#[test]
fn a_wait_until_a_time_is_over_when_the_time_comes() {
    let mut wait = job("wait", &[]);
    wait.kind = Kind::WaitUntil { time: time(23, 30, 0, 0) };
    let mut night = Night::of(vec![wait, job("b", &["wait"])]);
    let due = night.core.next_wake().wall.unwrap();
    assert_eq!(due.to_string(), "2026-10-30T23:30:00Z");
    night.pass(7199);
    assert!(night.started().is_empty());
    night.pass(1);
    assert_eq!(night.started(), ["b/1"]);
}

#[test]
fn a_need_of_another_run_waits_is_blocked_and_opens_again() {
    let mut site = site(vec![job("close", &[])]);
    let jobs = vec![job("print", &["eod.close@0bd"]), job("long", &[])];
    let other = super::test_site::batch("rep", None, jobs);
    site.batches.insert(other.id.clone(), other.into());
    let mut night = Night::with(site, |_| {});
    let mut report = opened("rep", night.now.wall);
    report.across = vec![across("eod.close")];
    let known = (across("eod.close").job, report.business_date, None);
    let id = report.run.clone();
    night.open(report, vec![known]);
    assert_eq!(night.started(), ["close/1", "long/1"]);
    let print = |night: &Night| night.core.state().run(&id).unwrap().jobs[0].phase.clone();
    night.bad("close");
    assert_eq!(print(&night).outcome(), Some(Outcome::Blocked));
    night.act(Action::Retry { job: name("close") }).unwrap();
    assert_eq!(print(&night), Phase::Waiting, "it waits again for what is tried again");
    night.started();
    night.good("close");
    assert_eq!(night.started(), ["print/1"]);
}

#[test]
fn a_window_override_opens_windows_but_no_freeze() {
    let class = WindowClass::new("night-change").unwrap();
    let mut only = job("a", &[]);
    only.window = Some(class.clone());
    only.expected = Some(Span::seconds(60));
    let mut site = site(vec![only]);
    site.windows.insert(class.clone(), Window { title: Text::en("Night"), open: Vec::new() });
    let overriding = |opened: &mut super::fact::RunOpened| {
        opened.window_override = Some("the regulator asks".to_owned());
    };
    assert!(Night::with(site.clone(), |_| {}).started().is_empty());
    assert_eq!(Night::with(site.clone(), overriding).started(), ["a/1"]);
    site.freezes.push(Freeze {
        reason: Text::en("Year end"),
        from: "2026-10-30T00:00:00Z".parse().unwrap(),
        to: "2026-10-31T00:00:00Z".parse().unwrap(),
        scope: FreezeScope { windows: vec![class], ..FreezeScope::default() },
    });
    let mut night = Night::with(site, overriding);
    assert!(night.started().is_empty());
    night.pass(3 * 3600);
    assert_eq!(night.started(), ["a/1"], "the freeze is over");
}

#[test]
fn a_held_job_starts_when_it_is_released() {
    let mut night = Night::of(vec![job("a", &[]), job("b", &["a"])]);
    night.act(Action::Hold { job: name("b") }).unwrap();
    night.good("a");
    night.started();
    night.pass(60);
    assert!(night.started().is_empty() && night.run().result.is_none());
    let turn = night.act(Action::Release { job: name("b") }).unwrap();
    assert!(turn.facts.iter().any(|fact| matches!(fact, Fact::AttemptIntended { .. })));
}

#[test]
fn what_waits_behind_a_freeze_is_looked_at_again_when_the_clock_is_stepped_back() {
    let mut site = site(vec![job("a", &[])]);
    site.freezes = vec![Freeze {
        reason: Text::en("Sealed"),
        from: "2026-10-30T23:00:00Z".parse().unwrap(),
        to: "2026-10-31T23:00:00Z".parse().unwrap(),
        scope: FreezeScope { hosts: vec![local()], ..FreezeScope::default() },
    }];
    let mut night = Night::new(site);
    let ahead = std::time::Duration::from_secs(2 * 3_600);
    night.now.wall += ahead;
    night.open(opened("eod", night.now.wall), Vec::new());
    assert!(night.started().is_empty());
    night.now.wall -= ahead;
    night.must(Event::Tick);
    assert_eq!(night.started(), ["a/1"]);
}

/// Of a job that was settled when its run was opened again, and of one that was blocked behind it.
#[test]
fn a_deadline_is_watched_again_when_a_run_that_was_over_is_opened_again() {
    let mut first = job("a", &[]);
    let mut second = job("b", &["a"]);
    first.must_complete_by = Some(time(22, 0, 0, 0));
    second.must_start_by = Some(time(22, 0, 0, 0));
    let mut night = Night::of(vec![first, second]);
    night.bad("a");
    assert!(night.run().result.is_some());
    night.pass(60);
    night.act(Action::Retry { job: name("a") }).unwrap();
    night.pass(3600);
    assert_eq!(missed(&night), [Deadline::MustCompleteBy, Deadline::MustStartBy]);
}

/// In a run that goes on all the time: left out when its deadline passed, and asked for again.
#[test]
fn the_deadline_of_a_job_that_waits_again_is_judged_again() {
    let mut second = job("b", &["a"]);
    second.must_complete_by = Some(time(22, 0, 0, 0));
    let mut night = Night::of(vec![job("a", &[]), second]);
    night.act(Action::Skip { job: name("b") }).unwrap();
    night.pass(3600);
    assert!(missed(&night).is_empty() && night.run().result.is_none());
    let (run, by) = (night.run_id(), super::test_night::li_wei());
    night.must(Event::Rerun { run, jobs: vec![name("b")], by, reason: String::new() });
    assert_eq!(missed(&night), [Deadline::MustCompleteBy]);
}

/// A store in trouble, or a host that was slow: between the intent and the start the deadline passed.
#[test]
fn a_start_that_its_host_tells_too_late_is_late_though_its_intent_was_in_time() {
    for told_by_its_end in [false, true] {
        let mut only = job("a", &[]);
        only.must_start_by = Some(time(22, 0, 0, 0));
        let mut night = Night::of(vec![only]);
        night.pass(3600);
        assert!(missed(&night).is_empty());
        if told_by_its_end {
            night.good("a");
        } else {
            let (attempt, at) = (night.attempt("a"), night.now.wall);
            night.must(Event::Started { attempt, pid: 1, at });
        }
        assert_eq!(missed(&night), [Deadline::MustStartBy]);
    }
}
