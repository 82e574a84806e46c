//! `escalation.yaml` → who is told of incidents, and until when what is done.

use std::collections::BTreeMap;
use std::fmt::Display;

use super::changes::values;
use super::known::{Known, NameSet};
use super::settings::text;
use crate::definition::defect::Finding;
use crate::definition::raw::escalation::{
    ClocksRecord, DrillRecord, EscalationFile, PolicyRecord, RungRecord, TellRecord,
};
use crate::definition::raw::{At, Field, List, Names};
use crate::definition::sheets::{Findings, Sheets};
use crate::definition::site::{Clocks, Drill, Escalation, Limit, Policy, Rung, Tell};
use crate::types::{ClockKind, DrillName, PolicyName, Severity, Span};

/// How long before a limit its breach is announced where the site says nothing.
const WARN_BEFORE: Span = Span::seconds(5 * 60);

/// How long people count as on shift after it where the site says nothing.
const OVERLAP: Span = Span::seconds(15 * 60);

pub(super) fn resolve(
    sheets: &Sheets,
    known: &Known<'_>,
    findings: &mut Findings,
) -> Option<Escalation> {
    let sheet = sheets.escalation.as_ref()?;
    let raw = sheet.raw.as_ref()?;
    let mut found = Vec::new();
    let escalation = Resolver { known, found: &mut found }.escalation(raw);
    findings.add(&sheet.file, found);
    escalation
}

struct Resolver<'a, 'r> {
    known: &'a Known<'r>,
    found: &'a mut Vec<Finding>,
}

impl Resolver<'_, '_> {
    fn escalation(&mut self, raw: &EscalationFile) -> Option<Escalation> {
        let mut policies = BTreeMap::new();
        for (name, record) in raw.policies.get().into_iter().flat_map(Names::good) {
            if let Some(policy) = self.policy(record) {
                policies.insert(name.value.clone(), policy);
            }
        }
        let policy = raw.policy.given()?;
        self.named(policy);
        let mut severities = BTreeMap::new();
        for named in raw.severities.get().into_iter().flat_map(|names| &names.0) {
            if let Some(policy) = named.value.given() {
                self.named(policy);
                severities.insert(named.key.value, policy.value.clone());
            }
        }
        let mut clocks: Vec<Clocks> = Vec::new();
        for rule in raw.clocks.get().into_iter().flat_map(|list| &list.0) {
            let made = self.clocks(rule);
            if clocks.iter().any(|before| covers(before, &made)) {
                let what = "a rule before this one matches everything that it matches";
                self.found.push(Finding::warning(rule.at, what));
            }
            clocks.push(made);
        }
        Some(Escalation {
            policies,
            policy: policy.value.clone(),
            severities,
            clocks,
            drills: self.drills(raw),
            review_runbooks: raw.review_runbooks.given().and_then(|every| self.days(every)),
            warn_before: raw.warn_before.or(WARN_BEFORE),
            overlap: raw.overlap.or(OVERLAP),
        })
    }

    fn drills(&mut self, raw: &EscalationFile) -> BTreeMap<DrillName, Drill> {
        let records = raw.drills.get().into_iter().flat_map(Names::good);
        let drills = records.map(|(name, record)| (name.value.clone(), self.drill(record)));
        drills.filter_map(|(name, drill)| Some((name, drill?))).collect()
    }

    fn drill(&mut self, raw: &DrillRecord) -> Option<Drill> {
        if let Some(policy) = raw.policy.given() {
            self.named(policy);
        }
        let known = self.known;
        self.checked(&raw.people, &known.people);
        self.checked(&raw.teams, &known.teams);
        if let (Some(at), true) = (raw.runbook_zh.at(), raw.runbook.is_absent()) {
            self.found
                .push(Finding::error(at, "`runbook_zh` goes with `runbook`, which is not here"));
        }
        Some(Drill {
            title: text(&raw.title, &raw.title_zh),
            every: self.days(raw.every.given()?)?,
            from: *raw.from.get()?,
            policy: raw.policy.get().cloned(),
            severity: raw.severity.or(Severity::P2),
            runbook: raw.runbook.get().map(|_| text(&raw.runbook, &raw.runbook_zh)),
            people: values(&raw.people),
            teams: values(&raw.teams),
        })
    }

    /// At least one, and whole ones: a drill is due on a date.
    fn days(&mut self, every: &At<Span>) -> Option<u16> {
        const DAY: u128 = 24 * 60 * 60 * 1000;
        let length = every.value.get().as_millis();
        let days = u16::try_from(length / DAY).ok();
        let whole = days.filter(|days| *days > 0 && length.is_multiple_of(DAY));
        if whole.is_none() {
            let what = "a drill is held every so many whole days";
            self.found.push(Finding::error(every.at, what).hint("such as `every: 90d`"));
        }
        whole
    }

