//! The proof of a change (D13): what was asked for, approved and done, what its target says now, and the entries of the
//! journal that say so.

use std::collections::{BTreeMap, BTreeSet};

use jiff::Timestamp;
use schemars::JsonSchema;
use serde::Serialize;

use super::Who;
use super::audit::Point;
use super::change::{ChangeLine, ChangePage, StepLine};
use super::change_papers::ChangePapers;
use super::drift::{Drift, drift, unplaced};
use crate::core::change::{Began, ChangeLife, ChangeStep, Executed, WindowDecision};
use crate::core::state::Standing;
use crate::definition::copy::CHANGE_SCRIPTS;
use crate::definition::site::Site;
use crate::types::{AttemptId, ChangeId, Revision, RunId, TargetName, Text};
use crate::wire::{ChangeState, ChangeWork, Check, Evidence, Marked, RehearsalStep, Work};

#[derive(Debug, Clone, PartialEq, Serialize, JsonSchema)]
pub struct ChangeProof {
    pub site: Text,
    pub made: Timestamp,
    /// Nothing below is missing, altered or otherwise than it was recorded.
    pub whole: bool,
    pub faults: Vec<Fault>,
    #[serde(flatten)]
    pub line: ChangeLine,
    pub reason: Option<Text>,
    /// Number of the governance record.
    pub governance: Option<String>,
    /// What its folder says now.
    pub papers: Option<ChangePapers>,
    pub authors: Vec<Who>,
    /// Content digest as it was submitted last, and of the folder now.
    pub submitted: Option<String>,
    pub content: Option<String>,
    /// Of each script as it was submitted last.
    pub scripts: Vec<ScriptDigest>,
    /// Every step of its life, also of other environments.
    pub steps: Vec<ProvenStep>,
    pub attempts: Vec<AttemptProof>,
    pub targets: Vec<TargetProof>,
    /// The last entry of the journal, whose chain was walked from the first entry.
    pub head: Point,
}

#[derive(Debug, Clone, PartialEq, Eq, Serialize, JsonSchema)]
pub struct ScriptDigest {
    pub script: String,
    /// SHA-256, in hex.
    pub digest: String,
}

/// A step with its entry.
#[derive(Debug, Clone, PartialEq, Serialize, JsonSchema)]
pub struct ProvenStep {
    #[serde(flatten)]
    pub line: StepLine,
    /// The digest that it is bound to.
    pub bound: Option<String>,
    /// `None`: the journal has no such entry.
    pub entry: Option<Point>,
}

/// One attempt of it.
#[derive(Debug, Clone, PartialEq, Serialize, JsonSchema)]
pub struct AttemptProof {
    pub attempt: AttemptId,
    pub environment: String,
    pub target: Option<TargetName>,
    /// The commit that its run's job files came from, with its author as the commit says.
    pub commit: Option<String>,
    pub commit_author: Option<String>,
    pub content: String,
    /// The approval digest that it was started with.
    pub digest: Option<String>,
    pub window: Option<WindowDecision>,
    /// Who has released it, and who watched.
    pub executor: Option<Who>,
    pub watcher: Option<Who>,
    pub began: Option<Timestamp>,
    pub started: Option<Timestamp>,
    pub ended: Option<Timestamp>,
    /// `None`: it has not come to an end.
    pub state: Option<ChangeState>,
    /// What people have decided about it, where it was in doubt.
    pub decided: Option<bool>,
    pub rows: u64,
    pub backup_rows: u64,
    /// Verification before the change, which must fail or differ, and after it.
    pub before: Vec<Check>,
    pub after: Vec<Check>,
    /// What was rehearsed before the change that stays.
    pub rehearsal: Vec<RehearsalStep>,
    pub why: Option<String>,
    pub evidence: Vec<Evidence>,
    /// Its entries: meant, started, ended.
    pub entries: Vec<Point>,
}

/// What a target says now.
#[derive(Debug, Clone, PartialEq, Serialize, JsonSchema)]
pub struct TargetProof {
    pub environment: String,
    pub target: TargetName,
    #[serde(flatten)]
    pub said: Said,
    pub drift: Vec<Drift>,
}

