//! What stands in the way of a page: a sign-in that is missing or was refused, a rule, or that there is no such thing.

use askama::Template;

use crate::render::table::harmless;
use crate::render::words::Incidents;
use crate::types::Lang;

#[derive(Debug, Clone, Copy)]
pub struct Trouble<'a> {
    /// The way back to the folder that all pages lie in, such as `../`.
    pub up: &'a str,
    /// The page that was asked for, from that folder.
    pub place: &'a str,
    /// What was not done and why, as the API says it.
    pub detail: Option<&'a str>,
    /// Whether a sign-in helps.
    pub sign_in: bool,
}

#[derive(Template)]
#[template(path = "pages/trouble.html")]
struct Page<'a> {
    lang: Lang,
    title: String,
    trouble: Trouble<'a>,
}

impl Page<'_> {
    fn say(&self, words: Incidents<'_>) -> String {
        words.say(self.lang)
    }
}

pub fn title(lang: Lang, trouble: &Trouble<'_>) -> String {
    match trouble.sign_in {
        true => Incidents::SignIn.say(lang),
        false => Incidents::NotDone.say(lang),
    }
}

/// The middle of the page.
///
/// # Errors
/// Only where the template itself fails to write, which its own text does not.
pub fn middle(lang: Lang, trouble: Trouble<'_>) -> Result<String, askama::Error> {
    let title = title(lang, &trouble);
    Ok(harmless(&Page { lang, title, trouble }.render()?))
}
