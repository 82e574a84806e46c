//! What is confirmed of a request before its scripts are handed in: who handles and approves it in the branch office and in the
//! head office (D3).

use super::approvals::{Crew, role_missing, stands_for};
use super::checklist::{confirmation, too_early};
use super::decide::own_work;
use super::desk::Desk;
use super::life::{ChangeLife, Taken};
use super::missing::Missing;
use super::step::{ChangeRequest, ChangeStep};
use crate::core::refused::{Refused, Rule};
use crate::definition::copy::sha256;
use crate::definition::site::{
    Before, Case, ChangeClass, ChangeKind, ChangeRules, CheckRule, Part, Site,
};
use crate::types::{ChangeId, CheckName, PersonId, Role};

/// What a request asks for, as far as those go by who handle and approve it before its scripts are written.
pub(super) struct Asked<'a> {
    class: ChangeClass,
    kind: ChangeKind,
    branch: Option<&'a str>,
}

impl<'a> Asked<'a> {
    fn of_request(request: &'a ChangeRequest) -> Self {
        Self { class: request.class, kind: request.kind, branch: request.branch.as_deref() }
    }

    /// What their yes binds to.
    fn digest(&self) -> String {
        let bound = serde_json::json!({
            "class": self.class,
            "kind": self.kind,
            "branch": self.branch,
        });
        sha256(bound.to_string().as_bytes())
    }

    fn items<'r>(
        &self,
        rules: &'r ChangeRules,
    ) -> impl Iterator<Item = (&'r CheckName, &'r CheckRule)> {
        let case = Case { class: self.class, environment: "", kind: self.kind };
        let of_branch = self.branch.is_some();
        rules.checklist.iter().filter(move |(_, rule)| {
            rule.before == Before::Submission
                && rule.scope.covers(case)
                && (!rule.branches || of_branch)
        })
    }

    /// Who has confirmed an item of it.
    fn confirmed<'l>(
        &self,
        life: &'l ChangeLife,
        name: &CheckName,
    ) -> impl Iterator<Item = (&'l Taken, &'l Role)> {
        let digest = self.digest();
        life.steps.iter().filter_map(move |taken| match &taken.step {
            ChangeStep::Confirmed { environment: None, item, content, role: Some(role) }
                if item == name && *content == digest =>
            {
                Some((taken, role))
            }
            _ => None,
        })
    }
}

/// A yes of somebody who handles or approves a request whose folder is not there yet.
pub(super) fn confirm_request(
    (site, rules): (&Site, &ChangeRules),
    id: &ChangeId,
    life: &ChangeLife,
    by: &PersonId,
    name: CheckName,
) -> Result<ChangeStep, Refused> {
    let request = life.request().ok_or_else(|| {
        Refused::by(Rule::NoSuchThing, format!("the site has no folder changes/{id}"))
            .hint("nobody has asked for it either: `nightrun change create`")
    })?;
    handled((site, rules), (id, life), by, (&Asked::of_request(request), name), &[])
}

/// Confirms an item of a request; `authors`: whom its folder names besides those of its life.
pub(super) fn handled(
    (site, rules): (&Site, &ChangeRules),
    (id, life): (&ChangeId, &ChangeLife),
    by: &PersonId,
    (asked, name): (&Asked<'_>, CheckName),
    authors: &[&PersonId],
) -> Result<ChangeStep, Refused> {
    let Some((_, rule)) = asked.items(rules).find(|(known, _)| **known == name) else {
        let what = format!("`{name}` is not to be confirmed before {id} is handed in");
        return Err(Refused::by(Rule::NoSuchThing, what));
    };
    let requester = life.request().and_then(|request| request.requester.as_ref());
    if requester == Some(by) || life.writers().any(|writer| writer == by) || authors.contains(&by) {
        return Err(own_work(id, by));
    }
    let counts = |(taken, of): (&Taken, &Role), role: &Role| {
        of == role && stands_for(site, rules, &taken.by, role).is_some()
    };
    let is_there =
        |name: &CheckName, role: &Role| asked.confirmed(life, name).any(|of| counts(of, role));
    if is_there(&name, &rule.role) {
        return Err(Refused::by(Rule::NoChange, format!("`{name}` is confirmed")));
    }
    let earlier = rule.after.as_ref().and_then(|after| Some((after, rules.checklist.get(after)?)));
    if let Some((after, earlier)) = earlier
        && asked.items(rules).any(|(known, _)| known == after)
        && !is_there(after, &earlier.role)
    {
        return Err(too_early(&name, after));
    }
    if stands_for(site, rules, by, &rule.role).is_none() {
        return Err(role_missing(by, &rule.role));
    }
    let (content, role) = (asked.digest(), Some(rule.role.clone()));
    Ok(ChangeStep::Confirmed { environment: None, item: name, content, role })
}

impl Desk<'_> {
    pub(super) fn branch(&self) -> Option<&str> {
        let request = self.life.request().and_then(|request| request.branch.as_deref());
        self.change.papers.branch.as_deref().or(request)
    }

    pub(super) fn asked(&self) -> Asked<'_> {
        Asked { class: self.change.class, kind: self.change.kind, branch: self.branch() }
    }

    /// What those who handle and approve a request have not said before its scripts are handed in by somebody (D3); what
    /// authors and requesters have said, or have become after it, does not count.
    pub(super) fn unhandled(&self, by: &PersonId) -> Vec<Missing> {
        let (asked, nobody) = (self.asked(), Crew::default());
        let mut own = self.people(Part::Author, &nobody);
        own.extend(self.people(Part::Requester, &nobody));
        own.insert(by);
        let said = |name: &CheckName, role: &Role| {
            let mut said = asked.confirmed(self.life, name);
            said.any(|of| self.counts(of, role) && !own.contains(&of.0.by))
        };
        let missing = asked.items(self.rules).filter(|(name, rule)| !said(name, &rule.role));
        missing.map(|(name, rule)| confirmation(name, &rule.role)).collect()
    }
}