#[derive(Debug, Clone, PartialEq, Serialize, JsonSchema)]
#[serde(rename_all = "kebab-case", tag = "read")]
pub enum Said {
    /// Read in a session that cannot write.
    Now {
        at: Timestamp,
        marked: Marked,
    },
    Unreachable {
        why: String,
    },
    /// Whoever asked did not want it read.
    NotAsked,
}

/// Why a proof is not whole.
#[derive(Debug, Clone, PartialEq, Serialize, JsonSchema)]
#[serde(rename_all = "kebab-case", tag = "fault")]
pub enum Fault {
    /// The journal has no entry for a step that is known, counted from 1.
    StepWithoutEntry {
        number: u32,
    },
    /// What became of an attempt nobody has said: it is under way, half done or in doubt, so that nothing is compared for it.
    Unsettled {
        attempt: AttemptId,
    },
    /// The journal does not have where an attempt went, as its store was restored from an older copy: no target was compared.
    NotCompared {
        attempt: AttemptId,
    },
    /// The entries of an attempt are in an archive that was not at hand.
    Archived {
        attempt: AttemptId,
    },
    Unreachable {
        environment: String,
        target: TargetName,
        why: String,
    },
    NotRead {
        environment: String,
        target: TargetName,
    },
    Drift {
        environment: String,
        target: TargetName,
        drift: Drift,
    },
}

/// What the journal holds of changes, walked from its first entry.
#[derive(Debug, Clone, Default)]
pub struct Recorded {
    /// The entries of steps, by change and number from 1.
    pub steps: BTreeMap<(ChangeId, u32), Point>,
    pub attempts: BTreeMap<AttemptId, RecordedAttempt>,
    pub revisions: BTreeMap<RunId, Revision>,
    pub head: Option<Point>,
}

#[derive(Debug, Clone, Default)]
pub struct RecordedAttempt {
    pub entries: Vec<Point>,
    pub work: Option<ChangeWork>,
    pub ended: bool,
}

impl RecordedAttempt {
    pub fn end(&mut self, work: &Option<Work>) {
        self.ended = true;
        if let Some(Work::Change(work)) = work {
            self.work = Some(work.clone());
        }
    }
}

/// What is to be proven.
#[derive(Debug, Clone, Copy)]
pub struct Asked<'a> {
    pub change: &'a ChangeId,
    /// Only of this environment.
    pub environment: Option<&'a str>,
    pub now: Timestamp,
}

/// The environments in which it was tried, with their targets as the attempts had them.
pub fn tried_in<'a>(life: &'a ChangeLife, only: Option<&str>) -> Vec<(&'a str, &'a TargetName)> {
    let mut places: Vec<(&str, &TargetName)> = Vec::new();
    for taken in &life.steps {
        if let ChangeStep::Began { began } = &taken.step {
            let place = (began.environment.as_str(), &began.target);
            if only.is_none_or(|only| only == place.0) && !places.contains(&place) {
                places.push(place);
            }
        }
    }
    places
}

/// The environments in which attempts of it have come to an end.
pub fn environments<'a>(life: &'a ChangeLife, only: Option<&str>) -> BTreeSet<&'a str> {
    let ended = life.steps.iter().filter_map(|taken| match &taken.step {
        ChangeStep::Ended { ended } => Some(ended.environment.as_str()),
        _ => None,
    });
    ended.filter(|of| only.is_none_or(|only| only == *of)).collect()
}

