//! When too few people are on shift, by the rules of the site (E1).

use jiff::Timestamp;
use jiff::civil::Date;

use super::calendar::plus;
use super::roster::{HoursUnknown, Roster, days, instant};
use crate::definition::site::{CoverRule, Site, Weight};
use crate::types::ShiftName;

/// A time in which too few people are there.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Gap {
    /// Which rule asks for them.
    pub rule: GapRule,
    /// `None`: nobody is on any shift.
    pub shift: Option<ShiftName>,
    /// The first and the last date of the shift; of a gap of all shifts those on which it begins and ends.
    pub first: Date,
    pub last: Date,
    pub from: Timestamp,
    /// Not included.
    pub to: Timestamp,
    pub needs: u32,
    pub has: u32,
    pub weight: Weight,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum GapRule {
    /// By its number in the site's list.
    Cover(usize),
    AroundTheClock,
}

/// What was found, and the first day of each rule that nobody can know.
#[derive(Debug, Default)]
pub struct Gaps {
    /// By rule, then by time.
    pub gaps: Vec<Gap>,
    pub unknown: Vec<HoursUnknown>,
}

/// The gaps of shifts that begin on these dates, the last one included. Days that follow each other and lack the same
/// are one gap.
pub fn gaps(site: &Site, roster: &Roster<'_>, first: Date, last: Date) -> Gaps {
    let mut found = Gaps::default();
    let Some(rules) = &site.duty.rules else { return found };
    for (number, rule) in rules.cover.iter().enumerate() {
        match of_shift(site, roster, (number, rule), (first, last), &mut found.gaps) {
            Ok(()) => {}
            Err(unknown) => found.unknown.push(unknown),
        }
    }
    if let Some(weight) = rules.around_the_clock {
        match of_all(site, roster, weight, (first, last)) {
            Ok(gaps) => found.gaps.extend(gaps),
            Err(unknown) => found.unknown.push(unknown),
        }
    }
    found
}

/// The gaps that `check` tells of from `today` on: as far as each shift's roster is made, and no less far than the rules
/// say.
pub(super) fn ahead(site: &Site, roster: &Roster<'_>, today: Date) -> Gaps {
    let mut found = Gaps::default();
    let Some(rules) = &site.duty.rules else { return found };
    let least = plus(today, i32::try_from(rules.ahead).unwrap_or(i32::MAX) - 1);
    for (number, rule) in rules.cover.iter().enumerate() {
        let made = roster.last_date_of(Some(&rule.shift), today);
        let last = made.map_or(least, |made| made.max(least));
        // What cannot be known yet is told of the calendar.
        let _ = of_shift(site, roster, (number, rule), (today, last), &mut found.gaps);
    }
    if let Some(weight) = rules.around_the_clock {
        found.gaps.extend(of_all(site, roster, weight, (today, least)).unwrap_or_default());
    }
    found
}

fn of_shift(
    site: &Site,
    roster: &Roster<'_>,
    (number, rule): (usize, &CoverRule),
    (first, last): (Date, Date),
    gaps: &mut Vec<Gap>,
) -> Result<(), HoursUnknown> {
    let Some(shift) = site.duty.shifts.get_key_value(&rule.shift) else { return Ok(()) };
    // The gap that the last day on which people are needed belongs to.
    let mut open: Option<Gap> = None;
    let known = (|| {
        for date in days(first, last) {
            if !roster.staffing.is_among(rule.days, shift, date)? {
                continue;
            }
            let staff = roster.staff(&rule.shift, date)?;
            let has = u32::try_from(staff.holders.len()).unwrap_or(u32::MAX);
            if has >= rule.people {
                gaps.extend(open.take());
                continue;
            }
            let (from, to) = roster.hours(shift, date)?;
            match &mut open {
                Some(gap) if gap.has == has => (gap.last, gap.to) = (date, to),
                _ => {
                    gaps.extend(open.take());
                    open = Some(Gap {
                        rule: GapRule::Cover(number),
                        shift: Some(rule.shift.clone()),
                        first: date,
                        last: date,
                        from,
                        to,
                        needs: rule.people,
                        has,
                        weight: rule.weight,
                    });
                }
            }
        }
        Ok(())
    })();
    gaps.extend(open);
    known
}

/// Times in which nobody has any shift, on call or not.
fn of_all(
    site: &Site,
    roster: &Roster<'_>,
    weight: Weight,
    (first, last): (Date, Date),
) -> Result<Vec<Gap>, HoursUnknown> {
    let midnight = |date: Date| instant(date, jiff::civil::Time::midnight(), &site.zone);
    let (begin, end) = (midnight(first), midnight(plus(last, 1)));
    let mut gaps = Vec::new();
    // As far as somebody is there without a break.
    let mut covered = begin;
    let mut gap = |from: Timestamp, to: Timestamp| {
        let date = |at: Timestamp| site.zone.tz().to_datetime(at).date();
        gaps.push(Gap {
            rule: GapRule::AroundTheClock,
            shift: None,
            first: date(from),
            last: date(to.saturating_sub(jiff::SignedDuration::from_nanos(1)).unwrap_or(to)),
            from,
            to,
            needs: 1,
            has: 0,
            weight,
        });
    };
    for on in roster.between(plus(first, -2), last)? {
        if on.from > covered && covered < end {
            gap(covered, on.from.min(end));
        }
        covered = covered.max(on.to);
    }
    if covered < end {
        gap(covered, end);
    }
    Ok(gaps)
}
