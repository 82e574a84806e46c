//! Work that by expected times is not done, or does not get in, before the window closes that is open now; and work that
//! still runs though its window has closed.

use std::collections::BTreeSet;
use std::time::Duration;

use jiff::Timestamp;

use super::change::{self, Missing};
use super::forecast::{self, Forecast, JobForecast, RunForecast};
use super::gate;
use super::incident::Fault;
use super::needs::Verdict;
use super::night::Core;
use super::obstacle::Obstacle;
use super::placement;
use super::state::Run;
use super::window::{Gate, Subject};
use crate::definition::site::NeedOf;
use crate::types::{JobName, Now, RunId};

/// A job of a run under way, with the close of its window.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Closing {
    pub run: RunId,
    pub job: JobName,
    /// Where that is past the job still runs.
    pub closes: Timestamp,
    /// When it is expected to be done, or to start where it has not; `None`: it never starts by itself.
    pub expected: Option<Timestamp>,
}

/// Of each run what its windows close on. What was planned for a later opening is in time there, and what never starts by
/// itself has an incident of its own, but for a change that is too late for the window of its list.
pub fn closing(core: &Core, ahead: &Forecast, now: Now) -> Vec<Closing> {
    let runs = core.state().runs.values();
    let under_way = runs.filter(|run| run.result.is_none() && !run.opened.trial);
    let looks = under_way.filter_map(|run| {
        let forecast = ahead.runs.get(run.id())?;
        Some(Look { core, run, forecast, now })
    });
    looks.flat_map(|look| look.found()).collect()
}

/// When a window closes, and when what it closes on is expected.
type Passed = (Timestamp, Option<Timestamp>);

/// A look at one run.
struct Look<'a> {
    core: &'a Core,
    run: &'a Run,
    forecast: &'a RunForecast,
    now: Now,
}

impl Look<'_> {
    fn found(&self) -> Vec<Closing> {
        let mut planned = None;
        let mut found = Vec::new();
        for (index, ahead) in self.forecast.jobs.iter().enumerate() {
            let known = self.still_so(index, ahead);
            let Some((closes, expected)) = known.or_else(|| self.passes(index, ahead)) else {
                continue;
            };
            let told_of = known.is_some() || self.run.jobs[index].phase.in_flight();
            if !told_of && self.waits_elsewhere(index, &mut BTreeSet::new()) {
                continue;
            }
            let as_planned = || self.as_planned();
            // Where the plan cannot be made anew there is nothing to say that it was to be so.
            let to_be_so = !told_of
                && planned.get_or_insert_with(as_planned).as_ref().is_some_and(|planned| {
                    let job: Option<&JobForecast> = planned.jobs.get(index);
                    job.and_then(|job| job.start).is_some_and(|at| at > closes)
                });
            if !to_be_so {
                let (run, job) = (self.run.id().clone(), self.run.job(index).name.clone());
                found.push(Closing { run, job, closes, expected });
            }
        }
        found
    }

    fn as_planned(&self) -> Option<RunForecast> {
        let lives = &self.core.state().standing.changes;
        forecast::as_opened_by(self.run, lives.clone()).ok()
    }

    /// What was told of a job of which nobody knows by now when it starts: while it is held, or waits for a person, nothing
    /// is well.
    fn still_so(&self, index: usize, ahead: &JobForecast) -> Option<Passed> {
        if ahead.start.is_some() || self.run.jobs[index].phase.outcome().is_some() {
            return None;
        }
        let name = &self.run.job(index).name;
        let ours = self.core.state().unfinished().filter(|incident| {
            incident.is_open() && incident.what.run.as_ref() == Some(self.run.id())
        });
        ours.flat_map(|incident| incident.about()).find_map(|(job, fault)| match fault {
            Fault::WindowCloses { closes, expected }
                if job == Some(name) && *closes > self.now.wall =>
            {
                Some((*closes, *expected))
            }
            _ => None,
        })
    }

    /// Whether it waits for a job of another run, or what it needs does: the plan knows nothing of when that ends.
    fn waits_elsewhere(&self, index: usize, seen: &mut BTreeSet<usize>) -> bool {
        let run = self.run;
        if !seen.insert(index) || !run.jobs[index].attempts.is_empty() {
            return false;
        }
        run.job(index).needs.iter().any(|need| match &need.of {
            NeedOf::Across { .. } => {
                gate::needs_verdict(self.core.state(), run, index) != Verdict::Go
            }
            NeedOf::Job(name) => {
                let open = run.index(name).filter(|at| run.jobs[*at].phase.outcome().is_none());
                open.is_some_and(|at| self.waits_elsewhere(at, seen))
            }
        })
    }

    /// The close of the window that is open now, or in which it has begun, where it is behind that.
    fn passes(&self, index: usize, ahead: &JobForecast) -> Option<Passed> {
        let state = &self.run.jobs[index];
        // What only looks is in nobody's way.
        if state.phase.outcome().is_some() || self.run.job(index).kind.only_looks() {
            return None;
        }
        let now = self.now.wall;
        let works = state.phase.in_flight() && !state.is_examined();
        let begun = state.attempts.last().filter(|_| works);
        let closes = self.closes(index, begun.map_or(now, |attempt| attempt.intended))?;
        if closes <= now {
            return Some((closes, ahead.end));
        }
        // Of one that is tried again the first start is past: it is done in time, or does not get in again.
        let expected = if state.attempts.is_empty() { ahead.start } else { ahead.end };
        let never = || {
            let mut obstacles = ahead.obstacles.iter();
            obstacles.any(|of| matches!(of, Obstacle::NotCleared(Missing::WindowPassed { .. })))
        };
        match expected {
            Some(at) => (at > closes).then_some((closes, expected)),
            None => never().then_some((closes, None)),
        }
    }

    /// When the windows close that are open at an instant to a job; `None`: it is bound to none, or not all are open.
    fn closes(&self, index: usize, at: Timestamp) -> Option<Timestamp> {
        let (core, run) = (self.core, self.run);
        let rules = core.rules_of(run).ok()?;
        if let Some(closes) = change::closes(core.state(), rules, (run, index), at) {
            return closes;
        }
        let classes = gate::windows(run, index);
        if classes.is_empty() || run.opened.window_override.is_some() {
            return None;
        }
        let (batch, target) = (&run.batch.id, gate::target(run, index));
        let ordered = &core.state().standing.freezes;
        let gate = placement::any_gate(core.state(), run, index, |host| {
            let subject = Subject { batch, target, host, ordered };
            rules.windows.gate(&classes, subject, at, Duration::ZERO)
        });
        match gate {
            Gate::Open { closes } => closes,
            Gate::Closed { .. } => None,
        }
    }
}

#[cfg(test)]
#[path = "closing_tests.rs"]
mod tests;
