//! Windows and freezes by walking the clock of each zone.

use std::collections::HashMap;
use std::time::Duration;

use jiff::civil::{Date, DateTime};
use jiff::{SignedDuration, Timestamp, ToSpan};

use super::cleared;
use super::days::KnownDays;
use super::placed;
use crate::core::state::{Run, State};
use crate::definition::site::{Freeze, Job, Kind, Opening, Site};
use crate::types::{HostName, TargetName, WindowClass, Zone};

/// When clocks show what; walked once for each question.
#[derive(Debug, Default)]
pub(super) struct Clock {
    reached: HashMap<(String, DateTime), Timestamp>,
}

const MINUTE: SignedDuration = SignedDuration::from_mins(1);

impl Clock {
    /// The first instant at which the zone's clock shows that time or a later one, found by walking minute by minute.
    fn reaches(&mut self, zone: &Zone, civil: DateTime) -> Timestamp {
        let known = (zone.name().to_owned(), civil);
        if let Some(at) = self.reached.get(&known) {
            return *at;
        }
        let tz = zone.tz();
        let as_utc = jiff::tz::Offset::UTC.to_timestamp(civil).unwrap_or(Timestamp::MAX);
        let offset = i64::from(tz.to_offset(as_utc).seconds());
        // No clock jumps by more than two hours here, and none twice in three.
        let mut at = as_utc - SignedDuration::from_secs(offset) - SignedDuration::from_hours(3);
        while tz.to_datetime(at) < civil {
            at += MINUTE;
        }
        self.reached.insert(known, at);
        at
    }

    /// Why windows or freezes keep the job, if they do.
    pub(super) fn keep(
        &mut self,
        state: &State,
        (run, index): (&Run, usize),
        host: &HostName,
        at: Timestamp,
    ) -> Option<String> {
        let job = run.job(index);
        let ruled = cleared::ruled(state, run, job);
        let need = must_fit(run, job, ruled.is_some());
        let need = SignedDuration::try_from(need).unwrap_or(SignedDuration::MAX);
        let done = at.checked_add(need).unwrap_or(Timestamp::MAX);
        let of_rules = ruled.iter().flat_map(|ruled| ruled.classes());
        let classes: Vec<&WindowClass> =
            run.batch.window.iter().chain(&job.window).chain(of_rules).collect();
        // An order opens no window for a change that rules are about.
        let opened = match &ruled {
            Some(ruled) if ruled.is_early(at) => return Some("it is on a later list".to_owned()),
            Some(ruled) if ruled.has_passed(at) => {
                return Some("the window of its list has passed".to_owned());
            }
            Some(ruled) => ruled.runs_outside(at),
            None => run.opened.window_override.is_some(),
        };
        if !opened {
            for class in &classes {
                let until = self.open_until(&run.site, class, at, done);
                if until == at {
                    return Some(format!("its window {class} is closed"));
                }
                if until < done {
                    return Some(format!("its window {class} closes before it would be done"));
                }
            }
        }
        let ordered = &state.standing.freezes;
        let ordered = ordered.values().map(|freeze| &freeze.what);
        let frozen = run.site.freezes.iter().chain(ordered).find(|freeze| {
            let now = freeze.from <= at && at < freeze.to;
            let soon = at < freeze.from && freeze.from < done;
            named(freeze, run, (job, host), &classes) && (now || soon)
        });
        frozen.map(|freeze| format!("a freeze from {} to {} is in its way", freeze.from, freeze.to))
    }

    /// When the windows close that are open to a job at an instant, or a freeze begins; `None`: they are closed, or none binds
    /// it. Of changes that rules are about nothing is said.
    pub(super) fn closes(
        &mut self,
        state: &State,
        (run, index): (&Run, usize),
        at: Timestamp,
    ) -> Option<Timestamp> {
        let hosts = placed::hosts(run, index).0.into_iter();
        hosts.filter_map(|host| self.closes_there(state, (run, index), host, at)).max()
    }

    fn closes_there(
        &mut self,
        state: &State,
        (run, index): (&Run, usize),
        host: &HostName,
        at: Timestamp,
    ) -> Option<Timestamp> {
        let job = run.job(index);
        let classes: Vec<&WindowClass> = run.batch.window.iter().chain(&job.window).collect();
        let bound = run.opened.window_override.is_none() && !classes.is_empty();
        if !bound || cleared::ruled(state, run, job).is_some() {
            return None;
        }
        let far = at + SignedDuration::from_hours(20 * 24);
        let mut until = far;
        for class in &classes {
            until = until.min(self.open_until(&run.site, class, at, far));
        }
        let ordered = state.standing.freezes.values().map(|freeze| &freeze.what);
        let freezes = run.site.freezes.iter().chain(ordered);
        for freeze in freezes.filter(|freeze| named(freeze, run, (job, host), &classes)) {
            if freeze.from <= at && at < freeze.to {
                return None;
            }
            if at < freeze.from && freeze.from < freeze.to {
                until = until.min(freeze.from);
            }
        }
        (at < until && until < far).then_some(until)
    }

