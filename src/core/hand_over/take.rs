//! What people do about a hand-over: the outgoing side adds words and gives, the next shift accepts.

use super::draft::{Draft, Note};
use super::due::reached;
use super::{HandOver, HandOverStep};
use crate::core::act::By;
use crate::core::incident::OnCall;
use crate::core::night::{HandOverNotice, Mover, StepError};
use crate::core::refused::{Refused, Rule};
use crate::core::roster::Roster;
use crate::types::{HandOverId, PersonId};

use jiff::{SignedDuration, Timestamp};

/// How far behind the end of the shift the plan of what is to come reaches.
const AHEAD: SignedDuration = SignedDuration::from_hours(12);

#[derive(Debug, Clone, PartialEq)]
pub struct HandOverOrder {
    pub hand_over: HandOverId,
    pub wish: HandOverWish,
    /// Of `Accept`: what people noted in runs that are not at hand any more.
    pub noted: Vec<Note>,
}

/// A step that a person takes.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum HandOverWish {
    Note,
    Give,
    Accept,
}

impl HandOverWish {
    /// Whoever takes over looks for that first.
    pub const ALL: [Self; 3] = [Self::Accept, Self::Give, Self::Note];

    pub fn of_word(word: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|wish| wish.word() == word)
    }

    /// As the API and the command line call it.
    pub fn word(self) -> &'static str {
        match self {
            Self::Note => "note",
            Self::Give => "give",
            Self::Accept => "accept",
        }
    }
}

impl HandOver {
    /// The time that its draft looks at: from the beginning of the shift until some hours after its end.
    pub fn span(&self) -> (Timestamp, Timestamp) {
        let until = self.what.ends.saturating_add(AHEAD).unwrap_or(Timestamp::MAX);
        (self.what.began, until)
    }

    /// Every step that a person may take now.
    pub fn steps_for(&self, on_call: &OnCall, by: &PersonId, now: Timestamp) -> Vec<HandOverWish> {
        let may = |wish: &HandOverWish| self.refuses(on_call, by, *wish, now).is_ok();
        HandOverWish::ALL.into_iter().filter(may).collect()
    }

    /// Why a person does not take a step now.
    ///
    /// # Errors
    /// It is over; the person is not on the shift that it takes; or it is too early.
    pub fn refuses(
        &self,
        on_call: &OnCall,
        by: &PersonId,
        wish: HandOverWish,
        now: Timestamp,
    ) -> Result<(), Refused> {
        let id = &self.what.hand_over;
        let no = |rule, what: String| Err(Refused::by(rule, what));
        if !self.is_open() {
            let by = self.accepted().and_then(|(taken, _)| taken.by.as_ref());
            return no(
                Rule::NoChange,
                match by {
                    Some(who) => format!("{who} has accepted {id} already"),
                    None => format!("{id} is over: the same people have the next shift"),
                },
            );
        }
        let outgoing = self.hands_over(on_call, by);
        match wish {
            HandOverWish::Note | HandOverWish::Give if !outgoing => no(
                Rule::NotOnShift,
                format!("{by} does not have the shift `{}` of {}", id.shift, id.date),
            ),
            HandOverWish::Give if self.given.is_some() => {
                no(Rule::NoChange, format!("{id} was given already"))
            }
            HandOverWish::Note | HandOverWish::Give => Ok(()),
            HandOverWish::Accept if outgoing && !self.has_both(on_call, by, now) => {
                Err(Refused::by(Rule::OwnWork, format!("{by} has the shift that is handed over"))
                    .hint("somebody else of the next shift accepts it"))
            }
            HandOverWish::Accept if !self.takes_over(on_call, by, now) => {
                let to: Vec<&str> = self.what.to.iter().map(|shift| shift.as_str()).collect();
                no(
                    Rule::NotOnShift,
                    format!("{by} has no shift that takes over: {}", to.join(", ")),
                )
            }
            HandOverWish::Accept if self.given.is_none() && now < self.what.ends => Err(
                Refused::by(Rule::TooEarly, format!("{id} was not given, and the shift goes on"))
                    .hint("`nightrun hand-over give` is the step of whoever has the shift"),
            ),
            HandOverWish::Accept => Ok(()),
        }
    }

