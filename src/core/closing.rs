//! Work that by expected times is not done, or does not get in, before the window closes that is open now.

use std::time::Duration;

use jiff::Timestamp;

use super::forecast::{self, Forecast, JobForecast, RunForecast};
use super::gate;
use super::night::Core;
use super::state::Run;
use super::window::{Gate, Subject};
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
        let Some((closes, expected)) = passes(core, run, index, ahead, now) else { continue };
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
    let expected = if state.phase.in_flight() { ahead.end } else { ahead.start }?;
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
    use crate::core::incident::Fault;
    use crate::core::night::Event;
    use crate::core::test_night::{Night, name, site};
    use crate::core::test_site::{job, rule};
    use crate::definition::site::{Days, Job, Opening, Window};
    use crate::types::{IncidentId, Span, Text, WindowClass, Zone};

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
        // The window has closed: nothing is foreseen any more, and nothing is well either.
        night.pass(30 * 60);
        assert_eq!(look(&mut night), [""; 0]);
        assert_eq!(open(&night).len(), 1);
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
