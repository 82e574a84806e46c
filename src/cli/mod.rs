//! Layer 9: subcommands, exit codes, progress.

#[macro_use]
mod output;

mod act;
mod agent;
mod archive;
mod arguments;
mod asking;
mod audit;
mod backup;
mod bulletin;
mod change;
mod change_check;
mod change_evidence;
mod change_execute;
mod change_records;
mod change_show;
mod check;
mod context;
mod doctor;
mod drill;
mod event;
mod exit;
mod figure;
mod hand_over;
mod host;
mod host_setup;
mod house;
mod incident;
mod inspections;
mod journal;
mod lines;
mod live;
mod people;
mod remote;
mod report;
mod roster;
mod run;
mod serve;
mod show;
mod simulate;
mod store;
mod tried;
mod watch;
mod watcher;

use std::path::Path;
use std::process::ExitCode;

use clap::Parser;

use arguments::{Arguments, Command};
use context::Context;
use exit::Failure;
use journal::{JournalCommand, MailCommand};
use store::StoreCommand;

use crate::core::select::Deed;

/// Everything but the modes that must come before any runtime (`agent`, the worker): parses the command line and
/// carries it out.
pub fn main() -> ExitCode {
    let arguments = Arguments::parse();
    let runtime = match tokio::runtime::Builder::new_current_thread().enable_all().build() {
        Ok(runtime) => runtime,
        Err(error) => return exit::code(Err(Failure::failed(error))),
    };
    let context = match Context::new(arguments.places) {
        Ok(context) => context,
        Err(failure) => return exit::code(Err(failure)),
    };
    let done = runtime.block_on(carry_out(&context, arguments.command));
    // Whatever still waits (a mail server, a follower) does not hold up the end.
    runtime.shutdown_background();
    exit::code(done)
}

async fn carry_out(context: &Context, command: Command) -> Result<u8, Failure> {
    match command {
        Command::Check { dir, today } => check::check(context, dir, today),
        Command::Agent(command) => agent::agent(context, command).await,
        Command::Doctor => doctor::doctor(context).await,
        Command::Schema => check::print_schema(),
        Command::Change(command) => change::change(context, command).await,
        Command::Init { dir, change_rules, roster_rules } => {
            check::init(&dir, change_rules, roster_rules)
        }
        Command::Plan(arguments) => show::plan(context, arguments).await,
        Command::Simulate(arguments) => simulate::simulate(context, *arguments).await,
        Command::Why { job, date } => show::why(context, job, date).await,
        Command::Run(arguments) => run::run(context, arguments).await,
        Command::Serve(arguments) => serve::serve(context, &arguments).await,
        Command::Resume { run, dry_run } => run::resume(context, run, dry_run).await,
        Command::Status { watch: true } => watch::watch(context).await,
        Command::Status { watch: false } => show::status(context).await,
        Command::Watch(arguments) => watcher::watch(&arguments).await,
        Command::Runs { batch, date, limit } => show::runs(context, batch, date, limit).await,
        Command::Log(arguments) => show::log(context, arguments).await,
        Command::Report(arguments) => report::report(context, arguments).await,
        Command::Hold(on) => act::act(context, on, Deed::Hold).await,
        Command::Release(on) => act::act(context, on, Deed::Release).await,
        Command::Skip(on) => act::act(context, on, Deed::Skip).await,
        Command::Force(on) => act::act(context, on, Deed::Force).await,
        Command::Retry(on) => act::act(context, on, Deed::Retry).await,
        Command::Kill(on) => act::act(context, on, Deed::Kill).await,
        Command::Confirm(on) => act::act(context, on, Deed::Confirm).await,
        Command::Rerun(on) => act::act(context, on, Deed::Rerun).await,
        Command::Cancel(on) => act::act(context, on, Deed::Cancel).await,
        Command::Priority { on, to } => {
            act::act(context, on, Deed::Priority { priority: to }).await
        }
        Command::Deadline { on, complete_by, start_by } => {
            act::deadline(context, on, complete_by, start_by).await
        }
        Command::Note { on, text, date } => act::note(context, on, text, date).await,
        Command::Pool { pool, size, until, why } => {
            house::pool(context, pool, size, until.as_deref(), why).await
        }
        Command::Freeze { from, until, scope, why } => {
            house::freeze(context, (&from, &until), &scope, why).await
        }
        Command::Unfreeze { freeze, why } => house::unfreeze(context, freeze, why).await,
        Command::Event(arguments) => event::event(context, arguments).await,
        Command::Freezes => house::freezes(context).await,
        Command::Host(command) => host::host(context, command).await,
        Command::Second { request, why } => house::second(context, request, why).await,
        Command::Incident(command) => incident::incident(context, command).await,
        Command::Drill(command) => drill::drill(context, command).await,
        Command::Figure(arguments) => figure::figure(context, arguments).await,
        Command::Bulletin { day } => bulletin::bulletin(context, day).await,
        Command::Inspections(arguments) => inspections::inspections(context, &arguments).await,
        Command::HandOver(command) => hand_over::hand_over(context, command).await,
        Command::Roster(command) => roster::roster(context, command).await,
        Command::Audit(arguments) => audit::audit(context, arguments).await,
        Command::People(command) => people::people(context, command).await,
        Command::Mail(MailCommand::Flush) => journal::flush_mail(context).await,
        Command::Mail(MailCommand::List) => journal::list_mail(context).await,
        Command::Archive(arguments) => archive::archive(context, arguments).await,
        Command::Backup { to } => backup::backup(context, &to).await,
        Command::Restore(arguments) => backup::restore(context, arguments).await,
        Command::Store(StoreCommand::Copy { to }) => store::copy(context, &to).await,
        Command::Journal(JournalCommand::Verify { archive }) => {
            journal::verify(context, archive).await
        }
        Command::Journal(JournalCommand::Show { run, last }) => {
            journal::show(context, run, last).await
        }
    }
}

/// `1 error`, `2 errors`.
fn counted(number: usize, one: &str, many: &str) -> String {
    format!("{number} {}", if number == 1 { one } else { many })
}

/// Writes a file that a person asked for, with the folders above it.
#[expect(clippy::disallowed_methods, reason = "a person names the file on the command line")]
fn write(path: &Path, content: &[u8]) -> Result<(), Failure> {
    let written = match path.parent() {
        Some(folder) => {
            std::fs::create_dir_all(folder).and_then(|()| std::fs::write(path, content))
        }
        None => std::fs::write(path, content),
    };
    written.map_err(|error| Failure::failed(format!("{}: {error}", path.display())))
}
