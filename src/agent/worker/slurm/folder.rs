//! What login node and compute nodes share of an attempt: a folder with the job's script, its output, and who was first.
//!
//! ```text
//! {work}/slurm/<attempt>/
//!   batch.sh job.sh    what Slurm starts, and what that executes
//!   out err            its output; of a task of an array out.N, err.N
//!   values             what it hands on ($NIGHTRUN_OUT), values.N
//!   begun              made by the job before anything else; begun.N
//!   closed             made by whoever gives it up: from then on it ends before it begins
//! ```
//!
//! Job and worker each make their own folder first and look for the other's then, so that at least one of them sees the other:
//! of a job that nobody in Slurm knows, it is certain that it never begins, or known that it has begun.
#![expect(clippy::disallowed_methods, reason = "the folder is how worker and job speak")]

use std::fs::{self, DirBuilder, File};
use std::io::{self, ErrorKind, Read, Write};
use std::os::unix::ffi::OsStrExt;
use std::os::unix::fs::{DirBuilderExt, MetadataExt};
use std::path::{Path, PathBuf};

use crate::types::AttemptId;
use crate::wire::spool;

const BEGUN: &str = "begun";
const CLOSED: &str = "closed";
/// What a job that comes too late, or has no folder, ends with.
const TOO_LATE: u8 = 125;
/// Bytes of handed-on values that are taken over; the shim keeps its own limit.
const VALUES: u64 = 1 << 20;

/// An attempt's folder.
#[derive(Debug, Clone)]
pub(super) struct Folder(PathBuf);

impl Folder {
    pub(super) fn of(all: &Path, attempt: &AttemptId) -> Self {
        Self(all.join(spool::folder_name(attempt)))
    }

    pub(super) fn path(&self) -> &Path {
        &self.0
    }

    /// Makes it, with the scripts in it; gives the one for Slurm. Fails where it is there already.
    pub(super) fn make(&self, job: &[u8]) -> io::Result<PathBuf> {
        if let Some(all) = self.0.parent() {
            fs::create_dir_all(all)?;
        }
        DirBuilder::new().mode(0o700).create(&self.0)?;
        let script = self.0.join("job.sh");
        write(&script, job)?;
        // Slurm refuses a script that has the line ends of DOS anywhere; this one has no word of the job's own.
        let mut batch = b"#!/bin/sh\nexec /bin/sh ".to_vec();
        quote(script.as_os_str().as_bytes(), &mut batch);
        batch.push(b'\n');
        let path = self.0.join("batch.sh");
        write(&path, &batch)?;
        Ok(path)
    }

    /// Gives the attempt up: from now on its job does not begin. True where it has begun before.
    pub(super) fn close(&self) -> io::Result<bool> {
        if let Some(all) = self.0.parent() {
            fs::create_dir_all(all)?;
        }
        let make = |path: &Path| match DirBuilder::new().mode(0o700).create(path) {
            Err(error) if error.kind() == ErrorKind::AlreadyExists => Ok(()),
            made => made,
        };
        // Where it has none, its worker has not submitted anything, and cannot any more.
        make(&self.0)?;
        make(&self.0.join(CLOSED))?;
        let names = fs::read_dir(&self.0)?.map(|entry| Ok(entry?.file_name()));
        let names: io::Result<Vec<_>> = names.collect();
        Ok(names?.iter().any(|name| name.as_bytes().starts_with(BEGUN.as_bytes())))
    }

    /// Takes everything away but who was first: it is needed no more once the ending is kept.
    pub(super) fn clear(&self) {
        for entry in fs::read_dir(&self.0).into_iter().flatten().flatten() {
            if entry.file_type().is_ok_and(|kind| !kind.is_dir()) {
                let _ = fs::remove_file(entry.path());
            }
        }
    }

    /// Hands the job's values on, those of a later task last.
    pub(super) fn hand_on(&self, to: &Path) -> io::Result<()> {
        let mut found = self.files("values");
        found.sort();
        let mut to = File::options().create(true).append(true).open(to)?;
        for (_, path) in found {
            let mut text = Vec::new();
            File::open(path)?.take(VALUES).read_to_end(&mut text)?;
            if !text.is_empty() && !text.ends_with(b"\n") {
                text.push(b'\n');
            }
            to.write_all(&text)?;
        }
        Ok(())
    }

