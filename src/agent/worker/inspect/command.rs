//! A check that a program makes.

use std::process::Stdio;

use tokio::io::AsyncReadExt;
use tokio::process::Command;

use super::{Seen, number};
use crate::agent::worker::log::say;
use crate::types::{CheckVerdict, Reading};

/// Bytes of its output that are kept: the last ones.
const KEPT: usize = 64 * 1024;

/// Runs it. What it prints goes into the log; where its limit passes it is killed.
#[expect(clippy::disallowed_methods, reason = "a check may be a program of the house")]
pub(super) async fn look(argv: &[String], judged: bool) -> Seen {
    let Some((program, arguments)) = argv.split_first() else {
        return Seen::nothing("the order names no program");
    };
    let child = Command::new(program)
        .args(arguments)
        .stdin(Stdio::null())
        .stdout(Stdio::piped())
        .kill_on_drop(true)
        .spawn();
    let mut child = match child {
        Ok(child) => child,
        Err(why) => return Seen::nothing(format!("it could not be started: {why}")),
    };
    let mut last: Vec<u8> = Vec::new();
    if let Some(mut out) = child.stdout.take() {
        let mut piece = [0; 8 * 1024];
        while let Ok(read @ 1..) = out.read(&mut piece).await {
            last.extend(&piece[..read]);
            let old = last.len().saturating_sub(KEPT);
            last.drain(..old);
        }
    }
    let text = String::from_utf8_lossy(&last).into_owned();
    for line in text.lines() {
        say!("      {line}");
    }
    let code = match child.wait().await.map(|status| (status.code(), status)) {
        Ok((Some(code), _)) => code,
        Ok((None, status)) => return Seen::nothing(format!("it was ended ({status})")),
        Err(why) => return Seen::nothing(format!("it cannot be waited for: {why}")),
    };
    if !judged {
        let verdict = match code {
            0 => CheckVerdict::Ok,
            1 => CheckVerdict::Warn,
            _ => CheckVerdict::Fail,
        };
        let value = Reading::new(f64::from(code));
        return Seen { value, verdict: Some(verdict), words: String::new() };
    }
    if code != 0 {
        return Seen::nothing(format!("it ended with code {code}"));
    }
    let line = text.lines().rev().find(|line| !line.trim().is_empty());
    match line.and_then(|line| number(line.split_whitespace().next()?)) {
        Some(value) => Seen::measured(Some(value), ""),
        None => Seen::nothing("its last line does not begin with a number"),
    }
}
