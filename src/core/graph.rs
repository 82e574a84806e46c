//! The jobs of one batch and what needs what.

use std::time::Duration;

use crate::definition::site::Batch;
use crate::types::{Condition, JobName};

/// The DAG of a batch. Jobs are numbered as the batch lists them.
#[derive(Debug, Clone)]
pub struct Graph {}

/// A job of the critical path; times count from the start of the batch.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Step {
    pub job: JobName,
    pub start: Duration,
    pub finish: Duration,
}

/// Jobs that need each other: each needs the next, the last needs the first.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("these jobs need each other")]
pub struct Cycle(pub Vec<JobName>);

impl Graph {
    pub fn new(_batch: &Batch) -> Self {
        todo!()
    }

    pub fn len(&self) -> usize {
        todo!()
    }

    pub fn is_empty(&self) -> bool {
        todo!()
    }

    /// A job's number: its place in `Batch::jobs`.
    pub fn index(&self, _job: &JobName) -> Option<usize> {
        todo!()
    }

    pub fn name(&self, _index: usize) -> &JobName {
        todo!()
    }

    /// What the job needs within the batch, in the order of the file.
    pub fn predecessors(&self, _index: usize) -> impl Iterator<Item = (usize, Condition)> + '_ {
        std::iter::empty()
    }

    /// What needs the job within the batch, in the order of the file.
    pub fn successors(&self, _index: usize) -> impl Iterator<Item = (usize, Condition)> + '_ {
        std::iter::empty()
    }

    /// Every job after all that it needs.
    pub fn order(&self) -> Result<&[usize], &Cycle> {
        todo!()
    }

    /// The earliest start and finish of every job, by number.
    pub fn times(&self, _takes: impl Fn(usize) -> Duration) -> Vec<(Duration, Duration)> {
        todo!()
    }

    /// The chain of jobs that the end of the batch waits for.
    pub fn critical_path(&self, _takes: impl Fn(usize) -> Duration) -> Vec<Step> {
        todo!()
    }

    /// Every job that cannot start while this one has not ended well, in the order of the file.
    pub fn blocks(&self, _job: &JobName) -> Vec<JobName> {
        todo!()
    }
}
