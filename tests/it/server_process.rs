//! A database server of the tests' own as a process: it does what the test says, and goes with it.

use std::fs::{self, File};
use std::io::{BufRead, BufReader, Write};
use std::net::TcpListener;
use std::os::unix::process::CommandExt;
use std::path::{Path, PathBuf};
use std::process::{Child, ChildStdin, ChildStdout, Command, Stdio};
use std::sync::Mutex;

use rustix::fs::{FlockOperation, flock};
use rustix::process::getuid;

/// Starts the server, does what it is told line by line, and takes everything away when nobody is there to tell it any
/// more: a test that is killed leaves nothing behind.
const WATCH: &str = r#"
folder=$1; end=$2; shift 2
start() { "$@" >> "$folder/log" 2>&1 & server=$!; }
start "$@"
while read -r word; do
    case $word in
        start) start "$@" ;;
        *) kill -"$word" "$server"; wait "$server" ;;
    esac
    echo done
done
kill -"$end" "$server"; wait "$server"
rm -rf "$folder"
"#;

/// A running server, or one that was ended and can be started again.
pub(crate) struct ServerProcess(Mutex<Watch>);

struct Watch {
    child: Child,
    say: Option<ChildStdin>,
    hear: BufReader<ChildStdout>,
}

impl ServerProcess {
    /// Its log is the file `log` of the folder.
    pub(crate) fn start(folder: &Path, words: &[String]) -> Self {
        Self::ended_by("QUIT", folder, words)
    }

    /// One that another signal ends.
    pub(crate) fn ended_by(end: &str, folder: &Path, words: &[String]) -> Self {
        let mut command = Command::new("sh");
        command.args(["-c", WATCH, "sh"]).arg(folder).arg(end).args(words);
        // A group of its own: whoever ends the test's group does not end what cleans up.
        command.process_group(0).stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::null());
        let mut child = command.spawn().unwrap();
        let (say, hear) = (child.stdin.take(), BufReader::new(child.stdout.take().unwrap()));
        Self(Mutex::new(Watch { child, say, hear }))
    }

    /// `start`, or a signal that ends it, which is waited for.
    pub(crate) fn tell(&self, word: &str) {
        let mut watch = self.0.lock().unwrap();
        writeln!(watch.say.as_mut().unwrap(), "{word}").unwrap();
        let mut answer = String::new();
        watch.hear.read_line(&mut answer).unwrap();
        assert_eq!(answer, "done\n");
    }
}

impl Drop for ServerProcess {
    fn drop(&mut self) {
        let mut watch = self.0.lock().unwrap_or_else(std::sync::PoisonError::into_inner);
        drop(watch.say.take());
        watch.child.wait().ok();
    }
}

pub(crate) fn free_port() -> u16 {
    TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap().port()
}

/// A program in the PATH, or in one of the folders.
pub(crate) fn program(
    name: &str,
    folders: impl Iterator<Item = PathBuf>,
    package: &str,
) -> PathBuf {
    let path = std::env::var_os("PATH").unwrap_or_default();
    std::env::split_paths(&path)
        .chain(folders)
        .map(|folder| folder.join(name))
        .find(|file| file.is_file())
        .unwrap_or_else(|| panic!("{name} is missing: apt-get install {package}"))
}

/// Database servers run as anybody but root: as this account, where it is there.
pub(crate) fn account(wanted: &'static str) -> Option<&'static str> {
    let there = || Command::new("id").arg(wanted).output().unwrap().status.success();
    getuid().is_root().then(|| if there() { wanted } else { "nobody" })
}

/// The words that make a command run as that account.
pub(crate) fn as_account(account: Option<&'static str>) -> Vec<String> {
    let Some(account) = account else { return Vec::new() };
    let group = if account == "nobody" { "nogroup" } else { account };
    let words = ["setpriv", "--reuid", account, "--regid", group, "--clear-groups", "--"];
    words.map(str::to_owned).to_vec()
}

/// A new folder of the account; its path is short, as a socket lies in it.
pub(crate) fn folder(account: Option<&'static str>) -> PathBuf {
    let folder = tempfile::Builder::new().prefix("db").tempdir().unwrap().keep();
    give_away(&folder, account);
    folder
}

/// To the server's account.
pub(crate) fn give_away(path: &Path, account: Option<&'static str>) {
    if let Some(account) = account {
        let owned = Command::new("chown").arg(account).arg(path).status().unwrap();
        assert!(owned.success(), "chown {account} {}", path.display());
    }
}

pub(crate) fn unpack(template: &Path, folder: &Path) {
    let unpacked = Command::new("tar").arg("-xf").arg(template).arg("-C").arg(folder).status();
    assert!(unpacked.unwrap().success(), "the template could not be unpacked");
}

/// An empty database (`data` of a folder) as a tar file, made once for all tests of this build.
pub(crate) fn template(
    server: &Path,
    account: Option<&'static str>,
    init: impl FnOnce(&Path) -> Vec<String>,
) -> PathBuf {
    let version = Command::new(server).arg("--version").output().unwrap();
    let version: String = String::from_utf8(version.stdout)
        .unwrap()
        .rsplit('/')
        .next()
        .unwrap()
        .trim()
        .chars()
        .map(|c| if c.is_ascii_alphanumeric() || c == '.' { c } else { '-' })
        .collect();
    let place = Path::new(env!("CARGO_TARGET_TMPDIR"));
    fs::create_dir_all(place).unwrap();
    let file = place.join(format!("{version}.tar"));
    let lock = File::create(place.join("databases.lock")).unwrap();
    flock(&lock, FlockOperation::LockExclusive).unwrap();
    if !file.exists() {
        let folder = folder(account);
        let words = init(&folder);
        let made = Command::new(&words[0]).args(&words[1..]).output().unwrap();
        assert!(made.status.success(), "{}", String::from_utf8_lossy(&made.stderr));
        let new = file.with_extension("new");
        let packed =
            Command::new("tar").arg("-cf").arg(&new).arg("-C").arg(&folder).arg("data").status();
        assert!(packed.unwrap().success());
        fs::rename(&new, &file).unwrap();
        fs::remove_dir_all(&folder).unwrap();
    }
    file
}
