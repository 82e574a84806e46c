//! What is due about hand-overs, and when: they begin before a shift ends, both sides are told, a limit passes.

use std::time::Duration;

use jiff::{SignedDuration, Timestamp};

use super::{HandOver, HandOverStep, Moved, Opened};
use crate::core::calendar::plus;
use crate::core::fact::Fact;
use crate::core::incident::OnCall;
use crate::core::night::{Command, Core, HandOverNotice, Mover};
use crate::core::roster::{OnShift, Roster};
use crate::core::state::{State, Unfit};
use crate::definition::site::{HandOverRule, HandOverRules};
use crate::types::{HandOverId, PersonId};

/// A shift that ended longer ago is not handed over any more: others have followed it.
const OLD: SignedDuration = SignedDuration::from_hours(24);

/// The roster is looked at again after this time though nothing in it is near.
const LOOK: Duration = Duration::from_secs(12 * 3_600);

/// Of a core that sees to hand-overs.
#[derive(Debug)]
pub(in crate::core) struct Shifts {
    /// When something is due, as long as nothing has moved.
    due: Option<Timestamp>,
    /// Something has: people, roster, a hand-over, or an incident.
    pub(in crate::core) moved: bool,
    /// The time of the last look.
    seen: Option<Timestamp>,
}

/// What is to be done about a hand-over now.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Due {
    Tell,
    Late,
}

impl Core {
    /// From now on shifts are handed over here, as the site on call declares it.
    pub fn keep_shifts(&mut self) {
        self.shifts = Some(Shifts { due: None, moved: true, seen: None });
    }

    /// When something is due about a hand-over.
    pub(in crate::core) fn hand_over_due(&self) -> Option<Timestamp> {
        self.shifts.as_ref()?.due
    }

    /// When something is done about a hand-over though nobody acts; `None`: it is over, or an incident tells people.
    pub fn hand_over_next(&self, known: &HandOver) -> Option<Timestamp> {
        let rules = self.on_call.as_ref()?.site.duty.hand_over.as_ref()?;
        known.next_due(rules, self.state.incident_tells(&known.what.hand_over))
    }
}

impl State {
    /// Whether an incident tells people that nobody has accepted it.
    fn incident_tells(&self, hand_over: &HandOverId) -> bool {
        self.unfinished()
            .any(|incident| incident.is_open() && incident.what.fault.is_about_hand_over(hand_over))
    }

    fn open_hand_overs(&self) -> impl Iterator<Item = &HandOver> {
        self.standing.hand_overs.values().filter(|known| known.is_open())
    }
}

impl HandOver {
    /// With nobody to take over, nobody is waited for.
    fn limit(&self, rules: &HandOverRules) -> Timestamp {
        let wait = if self.what.incoming.is_empty() { Duration::ZERO } else { rules.limit.get() };
        after(self.what.ends, wait)
    }

    fn next_telling(&self, rules: &HandOverRules) -> Timestamp {
        match self.told < self.what.ends {
            true => self.what.ends,
            false => after(self.told, rules.remind.get()),
        }
    }

    fn next_due(&self, rules: &HandOverRules, incident_tells: bool) -> Option<Timestamp> {
        if !self.is_open() {
            return None;
        }
        let limit = self.late.is_none().then(|| self.limit(rules));
        let telling = (!incident_tells).then(|| self.next_telling(rules));
        limit.into_iter().chain(telling).min()
    }

    /// A clock that was set back makes due what was told at a time that is yet to come.
    fn due(&self, rules: &HandOverRules, incident_tells: bool, now: Timestamp) -> Option<Due> {
        if !self.is_open() {
            return None;
        }
        if self.late.is_none() && self.limit(rules) <= now {
            return Some(Due::Late);
        }
        let tells = !incident_tells && (self.next_telling(rules) <= now || self.told > now);
        tells.then_some(Due::Tell)
    }

    /// Whom it concerns now: the outgoing side, and from the end of the shift on, or once it was given, the next one too.
    pub(super) fn concerned(&self, on_call: &OnCall, now: Timestamp) -> Vec<PersonId> {
        let mut people = self.what.outgoing.clone();
        if self.what.ends <= now || self.given.is_some() {
            people.extend(self.what.incoming.iter().cloned());
        }
        if self.what.ends <= now {
            people.extend(on_call.who_has(&self.what.to, now));
        }
        reached(on_call, people, now)
    }
}

