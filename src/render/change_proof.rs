//! The proof of a change as plain text. What it says is put together here once, for the page too.

use jiff::Timestamp;

use super::change::{class, head, stage, step};
use super::change_papers;
use super::change_rehearsal::{self, Again};
use super::report_text::{CheckRow, check_rows};
use super::table::Table;
use super::words::{ChangeWord, Label, Proven, list, pair, remarks};
use crate::core::change::WindowDecision;
use crate::types::{Lang, Zone};
use crate::view::change_proof::{AttemptProof, ChangeProof, Fault, ProvenStep, Said, TargetProof};
use crate::view::drift::{Drift, DriftWhat};
use crate::wire::{ChangeState, Check, MarkerRow};

pub(super) type Facts = Vec<(String, String)>;

/// Everything that a proof says, in words.
pub(super) struct Sheet {
    pub(super) verdict: String,
    pub(super) drifted: bool,
    pub(super) faults: Vec<String>,
    pub(super) request: Facts,
    pub(super) digests: Facts,
    pub(super) steps: Vec<StepRow>,
    pub(super) attempts: Vec<AttemptSheet>,
    pub(super) targets: Vec<TargetSheet>,
    pub(super) head: String,
    pub(super) made: String,
}

pub(super) struct StepRow {
    pub(super) at: String,
    pub(super) who: String,
    pub(super) what: String,
    pub(super) reason: String,
    pub(super) bound: String,
    pub(super) entry: String,
    pub(super) hash: String,
}

pub(super) struct AttemptSheet {
    pub(super) name: String,
    pub(super) place: String,
    pub(super) state: &'static str,
    pub(super) good: bool,
    pub(super) facts: Facts,
    pub(super) why: Option<String>,
    pub(super) checks: Vec<CheckRow>,
    pub(super) evidence: Vec<String>,
}

pub(super) struct TargetSheet {
    pub(super) place: String,
    /// When and what was read, or why it was not.
    pub(super) said: String,
    pub(super) good: bool,
    pub(super) drift: Vec<String>,
    pub(super) heads: Vec<String>,
    pub(super) rows: Vec<MarkerLine>,
}

pub(super) struct MarkerLine {
    /// As many as the sheet has heads.
    pub(super) cells: Vec<String>,
    /// What the row holds besides, such as the checksum of a backup.
    pub(super) outcome: String,
}

pub(super) fn sheet(lang: Lang, zone: &Zone, proof: &ChangeProof) -> Sheet {
    let drifted = proof.targets.iter().any(|target| !target.drift.is_empty());
    let entries = proof.head.seq;
    let verdict = match (proof.whole, drifted) {
        (true, _) if proof.attempts.is_empty() => Proven::WholeUntried { entries },
        (true, _) => Proven::Whole { entries },
        (false, true) => Proven::Drifted,
        (false, false) => Proven::NotWhole,
    };
    Sheet {
        verdict: verdict.say(lang),
        drifted,
        faults: faults(lang, proof),
        request: request(lang, zone, proof),
        digests: digests(lang, proof),
        steps: proof.steps.iter().map(|line| step_row(lang, zone, line)).collect(),
        attempts: proof.attempts.iter().map(|attempt| attempt_sheet(lang, zone, attempt)).collect(),
        targets: proof.targets.iter().map(|target| target_sheet(lang, zone, target)).collect(),
        head: format!("{} {}", proof.head.seq, proof.head.hash),
        made: second(zone, proof.made),
    }
}

fn second(zone: &Zone, at: Timestamp) -> String {
    at.to_zoned(zone.tz().clone()).strftime("%Y-%m-%d %H:%M:%S %Z").to_string()
}

/// What is missing or otherwise, a line each.
pub fn faults(lang: Lang, proof: &ChangeProof) -> Vec<String> {
    proof.faults.iter().map(|fault| fault_words(lang, fault)).collect()
}

