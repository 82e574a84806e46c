//! The shim: one process for each attempt, forked by the agent. It starts the program, holds its limits, ends what must
//! end, and writes how it ended. It needs nobody.
#![expect(clippy::disallowed_methods, reason = "a shim measures time and writes the spool")]

use std::fs::File;
use std::io;
use std::os::fd::{AsFd, OwnedFd};
use std::path::Path;
use std::time::{Duration, Instant};

use rustix::event::{PollFd, PollFlags, Timespec, poll};
use rustix::fs::{Mode, OFlags};

use super::account::{self, Account};
use super::folder::{FIFO, Log};
use super::kernel;
use super::launch::launch;
use super::output::Output;
use super::signals;
use super::spool::{self, Places, Running, Watched};
use super::values;
use super::verdict::{bare, now};
use super::watch::{Closing, Watch};
use crate::types::Ending;
use crate::wire::{Ended, Program, Start, Work, spool as names};

/// What a shim is given by its agent.
pub(super) struct Shim<'a> {
    pub(super) start: &'a Start,
    pub(super) places: &'a Places,
    pub(super) agent_dir: &'a Path,
    /// Boot id of the kernel.
    pub(super) boot: &'a str,
    pub(super) allow_users: &'a [String],
    pub(super) log: &'a Log,
}

/// The whole life of a shim, from right after the fork. Never comes back, so that nothing of the agent's is dropped.
/// Its exit code is 0, or the number of the system's error for [`failure`].
pub(super) fn run(shim: &Shim<'_>) -> ! {
    let lived = std::panic::catch_unwind(std::panic::AssertUnwindSafe(|| live(shim)));
    let code = match lived {
        Ok(Ok(())) => 0,
        Ok(Err(e)) => {
            shim.log.line(&format!("{}: its watcher failed: {e}", shim.start.attempt));
            e.raw_os_error().unwrap_or(PANICKED)
        }
        Err(_) => {
            shim.log.line(&format!("{}: its watcher panicked", shim.start.attempt));
            PANICKED
        }
    };
    #[expect(unsafe_code, reason = "leaves without running the agent's exit handlers")]
    // SAFETY: ends this process; nothing runs after it.
    unsafe {
        libc::_exit(code)
    }
}

/// No error of the system has this number.
const PANICKED: i32 = 255;

/// What a shim's exit code says of why it failed.
pub(super) fn failure(code: i32) -> Option<String> {
    match code {
        0 => None,
        PANICKED => Some("its watcher failed; see agent.log".to_owned()),
        errno => Some(io::Error::from_raw_os_error(errno).to_string()),
    }
}

fn live(shim: &Shim<'_>) -> io::Result<()> {
    close_everything()?;
    // Out of the agent's group. The session may be the agent's, which has no terminal: one of its own costs a scheduling
    // group, and the program gets one.
    rustix::process::setpgid(None, None)?;
    rustix::process::set_child_subreaper(Some(rustix::process::getpid()))?;
    let signals = signals::prepare_shim()?;
    // Without the lock, or with a verdict there, an agent has found that this attempt will not be started.
    let Some(mut record) = shim.places.lock()? else { return Ok(()) };
    if shim.places.ended().is_some() {
        return Ok(());
    }
    if let Program::Worker(task) = &shim.start.program {
        let path = shim.places.folder.join(names::TASK);
        spool::write_new(&path, &serde_json::to_vec(task)?)?;
    }
    let account = match account::resolve(shim.start.user.as_deref(), shim.allow_users) {
        Ok(account) => account,
        Err(why) => return not_started(shim, why),
    };
    if let Some(account) = &account {
        hand_over(shim.places, account)?;
    }
    let output = Output::open(shim.places, account.as_ref())?;
    // From this line on the program may have been started; a failure before it leaves the record empty.
    let watched = Watched { shim: std::process::id(), boot: shim.boot.to_owned() };
    spool::begin_record(&mut record, shim.start, &watched)?;
    let (out, err) = (output.out.file.as_fd(), output.err.file.as_fd());
    let pid = match launch(shim.start, shim.places, account, out, err) {
        Ok(pid) => pid,
        Err(why) => return not_started(shim, why),
    };
    let running = Running { pid: pid.as_raw_nonzero().get() as u32, at: now() };
    if let Err(e) = spool::add_running(&mut record, &running) {
        // It runs: that is not undone for the sake of a record that only a later agent would read.
        shim.log.line(&format!("{}: no record of its start: {e}", shim.start.attempt));
    }
    let ended = attend(shim, &signals, output, running)?;
    keep(shim, ended)
}

