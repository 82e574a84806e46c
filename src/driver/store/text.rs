//! Values as the store's columns hold them: TEXT and BIGINT only.

use std::fmt::Display;
use std::str::FromStr;

use jiff::Timestamp;
use serde::Serialize;
use serde::de::DeserializeOwned;
use sqlx::Row as _;
use sqlx::postgres::PgRow;
use sqlx::sqlite::SqliteRow;

use crate::journal::hex;
use crate::port::StoreError;

use super::{postgres, trouble::trouble};

/// A counter; one beyond what a BIGINT holds cannot come to be.
pub(super) fn int(number: u64) -> i64 {
    i64::try_from(number).unwrap_or(i64::MAX)
}

/// The word that serde writes for a variant without data, such as `not-scheduled`.
pub(super) fn word(value: &impl Serialize) -> Result<String, StoreError> {
    match serde_json::to_value(value) {
        Ok(serde_json::Value::String(word)) => Ok(word),
        other => Err(StoreError::Contradiction(format!("not a word: {other:?}"))),
    }
}

pub(super) fn json(value: &impl Serialize) -> Result<String, StoreError> {
    serde_json::to_string(value).map_err(|why| StoreError::Contradiction(why.to_string()))
}

/// Bytes as TEXT: as they are when a TEXT can hold them, else in hex. The encoding's name comes first.
pub(in crate::driver) fn encode(bytes: &[u8]) -> (&'static str, String) {
    match str::from_utf8(bytes) {
        // PostgreSQL's TEXT takes no NUL.
        Ok(text) if !text.contains('\0') => ("text", text.to_owned()),
        _ => ("hex", hex(bytes)),
    }
}

/// Words of somebody else. PostgreSQL's TEXT takes no NUL.
pub(super) fn storable(words: &str) -> String {
    words.replace('\0', "\u{fffd}")
}

pub(in crate::driver) fn decode(encoding: &str, content: String) -> Option<Vec<u8>> {
    match encoding {
        "text" => Some(content.into_bytes()),
        "hex" => {
            let digit = |c: u8| (c as char).to_digit(16).and_then(|d| u8::try_from(d).ok());
            let (pairs, rest) = content.as_bytes().as_chunks::<2>();
            let bytes = pairs.iter().map(|[high, low]| Some(digit(*high)? << 4 | digit(*low)?));
            if rest.is_empty() { bytes.collect() } else { None }
        }
        _ => None,
    }
}

/// Reads columns, and says which one does not hold what it should.
pub trait Columns {
    fn text(&self, column: &'static str) -> Result<String, StoreError>;
    fn number(&self, column: &'static str) -> Result<i64, StoreError>;
    fn maybe_number(&self, column: &'static str) -> Result<Option<i64>, StoreError>;
    fn maybe_text(&self, column: &'static str) -> Result<Option<String>, StoreError>;

    fn parsed<T: FromStr<Err: Display>>(&self, column: &'static str) -> Result<T, StoreError> {
        self.text(column)?.parse().map_err(|why| unfit(column, &why))
    }

    fn count<T: TryFrom<i64, Error: Display>>(
        &self,
        column: &'static str,
    ) -> Result<T, StoreError> {
        T::try_from(self.number(column)?).map_err(|why| unfit(column, &why))
    }

    fn time(&self, column: &'static str) -> Result<Timestamp, StoreError> {
        Timestamp::from_microsecond(self.number(column)?).map_err(|why| unfit(column, &why))
    }

    fn maybe_time(&self, column: &'static str) -> Result<Option<Timestamp>, StoreError> {
        let micros = self.maybe_number(column)?;
        micros.map(Timestamp::from_microsecond).transpose().map_err(|why| unfit(column, &why))
    }

    fn json<T: DeserializeOwned>(&self, column: &'static str) -> Result<T, StoreError> {
        serde_json::from_str(&self.text(column)?).map_err(|why| unfit(column, &why))
    }

    fn maybe_word<T: DeserializeOwned>(
        &self,
        column: &'static str,
    ) -> Result<Option<T>, StoreError> {
        let word = self.maybe_text(column)?.map(serde_json::Value::String);
        word.map(serde_json::from_value).transpose().map_err(|why| unfit(column, &why))
    }
}

impl Columns for SqliteRow {
    fn text(&self, column: &'static str) -> Result<String, StoreError> {
        self.try_get(column).map_err(trouble("reading"))
    }

    fn number(&self, column: &'static str) -> Result<i64, StoreError> {
        self.try_get(column).map_err(trouble("reading"))
    }

    fn maybe_number(&self, column: &'static str) -> Result<Option<i64>, StoreError> {
        self.try_get(column).map_err(trouble("reading"))
    }

    fn maybe_text(&self, column: &'static str) -> Result<Option<String>, StoreError> {
        self.try_get(column).map_err(trouble("reading"))
    }
}

impl Columns for PgRow {
    fn text(&self, column: &'static str) -> Result<String, StoreError> {
        self.try_get(column).map_err(postgres::reading)
    }

    fn number(&self, column: &'static str) -> Result<i64, StoreError> {
        self.maybe_number(column)?.ok_or_else(|| unfit(column, &"it is not set"))
    }

    /// INTEGER and BIGINT are told apart there.
    fn maybe_number(&self, column: &'static str) -> Result<Option<i64>, StoreError> {
        let wide = self.try_get::<Option<i64>, _>(column);
        wide.or_else(|_| Ok(self.try_get::<Option<i32>, _>(column)?.map(i64::from)))
            .map_err(postgres::reading)
    }

    fn maybe_text(&self, column: &'static str) -> Result<Option<String>, StoreError> {
        self.try_get(column).map_err(postgres::reading)
    }
}

fn unfit(column: &str, why: &dyn Display) -> StoreError {
    StoreError::Damaged(format!("column `{column}`: {why}"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn bytes_come_back_whatever_they_are() {
        for bytes in [&b"select 1;\n"[..], "日终".as_bytes(), b"a\0b", b"\xff\xfe", b""] {
            let (encoding, content) = encode(bytes);
            assert_eq!(decode(encoding, content).as_deref(), Some(bytes));
        }
        assert_eq!(decode("hex", "0g".into()), None);
        assert_eq!(decode("hex", "0".into()), None);
    }
}
