//! What windows close on, as a small night has it.

use jiff::civil::time;

use super::*;
use crate::core::containment::{self, Offer};
use crate::core::fact::{Action, Deadline};
use crate::core::incident::{Foreseen, IncidentOrder, IncidentStep, Wanted};
use crate::core::night::Event;
use crate::core::select::Deed;
use crate::core::test_night::{Night, name, site};
use crate::core::test_site::{job, rule};
use crate::definition::site::{Batch, Days, Job, Kind, Need, Opening, Window};
use crate::types::{Condition, IncidentId, Span, Text, WindowClass, Zone};

/// `a`, then `b` in a window that is open until the hour; each takes 20 minutes. It is 21:30.
fn night(closes: i8, first_also: bool) -> Night {
    let class = WindowClass::new("core").unwrap();
    let takes = |name: &str, needs: &[&str], bound: bool| Job {
        expected: Some(Span::seconds(20 * 60)),
        window: bound.then(|| class.clone()),
        ..job(name, needs)
    };
    let jobs = vec![takes("a", &[], first_also), takes("b", &["a"], true)];
    let mut site = site(jobs);
    let open = Opening {
        days: rule(Days::EveryDay, 0),
        from: time(20, 0, 0, 0),
        to: time(closes, 0, 0, 0),
        zone: Zone::utc(),
        only_while: None,
    };
    site.windows.insert(class, Window { title: Text::en("Core"), open: vec![open] });
    Night::with(site, |_| {})
}

/// What is told of now, as `job: minutes behind the close`.
fn look(night: &mut Night) -> Vec<String> {
    let ahead = forecast::of_night(&night.core, night.now).unwrap();
    let found = closing(&night.core, &ahead, night.now);
    night.must(Event::Foresee { late: Vec::new(), closing: found.clone() });
    let behind = |of: &Closing| of.expected.unwrap().duration_since(of.closes).as_mins();
    found.iter().map(|of| format!("{}: {}", of.job, behind(of))).collect()
}

/// What is found of one job that is expected to go so.
fn passes(night: &Night, index: usize, ahead: &JobForecast) -> Option<Passed> {
    let forecast = RunForecast { end: None, jobs: Vec::new() };
    let (core, run, now) = (&night.core, night.run(), night.now);
    Look { core, run, forecast: &forecast, now }.passes(index, ahead)
}

fn open(night: &Night) -> Vec<(u64, Option<String>)> {
    let open = night.core.state().incidents.values().filter(|incident| incident.is_open());
    open.map(|known| (known.what.incident.0, known.what.job.as_ref().map(ToString::to_string)))
        .collect()
}

#[test]
fn what_will_not_get_in_any_more_is_told_once_and_is_over_when_it_got_in_or_will() {
    // Until 23:00 there is time: 21:50 and 30 minutes.
    let mut night = night(23, false);
    assert_eq!((look(&mut night), open(&night)), (vec![], vec![]));
    // `a` hangs: behind it `b` would have to start by 22:30.
    night.pass(62 * 60);
    let told = look(&mut night);
    assert_eq!((told.len(), open(&night)), (1, vec![(1, Some("b".to_owned()))]), "{told:?}");
    let fault = &night.core.state().incidents[&IncidentId(1)].what.fault;
    assert!(matches!(fault, Fault::WindowCloses { .. }), "{fault:?}");
    night.pass(60);
    look(&mut night);
    assert_eq!(open(&night).len(), 1, "once");
    let steps = night.core.state().incidents[&IncidentId(1)].steps.clone();
    assert_eq!(steps, []);
    // Nobody knows when it starts once it is held: it is not well for that.
    night.act(Action::Hold { job: name("b") }).unwrap();
    assert_eq!((look(&mut night).len(), open(&night).len()), (1, 1));
    night.act(Action::Release { job: name("b") }).unwrap();
    // That the whole run is late is another matter, and of a higher grade.
    let foreseen = Foreseen {
        run: night.run_id(),
        job: None,
        deadline: Deadline::MustCompleteBy,
        due: night.now.wall + Duration::from_secs(600),
        expected: night.now.wall + Duration::from_secs(900),
    };
    let ahead = forecast::of_night(&night.core, night.now).unwrap();
    let found = closing(&night.core, &ahead, night.now);
    night.must(Event::Foresee { late: vec![foreseen], closing: found });
    assert_eq!(open(&night), [(1, Some("b".to_owned())), (2, None)]);
    look(&mut night);
    // The window has closed: nothing is foreseen any more, and nothing is well either.
    night.pass(30 * 60);
    assert_eq!(look(&mut night), [""; 0]);
    assert_eq!(open(&night), [(1, Some("b".to_owned()))]);
}

