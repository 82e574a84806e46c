//! What of a change is not as it was submitted or approved, and how two changes differ.

use std::collections::BTreeMap;
use std::time::Duration;

use jiff::Timestamp;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use similar::{Algorithm, TextDiff};

use super::Who;
use crate::core::change::{ChangeLife, ChangeStep};
use crate::core::state::Standing;
use crate::definition::copy::CHANGE_SCRIPTS;
use crate::definition::site::Site;
use crate::types::{ChangeId, Role};

/// How long the fewest lines that differ of one script are looked for.
const LONGEST: Duration = Duration::from_secs(1);

/// What is compared with what is there now.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case")]
pub enum Since {
    /// As it was submitted last.
    #[default]
    Submission,
    /// As it was when it was approved last.
    Approval,
}

#[derive(Debug, Clone, PartialEq, Serialize, JsonSchema)]
pub struct ChangeDiff {
    pub change: ChangeId,
    /// Another change, which this one is compared with.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub with: Option<ChangeId>,
    /// When it was submitted.
    pub submitted: Option<Timestamp>,
    /// Whether scripts, mode, row limits and class are the same.
    pub same: bool,
    pub scripts: Vec<ScriptDiff>,
    pub approvals: Vec<ApprovalDiff>,
}

#[derive(Debug, Clone, PartialEq, Serialize, JsonSchema)]
pub struct ScriptDiff {
    pub script: String,
    /// SHA-256 as it was submitted, and as it is; in hex. Of two changes those of either.
    pub submitted: Option<String>,
    pub now: Option<String>,
    /// Lines that differ, as `diff -u` writes them; `None`: none do, or one side is not kept.
    pub unified: Option<String>,
}

impl ScriptDiff {
    /// They differ, and one of them cannot be shown.
    pub fn is_unknown(&self) -> bool {
        self.submitted != self.now && self.unified.is_none()
    }
}

/// Whether an approval is bound to what is there now.
#[derive(Debug, Clone, PartialEq, Serialize, JsonSchema)]
pub struct ApprovalDiff {
    pub environment: String,
    pub role: Role,
    pub by: Who,
    pub at: Timestamp,
    pub bound: String,
    pub now: Option<String>,
}

/// Texts of scripts by their SHA-256.
pub type Texts = BTreeMap<String, String>;

/// The scripts whose texts [`of`] asks for, as far as they differ.
pub fn wanted(site: &Site, standing: &Standing, id: &ChangeId, since: Since) -> Vec<String> {
    let life = standing.changes.get(id);
    let before = life.and_then(|life| handed_in(life, since)).map(|of| of.scripts);
    let now = site.changes.get(id).map(|change| change.scripts.as_slice()).unwrap_or_default();
    let before = before.unwrap_or_default();
    let differs = |at: &usize| before.get(*at) != now.get(*at);
    let of = |at: usize| {
        [before.get(at), now.get(at)]
            .into_iter()
            .flatten()
            .filter(|digest| !digest.is_empty())
            .cloned()
    };
    (0..CHANGE_SCRIPTS.len()).filter(differs).flat_map(of).collect()
}

struct HandedIn<'a> {
    at: Timestamp,
    content: &'a String,
    scripts: &'a [String],
}

fn handed_in(life: &ChangeLife, since: Since) -> Option<HandedIn<'_>> {
    let steps = life.steps.as_slice();
    let approved = |at: &usize| matches!(steps[*at].step, ChangeStep::Approved { .. });
    let end = match since {
        Since::Submission => steps.len(),
        Since::Approval => (0..steps.len()).rev().find(approved)?,
    };
    steps[..end].iter().rev().find_map(|taken| match &taken.step {
        ChangeStep::Submitted { content, scripts, .. } => {
            Some(HandedIn { at: taken.at, content, scripts })
        }
        _ => None,
    })
}

/// `None` where nothing is known of the change.
pub fn of(
    site: &Site,
    standing: &Standing,
    id: &ChangeId,
    since: Since,
    texts: &Texts,
) -> Option<ChangeDiff> {
    let (declared, life) = (site.changes.get(id), standing.changes.get(id));
    if declared.is_none() && life.is_none() {
        return None;
    }
    let steps = life.map(|life| life.steps.as_slice()).unwrap_or_default();
    let handed_in = life.and_then(|life| handed_in(life, since));
    let now = declared.map(|change| change.scripts.as_slice()).unwrap_or_default();
    let before = handed_in.as_ref().map(|of| of.scripts).unwrap_or_default();
    let places = super::change::digests(site, standing, id);
    let approvals = steps.iter().filter_map(|taken| match &taken.step {
        ChangeStep::Approved { environment, digest, role, .. } => Some(ApprovalDiff {
            environment: environment.clone(),
            role: role.clone(),
            by: Who::of(site, &taken.by),
            at: taken.at,
            bound: digest.clone(),
            now: places.get(environment).cloned(),
        }),
        _ => None,
    });
    let content = handed_in.as_ref().map(|of| of.content);
    Some(ChangeDiff {
        change: id.clone(),
        with: None,
        submitted: handed_in.as_ref().map(|of| of.at),
        same: content == declared.map(|change| &change.content),
        scripts: scripts((before, "submitted"), (now, "now"), texts),
        approvals: approvals.collect(),
    })
}

