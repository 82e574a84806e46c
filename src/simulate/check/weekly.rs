//! The lists of each week: each time is told once.

use std::collections::BTreeSet;

use jiff::civil::Time;
use jiff::{Timestamp, ToSpan};

use super::Violation;
use crate::core::change::{WeeklyTold, WeeklyWhat};
use crate::definition::site::Site;
use crate::types::{WeekTime, Zone};

/// A list or a plan that is posted (or of which people are reminded, where it is not), and the time that this tells of.
type Told = (String, bool, Timestamp);

#[derive(Debug, Default)]
pub(super) struct Weekly {
    told: BTreeSet<Told>,
    /// What has come since the first look, and when.
    come: Vec<(Timestamp, Told)>,
    /// Until when that was found out.
    known: Option<Timestamp>,
}

impl Weekly {
    pub(super) fn take(&mut self, told: &WeeklyTold) -> Result<(), Violation> {
        self.known.get_or_insert(told.until);
        for notice in &told.notices {
            let posted = notice.what == WeeklyWhat::Posted;
            if !self.told.insert((notice.title.en.clone(), posted, notice.at)) {
                return Err(Violation::Weekly(notice.title.en.clone(), notice.at));
            }
        }
        Ok(())
    }

    /// Right after a step: the last time of each that has passed is told.
    pub(super) fn look(&mut self, site: &Site, now: Timestamp) -> Result<(), Violation> {
        let (Some(rules), Some(since)) = (&site.change_rules, self.known) else { return Ok(()) };
        if now <= since {
            return Ok(());
        }
        self.known = Some(now);
        for rule in rules.weekly.iter().filter(|rule| !rule.mail.is_empty()) {
            let title = &rule.title.en;
            for posted in
                rule.posted.iter().flat_map(|time| times(*time, &rules.zone, (since, now)))
            {
                self.come.push((posted, (title.clone(), true, posted)));
            }
            let Some((due, ahead)) = rule.due.zip(rule.remind) else { continue };
            let shifted = (since + ahead.get(), now + ahead.get());
            for due in times(due, &rules.zone, shifted) {
                self.come.push((due - ahead.get(), (title.clone(), false, due)));
            }
        }
        let is_last = |(at, (title, posted, _)): &(Timestamp, Told)| {
            let same = |(_, (other, way, _)): &&(Timestamp, Told)| other == title && way == posted;
            !self.come.iter().filter(same).any(|(later, _)| later > at)
        };
        match self.come.iter().find(|come| is_last(come) && !self.told.contains(&come.1)) {
            Some((at, (title, ..))) => Err(Violation::Weekly(title.clone(), *at)),
            None => Ok(()),
        }
    }
}

/// When clocks show a time of the week, after one instant and up to another: day by day.
fn times(time: WeekTime, zone: &Zone, (from, to): (Timestamp, Timestamp)) -> Vec<Timestamp> {
    let text = time.to_string();
    let Some((day, hour)) = text.split_once(' ') else { return Vec::new() };
    let Ok(hour) = hour.parse::<Time>() else { return Vec::new() };
    let (first, last) = (zone.tz().to_datetime(from).date(), zone.tz().to_datetime(to).date());
    let dates = first.series(1.day()).take_while(|date| *date <= last);
    let ours = dates.filter(|date| date.strftime("%a").to_string().to_lowercase() == day);
    let at = ours.filter_map(|date| {
        zone.tz().to_ambiguous_timestamp(date.to_datetime(hour)).compatible().ok()
    });
    at.filter(|at| from < *at && *at <= to).collect()
}