    /// Files of this name, each with the number of its task.
    fn files(&self, name: &str) -> Vec<(Option<u32>, PathBuf)> {
        let entries = fs::read_dir(&self.0).into_iter().flatten().flatten();
        let of = |entry: fs::DirEntry| {
            let file = entry.file_name();
            let rest = file.to_str()?.strip_prefix(name)?;
            let task = match rest {
                "" => None,
                task => Some(task.strip_prefix('.')?.parse().ok()?),
            };
            entry.file_type().ok()?.is_file().then(|| (task, entry.path()))
        };
        entries.filter_map(of).collect()
    }
}

fn write(path: &Path, text: &[u8]) -> io::Result<()> {
    let mut file = File::options().write(true).create_new(true).open(path)?;
    file.write_all(text)?;
    file.sync_all()
}

/// The script of a job: claims its folder, sets the environment, and becomes the program.
pub(super) fn script(
    folder: &Path,
    dir: &Path,
    env: &[(Vec<u8>, Vec<u8>)],
    argv: &[String],
) -> Vec<u8> {
    let mut script = b"#!/bin/sh\nn=${SLURM_ARRAY_TASK_ID:+.$SLURM_ARRAY_TASK_ID}\nf=".to_vec();
    quote(folder.as_os_str().as_bytes(), &mut script);
    script.extend(
        format!(
            "\nlate() {{ echo \"nightrun: not run: $1\" >&2; exit {TOO_LATE}; }}\n\
             mkdir \"$f/{BEGUN}$n\" || late 'it has begun before, or its folder cannot be written'\n\
             [ -d \"$f/{CLOSED}\" ] && late 'another attempt has taken its place'\n"
        )
        .into_bytes(),
    );
    for (name, value) in env {
        script.extend(b"export ");
        script.extend(name);
        script.push(b'=');
        quote(value, &mut script);
        script.push(b'\n');
    }
    script.extend(b"export NIGHTRUN_OUT=\"$f/values$n\"\ncd ");
    quote(dir.as_os_str().as_bytes(), &mut script);
    script.extend(b" || late 'its folder is not there on this node'\nunset n f\nexec");
    for word in argv {
        script.push(b' ');
        quote(word.as_bytes(), &mut script);
    }
    script.push(b'\n');
    script
}

/// A word of the shell that stands for these bytes and nothing else.
fn quote(bytes: &[u8], to: &mut Vec<u8>) {
    to.push(b'\'');
    for byte in bytes {
        match byte {
            b'\'' => to.extend(br"'\''"),
            byte => to.push(*byte),
        }
    }
    to.push(b'\'');
}

/// Copies what a job writes, as it grows.
pub(super) struct Copier {
    folder: Folder,
    files: Vec<Copied>,
}

struct Copied {
    path: PathBuf,
    task: Option<u32>,
    to: Stream,
    from: u64,
    /// Of a task: the beginning of a line whose end has not come.
    line: Vec<u8>,
}

#[derive(Clone, Copy, PartialEq, Eq)]
enum Stream {
    Out,
    Err,
}

/// Bytes of one file that are copied in a row.
const PIECE: u64 = 4 << 20;

impl Copier {
    pub(super) fn new(folder: &Folder) -> Self {
        Self { folder: folder.clone(), files: Vec::new() }
    }

    /// Copies what has been added. True where there is more.
    pub(super) fn copy(&mut self) -> bool {
        for (name, to) in [("out", Stream::Out), ("err", Stream::Err)] {
            for (task, path) in self.folder.files(name) {
                if !self.files.iter().any(|file| file.path == path) {
                    self.files.push(Copied { path, task, to, from: 0, line: Vec::new() });
                }
            }
        }
        let mut more = false;
        for file in &mut self.files {
            more |= file.copy().unwrap_or(false);
        }
        more
    }

    /// Nothing is written any more: the rest of all.
    pub(super) fn finish(&mut self, mut stop: impl FnMut() -> bool) {
        while self.copy() && !stop() {}
        for file in &mut self.files {
            if !file.line.is_empty() {
                file.line.push(b'\n');
                let line = std::mem::take(&mut file.line);
                file.say(&line);
            }
        }
    }
}

