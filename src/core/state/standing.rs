//! What operators have ordered for the whole site, beyond any run: freezes, sizes of pools, and what waits for a second
//! person; and what other systems have told.

use std::collections::BTreeMap;
use std::sync::Arc;

use jiff::Timestamp;

use super::Unfit;
use crate::core::bulletin::Bulletin;
use crate::core::change::{Lives, Taken};
use crate::core::fact::{Approved, Fact, Proposed, RunOpened};
use crate::core::figure::Figures;
use crate::core::hand_over::{self, HandOver};
use crate::core::inspection::Inspected;
use crate::core::order::Order;
use crate::core::received::Heard;
use crate::definition::site::Freeze;
use crate::types::{
    ChangeId, EventKey, FreezeId, HandOverId, HostName, PersonId, PoolName, RequestId, RunId,
    TokenId,
};

#[derive(Debug, Default, Clone, PartialEq)]
pub struct Standing {
    /// Freezes that were not lifted; their time may be over.
    pub freezes: BTreeMap<FreezeId, OrderedFreeze>,
    pub pools: BTreeMap<PoolName, PoolSize>,
    /// Hosts that take no new attempts.
    pub drains: BTreeMap<HostName, Drain>,
    /// What waits for a second person; its time may be over.
    pub requests: BTreeMap<RequestId, Request>,
    /// Tokens that were made; their time may be over.
    pub tokens: BTreeMap<TokenId, Token>,
    /// Changes (变更) that somebody has taken a step with.
    pub changes: Lives,
    /// Events that came, by their keys.
    pub events: BTreeMap<EventKey, Heard>,
    /// Hand-overs of shifts, accepted or not.
    pub hand_overs: BTreeMap<HandOverId, HandOver>,
    /// Until when lists and plans of the week were told of.
    pub weekly: Option<Timestamp>,
    /// The last bulletin; the first is of no time, for nobody.
    pub bulletin: Option<Bulletin>,
    /// Rounds of inspections, and days that were counted.
    pub inspected: Inspected,
    /// Figures of service levels that people have entered.
    pub figures: Figures,
    /// The highest numbers ever given.
    pub last_freeze: u64,
    pub last_request: u64,
    pub last_token: u64,
}

/// A token of the API. A revoked one that was taken in again is known by its number alone.
#[derive(Debug, Clone, PartialEq)]
pub struct Token {
    pub person: Option<PersonId>,
    pub revoked: bool,
}

/// A freeze (封版) that an operator has ordered.
#[derive(Debug, Clone, PartialEq)]
pub struct OrderedFreeze {
    pub what: Freeze,
    pub by: PersonId,
    pub at: Timestamp,
    /// Two people lift it.
    pub two_lift: bool,
}

/// The size of a pool for the night.
#[derive(Debug, Clone, PartialEq)]
pub struct PoolSize {
    pub size: u32,
    pub until: Timestamp,
    pub by: PersonId,
    pub reason: String,
    pub at: Timestamp,
}

/// A host takes no new attempts (停止接收作业), until somebody says otherwise; what runs there goes on.
#[derive(Debug, Clone, PartialEq)]
pub struct Drain {
    pub by: PersonId,
    pub reason: String,
    pub at: Timestamp,
}

/// An action that waits for a second person (复核).
#[derive(Debug, Clone, PartialEq)]
pub struct Request {
    pub by: PersonId,
    pub reason: String,
    pub what: Proposed,
    pub at: Timestamp,
    pub until: Timestamp,
    /// Who has said yes to an order that is yet to be given.
    pub given: Option<PersonId>,
}

impl Standing {
    /// The run that a request is about, as far as it is about one.
    pub fn run_of(&self, request: RequestId) -> Option<&RunId> {
        match &self.requests.get(&request)?.what {
            Proposed::Acts { run, .. } => Some(run),
            Proposed::Change { change, .. } => {
                Some(&self.changes.get(change)?.doubt()?.attempt.run)
            }
            Proposed::Unfreeze { .. } | Proposed::Order { .. } => None,
        }
    }

