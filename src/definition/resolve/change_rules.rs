//! `change-rules.yaml` → the rule set of the house for its changes.

mod checklist;

use std::collections::BTreeMap;

use super::changes::values;
use super::known::{Known, NameSet};
use super::settings::text;
use crate::definition::defect::{Finding, Place};
use crate::definition::nearest;
use crate::definition::raw::change_rules::{
    ApprovalRecord, ChangeRulesFile, EmergencyRecord, PromotionRecord, QuorumRecord,
    StatisticsRecord, WeeklyRecord,
};
use crate::definition::raw::{At, Field, List, Names};
use crate::definition::sheets::{Findings, Sheets};
use crate::definition::site::{
    ApprovalRule, Case, ChangeClass, ChangeKind, ChangeRules, ChangeScope, EmergencyRule,
    IntakeRule, Part, PromotionRule, Quorum, RehearsalRule, StatisticsRule, SubmissionRule,
    WeeklyRule, WindowRule,
};
use crate::types::{CheckName, MarketName, ProductLine, Role, Text, WindowClass};

pub(super) fn resolve(
    sheets: &Sheets,
    known: &Known<'_>,
    findings: &mut Findings,
) -> Option<ChangeRules> {
    let sheet = sheets.change_rules.as_ref()?;
    let raw = sheet.raw.as_ref()?;
    let mut checking = Checking {
        known,
        environments: values(&raw.environments),
        questions: BTreeMap::new(),
        people: people(sheets, raw),
        found: Vec::new(),
    };
    let rules = checking.rules(raw);
    findings.add(&sheet.file, checking.found);
    rules
}

/// How many people have a role, or stand in for it.
fn people(sheets: &Sheets, raw: &ChangeRulesFile) -> BTreeMap<Role, u32> {
    let deputies = raw.deputies.get();
    let stands_in = |role: &Role, has: &[Role]| {
        let of_role = deputies.and_then(|d| d.0.iter().find(|named| named.key.value == *role));
        let deputies = of_role.and_then(|named| named.value.get());
        deputies.is_some_and(|list| list.0.iter().any(|deputy| has.contains(&deputy.value)))
    };
    let file = sheets.people.as_ref().and_then(|sheet| sheet.raw.as_ref());
    let people = file.and_then(|file| file.people.get()).into_iter().flat_map(Names::good);
    let roles: Vec<Vec<Role>> = people.map(|(_, person)| values(&person.roles)).collect();
    let named = roles.iter().flatten().chain(
        deputies.into_iter().flat_map(|deputies| deputies.0.iter().map(|named| &named.key.value)),
    );
    let count = |role: &Role| {
        let those = roles.iter().filter(|has| has.contains(role) || stands_in(role, has));
        u32::try_from(those.count()).unwrap_or(u32::MAX)
    };
    named.map(|role| (role.clone(), count(role))).collect()
}

/// The keys of a rule that say what it is about.
type ScopeFields<'f> =
    (&'f Field<List<ChangeClass>>, &'f Field<List<String>>, &'f Field<List<ChangeKind>>);

struct Checking<'r> {
    known: &'r Known<'r>,
    environments: Vec<String>,
    questions: BTreeMap<CheckName, Text>,
    people: BTreeMap<Role, u32>,
    found: Vec<Finding>,
}