    /// Time that a job must have left in its window.
    pub(super) fn needs(&self, state: &State, (run, index): (&Run, usize)) -> Duration {
        let job = run.job(index);
        must_fit(run, job, cleared::ruled(state, run, job).is_some())
    }

    /// Whether the class opens after one instant and not later than another.
    pub(super) fn opens_within(
        &mut self,
        site: &Site,
        class: &WindowClass,
        (after, until): (Timestamp, Timestamp),
    ) -> bool {
        let days = KnownDays { calendars: &site.calendars, default: site.calendar.as_ref() };
        let openings = site.windows.get(class).map_or(&[][..], |window| &window.open);
        openings.iter().any(|opening| {
            let date = |at| opening.zone.tz().to_datetime(at).date();
            let dates = date(after).series(1.day()).take_while(|day| *day <= date(until));
            let mut dates = dates.filter(|day| days.is_one(&opening.days, *day) == Some(true));
            dates.any(|day| {
                let opens = self.interval(opening, day).map(|(from, _)| from);
                let opens = opens.filter(|from| after < *from && *from <= until);
                opens.is_some_and(|from| {
                    let before = from - SignedDuration::from_nanos(1);
                    self.open_until(site, class, before, before) == before
                })
            })
        })
    }

    /// Until when the class stays open without a break, as far as `enough`; `at` itself where it is closed.
    fn open_until(
        &mut self,
        site: &Site,
        class: &WindowClass,
        at: Timestamp,
        enough: Timestamp,
    ) -> Timestamp {
        let days = KnownDays { calendars: &site.calendars, default: site.calendar.as_ref() };
        let openings = site.windows.get(class).map_or(&[][..], |window| &window.open);
        let mut until = at;
        loop {
            let next = openings.iter().find_map(|opening| {
                let today = opening.zone.tz().to_datetime(until).date();
                let dates = (-2..=1).filter_map(|back: i64| today.checked_add(back.days()).ok());
                dates
                    .filter(|date| days.is_one(&opening.days, *date) == Some(true))
                    .filter_map(|date| self.interval(opening, date))
                    .find(|(from, to)| *from <= until && until < *to)
            });
            match next {
                Some((_, end)) if end < enough => until = end,
                Some((_, end)) => return end,
                None => return until,
            }
        }
    }

    fn interval(&mut self, opening: &Opening, date: Date) -> Option<(Timestamp, Timestamp)> {
        let last = if opening.to <= opening.from { date.tomorrow().ok()? } else { date };
        let from = self.reaches(&opening.zone, date.to_datetime(opening.from));
        let to = self.reaches(&opening.zone, last.to_datetime(opening.to));
        let season = opening.only_while.as_ref().is_none_or(|season| {
            season.zone.tz().to_offset_info(from).dst().is_dst() == season.daylight
        });
        (season && from < to).then_some((from, to))
    }
}

/// 1.5 × what is expected, and what a change adds.
fn must_fit(run: &Run, job: &Job, ruled: bool) -> Duration {
    let expected = run.opened.expected.get(&job.name).copied().or(job.expected);
    let own = expected.unwrap_or_default().get().mul_f64(1.5);
    match &job.kind {
        Kind::Change { change, .. } => run.site.changes.get(change).map_or(own, |change| {
            let declared = change.expected.filter(|_| ruled).unwrap_or_default();
            let own = own.max(declared.get().mul_f64(1.5));
            own + change.verify_takes.get() + change.rollback_takes.get()
        }),
        _ => own,
    }
}

pub(super) fn target<'a>(run: &'a Run, job: &'a Job) -> Option<&'a TargetName> {
    match &job.kind {
        Kind::Sql { target, .. } | Kind::WaitSql { target, .. } => Some(target),
        Kind::Change { change, .. } => run.site.changes.get(change)?.target.as_ref(),
        Kind::Inspect { target, .. } => target.as_ref(),
        _ => None,
    }
}

fn named(
    freeze: &Freeze,
    run: &Run,
    (job, host): (&Job, &HostName),
    classes: &[&WindowClass],
) -> bool {
    let scope = &freeze.scope;
    let lists = [
        scope.batches.is_empty(),
        scope.windows.is_empty(),
        scope.targets.is_empty(),
        scope.hosts.is_empty(),
    ];
    lists == [true; 4]
        || scope.batches.contains(&run.batch.id)
        || scope.hosts.contains(host)
        || scope.windows.iter().any(|class| classes.contains(&class))
        || target(run, job).is_some_and(|target| scope.targets.contains(target))
}
