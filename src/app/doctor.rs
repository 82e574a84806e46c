//! Looks at everything that a night needs of its host.

use std::io;
use std::path::Path;
use std::sync::Arc;
use std::time::Duration;

use jiff::civil::date;
use jiff::tz::TimeZone;
use jiff::{SignedDuration, Timestamp};

use super::{check, keeping};
use crate::agent;
use crate::core::fact::Fact;
use crate::definition::defect::Severity;
use crate::definition::retention::Retention;
use crate::definition::settings::Definitions;
use crate::definition::site::{Host, LifeSignRule, Mail, Site, Transport, Webhook};
use crate::driver::clock::HostClock;
use crate::driver::mail::{FolderMailer, SmtpMailer};
use crate::driver::store::{FILE, StateReader, StoreAddress};
use crate::driver::{agent_health, git_health, host_health, life_sign, state_health, webhook};
use crate::port::{Clock, RunFilter, StoreError, StoreReader};
use crate::types::{ChannelName, LifeSign, Now, Span};
use crate::view::health::Finding;

/// For the answer of an agent.
const AGENT: Duration = Duration::from_secs(5);
/// For everything that a mail server has to do before it would take a message.
const MAIL: Duration = Duration::from_secs(10);
/// The hosts that this supervisor reaches have their agent here.
const LOCAL: &str = "local";
/// A wall clock that moved by less than this against the time since boot was not stepped.
const STEP: SignedDuration = SignedDuration::from_secs(2);

/// What a night of this host goes by.
#[derive(Debug, Clone, Copy)]
pub struct Examined<'a> {
    /// The file of settings, where one is used.
    pub settings: Option<&'a Path>,
    pub site: &'a Path,
    pub definitions: &'a Definitions,
    pub state: &'a Path,
    /// Folder of the agent.
    pub shared: &'a Path,
    pub store: &'a StoreAddress,
    /// The agent has a unit of its own.
    pub awaits_agent: bool,
    /// `None`: everything is kept.
    pub retention: Option<&'a Retention>,
    /// How old the newest backup may be; 26 hours where nothing is said.
    pub backup_within: Option<Span>,
}

/// Everything that is found, good and bad, in the order in which a person mends it. An error: not even the clock can be
/// read.
pub async fn examine(places: &Examined<'_>) -> io::Result<Vec<Finding>> {
    let Examined { state, store, .. } = *places;
    let clock = HostClock::new()?;
    let now = clock.now();
    let mut found: Vec<Finding> = Vec::new();
    found.extend(places.settings.map(|path| Finding::SettingsRead { path: path.to_owned() }));
    let (of_files, site) = of_site(places.site, now.wall);
    found.extend(of_files);
    if places.site.is_dir() {
        found.extend(git_health::examine(places.site, places.definitions).await);
    }
    found.extend(state_health::examine(state));
    if places.shared != state {
        found.extend(state_health::examine(places.shared));
    }
    let reader = StateReader::open(store, state).await;
    found.push(of_store(&reader, store, state).await);
    if let Ok(Some(reader)) = &reader {
        found.push(keeping::of_archive(reader, places.retention, now.wall).await);
        found.extend(keeping::of_backup(reader, state, (places.backup_within, now.wall)).await);
    }
    let agent = places.shared.join("agent");
    found.push(agent_health::examine(&agent, AGENT, places.awaits_agent).await);
    if let Some(site) = &site {
        found.push(of_mail(&site.mail, state).await);
        found.extend(site.webhooks.iter().map(of_webhook));
        found.extend(of_life_sign(site.life_sign.as_ref(), now.wall));
    }
    let reader = reader.ok().flatten();
    let mut clock_found = Vec::new();
    if let Some(reader) = reader {
        // A store that cannot be read was told above.
        found.extend(of_outbox(&reader).await.unwrap_or_default());
        clock_found = against_journal(&reader, &clock, now).await.unwrap_or_default();
    }
    found.push(of_clock(now));
    found.extend(host_health::clock());
    found.extend(clock_found);
    if let Some(site) = &site {
        found.extend(host_health::zones(&zones(site), now.wall));
        let max_running = site.hosts.iter().find(|(name, _)| name.as_str() == LOCAL);
        found.extend(
            max_running.into_iter().flat_map(|(_, host)| host_health::limits(host.max_running)),
        );
    }
    found.extend(of_kernel());
    Ok(found)
}

