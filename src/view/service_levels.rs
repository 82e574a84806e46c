//! Service levels of a time (S1): each figure with its limit, its value, whether it was kept, where it is from, and what is
//! due. What nobody has entered and what is not over has no verdict.

use std::collections::BTreeMap;
use std::time::Duration;

use jiff::civil::Date;
use jiff::{Timestamp, ToSpan};
use serde::{Deserialize, Serialize};

use super::Who;
use super::availability::{passed, services};
use crate::core::figure::FigureEntered;
use crate::core::incident::{Incident, IncidentStep};
use crate::core::state::State;
use crate::definition::site::{Figure, FigureLimit, FigureSource, LateIncidents, Penalties, Site};
use crate::types::{
    Amount, ClockKind, FigureClass, FigureName, FigureUnit, IncidentId, Misses, Period, PeriodKind,
    Text,
};

/// The table of the service contract for one period.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, schemars::JsonSchema)]
pub struct LevelsView {
    /// SHA-256 of `service-levels.yaml`, in hex: all of this is reckoned by that file as it is now, whatever the period.
    pub table: String,
    /// Of the penalties; empty where nothing is due for a miss.
    pub currency: String,
    /// Penalties are a part of the reports of these periods, the longest that a figure has, and so of no other: here they are
    /// 0. `null`: this is such a report, or nothing is due for a miss.
    pub penalties_in: Option<PeriodKind>,
    /// In the order of the file; of figures of shorter periods one line for each that ends in this one and has begun.
    pub lines: Vec<LevelLine>,
    pub key_misses: u32,
    pub ordinary_misses: u32,
    /// Due beside the penalties of the lines, because there are so many misses.
    pub more: u64,
    /// All that is due as far as figures are known.
    pub sum: u64,
    /// Lines without a verdict.
    pub not_known: u32,
}

#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, schemars::JsonSchema)]
pub struct LevelLine {
    pub figure: FigureName,
    pub title: Text,
    pub class: FigureClass,
    pub period: Period,
    pub limit: FigureLimit,
    pub unit: FigureUnit,
    /// `null`: nobody has entered it.
    pub value: Option<Amount>,
    pub level: Level,
    pub misses: u32,
    pub penalty: u64,
    pub source: LevelSource,
    /// Those whose limit had passed.
    pub incidents: Vec<IncidentId>,
    /// Of an availability: the service that lacked longest.
    pub service: Option<String>,
    /// What people have entered; the last one holds.
    pub entered: Vec<LevelEntry>,
}

/// Whether a figure was kept.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, schemars::JsonSchema)]
#[serde(rename_all = "kebab-case")]
pub enum Level {
    Kept,
    Missed,
    /// Not known: nobody has entered it.
    NotEntered,
    /// Not known: the period goes on, or went on when it was entered.
    NotOver,
    /// Not known: of a part of the period nobody counted, or what was counted is in archives.
    NotWhole,
}

/// Where a value is from.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, schemars::JsonSchema)]
#[serde(rename_all = "kebab-case")]
pub enum LevelSource {
    Entered,
    Interruptions,
    Inspections,
    Incidents,
}

#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, schemars::JsonSchema)]
pub struct LevelEntry {
    pub at: Timestamp,
    pub by: Who,
    pub value: Amount,
    /// What it was reckoned from.
    pub parts: BTreeMap<FigureName, u32>,
    /// Where it is from, in that person's words.
    pub source: String,
}

/// What figures are counted from.
#[derive(Debug, Clone, Copy)]
pub struct Counted<'a> {
    pub site: &'a Site,
    pub state: &'a State,
    pub now: Timestamp,
    /// Of what happened before it something may be missing: the journal began then, or incidents until then are in archives.
    pub whole_since: Timestamp,
}