impl Checking<'_> {
    fn rules(&mut self, raw: &ChangeRulesFile) -> Option<ChangeRules> {
        self.check_environments(raw);
        let refreshed = self.scope((&Field::Absent, &raw.refreshed, &Field::Absent)).environments;
        let deputies = self.deputies(raw);
        let steps = raw.steps.get().into_iter().flat_map(Names::good);
        let steps = steps.map(|(step, roles)| (step.value, self.roles(roles))).collect();
        let questions = raw.questions.get().into_iter().flat_map(Names::good);
        self.questions = questions
            .map(|(name, raw)| (name.value.clone(), text(&raw.title, &raw.title_zh)))
            .collect();
        let approvals = self.approvals(raw);
        let distinct = self.distinct(raw);
        let promotion = raw.promotion.get().map(|raw| self.promotion(raw));
        let rehearsal = self.rehearsal(raw);
        let submission = raw.submission.get().map(|raw| SubmissionRule {
            scope: self.scope((&raw.classes, &raw.environments, &Field::Absent)),
            by: raw.by.get().copied(),
            accepted_before: raw.accepted_before.get().map(|days| days.to_u32()),
            confirm: values(&raw.confirm),
            that_day: raw.that_day.or(false),
        });
        let intake = raw.intake.get().into_iter().flat_map(|list| &list.0);
        let intake = intake.filter_map(|rule| {
            let raw = &rule.value;
            Some(IntakeRule {
                scope: self.scope((&raw.classes, &raw.environments, &Field::Absent)),
                window: self.window(&raw.window)?,
                seal: raw.seal.get().copied(),
            })
        });
        let intake = intake.collect();
        let windows = self.windows(raw);
        let markets = self.markets(raw);
        let checklist = self.checklist(raw, &markets);
        let weekly = raw.weekly.get().into_iter().flat_map(|list| &list.0);
        let weekly = weekly.map(|rule| self.weekly(rule)).collect();
        let emergency = raw.emergency.get().map(|raw| self.emergency(raw)).unwrap_or_default();
        self.board_approves(raw, &emergency, &approvals);
        let product_lines = self.product_lines(raw);
        let statistics = raw.statistics.get().map(statistics).unwrap_or_default();
        let seal_mail = raw.seal_mail.get().map(|list| self.roles(list)).unwrap_or_default();
        if let Some(late) = raw.late.given() {
            self.role(late, 1);
        }
        Some(ChangeRules {
            title: text(&raw.title, &raw.title_zh),
            zone: raw.zone.get().unwrap_or(&self.known.zone).clone(),
            environments: self.environments.clone(),
            refreshed,
            deputies,
            steps,
            approvals,
            questions: std::mem::take(&mut self.questions),
            approvals_hold: raw.approvals_hold.get().copied(),
            distinct,
            promotion,
            submission,
            rehearsal,
            intake,
            windows,
            markets,
            checklist,
            weekly,
            emergency,
            product_lines,
            statistics,
            seal_mail,
            late: raw.late.get().cloned(),
        })
    }

    fn check_environments(&mut self, raw: &ChangeRulesFile) {
        let Some(named) = raw.environments.given() else { return };
        if named.value.0.is_empty() {
            self.found.push(Finding::error(named.at, "there is no environment"));
        }
        for (at, environment) in named.value.0.iter().enumerate() {
            if named.value.0[..at].iter().any(|before| before.value == environment.value) {
                let what = format!("`{}` is named twice", environment.value);
                self.found.push(Finding::error(environment.at, what));
            }
        }
    }

    fn deputies(&mut self, raw: &ChangeRulesFile) -> BTreeMap<Role, Vec<Role>> {
        let deputies = raw.deputies.get().into_iter().flat_map(Names::good);
        deputies.map(|(role, list)| (role.value.clone(), self.roles(list))).collect()
    }

    fn roles(&mut self, list: &List<Role>) -> Vec<Role> {
        list.0
            .iter()
            .map(|role| {
                self.role(role, 1);
                role.value.clone()
            })
            .collect()
    }

    /// A role that fewer people have than it takes is most often a slip of the pen.
    fn role(&mut self, role: &At<Role>, people: u32) {
        if !self.known.roles.is_complete() {
            return;
        }
        let count = self.people.get(&role.value).copied().unwrap_or(0);
        if count == 0 {
            let what = format!("nobody in people.yaml has the role `{}`", role.value);
            let hint = self.known.hint(&self.known.roles, role.value.as_str());
            self.found.push(Finding::warning(role.at, what).maybe_hint(hint));
        } else if count < people {
            let what = format!(
                "{people} people with the role `{}` are asked for, and people.yaml has {count}",
                role.value
            );
            self.found.push(Finding::warning(role.at, what));
        }
    }

    fn quorum(&mut self, raw: &QuorumRecord) -> Option<Quorum> {
        let people = raw.people.get().map_or(1, |people| people.to_u32());
        self.role(raw.role.given()?, people);
        let asks = values(&raw.asks);
        for asked in raw.asks.get().into_iter().flat_map(|list| &list.0) {
            if !self.questions.contains_key(&asked.value) {
                let what = format!("`{}` is not among `questions`", asked.value);
                let hint = nearest::hint(
                    asked.value.as_str(),
                    self.questions.keys().map(CheckName::as_str),
                );
                self.found.push(Finding::error(asked.at, what).maybe_hint(hint));
            }
        }
        Some(Quorum { role: raw.role.get()?.clone(), people, asks })
    }

    fn environment(&mut self, named: &At<String>) {
        if !self.environments.contains(&named.value) {
            let what = format!("`{}` is not among `environments`", named.value);
            let names = self.environments.iter().map(String::as_str);
            let hint = nearest::hint(&named.value, names);
            self.found.push(Finding::error(named.at, what).maybe_hint(hint));
        }
    }

    fn scope(&mut self, (classes, environments, kinds): ScopeFields<'_>) -> ChangeScope {
        for environment in environments.get().into_iter().flat_map(|list| &list.0) {
            self.environment(environment);
        }
        ChangeScope {
            classes: values(classes),
            environments: values(environments),
            kinds: values(kinds),
        }
    }

    fn approvals(&mut self, raw: &ChangeRulesFile) -> Vec<ApprovalRule> {
        let mut rules: Vec<ApprovalRule> = Vec::new();
        for rule in raw.approvals.get().into_iter().flat_map(|list| &list.0) {
            let made = self.approval(rule);
            if self.cases().all(|case| {
                !made.scope.covers(case) || rules.iter().any(|rule| rule.scope.covers(case))
            }) {
                let what = "the rules above it cover all that this one does";
                self.found.push(Finding::warning(start(rule.at), what));
            }
            rules.push(made);
        }
        let open = self.cases().find(|case| !rules.iter().any(|rule| rule.scope.covers(*case)));
        if let (Some(case), Some(at)) = (open, raw.approvals.at()) {
            let what = format!("nothing says who approves: {case}");
            let hint =
                "a last rule without `classes`, `environments` and `kinds` is for all others";
            let finding = Finding::error(start(at), what).hint(hint);
            self.found.push(finding);
        }
        rules
    }

    fn approval(&mut self, rule: &At<ApprovalRecord>) -> ApprovalRule {
        let raw = &rule.value;
        let scope = self.scope((&raw.classes, &raw.environments, &raw.kinds));
        let review = raw.review.get().and_then(|raw| self.quorum(raw));
        let listed = raw.roles.get().into_iter().flat_map(|list| &list.0);
        let roles: Vec<Quorum> = listed.filter_map(|raw| self.quorum(&raw.value)).collect();
        if raw.roles.get().is_some_and(|roles| roles.0.is_empty()) {
            let at = raw.roles.at().unwrap_or(rule.at);
            self.found.push(Finding::error(at, "nobody approves"));
        }
        for (at, quorum) in roles.iter().enumerate() {
            if roles[..at].iter().any(|before| before.role == quorum.role) {
                let what = format!("`{}` approves twice", quorum.role);
                let finding = Finding::error(raw.roles.at().unwrap_or(rule.at), what);
                self.found.push(finding.hint("`people: 2` asks for two people of one role"));
            }
        }
        ApprovalRule { scope, review, roles }
    }

    fn distinct(&mut self, raw: &ChangeRulesFile) -> Vec<Vec<Part>> {
        let groups = raw.distinct.get().into_iter().flat_map(|list| &list.0);
        groups
            .map(|group| {
                if group.value.0.len() < 2 {
                    self.found.push(Finding::error(group.at, "a group has two parts at the least"));
                }
                group.value.0.iter().map(|part| part.value).collect()
            })
            .collect()
    }

    fn windows(&mut self, raw: &ChangeRulesFile) -> Vec<WindowRule> {
        let listed = raw.windows.get().into_iter().flat_map(|list| &list.0);
        let rules: Vec<WindowRule> = listed
            .filter_map(|rule| {
                let raw = &rule.value;
                let scope = self.scope((&raw.classes, &raw.environments, &Field::Absent));
                Some(WindowRule { scope, window: self.window(&raw.window)? })
            })
            .collect();
        let open = self.cases().find(|case| !rules.iter().any(|rule| rule.scope.covers(*case)));
        if let (Some(case), Some(at)) = (open, raw.windows.given().map(|given| given.at)) {
            let what = format!("nothing says when it runs: {case}");
            let hint = "a last rule without `classes` and `environments` is for all others";
            let finding = Finding::error(start(at), what).hint(hint);
            self.found.push(finding);
        }
        rules
    }

    fn promotion(&mut self, raw: &PromotionRecord) -> PromotionRule {
        let scope = self.scope((&raw.classes, &raw.environments, &raw.kinds));
        PromotionRule { scope }
    }

    fn rehearsal(&mut self, raw: &ChangeRulesFile) -> Vec<RehearsalRule> {
        let last = self.environments.last().cloned();
        let mut rules = Vec::new();
        for rule in raw.rehearsal.get().into_iter().flat_map(|list| &list.0) {
            let raw = &rule.value;
            let scope = self.scope((&raw.classes, &raw.environments, &raw.kinds));
            if let Some(last) = last.as_ref().filter(|last| scope.environments.contains(last)) {
                let what = format!("nothing comes after {last}, so nothing is rehearsed there");
                let at = raw.environments.at().unwrap_or(rule.at);
                self.found.push(Finding::error(at, what));
            }
            rules.push(RehearsalRule { scope, within: raw.within.get().copied() });
        }
        rules
    }

    fn window(&mut self, class: &Field<WindowClass>) -> Option<WindowClass> {
        let class = class.given()?;
        let set: &NameSet<WindowClass> = &self.known.windows;
        self.known.check(set, class, &mut self.found);
        Some(class.value.clone())
    }

    fn weekly(&mut self, rule: &At<WeeklyRecord>) -> WeeklyRule {
        let raw = &rule.value;
        if let Some(list) = raw.list.given() {
            self.environment(list);
        }
        let meets = values(&raw.meets);
        let (due, posted) = (raw.due.get().copied(), raw.posted.get().copied());
        if meets.is_empty() && due.or(posted).is_none() {
            let finding = Finding::error(start(rule.at), "it has no time");
            self.found.push(finding.hint("give `meets`, `due` or `posted`, such as `fri 14:00`"));
        }
        let list = raw.list.get().cloned();
        let mail = raw.mail.get().map(|list| self.roles(list)).unwrap_or_default();
        let remind = raw.remind.get().copied();
        if let Some(at) = raw.remind.at().filter(|_| due.is_none() || mail.is_empty()) {
            let what = "nobody is reminded without `due` and `mail`";
            self.found.push(Finding::error(at, what));
        }
        if let Some(at) = raw.mail.at().filter(|_| posted.is_none() && due.and(remind).is_none()) {
            let what = "nothing is mailed without `posted`, or `due` with `remind`";
            let finding = Finding::error(at, what);
            self.found.push(finding);
        }
        WeeklyRule {
            title: text(&raw.title, &raw.title_zh),
            list,
            meets,
            due,
            posted,
            mail,
            remind,
        }
    }

    fn emergency(&mut self, raw: &EmergencyRecord) -> EmergencyRule {
        let mut listed = |field: &Field<List<Role>>| {
            field.get().map(|list| self.roles(list)).unwrap_or_default()
        };
        EmergencyRule {
            board: raw.board.get().cloned(),
            mail: listed(&raw.mail),
            copy: listed(&raw.copy),
            without_acceptance: listed(&raw.without_acceptance),
        }
    }

    /// No emergency is approved without the board (D4, D10).
    fn board_approves(
        &mut self,
        raw: &ChangeRulesFile,
        emergency: &EmergencyRule,
        approvals: &[ApprovalRule],
    ) {
        let Some(board) = &emergency.board else { return };
        let listed = raw.approvals.get().into_iter().flat_map(|list| &list.0);
        let mut without = Vec::new();
        for (at, (rule, listed)) in approvals.iter().zip(listed).enumerate() {
            let of_emergencies = self.cases().any(|case| {
                let first = approvals.iter().position(|rule| rule.scope.covers(case));
                case.kind == ChangeKind::Emergency && first == Some(at)
            });
            if of_emergencies && !rule.roles.iter().any(|quorum| quorum.role == *board) {
                without.push(listed.at);
            }
        }
        for at in without {
            let what = format!("emergencies would be approved without the board, `{board}`");
            let hint = "name it among its `roles`, or give the rule `kinds: [normal]`";
            self.found.push(Finding::error(start(at), what).hint(hint));
        }
    }

    fn product_lines(&mut self, raw: &ChangeRulesFile) -> BTreeMap<ProductLine, Role> {
        let lines = raw.product_lines.get().into_iter().flat_map(|lines| &lines.0);
        let mut known = BTreeMap::new();
        for line in lines {
            let Some(director) = line.value.given() else { continue };
            self.role(director, 1);
            known.insert(line.key.value.clone(), director.value.clone());
        }
        known
    }

    fn markets(&mut self, raw: &ChangeRulesFile) -> BTreeMap<MarketName, WindowClass> {
        let markets = raw.markets.get().into_iter().flat_map(|markets| &markets.0);
        let named = markets
            .filter_map(|market| Some((market.key.value.clone(), self.window(&market.value)?)));
        named.collect()
    }

    /// Every case that the rules must have an answer for.
    fn cases(&self) -> impl Iterator<Item = Case<'_>> {
        self.environments.iter().flat_map(|environment| {
            ChangeClass::ALL.into_iter().flat_map(move |class| {
                ChangeKind::ALL.into_iter().map(move |kind| Case { class, environment, kind })
            })
        })
    }
}

fn statistics(raw: &StatisticsRecord) -> StatisticsRule {
    let usual = StatisticsRule::default();
    StatisticsRule {
        fixed_within: raw.fixed_within.get().copied().unwrap_or(usual.fixed_within),
        recurs: raw.recurs.get().map_or(usual.recurs, |times| times.to_u32()),
        recurs_within: raw.recurs_within.get().copied().unwrap_or(usual.recurs_within),
    }
}

/// Where something begins, not all that it covers.
fn start(at: Place) -> Place {
    Place { length: 1, ..at }
}
