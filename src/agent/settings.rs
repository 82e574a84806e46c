//! The agent's own settings, from its command line.

use std::ffi::OsString;
use std::path::PathBuf;
use std::time::Duration;

use crate::types::Span;

/// `nightrun agent --dir DIR [--allow-user USER]... [--linger 60s]`
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct AgentSettings {
    /// The folder that it keeps everything in; one agent a folder.
    pub dir: PathBuf,
    /// Accounts that jobs may be run as, besides its own. Only root can use them.
    pub allow_users: Vec<String>,
    /// How long it stays without a connection and without an attempt that runs; `None`: for ever.
    pub linger: Option<Duration>,
}

/// Why the agent's arguments cannot be used.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{0}; usage: nightrun agent --dir DIR [--allow-user USER]... [--linger 60s]")]
pub struct BadArguments(String);

impl AgentSettings {
    const LINGER: Duration = Duration::from_secs(60);

    /// Reads what follows `nightrun agent`. `--linger 0s` means for ever.
    pub fn from_arguments(
        arguments: impl IntoIterator<Item = OsString>,
    ) -> Result<Self, BadArguments> {
        let mut dir = None;
        let mut allow_users = Vec::new();
        let mut linger = Some(Self::LINGER);
        let mut arguments = arguments.into_iter();
        while let Some(key) = arguments.next() {
            let key = key.to_string_lossy().into_owned();
            let mut value =
                || arguments.next().ok_or_else(|| BadArguments(format!("`{key}` needs a value")));
            match key.as_str() {
                "--dir" => dir = Some(PathBuf::from(value()?)),
                "--allow-user" => allow_users.push(value()?.to_string_lossy().into_owned()),
                "--linger" => {
                    let text = value()?;
                    let span: Span = text
                        .to_string_lossy()
                        .parse()
                        .map_err(|e| BadArguments(format!("--linger: {e}")))?;
                    linger = Some(span.get()).filter(|span| !span.is_zero());
                }
                _ => return Err(BadArguments(format!("`{key}` is not an argument of the agent"))),
            }
        }
        let dir = dir.ok_or_else(|| BadArguments("--dir is missing".to_owned()))?;
        Ok(Self { dir, allow_users, linger })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(line: &str) -> Result<AgentSettings, BadArguments> {
        AgentSettings::from_arguments(line.split_whitespace().map(OsString::from))
    }

    #[test]
    fn arguments_are_read_and_wrong_ones_named() {
        let all = read("--dir /a --allow-user x --allow-user y --linger 5s").unwrap();
        assert_eq!(all.dir, PathBuf::from("/a"));
        assert_eq!(all.allow_users, ["x", "y"]);
        assert_eq!(all.linger, Some(Duration::from_secs(5)));
        assert_eq!(read("--dir a").unwrap().linger, Some(Duration::from_secs(60)));
        assert_eq!(read("--dir a --linger 0s").unwrap().linger, None);
        for (line, word) in
            [("", "--dir"), ("--dir", "value"), ("--dir a --x", "--x"), ("--linger 5", "`5`")]
        {
            assert!(read(line).unwrap_err().to_string().contains(word), "{line}");
        }
    }
}
