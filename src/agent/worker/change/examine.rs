//! An examining attempt: what an earlier one has left is found out, and nothing is applied. What is asked and answered goes
//! into the journal with its ending.

use super::{Attempt, Stop, marker, now, say};
use crate::wire::Evidence;

impl Attempt<'_> {
    pub(super) fn found(&mut self, query: impl Into<String>, answer: impl Into<String>) {
        let (query, answer) = (query.into(), answer.into());
        say!("evidence: {query}: {answer}");
        self.work.evidence.push(Evidence { query, answer, at: now() });
    }

    /// What the marker holds of the run, row by row. Read while the session has the lock, so that nobody else is at work.
    pub(super) async fn found_rows(&mut self) {
        let Some(mut held) = self.held.take() else { return };
        let session = held.db.session().map(|session| session.number);
        let (lock, identity) = (held.lock_words(), held.db.identity().map(str::to_owned));
        let rows = marker::read(&mut held.db, &self.task.change).await;
        self.held = Some(held);
        let here = match (identity, session) {
            (Some(identity), Some(session)) => format!("database {identity}, session {session}"),
            _ => self.place(),
        };
        self.found("the lock of the change", format!("{lock}; {here}"));
        let answer = match rows {
            Ok(rows) => {
                let run = format!("{}/", self.id.run);
                let ours = rows.iter().filter(|row| row.attempt.starts_with(&run));
                let lines: Vec<String> = ours.map(marker::Entry::line).collect();
                if lines.is_empty() { "no row".to_owned() } else { lines.join("; ") }
            }
            Err(error) => error.to_string(),
        };
        let query =
            format!("rows of nightrun_change_run of {} in {}", self.task.change, self.id.run);
        self.found(query, answer);
    }

    /// The change would have to be begun: the marker has nothing of the run, and nobody is at work, so that whatever was
    /// begun before is rolled back.
    pub(super) fn never_applied() -> Stop {
        Stop::clean("examined: nothing of the change is in the target, and nobody works on it")
    }
}
