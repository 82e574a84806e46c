use std::collections::BTreeMap;
use std::time::Duration;

use jiff::civil::{date, time};

use super::event::Event as Told;
use super::job::{JobState, StateWord};
use super::of_job::Around;
use super::report::{Act, OpenPoint};
use super::run::DeadlineState;
use super::why::Reason;
use super::{of_fact, of_incident, of_run, of_why, of_why_unopened};
use crate::core::fact::Action;
use crate::core::forecast;
use crate::core::test_night::{Night, name, site};
use crate::core::test_site::job;
use crate::definition::site::Job;
use crate::types::{BusinessDate, Ending, IncidentId, Severity, Span};

fn takes(name: &str, needs: &[&str], seconds: u64) -> Job {
    Job { expected: Some(Span::seconds(seconds)), ..job(name, needs) }
}

/// a → b → c, and d that is not critical; due at 22:00.
fn night() -> Night {
    let mut optional = takes("d", &[], 5);
    optional.critical = false;
    let jobs = vec![takes("a", &[], 600), takes("b", &["a"], 60), takes("c", &["b"], 60), optional];
    let mut site = site(jobs);
    let eod = site.batches.values_mut().next().unwrap();
    std::sync::Arc::make_mut(eod).must_complete_by = Some(time(22, 0, 0, 0));
    Night::with(site, |_| {})
}

fn why(night: &Night, job: &str) -> Vec<Reason> {
    let ahead = forecast::of_night(&night.core, night.now).unwrap();
    let run = night.run_id();
    let around = Around { ahead: ahead.runs.get(&run), ..Around::nothing() };
    of_why::why(&night.core, &run, &name(job), night.now, around).unwrap().unwrap().reasons
}

#[test]
fn a_page_shows_plan_forecast_and_deadline() {
    let mut night = night();
    night.pass(60);
    let run = night.run_id();
    let planned = forecast::as_opened(night.run()).unwrap();
    let ahead = forecast::of_night(&night.core, night.now).unwrap();
    let around =
        Around { planned: Some(&planned), ahead: ahead.runs.get(&run), ..Around::nothing() };
    let page = of_run::status(&night.core, &run, night.now, around).unwrap();
    let words: Vec<StateWord> = page.jobs.iter().map(|job| job.state.word()).collect();
    let (starting, waiting) = (StateWord::Starting, StateWord::Waiting);
    assert_eq!(words, [starting, waiting, waiting, starting]);
    let c = &page.jobs[2];
    assert!(c.on_critical_path && !page.jobs[3].on_critical_path);
    assert_eq!(c.planned_start.unwrap().to_string(), "2026-10-30T21:41:00Z");
    assert_eq!(c.expected_end.unwrap().to_string(), "2026-10-30T21:42:00Z");
    assert!(matches!(page.head.deadline(), DeadlineState::ExpectedKept { .. }));
}

#[test]
fn a_failure_shows_what_it_blocks_to_everyone_who_is_told() {
    let mut night = night();
    night.bad("a");
    let around = Around::nothing();
    let mail = of_incident::mail((&night.core, None), IncidentId(1), night.now, around).unwrap();
    let blocked: Vec<&str> = mail.blocks.iter().map(|job| job.name.as_str()).collect();
    assert_eq!(blocked, ["b", "c"]);
    let line = &mail.incident.line;
    let told: Vec<&str> = line.told.iter().map(|who| who.name.en.as_str()).collect();
    assert_eq!((line.severity, told), (Severity::P1, vec!["Li Wei"]));
    assert_eq!(mail.job.unwrap().last_failed().unwrap().ending, Some(Ending::Exited { code: 1 }));
    assert_eq!(why(&night, "c"), [Reason::Blocked { by: vec![name("a")] }], "the root, not b");
}

