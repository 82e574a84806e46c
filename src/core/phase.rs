//! Where a job of a run stands, and the one function that says which step is legal. The live night and the replay of
//! the journal both go through it.

use std::time::Duration;

use jiff::Timestamp;
use serde::Serialize;

use super::fact::Why;
use crate::types::Outcome;

/// Where a job of a run stands.
#[derive(Debug, Clone, PartialEq, Serialize)]
#[serde(rename_all = "kebab-case", tag = "phase")]
pub enum Phase {
    /// Not started yet; [`super::why`] can say what for.
    Waiting,
    /// The intent is durable; the host has not said yet that it runs.
    Starting,
    Running,
    /// Between two attempts, until this time since boot.
    RetryWait {
        due: Duration,
        wait: Duration,
    },
    /// What became of it cannot be known; people decide.
    InDoubt {
        why: String,
    },
    Settled {
        outcome: Outcome,
        why: Why,
        at: Timestamp,
    },
}

/// A step of one job.
#[derive(Debug, Clone, PartialEq)]
pub enum Step {
    Intend,
    Start,
    /// An attempt ended; what follows is a step of its own.
    End,
    PlanRetry {
        due: Duration,
        wait: Duration,
    },
    Doubt {
        why: String,
    },
    Settle {
        outcome: Outcome,
        why: Why,
        at: Timestamp,
    },
    Reopen,
}

/// A step that the phase does not allow. In the live night a defect of the core; in replay a damaged journal.
#[derive(Debug, Clone, PartialEq, thiserror::Error)]
#[error("illegal step {step:?} from {from:?}")]
pub struct Illegal {
    pub from: Phase,
    pub step: Step,
}

impl Phase {
    /// The phase after a step, or an error that names both.
    pub fn after(&self, step: Step) -> Result<Self, Box<Illegal>> {
        use Phase::{InDoubt, RetryWait, Running, Settled, Starting, Waiting};
        match (self, step) {
            (Waiting | RetryWait { .. }, Step::Intend) => Ok(Starting),
            (Starting, Step::Start) => Ok(Running),
            // The verdict on an ended attempt follows in the same turn; until then the job does not move.
            (Starting | Running, Step::End) => Ok(self.clone()),
            (Starting | Running, Step::PlanRetry { due, wait }) => Ok(RetryWait { due, wait }),
            (Starting | Running, Step::Doubt { why }) => Ok(InDoubt { why }),
            (_, Step::Settle { outcome, why, at }) if self.may_settle(outcome) => {
                Ok(Settled { outcome, why, at })
            }
            (Settled { .. } | InDoubt { .. } | RetryWait { .. }, Step::Reopen) => Ok(Waiting),
            (_, step) => Err(Box::new(Illegal { from: self.clone(), step })),
        }
    }

    fn may_settle(&self, outcome: Outcome) -> bool {
        match self {
            Self::Waiting => !matches!(outcome, Outcome::Failed),
            Self::Starting | Self::Running => {
                matches!(outcome, Outcome::Succeeded | Outcome::Failed)
            }
            // What it needs may be run again, and come out otherwise, while it waits for its next try.
            Self::RetryWait { .. } => !matches!(outcome, Outcome::Succeeded),
            Self::InDoubt { .. } => {
                matches!(outcome, Outcome::Skipped | Outcome::Forced | Outcome::Failed)
            }
            Self::Settled { outcome: before, .. } => {
                matches!(before, Outcome::Failed | Outcome::Blocked)
                    && matches!(outcome, Outcome::Skipped | Outcome::Forced)
            }
        }
    }

    pub fn outcome(&self) -> Option<Outcome> {
        match self {
            Self::Settled { outcome, .. } => Some(*outcome),
            _ => None,
        }
    }

    pub fn in_flight(&self) -> bool {
        matches!(self, Self::Starting | Self::Running)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_the_listed_steps_are_legal() {
        let settled =
            |outcome| Phase::Settled { outcome, why: Why::TimeCame, at: Timestamp::UNIX_EPOCH };
        let phases = [
            Phase::Waiting,
            Phase::Starting,
            Phase::Running,
            Phase::RetryWait { due: Duration::ZERO, wait: Duration::ZERO },
            Phase::InDoubt { why: String::new() },
            settled(Outcome::Succeeded),
            settled(Outcome::Failed),
            settled(Outcome::Blocked),
        ];
        let steps = [
            ("intend", Step::Intend),
            ("start", Step::Start),
            ("end", Step::End),
            ("retry", Step::PlanRetry { due: Duration::ZERO, wait: Duration::ZERO }),
            ("doubt", Step::Doubt { why: String::new() }),
            ("reopen", Step::Reopen),
        ];
        let table: Vec<String> = phases
            .iter()
            .map(|phase| {
                let legal: Vec<&str> = steps
                    .iter()
                    .filter(|(_, step)| phase.after(step.clone()).is_ok())
                    .map(|(name, _)| *name)
                    .collect();
                legal.join(" ")
            })
            .collect();
        assert_eq!(
            table,
            [
                "intend",
                "start end retry doubt",
                "end retry doubt",
                "intend reopen",
                "reopen",
                "reopen",
                "reopen",
                "reopen"
            ]
        );
        let error = Phase::Running.after(Step::Intend).unwrap_err();
        assert!(error.to_string().contains("Intend") && error.to_string().contains("Running"));
    }
}
