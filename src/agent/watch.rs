//! What a shim does while its program runs: limits, ends, and what is left behind.
#![cfg_attr(
    test,
    expect(
        clippy::disallowed_methods,
        reason = "tests begin at some instant; the watch is given its own"
    )
)]

use std::collections::BTreeSet;
use std::time::{Duration, Instant};

use rustix::process::{Pid, Signal, kill_process_group};

use super::output::Output;
use super::processes::{self, Process};
use crate::definition::site::Survivors;
use crate::types::{Ending, Usage};
use crate::wire::Start;

/// Between two looks at processes that do not die: at first, and at the most.
const AGAIN: Duration = Duration::from_millis(50);
const AGAIN_LATEST: Duration = Duration::from_secs(5);
/// Looks at all processes for one KILL at the most, as long as each brings new ones.
const LOOKS: u32 = 50;
/// How long what was left behind may take to die after KILL.
const GIVE_UP: Duration = Duration::from_secs(10);
/// Bounds of the time between two looks at output that grows.
const LOOK_SOONEST: Duration = Duration::from_millis(20);
const LOOK_FIRST: Duration = Duration::from_millis(100);
const LOOK_LATEST: Duration = Duration::from_secs(1);

/// The watch over one program and its descendants.
pub(super) struct Watch<'a> {
    start: &'a Start,
    pid: u32,
    pub(super) output: Output,
    /// Raw wait status of the program.
    status: Option<i32>,
    usage: Usage,
    /// Why it is ended, once it is.
    cause: Option<Ending>,
    phase: Phase,
    time_limit: Option<Instant>,
    look: Look,
    notes: Vec<String>,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Phase {
    Running,
    /// TERM was sent.
    Asked {
        kill_at: Instant,
    },
    /// KILL was sent, and is sent again until nothing is left.
    Killing {
        again_at: Instant,
        pause: Duration,
        give_up_at: Instant,
    },
}

/// When the output is looked at next. A job that is silent is not looked at: what it writes wakes its shim. One that
/// writes is looked at before it could, at its rate, have written half of what it still may.
struct Look {
    /// `None`: when something is written.
    at: Option<Instant>,
    /// From the last look to the next.
    pause: Duration,
    last: Instant,
    /// What was there at the last look, and since when more of it may have come.
    bytes: u64,
    since: Instant,
}

/// How it came out.
pub(super) struct Closing {
    pub(super) ending: Ending,
    pub(super) usage: Usage,
    pub(super) notes: Vec<String>,
    /// Whether processes of it are left, allowed to stay or not to be killed.
    pub(super) left: bool,
}

impl<'a> Watch<'a> {
    pub(super) fn new(start: &'a Start, pid: u32, output: Output, now: Instant) -> Self {
        Self {
            start,
            pid,
            output,
            status: None,
            usage: Usage::default(),
            cause: None,
            phase: Phase::Running,
            time_limit: start.time_limit.map(|limit| now + limit.get()),
            look: Look::first(now),
            notes: Vec::new(),
        }
    }

    /// Takes note of what has happened and does what is due; the closing when all is over.
    pub(super) fn turn(&mut self, now: Instant) -> Option<Closing> {
        let children = self.reap();
        if self.status.is_some() && (!children || self.leave_the_rest(now)) {
            return Some(self.close(children));
        }
        self.hold_limits(now);
        match self.phase {
            Phase::Asked { kill_at } if now >= kill_at => {
                self.notes.push("KILL was needed: TERM and the grace were not enough".to_owned());
                let give_up_at = now + GIVE_UP;
                self.phase = Phase::Killing { again_at: now, pause: AGAIN, give_up_at };
            }
            _ => {}
        }
        if let Phase::Killing { again_at, pause, give_up_at } = self.phase
            && now >= again_at
        {
            self.signal_all(Signal::KILL);
            let (again_at, pause) = (now + pause, (pause * 2).min(AGAIN_LATEST));
            self.phase = Phase::Killing { again_at, pause, give_up_at };
        }
        None
    }

    /// When the next turn is due, if no signal comes before; `None`: only a signal brings something to do.
    pub(super) fn next_wake(&self, now: Instant) -> Option<Instant> {
        let due = match self.phase {
            // Something of it is there that was not seen, such as a process born while one looked.
            Phase::Running if self.status.is_some() => now + AGAIN,
            Phase::Running => return self.time_limit.into_iter().chain(self.look.at).min(),
            Phase::Asked { kill_at } => self.look.at.map_or(kill_at, |at| at.min(kill_at)),
            Phase::Killing { again_at, .. } => again_at,
        };
        Some(due)
    }

    /// Something was written into the attempt's folder, not always into the output.
    pub(super) fn written(&mut self, now: Instant) {
        self.look.written(now);
    }

