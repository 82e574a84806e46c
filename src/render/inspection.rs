//! Inspections: what was found.

use crate::render::words::{Inspections, aside};
use crate::types::{CheckVerdict, Lang};
use crate::wire::Checked;

/// `disk: fail, 96.1 % (12 MiB free)`.
pub fn finding(lang: Lang, check: &Checked) -> String {
    let (name, verdict) = (check.name.as_str(), verdict(lang, check.verdict));
    let value = check.measured();
    let words = Inspections::Finding { name, verdict: &verdict, value: &value }.say(lang);
    if check.words.is_empty() { words } else { aside(lang, &words, &check.words) }
}

/// How a check came out, in one word.
pub fn verdict(lang: Lang, verdict: CheckVerdict) -> String {
    match verdict {
        CheckVerdict::Ok => Inspections::Ok,
        CheckVerdict::Warn => Inspections::Warn,
        CheckVerdict::Fail => Inspections::Fail,
    }
    .say(lang)
}
