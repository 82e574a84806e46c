//! Who has reviewed and approved a change, and who may: roles with their deputies, and parts that are different people.

use std::collections::BTreeSet;

use jiff::{SignedDuration, Timestamp};

use super::desk::Desk;
use super::life::Taken;
use super::step::ChangeStep;
use crate::core::refused::{Refused, Rule};
use crate::definition::site::{ApprovalRule, Case, ChangeRules, Part, Quorum, Site};
use crate::types::{CheckName, PersonId, Role};

/// Of each of these groups all are different people, whatever a site declares.
const ALWAYS: [&[Part]; 2] = [
    &[Part::Author, Part::Reviewer, Part::Approver],
    &[Part::Author, Part::Executor, Part::Watcher],
];

/// The two who carry a change out, as far as they are known.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Crew {
    /// The person on shift who has released it.
    pub executor: Option<PersonId>,
    /// The second one, who watches.
    pub watcher: Option<PersonId>,
}

impl Desk<'_> {
    /// Whether a person has a role; true inside where it is as a deputy.
    pub fn has_role(&self, person: &PersonId, role: &Role) -> Option<bool> {
        stands_for(self.site, self.rules, person, role)
    }

    pub(super) fn must_have_role(&self, person: &PersonId, role: &Role) -> Result<bool, Refused> {
        self.has_role(person, role).ok_or_else(|| role_missing(person, role))
    }

    /// Who has a part in the change. Whoever asked for it, whoever handed it in and whoever git names count as its authors:
    /// they are kept from reviewing and approving it.
    pub fn people<'a>(&'a self, part: Part, crew: &'a Crew) -> BTreeSet<&'a PersonId> {
        let papers = &self.change.papers;
        match part {
            Part::Requester => {
                let request = self.life.request().and_then(|request| request.requester.as_ref());
                self.change.requester.iter().chain(request).collect()
            }
            Part::Author => papers.authors.iter().chain(self.life.writers()).collect(),
            Part::Reviewer => self.reviews().map(|(taken, _)| &taken.by).collect(),
            Part::Approver => self.current().iter().filter_map(approver).collect(),
            Part::Executor => crew.executor.iter().collect(),
            Part::Watcher => crew.watcher.iter().collect(),
        }
    }

    /// Whether somebody may have a part beside the others. The name of the other part where not.
    pub fn clashes(&self, person: &PersonId, part: Part, crew: &Crew) -> Option<Part> {
        let declared = self.rules.distinct.iter().map(Vec::as_slice);
        let groups = ALWAYS.into_iter().chain(declared).filter(|group| group.contains(&part));
        let others: BTreeSet<Part> =
            groups.flatten().copied().filter(|other| *other != part).collect();
        others.into_iter().find(|other| self.people(*other, crew).contains(person))
    }

    pub(super) fn must_not_clash(
        &self,
        person: &PersonId,
        part: Part,
        crew: &Crew,
    ) -> Result<(), Refused> {
        let Some(other) = self.clashes(person, part, crew) else { return Ok(()) };
        let what = format!(
            "{person} has a part in {} as {} already, and cannot be its {}",
            self.change.id,
            other.name(),
            part.name()
        );
        Err(Refused::by(Rule::OwnWork, what).hint("it takes another person"))
    }

    /// Steps since the scripts that are there now were handed in; none where others were.
    pub(super) fn current(&self) -> &[Taken] {
        match self.life.since_submission() {
            Some((content, steps)) if content == self.change.content => steps,
            _ => &[],
        }
    }

    /// Reviews of these very scripts.
    pub(super) fn reviews(&self) -> impl Iterator<Item = (&Taken, &Role)> {
        self.current().iter().filter_map(|taken| match &taken.step {
            ChangeStep::Reviewed { content, role, .. } if *content == self.change.content => {
                Some((taken, role))
            }
            _ => None,
        })
    }

    /// Approvals for an environment that hold at a time: of this digest, not too old.
    pub(super) fn approvals<'a>(
        &'a self,
        environment: &'a str,
        at: Timestamp,
    ) -> impl Iterator<Item = (&'a Taken, &'a Role)> {
        let digest = self.approval_digest(environment);
        let holds = move |taken: &Taken| match self.rules.approvals_hold {
            Some(hold) => {
                let hold = SignedDuration::try_from(hold.get()).unwrap_or(SignedDuration::MAX);
                taken.at.checked_add(hold).is_ok_and(|until| at < until)
            }
            None => true,
        };
        self.current().iter().filter_map(move |taken| match &taken.step {
            ChangeStep::Approved { environment: of, digest: bound, role, .. }
                if of == environment && Some(bound) == digest.as_ref() && holds(taken) =>
            {
                Some((taken, role))
            }
            _ => None,
        })
    }

    /// How many different people of a quorum are missing.
    pub(super) fn missing<'a>(
        &self,
        quorum: &Quorum,
        given: impl Iterator<Item = (&'a Taken, &'a Role)>,
    ) -> u32 {
        let people: BTreeSet<&PersonId> = given
            .filter(|(taken, role)| {
                **role == quorum.role && self.has_role(&taken.by, &quorum.role).is_some()
            })
            .map(|(taken, _)| &taken.by)
            .collect();
        quorum.people.saturating_sub(u32::try_from(people.len()).unwrap_or(u32::MAX))
    }

    /// The first role that has not approved for an environment, with how many of its people are missing.
    pub(super) fn next_role<'r>(
        &self,
        rule: &'r ApprovalRule,
        environment: &str,
        at: Timestamp,
    ) -> Option<(&'r Quorum, u32)> {
        rule.roles.iter().find_map(|quorum| {
            let missing = self.missing(quorum, self.approvals(environment, at));
            (missing > 0).then_some((quorum, missing))
        })
    }

    /// What whoever takes a step is asked with it, and answers with yes (D4).
    pub(super) fn asks(&self, step: &ChangeStep) -> Vec<CheckName> {
        let quorums: Vec<&Quorum> = match step {
            ChangeStep::Reviewed { role, .. } => {
                let places = self.change.places(self.site).into_iter();
                let rules = places.filter_map(|(of, _)| self.approval_rule(of).ok());
                rules
                    .filter_map(|rule| rule.review.as_ref().filter(|of| of.role == *role))
                    .collect()
            }
            ChangeStep::Approved { environment, role, .. } => {
                let rule = self.approval_rule(environment).into_iter();
                rule.flat_map(|rule| rule.roles.iter().filter(|of| of.role == *role)).collect()
            }
            _ => Vec::new(),
        };
        let asks: BTreeSet<&CheckName> = quorums.into_iter().flat_map(|of| &of.asks).collect();
        asks.into_iter().cloned().collect()
    }

    /// The rule of who approves; there is one for each environment that the rules know.
    pub(super) fn approval_rule(&self, environment: &str) -> Result<&ApprovalRule, Refused> {
        let case = self.case(environment);
        self.rules.approval(case).ok_or_else(|| no_rule(case))
    }
}

pub(super) fn role_missing(person: &PersonId, role: &Role) -> Refused {
    let what = format!("{person} has neither the role `{role}` nor that of its deputy");
    Refused::by(Rule::RoleMissing, what)
        .hint("roles are in people.yaml, deputies in change-rules.yaml")
}

/// Whether a person has a role; true inside where it is as a deputy.
pub(super) fn stands_for(
    site: &Site,
    rules: &ChangeRules,
    person: &PersonId,
    role: &Role,
) -> Option<bool> {
    let roles = &site.people.get(person)?.roles;
    if roles.contains(role) {
        return Some(false);
    }
    let deputies = rules.deputies.get(role)?;
    deputies.iter().any(|deputy| roles.contains(deputy)).then_some(true)
}

fn approver(taken: &Taken) -> Option<&PersonId> {
    matches!(taken.step, ChangeStep::Approved { .. }).then_some(&taken.by)
}

fn no_rule(case: Case<'_>) -> Refused {
    Refused::by(Rule::NoSuchThing, format!("the rules of changes know nothing of: {case}"))
}
