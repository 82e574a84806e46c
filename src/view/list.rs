//! A list of changes as pages and mails show it.

use jiff::Timestamp;
use schemars::JsonSchema;
use serde::Serialize;

use crate::core::change::SealedList;
use crate::core::fact::RunOpened;
use crate::core::state::Run;
use crate::types::{PersonId, RunId, Text, Zone};

/// The list of a run, or what would be on it.
#[derive(Debug, Clone, PartialEq, Serialize, JsonSchema)]
pub struct ListView {
    /// The commit that its files came from, where they lie in a git repository.
    pub commit: Option<String>,
    #[serde(flatten)]
    pub list: SealedList,
}

impl ListView {
    pub fn of(opened: &RunOpened) -> Option<Self> {
        let list = opened.list.as_deref()?.clone();
        let commit = opened.revision.as_ref().map(|revision| revision.commit.clone());
        Some(Self { commit, list })
    }
}

/// A list as the mail of its seal tells of it.
#[derive(Debug, Clone, PartialEq)]
pub struct ListTold {
    pub site: Text,
    pub zone: Zone,
    pub title: Text,
    pub run: RunId,
    /// When it was sealed.
    pub at: Timestamp,
    pub view: ListView,
    /// Who is mailed.
    pub people: Vec<PersonId>,
}

impl ListTold {
    /// `None`: the run is not that of a list, or counts for nothing.
    pub fn of(run: &Run) -> Option<Self> {
        let view = ListView::of(&run.opened).filter(|_| !run.opened.trial)?;
        let rules = run.site.change_rules.as_ref()?;
        let mut people: Vec<PersonId> = Vec::new();
        for (person, _) in rules.seal_mail.iter().flat_map(|role| run.site.with_role(role)) {
            if !people.contains(person) {
                people.push(person.clone());
            }
        }
        Some(Self {
            site: run.site.title.clone(),
            zone: rules.zone.clone(),
            title: run.batch.title.clone(),
            run: run.id().clone(),
            at: run.opened_at,
            view,
            people,
        })
    }
}
