//! `service-levels.yaml` → what the service contract counts.

use std::collections::BTreeMap;

use super::changes::values;
use super::settings::text;
use crate::definition::copy::sha256;
use crate::definition::defect::Finding;
use crate::definition::raw::At;
use crate::definition::raw::service_levels::{
    FigureRecord, LateRecord, Money, PartRecord, PenaltiesRecord, ServiceLevelsFile, SourceWord,
};
use crate::definition::sheets::{Findings, Sheets};
use crate::definition::site::{
    Escalation, Figure, FigureLimit, FigurePart, FigureSource, InspectionRules, LateIncidents,
    MorePenalty, Penalties, ServiceLevels,
};
use crate::definition::source::{SourceFile, SourceTree};
use crate::types::{Amount, FigureName, FigureUnit, IncidentKind, Misses, Severity};

/// What figures that nightrun counts go by.
#[derive(Clone, Copy)]
pub(super) struct Counts<'a> {
    pub(super) escalation: Option<&'a Escalation>,
    pub(super) inspections: Option<&'a InspectionRules>,
}

pub(super) fn resolve(
    tree: &SourceTree,
    sheets: &Sheets,
    counts: Counts<'_>,
    findings: &mut Findings,
) -> Option<ServiceLevels> {
    let sheet = sheets.service_levels.as_ref()?;
    let raw = sheet.raw.as_ref()?;
    let mut found = Vec::new();
    let digest = match tree.get(&sheet.file) {
        Some(SourceFile::Content(bytes)) => sha256(bytes),
        _ => String::new(),
    };
    let levels = Resolver { sheets, counts, found: &mut found }.levels(digest, raw);
    findings.add(&sheet.file, found);
    levels
}

struct Resolver<'a> {
    sheets: &'a Sheets,
    counts: Counts<'a>,
    found: &'a mut Vec<Finding>,
}

