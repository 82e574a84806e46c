//! From PostgreSQL's errors to what the supervisor can do about them.

use sqlx::error::DatabaseError;
use sqlx::postgres::PgDatabaseError;

use crate::port::StoreError;

/// The journal's head is another than was known (`turn.sql`).
pub(super) const MOVED: &str = "NR001";
/// A row changes what is not stored (`turn.sql`).
const NOTHING_TO_CHANGE: &str = "NR002";

/// What an error of sqlx means, said with what was being done.
pub(super) fn trouble(doing: &'static str) -> impl Fn(sqlx::Error) -> StoreError + Copy {
    move |why| match &why {
        sqlx::Error::Database(told) => of_database(doing, &**told),
        sqlx::Error::ColumnDecode { .. }
        | sqlx::Error::Decode(_)
        | sqlx::Error::ColumnNotFound(_)
        | sqlx::Error::RowNotFound => StoreError::Damaged(format!("{doing}: {why}")),
        sqlx::Error::PoolTimedOut => silent(doing),
        other => StoreError::Trouble(format!("{doing}: {other}")),
    }
}

/// It has not answered within the time that it gets.
pub(super) fn silent(doing: &str) -> StoreError {
    StoreError::Trouble(format!("{doing}: the database does not answer"))
}

/// SQLSTATE: https://www.postgresql.org/docs/current/errcodes-appendix.html
fn of_database(doing: &str, told: &dyn DatabaseError) -> StoreError {
    let code = told.code().unwrap_or_default();
    // Without the line of the server's own source.
    let detail = told.try_downcast_ref::<PgDatabaseError>().and_then(PgDatabaseError::detail);
    let told = match detail {
        Some(detail) => format!("{} ({detail})", told.message()),
        None => told.message().to_owned(),
    };
    let trouble = |hint: &str| StoreError::Trouble(format!("{doing}: {told}{hint}"));
    match &*code {
        NOTHING_TO_CHANGE => StoreError::Contradiction(format!("{doing}: {told}")),
        "25006" => trouble(": this is a standby of the database; name the primary"),
        "42501" => trouble(
            ": nightrun's account needs a database or schema of its own, and TEMPORARY on the database",
        ),
        "53100" => trouble(": free some room on the disk of the database"),
        "53300" => trouble(": raise max_connections, or end some"),
        code if code.starts_with("23") || code.starts_with("22") => {
            StoreError::Contradiction(format!("{doing}: {told}"))
        }
        // What it should have is not there, or cannot be read.
        code if code.starts_with("42") || code.starts_with("XX") => {
            StoreError::Damaged(format!("{doing}: {told}"))
        }
        _ => trouble(""),
    }
}

/// Whether it is the answer of `turn.sql` to a head that was moved.
pub(super) fn is_moved(why: &sqlx::Error) -> bool {
    why.as_database_error().is_some_and(|told| told.code().as_deref() == Some(MOVED))
}
