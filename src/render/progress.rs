//! The lines of the live display: how the run stands, and what runs now.

use std::time::Duration;

use jiff::Timestamp;

use crate::render::clock::{Clock, took};
use crate::render::phrase;
use crate::render::table::{one_line, pad};
use crate::types::Lang;
use crate::view::job::JobLine;
use crate::view::run::RunHead;
use crate::view::status::StatusView;

/// One line: the verdict so far, with the expected end.
pub fn standing(lang: Lang, view: &StatusView) -> String {
    phrase::verdict(lang, &view.head, &view.totals)
}

/// A job between two tries: when the next one starts.
pub fn between_tries(lang: Lang, head: &RunHead, job: &JobLine, width: usize) -> String {
    let clock = Clock::of_run(head);
    format!(
        "  ~ {}  {}",
        pad(job.name.as_str(), width, false),
        phrase::standing_of(lang, &clock, head, job)
    )
}

/// One running job: its name (in a field of `width` columns), how long it runs of what is expected, what it said last.
pub fn running(lang: Lang, job: &JobLine, now: Timestamp, said: &str, width: usize) -> String {
    let since = job.attempts.last().and_then(|attempt| attempt.started).unwrap_or(now);
    let gone = Duration::try_from(now.duration_since(since)).unwrap_or_default();
    let mut times = whole(lang, gone);
    if let Some(expected) = job.expected {
        times.push_str(&format!(" / {}", whole(lang, expected.get())));
    }
    let name = pad(job.name.as_str(), width, false);
    format!("  > {name}  {}  {}", pad(&times, TIMES, true), one_line(&plain(said)).trim())
}

/// Columns of `12m 05s / 10m`, as long as times mostly are.
const TIMES: usize = 11;

/// Without tenths, which only flicker.
fn whole(lang: Lang, length: Duration) -> String {
    let seconds = length.as_secs();
    match (lang, seconds) {
        (Lang::En, 0..10) => format!("{seconds}s"),
        (Lang::Zh, 0..10) => format!("{seconds}秒"),
        _ => took(lang, Duration::from_secs(seconds)),
    }
}

/// What a job printed, without the sequences by which it colours and moves: ESC [ … letter, ESC ] … BEL, ESC letter.
fn plain(said: &str) -> String {
    let mut kept = String::new();
    let mut chars = said.chars().peekable();
    while let Some(c) = chars.next() {
        if c != '\u{1b}' {
            kept.push(c);
            continue;
        }
        match chars.next() {
            Some('[') => {
                for c in chars.by_ref() {
                    if ('@'..='~').contains(&c) {
                        break;
                    }
                }
            }
            Some(']') => {
                while let Some(c) = chars.next() {
                    if c == '\u{7}' || (c == '\u{1b}' && chars.next_if_eq(&'\\').is_some()) {
                        break;
                    }
                }
            }
            _ => {}
        }
    }
    kept
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_a_job_printed_is_shown_without_its_colours() {
        assert_eq!(
            plain("\u{1b}[1;31mred\u{1b}[0m \u{1b}]0;title\u{7}and\u{1b}(more 载入"),
            "red andmore 载入"
        );
        assert_eq!(plain("\u{1b}[31"), "");
    }

    #[test]
    fn times_have_no_tenths() {
        assert_eq!(whole(Lang::En, Duration::from_millis(1_900)), "1s");
        assert_eq!(whole(Lang::Zh, Duration::from_millis(125_900)), "2分05秒");
    }
}
