//! Where a change stands: the fold of its steps. Nothing here decides.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use jiff::Timestamp;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::step::{Began, ChangeRequest, ChangeStep, Executed};
use crate::types::{AttemptId, ChangeId, PersonId};
use crate::wire::{ChangeState, CutDecision};

/// Everything that was done with a change, in order.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct ChangeLife {
    pub steps: Vec<Taken>,
}

/// Of every change that somebody has taken a step with. Shared, because looks ahead copy the whole state.
pub type Lives = BTreeMap<ChangeId, Arc<ChangeLife>>;

/// A step with its person and time (D3).
#[derive(Debug, Clone, PartialEq)]
pub struct Taken {
    pub at: Timestamp,
    pub by: PersonId,
    /// Whose yes it took besides.
    pub second: Option<PersonId>,
    pub reason: String,
    pub step: ChangeStep,
}

/// Where a change is in its life (D2).
#[derive(
    Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize, JsonSchema,
)]
#[serde(rename_all = "kebab-case")]
pub enum Stage {
    /// Nothing is known of it but its folder.
    Draft,
    Created,
    Assigned,
    /// Its scripts are handed in.
    Written,
    Reviewed,
    Approved,
    Scheduled,
    Executing,
    Executed,
    /// Proven that nothing was applied.
    Failed,
    RolledBack,
    /// It may be half done: two people decide.
    InDoubt,
    FedBack,
    Closed,
    Archived,
    Returned,
    Withdrawn,
}

impl Stage {
    /// Nothing more becomes of it.
    pub fn is_over(self) -> bool {
        matches!(self, Self::Closed | Self::Archived | Self::Withdrawn)
    }

    pub const ALL: [Self; 17] = [
        Self::Draft,
        Self::Created,
        Self::Assigned,
        Self::Written,
        Self::Reviewed,
        Self::Approved,
        Self::Scheduled,
        Self::Executing,
        Self::Executed,
        Self::Failed,
        Self::RolledBack,
        Self::InDoubt,
        Self::FedBack,
        Self::Closed,
        Self::Archived,
        Self::Returned,
        Self::Withdrawn,
    ];

    /// Its name in files, in the API and in `states.md`.
    pub fn name(self) -> &'static str {
        match self {
            Self::Draft => "draft",
            Self::Created => "created",
            Self::Assigned => "assigned",
            Self::Written => "written",
            Self::Reviewed => "reviewed",
            Self::Approved => "approved",
            Self::Scheduled => "scheduled",
            Self::Executing => "executing",
            Self::Executed => "executed",
            Self::Failed => "failed",
            Self::RolledBack => "rolled-back",
            Self::InDoubt => "in-doubt",
            Self::FedBack => "fed-back",
            Self::Closed => "closed",
            Self::Archived => "archived",
            Self::Returned => "returned",
            Self::Withdrawn => "withdrawn",
        }
    }

    /// The stage after a step; `None`: a person cannot take it here. What is observed of its execution is true at any
    /// stage. `afresh`: what is submitted is not what was submitted last.
    pub fn after(self, step: &ChangeStep, afresh: bool) -> Option<Self> {
        use Stage::{
            Approved, Archived, Assigned, Closed, Created, Draft, Executed, Executing, Failed,
            FedBack, InDoubt, Returned, Reviewed, RolledBack, Scheduled, Withdrawn, Written,
        };
        let over = matches!(self, Executed | Failed | RolledBack | FedBack);
        let waits = matches!(self, Written | Reviewed | Approved | Scheduled);
        let early = matches!(self, Draft | Created | Assigned | Returned);
        // Approvals may lapse, and windows pass, before it is tried again.
        let tried = matches!(self, Executing | InDoubt);
        match step {
            ChangeStep::Began { .. } => Some(Executing),
            ChangeStep::Ended { ended } => Some(after_execution(ended.state)),
            ChangeStep::Created { .. } => (self == Draft).then_some(Created),
            ChangeStep::Assigned { .. } => {
                matches!(self, Created | Assigned | Returned).then_some(Assigned)
            }
            ChangeStep::Submitted { .. } => match afresh {
                true => (early || waits || over).then_some(Written),
                false => (waits || over).then_some(self),
            },
            ChangeStep::Reviewed { complete, .. } => {
                (self == Written).then_some(if *complete { Reviewed } else { self })
            }
            ChangeStep::Approved { complete, .. } => (waits || over || tried)
                .then_some(if *complete && self != Scheduled && !tried { Approved } else { self }),
            ChangeStep::Confirmed { environment: None, .. } => {
                (early || waits || over).then_some(self)
            }
            ChangeStep::Confirmed { .. } => {
                (waits || over || tried || self == Returned).then_some(self)
            }
            ChangeStep::Scheduled { .. } if self == InDoubt => Some(self),
            ChangeStep::Scheduled { .. } => {
                (over || matches!(self, Approved | Scheduled)).then_some(Scheduled)
            }
            ChangeStep::Decided { applied, .. } => {
                (self == InDoubt).then_some(if *applied { Executed } else { Failed })
            }
            // Until its next attempt begins something else may be decided.
            ChangeStep::GoesOn { .. } => (self == InDoubt).then_some(self),
            ChangeStep::Lost { complete, .. } => match self {
                Draft | Created | Assigned | Executing | InDoubt => None,
                Executed | FedBack | Closed if *complete => Some(Failed),
                _ => Some(self),
            },
            ChangeStep::FedBack => {
                matches!(self, Executed | Failed | RolledBack).then_some(FedBack)
            }
            ChangeStep::Closed => (self == FedBack).then_some(Closed),
            ChangeStep::Archived => matches!(self, Closed | Withdrawn).then_some(Archived),
            ChangeStep::Returned => waits.then_some(Returned),
            ChangeStep::Withdrawn => (waits || (early && self != Draft)).then_some(Withdrawn),
        }
    }
}

