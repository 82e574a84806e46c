//! What `nightrun doctor` finds of a host: facts, and how bad each is.

use std::path::PathBuf;

use jiff::Timestamp;
use serde::{Deserialize, Serialize};

use crate::types::ChannelName;

/// What a finding is about.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, schemars::JsonSchema)]
#[serde(rename_all = "kebab-case")]
pub enum Part {
    Settings,
    Site,
    Git,
    State,
    Store,
    Archive,
    Backup,
    Agent,
    Mail,
    Clock,
    Zones,
    Limits,
    Kernel,
}

/// How bad it is.
#[derive(
    Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize, schemars::JsonSchema,
)]
#[serde(rename_all = "kebab-case")]
pub enum Grade {
    Ok,
    /// The night runs; somebody should know.
    Warn,
    /// A night would not run, or would not be kept.
    Fail,
}

/// One thing that was looked at. Sizes are bytes; paths are as the program uses them; `why` is the system's own word.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, schemars::JsonSchema)]
#[serde(rename_all = "kebab-case", tag = "finding")]
pub enum Finding {
    SettingsRead {
        path: PathBuf,
    },

    SiteLoads {
        path: PathBuf,
        batches: u64,
        jobs: u64,
        warnings: u64,
    },
    SiteHasDefects {
        path: PathBuf,
        errors: u64,
    },
    SiteUnreadable {
        why: String,
    },

    /// The job files lie in no repository, and need not.
    NotInGit {
        path: PathBuf,
    },
    /// `branch`: `None` where a commit is checked out by itself.
    GitCommit {
        version: String,
        commit: String,
        author: String,
        branch: Option<String>,
    },
    /// The files differ from the commit that is checked out; `counts`: runs go by the files.
    GitDirty {
        commit: String,
        counts: bool,
    },
    /// `needed`: nothing counts but what is committed.
    GitUnusable {
        why: String,
        needed: bool,
    },
    GitFollows {
        remote: String,
        branch: String,
        commit: String,
    },
    GitRemoteSilent {
        remote: String,
        branch: String,
        why: String,
    },

    NoState {
        path: PathBuf,
    },
    StateUnusable {
        path: PathBuf,
        why: String,
    },
    StateUsable {
        path: PathBuf,
        free: u64,
        fsync_us: u64,
    },
    StateOfAnother {
        path: PathBuf,
        owner: String,
        own: String,
    },
    /// Others than its owner may write it.
    StateOpenToOthers {
        path: PathBuf,
        mode: u32,
    },
    LittleRoom {
        path: PathBuf,
        free: u64,
        files: u64,
    },
    /// A file system in memory.
    StateVolatile {
        path: PathBuf,
    },
    /// A file system that several hosts may mount.
    StateShared {
        path: PathBuf,
        kind: &'static str,
    },
    NoSockets {
        path: PathBuf,
        why: String,
    },

    NoStore,
    StoreWhole {
        place: String,
        version: i32,
        entries: u64,
        head: String,
    },
    StoreUnusable {
        why: String,
    },
    StoreOpenToOthers {
        path: PathBuf,
        mode: u32,
    },

    /// Nothing ever goes to an archive.
    EverythingKept,
    /// What is old enough, or too much, and goes with the next archive. `last`: when a run went to it last.
    ArchiveGoes {
        folder: PathBuf,
        runs: u64,
        logs: u64,
        last: Option<Timestamp>,
    },
    /// It was due by its age for more than a day.
    ArchiveLate {
        folder: PathBuf,
        runs: u64,
        logs: u64,
        last: Option<Timestamp>,
    },
    ArchiveUnknown {
        folder: PathBuf,
        why: String,
    },

    /// `entries`: what the journal has got since.
    BackupMade {
        file: PathBuf,
        made: Timestamp,
        entries: u64,
    },
    /// Older than it should be, which is `within_s`.
    BackupOld {
        file: PathBuf,
        made: Timestamp,
        entries: u64,
        within_s: u64,
    },
    /// The store is older than that, and no backup was made from this state folder.
    NoBackup {
        within_s: u64,
    },
    BackupUnknown {
        why: String,
    },

    /// Nobody listens; attempts that no ending is known of.
    NoAgent {
        attempts: u64,
    },
    /// Nobody listens, and the settings say that its own unit starts it.
    AgentAwaited,
    AgentHere {
        pid: u32,
        version: u32,
        release: String,
        boot: String,
        running: u64,
        unrecorded: u64,
    },
    /// It still is another program than the one that is installed; `None`: of a release that does not say which.
    AgentOutdated {
        pid: u32,
        version: u32,
        release: Option<String>,
        own: String,
        running: u64,
    },
    AgentSpeaksOther {
        version: u32,
        own: u32,
    },
    AgentUnusable {
        why: String,
    },

