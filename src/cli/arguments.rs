//! The command line.

use std::path::PathBuf;

use clap::{Args, Parser, Subcommand, ValueEnum};
use jiff::civil::{Date, Time};

use super::archive::ArchiveArguments;
use super::audit::AuditArguments;
use super::backup::RestoreArguments;
use super::change::ChangeCommand;
use super::drill::DrillCommand;
use super::figure::FigureArguments;
use super::hand_over::HandOverCommand;
use super::host::HostCommand;
use super::incident::IncidentCommand;
use super::inspections::InspectionsArguments;
use super::journal::{JournalCommand, MailCommand};
use super::people::PeopleCommand;
use super::report::ReportArguments;
use super::roster::RosterCommand;
use super::simulate::SimulateArguments;
use super::store::StoreCommand;
use super::watcher::WatchArguments;
use crate::core::select::Selector;
use crate::definition::starter::House;
use crate::driver::api_client::ApiAddress;
use crate::types::{
    BatchId, BusinessDate, FreezeId, JobName, JobRef, Lang, PoolName, RequestId, RunId, Span,
};

/// Options that every command takes, after its own.
const EVERYWHERE: &str = "Everywhere";

const EXAMPLES: &str = "\
Try it:
  nightrun init jobs                                a small working site
  nightrun run eod --at 2026-10-30T21:30            a trial of the night, on a set clock
  nightrun status                                   how it stands; from another terminal
  nightrun why eod.close                            why a job does not start
  nightrun report --html report.html                the morning report

Exit codes:
  0 ended well   1 a critical job failed or is unknown, or the command could not be carried out
  2 defects in the job files or the command line   3 refused by a rule   4 stopped, can be resumed
  5 the supervisor at work does not answer";

const SELECTED: &str = "\
WHAT is a job (eod.close), a job with all that follows it (eod.load-rates+), or jobs by a pattern in which `*` stands for
any letters ('eod.load-*', 'eod.*'). Of several jobs it is done to those that its rules allow; the others are named with
their rule. A run is named by its batch (eod): the last one, or that of --date.";

const WHAT_IF: &str = "\
JOB is such as eod.load-rates, or load-rates; `*` stands for any letters. A clock time means the first one of the night.
Runs of before count as done, as in `nightrun plan`. Nothing is started or written; a supervisor may be at work meanwhile.

  nightrun simulate eod --date 2026-10-30 --host-down local=22:00-22:30
  nightrun simulate eod --takes 'load-*=2x' --fails fetch-payments=2
  nightrun simulate --nights 1000 --seed 7";

/// Runs the night for an operations team: batches and database changes declared in files, run inside their windows,
/// recorded, escalated, reported
#[derive(Debug, Parser)]
#[command(name = "nightrun", version, max_term_width = 100, after_help = EXAMPLES)]
pub(super) struct Arguments {
    #[command(flatten)]
    pub(super) places: PlaceArguments,
    #[command(subcommand)]
    pub(super) command: Command,
}

#[derive(Debug, Clone, Args)]
pub(super) struct PlaceArguments {
    /// File of settings, for what is not given here
    #[arg(long, global = true, help_heading = EVERYWHERE, env = "NIGHTRUN_SETTINGS", value_name = "FILE")]
    pub(super) settings: Option<PathBuf>,
    /// Folder of the job files [default: jobs]
    #[arg(long, global = true, help_heading = EVERYWHERE, env = "NIGHTRUN_SITE", value_name = "DIR")]
    pub(super) site: Option<PathBuf>,
    /// Folder of the store, the logs and the agent [default: state]
    #[arg(long, global = true, help_heading = EVERYWHERE, env = "NIGHTRUN_STATE", value_name = "DIR")]
    pub(super) state: Option<PathBuf>,
    /// Folder of the agent and of the work of jobs, where the supervisors of this host share them [default: the state
    /// folder]
    #[arg(long, global = true, help_heading = EVERYWHERE, env = "NIGHTRUN_SHARED", value_name = "DIR")]
    pub(super) shared: Option<PathBuf>,
    /// Database of the store, such as postgres://nightrun@db.example/nightrun?sslmode=verify-full; a file in the state
    /// folder by default. The password comes from the file below, PGPASSFILE or PGPASSWORD
    #[arg(
        long,
        global = true,
        help_heading = EVERYWHERE,
        env = "NIGHTRUN_STORE",
        hide_env_values = true,
        value_name = "URL"
    )]
    pub(super) store: Option<String>,
    /// File that holds the password of that database; nobody else may read it
    #[arg(long, global = true, help_heading = EVERYWHERE, env = "NIGHTRUN_STORE_PASSWORD_FILE", value_name = "FILE")]
    pub(super) store_password_file: Option<PathBuf>,
    /// Language of what is printed; the site's by default for reports, else English
    #[arg(
        long,
        global = true,
        help_heading = EVERYWHERE,
        env = "NIGHTRUN_LANG",
        value_name = "LANG"
    )]
    pub(super) lang: Option<Language>,
    /// Form of what is printed
    #[arg(long, global = true, help_heading = EVERYWHERE, value_enum, default_value_t = Format::Text)]
    pub(super) format: Format,
    /// The API of another host to ask, such as https://night.bank.example:8420, in place of this host's supervisor
    #[arg(long, global = true, help_heading = EVERYWHERE, env = "NIGHTRUN_SERVER", value_name = "URL")]
    pub(super) server: Option<ApiAddress>,
    /// File with the token that names who asks there
    #[arg(long, global = true, help_heading = EVERYWHERE, env = "NIGHTRUN_TOKEN_FILE", value_name = "FILE")]
    pub(super) token_file: Option<PathBuf>,
    /// Certificates (PEM) to trust there, in place of this host's
    #[arg(long, global = true, help_heading = EVERYWHERE, env = "NIGHTRUN_CA_FILE", value_name = "FILE")]
    pub(super) ca_file: Option<PathBuf>,
    /// How long the supervisor at work may take to answer; by default 10s for what only looks, 30s for what decides
    #[arg(long, global = true, help_heading = EVERYWHERE, value_name = "LENGTH")]
    pub(super) answer_within: Option<Span>,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub(super) enum Language {
    En,
    Zh,
}

