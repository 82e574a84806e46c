//! Small nights whose outcome is computed here by hand.

use std::collections::BTreeMap;
use std::sync::Arc;

use jiff::Timestamp;
use jiff::civil::{date, time};

use super::rehearsal::{Asked, many_nights, one_night};
use super::supposing::Samples;
use super::what_if::Wishes;

use crate::core::test_site::{batch, job, on_days, rule, site};
use crate::definition::site::{
    Days, EndingKind, Host, Job, Kind, Opening, Person, Retry, Site, Window,
};
use crate::types::{HostName, JobRef, PersonId, PoolName, Role, Span, Text, WindowClass, Zone};
use crate::view::job::StateWord;
use crate::view::rehearsal::{
    NightsView, RehearsalView, RehearsedJob, RehearsedRun, Standing, TakesFrom, WaitedFor,
};

fn li_wei() -> PersonId {
    PersonId::new("li-wei").unwrap()
}

fn takes(name: &str, needs: &[&str], seconds: u64) -> Job {
    Job { expected: Some(Span::seconds(seconds)), ..job(name, needs) }
}

fn retried(job: Job, max: u32, wait: u64, on: EndingKind) -> Job {
    Job { retry: Retry { max, wait: Span::seconds(wait), growth: 2.0, on: vec![on] }, ..job }
}

/// One batch that starts at 21:30 UTC and must be complete by 22:00, on one host with room for four.
fn night(jobs: Vec<Job>) -> Site {
    let schedule = on_days(Days::EveryDay, &[time(21, 30, 0, 0)], "UTC");
    let mut eod = batch("eod", Some(schedule), jobs);
    eod.must_complete_by = Some(time(22, 0, 0, 0));
    let mut site = site(vec![eod]);
    site.hosts.insert(
        HostName::new("local").unwrap(),
        Host { trial: true, max_running: 4, ..Host::default() },
    );
    let duty = Person {
        name: Text::en("Li Wei"),
        language: None,
        mail: Some("li.wei@bank.example".to_owned()),
        phone: None,
        webhook: None,
        team: None,
        roles: vec![Role::new("duty").unwrap()],
        unix_user: None,
    };
    site.people.insert(li_wei(), duty);
    site
}

fn asked<T>(site: &Site, samples: &Samples, wishes: &Wishes, play: impl Fn(Asked<'_>) -> T) -> T {
    let site = Arc::new(site.clone());
    let (from, to) = (date(2026, 10, 30), date(2026, 10, 30));
    let expected = BTreeMap::new();
    play(Asked { site: &site, batches: &[], from, to, expected: &expected, samples, wishes })
}

fn play(site: &Site, wishes: Wishes) -> RehearsalView {
    asked(site, &Samples::new(), &wishes, |asked| one_night(asked).unwrap())
}

fn run(view: &RehearsalView) -> &RehearsedRun {
    let [run] = view.runs.as_slice() else { panic!("one run: {view:?}") };
    run
}

fn of<'a>(run: &'a RehearsedRun, name: &str) -> &'a RehearsedJob {
    run.jobs.iter().find(|job| job.line.name.as_str() == name).unwrap()
}

fn at(text: &str) -> Option<Timestamp> {
    Some(format!("2026-10-30T{text}Z").parse().unwrap())
}

fn texts(texts: &[&str]) -> Vec<String> {
    texts.iter().map(|text| (*text).to_owned()).collect()
}

fn host_down(times: &str) -> Wishes {
    Wishes { host_down: vec![format!("local={times}")], ..Wishes::default() }
}

#[test]
fn nothing_supposed_is_the_plan() {
    let view = play(&night(vec![takes("a", &[], 600), takes("b", &["a"], 60)]), Wishes::default());
    let run = run(&view);
    assert_eq!((run.standing, run.head.ended), (Standing::InTime, at("21:41:00")));
    assert!(run.without.is_none() && view.simulated);
    assert_eq!(of(run, "a").takes_from, TakesFrom::Declared);
    let path: Vec<&str> = run.path.iter().map(|step| step.job.as_str()).collect();
    assert_eq!(path, ["a", "b"]);
}

