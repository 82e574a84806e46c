//! What other systems tell: an event lets jobs go on that wait for it, and orders the batches that name it, all in the
//! commit that has its key.

use std::collections::BTreeSet;

use super::orders::NotOrdered;
use super::requests::{cannot_now, not_ordered};
use super::turn::Turn;
use super::{Fatal, Supervisor, World, stopping};
use crate::core::night::Event;
use crate::core::order;
use crate::core::received::{self, Heard, Received};
use crate::core::refused::{Refused, Rule};
use crate::port::control::{Caller, EventIn, Reply};
use crate::port::{Clock, LoadedSite};
use crate::render;
use crate::types::{BatchId, BusinessDate, PersonId, Right, RunId};
use crate::view::tried::EventTaken;

/// A batch that an event orders now, made out.
type Wanted = (BatchId, order::Ordered);

impl<W: World> Supervisor<W> {
    /// Takes an event in; the answer is to be given when the turn is durable. The same key again is answered as the first
    /// time.
    pub(super) async fn event_in(
        &mut self,
        turn: &mut Turn,
        caller: &Caller,
        told: EventIn,
    ) -> Result<Reply, Fatal> {
        let received = match self.made_out(caller, told) {
            Ok(received) => received,
            Err(refused) => return Ok(refused.into()),
        };
        if let Some(heard) = self.core.state().standing.events.get(&received.key) {
            return Ok(match received::another(heard, &received) {
                Some(refused) => refused.into(),
                None => self.taken(heard, true),
            });
        }
        if let Some(refused) = self.takes_none() {
            return Ok(refused.into());
        }
        // An order reads before it decides.
        let opened = self.order_by_event(turn, &received).await;
        let runs = match cannot_now(opened)? {
            Ok(Ok(runs)) => runs,
            Ok(Err(not)) => return Ok(not_ordered(not)),
            Err(what) => return Ok(Reply::Failed { what, defects: false }),
        };
        let key = received.key.clone();
        let event = Event::Receive(Box::new(Received { runs, ..received }));
        if let Err(refused) = self.try_step(turn, event)? {
            return Ok(refused.into());
        }
        let Some(heard) = self.core.state().standing.events.get(&key) else {
            let what = "it is not known what became of the event".to_owned();
            return Ok(Reply::Failed { what, defects: false });
        };
        let reply = self.taken(heard, false);
        if let Reply::Received(taken) = &reply {
            let (at, text) = (self.parts.clock.now().wall, taken.done.clone());
            self.notice(at, &text);
        }
        Ok(reply)
    }

    /// The event with its person and business date.
    fn made_out(&self, caller: &Caller, told: EventIn) -> Result<Received, Refused> {
        if self.parts.clock.offset().is_some() {
            return Err(super::operators::stands_alone());
        }
        self.may(caller, Right::Events)?;
        let EventIn { key, event, business_date, parameters, reason } = told;
        let known = self.core.state().standing.events.get(&key);
        let business_date = match (business_date, known) {
            (Some(date), _) => date,
            // As it was understood the first time.
            (None, Some(heard)) => heard.what.business_date,
            (None, None) => {
                let waiting = received::waiting(self.core.state(), &event);
                let dates: BTreeSet<BusinessDate> =
                    waiting.map(|(run, _)| run.opened.business_date).collect();
                one_date(&dates, event.as_str())?
            }
        };
        let by: PersonId = self.someone(caller);
        let reason = reason.unwrap_or_default();
        let (runs, jobs) = Default::default();
        Ok(Received { key, event, business_date, parameters, by, reason, runs, jobs })
    }

    fn takes_none(&self) -> Option<Refused> {
        if self.stopping {
            return Some(stopping());
        }
        self.observes().then(|| {
            let what = "this supervisor only observes, and takes no events";
            Refused::by(Rule::Observing, what)
        })
    }

    /// Opens the runs of the batches that the event orders. One whose run of that date is there is not ordered again. Where
    /// one of several cannot be opened, the others are there when the event is sent again.
    async fn order_by_event(
        &mut self,
        turn: &mut Turn,
        received: &Received,
    ) -> Result<Result<Vec<RunId>, NotOrdered>, Fatal> {
        let loaded = match self.loaded() {
            Ok(loaded) => loaded,
            Err(defects) => return Ok(Err(NotOrdered::Defects(defects.0))),
        };
        let wanted = match self.ordered_by(&loaded, received) {
            Ok(wanted) => wanted,
            Err(not) => return Ok(Err(not)),
        };
        let mut runs = Vec::new();
        for (_, ordered) in wanted {
            if self.desk(&loaded).latest_run(&ordered).await?.is_some() {
                continue;
            }
            match self.open(turn, &loaded, ordered, None).await? {
                Ok(run) => runs.push(run),
                Err(not) => return Ok(Err(not)),
            }
        }
        Ok(Ok(runs))
    }

    fn ordered_by(
        &self,
        loaded: &LoadedSite,
        received: &Received,
    ) -> Result<Vec<Wanted>, NotOrdered> {
        let batches = loaded.site.batches.values();
        let named: Vec<&BatchId> = batches
            .filter(|batch| batch.on_event.as_ref() == Some(&received.event))
            .map(|batch| &batch.id)
            .collect();
        if named.is_empty() && !received.parameters.is_empty() {
            let what =
                format!("the event {} orders no batch that takes parameters", received.event);
            let hint = "leave them out, or name the event under `on_event:` of a batch";
            return Err(Refused::new(what).hint(hint).into());
        }
        let mut wanted = Vec::with_capacity(named.len());
        for batch in named {
            let desk = self.desk(loaded);
            desk.usable(batch).map_err(|defects| NotOrdered::Defects(defects.0))?;
            let order = order::Order {
                business_date: Some(received.business_date),
                parameters: received.parameters.clone(),
                ..order::Order::of(batch.clone(), received.by.clone())
            };
            wanted.push((batch.clone(), desk.resolve(order)?));
        }
        Ok(wanted)
    }

    fn taken(&self, heard: &Heard, again: bool) -> Reply {
        let zone = self.sites().next().map(|site| site.zone.clone());
        let (runs, jobs) = (heard.what.runs.clone(), heard.what.jobs.clone());
        let done = render::tried::event_taken(heard, again, zone.as_ref());
        Reply::Received(Box::new(EventTaken { done, runs, jobs, again }))
    }
}

/// The date that is meant where only one can be.
fn one_date(dates: &BTreeSet<BusinessDate>, event: &str) -> Result<BusinessDate, Refused> {
    let mut all = dates.iter();
    if let (Some(date), None) = (all.next(), all.next()) {
        return Ok(*date);
    }
    let what = match dates.is_empty() {
        true => format!("no run waits for the event {event}, so its business date is not clear"),
        false => {
            let dates: Vec<String> = dates.iter().map(ToString::to_string).collect();
            format!("runs of several dates wait for the event {event}: {}", dates.join(", "))
        }
    };
    let hint = "say for which date it is: `business_date`, or `--date YYYY-MM-DD`";
    Err(Refused::by(Rule::DateNeeded, what).hint(hint))
}