/// How the scripts of one change differ from those of another, as both are now. `None` where one has no folder.
pub fn between(site: &Site, from: &ChangeId, to: &ChangeId, texts: &Texts) -> Option<ChangeDiff> {
    let (one, other) = (site.changes.get(from)?, site.changes.get(to)?);
    Some(ChangeDiff {
        change: from.clone(),
        with: Some(to.clone()),
        submitted: None,
        same: one.content == other.content,
        scripts: scripts((&one.scripts, from.as_str()), (&other.scripts, to.as_str()), texts),
        approvals: Vec::new(),
    })
}

fn scripts(
    (before, of_before): (&[String], &str),
    (now, of_now): (&[String], &str),
    texts: &Texts,
) -> Vec<ScriptDiff> {
    let one = |(at, script): (usize, &&str)| {
        // One that is left out has no digest.
        let is_there = |digest: &&String| !digest.is_empty();
        let (old, new) = (before.get(at).filter(is_there), now.get(at).filter(is_there));
        let text = |digest: Option<&String>| match digest {
            Some(digest) => texts.get(digest).map(String::as_str),
            None => Some(""),
        };
        let both = (old != new).then(|| text(old).zip(text(new))).flatten();
        let names = (format!("{of_before}/{script}"), format!("{of_now}/{script}"));
        ScriptDiff {
            script: (*script).to_owned(),
            submitted: old.cloned(),
            now: new.cloned(),
            unified: both.map(|(old, new)| unified((&names.0, old), (&names.1, new))),
        }
    };
    CHANGE_SCRIPTS.iter().enumerate().map(one).collect()
}

/// As `diff -u`. What takes too long is shown with more lines than differ.
fn unified((of_old, old): (&str, &str), (of_new, new): (&str, &str)) -> String {
    let mut diff = TextDiff::configure();
    let diff = diff.algorithm(Algorithm::Patience).timeout(LONGEST).diff_lines(old, new);
    diff.unified_diff().context_radius(3).header(of_old, of_new).to_string()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::core::change::Taken;
    use crate::types::PersonId;
    use std::sync::Arc;

    fn taken(step: ChangeStep) -> Taken {
        Taken {
            at: Timestamp::UNIX_EPOCH,
            by: PersonId::new("wei").unwrap(),
            second: None,
            reason: String::new(),
            step,
        }
    }

    fn submitted(content: &str, change: &str) -> Taken {
        taken(ChangeStep::Submitted {
            content: content.into(),
            scripts: ["b", change, "v", "r"].map(str::to_owned).into(),
            environment: None,
            authors: Vec::new(),
            accepted: None,
            confirmed: Vec::new(),
            in_git: Vec::new(),
        })
    }

    fn approved() -> Taken {
        taken(ChangeStep::Approved {
            environment: "production".into(),
            digest: "d".into(),
            role: Role::new("dev-lead").unwrap(),
            stands_in: false,
            ticked: Vec::new(),
            complete: true,
        })
    }

    #[test]
    fn lines_that_differ_since_the_submission_or_the_approval_are_shown() {
        let id = ChangeId::new("rate").unwrap();
        let steps = vec![submitted("1", "c1"), approved(), submitted("2", "c2")];
        let life = ChangeLife { steps };
        let mut standing = Standing::default();
        standing.changes.insert(id.clone(), Arc::new(life));
        let site = crate::core::test_site::site(Vec::new());
        let texts: Texts = [("c1", "a\nb\nc\n"), ("c2", "a\nB\nc\n"), ("b", "x\n"), ("v", "y\n")]
            .map(|(digest, text)| (digest.to_owned(), text.to_owned()))
            .into();
        let shown = |since| {
            let diff = of(&site, &standing, &id, since, &texts).unwrap();
            let change = &diff.scripts[1];
            // Its folder is gone: every line is.
            assert!(diff.scripts[3].is_unknown(), "the text of `r` is not kept");
            assert!(!diff.same);
            (change.submitted.clone().unwrap(), change.unified.clone().unwrap())
        };
        let (digest, text) = shown(Since::Submission);
        assert_eq!(digest, "c2");
        assert_eq!(
            text,
            "--- submitted/change.sql\n+++ now/change.sql\n@@ -1,3 +0,0 @@\n-a\n-B\n-c\n"
        );
        assert_eq!(shown(Since::Approval).0, "c1");
        assert_eq!(wanted(&site, &standing, &id, Since::Approval), ["b", "c1", "v", "r"],);
        let of_two = unified(("one", "a\nb\nc\n"), ("two", "a\nB\nc\n"));
        assert_eq!(of_two, "--- one\n+++ two\n@@ -1,3 +1,3 @@\n a\n-b\n+B\n c\n");
    }
}
