//! Who is on shift, as lines: `nightrun roster who`.

use jiff::Timestamp;

use super::words::{OnDuty, aside, list, remarks};
use crate::types::{Lang, Zone};
use crate::view::roster::{Contact, InsteadOf, OnDutyPerson, RosterView, ShiftLine};

/// All times are of the site's zone.
pub fn text(lang: Lang, zone: &Zone, view: &RosterView) -> String {
    let time = &minute(zone, view.at);
    let mut lines = match view.on.is_empty() {
        true => vec![OnDuty::Nobody { time }.say(lang)],
        false => vec![OnDuty::At { time }.say(lang)],
    };
    lines.extend(view.on.iter().map(|on| shift(lang, zone, on)));
    for unknown in &view.unknown {
        let (shift, date) = (unknown.shift.as_str(), &unknown.date.to_string());
        lines.push(OnDuty::Unknown { shift, date }.say(lang));
    }
    lines.push(match view.next_change {
        None if !view.unknown.is_empty() => return lines.join("\n"),
        Some(at) if view.next.is_empty() => OnDuty::Next { time: &minute(zone, at) }.say(lang),
        Some(at) => OnDuty::Comes { time: &minute(zone, at) }.say(lang),
        None => OnDuty::NothingAhead.say(lang),
    });
    lines.extend(view.next.iter().map(|on| shift(lang, zone, on)));
    lines.join("\n")
}

pub(super) fn minute(zone: &Zone, at: Timestamp) -> String {
    at.to_zoned(zone.tz().clone()).strftime("%Y-%m-%d %H:%M %Z").to_string()
}

fn shift(lang: Lang, zone: &Zone, on: &ShiftLine) -> String {
    let title = on.title.get(lang).to_owned();
    let shift = &if on.on_call { aside(lang, &title, &OnDuty::OnCall.say(lang)) } else { title };
    let who = &list(lang, on.people.iter().map(|person| named(lang, person)));
    let (from, to) = (&minute(zone, on.from), &minute(zone, on.to));
    format!("  {}", OnDuty::Line { shift, from, to, who }.say(lang))
}

/// Who has a shift, and for whom.
pub(super) fn holder(lang: Lang, person: &OnDutyPerson) -> String {
    let name = person.contact.who.name.get(lang);
    match &person.instead {
        Some(why) => aside(lang, name, &instead(lang, why)),
        None => name.to_owned(),
    }
}

fn instead(lang: Lang, why: &InsteadOf) -> String {
    match why {
        InsteadOf::Deputy { of } => OnDuty::StandsIn { who: of.name.get(lang) }.say(lang),
        InsteadOf::Swap { of } => OnDuty::Swapped { who: of.name.get(lang) }.say(lang),
        InsteadOf::Override => OnDuty::Set.say(lang),
    }
}

/// A person with telephone number, for whom, and who stands in.
pub(super) fn named(lang: Lang, person: &OnDutyPerson) -> String {
    let mut about: Vec<String> = person.instead.iter().map(|why| instead(lang, why)).collect();
    if !person.deputies.is_empty() {
        let who = &list(lang, person.deputies.iter().map(|deputy| reached(lang, deputy)));
        about.push(OnDuty::Deputy { who }.say(lang));
    }
    let name = reached(lang, &person.contact);
    if about.is_empty() { name } else { aside(lang, &name, &remarks(lang, &about)) }
}

fn reached(lang: Lang, contact: &Contact) -> String {
    let name = contact.who.name.get(lang);
    match &contact.phone {
        Some(phone) => format!("{name} {phone}"),
        None => name.to_owned(),
    }
}

#[cfg(test)]
#[path = "roster_tests.rs"]
mod tests;
