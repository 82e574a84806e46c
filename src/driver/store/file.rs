//! What the store's file says of itself before SQLite is let near it, so that a file that is not ours, is damaged or
//! is newer is never written to.

#![expect(clippy::disallowed_methods, reason = "driver: it reads the head of the store's own file")]

use std::fs::File;
use std::io::{ErrorKind, Read};
use std::path::{Path, PathBuf};

use crate::port::StoreError;

/// `PRAGMA application_id` of the store: "nrun".
pub(super) const APPLICATION_ID: i32 = 0x6e72_756e;

const MAGIC: &[u8] = b"SQLite format 3\0";
const HEADER: usize = 100;

/// What is on disk.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum Found {
    Nothing,
    /// A whole store of this program, of this schema version as far as its main file says.
    Store {
        version: i32,
    },
}

/// Looks at the file without changing anything.
pub(super) fn examine(path: &Path, newest: i32) -> Result<Found, StoreError> {
    let wal = beside(path, "-wal");
    let wal_bytes = std::fs::metadata(&wal).map_or(0, |meta| meta.len());
    let mut file = match File::open(path) {
        Ok(file) => file,
        Err(why) if why.kind() == ErrorKind::NotFound && wal_bytes == 0 => {
            return Ok(Found::Nothing);
        }
        Err(why) if why.kind() == ErrorKind::NotFound => {
            return Err(StoreError::Damaged(format!(
                "{} is missing but {} is there: bring the file back, or move both away to begin anew",
                path.display(),
                wal.display()
            )));
        }
        Err(why) => return Err(StoreError::Trouble(format!("{}: {why}", path.display()))),
    };
    let mut head = Vec::with_capacity(HEADER);
    let length = file.metadata().and_then(|meta| {
        file.by_ref().take(HEADER as u64).read_to_end(&mut head)?;
        Ok(meta.len())
    });
    let length = length.map_err(|why| StoreError::Trouble(format!("{}: {why}", path.display())))?;
    // While a WAL is there, the main file may rightly be behind it.
    judge(&head, length, wal_bytes > 0, newest).map_err(|why| why.of(path))
}

/// A file beside the store's: `nightrun.db-wal`.
pub(super) fn beside(path: &Path, suffix: &str) -> PathBuf {
    let mut name = path.as_os_str().to_owned();
    name.push(suffix);
    PathBuf::from(name)
}

#[derive(Debug, PartialEq, Eq)]
enum Refused {
    Damaged(String),
    Newer(i32),
}

impl Refused {
    fn of(self, path: &Path) -> StoreError {
        let path = path.display();
        match self {
            Self::Damaged(why) => StoreError::Damaged(format!(
                "{path} {why}; it was not touched: restore it from a copy, or move it away to begin anew"
            )),
            Self::Newer(version) => newer(&path.to_string(), version),
        }
    }
}

pub(super) fn newer(path: &str, version: i32) -> StoreError {
    StoreError::Newer(format!(
        "{path} has schema version {version}; use the nightrun that wrote it, or a later one"
    ))
}

fn judge(head: &[u8], length: u64, has_wal: bool, newest: i32) -> Result<Found, Refused> {
    let damaged = |why: &str| Err(Refused::Damaged(why.to_owned()));
    if head.len() < HEADER {
        return damaged("is cut short: not even its header is whole");
    }
    if !head.starts_with(MAGIC) {
        return damaged("is not a SQLite file, or its header is damaged");
    }
    if number(head, 68) != APPLICATION_ID {
        return damaged("is not a nightrun store (another program's SQLite file?)");
    }
    let version = number(head, 60);
    if version > newest {
        return Err(Refused::Newer(version));
    }
    if version < 1 {
        return damaged("has no schema version");
    }
    let page = match u64::from(u16::from_be_bytes([head[16], head[17]])) {
        1 => 65_536,
        size => size,
    };
    let pages = u64::from(number(head, 28).cast_unsigned());
    if !has_wal && length < page * pages {
        return damaged(&format!("is cut short: {length} bytes of {}", page * pages));
    }
    Ok(Found::Store { version })
}

fn number(head: &[u8], at: usize) -> i32 {
    i32::from_be_bytes([head[at], head[at + 1], head[at + 2], head[at + 3]])
}

#[cfg(test)]
mod tests {
    use super::*;

    fn header() -> Vec<u8> {
        let mut head = vec![0; HEADER];
        head[..16].copy_from_slice(MAGIC);
        head[16..18].copy_from_slice(&4096_u16.to_be_bytes());
        head[28..32].copy_from_slice(&3_u32.to_be_bytes());
        head[60..64].copy_from_slice(&1_i32.to_be_bytes());
        head[68..72].copy_from_slice(&APPLICATION_ID.to_be_bytes());
        head
    }

    #[test]
    fn only_a_whole_store_of_ours_passes() {
        let whole = 3 * 4096;
        assert_eq!(judge(&header(), whole, false, 1), Ok(Found::Store { version: 1 }));
        assert_eq!(judge(&header(), 4096, true, 1), Ok(Found::Store { version: 1 }));
        assert!(matches!(judge(&header(), whole - 1, false, 1), Err(Refused::Damaged(_))));
        assert!(matches!(judge(&header()[..99], whole, false, 1), Err(Refused::Damaged(_))));
        for (at, byte) in [(0, b'X'), (71, 0)] {
            let mut head = header();
            head[at] = byte;
            assert!(matches!(judge(&head, whole, false, 1), Err(Refused::Damaged(_))), "{at}");
        }
        let mut head = header();
        head[63] = 2;
        assert_eq!(judge(&head, whole, false, 1), Err(Refused::Newer(2)));
    }
}