/// Each once, as far as they have an address; where nobody has, whoever the site names for failures.
pub(super) fn reached(on_call: &OnCall, people: Vec<PersonId>, now: Timestamp) -> Vec<PersonId> {
    let mut once: Vec<PersonId> = Vec::new();
    for who in people {
        if on_call.can_be_reached(&who) && !once.contains(&who) {
            once.push(who);
        }
    }
    if once.is_empty() { on_call.anybody(now) } else { once }
}

/// The hand-over of a shift of a date, by the roster.
fn opening(roster: &Roster<'_>, rule: &HandOverRule, on: OnShift) -> Opened {
    let mut incoming: Vec<PersonId> = Vec::new();
    for next in roster.who_is_known(on.to).on {
        let new = next.people.into_iter().filter(|who| !incoming.contains(who));
        if rule.to.contains(&next.shift) {
            incoming.extend(new.collect::<Vec<_>>());
        }
    }
    Opened {
        hand_over: HandOverId { shift: on.shift, date: on.date },
        to: rule.to.clone(),
        began: on.from,
        ends: on.to,
        outgoing: on.people,
        incoming,
        notify: Vec::new(),
    }
}

/// Shifts that are to be handed over and are not yet known here, with the time at which that begins.
fn undecided(state: &State, on_call: &OnCall, now: Timestamp) -> Vec<(Timestamp, OnShift)> {
    let site = &on_call.site;
    let Some(rules) = &site.duty.hand_over else { return Vec::new() };
    let roster = Roster::new(site, &on_call.calendars);
    let today = site.zone.tz().to_datetime(now).date();
    let known = &state.standing.hand_overs;
    let long_ago = now.saturating_sub(OLD).unwrap_or(Timestamp::MIN);
    // What ended before the last one that was handed over, or before there was a rule for it, is of the past. One that began
    // at a time that is yet to come, by a clock that was ahead, says nothing of the shifts until then.
    let old = |on: &OnShift| {
        let same = known.values().filter(|known| known.what.hand_over.shift == on.shift);
        let same = same.filter(|known| known.opened <= now);
        let last = same.map(|known| known.what.ends).max();
        on.to <= long_ago || on.to <= last.unwrap_or(now)
    };
    let shifts = roster.known_between(plus(today, -2), plus(today, 2)).on.into_iter();
    let shifts = shifts.filter(|on| {
        let id = HandOverId { shift: on.shift.clone(), date: on.date };
        // Hours that clocks skip are no shift.
        let some = on.from < on.to;
        some && rules.of(&on.shift).is_some() && !known.contains_key(&id) && !old(on)
    });
    let prepare = SignedDuration::try_from(rules.prepare.get()).unwrap_or(SignedDuration::MAX);
    let begins = |on: &OnShift| on.to.saturating_sub(prepare).unwrap_or(on.to).max(on.from);
    shifts.map(|on| (begins(&on), on)).collect()
}

