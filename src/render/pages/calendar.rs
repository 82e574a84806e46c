//! A month as a calendar: each day with what starts, when windows are open, what is frozen, who is on shift.

use askama::Template;
use jiff::ToSpan;
use jiff::civil::Date;

use crate::render::clock::Clock;
use crate::render::phrase;
use crate::render::table::harmless;
use crate::render::words::Pages;
use crate::types::{Lang, Zone};
use crate::view::month::{DayView, MonthView};

#[derive(Template)]
#[template(path = "pages/calendar.html")]
struct Page {
    lang: Lang,
    title: String,
    before: String,
    after: String,
    weekdays: Vec<String>,
    /// Days of the first week that belong to the month before.
    blank: usize,
    days: Vec<Day>,
}

impl Page {
    fn say(&self, words: Pages<'_>) -> String {
        words.say(self.lang)
    }
}

struct Day {
    number: i8,
    date: String,
    today: bool,
    off: bool,
    starts: Vec<(String, String)>,
    windows: Vec<String>,
    freezes: Vec<String>,
    shifts: Vec<String>,
}

pub fn title(lang: Lang, first: Date) -> String {
    match lang {
        Lang::En => first.strftime("%B %Y").to_string(),
        Lang::Zh => format!("{}年{}月", first.year(), first.month()),
    }
}

/// The middle of the page.
///
/// # Errors
/// Only where the template itself fails to write, which its own text does not.
pub fn middle(
    lang: Lang,
    (zone, today): (&Zone, Date),
    month: &MonthView,
) -> Result<String, askama::Error> {
    let named = |date: Date| date.strftime("%Y-%m").to_string();
    // Of any week: it begins on Monday.
    let monday = jiff::civil::date(2026, 6, 1);
    let weekday = |n: i64| crate::render::clock::weekday(lang, monday.saturating_add(n.days()));
    let page = Page {
        lang,
        title: title(lang, month.first),
        before: named(month.first.saturating_sub(1.month())),
        after: named(month.first.saturating_add(1.month())),
        weekdays: (0..7).map(weekday).collect(),
        blank: usize::from(month.first.weekday().to_monday_zero_offset().unsigned_abs()),
        days: month.days.iter().map(|day| day_of(lang, (zone, today), day)).collect(),
    };
    Ok(harmless(&page.render()?))
}

fn day_of(lang: Lang, (zone, today): (&Zone, Date), day: &DayView) -> Day {
    let base = zone.tz().to_timestamp(day.date.to_datetime(jiff::civil::Time::MIN));
    let clock = Clock::new(zone, base.unwrap_or_default());
    let window = |line: &crate::view::month::WindowLine| {
        let title = line.title.get(lang);
        let title = if title.is_empty() { line.class.as_str() } else { title };
        format!("{}–{} {title}", clock.minute(line.from), end_of(zone, line.to))
    };
    Day {
        number: day.date.day(),
        date: crate::render::clock::day(lang, day.date),
        today: day.date == today,
        off: day.business == Some(false),
        starts: day
            .starts
            .iter()
            .map(|start| (clock.minute(start.at), start.title.get(lang).to_owned()))
            .collect(),
        windows: day.windows.iter().map(window).collect(),
        freezes: day
            .freezes
            .iter()
            .map(|reason| Pages::FrozenFor { reason: reason.get(lang) }.say(lang))
            .collect(),
        shifts: day
            .shifts
            .iter()
            .map(|(title, people)| {
                crate::render::words::pair(lang, title.get(lang), &phrase::people(lang, people))
            })
            .collect(),
    }
}

/// Midnight at the end of a day is 24:00.
fn end_of(zone: &Zone, at: jiff::Timestamp) -> String {
    let time = zone.tz().to_datetime(at).time();
    match time == jiff::civil::Time::MIN {
        true => "24:00".to_owned(),
        false => crate::render::clock::civil(time),
    }
}