    fn named(&mut self, policy: &At<PolicyName>) {
        self.known.check(&self.known.policies, policy, self.found);
    }

    fn policy(&mut self, raw: &PolicyRecord) -> Option<Policy> {
        let steps = raw.steps.given()?;
        if steps.value.0.is_empty() {
            self.found.push(Finding::error(steps.at, "this policy tells nobody"));
        }
        if let Some(remind) = raw.remind.given()
            && remind.value < Span::seconds(60)
        {
            let what = "people are reminded once a minute at the most";
            self.found.push(Finding::error(remind.at, what).hint("such as `remind: 15m`"));
        }
        let rungs = steps.value.0.iter().filter_map(|rung| self.rung(rung)).collect();
        Some(Policy {
            title: text(&raw.title, &raw.title_zh),
            rungs,
            remind: raw.remind.or(Policy::REMIND),
        })
    }

    fn rung(&mut self, raw: &At<RungRecord>) -> Option<Rung> {
        let tell = raw.value.tell.given()?;
        let told = self.tell(&tell.value);
        if told == Tell::default() {
            let what = "this step tells nobody";
            let hint = "name `on_shift: true`, `shifts`, `deputies: true`, `leads: true`, `roles`, `teams`, `people` or `webhooks`";
            self.found.push(Finding::error(tell.at, what).hint(hint));
        }
        Some(Rung {
            after: raw.value.after.or(Span::default()),
            tell: told,
            by: values(&raw.value.by),
        })
    }

    fn tell(&mut self, raw: &TellRecord) -> Tell {
        let known = self.known;
        self.checked(&raw.shifts, &known.shifts);
        self.checked(&raw.teams, &known.teams);
        self.checked(&raw.people, &known.people);
        self.checked(&raw.webhooks, &known.webhooks);
        for role in raw.roles.get().into_iter().flat_map(|list| &list.0) {
            self.known.somebody_has(role, self.found);
        }
        Tell {
            on_shift: raw.on_shift.or(false),
            shifts: values(&raw.shifts),
            deputies: raw.deputies.or(false),
            leads: raw.leads.or(false),
            roles: values(&raw.roles),
            teams: values(&raw.teams),
            people: values(&raw.people),
            webhooks: values(&raw.webhooks),
        }
    }

    fn checked<N: Ord + Clone + Display>(&mut self, list: &Field<List<N>>, set: &NameSet<N>) {
        for name in list.get().into_iter().flat_map(|list| &list.0) {
            self.known.check(set, name, self.found);
        }
    }

    fn clocks(&mut self, rule: &At<ClocksRecord>) -> Clocks {
        let raw = &rule.value;
        let spans = [
            (ClockKind::Response, &raw.response),
            (ClockKind::ThirdParty, &raw.third_party),
            (ClockKind::OnSite, &raw.on_site),
            (ClockKind::Solution, &raw.solution),
            (ClockKind::Report, &raw.report),
        ];
        let mut limits = BTreeMap::new();
        for (kind, span) in spans {
            limits.extend(span.get().map(|span| (kind, Limit::After(*span))));
        }
        if let Some(calendar) = raw.calendar.given() {
            self.known.check(&self.known.calendars, calendar, self.found);
        }
        if let Some(days) = raw.solution_days.given() {
            if limits.contains_key(&ClockKind::Solution) {
                let what = "`solution` and `solution_days` are two limits for one thing";
                self.found.push(Finding::error(days.at, what).hint("keep one of them"));
            }
            match raw.calendar.get().or(self.known.calendar.as_ref()) {
                Some(calendar) => {
                    let (days, calendar) = (days.value.to_u32(), calendar.clone());
                    limits.insert(ClockKind::Solution, Limit::BusinessDays { days, calendar });
                }
                None => {
                    let what = "no calendar says which days are business days";
                    let hint = "name one: `calendar:` here, or that of the site";
                    self.found.push(Finding::error(days.at, what).hint(hint));
                }
            }
        }
        if limits.is_empty() {
            self.found.push(Finding::error(rule.at, "this rule limits nothing"));
        }
        Clocks { kinds: values(&raw.kinds), severities: values(&raw.severities), limits }
    }
}

/// Whether everything that the other rule matches is matched by this one.
fn covers(one: &Clocks, other: &Clocks) -> bool {
    fn takes<T: PartialEq>(one: &[T], other: &[T]) -> bool {
        one.is_empty() || (!other.is_empty() && other.iter().all(|item| one.contains(item)))
    }
    takes(&one.kinds, &other.kinds) && takes(&one.severities, &other.severities)
}
