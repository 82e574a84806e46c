use std::collections::BTreeMap;
use std::time::Duration;

use jiff::Timestamp;
use jiff::civil::{date, time};

use super::event::Event as Told;
use super::job::{JobState, StateWord};
use super::of_job::Around;
use super::report::{Act, OpenPoint};
use super::run::DeadlineState;
use super::why::Reason;
use super::{of_fact, of_incident, of_run, of_why, of_why_unopened};
use crate::core::fact::{Action, Deadline};
use crate::core::forecast;
use crate::core::test_night::{Night, name, site};
use crate::core::test_site::job;
use crate::definition::site::{DayRule, Days, Freeze, FreezeScope, Job, Opening, Window};
use crate::types::{
    BusinessDate, Ending, HostName, IncidentId, Severity, Span, Text, WindowClass, Zone,
};

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
fn windows_and_freezes_of_jobs_that_take_part_are_bands() {
    let at = |text: &str| text.parse::<Timestamp>().unwrap();
    let class = WindowClass::new("night-change").unwrap();
    let bound = Job { window: Some(class.clone()), ..takes("a", &[], 600) };
    let mut site = site(vec![bound, takes("b", &["a:failed"], 60)]);
    let open = |from: i8, to: i8| Opening {
        days: DayRule { days: Days::EveryDay, offset: 0, calendar: None },
        from: time(from, 0, 0, 0),
        to: time(to, 0, 0, 0),
        zone: Zone::utc(),
        only_while: None,
    };
    let window = |open| Window { title: Text::en("Night"), open };
    site.windows.insert(class.clone(), window(vec![open(21, 22), open(23, 1)]));
    site.windows.insert(WindowClass::new("other").unwrap(), window(vec![open(21, 22)]));
    let freeze = |host: &str, from, to| Freeze {
        reason: Text::en(host),
        from: at(from),
        to: at(to),
        scope: FreezeScope { hosts: vec![HostName::new(host).unwrap()], ..FreezeScope::default() },
    };
    site.freezes = vec![
        freeze("elsewhere", "2026-10-30T00:00:00Z", "2026-11-30T00:00:00Z"),
        freeze("local", "2026-10-30T22:30:00Z", "2026-10-31T22:30:00Z"),
        freeze("local", "2026-10-30T00:00:00Z", "2026-10-30T12:00:00Z"),
    ];
    let eod = site.batches.values_mut().next().unwrap();
    std::sync::Arc::make_mut(eod).must_complete_by = Some(time(2, 0, 0, 0));
    let mut night = Night::with(site.clone(), |_| {});
    let bands = |night: &Night| {
        let page = of_run::status(&night.core, &night.run_id(), night.now, Around::nothing());
        page.unwrap().head.bands
    };
    let known = bands(&night);
    let spans: Vec<_> = known.iter().map(|band| (&band.window, band.spans.clone())).collect();
    let (open, due) = (at("2026-10-30T21:30:00Z"), at("2026-10-31T02:00:00Z"));
    let wanted = vec![
        (open, at("2026-10-30T22:00:00Z")),
        (at("2026-10-30T23:00:00Z"), at("2026-10-31T01:00:00Z")),
    ];
    let frozen = vec![(at("2026-10-30T22:30:00Z"), due)];
    assert_eq!(spans, [(&Some(class), wanted), (&None, frozen)], "cut to the time of the run");
    night.pass(1);
    night.good("a");
    assert_eq!(bands(&night).len(), 2, "what is over is drawn all the same");
    // One that is made up for counts from long ago: nothing is drawn of all that time.
    let late = Night::with(site, |opened| opened.anchor = at("2026-09-01T21:30:00Z"));
    let begin: Vec<_> = bands(&late).iter().map(|band| band.spans[0].0).collect();
    let (day_before, frozen) = (at("2026-10-29T21:30:00Z"), at("2026-10-30T00:00:00Z"));
    assert_eq!(begin, [day_before, frozen]);
}

#[test]
fn a_report_tells_which_deadlines_were_kept() {
    let mut urgent = takes("a", &[], 600);
    urgent.must_start_by = Some(time(21, 45, 0, 0));
    urgent.must_complete_by = Some(time(21, 40, 0, 0));
    let mut site = site(vec![urgent, takes("b", &["a"], 60)]);
    let eod = site.batches.values_mut().next().unwrap();
    std::sync::Arc::make_mut(eod).must_complete_by = Some(time(22, 0, 0, 0));
    let mut night = Night::with(site, |_| {});
    let deadlines = |night: &Night| {
        let (run, at) = (night.run_id(), night.now.wall);
        let report =
            of_run::report(&night.core, &run, night.now, Around::nothing(), None, at).unwrap();
        let lines = report.deadlines.into_iter();
        let lines = lines.map(|line| {
            let job = line.job.map(|job| job.to_string()).unwrap_or_default();
            (job, line.deadline, line.met.is_some(), line.missed)
        });
        lines.collect::<Vec<_>>()
    };
    let (start, end) = (Deadline::MustStartBy, Deadline::MustCompleteBy);
    let line = |job: &str, deadline, met, missed| (job.to_owned(), deadline, met, missed);
    let open = [line("", end, false, false), line("a", start, false, false)];
    assert_eq!(deadlines(&night)[..2], open);
    let (attempt, at) = (night.attempt("a"), night.now.wall);
    night.must(crate::core::night::Event::Started { attempt, pid: 1, at });
    night.pass(900);
    night.good("a");
    night.good("b");
    let kept =
        [line("", end, true, false), line("a", start, true, false), line("a", end, true, true)];
    assert_eq!(deadlines(&night), kept);
}

#[test]
fn a_report_is_signed_when_the_run_is_over_and_signed_anew_when_it_was_opened_again() {
    let mut night = night();
    let sign = || Action::Sign { shifts: Vec::new() };
    let refused = night.act(sign()).unwrap_err();
    assert!(refused.to_string().contains("under way"), "{refused}");
    for job in ["a", "b", "c"] {
        night.good(job);
    }
    night.bad("d");
    night.pass(60);
    night.act(sign()).unwrap();
    let signed = |night: &Night| {
        let (run, at) = (night.run_id(), night.now.wall);
        let report =
            of_run::report(&night.core, &run, night.now, Around::nothing(), None, at).unwrap();
        report.signatures().map(|line| line.by.name.en.clone()).collect::<Vec<_>>()
    };
    assert!(night.run().result.is_some(), "a signature sets nothing going");
    assert_eq!(signed(&night), ["Li Wei"]);
    night.pass(60);
    night.act(Action::Retry { job: name("d") }).unwrap();
    assert!(signed(&night).is_empty(), "under way");
    night.good("d");
    assert!(signed(&night).is_empty(), "what was signed was another end");
}

#[test]
fn limits_of_the_contract_are_those_of_the_incidents_of_the_run() {
    let mut night = night();
    night.bad("a");
    let incidents = &night.core.state().incidents;
    let clocks: usize = incidents.values().map(|incident| incident.clocks.len()).sum();
    let (run, at) = (night.run_id(), night.now.wall);
    let report = of_run::report(&night.core, &run, night.now, Around::nothing(), None, at).unwrap();
    assert_eq!(report.limits.len(), clocks);
    assert!(report.limits.iter().all(|line| line.incident == IncidentId(1)));
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
