//! Every word and sentence that people read, once, English and Chinese side by side. One table a subject; each table is
//! an enum whose variants carry their arguments, so the compiler refuses a missing language or argument.
//!
//! Clock times, durations and lists are given already written for the language (see [`super::clock`], [`list`]); names
//! are those of the files.

mod access;
mod acts;
mod audited;
mod bulletins;
mod change_pages;
mod changes;
mod checks;
mod counted;
mod drills;
mod events;
mod evident;
mod failure;
mod far;
mod hand_overs;
mod health;
mod hosts;
mod incidents;
mod inspections;
mod label;
mod lacks;
mod levels;
mod listed;
mod operations;
mod pages;
mod plan;
mod proven;
mod reason;
mod rehearsed;
mod reported;
mod restored;
mod roster;
mod stands;
mod starts;
mod verdict;
mod watched;

pub use access::Access;
pub use acts::Deed;
pub use audited::Audited;
pub use bulletins::Bulletins;
pub use change_pages::ChangePages;
pub use changes::{ChangeWord, PaperWord, Stepped};
pub use checks::Checks;
pub use counted::Counted;
pub use drills::Drills;
pub use events::Happened;
pub use evident::Evident;
pub use failure::Fault;
pub use far::Far;
pub use hand_overs::HandOvers;
pub use health::Health;
pub use hosts::Hosts;
pub use incidents::Incidents;
pub use inspections::Inspections;
pub use label::Label;
pub use lacks::Lacks;
pub use levels::Levels;
pub use listed::Listed;
pub use operations::Operations;
pub use pages::Pages;
pub use plan::Planned;
pub use proven::Proven;
pub use reason::Because;
pub use rehearsed::Rehearsed;
pub use reported::Reported;
pub use restored::Restored;
pub use roster::OnDuty;
pub use stands::Stands;
pub use starts::Starts;
pub use verdict::Verdict;
pub use watched::Watched;

use crate::types::{Condition, Lang, Outcome};

/// Declares one table of messages: `Name { argument: type }: English, Chinese;`
macro_rules! messages {
    (
        $(#[$doc:meta])* $enum:ident;
        $($(#[$vdoc:meta])* $name:ident $({ $($field:ident: $type:ty),* })?: $en:expr, $zh:expr;)*
    ) => {
        $(#[$doc])*
        #[derive(Debug, Clone, Copy, PartialEq, Eq)]
        pub enum $enum<'a> {
            $($(#[$vdoc])* $name $({ $($field: $type),* })?),*
        }

        impl $enum<'_> {
            pub fn say(self, lang: $crate::types::Lang) -> String {
                match (self, lang) {
                    $(
                        (Self::$name $({ $($field),* })?, $crate::types::Lang::En) => {
                            // A language may leave an argument out.
                            $($(let _ = $field;)*)?
                            String::from($en)
                        }
                        (Self::$name $({ $($field),* })?, $crate::types::Lang::Zh) => {
                            $($(let _ = $field;)*)?
                            String::from($zh)
                        }
                    )*
                }
            }

            /// Each message with made-up arguments, for the printed list.
            #[cfg(test)]
            pub(super) fn samples(number: u8) -> Vec<(&'static str, Self)> {
                vec![$((
                    stringify!($name),
                    Self::$name $({
                        $($field: $crate::render::words::tests::Sample::sample(stringify!($field), number)),*
                    })?,
                )),*]
            }
        }
    };
}
use messages;

/// Names in a row, as the language separates them.
pub fn list<T: std::fmt::Display>(lang: Lang, items: impl IntoIterator<Item = T>) -> String {
    let comma = match lang {
        Lang::En => ", ",
        Lang::Zh => "、",
    };
    let items: Vec<String> = items.into_iter().map(|item| item.to_string()).collect();
    items.join(comma)
}

/// Parts of one sentence, closed with a full stop.
pub fn sentence(lang: Lang, parts: &[String]) -> String {
    match lang {
        Lang::En => parts.join("; ") + ".",
        Lang::Zh => parts.join("，") + "。",
    }
}

/// Sentences one after the other.
pub fn paragraph(lang: Lang, sentences: &[String]) -> String {
    match lang {
        Lang::En => sentences.join(" "),
        Lang::Zh => sentences.concat(),
    }
}

/// `label: text`.
pub fn pair(lang: Lang, label: &str, text: &str) -> String {
    match lang {
        Lang::En => format!("{label}: {text}"),
        Lang::Zh => format!("{label}：{text}"),
    }
}

/// `text (aside)`.
pub fn aside(lang: Lang, text: &str, aside: &str) -> String {
    match lang {
        Lang::En => format!("{text} ({aside})"),
        Lang::Zh => format!("{text}（{aside}）"),
    }
}

/// Remarks in a row: `one; two`.
pub fn remarks(lang: Lang, remarks: &[String]) -> String {
    match lang {
        Lang::En => remarks.join("; "),
        Lang::Zh => remarks.join("；"),
    }
}

/// `1 job`, `3 jobs`.
fn jobs(n: u32) -> String {
    format!("{n} {}", if n == 1 { "job" } else { "jobs" })
}

fn en(outcome: Outcome) -> &'static str {
    Label::of_outcome(outcome).say(Lang::En)
}

fn zh(outcome: Outcome) -> &'static str {
    Label::of_outcome(outcome).say(Lang::Zh)
}

/// What a need asks of the job it names: "waits until it has …".
fn wish_en(when: Condition) -> &'static str {
    match when {
        Condition::Ok => "ended well",
        Condition::Ended => "ended",
        Condition::Failed => "failed",
    }
}

fn wish_zh(when: Condition) -> &'static str {
    match when {
        Condition::Ok => "成功",
        Condition::Ended => "结束",
        Condition::Failed => "失败",
    }
}

/// ` (text)`, or nothing where there is none.
fn aside_en(text: &str) -> String {
    if text.is_empty() { String::new() } else { format!(" ({text})") }
}

fn aside_zh(text: &str) -> String {
    if text.is_empty() { String::new() } else { format!("（{text}）") }
}

/// `: reason`, or nothing where none was given.
fn colon_en(reason: &str) -> String {
    if reason.is_empty() { String::new() } else { format!(": {reason}") }
}

fn colon_zh(reason: &str) -> String {
    if reason.is_empty() { String::new() } else { format!("：{reason}") }
}

#[cfg(test)]
mod tests;