fn fault_words(lang: Lang, fault: &Fault) -> String {
    match fault {
        Fault::StepWithoutEntry { number } => {
            Proven::StepWithoutEntry { number: *number }.say(lang)
        }
        Fault::Unsettled { attempt } => {
            Proven::Unsettled { attempt: &attempt.to_string() }.say(lang)
        }
        Fault::NotCompared { attempt } => {
            Proven::NotCompared { attempt: &attempt.to_string() }.say(lang)
        }
        Fault::Archived { attempt } => Proven::Archived { attempt: &attempt.to_string() }.say(lang),
        Fault::Unreachable { environment, target, why } => {
            Proven::Unreachable { environment, target: target.as_str(), why }.say(lang)
        }
        Fault::NotRead { environment, target } => {
            Proven::NotRead { environment, target: target.as_str() }.say(lang)
        }
        Fault::Drift { environment, target, drift } => {
            let (what, attempt) = (drift_words(lang, drift), drift.attempt.to_string());
            let (what, attempt) = (what.as_str(), attempt.as_str());
            Proven::Drift { environment, target: target.as_str(), attempt, what }.say(lang)
        }
    }
}

/// What a target says otherwise.
pub fn drift_words(lang: Lang, drift: &Drift) -> String {
    let count = |rows: &Option<i64>| rows.map_or("-".to_owned(), |rows| rows.to_string());
    match &drift.what {
        DriftWhat::Missing => Proven::DriftMissing,
        DriftWhat::OtherContent { journal, target } => {
            Proven::DriftContent { journal: head(journal), target: head(target) }
        }
        DriftWhat::OtherRows { journal, target } => {
            return Proven::DriftRows { journal: *journal, target: &count(target) }.say(lang);
        }
        DriftWhat::OtherBackup { journal, target } => {
            return Proven::DriftBackup { journal: *journal, target: &count(target) }.say(lang);
        }
        DriftWhat::RolledBack => Proven::DriftRolledBack,
        DriftWhat::NotRolledBack => Proven::DriftNotRolledBack,
        DriftWhat::Applied => Proven::DriftApplied,
        DriftWhat::NotRehearsed => Proven::DriftRehearsal,
        DriftWhat::Transaction { xid, status } => Proven::DriftTransaction { xid, status },
    }
    .say(lang)
}

fn filled(rows: impl IntoIterator<Item = (String, Option<String>)>) -> Facts {
    let with = |(label, value): (String, Option<String>)| Some((label, value?));
    rows.into_iter().filter_map(with).filter(|(_, value)| !value.is_empty()).collect()
}

fn request(lang: Lang, zone: &Zone, proof: &ChangeProof) -> Facts {
    let line = &proof.line;
    let asked = proof.steps.first().map(|step| step.line.at);
    let asked_for = [
        (ChangeWord::Stage.say(lang), Some(stage(lang, line.stage))),
        (ChangeWord::Class.say(lang), Some(class(lang, line))),
        (ChangeWord::Reason.say(lang), proof.reason.as_ref().map(|text| text.get(lang).to_owned())),
        (
            ChangeWord::Requester.say(lang),
            line.requester.as_ref().map(|who| who.name.get(lang).to_owned()),
        ),
        (ChangeWord::Team.say(lang), line.team.as_ref().map(ToString::to_string)),
        (ChangeWord::Ticket.say(lang), line.ticket.clone()),
        (ChangeWord::Governance.say(lang), proof.governance.clone()),
        (
            ChangeWord::Authors.say(lang),
            Some(list(lang, proof.authors.iter().map(|who| who.name.get(lang)))),
        ),
        (ChangeWord::Environments.say(lang), Some(list(lang, &line.environments))),
        (Proven::Since.say(lang), asked.map(|at| second(zone, at))),
    ];
    let papers = proof.papers.iter().flat_map(|papers| change_papers::rows(lang, papers));
    filled(asked_for).into_iter().chain(papers).collect()
}

fn digests(lang: Lang, proof: &ChangeProof) -> Facts {
    let now = proof.content.clone().filter(|now| Some(now) != proof.submitted.as_ref());
    let whole =
        [(Proven::Content.say(lang), proof.submitted.clone()), (Proven::ContentNow.say(lang), now)];
    let scripts = proof.scripts.iter().map(|of| (of.script.clone(), Some(of.digest.clone())));
    filled(whole.into_iter().chain(scripts))
}

