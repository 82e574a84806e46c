//! A PostgreSQL server of the tests' own: a free port on 127.0.0.1, a folder of its own, gone when the test is.

use std::fs;
use std::os::unix::fs::PermissionsExt;
use std::path::{Path, PathBuf};
use std::sync::OnceLock;
use std::sync::atomic::{AtomicU32, Ordering};
use std::time::Duration;

use nightrun::driver::store::postgres::PostgresAddress;
use sqlx::postgres::{PgConnectOptions, PgConnection};
use sqlx::{AssertSqlSafe, Connection, Executor};

use crate::server_process::{
    self, ServerProcess, as_account, folder, free_port, give_away, unpack,
};

pub(crate) struct Server {
    pub(crate) port: u16,
    folder: PathBuf,
    process: ServerProcess,
    databases: AtomicU32,
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
        Self::start_as(access, &["fsync=off", "full_page_writes=off", "shared_buffers=16MB"])
    }

    /// With settings of its own.
    pub(crate) fn start_as(access: &str, settings: &[&str]) -> Self {
        let folder = folder(account());
        let data = folder.join("data");
        unpack(&template(), &folder);
        let hba = data.join("pg_hba.conf");
        fs::write(&hba, format!("{access}\n{}", fs::read_to_string(&hba).unwrap())).unwrap();
        let port = free_port();

        let mut words = as_account(account());
        words.push(program("postgres").display().to_string());
        words.extend(["-D".to_owned(), data.display().to_string()]);
        words.extend(["-k".to_owned(), folder.display().to_string()]);
        words.extend(["-p".to_owned(), port.to_string()]);
        for setting in ["listen_addresses=127.0.0.1", "max_connections=40"].iter().chain(settings) {
            words.extend(["-c".to_owned(), (*setting).to_owned()]);
        }
        let process = ServerProcess::start(&folder, &words);
        let server = Self { port, folder, process, databases: AtomicU32::new(0) };
        server.ready();
        server
    }

    /// Speaks TLS from now on to whoever wants it, with the certificate of a folder.
    pub(crate) async fn encrypt(&self, folder: &Path) {
        for (from, to) in [("server.pem", "server.crt"), ("server.key", "server.key")] {
            let to = self.folder.join("data").join(to);
            fs::copy(folder.join(from), &to).unwrap();
            fs::set_permissions(&to, fs::Permissions::from_mode(0o600)).unwrap();
            give_away(&to, account());
        }
        self.meddle("postgres", "ALTER SYSTEM SET ssl = on").await;
        self.signal("INT");
        self.start_again();
    }

    /// Sends the server a signal: INT and QUIT end it, cleanly or at once, and are waited for.
    pub(crate) fn signal(&self, signal: &str) {
        self.process.tell(signal);
    }

    pub(crate) fn start_again(&self) {
        // One that was ended at once has left it.
        fs::remove_file(self.pid_file()).ok();
        self.process.tell("start");
        self.ready();
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

/// A program of PostgreSQL: in the PATH, or where Debian has it.
fn program(name: &str) -> PathBuf {
    let versions = fs::read_dir("/usr/lib/postgresql").into_iter().flatten();
    let folders = versions.map(|version| version.unwrap().path().join("bin"));
    server_process::program(name, folders, "postgresql")
}

fn account() -> Option<&'static str> {
    server_process::account("postgres")
}

/// An empty cluster as a tar file, made once for all tests of this build: initdb takes a second.
fn template() -> PathBuf {
    server_process::template(&program("postgres"), account(), |folder| {
        let mut words = as_account(account());
        words.push(program("initdb").display().to_string());
        words.extend(["-D".to_owned(), folder.join("data").display().to_string()]);
        let more = ["-U", "postgres", "-A", "trust", "-E", "UTF8", "--locale=C.UTF-8"];
        words.extend(more.map(str::to_owned));
        words.extend(["--no-sync", "--wal-segsize=1"].map(str::to_owned));
        words
    })
}
