//! Files that are kept by their content.

use super::statement::{Asks, Statement};
use super::text::{Columns, decode, encode};
use crate::journal::address;
use crate::port::StoreError;

/// Keeps bytes under the address that comes with it.
pub(super) fn keep(bytes: &[u8]) -> (String, Statement) {
    let address = address(bytes);
    let (encoding, content) = encode(bytes);
    let text = "INSERT INTO blob (address, encoding, content) VALUES ($1, $2, $3) ON CONFLICT (address) DO NOTHING";
    let statement = Statement::new("keeping a copy of a file", text)
        .text(address.as_str())
        .text(encoding)
        .text(content);
    (address, statement)
}

pub(super) async fn get(reader: &impl Asks, wanted: &str) -> Result<Option<Vec<u8>>, StoreError> {
    let text = "SELECT encoding, content FROM blob WHERE address = $1";
    let statement = Statement::new("reading a kept file", text).text(wanted);
    let Some(row) = reader.ask_one(statement).await? else { return Ok(None) };
    match decode(&row.text("encoding")?, row.text("content")?) {
        Some(bytes) if address(&bytes) == wanted => Ok(Some(bytes)),
        _ => Err(StoreError::Damaged(format!("the kept file {wanted} is not what it was"))),
    }
}
