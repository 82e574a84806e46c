//! The settings of a host: `--settings FILE`.

use super::leaf::{AgentWord, ModeWord, RequireWord, Word};
use super::record::record;
use super::site::Version;
use crate::definition::byte_size::ByteSize;
use crate::types::Span;
use jiff::civil::Time;

record! {
    /// Settings of one host; what a site is stands in its own files.
    pub(crate) struct SettingsFile {
        /// The format of the file: 1.
        required version: Version,
        /// Folder of the job files, from this file's folder.
        optional site: Word,
        /// Folder of the store, the logs and the agent, from this file's folder.
        optional state: Word,
        /// Folder of the agent and of the work of jobs, from this file's folder: that of the state by default. Supervisors
        /// of one host that stand by for each other share it.
        optional shared: Word,
        /// Database of the store, such as postgres://nightrun@db.example/nightrun; a file in the state folder by default.
        optional store: Word,
        /// File that holds the password of that database, from this file's folder; nobody else may read it.
        optional store_password_file: Word,
        /// serve (default): starts are made; observe: they are told of and recorded, and none is made.
        optional mode: ModeWord,
        /// start (default): the supervisor starts the agent of this host where none listens; await: the agent has a unit
        /// of its own, and is waited for.
        optional agent: AgentWord,
        /// Which job files count.
        optional definitions: DefinitionsRecord,
        /// Where the API listens besides its Unix socket.
        optional api: ApiRecord,
        /// How long what is over is kept, and where it goes then. Without it everything is kept.
        optional retention: RetentionRecord,
        /// When somebody should look after the backups.
        optional backup: BackupRecord,
    }
}

record! {
    /// When somebody should look after the backups.
    pub(crate) struct BackupRecord {
        /// `nightrun doctor` warns when the newest is older. Default: 26h.
        required within: Span,
    }
}

record! {
    /// The API on the network.
    pub(crate) struct ApiRecord {
        /// Address and port, such as 0.0.0.0:8420 or [::1]:8420.
        required listen: Word,
        /// Certificate chain (PEM), from this file's folder; read anew when it changes.
        optional certificate: Word,
        /// Its private key (PEM), from this file's folder; nobody else may read it.
        optional key: Word,
        /// true: without TLS on an address that others reach, behind a proxy that has it. Default: false.
        optional in_the_clear: bool,
    }
}

record! {
    /// What goes to the archive when.
    pub(crate) struct RetentionRecord {
        /// Folder of archives, from this file's folder.
        required archive: Word,
        /// Finished runs: their entries and attempts.
        optional runs: KeepRecord,
        /// Output of jobs.
        optional logs: KeepLogsRecord,
        /// When a supervisor that serves archives, once a day, in the site's zone. Default: 12:00.
        optional at: Time,
    }
}

record! {
    /// How long finished runs are kept.
    pub(crate) struct KeepRecord {
        /// Since their end.
        required keep: Span,
    }
}

record! {
    /// How long output is kept, and how much of it.
    pub(crate) struct KeepLogsRecord {
        /// Since the end of its run.
        optional keep: Span,
        /// All of it together: the oldest goes first.
        optional at_most: ByteSize,
    }
}

record! {
    /// Which job files count.
    pub(crate) struct DefinitionsRecord {
        /// any (default): the files as they are; clean: only what is committed.
        optional require: RequireWord,
        /// A branch of a remote whose commits are taken over.
        optional follow: FollowRecord,
    }
}

record! {
    /// A branch of a remote.
    pub(crate) struct FollowRecord {
        /// A remote of the repository, such as origin.
        required remote: Word,
        required branch: Word,
        /// How often it is asked. Default: 1m.
        optional every: Span,
    }
}