fn after_execution(state: ChangeState) -> Stage {
    match state {
        ChangeState::Done => Stage::Executed,
        ChangeState::FailedClean | ChangeState::FailedGuard => Stage::Failed,
        ChangeState::RolledBack => Stage::RolledBack,
        ChangeState::Partial | ChangeState::RollbackFailed | ChangeState::InDoubt => Stage::InDoubt,
    }
}

impl ChangeLife {
    pub fn stage(&self) -> Stage {
        let mut stage = Stage::Draft;
        let mut submitted: Option<&str> = None;
        for taken in &self.steps {
            let afresh = match &taken.step {
                ChangeStep::Submitted { content, .. } => {
                    submitted.replace(content) != Some(content.as_str())
                }
                _ => false,
            };
            stage = stage.after(&taken.step, afresh).unwrap_or(stage);
            if taken.step == ChangeStep::Returned {
                submitted = None;
            }
        }
        stage
    }

    /// What was submitted last, and everything since these bytes were submitted for the first time without a break:
    /// reviews, approvals and confirmations from before count no more (D5).
    pub fn since_submission(&self) -> Option<(&str, &[Taken])> {
        let mut found: Option<(&str, usize)> = None;
        for (at, taken) in self.steps.iter().enumerate() {
            match &taken.step {
                ChangeStep::Submitted { content, .. }
                    if found.is_none_or(|(before, _)| before != content) =>
                {
                    found = Some((content, at));
                }
                ChangeStep::Returned | ChangeStep::Withdrawn => found = None,
                _ => {}
            }
        }
        found.map(|(content, at)| (content, self.steps.get(at..).unwrap_or_default()))
    }

    /// As it was asked for.
    pub fn request(&self) -> Option<&ChangeRequest> {
        self.steps.iter().find_map(|taken| match &taken.step {
            ChangeStep::Created { request, .. } => Some(request.as_ref()),
            _ => None,
        })
    }

    /// Whoever asked for it, wrote it, handed it in, or is named by git as who wrote it.
    pub fn writers(&self) -> impl Iterator<Item = &PersonId> {
        self.steps.iter().flat_map(|taken| match &taken.step {
            ChangeStep::Created { .. } => vec![&taken.by],
            ChangeStep::Submitted { authors, in_git, .. } => {
                let named = in_git.iter().filter_map(|named| named.person.as_ref());
                authors.iter().chain([&taken.by]).chain(named).collect()
            }
            _ => Vec::new(),
        })
    }

