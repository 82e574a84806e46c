//! A shim's work on one attempt, from the order to the ending: starts the program, holds its limits, ends what must end,
//! and writes how it ended.
#![expect(clippy::disallowed_methods, reason = "a shim measures time and writes the spool")]

use std::fs::File;
use std::io;
use std::os::fd::{AsFd, OwnedFd};
use std::path::Path;
use std::time::{Duration, Instant};

use jiff::Timestamp;
use rustix::event::{PollFd, PollFlags, Timespec, poll};
use rustix::fs::{Mode, OFlags};

use super::account::{self, Account};
use super::launch::launch;
use super::link::{LEAVES, Link};
use super::output::Output;
use super::shim::Given;
use super::signals::{self, Woken};
use super::spool::{self, Line, Places, RecordFile, Running};
use super::values;
use super::verdict::{bare, ended_line, now};
use super::watch::{Closing, Watch};
use crate::fault;
use crate::types::Ending;
use crate::wire::{Ended, FromAgent, Program, Start, Work, spool as names};

/// What becomes of the shim when the attempt is over.
pub(super) enum After {
    /// It can take the next.
    Ready,
    /// Processes of this attempt are left, which are its children: it goes.
    Leaves,
}

struct Attempt<'a> {
    given: &'a Given,
    start: &'a Start,
    places: Places,
    link: &'a mut Link,
    signals: &'a OwnedFd,
}

/// Takes an attempt from its order to the ending, which is kept and told. `order`: the line that `start` was read from.
/// An error is no ending: the agent gives a verdict when this process has ended with it.
pub(super) fn watch(
    given: &Given,
    start: &Start,
    order: &[u8],
    link: &mut Link,
    signals: &OwnedFd,
) -> io::Result<After> {
    let places = Places::of(&given.agent_dir, &start.attempt);
    // Without the lock, or with a verdict there, an agent has found that this attempt will not be started.
    let Some(mut record) = places.lock()?.filter(RecordFile::is_empty) else {
        return Ok(After::Leaves);
    };
    fault::point("shim.locked");
    let mut attempt = Attempt { given, start, places, link, signals };
    let (ended, after) = attempt.run(order, &mut record)?;
    fault::point("shim.ended");
    let line = attempt.keep(ended, &mut record)?;
    fault::point("shim.kept");
    // The lock is given up first: whoever hears of the end finds nobody there.
    drop(record);
    if let After::Leaves = after {
        link.say(LEAVES);
    }
    link.finish(&line);
    Ok(after)
}

