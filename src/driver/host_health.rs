//! Limits of this process, which the supervisor and the agent would have too, and the host's data of time zones.

#![expect(clippy::disallowed_methods, reason = "driver: it reads what the host says of itself")]

use jiff::tz::{Offset, TimeZone, TimeZoneDatabase};
use jiff::{SignedDuration, Timestamp};
use rustix::process::{Resource, getrlimit};

use crate::view::health::Finding;

/// What agent and supervisor open besides one descriptor for each attempt: sockets, store, log, copies.
const OTHER_FILES: u64 = 256;
/// Supervisor, agent, what a person starts beside them.
const OTHER_PROCESSES: u64 = 32;
/// A shim and its program.
const PROCESSES_OF_AN_ATTEMPT: u64 = 2;

/// Whether so many attempts at a time fit into the limits.
pub fn limits(max_running: u32) -> Vec<Finding> {
    let most = u64::from(max_running);
    let mut found = vec![];
    let (limit, needed) = (getrlimit(Resource::Nofile).current, most + OTHER_FILES);
    found.push(match limit {
        Some(limit) if limit < needed => Finding::TooFewFiles { limit, needed, max_running },
        limit => Finding::EnoughFiles { limit, needed },
    });
    // The kernel does not count the processes of root.
    let root = rustix::process::geteuid().is_root();
    let limit = getrlimit(Resource::Nproc).current.filter(|_| !root);
    let needed = PROCESSES_OF_AN_ATTEMPT * most + OTHER_PROCESSES;
    found.push(match limit {
        Some(limit) if limit < needed => Finding::TooFewProcesses { limit, needed, max_running },
        limit => Finding::EnoughProcesses { limit, needed },
    });
    found
}

/// Where the host keeps its data of time zones, with their release where they say it.
fn data_of_host() -> Option<String> {
    const FOLDER: &str = "/usr/share/zoneinfo";
    let first = std::fs::read_to_string(format!("{FOLDER}/tzdata.zi")).unwrap_or_default();
    let release = first.lines().next().and_then(|line| line.strip_prefix("# version "));
    match release {
        Some(release) => Some(format!("{release}, {FOLDER}")),
        None => std::path::Path::new(FOLDER).is_dir().then(|| FOLDER.to_owned()),
    }
}

/// Whether the kernel takes its clock for right, as whoever keeps it (NTP) tells it; nothing where it does not say.
pub fn clock() -> Option<Finding> {
    const UNSYNCHRONISED: libc::c_int = 0x40;
    #[expect(unsafe_code, reason = "adjtimex is only in libc")]
    // SAFETY: a plain call that fills a structure on this stack; nothing is asked to be changed.
    let (said, told) = unsafe {
        let mut told: libc::timex = std::mem::zeroed();
        (libc::adjtimex(&raw mut told), told)
    };
    let error_us = u64::try_from(told.maxerror).unwrap_or_default();
    (said >= 0 && told.status & UNSYNCHRONISED != 0)
        .then_some(Finding::ClockNotSynchronised { error_us })
}

/// How long ahead the two kinds of data are compared: past the next two changes of daylight saving.
const AHEAD: SignedDuration = SignedDuration::from_hours(24 * 400);

/// Compares what the host says of these zones with what this program brings along, from now on.
pub fn zones(names: &[String], now: Timestamp) -> Vec<Finding> {
    let own = TimeZoneDatabase::bundled();
    let mut found: Vec<Finding> = Vec::new();
    for name in names {
        let (Ok(host), Ok(own)) = (TimeZone::get(name), own.get(name)) else { continue };
        if let Some((at, by_host, by_own)) = difference(&host, &own, now) {
            let [host, own] = [by_host, by_own].map(|offset| format!("{offset}"));
            found.push(Finding::ZoneDiffers { zone: name.clone(), at, host, own });
        }
    }
    if found.is_empty() {
        found.push(Finding::ZonesAgree { zones: names.to_vec(), data: data_of_host() });
    }
    found
}

fn difference(
    host: &TimeZone,
    own: &TimeZone,
    now: Timestamp,
) -> Option<(Timestamp, Offset, Offset)> {
    let until = now.checked_add(AHEAD).ok()?;
    // Data without a rule for the future give their last change again and again.
    let changes = |zone: &TimeZone| -> Vec<Timestamp> {
        let mut last = now;
        zone.following(now)
            .map(|change| change.timestamp())
            .take_while(|at| std::mem::replace(&mut last, *at) < *at && *at < until)
            .collect()
    };
    // Between changes both stand still: looked at now, and at each change of either.
    let mut looked_at = [vec![now], changes(host), changes(own)].concat();
    looked_at.sort();
    looked_at.into_iter().find_map(|at| {
        let (by_host, by_own) = (host.to_offset(at), own.to_offset(at));
        (by_host != by_own).then_some((at, by_host, by_own))
    })
}

#[cfg(test)]
mod tests {
    use jiff::tz;

    use super::*;

    #[test]
    fn data_that_differ_at_one_change_of_the_year_are_found() {
        let berlin = TimeZoneDatabase::bundled().get("Europe/Berlin").unwrap();
        // Summer time that ends a month later.
        let other = TimeZone::posix("CET-1CEST,M3.5.0,M11.5.0/3").unwrap();
        let now: Timestamp = "2026-07-01T00:00:00Z".parse().unwrap();
        assert_eq!(difference(&berlin, &berlin, now), None);
        let (at, by_host, by_own) = difference(&other, &berlin, now).unwrap();
        assert_eq!(at.to_string(), "2026-10-25T01:00:00Z");
        assert_eq!((by_host, by_own), (tz::offset(2), tz::offset(1)));
    }
}