impl Copied {
    /// Opens it anew each time: over a network that is when what others wrote is seen.
    fn copy(&mut self) -> io::Result<bool> {
        let file = File::open(&self.path)?;
        let size = file.metadata()?.size();
        // The job has cut it: what it writes from now on begins there.
        self.from = self.from.min(size);
        if self.from == size {
            return Ok(false);
        }
        let mut bytes = Vec::new();
        let mut reader = io::BufReader::new(file);
        io::Seek::seek(&mut reader, io::SeekFrom::Start(self.from))?;
        reader.take(PIECE).read_to_end(&mut bytes)?;
        self.from += bytes.len() as u64;
        match self.task {
            None => self.say(&bytes),
            Some(task) => self.say_lines(task, &bytes),
        }
        Ok(self.from < size)
    }

    /// Whole lines, each with the number of its task.
    fn say_lines(&mut self, task: u32, bytes: &[u8]) {
        let mut text = Vec::new();
        for piece in bytes.split_inclusive(|byte| *byte == b'\n') {
            if self.line.is_empty() {
                self.line = format!("{task}: ").into_bytes();
            }
            self.line.extend(piece);
            if piece.ends_with(b"\n") {
                text.append(&mut self.line);
            }
        }
        self.say(&text);
    }

    /// A log that cannot be written stops nothing.
    fn say(&self, bytes: &[u8]) {
        let _ = match self.to {
            Stream::Out => io::stdout().write_all(bytes).and_then(|()| io::stdout().flush()),
            Stream::Err => io::stderr().write_all(bytes),
        };
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_script_hands_on_any_word_as_it_is() {
        let folder = tempfile::tempdir().unwrap();
        let odd = "a 'b' \"c\" $HOME `id` \\ \n#SBATCH --array=0-9\r\n!*?";
        let env = [(b"ODD".to_vec(), odd.as_bytes().to_vec())];
        let argv = ["/bin/sh", "-c", "printf %s \"$ODD|$1|$NIGHTRUN_OUT|$PWD\"", "-", odd];
        let argv: Vec<String> = argv.map(str::to_owned).to_vec();
        let attempt: AttemptId = "eod@2026-10-30#1/load/1".parse().unwrap();
        let own = Folder::of(folder.path(), &attempt);
        let dir = folder.path().canonicalize().unwrap();
        let batch = own.make(&script(own.path(), &dir, &env, &argv)).unwrap();
        assert!(own.make(b"").is_err(), "it is there already");
        let run = || std::process::Command::new("/bin/sh").arg(&batch).output().unwrap();
        let ran = run();
        let values = own.path().join("values");
        let expected = format!("{odd}|{odd}|{}|{}", values.display(), dir.display());
        assert_eq!(String::from_utf8(ran.stdout).unwrap(), expected);
        // However often Slurm starts it, it runs once.
        let again = run();
        assert_eq!(again.status.code(), Some(i32::from(TOO_LATE)));
        assert!(again.stdout.is_empty());
        assert!(own.close().unwrap(), "it has begun");
    }

    #[test]
    fn what_is_given_up_before_it_begins_never_begins() {
        let folder = tempfile::tempdir().unwrap();
        let attempt = |number| format!("eod@2026-10-30#1/load/{number}").parse().unwrap();
        let argv = ["/bin/echo".to_owned(), "ran".to_owned()];
        let submitted = Folder::of(folder.path(), &attempt(1));
        let batch = submitted.make(&script(submitted.path(), folder.path(), &[], &argv)).unwrap();
        assert!(!submitted.close().unwrap());
        assert!(!submitted.close().unwrap());
        let ran = std::process::Command::new("/bin/sh").arg(batch).output().unwrap();
        assert_eq!((ran.status.code(), ran.stdout), (Some(i32::from(TOO_LATE)), Vec::new()));
        // Nor does one whose worker had not come so far.
        let never = Folder::of(folder.path(), &attempt(2));
        assert!(!never.close().unwrap());
        assert!(never.make(b"").is_err());
    }
}
