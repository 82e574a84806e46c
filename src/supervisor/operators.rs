//! What operators ask of a running supervisor: actions on runs and jobs, what goes for the whole site, the second
//! person's yes; and what would come of any of it.

use std::sync::Arc;

use super::access::{allow, person_of};
use super::credentials::{fits, keep, secret_of};
use super::ordering::asks_second;
use super::recall::on_call_of;
use super::requests::cannot_now;
use super::turn::Turn;
use super::{Fatal, Supervisor, World, stopping};
use crate::core::access::right_for;
use crate::core::calendar::Calendars;
use crate::core::fact::{Action, Fact};
use crate::core::forecast;
use crate::core::night::{Event, StepError};
use crate::core::order::Ordered;
use crate::core::refused::{Refused, Rule};
use crate::core::roster::Roster;
use crate::core::select::{Deed, Which};
use crate::definition::site::{Site, TwoPeople};
use crate::port::Clock;
use crate::port::control::{Caller, House, Reply, RunOf};
use crate::render;
use crate::types::{PersonId, Right, RunId, ShiftName};
use crate::view;
use crate::view::tried::{Done, NotDone};

/// Why something is asked for, and whether it is only tried.
pub(super) struct Wish {
    pub(super) reason: String,
    pub(super) dry_run: bool,
}

impl<W: World> Supervisor<W> {
    pub(super) async fn act_in(
        &mut self,
        turn: &mut Turn,
        caller: &Caller,
        on: &RunOf,
        (which, deed): (Which, Deed),
        wish: Wish,
    ) -> Result<Reply, Fatal> {
        let run = match self.find(on) {
            Ok(run) => run,
            Err(refused) => return Ok(refused.into()),
        };
        let site = self.core.state().runs.get(&run).map(|run| &run.site);
        let site = self.served_site().or(site.map(AsRef::as_ref));
        if let Err(refused) = allow(site, &self.parts.own, caller, right_for(&deed)) {
            return Ok(refused.into());
        }
        // Such an action on a run that is over would set it going again.
        let moves = !matches!(deed, Deed::Note { .. } | Deed::Sign { .. });
        if moves && self.stopping && self.result(&run).is_some() {
            return Ok(stopping().into());
        }
        // What a run that is over needs of others may have moved since it was taken in.
        let known = if self.result(&run).is_some() && !wish.dry_run {
            match cannot_now(self.others(&run).await)? {
                Ok(known) => known,
                Err(what) => return Ok(Reply::Failed { what, defects: false }),
            }
        } else {
            Vec::new()
        };
        let by = self.person(&run, caller);
        let deed = match self.with_shifts(deed, &by) {
            Ok(deed) => deed,
            Err(not) => return Ok(not),
        };
        let Wish { reason, dry_run } = wish;
        let event = Event::ActOn { run: run.clone(), by: by.clone(), reason, which, deed };
        let answer = self.answer_to(turn, event, (Some(run.clone()), by), dry_run)?;
        if matches!(answer, Reply::Done(_)) {
            let others = Event::across_since(known, &turn.facts);
            self.step(turn, others)?;
            self.expect_hosts(&run);
        }
        Ok(answer)
    }

    /// Whoever releases changes, or signs a report, does so by the shifts that they have now, in the roster that is in
    /// force.
    fn with_shifts(&self, deed: Deed, by: &PersonId) -> Result<Deed, Reply> {
        match deed {
            Deed::ReleaseChanges { .. } => Ok(Deed::ReleaseChanges { shifts: self.shifts_of(by)? }),
            Deed::Sign { .. } => Ok(Deed::Sign { shifts: self.shifts_of(by)? }),
            other => Ok(other),
        }
    }

    fn shifts_of(&self, by: &PersonId) -> Result<Vec<ShiftName>, Reply> {
        let site = match self.loaded() {
            Ok(loaded) => Arc::clone(&loaded.site),
            Err(defects) => return Err(Reply::Failed { what: defects.0, defects: true }),
        };
        let calendars = Calendars::new(&site.calendars);
        let at = self.parts.clock.now().wall;
        let on = Roster::new(&site, &calendars).who(at);
        let on =
            on.map_err(|unknown| Reply::Failed { what: unknown.to_string(), defects: false })?;
        Ok(on.into_iter().filter(|on| on.people.contains(by)).map(|on| on.shift).collect())
    }

