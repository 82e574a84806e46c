//! When an incident is over: everything that it is about is well again, or a whole rerun has done it.

use crate::core::fact::{Deadline, Fact, RunResult};
use crate::core::incident::Fault;
use crate::core::night::{Command, Mover, Notice};
use crate::core::phase::Phase;
use crate::core::state::{Run, Unfit};
use crate::types::{IncidentId, JobName, Outcome, RunId};

impl Mover<'_> {
    /// Something of a run has moved: an incident is over when all that it is about is well again.
    pub(in crate::core) fn close_what_is_over(&mut self, run: &RunId) -> Result<(), Unfit> {
        let state = self.core.state.run(run)?;
        let open = self.core.state.unfinished().filter(|incident| {
            let own = incident.is_open() && incident.what.run.as_ref() == Some(run);
            own && !is_told(&incident.what.fault)
        });
        let now = self.now.wall;
        let over = open.filter(|incident| {
            // What was only foreseen behind a fault goes with it; where it still is so it is told by itself.
            let foreseen = |fault: &Fault| {
                fault.is_only_foreseen(now) && !incident.what.fault.is_only_foreseen(now)
            };
            let mut about = incident.about();
            about.all(|(job, fault)| foreseen(fault) || is_over(state, job, fault))
        });
        let over: Vec<IncidentId> = over.map(|incident| incident.what.incident).collect();
        over.into_iter().try_for_each(|incident| self.close_incident(incident))
    }

    /// People have done what changes of a run waited for; what is still owed is told anew.
    pub(in crate::core) fn waits_no_more(&mut self, run: &RunId) -> Result<(), Unfit> {
        let waits = self.core.state.unfinished().filter(|incident| {
            let own = incident.is_open() && incident.what.run.as_ref() == Some(run);
            own && incident.about().all(|(_, fault)| *fault == Fault::Waits)
        });
        let waits: Vec<IncidentId> = waits.map(|incident| incident.what.incident).collect();
        waits.into_iter().try_for_each(|incident| self.close_incident(incident))
    }

    /// A whole rerun that came out well has done what the runs before it had not.
    pub(in crate::core) fn close_of_runs_before(&mut self, run: &RunId) -> Result<(), Unfit> {
        let before = self.core.state.unfinished().filter(|incident| {
            let of = incident.what.run.as_ref();
            incident.is_open()
                && of.is_some_and(|of| {
                    (&of.batch, &of.key) == (&run.batch, &run.key) && of.number < run.number
                })
        });
        let before: Vec<IncidentId> = before.map(|incident| incident.what.incident).collect();
        before.into_iter().try_for_each(|incident| self.close_incident(incident))
    }

    pub(in crate::core) fn close_incident(&mut self, incident: IncidentId) -> Result<(), Unfit> {
        let known = self.core.state.incident(incident)?;
        let (run, job) = (known.what.run.clone(), known.what.job.clone());
        let to = known.told_before(self.core.on_call());
        self.emit(Fact::IncidentClosed { incident, run, job })?;
        let notice = Notice::Closed;
        self.command(Command::Notify { incident, to, notice });
        Ok(())
    }
}

/// Whether what an incident is about is well again, by how its run stands now.
fn is_over(run: &Run, job: Option<&JobName>, fault: &Fault) -> bool {
    let Some(index) = job.and_then(|job| run.index(job)) else {
        return matches!(run.result, Some(RunResult::Well | RunResult::Cancelled));
    };
    let state = &run.jobs[index];
    let over = |outcome| !matches!(outcome, Outcome::Failed | Outcome::Blocked);
    let done = state.phase.outcome().is_some_and(over);
    let start = Deadline::MustStartBy;
    match fault {
        Fault::Waits => !matches!(state.phase, Phase::Waiting | Phase::RetryWait { .. }),
        Fault::Late { deadline, .. } | Fault::WillBeLate { deadline, .. } if *deadline == start => {
            done || !state.attempts.is_empty()
        }
        _ => done,
    }
}

fn is_told(fault: &Fault) -> bool {
    matches!(fault, Fault::Told { .. })
}
