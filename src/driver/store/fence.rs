//! Whether a commit may still be made: pure, and the same for every database.

use crate::journal::Head;
use crate::port::{Commit, StoreError};
use crate::types::Epoch;

/// What becomes of a commit.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum Verdict {
    /// It goes in, and the journal then stands here.
    Goes(Head),
    /// It went in before; only the answer was lost.
    IsThere,
}

pub(super) fn overtaken(epoch: Epoch, leads: Epoch) -> StoreError {
    StoreError::Overtaken(format!(
        "it leads under epoch {}, and epoch {} was claimed since",
        epoch.0, leads.0
    ))
}

/// Judges a commit by where the stored journal stands and who leads.
pub(super) fn judge(stored: &Head, leads: Epoch, commit: &Commit) -> Result<Verdict, StoreError> {
    let epoch = commit.epoch;
    if epoch < leads {
        return Err(overtaken(epoch, leads));
    }
    if epoch > leads || commit.entries.iter().any(|entry| entry.epoch != epoch) {
        return Err(StoreError::Contradiction(format!(
            "a commit under epoch {} while {} was claimed, or with entries of another",
            epoch.0, leads.0
        )));
    }
    if let Some(last) = commit.entries.last()
        && last.seq == stored.seq
        && last.hash == stored.hash
    {
        return Ok(Verdict::IsThere);
    }
    let first = commit.entries.first().map(|entry| entry.seq);
    let head = commit.entries.iter().try_fold(stored.clone(), |head, entry| head.then(entry));
    match head {
        Ok(head) => Ok(Verdict::Goes(head)),
        Err(broken) if Some(broken.seq) == first => Err(StoreError::Overtaken(format!(
            "the stored journal stands at entry {}, and this does not continue it: {broken}",
            stored.seq
        ))),
        Err(broken) => Err(StoreError::Contradiction(broken.to_string())),
    }
}
