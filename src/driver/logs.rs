//! What attempts have written, on whichever host: that of this one is read from its spool, that of another over the
//! connection that its agent is spoken to over, by one reader a host, which goes when it was not asked for a while.
#![expect(clippy::disallowed_methods, reason = "driver: starts the reader, and reads files")]

use std::collections::BTreeMap;
use std::io::{self, BufRead, Write};
use std::path::PathBuf;
use std::process::Stdio;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use serde::{Deserialize, Serialize};
use tokio::io::{AsyncBufReadExt, AsyncReadExt, AsyncWriteExt, BufReader};
use tokio::process::{Child, ChildStdin, ChildStdout};
use tokio::sync::Mutex as Turn;
use tokio::task::JoinHandle;

use super::log_files::{LogFiles, Stream};
use super::ssh::{SshWay, end_of, explained, hear};
use crate::definition::site::Host;
use crate::types::{AttemptId, HostName};

/// How long a host may take to answer, the way to it included.
const ANSWERS: Duration = Duration::from_secs(20);
/// How often a log that is followed is looked at.
const PAUSE: Duration = Duration::from_millis(200);
/// How long a reader stays that nobody asks.
const IDLES: Duration = Duration::from_secs(60);

/// What is asked of a reader.
#[derive(Debug, Serialize, Deserialize)]
struct Question {
    attempt: AttemptId,
    stream: Stream,
    from: u64,
}

/// The line before the bytes of an answer.
#[derive(Debug, Serialize, Deserialize)]
struct Head {
    there: bool,
    ended: bool,
    size: u64,
    /// Bytes that follow.
    bytes: usize,
    /// Why there are none.
    why: Option<String>,
}

/// A part of what an attempt has written.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Part {
    /// Whether there is such a file.
    pub there: bool,
    /// The attempt has ended on its host; asked before the reading.
    pub ended: bool,
    /// Of the whole file.
    pub size: u64,
    pub bytes: Vec<u8>,
}

/// The logs of all hosts.
#[derive(Debug, Clone)]
pub struct Logs {
    here: LogFiles,
    far: FarLogs,
}

impl Logs {
    /// Those of this host lie beneath its agent's folder.
    pub fn new(agent_dir: PathBuf) -> Self {
        Self { here: LogFiles::new(agent_dir), far: FarLogs::default() }
    }

    /// Of one host, as it is declared; `None`: it is not.
    pub fn of(&self, name: &HostName, host: Option<&Host>) -> LogSource {
        match host.and_then(SshWay::to) {
            Some(way) => LogSource::There { far: self.far.clone(), host: name.clone(), way },
            None => LogSource::Here(self.here.clone()),
        }
    }
}

/// Where the logs of one host are read.
#[derive(Debug, Clone)]
pub enum LogSource {
    Here(LogFiles),
    There { far: FarLogs, host: HostName, way: SshWay },
}

impl LogSource {
    /// At most [`LogFiles::PIECE`] bytes from byte `from` on.
    ///
    /// # Errors
    /// Why the host cannot be asked or the file not be read, in words.
    pub async fn read(
        &self,
        attempt: &AttemptId,
        stream: Stream,
        from: u64,
    ) -> Result<Part, String> {
        match self {
            Self::Here(files) => part(files, attempt, stream, from).map_err(|why| why.to_string()),
            Self::There { far, host, way } => far.read((host, way), (attempt, stream), from).await,
        }
    }

    /// Hands both streams to `show`: stdout and then stderr as far as they are there, or, `follow`, as they grow, until the
    /// attempt has ended and all was shown. A file that its job cut is shown from its new beginning. An error of `show` ends
    /// it.
    ///
    /// # Errors
    /// Of `show`, and of the reading.
    pub async fn show(
        &self,
        attempt: &AttemptId,
        follow: bool,
        mut show: impl FnMut(Stream, &[u8]) -> io::Result<()>,
    ) -> io::Result<()> {
        let mut at = [0_u64; 2];
        loop {
            let (mut quiet, mut over) = (true, None);
            for (stream, at) in Stream::ALL.into_iter().zip(&mut at) {
                // Of one who writes faster than is read: what was there when its reading began.
                let mut most = None;
                while most.is_none_or(|most| *at < most) {
                    let part = self.read(attempt, stream, *at).await.map_err(io::Error::other)?;
                    most.get_or_insert(part.size);
                    // As of before anything of this round was read.
                    over.get_or_insert(part.ended || !follow);
                    if part.size < *at {
                        *at = 0;
                        continue;
                    }
                    if part.bytes.is_empty() {
                        break;
                    }
                    show(stream, &part.bytes)?;
                    *at += part.bytes.len() as u64;
                    quiet = false;
                }
            }
            match (quiet || !follow, over.unwrap_or_default()) {
                (true, true) => return Ok(()),
                (true, false) => tokio::time::sleep(PAUSE).await,
                (false, _) => {}
            }
        }
    }
}

fn part(files: &LogFiles, attempt: &AttemptId, stream: Stream, from: u64) -> io::Result<Part> {
    // Asked before the reading: what was written before the end is then read after it.
    let ended = files.has_ended(attempt);
    let there = files.path(attempt, stream).exists();
    let size = files.size(attempt, stream);
    Ok(Part { there, ended, size, bytes: files.read(attempt, stream, from)? })
}

/// The readers of other hosts.
#[derive(Debug, Clone, Default)]
pub struct FarLogs(Arc<Mutex<BTreeMap<HostName, Slot>>>);

