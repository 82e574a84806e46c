//! Evidence for people who decide about a change in doubt: everything is read, in sessions that cannot write, and nothing is
//! waited for.

use std::path::Path;

use super::history::{self, Cut, History};
use super::lock;
use super::marker::{self, Way};
use super::verify;
use crate::agent::worker::db::{Db, DbError, Target, session_name};
use crate::agent::worker::halt::Halt;
use crate::agent::worker::steps::{Line, Step};
use crate::definition::site::Engine;
use crate::sql::{done_when, kept, split};
use crate::types::{AttemptId, ChangeId};
use crate::wire::{Evidence, Found, Looked, spool};

/// What is to be looked at.
#[derive(Debug, Clone, Copy)]
pub struct Look<'a> {
    pub engine: &'a Engine,
    pub change: &'a ChangeId,
    /// The last attempt of the run.
    pub attempt: &'a AttemptId,
    pub content: &'a str,
    /// As they were executed; `None`: they are not kept.
    pub scripts: Option<Scripts<'a>>,
    /// The folder of this host's agent.
    pub agent: &'a Path,
}

#[derive(Debug, Clone, Copy)]
pub struct Scripts<'a> {
    pub backup: &'a str,
    pub change: &'a str,
    pub verify: &'a str,
    pub rollback: &'a str,
}

impl<'a> Scripts<'a> {
    fn of(self, way: Way) -> &'a str {
        match way {
            Way::There => self.change,
            Way::Back => self.rollback,
        }
    }
}

struct Notes(Vec<Evidence>);

impl Notes {
    fn add(&mut self, query: impl Into<String>, answer: impl Into<String>) {
        let (query, answer) = (query.into(), answer.into());
        self.0.push(Evidence { query, answer, at: super::now() });
    }
}

/// Looks. What cannot be asked is told in its place.
pub async fn look(look: Look<'_>) -> Looked {
    let mut notes = Notes(Vec::new());
    for number in 1..=look.attempt.number {
        let attempt = AttemptId { number, ..look.attempt.clone() };
        let steps = steps(look.agent, &attempt);
        let limits = steps.as_ref().ok().and_then(|steps| {
            let set = |line: &&Line| matches!(line.step, Step::Limits { .. });
            steps.iter().rev().find(set).map(in_words)
        });
        let last = steps.map_or_else(|why| why, |steps| last_of(&steps));
        notes.add(format!("last steps of {attempt} on this host"), last);
        if let Some(limits) = limits {
            notes.add(format!("limits that {attempt} has set last"), limits);
        }
    }
    let target = Target::new(look.engine, None, Halt::never());
    let found = match crate::agent::worker::look::open(look.engine).await {
        Ok(mut db) => {
            let found = ask(&mut db, &look, &mut notes).await;
            db.close().await;
            if let Some(scripts) = look.scripts {
                verified(&target, scripts, &mut notes).await;
            }
            found
        }
        Err(why) => {
            notes.add(look.engine.place(), why.clone());
            Found::Unread { why }
        }
    };
    if look.scripts.is_none() {
        notes.add("verify.sql now", "the scripts as they were executed are not kept");
    }
    Looked { found, evidence: notes.0 }
}

async fn ask(db: &mut Db, look: &Look<'_>, notes: &mut Notes) -> Found {
    let here = db.identity().map_or_else(|| look.engine.place(), str::to_owned);
    notes.add("database", here);
    notes.add("who works on the change", told(lock::at_work(db, look.engine, look.change).await));
    sessions(db, look, notes).await;
    let rows = marker::read(db, look.change).await;
    let rows = match rows {
        Ok(rows) => rows,
        Err(error) => {
            notes.add("rows of nightrun_change_run", error.to_string());
            return Found::Unread { why: error.to_string() };
        }
    };
    let run = format!("{}/", look.attempt.run);
    let ours: Vec<String> =
        rows.iter().filter(|row| row.attempt.starts_with(&run)).map(marker::Entry::line).collect();
    let answer = if ours.is_empty() { "no row".to_owned() } else { ours.join("; ") };
    notes.add(format!("rows of nightrun_change_run of this run ({})", rows.len()), answer);
    let found = match history::history(&rows, look.attempt, look.content) {
        History::Cut(cut) => cut_off(db, &cut, look.scripts, notes).await,
        History::Fresh { .. } => Found::NotApplied,
        History::Applied(applied) => {
            Found::Applied { attempt: applied.attempt, rows: applied.rows }
        }
        History::RolledBack(applied) => Found::RolledBack { attempt: applied.attempt },
        History::Conflict(why) => Found::Conflict { why },
    };
    if let Some(scripts) = look.scripts {
        backups(db, scripts, notes).await;
    }
    found
}

fn told<T: std::fmt::Display>(answer: Result<Option<T>, DbError>) -> String {
    match answer {
        Ok(Some(words)) => words.to_string(),
        Ok(None) => "nobody".to_owned(),
        Err(error) => error.to_string(),
    }
}

