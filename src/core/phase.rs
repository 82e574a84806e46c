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
    /// Not started yet; [`super::obstacle`] can say what for.
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
    /// An attempt that only looks at what became of the last one.
    Examine,
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
            (Waiting | RetryWait { .. }, Step::Intend) | (InDoubt { .. }, Step::Examine) => {
                Ok(Starting)
            }
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
            // Failed where its event has not come within its limit.
            Self::Waiting => true,
            Self::Starting | Self::Running => {
                matches!(outcome, Outcome::Succeeded | Outcome::Failed)
            }
            // What it needs may be run again, and come out otherwise, while it waits for its next try.
            Self::RetryWait { .. } => !matches!(outcome, Outcome::Succeeded),
            // What became of it is unknown, whatever becomes of its run.
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

    /// Neither over nor in doubt: it moves, or may.
    pub fn is_open(&self) -> bool {
        !matches!(self, Self::Settled { .. } | Self::InDoubt { .. })
    }

    pub fn in_flight(&self) -> bool {
        matches!(self, Self::Starting | Self::Running)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const STATES: &str = include_str!("../docs/states.md");

    /// The rows of the table beneath a heading of `src/docs/states.md`, its head first.
    fn table(heading: &str) -> Vec<Vec<&'static str>> {
        let section = STATES.split_once(&format!("\n## {heading}\n")).unwrap().1;
        let lines = section.lines().skip_while(|line| !line.starts_with('|'));
        lines
            .take_while(|line| line.starts_with('|'))
            .filter(|line| !line.starts_with("| ---"))
            .map(|line| line.trim_matches('|').split('|').map(str::trim).collect())
            .collect()
    }

    fn settled(outcome: Outcome) -> Phase {
        Phase::Settled { outcome, why: Why::TimeCame, at: Timestamp::UNIX_EPOCH }
    }

    const OUTCOMES: [(&str, Outcome); 7] = [
        ("succeeded", Outcome::Succeeded),
        ("failed", Outcome::Failed),
        ("skipped", Outcome::Skipped),
        ("not scheduled", Outcome::NotScheduled),
        ("forced", Outcome::Forced),
        ("blocked", Outcome::Blocked),
        ("cancelled", Outcome::Cancelled),
    ];

    fn outcome(name: &str) -> Outcome {
        OUTCOMES.iter().find(|(known, _)| *known == name).unwrap().1
    }

    fn phases() -> Vec<(String, Phase)> {
        let retry_wait = Phase::RetryWait { due: Duration::ZERO, wait: Duration::ZERO };
        let mut phases = vec![
            ("waiting".to_owned(), Phase::Waiting),
            ("starting".to_owned(), Phase::Starting),
            ("running".to_owned(), Phase::Running),
            ("retry wait".to_owned(), retry_wait),
            ("in doubt".to_owned(), Phase::InDoubt { why: String::new() }),
        ];
        phases
            .extend(OUTCOMES.map(|(name, outcome)| (format!("settled: {name}"), settled(outcome))));
        phases
    }

    fn step(name: &str) -> Step {
        match name {
            "intend" => Step::Intend,
            "examine" => Step::Examine,
            "start" => Step::Start,
            "end" => Step::End,
            "plan retry" => Step::PlanRetry { due: Duration::ZERO, wait: Duration::ZERO },
            "doubt" => Step::Doubt { why: String::new() },
            "reopen" => Step::Reopen,
            other => {
                let (why, at) = (Why::TimeCame, Timestamp::UNIX_EPOCH);
                Step::Settle { outcome: outcome(other), why, at }
            }
        }
    }

    #[test]
    fn the_tables_of_states_md_are_the_legal_steps() {
        let phases = phases();
        for (heading, steps) in [("Steps of a job", 7), ("How a job is settled", 7)] {
            let table = table(heading);
            let (head, rows) = table.split_first().unwrap();
            assert_eq!(head.len(), 1 + steps, "{heading}");
            let named: Vec<&str> = rows.iter().map(|row| row[0]).collect();
            let known: Vec<&str> = phases.iter().map(|(name, _)| name.as_str()).collect();
            assert_eq!(named, known, "{heading}");
            for (row, (name, phase)) in rows.iter().zip(&phases) {
                for (step_name, cell) in head[1..].iter().zip(&row[1..]) {
                    let after = phase.after(step(step_name)).ok();
                    let found = after.map_or("", |after| {
                        let known = phases.iter().find(|(_, phase)| *phase == after);
                        known.map_or("?", |(name, _)| name.as_str())
                    });
                    assert_eq!(found, *cell, "{name}, {step_name}");
                }
            }
        }
    }

    #[test]
    fn an_illegal_step_is_an_error_that_names_both() {
        let error = Phase::Running.after(Step::Intend).unwrap_err();
        assert!(error.to_string().contains("Intend") && error.to_string().contains("Running"));
    }
}
