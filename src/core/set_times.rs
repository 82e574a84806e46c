//! Clock times at which something is done each day, as instants.

use jiff::Timestamp;
use jiff::civil::{Date, Time};

use super::calendar::plus;
use super::roster::{days, instant};
use crate::types::Zone;

/// The instants of these dates, in order.
pub(super) fn of_dates(times: &[Time], zone: &Zone, (first, last): (Date, Date)) -> Vec<Timestamp> {
    let days = days(first, last);
    let mut all: Vec<Timestamp> =
        days.flat_map(|date| times.iter().map(move |time| instant(date, *time, zone))).collect();
    // Where the clock leaves times out two of them may be one instant.
    all.sort();
    all.dedup();
    all
}

/// The last one at or before an instant, and the first after it.
pub fn last_and_next(
    times: &[Time],
    zone: &Zone,
    at: Timestamp,
) -> (Option<Timestamp>, Option<Timestamp>) {
    let today = zone.tz().to_datetime(at).date();
    let all = of_dates(times, zone, (plus(today, -2), plus(today, 2)));
    let next = all.partition_point(|time| *time <= at);
    (next.checked_sub(1).map(|last| all[last]), all.get(next).copied())
}
