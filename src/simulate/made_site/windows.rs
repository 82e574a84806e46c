//! Window classes of every form, and freezes within the night.

use std::collections::BTreeMap;
use std::time::Duration;

use jiff::civil::{Time, time};

use super::which_night::{WhichNight, zone};
use super::{BadSite, TARGETS};
use crate::definition::site::{Batch, DayRule, Days, Freeze, FreezeScope, Opening, Season, Window};
use crate::simulate::dice::Dice;
use crate::types::{CalendarName, HostName, TargetName, Text, WindowClass, Zone};

/// Seconds that a job is expected to take at the most. With what a change adds it must fit in within 45 minutes, and so it
/// does in each class and in each of the [`PAIRS`].
pub(super) const LONGEST: u64 = 25 * 60;

const EVERY_DAY: Days = Days::EveryDay;
const WEEK: Days = Days::Weekdays([true, true, true, true, true, false, false]);
const WEEKEND: Days = Days::Weekdays([false, false, false, false, false, true, true]);

/// Classes whose openings have more than 45 minutes in common.
const PAIRS: [(&str, &str); 4] =
    [("evening", "twice"), ("night", "twice"), ("night", "weekly"), ("evening", "weekly")];

fn hours(from: i8, to: i8) -> (Time, Time) {
    (time(from, 0, 0, 0), time(to, 0, 0, 0))
}

fn halves(from: i8, to: i8) -> (Time, Time) {
    (time(from, 30, 0, 0), time(to, 30, 0, 0))
}

/// Some of the classes. Each opens every few days at the latest, whatever its calendars know.
pub(super) fn classes(
    dice: &mut Dice,
    home: &Zone,
) -> Result<BTreeMap<WindowClass, Window>, BadSite> {
    let at = |zone: &Zone, days: Days, (from, to): (Time, Time)| Opening {
        days: DayRule { days, offset: 0, calendar: None },
        from,
        to,
        zone: zone.clone(),
        only_while: None,
    };
    let on = |days, times| at(home, days, times);
    let business = |calendar: &str, times| {
        let mut opening = on(Days::EveryBusinessDay, times);
        opening.days.calendar = Some(CalendarName::new(calendar)?);
        Ok::<_, BadSite>(opening)
    };
    let season = |daylight, times| {
        let zone = Zone::named("America/New_York")?;
        Ok::<_, BadSite>(Opening {
            only_while: Some(Season { zone, daylight }),
            ..on(EVERY_DAY, times)
        })
    };
    let abroad = Zone::named(zone(dice))?;
    let all = [
        ("evening", vec![on(EVERY_DAY, halves(20, 23))]),
        ("night", vec![on(EVERY_DAY, hours(23, 3))]),
        ("twice", vec![on(EVERY_DAY, hours(20, 22)), on(EVERY_DAY, halves(1, 4))]),
        ("weekly", vec![on(WEEK, hours(22, 2)), on(WEEKEND, halves(0, 4))]),
        ("business", vec![business("bank", halves(21, 0))?, on(EVERY_DAY, halves(5, 7))]),
        ("ending", vec![business("short", hours(22, 2))?, on(EVERY_DAY, halves(3, 6))]),
        (
            "abroad",
            vec![at(&abroad, EVERY_DAY, hours(0, 8)), at(&abroad, EVERY_DAY, hours(12, 16))],
        ),
        ("season", vec![season(true, hours(21, 0))?, season(false, halves(21, 1))?]),
        // Left out where the clock jumps over it, twice as long where the hour comes twice.
        ("brief", vec![on(EVERY_DAY, hours(2, 3))]),
    ];
    let mut classes = BTreeMap::new();
    for (name, open) in all {
        if dice.percent(60) {
            classes.insert(WindowClass::new(name)?, Window { title: Text::en(name), open });
        }
    }
    Ok(classes)
}

/// Whether a job may belong to one class, and its batch to the other.
pub(super) fn together(one: &WindowClass, other: &WindowClass) -> bool {
    let pair = (one.as_str(), other.as_str());
    one == other || PAIRS.contains(&pair) || PAIRS.contains(&(pair.1, pair.0))
}

/// None on most sites; else one to three, of every scope, some of them following on each other.
pub(super) fn freezes(
    dice: &mut Dice,
    night: &WhichNight,
    batches: &[Batch],
    classes: &[WindowClass],
) -> Result<Vec<Freeze>, BadSite> {
    let mut freezes: Vec<Freeze> = Vec::new();
    if !dice.percent(30) {
        return Ok(freezes);
    }
    for _ in 0..dice.of(1..4) {
        let follows = freezes.last().filter(|_| dice.percent(30)).map(|freeze| freeze.to);
        let from = follows.unwrap_or(night.begins + Duration::from_secs(60 * dice.of(0..360)));
        let to = from + Duration::from_secs(60 * dice.of(1..150));
        let scope = scope(dice, batches, classes)?;
        freezes.push(Freeze { reason: Text::en("Sealed"), from, to, scope });
    }
    Ok(freezes)
}

fn scope(
    dice: &mut Dice,
    batches: &[Batch],
    classes: &[WindowClass],
) -> Result<FreezeScope, BadSite> {
    let mut scope = FreezeScope::default();
    match dice.of(0..6) {
        0 => {}
        1 => scope.hosts.push(HostName::new("far")?),
        2 => scope.targets.push(TargetName::new(TARGETS[0])?),
        3 => scope.windows.extend(dice.pick(classes).cloned()),
        _ => scope.batches.extend(dice.pick(batches).map(|batch| batch.id.clone())),
    }
    Ok(scope)
}
