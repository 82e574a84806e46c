//! What a predecessor's outcome means for a job that needs it: the table of `src/docs/format.md`, and nothing else.

use crate::types::{Condition, Outcome};

/// What one need says about the job that has it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Verdict {
    /// Fulfilled.
    Go,
    /// Not decided yet.
    Wait,
    /// What it waits for will not come this time: the job is left out, and its successors go on.
    LeftOut,
    /// A failure stands in the way: the job is blocked, and so is what needs it.
    Blocked,
}

/// `outcome` is `None` while the predecessor is not settled: waiting, held, running, between attempts, or unknown.
pub fn verdict(outcome: Option<Outcome>, critical: bool, when: Condition) -> Verdict {
    use Condition::{Ended, Failed, Ok};
    let Some(outcome) = outcome else { return Verdict::Wait };
    match (outcome, when) {
        // Over is over, blocked included: a clean-up runs however the rest went.
        (_, Ended) => Verdict::Go,
        (Outcome::Failed, Failed) => Verdict::Go,
        (_, Failed) => Verdict::LeftOut,
        (Outcome::Failed, Ok) if critical => Verdict::Blocked,
        // Neither did its work, and a rerun of the one or a retry of the other may yet do it.
        (Outcome::Blocked | Outcome::Cancelled, Ok) => Verdict::Blocked,
        // A failed non-critical job holds up nobody, and what was left out or forced stands for done.
        (
            Outcome::Failed
            | Outcome::Succeeded
            | Outcome::Skipped
            | Outcome::NotScheduled
            | Outcome::Forced,
            Ok,
        ) => Verdict::Go,
    }
}

/// All needs of a job together. A failure shows at once; that a job is left out is only said when everything that it
/// needs is over, so that what follows it still waits for what came before it.
pub fn together(verdicts: impl Iterator<Item = Verdict>) -> Verdict {
    let (mut waits, mut left_out) = (false, false);
    for verdict in verdicts {
        match verdict {
            Verdict::Blocked => return Verdict::Blocked,
            Verdict::Wait => waits = true,
            Verdict::LeftOut => left_out = true,
            Verdict::Go => {}
        }
    }
    match (waits, left_out) {
        (true, _) => Verdict::Wait,
        (false, true) => Verdict::LeftOut,
        (false, false) => Verdict::Go,
    }
}
