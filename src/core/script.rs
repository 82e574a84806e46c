//! What is made up of a night that the core decides: how attempts end, when people answer, which hosts go away.

use std::time::Duration;

use jiff::Timestamp;

use super::forecast::takes;
use super::state::Run;
use crate::types::{Ending, HostName};
use crate::wire::Work;

/// Everything of a made-up night that the core does not decide.
pub trait Script {
    /// What becomes of an attempt that starts at `at`.
    fn attempt(&mut self, run: &Run, index: usize, number: u32, at: Timestamp) -> Made;

    /// How long after it is asked for somebody gives a confirmation; `None`: nobody does.
    fn answers_after(&self) -> Option<Duration>;

    /// When hosts are away.
    fn outages(&self) -> &[Outage];
}

/// What becomes of an attempt.
#[derive(Debug, Clone, PartialEq)]
pub struct Made {
    pub after: Duration,
    /// `None`: it ends well.
    pub bad: Option<Bad>,
}

#[derive(Debug, Clone, PartialEq)]
pub struct Bad {
    pub ending: Ending,
    pub work: Option<Work>,
}

/// A host goes, with all that runs on it, and has started anew at `to`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Outage {
    pub host: HostName,
    pub from: Timestamp,
    pub to: Timestamp,
}

/// As it is planned: each attempt ends well after what it is expected to take, a confirmation is given at once.
#[derive(Debug, Clone, Copy, Default)]
pub struct AsExpected;

impl Script for AsExpected {
    fn attempt(&mut self, run: &Run, index: usize, _: u32, _: Timestamp) -> Made {
        Made { after: takes(run, index), bad: None }
    }

    fn answers_after(&self) -> Option<Duration> {
        Some(Duration::ZERO)
    }

    fn outages(&self) -> &[Outage] {
        &[]
    }
}