impl Resolver<'_> {
    fn levels(&mut self, digest: String, raw: &ServiceLevelsFile) -> Option<ServiceLevels> {
        let figures = raw.figures.given()?;
        if figures.value.0.is_empty() {
            self.found.push(Finding::error(figures.at, "no figure is counted"));
        }
        if let (Some(penalties), true) = (raw.penalties.at(), raw.currency.is_absent()) {
            let finding = Finding::error(penalties, "nobody knows in which currency this is due");
            self.found.push(finding.hint("such as `currency: CNY`"));
        }
        let named = figures.value.good();
        Some(ServiceLevels {
            digest,
            currency: raw.currency.get().map(|word| word.0.clone()).unwrap_or_default(),
            penalties: raw.penalties.get().map(penalties).unwrap_or_default(),
            figures: named.filter_map(|(name, record)| self.figure(name, record)).collect(),
        })
    }

    fn figure(&mut self, name: &At<FigureName>, raw: &FigureRecord) -> Option<Figure> {
        let source = self.source(name, raw);
        let unit = self.unit(name, raw);
        let limit = self.limit(name, raw, unit);
        let misses = raw.misses.or(Misses::Once);
        if let (Some(given), Misses::Each) = (raw.misses.given(), misses)
            && (unit != FigureUnit::Number || !matches!(limit, Some(FigureLimit::AtMost(_))))
        {
            let finding = Finding::error(given.at, "there are no single ones above this limit");
            self.found.push(finding.hint("`misses: each` goes with `at_most` and whole numbers"));
        }
        Some(Figure {
            name: name.value.clone(),
            title: text(&raw.title, &raw.title_zh),
            class: *raw.class.get()?,
            period: *raw.period.get()?,
            limit: limit?,
            unit,
            source: source?,
            misses,
        })
    }

    fn source(&mut self, name: &At<FigureName>, raw: &FigureRecord) -> Option<FigureSource> {
        let source = raw.source.given()?;
        let counts_late = matches!(source.value, SourceWord::Late | SourceWord::LateHours);
        match (raw.incidents.at(), counts_late) {
            (Some(at), false) => {
                let what = "`incidents` goes with `source: late` or `late-hours`";
                self.found.push(Finding::error(at, what));
            }
            (None, true) => {
                let finding = Finding::error(source.at, "nothing says which limit counts");
                let hint = "such as `incidents: {clock: response, kinds: [fault]}`";
                self.found.push(finding.hint(hint));
            }
            _ => {}
        }
        if let Some(at) = raw.parts.at().filter(|_| source.value != SourceWord::Entered) {
            self.found.push(Finding::error(at, "`parts` goes with `source: entered`"));
        }
        let late = || raw.incidents.get();
        Some(match source.value {
            SourceWord::Entered => FigureSource::Entered { parts: self.parts(name, raw) },
            SourceWord::Availability => FigureSource::Availability,
            SourceWord::MissedInspections => {
                if self.counts.inspections.is_none() && self.lacks_inspections() {
                    let finding = Finding::error(source.at, "the site counts no inspections");
                    self.found.push(finding.hint("`inspections:` in site.yaml says how many"));
                }
                FigureSource::MissedInspections
            }
            SourceWord::Late => FigureSource::Late(self.late(late()?)?),
            SourceWord::LateHours => FigureSource::LateHours(self.late(late()?)?),
        })
    }

    /// Whether site.yaml could be read and says nothing of them.
    fn lacks_inspections(&self) -> bool {
        let raw = self.sheets.site.as_ref().and_then(|sheet| sheet.raw.as_ref());
        raw.is_some_and(|raw| raw.inspections.is_absent())
    }

    fn parts(
        &mut self,
        name: &At<FigureName>,
        raw: &FigureRecord,
    ) -> BTreeMap<FigureName, FigurePart> {
        let Some(given) = raw.parts.given() else { return BTreeMap::new() };
        if given.value.0.is_empty() {
            let what = format!("`{}` is reckoned from nothing", name.value);
            self.found.push(Finding::error(given.at, what));
        }
        let part = |(name, record): (&At<FigureName>, &PartRecord)| {
            let every = record.every.get().map_or(1, |every| every.to_u32());
            let title = text(&record.title, &record.title_zh);
            (name.value.clone(), FigurePart { title, every })
        };
        given.value.good().map(part).collect()
    }

    /// What the site watches: a limit that no rule gives would be kept whatever happens.
    fn late(&mut self, raw: &LateRecord) -> Option<LateIncidents> {
        let clock = raw.clock.given()?;
        for kind in raw.kinds.get().into_iter().flat_map(|kinds| &kinds.0) {
            if kind.value == IncidentKind::Drill {
                self.found.push(Finding::error(kind.at, "a drill counts as no incident"));
            }
        }
        let (kinds, severities) = (values(&raw.kinds), values(&raw.severities));
        let usual = [IncidentKind::Fault, IncidentKind::Request, IncidentKind::Problem];
        let of_kinds = if kinds.is_empty() { &usual[..] } else { &kinds };
        let of_severities = if severities.is_empty() { Severity::ALL } else { &severities };
        let readable = self.sheets.escalation.as_ref().is_none_or(|sheet| sheet.raw.is_some());
        let watched = |kind: &IncidentKind| {
            let mut of = of_severities.iter().flat_map(|severity| {
                self.counts.escalation.into_iter().flat_map(|rules| rules.limits(*kind, *severity))
            });
            of.any(|(limited, _)| limited == clock.value)
        };
        if readable && let Some(kind) = of_kinds.iter().find(|kind| !watched(kind)) {
            let what = format!("no rule of escalation.yaml limits the {} of a {kind}", clock.value);
            let hint = "`clocks:` there says until when what is done";
            self.found.push(Finding::error(clock.at, what).hint(hint));
        }
        let without_third_party = raw.without_third_party.or(false);
        Some(LateIncidents { clock: clock.value, kinds, severities, without_third_party })
    }

    fn unit(&mut self, name: &At<FigureName>, raw: &FigureRecord) -> FigureUnit {
        let own = match raw.source.get() {
            Some(SourceWord::Entered) if raw.parts.is_absent() => {
                return raw.unit.or(FigureUnit::Number);
            }
            Some(SourceWord::Availability) => FigureUnit::Percent,
            _ => FigureUnit::Number,
        };
        if let Some(given) = raw.unit.given().filter(|given| given.value != own) {
            let what = format!("`{}` is counted in another unit: {own}", name.value);
            self.found.push(Finding::error(given.at, what).hint("leave `unit` out"));
        }
        own
    }

    fn limit(
        &mut self,
        name: &At<FigureName>,
        raw: &FigureRecord,
        unit: FigureUnit,
    ) -> Option<FigureLimit> {
        let (most, least) = (raw.at_most.given(), raw.at_least.given());
        let (given, limit) = match (most, least) {
            (Some(most), None) => (most, FigureLimit::AtMost(most.value)),
            (None, Some(least)) => (least, FigureLimit::AtLeast(least.value)),
            (Some(_), Some(least)) => {
                let what = format!("`{}` has two limits", name.value);
                let hint = "keep one of `at_most` and `at_least`";
                self.found.push(Finding::error(least.at, what).hint(hint));
                return None;
            }
            (None, None) => {
                if raw.at_most.is_absent() && raw.at_least.is_absent() {
                    let what = format!("`{}` has no limit", name.value);
                    let hint = "such as `at_most: 0` or `at_least: 99.9`";
                    self.found.push(Finding::error(name.at, what).hint(hint));
                }
                return None;
            }
        };
        match unit {
            FigureUnit::Percent if given.value > Amount::whole(100) => {
                self.found.push(Finding::error(given.at, "more than 100 percent"));
            }
            FigureUnit::Number if !given.value.is_whole() => {
                self.found.push(Finding::error(given.at, "a count is a whole number"));
            }
            _ => {}
        }
        Some(limit)
    }
}

fn penalties(raw: &PenaltiesRecord) -> Penalties {
    let more = raw.more.get().and_then(|more| {
        Some(MorePenalty {
            amount: more.amount.get()?.to_u32(),
            key: more.key.get()?.to_u32(),
            ordinary: more.ordinary.get()?.to_u32(),
        })
    });
    let amount = |money: Option<&Money>| money.map_or(0, |money| money.to_u32());
    Penalties { key: amount(raw.key.get()), ordinary: amount(raw.ordinary.get()), more }
}
