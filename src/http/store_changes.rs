//! What the journal holds of changes, walked from its first entry and proven: for the API, and for whoever looks without a
//! supervisor.

use std::collections::BTreeSet;
use std::path::Path;

use jiff::Timestamp;

use super::store_access::NotAudited;
use crate::core::change::ChangeStep;
use crate::core::fact::Fact;
use crate::core::state::Standing;
use crate::driver::archived::Contents;
use crate::driver::store::StateReader;
use crate::journal::{Entry, Proof, Sealed};
use crate::port::{StoreError, StoreReader};
use crate::types::{AttemptId, ChangeId};
use crate::view::audit::Point;
use crate::view::change_diff::Texts;
use crate::view::change_proof::{Recorded, RecordedAttempt};

/// Entries read at a time.
const PIECE: u32 = 2_000;

/// Those of these bytes that are kept, by their SHA-256 in hex; what is no UTF-8 of them is replaced.
pub async fn texts(
    reader: &StateReader,
    digests: impl IntoIterator<Item = String>,
) -> Result<Texts, StoreError> {
    let mut texts = Texts::new();
    for digest in digests {
        if let Some(bytes) = reader.blob_get(&digest).await? {
            texts.insert(digest, String::from_utf8_lossy(&bytes).into_owned());
        }
    }
    Ok(texts)
}

/// The entries of these changes and of their attempts. `archives`: where the entries of runs are that are not in the store
/// any more.
pub async fn recorded(
    reader: &StateReader,
    archives: Option<&Path>,
    standing: &Standing,
    changes: &BTreeSet<ChangeId>,
) -> Result<Recorded, NotAudited> {
    let archived = reader.archived().await?;
    let mut contents = archives.map(|folder| Contents::at_hand(folder, &archived, Timestamp::MIN));
    let mut walk = Walk::of(standing, changes);
    let mut proof = Proof::default();
    // Taken first: a supervisor may add to it meanwhile.
    let stored = reader.head().await?;
    let mut met = stored.seq == 0;
    loop {
        let page = reader.all_entries(proof.head().seq, PIECE).await?;
        for sealed in &page {
            let asked = sealed.run.as_ref().is_some_and(|run| walk.runs.contains(run));
            let body = match &mut contents {
                Some(contents) if asked => contents.body(sealed).await?,
                _ => None,
            };
            let entry = proof.take(sealed, body.as_deref())?;
            met |= *proof.head() == stored;
            if let Some(entry) = entry {
                walk.take(sealed, entry);
            }
        }
        if page.is_empty() {
            break;
        }
    }
    let head = proof.finish()?.head;
    if !met {
        return Err(NotAudited::Head { stored: stored.seq, found: head.seq });
    }
    let head = Some(Point { seq: head.seq, hash: head.hash });
    Ok(Recorded { head, ..walk.found })
}

struct Walk<'a> {
    standing: &'a Standing,
    changes: &'a BTreeSet<ChangeId>,
    /// As the columns of entries have them.
    runs: BTreeSet<String>,
    found: Recorded,
}

impl<'a> Walk<'a> {
    fn of(standing: &'a Standing, changes: &'a BTreeSet<ChangeId>) -> Self {
        let lives = changes.iter().filter_map(|change| standing.changes.get(change));
        let attempts: BTreeSet<AttemptId> = lives
            .flat_map(|life| &life.steps)
            .filter_map(|taken| match &taken.step {
                ChangeStep::Began { began } => Some(began.attempt.clone()),
                ChangeStep::Ended { ended } => Some(ended.attempt.clone()),
                _ => None,
            })
            .collect();
        let runs = attempts.iter().map(|attempt| attempt.run.to_string()).collect();
        let found = Recorded {
            attempts: attempts.into_iter().map(|id| (id, RecordedAttempt::default())).collect(),
            ..Recorded::default()
        };
        Self { standing, changes, runs, found }
    }

    fn take(&mut self, sealed: &Sealed, entry: Entry) {
        let point = Point { seq: sealed.seq, hash: sealed.hash.clone() };
        match entry.fact {
            Fact::ChangeMoved { change, number, step, .. } if self.changes.contains(&change) => {
                // What is shown is the step that this very entry holds.
                let life = self.standing.changes.get(&change);
                let at = usize::try_from(number).ok().and_then(|number| number.checked_sub(1));
                let shown = life.zip(at).and_then(|(life, at)| life.steps.get(at));
                if shown.is_some_and(|taken| taken.step == *step && taken.at == entry.at) {
                    self.found.steps.insert((change, number), point);
                }
            }
            Fact::RunOpened(opened) if self.runs.contains(&opened.run.to_string()) => {
                let revision = opened.revision.clone();
                self.found.revisions.extend(revision.map(|it| (opened.run.clone(), it)));
            }
            Fact::AttemptIntended { attempt, .. } | Fact::AttemptStarted { attempt, .. } => {
                self.of_attempt(&attempt, point);
            }
            Fact::AttemptEnded { ended, .. } => {
                self.of_attempt(&ended.attempt, point);
                if let Some(told) = self.found.attempts.get_mut(&ended.attempt) {
                    told.end(&ended.work);
                }
            }
            _ => {}
        }
    }

    fn of_attempt(&mut self, attempt: &AttemptId, point: Point) {
        if let Some(told) = self.found.attempts.get_mut(attempt) {
            told.entries.push(point);
        }
    }
}