impl Attempt<'_> {
    fn run(&mut self, order: &[u8], record: &mut RecordFile) -> io::Result<(Ended, After)> {
        if let Program::Worker(task) = &self.start.program {
            let path = self.places.folder.join(names::TASK);
            spool::write_new(&path, &serde_json::to_vec(task)?)?;
        }
        let account = match account::resolve(self.start.user.as_deref(), &self.given.allow_users) {
            Ok(account) => account,
            Err(why) => return Ok((self.not_started(why), After::Ready)),
        };
        if let Some(account) = &account {
            hand_over(&self.places, account)?;
        }
        let output = Output::open(&self.places, account.as_ref())?;
        // From here on the program may have been started; a failure before it leaves no line `watched`.
        let watched = Line::Watched { shim: std::process::id(), boot: self.given.boot.clone() };
        let mut begun = order.to_owned();
        begun.extend(spool::line(&watched)?);
        record.append(&begun)?;
        fault::point("shim.recorded");
        let (out, err) = (output.out.file.as_fd(), output.err.file.as_fd());
        let pid = match launch(self.start, &self.places, account, out, err) {
            Ok(pid) => pid,
            Err(why) => return Ok((self.not_started(why), After::Ready)),
        };
        fault::point("shim.launched");
        let running = Running { pid: pid.as_raw_nonzero().get() as u32, at: now() };
        let begun = since_boot();
        let line = running.line(&self.start.attempt)?;
        if let Err(e) = record.append(&line) {
            // It runs: that is not undone for the sake of a record that only a later agent would read.
            self.log(&format!("no record of its start: {e}"));
        }
        fault::point("shim.running");
        self.link.say(&line);
        let (output, closing) = self.attend(output, running)?;
        let after = if closing.left { After::Leaves } else { After::Ready };
        let mut ended = self.ended(output, running, closing);
        if let Some(at) = begun_by_now(running.at, ended.ended, since_boot().saturating_sub(begun))
        {
            ended.started = Some(at);
            ended.notes.push(format!(
                "this host's clock was set while it ran: {} was {at} by the clock that it has now",
                running.at
            ));
        }
        Ok((ended, after))
    }

    fn log(&self, words: &str) {
        self.given.log.line(&format!("{}: {words}", self.start.attempt));
    }

    fn not_started(&self, why: String) -> Ended {
        Ended {
            line_found: self.start.success_line.is_none(),
            ..bare(&self.start.attempt, Ending::CouldNotStart { why })
        }
    }

    /// Stays with the program to its end.
    fn attend(&mut self, output: Output, running: Running) -> io::Result<(Output, Closing)> {
        let mut watch = Watch::new(self.start, running.pid, output, Instant::now());
        loop {
            let now = Instant::now();
            if let Some(closing) = watch.turn(now) {
                return Ok((watch.output, closing));
            }
            let due = watch.next_wake(now);
            let timeout = due.map(|due| timespec(due.saturating_duration_since(now)));
            let fds = &mut [
                PollFd::new(self.signals, PollFlags::IN),
                PollFd::from_borrowed_fd(self.link.fd(), PollFlags::OUT),
            ];
            let unsaid = self.link.wants_to_say();
            let fds = if unsaid { &mut fds[..] } else { &mut fds[..1] };
            match poll(fds, timeout.as_ref()) {
                Ok(_) | Err(rustix::io::Errno::INTR) => {}
                Err(e) => return Err(e.into()),
            }
            let signalled = !fds[0].revents().is_empty();
            if unsaid {
                self.link.say_on();
            }
            let woken = if signalled { signals::drain(self.signals) } else { Woken::default() };
            if woken.written {
                watch.written(Instant::now());
            }
            if let Some(grace) = self.asked_for_end(&woken) {
                watch.kill(grace, Instant::now());
            }
        }
    }

    /// The grace, where the agent asks for an end. Its job is of the same account and may send the same signal: without
    /// the agent's word in the folder, for which there may have been no room, it is the sender that counts.
    fn asked_for_end(&self, woken: &Woken) -> Option<Duration> {
        let senders = &woken.kill_asked_by;
        if senders.is_empty() {
            return None;
        }
        if let Some(request) = self.places.kill_request() {
            return Some(Duration::from_millis(request.grace_ms));
        }
        let agent = spool::lock_holder(&self.given.agent_dir.join(names::LOCK)).ok().flatten()?;
        let asked = senders.iter().any(|pid| *pid == agent.as_raw_nonzero().get().cast_unsigned());
        asked.then(|| self.start.grace.get())
    }

    fn ended(&self, mut output: Output, running: Running, closing: Closing) -> Ended {
        let Closing { ending, usage, mut notes, .. } = closing;
        let output_bytes = output.look(&mut notes);
        if !matches!(ending, Ending::OutputLimit) && output_bytes > self.start.output_limit {
            notes.push(format!(
                "it wrote {output_bytes} bytes, its limit is {}; it ended before that was seen",
                self.start.output_limit
            ));
        }
        let file = read_bounded(&self.places.values(), values::FILE_LIMIT, &mut notes);
        let (values, refused) = values::parse(&file);
        notes.extend(refused);
        let worker = matches!(self.start.program, Program::Worker(_));
        let work = worker.then(|| work(&self.places, &mut notes)).flatten();
        let ending = match &work {
            Some(Work::Slurm(work)) => {
                notes.extend(work.words().map(|words| format!("Slurm: {words}")));
                work.ending(ending)
            }
            _ => ending,
        };
        Ended {
            attempt: self.start.attempt.clone(),
            started: Some(running.at),
            ended: now(),
            usage,
            line_found: self.start.success_line.as_ref().is_none_or(|line| output.has_line(line)),
            output_bytes,
            tail: output.tail(ending != Ending::Exited { code: 0 }),
            values,
            work,
            notes,
            ending,
        }
    }

    /// Writes the ending into the record and gives its line. A full disk must not make it unknown: it is tried again
    /// without what takes room, however long the disk is full.
    fn keep(&mut self, mut ended: Ended, record: &mut RecordFile) -> io::Result<Vec<u8>> {
        let line = ended_line(&ended)?;
        let Err(error) = record.append(&line) else { return Ok(line) };
        let trouble = format!("its ending cannot be written, trying on: {error}");
        self.log(&trouble);
        let what = format!(
            "{}: {trouble}; free some room in {}",
            self.start.attempt,
            self.given.agent_dir.display()
        );
        self.link.say(&spool::line(&FromAgent::Notice { what })?);
        ended.tail.clear();
        ended.notes = vec![format!("log tail left out: the spool could not be written: {error}")];
        let line = ended_line(&ended)?;
        let wait = |pause| {
            self.link.say_on();
            let _ = poll(&mut [], Some(&timespec(pause)));
        };
        until_kept(|| record.append(&line), wait);
        Ok(line)
    }
}

