//! Work that by expected times is not done, or does not get in, before the window closes that is open now.

use std::collections::BTreeSet;
use std::time::Duration;

use jiff::Timestamp;

use super::forecast::{self, Forecast, JobForecast, RunForecast};
use super::gate;
use super::incident::Fault;
use super::needs::Verdict;
use super::night::Core;
use super::state::Run;
use super::window::{Gate, Subject};
use crate::definition::site::NeedOf;
use crate::types::{JobName, Now, RunId};

/// A job of a run under way, with the close of its window.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Closing {
    pub run: RunId,
    pub job: JobName,
    pub closes: Timestamp,
    /// When it is expected to be done, or to start where it has not.
    pub expected: Timestamp,
}

/// Of each run what its windows close on. What was planned for a later opening is in time there, and what never starts by
/// itself has an incident of its own.
pub fn closing(core: &Core, ahead: &Forecast, now: Now) -> Vec<Closing> {
    let under_way = core.state().runs.values().filter(|run| {
        run.result.is_none() && !run.opened.trial && run.opened.window_override.is_none()
    });
    let of_run = |run: &Run| {
        let forecast = ahead.runs.get(run.id());
        forecast.map(|forecast| of_run(core, run, forecast, now)).unwrap_or_default()
    };
    under_way.flat_map(of_run).collect()
}

fn of_run(core: &Core, run: &Run, forecast: &RunForecast, now: Now) -> Vec<Closing> {
    let mut planned = None;
    let mut closing = Vec::new();
    for (index, ahead) in forecast.jobs.iter().enumerate() {
        if let Some((closes, expected)) = still_so(core, run, index, ahead, now) {
            let (run, job) = (run.id().clone(), run.job(index).name.clone());
            closing.push(Closing { run, job, closes, expected });
            continue;
        }
        let Some((closes, expected)) = passes(core, run, index, ahead, now) else { continue };
        if waits_elsewhere(core, run, index, &mut BTreeSet::new()) {
            continue;
        }
        let begun = run.jobs[index].phase.in_flight();
        let as_planned = || forecast::as_opened(run).ok();
        // Where the plan cannot be made anew there is nothing to say that it was to be so.
        let to_be_so = !begun
            && planned.get_or_insert_with(as_planned).as_ref().is_some_and(|planned| {
                planned.jobs.get(index).and_then(|job| job.start).is_some_and(|at| at > closes)
            });
        if !to_be_so {
            let (run, job) = (run.id().clone(), run.job(index).name.clone());
            closing.push(Closing { run, job, closes, expected });
        }
    }
    closing
}

/// What was told of a job of which nobody knows by now when it starts: while it is held, or waits for a person, nothing is well.
fn still_so(
    core: &Core,
    run: &Run,
    index: usize,
    ahead: &JobForecast,
    now: Now,
) -> Option<(Timestamp, Timestamp)> {
    if ahead.start.is_some() || run.jobs[index].phase.outcome().is_some() {
        return None;
    }
    let name = &run.job(index).name;
    let ours = core
        .state()
        .unfinished()
        .filter(|incident| incident.is_open() && incident.what.run.as_ref() == Some(run.id()));
    ours.flat_map(|incident| incident.about()).find_map(|(job, fault)| match fault {
        Fault::WindowCloses { closes, expected } if job == Some(name) && *closes > now.wall => {
            Some((*closes, *expected))
        }
        _ => None,
    })
}

/// Whether it waits for a job of another run, or what it needs does: the plan knows nothing of when that ends.
fn waits_elsewhere(core: &Core, run: &Run, index: usize, seen: &mut BTreeSet<usize>) -> bool {
    if !seen.insert(index) || !run.jobs[index].attempts.is_empty() {
        return false;
    }
    run.job(index).needs.iter().any(|need| match &need.of {
        NeedOf::Across { .. } => gate::needs_verdict(core.state(), run, index) != Verdict::Go,
        NeedOf::Job(name) => {
            let open = run.index(name).filter(|at| run.jobs[*at].phase.outcome().is_none());
            open.is_some_and(|at| waits_elsewhere(core, run, at, seen))
        }
    })
}

/// The close of the window that is open now, and the time behind it at which the job is expected to be done or to start.
fn passes(
    core: &Core,
    run: &Run,
    index: usize,
    ahead: &JobForecast,
    now: Now,
) -> Option<(Timestamp, Timestamp)> {
    let classes = gate::windows(run, index);
    let state = &run.jobs[index];
    if classes.is_empty() || state.phase.outcome().is_some() {
        return None;
    }
    // Of one that is tried again the first start is past: it is done in time, or does not get in again.
    let expected = if state.attempts.is_empty() { ahead.start } else { ahead.end }?;
    let subject = Subject {
        batch: &run.batch.id,
        target: gate::target(run, index),
        host: &run.job(index).host,
        ordered: &core.state().standing.freezes,
    };
    let rules = core.rules_of(run).ok()?;
    match rules.windows.gate(&classes, subject, now.wall, Duration::ZERO) {
        Gate::Open { closes: Some(closes) } if expected > closes => Some((closes, expected)),
        Gate::Open { .. } | Gate::Closed { .. } => None,
    }
}

#[cfg(test)]
mod tests {
    use jiff::civil::time;

    use super::*;
    use crate::core::fact::{Action, Deadline};
    use crate::core::incident::Foreseen;
    use crate::core::night::Event;
    use crate::core::test_night::{Night, name, site};
    use crate::core::test_site::{job, rule};
    use crate::definition::site::{Batch, Days, Job, Need, Opening, Window};
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
        let behind = |of: &Closing| of.expected.duration_since(of.closes).as_mins();
        found.iter().map(|of| format!("{}: {}", of.job, behind(of))).collect()
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
            expected: closes + Duration::from_secs(3600),
        };
        night.must(Event::Foresee { late: Vec::new(), closing: vec![of_b] });
        assert_eq!(open(&night).len(), 1);
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
        assert!(passes(&night.core, night.run(), index, &again, night.now).is_some());
    }

    /// A job that waits for one of another run: the plan takes that as done, and it never was to be.
    #[test]
    fn what_waits_for_another_run_is_not_told_of() {
        let mut night = night(23, false);
        night.pass(62 * 60);
        let (index, mut run) = (night.index("b"), night.run().clone());
        let ahead = forecast::of_night(&night.core, night.now).unwrap();
        let ahead = ahead.runs[&night.run_id()].clone();
        assert_eq!(of_run(&night.core, &run, &ahead, night.now).len(), 1);
        let of = NeedOf::Across { job: "eod.close".parse().unwrap(), offset: 0 };
        let mut batch = Batch::clone(&run.batch);
        batch.jobs[index].needs.push(Need { of, when: Condition::Ok });
        run.batch = std::sync::Arc::new(batch);
        assert_eq!(of_run(&night.core, &run, &ahead, night.now), []);
    }

    #[test]
    fn what_runs_past_the_close_is_told() {
        let mut night = night(23, true);
        let index = night.index("a");
        let ahead = forecast::of_night(&night.core, night.now).unwrap();
        let mut longer = ahead.runs[&night.run_id()].jobs[index].clone();
        longer.end = Some("2026-10-30T23:10:00Z".parse().unwrap());
        let found = passes(&night.core, night.run(), index, &longer, night.now);
        let (closes, expected) = found.unwrap();
        assert_eq!(expected.duration_since(closes).as_mins(), 10);
        assert_eq!((look(&mut night), open(&night)), (vec![], vec![]));
    }
}
