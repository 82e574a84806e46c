//! What a database answers.

use std::fmt;
use std::pin::pin;
use std::time::{Duration, Instant};

use futures_util::{Stream, TryStreamExt};
use sqlx::{Column, Database, Either, Row};

/// What an error means for the session.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(in crate::agent::worker) enum Kind {
    /// The database said no; the session goes on.
    Refused,
    /// As refused: what a statement names is not there (yet).
    Missing,
    /// As refused: it waited in vain, or was chosen to give way to another; the transaction may be rolled back.
    GaveWay,
    /// Cancelled, because the work has to end.
    Halted,
    /// The session is gone; what was on its way may have been done.
    Lost,
    /// The transaction is no longer the one that nightrun began.
    Broken,
}

/// The database said no, or nothing.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{words}")]
pub(in crate::agent::worker) struct DbError {
    pub(in crate::agent::worker) words: String,
    pub(in crate::agent::worker) kind: Kind,
}

impl DbError {
    pub(in crate::agent::worker) fn refused(words: impl Into<String>) -> Self {
        Self { words: words.into(), kind: Kind::Refused }
    }

    pub(super) fn lost(words: impl Into<String>) -> Self {
        Self { words: words.into(), kind: Kind::Lost }
    }

    pub(in crate::agent::worker) fn halted(why: &str) -> Self {
        Self { words: format!("cancelled: {why}"), kind: Kind::Halted }
    }

    pub(super) fn broken(words: impl Into<String>) -> Self {
        Self { words: words.into(), kind: Kind::Broken }
    }

    /// What a statement names is not there (yet).
    pub(in crate::agent::worker) fn is_missing(&self) -> bool {
        self.kind == Kind::Missing
    }

    /// Whether what was done before it in the transaction may stay.
    pub(in crate::agent::worker) fn leaves_doubt(&self) -> bool {
        matches!(self.kind, Kind::Lost | Kind::Broken)
    }
}

/// COMMIT did not succeed.
#[derive(Debug)]
pub(in crate::agent::worker) struct CommitError {
    pub(in crate::agent::worker) why: DbError,
    /// Proven that nothing of the transaction stays.
    pub(in crate::agent::worker) undone: bool,
}

/// What one statement gave.
#[derive(Debug, Default)]
pub(in crate::agent::worker) struct Answer {
    pub(in crate::agent::worker) columns: Vec<String>,
    /// The first rows, as many as were asked for.
    pub(in crate::agent::worker) rows: Vec<Vec<Cell>>,
    /// All rows.
    pub(in crate::agent::worker) count: u64,
    /// Rows that it changed, by the database's count: those that it matched, whether or not their values are others now.
    /// Stale after a statement that is not INSERT, UPDATE or DELETE.
    pub(in crate::agent::worker) changes: u64,
    /// Statements that the database saw in the text.
    pub(in crate::agent::worker) statements: u32,
    pub(in crate::agent::worker) took: Duration,
}

impl Answer {
    /// Reads what sqlx gives of one text, whatever the engine. `affected`: rows that a statement tells of.
    #[expect(clippy::disallowed_methods, reason = "the log tells how long a statement took")]
    pub(super) async fn read<DB: Database>(
        stream: impl Stream<Item = Result<Either<DB::QueryResult, DB::Row>, DbError>>,
        keep: usize,
        affected: impl Fn(&DB::QueryResult) -> u64,
        cells: impl Fn(&DB::Row) -> Result<Vec<Cell>, DbError>,
    ) -> Result<Self, DbError> {
        let clock = Instant::now();
        let mut stream = pin!(stream);
        let mut answer = Self::default();
        while let Some(item) = stream.try_next().await? {
            match item {
                Either::Left(done) => {
                    answer.statements += 1;
                    answer.changes = affected(&done);
                }
                Either::Right(row) => {
                    if answer.count == 0 {
                        answer.columns =
                            row.columns().iter().map(|c| c.name().to_owned()).collect();
                    }
                    if answer.rows.len() < keep {
                        answer.rows.push(cells(&row)?);
                    }
                    answer.count += 1;
                }
            }
        }
        answer.took = clock.elapsed();
        Ok(answer)
    }
}

/// A value of a row. Servers tell most of them as text.
#[derive(Debug, Clone, PartialEq)]
pub(in crate::agent::worker) enum Cell {
    Null,
    Integer(i64),
    Real(f64),
    Text(String),
    Blob(Vec<u8>),
}

impl Cell {
    /// Not NULL, not zero (as text either), not empty.
    pub(in crate::agent::worker) fn is_true(&self) -> bool {
        match self {
            Self::Null => false,
            Self::Integer(number) => *number != 0,
            Self::Real(number) => *number != 0.0,
            Self::Text(text) => !text.is_empty() && text.trim().parse() != Ok(0.0),
            Self::Blob(bytes) => !bytes.is_empty(),
        }
    }
}

impl fmt::Display for Cell {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Null => f.write_str("NULL"),
            Self::Integer(number) => write!(f, "{number}"),
            Self::Real(number) => write!(f, "{number:?}"),
            Self::Text(text) => f.write_str(text),
            Self::Blob(bytes) => {
                f.write_str("x'")?;
                for byte in bytes.iter().take(100) {
                    write!(f, "{byte:02x}")?;
                }
                f.write_str(if bytes.len() > 100 { "…'" } else { "'" })
            }
        }
    }
}
