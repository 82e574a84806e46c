//! A quarter of a service contract: kept, missed, not entered, not over, with penalties and what was corrected.

use std::collections::BTreeMap;

use super::{after, both, li_wei, zhang_min};
use crate::definition::site::FigureLimit;
use crate::types::{Amount, FigureClass, FigureName, FigureUnit, IncidentId, Text, Zone};
use crate::view::service_levels::{Level, LevelEntry, LevelLine, LevelSource, LevelsView};

fn figure(name: &str) -> FigureName {
    FigureName::new(name).unwrap()
}

fn line(name: &str, title: Text, level: Level) -> LevelLine {
    LevelLine {
        figure: figure(name),
        title,
        class: FigureClass::Key,
        period: "2026-Q4".parse().unwrap(),
        limit: FigureLimit::AtMost(Amount::whole(0)),
        unit: FigureUnit::Number,
        value: Some(Amount::whole(0)),
        level,
        misses: 0,
        penalty: 0,
        source: LevelSource::Incidents,
        incidents: Vec::new(),
        service: None,
        entered: Vec::new(),
    }
}

pub(crate) fn levels() -> (Zone, LevelsView) {
    let at_least = |text: &str| FigureLimit::AtLeast(text.parse().unwrap());
    let entry = |by, value: &str, minutes, source: &str| LevelEntry {
        at: after(minutes),
        by,
        value: value.parse().unwrap(),
        parts: BTreeMap::new(),
        source: source.to_owned(),
    };
    let availability = LevelLine {
        limit: at_least("99.9"),
        unit: FigureUnit::Percent,
        value: Some("99.87".parse().unwrap()),
        misses: 1,
        penalty: 20_000,
        source: LevelSource::Interruptions,
        service: Some("netbank".to_owned()),
        ..line("availability", both("Availability", "系统可用率"), Level::Missed)
    };
    let late = LevelLine {
        value: Some(Amount::whole(3)),
        misses: 3,
        penalty: 60_000,
        incidents: vec![IncidentId(3), IncidentId(7)],
        ..line("faults-late", both("Faults solved late", "故障未及时解决"), Level::Missed)
    };
    let hours = LevelLine {
        class: FigureClass::Ordinary,
        period: "2026-W44".parse().unwrap(),
        limit: at_least("40"),
        unit: FigureUnit::Hours,
        value: Some("41.5".parse().unwrap()),
        source: LevelSource::Entered,
        entered: vec![
            entry(li_wei(), "38", 10.0, "time sheets"),
            entry(zhang_min(), "41.5", 90.0, "time sheets, with Friday"),
        ],
        ..line("hours", both("Hours on site", "驻场工时"), Level::Kept)
    };
    let parts = BTreeMap::from([(figure("errors"), 7), (figure("lost"), 1)]);
    let documents = LevelEntry { parts, ..entry(li_wei(), "2", 20.0, "review") };
    let documents = LevelLine {
        class: FigureClass::Ordinary,
        value: Some(Amount::whole(2)),
        source: LevelSource::Entered,
        entered: vec![documents],
        ..line("documents", both("Errors in documents", "文档差错"), Level::NotOver)
    };
    let missing = LevelLine {
        value: None,
        source: LevelSource::Entered,
        ..line("sent-back", both("Staff sent back", "退回人员"), Level::NotEntered)
    };
    let inspections = LevelLine {
        source: LevelSource::Inspections,
        ..line("missed", both("Missed inspections", "漏检"), Level::NotWhole)
    };
    let view = LevelsView {
        table: "5e884898da28047151d0e56f8dc62927".to_owned(),
        penalties_in: None,
        currency: "CNY".to_owned(),
        lines: vec![availability, late, hours, documents, missing, inspections],
        key_misses: 4,
        ordinary_misses: 0,
        more: 10_000,
        sum: 90_000,
        not_known: 3,
    };
    (super::head().zone, view)
}