impl Counted<'_> {
    /// The table for a period; `None`: the site counts nothing.
    pub fn levels(&self, period: Period) -> Option<LevelsView> {
        let levels = self.site.service_levels.as_deref()?;
        // A miss of a week is a part of the reports of its month and quarter too, and is paid for once.
        let longest = levels.figures.iter().map(|figure| figure.period).max();
        let elsewhere = longest.filter(|longest| *longest != period.kind());
        let penalties = elsewhere.map_or(levels.penalties, |_| Penalties::default());
        let lines = levels.figures.iter().flat_map(|figure| {
            let periods = period.of_kind(figure.period).into_iter();
            periods.filter_map(move |period| self.line(penalties, figure, period))
        });
        let view = summed(penalties, lines.collect());
        Some(LevelsView {
            table: levels.digest.clone(),
            currency: levels.currency.clone(),
            penalties_in: elsewhere.filter(|_| levels.penalties != Penalties::default()),
            ..view
        })
    }

    /// `None`: the period has not begun, or no time is in it.
    fn line(&self, penalties: Penalties, figure: &Figure, period: Period) -> Option<LevelLine> {
        let (first, last) = period.dates();
        let from = self.site.zone.begin(&first.to_string()).ok()?;
        let end = self.site.zone.end_of(last).ok()?;
        let span = Span { dates: (first, last), from, until: end.min(self.now), end };
        if span.from >= span.until {
            return None;
        }
        let found = self.found(figure, period, span);
        let level = level(figure, &found);
        let misses = if level == Level::Missed { misses(figure, found.value) } else { 0 };
        Some(LevelLine {
            figure: figure.name.clone(),
            title: figure.title.clone(),
            class: figure.class,
            period,
            limit: figure.limit,
            unit: figure.unit,
            value: found.value,
            level,
            misses,
            penalty: u64::from(misses) * u64::from(penalties.each(figure.class)),
            source: found.source,
            incidents: found.incidents,
            service: found.service,
            entered: found.entered,
        })
    }

    fn found(&self, figure: &Figure, period: Period, span: Span) -> Found {
        let open = (span.until < span.end).then_some(Level::NotOver);
        let part = (span.from < self.whole_since).then_some(Level::NotWhole);
        match &figure.source {
            FigureSource::Entered { .. } => self.entered(figure, period, span),
            FigureSource::Availability => {
                let worst = services(self.state, (span.from, span.until));
                let worst = worst.into_iter().min_by_key(|service| service.available_percent);
                Found {
                    value: Some(
                        worst.as_ref().map_or(Amount::whole(100), |of| of.available_percent),
                    ),
                    lacks: open.or(part),
                    service: worst.map(|service| service.service),
                    ..Found::of(LevelSource::Interruptions)
                }
            }
            FigureSource::MissedInspections => self.inspections(span, open),
            FigureSource::Late(rule) => self.late(rule, span, (open.or(part), false)),
            FigureSource::LateHours(rule) => self.late(rule, span, (open.or(part), true)),
        }
    }

    fn entered(&self, figure: &Figure, period: Period, span: Span) -> Found {
        let known = self.state.standing.figures.of(&figure.name, period);
        let known: Vec<&(Timestamp, FigureEntered)> = known.collect();
        let last = known.last();
        let lacks = match last {
            None => Some(Level::NotEntered),
            Some((at, _)) => (*at < span.end).then_some(Level::NotOver),
        };
        let entry = |(at, entered): &(Timestamp, FigureEntered)| LevelEntry {
            at: *at,
            by: Who::of(self.site, &entered.by),
            value: entered.value,
            parts: entered.parts.clone(),
            source: entered.source.clone(),
        };
        Found {
            value: last.map(|(_, entered)| entered.value),
            lacks,
            entered: known.into_iter().map(entry).collect(),
            ..Found::of(LevelSource::Entered)
        }
    }

    /// The first day that was counted is one that nothing was wanted of: counting began with it.
    fn inspections(&self, span: Span, open: Option<Level>) -> Found {
        let days = &self.state.standing.inspected.days;
        let (first, last) = span.dates;
        let missed = days.range(first..=last).flat_map(|(_, (_, batches))| batches);
        let missed = missed.map(|line| u64::from(line.wanted.saturating_sub(line.done))).sum();
        let begun = days.keys().next().is_some_and(|begun| *begun < first);
        let mut wanted = first.series(1.day()).take_while(|date| *date <= last);
        let counted = begun && wanted.all(|date| days.contains_key(&date));
        Found {
            value: Some(Amount::whole(missed)),
            lacks: open.or((!counted).then_some(Level::NotWhole)),
            ..Found::of(LevelSource::Inspections)
        }
    }

    /// What was late before the time belongs to the time before.
    fn late(
        &self,
        rule: &LateIncidents,
        span: Span,
        (lacks, by_hour): (Option<Level>, bool),
    ) -> Found {
        let mut found = Found { lacks, ..Found::of(LevelSource::Incidents) };
        let mut count = 0;
        for known in self.state.incidents.values() {
            let before = hours_late(known, rule, span.from);
            let hours = hours_late(known, rule, span.until).saturating_sub(before);
            let times = if by_hour { hours } else { u64::from(before == 0 && hours > 0) };
            if times > 0 {
                found.incidents.push(known.what.incident);
                count += times;
            }
        }
        found.value = Some(Amount::whole(count));
        found
    }
}