    /// Takes one fact in, as decided at `at`; facts about runs are none of its own. The last fact about a thing is enough:
    /// a starting supervisor hears no earlier ones.
    pub(super) fn apply(&mut self, at: Timestamp, fact: &Fact) {
        match fact {
            Fact::Frozen { freeze, by, what, two_lift } => {
                self.last_freeze = self.last_freeze.max(freeze.0);
                let (what, by, two_lift) = ((**what).clone(), by.clone(), *two_lift);
                self.freezes.insert(*freeze, OrderedFreeze { what, by, at, two_lift });
            }
            Fact::Unfrozen { freeze, .. } => {
                self.last_freeze = self.last_freeze.max(freeze.0);
                self.freezes.remove(freeze);
            }
            Fact::PoolSized { pool, size, until, by, reason } => {
                let (by, reason) = (by.clone(), reason.clone());
                let sized = PoolSize { size: *size, until: *until, by, reason, at };
                self.pools.insert(pool.clone(), sized);
            }
            Fact::PoolBack { pool } => {
                self.pools.remove(pool);
            }
            Fact::HostDrained { host, by, reason } => {
                let drain = Drain { by: by.clone(), reason: reason.clone(), at };
                self.drains.insert(host.clone(), drain);
            }
            Fact::HostUndrained { host, .. } => {
                self.drains.remove(host);
            }
            Fact::SecondAsked { request, by, reason, what, until } => {
                self.last_request = self.last_request.max(request.0);
                let (by, reason, what) = (by.clone(), reason.clone(), what.clone());
                let (until, given) = (*until, None);
                self.requests.insert(*request, Request { by, reason, what, at, until, given });
            }
            Fact::SecondGiven { request, by, reason, order } => {
                self.last_request = self.last_request.max(request.0);
                self.requests.remove(request);
                if let Some(approved) = order {
                    let Approved { order, until } = (**approved).clone();
                    let (first, reason, given) = (order.by.clone(), reason.clone(), by.clone());
                    let what = Proposed::Order { order: Box::new(order) };
                    let given = Some(given);
                    let asked = Request { by: first, reason, what, at, until, given };
                    self.requests.insert(*request, asked);
                }
            }
            Fact::SecondUsed { request } => {
                self.last_request = self.last_request.max(request.0);
                self.requests.remove(request);
            }
            Fact::TokenMade { token, person, .. } => {
                self.last_token = self.last_token.max(token.0);
                let person = Some(person.clone());
                self.tokens.insert(*token, Token { person, revoked: false });
            }
            Fact::TokenRevoked { token, .. } => {
                self.last_token = self.last_token.max(token.0);
                let known = self.tokens.entry(*token);
                known.or_insert(Token { person: None, revoked: true }).revoked = true;
            }
            Fact::WeeklyTold(told) => self.weekly = Some(told.until),
            Fact::BulletinTold(told) => self.bulletin = Some((**told).clone()),
            Fact::RoundInspected(round) => {
                self.inspected.rounds.insert(round.run.clone(), (**round).clone());
            }
            Fact::InspectionsCounted(counted) => {
                self.inspected.days.insert(counted.date, (at, counted.batches.clone()));
            }
            Fact::FigureEntered(entered) => self.figures.take(at, entered),
            Fact::HandOverOpened(opened) => {
                let id = opened.hand_over.clone();
                self.hand_overs.entry(id).or_insert_with(|| HandOver::new(at, opened));
            }
            Fact::HandOverForgotten { hand_over, .. } => {
                self.hand_overs.remove(hand_over);
            }
            Fact::EventReceived(received) => {
                let heard = Heard { what: (**received).clone(), at };
                self.events.insert(received.key.clone(), heard);
            }
            Fact::EventForgotten { key } => {
                self.events.remove(key);
            }
            _ => {}
        }
    }

