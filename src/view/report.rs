//! The morning batch-completion report of one run (N2, N3).

use std::cmp::Reverse;
use std::collections::BTreeMap;
use std::time::Duration;

use jiff::Timestamp;
use serde::Serialize;

use super::Who;
use super::incident::{ClockLine, IncidentLine};
use super::inspection::InspectionsView;
use super::job::{JobLine, StateWord};
use super::roster::ShiftLine;
use super::run::{RunHead, Totals};
use super::starts::Missed;
use crate::core::fact::{Action, Deadline, RunResult};
use crate::definition::site::ChangeClass;
use crate::types::{BusinessDate, ChangeId, IncidentId, JobName, RunId, Span, TargetName, Text};
use crate::wire::{ChangeState, Check};

/// Everything that the report of a run says.
#[derive(Debug, Clone, PartialEq, Serialize, schemars::JsonSchema)]
pub struct ReportView {
    pub head: RunHead,
    /// Always [`Totals::of`] the jobs.
    pub totals: Totals,
    /// In the order of the file.
    pub jobs: Vec<JobLine>,
    pub changes: Vec<ChangeLine>,
    pub incidents: Vec<IncidentLine>,
    pub actions: Vec<ActionLine>,
    /// Of the run and of its jobs, kept or not.
    pub deadlines: Vec<DeadlineLine>,
    /// Of the service contract, for its incidents (E3).
    pub limits: Vec<LimitLine>,
    /// Who was on shift while it ran; empty of a trial.
    pub shifts: Vec<ShiftLine>,
    /// The same batch a week before, where the store still has that run.
    pub week_before: Option<Former>,
    /// Starts of the batch that were missed since its run before.
    pub missed_starts: Vec<Missed>,
    /// Rounds of inspections of the days on which the run was at work (I1); `null`: none were wanted or done.
    pub inspections: Option<InspectionsView>,
    /// Mails of this run that no server has accepted yet.
    pub unsent_mail: u32,
    /// Head of the journal's hash chain when the page was made, in hex.
    pub journal_head: Option<String>,
    /// Wall time of the host, whatever clock the run has.
    pub generated_at: Timestamp,
}

impl ReportView {
    /// As it is shown to who may not read what programs and databases have said.
    pub fn without_output(mut self) -> Self {
        self.jobs.iter_mut().for_each(|job| job.tail.clear());
        for change in &mut self.changes {
            change.why = None;
            let checks = change.before.iter_mut().chain(&mut change.after);
            checks.for_each(|check| check.detail.clear());
        }
        self
    }
}

/// A deadline (时限), and whether it was kept.
#[derive(Debug, Clone, PartialEq, Serialize, schemars::JsonSchema)]
pub struct DeadlineLine {
    /// `null`: the run's own.
    pub job: Option<JobName>,
    pub deadline: Deadline,
    pub due: Timestamp,
    /// When what it asks for was there.
    pub met: Option<Timestamp>,
    /// Passed before that.
    pub missed: bool,
}

/// A limit of the service contract for an incident of the run (E3).
#[derive(Debug, Clone, PartialEq, Serialize, schemars::JsonSchema)]
pub struct LimitLine {
    pub incident: IncidentId,
    pub opened: Timestamp,
    /// Who takes care of it.
    pub owner: Option<Who>,
    #[serde(flatten)]
    pub clock: ClockLine,
}

/// A former run that this one is compared with.
#[derive(Debug, Clone, PartialEq, Serialize, schemars::JsonSchema)]
pub struct Former {
    pub run: RunId,
    pub business_date: BusinessDate,
    pub result: Option<RunResult>,
    pub opened: Timestamp,
    pub ended: Option<Timestamp>,
    /// Of each job that began, from its first start to its last end.
    pub took: BTreeMap<JobName, Span>,
}

/// A job that took notably more or less than a week before.
#[derive(Debug, Clone, PartialEq)]
pub struct Compared<'a> {
    pub job: &'a JobLine,
    pub now: Duration,
    pub before: Duration,
}

/// A database change of the run (变更).
#[derive(Debug, Clone, PartialEq, Serialize, schemars::JsonSchema)]
pub struct ChangeLine {
    pub id: ChangeId,
    pub title: Text,
    pub job: JobName,
    pub class: ChangeClass,
    pub target: TargetName,
    pub reason: Text,
    /// `None`: it has not come to an end.
    pub state: Option<ChangeState>,
    pub rows: u64,
    pub backup_rows: u64,
    /// Verification before the change, which must fail or differ, and after it.
    pub before: Vec<Check>,
    pub after: Vec<Check>,
    /// What went wrong.
    pub why: Option<String>,
}

/// What a person did.
#[derive(Debug, Clone, PartialEq, Serialize, schemars::JsonSchema)]
pub struct ActionLine {
    pub at: Timestamp,
    pub by: Who,
    pub act: Act,
    /// In the person's own words.
    pub reason: String,
}

#[derive(Debug, Clone, PartialEq, Serialize, schemars::JsonSchema)]
#[serde(rename_all = "kebab-case")]
pub enum Act {
    Do(Action),
    /// With the yes of a second person.
    ByTwo {
        action: Action,
        second: Who,
    },
    /// Ran outside of its windows: role checked, counted (design idea 4).
    WindowOverride,
    /// The same, with the yes of a second person.
    OverrideByTwo {
        second: Who,
    },
    /// Stopped the run.
    Stop,
    /// Resumed it.
    Resume,
}

