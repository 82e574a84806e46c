//! What the service contract counts (服务级别), its limits, and what a miss costs (S1).

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

use crate::types::{
    Amount, ClockKind, FigureClass, FigureName, FigureUnit, IncidentKind, Misses, PeriodKind,
    Severity, Text,
};

/// What `service-levels.yaml` declares. Runs go by no copy of it: it is asked as it stands.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct ServiceLevels {
    /// SHA-256 of the file, in hex: which table reports are reckoned by.
    pub digest: String,
    /// Empty where nothing is due for a miss.
    pub currency: String,
    pub penalties: Penalties,
    /// In the order of the file; never empty, each name once.
    pub figures: Vec<Figure>,
}

/// What misses cost, in whole units of the currency.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
pub struct Penalties {
    pub key: u32,
    pub ordinary: u32,
    /// Due once, beside those of the misses.
    pub more: Option<MorePenalty>,
}

/// From so many misses of one class on.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub struct MorePenalty {
    pub amount: u32,
    pub key: u32,
    pub ordinary: u32,
}

impl Penalties {
    pub fn each(&self, class: FigureClass) -> u32 {
        match class {
            FigureClass::Key => self.key,
            FigureClass::Ordinary => self.ordinary,
        }
    }
}

#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Figure {
    pub name: FigureName,
    pub title: Text,
    pub class: FigureClass,
    pub period: PeriodKind,
    pub limit: FigureLimit,
    pub unit: FigureUnit,
    pub source: FigureSource,
    pub misses: Misses,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, schemars::JsonSchema)]
#[serde(rename_all = "kebab-case")]
pub enum FigureLimit {
    AtMost(Amount),
    AtLeast(Amount),
}

impl FigureLimit {
    pub fn keeps(self, value: Amount) -> bool {
        match self {
            Self::AtMost(most) => value <= most,
            Self::AtLeast(least) => value >= least,
        }
    }
}

/// Where a figure comes from.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum FigureSource {
    /// A person enters it, or the parts that it is reckoned from.
    Entered { parts: BTreeMap<FigureName, FigurePart> },
    /// Of the service that was interrupted longest, causes outside the system excepted.
    Availability,
    /// Rounds that lack (I1).
    MissedInspections,
    /// Incidents whose limit passed in the period (E3).
    Late(LateIncidents),
    /// The same, and each further hour until it was done counts again.
    LateHours(LateIncidents),
}

/// So many of them make one of the figure.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct FigurePart {
    pub title: Text,
    /// Never 0.
    pub every: u32,
}

/// A limit of some incidents; drills are none.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct LateIncidents {
    pub clock: ClockKind,
    /// All when empty.
    pub kinds: Vec<IncidentKind>,
    /// All when empty.
    pub severities: Vec<Severity>,
    /// Only those that no third party was called for before the limit had passed.
    pub without_third_party: bool,
}

impl ServiceLevels {
    pub fn figure(&self, name: &FigureName) -> Option<&Figure> {
        self.figures.iter().find(|figure| figure.name == *name)
    }
}
