//! The supervisor is being stopped: nothing new starts, and what runs may end or is ended.

use super::fact::{Fact, StopHow};
use super::night::{Command, Mover, StepError};
use crate::types::{AttemptId, PersonId, RunId};

impl Mover<'_> {
    pub(super) fn stop(&mut self, by: &PersonId, how: StopHow) -> Result<(), StepError> {
        let runs: Vec<RunId> = self
            .core
            .state
            .runs
            .values()
            .filter(|run| run.result.is_none() && run.stopping != Some(how))
            .map(|run| run.id().clone())
            .collect();
        for run in runs {
            self.emit(Fact::Stopping { run: run.clone(), by: by.clone(), how })?;
            self.core.agenda.maybe_over.insert(run.clone());
            if how == StopHow::Wait {
                continue;
            }
            let state = self.core.state.run(&run)?;
            let attempts: Vec<AttemptId> = state
                .flying()
                .map(|(index, attempt)| state.attempt_id(index, attempt.number))
                .collect();
            for attempt in attempts {
                self.command(Command::Kill { attempt, now: how == StopHow::Kill });
            }
        }
        Ok(())
    }
}