#[test]
fn a_report_tells_who_did_what_and_what_is_open() {
    let mut night = night();
    night.act(Action::Hold { job: name("b") }).unwrap();
    night.good("a");
    night.act(Action::Skip { job: name("b") }).unwrap();
    night.end("c", Ending::Unknown { why: "gone".to_owned() });
    night.bad("d");
    let usual_p95 = BTreeMap::new();
    let around = Around { unsent_mail: 1, usual_p95: &usual_p95, ..Around::nothing() };
    let at = night.now.wall;
    let run = night.run_id();
    let report = of_run::report(&night.core, &run, night.now, around, None, at).unwrap();
    let acts: Vec<&Act> = report.actions.iter().map(|action| &action.act).collect();
    assert_eq!(
        acts,
        [&Act::Do(Action::Hold { job: name("b") }), &Act::Do(Action::Skip { job: name("b") })]
    );
    assert!(
        matches!(&report.jobs[1].state, JobState::Skipped { by, .. } if by.name.en == "Li Wei")
    );
    assert_eq!(
        (report.totals.well, report.totals.failed, report.totals.failed_critical),
        (1, 1, 0)
    );
    let unknown = OpenPoint::Unknown { job: name("c") };
    let incident = report.incidents.first().map(|line| OpenPoint::Incident(Box::new(line.clone())));
    let incident = incident.unwrap();
    assert_eq!(report.open_points(), [unknown, incident, OpenPoint::UnsentMail { count: 1 }]);
}

#[test]
fn a_job_ran_long_when_it_took_more_than_it_usually_does() {
    let mut night = night();
    let started = night.now.wall;
    let attempt = night.attempt("a");
    night.must(crate::core::night::Event::Started { attempt, pid: 1, at: started });
    night.pass(700);
    night.good("a");
    let line = |p95: u64| {
        let usual_p95 = BTreeMap::from([(name("a"), Span::seconds(p95))]);
        let around = Around { usual_p95: &usual_p95, ..Around::nothing() };
        let page = of_run::status(&night.core, &night.run_id(), night.now, around).unwrap();
        page.jobs[0].ran_long.map(|long| long.actual)
    };
    assert_eq!(line(650), Some(Span::seconds(700)));
    assert_eq!(line(699), None, "a second more or less is nobody's concern");
    assert_eq!(line(700), None);
}

#[test]
fn why_names_what_is_waited_for_and_until_when() {
    let night = night();
    let reasons = why(&night, "b");
    let [Reason::WaitsFor { jobs }] = &reasons[..] else { panic!("{reasons:?}") };
    assert_eq!((jobs[0].job.as_str(), jobs[0].state), ("a", StateWord::Starting));
    assert_eq!(jobs[0].expected_end, night.now.wall.checked_add(Duration::from_secs(600)).ok());
}

#[test]
fn a_run_that_was_never_opened_is_explained_from_its_schedule() {
    let mut site = site(vec![takes("a", &[], 1)]);
    let eod = std::sync::Arc::make_mut(site.batches.values_mut().next().unwrap());
    eod.schedule = Some(crate::core::test_site::cron("30 21 * * MON-FRI", "UTC"));
    let job = "eod.a".parse().unwrap();
    let now = "2026-10-30T12:00:00Z".parse().unwrap();
    let reasons = |day| {
        let date = BusinessDate(date(2026, 10, day));
        of_why_unopened::why_unopened(&site, &job, date, now).unwrap().reasons
    };
    let tonight = "2026-10-30T21:30:00Z".parse().ok();
    let batch = job.batch.clone();
    assert_eq!(reasons(30), [Reason::BatchNotStarted { batch: batch.clone(), next: tonight }]);
    assert!(matches!(&reasons(31)[..], [Reason::NotItsDay(_)]));
    let former = BusinessDate(date(2026, 10, 29));
    assert_eq!(reasons(29), [Reason::BatchPast { batch, date: former }]);
    assert!(
        of_why_unopened::why_unopened(
            &site,
            &"eod.z".parse().unwrap(),
            BusinessDate(date(2026, 10, 30)),
            now
        )
        .is_none()
    );
}

#[test]
fn facts_become_lines_and_a_good_ending_is_told_once() {
    let mut night = night();
    night.good("a");
    night.bad("b");
    let lines: Vec<Told> = night
        .facts
        .iter()
        .filter_map(|(at, fact)| of_fact::event(night.core.state(), *at, fact))
        .map(|line| line.what)
        .collect();
    let of = |job: &str| {
        let told = |line: &&Told| match line {
            Told::Ended { job: told, .. } | Told::Settled { job: told, .. } => told.as_str() == job,
            _ => false,
        };
        lines.iter().filter(told).count()
    };
    assert_eq!((of("a"), of("b"), of("c")), (1, 2, 1));
    assert!(matches!(&lines[0], Told::RunOpened { jobs: 4, .. }));
}