    /// A person or a supervisor wants it ended. Asked again with a shorter grace, the shorter holds.
    pub(super) fn kill(&mut self, grace: Duration, now: Instant) {
        self.reap();
        if self.status.is_none() {
            self.cause.get_or_insert(Ending::Killed);
        }
        self.ask(grace, now);
    }

    /// TERM to the group and every descendant, KILL after the grace.
    fn ask(&mut self, grace: Duration, now: Instant) {
        match &mut self.phase {
            Phase::Running => {
                self.phase = Phase::Asked { kill_at: now + grace };
                self.signal_all(Signal::TERM);
                // A stopped process takes TERM only when it goes on.
                self.signal_all(Signal::CONT);
            }
            Phase::Asked { kill_at } => *kill_at = (*kill_at).min(now + grace),
            Phase::Killing { .. } => {}
        }
    }

    fn hold_limits(&mut self, now: Instant) {
        if self.status.is_some() || self.phase != Phase::Running {
            return self.hold_disk(now);
        }
        let grace = self.start.grace.get();
        if self.time_limit.is_some_and(|limit| now >= limit) {
            self.cause = Some(Ending::TimedOut);
            self.ask(grace, now);
        } else if self.look.is_due(now) {
            let bytes = self.look_at_output(self.start.output_limit, now);
            if bytes > self.start.output_limit {
                self.cause = Some(Ending::OutputLimit);
                self.ask(grace, now);
            }
        }
    }

    fn look_at_output(&mut self, limit: u64, now: Instant) -> u64 {
        let mut bytes = self.output.look(&mut self.notes);
        let told = bytes == self.look.bytes && self.output.tell_when_written();
        if told {
            // What was written between the look and the call is not told.
            bytes = self.output.look(&mut self.notes);
        }
        self.look.next(bytes, limit, told, now);
        bytes
    }

    /// What goes on writing while it is asked to end has no right to the rest of its grace: it would fill the disk.
    fn hold_disk(&mut self, now: Instant) {
        let Phase::Asked { kill_at } = self.phase else { return };
        if kill_at <= now || !self.look.is_due(now) {
            return;
        }
        let most = self.start.output_limit.saturating_mul(2);
        let bytes = self.look_at_output(most, now);
        if bytes > most {
            self.notes
                .push(format!("it went on writing after TERM: {bytes} bytes, grace cut short"));
            self.phase = Phase::Asked { kill_at: now };
        }
    }

    /// The program has ended and others of it live. True when they may stay, or will not go.
    fn leave_the_rest(&mut self, now: Instant) -> bool {
        match self.phase {
            Phase::Running => {
                let rest = self.descendants();
                if rest.is_empty() {
                    // Zombies, or gone since the last look: their end wakes this shim.
                    return false;
                }
                let names = processes::names(&rest);
                if self.start.survivors == Survivors::Leave {
                    self.notes.push(format!("left {} running: {names}", rest.len()));
                    return true;
                }
                self.notes.push(format!("ended {} that it left behind: {names}", rest.len()));
                self.ask(self.start.grace.get(), now);
                false
            }
            Phase::Asked { .. } => false,
            Phase::Killing { give_up_at, .. } => {
                let rest = if now >= give_up_at { self.descendants() } else { Vec::new() };
                if !rest.is_empty() {
                    let names = processes::names(&rest);
                    self.notes.push(format!("{} did not die after KILL: {names}", rest.len()));
                }
                !rest.is_empty()
            }
        }
    }

    fn descendants(&self) -> Vec<Process> {
        processes::descendants(std::process::id())
    }

    /// To the groups of all that is seen: a group has nobody else in it, since it was made within the program's session
    /// or one that a descendant began, and a signal to it reaches those too that are born meanwhile. KILL is sent until
    /// nobody new is seen: some fork and leave their session faster than one can look.
    fn signal_all(&self, signal: Signal) {
        let mut seen = BTreeSet::new();
        let mut groups: BTreeSet<u32> = BTreeSet::new();
        if self.status.is_none() {
            groups.insert(self.pid);
        }
        for _ in 0..if signal == Signal::KILL { LOOKS } else { 1 } {
            let before = seen.len();
            for process in self.descendants() {
                groups.insert(process.group);
                seen.insert(process.pid);
            }
            for group in std::mem::take(&mut groups).into_iter().filter_map(pid) {
                let _ = kill_process_group(group, signal);
            }
            if seen.len() == before {
                return;
            }
        }
    }

