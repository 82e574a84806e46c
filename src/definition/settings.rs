//! The settings of a host, from one file: all of them, or all its defects at once.

use std::path::{Path, PathBuf};
use std::time::Duration;

use super::defect::{Defect, Finding, Severity};
use super::raw::settings::{DefinitionsRecord, SettingsFile};
use super::raw::{self, Field, RequireWord, Word};
use super::retention::{self, Retention};
use super::source::{SourceFile, SourceTree};

/// What a command of this host goes by where its line and environment say nothing.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Settings {
    pub site: Option<PathBuf>,
    pub state: Option<PathBuf>,
    /// Where the agent and the work of jobs are, if not in the state folder.
    pub shared: Option<PathBuf>,
    /// URL of the store's database, if it is not a file in the state folder.
    pub store: Option<String>,
    pub definitions: Definitions,
    /// `None`: everything is kept.
    pub retention: Option<Retention>,
}

/// Which job files count.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub enum Definitions {
    /// The files as they are.
    #[default]
    Files,
    /// Only what is committed: what is checked out, or what a branch of a remote has.
    Commits { follow: Option<Follow> },
}

/// A branch of a remote whose commits are taken over.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Follow {
    pub remote: String,
    pub branch: String,
    pub every: Duration,
}

/// How often a branch is asked after, where the file says nothing.
const EVERY: Duration = Duration::from_secs(60);
/// No more often than that.
const AT_LEAST: Duration = Duration::from_secs(1);

/// Reads a settings file. Folders in it count from its own.
pub fn settings(file: &Path, bytes: Vec<u8>) -> Result<Settings, Vec<Defect>> {
    let mut tree = SourceTree::default();
    tree.insert(file, SourceFile::Content(bytes.clone()));
    let lines = tree.lines(file);
    let Ok(text) = String::from_utf8(bytes) else {
        let finding = Finding::error(super::defect::Place::WHOLE_FILE, "the file is not UTF-8");
        return Err(vec![Defect::of(file, &lines, finding)]);
    };
    let (raw, mut found) = raw::file::<SettingsFile>(&text);
    let folder = file.parent().unwrap_or(Path::new(""));
    let settings = raw.map(|raw| {
        let path = |field: &Field<Word>| field.get().map(|word| folder.join(&word.0));
        Settings {
            site: path(&raw.site),
            state: path(&raw.state),
            shared: path(&raw.shared),
            store: raw.store.get().map(|url| url.0.clone()),
            definitions: raw.definitions.get().map_or_else(Definitions::default, |definitions| {
                self::definitions(definitions, &mut found)
            }),
            retention: raw
                .retention
                .get()
                .and_then(|retention| retention::retention(retention, folder, &mut found)),
        }
    });
    let mut defects: Vec<Defect> =
        found.into_iter().map(|finding| Defect::of(file, &lines, finding)).collect();
    defects.sort_by(|a, b| a.order().cmp(&b.order()));
    match settings {
        Some(settings) if defects.iter().all(|d| d.severity != Severity::Error) => Ok(settings),
        _ => Err(defects),
    }
}

fn definitions(raw: &DefinitionsRecord, found: &mut Vec<Finding>) -> Definitions {
    let clean = matches!(raw.require.get(), Some(RequireWord::Clean));
    let follow = raw.follow.get().and_then(|follow| {
        let every = follow.every.get().map_or(EVERY, |every| every.get());
        if let Some(given) = follow.every.given().filter(|_| every < AT_LEAST) {
            found.push(Finding::error(given.at, "a remote is asked once a second at the most"));
        }
        let (remote, branch) = (follow.remote.get()?.0.clone(), follow.branch.get()?.0.clone());
        for name in [&follow.remote, &follow.branch] {
            // On a command line it would be an option, and in a ref something else.
            let bad = |text: &str| {
                text.starts_with('-') || text.contains(|c: char| c.is_whitespace() || c == ':')
            };
            if let Some(given) = name.given().filter(|given| bad(&given.value.0)) {
                let what = format!("`{}` is not a name of git's", given.value.0);
                found.push(Finding::error(given.at, what));
            }
        }
        Some(Follow { remote, branch, every })
    });
    if let Some(given) = raw.follow.given().filter(|_| !clean) {
        let what = "a branch is followed only where nothing but what is committed counts";
        found.push(Finding::error(given.at, what).hint("add `require: clean`"));
    }
    if clean { Definitions::Commits { follow } } else { Definitions::Files }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::definition::Styles;

    fn read(text: &str) -> Result<Settings, String> {
        settings(Path::new("/etc/nightrun/settings.yaml"), text.as_bytes().to_vec()).map_err(
            |defects| defects.iter().map(|d| d.text(Path::new(""), Styles::plain())).collect(),
        )
    }

    #[test]
    fn folders_count_from_the_file_and_a_branch_has_its_defaults() {
        let text = "version: 1\nsite: jobs\nstate: /var/lib/nightrun\n\
                    store: postgres://db.example/nightrun\n\
                    definitions: {require: clean, follow: {remote: origin, branch: main}}\n";
        let follow = Follow { remote: "origin".into(), branch: "main".into(), every: EVERY };
        let expected = Settings {
            site: Some("/etc/nightrun/jobs".into()),
            state: Some("/var/lib/nightrun".into()),
            shared: None,
            store: Some("postgres://db.example/nightrun".into()),
            definitions: Definitions::Commits { follow: Some(follow) },
            retention: None,
        };
        assert_eq!(read(text), Ok(expected));
        assert_eq!(read("version: 1\n"), Ok(Settings::default()));
        let text = "version: 1\nretention: {archive: /var/archive, runs: {keep: 400d}, \
                    logs: {keep: 90d, at_most: 50GiB}, at: \"13:30\"}\n";
        let expected = Retention {
            archive: "/var/archive".into(),
            runs: Some("400d".parse().unwrap()),
            logs: Some("90d".parse().unwrap()),
            logs_at_most: Some(50 << 30),
            at: jiff::civil::time(13, 30, 0, 0),
        };
        assert_eq!(read(text).unwrap().retention, Some(expected));
    }

    #[test]
    fn a_retention_without_a_place_or_that_keeps_nothing_is_a_defect() {
        let text = "version: 1\nretention:\n  runs: {keep: 10m}\n  logs: {at_most: 50GB}\n";
        let said = read(text).unwrap_err();
        for part in
            ["settings.yaml:3:", "before it is a day old", "`50GB` is not a size", "`archive`"]
        {
            assert!(said.contains(part), "no `{part}` in:\n{said}");
        }
    }

    #[test]
    fn all_defects_are_said_at_once() {
        let text = "version: 1\nsites: jobs\ndefinitions:\n  require: cleen\n  follow: {remote: --upload-pack=x, branch: main, every: 1ms}\n";
        let said = read(text).unwrap_err();
        for part in [
            "settings.yaml:2:1: unknown key `sites`",
            "settings.yaml:4:12: `cleen` is not known here",
            "did you mean `clean`?",
            "`--upload-pack=x` is not a name of git's",
            "once a second at the most",
            "add `require: clean`",
        ] {
            assert!(said.contains(part), "no `{part}` in:\n{said}");
        }
    }
}