    pub(super) async fn house_in(
        &mut self,
        turn: &mut Turn,
        caller: &Caller,
        order: House,
        wish: Wish,
    ) -> Result<Reply, Fatal> {
        if self.parts.clock.offset().is_some() {
            return Ok(stands_alone().into());
        }
        let by = self.someone(caller);
        let allowed = match &order {
            House::Credential { what } => self.may_have(caller, &by, what),
            House::Second { .. } => self.may(caller, Right::Second),
            House::Incident { order } => self.may(caller, order.right()),
            House::HandOver { .. } => self.may(caller, Right::Respond),
            House::Drain { .. } => self.may(caller, Right::Operate),
            _ => self.may(caller, Right::House),
        };
        if let Err(refused) = allowed {
            return Ok(refused.into());
        }
        if let House::Second { request } = order
            && let Some(run) = self.run_of_request(request)
        {
            self.finish(std::mem::take(turn)).await?;
            if let Err(what) = cannot_now(self.load(&run).await)? {
                return Ok(Reply::Failed { what, defects: false });
            }
        }
        let mut order = order;
        if let House::HandOver { order } = &mut order
            && let Err(what) = cannot_now(self.with_notes(order).await)?
        {
            return Ok(Reply::Failed { what, defects: false });
        }
        let (secret, before) = (secret_of(&order), turn.facts.len());
        let event = self.house_event(order, by.clone(), wish.reason);
        let answer = self.answer_to(turn, event, (None, by), wish.dry_run)?;
        keep(turn, before, secret.as_ref());
        Ok(answer)
    }

    /// Carries out what goes for the whole site where nobody else supervises it; the answer in words.
    pub async fn house(
        &mut self,
        caller: &Caller,
        site: Option<&Site>,
        order: House,
        reason: String,
    ) -> Result<Result<String, Refused>, Fatal> {
        let by = person_of(site, caller);
        if let House::Credential { what } = &order
            && let Err(refused) = fits(what, site)
        {
            return Ok(Err(refused));
        }
        if let Some(site) = site {
            self.core.have_on_call(on_call_of(&Arc::new(site.clone())));
        }
        let mut order = order;
        if let House::HandOver { order } = &mut order {
            self.with_notes(order).await?;
        }
        let secret = secret_of(&order);
        let event = house_event(site, caller, order, reason);
        let mut turn = Turn::default();
        if let Err(refused) = self.try_step(&mut turn, event)? {
            return Ok(Err(refused));
        }
        keep(&mut turn, 0, secret.as_ref());
        let said = render::tried::done(&turn.facts, &[], &by, site.map(|site| &site.zone));
        self.finish(turn).await?;
        Ok(Ok(said))
    }

    /// The run that a request is about, as far as it is about one.
    pub fn run_of_request(&self, request: crate::types::RequestId) -> Option<RunId> {
        self.core.state().standing.run_of(request).cloned()
    }

    /// Whether a person is one of the site.
    pub(super) fn knows(&self, person: &PersonId) -> bool {
        self.sites().any(|site| site.people.contains_key(person))
    }

    pub(super) fn sites(&self) -> impl Iterator<Item = &Site> {
        let runs = self.core.state().runs.values().map(|run| run.site.as_ref());
        // What is served is newer than any run's copy.
        self.core.served().map(AsRef::as_ref).into_iter().chain(runs)
    }

    /// The person who asks, as any site here knows people.
    pub(super) fn someone(&self, caller: &Caller) -> PersonId {
        let named = self.sites().map(|site| person_of(Some(site), caller));
        let mut known = named.filter(|person| self.knows(person));
        known.next().unwrap_or_else(|| person_of(None, caller))
    }

    fn house_event(&self, order: House, by: PersonId, reason: String) -> Event {
        let two_lift = self.sites().any(|site| site.takes_two(TwoPeople::Unfreeze));
        let known = self.knows(&by);
        event_of(order, by, reason, (two_lift, known))
    }