fn of_site(folder: &Path, now: Timestamp) -> (Vec<Finding>, Option<Arc<Site>>) {
    let path = folder.to_owned();
    let checked = match check(folder, now.to_zoned(TimeZone::UTC).date()) {
        Ok(checked) => checked,
        Err(why) => return (vec![Finding::SiteUnreadable { why: why.to_string() }], None),
    };
    let count = |severity| checked.defects.iter().filter(|d| d.severity == severity).count() as u64;
    let Some(site) = checked.site else {
        return (vec![Finding::SiteHasDefects { path, errors: count(Severity::Error) }], None);
    };
    let loads = Finding::SiteLoads {
        path,
        batches: site.batches.len() as u64,
        jobs: site.batches.values().map(|batch| batch.jobs.len() as u64).sum(),
        warnings: count(Severity::Warning),
    };
    (vec![loads], Some(site))
}

async fn of_store(
    reader: &Result<Option<StateReader>, StoreError>,
    store: &StoreAddress,
    state: &Path,
) -> Finding {
    let unusable = |why: &StoreError| match store {
        // It says itself which file it is about.
        StoreAddress::Folder => Finding::StoreUnusable { why: why.to_string() },
        StoreAddress::Postgres(address) => {
            Finding::StoreUnusable { why: format!("{address}: {why}") }
        }
    };
    let checked = match reader {
        Ok(None) => return Finding::NoStore,
        Ok(Some(reader)) => reader.check_end().await,
        Err(why) => return unusable(why),
    };
    match checked {
        Ok((version, head)) => {
            let place = match store {
                StoreAddress::Folder => state.join(FILE).display().to_string(),
                StoreAddress::Postgres(address) => address.to_string(),
            };
            Finding::StoreWhole { place, version, entries: head.seq, head: head.hash }
        }
        Err(why) => unusable(&why),
    }
}

async fn of_mail(mail: &Mail, state: &Path) -> Finding {
    match &mail.transport {
        Transport::Folder(folder) => {
            let path = state.join(folder);
            match FolderMailer::new(path.clone()).try_out() {
                Ok(()) => Finding::MailFolderUsable { path },
                Err(why) => Finding::MailFolderUnusable { path, why: why.to_string() },
            }
        }
        Transport::Smtp(smtp) => {
            let server = format!("{}:{}", smtp.host, smtp.port);
            let clock = HostClock::new();
            let begun = clock.as_ref().map(|clock| clock.now().since_boot).unwrap_or_default();
            match SmtpMailer::new(smtp.clone(), MAIL).greet().await {
                Ok(()) => {
                    let over = clock.map(|clock| clock.now().since_boot).unwrap_or_default();
                    let took = over.saturating_sub(begun);
                    let took_ms = u64::try_from(took.as_millis()).unwrap_or(u64::MAX);
                    Finding::MailServerAnswers { server, took_ms }
                }
                Err(why) => Finding::MailServerUnusable { server, why: why.to_string() },
            }
        }
    }
}

/// Twice as old as the site wants it is too old: a turn may have been long. `None`: what is sent is known where it arrives.
fn of_life_sign(rule: Option<&LifeSignRule>, now: Timestamp) -> Option<Finding> {
    let Some(LifeSignRule { file, every, .. }) = rule else { return Some(Finding::NoLifeSign) };
    let file = file.as_ref()?;
    let path = file.clone();
    Some(match life_sign::read::<LifeSign>(file) {
        Ok(Some(sign)) if now.duration_since(sign.at).unsigned_abs() > every.get() * 2 => {
            Finding::LifeSignOld { path, at: sign.at }
        }
        Ok(Some(sign)) => Finding::LifeSignGiven { path, at: sign.at },
        Ok(None) => Finding::LifeSignMissing { path, why: None },
        Err(why) => Finding::LifeSignMissing { path, why: Some(why) },
    })
}

/// Nothing is sent: everybody in the room would read it.
fn of_webhook((name, webhook): (&ChannelName, &Webhook)) -> Finding {
    match webhook::examine(webhook) {
        Ok(()) => Finding::WebhookUsable { webhook: name.clone(), format: webhook.format.word() },
        Err(why) => Finding::WebhookUnusable { webhook: name.clone(), why },
    }
}

