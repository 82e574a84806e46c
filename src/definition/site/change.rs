//! A database change (变更) as its folder declares it.

use std::collections::BTreeMap;
use std::path::PathBuf;

use serde::{Deserialize, Serialize};

use super::Site;
use crate::types::{
    ChangeId, MarketName, PersonId, ProductLine, Span, TargetName, TeamName, Text, WindowClass,
};

/// Ids that no change may have: under `/api/v1/changes/` they name something else.
pub const KEPT_IDS: [&str; 2] = ["lists", "stats"];

/// A database change (变更): its folder has `change.yaml`, `backup.sql`, `change.sql`, `verify.sql`, `rollback.sql`; the
/// first and the last may be left out where nightrun keeps the rows.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Change {
    pub id: ChangeId,
    pub title: Text,
    pub class: ChangeClass,
    #[serde(default)]
    pub kind: ChangeKind,
    pub reason: Text,
    pub requester: Option<PersonId>,
    /// Where it goes to one database only; else [`targets`](Self::targets) has them.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub target: Option<TargetName>,
    /// By environment.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub targets: BTreeMap<String, TargetName>,
    /// The folder, from the site's folder.
    pub folder: PathBuf,
    #[serde(default)]
    pub mode: ChangeMode,
    /// Rows that the change may touch in all; outside of it nothing is committed.
    pub rows: RowLimits,
    /// Rows that nightrun keeps itself, in place of `backup.sql`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub backup: Option<Backup>,
    /// How long it usually takes.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub expected: Option<Span>,
    /// Time that verification needs at the most; part of the must-fit rule.
    pub verify_takes: Span,
    pub rollback_takes: Span,
    /// Changes that must be done in the same environment before it.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub needs: Vec<ChangeId>,
    /// A window class that must be open besides that of the rules.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub window: Option<WindowClass>,
    #[serde(default)]
    pub papers: Papers,
    /// Content digest: SHA-256 over the four scripts, mode, row limits, class and `backup:`, in hex. Empty in a definition
    /// that an earlier release has stored.
    #[serde(default)]
    pub content: String,
    /// SHA-256 of each of the four scripts, in the order of their digest, in hex; empty for one that is left out.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub scripts: Vec<String>,
    /// What the check of its scripts warns of, by the names of the rules: whoever approves ticks each by name.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub hazards: Vec<String>,
}

/// What a change carries besides what is executed (D1).
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(default)]
pub struct Papers {
    pub team: Option<TeamName>,
    /// The branch office that asked for it.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub branch: Option<String>,
    /// Number of the governance record (变更治理编号).
    pub governance: Option<String>,
    /// Reference of another system's ticket.
    pub ticket: Option<String>,
    /// Who wrote the scripts.
    pub authors: Vec<PersonId>,
    pub product_manager: Option<PersonId>,
    #[serde(
        alias = "tester",
        deserialize_with = "one_or_more",
        skip_serializing_if = "Vec::is_empty"
    )]
    pub testers: Vec<PersonId>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub product_line: Option<ProductLine>,
    /// Whose functions it touches.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub markets: Vec<MarketName>,
    /// Whom to ask whether it worked.
    pub verification_contact: Option<PersonId>,
    /// Changes whose fault it puts right.
    pub fixes: Vec<ChangeId>,
    /// Changes of other teams that go with it, in words.
    pub related: Vec<String>,
    pub permissions: Vec<Permission>,
    /// Files of its folder.
    pub attachments: Vec<PathBuf>,
    /// Result of the code review (代码互审), and who has read the code.
    pub review: Option<String>,
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub reviewed_by: Vec<PersonId>,
}

/// Definitions of earlier releases have one tester or none.
fn one_or_more<'de, D: serde::Deserializer<'de>>(from: D) -> Result<Vec<PersonId>, D::Error> {
    #[derive(Deserialize)]
    #[serde(untagged)]
    enum Known {
        Several(Vec<PersonId>),
        One(Option<PersonId>),
    }
    Ok(match Known::deserialize(from)? {
        Known::Several(people) => people,
        Known::One(person) => person.into_iter().collect(),
    })
}

/// A permission that is configured after the change, by its own person.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, schemars::JsonSchema)]
pub struct Permission {
    pub what: String,
    pub by: PersonId,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, schemars::JsonSchema)]
pub struct RowLimits {
    pub min: u64,
    pub max: u64,
}