/// The reader of a host, for one who asks at a time.
type Slot = Arc<Turn<Option<Reader>>>;

impl FarLogs {
    /// At most [`LogFiles::PIECE`] bytes from byte `from` on. Questions to one host are asked one after the other.
    ///
    /// # Errors
    /// Why the host cannot be asked, in words.
    pub async fn read(
        &self,
        (host, way): (&HostName, &SshWay),
        (attempt, stream): (&AttemptId, Stream),
        from: u64,
    ) -> Result<Part, String> {
        let slot = {
            let mut readers = self.0.lock().unwrap_or_else(PoisonError::into_inner);
            Arc::clone(readers.entry(host.clone()).or_default())
        };
        let mut turn = Arc::clone(&slot).lock_owned().await;
        let question = Question { attempt: attempt.clone(), stream, from };
        let reused = turn.is_some();
        let mut answer = ask(&mut turn, (host, way), &question).await;
        if reused && matches!(answer, Err(Failed::Ended(_))) {
            // Since it was asked last.
            answer = ask(&mut turn, (host, way), &question).await;
        }
        if let Some(reader) = turn.as_mut() {
            reader.asked += 1;
            tokio::spawn(dismiss(Arc::downgrade(&slot), reader.asked));
        }
        answer.map_err(|failed| match failed {
            Failed::Ended(why) | Failed::Said(why) => why,
        })
    }
}

/// Why a reader gave nothing.
enum Failed {
    /// It is not there any more.
    Ended(String),
    Said(String),
}

/// Ends a reader that nobody has asked since.
async fn dismiss(slot: std::sync::Weak<Turn<Option<Reader>>>, asked: u64) {
    tokio::time::sleep(IDLES).await;
    if let Some(slot) = slot.upgrade() {
        let mut turn = slot.lock().await;
        if turn.as_ref().is_some_and(|reader| reader.asked == asked) {
            *turn = None;
        }
    }
}

/// Leaves no reader behind that has failed.
async fn ask(
    turn: &mut Option<Reader>,
    (host, way): (&HostName, &SshWay),
    question: &Question,
) -> Result<Part, Failed> {
    let mut reader = match turn.take() {
        Some(reader) => reader,
        None => Reader::start(way).map_err(Failed::Said)?,
    };
    let answer = tokio::time::timeout(ANSWERS, reader.answer(question)).await;
    match answer {
        Ok(Ok((head, bytes))) => {
            *turn = Some(reader);
            let Head { there, ended, size, why, .. } = head;
            why.map_or(Ok(Part { there, ended, size, bytes }), |why| Err(Failed::Said(why)))
        }
        Ok(Err(why)) => {
            let said = end_of(reader.child, reader.said).await;
            let why = said.map_or_else(|| why.to_string(), |said| explained(&said, host));
            Err(Failed::Ended(why))
        }
        Err(_) => Err(Failed::Said(format!("{host} does not answer"))),
    }
}

/// A program on the other host that answers questions for parts of logs.
#[derive(Debug)]
struct Reader {
    child: Child,
    to: ChildStdin,
    from: BufReader<ChildStdout>,
    said: JoinHandle<Vec<u8>>,
    /// Times that it was asked.
    asked: u64,
}

impl Reader {
    fn start(way: &SshWay) -> Result<Self, String> {
        let dir = way.there("agent");
        let mut command = way.nightrun(&["agent", "logs", "--dir", &dir]);
        let mut child = command.stdin(Stdio::piped()).spawn().map_err(|why| why.to_string())?;
        let said = hear(child.stderr.take());
        match (child.stdin.take(), child.stdout.take()) {
            (Some(to), Some(from)) => {
                Ok(Self { child, to, from: BufReader::new(from), said, asked: 0 })
            }
            _ => Err("ssh was started without its pipes".to_owned()),
        }
    }

    async fn answer(&mut self, question: &Question) -> io::Result<(Head, Vec<u8>)> {
        let mut line = serde_json::to_vec(question)?;
        line.push(b'\n');
        self.to.write_all(&line).await?;
        let mut head = String::new();
        if self.from.read_line(&mut head).await? == 0 {
            return Err(io::Error::other("the reader there has ended"));
        }
        let head: Head = serde_json::from_str(&head)?;
        if head.bytes > LogFiles::PIECE {
            return Err(io::Error::other("the reader there says more than it was asked for"));
        }
        let mut bytes = vec![0; head.bytes];
        self.from.read_exact(&mut bytes).await?;
        Ok((head, bytes))
    }
}

/// The other end: answers on standard output what is asked on standard input, for the logs beneath one agent's folder,
/// until nothing is asked any more.
///
/// # Errors
/// When it cannot be heard or written.
pub fn serve(agent_dir: PathBuf) -> io::Result<()> {
    let files = LogFiles::new(agent_dir);
    let mut output = io::BufWriter::new(io::stdout().lock());
    for line in io::stdin().lock().lines() {
        let Question { attempt, stream, from } = serde_json::from_str(&line?)?;
        let (part, why) = match part(&files, &attempt, stream, from) {
            Ok(part) => (part, None),
            Err(why) => (Part::default(), Some(why.to_string())),
        };
        let Part { there, ended, size, bytes } = part;
        let head = Head { there, ended, size, bytes: bytes.len(), why };
        serde_json::to_writer(&mut output, &head)?;
        output.write_all(b"\n")?;
        output.write_all(&bytes)?;
        output.flush()?;
    }
    Ok(())
}