async fn of_outbox(reader: &StateReader) -> Result<Option<Finding>, StoreError> {
    let unsent = reader.outbox_unsent().await?;
    let given_up = unsent.iter().filter(|mail| mail.due.is_none()).count() as u64;
    let mails = unsent.len() as u64;
    Ok((mails > 0).then_some(Finding::MailWaits { mails, given_up }))
}

fn of_clock(now: Now) -> Finding {
    let wall = now.wall;
    // This program is not older, and its calendars do not reach further.
    let years = date(2026, 1, 1).year()..date(2100, 1, 1).year();
    let booted = wall.saturating_sub(SignedDuration::try_from(now.since_boot).unwrap_or_default());
    let known = |at: Timestamp| years.contains(&at.to_zoned(TimeZone::UTC).year());
    match known(wall) && booted.is_ok() {
        true => Finding::ClockPlausible { wall, since_boot_s: now.since_boot.as_secs() },
        false => Finding::ClockImplausible { wall },
    }
}

/// What the journal knows of the time: its last entry, and how both clocks stood when the last run was opened.
async fn against_journal(
    reader: &StateReader,
    clock: &HostClock,
    now: Now,
) -> Result<Vec<Finding>, StoreError> {
    let head = reader.head().await?;
    let last = reader.all_entries(head.seq.saturating_sub(1), 1).await?;
    let last = last.first().and_then(|sealed| sealed.open().ok());
    if let Some(last) = last.filter(|last| last.recorded.duration_since(now.wall) > STEP) {
        return Ok(vec![Finding::ClockBehindJournal { wall: now.wall, last: last.recorded }]);
    }
    let filter = RunFilter { trial: Some(false), limit: Some(1), ..RunFilter::default() };
    let Some(run) = reader.runs(&filter).await?.into_iter().next() else { return Ok(Vec::new()) };
    let opening = reader.all_entries(run.opened_seq.saturating_sub(1), 1).await?;
    if let Some(entry) = opening.first().and_then(|sealed| sealed.open().ok())
        && let Fact::RunOpened(opened) = &entry.fact
        && opened.boot == clock.boot()
    {
        let by_wall = now.wall.duration_since(entry.at);
        let since_boot = now.since_boot.saturating_sub(opened.since_boot);
        let by = by_wall - SignedDuration::try_from(since_boot).unwrap_or_default();
        if by.abs() > STEP {
            return Ok(vec![Finding::ClockStepped { by_s: by.as_secs(), since: entry.at }]);
        }
    }
    Ok(Vec::new())
}

/// What a host must have that only runs jobs; `folder`: that of nightrun there.
pub async fn examine_host(folder: &Path) -> Vec<Finding> {
    let mut found = state_health::examine(folder);
    found.push(agent_health::examine(&folder.join("agent"), AGENT, false).await);
    found.extend(host_health::clock());
    found.extend(host_health::limits(Host::MAX_RUNNING));
    found.extend(of_kernel());
    found
}

/// Zones that something of the site goes by.
fn zones(site: &Site) -> Vec<String> {
    let schedules = site.batches.values().filter_map(|batch| batch.schedule.as_ref());
    let mut names: Vec<String> = std::iter::once(&site.zone)
        .chain(schedules.map(|schedule| &schedule.zone))
        .map(|zone| zone.name().to_owned())
        .collect();
    names.sort();
    names.dedup();
    names
}

/// What the kernel has in one line, and one for each thing that it lacks.
fn of_kernel() -> Vec<Finding> {
    let features = agent::kernel_features();
    let has = features.iter().filter(|feature| feature.present).map(|feature| feature.name);
    let lacks = features.iter().filter(|feature| !feature.present);
    let has = Finding::KernelHas { features: has.collect() };
    let lacks = lacks
        .map(|lacking| Finding::KernelLacks { feature: lacking.name, without: lacking.without });
    std::iter::once(has).chain(lacks).collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::view::health::Grade;

    #[test]
    fn a_year_that_cannot_be_is_a_failure() {
        for (wall, grade) in [
            ("1970-01-01T00:05:00Z", Grade::Fail),
            ("2025-12-31T23:59:59Z", Grade::Fail),
            ("2026-11-23T02:00:00Z", Grade::Ok),
            ("2106-02-07T06:28:16Z", Grade::Fail),
        ] {
            let now = Now { wall: wall.parse().unwrap(), since_boot: Duration::from_secs(60) };
            assert_eq!(of_clock(now).grade(), grade, "{wall}");
        }
    }
}