/// Rows that nightrun keeps before a change, and compares and puts back after it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Backup {
    /// In the order in which their rows can be put back.
    pub tables: Vec<BackupTable>,
    /// The change must touch as many rows as are kept, no fewer either.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub exact: bool,
}

/// Names and condition are SQL of its author.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct BackupTable {
    pub table: String,
    pub r#where: String,
    /// By default the primary key that the catalog names.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub key: Vec<String>,
}

#[derive(
    Debug,
    Clone,
    Copy,
    PartialEq,
    Eq,
    PartialOrd,
    Ord,
    Hash,
    Serialize,
    Deserialize,
    schemars::JsonSchema,
)]
#[serde(rename_all = "kebab-case")]
pub enum ChangeClass {
    Data,
    Structure,
    Parameter,
    BugFix,
    Release,
}

impl ChangeClass {
    pub const ALL: [Self; 5] =
        [Self::Data, Self::Structure, Self::Parameter, Self::BugFix, Self::Release];

    /// As files write it.
    pub fn name(self) -> &'static str {
        match self {
            Self::Data => "data",
            Self::Structure => "structure",
            Self::Parameter => "parameter",
            Self::BugFix => "bug-fix",
            Self::Release => "release",
        }
    }
}

/// How urgent a change is.
#[derive(
    Debug,
    Clone,
    Copy,
    PartialEq,
    Eq,
    PartialOrd,
    Ord,
    Hash,
    Default,
    Serialize,
    Deserialize,
    schemars::JsonSchema,
)]
#[serde(rename_all = "kebab-case")]
pub enum ChangeKind {
    #[default]
    Normal,
    /// May run outside of its windows, by approvals of its own; it is counted.
    Emergency,
}

impl ChangeKind {
    pub const ALL: [Self; 2] = [Self::Normal, Self::Emergency];

    /// As files write it.
    pub fn name(self) -> &'static str {
        match self {
            Self::Normal => "normal",
            Self::Emergency => "emergency",
        }
    }
}

/// How a change is committed.
#[derive(
    Debug, Clone, Copy, PartialEq, Eq, Hash, Default, Serialize, Deserialize, schemars::JsonSchema,
)]
#[serde(rename_all = "kebab-case")]
pub enum ChangeMode {
    /// All of it in one transaction.
    #[default]
    Transactional,
    /// Statement by statement, each recorded: for what no transaction can hold.
    Journalled,
}

impl ChangeMode {
    /// As files write it.
    pub fn name(self) -> &'static str {
        match self {
            Self::Transactional => "transactional",
            Self::Journalled => "journalled",
        }
    }
}

impl Change {
    /// A data change of one target, with nothing that may be left out.
    pub fn plain(id: ChangeId, target: TargetName, rows: RowLimits) -> Self {
        Self {
            title: Text::en(id.as_str()),
            class: ChangeClass::Data,
            kind: ChangeKind::Normal,
            reason: Text::default(),
            requester: None,
            target: Some(target),
            targets: BTreeMap::new(),
            folder: PathBuf::from("changes").join(id.as_str()),
            mode: ChangeMode::Transactional,
            rows,
            backup: None,
            expected: None,
            verify_takes: Span::default(),
            rollback_takes: Span::default(),
            needs: Vec::new(),
            window: None,
            papers: Papers::default(),
            content: String::new(),
            scripts: Vec::new(),
            hazards: Vec::new(),
            id,
        }
    }

    /// The database that it changes in an environment; where none is named, its only one.
    pub fn target_in(&self, environment: Option<&str>) -> Option<&TargetName> {
        match environment.filter(|_| !self.targets.is_empty()) {
            Some(environment) => self.targets.get(environment),
            None => self.target.as_ref().or_else(|| {
                let mut all = self.targets.values();
                all.next().filter(|_| self.targets.len() == 1)
            }),
        }
    }

    /// Every environment that it goes to, with its target.
    pub fn places<'a>(&'a self, site: &'a Site) -> Vec<(&'a str, &'a TargetName)> {
        let only = self.target.as_ref().and_then(|target| {
            let known = site.targets.get(target)?;
            Some((known.environment.as_str(), target))
        });
        let named = self.targets.iter().map(|(environment, target)| (environment.as_str(), target));
        let mut places: Vec<_> = only.into_iter().chain(named).collect();
        let order = site.change_rules.iter().flat_map(|rules| &rules.environments);
        let order: Vec<&str> = order.map(String::as_str).collect();
        places.sort_by_key(|(environment, _)| order.iter().position(|known| known == environment));
        places
    }
}