#[test]
fn what_ran_on_a_host_that_went_is_in_doubt_once_it_is_back() {
    let site = night(vec![takes("a", &[], 600), takes("b", &["a"], 60), takes("c", &[], 60)]);
    let view = play(&site, host_down("21:35-21:50"));
    let run = run(&view);
    assert_eq!(run.standing, Standing::StandsStill);
    assert_eq!(of(run, "a").line.state.word(), StateWord::Unknown);
    assert_eq!(of(run, "a").line.attempts[0].ended, at("21:50:00"), "nobody can know before");
    assert_eq!(of(run, "b").line.state.word(), StateWord::Waiting);
    assert_eq!(of(run, "c").line.ended, at("21:31:00"), "it was over before");
    assert_eq!(run.without.map(|without| without.end), Some(at("21:41:00")));
    let [incident] = run.incidents.as_slice() else { panic!("{:?}", run.incidents) };
    assert_eq!((Some(incident.opened), incident.job.clone()), (at("21:50:00"), "a".parse().ok()));
    assert_eq!(incident.told[0].id, li_wei());
    let effect = &run.effects[0];
    assert_eq!((effect.of, effect.hit.len(), effect.open.len()), (0, 1, 1));
}

#[test]
fn what_may_be_tried_again_goes_on_when_the_host_is_back() {
    let a = retried(takes("a", &[], 600), 1, 10, EndingKind::Lost);
    let site = night(vec![a, takes("b", &["a"], 60)]);
    let view = play(&site, host_down("21:35-21:50"));
    let run = run(&view);
    // Lost at 21:50, 10 s of waiting, 600 s again, 60 s of b.
    assert_eq!((run.standing, run.head.ended), (Standing::Late, at("22:01:10")));
    assert_eq!((of(run, "a").start_shift, of(run, "a").end_shift), (Some(0), Some(1_210)));
    assert_eq!((of(run, "b").start_shift, of(run, "b").end_shift), (Some(1_210), Some(1_210)));
    assert!(run.effects[0].open.is_empty());
}

#[test]
fn nothing_starts_while_its_host_is_down_even_from_before_the_night() {
    let site = night(vec![takes("a", &[], 60)]);
    let view = play(&site, host_down("21:00-21:40"));
    let run = run(&view);
    assert_eq!((run.standing, run.head.ended), (Standing::InTime, at("21:41:00")));
    assert!(matches!(run.path[0].waited_for, Some(WaitedFor::Host { .. })));
    assert_eq!(of(run, "a").line.attempts.len(), 1);
}

#[test]
fn two_outages_of_one_host_that_overlap_are_one() {
    let site = night(vec![takes("a", &[], 60)]);
    let wishes = Wishes {
        host_down: texts(&["local=21:20-21:40", "local=21:35-21:45"]),
        ..Wishes::default()
    };
    assert_eq!(run(&play(&site, wishes)).head.ended, at("21:46:00"));
}

#[test]
fn a_job_takes_as_long_as_it_is_given_up_to_its_limit() {
    let mut limited = takes("limited", &[], 60);
    limited.time_limit = Some(Span::seconds(100));
    let site = night(vec![takes("a", &[], 600), takes("b", &["a"], 60), limited]);
    let wishes = |takes: &[&str]| Wishes { takes: texts(takes), ..Wishes::default() };
    let view = play(&site, wishes(&["a=1.5x", "b=2m"]));
    assert_eq!(run(&view).head.ended, at("21:47:00"), "900 s and 120 s");
    assert_eq!(of(run(&view), "b").takes_from, TakesFrom::Given);
    let view = play(&site, wishes(&["eod.*=2x"]));
    let limited = &of(run(&view), "limited").line;
    assert_eq!(limited.state.word(), StateWord::Failed);
    assert_eq!(limited.attempts[0].ended, at("21:31:40"), "ended at its limit of 100 s");
}

