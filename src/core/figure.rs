//! Figures of service levels that people enter (S1): each with its person, its time and where it is from. One that is
//! corrected keeps what was entered before.

use std::collections::BTreeMap;

use jiff::Timestamp;
use serde::{Deserialize, Serialize};

use super::act::By;
use super::fact::Fact;
use super::night::{Mover, StepError};
use super::refused::{Refused, Rule};
use crate::definition::nearest;
use crate::definition::site::{Figure, FigurePart, FigureSource, Site};
use crate::types::{Amount, FigureName, FigureUnit, Period, PersonId};

/// A person has entered a figure for a period.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct FigureEntered {
    pub figure: FigureName,
    pub period: Period,
    /// Counts what was entered for this figure and period, from 1; the last one holds.
    pub number: u32,
    pub value: Amount,
    /// What the value was reckoned from, where it is reckoned from parts.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub parts: BTreeMap<FigureName, u32>,
    pub by: PersonId,
    /// Where it is from, in that person's words.
    pub source: String,
}

/// What a person asks to be entered.
#[derive(Debug, Clone, PartialEq)]
pub struct FigureOrder {
    pub figure: FigureName,
    pub period: Period,
    pub given: Given,
}

/// A figure as a person has it.
#[derive(Debug, Clone, PartialEq)]
pub enum Given {
    Value(Amount),
    /// What it is reckoned from.
    Parts(BTreeMap<FigureName, u32>),
}

/// What was entered, by figure and period, each with its number and time.
#[derive(Debug, Default, Clone, PartialEq)]
pub struct Figures(BTreeMap<(FigureName, Period), BTreeMap<u32, (Timestamp, FigureEntered)>>);

impl Figures {
    /// What was entered for a figure and a period, the last one last.
    pub fn of(
        &self,
        figure: &FigureName,
        period: Period,
    ) -> impl DoubleEndedIterator<Item = &(Timestamp, FigureEntered)> {
        let entered = self.0.get(&(figure.clone(), period));
        entered.into_iter().flat_map(BTreeMap::values)
    }

    pub(in crate::core) fn take(&mut self, at: Timestamp, entered: &FigureEntered) {
        let of = self.0.entry((entered.figure.clone(), entered.period)).or_default();
        of.insert(entered.number, (at, entered.clone()));
    }

    /// The number of what is entered next.
    pub(in crate::core) fn next(&self, figure: &FigureName, period: Period) -> u32 {
        self.of(figure, period).next_back().map_or(1, |(_, last)| last.number.saturating_add(1))
    }
}

impl Mover<'_> {
    pub(super) fn enter_figure(&mut self, by: By, order: FigureOrder) -> Result<(), StepError> {
        let site = self.core.on_call().map(|on_call| on_call.site.as_ref());
        let entered = &self.core.state.standing.figures;
        let what = decided(site, entered, (by, self.now.wall), order)?;
        Ok(self.emit(Fact::FigureEntered(Box::new(what)))?)
    }
}

/// What is entered, as far as the site counts it so.
fn decided(
    site: Option<&Site>,
    known: &Figures,
    (by, now): (By, Timestamp),
    order: FigureOrder,
) -> Result<FigureEntered, Refused> {
    let FigureOrder { figure: name, period, given } = order;
    let levels = site.and_then(|site| Some((site, site.service_levels.as_ref()?)));
    let (site, levels) = levels.ok_or_else(|| {
        Refused::by(Rule::NoSuchThing, "the site counts no service levels")
            .hint("`service-levels.yaml` declares them")
    })?;
    let figure = levels.figure(&name).ok_or_else(|| {
        let names = levels.figures.iter().map(|figure| figure.name.as_str());
        let hint = nearest::hint(name.as_str(), names.clone());
        let known = || format!("it has {}", names.clone().collect::<Vec<_>>().join(", "));
        Refused::by(Rule::NoSuchThing, format!("the site counts no figure `{name}`"))
            .hint(hint.unwrap_or_else(known))
    })?;
    let FigureSource::Entered { parts } = &figure.source else {
        return Err(Refused::by(Rule::Counted, format!("nightrun counts {name} itself"))
            .hint("`nightrun report` shows it"));
    };
    if period.kind() != figure.period {
        let kind = figure.period;
        let suits = Period::around(kind, site.zone.tz().to_datetime(now).date());
        let what = format!("{name} is counted by the {kind}, and {period} is a {}", period.kind());
        return Err(Refused::by(Rule::NotInUnit, what).hint(format!("such as {suits}")));
    }
    let begin = site.zone.begin(&period.dates().0.to_string());
    if begin.is_ok_and(|begin| now < begin) {
        return Err(Refused::by(Rule::TooEarly, format!("{period} has not begun")));
    }
    let (value, parts) = value(figure, parts, given)?;
    let source = by.reason;
    // What was entered while the period went on is confirmed once it is over.
    let end = site.zone.end_of(period.dates().1).unwrap_or(Timestamp::MAX);
    if let Some((at, last)) = known.of(&name, period).next_back()
        && (*at >= end || now < end)
        && (&last.value, &last.parts, &last.source) == (&value, &parts, &source)
    {
        let what = format!("{name} of {period} is {value} already, from there");
        return Err(Refused::by(Rule::NoChange, what));
    }
    let number = known.next(&name, period);
    Ok(FigureEntered { figure: name, period, number, value, parts, by: by.person, source })
}

/// The value in the unit of the figure, with what it is reckoned from.
fn value(
    figure: &Figure,
    declared: &BTreeMap<FigureName, FigurePart>,
    given: Given,
) -> Result<(Amount, BTreeMap<FigureName, u32>), Refused> {
    let name = &figure.name;
    let not = |what: String| Err(Refused::by(Rule::NotInUnit, what));
    let names = || declared.keys().map(|part| format!("{part}=0")).collect::<Vec<_>>().join(" ");
    match given {
        Given::Value(value) => {
            if !declared.is_empty() {
                return Err(Refused::by(Rule::NotInUnit, format!("{name} is reckoned from parts"))
                    .hint(format!("give each of them: {}", names())));
            }
            match figure.unit {
                FigureUnit::Number if !value.is_whole() => {
                    not(format!("{name} is a count, and {value} is no whole number"))
                }
                FigureUnit::Percent if value > Amount::whole(100) => {
                    not(format!("{name} is in percent, and {value} is more than 100"))
                }
                _ => Ok((value, BTreeMap::new())),
            }
        }
        Given::Parts(parts) if parts.keys().ne(declared.keys()) => {
            let refused = Refused::by(Rule::NotInUnit, format!("{name} has other parts, or none"));
            Err(match declared.is_empty() {
                true => refused.hint("give its value"),
                false => refused.hint(format!("give each of them: {}", names())),
            })
        }
        Given::Parts(parts) => {
            let of = parts.values().zip(declared.values());
            let sum = of.map(|(count, part)| u64::from(count / part.every.max(1))).sum();
            Ok((Amount::whole(sum), parts))
        }
    }
}

#[cfg(test)]
#[path = "figure_tests.rs"]
mod tests;
