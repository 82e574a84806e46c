//! `service-levels.yaml`.

use super::leaf::{Whole, Word};
use super::record::record;
use super::site::Version;
use super::{List, Names};
use crate::types::{
    Amount, ClockKind, FigureClass, FigureName, FigureUnit, IncidentKind, Misses, PeriodKind,
    Severity,
};

/// An amount of money, in whole units of the currency.
pub(crate) type Money = Whole<0, 1_000_000_000>;

record! {
    /// service-levels.yaml: what the service contract counts, its limits, and what a miss costs.
    pub(crate) struct ServiceLevelsFile {
        /// The format of the file: 1.
        required version: Version,
        /// Of the penalties, such as CNY.
        optional currency: Word,
        /// What a miss costs; nothing without it.
        optional penalties: PenaltiesRecord,
        /// What is counted, by name; reports keep this order.
        required figures: Names<FigureName, FigureRecord>,
    }
}

record! {
    /// What each miss costs, by the class of its figure.
    pub(crate) struct PenaltiesRecord {
        required key: Money,
        required ordinary: Money,
        /// What is due beside them where there are many.
        optional more: MoreRecord,
    }
}

record! {
    /// One amount, once, from so many misses of a class on: exactly as many of `key` or of `ordinary` are enough.
    pub(crate) struct MoreRecord {
        required amount: Money,
        required key: Whole<1, 1_000>,
        required ordinary: Whole<1, 1_000>,
    }
}

record! {
    /// A figure: exactly one of at_most, at_least.
    pub(crate) struct FigureRecord {
        required title: Word,
        optional title_zh: Word,
        /// key, ordinary
        required class: FigureClass,
        /// week, month, quarter
        required period: PeriodKind,
        optional at_most: Amount,
        optional at_least: Amount,
        /// Of what people enter: number (default), percent, hours.
        optional unit: FigureUnit,
        /// entered: by a person. availability, missed-inspections, late, late-hours: nightrun counts it.
        required source: SourceWord,
        /// Of `late` and `late-hours`: which limits of which incidents.
        optional incidents: LateRecord,
        /// Of `entered`: it is reckoned from these.
        optional parts: Names<FigureName, PartRecord>,
        /// once (default): a broken limit is one miss. each: every one above the limit is a miss.
        optional misses: Misses,
    }
}

record! {
    /// A limit of escalation.yaml over all incidents that it was watched for.
    pub(crate) struct LateRecord {
        /// response, third-party, on-site, solution, report
        required clock: ClockKind,
        /// fault, request, problem; all by default.
        optional kinds: List<IncidentKind>,
        /// All by default.
        optional severities: List<Severity>,
        /// Only those that no third party was called for before the limit had passed.
        optional without_third_party: bool,
    }
}

record! {
    /// A part of a figure, entered as a whole number.
    pub(crate) struct PartRecord {
        required title: Word,
        optional title_zh: Word,
        /// So many of them make one of the figure. Default: 1.
        optional every: Whole<1, 1_000>,
    }
}

/// Where a figure comes from.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum SourceWord {
    Entered,
    Availability,
    MissedInspections,
    Late,
    LateHours,
}