    /// Takes the next step of a change in; each is an entry of its own that stays. Whoever follows only what happens from
    /// some moment on has no life that a later step would belong to, and leaves it out. Whoever takes in what stands and a
    /// run as well hears of a step twice that was taken after the run was opened: the same step is no other one.
    pub(super) fn take_change(
        &mut self,
        change: &ChangeId,
        number: u32,
        taken: Taken,
    ) -> Result<(), Unfit> {
        let known = self.changes.get(change).map_or(0, |life| life.steps.len());
        match number.checked_sub(1).and_then(|before| usize::try_from(before).ok()) {
            Some(before) if before == known => {
                let life = self.changes.entry(change.clone()).or_default();
                Arc::make_mut(life).steps.push(taken);
                Ok(())
            }
            Some(_) if known == 0 => Ok(()),
            Some(before)
                if self.changes.get(change).and_then(|life| life.steps.get(before))
                    == Some(&taken) =>
            {
                Ok(())
            }
            _ => Err(Unfit::WrongStep { change: change.clone(), number }),
        }
    }

    /// Takes the next step of a hand-over in. Whoever follows only what happens from some moment on does not know where it
    /// began, and leaves it out.
    pub(super) fn move_hand_over(
        &mut self,
        at: Timestamp,
        moved: &hand_over::Moved,
    ) -> Result<(), Unfit> {
        match self.hand_overs.get_mut(&moved.hand_over) {
            Some(known) => known.apply(at, moved),
            None => Ok(()),
        }
    }

    /// The yes of a second person to an order of that batch and date by that person, while it holds.
    pub fn given(&self, order: &Order, now: Timestamp) -> Option<&PersonId> {
        let mut asked = self.requests.values().filter(|asked| asked.until > now);
        asked.find_map(|asked| match &asked.what {
            Proposed::Order { order: wanted } if **wanted == *order => asked.given.as_ref(),
            _ => None,
        })
    }

    /// Yeses that the opening of a run has used up.
    pub(in crate::core) fn used_by(&self, opened: &RunOpened) -> Vec<RequestId> {
        let of_it = self.requests.iter().filter(|(_, asked)| {
            let Proposed::Order { order } = &asked.what else { return false };
            asked.given.is_some()
                && asked.given == opened.second
                && asked.by == opened.by
                && order.batch == opened.batch
                && order.business_date == Some(opened.business_date)
        });
        of_it.map(|(request, _)| *request).collect()
    }

    /// When the first pool has its declared size again.
    pub(in crate::core) fn next_pool_back(&self) -> Option<Timestamp> {
        self.pools.values().map(|pool| pool.until).min()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::core::change::ChangeStep;

    /// Steps as the journal has them, by number and reason, and how many of them are known then.
    #[test]
    fn a_step_is_taken_once_and_only_in_its_turn() {
        type Steps = &'static [(u32, &'static str)];
        let table: [(Steps, Option<usize>); 7] = [
            (&[(1, "a"), (2, "b")], Some(2)),
            // What stands, then the entries of a run that was opened after the first step; and the other way round.
            (&[(1, "a"), (2, "b"), (3, "c"), (2, "b"), (3, "c")], Some(3)),
            (&[(2, "b"), (3, "c"), (1, "a"), (2, "b"), (3, "c")], Some(3)),
            (&[(1, "a"), (2, "b"), (1, "a"), (2, "b")], Some(2)),
            (&[(2, "b")], Some(0)),
            (&[(1, "a"), (3, "c")], None),
            (&[(1, "a"), (2, "b"), (2, "other")], None),
        ];
        let change = ChangeId::new("fix").unwrap();
        for (steps, known) in table {
            let mut standing = Standing::default();
            let taken = |reason: &str| Taken {
                at: Timestamp::UNIX_EPOCH,
                by: PersonId::new("ann").unwrap(),
                second: None,
                reason: reason.to_owned(),
                step: ChangeStep::FedBack,
            };
            let mut all = steps.iter().map(|(number, reason)| (*number, taken(reason)));
            let done = all.try_for_each(|(number, of)| standing.take_change(&change, number, of));
            let lives = standing.changes.get(&change).map_or(0, |life| life.steps.len());
            assert_eq!(done.ok().map(|()| lives), known, "{steps:?}");
        }
    }
}
