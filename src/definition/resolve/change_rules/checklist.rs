//! `checklist:` of `change-rules.yaml`.

use std::collections::BTreeMap;

use super::{Checking, start};
use crate::definition::defect::{Finding, Place};
use crate::definition::nearest;
use crate::definition::raw::change_rules::{ChangeRulesFile, CheckRecord};
use crate::definition::raw::{Field, Names};
use crate::definition::resolve::changes::values;
use crate::definition::resolve::settings::text;
use crate::definition::site::{Before, CheckRule, Moment};
use crate::types::{CheckName, MarketName, WindowClass};

/// Names that the life of a change has for something else: a late start, an acceptance, a permission.
const RESERVED: [&str; 2] = ["late", "acceptance"];
const PERMISSION: &str = "permission-";

type Markets = BTreeMap<MarketName, WindowClass>;

impl Checking<'_> {
    pub(super) fn checklist(
        &mut self,
        raw: &ChangeRulesFile,
        markets: &Markets,
    ) -> BTreeMap<CheckName, CheckRule> {
        let mut items = BTreeMap::new();
        for (name, record) in raw.checklist.get().into_iter().flat_map(Names::good) {
            if RESERVED.contains(&name.value.as_str())
                || name.value.as_str().starts_with(PERMISSION)
            {
                let what = format!("`{}` means something else already", name.value);
                self.found.push(Finding::error(name.at, what).hint("give the item another name"));
            }
            self.check_markets(record, markets);
            self.check_times(record);
            items.extend(self.check(record).map(|rule| (name.value.clone(), rule)));
        }
        for (name, record) in raw.checklist.get().into_iter().flat_map(Names::good) {
            if let (Some(after), Some(rule)) = (record.after.given(), items.get(&name.value)) {
                let wrong = wrong_order(&items, &name.value, &after.value, rule.before);
                self.found.extend(wrong.map(|what| Finding::error(after.at, what)));
            }
        }
        items
    }

    fn check(&mut self, raw: &CheckRecord) -> Option<CheckRule> {
        let scope = self.scope((&raw.classes, &raw.environments, &raw.kinds));
        self.role(raw.role.given()?, 1);
        Some(CheckRule {
            title: text(&raw.title, &raw.title_zh),
            scope,
            markets: values(&raw.markets),
            branches: raw.branches.or(false),
            role: raw.role.get()?.clone(),
            before: raw.before.or(Before::Start),
            after: raw.after.get().cloned(),
            within: raw.within.get().copied(),
            from: raw.from.get().copied(),
            until: raw.until.get().copied(),
        })
    }

    fn check_markets(&mut self, raw: &CheckRecord, markets: &Markets) {
        for named in raw.markets.get().into_iter().flat_map(|list| &list.0) {
            if !markets.contains_key(&named.value) {
                let what = format!("`{}` is not among `markets`", named.value);
                let hint =
                    nearest::hint(named.value.as_str(), markets.keys().map(MarketName::as_str));
                self.found.push(Finding::error(named.at, what).maybe_hint(hint));
            }
        }
    }

    /// Each limit belongs to what it is a limit of.
    fn check_times(&mut self, raw: &CheckRecord) {
        let before = raw.before.or(Before::Start);
        let only = |at: Option<Place>, key: &str, of: Before| {
            let at = at.filter(|_| before != of)?;
            let what = format!("`{key}` is only for `before: {}`", of.name());
            Some(Finding::error(at, what))
        };
        self.found.extend(only(raw.within.at(), "within", Before::Start));
        self.found.extend(only(raw.from.at(), "from", Before::Close));
        self.found.extend(only(raw.until.at(), "until", Before::Close));
        let opens = |field: &Field<Moment>| {
            field.given().filter(|moment| moment.value == Moment::Open).map(|moment| moment.at)
        };
        let at = opens(&raw.from).or(opens(&raw.until));
        if let Some(at) = at.filter(|_| values(&raw.markets).is_empty()) {
            let finding = Finding::error(start(at), "nothing says which markets open");
            self.found.push(finding.hint("give the item `markets`"));
        }
        let environments = raw.environments.at().filter(|_| before == Before::Submission);
        self.found.extend(
            environments.map(|at| Finding::error(start(at), "a request is of no environment yet")),
        );
    }
}

/// What is wrong with an item that comes after another one.
fn wrong_order(
    items: &BTreeMap<CheckName, CheckRule>,
    name: &CheckName,
    after: &CheckName,
    before: Before,
) -> Option<String> {
    let Some(first) = items.get(after) else {
        return Some(format!("`{after}` is no item of the checklist"));
    };
    if first.before != before {
        return Some(format!("`{after}` is of `before: {}`", first.before.name()));
    }
    let mut seen = Some(after);
    for _ in 0..items.len() {
        if seen == Some(name) {
            return Some(format!("`{name}` would be confirmed after itself"));
        }
        seen = seen.and_then(|item| items.get(item)?.after.as_ref());
    }
    None
}
