//! What is confirmed of a change after it was executed, before it is closed: read from its steps and the rules alone.

use jiff::Timestamp;

use super::openings::Clock;
use super::{Violation, cleared};
use crate::core::change::{ChangeStep, Executed, Taken};
use crate::core::fact::Fact;
use crate::core::incident::Fault;
use crate::core::state::State;
use crate::definition::site::{Before, Case, Change, CheckRule, Moment, Site};
use crate::types::{ChangeId, CheckName, PersonId};
use crate::wire::ChangeState;

/// A change of which an attempt has left something at its target.
struct Left<'a> {
    site: &'a Site,
    change: &'a Change,
    steps: &'a [Taken],
    executed: &'a Executed,
}

impl<'a> Left<'a> {
    fn of(state: &'a State, site: &'a Site, id: &ChangeId) -> Option<Self> {
        let steps = &state.standing.changes.get(id)?.steps[..];
        let change = site.changes.get(id)?;
        Some(Self { site, change, steps, executed: left(steps)? })
    }

    fn items(&self) -> Vec<(&'a CheckName, &'a CheckRule)> {
        let Change { class, kind, .. } = *self.change;
        let case = Case { class, kind, environment: &self.executed.environment };
        let rules = self.site.change_rules.iter();
        let markets = &self.change.papers.markets;
        let all = rules.flat_map(|rules| &rules.checklist);
        all.filter(|(_, rule)| {
            let concerns = rule.markets.iter().any(|market| markets.contains(market));
            rule.before == Before::Close
                && rule.scope.covers(case)
                && (rule.markets.is_empty() || concerns)
        })
        .collect()
    }

    /// Who has confirmed an item of that execution, and when.
    fn said(&self, name: &str) -> impl Iterator<Item = (&'a PersonId, Timestamp)> {
        let environment = &self.executed.environment;
        self.steps.iter().filter_map(move |taken| match &taken.step {
            ChangeStep::Confirmed { environment: Some(of), item, .. } => {
                (of == environment && item.as_str() == name && taken.at >= self.executed.ended)
                    .then_some((&taken.by, taken.at))
            }
            _ => None,
        })
    }

    fn may(&self, by: &PersonId, rule: &CheckRule) -> bool {
        let rules = self.site.change_rules.iter();
        let deputies = rules.filter_map(|rules| rules.deputies.get(&rule.role)).flatten();
        let mut roles = deputies.chain([&rule.role]);
        let has = self.site.people.get(by).map(|person| &person.roles);
        has.is_some_and(|has| roles.any(|role| has.contains(role)))
            && !cleared::authors(self.change, self.steps).contains(by)
    }

    /// An item that nobody has said who may, when it may be said.
    fn unsaid(&self, clock: &mut Clock) -> Option<String> {
        let ended = self.executed.ended;
        let open = self.items().into_iter().find(|(name, rule)| {
            let mut said = self.said(name.as_str()).filter(|(by, _)| self.may(by, rule));
            !said.any(|(_, at)| match rule.from {
                None => true,
                Some(Moment::After(wait)) => at >= ended + wait.get(),
                Some(Moment::Open) => self.has_opened(clock, rule, at),
            })
        });
        if let Some((name, _)) = open {
            return Some(format!("{name} is not confirmed"));
        }
        let mut permissions = self.change.papers.permissions.iter().enumerate();
        let unset = permissions.find(|(at, permission)| {
            let name = format!("permission-{}", at + 1);
            !self.said(&name).any(|(by, _)| *by == permission.by)
        });
        unset.map(|(_, permission)| format!("{} has not configured it", permission.by))
    }

    /// Whether each market of the item has opened between the execution and then.
    fn has_opened(&self, clock: &mut Clock, rule: &CheckRule, until: Timestamp) -> bool {
        let Some(rules) = &self.site.change_rules else { return false };
        let mut windows = rule.markets.iter().filter_map(|market| rules.markets.get(market));
        windows.all(|class| clock.opens_within(self.site, class, (self.executed.ended, until)))
    }
}

/// The last attempt that has not left its target as it was.
fn left(steps: &[Taken]) -> Option<&Executed> {
    let mut all: Vec<(&Executed, bool)> = Vec::new();
    for taken in steps {
        match &taken.step {
            ChangeStep::Ended { ended } => {
                let clean =
                    matches!(ended.state, ChangeState::FailedClean | ChangeState::FailedGuard);
                all.push((ended.as_ref(), !clean));
            }
            ChangeStep::Decided { applied, .. } => {
                if let Some(last) = all.last_mut() {
                    last.1 = *applied;
                }
            }
            ChangeStep::Lost { attempt, complete: true, .. } => {
                all.iter_mut().filter(|(of, _)| of.attempt == *attempt).for_each(|of| of.1 = false);
            }
            _ => {}
        }
    }
    all.into_iter().rev().find(|(_, left)| *left).map(|(executed, _)| executed)
}

/// Before a fact is folded in: a change is closed, or withdrawn, only when all is said of what it has left.
pub(super) fn closable(
    state: &State,
    site: &Site,
    clock: &mut Clock,
    fact: &Fact,
) -> Result<(), Violation> {
    let Fact::ChangeMoved { change, step, .. } = fact else { return Ok(()) };
    if !matches!(**step, ChangeStep::Closed | ChangeStep::Withdrawn) {
        return Ok(());
    }
    let unsaid = Left::of(state, site, change).and_then(|left| left.unsaid(clock));
    unsaid.map_or(Ok(()), |what| Err(Violation::Closed(change.to_string(), what)))
}

/// Right after a step: of each item whose time has passed somebody was told, or has said it.
pub(super) fn look(state: &State, site: &Site, now: Timestamp) -> Result<(), Violation> {
    for (id, life) in &state.standing.changes {
        let over = |taken: &Taken| {
            matches!(taken.step, ChangeStep::Closed | ChangeStep::Archived | ChangeStep::Withdrawn)
        };
        let Some(left) = Left::of(state, site, id) else { continue };
        if life.steps.iter().any(over) {
            continue;
        }
        for (name, rule) in left.items() {
            let Some(Moment::After(wait)) = rule.until else { continue };
            let due = left.executed.ended + wait.get();
            let told = state.incidents.values().any(|incident| {
                matches!(&incident.what.fault, Fault::Unconfirmed { change, item, due: of, .. }
                    if change == id && item == name && *of == due)
            });
            let said = left.said(name.as_str()).next().is_some();
            if due <= now && !told && !said {
                return Err(Violation::Unsaid(id.to_string(), name.to_string()));
            }
        }
    }
    Ok(())
}
