//! Layer 4: the outside world as the supervisor sees it.

mod agent;
mod clock;
mod mailer;
mod store;

pub use agent::{AgentEvent, AgentLink};
pub use clock::{Clock, TrialOffset};
pub use mailer::{Attachment, Letter, Mailer, Party, SendError};
pub use store::{Commit, Durations, QueuedMail, RunFilter, Store, StoreError, StoreReader};
