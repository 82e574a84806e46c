//! Layer 5: the process that starts and watches programs on a host, and outlives the supervisor.
//!
//! ```text
//! supervisor --Unix socket--> agent --order, over a pair of sockets--> shim --exec--> the job
//!                               ^                                        |
//!                               +------- "it runs", "it has ended" ------+
//! ```
//!
//! The agent is one thread around `poll`. It starts each id once: making the attempt's folder is the claim. A shim is
//! forked ahead, and watches one attempt after the other, one at a time. It stays with its job whatever becomes of the
//! agent: it holds the time and output limits, ends what must end, and writes the ending; what it writes into the
//! attempt's record is what it tells, and what the agent passes on as it is. An agent that was killed leaves idle shims
//! that go, and busy ones that go when their job is over. The next agent finds these by the lock on `live/<attempt>`: a
//! POSIX record lock, because the kernel then names the process that holds it, so that a reused pid is never taken for a
//! shim; no child inherits it. Whoever wants to write a verdict in a dead shim's place takes that same lock first.

mod account;
mod adopted;
mod attempt;
mod copies;
mod folder;
mod handover;
mod kernel;
mod launch;
mod link;
mod obey;
mod output;
mod peer;
mod processes;
mod retire;
mod room;
mod serve;
mod settings;
mod shim;
mod shims;
mod signals;
mod spool;
mod upgrade;
mod values;
mod verdict;
mod watch;
pub mod worker;

use std::ffi::OsString;
use std::io::Write;
use std::process::ExitCode;

pub use kernel::{KernelFeature, kernel_features};
pub use settings::{AgentSettings, BadArguments};

/// Whether the agent of a folder can let a job be this account.
///
/// # Errors
/// Why not, in words.
pub fn may_become(dir: &std::path::Path, user: &str) -> Result<(), String> {
    let allowed = settings::allowed_users(dir).map_err(|why| why.to_string())?;
    account::resolve(Some(user), &allowed).map(drop)
}

/// Exit code when the agent's folder is in use or cannot be used.
pub const EXIT_REFUSED: u8 = 3;

/// What follows `nightrun agent`: runs the agent until it has nothing more to do. To be called at the top of `main`: the
/// process must have one thread only, since shims are forked from it.
pub fn main(arguments: impl IntoIterator<Item = OsString>) -> ExitCode {
    let arguments: Vec<OsString> = arguments.into_iter().collect();
    if arguments.first().is_some_and(|first| first == settings::TAKES_OVER) {
        upgrade::say_what_is_taken_over();
        return ExitCode::SUCCESS;
    }
    match AgentSettings::from_arguments(arguments) {
        Ok(settings) => run(&settings),
        Err(error) => {
            refuse(&error.to_string());
            ExitCode::from(2)
        }
    }
}

fn run(settings: &AgentSettings) -> ExitCode {
    // An agent lives for long: a pipe or a lock of whoever started it must not. Nothing here owns a descriptor yet; what
    // cannot be closed is no reason not to serve.
    let mut taken = match settings.take_over.map(handover::take) {
        Some(Ok(taken)) => Some(taken),
        Some(Err(why)) => {
            // As after a crash of the one before: what runs is found in its folder.
            say(&mut std::io::stderr(), &format!("what was passed on cannot be used: {why}"));
            None
        }
        None => {
            let _ = kernel::close_from_to(3, u32::MAX);
            None
        }
    };
    signals::prepare_agent();
    // Out of the terminal and process group of whoever started it; refused only where it leads a group already.
    let _ = rustix::process::setsid();
    let lock = taken.as_mut().and_then(|taken| taken.lock.take());
    let served = folder::AgentFolder::open(&settings.dir, lock)
        .map_err(|e| e.to_string())
        .and_then(|folder| serve::serve(folder, settings, taken).map_err(|e| e.to_string()));
    match served {
        Ok(()) => ExitCode::SUCCESS,
        Err(why) => {
            refuse(&why);
            ExitCode::from(EXIT_REFUSED)
        }
    }
}

/// To people by standard error, which may be a log on a full disk; to whoever waits for "ready", by standard output.
fn refuse(why: &str) {
    say(&mut std::io::stderr(), why);
    let _ = writeln!(std::io::stdout(), "{why}");
}

/// Where it cannot be written nobody is left to be told.
fn say(to: &mut impl Write, why: &str) {
    let _ = writeln!(to, "nightrun agent: {why}");
}
