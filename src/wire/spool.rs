//! Where an agent keeps what it knows: names inside its folder, shared by the agent that writes them and the
//! supervisor's host that shows logs.
//!
//! ```text
//! agent.sock   agent.lock   agent.log   epoch   spool-id   boot
//! live/<attempt>            its lock and record, until its ending is in the journal
//! spool/<attempt>/          out  err  values  kill.json  record (from then on)
//!                           task.json  work.json  steps.jsonl   (worker processes only)
//! copies/<run>/             what a run goes by that is decided on another host
//! copies/<run>.whole        all of it is there
//! ```
//!
//! A record is one JSON document a line, each with its `say`: `start`, the order as it came; `watched`, by which shim in
//! which boot: from here on the program may have been started; `started` and `ended`, as in [`super::FromAgent`]. Where
//! nothing was begun only `ended` is there. A line without its end does not count as written.

use std::path::{Path, PathBuf};

use crate::types::AttemptId;

/// The agent's socket.
pub const SOCKET: &str = "agent.sock";
/// What the agent holds a lock on as long as it lives.
pub const LOCK: &str = "agent.lock";
/// The agent's own log.
pub const LOG: &str = "agent.log";
/// The folder of the attempts.
pub const SPOOL: &str = "spool";
/// An attempt's standard output.
pub const OUT: &str = "out";
/// An attempt's standard error.
pub const ERR: &str = "err";
/// The folder of the records of attempts whose endings are not known to be in the journal.
pub const LIVE: &str = "live";
/// Runs whose attempts were given away to an archive, one a line: none of them is ever started again.
pub const RETIRED: &str = "retired";
/// The folder of the copies of runs that are decided on another host.
pub const COPIES: &str = "copies";

/// An attempt's record, once its ending is in the journal.
pub const RECORD: &str = "record";
/// A worker's task, as JSON of [`super::Task`].
pub const TASK: &str = "task.json";
/// What a worker did, as JSON of [`super::Work`]; it is named to the worker by `NIGHTRUN_WORK_RESULT`.
pub const WORK: &str = "work.json";
/// A worker's steps, a JSON document a line; named to the worker by `NIGHTRUN_STEPS`.
pub const STEPS: &str = "steps.jsonl";

/// The name of an attempt's folder: the id with `~` for `/`. No id has a `~`, so two never share a name; the longest
/// has 216 bytes.
pub fn folder_name(attempt: &AttemptId) -> String {
    attempt.to_string().replace('/', "~")
}

/// The id that [`folder_name`] was made of.
pub fn attempt_of(folder_name: &str) -> Option<AttemptId> {
    folder_name.replace('~', "/").parse().ok()
}

/// An attempt's folder beneath the agent's folder.
pub fn attempt_folder(agent_dir: &Path, attempt: &AttemptId) -> PathBuf {
    agent_dir.join(SPOOL).join(folder_name(attempt))
}

/// Where an attempt's record lies, in the order to look: it moves from the first place to the second.
pub fn records(agent_dir: &Path, attempt: &AttemptId) -> [PathBuf; 2] {
    let name = folder_name(attempt);
    [agent_dir.join(LIVE).join(&name), agent_dir.join(SPOOL).join(&name).join(RECORD)]
}

/// The line of a record that says how its attempt ended (the last one, which never changes), with its end; `None` while
/// it is not there.
pub fn ended_line(record: &[u8]) -> Option<&[u8]> {
    let inner = record.strip_suffix(b"\n")?;
    let from = inner.iter().rposition(|byte| *byte == b'\n').map_or(0, |at| at + 1);
    Some(&record[from..]).filter(|line| super::says_ended(line))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_ending_is_the_last_line_and_whole() {
        let record = b"{\"say\":\"start\"}\n{\"say\":\"ended\",\"x\":1}\n";
        assert_eq!(ended_line(record), Some(&b"{\"say\":\"ended\",\"x\":1}\n"[..]));
        assert_eq!(ended_line(&record[16..]), ended_line(record));
        assert_eq!(ended_line(&record[..record.len() - 1]), None);
        assert_eq!(ended_line(&record[..16]), None);
        assert_eq!(ended_line(b""), None);
    }

    #[test]
    fn a_folder_name_reads_back_as_its_attempt_and_fits_a_file_system() {
        let long = "b".repeat(64);
        let key = "2".repeat(64);
        for id in [
            "eod@2026-10-30#1/load-rates/2".to_owned(),
            format!("{long}@{key}#4294967295/{long}/4294967295"),
        ] {
            let attempt: AttemptId = id.parse().unwrap();
            let name = folder_name(&attempt);
            assert!(name.len() < 255 && !name.contains('/'));
            assert_eq!(attempt_of(&name), Some(attempt));
        }
        assert_eq!(attempt_of("lost+found"), None);
    }
}