/// `said`: what each place of [`tried_in`] says. `None`: nothing is known of the change.
pub fn of(
    (site, standing): (&Site, &Standing),
    asked: Asked<'_>,
    recorded: &Recorded,
    said: Vec<Said>,
) -> Option<ChangeProof> {
    let Asked { change, environment, now } = asked;
    let page: ChangePage = super::change::one(site, standing, change, now)?;
    let unknown = ChangeLife::default();
    let life = standing.changes.get(change).map_or(&unknown, AsRef::as_ref);
    let mut faults = Vec::new();
    let steps = steps(change, page.steps, recorded, &mut faults);
    let attempts = attempts(site, life, environment, recorded, &mut faults);
    faults.extend(unsettled(&attempts));
    for of in environments(life, environment) {
        let ends = unplaced(life, of);
        faults.extend(ends.map(|(_, it)| Fault::NotCompared { attempt: it.attempt.clone() }));
    }
    let places = tried_in(life, environment).into_iter().zip(said);
    let targets: Vec<TargetProof> =
        places.map(|((of, target), said)| target_proof(life, (of, target), said)).collect();
    for target in &targets {
        faults.extend(faults_of(target));
    }
    Some(ChangeProof {
        site: site.title.clone(),
        made: now,
        whole: faults.is_empty(),
        faults,
        reason: page.reason,
        governance: page.governance,
        papers: page.papers,
        authors: page.authors,
        submitted: page.submitted,
        content: page.content,
        scripts: scripts(life),
        steps,
        attempts,
        targets,
        head: recorded.head.clone().unwrap_or(Point { seq: 0, hash: "0".repeat(64) }),
        line: page.line,
    })
}

fn scripts(life: &ChangeLife) -> Vec<ScriptDigest> {
    let last = life.steps.iter().rev().find_map(|taken| match &taken.step {
        ChangeStep::Submitted { scripts, .. } => Some(scripts),
        _ => None,
    });
    let pair = |(script, digest): (&&str, &String)| ScriptDigest {
        script: (*script).to_owned(),
        digest: digest.clone(),
    };
    CHANGE_SCRIPTS.iter().zip(last.into_iter().flatten()).map(pair).collect()
}

fn steps(
    change: &ChangeId,
    lines: Vec<StepLine>,
    recorded: &Recorded,
    faults: &mut Vec<Fault>,
) -> Vec<ProvenStep> {
    let prove = |(number, line): (u32, StepLine)| {
        let entry = recorded.steps.get(&(change.clone(), number)).cloned();
        if entry.is_none() {
            faults.push(Fault::StepWithoutEntry { number });
        }
        ProvenStep { bound: bound(&line.step), line, entry }
    };
    (1..).zip(lines).map(prove).collect()
}

/// What a step is bound to: it counts for nothing else.
fn bound(step: &ChangeStep) -> Option<String> {
    match step {
        ChangeStep::Submitted { content, .. }
        | ChangeStep::Reviewed { content, .. }
        | ChangeStep::Confirmed { content, .. } => Some(content.clone()),
        ChangeStep::Approved { digest, .. } | ChangeStep::Scheduled { digest, .. } => {
            Some(digest.clone())
        }
        ChangeStep::Began { began } => {
            Some(began.digest.clone()).filter(|digest| !digest.is_empty())
        }
        ChangeStep::Ended { ended } => Some(ended.content.clone()),
        _ => None,
    }
}

/// Everything that was tried, in order.
fn attempts(
    site: &Site,
    life: &ChangeLife,
    only: Option<&str>,
    recorded: &Recorded,
    faults: &mut Vec<Fault>,
) -> Vec<AttemptProof> {
    let mut all: Vec<AttemptProof> = Vec::new();
    let unknown = RecordedAttempt::default();
    for taken in &life.steps {
        match &taken.step {
            ChangeStep::Began { began } => all.push(meant(site, taken.at, began)),
            ChangeStep::Ended { ended } => {
                let there = all.iter().position(|known| known.attempt == ended.attempt);
                let at = there.unwrap_or_else(|| {
                    all.push(found(ended));
                    all.len() - 1
                });
                end(&mut all[at], ended);
            }
            ChangeStep::Lost { attempt, complete: true, .. } => {
                let of = all.iter_mut().filter(|known| known.attempt == *attempt);
                of.for_each(|known| known.decided = Some(false));
            }
            ChangeStep::Decided { environment, applied, .. } => {
                let of = all.iter_mut().rfind(|known| known.environment == *environment);
                of.into_iter().for_each(|known| known.decided = Some(*applied));
            }
            _ => {}
        }
    }
    all.retain(|attempt| only.is_none_or(|only| attempt.environment == only));
    for attempt in &mut all {
        let told = recorded.attempts.get(&attempt.attempt).unwrap_or(&unknown);
        let revision = recorded.revisions.get(&attempt.attempt.run);
        attempt.commit = revision.map(|revision| revision.commit.clone());
        attempt.commit_author = revision.map(|revision| revision.author.clone());
        attempt.entries.clone_from(&told.entries);
        if let Some(work) = &told.work {
            attempt.before.clone_from(&work.before);
            attempt.after.clone_from(&work.after);
            attempt.evidence.clone_from(&work.evidence);
        }
        if attempt.ended.is_some() && !told.ended {
            faults.push(Fault::Archived { attempt: attempt.attempt.clone() });
        }
    }
    all
}