impl From<Language> for Lang {
    fn from(language: Language) -> Self {
        match language {
            Language::En => Self::En,
            Language::Zh => Self::Zh,
        }
    }
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub(super) enum Format {
    Text,
    Json,
}

#[derive(Debug, Subcommand)]
pub(super) enum Command {
    /// Check the job files and print every defect; exit code 2 if there is one
    Check {
        /// The site's folder; `--site` by default
        dir: Option<PathBuf>,
        /// Take calendars and deadlines as of this day; today by default
        #[arg(long, value_name = "DATE")]
        today: Option<Date>,
    },
    /// Look for what is missing or wrong on this host, and say what to do; exit code 1 if a night would not run
    Doctor,
    /// The agent of this host
    #[command(subcommand)]
    Agent(super::agent::AgentCommand),
    /// The hosts that jobs run on
    #[command(subcommand)]
    Host(HostCommand),
    /// Print the JSON Schema of the job files
    Schema,
    /// Database changes
    #[command(subcommand)]
    Change(ChangeCommand),
    /// Write a small working site into an empty folder
    Init {
        /// An empty folder, or one that is not there yet; with --change-rules or --roster-rules also a site
        dir: PathBuf,
        /// Rules of changes: of house h (a bank's handbook) or c (a broker's regulation)
        #[arg(long, value_name = "HOUSE")]
        change_rules: Option<House>,
        /// Rules of the roster, with shifts and a roster: of house h or c
        #[arg(long, value_name = "HOUSE")]
        roster_rules: Option<House>,
    },
    /// What would run and when
    Plan(PlanArguments),
    /// What if: how a night would go, played without starting anything
    #[command(after_help = WHAT_IF)]
    Simulate(Box<SimulateArguments>),
    /// Why a job did not start (yet), in words
    Why {
        /// Such as eod.close
        #[arg(value_name = "BATCH.JOB")]
        job: JobRef,
        /// Business date; the last run by default
        #[arg(long, value_name = "DATE")]
        date: Option<BusinessDate>,
    },
    /// Run a batch in the foreground, or go on with one that was interrupted
    Run(RunArguments),
    /// Make the starts of all schedules, and go on with what is under way, until it is told to end
    Serve(ServeArguments),
    /// Go on with runs that were interrupted: running jobs are taken over, nothing starts twice
    Resume {
        /// One run; all that have not ended by default
        run: Option<RunId>,
        /// Do nothing, and say what would come of it
        #[arg(long)]
        dry_run: bool,
    },
    /// How the open runs (or the last one) stand
    Status {
        /// Show it whenever it changes, until Ctrl-C
        #[arg(long)]
        watch: bool,
    },
    /// Runs, the latest first
    Runs {
        /// Only of this batch
        #[arg(long)]
        batch: Option<BatchId>,
        /// Only of this business date
        #[arg(long, value_name = "DATE")]
        date: Option<BusinessDate>,
        /// At most so many
        #[arg(long, default_value_t = 20, value_name = "N")]
        limit: u32,
    },
    /// Output of a job
    Log(LogArguments),
    /// The morning batch-completion report
    Report(ReportArguments),
    /// Do not start a job until it is released
    #[command(after_help = SELECTED)]
    Hold(ActArguments),
    /// Let a held job start
    #[command(after_help = SELECTED)]
    Release(ActArguments),
    /// Leave a job out; what follows goes on
    #[command(after_help = SELECTED)]
    Skip(ActArguments),
    /// Declare a job done; what follows goes on
    #[command(after_help = SELECTED)]
    Force(ActArguments),
    /// One more attempt of a job, now
    #[command(after_help = SELECTED)]
    Retry(ActArguments),
    /// End a running job: TERM, its grace, KILL
    #[command(after_help = SELECTED)]
    Kill(ActArguments),
    /// Give the yes that a `confirm` job waits for
    #[command(after_help = SELECTED)]
    Confirm(ActArguments),
    /// Run a job and all that follows it again, in the same run: what was done before it stays done
    #[command(after_help = SELECTED)]
    Rerun(ActArguments),
    /// Start a job before, or after, others that wait for the same place
    #[command(after_help = SELECTED)]
    Priority {
        #[command(flatten)]
        on: ActArguments,
        /// Higher is first; 0 where the file says nothing
        #[arg(long, value_name = "N", allow_negative_numbers = true)]
        to: i32,
    },
    /// Move a deadline of a run or a job to another clock time, for this run
    #[command(after_help = SELECTED)]
    Deadline {
        #[command(flatten)]
        on: ActArguments,
        /// Its must_complete_by, such as 07:30
        #[arg(
            long,
            value_name = "TIME",
            required_unless_present = "start_by",
            conflicts_with = "start_by"
        )]
        complete_by: Option<Time>,
        /// Its must_start_by
        #[arg(long, value_name = "TIME")]
        start_by: Option<Time>,
    },
    /// Give a run up: nothing of it starts any more, what runs is ended
    Cancel(ActArguments),
    /// Add a note to a run or a job
    Note {
        /// Such as eod, or eod.close
        #[arg(value_name = "BATCH[.JOB]")]
        on: Selector,
        /// What is to be remembered
        text: String,
        /// Business date; the last run by default
        #[arg(long, value_name = "DATE")]
        date: Option<BusinessDate>,
    },
    /// Give a pool another size for the night
    Pool {
        /// Which pool
        pool: PoolName,
        /// How many units it has
        size: u32,
        /// Until when; the next noon of the site by default
        #[arg(long, value_name = "TIME")]
        until: Option<String>,
        #[command(flatten)]
        why: WhyArguments,
    },
    /// Let nothing start from one time to another
    Freeze {
        /// Such as 2026-10-30T22:00, of the site's zone
        #[arg(long, value_name = "TIME", default_value = "now")]
        from: String,
        /// The same, after `--from`
        #[arg(long, value_name = "TIME")]
        until: String,
        /// site, batch=NAME, class=NAME, target=NAME or host=NAME; may be given several times
        #[arg(long, value_name = "SCOPE", required = true)]
        scope: Vec<String>,
        #[command(flatten)]
        why: WhyArguments,
    },
    /// Lift a freeze before its end
    Unfreeze {
        /// Such as F-1; `nightrun freezes` lists them
        freeze: FreezeId,
        #[command(flatten)]
        why: WhyArguments,
    },
    /// Tell an event that jobs or batches wait for, as another system would over the API
    Event(super::event::EventArguments),
    /// Freezes that are in force or to come, declared and ordered
    Freezes,
    /// Say yes, as the second person, to an action that takes two
    Second {
        /// Such as R-1; `nightrun status` lists them
        request: RequestId,
        #[command(flatten)]
        why: WhyArguments,
    },
    /// People, what they may do, their passwords and tokens
    #[command(subcommand)]
    People(PeopleCommand),
    /// Who is on shift, when nobody is, and rosters for calendars and spreadsheets
    #[command(subcommand)]
    Roster(RosterCommand),
    /// Incidents: who was told, acknowledge, resolve, report
    #[command(subcommand)]
    Incident(IncidentCommand),
    /// Drills: when each is due, how the last one came out; start one
    #[command(subcommand)]
    Drill(DrillCommand),
    /// Enter a figure of the service levels that nightrun does not count itself
    Figure(FigureArguments),
    /// What happened since the last bulletin, or what the bulletins of a day tell of
    Bulletin {
        #[arg(long, value_name = "DATE")]
        day: Option<Date>,
    },
    /// How many rounds of inspections some days had, and what they found
    Inspections(InspectionsArguments),
    /// Hand a shift over to the next one
    #[command(subcommand)]
    HandOver(HandOverCommand),
    /// Look from another host whether the service lives, and raise the alarm when it does not
    Watch(WatchArguments),
    /// What people did, with the proof that nothing of it was altered; or who could do what on a date
    Audit(AuditArguments),
    /// Mail that has not left yet
    #[command(subcommand)]
    Mail(MailCommand),
    /// The record of everything decided and observed
    #[command(subcommand)]
    Journal(JournalCommand),
    /// The store itself
    #[command(subcommand)]
    Store(StoreCommand),
    /// Write runs that are over into files, and let go of what the store and the spool keep of them
    Archive(ArchiveArguments),
    /// Copy the store into a file, while a supervisor is at work or not
    Backup {
        /// A file that is not there yet, or a folder
        #[arg(value_name = "FILE|DIR")]
        to: PathBuf,
    },
    /// Put a backup into a state folder without a store; nothing starts with it before what it lacks is accepted
    Restore(RestoreArguments),
}

