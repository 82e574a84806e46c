//! What an action is meant for: a run, a job, a job with all that follows it, or the jobs whose names are as a pattern
//! says. Resolved against the graph of the run.

use std::collections::BTreeSet;
use std::fmt;
use std::str::FromStr;

use jiff::civil::Time;
use serde::{Deserialize, Serialize};

use super::fact::{Action, Deadline};
use super::refused::{Refused, Rule};
use super::state::Run;
use crate::types::{BatchId, InvalidName, JobName, ShiftName};

/// `eod`, `eod.close`, `eod.close+` (with all that follows it), `eod.load-*`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Selector {
    pub batch: BatchId,
    pub which: Which,
}

/// Which part of a run.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Which {
    /// The run itself.
    Run,
    Job(JobName),
    /// The job and everything that follows it.
    Subtree(JobName),
    /// Jobs by a pattern, in which `*` stands for any letters.
    Like(String),
}

/// What is to be done to each of what was selected.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, schemars::JsonSchema)]
#[serde(rename_all = "kebab-case", tag = "do")]
pub enum Deed {
    Hold,
    Release,
    Skip,
    Force,
    Retry,
    Kill,
    Confirm,
    /// The selected jobs and everything that follows them once more.
    Rerun,
    Priority {
        priority: i32,
    },
    Deadline {
        deadline: Deadline,
        to: Time,
    },
    Cancel,
    Note {
        text: String,
    },
    /// The changes of the run may start, says the person on shift.
    ReleaseChanges {
        /// From the roster; nobody says it of themselves.
        #[serde(skip)]
        shifts: Vec<ShiftName>,
    },
    /// Whoever asks watches the changes of the run.
    WatchChanges,
    /// Whoever asks has read the report of the run, and answers for it.
    Sign {
        /// From the roster; nobody says it of themselves.
        #[serde(skip)]
        shifts: Vec<ShiftName>,
    },
}

/// Why a selection cannot be read.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum Unreadable {
    #[error(transparent)]
    Name(#[from] InvalidName),
    #[error("`{0}` is no pattern: write letters of job names and `*`, such as eod.load-*")]
    Pattern(String),
}

impl FromStr for Selector {
    type Err = Unreadable;
    fn from_str(text: &str) -> Result<Self, Unreadable> {
        let Some((batch, jobs)) = text.split_once('.') else {
            return Ok(Self { batch: BatchId::new(text)?, which: Which::Run });
        };
        let which = if let Some(job) = jobs.strip_suffix('+') {
            Which::Subtree(JobName::new(job)?)
        } else if jobs.contains('*') {
            let letter =
                |c: char| c.is_ascii_lowercase() || c.is_ascii_digit() || "-_*".contains(c);
            if !jobs.chars().all(letter) {
                return Err(Unreadable::Pattern(jobs.to_owned()));
            }
            Which::Like(jobs.to_owned())
        } else {
            Which::Job(JobName::new(jobs)?)
        };
        Ok(Self { batch: BatchId::new(batch)?, which })
    }
}

impl fmt::Display for Selector {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let batch = &self.batch;
        match self.which.written() {
            None => write!(f, "{batch}"),
            Some(jobs) => write!(f, "{batch}.{jobs}"),
        }
    }
}

/// Whether a name is as the pattern says, in which `*` stands for any letters.
pub fn matches(pattern: &str, name: &str) -> bool {
    match pattern.split_once('*') {
        None => pattern == name,
        Some((head, rest)) => name.strip_prefix(head).is_some_and(|tail| {
            tail.char_indices()
                .map(|(at, _)| at)
                .chain([tail.len()])
                .any(|at| tail.get(at..).is_some_and(|tail| matches(rest, tail)))
        }),
    }
}

impl Which {
    /// As it is written after the batch's name; `None` for the run itself.
    pub fn written(&self) -> Option<String> {
        match self {
            Self::Run => None,
            Self::Job(job) => Some(job.to_string()),
            Self::Subtree(job) => Some(format!("{job}+")),
            Self::Like(pattern) => Some(pattern.clone()),
        }
    }

    /// The selected jobs, in the order of the batch's file; none for the run itself.
    pub(super) fn jobs(&self, run: &Run) -> Result<Vec<JobName>, Refused> {
        let index = |job: &JobName| run.index(job).ok_or_else(|| no_such_job(run, job));
        Ok(match self {
            Self::Run => Vec::new(),
            Self::Job(job) => {
                index(job)?;
                vec![job.clone()]
            }
            Self::Subtree(job) => followed(run, [index(job)?]),
            Self::Like(pattern) => {
                let jobs = run.batch.jobs.iter().map(|job| &job.name);
                let found: Vec<JobName> =
                    jobs.filter(|job| matches(pattern, job.as_str())).cloned().collect();
                if found.is_empty() {
                    let what = format!("no job of batch {} is named like {pattern}", run.batch.id);
                    return Err(Refused::by(Rule::NoSuchJob, what));
                }
                found
            }
        })
    }
}

impl Deed {
    /// What is asked of a run in single actions.
    pub(super) fn actions(&self, run: &Run, which: &Which) -> Result<Vec<Action>, Refused> {
        let jobs = which.jobs(run)?;
        if let Self::Rerun = self {
            let roots: Vec<usize> = jobs.iter().filter_map(|job| run.index(job)).collect();
            if roots.is_empty() {
                return Err(needs_job("a rerun of the whole batch is an order")
                    .hint(format!("`nightrun run {} --rerun` gives it", run.batch.id)));
            }
            return Ok(vec![Action::Rerun { jobs: followed(run, roots) }]);
        }
        if *which == Which::Run {
            return Ok(vec![self.on_run(run)?]);
        }
        jobs.into_iter().map(|job| self.on_job(job)).collect()
    }