fn not_started(shim: &Shim<'_>, why: String) -> io::Result<()> {
    shim.places.write_ended(&Ended {
        line_found: shim.start.success_line.is_none(),
        ..bare(&shim.start.attempt, Ending::CouldNotStart { why })
    })
}

/// Descriptors of the agent, its connections above all, must not live on here. 0, 1 and 2 become `/dev/null`.
fn close_everything() -> io::Result<()> {
    // This process has just been forked and never runs code that owns one of the closed descriptors again.
    kernel::close_from_to(0, u32::MAX)?;
    let null = rustix::fs::open("/dev/null", OFlags::RDWR, Mode::empty())?;
    std::mem::forget([rustix::io::dup(&null)?, rustix::io::dup(&null)?, null]);
    Ok(())
}

/// Lets a job of another account reach the one file that it may write.
fn hand_over(places: &Places, account: &Account) -> io::Result<()> {
    use std::os::unix::fs::{PermissionsExt, fchown};
    std::fs::set_permissions(&places.folder, std::fs::Permissions::from_mode(0o711))?;
    let values = File::create(places.values())?;
    fchown(&values, Some(account.uid), Some(account.gid))?;
    values.set_permissions(std::fs::Permissions::from_mode(0o600))
}

/// What the agent is still to be told: that the program runs. An agent that is not there reads it from the record.
struct Tell {
    fifo: OwnedFd,
    line: String,
}

impl Tell {
    fn new(shim: &Shim<'_>, running: Running) -> Option<Self> {
        let flags = OFlags::WRONLY | OFlags::NONBLOCK | OFlags::CLOEXEC;
        let fifo = rustix::fs::open(shim.agent_dir.join(FIFO), flags, Mode::empty()).ok()?;
        let name = names::folder_name(&shim.start.attempt);
        let line = format!("{name} {} {}\n", running.pid, running.at.as_microsecond());
        let tell = Self { fifo, line };
        (!tell.try_once()).then_some(tell)
    }

    /// True when it is said, or nobody is there. A line is shorter than what a pipe takes at once or not at all.
    fn try_once(&self) -> bool {
        let said = rustix::io::write(&self.fifo, self.line.as_bytes());
        !matches!(said, Err(rustix::io::Errno::AGAIN))
    }
}

/// Stays with the program to its end and makes the ending's record.
fn attend(
    shim: &Shim<'_>,
    signals: &OwnedFd,
    output: Output,
    running: Running,
) -> io::Result<Ended> {
    let mut tell = Tell::new(shim, running);
    let mut watch = Watch::new(shim.start, running.pid, output, Instant::now());
    loop {
        if let Some(closing) = watch.turn(Instant::now()) {
            return Ok(ended(shim, watch.output, running, closing));
        }
        let now = Instant::now();
        let wait = watch.next_wake(now).saturating_duration_since(now);
        let timeout =
            Timespec { tv_sec: wait.as_secs() as i64, tv_nsec: i64::from(wait.subsec_nanos()) };
        let mut fds = vec![PollFd::new(signals, PollFlags::IN)];
        fds.extend(tell.as_ref().map(|tell| PollFd::new(&tell.fifo, PollFlags::OUT)));
        match poll(&mut fds, Some(&timeout)) {
            Ok(_) | Err(rustix::io::Errno::INTR) => {}
            Err(e) => return Err(e.into()),
        }
        if tell.as_ref().is_some_and(Tell::try_once) {
            tell = None;
        }
        if signals::drain(signals).kill {
            let grace = shim.places.kill_request().map(|r| Duration::from_millis(r.grace_ms));
            watch.kill(grace.unwrap_or(shim.start.grace.get()), Instant::now());
        }
    }
}

