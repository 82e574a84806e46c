//! From SQLite's errors to what the supervisor can do about them.

use crate::port::StoreError;

// Primary result codes: https://www.sqlite.org/rescode.html
const ERROR: i32 = 1;
const CORRUPT: i32 = 11;
const FULL: i32 = 13;
const CONSTRAINT: i32 = 19;
const NOT_A_DATABASE: i32 = 26;

/// What an error of sqlx means, said with what was being done.
pub(super) fn trouble(doing: &'static str) -> impl Fn(sqlx::Error) -> StoreError {
    move |why| match &why {
        sqlx::Error::Database(told) => {
            let extended = told.code().and_then(|code| code.parse::<i32>().ok());
            match extended.map(|code| code & 0xff) {
                // A statement that does not fit the schema: a table or column is not there.
                Some(CORRUPT | NOT_A_DATABASE | ERROR) => damaged(doing, &why),
                Some(CONSTRAINT) => StoreError::Contradiction(format!("{doing}: {told}")),
                Some(FULL) => StoreError::Trouble(format!(
                    "{doing}: no room ({told}): free some on the disk of the state folder"
                )),
                _ => StoreError::Trouble(format!("{doing}: {told}")),
            }
        }
        sqlx::Error::ColumnDecode { .. }
        | sqlx::Error::Decode(_)
        | sqlx::Error::ColumnNotFound(_)
        | sqlx::Error::RowNotFound => damaged(doing, &why),
        other => StoreError::Trouble(format!("{doing}: {other}")),
    }
}

fn damaged(doing: &str, why: &sqlx::Error) -> StoreError {
    StoreError::Damaged(format!("{doing}: {why}"))
}
