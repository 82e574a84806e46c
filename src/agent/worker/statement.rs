//! One statement of a script: run, counted, told.

use super::db::{Answer, Db, DbError, Kind};
use super::log::{count, say, took};
use super::table;
use crate::sql::{Class, Dialect, Expect, Facts, Script, Statement, expect};

/// What a statement did.
#[derive(Debug, Default, Clone, Copy, PartialEq, Eq)]
pub(super) struct Ran {
    /// Rows that it itself inserted, updated or deleted.
    pub(super) changed: u64,
    /// Of these, rows that were there before: updated or deleted.
    pub(super) overwritten: u64,
    /// Of these, rows that may be gone: deleted, merged, or of a table that was emptied, which counts none.
    pub(super) deleted: u64,
    /// Rows that it put into a table: inserted, or by `CREATE TABLE … AS`.
    pub(super) kept: u64,
}

impl std::ops::AddAssign for Ran {
    fn add_assign(&mut self, other: Self) {
        self.changed += other.changed;
        self.overwritten += other.overwritten;
        self.deleted = self.deleted.saturating_add(other.deleted);
        self.kept += other.kept;
    }
}

impl std::iter::Sum for Ran {
    fn sum<I: Iterator<Item = Self>>(all: I) -> Self {
        all.fold(Self::default(), |mut sum, ran| {
            sum += ran;
            sum
        })
    }
}

/// A statement failed, or an expectation was not met. `words` begin with file and line.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{words}")]
pub(super) struct Failed {
    pub(super) words: String,
    /// The database took the statement, but its rows are not what the script expects.
    pub(super) expectation: bool,
    /// What it has done then.
    pub(super) ran: Ran,
    /// Something of the transaction may stay.
    pub(super) doubt: bool,
    /// Something may stay that no marker tells of: it ran outside of the transaction.
    pub(super) outside: bool,
    /// The database has answered that it does not do it.
    pub(super) said_no: bool,
}

/// What a statement runs in.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Within {
    /// A transaction that nightrun holds: it must still be the same one afterwards.
    Transaction,
    /// Nothing: it commits by itself.
    Nothing,
}

/// Runs one statement of `script`, whose name in messages is `file`.
pub(super) async fn run(
    db: &mut Db,
    file: &str,
    script: &Script<'_>,
    statement: &Statement<'_>,
    within: Within,
) -> Result<Ran, Failed> {
    let facts = Facts::of(script.dialect, statement);
    let place = format!("{file}:{}", statement.line);
    let failed = |words: String| Failed {
        words: format!("{place}: statement {} ({}): {words}", statement.number, facts.verb),
        expectation: false,
        ran: Ran::default(),
        doubt: false,
        outside: false,
        said_no: false,
    };
    // A procedure of MySQL may have ended the transaction before the session was lost in it.
    let calls = script.dialect == Dialect::Mysql && facts.verb == "call";
    let by = |error: DbError| Failed {
        doubt: error.leaves_doubt(),
        outside: error.kind == Kind::Broken || calls && error.kind == Kind::Lost,
        said_no: matches!(error.kind, Kind::Refused | Kind::Missing | Kind::GaveWay),
        ..failed(error.to_string())
    };
    let answer = match db.run(statement.text, table::ROWS).await {
        Ok(answer) => answer,
        Err(error) if within == Within::Transaction => {
            return Err(by(db.intact_after(error).await));
        }
        Err(error) => return Err(by(error)),
    };
    if within == Within::Transaction {
        db.intact().await.map_err(by)?;
    }
    // A procedure of MySQL answers once for each of its results.
    if answer.statements > 1 && facts.verb != "call" {
        return Err(failed(format!("the database saw {} statements in it", answer.statements)));
    }
    let mut ran = Ran::default();
    match facts.class {
        Class::Insert => {
            ran.changed = answer.changes;
            ran.kept = answer.changes;
        }
        Class::Update | Class::Delete => {
            ran.changed = answer.changes;
            ran.overwritten = answer.changes;
            ran.deleted = match facts.verb.as_str() {
                "update" => 0,
                "truncate" => u64::MAX,
                _ => answer.changes,
            };
        }
        Class::Ddl => {
            if let Some(path) = &facts.fills {
                let counted = db.filled(path, &answer).await;
                // The statement itself is done.
                ran.kept = counted.map_err(|error| Failed { said_no: false, ..by(error) })?;
            }
        }
        _ => {}
    }
    tell(&place, statement, &facts, &ran, &answer);
    let wrong = match expect::of(script, statement) {
        Some(Expect::None) if answer.count > 0 => {
            format!("no row was expected, and there {}", are(answer.count))
        }
        Some(Expect::Rows) if answer.count == 0 => "rows were expected, and there are none".into(),
        Some(Expect::Between(min, max)) => {
            let changes = matches!(facts.class, Class::Insert | Class::Update | Class::Delete);
            let rows = if changes { ran.changed } else { answer.count };
            if (min..=max).contains(&rows) {
                return Ok(ran);
            }
            let expected =
                if min == max { count(min, "row") } else { format!("{min} to {max} rows") };
            format!("{expected} expected, and there {}", are(rows))
        }
        _ => return Ok(ran),
    };
    Err(Failed { expectation: true, ran, ..failed(wrong) })
}

fn are(number: u64) -> String {
    format!("{} {}", if number == 1 { "is" } else { "are" }, count(number, "row"))
}

fn tell(place: &str, statement: &Statement<'_>, facts: &Facts, ran: &Ran, answer: &Answer) {
    let rows = match facts.class {
        Class::Insert | Class::Update | Class::Delete => count(ran.changed, "row"),
        Class::Ddl if facts.fills.is_some() => count(ran.kept, "row"),
        _ if answer.count > 0 || facts.class == Class::Select => count(answer.count, "row"),
        _ => String::new(),
    };
    let verb = &facts.verb;
    let time = took(answer.took);
    say!("{:>4}  {place:<24} {verb:<16} {rows:>12}  {time:>9}", statement.number);
    if answer.count > 0 {
        for line in table::lines(answer) {
            say!("      {line}");
        }
    }
}