fn ended(shim: &Shim<'_>, mut output: Output, running: Running, closing: Closing) -> Ended {
    let Closing { ending, usage, mut notes } = closing;
    let output_bytes = output.look(&mut notes);
    if !matches!(ending, Ending::OutputLimit) && output_bytes > shim.start.output_limit {
        notes.push(format!(
            "it wrote {output_bytes} bytes, its limit is {}; it ended before that was seen",
            shim.start.output_limit
        ));
    }
    let file = read_bounded(&shim.places.values(), values::FILE_LIMIT, &mut notes);
    let (values, refused) = values::parse(&file);
    notes.extend(refused);
    let worker = matches!(shim.start.program, Program::Worker(_));
    Ended {
        attempt: shim.start.attempt.clone(),
        started: Some(running.at),
        ended: now(),
        usage,
        line_found: shim.start.success_line.as_ref().is_none_or(|line| output.has_line(line)),
        output_bytes,
        tail: output.tail(ending != Ending::Exited { code: 0 }),
        values,
        work: worker.then(|| work(shim.places, &mut notes)).flatten(),
        notes,
        ending,
    }
}

/// What a worker says that it did; `None` where it said nothing.
fn work(places: &Places, notes: &mut Vec<String>) -> Option<Work> {
    let bytes = read_bounded(&places.folder.join(names::WORK), WORK_LIMIT, notes);
    if bytes.is_empty() {
        return None;
    }
    serde_json::from_slice(&bytes)
        .map_err(|e| notes.push(format!("the worker's result cannot be read: {e}")))
        .ok()
}

/// Bytes of a worker's result: with everything else it must fit a line of the protocol.
const WORK_LIMIT: u64 = crate::wire::LINE_LIMIT as u64 / 4;

/// A plain file that a job wrote; empty where there is none. The job may have put anything there: a link or a pipe is
/// not followed nor waited for.
fn read_bounded(path: &Path, limit: u64, notes: &mut Vec<String>) -> Vec<u8> {
    let flags = OFlags::RDONLY | OFlags::NONBLOCK | OFlags::NOFOLLOW | OFlags::CLOEXEC;
    let name = path.file_name().unwrap_or_default().display();
    let file = match rustix::fs::open(path, flags, Mode::empty()) {
        Ok(fd) => File::from(fd),
        Err(rustix::io::Errno::NOENT) => return Vec::new(),
        Err(e) => {
            notes.push(format!("`{name}` cannot be read: {e}"));
            return Vec::new();
        }
    };
    if !file.metadata().is_ok_and(|meta| meta.is_file() && meta.len() <= limit) {
        notes.push(format!("`{name}` is not read: no plain file of at most {limit} bytes"));
        return Vec::new();
    }
    let mut bytes = Vec::new();
    if let Err(e) = io::Read::read_to_end(&mut io::Read::take(file, limit), &mut bytes) {
        notes.push(format!("`{name}` cannot be read: {e}"));
    }
    bytes
}

/// Writes the ending. A full disk must not make it unknown: it is tried again, without what takes room.
fn keep(shim: &Shim<'_>, mut ended: Ended) -> io::Result<()> {
    const AGAIN: Timespec = Timespec { tv_sec: 2, tv_nsec: 0 };
    const TRIES: u32 = 1_800;
    let Err(mut error) = shim.places.write_ended(&ended) else { return Ok(()) };
    shim.log.line(&format!("{}: its ending cannot be written, trying on: {error}", ended.attempt));
    ended.tail.clear();
    ended.notes = vec![format!("log tail left out: the spool could not be written: {error}")];
    for _ in 0..TRIES {
        match shim.places.write_ended(&ended) {
            Ok(()) => return Ok(()),
            // The folder was removed: there is nowhere to write to.
            Err(e) if e.kind() == io::ErrorKind::NotFound => return Err(e),
            Err(e) => error = e,
        }
        let _ = poll(&mut [], Some(&AGAIN));
    }
    Err(error)
}