fn step_row(lang: Lang, zone: &Zone, proven: &ProvenStep) -> StepRow {
    let line = &proven.line;
    let people = std::iter::once(&line.by).chain(&line.second);
    let names: Vec<String> =
        people.map(|who| format!("{} ({})", who.name.get(lang), who.id)).collect();
    StepRow {
        at: second(zone, line.at),
        who: names.join(" + "),
        what: step(lang, zone, &line.step),
        reason: line.reason.clone(),
        bound: proven.bound.clone().unwrap_or_default(),
        entry: proven.entry.as_ref().map_or("-".to_owned(), |entry| entry.seq.to_string()),
        hash: proven.entry.as_ref().map(|entry| entry.hash.clone()).unwrap_or_default(),
    }
}

fn attempt_sheet(lang: Lang, zone: &Zone, attempt: &AttemptProof) -> AttemptSheet {
    let name =
        |who: &Option<crate::view::Who>| who.as_ref().map(|who| who.name.get(lang).to_owned());
    let at = |at: Option<Timestamp>| at.map(|at| second(zone, at));
    let ended = attempt.ended.is_some();
    let decided = attempt.decided.map(|applied| match applied {
        true => Proven::PeopleApplied.say(lang),
        false => Proven::PeopleNotApplied.say(lang),
    });
    let entries = list(lang, attempt.entries.iter().map(|entry| entry.seq));
    let rehearsal = change_rehearsal::words(lang, zone, &attempt.rehearsal, again(attempt));
    let facts = filled([
        (Proven::Commit.say(lang), attempt.commit.clone()),
        (Proven::CommitAuthor.say(lang), attempt.commit_author.clone()),
        (Proven::Executor.say(lang), name(&attempt.executor)),
        (Proven::Watcher.say(lang), name(&attempt.watcher)),
        (
            Proven::Decision.say(lang),
            attempt.window.as_ref().map(|window| decision(lang, zone, window)),
        ),
        (Proven::Began.say(lang), at(attempt.began)),
        (ChangeWord::Started.say(lang), at(attempt.started)),
        (ChangeWord::EndedAt.say(lang), at(attempt.ended)),
        (ChangeWord::Rows.say(lang), ended.then(|| attempt.rows.to_string())),
        (ChangeWord::BackupRows.say(lang), ended.then(|| attempt.backup_rows.to_string())),
        (ChangeWord::Rehearsal.say(lang), rehearsal),
        (ChangeWord::Outcome.say(lang), decided),
        (ChangeWord::Digest.say(lang), attempt.digest.clone()),
        (Proven::Entry.say(lang), Some(entries)),
    ]);
    let place = match &attempt.target {
        Some(target) => format!("{} · {target}", attempt.environment),
        None => attempt.environment.clone(),
    };
    AttemptSheet {
        name: attempt.attempt.to_string(),
        place,
        state: Label::of_change(attempt.state).say(lang),
        good: attempt.state == Some(ChangeState::Done),
        facts,
        why: attempt.why.clone(),
        checks: check_rows(&attempt.before, &attempt.after),
        evidence: attempt
            .evidence
            .iter()
            .map(|it| format!("{}  {}: {}", second(zone, it.at), it.query, it.answer))
            .collect(),
    }
}

/// The change that stays, where it is done.
fn again(attempt: &AttemptProof) -> Option<Again> {
    let ended = attempt.ended.filter(|_| attempt.state == Some(ChangeState::Done))?;
    let count = |n: usize| u32::try_from(n).unwrap_or(u32::MAX);
    let good = count(attempt.after.iter().filter(|check| check.ok).count());
    Some(Again { rows: attempt.rows, good, checks: count(attempt.after.len()), ended })
}

fn decision(lang: Lang, zone: &Zone, window: &WindowDecision) -> String {
    match window {
        WindowDecision::Unlimited => Proven::Unlimited.say(lang),
        WindowDecision::Open { classes, closes } => {
            let classes = &list(lang, classes);
            match closes {
                Some(closes) => {
                    Proven::OpenUntil { classes, closes: &second(zone, *closes) }.say(lang)
                }
                None => Proven::Open { classes }.say(lang),
            }
        }
        WindowDecision::Emergency => Proven::Emergency.say(lang),
        WindowDecision::Late { by } => Proven::Late { who: by.as_str() }.say(lang),
        WindowDecision::Overridden { by } => Proven::Overridden { who: by.as_str() }.say(lang),
    }
}

