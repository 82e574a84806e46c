//! What was to be confirmed of a change in time after it was executed, and was not (D10, D12): one incident for each.

use std::sync::Arc;

use jiff::Timestamp;

use super::closing::Overdue;
use super::desk::Desk;
use crate::core::calendar::Calendars;
use crate::core::incident::Fault;
use crate::core::night::{Core, Mover};
use crate::core::state::Unfit;
use crate::core::window::Windows;
use crate::definition::site::Site;
use crate::types::{ChangeId, IncidentId, Severity};

/// When the next item is missed; looked for anew whenever a change has moved, or other rules are in force.
#[derive(Debug, Default)]
pub(in crate::core) struct Confirmations {
    pub(in crate::core) moved: bool,
    next: Option<Timestamp>,
}

impl Confirmations {
    pub(in crate::core) fn next(&self) -> Option<Timestamp> {
        self.next
    }
}

type Missed = Vec<(ChangeId, Overdue)>;

impl Core {
    /// What is missed at a time, over all changes that are not over, and when the next item would be.
    fn overdue(
        &self,
        (site, calendars): (&Site, &Arc<Calendars>),
        now: Timestamp,
    ) -> (Missed, Option<Timestamp>) {
        let limited = site.change_rules.iter().flat_map(|rules| rules.checklist.values());
        if !limited.into_iter().any(|rule| rule.until.is_some()) {
            return (Vec::new(), None);
        }
        let windows = Windows::over(site, calendars);
        let lives = &self.state.standing.changes;
        let (mut missed, mut next) = (Vec::new(), None);
        for id in lives.iter().filter(|(_, life)| !life.stage().is_over()).map(|(id, _)| id) {
            let Ok(desk) = Desk::new(site, &windows, id, lives) else { continue };
            let (found, later) = desk.overdue(now);
            missed.extend(found.into_iter().map(|item| (id.clone(), item)));
            next = next.into_iter().chain(later).min();
        }
        (missed, next)
    }
}

impl Mover<'_> {
    /// Opens an incident for each item that is missed now, and closes those whose item is not missed any more.
    pub(in crate::core) fn watch_confirmations(&mut self) -> Result<(), Unfit> {
        let now = self.now.wall;
        let known = &self.core.confirmations;
        if !known.moved && known.next.is_none_or(|next| next > now) {
            return Ok(());
        }
        let Some(by) = self.core.serves_by() else { return Ok(()) };
        let (missed, next) = self.core.overdue(by, now);
        self.core.confirmations = Confirmations { moved: false, next };
        let faults: Vec<Fault> = missed.into_iter().map(fault).collect();
        let over: Vec<IncidentId> = self
            .core
            .state
            .unfinished()
            .filter(|incident| {
                let fault = &incident.what.fault;
                let of_ours = matches!(fault, Fault::Unconfirmed { .. });
                incident.is_open() && of_ours && !faults.contains(fault)
            })
            .map(|incident| incident.what.incident)
            .collect();
        over.into_iter().try_for_each(|incident| self.close_incident(incident))?;
        for fault in faults {
            // What somebody has resolved by his word is not told again.
            let told = self.core.state.incidents.values().any(|known| known.what.fault == fault);
            if !told {
                self.fault_of_site(fault, Severity::P3)?;
            }
        }
        Ok(())
    }
}

fn fault((change, Overdue { environment, item, due }): (ChangeId, Overdue)) -> Fault {
    Fault::Unconfirmed { change, environment, item, due }
}
