//! An incident goes its way while people answer or do not: whoever is next is told, limits are watched.

use std::sync::Arc;

use jiff::civil::{Date, Weekday};
use jiff::{SignedDuration, Timestamp, ToSpan};

use super::due::Due;
use super::{Clock, Incident, IncidentStep, Moved, OnCall};
use crate::core::fact::Fact;
use crate::core::night::{Command, Core, Mover, Notice};
use crate::core::state::Unfit;
use crate::definition::site::Limit;
use crate::types::{ClockKind, IncidentId, IncidentKind, PersonId, Severity};

impl Core {
    /// Whom incidents are told to from now on, where nobody serves.
    pub fn have_on_call(&mut self, on_call: Arc<OnCall>) {
        self.on_call = Some(on_call);
        self.incidents_moved = true;
    }

    /// Who is told of incidents; `None`: nobody is known here.
    pub fn on_call(&self) -> Option<&OnCall> {
        self.on_call.as_deref()
    }

    /// When something is due about an incident.
    pub(in crate::core) fn next_incident_due(&self) -> Option<Timestamp> {
        let on_call = self.on_call.as_ref()?;
        self.state.unfinished().filter_map(|incident| incident.next_due(on_call)).min()
    }

    /// When something is due about an incident, as it stands now.
    pub fn incident_due(&self, incident: &Incident) -> Option<Timestamp> {
        incident.next_due(self.on_call.as_ref()?)
    }
}

impl Mover<'_> {
    /// What is due about incidents is done: people are told, limits that have passed are counted.
    pub(in crate::core) fn watch_incidents(&mut self) -> Result<(), Unfit> {
        if std::mem::take(&mut self.core.incidents_moved) {
            self.core.incidents_due = self.core.next_incident_due();
        }
        let back = self.core.incidents_seen.replace(self.now.wall);
        let back = back.is_some_and(|seen| self.now.wall < seen);
        if !back && self.core.incidents_due.is_none_or(|due| due > self.now.wall) {
            return Ok(());
        }
        let Some(on_call) = self.core.on_call.clone() else { return Ok(()) };
        let ids: Vec<IncidentId> = self.core.state.unfinished.iter().copied().collect();
        for id in ids {
            while let Some(due) = self.core.state.incident(id)?.due(&on_call, self.now.wall) {
                self.do_due(id, due)?;
            }
        }
        self.core.incidents_moved = false;
        self.core.incidents_due = self.core.next_incident_due();
        Ok(())
    }

    fn do_due(&mut self, incident: IncidentId, due: Due) -> Result<(), Unfit> {
        let known = self.core.state.incident(incident)?;
        let muted = known.muted.is_some_and(|until| until > self.now.wall);
        let everyone = || {
            let owner = known.owner.iter().filter(|owner| !known.notified.contains(owner));
            let mut told = known.told_before(self.core.on_call());
            told.people.extend(owner.cloned());
            told
        };
        let (step, notice, to) = match due {
            Due::Tell { to, rungs, why } => {
                let (people, rooms) = (to.people.clone(), to.rooms.clone());
                let step = IncidentStep::Told { people, rooms, rungs, why };
                (step, Notice::Told { why }, to)
            }
            Due::Warn { clocks } => {
                let step = IncidentStep::Warned { clocks: clocks.clone() };
                (step, Notice::Warned { clocks }, everyone())
            }
            Due::Breach { clocks } => {
                let step = IncidentStep::Breached { clocks: clocks.clone() };
                (step, Notice::Breached { clocks }, everyone())
            }
        };
        self.move_incident(incident, None, String::new(), step)?;
        if !muted && !to.is_empty() {
            self.command(Command::Notify { incident, to, notice });
        }
        Ok(())
    }

    pub(super) fn move_incident(
        &mut self,
        incident: IncidentId,
        by: Option<PersonId>,
        reason: String,
        step: IncidentStep,
    ) -> Result<(), Unfit> {
        let known = self.core.state.incident(incident)?;
        let number = u32::try_from(known.steps.len()).unwrap_or(u32::MAX).saturating_add(1);
        let run = known.what.run.clone();
        let moved = Moved { incident, run, number, by, reason, step };
        self.emit(Fact::IncidentMoved(Box::new(moved)))
    }
}

/// Until when what is done about an incident that opens now.
pub(super) fn clocks(
    on_call: &OnCall,
    kind: IncidentKind,
    severity: Severity,
    now: Timestamp,
) -> Vec<Clock> {
    let declared = on_call.declared().into_iter();
    let limits = declared.flat_map(|declared| declared.limits(kind, severity));
    let clock = |(kind, limit): (ClockKind, &Limit)| {
        let due = match limit {
            Limit::After(span) => {
                let span = SignedDuration::try_from(span.get()).unwrap_or(SignedDuration::MAX);
                now.saturating_add(span).unwrap_or(Timestamp::MAX)
            }
            Limit::BusinessDays { days, calendar } => {
                let zone = on_call.site.zone.tz();
                let is_business_day = |date| {
                    on_call
                        .calendars
                        .is_business_day(calendar, date)
                        .unwrap_or_else(|| weekday(date))
                };
                let after = zone.to_datetime(now).date().series(1.day()).skip(1);
                let nth = usize::try_from(*days).unwrap_or(usize::MAX).saturating_sub(1);
                let last = after.filter(|date| is_business_day(*date)).nth(nth);
                let end = last.and_then(|date| date.tomorrow().ok());
                let end = end.and_then(|date| date.to_zoned(zone.clone()).ok());
                end.map_or(Timestamp::MAX, |end| end.timestamp())
            }
        };
        Clock { kind, due }
    };
    limits.map(clock).collect()
}

/// Where the data of a calendar end.
fn weekday(date: Date) -> bool {
    !matches!(date.weekday(), Weekday::Saturday | Weekday::Sunday)
}