impl Mover<'_> {
    /// What is due about hand-overs is done.
    pub(in crate::core) fn watch_hand_overs(&mut self) -> Result<(), Unfit> {
        let now = self.now.wall;
        let Some(shifts) = &mut self.core.shifts else { return Ok(()) };
        let back = shifts.seen.replace(now).is_some_and(|seen| now < seen);
        let near = shifts.due.is_some_and(|due| due <= now);
        if !std::mem::take(&mut shifts.moved) && !back && !near {
            return Ok(());
        }
        let Some(on_call) = self.core.on_call.clone() else { return Ok(()) };
        let Some(rules) = on_call.site.duty.hand_over.clone() else {
            self.look_again_at(None);
            return Ok(());
        };
        self.begin_hand_overs(&on_call, &rules)?;
        let open: Vec<HandOverId> =
            self.core.state.open_hand_overs().map(|known| known.what.hand_over.clone()).collect();
        for id in &open {
            self.see_to(&on_call, &rules, id)?;
        }
        let state = &self.core.state;
        let tells = |known: &HandOver| state.incident_tells(&known.what.hand_over);
        let of_open =
            state.open_hand_overs().filter_map(|known| known.next_due(&rules, tells(known)));
        let next = undecided(state, &on_call, now).into_iter().map(|(begins, _)| begins);
        let roster = Roster::new(&on_call.site, &on_call.calendars);
        let today = on_call.site.zone.tz().to_datetime(now).date();
        let goes_on = roster.last_date(today).is_some_and(|last| last >= today);
        let again = goes_on.then(|| after(now, LOOK));
        let due = of_open.chain(next).chain(again).min();
        self.look_again_at(due);
        Ok(())
    }

    fn look_again_at(&mut self, due: Option<Timestamp>) {
        if let Some(shifts) = &mut self.core.shifts {
            (shifts.due, shifts.moved) = (due, false);
        }
    }

    fn begin_hand_overs(&mut self, on_call: &OnCall, rules: &HandOverRules) -> Result<(), Unfit> {
        let now = self.now.wall;
        let begun = undecided(&self.core.state, on_call, now);
        for (_, on) in begun.into_iter().filter(|(begins, _)| *begins <= now) {
            let Some(rule) = rules.of(&on.shift) else { continue };
            let roster = Roster::new(&on_call.site, &on_call.calendars);
            let mut opened = opening(&roster, rule, on);
            let stay = |who: &PersonId| opened.outgoing.contains(who);
            let same = !opened.incoming.is_empty() && opened.incoming.iter().all(stay);
            let fresh = HandOver::new(now, &opened);
            // Where the limit has passed already, the incident tells everybody.
            if !same && fresh.limit(rules) > now {
                opened.notify = fresh.concerned(on_call, now);
            }
            let (id, people) = (opened.hand_over.clone(), opened.notify.clone());
            let over = opened.ends <= now;
            let notice = if over { HandOverNotice::Ends } else { HandOverNotice::Begins };
            self.emit(Fact::HandOverOpened(Box::new(opened)))?;
            if same {
                self.move_hand_over(&id, None, String::new(), HandOverStep::Same)?;
            } else {
                self.tell_of_hand_over(id, people, notice);
            }
        }
        Ok(())
    }

    /// What is due about one, one after the other.
    fn see_to(
        &mut self,
        on_call: &OnCall,
        rules: &HandOverRules,
        id: &HandOverId,
    ) -> Result<(), Unfit> {
        let now = self.now.wall;
        while let Some(known) = self.core.state.standing.hand_overs.get(id) {
            let tells = self.core.state.incident_tells(id);
            let people = known.concerned(on_call, now);
            let ended = known.what.ends;
            match known.due(rules, tells, now) {
                None => break,
                Some(Due::Late) => {
                    self.move_hand_over(id, None, String::new(), HandOverStep::Late)?;
                    self.hand_over_is_late(id.clone(), ended, people, rules.severity)?;
                }
                Some(Due::Tell) => {
                    let first = known.told < ended;
                    let step = HandOverStep::Told { people: people.clone() };
                    self.move_hand_over(id, None, String::new(), step)?;
                    let notice =
                        if first { HandOverNotice::Ends } else { HandOverNotice::Reminder };
                    self.tell_of_hand_over(id.clone(), people, notice);
                }
            }
        }
        Ok(())
    }

    pub(super) fn tell_of_hand_over(
        &mut self,
        hand_over: HandOverId,
        people: Vec<PersonId>,
        notice: HandOverNotice,
    ) {
        if !people.is_empty() {
            self.command(Command::HandOver { hand_over, people, notice });
        }
    }

    pub(super) fn move_hand_over(
        &mut self,
        id: &HandOverId,
        by: Option<PersonId>,
        words: String,
        step: HandOverStep,
    ) -> Result<(), Unfit> {
        let known = self.core.state.standing.hand_overs.get(id);
        let steps = known.map_or(0, |known| known.steps.len());
        let number = u32::try_from(steps).unwrap_or(u32::MAX).saturating_add(1);
        let moved = Moved { hand_over: id.clone(), number, by, words, step };
        self.emit(Fact::HandOverMoved(Box::new(moved)))
    }
}

fn after(at: Timestamp, wait: Duration) -> Timestamp {
    let wait = SignedDuration::try_from(wait).unwrap_or(SignedDuration::MAX);
    at.saturating_add(wait).unwrap_or(Timestamp::MAX)
}
