//! Layer 4: the outside world as the supervisor sees it.

mod agent;
mod clock;
mod mailer;
mod store;

pub use agent::{AgentEvent, AgentLink};
pub use clock::Clock;
pub use mailer::{Mailer, SendError};
pub use store::{Store, StoreError};
