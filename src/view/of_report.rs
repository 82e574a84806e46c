//! From a run's state to what its report says beside its jobs: deadlines, limits of the contract, who was on shift.

use jiff::civil::Date;
use jiff::{Timestamp, ToSpan};

use super::job::{JobLine, StateWord};
use super::report::{DeadlineLine, LimitLine};
use super::roster::{self, ShiftLine};
use super::{Who, of_incident};
use crate::core::fact::{Deadline, RunResult};
use crate::core::night::Core;
use crate::core::roster::Roster;
use crate::core::state::Run;

const KINDS: [Deadline; 2] = [Deadline::MustStartBy, Deadline::MustCompleteBy];

/// Deadlines of the run, then those of its jobs in the order of the file; jobs of another day have none.
pub(super) fn deadlines(run: &Run, jobs: &[JobLine], now: Timestamp) -> Vec<DeadlineLine> {
    let over = run.result.map(|_| run.ended_at.unwrap_or(now));
    let of_run = KINDS.into_iter().filter_map(|deadline| {
        let due = run.due(None, deadline)?;
        let missed = run.missed.iter().any(|m| m.job.is_none() && m.deadline == deadline);
        let met = match deadline {
            Deadline::MustStartBy => jobs.iter().filter_map(|job| job.started).min(),
            Deadline::MustCompleteBy => {
                over.filter(|_| run.result.is_some_and(|r| r == RunResult::Well))
            }
        };
        Some(DeadlineLine { job: None, deadline, due, met, missed })
    });
    let taking_part = jobs.iter().filter(|job| job.state.word() != StateWord::NotScheduled);
    let of_jobs = taking_part.flat_map(|job| {
        let index = run.index(&job.name);
        KINDS.into_iter().filter_map(move |deadline| {
            let due = run.due(Some(index?), deadline)?;
            let missed = job.late.iter().any(|late| late.deadline == deadline);
            let met = match deadline {
                Deadline::MustStartBy => job.started,
                Deadline::MustCompleteBy => job.ended.filter(|_| job.state.word().is_done()),
            };
            Some(DeadlineLine { job: Some(job.name.clone()), deadline, due, met, missed })
        })
    });
    of_run.chain(of_jobs).collect()
}

/// Limits of the contract for the incidents of the run; a drill has none.
pub(super) fn limits(core: &Core, run: &Run) -> Vec<LimitLine> {
    let incidents = core.state().incidents.values();
    let own = incidents.filter(|known| known.what.run.as_ref() == Some(run.id()));
    let own = own.filter(|known| !known.is_drill());
    own.flat_map(|known| {
        of_incident::clocks(known).map(|clock| LimitLine {
            incident: known.what.incident,
            opened: known.opened,
            owner: known.owner.as_ref().map(|id| Who::of(&run.site, id)),
            clock,
        })
    })
    .collect()
}

/// Shifts that somebody had while the run went on, by the roster in force; those that began first come first. None of a
/// trial, and none where no roster is at hand.
pub(super) fn shifts(core: &Core, run: &Run, now: Timestamp) -> Vec<ShiftLine> {
    let Some(on_call) = core.on_call().filter(|_| !run.opened.trial) else { return Vec::new() };
    let site = &on_call.site;
    let (from, to) = (run.opened_at, run.ended_at.unwrap_or(now));
    let date = |at: Timestamp| site.zone.tz().to_datetime(at).date();
    let before = |date: Date| date.saturating_sub(2.days());
    let roster = Roster::new(site, on_call.calendars());
    // A shift of two days before may end behind midnight where the clock was set.
    let mut known = roster.known_between(before(date(from)), date(to)).on;
    known.retain(|on| on.from <= to && from < on.to);
    known.into_iter().map(|on| roster::line(site, &roster, on)).collect()
}
