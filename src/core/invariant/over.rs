//! What must be true where a run ends.

use crate::core::fact::RunResult;
use crate::core::state::State;
use crate::types::{Outcome, RunId};

/// Once in the life of a run, so it may look at all of it.
pub(super) fn over(state: &State, run: &RunId, result: RunResult) -> Result<(), String> {
    let run = state.runs.get(run).ok_or("there is no such run")?;
    if run.result.is_some() {
        return Err("it is over already".to_owned());
    }
    if let Some(index) = run.jobs.iter().position(|job| job.phase.in_flight()) {
        return Err(format!("{} may be running", run.job(index).name));
    }
    let well = run.jobs.iter().enumerate().all(|(index, job)| {
        let settled = job.phase.outcome();
        let bad =
            matches!(settled, None | Some(Outcome::Failed | Outcome::Blocked | Outcome::Cancelled));
        !bad || !run.job(index).critical
    });
    match result {
        RunResult::Well if !well => Err("a critical job did not come out well".to_owned()),
        RunResult::Failed if well => Err("every critical job came out well".to_owned()),
        RunResult::Cancelled if run.cancelled.is_none() => {
            Err("nobody has cancelled it".to_owned())
        }
        RunResult::Stopped if run.stopping.is_none() => Err("nobody stops it".to_owned()),
        _ => Ok(()),
    }
}