#[test]
fn what_recovers_before_the_close_is_over_and_a_fault_of_the_job_takes_it_in() {
    let mut night = night(23, true);
    night.pass(70 * 60);
    // Both: `a` cannot be done, as far as is known it ends now; `b` cannot get in.
    assert_eq!(look(&mut night).len(), 1);
    assert_eq!(open(&night), [(1, Some("b".to_owned()))]);
    night.must(Event::Foresee { late: Vec::new(), closing: Vec::new() });
    assert_eq!(open(&night), [], "it will get in after all");
    // What stands behind a failure is part of that.
    night.bad("a");
    assert_eq!(open(&night), [(2, Some("a".to_owned()))]);
    let closes = night.now.wall + Duration::from_secs(60);
    let of_b = Closing {
        run: night.run_id(),
        job: name("b"),
        closes,
        expected: Some(closes + Duration::from_secs(3600)),
    };
    let known = |night: &Night| night.core.state().incidents[&IncidentId(2)].clone();
    for _ in 0..2 {
        night.must(Event::Foresee { late: Vec::new(), closing: vec![of_b.clone()] });
        let (open, steps) = (open(&night).len(), known(&night).steps);
        assert_eq!((open, steps.len()), (1, 1), "one step, once: {steps:?}");
        let of_b = |step: &IncidentStep| matches!(step, IncidentStep::Repeated { job: Some(job), fault: Fault::WindowCloses { .. }, .. } if *job == name("b"));
        assert!(of_b(&steps[0].step), "{steps:?}");
    }
    // The failure is mended: what was only foreseen behind it keeps nothing open.
    night.act(Action::Force { job: name("a") }).unwrap();
    assert_eq!(open(&night), []);
}

#[test]
fn what_still_runs_when_its_window_has_closed_is_told_once_with_what_ends_it() {
    let mut night = night(23, true);
    night.pass(62 * 60);
    look(&mut night);
    assert_eq!(open(&night), [(1, Some("b".to_owned()))], "which does not get in any more");
    night.pass(27 * 60);
    assert_eq!(look(&mut night), ["b: 1260"], "22:59: it may be done in time");
    for _ in 0..2 {
        night.pass(60);
        assert_eq!(look(&mut night).len(), 1);
        let both = [(1, Some("b".to_owned())), (2, Some("a".to_owned()))];
        assert_eq!(open(&night), both);
        assert_eq!(night.core.state().incidents[&IncidentId(2)].steps, []);
    }
    let incident = &night.core.state().incidents[&IncidentId(2)];
    let closed = "2026-10-30T23:00:00Z".parse().unwrap();
    assert_eq!(incident.what.fault, Fault::RunsOver { closed });
    let offers = containment::offers(&night.core, incident);
    let kill = Offer::Act { jobs: Some("a".to_owned()), action: Deed::Kill };
    assert_eq!(offers[0], kill, "{offers:?}");
    // Somebody lets it go on: that is known, and told no more.
    let wanted = Wanted::Resolve { cause: "the regulator waits".into(), measure: "none".into() };
    let order = Box::new(IncidentOrder::Step { incident: IncidentId(2), wanted });
    let by = "li-wei".parse().unwrap();
    night.must(Event::Incident { by, reason: String::new(), order });
    night.pass(60);
    look(&mut night);
    assert_eq!(open(&night), [(1, Some("b".to_owned()))]);
}

/// Whoever has opened the window by an order knows that it is closed.
#[test]
fn a_run_that_was_let_out_of_its_windows_is_not_told_of() {
    let mut night = night(23, true);
    night.pass(91 * 60);
    let mut run = night.run().clone();
    let forecast = forecast::of_night(&night.core, night.now).unwrap().runs[run.id()].clone();
    let found = |run: &Run| {
        let (core, now) = (&night.core, night.now);
        Look { core, run, forecast: &forecast, now }.found().len()
    };
    assert_eq!(found(&run), 1);
    run.opened.window_override = Some("the regulator waits".to_owned());
    assert_eq!(found(&run), 0);
}

#[test]
fn what_was_planned_for_a_later_opening_is_in_time_there() {
    // From 22:00 there would not be room: it was to be so from the beginning.
    let mut night = night(22, false);
    assert_eq!((look(&mut night), open(&night)), (vec![], vec![]));
}

