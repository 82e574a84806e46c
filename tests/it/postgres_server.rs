//! A PostgreSQL server of the tests' own: a free port on 127.0.0.1, a folder of its own, gone when the test is.

use std::fs::{self, File};
use std::io::{BufRead, BufReader, Write};
use std::net::TcpListener;
use std::os::unix::fs::PermissionsExt;
use std::os::unix::process::CommandExt;
use std::path::{Path, PathBuf};
use std::process::{Child, ChildStdin, ChildStdout, Command, Stdio};
use std::sync::atomic::{AtomicU32, Ordering};
use std::sync::{Mutex, OnceLock};
use std::time::Duration;

use nightrun::driver::store::postgres::PostgresAddress;
use rustix::fs::{FlockOperation, flock};
use rustix::process::getuid;
use sqlx::postgres::{PgConnectOptions, PgConnection};
use sqlx::{AssertSqlSafe, Connection, Executor};

/// Starts the server, does what it is told line by line, and takes everything away when nobody is there to tell it any
/// more: a test that is killed leaves nothing behind.
const WATCH: &str = r#"
folder=$1; shift
start() { "$@" >> "$folder/log" 2>&1 & server=$!; }
start "$@"
while read -r word; do
    case $word in
        start) start "$@" ;;
        *) kill -"$word" "$server"; wait "$server" ;;
    esac
    echo done
done
kill -QUIT "$server"; wait "$server"
rm -rf "$folder"
"#;

pub(crate) struct Server {
    pub(crate) port: u16,
    folder: PathBuf,
    watch: Mutex<Watch>,
    databases: AtomicU32,
}

struct Watch {
    child: Child,
    say: Option<ChildStdin>,
    hear: BufReader<ChildStdout>,
}

impl Server {
    /// The one that all tests of a process share who do nothing to the server itself.
    pub(crate) fn shared() -> &'static Self {
        static SHARED: OnceLock<Server> = OnceLock::new();
        SHARED.get_or_init(Self::start)
    }

    pub(crate) fn start() -> Self {
        Self::start_with("")
    }

    /// With a line of pg_hba.conf before the others.
    pub(crate) fn start_with(access: &str) -> Self {
        let folder = folder();
        let data = folder.join("data");
        let unpacked =
            Command::new("tar").arg("-xf").arg(template()).arg("-C").arg(&folder).status();
        assert!(unpacked.unwrap().success(), "the template could not be unpacked");
        let hba = data.join("pg_hba.conf");
        fs::write(&hba, format!("{access}\n{}", fs::read_to_string(&hba).unwrap())).unwrap();
        let port = TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap().port();

        let mut command = Command::new("sh");
        command
            .args(["-c", WATCH, "sh"])
            .arg(&folder)
            .args(unprivileged())
            .arg(program("postgres"));
        command.arg("-D").arg(&data).arg("-k").arg(&folder).args(["-p", &port.to_string()]);
        for setting in [
            "listen_addresses=127.0.0.1",
            "fsync=off",
            "full_page_writes=off",
            "shared_buffers=16MB",
            "max_connections=40",
        ] {
            command.args(["-c", setting]);
        }
        // A group of its own: whoever ends the test's group does not end what cleans up.
        command.process_group(0).stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::null());
        let mut child = command.spawn().unwrap();
        let (say, hear) = (child.stdin.take(), BufReader::new(child.stdout.take().unwrap()));
        let watch = Mutex::new(Watch { child, say, hear });
        let server = Self { port, folder, watch, databases: AtomicU32::new(0) };
        server.ready();
        server
    }

    /// Speaks TLS from now on to whoever wants it, with the certificate of a folder.
    pub(crate) async fn encrypt(&self, folder: &Path) {
        for (from, to) in [("server.pem", "server.crt"), ("server.key", "server.key")] {
            let to = self.folder.join("data").join(to);
            fs::copy(folder.join(from), &to).unwrap();
            fs::set_permissions(&to, fs::Permissions::from_mode(0o600)).unwrap();
            give_away(&to);
        }
        self.meddle("postgres", "ALTER SYSTEM SET ssl = on").await;
        self.signal("INT");
        self.start_again();
    }

    /// Sends the server a signal: INT and QUIT end it, cleanly or at once, and are waited for.
    pub(crate) fn signal(&self, signal: &str) {
        self.tell(signal);
    }

    pub(crate) fn start_again(&self) {
        // One that was ended at once has left it.
        fs::remove_file(self.pid_file()).ok();
        self.tell("start");
        self.ready();
    }

    fn tell(&self, word: &str) {
        let mut watch = self.watch.lock().unwrap();
        writeln!(watch.say.as_mut().unwrap(), "{word}").unwrap();
        let mut answer = String::new();
        watch.hear.read_line(&mut answer).unwrap();
        assert_eq!(answer, "done\n");
    }

    fn pid_file(&self) -> PathBuf {
        self.folder.join("data/postmaster.pid")
    }

    fn ready(&self) {
        for _ in 0..3_000 {
            // Its last line says how far it is.
            let pid = fs::read_to_string(self.pid_file()).unwrap_or_default();
            if pid.lines().nth(7).is_some_and(|line| line.trim() == "ready") {
                return;
            }
            std::thread::sleep(Duration::from_millis(10));
        }
        panic!("no PostgreSQL: {}", fs::read_to_string(self.folder.join("log")).unwrap());
    }

    pub(crate) fn url(&self, database: &str) -> String {
        format!("postgres://postgres@127.0.0.1:{}/{database}", self.port)
    }

    pub(crate) fn address(&self, database: &str) -> PostgresAddress {
        self.url(database).parse().unwrap()
    }

    /// A connection that is none of nightrun's.
    pub(crate) async fn connect(&self, database: &str) -> PgConnection {
        let options: PgConnectOptions = self.url(database).parse().unwrap();
        let mut last = None;
        // It may be just starting.
        for _ in 0..3_000 {
            match PgConnection::connect_with(&options).await {
                Ok(conn) => return conn,
                Err(why) => last = Some(why),
            }
            tokio::time::sleep(Duration::from_millis(10)).await;
        }
        panic!("{last:?}: {}", fs::read_to_string(self.folder.join("log")).unwrap());
    }

    /// A new empty database; its name.
    pub(crate) async fn database(&self) -> String {
        let name = format!("bank_{}", self.databases.fetch_add(1, Ordering::Relaxed));
        let mut conn = self.connect("postgres").await;
        conn.execute(AssertSqlSafe(format!("CREATE DATABASE {name}"))).await.unwrap();
        conn.close().await.unwrap();
        name
    }

    /// Does to a database what no nightrun would.
    pub(crate) async fn meddle(&self, database: &str, sql: &str) {
        let mut conn = self.connect(database).await;
        conn.execute(sqlx::raw_sql(AssertSqlSafe(sql.to_owned()))).await.unwrap();
        conn.close().await.unwrap();
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        let mut watch = self.watch.lock().unwrap_or_else(std::sync::PoisonError::into_inner);
        drop(watch.say.take());
        watch.child.wait().ok();
    }
}