    /// Decides, or only tries.
    pub(super) fn answer_to(
        &mut self,
        turn: &mut Turn,
        event: Event,
        (run, by): (Option<RunId>, PersonId),
        dry_run: bool,
    ) -> Result<Reply, Fatal> {
        if dry_run {
            return self.would(event, run.as_ref());
        }
        let before = turn.facts.len();
        if let Err(refused) = self.try_step(turn, event)? {
            return Ok(refused.into());
        }
        let left = std::mem::take(&mut turn.left);
        let text = self.done(turn.facts.get(before..).unwrap_or_default(), &left, &by);
        if run.is_none() {
            // An entry of no run is told by none.
            let at = self.parts.clock.now().wall;
            self.notice(at, &text);
        }
        Ok(Reply::Done(Done { done: text, run, left: left.iter().map(not_done).collect() }))
    }

    /// What would come of it, decided on a fork of the night.
    fn would(&self, event: Event, run: Option<&RunId>) -> Result<Reply, Fatal> {
        let now = self.parts.clock.now();
        let (core, decided) = match self.core.would(now, event) {
            Ok(would) => would,
            Err(StepError::Refused(refused)) => return Ok(refused.into()),
            Err(defect @ StepError::Unfit(_)) => return Err(Fatal::Defect(defect)),
        };
        let before = forecast::of_night(&self.core, now).unwrap_or_default();
        let after = forecast::of_night(&core, now).unwrap_or_default();
        let view = view::of_tried::tried(&core, now, &decided, run, (&before, &after));
        Ok(Reply::Tried(Box::new(view)))
    }

    /// What was done, in words, from the facts that were decided.
    pub(super) fn done(
        &self,
        facts: &[(jiff::Timestamp, Fact)],
        left: &[(Action, Refused)],
        by: &PersonId,
    ) -> String {
        let zone = self.sites().next().map(|site| site.zone.clone());
        render::tried::done(facts, left, by, zone.as_ref())
    }

    /// Why an order that overrides the window cannot be carried out yet: it takes a second person, and is recorded for
    /// that. With that person's yes it is given once more.
    pub(super) async fn without_second(
        &mut self,
        site: &Site,
        ordered: &mut Ordered,
    ) -> Result<Option<Refused>, Fatal> {
        let now = self.parts.clock.now().wall;
        let Some(event) = asks_second(&self.core, site, ordered, now) else { return Ok(None) };
        let by = ordered.order.by.clone();
        let mut turn = Turn::default();
        if let Err(refused) = self.try_step(&mut turn, event)? {
            return Ok(Some(refused));
        }
        let said = render::tried::done(&turn.facts, &[], &by, Some(&site.zone));
        self.finish(turn).await?;
        Ok(Some(Refused::by(Rule::SecondPerson, said).hint("then give the order once more")))
    }
}

/// What goes for the whole site, as a person of it asks for it where nobody supervises.
pub fn house_event(site: Option<&Site>, caller: &Caller, order: House, reason: String) -> Event {
    let by = person_of(site, caller);
    let two_lift = site.is_some_and(|site| site.takes_two(TwoPeople::Unfreeze));
    let known = site.is_some_and(|site| site.people.contains_key(&by));
    event_of(order, by, reason, (two_lift, known))
}

fn event_of(order: House, by: PersonId, reason: String, (two_lift, known): (bool, bool)) -> Event {
    match order {
        House::Freeze { what } => Event::Freeze { by, what, two_lift },
        House::Unfreeze { freeze } => Event::Unfreeze { freeze, by, reason },
        House::SizePool { pool, size, until } => Event::SizePool { pool, size, until, by, reason },
        House::Drain { host, drain } => Event::Drain { host, drain, by, reason },
        House::Second { request } => Event::Second { request, by, known, reason },
        House::Credential { what } => Event::Credential { by, reason, what: what.credential() },
        House::Incident { order } => Event::Incident { by, reason, order },
        House::Figure { order } => Event::Figure { by, reason, order },
        House::HandOver { order } => Event::HandOver { by, reason, order },
    }
}

fn not_done((action, refused): &(Action, Refused)) -> NotDone {
    NotDone { job: action.job().cloned(), what: refused.what.clone(), rule: refused.rule }
}

pub(super) fn stands_alone() -> Refused {
    Refused::by(Rule::Trial, "a trial is at work here, and a trial stands alone")
        .hint("ask again when it has ended")
}