#[test]
fn failures_are_retried_as_declared() {
    let a = retried(takes("a", &[], 60), 2, 10, EndingKind::Exit);
    let site = night(vec![a, takes("b", &["a"], 60)]);
    let fails = |text: &str| Wishes { fails: texts(&[text]), ..Wishes::default() };
    let view = play(&site, fails("a=2"));
    // 60 s, 10 s of waiting, 60 s, 20 s of waiting, 60 s, and 60 s of b.
    assert_eq!((run(&view).standing, run(&view).head.ended), (Standing::InTime, at("21:34:30")));
    assert_eq!(run(&view).path[0].attempts, 3);
    let view = play(&site, fails("a"));
    let all = run(&view);
    assert_eq!((all.standing, all.totals.blocked), (Standing::StandsStill, 1));
    assert_eq!(Some(all.incidents[0].opened), at("21:33:30"), "after the third failure");
}

#[test]
fn a_file_arrives_when_it_is_said_to_or_the_wait_ends_at_its_limit() {
    let mut wait = job("wait", &[]);
    wait.kind = Kind::WaitFile {
        path: "in/rates.csv".to_owned(),
        stable: Span::seconds(5),
        every: Span::seconds(1),
        limit: Span::seconds(1_200),
    };
    let site = night(vec![wait, takes("b", &["wait"], 60)]);
    let arrives = |text: &str| Wishes { arrives: texts(&[text]), ..Wishes::default() };
    let view = play(&site, arrives("wait=21:45"));
    assert_eq!(run(&view).head.ended, at("21:46:05"), "there at 21:45, stable 5 s later");
    let view = play(&site, arrives("wait=21:55"));
    assert_eq!(of(run(&view), "wait").line.state.word(), StateWord::Failed);
    assert_eq!(of(run(&view), "wait").line.ended, at("21:50:00"), "20 minutes are its limit");
}

#[test]
fn people_answer_late_or_not_at_all() {
    let mut ask = job("ask", &["a"]);
    ask.kind = Kind::Confirm { question: Text::en("Go?"), role: None };
    let site = night(vec![takes("a", &[], 60), ask, takes("b", &["ask"], 60)]);
    let after = Some(Span::seconds(600));
    let view = play(&site, Wishes { confirm_after: after, ..Wishes::default() });
    assert_eq!(run(&view).head.ended, at("21:42:00"));
    assert_eq!(run(&view).path[1].waited_for, Some(WaitedFor::Person));
    let view = play(&site, Wishes { nobody_confirms: true, ..Wishes::default() });
    assert_eq!(run(&view).standing, Standing::NeverEnds);
    assert_eq!(run(&view).without.and_then(|without| without.end), at("21:32:00"));
}

#[test]
fn a_freeze_and_a_window_hold_up_and_the_path_says_so() {
    let class = WindowClass::new("change").unwrap();
    let mut change = takes("change", &["a"], 60);
    change.window = Some(class.clone());
    let mut site = night(vec![takes("a", &[], 60), change]);
    let open = Opening {
        days: rule(Days::EveryDay, 0),
        from: time(21, 40, 0, 0),
        to: time(23, 0, 0, 0),
        zone: Zone::utc(),
        only_while: None,
    };
    let window = Window { title: Text::en("Changes"), open: vec![open] };
    site.windows.insert(class.clone(), window);
    let view = play(&site, Wishes::default());
    assert_eq!(run(&view).head.ended, at("21:41:00"));
    let path = &run(&view).path;
    assert_eq!(path.len(), 1, "what came before the window had time to spare");
    assert_eq!(path[0].waited_for, Some(WaitedFor::Window { class }));
    let view = play(&site, Wishes { freeze: texts(&["21:35-21:50"]), ..Wishes::default() });
    assert_eq!(run(&view).head.ended, at("21:51:00"));
    assert!(matches!(run(&view).path[0].waited_for, Some(WaitedFor::Frozen { .. })));
}