/// Something that somebody still has to see to.
#[derive(Debug, Clone, PartialEq, Serialize, schemars::JsonSchema)]
#[serde(rename_all = "kebab-case", tag = "open")]
pub enum OpenPoint {
    Unknown {
        job: JobName,
    },
    Held {
        job: JobName,
    },
    /// Some of the change's statements are done.
    ChangePartial {
        change: ChangeId,
    },
    /// The change may be half done.
    ChangeInDoubt {
        change: ChangeId,
    },
    RollbackFailed {
        change: ChangeId,
    },
    Incident(Box<IncidentLine>),
    UnsentMail {
        count: u32,
    },
    StartsMissed(Missed),
}

/// Rows of a table that somebody reads, and points that are gone into, at the most: a page of 100,000 rows opens nowhere,
/// and no mail server takes it.
const MOST_ROWS: usize = 1_000;
const MOST_POINTS: usize = 100;

/// Less than that is no difference from night to night, and more jobs than these say no more.
const NOTABLE: Duration = Duration::from_secs(60);
const MOST_COMPARED: usize = 10;

/// What of a long list stands on a page, and how much does not.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Shortened<T> {
    pub shown: Vec<T>,
    pub left_out: usize,
}

impl<T> Shortened<T> {
    /// The first of points that are gone into.
    pub fn points(points: impl IntoIterator<Item = T>) -> Self {
        Self::first(points.into_iter().collect(), MOST_POINTS)
    }

    fn first(mut all: Vec<T>, most: usize) -> Self {
        let left_out = all.len().saturating_sub(most);
        all.truncate(most);
        Self { shown: all, left_out }
    }

    pub fn map<U>(self, with: impl FnMut(T) -> U) -> Shortened<U> {
        Shortened { shown: self.shown.into_iter().map(with).collect(), left_out: self.left_out }
    }
}

impl ReportView {
    /// The jobs for a page or a mail. Where there are few: all, in the order of the file. Of a large night those that
    /// matter most: what went wrong first, then what people or a retry had a hand in, the critical path, the longest.
    pub fn rows(&self) -> Shortened<&JobLine> {
        let mut rows: Vec<&JobLine> = self.jobs.iter().collect();
        if rows.len() > MOST_ROWS {
            rows.sort_by_key(|job| (job.weight(), Reverse(job.took())));
        }
        Shortened::first(rows, MOST_ROWS)
    }

    /// Who has signed it since the run was over, the last first (N6).
    pub fn signatures(&self) -> impl Iterator<Item = &ActionLine> {
        let since = self.head.ended.filter(|_| self.head.result.is_some());
        let acts = self.actions.iter().rev();
        acts.filter(move |line| matches!(line.act, Act::Do(Action::Sign { .. })))
            .filter(move |line| since.is_some_and(|since| line.at >= since))
    }

    /// Overridden windows and jobs that were declared done.
    pub fn exceptions(&self) -> impl Iterator<Item = &ActionLine> {
        self.actions.iter().filter(|line| {
            matches!(
                &line.act,
                Act::WindowOverride
                    | Act::OverrideByTwo { .. }
                    | Act::Do(Action::Force { .. })
                    | Act::ByTwo { action: Action::Force { .. }, .. }
            )
        })
    }

    /// The jobs that differ from a week before by a tenth and a minute at least, those that differ most first.
    pub fn compared(&self) -> Vec<Compared<'_>> {
        let Some(former) = &self.week_before else { return Vec::new() };
        let both = self.jobs.iter().filter_map(|job| {
            let now = Duration::try_from(job.took()?).ok()?;
            Some(Compared { job, now, before: former.took.get(&job.name)?.get() })
        });
        let mut notable: Vec<Compared<'_>> = both
            .filter(|both| both.now.abs_diff(both.before) >= NOTABLE.max(both.before / 10))
            .collect();
        notable.sort_by_key(|both| Reverse(both.now.abs_diff(both.before)));
        notable.truncate(MOST_COMPARED);
        notable
    }

    /// What is still open, the gravest first.
    pub fn open_points(&self) -> Vec<OpenPoint> {
        let with = |word| self.jobs.iter().filter(move |job| job.state.word() == word);
        let mut points = Vec::new();
        for change in &self.changes {
            match change.state {
                Some(ChangeState::InDoubt) => {
                    points.push(OpenPoint::ChangeInDoubt { change: change.id.clone() });
                }
                Some(ChangeState::Partial) => {
                    points.push(OpenPoint::ChangePartial { change: change.id.clone() });
                }
                Some(ChangeState::RollbackFailed) => {
                    points.push(OpenPoint::RollbackFailed { change: change.id.clone() });
                }
                _ => {}
            }
        }
        points.extend(with(StateWord::Unknown).map(|j| OpenPoint::Unknown { job: j.name.clone() }));
        for incident in self.incidents.iter().filter(|incident| incident.closed.is_none()) {
            points.push(OpenPoint::Incident(Box::new(incident.clone())));
        }
        points.extend(with(StateWord::Held).map(|j| OpenPoint::Held { job: j.name.clone() }));
        points.extend(self.missed_starts.iter().cloned().map(OpenPoint::StartsMissed));
        if self.unsent_mail > 0 {
            points.push(OpenPoint::UnsentMail { count: self.unsent_mail });
        }
        points
    }
}
