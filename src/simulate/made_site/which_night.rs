//! Which night it is: any, one at the end of a month, or one in which some clock jumps.

use jiff::Timestamp;
use jiff::civil::{Date, date};

use super::BadSite;
use crate::simulate::dice::Dice;
use crate::types::Zone;

/// When and where.
#[derive(Debug, Clone)]
pub(super) struct WhichNight {
    pub(super) zone: Zone,
    /// The evening's civil date.
    pub(super) date: Date,
    /// Between 20:00 and 23:00 of that date.
    pub(super) begins: Timestamp,
}

/// Zones of made-up sites, batches and openings.
pub(super) const ZONES: [&str; 4] = ["UTC", "Asia/Shanghai", "Europe/Berlin", "America/New_York"];

/// Evenings before the clock jumps, with the zone in which it does.
const JUMPS: [(&str, Date); 4] = [
    ("Europe/Berlin", date(2026, 3, 28)),
    ("Europe/Berlin", date(2026, 10, 24)),
    ("America/New_York", date(2026, 3, 7)),
    ("America/New_York", date(2026, 10, 31)),
];

/// Other evenings: in the middle of a month, at ends of months, quarters and years, before holidays and week-ends.
const EVENINGS: [Date; 7] = [
    date(2026, 9, 16),
    date(2026, 9, 30),
    date(2026, 10, 30),
    date(2026, 11, 2),
    date(2026, 12, 31),
    date(2027, 1, 1),
    date(2028, 2, 29),
];

pub(super) fn pick(dice: &mut Dice) -> Result<WhichNight, BadSite> {
    let (zone, date) = if dice.percent(25) {
        let (jumps, date) = JUMPS[dice.of(0..JUMPS.len() as u64) as usize];
        // Where the site is elsewhere, some of its openings and batches may still be there.
        let zone = if dice.percent(80) { jumps } else { zone(dice) };
        (zone, date)
    } else {
        (zone(dice), EVENINGS[dice.of(0..EVENINGS.len() as u64) as usize])
    };
    let zone = Zone::named(zone)?;
    let evening = date.at(20, 0, 0, 0).to_zoned(zone.tz().clone())?.timestamp();
    let begins = evening + std::time::Duration::from_secs(60 * dice.of(0..180));
    Ok(WhichNight { zone, date, begins })
}

/// The name of any zone.
pub(super) fn zone(dice: &mut Dice) -> &'static str {
    ZONES[dice.of(0..ZONES.len() as u64) as usize]
}
