//! Starts of schedules that came late or not at all, in words; and the mail about those that did not come.

use jiff::Timestamp;

use crate::core::fact::{LateWhy, MissedWhy};
use crate::render::clock::{Clock, took};
use crate::render::mail::MailText;
use crate::render::notice::Notice;
use crate::render::words::{Starts, list};
use crate::types::{BatchId, Lang, Zone};
use crate::view::starts::{Late, Missed};

/// `1m 2s late: the store did not take what was decided`.
pub fn late(lang: Lang, late: &Late) -> String {
    let why = match late.why {
        LateWhy::NobodyServed => Starts::LateNobodyServed,
        LateWhy::Store => Starts::LateStore,
        LateWhy::Copy => Starts::LateCopy,
        LateWhy::Clock => Starts::LateClock,
        LateWhy::Work => Starts::LateWork,
    };
    Starts::Late { by: &took(lang, late.by.get()), why: &why.say(lang) }.say(lang)
}

/// `eod: the start of 2026-10-29 21:30 was not made: …`.
pub fn missed(lang: Lang, missed: &Missed) -> String {
    let clock = Clock::new(&missed.zone, missed.first);
    let (first, last) = (&clock.full(missed.first), &clock.full(missed.last));
    let (batch, why) = (missed.batch.as_str(), &missed_why(lang, &missed.why));
    match missed.count {
        1 => Starts::MissedOne { batch, at: first, why }.say(lang),
        count => Starts::MissedMany { batch, count, first, last, why }.say(lang),
    }
}

/// The next starts of the schedules, as of an instant.
pub fn next(lang: Lang, zone: &Zone, now: Timestamp, starts: &[(Timestamp, &BatchId)]) -> String {
    let clock = Clock::new(zone, now);
    let each = starts.iter().map(|(at, batch)| format!("{batch} {}", clock.minute(*at)));
    let starts = list(lang, each);
    let words = match starts.is_empty() {
        true => Starts::NoneAhead.say(lang),
        false => Starts::Next { starts: &starts }.say(lang),
    };
    words + "\n"
}

fn missed_why(lang: Lang, why: &MissedWhy) -> String {
    match why {
        MissedWhy::NotMadeUp => Starts::NotMadeUp.say(lang),
        MissedWhy::OnlyLatest => Starts::OnlyLatest.say(lang),
        MissedWhy::TooLate { limit } => Starts::TooLate { limit: &limit.to_string() }.say(lang),
        MissedWhy::ScheduleChanged => Starts::ScheduleChanged.say(lang),
        MissedWhy::OrderedBefore { run } => {
            Starts::OrderedBefore { run: &run.to_string() }.say(lang)
        }
        MissedWhy::Refused { what } => Starts::Refused { what }.say(lang),
        MissedWhy::Observed => Starts::Observed.say(lang),
        MissedWhy::StoreRestored => Starts::StoreRestored.say(lang),
    }
}

/// The mail to whoever is told of failures, about starts that were not made.
///
/// # Errors
/// Only where the template itself fails to write, which its own text does not.
pub fn mail(lang: Lang, site: &str, starts: &[Missed]) -> Result<MailText, askama::Error> {
    let batch = starts.first().map_or("", |first| first.batch.as_str());
    let count = starts.iter().map(|missed| missed.count).sum();
    let words = Starts::MailSubject { batch, starts: count }.say(lang);
    let mut batches: Vec<&str> = starts.iter().map(|missed| missed.batch.as_str()).collect();
    batches.dedup();
    let orders = batches.iter().map(|batch| {
        let command = format!("nightrun run {batch} --date YYYY-MM-DD");
        Starts::MailOrder { command: &command }.say(lang)
    });
    let notice = Notice {
        lang,
        mark: "[P1] ",
        title: words,
        lead: Starts::MailLead.say(lang),
        lines: starts.iter().map(|starts| missed(lang, starts)).collect(),
        said: String::new(),
        advice: orders.collect(),
        site: site.to_owned(),
    };
    notice.mail()
}