#[test]
fn a_full_pool_is_part_of_the_path() {
    let pool = PoolName::new("ledger").unwrap();
    let mut jobs = vec![takes("one", &[], 60), takes("two", &[], 60), takes("three", &["two"], 5)];
    for job in &mut jobs[..2] {
        job.pools.insert(pool.clone(), 1);
    }
    let mut site = night(jobs);
    site.pools.insert(pool, 1);
    let view = play(&site, Wishes::default());
    let path = &run(&view).path;
    let names: Vec<&str> = path.iter().map(|step| step.job.as_str()).collect();
    assert_eq!(names, ["one", "two", "three"]);
    let room = Some(WaitedFor::Room { of: "ledger".to_owned(), job: "one".parse().unwrap() });
    assert_eq!(path[1].waited_for, room);
}

/// Nights in which `a` takes 10 or 20 minutes, each as likely, and then `b` 15.
fn drawn(wishes: &Wishes, nights: u32, seed: u64) -> NightsView {
    let site = night(vec![takes("a", &[], 1), takes("b", &["a"], 900)]);
    let a = JobRef { batch: "eod".parse().unwrap(), job: "a".parse().unwrap() };
    let samples = Samples::from([(a, vec![Span::seconds(600), Span::seconds(1_200)])]);
    asked(&site, &samples, wishes, |asked| many_nights(asked, nights, seed).unwrap())
}

#[test]
fn the_same_seed_is_the_same_nights_to_the_byte() {
    let wishes = Wishes { takes: texts(&["b=20m"]), ..Wishes::default() };
    let bytes = |seed| serde_json::to_string(&drawn(&wishes, 50, seed)).unwrap();
    assert_eq!(bytes(7), bytes(7));
    assert_ne!(bytes(7).replace("\"seed\":7", ""), bytes(8).replace("\"seed\":8", ""));
}

#[test]
fn many_nights_end_as_their_draws_say() {
    let view = drawn(&Wishes::default(), 400, 1);
    let [run] = view.runs.as_slice() else { panic!("{view:?}") };
    let ends = &run.ends;
    // 600 + 900 s are in time (21:55), 1200 + 900 s are 5 minutes late (22:05). Both are as likely.
    assert_eq!(ends.in_time + ends.late, 400);
    assert!((140..=260).contains(&ends.late), "{ends:?}");
    assert_eq!((ends.p90, ends.p99, ends.worst), (at("22:05:00"), at("22:05:00"), at("22:05:00")));
    let median = if ends.in_time >= 200 { at("21:55:00") } else { at("22:05:00") };
    assert_eq!(ends.p50, median);
    let missed: Vec<u32> = run.deadlines.iter().map(|chance| chance.missed).collect();
    assert_eq!(missed, [ends.late], "the batch's own limit, in the nights that were late");
    assert_eq!(run.critical.iter().map(|often| often.nights).collect::<Vec<_>>(), [400, 400]);
    assert_eq!(run.jobs[0].takes_from, TakesFrom::History { attempts: 2 });
}

#[test]
fn a_night_is_drawn_alike_with_and_without_what_is_supposed() {
    let view = drawn(&Wishes { takes: texts(&["b=905s"]), ..Wishes::default() }, 100, 3);
    let run = &view.runs[0];
    let without = run.without.as_ref().unwrap();
    // Five seconds change no night's side of the limit if each is drawn alike.
    assert_eq!((run.ends.in_time, run.ends.late), (without.in_time, without.late));
    assert!(without.late > 0 && without.in_time > 0);
    assert_eq!(run.deadlines[0].without, Some(run.deadlines[0].missed));
}

#[test]
fn nights_that_are_not_done_are_later_than_any_that_is() {
    let view = drawn(&Wishes { fails: texts(&["b"]), ..Wishes::default() }, 20, 1);
    let run = &view.runs[0];
    assert_eq!((run.ends.stands_still, run.ends.p50, run.ends.worst), (20, None, None));
    assert_eq!(run.deadlines[0].missed, 20);
}

#[test]
fn a_failed_change_has_applied_nothing() {
    let mut change = takes("fix", &[], 60);
    change.kind = Kind::Change { change: "fix".parse().unwrap(), environment: None };
    let site = night(vec![change]);
    let view = play(&site, Wishes { fails: texts(&["fix"]), ..Wishes::default() });
    // A change of which nothing is known would be in doubt.
    assert_eq!(of(run(&view), "fix").line.state.word(), StateWord::Failed);
}
