//! The lists of the sign-off meetings (D15): each with its changes, who has signed, what each lacks, and what dropped out.

use askama::Template;

use crate::render::change;
use crate::render::clock::Clock;
use crate::render::report_html::Tone;
use crate::render::signoff::{reasons, signature_row, title as title_of, weekly};
use crate::render::table::harmless;
use crate::render::why::lacks;
use crate::render::words::{ChangePages, ChangeWord, Listed, pair};
use crate::types::Lang;
use crate::view::signoff::{SignOffLine, SignOffList, SignOffPage};

#[derive(Template)]
#[template(path = "pages/sign_off.html")]
struct Page {
    lang: Lang,
    up: String,
    rules: String,
    as_of: String,
    weekly: Vec<String>,
    lists: Vec<List>,
}

struct List {
    key: String,
    title: String,
    weekly: Vec<String>,
    changes: Vec<Entry>,
    /// Change; its title with why.
    dropped: Vec<(String, String)>,
}

struct Entry {
    id: String,
    title: String,
    tone: Tone,
    stage: String,
    after_due: bool,
    signatures: Vec<[String; 3]>,
    lacks: Vec<String>,
}

impl Page {
    fn say(&self, words: ChangePages<'_>) -> String {
        words.say(self.lang)
    }

    fn of_list(&self, words: Listed<'_>) -> String {
        words.say(self.lang)
    }

    fn of_change(&self, words: ChangeWord<'_>) -> String {
        words.say(self.lang)
    }
}

/// The middle of the page. It lies one folder below the one that all pages lie in.
///
/// # Errors
/// Only where the template itself fails to write, which its own text does not.
pub fn middle(
    (lang, up): (Lang, &str),
    clock: &Clock<'_>,
    page: &SignOffPage,
) -> Result<String, askama::Error> {
    let zone = &page.zone;
    let entry = |line: &SignOffLine| Entry {
        id: line.line.id.to_string(),
        title: line.line.title.get(lang).to_owned(),
        tone: Tone::of_stage(line.line.stage),
        stage: change::stage(lang, line.line.stage),
        after_due: line.after_due,
        signatures: line
            .signatures
            .iter()
            .map(|of| signature_row((lang, zone), of, &ChangePages::NobodyYet.say(lang)))
            .collect(),
        lacks: line
            .place
            .lacks
            .iter()
            .map(|of| lacks(lang, clock, of, &|_| String::new()))
            .collect(),
    };
    let list = |of: &SignOffList| List {
        key: of.environment.clone(),
        title: title_of(lang, of),
        weekly: of.weekly.iter().map(|line| weekly(lang, zone, line)).collect(),
        changes: of.changes.iter().map(entry).collect(),
        dropped: of
            .dropped
            .iter()
            .map(|line| {
                let why = pair(lang, line.title.get(lang), &reasons(lang, line));
                (line.change.to_string(), why)
            })
            .collect(),
    };
    let shown = Page {
        lang,
        up: up.to_owned(),
        rules: page.title.get(lang).to_owned(),
        as_of: Listed::AsOf { at: &change::minute(zone, page.now) }.say(lang),
        weekly: page.weekly.iter().map(|line| weekly(lang, zone, line)).collect(),
        lists: page.lists.iter().map(list).collect(),
    };
    Ok(harmless(&shown.render()?))
}
