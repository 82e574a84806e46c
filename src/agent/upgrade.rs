//! Upgrade in place: the agent goes on as another program, under its process id. Shims, jobs, lock and socket stay; only
//! the connections are made anew.
#![expect(
    clippy::disallowed_methods,
    reason = "the agent asks a program whether it can take over, and becomes it"
)]

use std::convert::Infallible;
use std::io::{self, Read};
use std::os::fd::{AsRawFd, RawFd};
use std::os::unix::fs::MetadataExt;
use std::os::unix::process::CommandExt;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};

use rustix::event::{PollFd, PollFlags, Timespec, poll};
use rustix::process::Pid;

use super::handover::{FORM, HandOver, PassedAttempt, Taken};
use super::peer::Peer;
use super::serve::{Agent, Shim, Watched};
use super::settings::{TAKE_OVER, TAKES_OVER};
use super::signals;
use crate::fault;
use crate::types::Span;
use crate::wire::{self, AgentProgram, FromAgent};

/// What a program says that could take over, before the forms that it reads.
const ANSWER: &str = "nightrun agent takes over";
/// How long it may take to say so.
const ANSWERS: Duration = Duration::from_secs(5);

/// Tells an agent that asks whether it may become this program.
pub(super) fn say_what_is_taken_over() {
    use std::io::Write;
    // Whoever does not listen has not asked.
    let _ = writeln!(io::stdout(), "{ANSWER} {FORM}");
}

/// The program that this process is.
#[derive(Debug)]
pub(super) struct Program {
    path: PathBuf,
    /// Device and number of its file.
    file: Option<(u64, u64)>,
}

impl Program {
    pub(super) fn own() -> Self {
        let path = std::env::current_exe().map(wire::program_path).unwrap_or_default();
        Self { path, file: file(Path::new("/proc/self/exe")) }
    }

    /// As a welcome says it.
    pub(super) fn said(&self) -> AgentProgram {
        let there = file(&self.path);
        let replaced = there.is_some() && there != self.file;
        AgentProgram { release: wire::release().to_owned(), path: self.path.clone(), replaced }
    }
}

fn file(path: &Path) -> Option<(u64, u64)> {
    path.metadata().ok().map(|meta| (meta.dev(), meta.ino()))
}

impl Agent<'_> {
    /// Goes on as this program, by default as what stands now where its own stood, or stays and says why.
    pub(super) fn upgrade(&mut self, index: usize, program: Option<PathBuf>) {
        let program = program.unwrap_or_else(|| self.program.path.clone());
        self.peers.iter_mut().for_each(Peer::flush);
        let Err(why) = can_take_over(&program).and_then(|()| self.go_on_as(&program));
        let release = wire::release();
        let why =
            format!("it stays release {release}: {} cannot take over: {why}", program.display());
        self.log(&why);
        self.peers[index].tell(&FromAgent::NotUpgraded { why });
    }

    /// Goes on with what the program before this one has passed on.
    pub(super) fn go_on_with(&mut self, taken: Taken) {
        fault::point("agent.taken-over");
        self.shims.take_over(taken.shims, Instant::now());
        for PassedAttempt { attempt, pid, started } in taken.watched {
            let Some(pid) = Pid::from_raw(pid) else { continue };
            let started = started.map(String::into_bytes);
            self.watched.insert(attempt, Watched { pid, shim: Shim::Own, started });
        }
        for (attempt, line) in taken.unkept {
            self.unrecorded.insert(attempt.clone());
            self.unkept.insert(attempt, line.into_bytes());
        }
    }

    /// Comes back only with an error.
    fn go_on_as(&self, program: &Path) -> Result<Infallible, String> {
        let words = |e: io::Error| e.to_string();
        let passed = self.hand_over().pass_on().map_err(words)?;
        self.log(&format!("agent {} goes on as {}", std::process::id(), program.display()));
        fault::point("agent.hands-over");
        let why = self.command(program, passed.number()).exec();
        // What exec has set for the next program.
        signals::prepare_agent();
        Err(words(why))
    }

    fn command(&self, program: &Path, passed: RawFd) -> Command {
        let mut command = Command::new(program);
        command.arg0("nightrun").arg("agent").arg("--dir").arg(&self.folder.dir);
        for user in &self.settings.named_users {
            command.arg("--allow-user").arg(user);
        }
        let linger = self.settings.linger.map_or_else(|| Span::seconds(0), Span::of);
        command.arg("--linger").arg(linger.to_string());
        command.arg(TAKE_OVER).arg(passed.to_string());
        command
    }

    fn hand_over(&self) -> HandOver {
        let (lock, listener) = (self.folder.lock_number(), self.listener.as_raw_fd());
        let mut all = HandOver::new(wire::release(), lock, listener);
        all.shims = self.shims.pass_on();
        let text = |line: &Vec<u8>| String::from_utf8_lossy(line).into_owned();
        let own = self.watched.iter().filter(|(_, watched)| matches!(watched.shim, Shim::Own));
        all.watched = own
            .map(|(attempt, watched)| PassedAttempt {
                attempt: attempt.clone(),
                pid: watched.pid.as_raw_nonzero().get(),
                started: watched.started.as_ref().map(text),
            })
            .collect();
        all.unkept = self.unkept.iter().map(|(a, line)| (a.clone(), text(line))).collect();
        all
    }
}

/// Asks a program whether it can take over from this one: once it has begun to there is no way back.
fn can_take_over(program: &Path) -> Result<(), String> {
    let mut asked = Command::new(program)
        .args(["agent", TAKES_OVER])
        .stdin(Stdio::null())
        .stdout(Stdio::piped())
        .stderr(Stdio::null())
        .spawn()
        .map_err(|e| e.to_string())?;
    let said = answer(&mut asked);
    // It has ended, or is to: nothing more is wanted of it.
    let _ = asked.kill();
    let ended = asked.wait().map_err(|e| e.to_string())?;
    let said = said.map_err(|e| e.to_string())?;
    let forms = said.lines().next().and_then(|line| line.strip_prefix(ANSWER));
    match forms {
        Some(forms) if forms.split_whitespace().any(|form| form == FORM.to_string()) => Ok(()),
        Some(_) => Err("what this release hands over is not what it takes".to_owned()),
        None => Err(format!("it is no nightrun that knows how to ({ended})")),
    }
}

/// What it says until it ends its first line or itself.
fn answer(asked: &mut Child) -> io::Result<String> {
    let Some(out) = asked.stdout.as_mut() else { return Ok(String::new()) };
    let until = Instant::now() + ANSWERS;
    let mut said = Vec::new();
    let mut buffer = [0; 256];
    while !said.contains(&b'\n') && said.len() < 4_096 {
        let left = until.saturating_duration_since(Instant::now());
        let timeout = Timespec {
            tv_sec: left.as_secs().cast_signed(),
            tv_nsec: i64::from(left.subsec_nanos()),
        };
        match poll(&mut [PollFd::new(&*out, PollFlags::IN)], Some(&timeout)) {
            Ok(0) => return Err(io::Error::other(format!("it did not answer in {ANSWERS:?}"))),
            Ok(_) => {}
            Err(rustix::io::Errno::INTR) => continue,
            Err(e) => return Err(e.into()),
        }
        match out.read(&mut buffer)? {
            0 => break,
            n => said.extend_from_slice(&buffer[..n]),
        }
    }
    Ok(String::from_utf8_lossy(&said).into_owned())
}
