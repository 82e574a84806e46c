//! Passwords and tokens.

use jiff::Timestamp;

use super::statement::{Asks, Statement};
use super::text::Columns;
use crate::journal::{PasswordRow, TokenRow};
use crate::port::StoreError;
use crate::types::{PasswordHash, PersonId, TokenHash, TokenId};

const DOING: &str = "reading credentials";

pub(super) async fn password_of(
    reader: &impl Asks,
    person: &PersonId,
) -> Result<Option<PasswordRow>, StoreError> {
    let statement = Statement::new(DOING, "SELECT * FROM password WHERE person = $1");
    let row = reader.ask_one(statement.text(person.as_str())).await?;
    row.map(|row| password(&row)).transpose()
}

pub(super) async fn good_token(
    reader: &impl Asks,
    hash: &TokenHash,
    now: Timestamp,
) -> Result<Option<TokenRow>, StoreError> {
    let text = "SELECT * FROM token WHERE hash = $1 AND revoked IS NULL AND expires > $2";
    let statement = Statement::new(DOING, text).text(&hash.0).number(now.as_microsecond());
    reader.ask_one(statement).await?.map(|row| token(&row)).transpose()
}

pub(super) async fn tokens(reader: &impl Asks) -> Result<Vec<TokenRow>, StoreError> {
    let rows = reader.ask(Statement::new(DOING, "SELECT * FROM token ORDER BY id")).await?;
    rows.iter().map(token).collect()
}

fn password(row: &impl Columns) -> Result<PasswordRow, StoreError> {
    Ok(PasswordRow {
        person: row.parsed("person")?,
        hash: PasswordHash(row.text("hash")?),
        at: row.time("at")?,
        by: row.parsed("set_by")?,
    })
}

fn token(row: &impl Columns) -> Result<TokenRow, StoreError> {
    Ok(TokenRow {
        token: TokenId(row.count("id")?),
        person: row.parsed("person")?,
        name: row.text("name")?,
        rights: row.json("rights")?,
        made: row.time("made")?,
        by: row.parsed("made_by")?,
        expires: row.time("expires")?,
        revoked: row.maybe_time("revoked")?,
    })
}
