//! A host's agent can be reached again: it is asked after everything that may be running there.

use super::night::{ANSWER_WITHIN, Command, Mover};
use super::state::Unfit;
use crate::types::{AttemptId, BootId, HostName};

impl Mover<'_> {
    pub(super) fn host_up(&mut self, host: HostName, boot: BootId) -> Result<(), Unfit> {
        self.core.hosts.insert(host.clone(), boot);
        self.ask(&host);
        self.host_is_back(&host)
    }

    pub(super) fn ask(&mut self, host: &HostName) {
        let attempts: Vec<AttemptId> = self
            .core
            .state
            .runs
            .values()
            .flat_map(|run| {
                run.flying()
                    .filter(|(_, attempt)| attempt.host == *host)
                    .map(|(index, attempt)| run.attempt_id(index, attempt.number))
            })
            .collect();
        if !attempts.is_empty() {
            self.core.asked.extend(attempts.iter().cloned());
            self.core.agenda.wait_for_answers(self.now.since_boot + ANSWER_WITHIN);
            self.command(Command::Ask { host: host.clone(), attempts: attempts.clone() });
        }
        // The order to end an attempt may have been lost with the link, or with the supervisor that gave it.
        for attempt in attempts {
            if let Some(now) =
                self.core.state.runs.get(&attempt.run).and_then(|run| run.to_be_killed(&attempt))
            {
                self.command(Command::Kill { attempt, now });
            }
        }
    }
}