fn target_sheet(lang: Lang, zone: &Zone, target: &TargetProof) -> TargetSheet {
    let (environment, name) = (target.environment.as_str(), target.target.as_str());
    let (mut heads, mut rows) = (Vec::new(), Vec::new());
    let said = match &target.said {
        Said::Now { at, marked } => {
            (heads, rows) = marker_table(lang, zone, &marked.rows);
            let mut said = vec![Proven::ReadAt { at: &second(zone, *at) }.say(lang)];
            let identity = marked.identity.as_ref();
            said.extend(identity.map(|it| pair(lang, &Proven::Identity.say(lang), it)));
            if rows.is_empty() {
                said.push(Proven::NoMarker.say(lang));
            }
            remarks(lang, &said)
        }
        Said::Unreachable { why } => {
            Proven::Unreachable { environment, target: name, why }.say(lang)
        }
        Said::NotAsked => Proven::NotRead { environment, target: name }.say(lang),
    };
    TargetSheet {
        place: format!("{environment} · {name}"),
        said,
        good: matches!(target.said, Said::Now { .. }) && target.drift.is_empty(),
        drift: target.drift.iter().map(|drift| drift_words(lang, drift)).collect(),
        heads,
        rows,
    }
}

/// Rows of a marker; columns that an engine does not fill are left out.
fn marker_table(lang: Lang, zone: &Zone, rows: &[MarkerRow]) -> (Vec<String>, Vec<MarkerLine>) {
    let heads = [
        Proven::Attempt,
        Proven::Step,
        Proven::Time,
        Proven::RowCount,
        Proven::ContentHead,
        Proven::Transaction,
        Proven::Status,
        Proven::Session,
    ];
    let all: Vec<[String; 8]> = rows.iter().map(|row| marker_cells(zone, row)).collect();
    let filled = |column: usize| all.iter().any(|cells| !cells[column].is_empty());
    let kept: Vec<usize> = (0..heads.len()).filter(|column| filled(*column)).collect();
    let lines = all.iter().zip(rows).map(|(cells, row)| MarkerLine {
        cells: kept.iter().map(|column| cells[*column].clone()).collect(),
        outcome: outcome(row),
    });
    let lines = lines.collect();
    (kept.into_iter().map(|column| heads[column].say(lang)).collect(), lines)
}

fn marker_cells(zone: &Zone, row: &MarkerRow) -> [String; 8] {
    let or = |text: &Option<String>| text.clone().unwrap_or_default();
    let at = row.at.parse::<Timestamp>();
    [
        row.attempt.clone(),
        row.step.clone(),
        at.map_or_else(|_| row.at.clone(), |at| second(zone, at)),
        row.rows.map(|rows| rows.to_string()).unwrap_or_default(),
        head(&row.content_digest).to_owned(),
        or(&row.xid),
        or(&row.status),
        match (&row.session, &row.user) {
            (Some(session), Some(user)) => format!("{session} {user}"),
            _ => String::new(),
        },
    ]
}

/// What a row holds besides its columns: the verification before the change is told with its attempt, and one word says no
/// more than the step.
fn outcome(row: &MarkerRow) -> String {
    let outcome = row.outcome.clone().unwrap_or_default();
    let word = outcome.bytes().all(|b| b.is_ascii_lowercase() || b == b'-' || b == b' ');
    let checks = serde_json::from_str::<Vec<Check>>(&outcome).is_ok();
    if word || checks { String::new() } else { outcome }
}

