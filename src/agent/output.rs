//! An attempt's two output files, as its shim holds them: their size, their last lines, a text in them.

use std::fs::{File, OpenOptions};
use std::io;
use std::os::fd::{AsFd, OwnedFd};
use std::os::unix::fs::{FileExt, OpenOptionsExt, fchown};

use rustix::fs::{Mode, OFlags};

use super::account::Account;
use super::kernel;
use super::spool::Places;
use crate::wire::{TAIL_BYTES, TAIL_LINES};

pub(super) struct Output {
    pub(super) out: Stream,
    pub(super) err: Stream,
    /// That both are in.
    folder: OwnedFd,
}

pub(super) struct Stream {
    pub(super) file: File,
    name: &'static str,
    /// Size when last looked at.
    size: u64,
    /// Bytes that were there and were cut by the job.
    lost: u64,
}

impl Output {
    /// Opens both for appending; a job that runs as another account owns them.
    pub(super) fn open(places: &Places, account: Option<&Account>) -> io::Result<Self> {
        let open = |path, name| {
            let file = OpenOptions::new()
                .read(true)
                .append(true)
                .create(true)
                .mode(0o600)
                .custom_flags(libc::O_NOFOLLOW)
                .open(path)?;
            if let Some(account) = account {
                fchown(&file, Some(account.uid), Some(account.gid))?;
            }
            Ok::<_, io::Error>(Stream { file, name, size: 0, lost: 0 })
        };
        let how = OFlags::RDONLY | OFlags::DIRECTORY | OFlags::CLOEXEC;
        let folder = rustix::fs::open(&places.folder, how, Mode::empty())?;
        Ok(Self { out: open(places.out(), "stdout")?, err: open(places.err(), "stderr")?, folder })
    }

    /// Lets the next write wake this process, whoever writes; false where it has to be looked for.
    pub(super) fn tell_when_written(&self) -> bool {
        kernel::tell_when_written(self.folder.as_fd())
    }

    /// Bytes of both, those that the job cut included. What was written and cut between two looks is not seen.
    pub(super) fn look(&mut self, notes: &mut Vec<String>) -> u64 {
        self.out.look(notes) + self.err.look(notes)
    }

    /// See [`crate::wire::Ended::tail`].
    pub(super) fn tail(&self, failed: bool) -> Vec<String> {
        let (mut lines, err) = (self.out.tail(), self.err.tail());
        if !failed && !lines.is_empty() {
            return lines;
        }
        // Many programs tell on stdout what went wrong and warn of something else on stderr: it gets what room stderr leaves.
        let at_least = err.len();
        lines.extend(err);
        let bytes = |lines: &[String]| lines.iter().map(|line| line.len() + 1).sum::<usize>();
        while lines.len() > at_least.max(1)
            && (lines.len() > TAIL_LINES || bytes(&lines) > TAIL_BYTES)
        {
            lines.remove(0);
        }
        lines
    }

    /// Whether a line of either has this text.
    pub(super) fn has_line(&self, text: &str) -> bool {
        [&self.out, &self.err].iter().any(|stream| stream.contains(text.as_bytes()))
    }
}

impl Stream {
    fn look(&mut self, notes: &mut Vec<String>) -> u64 {
        if let Ok(meta) = self.file.metadata() {
            let size = meta.len();
            if size < self.size {
                // By `>` it is cut to nothing, and what is there is new.
                self.lost += self.size;
                notes.push(format!(
                    "the job cut its own {}: {} bytes became {size}",
                    self.name, self.size
                ));
            }
            self.size = size;
        }
        self.size + self.lost
    }

    fn tail(&self) -> Vec<String> {
        let from = self.size.saturating_sub(TAIL_BYTES as u64);
        let mut bytes = vec![0; (self.size - from) as usize];
        let read = read_at(&self.file, &mut bytes, from);
        bytes.truncate(read);
        last_lines(&bytes, from > 0)
    }

    /// Reads once through, whatever the size, in pieces that overlap by the length of the text.
    fn contains(&self, text: &[u8]) -> bool {
        const PIECE: usize = 256 * 1024;
        if text.is_empty() || text.contains(&b'\n') || (text.len() as u64) > self.size {
            return text.is_empty() && self.size > 0;
        }
        let mut buffer = vec![0; PIECE.max(text.len() * 2)];
        let (mut kept, mut at) = (0, 0);
        loop {
            let read = read_at(&self.file, &mut buffer[kept..], at);
            let filled = kept + read;
            if find(&buffer[..filled], text) {
                return true;
            }
            if read == 0 {
                return false;
            }
            at += read as u64;
            kept = filled.min(text.len() - 1);
            buffer.copy_within(filled - kept..filled, 0);
        }
    }
}

