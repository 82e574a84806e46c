//! A mail made of sections with lines, and the same as text: hand-overs, bulletins.

use std::fmt::Write as _;

use askama::Template;

use super::mail::{MailText, header};
use super::table::{PAGE, harmless, one_line, wrap};
use super::webhook::Brief;
use super::words::{Label, pair};
use crate::types::Lang;

/// A heading with what stands beneath it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Section {
    pub(super) title: String,
    pub(super) lines: Vec<String>,
}

impl Section {
    pub(super) fn new(title: String, lines: impl IntoIterator<Item = String>) -> Self {
        Self { title, lines: lines.into_iter().collect() }
    }
}

#[derive(Template)]
#[template(path = "sectioned_mail.html")]
pub(super) struct Sectioned {
    pub(super) lang: Lang,
    /// Before the title in the subject, such as `[OK] `.
    pub(super) mark: &'static str,
    pub(super) good: bool,
    pub(super) title: String,
    /// Why it comes.
    pub(super) lead: String,
    pub(super) facts: Vec<String>,
    /// Those without lines are left out.
    pub(super) sections: Vec<Section>,
    pub(super) commands: Vec<(String, String)>,
    pub(super) site: String,
}

impl Sectioned {
    /// # Errors
    /// Only where the template itself fails to write, which its own text does not.
    pub(super) fn mail(&self) -> Result<MailText, askama::Error> {
        let mut text = String::new();
        push(&mut text, 0, &self.lead);
        self.facts.iter().for_each(|fact| push(&mut text, 0, fact));
        text.push_str(&sections(&self.sections));
        if !self.commands.is_empty() {
            let _ = writeln!(text, "\n{}", self.you_can());
        }
        for (what, command) in &self.commands {
            let _ = writeln!(text, "  {}", pair(self.lang, what, "").trim_end());
            let _ = writeln!(text, "      {command}");
        }
        let _ = writeln!(text, "\n{}", self.site);
        let subject = header(&format!("{}{}", self.mark, self.title));
        let brief = self.brief(&subject);
        Ok(MailText { subject, text: harmless(&text), html: harmless(&self.render()?), brief })
    }

    fn brief(&self, subject: &str) -> Brief {
        let sections = self.shown().flat_map(|section| {
            std::iter::once(section.title.clone()).chain(section.lines.iter().cloned())
        });
        let lead = std::iter::once(&self.lead).chain(&self.facts).cloned();
        let commands = self.commands.iter().map(|(what, command)| pair(self.lang, what, command));
        Brief {
            title: subject.to_owned(),
            lines: lead.chain(sections).collect(),
            after: commands.collect(),
            ..Brief::default()
        }
    }

    fn shown(&self) -> impl Iterator<Item = &Section> {
        self.sections.iter().filter(|section| !section.lines.is_empty())
    }

    fn you_can(&self) -> &'static str {
        Label::YouCan.say(self.lang)
    }
}

/// Each with an empty line before it.
pub(super) fn sections(all: &[Section]) -> String {
    let mut text = String::new();
    for section in all.iter().filter(|section| !section.lines.is_empty()) {
        let _ = writeln!(text, "\n{}", section.title);
        section.lines.iter().for_each(|line| push(&mut text, 2, line));
    }
    text
}

pub(super) fn push(text: &mut String, indent: usize, said: &str) {
    for line in said.lines().flat_map(|line| wrap(&one_line(line), PAGE - indent)) {
        let _ = writeln!(text, "{:indent$}{line}", "");
    }
}