    /// Collects every child that has ended; false when none is left. This shim is the parent of all that lost theirs.
    fn reap(&mut self) -> bool {
        loop {
            let mut status = 0;
            #[expect(unsafe_code, reason = "wait4, which gives the resource use, is only in libc")]
            // SAFETY: both pointers are to locals of the right types.
            let (pid, usage) = unsafe {
                let mut usage: libc::rusage = std::mem::zeroed();
                (libc::wait4(-1, &raw mut status, libc::WNOHANG, &raw mut usage), usage)
            };
            match pid {
                0 => return true,
                p if p < 0 => return false,
                _ => {}
            }
            self.usage.user_us += micros(usage.ru_utime);
            self.usage.system_us += micros(usage.ru_stime);
            self.usage.max_rss_kib = self.usage.max_rss_kib.max(usage.ru_maxrss.max(0) as u64);
            if pid as u32 == self.pid {
                self.status = Some(status);
            }
        }
    }

    fn close(&mut self, left: bool) -> Closing {
        let status = self.status.unwrap_or_default();
        let own = if libc::WIFSIGNALED(status) {
            Ending::Signalled { signal: libc::WTERMSIG(status) }
        } else {
            Ending::Exited { code: libc::WEXITSTATUS(status) }
        };
        let mut notes = std::mem::take(&mut self.notes);
        let ending = match self.cause.take() {
            Some(cause) => {
                if matches!(own, Ending::Exited { .. }) {
                    notes.push(format!("after TERM it ended by itself, with {own}"));
                }
                cause
            }
            None => own,
        };
        Closing { ending, usage: self.usage, notes, left }
    }
}

impl Look {
    fn first(now: Instant) -> Self {
        Self { at: Some(now + LOOK_FIRST), pause: LOOK_FIRST, last: now, bytes: 0, since: now }
    }

    fn is_due(&self, now: Instant) -> bool {
        self.at.is_some_and(|at| at <= now)
    }

    /// After silence something was written: how much of it comes is seen a little later.
    fn written(&mut self, now: Instant) {
        if self.at.is_none() {
            self.at = Some((now + LOOK_FIRST).max(self.last + self.pause));
            self.since = now;
        }
    }

    /// `told`: what is written from now on wakes this process.
    fn next(&mut self, bytes: u64, limit: u64, told: bool, now: Instant) {
        let grown = bytes.saturating_sub(self.bytes);
        let took = now.saturating_duration_since(self.since).as_secs_f64();
        self.pause = if grown == 0 {
            (self.pause * 2).min(LOOK_LATEST)
        } else {
            let seconds = limit.saturating_sub(bytes) as f64 * took / grown as f64 / 2.0;
            Duration::try_from_secs_f64(seconds)
                .unwrap_or(LOOK_LATEST)
                .clamp(LOOK_SOONEST, LOOK_LATEST)
        };
        (self.bytes, self.since, self.last) = (bytes, now, now);
        self.at = (grown > 0 || !told).then_some(now + self.pause);
    }
}

fn pid(raw: u32) -> Option<Pid> {
    i32::try_from(raw).ok().and_then(Pid::from_raw)
}

fn micros(time: libc::timeval) -> u64 {
    (time.tv_sec.max(0) as u64) * 1_000_000 + time.tv_usec.max(0) as u64
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn output_is_looked_at_more_often_the_nearer_the_limit() {
        let now = Instant::now();
        let mut look = Look::first(now);
        let mut at = now + Duration::from_millis(100);
        look.next(1_000, 1_000_000, false, at);
        assert_eq!(look.pause, LOOK_LATEST);
        at += look.pause;
        look.next(901_000, 1_000_000, false, at);
        assert!(look.pause < Duration::from_millis(60), "{:?}", look.pause);
        for _ in 0..10 {
            at += look.pause;
            look.next(901_000, 1_000_000, false, at);
            assert_eq!(look.at, Some(at + look.pause));
        }
        assert_eq!(look.pause, LOOK_LATEST);
    }

    #[test]
    fn what_is_silent_is_not_looked_at_where_its_writing_is_told() {
        let now = Instant::now();
        let mut look = Look::first(now);
        look.written(now);
        assert_eq!(look.at, Some(now + LOOK_FIRST));
        look.next(0, 1_000_000, true, now + LOOK_FIRST);
        assert!(look.at.is_none() && !look.is_due(now + Duration::from_secs(3_600)));

        // A burst after an hour is judged by its own time, not by the hour.
        let later = now + Duration::from_secs(3_600);
        look.written(later);
        assert_eq!(look.at, Some(later + LOOK_FIRST));
        look.next(500_000, 1_000_000, false, later + LOOK_FIRST);
        assert_eq!(look.pause, LOOK_FIRST / 2);
        assert!(look.at.is_some(), "it grows");

        // Something else in the folder that is written without end costs one look a second.
        let mut at = later + LOOK_FIRST;
        for _ in 0..10 {
            look.next(500_000, 1_000_000, true, at);
            look.written(at);
            at = look.at.unwrap();
        }
        assert_eq!(look.at.unwrap().duration_since(look.last), LOOK_LATEST);
    }
}
