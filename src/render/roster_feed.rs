//! Shifts as an iCalendar file (RFC 5545), for calendar programs.
//!
//! Every time is in UTC and nothing repeats, so no reader has to know zones, rules of daylight saving or repetition.

use jiff::Timestamp;
use jiff::civil::Date;

use super::roster::{minute, named};
use super::words::OnDuty;
use crate::definition::site::Site;
use crate::types::{Lang, PersonId, Zone};
use crate::view::roster_feed::FeedEvent;

/// What the file is of.
#[derive(Debug, Clone, Copy)]
struct Feed<'a> {
    lang: Lang,
    zone: &'a Zone,
    /// What a calendar program calls it.
    title: &'a str,
    /// Of the site's mail: makes the ids of events the site's own.
    domain: &'a str,
    /// When the file was made, to the day, so that it is the same all day long: the date at the site, and its midnight.
    today: Date,
    stamp: Timestamp,
    /// Whether it is one person's, who need not be named in each event.
    of_one: bool,
}

/// The feed of a site, in the language of its person, or of the site: whoever made the calendar ask, its owner reads it.
pub fn of_site(
    site: &Site,
    (today, person): (Date, Option<&PersonId>),
    events: &[FeedEvent],
) -> String {
    let of = person.and_then(|id| site.people.get(id));
    let own = of.and_then(|person| person.language);
    let lang = own.unwrap_or(site.language);
    let title = match of {
        Some(person) => OnDuty::FeedOf { who: person.name.get(lang) }.say(lang),
        None => OnDuty::FeedOfAll.say(lang),
    };
    let domain = site.mail.from.rsplit('@').next().unwrap_or("nightrun").trim_end_matches('>');
    let stamp = today.to_zoned(site.zone.tz().clone());
    let feed = Feed {
        lang,
        zone: &site.zone,
        title: &super::words::pair(lang, site.title.get(lang), &title),
        domain,
        today,
        stamp: stamp.map_or(Timestamp::UNIX_EPOCH, |day| day.timestamp()),
        of_one: of.is_some(),
    };
    text(&feed, events)
}

/// The file. Lines end in CR LF and are folded at 75 bytes.
fn text(feed: &Feed<'_>, events: &[FeedEvent]) -> String {
    let mut out = String::new();
    let mut line = |text: &str| fold(text, &mut out);
    line("BEGIN:VCALENDAR");
    line("VERSION:2.0");
    line("PRODID:-//nightrun//roster//EN");
    line("CALSCALE:GREGORIAN");
    line(&format!("X-WR-CALNAME:{}", escaped(feed.title)));
    line("REFRESH-INTERVAL;VALUE=DURATION:PT1H");
    line("X-PUBLISHED-TTL:PT1H");
    for event in events {
        for text in of_event(feed, event) {
            line(&text);
        }
    }
    line("END:VCALENDAR");
    out
}

fn of_event(feed: &Feed<'_>, event: &FeedEvent) -> Vec<String> {
    let (shift, lang) = (&event.shift, feed.lang);
    let who = &event.whom.who;
    let title = shift.title.get(lang);
    let summary = match feed.of_one {
        true => title.to_owned(),
        false => super::words::pair(lang, title, who.name.get(lang)),
    };
    let on = &super::words::list(lang, shift.people.iter().map(|person| named(lang, person)));
    let (from, to) = (&minute(feed.zone, shift.from), &minute(feed.zone, shift.to));
    let about = OnDuty::Line { shift: title, from, to, who: on }.say(lang);
    vec![
        "BEGIN:VEVENT".to_owned(),
        format!("UID:{}.{}.{}@{}", shift.date, shift.shift, who.id, feed.domain),
        format!("DTSTAMP:{}", utc(feed.stamp)),
        format!("DTSTART:{}", utc(shift.from)),
        format!("DTEND:{}", utc(shift.to)),
        format!("SEQUENCE:{}", sequence(feed.today, event.changes)),
        format!("STATUS:{}", if event.cancelled { "CANCELLED" } else { "CONFIRMED" }),
        format!("SUMMARY:{}", escaped(&summary)),
        format!("DESCRIPTION:{}", escaped(&about)),
        format!("CATEGORIES:{}", shift.shift),
        format!("TRANSP:{}", if shift.on_call { "TRANSPARENT" } else { "OPAQUE" }),
        "END:VEVENT".to_owned(),
    ]
}

/// Which version of an event this is. What has changed it today comes after the day, so that it is higher tomorrow whatever is
/// taken back: a calendar program keeps what it has when the number falls. The day is the date's, as two midnights of a zone may be
/// less than a day of UTC apart.
fn sequence(today: Date, changes: u32) -> i64 {
    let day = today.duration_since(Date::constant(1970, 1, 1)).as_hours() / 24;
    day * 1_000 + i64::from(changes.min(999))
}

fn utc(at: Timestamp) -> String {
    at.strftime("%Y%m%dT%H%M%SZ").to_string()
}

/// A text as a value.
fn escaped(text: &str) -> String {
    let mut out = String::with_capacity(text.len());
    for c in text.chars() {
        match c {
            '\\' | ';' | ',' => out.extend(['\\', c]),
            '\n' => out.push_str("\\n"),
            c if c.is_control() => out.push(' '),
            c => out.push(c),
        }
    }
    out
}

/// Bytes of a line at the most, without its end.
const LONGEST: usize = 75;

/// A line, as lines of 75 bytes at the most that go on behind a blank; no character is cut.
fn fold(line: &str, out: &mut String) {
    let mut used = 0;
    for c in line.chars() {
        if used + c.len_utf8() > LONGEST {
            out.push_str("\r\n ");
            used = 1;
        }
        out.push(c);
        used += c.len_utf8();
    }
    out.push_str("\r\n");
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn lines_are_folded_at_75_bytes_between_characters() {
        for text in ["x".repeat(75), "x".repeat(76), "夜班".repeat(40), "ab班".repeat(60)] {
            let mut out = String::new();
            fold(&text, &mut out);
            assert!(out.ends_with("\r\n"), "{out}");
            let lines: Vec<&str> = out.trim_end_matches("\r\n").split("\r\n").collect();
            assert!(lines.iter().all(|line| line.len() <= LONGEST), "{out}");
            assert!(lines[1..].iter().all(|line| line.starts_with(' ')), "{out}");
            assert_eq!(lines.concat().replace(' ', ""), text);
            assert_eq!(lines.len() == 1, text.len() <= LONGEST);
        }
    }

    #[test]
    fn a_version_is_never_lower_on_a_later_day_and_fits_its_field() {
        let at = |date: &str| date.parse::<Date>().unwrap();
        let (today, tomorrow) = (at("2026-10-30"), at("2026-10-31"));
        assert!(sequence(today, 1) > sequence(today, 0));
        for (before, after) in [(0, 0), (3, 0), (u32::MAX, 0)] {
            assert!(sequence(tomorrow, after) > sequence(today, before), "{before} {after}");
        }
        assert!(sequence(at("2200-01-01"), 0) < i64::from(i32::MAX));
    }

    #[test]
    fn what_has_a_meaning_in_the_file_is_escaped() {
        assert_eq!(escaped("a, b; c\\d\ne\u{7}"), "a\\, b\\; c\\\\d\\ne ");
    }
}
