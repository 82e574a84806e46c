//! What a host and the targets know of attempts, for a store that may know less.

use crate::types::{Epoch, RunId};

pub use crate::core::fact::LostAttempt;
pub use crate::core::restored::Seen;

/// What the agent's folder says.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct AgentTold {
    /// The highest that it has obeyed; 0: nobody yet.
    pub epoch: Epoch,
    /// Tells this spool from any other; `None`: there is none.
    pub spool: Option<String>,
    /// Attempts that were asked after.
    pub seen: Vec<Seen>,
    /// Runs whose attempts were given away to an archive.
    pub retired: Vec<RunId>,
}
