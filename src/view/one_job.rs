//! One job of a run, with all that a page about it says.

use serde::Serialize;

use super::job::{JobLine, StateWord};
use super::run::RunHead;
use super::why::Reason;
use crate::core::select::Deed;
use crate::types::{BusinessDate, Condition, HostName, JobName, JobRef, RunId, Span};

/// One job (作业) with what is before it, what comes after it, and what may be done with it.
#[derive(Debug, Clone, PartialEq, Serialize, schemars::JsonSchema)]
pub struct JobView {
    pub head: RunHead,
    pub job: JobLine,
    /// What stands between it and its start, or says that it is past that, the most decisive first.
    pub reasons: Vec<Reason>,
    /// What it needs, in the order of the file.
    pub needs: Vec<NeedLine>,
    /// What needs it directly, in the order of the file; of the same run.
    pub followers: Vec<Neighbour>,
    /// What its state allows operators to do with it now; who may is asked when it is done.
    pub deeds: Vec<Deed>,
    /// The host that its program ran on last, or would run on now; `local`: that of the supervisor.
    pub host: HostName,
    /// What its host must be: a name, `label NAME`, `as JOB`.
    pub placement: String,
    /// What follows one of these texts in its log is not shown.
    #[serde(skip)]
    pub log_masks: Vec<String>,
}

/// A job that another one needs.
#[derive(Debug, Clone, PartialEq, Serialize, schemars::JsonSchema)]
#[serde(untagged)]
pub enum NeedLine {
    Same {
        #[serde(flatten)]
        job: Neighbour,
        when: Condition,
    },
    /// Of another batch or business date; so many business days from that of the run.
    Across { across: JobRef, offset: i32, when: Condition },
}

/// A job of the same run beside another.
#[derive(Debug, Clone, PartialEq, Serialize, schemars::JsonSchema)]
pub struct Neighbour {
    pub name: JobName,
    pub state: StateWord,
}

/// A past attempt of a job, in a real run.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct PastAttempt {
    pub run: RunId,
    pub business_date: BusinessDate,
    /// Rounded up to whole milliseconds.
    pub took: Span,
    pub good: bool,
}