    MailFolderUsable {
        path: PathBuf,
    },
    MailFolderUnusable {
        path: PathBuf,
        why: String,
    },
    MailServerAnswers {
        server: String,
        took_ms: u64,
    },
    MailServerUnusable {
        server: String,
        why: String,
    },
    WebhookUsable {
        webhook: ChannelName,
        format: &'static str,
    },
    WebhookUnusable {
        webhook: ChannelName,
        why: String,
    },
    LifeSignGiven {
        path: PathBuf,
        at: Timestamp,
    },
    /// Older than the site wants it.
    LifeSignOld {
        path: PathBuf,
        at: Timestamp,
    },
    LifeSignMissing {
        path: PathBuf,
        why: Option<String>,
    },
    /// Nobody on another host would know that the service has gone.
    NoLifeSign,
    MailWaits {
        mails: u64,
        given_up: u64,
    },

    ClockPlausible {
        wall: Timestamp,
        since_boot_s: u64,
    },
    ClockImplausible {
        wall: Timestamp,
    },
    /// The kernel does not know the time to be right; `error_us`: what it may be wrong by.
    ClockNotSynchronised {
        error_us: u64,
    },
    /// The journal has an entry of a time that has not come.
    ClockBehindJournal {
        wall: Timestamp,
        last: Timestamp,
    },
    /// Moved against the time since boot, after the last run was opened; positive: forward.
    ClockStepped {
        by_s: i64,
        since: Timestamp,
    },

    /// `data`: where the host's data are, and of which release, if it has some.
    ZonesAgree {
        zones: Vec<String>,
        data: Option<String>,
    },
    ZoneDiffers {
        zone: String,
        at: Timestamp,
        host: String,
        own: String,
    },

    EnoughFiles {
        limit: Option<u64>,
        needed: u64,
    },
    TooFewFiles {
        limit: u64,
        needed: u64,
        max_running: u32,
    },
    EnoughProcesses {
        limit: Option<u64>,
        needed: u64,
    },
    TooFewProcesses {
        limit: u64,
        needed: u64,
        max_running: u32,
    },

    KernelHas {
        features: Vec<&'static str>,
    },
    KernelLacks {
        feature: &'static str,
        without: &'static str,
    },
}

/// Below this much room the next night may not fit.
const LITTLE: u64 = 1 << 30;
/// Below this much a commit may fail at any time.
const NO_ROOM: u64 = 64 << 20;
/// Each attempt is a folder with some files.
const FEW_FILES: u64 = 100_000;
const NO_FILES: u64 = 1_000;

impl Finding {
    /// What is wrong with the room of a file system, if something is; `files`: that can still be made, `None` where the
    /// file system sets no limit.
    pub fn of_room(path: PathBuf, free: u64, files: Option<u64>) -> Option<Self> {
        let files = files.unwrap_or(u64::MAX);
        (free < LITTLE || files < FEW_FILES).then_some(Self::LittleRoom { path, free, files })
    }

    pub fn part(&self) -> Part {
        match self {
            Self::SettingsRead { .. } => Part::Settings,
            Self::NotInGit { .. }
            | Self::GitCommit { .. }
            | Self::GitDirty { .. }
            | Self::GitUnusable { .. }
            | Self::GitFollows { .. }
            | Self::GitRemoteSilent { .. } => Part::Git,
            Self::SiteLoads { .. } | Self::SiteHasDefects { .. } | Self::SiteUnreadable { .. } => {
                Part::Site
            }
            Self::NoState { .. }
            | Self::StateUnusable { .. }
            | Self::StateUsable { .. }
            | Self::StateOfAnother { .. }
            | Self::StateOpenToOthers { .. }
            | Self::LittleRoom { .. }
            | Self::StateVolatile { .. }
            | Self::StateShared { .. }
            | Self::NoSockets { .. } => Part::State,
            Self::NoStore
            | Self::StoreWhole { .. }
            | Self::StoreUnusable { .. }
            | Self::StoreOpenToOthers { .. } => Part::Store,
            Self::EverythingKept
            | Self::ArchiveGoes { .. }
            | Self::ArchiveLate { .. }
            | Self::ArchiveUnknown { .. } => Part::Archive,
            Self::BackupMade { .. }
            | Self::BackupOld { .. }
            | Self::NoBackup { .. }
            | Self::BackupUnknown { .. } => Part::Backup,
            Self::NoAgent { .. }
            | Self::AgentAwaited
            | Self::AgentHere { .. }
            | Self::AgentOutdated { .. }
            | Self::AgentSpeaksOther { .. }
            | Self::AgentUnusable { .. } => Part::Agent,
            Self::MailFolderUsable { .. }
            | Self::MailFolderUnusable { .. }
            | Self::MailServerAnswers { .. }
            | Self::MailServerUnusable { .. }
            | Self::WebhookUsable { .. }
            | Self::WebhookUnusable { .. }
            | Self::LifeSignGiven { .. }
            | Self::LifeSignOld { .. }
            | Self::LifeSignMissing { .. }
            | Self::NoLifeSign
            | Self::MailWaits { .. } => Part::Mail,
            Self::ClockPlausible { .. }
            | Self::ClockImplausible { .. }
            | Self::ClockNotSynchronised { .. }
            | Self::ClockBehindJournal { .. }
            | Self::ClockStepped { .. } => Part::Clock,
            Self::ZonesAgree { .. } | Self::ZoneDiffers { .. } => Part::Zones,
            Self::EnoughFiles { .. }
            | Self::TooFewFiles { .. }
            | Self::EnoughProcesses { .. }
            | Self::TooFewProcesses { .. } => Part::Limits,
            Self::KernelHas { .. } | Self::KernelLacks { .. } => Part::Kernel,
        }
    }

