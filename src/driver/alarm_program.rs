//! A program that hands an alarm on: a gateway of short messages, a siren, the log of the host.

use std::io;
use std::process::Stdio;
use std::time::Duration;

use tokio::io::AsyncWriteExt;
use tokio::time::timeout;

/// For all that it does.
const LIMIT: Duration = Duration::from_secs(30);

/// Runs it with a text as its input.
///
/// # Errors
/// It cannot be started, does not end in 30 s (and is killed), or does not end with exit code 0.
#[expect(clippy::disallowed_methods, reason = "driver: the watcher's own program")]
pub async fn tell(command: &[String], text: &str) -> io::Result<()> {
    let Some((program, arguments)) = command.split_first() else { return Ok(()) };
    let mut child = tokio::process::Command::new(program)
        .args(arguments)
        .stdin(Stdio::piped())
        .stdout(Stdio::null())
        .kill_on_drop(true)
        .spawn()?;
    let done = timeout(LIMIT, async {
        if let Some(mut input) = child.stdin.take() {
            // A program that does not read has its reason.
            input.write_all(text.as_bytes()).await.ok();
        }
        child.wait().await
    });
    let ended = done
        .await
        .unwrap_or_else(|_| Err(io::Error::other(format!("{program} did not end in {LIMIT:?}"))))?;
    match ended.success() {
        true => Ok(()),
        false => Err(io::Error::other(format!("{program}: {ended}"))),
    }
}
