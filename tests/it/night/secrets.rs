//! No command says a secret, whatever goes wrong.

use std::fs;
use std::os::unix::fs::PermissionsExt;
use std::path::{Path, PathBuf};
use std::process::Command;

use super::house::{House, SITE};
use super::post::closed_port;
use crate::postgres_server::Server;

const JOBS: &str = "  a: {title: A, run: [sh, -c, env]}\n";
const OF_STORE: &str = "kein-Geheimnis-1";
const OF_MAIL: &str = "kein-Geheimnis-2";

fn secret(at: &Path, name: &str, text: &str) -> PathBuf {
    let path = at.join(name);
    fs::write(&path, format!("{text}\n")).unwrap();
    fs::set_permissions(&path, fs::Permissions::from_mode(0o600)).unwrap();
    path
}

/// A house whose store and mail server want passwords.
struct Bank {
    house: House,
    settings: PathBuf,
}

impl Bank {
    fn new(store: &str) -> Self {
        let house = House::new(JOBS);
        let folder = house.state().parent().unwrap().to_owned();
        secret(&folder, "store.password", OF_STORE);
        let mail = secret(&folder, "mail.password", OF_MAIL);
        let port = closed_port();
        let server = format!(
            "smtp: {{host: 127.0.0.1, port: {port}, tls: start-tls, user: nightrun, password_file: {}}}",
            mail.display()
        );
        house.write("site.yaml", &SITE.replace("folder: mail", &server));
        let settings = folder.join("settings.yaml");
        let text = format!(
            "version: 1\nsite: site\nstate: state\nstore: {store}\nstore_password_file: store.password\n"
        );
        fs::write(&settings, text).unwrap();
        Self { house, settings }
    }

    /// Its exit code, and that nothing it says is a secret.
    #[track_caller]
    fn says_none(&self, arguments: &[&str]) -> (Option<i32>, String) {
        let mut command = Command::new(env!("CARGO_BIN_EXE_nightrun"));
        command.arg("--settings").arg(&self.settings).args(arguments);
        let output = command.env("RUST_BACKTRACE", "1").output().unwrap();
        let said = String::from_utf8([output.stdout, output.stderr].concat()).unwrap();
        for secret in [OF_STORE, OF_MAIL] {
            assert!(!said.contains(secret), "{arguments:?} says a secret:\n{said}");
        }
        (output.status.code(), said)
    }
}

const COMMANDS: [&[&str]; 9] = [
    &["doctor"],
    &["doctor", "--format", "json"],
    &["status"],
    &["runs"],
    &["report"],
    &["check"],
    &["mail", "list"],
    &["journal", "show", "--format", "json"],
    &["run", "--help"],
];

#[test]
fn a_store_and_a_mail_server_that_do_not_answer() {
    let store = format!("postgres://nightrun@127.0.0.1:{}/bank", closed_port());
    let bank = Bank::new(&store);
    for arguments in COMMANDS {
        bank.says_none(arguments);
    }
    let (code, said) = bank.says_none(&["doctor"]);
    assert!(code == Some(1) && said.contains("127.0.0.1"), "{said}");
    bank.says_none(&["run", "night", "--date", "2026-10-30"]);
    bank.says_none(&["serve"]);
    // What is no password file says so, and not what it holds.
    fs::set_permissions(
        bank.settings.with_file_name("store.password"),
        fs::Permissions::from_mode(0o644),
    )
    .unwrap();
    let (code, said) = bank.says_none(&["status"]);
    assert!(code == Some(2) && said.contains("chmod 600"), "{said}");
}

#[tokio::test]
async fn a_night_with_both_leaves_no_trace_of_them() {
    let server = Server::start_with("host all guarded 127.0.0.1/32 scram-sha-256");
    let database = server.database().await;
    let role = format!("CREATE ROLE guarded LOGIN PASSWORD '{OF_STORE}'");
    server.meddle(&database, &role).await;
    server.meddle(&database, &format!("GRANT ALL ON DATABASE {database} TO guarded")).await;
    server.meddle(&database, "GRANT ALL ON SCHEMA public TO guarded").await;
    let bank = Bank::new(&server.url(&database).replace("postgres@", "guarded@"));
    let (code, said) = bank.says_none(&["run", "night", "--date", "2026-10-30"]);
    assert_eq!(code, Some(0), "{said}");
    for arguments in COMMANDS {
        bank.says_none(arguments);
    }
    // The job has said its whole environment.
    let (_, log) = bank.says_none(&["log", "night.a"]);
    assert!(log.contains("NIGHTRUN_JOB=a") && !log.contains("PASSWORD"), "{log}");
    // Nor does anything that lies around.
    let mut folders = vec![bank.house.state()];
    while let Some(folder) = folders.pop() {
        for entry in fs::read_dir(folder).unwrap().flatten() {
            let kind = entry.file_type().unwrap();
            if kind.is_dir() {
                folders.push(entry.path());
            } else if kind.is_file() {
                let text = String::from_utf8_lossy(&fs::read(entry.path()).unwrap()).into_owned();
                let found = [OF_STORE, OF_MAIL].iter().any(|secret| text.contains(secret));
                assert!(!found, "{}", entry.path().display());
            }
        }
    }
    // With another one it is refused, in words.
    secret(bank.settings.parent().unwrap(), "store.password", "falsch");
    let (code, said) = bank.says_none(&["runs"]);
    assert!(code == Some(1) && said.contains("password authentication failed"), "{said}");
    assert!(!said.contains("falsch"));
}
