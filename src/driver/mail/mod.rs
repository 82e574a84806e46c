//! Mail: composing messages, and the two ways that they take.

mod compose;
mod folder;
mod smtp;

pub use compose::{NotComposed, compose};
pub use folder::FolderMailer;
pub use smtp::{LIMIT, SmtpMailer};
