//! What an attempt has written, read from the spool of this host's agent.
#![expect(clippy::disallowed_methods, reason = "reads the spool")]

use std::fs::File;
use std::io;
use std::os::unix::fs::{FileExt, MetadataExt};
use std::path::PathBuf;

use serde::{Deserialize, Serialize};

use crate::types::AttemptId;
use crate::wire::spool;

/// Bytes that one read brings at the most.
const PIECE: usize = 256 * 1024;
/// Bytes that the last line is looked for in.
const PEEK: u64 = 4 * 1024;

#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Stream {
    Out,
    Err,
}

impl Stream {
    pub const ALL: [Self; 2] = [Self::Out, Self::Err];
}

/// The logs beneath one agent's folder.
#[derive(Debug, Clone)]
pub struct LogFiles {
    agent_dir: PathBuf,
}

impl LogFiles {
    /// Bytes that one read brings at the most.
    pub const PIECE: usize = PIECE;

    pub fn new(agent_dir: PathBuf) -> Self {
        Self { agent_dir }
    }

    /// The file of a stream; there once the attempt's program was started.
    pub fn path(&self, attempt: &AttemptId, stream: Stream) -> PathBuf {
        let name = match stream {
            Stream::Out => spool::OUT,
            Stream::Err => spool::ERR,
        };
        spool::attempt_folder(&self.agent_dir, attempt).join(name)
    }

    /// Whether the attempt has ended on this host: nothing is added to its files any more, except by processes that
    /// it was allowed to leave behind.
    pub fn has_ended(&self, attempt: &AttemptId) -> bool {
        spool::records(&self.agent_dir, attempt)
            .iter()
            .find_map(|path| std::fs::read(path).ok())
            .is_some_and(|record| spool::ended_line(&record).is_some())
    }

    /// Bytes that are there; none where there is no file.
    pub fn size(&self, attempt: &AttemptId, stream: Stream) -> u64 {
        self.path(attempt, stream).metadata().map_or(0, |meta| meta.len())
    }

    /// What is there from byte `from` on, at most 256 KiB; empty at the end, and where the file is not there yet.
    pub fn read(&self, attempt: &AttemptId, stream: Stream, from: u64) -> io::Result<Vec<u8>> {
        let file = match File::open(self.path(attempt, stream)) {
            Ok(file) => file,
            Err(e) if e.kind() == io::ErrorKind::NotFound => return Ok(Vec::new()),
            Err(e) => return Err(e),
        };
        let there = file.metadata()?.len().saturating_sub(from);
        let mut bytes = vec![0; PIECE.min(usize::try_from(there).unwrap_or(PIECE))];
        let mut filled = 0;
        while filled < bytes.len() {
            match file.read_at(&mut bytes[filled..], from + filled as u64)? {
                0 => break,
                n => filled += n,
            }
        }
        bytes.truncate(filled);
        Ok(bytes)
    }

    /// The last line that has something in it, of the stream that was written last; what a carriage return has
    /// overwritten is left out.
    pub fn last_line(&self, attempt: &AttemptId) -> Option<String> {
        let (_, size, stream) = Stream::ALL
            .into_iter()
            .filter_map(|stream| {
                let meta = self.path(attempt, stream).metadata().ok().filter(|m| m.len() > 0)?;
                Some(((meta.mtime(), meta.mtime_nsec()), meta.len(), stream))
            })
            .max_by_key(|(written, ..)| *written)?;
        let bytes = self.read(attempt, stream, size.saturating_sub(PEEK)).ok()?;
        String::from_utf8_lossy(&bytes)
            .split(['\n', '\r'])
            .map(str::trim_end)
            .rfind(|line| !line.is_empty())
            .map(str::to_owned)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_last_line_is_that_of_the_stream_written_last() {
        let dir = tempfile::tempdir().unwrap();
        let logs = LogFiles::new(dir.path().to_owned());
        let attempt: AttemptId = "eod@d#1/a/1".parse().unwrap();
        assert_eq!(logs.last_line(&attempt), None);
        std::fs::create_dir_all(spool::attempt_folder(dir.path(), &attempt)).unwrap();
        std::fs::write(logs.path(&attempt, Stream::Err), "").unwrap();
        std::fs::write(logs.path(&attempt, Stream::Out), "a\n10%\r20%\r\n\n").unwrap();
        assert_eq!(logs.last_line(&attempt).as_deref(), Some("20%"));
        assert_eq!(logs.read(&attempt, Stream::Out, 2).unwrap(), b"10%\r20%\r\n\n");
        assert!(logs.read(&attempt, Stream::Out, 99).unwrap().is_empty());
    }
}
