//! Layer 4: the outside world as the supervisor sees it.

mod agent;
mod clock;
pub mod control;
pub mod credentials;
mod folders;
mod mailer;
mod published;
mod pulse;
mod store;
pub mod witness;

pub use agent::{AgentEvent, AgentLink};
pub use clock::{Clock, TrialOffset};
pub use folders::{Defects, Folders, LoadedSite, SiteSource};
pub use mailer::{Attachment, Letter, Mailer, Party, Picture, SendError};
pub use published::{Meters, Published, Stage};
pub use pulse::Pulse;
pub use store::{
    Archived, Commit, Durations, QueuedMail, Restoration, RunFilter, Store, StoreError,
    StoreReader, Unsent,
};