/// Tries as long as this host runs: nobody else knows this ending.
fn until_kept(mut keep: impl FnMut() -> io::Result<()>, mut wait: impl FnMut(Duration)) {
    const FIRST: Duration = Duration::from_secs(2);
    const LATEST: Duration = Duration::from_secs(10);
    let mut pause = FIRST;
    while keep().is_err() {
        wait(pause);
        pause = (pause * 2).min(LATEST);
    }
}

fn timespec(time: Duration) -> Timespec {
    Timespec { tv_sec: time.as_secs() as i64, tv_nsec: i64::from(time.subsec_nanos()) }
}

/// The time that a wall clock cannot change, and that goes on while the host sleeps.
fn since_boot() -> Duration {
    let now = rustix::time::clock_gettime(rustix::time::ClockId::Boottime);
    let seconds = u64::try_from(now.tv_sec).unwrap_or_default();
    Duration::new(seconds, u32::try_from(now.tv_nsec).unwrap_or_default())
}

/// When it began by the clock that says when it ended: where that clock was set in between, so that what lies between
/// the two is the time that really passed. `None`: it was not set.
fn begun_by_now(began: Timestamp, ended: Timestamp, took: Duration) -> Option<Timestamp> {
    const ADJUSTED: Duration = Duration::from_secs(2);
    let begun = ended.saturating_sub(took).ok()?;
    (begun.duration_since(began).unsigned_abs() > ADJUSTED).then_some(begun)
}

/// Lets a job of another account reach the one file that it may write.
fn hand_over(places: &Places, account: &Account) -> io::Result<()> {
    use std::os::unix::fs::{PermissionsExt, fchown};
    std::fs::set_permissions(&places.folder, std::fs::Permissions::from_mode(0o711))?;
    let values = File::create(places.values())?;
    fchown(&values, Some(account.uid), Some(account.gid))?;
    values.set_permissions(std::fs::Permissions::from_mode(0o600))
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

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_ending_is_kept_however_long_the_disk_is_full() {
        let week = Duration::from_secs(7 * 24 * 3_600);
        let (waited, mut longest) = (std::cell::Cell::new(Duration::ZERO), Duration::ZERO);
        let keep = || match waited.get() < week {
            true => Err(io::ErrorKind::StorageFull.into()),
            false => Ok(()),
        };
        until_kept(keep, |pause| {
            waited.set(waited.get() + pause);
            longest = longest.max(pause);
        });
        assert!(waited.get() >= week);
        assert_eq!(longest, Duration::from_secs(10));
    }

    #[test]
    fn a_clock_that_was_set_changes_no_duration() {
        let at = |text: &str| text.parse::<Timestamp>().unwrap();
        let (began, took) = (at("2026-10-30T20:00:00Z"), Duration::from_secs(60));
        assert_eq!(begun_by_now(began, at("2026-10-30T20:01:01Z"), took), None);
        for (ended, begun) in [("22:01:00", "22:00:00"), ("18:01:00", "18:00:00")] {
            let of = |time: &str| at(&format!("2026-10-30T{time}Z"));
            assert_eq!(begun_by_now(began, of(ended), took), Some(of(begun)));
        }
    }
}
