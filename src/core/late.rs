//! What is late: deadlines that pass, and endings and starts that are told after their time.

use jiff::Timestamp;

use super::fact::{Deadline, Fact};
use super::incident::Fault;
use super::night::Mover;
use super::state::{Missed, Run, Unfit};
use crate::types::{JobName, Outcome, RunId};

impl Mover<'_> {
    pub(super) fn check_deadlines(&mut self) -> Result<(), Unfit> {
        let agenda = &mut self.core.agenda;
        if agenda
            .deadlines_from
            .is_some_and(|from| self.core.asked.is_empty() || from <= self.now.since_boot)
        {
            agenda.deadlines_from = None;
        }
        if agenda.deadlines_from.is_some() {
            return Ok(());
        }
        while self.core.agenda.deadlines.first().is_some_and(|(due, ..)| *due <= self.now.wall) {
            let Some((due, run, job, deadline)) = self.core.agenda.deadlines.pop_first() else {
                break;
            };
            self.judge_deadline(run, job, deadline, due)?;
        }
        Ok(())
    }

    fn judge_deadline(
        &mut self,
        run: RunId,
        job: Option<JobName>,
        deadline: Deadline,
        due: Timestamp,
    ) -> Result<(), Unfit> {
        let state = self.core.state.run(&run)?;
        if state.result.is_some() {
            return Ok(());
        }
        let kept = match job.as_ref().and_then(|job| state.index(job)) {
            Some(index) => job_kept(state, index, deadline, due),
            None => match deadline {
                Deadline::MustStartBy => state.opened_at <= due,
                Deadline::MustCompleteBy => state.first_well.is_some_and(|at| at <= due),
            },
        };
        if kept || already_missed(state, job.as_ref(), deadline, due) {
            return Ok(());
        }
        let missed = Fact::DeadlineMissed { run: run.clone(), job: job.clone(), deadline, due };
        self.emit(missed)?;
        // A run that has begun, late or not, is waited for no more.
        if job.is_none() && deadline == Deadline::MustStartBy {
            return Ok(());
        }
        self.late(&run, job.as_ref(), Fault::Late { deadline, due })
    }

    /// A job that ended after its time while nobody watched is late as well.
    pub(super) fn note_late_end(&mut self, run: &RunId, index: usize) -> Result<(), Unfit> {
        let outcome = self.core.state.run(run)?.jobs[index].phase.outcome();
        if outcome == Some(Outcome::Succeeded) {
            self.note_late(run, index, Deadline::MustCompleteBy)?;
        }
        Ok(())
    }

    /// The intent of a start was in time, and the start that its host tells was not.
    pub(super) fn note_late_start(&mut self, run: &RunId, index: usize) -> Result<(), Unfit> {
        self.note_late(run, index, Deadline::MustStartBy)
    }

    fn note_late(&mut self, run: &RunId, index: usize, deadline: Deadline) -> Result<(), Unfit> {
        let state = self.core.state.run(run)?;
        let Some(due) = state.due(Some(index), deadline) else { return Ok(()) };
        let job = Some(state.job(index).name.clone());
        if job_kept(state, index, deadline, due)
            || already_missed(state, job.as_ref(), deadline, due)
        {
            return Ok(());
        }
        self.emit(Fact::DeadlineMissed { run: run.clone(), job, deadline, due })
    }
}

/// A deadline that was moved is judged anew, by its new time.
fn already_missed(run: &Run, job: Option<&JobName>, deadline: Deadline, due: Timestamp) -> bool {
    let same = |m: &Missed| m.deadline == deadline && m.due == due;
    run.missed.iter().any(|m| m.job.as_ref() == job && same(m))
}

fn job_kept(run: &Run, index: usize, deadline: Deadline, due: Timestamp) -> bool {
    let job = &run.jobs[index];
    if matches!(job.phase.outcome(), Some(Outcome::NotScheduled | Outcome::Skipped)) {
        return true;
    }
    match deadline {
        Deadline::MustStartBy => {
            let begun = job.attempts.first().map(|a| a.started.unwrap_or(a.intended));
            begun.or(job.over_at()).is_some_and(|at| at <= due)
        }
        Deadline::MustCompleteBy => {
            let good = matches!(job.phase.outcome(), Some(Outcome::Succeeded | Outcome::Forced));
            let now = good && job.over_at().is_some_and(|at| at <= due);
            // Done once in time, it is not late because somebody asks for it again.
            let before = job.attempts.iter().filter(|attempt| attempt.good == Some(true));
            let mut ends = before.filter_map(|attempt| attempt.ended.as_ref());
            now || ends.any(|ended| ended.ended <= due)
        }
    }
}
