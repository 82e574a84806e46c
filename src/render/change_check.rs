//! Whether targets still hold what was done there, and the list of an export.

use std::collections::BTreeMap;
use std::path::Path;

use super::change_proof::drift_words;
use super::csv::row;
use super::table::Table;
use super::words::{ChangeWord, Checks, list};
use crate::core::change::WindowDecision;
use crate::types::{ChangeId, Lang};
use crate::view::change_proof::{ChangeProof, Said};
use crate::view::change_stats::Execution;
use crate::view::drift::Checked;

/// One line for each change and place.
pub fn text(lang: Lang, lines: &[Checked]) -> String {
    if lines.is_empty() {
        return Checks::Nothing.say(lang) + "\n";
    }
    let heads = [
        ChangeWord::Change.say(lang),
        Checks::Environment.say(lang),
        ChangeWord::Target.say(lang),
        Checks::Found.say(lang),
    ];
    let heads: Vec<&str> = heads.iter().map(String::as_str).collect();
    let mut table = Table::new(&heads, &[], 0);
    for line in lines {
        let mut found: Vec<String> =
            line.drift.iter().map(|drift| drift_words(lang, drift)).collect();
        let found = match &line.said {
            Said::Unreachable { why } => Checks::Unread { why }.say(lang),
            _ if found.is_empty() => Checks::Same.say(lang),
            _ => {
                found.dedup();
                Checks::Drift { what: &list(lang, &found) }.say(lang)
            }
        };
        table.row(vec![
            line.change.to_string(),
            line.environment.clone(),
            line.target.as_ref().map_or("-".to_owned(), ToString::to_string),
            found,
        ]);
    }
    let mut text = String::new();
    table.write(&mut text);
    let drifted = lines.iter().filter(|line| !line.drift.is_empty()).count();
    let count = |number: usize| u32::try_from(number).unwrap_or(u32::MAX);
    let unread = lines.iter().filter(|line| matches!(line.said, Said::Unreachable { .. }));
    let (checked, drifted, unread) = (count(lines.len()), count(drifted), count(unread.count()));
    text.push_str(&format!("\n{}\n", Checks::Sum { checked, drifted, unread }.say(lang)));
    text
}

/// What was written where.
pub fn exported(
    lang: Lang,
    folder: &Path,
    (changes, executions, not_whole): (usize, usize, &[&ChangeId]),
) -> String {
    let count = |number: usize| u32::try_from(number).unwrap_or(u32::MAX);
    let folder = &folder.display().to_string();
    let (changes, executions) = (count(changes), count(executions));
    let mut text = Checks::Exported { folder, changes, executions }.say(lang);
    if !not_whole.is_empty() {
        let names = &list(lang, not_whole);
        text.push_str(&format!("\n{}", Checks::NotWhole { names }.say(lang)));
    }
    text
}

/// RFC 4180: each execution, in the order of its end.
pub fn csv(executions: &[Execution], proofs: &[ChangeProof]) -> String {
    let mut text = row(&[
        "change",
        "title",
        "class",
        "kind",
        "team",
        "author_teams",
        "requester",
        "ticket",
        "governance",
        "environment",
        "state",
        "window",
        "began",
        "ended",
        "seconds",
        "rows",
        "proof_whole",
    ]);
    let proofs: BTreeMap<&ChangeId, &ChangeProof> =
        proofs.iter().map(|proof| (&proof.line.id, proof)).collect();
    for it in executions {
        let proof = proofs.get(&it.change);
        let line = proof.map(|proof| &proof.line);
        let window = match &it.window {
            None => "",
            Some(WindowDecision::Unlimited) => "unlimited",
            Some(WindowDecision::Open { .. }) => "open",
            Some(WindowDecision::Emergency) => "emergency",
            Some(WindowDecision::Late { .. }) => "late",
            Some(WindowDecision::Overridden { .. }) => "overridden",
        };
        let or = |text: Option<String>| text.unwrap_or_default();
        let teams: Vec<&str> = it.author_teams.iter().map(|team| team.as_str()).collect();
        let state = serde_json::to_value(it.state).ok();
        let cells = [
            it.change.to_string(),
            or(line.map(|line| line.title.get(Lang::En).to_owned())),
            or(it.class.map(|class| class.name().to_owned())),
            it.kind.name().to_owned(),
            or(it.team.as_ref().map(ToString::to_string)),
            teams.join(" "),
            or(line.and_then(|line| Some(line.requester.as_ref()?.id.to_string()))),
            or(line.and_then(|line| line.ticket.clone())),
            or(proof.and_then(|proof| proof.governance.clone())),
            it.environment.clone(),
            or(state.as_ref().and_then(|state| state.as_str()).map(str::to_owned)),
            window.to_owned(),
            it.began.to_string(),
            it.ended.to_string(),
            it.seconds.to_string(),
            it.rows.to_string(),
            or(proof.map(|proof| proof.whole.to_string())),
        ];
        let cells: Vec<&str> = cells.iter().map(String::as_str).collect();
        text.push_str(&row(&cells));
    }
    text
}
