//! The lines of the live display: how the run stands, and what runs now.

use jiff::Timestamp;

use crate::render::clock::took;
use crate::render::phrase;
use crate::types::Lang;
use crate::view::job::JobLine;
use crate::view::status::StatusView;

/// One line: the verdict so far, with the expected end.
pub fn standing(lang: Lang, view: &StatusView) -> String {
    phrase::verdict(lang, &view.head, &view.totals)
}

/// One running job: its name, how long it runs of what is expected, what it said last.
pub fn running(lang: Lang, job: &JobLine, now: Timestamp, said: &str) -> String {
    let since = job.attempts.last().and_then(|attempt| attempt.started).unwrap_or(now);
    let gone = std::time::Duration::try_from(now.duration_since(since)).unwrap_or_default();
    let gone = took(lang, std::time::Duration::from_secs(gone.as_secs()));
    let of = job.expected.map(|span| format!(" / {}", took(lang, span.get()))).unwrap_or_default();
    let said: String = said.chars().filter(|c| !c.is_control()).collect();
    format!("  > {}  {gone}{of}  {said}", job.name)
}