fn find(hay: &[u8], text: &[u8]) -> bool {
    let Some((first, _)) = text.split_first() else { return true };
    let mut rest = hay;
    while let Some(at) = rest.iter().position(|byte| byte == first) {
        rest = &rest[at..];
        if rest.starts_with(text) {
            return true;
        }
        rest = &rest[1..];
    }
    false
}

/// Fills the buffer from `at` as far as the file goes.
fn read_at(file: &File, buffer: &mut [u8], at: u64) -> usize {
    let mut filled = 0;
    while filled < buffer.len() {
        match file.read_at(&mut buffer[filled..], at + filled as u64) {
            Ok(0) => break,
            Ok(n) => filled += n,
            Err(e) if e.kind() == io::ErrorKind::Interrupted => {}
            Err(_) => break,
        }
    }
    filled
}

/// The last whole lines; `cut`: the first line has its beginning elsewhere and is left out where another is there.
fn last_lines(bytes: &[u8], cut: bool) -> Vec<String> {
    let text = String::from_utf8_lossy(bytes);
    let mut lines: Vec<&str> = text.lines().collect();
    if cut && lines.len() > 1 {
        lines.remove(0);
    }
    let from = lines.len().saturating_sub(TAIL_LINES);
    let mut kept: Vec<String> = lines[from..].iter().map(|line| (*line).to_owned()).collect();
    // Replacement characters have three bytes for one.
    while kept.len() > 1 && kept.iter().map(|line| line.len() + 1).sum::<usize>() > TAIL_BYTES {
        kept.remove(0);
    }
    if let [only] = &mut kept[..] {
        while only.len() > TAIL_BYTES {
            let first = only.chars().next().map_or(1, char::len_utf8);
            let cut = (only.len() - TAIL_BYTES).max(first);
            let cut = (cut..=only.len()).find(|at| only.is_char_boundary(*at)).unwrap_or(0);
            only.drain(..cut);
        }
    }
    kept
}

#[cfg(test)]
mod tests {
    use super::*;

    fn stream(text: &[u8]) -> Stream {
        let file = tempfile::tempfile().unwrap();
        file.write_all_at(text, 0).unwrap();
        Stream { file, name: "stdout", size: text.len() as u64, lost: 0 }
    }

    fn output(out: Stream, err: Stream) -> Output {
        Output { out, err, folder: tempfile::tempfile().unwrap().into() }
    }

    #[test]
    fn the_tail_is_whole_lines_within_both_limits() {
        assert_eq!(stream(b"").tail(), Vec::<String>::new());
        assert_eq!(stream(b"a\r\nb").tail(), ["a", "b"]);
        let many: String = (0..100).map(|i| format!("line {i}\n")).collect();
        let tail = stream(many.as_bytes()).tail();
        assert_eq!((tail.len(), tail[19].as_str()), (TAIL_LINES, "line 99"));
        let long = format!("{}\nlast\n", "x".repeat(5000));
        assert_eq!(stream(long.as_bytes()).tail(), ["last"]);
        assert_eq!(stream("x".repeat(9000).as_bytes()).tail()[0].len(), TAIL_BYTES);
        let bad = stream(&[0xff; 4000]).tail();
        assert!(bad[0].starts_with('\u{fffd}') && bad[0].len() <= TAIL_BYTES);
    }

    #[test]
    fn of_a_failure_stdout_is_told_where_stderr_leaves_room() {
        let (out, err) = (stream(b"total is wrong\n"), stream(b"a warning\n"));
        let both = output(out, err);
        assert_eq!(both.tail(true), ["total is wrong", "a warning"]);
        assert_eq!(both.tail(false), ["total is wrong"]);
        let many: String = (0..19).map(|i| format!("e{i}\n")).collect();
        let full = output(stream(b"first\nlast\n"), stream(many.as_bytes()));
        let tail = full.tail(true);
        assert_eq!((tail.len(), tail[0].as_str(), tail[19].as_str()), (TAIL_LINES, "last", "e18"));
        let long = output(stream(b"lost\n"), stream("x".repeat(9000).as_bytes()));
        assert_eq!(long.tail(true).len(), 1);
    }

    #[test]
    fn a_text_is_found_wherever_it_lies() {
        let mut big = vec![b'a'; 256 * 1024 - 3];
        big.extend_from_slice(b"needle and more");
        assert!(stream(&big).contains(b"needle"));
        assert!(!stream(&big).contains(b"needles"));
        assert!(stream(b"aab").contains(b"ab"));
        assert!(!stream(b"").contains(b"a"));
        assert!(!stream(b"a\nb").contains(b"a\nb"));
    }
}
