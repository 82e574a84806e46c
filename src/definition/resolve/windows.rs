//! `windows.yaml` → window classes and freezes.

use std::collections::BTreeMap;

use jiff::Timestamp;
use jiff::civil::DateTime;

use super::days::{self, Usual};
use super::known::{Known, NameSet};
use super::settings::text;
use crate::definition::defect::Finding;
use crate::definition::raw::windows::{FreezeRecord, OpeningRecord, ScopeRecord, WindowRecord};
use crate::definition::raw::{At, Field, List, Names, SeasonWord};
use crate::definition::sheets::{Findings, Sheets};
use crate::definition::site::{Freeze, FreezeScope, Opening, Season, Window};
use crate::types::{WindowClass, Zone};

pub(super) fn resolve(
    sheets: &Sheets,
    known: &Known<'_>,
    findings: &mut Findings,
) -> (BTreeMap<WindowClass, Window>, Vec<Freeze>) {
    let Some((sheet, raw)) = sheets.windows.as_ref().and_then(|s| Some((s, s.raw.as_ref()?)))
    else {
        return Default::default();
    };
    let mut found = Vec::new();
    let mut windows = BTreeMap::new();
    for (class, record) in raw.windows.get().into_iter().flat_map(Names::good) {
        windows.insert(class.value.clone(), window(class, record, known, &mut found));
    }
    let freezes = raw.freezes.get().into_iter().flat_map(|list| &list.0);
    let freezes = freezes.filter_map(|record| freeze(record, known, &mut found)).collect();
    findings.add(&sheet.file, found);
    (windows, freezes)
}

fn window(
    class: &At<WindowClass>,
    raw: &WindowRecord,
    known: &Known<'_>,
    found: &mut Vec<Finding>,
) -> Window {
    if raw.open.get().is_some_and(|open| open.0.is_empty()) {
        let what = format!("the window class `{}` never opens", class.value);
        found.push(Finding::error(raw.open.at().unwrap_or(class.at), what));
    }
    let open = raw.open.get().into_iter().flat_map(|list| &list.0);
    Window {
        title: text(&raw.title, &raw.title_zh),
        open: open.filter_map(|record| opening(&record.value, known, found)).collect(),
    }
}

fn opening(raw: &OpeningRecord, known: &Known<'_>, found: &mut Vec<Finding>) -> Option<Opening> {
    let season = raw.only_while.get();
    Some(Opening {
        days: days::rule(raw.days.given()?, &raw.calendar, Usual::of_site(known), known, found),
        from: *raw.from.get()?,
        to: *raw.to.get()?,
        zone: zone(&raw.zone, known),
        only_while: season.and_then(|season| {
            let daylight = *season.season.get()? == SeasonWord::Daylight;
            Some(Season { zone: season.zone.get()?.clone(), daylight })
        }),
    })
}

fn zone(named: &Field<Zone>, known: &Known<'_>) -> Zone {
    named.get().unwrap_or(&known.zone).clone()
}

fn freeze(raw: &At<FreezeRecord>, known: &Known<'_>, found: &mut Vec<Finding>) -> Option<Freeze> {
    let raw = &raw.value;
    let zone = zone(&raw.zone, known);
    let scope = raw.scope.get().map(|scope| scope_of(scope, known, found)).unwrap_or_default();
    let from = instant(raw.from.given()?, &zone, found)?;
    let to = instant(raw.to.given()?, &zone, found)?;
    if to <= from {
        let at = raw.to.at().unwrap_or_default();
        found.push(Finding::error(at, "this freeze ends before it begins"));
    }
    Some(Freeze { reason: text(&raw.reason, &raw.reason_zh), from, to, scope })
}

/// A local time as an instant; in the hour that daylight saving leaves out as much later as the clock jumps, in the
/// hour that comes twice the first.
fn instant(local: &At<DateTime>, zone: &Zone, found: &mut Vec<Finding>) -> Option<Timestamp> {
    match zone.tz().to_ambiguous_timestamp(local.value).compatible() {
        Ok(instant) => Some(instant),
        Err(_) => {
            found.push(Finding::error(local.at, "this time is out of range"));
            None
        }
    }
}

fn scope_of(raw: &ScopeRecord, known: &Known<'_>, found: &mut Vec<Finding>) -> FreezeScope {
    FreezeScope {
        batches: checked(&raw.batches, &known.batches, known, found),
        windows: checked(&raw.windows, &known.windows, known, found),
        targets: checked(&raw.targets, &known.targets, known, found),
        hosts: checked(&raw.hosts, &known.hosts, known, found),
    }
}

fn checked<N: Ord + Clone + std::fmt::Display>(
    list: &Field<List<N>>,
    set: &NameSet<N>,
    known: &Known<'_>,
    found: &mut Vec<Finding>,
) -> Vec<N> {
    let names = list.get().into_iter().flat_map(|list| &list.0);
    names
        .map(|name| {
            known.check(set, name, found);
            name.value.clone()
        })
        .collect()
}
