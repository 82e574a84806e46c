//! The settings of a host, from one file: all of them, or all its defects at once.

use std::net::SocketAddr;
use std::path::{Path, PathBuf};
use std::time::Duration;

use super::defect::{Defect, Finding, Severity};
use super::raw::settings::{ApiRecord, DefinitionsRecord, SettingsFile};
use super::raw::{self, AgentWord, Field, ModeWord, RequireWord, Word};
use super::retention::{self, Retention};
use super::source::{SourceFile, SourceTree};
use crate::types::Span;

/// What a command of this host goes by where its line and environment say nothing.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Settings {
    pub site: Option<PathBuf>,
    pub state: Option<PathBuf>,
    /// Where the agent and the work of jobs are, if not in the state folder.
    pub shared: Option<PathBuf>,
    /// URL of the store's database, if it is not a file in the state folder.
    pub store: Option<String>,
    /// Where its password is.
    pub store_password_file: Option<PathBuf>,
    /// Starts are told of and recorded, and none is made.
    pub observes: bool,
    /// The agent has a unit of its own: it is waited for, never started.
    pub awaits_agent: bool,
    pub definitions: Definitions,
    /// Where the API listens besides its Unix socket.
    pub api: Option<ApiListen>,
    /// `None`: everything is kept.
    pub retention: Option<Retention>,
    /// How old the newest backup may be before the doctor warns.
    pub backup_within: Option<Span>,
}

/// The API on the network.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ApiListen {
    pub listen: SocketAddr,
    /// `None`: in the clear.
    pub tls: Option<TlsFiles>,
}

/// What TLS is done with; both PEM.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct TlsFiles {
    pub certificate: PathBuf,
    pub key: PathBuf,
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
            store_password_file: path(&raw.store_password_file),
            observes: matches!(raw.mode.get(), Some(ModeWord::Observe)),
            awaits_agent: matches!(raw.agent.get(), Some(AgentWord::Await)),
            definitions: raw.definitions.get().map_or_else(Definitions::default, |definitions| {
                self::definitions(definitions, &mut found)
            }),
            api: raw.api.get().and_then(|raw| api(raw, folder, &mut found)),
            retention: raw
                .retention
                .get()
                .and_then(|retention| retention::retention(retention, folder, &mut found)),
            backup_within: raw.backup.get().and_then(|backup| backup.within.get().copied()),
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

fn api(raw: &ApiRecord, folder: &Path, found: &mut Vec<Finding>) -> Option<ApiListen> {
    let path = |field: &Field<Word>| field.get().map(|word| folder.join(&word.0));
    let tls = match (path(&raw.certificate), path(&raw.key)) {
        (Some(certificate), Some(key)) => Some(TlsFiles { certificate, key }),
        (None, None) => None,
        _ => {
            let given = raw.certificate.given().or(raw.key.given())?;
            let what = "a certificate and its key come together";
            found.push(Finding::error(given.at, what));
            return None;
        }
    };
    let given = raw.listen.given()?;
    let Ok(listen) = given.value.0.parse::<SocketAddr>() else {
        let what = format!("`{}` is no address with a port", given.value.0);
        found.push(Finding::error(given.at, what).hint("write 127.0.0.1:8420 or 0.0.0.0:8420"));
        return None;
    };
    let in_the_clear = matches!(raw.in_the_clear.get(), Some(true));
    if tls.is_none() && !listen.ip().is_loopback() && !in_the_clear {
        let what = "passwords and tokens would cross the network in the clear";
        let hint = "give `certificate` and `key`, listen on 127.0.0.1, or say `in_the_clear: true` where a proxy has TLS";
        found.push(Finding::error(given.at, what).hint(hint));
    }
    Some(ApiListen { listen, tls })
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
                    store: postgres://db.example/nightrun\nstore_password_file: store.password\n\
                    mode: observe\nagent: await\nbackup: {within: 25h}\n\
                    definitions: {require: clean, follow: {remote: origin, branch: main}}\n";
        let follow = Follow { remote: "origin".into(), branch: "main".into(), every: EVERY };
        let expected = Settings {
            site: Some("/etc/nightrun/jobs".into()),
            state: Some("/var/lib/nightrun".into()),
            shared: None,
            store: Some("postgres://db.example/nightrun".into()),
            store_password_file: Some("/etc/nightrun/store.password".into()),
            observes: true,
            awaits_agent: true,
            definitions: Definitions::Commits { follow: Some(follow) },
            api: None,
            retention: None,
            backup_within: Some(Span::seconds(90_000)),
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
        let text = "version: 1\nsites: jobs\nmode: observ\nagent: awaits\ndefinitions:\n  require: cleen\n  follow: {remote: --upload-pack=x, branch: main, every: 1ms}\n";
        let said = read(text).unwrap_err();
        for part in [
            "settings.yaml:2:1: unknown key `sites`",
            "settings.yaml:3:7: `observ` is not known here",
            "did you mean `await`?",
            "settings.yaml:6:12: `cleen` is not known here",
            "did you mean `clean`?",
            "`--upload-pack=x` is not a name of git's",
            "once a second at the most",
            "add `require: clean`",
        ] {
            assert!(said.contains(part), "no `{part}` in:\n{said}");
        }
    }

    #[test]
    fn the_network_gets_no_password_in_the_clear_by_accident() {
        let read = |api: &str| read(&format!("version: 1\napi: {api}\n"));
        let of = |text: &str| read(text).unwrap().api.unwrap();
        assert_eq!(of("{listen: '127.0.0.1:8420'}").tls, None);
        assert_eq!(of("{listen: '0.0.0.0:8420', in_the_clear: true}").listen.port(), 8420);
        let tls = of("{listen: '0.0.0.0:8420', certificate: a.pem, key: /k.pem}").tls.unwrap();
        assert_eq!(tls.certificate, Path::new("/etc/nightrun/a.pem"));
        assert_eq!(tls.key, Path::new("/k.pem"));
        for (bad, said) in [
            ("{listen: '0.0.0.0:8420'}", "would cross the network in the clear"),
            ("{listen: '127.0.0.1:8420', key: k.pem}", "come together"),
            ("{listen: localhost}", "is no address with a port"),
        ] {
            let told = read(bad).unwrap_err();
            assert!(told.contains(said), "{told}");
        }
    }
}
