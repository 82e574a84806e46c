//! A history leaves a database for a file, as of one moment; here it stays and goes on.

use std::path::Path;

use futures_util::TryStreamExt;
use sqlx::{AssertSqlSafe, Connection, Executor, Row};

use super::address::PostgresAddress;
use super::open::PostgresReader;
use super::session::{Purpose, connect};
use super::trouble::trouble;
use crate::driver::store::copy::all_tables;
use crate::driver::store::open::connect as open_file;
use crate::driver::store::trouble::trouble as trouble_there;
use crate::port::StoreError;

const DOING: &str = "copying the store";

/// Tables that say who leads and where the history is: of the database itself.
const LEFT: [&str; 2] = ["lease", "relocation"];

/// Copies all of a store into a file that holds an empty one of the same schema.
pub(in crate::driver::store) async fn depart(
    address: &PostgresAddress,
    into: &Path,
) -> Result<(), StoreError> {
    if PostgresReader::open(address).await?.is_none() {
        return Err(StoreError::Trouble(format!("there is no store in {address}")));
    }
    let mut from = connect(address, Purpose::Read).await?;
    let begin = "SET statement_timeout = 0; BEGIN ISOLATION LEVEL REPEATABLE READ READ ONLY";
    from.execute(sqlx::raw_sql(begin)).await.map_err(trouble(DOING))?;
    let mut to = open_file(into).await?;
    to.execute("BEGIN").await.map_err(trouble_there(DOING))?;
    for table in all_tables(&mut to).await? {
        if LEFT.contains(&table.name.as_str()) {
            continue;
        }
        let columns: Vec<String> =
            table.columns.iter().map(|column| format!("CAST({column} AS TEXT)")).collect();
        // Names of our own schema, not data.
        let select = format!("SELECT {} FROM {}", columns.join(", "), table.name);
        let places: Vec<String> = (1..=columns.len()).map(|nth| format!("${nth}")).collect();
        let insert = format!(
            "INSERT OR REPLACE INTO {} ({}) VALUES ({})",
            table.name,
            table.columns.join(", "),
            places.join(", ")
        );
        let mut rows = sqlx::query(AssertSqlSafe(select)).fetch(&mut from);
        while let Some(row) = rows.try_next().await.map_err(trouble(DOING))? {
            let mut put = sqlx::query(AssertSqlSafe(insert.clone()));
            for at in 0..table.columns.len() {
                // A column of numbers makes a number of it.
                put = put.bind(row.try_get::<Option<String>, _>(at).map_err(trouble(DOING))?);
            }
            put.execute(&mut to).await.map_err(trouble_there(DOING))?;
        }
    }
    to.execute("COMMIT").await.map_err(trouble_there(DOING))?;
    to.execute("PRAGMA journal_mode = DELETE").await.map_err(trouble_there(DOING))?;
    to.close().await.map_err(trouble_there(DOING))?;
    from.close().await.map_err(trouble(DOING))
}
