//! The agent's own settings: from its command line, and the accounts it may become also from a file of its folder.

#![expect(clippy::disallowed_methods, reason = "the agent reads its own settings")]

use std::ffi::OsString;
use std::os::unix::fs::MetadataExt;
use std::path::{Path, PathBuf};
use std::time::Duration;

use crate::types::Span;

/// Asks a program whether it can take over from an agent of this release.
pub(super) const TAKES_OVER: &str = "--takes-over";
/// Says under which number what an agent has passed on is to be found; only agents say it, to themselves.
pub(super) const TAKE_OVER: &str = "--take-over";

/// `nightrun agent --dir DIR [--allow-user USER]... [--linger 60s]`
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct AgentSettings {
    /// The folder that it keeps everything in; one agent a folder.
    pub dir: PathBuf,
    /// Accounts that jobs may be run as, besides its own: those of the command line, and those of the file
    /// `allowed-users` in its folder, one a line. Only root can use them.
    pub allow_users: Vec<String>,
    /// Those of the command line alone: the next program reads the file anew.
    pub(super) named_users: Vec<String>,
    /// How long it stays without a connection and without an attempt that runs; `None`: for ever.
    pub linger: Option<Duration>,
    /// Descriptor of what the program has passed on that this one goes on for.
    pub(super) take_over: Option<i32>,
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
        let mut take_over = None;
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
                TAKE_OVER => {
                    let number = value()?;
                    let number = number.to_str().and_then(|number| number.parse().ok());
                    let bad = || BadArguments(format!("{TAKE_OVER}: not a descriptor"));
                    take_over = Some(number.ok_or_else(bad)?);
                }
                _ => return Err(BadArguments(format!("`{key}` is not an argument of the agent"))),
            }
        }
        let dir = dir.ok_or_else(|| BadArguments("--dir is missing".to_owned()))?;
        let named_users = allow_users.clone();
        allow_users.extend(allowed_users(&dir)?);
        Ok(Self { dir, allow_users, named_users, linger, take_over })
    }
}

/// Accounts that the folder's own file allows. It must be the agent's own (or root's) and nobody else's to write.
pub(super) fn allowed_users(dir: &Path) -> Result<Vec<String>, BadArguments> {
    let path = dir.join("allowed-users");
    let bad = |why: String| BadArguments(format!("{}: {why}", path.display()));
    let text = match std::fs::read_to_string(&path) {
        Ok(text) => text,
        Err(error) if error.kind() == std::io::ErrorKind::NotFound => return Ok(Vec::new()),
        Err(error) => return Err(bad(error.to_string())),
    };
    let meta = path.metadata().map_err(|error| bad(error.to_string()))?;
    let own = rustix::process::geteuid().as_raw();
    if ![0, own].contains(&meta.uid()) || meta.mode() & 0o022 != 0 {
        return Err(bad(
            "must belong to the agent's own account, and nobody else may write it".into()
        ));
    }
    let names = text.lines().map(str::trim).filter(|line| !line.is_empty());
    Ok(names.filter(|line| !line.starts_with('#')).map(str::to_owned).collect())
}

#[cfg(test)]
mod tests {
    use std::os::unix::fs::PermissionsExt;

    use super::*;

    #[test]
    fn the_folder_says_which_accounts_are_allowed() {
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join("allowed-users");
        std::fs::write(&path, "# jobs of the batch team\nbatch\n\n").unwrap();
        std::fs::set_permissions(&path, std::fs::Permissions::from_mode(0o644)).unwrap();
        assert_eq!(allowed_users(dir.path()).unwrap(), ["batch"]);
        std::fs::set_permissions(&path, std::fs::Permissions::from_mode(0o666)).unwrap();
        assert!(allowed_users(dir.path()).is_err());
        assert!(allowed_users(Path::new("/nowhere")).unwrap().is_empty());
    }

    #[test]
    fn what_the_folder_allows_is_not_handed_on_as_if_it_stood_on_the_command_line() {
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join("allowed-users");
        std::fs::write(&path, "batch\n").unwrap();
        std::fs::set_permissions(&path, std::fs::Permissions::from_mode(0o600)).unwrap();
        let all = read(&format!("--dir {} --allow-user x", dir.path().display())).unwrap();
        assert_eq!(all.allow_users, ["x", "batch"]);
        assert_eq!(all.named_users, ["x"]);
    }

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