/// The whole proof.
pub fn text(lang: Lang, zone: &Zone, proof: &ChangeProof) -> String {
    let sheet = sheet(lang, zone, proof);
    let title = proof.line.title.get(lang);
    let mut text =
        format!("{}: {}  {title}\n{}\n", Proven::Title.say(lang), proof.line.id, sheet.verdict);
    for fault in &sheet.faults {
        text.push_str(&format!("  ! {fault}\n"));
    }
    section(&mut text, &Proven::Request.say(lang));
    facts(&mut text, &sheet.request);
    if !sheet.digests.is_empty() {
        section(&mut text, &Proven::Scripts.say(lang));
        facts(&mut text, &sheet.digests);
    }
    section(&mut text, &ChangeWord::Life.say(lang));
    let heads = [Proven::Entry, Proven::Time, Proven::Person, Proven::Step, Proven::Bound];
    let heads: Vec<String> = heads.iter().map(|word| word.say(lang)).collect();
    let heads: Vec<&str> = heads.iter().map(String::as_str).collect();
    let mut table = Table::new(&heads, &[0], 2);
    for row in &sheet.steps {
        let what = if row.reason.is_empty() {
            row.what.clone()
        } else {
            pair(lang, &row.what, &row.reason)
        };
        let bound = head(&row.bound).to_owned();
        table.row(vec![row.entry.clone(), row.at.clone(), row.who.clone(), what, bound]);
    }
    table.write(&mut text);
    section(&mut text, &Proven::Attempts.say(lang));
    if sheet.attempts.is_empty() {
        text.push_str(&format!("  {}\n", Proven::NoAttempt.say(lang)));
    }
    for attempt in &sheet.attempts {
        attempt_text(lang, &mut text, attempt);
    }
    if !sheet.targets.is_empty() {
        section(&mut text, &Proven::Says.say(lang));
    }
    for target in &sheet.targets {
        target_text(&mut text, target);
    }
    section(&mut text, &Proven::Head.say(lang));
    text.push_str(&format!("  {}\n  {} {}\n", sheet.head, Proven::Made.say(lang), sheet.made));
    text
}

fn section(text: &mut String, head: &str) {
    text.push_str(&format!("\n{head}\n"));
}

fn facts(text: &mut String, facts: &Facts) {
    let mut table = Table::new(&["", ""], &[], 2);
    for (label, value) in facts {
        table.row(vec![label.clone(), value.clone()]);
    }
    table.write(text);
}

fn attempt_text(lang: Lang, text: &mut String, attempt: &AttemptSheet) {
    text.push_str(&format!("  {}  {}  {}\n", attempt.name, attempt.place, attempt.state));
    let why = attempt.why.iter().map(|why| (ChangeWord::Why.say(lang), why.clone()));
    facts(text, &attempt.facts.iter().cloned().chain(why).collect());
    let mut table = Table::new(&["", "", "", ""], &[], 4);
    let passed = |ok: Option<bool>| match ok {
        None => "-".to_owned(),
        Some(true) => Proven::Passed.say(lang),
        Some(false) => Proven::NotPassed.say(lang),
    };
    if !attempt.checks.is_empty() {
        let heads = [Proven::Check, Proven::Before, Proven::After, Proven::Detail];
        table.row(heads.iter().map(|word| word.say(lang)).collect());
    }
    for check in &attempt.checks {
        let (before, after) = (passed(check.before), passed(check.after));
        table.row(vec![check.name.clone(), before, after, check.detail.clone()]);
    }
    table.write(text);
    for line in &attempt.evidence {
        text.push_str(&format!("    {line}\n"));
    }
}

fn target_text(text: &mut String, target: &TargetSheet) {
    text.push_str(&format!("  {}  {}\n", target.place, target.said));
    for drift in &target.drift {
        text.push_str(&format!("    ! {drift}\n"));
    }
    // An attempt's id is long and never broken: it heads its rows, so that they fit into a page.
    let of_attempt = |a: &MarkerLine, b: &MarkerLine| a.cells.first() == b.cells.first();
    for rows in target.rows.chunk_by(of_attempt) {
        let heads: Vec<&str> = target.heads.iter().skip(1).map(String::as_str).collect();
        let mut table = Table::new(&heads, &[2], 4);
        for row in rows {
            table.row(row.cells.iter().skip(1).cloned().collect());
        }
        let attempt = rows.first().and_then(|row| row.cells.first());
        text.push_str(&format!("    {}\n", attempt.map_or("", String::as_str)));
        table.write(text);
    }
    for row in target.rows.iter().filter(|row| !row.outcome.is_empty()) {
        text.push_str(&format!("    {} {}: {}\n", row.cells[0], row.cells[1], row.outcome));
    }
}
