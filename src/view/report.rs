//! The morning batch-completion report of one run (N2, N3).

use jiff::Timestamp;
use serde::Serialize;

use super::Who;
use super::job::{JobLine, StateWord};
use super::run::{RunHead, Totals};
use crate::core::fact::Action;
use crate::definition::site::ChangeClass;
use crate::types::{ChangeId, IncidentId, JobName, TargetName, Text};
use crate::wire::{ChangeState, Check};

/// Everything that the report of a run says.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct ReportView {
    pub head: RunHead,
    /// Always [`Totals::of`] the jobs.
    pub totals: Totals,
    /// In the order of the file.
    pub jobs: Vec<JobLine>,
    pub changes: Vec<ChangeLine>,
    pub incidents: Vec<IncidentLine>,
    pub actions: Vec<ActionLine>,
    /// Mails of this run that no server has accepted yet.
    pub unsent_mail: u32,
    /// Head of the journal's hash chain when the page was made, in hex.
    pub journal_head: Option<String>,
    /// Wall time of the host, whatever clock the run has.
    pub generated_at: Timestamp,
}

/// A database change of the run (变更).
#[derive(Debug, Clone, PartialEq, Serialize)]
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

/// An incident of the run (事件).
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct IncidentLine {
    pub id: IncidentId,
    pub job: JobName,
    pub opened: Timestamp,
    pub closed: Option<Timestamp>,
    pub blocks: Vec<JobName>,
    pub told: Vec<Who>,
}

/// What a person did.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct ActionLine {
    pub at: Timestamp,
    pub by: Who,
    pub act: Act,
    /// In the person's own words.
    pub reason: String,
}

#[derive(Debug, Clone, PartialEq, Serialize)]
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
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[serde(rename_all = "kebab-case", tag = "open")]
pub enum OpenPoint {
    Unknown {
        job: JobName,
    },
    Held {
        job: JobName,
    },
    /// The change may be half done.
    ChangeInDoubt {
        change: ChangeId,
    },
    RollbackFailed {
        change: ChangeId,
    },
    Incident {
        id: IncidentId,
        job: JobName,
    },
    UnsentMail {
        count: u32,
    },
}

impl ReportView {
    /// What is still open, the gravest first.
    pub fn open_points(&self) -> Vec<OpenPoint> {
        let with = |word| self.jobs.iter().filter(move |job| job.state.word() == word);
        let mut points = Vec::new();
        for change in &self.changes {
            match change.state {
                Some(ChangeState::InDoubt) => {
                    points.push(OpenPoint::ChangeInDoubt { change: change.id.clone() });
                }
                Some(ChangeState::RollbackFailed) => {
                    points.push(OpenPoint::RollbackFailed { change: change.id.clone() });
                }
                _ => {}
            }
        }
        points.extend(with(StateWord::Unknown).map(|j| OpenPoint::Unknown { job: j.name.clone() }));
        for incident in self.incidents.iter().filter(|incident| incident.closed.is_none()) {
            points.push(OpenPoint::Incident { id: incident.id, job: incident.job.clone() });
        }
        points.extend(with(StateWord::Held).map(|j| OpenPoint::Held { job: j.name.clone() }));
        if self.unsent_mail > 0 {
            points.push(OpenPoint::UnsentMail { count: self.unsent_mail });
        }
        points
    }
}
