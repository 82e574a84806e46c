//! Actions that take two people (双人复核): the first one's wish waits, recorded, until another person says yes to it.

use jiff::SignedDuration;

use super::act::By;
use super::fact::{Approved, Fact, Proposed};
use super::night::{Mover, StepError};
use super::refused::{Refused, Rule};
use super::state::Request;
use crate::types::{PersonId, RequestId};

/// How long a request waits for its second person.
pub const WAITS: SignedDuration = SignedDuration::from_mins(30);

impl Mover<'_> {
    /// Records what one person wants, until a second one says yes.
    pub(super) fn ask_second(&mut self, by: &By, what: Proposed) -> Result<(), StepError> {
        let now = self.now.wall;
        let standing = &self.core.state.standing;
        let same = |request: &&RequestId| {
            let known = &standing.requests[*request];
            known.until > now && known.by == by.person && known.what == what
        };
        if let Some(request) = standing.requests.keys().find(same) {
            return Err(Refused::by(Rule::NoChange, format!("{request} asks for that already"))
                .hint(format!("another person says yes with `nightrun second {request}`"))
                .into());
        }
        let request = RequestId(standing.last_request + 1);
        let (by, reason) = (by.person.clone(), by.reason.clone());
        let until = now.checked_add(WAITS).unwrap_or(now);
        Ok(self.emit(Fact::SecondAsked { request, by, reason, what, until })?)
    }

    /// Another person's yes. `known`: the site knows who that is. What was wanted is carried out as far as it is still
    /// allowed; an order may be given now by the first person.
    pub(super) fn second(
        &mut self,
        request: RequestId,
        by: PersonId,
        known: bool,
        reason: String,
    ) -> Result<(), StepError> {
        let asked = self.waiting_request(request)?.clone();
        if asked.by == by {
            let what = format!("{request} was asked for by {by}, and takes another person");
            return Err(Refused::by(Rule::SecondPerson, what).into());
        }
        if !known {
            let what = format!("{by} is no person of the site");
            return Err(Refused::by(Rule::UnknownPerson, what)
                .hint("only somebody in people.yaml can be the second person")
                .into());
        }
        let two = By { person: asked.by, reason: asked.reason, second: Some(by.clone()) };
        let order = match asked.what {
            Proposed::Acts { run, actions } => {
                self.acts(&run, &two, actions)?;
                None
            }
            Proposed::Unfreeze { freeze } => {
                self.unfreeze(freeze, &two)?;
                None
            }
            Proposed::Change { change, wish } => {
                self.decide_change(&change, &two, *wish)?;
                None
            }
            Proposed::Order { order } => {
                Some(Box::new(Approved { order: *order, until: asked.until }))
            }
        };
        Ok(self.emit(Fact::SecondGiven { request, by, reason, order })?)
    }

    fn waiting_request(&self, request: RequestId) -> Result<&Request, Refused> {
        let known = self.core.state.standing.requests.get(&request);
        let asked = known.ok_or_else(|| {
            Refused::by(Rule::NoSuchThing, format!("no {request} waits for a second person"))
        })?;
        if asked.given.is_some() {
            return Err(Refused::by(Rule::NoChange, format!("{request} has its second person")));
        }
        if asked.until <= self.now.wall {
            let what = format!("{request} was to be confirmed by {}", asked.until);
            return Err(Refused::by(Rule::Past, what).hint("it is to be asked for again"));
        }
        Ok(asked)
    }
}
