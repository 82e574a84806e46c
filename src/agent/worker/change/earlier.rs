//! What this host and the server know of earlier attempts of the run, besides the marker.

use super::lock::Earlier;
use super::rehearsal::{Pass, passes};
use super::{Attempt, Stop, say};
use crate::agent::worker::db::{NEVER_BEGUN, session_name};
use crate::agent::worker::steps::Step;
use crate::definition::site::ChangeMode;
use crate::types::AttemptId;
use std::time::Duration;

/// How long a session that can only roll back is waited for, and one that may still commit what it does.
const ROLLS_BACK: Duration = Duration::from_secs(30);
const MAY_COMMIT: Duration = Duration::from_secs(600);

/// Whether a session of an earlier attempt may be ended, and for how long it is waited for; `left`: until the work has to
/// end.
fn patience(mode: ChangeMode, left: Option<Duration>) -> (bool, Duration) {
    let (may_end, longest) = match mode {
        ChangeMode::Transactional => (true, ROLLS_BACK),
        ChangeMode::Journalled => (false, MAY_COMMIT),
    };
    (may_end, left.map_or(longest, |left| longest.min(left)))
}

impl Attempt<'_> {
    fn earlier_attempts(&self) -> impl Iterator<Item = AttemptId> + '_ {
        (1..self.id.number).map(|number| AttemptId { number, ..self.id.clone() })
    }

    /// Whose sessions may still be there.
    pub(super) fn earlier(&self) -> Earlier {
        let mut sessions = self.sessions.clone();
        for attempt in self.earlier_attempts() {
            let steps = self.steps.of_earlier(&attempt).into_iter();
            sessions.extend(steps.filter_map(|step| match step {
                Step::Connected { session, .. } => Some(session),
                _ => None,
            }));
        }
        let mut names: Vec<String> =
            self.earlier_attempts().map(|attempt| session_name(Some(&attempt))).collect();
        names.push(self.target.session.clone());
        let (may_end, patience) = patience(self.task.mode, self.target.halt.left());
        Earlier { names, sessions, may_end, patience }
    }

    /// The marker knows of nothing that is applied in this run. Where an earlier attempt has committed what it does not know of, the target is not the
    /// one that it was: restored from an older copy, failed over, or somebody has taken the rows away.
    /// `seen`: of what the marker does know.
    pub(super) async fn never_committed(&mut self, seen: &[(String, Pass)]) -> Result<(), Stop> {
        for attempt in self.earlier_attempts().collect::<Vec<_>>() {
            let steps = self.steps.of_earlier(&attempt);
            for (pass, part) in passes(&steps) {
                // Whoever takes up what another has committed works under the name of that one.
                let taken_up = part.iter().any(|step| matches!(step, Step::Found { .. }));
                if taken_up || seen.contains(&(attempt.to_string(), pass)) {
                    continue;
                }
                if part.contains(&Step::Committed) {
                    return Err(Stop::in_doubt(format!(
                        "{attempt} has committed the change, and the target knows nothing of it: it was restored from an older copy or failed over, or somebody has deleted rows of nightrun_change_run"
                    )));
                }
                let named = part.iter().rev().find_map(|step| match step {
                    Step::Marker { xid } => xid.clone(),
                    _ => None,
                });
                if let Some(xid) = named {
                    self.was_aborted(&attempt, &steps, xid).await?;
                }
            }
        }
        Ok(())
    }

    /// Asks the server what became of a transaction; anything but an abort leaves it to people.
    async fn was_aborted(
        &mut self,
        attempt: &AttemptId,
        steps: &[Step],
        xid: String,
    ) -> Result<(), Stop> {
        let doubt = |what: String| {
            Stop::in_doubt(format!("transaction {xid} of {attempt} has left no marker, {what}"))
        };
        let mut held = self.held().await.map_err(|error| doubt(format!("and {error}")))?;
        let here = held.db.identity().map(str::to_owned);
        let status = held.db.status(&xid).await;
        self.held = Some(held);
        let there = steps.iter().rev().find_map(|step| match step {
            Step::Connected { identity, .. } => Some(identity),
            _ => None,
        });
        if let (Some(there), Some(here)) = (there, here)
            && *there != here
        {
            return Err(doubt(format!("and worked on {there}, which is not {here}")));
        }
        let status =
            status.map_err(|error| doubt(format!("and its status is unknown: {error}")))?;
        say!("transaction {xid} of {attempt}: {}", status.as_deref().unwrap_or("too long ago"));
        let (attempt, told) = (attempt.to_string(), status.clone());
        self.steps.record(Step::Status { attempt, xid: xid.clone(), status: told })?;
        match status.as_deref() {
            // The server fell before COMMIT: what it had not made durable is gone.
            Some("aborted" | NEVER_BEGUN) => Ok(()),
            other => {
                Err(doubt(format!("and its status is {}", other.unwrap_or("not known any more"))))
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_may_still_commit_is_waited_for_and_never_ended() {
        let seconds = Duration::from_secs;
        for (mode, left, expected) in [
            (ChangeMode::Transactional, None, (true, seconds(30))),
            (ChangeMode::Transactional, Some(seconds(12)), (true, seconds(12))),
            (ChangeMode::Journalled, None, (false, seconds(600))),
            (ChangeMode::Journalled, Some(seconds(3600)), (false, seconds(600))),
            (ChangeMode::Journalled, Some(seconds(12)), (false, seconds(12))),
        ] {
            assert_eq!(patience(mode, left), expected, "{mode:?} {left:?}");
        }
    }
}