#[derive(Debug, Args)]
pub(super) struct PlanArguments {
    /// Only this batch; all by default
    pub(super) batch: Option<BatchId>,
    /// One day
    #[arg(long, value_name = "DATE", conflicts_with_all = ["from", "days"])]
    pub(super) date: Option<Date>,
    /// First of several days; today by default
    #[arg(long, value_name = "DATE")]
    pub(super) from: Option<Date>,
    /// How many days
    #[arg(long, value_name = "N", default_value_t = 1, value_parser = clap::value_parser!(u16).range(1..=400))]
    pub(super) days: u16,
}

#[derive(Debug, Args)]
pub(super) struct RunArguments {
    /// Which batch
    pub(super) batch: BatchId,
    /// Business date, the date the work is for; by default that of the scheduled start nearest to now
    #[arg(long, value_name = "DATE")]
    pub(super) date: Option<BusinessDate>,
    /// Make a trial: the run's clock starts at this time (of the site's zone), such as 2026-10-30T21:30. Refused unless
    /// every target and host of the run is marked `trial: true`
    #[arg(long, value_name = "TIME")]
    pub(super) at: Option<String>,
    /// A parameter of the batch; may be given several times
    #[arg(long = "param", value_name = "KEY=VALUE", value_parser = key_value)]
    pub(super) parameters: Vec<(String, String)>,
    /// This job and everything after it
    #[arg(long, value_name = "JOB", conflicts_with = "only")]
    pub(super) from: Option<JobName>,
    /// Only these jobs
    #[arg(long, value_name = "JOB", num_args = 1..)]
    pub(super) only: Vec<JobName>,
    /// The whole batch once more, as the next run number
    #[arg(long)]
    pub(super) rerun: bool,
    /// Start work though its window is closed, for this reason; needs the role `window-override`, and is counted
    #[arg(long = "set-window-override", value_name = "REASON")]
    pub(super) window_override: Option<String>,
    /// Why it is run by hand; recorded with your name
    #[arg(long)]
    pub(super) reason: Option<String>,
    /// Open nothing, and say what would come of it
    #[arg(long)]
    pub(super) dry_run: bool,
}

