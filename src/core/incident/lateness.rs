//! Lateness as an incident: deadlines that pass or will be missed, and windows that close before work is in or done.

use jiff::Timestamp;

use super::raise::{Draft, blocked, declared};
use super::{Fault, Incident, IncidentStep, Taken};
use crate::core::closing::Closing;
use crate::core::fact::Deadline;
use crate::core::night::Mover;
use crate::core::state::Unfit;
use crate::types::{IncidentId, IncidentKind, JobName, RunId, Severity};

/// A deadline that will be missed, as far as expected times tell.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Foreseen {
    pub run: RunId,
    pub job: Option<JobName>,
    pub deadline: Deadline,
    pub due: Timestamp,
    pub expected: Timestamp,
}

impl Mover<'_> {
    /// A deadline has passed, and what it is about is not done; or that will be so, or a window closes on it. Where a fault
    /// stands in the way it is part of that.
    pub(in crate::core) fn late(
        &mut self,
        run: &RunId,
        job: Option<&JobName>,
        fault: Fault,
    ) -> Result<(), Unfit> {
        let state = self.core.state.run(run)?;
        let index = job.and_then(|job| state.index(job));
        if self.is_resolved(run, job, &fault) {
            return Ok(());
        }
        if let Some(incident) = self.behind(run, job, &fault) {
            if says_already(incident, job, &fault) {
                return Ok(());
            }
            // What stands behind it misses its window too, and needs no step of its own.
            let blocks = index.filter(|_| is_of_window(&fault)).map(|index| blocked(state, index));
            let incident = incident.what.incident;
            return self.repeat(incident, job.cloned(), fault, blocks.unwrap_or_default());
        }
        let severity = declared(state, index).unwrap_or(match index {
            None => Severity::P1,
            Some(index) if state.job(index).critical => Severity::P2,
            Some(_) => Severity::P3,
        });
        let (run, job) = (Some(run.clone()), job.cloned());
        let kind = IncidentKind::Fault;
        self.open_incident(Draft { run, job, fault, kind, severity, by: None, also: Vec::new() })
    }

    /// The open incident that lateness is part of: what stands in the way of a job, of the run any; and what else is late in
    /// the same run, since one slow job makes many late.
    fn behind(&self, run: &RunId, job: Option<&JobName>, fault: &Fault) -> Option<&Incident> {
        self.core.state.unfinished().find(|incident| {
            let in_the_way = |job| incident.is_about(job) || incident.blocks.contains(job);
            let late_too = is_late(&incident.what.fault) && is_late(fault);
            // A job that will not get in, or runs over, need not be what makes its run late, and may be of a lower grade by far.
            let apart =
                !is_of_window(fault) && incident.about().all(|(_, about)| is_of_window(about));
            let part = match apart {
                true => job.is_some_and(in_the_way),
                false => late_too || job.is_none_or(in_the_way),
            };
            incident.is_open() && incident.what.run.as_ref() == Some(run) && part
        })
    }

    /// Whether people have resolved an incident that told of it: they know, and it goes on with their leave.
    fn is_resolved(&self, run: &RunId, job: Option<&JobName>, fault: &Fault) -> bool {
        let incidents = self.core.state.incidents.values();
        let mut ours = incidents.filter(|known| known.what.run.as_ref() == Some(run));
        ours.any(|known| {
            let resolved = |taken: &Taken| matches!(taken.step, IncidentStep::Resolved { .. });
            known.steps.iter().any(resolved) && tells_of(known, job, fault)
        })
    }

    /// Deadlines that will be missed and windows that close too early, all that are known of. What is not among them any
    /// more is well again; but when a window has closed nothing of it is foreseen, and the work is not done for that.
    pub(in crate::core) fn foresee(
        &mut self,
        late: Vec<Foreseen>,
        closing: Vec<Closing>,
    ) -> Result<(), Unfit> {
        let now = self.now.wall;
        let open = self.core.state.unfinished().filter(|incident| {
            incident.is_open() && incident.about().all(|(_, fault)| fault.is_only_foreseen(now))
        });
        let gone = open.filter(|incident| {
            let runs = late.iter().map(|late| &late.run).chain(closing.iter().map(|of| &of.run));
            !runs.into_iter().any(|run| incident.what.run.as_ref() == Some(run))
        });
        let gone: Vec<IncidentId> = gone.map(|incident| incident.what.incident).collect();
        for incident in gone {
            self.close_incident(incident)?;
        }
        for late in late {
            let (deadline, due, expected) = (late.deadline, late.due, late.expected);
            let fault = Fault::WillBeLate { deadline, due, expected };
            self.late(&late.run, late.job.as_ref(), fault)?;
        }
        for Closing { run, job, closes, expected } in closing {
            let fault = match closes <= now {
                true => Fault::RunsOver { closed: closes },
                false => Fault::WindowCloses { closes, expected },
            };
            self.late(&run, Some(&job), fault)?;
        }
        Ok(())
    }
}

impl Fault {
    /// Whether nothing of it has happened yet, so that it may never.
    pub(super) fn is_only_foreseen(&self, now: Timestamp) -> bool {
        match self {
            Self::WindowCloses { closes, .. } => *closes > now,
            Self::WillBeLate { .. } => true,
            _ => false,
        }
    }
}

/// Whether an incident holds what is found again at each look.
fn says_already(incident: &Incident, job: Option<&JobName>, fault: &Fault) -> bool {
    match fault {
        // It is not told again until it is so, and the deadlines that a fault endangers stand in it from its opening.
        Fault::WillBeLate { .. } => true,
        Fault::WindowCloses { .. } | Fault::RunsOver { .. } => tells_of(incident, job, fault),
        _ => false,
    }
}

/// Whether an incident names what is found. What stands behind a job that a window closes on was told as part of it.
fn tells_of(incident: &Incident, job: Option<&JobName>, fault: &Fault) -> bool {
    let closes = matches!(fault, Fault::WindowCloses { .. });
    let part = closes && job.is_some_and(|job| incident.blocks.contains(job));
    incident.about().any(|(of, about)| is_found_again(about, fault) && (of == job || part))
}

/// Whether both are what a look finds time after time, whenever it is expected by then.
fn is_found_again(one: &Fault, other: &Fault) -> bool {
    match (one, other) {
        (Fault::WindowCloses { closes: one, .. }, Fault::WindowCloses { closes: other, .. })
        | (Fault::RunsOver { closed: one }, Fault::RunsOver { closed: other }) => one == other,
        (
            Fault::WillBeLate { deadline: one, due, .. },
            Fault::WillBeLate { deadline: other, due: also, .. },
        ) => (one, due) == (other, also),
        _ => false,
    }
}

fn is_of_window(fault: &Fault) -> bool {
    matches!(fault, Fault::WindowCloses { .. } | Fault::RunsOver { .. })
}

fn is_late(fault: &Fault) -> bool {
    use Fault::{Late, WillBeLate, WindowCloses};
    matches!(fault, WillBeLate { .. } | WindowCloses { .. } | Late { .. })
}
