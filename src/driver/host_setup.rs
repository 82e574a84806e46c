//! Puts nightrun on another host, and asks what is there.
#![expect(clippy::disallowed_methods, reason = "driver: reads its own program and the clock")]

use std::path::Path;
use std::process::Output;
use std::time::{Duration, Instant};

use jiff::Timestamp;

use super::ssh::{SshWay, explained, quoted};
use crate::definition::copy::sha256;
use crate::types::{HostName, Lang};
use crate::view::far_host::HostLook;

/// For everything but the copying.
const ANSWERS: Duration = Duration::from_secs(60);
/// For the program, over a slow line.
const COPIES: Duration = Duration::from_secs(900);

/// What a host has said, when it was asked and how long that took.
#[derive(Debug)]
pub struct Looked {
    pub look: HostLook,
    pub asked: Timestamp,
    pub took: Duration,
}

/// What was done there.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Installed {
    /// SHA-256 of the program, in hex.
    pub digest: String,
    pub bytes: u64,
    /// It was there before.
    pub was_there: bool,
    /// Of an agent that runs there: whether it goes on as this program, or why not.
    pub agent: Option<Result<(), String>>,
}

/// SHA-256 of a program, in hex.
///
/// # Errors
/// In words.
pub fn digest_of(program: &Path) -> Result<String, String> {
    let bytes = std::fs::read(program).map_err(|why| format!("{}: {why}", program.display()))?;
    Ok(sha256(&bytes))
}

/// Asks the nightrun of a host what it finds there.
///
/// # Errors
/// In words: why it cannot be asked, and what to do.
pub async fn look(
    (host, way): (&HostName, &SshWay),
    users: &[String],
    lang: Lang,
) -> Result<Looked, String> {
    let dir = way.there("agent");
    let lang = match lang {
        Lang::En => "en",
        Lang::Zh => "zh",
    };
    let mut words = vec!["--lang", lang, "agent", "look", "--dir", &dir];
    words.extend(users.iter().flat_map(|user| ["--user", user.as_str()]));
    let (asked, begun) = (Timestamp::now(), Instant::now());
    let out = done(host, way.nightrun(&words), ANSWERS).await?;
    let took = begun.elapsed();
    let look = serde_json::from_slice(&out.stdout)
        .map_err(|why| format!("what {host} says cannot be read: {why}"))?;
    Ok(Looked { look, asked, took })
}

/// Copies a program there, compares it, tries it, and puts it in the place of the one that was. What runs goes on.
///
/// # Errors
/// In words; the program that was there still is.
pub async fn install(
    (host, way): (&HostName, &SshWay),
    program: &Path,
) -> Result<Installed, String> {
    let bytes = std::fs::read(program).map_err(|why| format!("{}: {why}", program.display()))?;
    let (digest, size) = (sha256(&bytes), bytes.len() as u64);
    let own = format!("{} {}", std::env::consts::OS, std::env::consts::ARCH);
    let said = text(&done(host, way.shell("uname -sm"), ANSWERS).await?);
    if said.to_lowercase() != own {
        return Err(format!("{host} is {said}; this nightrun is for {own}: nothing was copied"));
    }
    let (place, aside) = (way.there("nightrun"), way.there("nightrun.new"));
    // Accounts that jobs become pass through it.
    let folder = way.there("");
    let make = format!("mkdir -p {0} && chmod 711 {0}", quoted(&folder));
    done(host, way.shell(&make), ANSWERS).await?;
    let there = format!("sha256sum {} 2>/dev/null || true", quoted(&place));
    let there = text(&done(host, way.shell(&there), ANSWERS).await?);
    let was_there = there.starts_with(&digest);
    if !was_there {
        let file = std::fs::File::open(program).map_err(|why| why.to_string())?;
        let mut copy = way.shell(&format!("cat > {}", quoted(&aside)));
        copy.stdin(file);
        done(host, copy, COPIES).await?;
        let sum =
            text(&done(host, way.shell(&format!("sha256sum {}", quoted(&aside))), ANSWERS).await?);
        if !sum.starts_with(&digest) {
            return Err(format!("what arrived at {host} is not what was sent: SHA-256 {sum}"));
        }
        let place = format!(
            "chmod 755 {aside} && {aside} --version && mv -f {aside} {place}",
            aside = quoted(&aside),
            place = quoted(&place)
        );
        done(host, way.shell(&place), ANSWERS).await.map_err(|why| {
            format!("nightrun does not run on {host}, the one that was there stays: {why}")
        })?;
    }
    let socket = quoted(&way.there("agent/agent.sock"));
    let listens = format!("if test -S {socket}; then echo yes; fi");
    let listens = text(&done(host, way.shell(&listens), ANSWERS).await?) == "yes";
    let agent = match listens {
        // Though the program was there, an upgrade of before may have failed.
        true => {
            let upgrade = way.nightrun(&["--state", &folder, "agent", "upgrade"]);
            Some(done(host, upgrade, ANSWERS).await.map(drop))
        }
        false => None,
    };
    Ok(Installed { digest, bytes: size, was_there, agent })
}

fn text(output: &Output) -> String {
    String::from_utf8_lossy(&output.stdout).trim().to_owned()
}

/// Waits for its good end.
async fn done(
    host: &HostName,
    mut command: tokio::process::Command,
    limit: Duration,
) -> Result<Output, String> {
    let ended = tokio::time::timeout(limit, command.output()).await;
    let ended = ended.map_err(|_| format!("{host} does not answer in {limit:?}"))?;
    let output = ended.map_err(|why| {
        format!("the ssh program cannot be started: {why}; apt-get install openssh-client")
    })?;
    if output.status.success() {
        return Ok(output);
    }
    let said = String::from_utf8_lossy(&output.stderr).trim().to_owned();
    match said.is_empty() {
        true => Err(format!("{host}: ended with {}", output.status)),
        false => Err(explained(&said, host)),
    }
}
