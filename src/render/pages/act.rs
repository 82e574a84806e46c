//! Before something is pressed: what would come of it, and why it is done.

use askama::Template;
use jiff::Timestamp;

use crate::core::select::Deed;
use crate::render::clock::Clock;
use crate::render::event;
use crate::render::table::harmless;
use crate::render::words::Pages;
use crate::types::{JobName, Lang};
use crate::view::event::Event;
use crate::view::tried::{NewEnd, Tried};

/// The deeds that a page of a job offers, by the word that their address has.
const OFFERED: [(&str, Deed, Pages<'static>); 8] = [
    ("confirm", Deed::Confirm, Pages::Confirm),
    ("release", Deed::Release, Pages::Release),
    ("retry", Deed::Retry, Pages::Retry),
    ("kill", Deed::Kill, Pages::Kill),
    ("hold", Deed::Hold, Pages::Hold),
    ("skip", Deed::Skip, Pages::SkipIt),
    ("force", Deed::Force, Pages::Force),
    ("rerun", Deed::Rerun, Pages::Rerun),
];

pub fn deed_of(word: &str) -> Option<Deed> {
    OFFERED.into_iter().find(|(known, ..)| *known == word).map(|(_, deed, _)| deed)
}

pub fn word_of(deed: &Deed) -> Option<&'static str> {
    OFFERED.into_iter().find(|(_, known, _)| known == deed).map(|(word, ..)| word)
}

pub(super) fn deed_words(lang: Lang, deed: &Deed) -> Option<String> {
    let found = OFFERED.into_iter().find(|(_, known, _)| known == deed);
    found.map(|(.., words)| words.say(lang))
}

#[derive(Template)]
#[template(path = "pages/act.html")]
struct Page {
    lang: Lang,
    heading: String,
    button: String,
    job: String,
    word: &'static str,
    lines: Vec<String>,
    refused: Vec<String>,
    token: String,
}

impl Page {
    fn say(&self, words: Pages<'_>) -> String {
        words.say(self.lang)
    }
}

pub fn title(lang: Lang, job: &JobName, deed: &Deed) -> String {
    let deed = deed_words(lang, deed).unwrap_or_default();
    Pages::DoIt { deed: &deed, job: job.as_str() }.say(lang)
}

/// The middle of the page.
///
/// # Errors
/// Only where the template itself fails to write, which its own text does not.
pub fn middle(
    lang: Lang,
    (job, deed): (&JobName, &Deed),
    tried: &Tried,
    token: &str,
) -> Result<String, askama::Error> {
    let page = Page {
        lang,
        heading: title(lang, job, deed),
        button: deed_words(lang, deed).unwrap_or_default(),
        job: job.to_string(),
        word: word_of(deed).unwrap_or_default(),
        lines: lines(lang, tried),
        refused: tried
            .left
            .iter()
            .map(|left| Pages::NotAllowed { what: &left.what }.say(lang))
            .collect(),
        token: token.to_owned(),
    };
    Ok(harmless(&page.render()?))
}

fn lines(lang: Lang, tried: &Tried) -> Vec<String> {
    // That it is done is what the page is about.
    let others = tried.events.iter().filter(|(_, line)| !matches!(line.what, Event::Acted { .. }));
    let events = others.map(|(head, line)| {
        let line = event::line(lang, head, line);
        // Without the time: nothing of it has happened.
        line.split_once(' ').map_or_else(String::new, |(_, what)| what.to_owned())
    });
    let entries = tried.site_wide.iter().map(|kind| Pages::SitesEntry { kind }.say(lang));
    let starts =
        tried.starts.iter().map(|(_, job)| Pages::StartsAtOnce { job: job.as_str() }.say(lang));
    let ends = tried.ends.iter().map(|end| end_of(lang, end));
    events.chain(entries).chain(starts).chain(ends).collect()
}

fn end_of(lang: Lang, end: &NewEnd) -> String {
    let clock = Clock::of_run(&end.head);
    let run = &end.head.run.to_string();
    let at = |at: Option<Timestamp>| at.map(|at| clock.at(at));
    match (at(end.now), at(end.then)) {
        (Some(now), Some(then)) if now == then => Pages::EndsAsNow { run, at: &now }.say(lang),
        (Some(now), Some(then)) => Pages::EndsThen { run, then: &then, now: &now }.say(lang),
        (None, Some(then)) => Pages::EndsWell { run, then: &then }.say(lang),
        (_, None) => Pages::EndsBadly { run }.say(lang),
    }
}