/// The first start of what is tried again is past.
#[test]
fn what_is_tried_again_behind_the_close_is_told() {
    let mut night = night(23, true);
    let index = night.index("a");
    let ahead = forecast::of_night(&night.core, night.now).unwrap();
    let planned = ahead.runs[&night.run_id()].jobs[index].clone();
    night.bad("a");
    let (start, end) = (planned.start, Some("2026-10-30T23:05:00Z".parse().unwrap()));
    let again = JobForecast { start, end, ..planned };
    night.act(Action::Retry { job: name("a") }).unwrap();
    assert!(passes(&night, index, &again).is_some());
}

/// A job that waits for one of another run: the plan takes that as done, and it never was to be.
#[test]
fn what_waits_for_another_run_is_not_told_of() {
    let mut night = night(23, false);
    night.pass(62 * 60);
    let (index, mut run) = (night.index("b"), night.run().clone());
    let forecast = forecast::of_night(&night.core, night.now).unwrap().runs[run.id()].clone();
    let found = |run: &Run| {
        let (core, now) = (&night.core, night.now);
        Look { core, run, forecast: &forecast, now }.found().len()
    };
    assert_eq!(found(&run), 1);
    let of = NeedOf::Across { job: "eod.close".parse().unwrap(), offset: 0 };
    let mut batch = Batch::clone(&run.batch);
    batch.jobs[index].needs.push(Need { of, when: Condition::Ok });
    run.batch = std::sync::Arc::new(batch);
    assert_eq!(found(&run), 0);
}

#[test]
fn what_runs_past_the_close_is_told() {
    let mut night = night(23, true);
    let index = night.index("a");
    let ahead = forecast::of_night(&night.core, night.now).unwrap();
    let mut longer = ahead.runs[&night.run_id()].jobs[index].clone();
    longer.end = Some("2026-10-30T23:10:00Z".parse().unwrap());
    let (closes, expected) = passes(&night, index, &longer).unwrap();
    assert_eq!(expected.unwrap().duration_since(closes).as_mins(), 10);
    assert_eq!((look(&mut night), open(&night)), (vec![], vec![]));
}

/// What stands behind a job was told as part of it: whoever has resolved that is not woken for the rest.
#[test]
fn what_was_told_as_part_of_a_resolved_incident_is_told_no_more() {
    let mut night = night(23, true);
    night.pass(70 * 60);
    night.bad("a");
    let closes = "2026-10-30T23:00:00Z".parse().unwrap();
    let of = |job: &str| Closing { run: night.run_id(), job: name(job), closes, expected: None };
    let found = vec![of("a"), of("b")];
    night.must(Event::Foresee { late: Vec::new(), closing: found.clone() });
    let known = &night.core.state().incidents[&IncidentId(1)];
    assert!(known.blocks.contains(&name("b")), "{known:?}");
    let told_of_b = known.about().any(|(job, _)| job == Some(&name("b")));
    assert!(!told_of_b, "once for both: {known:?}");
    let wanted = Wanted::Resolve { cause: "the feed".into(), measure: "by hand".into() };
    let order = Box::new(IncidentOrder::Step { incident: IncidentId(1), wanted });
    let by = "li-wei".parse().unwrap();
    night.must(Event::Incident { by, reason: String::new(), order });
    assert_eq!(open(&night), []);
    night.must(Event::Foresee { late: Vec::new(), closing: found });
    assert_eq!(open(&night), []);
}

/// It is in nobody's way, before its window has closed and after.
#[test]
fn what_only_looks_is_not_told_of() {
    let mut night = night(23, true);
    let index = night.index("a");
    let forecast = forecast::of_night(&night.core, night.now).unwrap();
    let mut longer = forecast.runs[&night.run_id()].jobs[index].clone();
    longer.end = Some("2026-10-30T23:10:00Z".parse().unwrap());
    assert!(passes(&night, index, &longer).is_some());
    night.pass(91 * 60);
    assert!(passes(&night, index, &longer).is_some());
    let mut run = night.run().clone();
    let mut batch = Batch::clone(&run.batch);
    batch.jobs[index].kind = Kind::Inspect { target: None, checks: Vec::new() };
    run.batch = std::sync::Arc::new(batch);
    let forecast = RunForecast { end: None, jobs: Vec::new() };
    for wall in ["2026-10-30T22:00:00Z", "2026-10-30T23:01:00Z"] {
        let now = Now { wall: wall.parse().unwrap(), ..night.now };
        let look = Look { core: &night.core, run: &run, forecast: &forecast, now };
        assert_eq!(look.passes(index, &longer), None, "{wall}");
    }
}
