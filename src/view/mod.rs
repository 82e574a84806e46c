//! Layer 3: read models. Plain values that the supervisor builds from the core's state, and that pages, reports,
//! mails, the terminal and `--format json` show. Nothing here decides, and nothing here is words: reasons are data.

pub mod event;
pub mod failure;
pub mod job;
pub mod plan;
pub mod report;
pub mod run;
pub mod status;
pub mod why;

use serde::Serialize;

use crate::types::{PersonId, Text};

/// A person as shown: the id is who it is, the name is what is read.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Who {
    pub id: PersonId,
    pub name: Text,
}