    fn on_run(&self, run: &Run) -> Result<Action, Refused> {
        match self {
            Self::Cancel => Ok(Action::Cancel),
            Self::ReleaseChanges { shifts } => {
                Ok(Action::ReleaseChanges { shifts: shifts.clone() })
            }
            Self::WatchChanges => Ok(Action::WatchChanges),
            Self::Sign { shifts } => Ok(Action::Sign { shifts: shifts.clone() }),
            Self::Note { text } => Ok(Action::Note { job: None, text: text.clone() }),
            Self::Deadline { deadline, to } => {
                Ok(Action::Deadline { job: None, deadline: *deadline, from: None, to: *to })
            }
            _ => Err(needs_job("that is done to jobs, not to a whole run")
                .hint(format!("`{}.*` names all of its jobs", run.batch.id))),
        }
    }

    fn on_job(&self, job: JobName) -> Result<Action, Refused> {
        Ok(match self {
            Self::Hold => Action::Hold { job },
            Self::Release => Action::Release { job },
            Self::Skip => Action::Skip { job },
            Self::Force => Action::Force { job },
            Self::Retry => Action::Retry { job },
            Self::Kill => Action::Kill { job },
            Self::Confirm => Action::Confirm { job },
            Self::Rerun => Action::Rerun { jobs: vec![job] },
            Self::Priority { priority } => Action::Priority { job, priority: *priority },
            Self::Deadline { deadline, to } => {
                Action::Deadline { job: Some(job), deadline: *deadline, from: None, to: *to }
            }
            Self::Note { text } => Action::Note { job: Some(job), text: text.clone() },
            Self::Cancel => {
                return Err(needs_job("a run is cancelled as a whole")
                    .hint("a job is left out with `nightrun skip`"));
            }
            Self::ReleaseChanges { .. } | Self::WatchChanges => {
                return Err(needs_job("the changes of a run are released and watched together"));
            }
            Self::Sign { .. } => {
                return Err(needs_job("the report of a run is signed as a whole"));
            }
        })
    }
}

fn needs_job(what: &str) -> Refused {
    Refused::by(Rule::NoSuchJob, what)
}

/// Jobs and everything that follows them, in the order of the batch's file.
fn followed(run: &Run, roots: impl IntoIterator<Item = usize>) -> Vec<JobName> {
    let mut todo: Vec<usize> = roots.into_iter().collect();
    let mut found = BTreeSet::new();
    while let Some(index) = todo.pop() {
        if found.insert(index) {
            todo.extend(run.graph.successors(index).map(|(next, _)| next));
        }
    }
    found.into_iter().map(|index| run.job(index).name.clone()).collect()
}

pub(super) fn no_such_job(run: &Run, job: &JobName) -> Refused {
    let what = format!("batch {} has no job {job}", run.batch.id);
    let refused = Refused::by(Rule::NoSuchJob, what);
    let known = run.batch.jobs.iter().map(|job| job.name.as_str());
    match crate::definition::nearest::hint(job.as_str(), known) {
        Some(hint) => refused.hint(hint),
        None => refused,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::core::test_night::{Night, name};
    use crate::core::test_site::job;

    #[test]
    fn a_selection_is_read_and_written_alike() {
        for text in ["eod", "eod.close", "eod.close+", "eod.load-*", "eod.*"] {
            assert_eq!(text.parse::<Selector>().unwrap().to_string(), text);
        }
        for bad in ["", "Eod", "eod.", "eod.+", "eod.a+b", "eod.L*", "eod.a b*"] {
            assert!(bad.parse::<Selector>().is_err(), "{bad}");
        }
    }

    #[test]
    fn a_star_stands_for_any_letters() {
        for (pattern, name, fits) in [
            ("load-*", "load-rates", true),
            ("load-*", "load-", true),
            ("load-*", "stage-load-rates", false),
            ("*", "a", true),
            ("*-rates", "load-rates", true),
            ("l*-r*s", "load-rates", true),
            ("l*x*", "load-rates", false),
        ] {
            assert_eq!(matches(pattern, name), fits, "{pattern} {name}");
        }
    }

    #[test]
    fn a_selection_names_jobs_of_the_run() {
        let jobs = vec![
            job("load-a", &[]),
            job("load-b", &[]),
            job("post", &["load-a"]),
            job("close", &["post", "load-b"]),
        ];
        let night = Night::of(jobs);
        let found = |which: Which| {
            which.jobs(night.run()).map(|jobs| {
                jobs.iter().map(|job| job.as_str().to_owned()).collect::<Vec<_>>().join(" ")
            })
        };
        assert_eq!(found(Which::Run).unwrap(), "");
        assert_eq!(found(Which::Job(name("post"))).unwrap(), "post");
        assert_eq!(found(Which::Subtree(name("load-a"))).unwrap(), "load-a post close");
        assert_eq!(found(Which::Like("load-*".into())).unwrap(), "load-a load-b");
        let refused = found(Which::Job(name("pots"))).unwrap_err();
        assert_eq!(refused.rule, Some(Rule::NoSuchJob));
        assert!(refused.to_string().contains("post"), "{refused}");
        assert_eq!(found(Which::Like("x*".into())).unwrap_err().rule, Some(Rule::NoSuchJob));
    }
}
