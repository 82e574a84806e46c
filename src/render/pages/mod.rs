//! Pages for browsers. Each has a middle, which is redrawn in place while the night goes on, and the same frame around it.
//! Without scripts they show and do the same; what is on them by way of names, output and words of people is text.

pub mod act;
pub mod calendar;
pub mod change;
pub mod change_scripts;
pub mod change_step;
pub mod change_turns;
pub mod changes;
pub mod compare;
pub mod graph;
pub mod hand_over;
pub mod history;
pub mod job;
pub mod on_call;
pub mod sign_off;
pub mod tonight;
pub mod trouble;

use std::sync::LazyLock;

use askama::Template;

use super::gantt;
use super::table::harmless;
use super::words::{ChangePages, Incidents, Pages};
use crate::types::{Lang, RunId, Zone};

/// Which way around a page is: dark where nobody says otherwise, since it is looked at by night.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum Theme {
    #[default]
    Dark,
    Light,
}

impl Theme {
    pub fn word(self) -> &'static str {
        match self {
            Self::Dark => "dark",
            Self::Light => "light",
        }
    }

    pub fn of_word(word: &str) -> Option<Self> {
        [Self::Dark, Self::Light].into_iter().find(|theme| theme.word() == word)
    }

    pub fn other(self) -> Self {
        match self {
            Self::Dark => Self::Light,
            Self::Light => Self::Dark,
        }
    }
}

/// The sections of the pages.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Section {
    Tonight,
    OnCall,
    Changes,
    Calendar,
    History,
}

impl Section {
    const ALL: [Self; 5] =
        [Self::Tonight, Self::OnCall, Self::Changes, Self::Calendar, Self::History];

    /// From the folder that all pages lie in.
    fn place(self) -> &'static str {
        match self {
            Self::Tonight => "",
            Self::OnCall => "incidents",
            Self::Changes => "changes",
            Self::Calendar => "calendar",
            Self::History => "history",
        }
    }

    fn words(self, lang: Lang) -> String {
        match self {
            Self::Tonight => Pages::Tonight.say(lang),
            Self::OnCall => Pages::OnCall.say(lang),
            Self::Changes => ChangePages::Changes.say(lang),
            Self::Calendar => Pages::Calendar.say(lang),
            Self::History => Pages::Nights.say(lang),
        }
    }
}

/// The style sheet of all pages.
pub static STYLE: LazyLock<String> =
    LazyLock::new(|| [include_str!("../templates/pages/pages.css"), gantt::STYLE].concat());
/// What they do beyond plain HTML.
pub const SCRIPT: &str = include_str!("../templates/pages/pages.js");

/// Who looks, and how.
#[derive(Debug, Clone, Default)]
pub struct Looker {
    pub lang: Lang,
    pub theme: Theme,
    /// By name, where it is a person of the site.
    pub name: Option<String>,
    /// What a form must send back; `None`: this one can send none.
    pub token: Option<String>,
}

/// Files that the pages load, by the name that they have now: it changes with what is in them.
#[derive(Debug, Clone)]
pub struct AssetNames {
    pub style: String,
    pub script: String,
}

/// What is around the middle of a page.
#[derive(Debug)]
pub struct Frame<'a> {
    pub looker: &'a Looker,
    pub assets: &'a AssetNames,
    /// The way to the folder that all pages lie in: `./`, `../`.
    pub up: &'a str,
    /// The way from there to this page.
    pub place: &'a str,
    pub section: Option<Section>,
    pub site: &'a str,
    pub zone: Option<&'a Zone>,
    pub title: &'a str,
    /// The entity tag of the middle.
    pub tag: &'a str,
    /// Whether it is redrawn as things happen.
    pub live: bool,
}

#[derive(Template)]
#[template(path = "pages/frame.html")]
struct Framed<'a> {
    lang: Lang,
    frame: &'a Frame<'a>,
    zone: String,
    sections: Vec<(&'static str, String, bool)>,
    middle: &'a str,
}

impl Framed<'_> {
    fn say(&self, words: Pages<'_>) -> String {
        words.say(self.lang)
    }

    fn signed_in_as(&self) -> Option<String> {
        let who = self.frame.looker.name.as_deref()?;
        Some(Incidents::As { who }.say(self.lang))
    }

    fn theme_button(&self) -> String {
        let words = match self.frame.looker.theme {
            Theme::Dark => Pages::Light,
            Theme::Light => Pages::Dark,
        };
        words.say(self.lang)
    }

    fn other_lang(&self) -> &'static str {
        self.lang.other().tag()
    }
}

/// The whole page around a middle that was made by one of the modules here.
///
/// # Errors
/// Only where the template itself fails to write, which its own text does not.
pub fn framed(frame: &Frame<'_>, middle: &str) -> Result<String, askama::Error> {
    let lang = frame.looker.lang;
    let sections = Section::ALL
        .into_iter()
        .map(|section| (section.place(), section.words(lang), frame.section == Some(section)));
    let zone = frame.zone.map(|zone| zone.to_string()).unwrap_or_default();
    let page = Framed { lang, frame, zone, sections: sections.collect(), middle };
    Ok(harmless(&page.render()?))
}

/// Where the page of a run is, from the folder that all pages lie in.
pub fn of_run(run: &RunId) -> String {
    format!("runs/{}", run.to_string().replace('#', "%23"))
}

/// Where that of one of its jobs is.
pub fn of_job(run: &RunId, job: &str) -> String {
    format!("{}/jobs/{job}", of_run(run))
}

/// A text as a query of an address has it.
pub fn in_query(text: &str) -> String {
    let plain = |byte: u8| byte.is_ascii_alphanumeric() || b"-_.~/@".contains(&byte);
    text.bytes()
        .map(|byte| if plain(byte) { char::from(byte).to_string() } else { format!("%{byte:02X}") })
        .collect()
}

#[cfg(test)]
pub(super) mod tests;
