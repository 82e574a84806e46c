//! Who is on shift, as lines: `nightrun roster who`.

use jiff::Timestamp;

use super::words::{OnDuty, aside, list};
use crate::types::{Lang, Zone};
use crate::view::roster::RosterView;

/// All times are of the site's zone.
pub fn text(lang: Lang, zone: &Zone, view: &RosterView) -> String {
    let minute =
        |at: Timestamp| at.to_zoned(zone.tz().clone()).strftime("%Y-%m-%d %H:%M %Z").to_string();
    let time = &minute(view.at);
    let mut lines = match view.on.is_empty() {
        true => vec![OnDuty::Nobody { time }.say(lang)],
        false => vec![OnDuty::At { time }.say(lang)],
    };
    for on in &view.on {
        let title = on.title.get(lang).to_owned();
        let shift =
            &if on.on_call { aside(lang, &title, &OnDuty::OnCall.say(lang)) } else { title };
        let who = &list(lang, on.people.iter().map(|who| who.name.get(lang)));
        let (from, to) = (&minute(on.from), &minute(on.to));
        lines.push(format!("  {}", OnDuty::Line { shift, from, to, who }.say(lang)));
    }
    lines.push(match view.next_change {
        Some(at) => OnDuty::Next { time: &minute(at) }.say(lang),
        None => OnDuty::NothingAhead.say(lang),
    });
    lines.join("\n")
}
