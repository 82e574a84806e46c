//! What people see before they decide what became of a change in doubt.

use jiff::Timestamp;
use schemars::JsonSchema;
use serde::Serialize;

use crate::core::change::{ChangeLife, ChangeStep, Stage};
use crate::types::{AttemptId, ChangeId, TargetName};
use crate::wire::{ChangeState, Evidence, Found, Looked};

#[derive(Debug, Clone, PartialEq, Serialize, JsonSchema)]
pub struct ChangeEvidence {
    #[serde(flatten)]
    pub of: Doubted,
    /// What earlier looks have found, as the journal has it.
    pub earlier: Vec<Evidence>,
    #[serde(flatten)]
    pub looked: Looked,
    pub against: Option<Against>,
}

/// The attempt that is asked about.
#[derive(Debug, Clone, PartialEq, Serialize, JsonSchema)]
pub struct Doubted {
    pub change: ChangeId,
    pub environment: String,
    pub target: TargetName,
    pub attempt: AttemptId,
    pub content: String,
    /// SHA-256 of its scripts, as they were submitted.
    pub scripts: Vec<String>,
    pub stage: Stage,
    /// `None`: it has not come to an end.
    pub state: Option<ChangeState>,
    pub why: Option<String>,
    pub ended: Option<Timestamp>,
}

/// Which choice the target speaks against.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, JsonSchema)]
#[serde(rename_all = "kebab-case")]
pub enum Against {
    Applied,
    NotApplied,
    /// Half of it is there.
    Both,
}

/// The last attempt of a change, in an environment or wherever it was. `None`: it was never tried there.
pub fn last(life: &ChangeLife, change: &ChangeId, environment: Option<&str>) -> Option<Doubted> {
    let began = life.steps.iter().rev().find_map(|taken| match &taken.step {
        ChangeStep::Began { began } => {
            environment.is_none_or(|of| of == began.environment).then_some(began)
        }
        _ => None,
    })?;
    let ended = life.steps.iter().rev().find_map(|taken| match &taken.step {
        ChangeStep::Ended { ended } if ended.attempt == began.attempt => Some(ended),
        _ => None,
    });
    let scripts = life.steps.iter().rev().find_map(|taken| match &taken.step {
        ChangeStep::Submitted { content, scripts, .. } if *content == began.content => {
            Some(scripts.clone())
        }
        _ => None,
    });
    Some(Doubted {
        change: change.clone(),
        environment: began.environment.clone(),
        target: began.target.clone(),
        attempt: began.attempt.clone(),
        content: began.content.clone(),
        scripts: scripts.unwrap_or_default(),
        stage: life.stage(),
        state: ended.map(|ended| ended.state),
        why: ended.and_then(|ended| ended.why.clone()),
        ended: ended.map(|ended| ended.ended),
    })
}

/// Which choice what was found speaks against.
pub fn against(found: &Found) -> Option<Against> {
    match found {
        Found::NotApplied => Some(Against::Applied),
        Found::Applied { .. } => Some(Against::NotApplied),
        Found::Cut { done: 0, open: None, .. } => Some(Against::Applied),
        Found::Cut { done, of: Some(of), .. } if done == of => Some(Against::NotApplied),
        Found::Cut { .. } | Found::CutBack { .. } => Some(Against::Both),
        Found::RolledBack { .. } => Some(Against::Applied),
        Found::Conflict { .. } | Found::Unread { .. } => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_target_speaks_against_a_choice_only_where_it_says_something() {
        let cut = |done, of, open| Found::Cut { done, of, open };
        let text = String::new;
        for (found, expected) in [
            (Found::NotApplied, Some(Against::Applied)),
            (Found::Applied { attempt: text(), rows: 1 }, Some(Against::NotApplied)),
            (Found::RolledBack { attempt: text() }, Some(Against::Applied)),
            (cut(0, Some(3), None), Some(Against::Applied)),
            (cut(0, Some(3), Some(1)), Some(Against::Both)),
            (cut(2, Some(3), None), Some(Against::Both)),
            (cut(3, Some(3), None), Some(Against::NotApplied)),
            (cut(3, None, None), Some(Against::Both)),
            (
                Found::CutBack { done: 1, of: Some(3), open: None, stuck: false },
                Some(Against::Both),
            ),
            (Found::Conflict { why: text() }, None),
            (Found::Unread { why: text() }, None),
        ] {
            assert_eq!(against(&found), expected, "{found:?}");
        }
    }
}