pub(super) fn key_value(text: &str) -> Result<(String, String), String> {
    let (key, value) = text.split_once('=').ok_or("write KEY=VALUE")?;
    Ok((key.to_owned(), value.to_owned()))
}

#[derive(Debug, Args)]
pub(super) struct ServeArguments {
    /// Tell of each start and make none, beside another scheduler
    #[arg(long)]
    pub(super) observe: bool,
}

#[derive(Debug, Args)]
pub(super) struct LogArguments {
    /// Such as eod.close
    #[arg(value_name = "BATCH.JOB")]
    pub(super) job: JobRef,
    /// Business date; the last run by default
    #[arg(long, value_name = "DATE")]
    pub(super) date: Option<BusinessDate>,
    /// This run, such as eod@2026-10-30#1; `nightrun runs` lists them
    #[arg(long, conflicts_with = "date")]
    pub(super) run: Option<RunId>,
    /// Which try; the latest by default
    #[arg(long, value_name = "N")]
    pub(super) attempt: Option<u32>,
    /// Go on printing until the attempt has ended
    #[arg(long, short)]
    pub(super) follow: bool,
}

#[derive(Debug, Args)]
pub(super) struct ActArguments {
    /// Such as eod.close
    #[arg(value_name = "WHAT")]
    pub(super) on: Selector,
    /// Business date; the last run by default
    #[arg(long, value_name = "DATE")]
    pub(super) date: Option<BusinessDate>,
    /// This run, such as eod@2026-10-30#1, where its batch ran again for the same date
    #[arg(long, conflicts_with = "date")]
    pub(super) run: Option<RunId>,
    #[command(flatten)]
    pub(super) why: WhyArguments,
}

#[derive(Debug, Args)]
pub(super) struct WhyArguments {
    /// Why; recorded with your name
    #[arg(long)]
    pub(super) reason: String,
    /// Do nothing, and say what would come of it
    #[arg(long)]
    pub(super) dry_run: bool,
}
