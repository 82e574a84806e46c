//! The proof of a change as one self-contained HTML page: no scripts, nothing loaded from anywhere, for screen, phone and
//! paper.

use askama::Template;

use super::change_proof::{Facts, Sheet, sheet};
use super::report_html::Tone;
use super::table::harmless;
use super::words::{ChangeWord, Proven};
use crate::types::{Lang, Zone};
use crate::view::change_proof::ChangeProof;

#[derive(Template)]
#[template(path = "proof.html")]
struct Page {
    lang: Lang,
    id: String,
    title: String,
    site: String,
    tone: Tone,
    sheet: Sheet,
}

impl Page {
    fn word(&self, word: Proven<'_>) -> String {
        word.say(self.lang)
    }

    fn life(&self) -> String {
        ChangeWord::Life.say(self.lang)
    }

    /// Before the change a check must fail, so there it is no fault.
    fn passed(&self, ok: &Option<bool>, before: bool) -> (&'static str, String) {
        match ok {
            None => ("idle", "–".to_owned()),
            Some(true) => ("ok", Proven::Passed.say(self.lang)),
            Some(false) if before => ("idle", Proven::NotPassed.say(self.lang)),
            Some(false) => ("bad", Proven::NotPassed.say(self.lang)),
        }
    }

    /// A digest has no place to break but after any of its digits.
    fn facts(&self, facts: &Facts) -> Vec<(String, String, bool)> {
        let row = |(label, value): &(String, String)| {
            let digest = value.len() >= 40 && value.bytes().all(|b| b.is_ascii_hexdigit());
            (label.clone(), value.clone(), digest)
        };
        facts.iter().map(row).collect()
    }
}

/// The whole page.
///
/// # Errors
/// Only where the template itself fails to write, which its own text does not.
pub fn page(lang: Lang, zone: &Zone, proof: &ChangeProof) -> Result<String, askama::Error> {
    let sheet = sheet(lang, zone, proof);
    let tone = match (proof.whole, sheet.drifted) {
        (true, _) => Tone::WELL,
        (false, true) => Tone::BAD,
        (false, false) => Tone::WARN,
    };
    Page {
        lang,
        id: proof.line.id.to_string(),
        title: proof.line.title.get(lang).to_owned(),
        site: proof.site.get(lang).to_owned(),
        tone,
        sheet,
    }
    .render()
    .map(|page| harmless(&page))
}
