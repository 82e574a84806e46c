//! What a person supposes of a night, from the words of the command line to names and times of the site.

use std::collections::BTreeMap;

use jiff::Timestamp;
use jiff::civil::{DateTime, Time};

use crate::core::deadline;
use crate::core::select::matches;
use crate::definition::nearest;
use crate::definition::site::{Job, Kind, Site};
use crate::types::{BatchId, HostName, JobRef, Span, Zone};
use crate::view::rehearsal::{Length, Supposed};

/// As written on the command line.
#[derive(Debug, Clone, Default)]
pub struct Wishes {
    /// `HOST=01:00-02:00`
    pub host_down: Vec<String>,
    /// `JOB=2x`, `JOB=45m`
    pub takes: Vec<String>,
    /// `JOB`, `JOB=2`
    pub fails: Vec<String>,
    /// `JOB=02:30`
    pub arrives: Vec<String>,
    /// `23:00-05:00`
    pub freeze: Vec<String>,
    pub confirm_after: Option<Span>,
    pub nobody_confirms: bool,
}

/// A wish that cannot be understood.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("--{option} {text}: {what}")]
pub struct BadWish {
    option: &'static str,
    text: String,
    what: String,
}

/// The site that wishes are about.
#[derive(Debug, Clone, Copy)]
pub struct About<'a> {
    pub site: &'a Site,
    /// The batches whose jobs are meant where none is named.
    pub batches: &'a [BatchId],
    /// The first start: clock times are those of its night.
    pub first: Timestamp,
}

impl Wishes {
    /// Every wish resolved, in the order of the options; of one option as given.
    pub fn resolve(&self, about: About<'_>) -> Result<Vec<Supposed>, BadWish> {
        let mut all = Vec::new();
        let each = |option, texts: &[String], read: &dyn Fn(&str) -> Result<Supposed, String>| {
            let read = |text: &String| {
                read(text).map_err(|what| BadWish { option, text: text.clone(), what })
            };
            texts.iter().map(read).collect::<Result<Vec<Supposed>, BadWish>>()
        };
        all.extend(each("host-down", &self.host_down, &|text| host_down(about, text))?);
        all.extend(each("freeze", &self.freeze, &|text| {
            between(about, text).map(|(from, to)| Supposed::Frozen { from, to })
        })?);
        all.extend(each("takes", &self.takes, &|text| takes(about, text))?);
        all.extend(each("fails", &self.fails, &|text| fails(about, text))?);
        all.extend(each("arrives", &self.arrives, &|text| arrives(about, text))?);
        all.extend(self.confirm_after.map(|after| Supposed::ConfirmAfter { after }));
        all.extend(self.nobody_confirms.then_some(Supposed::NobodyConfirms));
        Ok(all)
    }
}

fn host_down(about: About<'_>, text: &str) -> Result<Supposed, String> {
    let (name, times) = text.split_once('=').ok_or("write HOST=01:00-02:00")?;
    let known = about.site.hosts.keys().map(HostName::as_str);
    let host = about.site.hosts.keys().find(|host| host.as_str() == name);
    let host = host.ok_or_else(|| unknown(&format!("there is no host `{name}`"), name, known))?;
    let (from, to) = between(about, times)?;
    Ok(Supposed::HostDown { host: host.clone(), from, to })
}

fn takes(about: About<'_>, text: &str) -> Result<Supposed, String> {
    let (pattern, length) = text.rsplit_once('=').ok_or("write JOB=2x or JOB=45m")?;
    let takes = match length.strip_suffix('x').map(str::parse::<f64>) {
        Some(Ok(times)) if times.is_finite() && (0.0..=1_000.0).contains(&times) => {
            Length::Times(times)
        }
        Some(_) => return Err(format!("`{length}` is not a factor from 0x to 1000x")),
        None => Length::Span(length.parse::<Span>().map_err(|bad| format!("{bad}; or `2x`"))?),
    };
    let attempts = |job: &Job| job.kind.starts();
    let jobs = jobs(about, pattern, attempts, "waits for a clock time or a person")?;
    Ok(Supposed::Takes { jobs, takes })
}

fn fails(about: About<'_>, text: &str) -> Result<Supposed, String> {
    let (pattern, attempts) = match text.rsplit_once('=') {
        None => (text, None),
        Some((pattern, number)) => {
            let number = number.parse().ok().filter(|number| *number > 0);
            (pattern, Some(number.ok_or("write JOB, or JOB=2 for its first two attempts")?))
        }
    };
    let can = |job: &Job| job.kind.starts();
    let jobs =
        jobs(about, pattern, can, "waits for a clock time, an event or a person and cannot fail")?;
    Ok(Supposed::Fails { jobs, attempts })
}

fn arrives(about: About<'_>, text: &str) -> Result<Supposed, String> {
    let (pattern, at) = text.rsplit_once('=').ok_or("write JOB=02:30")?;
    let waits = |job: &Job| matches!(job.kind, Kind::WaitFile { .. } | Kind::WaitSql { .. });
    let jobs = jobs(about, pattern, waits, "waits for no file and no SQL condition")?;
    Ok(Supposed::Arrives { jobs, at: clock_time(at)? })
}

