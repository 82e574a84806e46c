//! Jobs that Slurm runs (`engine: slurm`). To the night they are jobs as any other: a worker on their host submits and follows
//! them. What is different is that a worker can be lost and its job in Slurm go on. Then nothing is submitted before it is
//! known what became of that: the next attempt takes it up.

use std::path::Path;

use super::state::{Attempt, Run};
use crate::definition::site::{Job, Slurm};
use crate::types::{AttemptId, Ending, Span};
use crate::wire::{Earlier, Ended, Program, SHELL, SlurmEnd, SlurmTask, Task, Work};

/// Attempts in a row that may be lost without a word before people decide.
const LOST_IN_A_ROW: usize = 3;
/// Before a job is taken up: a worker that was lost with its host is not begun faster than that.
const PAUSE: Span = Span::seconds(1);

/// What follows an ending after which something of the job may still run in Slurm.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Loose {
    /// The next attempt takes it up.
    TakeUp {
        wait: Span,
    },
    Doubt {
        why: String,
    },
}

/// The worker's order for an attempt; `attempts`: those of its job, up to it and beyond.
pub(super) fn worker(
    program: Program,
    slurm: &Slurm,
    job: &Job,
    (attempt, attempts): (&AttemptId, &[Attempt]),
    work: &Path,
) -> Program {
    let argv = match program {
        Program::Argv(argv) => argv,
        Program::Shell(script) => SHELL.into_iter().map(str::to_owned).chain([script]).collect(),
        Program::Worker(_) => return program,
    };
    let at = attempts.iter().position(|other| other.number == attempt.number);
    let earlier = &attempts[..at.unwrap_or(attempts.len())];
    let task = SlurmTask {
        argv,
        slurm: slurm.clone(),
        folder: work.join("slurm"),
        time_limit: job.time_limit,
        grace: job.grace,
        before: before(attempt, earlier),
        anew: is_anew(earlier),
    };
    Program::Worker(Box::new(Task::Slurm(Box::new(task))))
}

/// What follows where an ending leaves something loose; `earlier`: the attempts before it. `None`: nothing of it runs.
pub(super) fn loose(earlier: &[Attempt], ended: &Ended) -> Option<Loose> {
    if is_over(ended) {
        return None;
    }
    let why = match (&ended.ending, end(ended)) {
        (Ending::Killed | Ending::TimedOut | Ending::OutputLimit, _) => {
            format!("{}, and Slurm has not said that its job is over", ended.ending)
        }
        (_, Some(SlurmEnd::Forgotten { why })) => why.clone(),
        _ => {
            let lost = earlier.iter().rev().take_while(|attempt| is_lost(attempt)).count() + 1;
            if lost < LOST_IN_A_ROW {
                return Some(Loose::TakeUp { wait: PAUSE });
            }
            format!("{lost} attempts in a row were lost, and its job in Slurm may still run")
        }
    };
    Some(Loose::Doubt { why })
}

impl Run {
    /// Whether the last attempt of a job, which has ended so, was lost without a word of what became of its job in Slurm.
    pub(super) fn was_lost_in_slurm(&self, index: usize, ended: &Ended) -> bool {
        let earlier = self.jobs[index].attempts.split_last().map_or(&[][..], |(_, all)| all);
        let loose = self.job(index).slurm.as_ref().and_then(|_| loose(earlier, ended));
        matches!(loose, Some(Loose::TakeUp { .. }))
    }
}

/// Attempts of which something may still run in Slurm, oldest first. One that ended with certainty had taken up all before it.
fn before(attempt: &AttemptId, earlier: &[Attempt]) -> Vec<Earlier> {
    let known = |attempt: &&Attempt| attempt.ended.as_deref().is_some_and(says_over);
    // Who was told that nobody knows of one job was told so of all that were taken up with it.
    let mut given_up = false;
    let mut before = Vec::new();
    for earlier in earlier.iter().rev().take_while(|attempt| !known(attempt)) {
        let end = earlier.ended.as_deref().and_then(end);
        given_up |= matches!(end, Some(SlurmEnd::Forgotten { .. }));
        if !earlier.ended.as_deref().is_some_and(is_over) {
            let attempt = AttemptId { number: earlier.number, ..attempt.clone() };
            before.push(Earlier { attempt, given_up });
        }
    }
    before.reverse();
    before
}

/// Whether people have said that it goes on: nothing else follows an ending in doubt.
fn is_anew(earlier: &[Attempt]) -> bool {
    let Some((last, earlier)) = earlier.split_last() else { return false };
    let loose = last.ended.as_deref().and_then(|ended| loose(earlier, ended));
    matches!(loose, Some(Loose::Doubt { .. }))
}

fn is_over(ended: &Ended) -> bool {
    match &ended.work {
        Some(Work::Slurm(work)) => work.is_over(),
        // Without a worker there is no job.
        _ => ended.started.is_none() && ended.ending.is_certain(),
    }
}

/// Whether its worker itself has said so.
fn says_over(ended: &Ended) -> bool {
    matches!(&ended.work, Some(Work::Slurm(work)) if work.is_over())
}

fn is_lost(attempt: &Attempt) -> bool {
    let Some(ended) = attempt.ended.as_deref() else { return false };
    !is_over(ended) && !matches!(end(ended), Some(SlurmEnd::Forgotten { .. }))
}

fn end(ended: &Ended) -> Option<&SlurmEnd> {
    match &ended.work {
        Some(Work::Slurm(work)) => Some(&work.end),
        _ => None,
    }
}
