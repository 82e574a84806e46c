//! Archives: one file for each run, JSON lines compressed by gzip, so that `zcat` reads it without nightrun.
//!
//! ```text
//! {"archive":1,"run":…,"entries":…}     first
//! {"entry":{seq,run,at,epoch,kind,body,hash}}   the run's entries of the journal, in order
//! {"kept":{address,encoding,content}}   its definition and scripts, by their SHA-256
//! {"report":{name,encoding,content}}
//! {"record":{attempt,encoding,content}} what its host knew of an attempt
//! {"log":{attempt,stream,encoding,content}}     its output, piece by piece
//! {"end":{"lines":…}}                   last: the file is whole
//! ```

#![expect(clippy::disallowed_methods, reason = "driver: it writes and reads archives")]

use std::collections::{BTreeMap, BTreeSet};
use std::fs::{DirBuilder, File, OpenOptions};
use std::io::{self, BufRead, BufReader, BufWriter, ErrorKind, Read, Write};
use std::os::unix::fs::{DirBuilderExt, OpenOptionsExt};
use std::path::{Path, PathBuf};

use flate2::Compression;
use flate2::bufread::MultiGzDecoder;
use flate2::write::GzEncoder;
use serde::{Deserialize, Serialize};
use serde_json::{Value, json};
use sha2::{Digest, Sha256};

use super::folders::StateFolder;
use super::log_files::{LogFiles, Stream};
use super::store::text::encode;
use crate::fault;
use crate::journal::{Sealed, hex};
use crate::types::{AttemptId, Epoch, RunId};
use crate::wire::spool;

/// What of a run goes into a file.
#[derive(Debug, Clone, Default)]
pub struct Parcel {
    pub entries: Vec<Sealed>,
    /// Bytes by their SHA-256 in hex.
    pub kept: Vec<(String, Vec<u8>)>,
    pub attempts: Vec<AttemptId>,
}

/// A file that is there, durably.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Packed {
    pub file: String,
    /// SHA-256, in hex.
    pub digest: String,
    pub bytes: u64,
}

#[derive(Debug, Serialize, Deserialize)]
struct Entry {
    seq: u64,
    run: Option<String>,
    at: i64,
    epoch: Epoch,
    kind: String,
    body: String,
    hash: String,
}

/// The name of a run's archive.
pub fn of_run(run: &RunId) -> String {
    format!("{run}.jsonl.gz")
}

/// The name of the archive of a run's output, where that has gone before the run.
pub fn of_logs(run: &RunId) -> String {
    format!("{run}.logs.jsonl.gz")
}

/// Writes an archive whole, or not at all: it is synced before it has its name.
pub fn pack(
    folder: &Path,
    (run, file): (&RunId, String),
    parcel: &Parcel,
    state: &StateFolder,
) -> io::Result<Packed> {
    DirBuilder::new().recursive(true).mode(0o700).create(folder)?;
    let aside = folder.join(format!("{file}.new"));
    let open =
        OpenOptions::new().write(true).create(true).truncate(true).mode(0o600).open(&aside)?;
    let mut lines =
        Lines { to: GzEncoder::new(BufWriter::new(open), Compression::default()), count: 0 };
    lines.put(&json!({ "archive": 1, "run": run, "entries": parcel.entries.len() }))?;
    for Sealed { seq, run, at, epoch, kind, body, hash } in &parcel.entries {
        let entry = Entry {
            seq: *seq,
            run: run.clone(),
            at: *at,
            epoch: *epoch,
            kind: kind.to_string(),
            body: body.clone(),
            hash: hash.clone(),
        };
        lines.put(&json!({ "entry": entry }))?;
    }
    for (address, bytes) in &parcel.kept {
        let (encoding, content) = encode(bytes);
        let kept = json!({ "address": address, "encoding": encoding, "content": content });
        lines.put(&json!({ "kept": kept }))?;
    }
    if !parcel.entries.is_empty() {
        reports(&mut lines, &state.reports_of(run))?;
    }
    for attempt in &parcel.attempts {
        logs(&mut lines, &state.agent(), attempt)?;
    }
    let count = lines.count;
    lines.put(&json!({ "end": { "lines": count } }))?;
    let file_written = lines.to.finish()?.into_inner().map_err(|why| why.into_error())?;
    file_written.sync_all()?;
    fault::point("archive.written");
    let (digest, bytes) = digest(&aside)?;
    let file = name(folder, file, &digest)?;
    std::fs::rename(&aside, folder.join(&file))?;
    File::open(folder)?.sync_all()?;
    fault::point("archive.moved");
    Ok(Packed { file, digest, bytes })
}

