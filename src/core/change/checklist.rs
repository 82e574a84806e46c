//! Items of the checklist of a change before it starts (D15), and who may confirm what. Those of its request are in
//! [`request`](super::request), those before its closing in [`closing`](super::closing).

use std::collections::BTreeSet;

use jiff::Timestamp;

use super::approvals::Crew;
use super::decide::own_work;
use super::desk::Desk;
use super::life::Taken;
use super::missing::Missing;
use super::request::handled;
use super::step::ChangeStep;
use crate::core::refused::{Refused, Rule};
use crate::definition::site::{Before, Case, ChangeKind, CheckRule, Part};
use crate::types::{CheckName, MarketName, PersonId, Role};

/// The item that lets a change run whose window has passed.
pub const LATE: &str = "late";
/// The item that stands for the acceptance of an emergency.
pub const ACCEPTANCE: &str = "acceptance";

/// A name that is written here.
pub(super) fn item(name: &str) -> Option<CheckName> {
    CheckName::new(name).ok()
}

impl Desk<'_> {
    /// Items of the checklist before a start or a closing; `markets`: whose functions the change touches.
    pub(super) fn items<'a>(
        &'a self,
        (case, markets): (Case<'_>, &[MarketName]),
        before: Before,
    ) -> impl Iterator<Item = (&'a CheckName, &'a CheckRule)> {
        let of_branch = self.branch().is_some();
        self.rules.checklist.iter().filter(move |(_, rule)| {
            rule.before == before
                && rule.scope.covers(case)
                && (rule.markets.is_empty() || rule.markets.iter().any(|of| markets.contains(of)))
                && (!rule.branches || of_branch)
        })
    }

    /// Items of the checklist before a start in an environment.
    pub(super) fn start_items<'a>(
        &'a self,
        environment: &str,
    ) -> impl Iterator<Item = (&'a CheckName, &'a CheckRule)> {
        self.items((self.case(environment), &self.change.papers.markets), Before::Start)
    }

    pub(super) fn counts(&self, (taken, of): (&Taken, &Role), role: &Role) -> bool {
        of == role && self.has_role(&taken.by, role).is_some()
    }

    /// Items before a start that nobody with their role has confirmed, and an emergency that nobody has accepted.
    pub(super) fn unchecked(&self, environment: &str, at: Timestamp) -> Vec<Missing> {
        let lacks = |name: &CheckName, role: &Role| {
            !self.confirmed(environment, name, at).any(|(_, of)| of == role)
        };
        let items = self.start_items(environment);
        let mut found: Vec<Missing> = items
            .filter(|(name, rule)| lacks(name, &rule.role))
            .map(|(name, rule)| confirmation(name, &rule.role))
            .collect();
        if let Some(name) = item(ACCEPTANCE).filter(|_| self.is_without_acceptance(environment)) {
            let roles = self.rules.emergency.without_acceptance.iter();
            let missing = roles.filter(|role| lacks(&name, role));
            found.extend(missing.map(|role| confirmation(&name, role)));
        }
        found
    }

    /// An emergency that whoever submitted it does not call accepted (D4).
    pub(super) fn is_without_acceptance(&self, environment: &str) -> bool {
        let accepted = self.current().iter().any(|taken| {
            matches!(&taken.step, ChangeStep::Submitted { environment: of, accepted: Some(_), .. }
                if of.as_deref().is_none_or(|of| of == environment))
        });
        let covered = self.rules.submission.as_ref().is_none_or(|rule| {
            let case = Case { kind: ChangeKind::Normal, ..self.case(environment) };
            rule.scope.covers(case)
        });
        self.change.kind == ChangeKind::Emergency && covered && !accepted
    }

    /// Who has confirmed an item of these scripts for an environment, so that it counts at a time: with a role that they
    /// have still, and no author by now.
    pub(super) fn confirmed<'a>(
        &'a self,
        environment: &'a str,
        item: &'a CheckName,
        at: Timestamp,
    ) -> impl Iterator<Item = (&'a Taken, &'a Role)> {
        let within = self.rules.checklist.get(item).and_then(|rule| rule.within);
        let since = within.and_then(|within| at.checked_sub(within.get()).ok());
        let fresh = move |taken: &Taken| since.is_none_or(|since| taken.at >= since);
        let nobody = Crew::default();
        let authors: BTreeSet<PersonId> =
            self.people(Part::Author, &nobody).into_iter().cloned().collect();
        self.current().iter().filter_map(move |taken| match &taken.step {
            ChangeStep::Confirmed {
                environment: Some(of),
                item: known,
                content,
                role: Some(role),
            } if of == environment
                && known == item
                && *content == self.change.content
                && fresh(taken)
                && self.counts((taken, role), role)
                && !authors.contains(&taken.by) =>
            {
                Some((taken, role))
            }
            _ => None,
        })
    }

    /// Confirms an item; `environment`: as it was named.
    pub(super) fn confirm(
        &self,
        by: &PersonId,
        at: Timestamp,
        environment: Option<&str>,
        name: CheckName,
    ) -> Result<ChangeStep, Refused> {
        if self.rules.checklist.get(&name).is_some_and(|rule| rule.before == Before::Submission) {
            let nobody = Crew::default();
            let mut authors: Vec<&PersonId> =
                self.people(Part::Author, &nobody).into_iter().collect();
            authors.extend(self.people(Part::Requester, &nobody));
            let asked = (&self.asked(), name);
            let change = (&self.change.id, self.life);
            return handled((self.site, self.rules), change, by, asked, &authors);
        }
        let left = environment.filter(|named| self.life.left_somewhere().contains(named));
        let environment = match left {
            Some(named) => named.to_owned(),
            None => self.environment(environment)?,
        };
        let closings = self.life.left_in(&environment);
        let closings = closings.map(|executed| self.closings(&environment, executed));
        let closing = closings.into_iter().flatten().find(|closing| closing.name == name);
        if let Some(closing) = closing {
            return self.confirm_closing(by, at, &environment, &closing);
        }
        self.confirm_start(by, at, environment, name)
    }

    fn confirm_start(
        &self,
        by: &PersonId,
        at: Timestamp,
        environment: String,
        name: CheckName,
    ) -> Result<ChangeStep, Refused> {
        self.unaltered()?;
        let roles = self.roles_of(&environment, &name, at)?;
        if roles.is_empty() {
            let what = format!("`{name}` is not to be confirmed for: {}", self.case(&environment));
            return Err(Refused::by(Rule::NoSuchThing, what));
        }
        if self.people(Part::Author, &Crew::default()).contains(by) {
            return Err(own_work(&self.change.id, by));
        }
        // What was said of an earlier window lets nothing run after this one.
        let late = name.as_str() == LATE;
        let closed = self.scheduled(&environment).and_then(|(_, window)| window).filter(|_| late);
        let since = closed.map_or(Timestamp::MIN, |(_, closed)| closed);
        let said = |role: &Role| {
            let mut said = self.confirmed(&environment, &name, at);
            said.any(|(taken, of)| of == role && taken.at >= since)
        };
        let open: Vec<&Role> = roles.into_iter().filter(|role| !said(role)).collect();
        let Some(first) = open.first() else {
            return Err(Refused::by(Rule::NoChange, format!("`{name}` is confirmed")));
        };
        let mine = open.iter().find(|role| self.has_role(by, role).is_some());
        let role = (*mine.unwrap_or(first)).clone();
        self.must_have_role(by, &role)?;
        let twice = self.confirmed(&environment, &name, at).any(|(taken, _)| taken.by == *by);
        if twice && !late {
            let what = format!("{by} has confirmed `{name}`, and it takes another person");
            return Err(Refused::by(Rule::OwnWork, what));
        }
        let rule = self.rules.checklist.get(&name);
        if let Some(after) = rule.and_then(|rule| rule.after.as_ref())
            && self.unchecked(&environment, at).iter().any(|open| open.is_item(after))
        {
            return Err(too_early(&name, after));
        }
        let content = self.change.content.clone();
        let (environment, role) = (Some(environment), Some(role));
        Ok(ChangeStep::Confirmed { environment, item: name, content, role })
    }

    /// Who confirms an item before a start: one of each of these roles.
    fn roles_of(
        &self,
        environment: &str,
        name: &CheckName,
        at: Timestamp,
    ) -> Result<Vec<&Role>, Refused> {
        if name.as_str() == LATE {
            let closed = self.scheduled(environment).and_then(|(_, window)| window);
            if self.change.kind == ChangeKind::Emergency || closed.is_none_or(|(_, to)| to > at) {
                let what = "only a normal change whose window has passed runs late";
                return Err(Refused::by(Rule::WrongStage, what));
            }
            return Ok(self.rules.late.iter().collect());
        }
        if name.as_str() == ACCEPTANCE {
            return Ok(match self.is_without_acceptance(environment) {
                true => self.rules.emergency.without_acceptance.iter().collect(),
                false => Vec::new(),
            });
        }
        let mut items = self.start_items(environment);
        Ok(items
            .find(|(known, _)| *known == name)
            .map(|(_, rule)| &rule.role)
            .into_iter()
            .collect())
    }
}

pub(super) fn confirmation(name: &CheckName, role: &Role) -> Missing {
    Missing::Confirmation { item: name.clone(), role: Some(role.clone()), on: None }
}

pub(super) fn too_early(name: &CheckName, after: &CheckName) -> Refused {
    Refused::by(Rule::TooEarly, format!("`{after}` is confirmed before `{name}`"))
}
