//! A job that Slurm runs: what its worker is to do, and what became of it.

use std::path::PathBuf;

use serde::{Deserialize, Serialize};

use crate::definition::site::Slurm;
use crate::types::{AttemptId, Ending, Span};

/// A program that is submitted to Slurm and followed to its end.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct SlurmTask {
    pub argv: Vec<String>,
    pub slurm: Slurm,
    /// Where each attempt has a folder that login node and compute nodes share.
    pub folder: PathBuf,
    /// Slurm's own limit too, from the start of the job.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub time_limit: Option<Span>,
    /// What the worker has between TERM and KILL.
    pub grace: Span,
    /// Attempts of the same job of which it is not known that nothing of them runs any more, oldest first. Nothing is
    /// submitted before it is.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub before: Vec<Earlier>,
    /// People want it run again: a job of `before` that is found to have failed does not end this attempt.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub anew: bool,
}

/// An attempt whose job in Slurm is taken up.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Earlier {
    pub attempt: AttemptId,
    /// People were told that nobody knows what became of it, and said how it goes on: where still nobody knows of it, it
    /// counts as over.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub given_up: bool,
}

/// What a worker knows of a job in Slurm.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct SlurmWork {
    /// Slurm's number for it; that of the whole array, where it is one. `None`: it has none.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub job: Option<u64>,
    pub end: SlurmEnd,
}

/// How a job in Slurm came out.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case", tag = "how")]
pub enum SlurmEnd {
    /// Slurm says that it is over.
    Over {
        /// Slurm's word, such as `COMPLETED` or `OUT_OF_MEMORY`; of an array that of the task that went worst.
        state: String,
        code: i32,
        /// 0: no signal ended it.
        signal: i32,
        /// Slurm's, such as `NonZeroExitCode`.
        reason: String,
        nodes: String,
        /// Hours, minutes and seconds, as Slurm writes them.
        elapsed: String,
        /// Tasks of the array, and how many of them ended well; 1 and 0 or 1 where it is none.
        tasks: u32,
        well: u32,
        /// The number of the task that all this is about.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        task: Option<u32>,
    },
    /// Slurm did not take it, or would never have started it and was told so.
    Refused { why: String },
    /// It was told to end before anything was submitted.
    NotSubmitted,
    /// Slurm has lost it before it began, and it can begin no more.
    NeverRan { why: String },
    /// It has begun, and nobody knows of it any more.
    Forgotten { why: String },
    /// The worker had to end before it knew.
    Open { why: String },
}

impl SlurmWork {
    /// Whether nothing of it, nor of the attempts before it, runs any more or ever will.
    pub fn is_over(&self) -> bool {
        matches!(
            self.end,
            SlurmEnd::Over { .. } | SlurmEnd::Refused { .. } | SlurmEnd::NotSubmitted
        )
    }

    /// Whether it is over, and its exit code speaks for all of it: of an array only where every task ended well.
    pub fn speaks_for_all(&self) -> bool {
        matches!(&self.end, SlurmEnd::Over { tasks, well, task, .. } if task.is_none() || tasks == well)
    }

    /// Its ending as that of any program. `own`: how the worker itself ended, which counts where it was made to end.
    pub fn ending(&self, own: Ending) -> Ending {
        if !matches!(own, Ending::Exited { .. } | Ending::Signalled { .. }) {
            return own;
        }
        match &self.end {
            SlurmEnd::Over { state, code, signal, reason, nodes, .. } => {
                over(state, *code, *signal, &format!("Slurm: {state} ({reason}) on {nodes}"))
            }
            SlurmEnd::Refused { why } => Ending::CouldNotStart { why: format!("Slurm: {why}") },
            SlurmEnd::NotSubmitted => Ending::Killed,
            SlurmEnd::NeverRan { why } => Ending::Lost { why: why.clone() },
            SlurmEnd::Forgotten { why } | SlurmEnd::Open { why } => {
                Ending::Unknown { why: why.clone() }
            }
        }
    }