/// A name under which nothing else lies: what a store that was restored archives once more holds less than before.
fn name(folder: &Path, file: String, wanted: &str) -> io::Result<String> {
    let end = ".jsonl.gz";
    let stem = file.strip_suffix(end).unwrap_or(&file);
    for nth in 1_u32.. {
        let name = if nth == 1 { file.clone() } else { format!("{stem}.{nth}{end}") };
        match digest(&folder.join(&name)) {
            Ok((there, _)) if there != wanted => {}
            Err(why) if why.kind() != ErrorKind::NotFound => return Err(why),
            // Not there, or left by an archiving that was interrupted.
            _ => return Ok(name),
        }
    }
    Err(io::Error::other("no name is left"))
}

struct Lines<W: Write> {
    to: W,
    count: u64,
}

impl<W: Write> Lines<W> {
    fn put(&mut self, line: &Value) -> io::Result<()> {
        serde_json::to_writer(&mut self.to, line)?;
        self.count += 1;
        self.to.write_all(b"\n")
    }
}

fn reports<W: Write>(lines: &mut Lines<W>, folder: &Path) -> io::Result<()> {
    let entries = match std::fs::read_dir(folder) {
        Ok(entries) => entries,
        Err(why) if why.kind() == ErrorKind::NotFound => return Ok(()),
        Err(why) => return Err(why),
    };
    for entry in entries {
        let entry = entry?;
        let name = entry.file_name().to_string_lossy().into_owned();
        let (encoding, content) = encode(&std::fs::read(entry.path())?);
        lines.put(
            &json!({ "report": { "name": name, "encoding": encoding, "content": content } }),
        )?;
    }
    Ok(())
}

fn logs<W: Write>(lines: &mut Lines<W>, agent: &Path, attempt: &AttemptId) -> io::Result<()> {
    for path in spool::records(agent, attempt) {
        if let Ok(record) = std::fs::read(path) {
            let (encoding, content) = encode(&record);
            let record = json!({ "attempt": attempt, "encoding": encoding, "content": content });
            lines.put(&json!({ "record": record }))?;
        }
    }
    let files = LogFiles::new(agent.to_owned());
    for (stream, name) in [(Stream::Out, spool::OUT), (Stream::Err, spool::ERR)] {
        let mut at = 0;
        loop {
            let mut piece = files.read(attempt, stream, at)?;
            if piece.is_empty() {
                break;
            }
            // Whole lines, where there are any: a letter of several bytes is not cut in two.
            if let Some(end) = piece.iter().rposition(|byte| *byte == b'\n') {
                piece.truncate(end + 1);
            }
            at += piece.len() as u64;
            let (encoding, content) = encode(&piece);
            lines.put(&json!({ "log": {
                "attempt": attempt, "stream": name, "encoding": encoding, "content": content
            } }))?;
        }
    }
    Ok(())
}