/// A period as instants: `until` is its end, or now.
#[derive(Debug, Clone, Copy)]
struct Span {
    dates: (Date, Date),
    from: Timestamp,
    until: Timestamp,
    end: Timestamp,
}

/// What was found of a figure.
struct Found {
    value: Option<Amount>,
    /// Why the value yields no verdict.
    lacks: Option<Level>,
    source: LevelSource,
    incidents: Vec<IncidentId>,
    service: Option<String>,
    entered: Vec<LevelEntry>,
}

impl Found {
    fn of(source: LevelSource) -> Self {
        let (incidents, entered) = (Vec::new(), Vec::new());
        Self { value: None, lacks: None, source, incidents, service: None, entered }
    }
}

/// What lacks can only add to a count, and only take from the availability of a period that is over: one that is beyond its
/// limit is missed whatever else is found.
fn level(figure: &Figure, found: &Found) -> Level {
    let Some(value) = found.value else { return Level::NotEntered };
    let (kept, counts) = (figure.limit.keeps(value), figure.unit == FigureUnit::Number);
    let available = figure.source == FigureSource::Availability;
    match found.lacks {
        None if kept => Level::Kept,
        None => Level::Missed,
        Some(_) if !kept && counts && matches!(figure.limit, FigureLimit::AtMost(_)) => {
            Level::Missed
        }
        Some(Level::NotWhole) if !kept && available => Level::Missed,
        Some(lacks) => lacks,
    }
}

fn misses(figure: &Figure, value: Option<Amount>) -> u32 {
    match (figure.misses, figure.limit, value) {
        (Misses::Each, FigureLimit::AtMost(most), Some(value)) => {
            let above = value.whole_part().saturating_sub(most.whole_part());
            u32::try_from(above).unwrap_or(u32::MAX)
        }
        _ => 1,
    }
}

/// Hours that had begun behind the limit of an incident by then, as it stood; 0: it was not late, or does not count. The
/// limit is the first that passed, so that an incident that is graded anew is late once, and stays so.
fn hours_late(known: &Incident, rule: &LateIncidents, at: Timestamp) -> u64 {
    let of_kind = rule.kinds.is_empty() || rule.kinds.contains(&known.what.kind);
    if known.what.trial || known.is_drill() || !of_kind {
        return 0;
    }
    let Some(then) = known.as_of(at) else { return 0 };
    let Some(clock) = then.clocks.get(&rule.clock) else { return 0 };
    let missed = clock.missed.map(|missed| missed.severity);
    let mut grades = missed.into_iter().chain([then.severity]);
    let graded = rule.severities.is_empty() || grades.any(|grade| rule.severities.contains(&grade));
    let limit = clock.limit();
    let called = then.steps.iter().find_map(|taken| {
        matches!(taken.step, IncidentStep::ThirdParty { .. }).then_some(taken.at)
    });
    let in_time = called.is_some_and(|at| at <= limit);
    // Whom nobody had to bring in was not brought in late.
    let needless = rule.clock == ClockKind::ThirdParty && called.is_none() && !then.is_open();
    if !graded || needless || (rule.without_third_party && in_time) {
        return 0;
    }
    begun_hours(passed(limit, clock.met.unwrap_or(at)))
}

/// Hours that had begun before so much time was over.
fn begun_hours(time: Duration) -> u64 {
    u64::try_from(time.as_nanos().div_ceil(3_600_000_000_000)).unwrap_or(u64::MAX)
}

fn summed(penalties: Penalties, lines: Vec<LevelLine>) -> LevelsView {
    let of = |class| lines.iter().filter(move |line| line.class == class).map(|line| line.misses);
    let (key, ordinary) = (of(FigureClass::Key).sum(), of(FigureClass::Ordinary).sum());
    let many = penalties.more.filter(|more| key >= more.key || ordinary >= more.ordinary);
    let more = many.map_or(0, |more| u64::from(more.amount));
    let open = |line: &&LevelLine| !matches!(line.level, Level::Kept | Level::Missed);
    LevelsView {
        table: String::new(),
        currency: String::new(),
        penalties_in: None,
        key_misses: key,
        ordinary_misses: ordinary,
        more,
        sum: lines.iter().map(|line| line.penalty).sum::<u64>() + more,
        not_known: u32::try_from(lines.iter().filter(open).count()).unwrap_or(u32::MAX),
        lines,
    }
}

#[cfg(test)]
#[path = "service_levels_tests.rs"]
mod tests;
