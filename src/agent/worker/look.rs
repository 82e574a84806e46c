//! Looking at a target: a session that cannot write, opened, asked and closed. For proofs and for people who decide, in the
//! process of whoever asks.

use std::collections::BTreeMap;

use super::db::{Access, Db, DbError, Target};
use super::halt::Halt;
use super::ledger;
use crate::definition::site::Engine;
use crate::sql::Dialect;
use crate::types::ChangeId;
use crate::wire::{Marked, MarkerRow};

/// What the target says of a change now. Where its table of changes is missing it says nothing.
///
/// # Errors
/// In words: it cannot be reached, or what it holds cannot be read.
pub async fn marked(engine: &Engine, change: &ChangeId) -> Result<Marked, String> {
    let mut db = open(engine).await?;
    let read = rows(&mut db, change).await;
    let identity = db.identity().map(str::to_owned);
    db.close().await;
    Ok(Marked { identity, rows: read.map_err(|error| error.to_string())? })
}

/// Opens a session that cannot write.
pub(super) async fn open(engine: &Engine) -> Result<Db, String> {
    if let Engine::Sqlite { path } = engine
        && !path.is_file()
    {
        return Err(format!("{} is not there", path.display()));
    }
    let target = Target::new(engine, None, Halt::never());
    target.open(Access::Read).await.map_err(|error| error.to_string())
}

pub(super) async fn rows(db: &mut Db, change: &ChangeId) -> Result<Vec<MarkerRow>, DbError> {
    let known = ledger::of(db.dialect());
    if db.number(known.exists).await? == 0 {
        return Ok(Vec::new());
    }
    let told = db.ask(known.whole, &[Some(change.as_str())]).await?;
    let mut rows: Vec<MarkerRow> =
        told.into_iter().map(row).collect::<Option<_>>().ok_or_else(|| {
            DbError::refused("nightrun_change_run holds what nightrun never wrote")
        })?;
    if db.dialect() == Dialect::Postgres {
        let mut known: BTreeMap<String, Option<String>> = BTreeMap::new();
        for row in &mut rows {
            let Some(xid) = row.xid.clone() else { continue };
            if !known.contains_key(&xid) {
                let status = db.status(&xid).await?;
                known.insert(xid.clone(), status);
            }
            row.status = known.get(&xid).cloned().flatten();
        }
    }
    Ok(rows)
}

fn row(cells: Vec<Option<String>>) -> Option<MarkerRow> {
    let [attempt, content_digest, step, at, rows, outcome, xid, session, user] =
        cells.try_into().ok()?;
    let rows = rows.map(|rows| rows.parse()).transpose().ok()?;
    Some(MarkerRow {
        attempt: attempt?,
        content_digest: content_digest?,
        step: step?,
        at: at?,
        rows,
        outcome,
        xid,
        session,
        user,
        status: None,
    })
}