    /// The beginning that an end is of: a look at what an attempt of its run has left begins nothing itself. `None`: it was
    /// lost with a store that was restored from an older copy.
    pub fn beginning(&self, ended: &Executed) -> Option<&Began> {
        self.steps.iter().rev().find_map(|taken| match &taken.step {
            ChangeStep::Began { began } => {
                ended.attempt.is_since(&began.attempt).then_some(began.as_ref())
            }
            _ => None,
        })
    }

    /// The attempt that has left it done in an environment. Attempts after it of which it is proven that they applied
    /// nothing take nothing away.
    pub fn done_in<'a>(&'a self, environment: &'a str) -> Option<&'a Executed> {
        let nothing = |state| matches!(state, ChangeState::FailedClean | ChangeState::FailedGuard);
        let (state, ended) = self.executions(environment).find(|(state, _)| !nothing(*state))?;
        (state == ChangeState::Done).then_some(ended)
    }

    /// What came of it in an environment, the last first. A decision of two people takes the place of what it is about.
    pub fn executions<'a>(
        &'a self,
        environment: &'a str,
    ) -> impl Iterator<Item = (ChangeState, &'a Executed)> {
        let mut decided = None;
        let mut lost = Vec::new();
        self.steps.iter().rev().filter_map(move |taken| match &taken.step {
            ChangeStep::Lost { attempt, complete: true, .. } => {
                lost.push(attempt);
                None
            }
            ChangeStep::Decided { environment: of, applied, .. } if of == environment => {
                decided = Some(*applied);
                None
            }
            ChangeStep::Ended { ended } if ended.environment == environment => {
                let state = match decided.take() {
                    _ if lost.contains(&&ended.attempt) => ChangeState::FailedClean,
                    Some(true) => ChangeState::Done,
                    Some(false) => ChangeState::FailedClean,
                    None => ended.state,
                };
                Some((state, ended.as_ref()))
            }
            _ => None,
        })
    }

    /// An attempt that has left something in an environment: what is confirmed before the closing is about it.
    pub fn left_in<'a>(&'a self, environment: &'a str) -> Option<&'a Executed> {
        let left = |state| !matches!(state, ChangeState::FailedClean | ChangeState::FailedGuard);
        self.executions(environment).find(|(state, _)| left(*state)).map(|(_, executed)| executed)
    }

    /// Environments in which an attempt has left something, wherever the change goes by now.
    pub fn left_somewhere(&self) -> BTreeSet<&str> {
        let ended = self.steps.iter().filter_map(|taken| match &taken.step {
            ChangeStep::Ended { ended } => Some(ended.environment.as_str()),
            _ => None,
        });
        ended.filter(|environment| self.left_in(environment).is_some()).collect()
    }

    /// Whether it is done in an environment, as far as the last attempt says; `content`: with these bytes.
    pub fn is_done_in(&self, environment: &str, content: Option<&str>) -> bool {
        let last = self.executions(environment).next();
        last.is_some_and(|(state, executed)| {
            state == ChangeState::Done && content.is_none_or(|content| executed.content == content)
        })
    }

    /// How two people have said last that it goes on after an attempt, or after a later one of its job that did not begin.
    pub fn goes_on_after(&self, after: &AttemptId) -> Option<CutDecision> {
        self.steps.iter().rev().find_map(|taken| match &taken.step {
            ChangeStep::GoesOn { attempt, how, .. } if attempt.is_since(after) => Some(*how),
            _ => None,
        })
    }

    /// The environment of the last attempt that is in doubt.
    pub fn doubt(&self) -> Option<&Executed> {
        let last = self.steps.iter().rev().find_map(|taken| match &taken.step {
            ChangeStep::Ended { ended } => Some(ended.as_ref()),
            _ => None,
        });
        last.filter(|_| self.stage() == Stage::InDoubt)
    }
}
