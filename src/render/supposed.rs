//! What is supposed of a simulated night, in words.

use jiff::Timestamp;

use crate::render::clock::{Clock, civil, took};
use crate::render::rehearsal::names;
use crate::render::words::{Rehearsed, pair};
use crate::types::{Lang, Zone};
use crate::view::rehearsal::{Length, Supposed};

/// One line each beneath `What if:`; empty where nothing is supposed. `base`: the first start.
pub(super) fn lines(
    lang: Lang,
    supposed: &[Supposed],
    zone: &Zone,
    base: Option<Timestamp>,
) -> String {
    let mut out = String::new();
    let head = Rehearsed::WhatIf.say(lang);
    for one in supposed {
        out.push_str(&pair(lang, &head, &say(lang, one, zone, base)));
        out.push('\n');
    }
    out
}

fn say(lang: Lang, supposed: &Supposed, zone: &Zone, base: Option<Timestamp>) -> String {
    let between = |from: Timestamp, to: Timestamp| {
        let clock = Clock::new(zone, base.unwrap_or(from));
        (clock.minute(from), clock.minute(to))
    };
    match supposed {
        Supposed::HostDown { host, from, to } => {
            let (from, to) = &between(*from, *to);
            Rehearsed::HostDown { host: host.as_str(), from, to }.say(lang)
        }
        Supposed::Takes { jobs, takes: Length::Times(times) } => {
            let (jobs, times) = (&names(lang, jobs), &times.to_string());
            Rehearsed::TakesTimes { jobs, times }.say(lang)
        }
        Supposed::Takes { jobs, takes: Length::Span(span) } => {
            let (jobs, span) = (&names(lang, jobs), &took(lang, span.get()));
            Rehearsed::TakesSpan { jobs, span }.say(lang)
        }
        Supposed::Fails { jobs, attempts: None } => {
            Rehearsed::FailsAlways { jobs: &names(lang, jobs) }.say(lang)
        }
        Supposed::Fails { jobs, attempts: Some(tries) } => {
            Rehearsed::Fails { jobs: &names(lang, jobs), tries: *tries }.say(lang)
        }
        Supposed::Arrives { jobs, at } => {
            Rehearsed::Arrives { jobs: &names(lang, jobs), at: &civil(*at) }.say(lang)
        }
        Supposed::ConfirmAfter { after } => {
            Rehearsed::ConfirmAfter { after: &took(lang, after.get()) }.say(lang)
        }
        Supposed::NobodyConfirms => Rehearsed::NobodyConfirms.say(lang),
        Supposed::Frozen { from, to } => {
            let (from, to) = &between(*from, *to);
            Rehearsed::Frozen { from, to }.say(lang)
        }
    }
}
