//! What a run is, how it stands to its deadline, and its jobs by number.

use std::time::Duration;

use jiff::Timestamp;
use serde::Serialize;

use super::bands::Band;
use super::job::{JobLine, StateWord};
use super::list::ListView;
use super::starts::Late;
use crate::core::fact::RunResult;
use crate::types::{BatchId, BusinessDate, RunId, TeamName, Text, Zone};

/// The head of every page about one run (批次执行).
#[derive(Debug, Clone, PartialEq, Serialize, schemars::JsonSchema)]
pub struct RunHead {
    pub site: Text,
    pub batch: BatchId,
    pub title: Text,
    /// Whose batch it is.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub team: Option<TeamName>,
    pub run: RunId,
    pub business_date: BusinessDate,
    /// A trial (试运行) counts for nothing else, and every page says so.
    pub trial: bool,
    /// The scheduled instant, or that of the order.
    pub anchor: Timestamp,
    pub opened: Timestamp,
    pub ended: Option<Timestamp>,
    /// The wall time (of the run's own clock) that this page speaks of.
    pub now: Timestamp,
    /// All clock times of the page are of this zone.
    pub zone: Zone,
    /// `None` while it runs.
    pub result: Option<RunResult>,
    pub must_complete_by: Option<Timestamp>,
    /// A start of the schedule that was made later than meant.
    pub late: Option<Late>,
    /// Forecast of the end; `None` where nothing can be said (blocked, unknown) or when it has ended.
    pub expected_end: Option<Timestamp>,
    /// The list that its jobs are, where it is the run of one.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub list: Option<Box<ListView>>,
    /// Windows and freezes of its time, where a page draws the night.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub bands: Vec<Band>,
}

/// How the run stands to its must-complete-by.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, schemars::JsonSchema)]
#[serde(rename_all = "kebab-case", tag = "deadline")]
pub enum DeadlineState {
    /// The run has none.
    None,
    Kept {
        due: Timestamp,
    },
    /// Ended well, too late.
    Missed {
        due: Timestamp,
        by: Duration,
    },
    /// Not complete, and the time has passed.
    Overdue {
        due: Timestamp,
        by: Duration,
    },
    ExpectedKept {
        due: Timestamp,
        end: Timestamp,
    },
    ExpectedMissed {
        due: Timestamp,
        end: Timestamp,
        by: Duration,
    },
    /// Not complete, and no end can be forecast.
    AtRisk {
        due: Timestamp,
    },
}

/// Jobs by how they stand.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, schemars::JsonSchema)]
pub struct Totals {
    /// All that take part: everything but those not scheduled.
    pub taking_part: u32,
    /// Ended well (forced and skipped not among them).
    pub well: u32,
    /// Ended well and missed no deadline of their own.
    pub on_time: u32,
    /// Missed a deadline of their own, however they ended.
    pub late: u32,
    /// Failed, the critical ones among them.
    pub failed: u32,
    pub failed_critical: u32,
    pub blocked: u32,
    /// Not started when their run was cancelled.
    pub cancelled: u32,
    pub unknown: u32,
    pub skipped: u32,
    pub forced: u32,
    pub not_scheduled: u32,
    pub held: u32,
    /// Starting and running.
    pub running: u32,
    /// Waiting, for a retry too.
    pub waiting: u32,
    /// Ended well, but not at the first attempt.
    pub retried: u32,
    pub ran_long: u32,
}

impl RunHead {
    /// How long something took to pass `due`, zero when it has not.
    fn past(due: Timestamp, at: Timestamp) -> Duration {
        Duration::try_from(at.duration_since(due)).unwrap_or(Duration::ZERO)
    }

    pub fn deadline(&self) -> DeadlineState {
        let Some(due) = self.must_complete_by else { return DeadlineState::None };
        if self.result == Some(RunResult::Well) {
            let end = self.ended.unwrap_or(self.now);
            return if end <= due {
                DeadlineState::Kept { due }
            } else {
                DeadlineState::Missed { due, by: Self::past(due, end) }
            };
        }
        if self.now > due {
            return DeadlineState::Overdue { due, by: Self::past(due, self.now) };
        }
        match self.expected_end {
            Some(end) if self.result.is_none() && end <= due => {
                DeadlineState::ExpectedKept { due, end }
            }
            Some(end) if self.result.is_none() => {
                DeadlineState::ExpectedMissed { due, end, by: Self::past(due, end) }
            }
            _ => DeadlineState::AtRisk { due },
        }
    }
}

impl Totals {
    pub fn of(jobs: &[JobLine]) -> Self {
        let mut totals = Self::default();
        for job in jobs {
            totals.add(job);
        }
        totals
    }

    fn add(&mut self, job: &JobLine) {
        let word = job.state.word();
        self.taking_part += u32::from(word != StateWord::NotScheduled);
        self.late += u32::from(!job.late.is_empty());
        self.ran_long += u32::from(job.ran_long.is_some());
        match word {
            StateWord::Waiting | StateWord::RetryWait => self.waiting += 1,
            StateWord::Starting | StateWord::Running => self.running += 1,
            StateWord::Held => self.held += 1,
            StateWord::Succeeded => {
                self.well += 1;
                self.on_time += u32::from(job.late.is_empty());
                self.retried += u32::from(job.last_failed().is_some());
            }
            StateWord::Failed => {
                self.failed += 1;
                self.failed_critical += u32::from(job.critical);
            }
            StateWord::Skipped => self.skipped += 1,
            StateWord::NotScheduled => self.not_scheduled += 1,
            StateWord::Forced => self.forced += 1,
            StateWord::Blocked => self.blocked += 1,
            StateWord::Cancelled => self.cancelled += 1,
            StateWord::Unknown => self.unknown += 1,
        }
    }
}
