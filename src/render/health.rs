//! What `nightrun doctor` prints: one line a finding.

use std::path::Path;
use std::time::Duration;

use jiff::Timestamp;

use crate::render::clock::took;
use crate::render::table::pad;
use crate::render::words::{Health, Label, list};
use crate::types::Lang;
use crate::view::health::{Finding, Grade, Part};

/// Columns of the grade, and of the part.
const GRADE: usize = 6;
const PART: usize = 10;

/// The page: the grade, what it is about, what was found and what to do.
pub fn page(lang: Lang, findings: &[Finding]) -> String {
    let line = |finding: &Finding| {
        let grade = pad(Label::of_grade(finding.grade()).say(lang), GRADE, false);
        let part = pad(Label::of_part(finding.part()).say(lang), PART, false);
        format!("{grade}{part}{}\n", words(lang, finding))
    };
    findings.iter().map(line).collect()
}

/// What was found and what to do, in one line.
pub fn words(lang: Lang, finding: &Finding) -> String {
    let said = match finding.part() {
        Part::Settings | Part::Git => of_definitions(finding, lang),
        Part::Site => of_site(finding, lang),
        Part::State => of_state(finding, lang),
        Part::Archive | Part::Backup => of_keeping(finding, lang),
        Part::Store | Part::Agent => of_store_or_agent(finding, lang),
        Part::Mail => of_mail(finding, lang),
        Part::Clock | Part::Zones => of_time(finding, lang),
        Part::Limits | Part::Kernel => of_system(finding, lang),
    };
    // Words of the system and of servers may come in lines.
    said.unwrap_or_default().split_whitespace().collect::<Vec<_>>().join(" ")
}

fn of_site(finding: &Finding, lang: Lang) -> Option<String> {
    let health = match finding {
        Finding::SiteLoads { path, batches, jobs, warnings: 0 } => {
            return Some(
                Health::SiteLoads { path: &shown(path), batches: *batches, jobs: *jobs }.say(lang),
            );
        }
        Finding::SiteLoads { path, warnings, .. } => {
            return Some(Health::SiteWarns { path: &shown(path), warnings: *warnings }.say(lang));
        }
        Finding::SiteHasDefects { path, errors } => {
            return Some(Health::SiteHasDefects { path: &shown(path), errors: *errors }.say(lang));
        }
        Finding::SiteUnreadable { why } => Health::SiteUnreadable { why },
        _ => return None,
    };
    Some(health.say(lang))
}

fn of_definitions(finding: &Finding, lang: Lang) -> Option<String> {
    let said = match finding {
        Finding::SettingsRead { path } => Health::SettingsRead { path: &shown(path) }.say(lang),
        Finding::NotInGit { path } => Health::NotInGit { path: &shown(path) }.say(lang),
        Finding::GitCommit { version, commit, author, branch } => {
            let branch = branch.as_deref().unwrap_or("-");
            Health::GitCommit { version, commit, author, branch }.say(lang)
        }
        Finding::GitDirty { commit, counts: true } => Health::GitDirty { commit }.say(lang),
        Finding::GitDirty { commit, counts: false } => Health::GitLeftOut { commit }.say(lang),
        Finding::GitUnusable { why, needed: true } => Health::GitMissing { why }.say(lang),
        Finding::GitUnusable { why, needed: false } => Health::GitUnknown { why }.say(lang),
        Finding::GitFollows { remote, branch, commit } => {
            Health::GitFollows { remote, branch, commit }.say(lang)
        }
        Finding::GitRemoteSilent { remote, branch, why } => {
            Health::GitRemoteSilent { remote, branch, why }.say(lang)
        }
        _ => return None,
    };
    Some(said)
}

fn of_state(finding: &Finding, lang: Lang) -> Option<String> {
    let said = match finding {
        Finding::NoState { path } => Health::NoState { path: &shown(path) }.say(lang),
        Finding::StateUnusable { path, why } => {
            Health::StateUnusable { path: &shown(path), why }.say(lang)
        }
        Finding::StateUsable { path, free, fsync_us } => Health::StateUsable {
            path: &shown(path),
            free: &size(*free),
            fsync: &format!("{:.1} ms", *fsync_us as f64 / 1_000.0),
        }
        .say(lang),
        Finding::StateOfAnother { path, owner, own } => {
            Health::StateOfAnother { path: &shown(path), owner, own }.say(lang)
        }
        Finding::StateOpenToOthers { path, mode } => {
            Health::StateOpenToOthers { path: &shown(path), mode: &octal(*mode) }.say(lang)
        }
        Finding::LittleRoom { path, free, files } if finding_is_of_files(*free, *files) => {
            Health::FewFiles { path: &shown(path), files: *files }.say(lang)
        }
        Finding::LittleRoom { path, free, .. } => {
            Health::LittleRoom { path: &shown(path), free: &size(*free) }.say(lang)
        }
        Finding::StateVolatile { path } => Health::StateVolatile { path: &shown(path) }.say(lang),
        Finding::StateShared { path, kind } => {
            Health::StateShared { path: &shown(path), kind }.say(lang)
        }
        Finding::NoSockets { path, why } => Health::NoSockets { path: &shown(path), why }.say(lang),
        _ => return None,
    };
    Some(said)
}

