//! Mails about what belongs to no run: a lead, lines or what a program said, and what to do.

use std::fmt::Write as _;

use askama::Template;

use crate::render::mail::{MailText, header};
use crate::render::table::{PAGE, harmless, wrap};
use crate::render::webhook::Brief;
use crate::render::words::Starts;
use crate::types::Lang;

/// A mail that is not about one run.
#[derive(Template)]
#[template(path = "notice_mail.html")]
pub(super) struct Notice {
    pub(super) lang: Lang,
    /// Before the subject; `[P1] ` where somebody is to act at once.
    pub(super) mark: &'static str,
    pub(super) title: String,
    pub(super) lead: String,
    pub(super) lines: Vec<String>,
    /// Shown as it is.
    pub(super) said: String,
    pub(super) advice: Vec<String>,
    pub(super) site: String,
}

impl Notice {
    /// # Errors
    /// Only where the template itself fails to write, which its own text does not.
    pub(super) fn mail(&self) -> Result<MailText, askama::Error> {
        let mut text = format!("{}\n\n", self.title);
        for line in wrap(&self.lead, PAGE) {
            let _ = writeln!(text, "{line}");
        }
        let _ = writeln!(text);
        for line in self.lines.iter().flat_map(|line| wrap(line, PAGE - 2)) {
            let _ = writeln!(text, "  {line}");
        }
        for line in self.said.lines() {
            let _ = writeln!(text, "  {line}");
        }
        let _ = writeln!(text);
        for line in self.advice.iter().chain([&self.site]).flat_map(|line| wrap(line, PAGE)) {
            let _ = writeln!(text, "{line}");
        }
        let subject = header(&format!("{}{}", self.mark, self.title));
        let said = self.said.lines().map(str::to_owned);
        let brief = Brief {
            title: subject.clone(),
            lines: std::iter::once(self.lead.clone())
                .chain(self.lines.iter().cloned())
                .chain(said)
                .collect(),
            after: self.advice.clone(),
            ..Brief::default()
        };
        Ok(MailText { subject, text: harmless(&text), html: harmless(&self.render()?), brief })
    }
}

/// Bytes of defects that a mail shows.
const MOST: usize = 8_000;

/// Job files were changed, and cannot be used.
///
/// # Errors
/// Only where the template itself fails to write, which its own text does not.
pub fn refused_files(lang: Lang, site: &str, defects: &str) -> Result<MailText, askama::Error> {
    let mut end = defects.len().min(MOST);
    while !defects.is_char_boundary(end) {
        end -= 1;
    }
    let notice = Notice {
        lang,
        mark: "[P1] ",
        title: Starts::FilesSubject.say(lang),
        lead: Starts::FilesLead.say(lang),
        lines: Vec::new(),
        said: defects[..end].to_owned(),
        advice: vec![Starts::FilesAdvice.say(lang)],
        site: site.to_owned(),
    };
    notice.mail()
}
