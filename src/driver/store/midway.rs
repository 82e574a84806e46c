//! The fault point `store.mid-commit`: passed at each step of SQLite's machine within the statement that is a commit, so
//! that `NIGHTRUN_FAULT=store.mid-commit:300` kills in the middle of it.

use sqlx::SqliteConnection;

use super::trouble::trouble;
use crate::fault;
use crate::port::StoreError;

pub(super) async fn arm(conn: &mut SqliteConnection) -> Result<(), StoreError> {
    let mut handle = conn.lock_handle().await.map_err(trouble("arming a fault"))?;
    handle.set_progress_handler(1, || {
        fault::point("store.mid-commit");
        true
    });
    Ok(())
}