/// A program of PostgreSQL: in the PATH, or where Debian has it.
fn program(name: &str) -> PathBuf {
    let path = std::env::var_os("PATH").unwrap_or_default();
    let mut folders: Vec<PathBuf> = std::env::split_paths(&path).collect();
    if let Ok(versions) = fs::read_dir("/usr/lib/postgresql") {
        folders.extend(versions.map(|version| version.unwrap().path().join("bin")));
    }
    folders
        .into_iter()
        .map(|folder| folder.join(name))
        .find(|file| file.is_file())
        .unwrap_or_else(|| panic!("{name} is missing: apt-get install postgresql"))
}

/// PostgreSQL runs as anybody but root.
fn account() -> Option<&'static str> {
    let has_postgres = || Command::new("id").arg("postgres").output().unwrap().status.success();
    getuid().is_root().then(|| if has_postgres() { "postgres" } else { "nobody" })
}

/// The words that make a command run as that account.
fn unprivileged() -> Vec<String> {
    let Some(account) = account() else { return Vec::new() };
    let group = if account == "nobody" { "nogroup" } else { account };
    let words = ["setpriv", "--reuid", account, "--regid", group, "--clear-groups", "--"];
    words.map(str::to_owned).to_vec()
}

/// A new folder of the server's account; its path is short, as a socket lies in it.
fn folder() -> PathBuf {
    let folder = tempfile::Builder::new().prefix("pg").tempdir().unwrap().keep();
    give_away(&folder);
    folder
}

/// To the server's account.
fn give_away(path: &Path) {
    if let Some(account) = account() {
        let owned = Command::new("chown").arg(account).arg(path).status().unwrap();
        assert!(owned.success(), "chown {account} {}", path.display());
    }
}

/// An empty cluster as a tar file, made once for all tests of this build: initdb takes a second.
fn template() -> PathBuf {
    let version = Command::new(program("postgres")).arg("--version").output().unwrap();
    let version: String = String::from_utf8(version.stdout)
        .unwrap()
        .chars()
        .map(|c| if c.is_ascii_alphanumeric() || c == '.' { c } else { '-' })
        .collect();
    let place = Path::new(env!("CARGO_TARGET_TMPDIR"));
    fs::create_dir_all(place).unwrap();
    let file = place.join(format!("{version}.tar"));
    let lock = File::create(place.join("postgres.lock")).unwrap();
    flock(&lock, FlockOperation::LockExclusive).unwrap();
    if !file.exists() {
        let folder = folder();
        let mut words = unprivileged();
        words.push(program("initdb").display().to_string());
        let made = Command::new(&words[0])
            .args(&words[1..])
            .arg("-D")
            .arg(folder.join("data"))
            .args(["-U", "postgres", "-A", "trust", "-E", "UTF8", "--locale=C.UTF-8"])
            .args(["--no-sync", "--wal-segsize=1"])
            .output()
            .unwrap();
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
