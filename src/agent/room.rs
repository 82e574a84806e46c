//! A spool without room: nothing is begun that could not be kept. An order that comes then is given back as never seen,
//! after a pause, so that whoever gave it can give it again or think better of it.
#![expect(clippy::disallowed_methods, reason = "looks at the spool, and when it did so")]

use std::collections::BTreeSet;
use std::io;
use std::time::{Duration, Instant};

use rustix::fs::{StatVfsMountFlags, statvfs};

use super::serve::Agent;
use super::spool::{self, Places};
use crate::types::AttemptId;
use crate::wire::{self, FromAgent};

/// What an attempt's folder, its files and its record may take before its program has written anything.
const BYTES: u64 = 64 * 1024;
const FILES: u64 = 16;
/// Until an order is given back.
const PAUSE: Duration = Duration::from_secs(1);

/// What waits for room.
#[derive(Debug, Default)]
pub(super) struct Room {
    put_off: BTreeSet<AttemptId>,
    give_back_at: Option<Instant>,
    /// Whether people were told.
    told: bool,
}

impl Room {
    /// When orders are given back.
    pub(super) fn due(&self) -> Option<Instant> {
        self.give_back_at
    }
}

/// Whether somebody may put it right while the night waits, or it passes by itself.
pub(super) fn may_come_back(error: &io::Error) -> bool {
    put_right(error).is_some()
}

/// What people can do about it, where it is of this kind.
fn put_right(error: &io::Error) -> Option<&'static str> {
    use io::ErrorKind::{QuotaExceeded, ReadOnlyFilesystem, StorageFull};
    match (error.kind(), error.raw_os_error()) {
        (StorageFull | QuotaExceeded, _) => Some("free some room there"),
        (ReadOnlyFilesystem, _) => Some("make it writable again"),
        (_, Some(libc::EMFILE | libc::ENFILE)) => {
            Some("raise the agent's limit of open files, or let fewer jobs run at once")
        }
        (_, Some(libc::EAGAIN | libc::ENOMEM)) => {
            Some("this host has no room for another process: end some, or raise the limit")
        }
        _ => None,
    }
}

impl Agent<'_> {
    /// See [`Places::claim`]; an error too where there is no room for what follows the claim.
    pub(super) fn claim(&self, places: &Places) -> io::Result<bool> {
        self.has_room().and_then(|()| places.claim())
    }

    /// Something was begun.
    pub(super) fn room_is_back(&mut self) {
        if std::mem::take(&mut self.room.told) {
            self.tell_people("attempts can be started again".to_owned());
        }
    }

    fn has_room(&self) -> io::Result<()> {
        let spool = statvfs(self.folder.dir.join(wire::spool::SPOOL))?;
        if spool.f_flag.contains(StatVfsMountFlags::RDONLY) {
            return Err(io::ErrorKind::ReadOnlyFilesystem.into());
        }
        // A file system without a fixed number of files says 0 of 0.
        let no_files = spool.f_files > 0 && spool.f_favail < FILES;
        if no_files || spool.f_bavail.saturating_mul(spool.f_frsize) < BYTES {
            return Err(io::ErrorKind::StorageFull.into());
        }
        Ok(())
    }

    /// Nothing of it is begun, nor kept.
    pub(super) fn put_off(&mut self, attempt: &AttemptId, error: &io::Error) {
        self.room.put_off.insert(attempt.clone());
        self.room.give_back_at.get_or_insert(Instant::now() + PAUSE);
        if !std::mem::replace(&mut self.room.told, true) {
            let folder = self.folder.dir.display();
            let put_right = put_right(error).unwrap_or("see agent.log");
            let what =
                format!("nothing can be started, {attempt} waits: {folder}: {error}; {put_right}");
            self.log(&what);
            self.tell_people(what);
        }
    }

    /// Says of what was put off that it is not known here, which is true.
    pub(super) fn give_back(&mut self, now: Instant) {
        if self.room.give_back_at.is_none_or(|due| now < due) {
            return;
        }
        self.room.give_back_at = None;
        let mut put_off = std::mem::take(&mut self.room.put_off);
        // It was told again meanwhile, and there was room.
        put_off.retain(|attempt| !self.watched.contains_key(attempt));
        for attempt in put_off {
            self.tell_leader(&FromAgent::NotKnown { attempt });
        }
    }

    fn tell_people(&mut self, what: String) {
        self.tell_leader(&FromAgent::Notice { what });
    }

    fn tell_leader(&mut self, what: &FromAgent) {
        // Plain data always has a JSON form.
        if let Ok(line) = spool::line(what) {
            self.report(&line);
        }
    }
}
