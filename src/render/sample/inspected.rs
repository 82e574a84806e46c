//! Rounds of inspections of the made-up night: a day that is over with one of its rounds missed, and one that has begun.

use super::*;
use crate::types::{CheckVerdict, Reading, Thresholds, Unit, Worse};
use crate::view::inspection::{InspectionDay, InspectionsView, RoundLine};
use crate::wire::Checked;

type Limits = (Option<f64>, Option<f64>, Worse);

fn checked(name: &str, value: f64, unit: Unit, (warn, fail, worse): Limits) -> Checked {
    let reading = |value| Reading::new(value).unwrap();
    let thresholds = Thresholds { warn: warn.map(reading), fail: fail.map(reading), worse };
    Checked {
        name: name.parse().unwrap(),
        value: Some(reading(value)),
        unit,
        thresholds,
        verdict: thresholds.verdict(reading(value)),
        words: String::new(),
    }
}

/// By how full the disk is, how many accounts there are, and whether the portal answers.
fn round(hour: f64, (disk, accounts, answers): (f64, f64, bool)) -> RoundLine {
    let percent = (Some(80.0), Some(95.0), Worse::More);
    let least = (Some(1_000.0), Some(1.0), Worse::Less);
    let mut portal = checked("portal", 41.3, Unit::Milliseconds, (None, None, Worse::More));
    if !answers {
        portal.value = None;
        portal.verdict = CheckVerdict::Fail;
        portal.words = "no answer within 10s".into();
    }
    let host = vec![checked("disk", disk, Unit::Percent, percent)];
    let services = vec![checked("accounts", accounts, Unit::Number, least), portal];
    let count = |verdict| {
        let all = host.iter().chain(&services);
        u32::try_from(all.filter(|check| check.verdict == verdict).count()).unwrap()
    };
    RoundLine {
        run: "rounds@2026-10-30#1".parse().unwrap(),
        at: after(hour * 60.0),
        late: false,
        ok: count(CheckVerdict::Ok),
        warn: count(CheckVerdict::Warn),
        fail: count(CheckVerdict::Fail),
        jobs: [(name("host"), host), (name("services"), services)].into(),
    }
}

pub(in crate::render) fn inspections() -> InspectionsView {
    let head = head();
    let day = |date: &str, done, missed, rounds| InspectionDay {
        date: date.parse().unwrap(),
        batch: "rounds".parse().unwrap(),
        title: both("Daily rounds", "日常巡检"),
        wanted: 4,
        done,
        missed,
        rounds,
    };
    let first = vec![
        round(-13.5, (61.2, 5_210.0, true)),
        round(-8.0, (82.4, 5_210.0, true)),
        round(-3.0, (96.1, 880.0, false)),
    ];
    let second = vec![round(9.0, (64.0, 5_233.0, true))];
    InspectionsView {
        site: head.site,
        zone: head.zone,
        from: "2026-10-30".parse().unwrap(),
        to: "2026-10-31".parse().unwrap(),
        missed: 1,
        days: vec![day("2026-10-30", 3, Some(1), first), day("2026-10-31", 1, None, second)],
    }
}
