//! The whole way of changes on some sites that have rules about them: the list of a window that is filled from them, what is
//! confirmed after an execution, and the lists of each week.

use std::sync::Arc;

use jiff::SignedDuration;

use super::which_night::WhichNight;
use super::{BadSite, TARGETS, batches, change_rules};
use crate::definition::site::{
    Before, Change, ChangeKind, ChangeList, ChangeRules, ChangeScope, CheckRule, Moment,
    Permission, RowLimits, Site, WeeklyRule,
};
use crate::simulate::dice::Dice;
use crate::types::{ChangeId, CheckName, MarketName, PersonId, Role, Span, TargetName, Text};

/// The batch whose jobs are the changes of a list.
pub(in crate::simulate) const LIST: &str = "window";

/// Before the number of a change that comes to a run by a list only.
pub(in crate::simulate) const LISTED: &str = "listed-";

/// Before the site gets its rules: changes that no batch names, and the batch that takes them.
pub(super) fn lists(
    dice: &mut Dice,
    site: &mut Site,
    night: &WhichNight,
    named: &batches::Named<'_>,
) -> Result<(), BadSite> {
    let mut before: Vec<ChangeId> = Vec::new();
    for number in 0..2 + dice.of(0..4) {
        let id = ChangeId::new(&format!("{LISTED}{number}"))?;
        let target = TargetName::new(TARGETS[dice.of(0..TARGETS.len() as u64) as usize])?;
        let needs = before.iter().filter(|_| dice.percent(30)).cloned().collect();
        let change = Change {
            title: Text::en(id.as_str()),
            reason: Text::en("Made up"),
            needs,
            ..Change::plain(id.clone(), target, RowLimits { min: 0, max: 10 })
        };
        site.changes.insert(id.clone(), change);
        before.push(id);
    }
    let mut batch = batches::empty(dice, night, named, LIST)?;
    let environment = change_rules::ENVIRONMENT.to_owned();
    // Beside the window that the rules name it might leave them no time.
    batch.window = None;
    batch.list = Some(ChangeList { environment, classes: Vec::new(), kinds: Vec::new() });
    site.batches.insert(batch.id.clone(), Arc::new(batch));
    Ok(())
}

/// Adds to the rules what is confirmed after an execution, and what comes each week.
pub(super) fn lay(dice: &mut Dice, site: &mut Site, night: &WhichNight) -> Result<(), BadSite> {
    // No rounds come on the days after the night, and each of them would be missed.
    site.inspections = None;
    // Runs are ordered here, and none starts by a schedule: what comes by itself is told by whoever serves the site.
    site.batches.values_mut().for_each(|batch| Arc::make_mut(batch).schedule = None);
    let Some(rules) = &mut site.change_rules else { return Ok(()) };
    let rules = Arc::make_mut(rules);
    afterwards(dice, rules)?;
    let class = dice.pick(&site.windows.keys().collect::<Vec<_>>()).map(|class| (*class).clone());
    if let Some(class) = class {
        opening(rules, class)?;
    }
    weekly(dice, rules, night)?;
    let others = ["operator", "wang-fang"];
    for change in site.changes.values_mut() {
        if dice.percent(50) {
            change.papers.markets = rules.markets.keys().cloned().collect();
        }
        if dice.percent(30) {
            let by = PersonId::new(others[dice.of(0..others.len() as u64) as usize])?;
            change.papers.permissions.push(Permission { what: "a role".to_owned(), by });
        }
    }
    Ok(())
}

fn item(role: &str, before: Before) -> Result<CheckRule, BadSite> {
    Ok(CheckRule {
        title: Text::en("Made up"),
        scope: ChangeScope::default(),
        markets: Vec::new(),
        branches: false,
        role: Role::new(role)?,
        before,
        after: None,
        within: None,
        from: None,
        until: None,
    })
}

fn afterwards(dice: &mut Dice, rules: &mut ChangeRules) -> Result<(), BadSite> {
    let from = dice.of(0..7_200);
    let until = from + 60 + dice.of(0..20_000);
    let looked = CheckName::new("looked-at")?;
    let rule = CheckRule {
        from: dice.percent(60).then_some(Moment::After(Span::seconds(from))),
        until: dice.percent(80).then_some(Moment::After(Span::seconds(until))),
        ..item(change_rules::OPERATES, Before::Close)?
    };
    rules.checklist.insert(looked.clone(), rule);
    let rule = CheckRule {
        scope: ChangeScope { kinds: vec![ChangeKind::Emergency], ..ChangeScope::default() },
        after: dice.percent(50).then_some(looked),
        until: dice.percent(50).then_some(Moment::After(Span::seconds(until + 3_600))),
        ..item(change_rules::SITS, Before::Close)?
    };
    rules.checklist.insert(CheckName::new("board-has-seen-it")?, rule);
    Ok(())
}

fn opening(rules: &mut ChangeRules, class: crate::types::WindowClass) -> Result<(), BadSite> {
    let market = MarketName::new("exchange")?;
    rules.markets.insert(market.clone(), class);
    let rule = CheckRule {
        markets: vec![market],
        from: Some(Moment::Open),
        ..item(change_rules::LEADS, Before::Close)?
    };
    rules.checklist.insert(CheckName::new("opening-watched")?, rule);
    Ok(())
}

/// Times that come in the night or soon after it.
fn weekly(dice: &mut Dice, rules: &mut ChangeRules, night: &WhichNight) -> Result<(), BadSite> {
    for title in ["Plan", "List"] {
        let mut time = |hours: std::ops::Range<u64>| {
            let minutes = hours.start * 60 + dice.of(0..(hours.end - hours.start) * 60);
            let at = night.begins.checked_add(SignedDuration::from_mins(minutes as i64))?;
            let civil = rules.zone.tz().to_datetime(at);
            let day = civil.date().strftime("%a").to_string().to_lowercase();
            Ok::<_, BadSite>(format!("{day} {}", civil.time().strftime("%H:%M")).parse().ok())
        };
        let (due, posted) = (time(1..20)?, time(2..30)?);
        let rule = WeeklyRule {
            title: Text::en(title),
            list: None,
            meets: Vec::new(),
            due,
            posted,
            mail: vec![Role::new(change_rules::REVIEWS)?],
            remind: Some(Span::seconds(60 * dice.of(1..300))),
        };
        rules.weekly.push(rule);
    }
    Ok(())
}
