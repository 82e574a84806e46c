//! Who is told of incidents (升级), and until when what has to be done about them.

use std::collections::BTreeMap;

use jiff::civil::Date;
use serde::{Deserialize, Serialize};

use crate::types::{
    CalendarName, ChannelName, ClockKind, DrillName, IncidentKind, PersonId, PolicyName, Role,
    Severity, ShiftName, Span, TeamName, Text,
};

/// What `escalation.yaml` declares. Runs go by no copy of it: it is asked as it stands.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Escalation {
    /// Never empty: `policy` and those of `severities` are among them.
    pub policies: BTreeMap<PolicyName, Policy>,
    /// Of what names no other.
    pub policy: PolicyName,
    pub severities: BTreeMap<Severity, PolicyName>,
    /// The first that matches counts.
    pub clocks: Vec<Clocks>,
    /// What is tried at set intervals (E4).
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub drills: BTreeMap<DrillName, Drill>,
    /// How often runbooks of jobs are reviewed at least, in days; never 0 (E4).
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub review_runbooks: Option<u16>,
    /// How long before a limit those who were told are told of it.
    pub warn_before: Span,
    /// How long after their shift people still count as on shift.
    pub overlap: Span,
}

/// Who is told one after the other, until somebody acknowledges.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Policy {
    pub title: Text,
    /// In order; never empty.
    pub rungs: Vec<Rung>,
    /// How often those who were told are told again.
    pub remind: Span,
}

/// One step of an escalation.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Rung {
    /// After the one before it, the first after the fault.
    pub after: Span,
    pub tell: Tell,
    /// By which ways people are told: each of them that a person has. Who has none of them is told by what there is, and
    /// where it is empty that is mail.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub by: Vec<Way>,
}

/// Whom a step tells; all of them together.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
pub struct Tell {
    pub on_shift: bool,
    pub shifts: Vec<ShiftName>,
    /// The other halves of the pairs (AB角) of those who were told before.
    pub deputies: bool,
    /// The leads of the teams of the batch and of those who were told before.
    pub leads: bool,
    pub roles: Vec<Role>,
    pub teams: Vec<TeamName>,
    pub people: Vec<PersonId>,
    /// Rooms that are told, whoever reads there.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub webhooks: Vec<ChannelName>,
}

/// How a person is told.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Way {
    Mail,
    Webhook,
}

/// Until when what is done, counted from the opening of an incident (E3).
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Clocks {
    /// All when empty.
    pub kinds: Vec<IncidentKind>,
    /// All when empty.
    pub severities: Vec<Severity>,
    pub limits: BTreeMap<ClockKind, Limit>,
}

#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Limit {
    After(Span),
    /// At the end of that business day, counted from the day of the opening.
    BusinessDays {
        days: u32,
        calendar: CalendarName,
    },
}

/// A drill (演练): an alarm by arrangement, held at least every so many days (E4).
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Drill {
    pub title: Text,
    /// In days; never 0.
    pub every: u16,
    /// Its first is due so many days after this date.
    pub from: Date,
    /// Of the site's policies; `None`: that of its severity.
    pub policy: Option<PolicyName>,
    pub severity: Severity,
    /// What those who are told do.
    pub runbook: Option<Text>,
    /// Each of them takes part, and somebody of each team.
    pub people: Vec<PersonId>,
    pub teams: Vec<TeamName>,
}

impl Policy {
    /// How often people are told again where the site says nothing.
    pub const REMIND: Span = Span::seconds(15 * 60);
}

impl Escalation {
    /// The policy of an incident of that severity, of a batch that may name its own.
    pub fn policy<'a>(
        &'a self,
        named: Option<&'a PolicyName>,
        severity: Severity,
    ) -> &'a PolicyName {
        named
            .filter(|name| self.policies.contains_key(*name))
            .or_else(|| self.severities.get(&severity))
            .unwrap_or(&self.policy)
    }

    /// Until when what of an incident is done. A drill that no rule names is answered as a fault is: only its report is owed
    /// by nobody.
    pub fn limits(
        &self,
        kind: IncidentKind,
        severity: Severity,
    ) -> impl Iterator<Item = (ClockKind, &Limit)> {
        let is_drill = kind == IncidentKind::Drill;
        let named = || self.rule(severity, |rule| rule.kinds.contains(&kind));
        let own = if is_drill { named() } else { None };
        let as_kind = if is_drill { IncidentKind::Fault } else { kind };
        let usual = |rule: &Clocks| rule.kinds.is_empty() || rule.kinds.contains(&as_kind);
        let reports = own.is_some() || !is_drill;
        let rule = own.or_else(|| self.rule(severity, usual));
        let limits = rule.into_iter().flat_map(|rule| &rule.limits);
        limits
            .map(|(kind, limit)| (*kind, limit))
            .filter(move |(kind, _)| reports || *kind != ClockKind::Report)
    }

    /// The first rule that is for a severity.
    fn rule(&self, severity: Severity, is_for: impl Fn(&Clocks) -> bool) -> Option<&Clocks> {
        self.clocks.iter().find(|rule| {
            is_for(rule) && (rule.severities.is_empty() || rule.severities.contains(&severity))
        })
    }
}
