//! A site's history moves from SQLite to PostgreSQL.
//!
//! At each moment at most one of the two takes anything in. The history arrives in one transaction and is marked as
//! arriving, so that nobody leads there; it is proven there; the file is marked as gone, so that nobody leads here; and
//! then the mark there is taken away. Whatever is interrupted is done again by the same command.

use std::path::Path;

use futures_util::TryStreamExt;
use jiff::Timestamp;
use sqlx::sqlite::SqlitePool;
use sqlx::{AssertSqlSafe, Row, SqliteExecutor};

use super::open::{SqliteReader, SqliteStore};
use super::postgres::{Arrival, PostgresAddress};
use super::read::{HEAD, gone, head_of};
use super::statement::Statement;
use super::text::storable;
use super::trouble::trouble;
use crate::fault;
use crate::journal::Head;
use crate::port::{Store as _, StoreError, StoreReader};
use crate::types::Epoch;

/// What was moved.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Copied {
    pub head: Head,
    /// Of the last leadership; the next one, there, is higher.
    pub epoch: Epoch,
    /// Nothing was left to do: an earlier command has done it all.
    pub before: bool,
}

const DOING: &str = "copying the store";

/// Tables that say where the journal stands and who leads: they are set, not copied.
const STANDING: [&str; 3] = ["site_head", "lease", "relocation"];

/// A table with its columns, in the order in which they are copied.
#[derive(Debug)]
pub(super) struct Table {
    pub(super) name: String,
    pub(super) columns: Vec<String>,
}

/// Moves the history of a state folder into a database that holds none. `now` is noted where it was.
pub async fn copy(
    state: &Path,
    to: &PostgresAddress,
    now: Timestamp,
) -> Result<Copied, StoreError> {
    if SqliteReader::open(state).await?.is_none() {
        return Err(StoreError::Trouble(format!(
            "there is no store in {}: nothing is to be copied",
            state.display()
        )));
    }
    let state = state.canonicalize();
    let state = state.map_err(|why| StoreError::Trouble(format!("{DOING}: {why}")))?;
    // Its lock keeps every supervisor away until the end.
    let mut source = SqliteStore::open_wherever_it_goes_on(&state).await?;
    let moved = move_to(&mut source, &state, to, now).await;
    source.close().await;
    moved
}

async fn move_to(
    source: &mut SqliteStore,
    state: &Path,
    to: &PostgresAddress,
    now: Timestamp,
) -> Result<Copied, StoreError> {
    let head = source.reader.verify().await?;
    let epoch = epoch(&source.reader.pool).await?;
    let went = gone(&source.reader).await?;
    let mut arrival = Arrival::prepare(to, &state.display().to_string()).await?;
    match went {
        Some(place) if place != to.to_string() => {
            return Err(StoreError::Elsewhere(format!("its history goes on in {place} already")));
        }
        Some(_) if arrival.is_home() => return Ok(Copied { head, epoch, before: true }),
        Some(_) => arrival.expects(&head).await?,
        None => {
            let tables = tables(&source.reader.pool).await?;
            arrival.begin(&tables, now).await?;
            for table in &tables {
                pour(&source.reader.pool, table, &mut arrival).await?;
            }
            arrival.stands_at(&head, epoch).await?;
            fault::point("copy.arrived");
            arrival.expects(&head).await?;
            mark_gone(source, to, now).await?;
            fault::point("copy.gone");
        }
    }
    arrival.release().await?;
    Ok(Copied { head, epoch, before: false })
}

async fn epoch(pool: &SqlitePool) -> Result<Epoch, StoreError> {
    let row = sqlx::query(HEAD).fetch_one(pool).await.map_err(trouble(DOING))?;
    Ok(head_of(&row)?.1)
}

/// All tables with a history, whatever later versions add.
async fn tables(pool: &SqlitePool) -> Result<Vec<Table>, StoreError> {
    let mut tables = all_tables(pool).await?;
    tables.retain(|table| !STANDING.contains(&table.name.as_str()));
    Ok(tables)
}

/// The tables of the schema.
pub(super) async fn all_tables(store: impl SqliteExecutor<'_>) -> Result<Vec<Table>, StoreError> {
    let rows = sqlx::query(
        "SELECT t.name AS name, c.name AS column_name FROM sqlite_schema AS t, pragma_table_info(t.name) AS c
         WHERE t.type = 'table' AND t.name NOT LIKE 'sqlite~_%' ESCAPE '~' AND t.name NOT LIKE '~_%' ESCAPE '~'
         ORDER BY t.name, c.cid",
    )
    .fetch_all(store)
    .await
    .map_err(trouble(DOING))?;
    let mut tables: Vec<Table> = Vec::new();
    for row in &rows {
        let name: String = row.try_get("name").map_err(trouble(DOING))?;
        let column: String = row.try_get("column_name").map_err(trouble(DOING))?;
        match tables.last_mut() {
            Some(table) if table.name == name => table.columns.push(column),
            _ => tables.push(Table { name, columns: vec![column] }),
        }
    }
    Ok(tables)
}

/// All rows of a table, column by column as text.
async fn pour(pool: &SqlitePool, table: &Table, arrival: &mut Arrival) -> Result<(), StoreError> {
    let columns: Vec<String> =
        table.columns.iter().map(|column| format!("CAST({column} AS TEXT)")).collect();
    // Names of our own schema, not data.
    let text = format!("SELECT {} FROM {}", columns.join(", "), table.name);
    let mut rows = sqlx::query(AssertSqlSafe(text)).fetch(pool);
    let mut into = arrival.table(table).await?;
    while let Some(row) = rows.try_next().await.map_err(trouble(DOING))? {
        let cells = (0..table.columns.len()).map(|at| {
            let cell: Option<String> = row.try_get(at).map_err(trouble(DOING))?;
            Ok(cell.map(|cell| storable(&cell)))
        });
        into.row(&cells.collect::<Result<Vec<_>, StoreError>>()?).await?;
    }
    into.finish().await
}

/// From here on nobody leads by the file any more.
async fn mark_gone(
    source: &mut SqliteStore,
    to: &PostgresAddress,
    now: Timestamp,
) -> Result<(), StoreError> {
    let text = "INSERT INTO relocation (id, state, place, at) VALUES (1, 'gone', $1, $2)";
    let mark = Statement::new(DOING, text).text(to.to_string()).number(now.as_microsecond());
    source.execute(mark).await.map(|_| ())
}
