//! Shifts as events of a calendar: one for each person and shift.

use jiff::civil::Date;

use super::roster::{Contact, ShiftLine, line};
use crate::core::calendar::Calendars;
use crate::core::roster::{OnShift, Roster};
use crate::definition::site::Site;
use crate::types::PersonId;

/// Somebody's shift.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct FeedEvent {
    pub whom: Contact,
    pub shift: ShiftLine,
    /// Entries of the roster that had a say after the plan: leave, swaps, an override.
    pub changes: u32,
    /// Planned, and somebody else's now.
    pub cancelled: bool,
}

/// Dates of a feed: what was, for a month, and half a year ahead.
pub fn span(today: Date) -> (Date, Date) {
    let days = |days: i64| today.saturating_add(jiff::ToSpan::days(days));
    (days(-31), days(183))
}

/// The shifts that begin on these dates, the last one included: of one person, or of all. What a calendar of the site does
/// not reach is left out.
pub fn of(site: &Site, (from, to): (Date, Date), person: Option<&PersonId>) -> Vec<FeedEvent> {
    let calendars = Calendars::new(&site.calendars);
    let roster = Roster::new(site, &calendars);
    let mut events = Vec::new();
    for date in super::roster_sheet::dates(from, to) {
        for (name, shift) in &site.duty.shifts {
            let Ok(staff) = roster.staff(name, date) else { continue };
            if staff.holders.is_empty() && staff.left.is_empty() {
                continue;
            }
            let Ok((begin, end)) = roster.hours((name, shift), date) else { continue };
            let (changes, left) = (staff.changes, staff.left.clone());
            let on = OnShift::of(staff, (name, date), (begin, end));
            let there = on.people.iter().map(|who| (who.clone(), false));
            let there: Vec<(PersonId, bool)> =
                there.chain(left.into_iter().map(|who| (who, true))).collect();
            let shift = line(site, &roster, on);
            for (who, cancelled) in there {
                if person.is_none_or(|person| *person == who) {
                    let whom = Contact::of(site, &who);
                    events.push(FeedEvent { whom, shift: shift.clone(), changes, cancelled });
                }
            }
        }
    }
    events.sort_by(|a, b| {
        let key = |event: &FeedEvent| (event.shift.from, event.shift.to);
        key(a).cmp(&key(b)).then_with(|| a.whom.who.id.cmp(&b.whom.who.id))
    });
    events
}
