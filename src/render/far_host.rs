//! What `nightrun host check` prints of one host: lines as those of `nightrun doctor`.

use super::hosts::clock_off;
use super::table::pad;
use super::words::{Far, Label};
use crate::types::{HostName, Lang};
use crate::view::far_host::{Said, Seen};
use crate::view::health::Grade;

/// Columns of the grade, and of the part.
const GRADE: usize = 6;
const PART: usize = 10;

/// A heading, and a line for each finding.
pub fn page(lang: Lang, host: &HostName, seen: &[Seen], said: &[Said]) -> String {
    let line = |grade: Grade, part: &str, text: &str| {
        let grade = pad(Label::of_grade(grade).say(lang), GRADE, false);
        format!("  {grade}{}{text}\n", pad(part, PART, false))
    };
    let seen = seen.iter().map(|seen| line(seen.grade(), &part(lang, seen), &words(lang, seen)));
    let said = said.iter().map(|said| line(said.grade, &said.part, &said.text));
    format!("{host}\n{}", seen.chain(said).collect::<String>())
}

fn part(lang: Lang, seen: &Seen) -> String {
    match seen {
        Seen::Reached { .. } | Seen::NotReached { .. } => Far::PartLink,
        Seen::SameProgram { .. } | Seen::OtherProgram { .. } => Far::PartProgram,
        Seen::Clock(_) => Far::PartClock,
        Seen::UserThere { .. } | Seen::NoUser { .. } => Far::PartUsers,
    }
    .say(lang)
    .to_string()
}

/// One finding.
pub fn words(lang: Lang, seen: &Seen) -> String {
    match seen {
        Seen::Reached { account, took_ms, .. } => {
            let took = format!("{:.2} s", *took_ms as f64 / 1_000.0);
            Far::Reached { account, took: &took }.say(lang)
        }
        Seen::NotReached { why, .. } => Far::NotReached { why }.say(lang),
        Seen::SameProgram { release } => Far::Same { release }.say(lang),
        Seen::OtherProgram { host, release, own } => {
            Far::Other { host: host.as_str(), release, own }.say(lang)
        }
        Seen::Clock(off) => clock_off(lang, *off),
        Seen::UserThere { user } => Far::User { user }.say(lang),
        Seen::NoUser { user, why } => Far::NoUser { user, why }.say(lang),
    }
    .to_string()
}