/// A later attempt of the same run settles an earlier one: it looked at what that has left, or went on from it.
fn unsettled(attempts: &[AttemptProof]) -> Vec<Fault> {
    let last = |of: &AttemptProof| {
        !attempts.iter().any(|later| {
            let (id, of) = (&later.attempt, &of.attempt);
            id.run == of.run && id.job == of.job && id.number > of.number
        })
    };
    let open = attempts.iter().filter(|of| match of.state {
        None => true,
        Some(ChangeState::InDoubt | ChangeState::Partial | ChangeState::RollbackFailed) => {
            of.decided.is_none()
        }
        Some(_) => false,
    });
    open.filter(|of| last(of)).map(|of| Fault::Unsettled { attempt: of.attempt.clone() }).collect()
}

fn meant(site: &Site, at: Timestamp, began: &Began) -> AttemptProof {
    let who = |person: &Option<_>| person.as_ref().map(|person| Who::of(site, person));
    AttemptProof {
        target: Some(began.target.clone()),
        digest: Some(began.digest.clone()).filter(|digest| !digest.is_empty()),
        window: began.window.clone(),
        executor: who(&began.executor),
        watcher: who(&began.watcher),
        began: Some(at),
        ..blank(&began.attempt, &began.environment, &began.content)
    }
}

/// An attempt that only ended here: its store was an older copy when it began.
fn found(ended: &Executed) -> AttemptProof {
    blank(&ended.attempt, &ended.environment, &ended.content)
}

fn blank(attempt: &AttemptId, environment: &str, content: &str) -> AttemptProof {
    AttemptProof {
        attempt: attempt.clone(),
        environment: environment.to_owned(),
        target: None,
        commit: None,
        commit_author: None,
        content: content.to_owned(),
        digest: None,
        window: None,
        executor: None,
        watcher: None,
        began: None,
        started: None,
        ended: None,
        state: None,
        decided: None,
        rows: 0,
        backup_rows: 0,
        before: Vec::new(),
        after: Vec::new(),
        rehearsal: Vec::new(),
        why: None,
        evidence: Vec::new(),
        entries: Vec::new(),
    }
}

fn end(attempt: &mut AttemptProof, ended: &Executed) {
    attempt.started = ended.started;
    attempt.ended = Some(ended.ended);
    attempt.state = Some(ended.state);
    attempt.rows = ended.rows;
    attempt.backup_rows = ended.backup_rows;
    attempt.rehearsal.clone_from(&ended.rehearsal);
    attempt.why.clone_from(&ended.why);
}

fn target_proof(life: &ChangeLife, place: (&str, &TargetName), said: Said) -> TargetProof {
    let drift = match &said {
        Said::Now { marked, .. } => drift(life, place, &marked.rows),
        Said::Unreachable { .. } | Said::NotAsked => Vec::new(),
    };
    TargetProof { environment: place.0.to_owned(), target: place.1.clone(), said, drift }
}

fn faults_of(of: &TargetProof) -> Vec<Fault> {
    let (environment, target) = (of.environment.clone(), of.target.clone());
    match &of.said {
        Said::Unreachable { why } => {
            vec![Fault::Unreachable { environment, target, why: why.clone() }]
        }
        Said::NotAsked => vec![Fault::NotRead { environment, target }],
        Said::Now { .. } => of
            .drift
            .iter()
            .map(|drift| Fault::Drift {
                environment: environment.clone(),
                target: target.clone(),
                drift: drift.clone(),
            })
            .collect(),
    }
}

#[cfg(test)]
mod tests;
