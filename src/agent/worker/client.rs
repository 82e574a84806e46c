//! A target that only its client program speaks with: scripts are given to the program, and its exit code is taken for how
//! they went. It dies with the worker, both by TERM to their group.

use std::fs::File;
use std::io::{BufRead, BufReader};
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

use super::Exit;
use super::log::{complain, count, say};
use super::source;
use super::steps::{Step, Steps};
use crate::definition::site::Client;
use crate::wire::Work;

/// Lines of output that are kept for whoever reads them.
const KEPT: usize = 1_000;

/// How a program took a script.
pub(super) struct Ran {
    /// `None`: a signal ended it.
    pub(super) code: Option<i32>,
    /// How it ended, in words.
    pub(super) ended: String,
    /// Rows that its output counts; `None` where no line of it does.
    pub(super) rows: Option<u64>,
    pub(super) lines: Vec<String>,
    /// There were more lines than are kept.
    pub(super) more: bool,
}

/// Gives a script to the program and waits for its end. `Err`: it was not started.
pub(super) fn run(client: &Client, script: &Path) -> Result<Ran, String> {
    who(client)?;
    let place = script.to_string_lossy();
    let named = client.command.iter().any(|word| word.contains("{script}"));
    let words = client.command.iter().map(|word| word.replace("{script}", &place));
    let input = if named { None } else { Some(script) };
    start(&words.collect::<Vec<_>>(), input, &client.rows, true)
}

/// Refuses another database than the site names.
fn who(client: &Client) -> Result<(), String> {
    let Some(identity) = &client.identity else { return Ok(()) };
    let ran = start(&identity.command, None, &[], false)?;
    let says = |line: &String| line.trim() == identity.says;
    if ran.code == Some(0) && ran.lines.iter().any(says) {
        return Ok(());
    }
    let said = ran.lines.iter().find(|line| !line.trim().is_empty());
    Err(format!(
        "the identity check {}, and says {}, where site.yaml names {}",
        ran.ended,
        said.map_or("nothing", |line| line.trim()),
        identity.says
    ))
}

#[expect(clippy::disallowed_methods, reason = "a client program is what this target is reached by")]
fn start(
    words: &[String],
    input: Option<&Path>,
    rows: &[String],
    told: bool,
) -> Result<Ran, String> {
    let (program, arguments) = words.split_first().ok_or("the command names no program")?;
    let no = |what: &dyn std::fmt::Display| format!("{program} could not be started: {what}");
    let stdin = match input {
        Some(script) => Stdio::from(File::open(script).map_err(|error| no(&error))?),
        None => Stdio::null(),
    };
    let child = Command::new(program).args(arguments).stdin(stdin).stdout(Stdio::piped()).spawn();
    let mut child = child.map_err(|error| no(&error))?;
    let (mut counted, mut lines, mut more) = (None, Vec::new(), false);
    if let Some(out) = child.stdout.take() {
        let mut out = BufReader::new(out);
        let mut line = Vec::new();
        while out.read_until(b'\n', &mut line).is_ok_and(|read| read > 0) {
            let text = String::from_utf8_lossy(&line).trim_end_matches(['\r', '\n']).to_owned();
            line.clear();
            if told {
                say!("      {text}");
            }
            if let Some(n) = rows.iter().find_map(|pattern| number(pattern, &text)) {
                counted = Some(n.saturating_add(counted.unwrap_or(0)));
            }
            match lines.len() < KEPT {
                true => lines.push(text),
                false => more = true,
            }
        }
    }
    // It was started: an error from here on says nothing of what it did.
    let (code, ended) = match child.wait() {
        Ok(status) => match status.code() {
            Some(code) => (Some(code), format!("ended with code {code}")),
            None => (None, format!("was ended ({status})")),
        },
        Err(error) => (None, format!("cannot be waited for: {error}")),
    };
    Ok(Ran { code, ended, rows: counted, lines, more })
}

/// The number in a line of this pattern.
fn number(pattern: &str, line: &str) -> Option<u64> {
    let (before, after) = pattern.split_once("{n}")?;
    let number = line.trim().strip_prefix(before.trim_start())?.strip_suffix(after.trim_end())?;
    number.trim().parse().ok()
}

/// The `sql` task on such a target.
pub(super) fn script(client: &Client, path: &Path, mut steps: Steps) -> (Exit, Work) {
    let file = source::short_name(path);
    let of = |rows| Work::Sql { statements: 0, rows };
    say!("{file}, by {}", client.command.join(" "));
    let target = PathBuf::from(client.command.join(" "));
    let intent = Step::Intent { what: file, target, content_digest: None };
    if let Err(error) = steps.record(intent).and_then(|()| steps.record(Step::Started)) {
        complain!("{error}; nothing was run");
        return (Exit::Failed, of(0));
    }
    let ran = match run(client, path) {
        Ok(ran) => ran,
        Err(why) => {
            complain!("{why}; nothing was run");
            return (Exit::Failed, of(0));
        }
    };
    let rows = ran.rows.unwrap_or(0);
    match ran.code {
        Some(0) => {
            say!("done: {}", count(rows, "counted row"));
            (Exit::Good, of(rows))
        }
        Some(_) => {
            complain!("the program {}: what it committed before stays", ran.ended);
            (Exit::Partial, of(rows))
        }
        None => {
            complain!("the program {}: what of the script stays is not known", ran.ended);
            (Exit::InDoubt, of(rows))
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn rows_are_counted_by_the_lines_that_tell_them() {
        assert_eq!(number("UPDATE {n}", "UPDATE 12"), Some(12));
        assert_eq!(number("{n} rows updated.", " 3 rows updated.\t"), Some(3));
        assert_eq!(number("INSERT 0 {n}", "INSERT 0 7"), Some(7));
        for other in ["UPDATE", "UPDATE x", "XUPDATE 1", "UPDATE 1 2", "UPDATE -1"] {
            assert_eq!(number("UPDATE {n}", other), None, "{other}");
        }
    }
}