/// An archive that is whole, and is the one that was made: line by line to `take`.
pub fn unpack(
    folder: &Path,
    packed: &Packed,
    mut take: impl FnMut(Value) -> io::Result<()>,
) -> io::Result<()> {
    let path = folder.join(&packed.file);
    let named = |why: io::Error| io::Error::new(why.kind(), format!("{}: {why}", path.display()));
    let (found, _) = digest(&path).map_err(named)?;
    if found != packed.digest {
        return Err(named(io::Error::other("it is not the file that was made")));
    }
    let lines = BufReader::new(MultiGzDecoder::new(BufReader::new(File::open(&path)?))).lines();
    let mut ended = false;
    for line in lines {
        let line: Value = serde_json::from_str(&line.map_err(named)?)?;
        ended = line.get("end").is_some();
        take(line)?;
    }
    if ended { Ok(()) } else { Err(named(io::Error::other("it has no end"))) }
}

/// Whether the file of an archive lies in the folder.
pub fn is_there(folder: &Path, file: &str) -> bool {
    folder.join(file).exists()
}

/// The contents of the entries that an archive holds, by their number.
pub fn bodies(folder: &Path, packed: &Packed) -> io::Result<BTreeMap<u64, String>> {
    let mut bodies = BTreeMap::new();
    unpack(folder, packed, |mut line| {
        if let Some(entry) = line.get_mut("entry") {
            let entry: Entry = serde_json::from_value(entry.take())?;
            bodies.insert(entry.seq, entry.body);
        }
        Ok(())
    })?;
    Ok(bodies)
}

/// Runs whose output has an archive of its own.
pub fn with_logs(folder: &Path) -> io::Result<BTreeSet<RunId>> {
    let entries = match std::fs::read_dir(folder) {
        Ok(entries) => entries,
        Err(why) if why.kind() == ErrorKind::NotFound => return Ok(BTreeSet::new()),
        Err(why) => return Err(why),
    };
    let mut runs = BTreeSet::new();
    for entry in entries {
        let name = entry?.file_name();
        let run = name.to_str().and_then(|name| name.strip_suffix(".logs.jsonl.gz"));
        runs.extend(run.and_then(|run| run.parse::<RunId>().ok()));
    }
    Ok(runs)
}

/// Of these runs, those that the spool still has an attempt of; and of those attempts, whether any has output.
pub fn in_spool(agent: &Path, runs: &BTreeSet<RunId>) -> io::Result<BTreeMap<RunId, bool>> {
    let entries = match std::fs::read_dir(agent.join(spool::SPOOL)) {
        Ok(entries) => entries,
        Err(why) if why.kind() == ErrorKind::NotFound => return Ok(BTreeMap::new()),
        Err(why) => return Err(why),
    };
    let mut found: BTreeMap<RunId, bool> = BTreeMap::new();
    for entry in entries {
        let entry = entry?;
        let attempt = entry.file_name().to_str().and_then(spool::attempt_of);
        let Some(attempt) = attempt.filter(|attempt| runs.contains(&attempt.run)) else { continue };
        let has = |name| entry.path().join(name).exists();
        *found.entry(attempt.run).or_default() |= has(spool::OUT) || has(spool::ERR);
    }
    Ok(found)
}

fn digest(path: &Path) -> io::Result<(String, u64)> {
    let mut file = File::open(path)?;
    let (mut sum, mut bytes) = (Sha256::new(), 0);
    let mut piece = vec![0; 256 * 1024];
    loop {
        match file.read(&mut piece)? {
            0 => return Ok((hex(&sum.finalize()), bytes)),
            read => {
                sum.update(&piece[..read]);
                bytes += read as u64;
            }
        }
    }
}

impl StateFolder {
    fn reports_of(&self, run: &RunId) -> PathBuf {
        self.root().join("reports").join(run.to_string())
    }

    /// Removes the copy and the reports of a run that is in an archive.
    pub fn clear_away(&self, run: &RunId) -> io::Result<()> {
        let copy = self.root().join("runs").join(run.to_string());
        for folder in [copy, self.reports_of(run)] {
            match std::fs::remove_dir_all(folder) {
                Err(why) if why.kind() != ErrorKind::NotFound => return Err(why),
                _ => {}
            }
        }
        Ok(())
    }
}
