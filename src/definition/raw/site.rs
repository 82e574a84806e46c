//! `site.yaml`.

use jiff::civil::{Date, Time};

use super::hosts::MovedHosts;
use super::leaf::{Whole, Word};
use super::record::record;
use super::webhook::WebhookRecord;
use super::{List, Names, OneOrMore};
use crate::definition::day_words::DayWords;
use crate::definition::site::{ReportFormat, ServerTls, Tls, TwoPeople};
use crate::types::{
    BatchId, CalendarName, ChannelName, Lang, PoolName, Right, Role, Severity, Span, TargetName,
    Zone,
};

/// The format that files are written in.
pub(crate) type Version = Whole<1, 1>;

record! {
    /// site.yaml: the settings of the whole site.
    pub(crate) struct SiteFile {
        /// The format of the file: 1.
        required version: Version,
        required title: Word,
        optional title_zh: Word,
        /// Time zone where nothing else names one.
        required zone: Zone,
        /// Language of the report and of mails to people who state none: en (default) or zh.
        optional language: Lang,
        /// Calendar of the batches that name none.
        optional calendar: CalendarName,
        /// Where browsers reach this service: messages about an incident lead to its page there.
        optional url: Word,
        /// How mail leaves, and who gets what.
        required mail: MailRecord,
        /// In which forms the report of each run is given.
        optional reports: ReportsRecord,
        /// Rooms of chats and programs that are told over HTTP, by name.
        optional webhooks: Names<ChannelName, WebhookRecord>,
        /// Where a service says now and then that it lives, for `nightrun watch` on another host.
        optional life_sign: LifeSignRecord,
        /// How many rounds of inspections a day must have.
        optional inspections: InspectionsRecord,
        /// Counted resources of the whole site; a mutex is a pool of one.
        optional pools: Names<PoolName, Whole<1, 100_000>>,
        /// Hosts that jobs run on stand in hosts.yaml.
        optional hosts: MovedHosts,
        /// Databases that SQL runs against.
        optional targets: Names<TargetName, TargetRecord>,
        /// Actions that take two people: force, window-override, unfreeze, kill-change.
        optional second_person: List<TwoPeople>,
        /// What each role may do; without this key everybody may do everything but `admin`. Who has the role `admin` may
        /// do everything.
        optional rights: Names<Role, List<Right>>,
    }
}

record! {
    /// Rounds of inspections: each run of a batch whose `inspect` jobs have all told what they found.
    pub(crate) struct InspectionsRecord {
        /// Of rules for the same batch and day the one that asks for most counts.
        required rounds: List<RoundRecord>,
        /// Of the incident of a day that lacks rounds. Default: p3.
        optional severity: Severity,
    }
}

record! {
    /// How many rounds a day must have.
    pub(crate) struct RoundRecord {
        required batch: BatchId,
        required per_day: Whole<1, 1_000>,
        /// Days in words. Default: every day.
        optional days: DayWords,
        /// Of `days`; the site's by default.
        optional calendar: CalendarName,
        /// The first date that it is for.
        optional from: Date,
        /// The last one.
        optional to: Date,
    }
}

record! {
    /// The report of each run, in both languages: html, text, pdf, xlsx.
    pub(crate) struct ReportsRecord {
        /// Files beside the run. Default: html, text.
        optional files: List<ReportFormat>,
        /// Files in its mail. Default: html.
        optional attach: List<ReportFormat>,
        /// When people are told of a run that is still under way.
        optional at: Time,
    }
}

record! {
    /// How a service says now and then that it lives; one of the three at least.
    pub(crate) struct LifeSignRecord {
        /// How often. Default: 5m, at least 1m.
        optional every: Span,
        /// The absolute path of a file that is replaced, in a folder that another host can read.
        optional file: Word,
        /// A webhook that is told as often.
        optional webhook: ChannelName,
        /// A mail at set times, by the way that all mail goes.
        optional mail: SignMailRecord,
    }
}

record! {
    /// A mail that says at set times that the service lives.
    pub(crate) struct SignMailRecord {
        /// Clock times of the site's zone.
        required at: List<Time>,
        /// Everybody with this role gets it.
        required to: Role,
    }
}

record! {
    /// Mail: a folder of .eml files or an SMTP server.
    pub(crate) struct MailRecord {
        /// Sender's address.
        required from: Word,
        /// Folder of .eml files, beneath the state folder when relative.
        optional folder: Word,
        optional smtp: SmtpRecord,
        /// Who is mailed when a critical job fails: everyone with this role.
        required failures_to: Role,
        /// Who gets the morning report: everyone with this role.
        required report_to: Role,
        /// How long a message is tried again that nobody takes, mail or webhook; then it counts as refused. From 1h on.
        /// Default: 3d.
        optional give_up_after: Span,
    }
}

record! {
    /// An SMTP server.
    pub(crate) struct SmtpRecord {
        required host: Word,
        /// Default: 587, with tls: implicit 465, with tls: none 25.
        optional port: Whole<1, 65_535>,
        /// Default: start-tls.
        optional tls: Tls,
        optional user: Word,
        /// A file of certificates (PEM) that the server's may be signed by, besides those that the host trusts.
        optional ca: Word,
        /// The file that holds the password; the password itself is never in a job file.
        optional password_file: Word,
    }
}

record! {
    /// A database that SQL runs against.
    pub(crate) struct TargetRecord {
        required title: Word,
        optional title_zh: Word,
        /// A SQLite file, beneath the work folder when relative. Exactly one of sqlite, postgres, mysql, client.
        optional sqlite: Word,
        /// A database of a PostgreSQL server, 14 or later.
        optional postgres: ServerRecord,
        /// A database of a MariaDB (10.6 or later) or MySQL (8) server.
        optional mysql: ServerRecord,
        /// Any other database, through its own client program.
        optional client: ClientRecord,
        /// Jobs that may work on it at a time; of a SQLite file there is one writer. Default: 1.
        optional connections: Whole<1, 1_000>,
        /// Such as uat, pre-production, production.
        required environment: Word,
        /// Whether runs with a set clock may use it. Default: false.
        optional trial: bool,
    }
}

record! {
    /// A client program that scripts are given to.
    pub(crate) struct ClientRecord {
        /// The program and its arguments, none of them secret. {script} is the path of the script; without it the script is
        /// what the program reads.
        required command: List<Word>,
        /// Lines of its output that count rows, {n} in the place of the number.
        optional rows: OneOrMore<Word>,
        /// Asked before each use.
        optional identity: ClientIdentityRecord,
    }
}

record! {
    /// How a client program says which database it speaks with.
    pub(crate) struct ClientIdentityRecord {
        required command: List<Word>,
        /// A line of its output, without the blanks around it.
        required says: Word,
    }
}

record! {
    /// How a database server is reached.
    pub(crate) struct ServerRecord {
        required host: Word,
        /// Default: 5432, of mysql 3306.
        optional port: Whole<1, 65_535>,
        required database: Word,
        required user: Word,
        /// The absolute path of the file that holds the password; the password itself is never in a job file.
        optional password_file: Word,
        /// none or require. Default: require.
        optional tls: ServerTls,
        /// The absolute path of a file of certificates (PEM) that the server's may be signed by, besides those that the
        /// host trusts.
        optional ca: Word,
        /// What the server must call itself; the worker's log says what it does.
        optional identity: Word,
    }
}