/// Jobs by name: `eod.load-rates`, `load-rates` of a batch that is simulated, `*` for any letters.
fn jobs(
    about: About<'_>,
    pattern: &str,
    fits: impl Fn(&Job) -> bool,
    else_it: &str,
) -> Result<Vec<JobRef>, String> {
    let of_batches = |batch: &BatchId| pattern.contains('.') || about.batches.contains(batch);
    let written = |batch: &BatchId, job: &Job| match pattern.contains('.') {
        true => format!("{batch}.{}", job.name),
        false => job.name.to_string(),
    };
    let all: Vec<(&BatchId, &Job)> = about
        .site
        .batches
        .iter()
        .filter(|(id, _)| of_batches(id))
        .flat_map(|(id, batch)| batch.jobs.iter().map(move |job| (id, job)))
        .collect();
    let named: Vec<_> =
        all.iter().filter(|(batch, job)| matches(pattern, &written(batch, job))).collect();
    if named.is_empty() {
        let known: Vec<String> = all.iter().map(|(batch, job)| written(batch, job)).collect();
        let what = format!("no job is called `{pattern}`");
        return Err(unknown(&what, pattern, known.iter().map(String::as_str)));
    }
    let found: Vec<JobRef> = named
        .iter()
        .filter(|(_, job)| fits(job))
        .map(|(batch, job)| JobRef { batch: (*batch).clone(), job: job.name.clone() })
        .collect();
    if found.is_empty() {
        return Err(format!("{pattern} {else_it}"));
    }
    Ok(found)
}

/// `01:00-02:00`: the first such time that is not over when the night begins. `2026-10-31T01:00..2026-10-31T02:00`: then.
fn between(about: About<'_>, text: &str) -> Result<(Timestamp, Timestamp), String> {
    let zone = &about.site.zone;
    if let Some((from, to)) = text.split_once("..") {
        let (from, to) = (instant(zone, from)?, instant(zone, to)?);
        return if from < to { Ok((from, to)) } else { Err("it ends before it begins".to_owned()) };
    }
    let (from, to) = text.split_once('-').ok_or("write the times as 01:00-02:00")?;
    let (from, to) = (clock_time(from)?, clock_time(to)?);
    if from == to {
        return Err("it ends when it begins".to_owned());
    }
    // Not over: it ends after the first instant of the night.
    let just_after = about.first.checked_add(jiff::SignedDuration::from_nanos(1));
    let end = deadline::first_at_or_after(just_after.unwrap_or(about.first), to, zone);
    let day = zone.tz().to_datetime(end).date();
    let day = if from < to { Ok(day) } else { day.yesterday() };
    let begin = day.and_then(|day| zone.tz().to_timestamp(day.to_datetime(from)));
    let begin = begin.map_err(|error| error.to_string())?;
    if begin < end { Ok((begin, end)) } else { Err("that night has no such hours".to_owned()) }
}

fn instant(zone: &Zone, text: &str) -> Result<Timestamp, String> {
    let civil: DateTime = text
        .parse()
        .map_err(|_| format!("`{text}` is not a time: write it as 2026-10-31T01:00"))?;
    zone.tz().to_timestamp(civil).map_err(|error| error.to_string())
}

fn clock_time(text: &str) -> Result<Time, String> {
    let bad = || format!("`{text}` is not a clock time: write it as 02:30");
    if !text.contains(':') {
        return Err(bad());
    }
    text.parse().map_err(|_| bad())
}

fn unknown<'n>(what: &str, name: &str, known: impl IntoIterator<Item = &'n str>) -> String {
    match nearest::hint(name, known) {
        Some(hint) => format!("{what}; {hint}"),
        None => what.to_owned(),
    }
}

/// What is supposed of single jobs, ready to be asked for each attempt.
#[derive(Debug, Clone, Default, PartialEq)]
pub(super) struct OfJobs {
    pub(super) takes: BTreeMap<JobRef, Length>,
    pub(super) fails: BTreeMap<JobRef, Option<u32>>,
    pub(super) arrives: BTreeMap<JobRef, Time>,
}

impl OfJobs {
    /// Of two that name the same job the later one counts.
    pub(super) fn of(supposed: &[Supposed]) -> Self {
        let mut of = Self::default();
        for supposed in supposed {
            match supposed {
                Supposed::Takes { jobs, takes } => {
                    of.takes.extend(jobs.iter().map(|job| (job.clone(), *takes)));
                }
                Supposed::Fails { jobs, attempts } => {
                    of.fails.extend(jobs.iter().map(|job| (job.clone(), *attempts)));
                }
                Supposed::Arrives { jobs, at } => {
                    of.arrives.extend(jobs.iter().map(|job| (job.clone(), *at)));
                }
                _ => {}
            }
        }
        of
    }
}

#[cfg(test)]
#[path = "what_if_tests.rs"]
mod tests;
