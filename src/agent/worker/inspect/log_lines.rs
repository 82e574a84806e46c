//! Lines of a log that have come since it was read last, across its rotation.

use std::fs::{File, Metadata};
use std::io::{BufRead, BufReader, Read, Seek, SeekFrom};
use std::os::unix::fs::MetadataExt;
use std::path::Path;

use serde::{Deserialize, Serialize};

use super::Seen;
use crate::agent::worker::log::say;
use crate::types::Reading;

/// How far a file was read. Another file under the same name has another inode.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub(super) struct Mark {
    device: u64,
    inode: u64,
    offset: u64,
}

/// Bytes of a line that are looked at as one.
const LONGEST: u64 = 1 << 20;
/// Lines that the job's own log repeats.
const SHOWN: u64 = 20;

/// Counts whole lines with one of these texts; a last line that is still being written counts in the next round. Tells from
/// where to where it has read.
///
/// # Errors
/// In words, where the log cannot be read.
pub(super) fn look(
    path: &Path,
    texts: &[String],
    since: Option<Mark>,
) -> Result<(Seen, (Mark, Mark)), String> {
    let bad = |why: std::io::Error| format!("{}: {why}", path.display());
    let (file, told) = open(path).map_err(bad)?;
    let here = |offset| Mark { device: told.dev(), inode: told.ino(), offset };
    let mut count = Count { texts, found: 0 };
    let Some(since) = since else {
        let mark = here(told.len());
        let words = "the first look: lines count from here on";
        return Ok((Seen::measured(Some(Reading::count(0)), words), (mark, mark)));
    };
    let mut words = "";
    let from = match (since.device, since.inode) == (told.dev(), told.ino()) {
        true if told.len() >= since.offset => since.offset,
        true => {
            words = "the log was emptied, and is read from its beginning";
            0
        }
        false => {
            match turned(path, since) {
                // Nobody writes to it any more: what it ends in is a line.
                Some((former, _)) => drop(count.lines(former, since.offset, true).map_err(bad)?),
                None => {
                    words = "the log was changed for another, and the end of the former one is gone"
                }
            }
            0
        }
    };
    let to = here(count.lines(file, from, false).map_err(bad)?);
    Ok((Seen::measured(Some(Reading::count(count.found)), words), (since, to)))
}

#[expect(clippy::disallowed_methods, reason = "a log is a file that others write")]
fn open(path: &Path) -> std::io::Result<(File, Metadata)> {
    let file = File::open(path)?;
    let told = file.metadata()?;
    match told.is_file() {
        true => Ok((file, told)),
        false => Err(std::io::Error::other("it is not a regular file")),
    }
}

/// The file that was read last, by whatever name it lies in the folder now. One that was compressed is another file.
#[expect(clippy::disallowed_methods, reason = "a log that was rotated has another name")]
fn turned(path: &Path, since: Mark) -> Option<(File, Metadata)> {
    let folder = std::fs::read_dir(path.parent()?).ok()?;
    let former = folder.filter_map(Result::ok).find(|entry| {
        let told = entry.metadata();
        told.is_ok_and(|told| (told.dev(), told.ino()) == (since.device, since.inode))
    });
    open(&former?.path()).ok().filter(|(_, told)| told.len() >= since.offset)
}

struct Count<'a> {
    texts: &'a [String],
    found: u64,
}

impl Count<'_> {
    /// Tells where the last line that it has counted ends. `whole`: the end of the file ends a line too.
    fn lines(&mut self, mut file: File, from: u64, whole: bool) -> std::io::Result<u64> {
        file.seek(SeekFrom::Start(from))?;
        let mut reader = BufReader::with_capacity(1 << 16, file);
        let (mut end, mut line) = (from, Vec::new());
        loop {
            line.clear();
            let read = (&mut reader).take(LONGEST).read_until(b'\n', &mut line)? as u64;
            let open = read < LONGEST && !line.ends_with(b"\n");
            if read == 0 || (open && !whole) {
                return Ok(end);
            }
            end += read;
            self.line(&line);
        }
    }

    fn line(&mut self, line: &[u8]) {
        let text = String::from_utf8_lossy(line);
        if !self.texts.iter().any(|wanted| text.contains(wanted.as_str())) {
            return;
        }
        if self.found < SHOWN {
            say!("      {}", text.trim_end());
        }
        self.found += 1;
    }
}