/// How far the change came, or its rollback; with what the probe says of the statement that was begun.
async fn cut_off(db: &mut Db, cut: &Cut, scripts: Option<Scripts<'_>>, notes: &mut Notes) -> Found {
    let Cut { way, done, open, .. } = *cut;
    let text = scripts.map(|scripts| scripts.of(way));
    let of = text
        .map(|text| u32::try_from(split(db.dialect(), text).statements.len()).unwrap_or(u32::MAX));
    let stuck = match (open, text) {
        (Some(number), Some(text)) => !probe(db, text, (way, number), notes).await,
        _ => false,
    };
    match way {
        Way::There => Found::Cut { done, of, open },
        Way::Back => Found::CutBack { done, of, open, stuck },
    }
}

/// Sessions that the server knows by the names of the run's attempts.
async fn sessions(db: &mut Db, look: &Look<'_>, notes: &mut Notes) {
    const POSTGRES: &str = "SELECT pid::text, coalesce(state, ''), coalesce(to_char(query_start, 'HH24:MI:SS'), ''), \
         left(coalesce(query, ''), 200) FROM pg_stat_activity WHERE application_name = $1";
    if !matches!(db, Db::Postgres(_)) {
        return;
    }
    let mut all = Vec::new();
    for number in 1..=look.attempt.number {
        let name = session_name(Some(&AttemptId { number, ..look.attempt.clone() }));
        match db.ask(POSTGRES, &[Some(&name)]).await {
            Ok(rows) => all.extend(rows.into_iter().map(|row| {
                let cells: Vec<String> = row.into_iter().flatten().collect();
                format!("{name}: {}", cells.join(", ").replace('\n', " "))
            })),
            Err(error) => all.push(error.to_string()),
        }
    }
    let answer = if all.is_empty() { "none".to_owned() } else { all.join("; ") };
    notes.add("sessions of its attempts on the server", answer);
}

/// Whether something tells if the statement that was begun is done.
async fn probe(db: &mut Db, text: &str, (way, number): (Way, u32), notes: &mut Notes) -> bool {
    let script = split(db.dialect(), text);
    let file = way.part().file();
    let statement = script.statements.iter().find(|statement| statement.number == number);
    let probe = statement.and_then(|statement| done_when::of(&script, statement));
    let Some(probe) = probe else {
        notes.add(format!("statement {number} of {file}, which was begun"), "it has no probe");
        return false;
    };
    let (answer, tells) = match db.run(probe, 1).await {
        Ok(answer) => match answer.rows.first().and_then(|row| row.first()) {
            Some(cell) if cell.is_true() => ("yes: the statement is done".to_owned(), true),
            _ => ("no: the statement is not done".to_owned(), true),
        },
        Err(error) if error.is_missing() => (format!("no: {error}"), true),
        Err(error) => (error.to_string(), false),
    };
    let query = format!("probe of statement {number} of {file}, which was begun: {probe}");
    notes.add(query, answer);
    tells
}

async fn backups(db: &mut Db, scripts: Scripts<'_>, notes: &mut Notes) {
    let dialect = db.dialect();
    for table in kept::tables(dialect, scripts.backup) {
        let query = kept::count_of(dialect, &table);
        let answer = match db.run(&query, 1).await {
            Ok(answer) => {
                let cell = answer.rows.first().and_then(|row| row.first());
                cell.map(|cell| format!("{cell} rows")).unwrap_or_default()
            }
            Err(error) => error.to_string(),
        };
        notes.add(format!("backup table {}", table.join(".")), answer);
    }
}

async fn verified(target: &Target<'_>, scripts: Scripts<'_>, notes: &mut Notes) {
    let verdict = verify::fresh(target, scripts.verify).await;
    let line = |check: &crate::wire::Check| {
        let word = if check.ok { "good" } else { "NOT good" };
        format!("{} {word}: {}", check.name, check.detail)
    };
    let lines: Vec<String> = verdict.checks.iter().map(line).collect();
    let whole = if verdict.passed { "passed" } else { "not passed" };
    notes.add("verify.sql now", format!("{whole}; {}", lines.join("; ")));
}

/// What an attempt did, by the file that its worker wrote.
#[expect(clippy::disallowed_methods, reason = "it reads what a worker has left")]
fn steps(agent: &Path, attempt: &AttemptId) -> Result<Vec<Line>, String> {
    let file = spool::attempt_folder(agent, attempt).join(spool::STEPS);
    let text = std::fs::read_to_string(&file).map_err(|why| format!("not known here: {why}"))?;
    // The last line may be torn.
    Ok(text.lines().filter_map(|line| serde_json::from_str(line).ok()).collect())
}

fn in_words(line: &Line) -> String {
    format!("{} {}", line.at.strftime("%H:%M:%SZ"), line.step.words())
}

/// How far it came.
fn last_of(steps: &[Line]) -> String {
    const SHOWN: usize = 4;
    let last: Vec<String> =
        steps.iter().skip(steps.len().saturating_sub(SHOWN)).map(in_words).collect();
    if last.is_empty() { "none".to_owned() } else { last.join("; ") }
}
