//! Layer 3: read models. Plain values that the supervisor builds from the core's state, and that pages, reports,
//! mails, the terminal and `--format json` show. Nothing here decides, and nothing here is words: reasons are data.

pub mod access;
pub mod archives;
pub mod audit;
pub mod availability;
pub mod bands;
pub mod behind;
pub mod bulletin;
pub mod change;
pub mod change_desk;
pub mod change_diff;
pub mod change_evidence;
pub mod change_papers;
pub mod change_proof;
pub mod change_rows;
pub mod change_stats;
pub mod drift;
pub mod drill;
pub mod environments;
pub mod event;
pub mod far_host;
pub mod folding;
pub mod graph;
pub mod hand_over;
pub mod health;
pub mod hosts;
pub mod incident;
pub mod inspection;
pub mod job;
pub mod list;
pub mod month;
pub mod night_rows;
pub mod of_fact;
pub mod of_hand_over;
pub mod of_incident;
pub mod of_job;
pub mod of_one_job;
pub mod of_path;
pub mod of_plan;
pub mod of_plan_job;
pub mod of_rehearsal;
mod of_report;
pub mod of_run;
pub mod of_standing;
pub mod of_tried;
pub mod of_why;
pub mod of_why_unopened;
pub mod one_job;
pub mod operations;
pub mod plan;
pub mod rehearsal;
pub mod report;
pub mod roster;
pub mod roster_feed;
pub mod roster_sheet;
pub mod run;
pub mod service_levels;
pub mod signoff;
pub mod standing;
pub mod starts;
pub mod status;
pub mod tried;
pub mod why;

use serde::{Deserialize, Serialize};

use crate::definition::site::Site;
use crate::types::{PersonId, Text};

/// A person as shown: the id is who it is, the name is what is read.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, schemars::JsonSchema)]
pub struct Who {
    pub id: PersonId,
    pub name: Text,
}

impl Who {
    /// A person of the site; one whom it does not know (any more) is shown by the id.
    pub fn of(site: &Site, id: &PersonId) -> Self {
        let name = site.people.get(id).map(|person| person.name.clone());
        Self { id: id.clone(), name: name.unwrap_or_else(|| Text::en(id.as_str())) }
    }
}

#[cfg(test)]
mod of_run_tests;
