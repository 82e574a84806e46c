//! The plans and lists of each week (D15): when they are posted, and who is reminded before one is due. Each time comes once,
//! whoever supervises; of times that passed while nobody was there the last one of each is told.

use jiff::{SignedDuration, Timestamp};
use serde::{Deserialize, Serialize};

use crate::core::fact::Fact;
use crate::core::night::{Command, Core, Mover};
use crate::core::state::Unfit;
use crate::definition::site::{ChangeRules, Site, WeeklyRule};
use crate::types::{PersonId, Text};

/// What is told of a list or a plan of the week.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum WeeklyWhat {
    /// It is due soon.
    Reminded,
    Posted,
}

/// People are told of a list or a plan of the week.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct WeeklyNotice {
    pub title: Text,
    /// The environment whose list it is.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub list: Option<String>,
    pub what: WeeklyWhat,
    /// When it is posted, or due.
    pub at: Timestamp,
    pub people: Vec<PersonId>,
}

/// Everything of the week that came until a time. The first is told to nobody: what comes after it is.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct WeeklyTold {
    pub until: Timestamp,
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub notices: Vec<WeeklyNotice>,
}

impl WeeklyRule {
    /// How long before it is due people are reminded.
    fn ahead(&self) -> Option<SignedDuration> {
        SignedDuration::try_from(self.remind?.get()).ok()
    }

    /// The last reminder and posting until a time, each with the time that it tells of.
    fn last(&self, rules: &ChangeRules, at: Timestamp) -> Vec<(Timestamp, WeeklyWhat, Timestamp)> {
        let zone = rules.zone.tz();
        let posted = self.posted.and_then(|time| time.until(zone, at));
        let due = self.ahead().and_then(|ahead| {
            let due = self.due?.until(zone, at.checked_add(ahead).ok()?)?;
            Some((due.checked_sub(ahead).ok()?, WeeklyWhat::Reminded, due))
        });
        due.into_iter().chain(posted.map(|at| (at, WeeklyWhat::Posted, at))).collect()
    }

    fn next(&self, rules: &ChangeRules, at: Timestamp) -> Option<Timestamp> {
        let zone = rules.zone.tz();
        let posted = self.posted.and_then(|time| time.after(zone, at));
        let reminded = self.ahead().and_then(|ahead| {
            let due = self.due?.after(zone, at.checked_add(ahead).ok()?)?;
            due.checked_sub(ahead).ok()
        });
        posted.into_iter().chain(reminded).min()
    }
}

fn mailed(site: &Site) -> Option<(&ChangeRules, impl Iterator<Item = &WeeklyRule>)> {
    let rules = site.change_rules.as_deref()?;
    let mut mailed = rules.weekly.iter().filter(|rule| !rule.mail.is_empty()).peekable();
    mailed.peek()?;
    Some((rules, mailed))
}

/// What is to be told now; `last`: until when it was told before.
pub(super) fn due(site: &Site, last: Option<Timestamp>, now: Timestamp) -> Option<WeeklyTold> {
    let (rules, mailed) = mailed(site)?;
    let Some(last) = last else { return Some(WeeklyTold { until: now, notices: Vec::new() }) };
    // A clock that ran ahead is put right: what it has told is not told again, and later times are.
    let mut notices = Vec::new();
    let mut until = last.min(now);
    for rule in mailed {
        for (comes, what, at) in rule.last(rules, now) {
            if comes <= last {
                continue;
            }
            until = until.max(comes);
            let (title, list) = (rule.title.clone(), rule.list.clone());
            let people = people(site, rule);
            notices.push(WeeklyNotice { title, list, what, at, people });
        }
    }
    let ran_ahead = last.duration_since(now) > SignedDuration::from_hours(24);
    (!notices.is_empty() || ran_ahead).then_some(WeeklyTold { until, notices })
}

fn people(site: &Site, rule: &WeeklyRule) -> Vec<PersonId> {
    let mut people: Vec<PersonId> = Vec::new();
    for (person, _) in rule.mail.iter().flat_map(|role| site.with_role(role)) {
        if !people.contains(person) {
            people.push(person.clone());
        }
    }
    people
}

impl Core {
    /// When something of the week is to be told, for a supervisor that serves.
    pub(in crate::core) fn weekly_due(&self) -> Option<Timestamp> {
        let (rules, mailed) = mailed(self.serves()?)?;
        let last = self.state.standing.weekly?;
        mailed.filter_map(|rule| rule.next(rules, last)).min()
    }
}

impl Mover<'_> {
    pub(in crate::core) fn tell_weekly(&mut self) -> Result<(), Unfit> {
        let Some(site) = self.core.serves() else { return Ok(()) };
        let Some(told) = due(site, self.core.state.standing.weekly, self.now.wall) else {
            return Ok(());
        };
        self.emit(Fact::WeeklyTold(Box::new(told.clone())))?;
        for notice in told.notices {
            self.command(Command::Weekly(Box::new(notice)));
        }
        Ok(())
    }
}