    pub fn grade(&self) -> Grade {
        match self {
            Self::SiteLoads { warnings, .. } if *warnings > 0 => Grade::Warn,
            Self::NoAgent { attempts } if *attempts > 0 => Grade::Warn,
            Self::LittleRoom { free, files, .. } if *free < NO_ROOM || *files < NO_FILES => {
                Grade::Fail
            }
            Self::GitUnusable { needed: false, .. } => Grade::Warn,
            Self::SettingsRead { .. }
            | Self::SiteLoads { .. }
            | Self::NotInGit { .. }
            | Self::GitCommit { .. }
            | Self::GitFollows { .. }
            | Self::StateUsable { .. }
            | Self::NoStore
            | Self::StoreWhole { .. }
            | Self::EverythingKept
            | Self::ArchiveGoes { .. }
            | Self::BackupMade { .. }
            | Self::NoAgent { .. }
            | Self::AgentHere { .. }
            | Self::MailFolderUsable { .. }
            | Self::MailServerAnswers { .. }
            | Self::WebhookUsable { .. }
            | Self::LifeSignGiven { .. }
            | Self::NoLifeSign
            | Self::ClockPlausible { .. }
            | Self::ZonesAgree { .. }
            | Self::EnoughFiles { .. }
            | Self::EnoughProcesses { .. }
            | Self::KernelHas { .. } => Grade::Ok,
            Self::NoState { .. }
            | Self::StateOfAnother { .. }
            | Self::LittleRoom { .. }
            | Self::StateVolatile { .. }
            | Self::StoreOpenToOthers { .. }
            | Self::ArchiveLate { .. }
            | Self::ArchiveUnknown { .. }
            | Self::BackupOld { .. }
            | Self::NoBackup { .. }
            | Self::BackupUnknown { .. }
            | Self::AgentOutdated { .. }
            | Self::GitDirty { .. }
            | Self::GitRemoteSilent { .. }
            | Self::ClockNotSynchronised { .. }
            | Self::LifeSignOld { .. }
            | Self::LifeSignMissing { .. }
            | Self::MailWaits { .. }
            | Self::ClockStepped { .. }
            | Self::ZoneDiffers { .. }
            | Self::KernelLacks { .. } => Grade::Warn,
            Self::SiteHasDefects { .. }
            | Self::SiteUnreadable { .. }
            | Self::StateUnusable { .. }
            | Self::StateOpenToOthers { .. }
            | Self::StateShared { .. }
            | Self::NoSockets { .. }
            | Self::StoreUnusable { .. }
            | Self::AgentSpeaksOther { .. }
            | Self::AgentAwaited
            | Self::GitUnusable { .. }
            | Self::AgentUnusable { .. }
            | Self::MailFolderUnusable { .. }
            | Self::MailServerUnusable { .. }
            | Self::WebhookUnusable { .. }
            | Self::ClockImplausible { .. }
            | Self::ClockBehindJournal { .. }
            | Self::TooFewFiles { .. }
            | Self::TooFewProcesses { .. } => Grade::Fail,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn room_is_graded_by_bytes_and_by_files() {
        let grade = |free, files| Finding::of_room("s".into(), free, files).map(|f| f.grade());
        assert_eq!(grade(LITTLE, None), None);
        assert_eq!(grade(LITTLE, Some(FEW_FILES)), None);
        assert_eq!(grade(LITTLE - 1, None), Some(Grade::Warn));
        assert_eq!(grade(NO_ROOM - 1, None), Some(Grade::Fail));
        assert_eq!(grade(LITTLE, Some(FEW_FILES - 1)), Some(Grade::Warn));
        assert_eq!(grade(LITTLE, Some(NO_FILES - 1)), Some(Grade::Fail));
    }
}