    /// Whether somebody has the shift that is handed over, by the roster of its beginning or of now.
    fn hands_over(&self, on_call: &OnCall, who: &PersonId) -> bool {
        let id = &self.what.hand_over;
        let roster = Roster::new(&on_call.site, &on_call.calendars);
        let has = || {
            let staff = roster.staff(&id.shift, id.date);
            staff.is_ok_and(|staff| staff.holders.iter().any(|holder| holder.person == *who))
        };
        self.what.outgoing.contains(who) || has()
    }

    /// Whether the roster gives him the next shift too, and nobody else: there is no other who could accept it.
    fn has_both(&self, on_call: &OnCall, who: &PersonId, now: Timestamp) -> bool {
        let now_on = on_call.who_has(&self.what.to, now);
        let mut all = self.what.incoming.iter().chain(&now_on);
        now_on.contains(who) && all.all(|next| self.what.outgoing.contains(next))
    }

    /// Whether somebody may accept it: of the next shift, or of one of the same name later; once it is late, whoever leads
    /// either side. Where nobody of the next shift is there any more, whoever is on any shift now, leads a team of those who
    /// hand over, or is told of failures.
    fn takes_over(&self, on_call: &OnCall, who: &PersonId, now: Timestamp) -> bool {
        let later = on_call.who_has(&self.what.to, now);
        let incoming = &self.what.incoming;
        if incoming.contains(who) || later.contains(who) {
            return true;
        }
        let leads = |side: &[PersonId]| on_call.leads(side).contains(who);
        if self.late.is_some() && (leads(&self.what.outgoing) || leads(incoming)) {
            return true;
        }
        // Whoever has left the site accepts nothing.
        let left = incoming.iter().all(|next| !on_call.site.people.contains_key(next));
        left && later.is_empty()
            && (on_call.is_on_shift(who, now)
                || leads(&self.what.outgoing)
                || on_call.hears_of_failures(who))
    }
}

impl Mover<'_> {
    pub(in crate::core) fn hand_over(
        &mut self,
        by: By,
        order: HandOverOrder,
    ) -> Result<(), StepError> {
        let HandOverOrder { hand_over: id, wish, noted } = order;
        let nobody = || Refused::by(Rule::NoSuchThing, "no site with shifts is known here");
        let on_call = self.core.on_call.clone().ok_or_else(nobody)?;
        let known = self.core.state.standing.hand_overs.get(&id).ok_or_else(|| {
            Refused::by(Rule::NoSuchThing, format!("no hand-over {id} is known here"))
                .hint("`nightrun hand-over list` lists them")
        })?;
        known.refuses(&on_call, &by.person, wish, self.now.wall)?;
        let (step, notice) = match wish {
            HandOverWish::Note => (HandOverStep::Noted, None),
            HandOverWish::Give => (HandOverStep::Given, Some(HandOverNotice::Given)),
            HandOverWish::Accept => {
                let draft = Draft::of(self.core, known.span(), &noted, self.now);
                let step = HandOverStep::Accepted { draft: Box::new(draft) };
                (step, Some(HandOverNotice::Accepted))
            }
        };
        self.move_hand_over(&id, Some(by.person.clone()), by.reason, step)?;
        if wish == HandOverWish::Accept {
            self.hand_over_is_taken(&id)?;
        }
        let known = self.core.state.standing.hand_overs.get(&id);
        if let Some((notice, known)) = notice.zip(known) {
            let people = [&known.what.outgoing[..], &known.what.incoming].concat();
            let others = people.into_iter().filter(|who| *who != by.person).collect();
            let people = reached(&on_call, others, self.now.wall);
            self.tell_of_hand_over(id, people, notice);
        }
        Ok(())
    }
}
