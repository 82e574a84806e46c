//! Before a change is applied: whether its target still knows of what was done there before it.

use super::{Attempt, Stop, marker};
use crate::agent::worker::db::{Db, DbError};
use crate::agent::worker::log::{count, say};
use crate::wire::Mark;

impl Attempt<'_> {
    /// A target that has lost what the journal calls done was restored from an older copy, or failed over to one. What is
    /// applied to it then rests on data that is not there, and buries what has happened: nothing is, before people know.
    pub(super) async fn not_drifted(&mut self) -> Result<(), Stop> {
        let task = self.task;
        let marks = &task.marks;
        if marks.is_empty() {
            return Ok(());
        }
        let place = self.place();
        let unread = |error| Stop::clean(format!("the markers in {place} cannot be read: {error}"));
        let mut held = self.held().await.map_err(unread)?;
        let lost = lost(&mut held.db, marks).await;
        self.held = Some(held);
        let lost = lost.map_err(unread)?;
        if lost.is_empty() {
            let done = count(marks.len() as u64, "change");
            say!("target: it still has the markers of the last {done} that were done here");
            return Ok(());
        }
        Err(Stop::clean(format!(
            "DRIFT: {} has no marker of what was done there: {}; it was restored from an older copy or failed over, or somebody \
             has deleted rows of nightrun_change_run. Nothing is applied until two people have said of each that it is lost \
             (`nightrun change lost`), or its rows are back",
            place,
            lost.join(", ")
        )))
    }
}

/// Those of which no row is there.
async fn lost(db: &mut Db, marks: &[Mark]) -> Result<Vec<String>, DbError> {
    let mut lost = Vec::new();
    for mark in marks {
        let rows = marker::read(db, &mark.change).await?;
        if !rows.iter().any(|row| mark.is_of(&row.attempt, &row.step)) {
            lost.push(format!("{} ({})", mark.change, mark.attempt));
        }
    }
    Ok(lost)
}