/// Whether files are what is scarce, and not bytes.
fn finding_is_of_files(free: u64, files: u64) -> bool {
    Finding::of_room(Path::new("").to_owned(), free, None).is_none() && files < u64::MAX
}

fn of_store_or_agent(finding: &Finding, lang: Lang) -> Option<String> {
    let said = match finding {
        Finding::NoStore => Health::NoStore.say(lang),
        Finding::StoreWhole { place, version, entries, head } => {
            let head = head.get(..12).unwrap_or(head);
            Health::StoreWhole { place, version: *version, entries: *entries, head }.say(lang)
        }
        Finding::StoreUnusable { why } => Health::StoreUnusable { why }.say(lang),
        Finding::StoreOpenToOthers { path, mode } => {
            Health::StoreOpenToOthers { path: &shown(path), mode: &octal(*mode) }.say(lang)
        }
        Finding::NoAgent { attempts: 0 } => Health::NoAgent.say(lang),
        Finding::NoAgent { attempts } => Health::AgentIsMissed { attempts: *attempts }.say(lang),
        Finding::AgentAwaited => Health::AgentAwaited.say(lang),
        Finding::AgentHere { pid, version, release, boot, running, unrecorded } => {
            Health::AgentHere {
                pid: *pid,
                version: *version,
                release,
                boot,
                running: *running,
                unrecorded: *unrecorded,
            }
            .say(lang)
        }
        Finding::AgentOutdated { pid, release, own, running, version: _ } => {
            let (pid, running) = (*pid, *running);
            match release {
                Some(release) => Health::AgentOutdated { pid, release, own, running }.say(lang),
                None => Health::AgentFormer { pid, own, running }.say(lang),
            }
        }
        Finding::AgentSpeaksOther { version, own } => {
            Health::AgentSpeaksOther { version: *version, own: *own }.say(lang)
        }
        Finding::AgentUnusable { why } => Health::AgentUnusable { why }.say(lang),
        _ => return None,
    };
    Some(said)
}

fn of_keeping(finding: &Finding, lang: Lang) -> Option<String> {
    let when = |at: &Option<Timestamp>| at.map_or_else(|| Health::Never.say(lang), utc);
    let age = |seconds: u64| took(lang, Duration::from_secs(seconds));
    let said = match finding {
        Finding::EverythingKept => Health::EverythingKept.say(lang),
        Finding::ArchiveGoes { folder, runs, logs, last } => {
            let (folder, last) = (&*shown(folder), &*when(last));
            Health::ArchiveGoes { folder, runs: *runs, logs: *logs, last }.say(lang)
        }
        Finding::ArchiveLate { folder, runs, logs, last } => {
            let (folder, last) = (&*shown(folder), &*when(last));
            Health::ArchiveLate { folder, runs: *runs, logs: *logs, last }.say(lang)
        }
        Finding::ArchiveUnknown { folder, why } => {
            Health::ArchiveUnknown { folder: &shown(folder), why }.say(lang)
        }
        Finding::BackupMade { file, made, entries } => {
            let (file, made) = (&*shown(file), &*utc(*made));
            Health::BackupMade { file, made, entries: *entries }.say(lang)
        }
        Finding::BackupOld { file, made, entries, within_s } => {
            let (file, made, within) = (&*shown(file), &*utc(*made), &*age(*within_s));
            Health::BackupOld { file, made, entries: *entries, within }.say(lang)
        }
        Finding::NoBackup { within_s } => Health::NoBackup { within: &age(*within_s) }.say(lang),
        Finding::BackupUnknown { why } => Health::BackupUnknown { why }.say(lang),
        _ => return None,
    };
    Some(said)
}

fn of_mail(finding: &Finding, lang: Lang) -> Option<String> {
    let said = match finding {
        Finding::MailFolderUsable { path } => {
            Health::MailFolderUsable { path: &shown(path) }.say(lang)
        }
        Finding::MailFolderUnusable { path, why } => {
            Health::MailFolderUnusable { path: &shown(path), why }.say(lang)
        }
        Finding::MailServerAnswers { server, took_ms } => {
            let took = took(lang, Duration::from_millis(*took_ms));
            Health::MailServerAnswers { server, took: &took }.say(lang)
        }
        Finding::MailServerUnusable { server, why } => {
            Health::MailServerUnusable { server, why }.say(lang)
        }
        Finding::WebhookUsable { webhook, format } => {
            Health::WebhookUsable { webhook: webhook.as_str(), format }.say(lang)
        }
        Finding::WebhookUnusable { webhook, why } => {
            Health::WebhookUnusable { webhook: webhook.as_str(), why }.say(lang)
        }
        Finding::LifeSignGiven { path, at } => {
            Health::LifeSignGiven { path: &shown(path), at: &utc(*at) }.say(lang)
        }
        Finding::LifeSignOld { path, at } => {
            Health::LifeSignOld { path: &shown(path), at: &utc(*at) }.say(lang)
        }
        Finding::LifeSignMissing { path, why } => {
            let why = why.as_deref().unwrap_or_default();
            Health::LifeSignMissing { path: &shown(path), why }.say(lang)
        }
        Finding::NoLifeSign => Health::NoLifeSign.say(lang),
        Finding::MailWaits { mails, given_up } => {
            Health::MailWaits { mails: *mails, given_up: *given_up }.say(lang)
        }
        _ => return None,
    };
    Some(said)
}