    /// Slurm's word for it, with its number and place: `OUT_OF_MEMORY, job 17 on n03`.
    pub fn words(&self) -> Option<String> {
        let SlurmEnd::Over { state, nodes, reason, tasks, well, task, elapsed, .. } = &self.end
        else {
            return None;
        };
        let number = self.job.map(|job| job.to_string()).unwrap_or_default();
        let number = match task {
            Some(task) => format!("{number}_{task}"),
            None => number,
        };
        let place = if nodes.is_empty() { String::new() } else { format!(" on {nodes}") };
        let because = match reason.as_str() {
            "" | "None" => String::new(),
            reason => format!(" ({reason})"),
        };
        let of = match task {
            Some(_) => format!("{well} of {tasks} tasks COMPLETED; "),
            None => String::new(),
        };
        Some(format!("{of}{state}{because}, job {number}{place}, ran {elapsed}"))
    }
}

/// A state of Slurm that is final → an ending; nothing is folded that a retry could depend on.
fn over(state: &str, code: i32, signal: i32, words: &str) -> Ending {
    const KILL: i32 = 9;
    const TERM: i32 = 15;
    // Slurm also has numbers there that are no signal, such as 125.
    let signalled = |usual: i32| Ending::Signalled {
        signal: if (1..65).contains(&signal) { signal } else { usual },
    };
    match state {
        "COMPLETED" => Ending::Exited { code },
        "FAILED" if signal != 0 => signalled(KILL),
        "FAILED" if code != 0 => Ending::Exited { code },
        "TIMEOUT" | "DEADLINE" => Ending::TimedOut,
        "OUT_OF_MEMORY" => signalled(KILL),
        "PREEMPTED" => signalled(TERM),
        "CANCELLED" => Ending::Killed,
        "BOOT_FAIL" => Ending::CouldNotStart { why: words.to_owned() },
        _ => Ending::Lost { why: words.to_owned() },
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn ended(state: &str, code: i32, signal: i32) -> SlurmWork {
        let end = SlurmEnd::Over {
            state: state.to_owned(),
            code,
            signal,
            reason: "None".to_owned(),
            nodes: "n03".to_owned(),
            elapsed: "0:04".to_owned(),
            tasks: 1,
            well: u32::from(state == "COMPLETED"),
            task: None,
        };
        SlurmWork { job: Some(17), end }
    }

    #[test]
    fn every_final_state_has_its_ending() {
        let own = || Ending::Exited { code: 1 };
        for (state, code, signal, ending) in [
            ("COMPLETED", 0, 0, Ending::Exited { code: 0 }),
            ("FAILED", 7, 0, Ending::Exited { code: 7 }),
            ("FAILED", 0, 11, Ending::Signalled { signal: 11 }),
            ("TIMEOUT", 0, 0, Ending::TimedOut),
            ("DEADLINE", 0, 0, Ending::TimedOut),
            ("OUT_OF_MEMORY", 0, 125, Ending::Signalled { signal: 9 }),
            ("PREEMPTED", 0, 15, Ending::Signalled { signal: 15 }),
            ("CANCELLED", 0, 15, Ending::Killed),
        ] {
            assert_eq!(ended(state, code, signal).ending(own()), ending, "{state}");
        }
        for (state, lost) in [("NODE_FAIL", true), ("FAILED", true), ("BOOT_FAIL", false)] {
            let ending = ended(state, 0, 0).ending(own());
            assert_eq!(!ending.is_certain(), lost, "{ending}");
            assert!(ending.to_string().contains(state) && ending.to_string().contains("n03"));
        }
    }

    #[test]
    fn a_worker_that_was_made_to_end_ended_so_whatever_slurm_says() {
        for own in [Ending::Killed, Ending::TimedOut, Ending::OutputLimit] {
            assert_eq!(ended("CANCELLED", 0, 15).ending(own.clone()), own);
        }
        assert_eq!(ended("FAILED", 3, 0).words().unwrap(), "FAILED, job 17 on n03, ran 0:04");
    }
}
