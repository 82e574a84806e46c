//! What a decision about a change is made over: the site, its rules, the change and its life.

use super::life::{ChangeLife, Lives};
use crate::core::refused::{Refused, Rule};
use crate::core::window::{self, Windows};
use crate::definition::copy::sha256;
use crate::definition::site::{Case, Change, ChangeRules, Site};
use crate::types::{ChangeId, PersonId, WindowClass};

/// A change on the desk.
#[derive(Debug, Clone, Copy)]
pub struct Desk<'a> {
    pub site: &'a Site,
    pub rules: &'a ChangeRules,
    pub windows: &'a Windows,
    pub change: &'a Change,
    pub life: &'a ChangeLife,
    /// Of the other changes, which it may need.
    pub lives: &'a Lives,
}

/// The life of what nothing is known of.
pub(super) static UNKNOWN: ChangeLife = ChangeLife { steps: Vec::new() };

impl<'a> Desk<'a> {
    /// With a change of the site that has rules.
    pub fn new(
        site: &'a Site,
        windows: &'a Windows,
        change: &ChangeId,
        lives: &'a Lives,
    ) -> Result<Self, Refused> {
        let rules = site.change_rules.as_deref().ok_or_else(|| {
            Refused::by(Rule::NoRules, "the site has no change-rules.yaml")
                .hint("`nightrun init --change-rules h` writes one")
        })?;
        let known = site.changes.get(change).ok_or_else(|| {
            let what = format!("the site has no folder changes/{change}");
            Refused::by(Rule::NoSuchThing, what)
        })?;
        let life = lives.get(change).map_or(&UNKNOWN, AsRef::as_ref);
        Ok(Self { site, rules, windows, change: known, life, lives })
    }

    pub fn case<'e>(&self, environment: &'e str) -> Case<'e> {
        Case { class: self.change.class, environment, kind: self.change.kind }
    }

    /// The environment that is meant: the only one where none is named.
    pub(super) fn environment(&self, named: Option<&str>) -> Result<String, Refused> {
        let places = self.change.places(self.site);
        let known: Vec<&str> = places.iter().map(|(environment, _)| *environment).collect();
        match (named, known.as_slice()) {
            (Some(named), known) if known.contains(&named) => Ok(named.to_owned()),
            (None, [only]) => Ok((*only).to_owned()),
            (named, known) => {
                let what = match named {
                    Some(named) => format!("{} does not go to `{named}`", self.change.id),
                    None => format!("{} goes to several environments", self.change.id),
                };
                let hint = format!("`environment` is one of: {}", known.join(", "));
                Err(Refused::by(Rule::NoSuchThing, what).hint(hint))
            }
        }
    }

    /// The classes that must be open for it.
    pub fn classes(&self, environment: &str) -> Vec<&'a WindowClass> {
        let of_rules = self.rules.window(self.case(environment));
        of_rules.into_iter().chain(&self.change.window).collect()
    }

    /// What approvals bind to: content digest, environment, target with what it is, window classes, and what decides when it
    /// may start: its kind, what it needs and the times that it takes. SHA-256 in hex; `None` where the change does not go there.
    pub fn approval_digest(&self, environment: &str) -> Option<String> {
        let places = self.change.places(self.site);
        let (_, target) = places.into_iter().find(|(known, _)| *known == environment)?;
        let declared = self.site.targets.get(target)?;
        let bound = serde_json::json!({
            "content": self.change.content,
            "environment": environment,
            "target": target,
            "engine": serde_json::to_value(&declared.engine).ok()?,
            "windows": self.classes(environment),
            "kind": self.change.kind,
            "needs": self.change.needs,
            "takes": [self.change.expected, Some(self.change.verify_takes), Some(self.change.rollback_takes)],
        });
        Some(sha256(bound.to_string().as_bytes()))
    }

    /// Whether it is executed with rehearsal there.
    pub fn rehearses(&self, environment: &str) -> bool {
        self.rules.rehearsal(self.case(environment)).is_some()
    }

    /// Time that its window must have left.
    pub(super) fn must_fit(&self, environment: &str) -> std::time::Duration {
        let fit = match self.rehearses(environment) {
            true => window::fit_with_rehearsal,
            false => window::fit,
        };
        let change = self.change;
        fit(change.expected.unwrap_or_default(), change.verify_takes, change.rollback_takes)
    }

    pub(super) fn knows(&self, person: &PersonId) -> bool {
        self.site.people.contains_key(person)
    }
}