fn of_time(finding: &Finding, lang: Lang) -> Option<String> {
    let said = match finding {
        Finding::ClockPlausible { wall, since_boot_s } => {
            let up = took(lang, Duration::from_secs(*since_boot_s));
            Health::ClockPlausible { wall: &utc(*wall), up: &up }.say(lang)
        }
        Finding::ClockNotSynchronised { error_us } => {
            let error = took(lang, Duration::from_micros(*error_us));
            Health::ClockNotSynchronised { error: &error }.say(lang)
        }
        Finding::ClockImplausible { wall } => {
            Health::ClockImplausible { wall: &utc(*wall) }.say(lang)
        }
        Finding::ClockBehindJournal { wall, last } => {
            Health::ClockBehindJournal { wall: &utc(*wall), last: &utc(*last) }.say(lang)
        }
        Finding::ClockStepped { by_s, since } => {
            let by = took(lang, Duration::from_secs(by_s.unsigned_abs()));
            let (by, since) = (&*by, &*utc(*since));
            match *by_s > 0 {
                true => Health::ClockForward { by, since }.say(lang),
                false => Health::ClockBack { by, since }.say(lang),
            }
        }
        Finding::ZonesAgree { zones, data } => {
            let zones = &*list(lang, zones);
            match data {
                Some(data) => Health::ZonesAgree { zones, data }.say(lang),
                None => Health::ZonesOwn { zones }.say(lang),
            }
        }
        Finding::ZoneDiffers { zone, at, host, own } => {
            Health::ZoneDiffers { zone, at: &utc(*at), host, own }.say(lang)
        }
        _ => return None,
    };
    Some(said)
}

fn of_system(finding: &Finding, lang: Lang) -> Option<String> {
    let limit_of = |limit: &Option<u64>| {
        limit.map_or_else(|| Health::Unlimited.say(lang), |limit| limit.to_string())
    };
    let said = match finding {
        Finding::EnoughFiles { limit, needed } => {
            Health::EnoughFiles { limit: &limit_of(limit), needed: *needed }.say(lang)
        }
        Finding::TooFewFiles { limit, needed, max_running } => {
            Health::TooFewFiles { limit: *limit, needed: *needed, max_running: *max_running }
                .say(lang)
        }
        Finding::EnoughProcesses { limit, needed } => {
            Health::EnoughProcesses { limit: &limit_of(limit), needed: *needed }.say(lang)
        }
        Finding::TooFewProcesses { limit, needed, max_running } => {
            Health::TooFewProcesses { limit: *limit, needed: *needed, max_running: *max_running }
                .say(lang)
        }
        Finding::KernelHas { features } => {
            Health::KernelHas { features: &list(lang, features) }.say(lang)
        }
        Finding::KernelLacks { feature, without } => {
            let without = match *feature {
                "pidfd" => Health::NoPidfd { without }.say(lang),
                "close_range" => Health::NoCloseRange { without }.say(lang),
                "cgroup v2" => Health::NoCgroup { without }.say(lang),
                _ => (*without).to_owned(),
            };
            Health::KernelLacks { feature, without: &without }.say(lang)
        }
        _ => return None,
    };
    Some(said)
}

fn shown(path: &Path) -> String {
    path.display().to_string()
}

fn octal(mode: u32) -> String {
    format!("{:03o}", mode & 0o7777)
}

/// Such as `1.5 GiB`.
fn size(bytes: u64) -> String {
    let gib = bytes as f64 / f64::from(1 << 30);
    if gib >= 1.0 { format!("{gib:.1} GiB") } else { format!("{} MiB", bytes >> 20) }
}

fn utc(instant: Timestamp) -> String {
    instant.strftime("%Y-%m-%d %H:%M:%SZ").to_string()
}

/// Whether a night can be run: no finding is a failure.
pub fn is_well(findings: &[Finding]) -> bool {
    findings.iter().all(|finding| finding.grade() < Grade::Fail)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_line_stands_in_its_columns_in_both_languages() {
        let findings = [
            Finding::NoState { path: "state".into() },
            Finding::LittleRoom { path: "state".into(), free: 3 << 20, files: u64::MAX },
            Finding::LittleRoom { path: "state".into(), free: 3 << 30, files: 10 },
            Finding::MailServerUnusable { server: "mail:25".into(), why: "554 no\nservice".into() },
            Finding::EnoughFiles { limit: None, needed: 80 },
        ];
        let text: String = Lang::ALL.map(|lang| page(lang, &findings)).join("\n");
        insta::assert_snapshot!(text);
    }
}
