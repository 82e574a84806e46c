//! A MariaDB server of the tests' own: a free port on 127.0.0.1, a folder of its own, gone when the test is.

use std::fs;
use std::io::Read;
use std::net::TcpStream;
use std::path::{Path, PathBuf};
use std::sync::OnceLock;
use std::sync::atomic::{AtomicU32, Ordering};
use std::time::Duration;

use sqlx::mysql::{MySqlConnectOptions, MySqlConnection, MySqlSslMode};
use sqlx::{AssertSqlSafe, ConnectOptions, Connection, Executor};

use crate::server_process::{
    self, ServerProcess, as_account, folder, free_port, give_away, unpack,
};

pub(crate) struct MariaServer {
    pub(crate) port: u16,
    folder: PathBuf,
    process: ServerProcess,
    databases: AtomicU32,
}

impl MariaServer {
    /// The one that all tests of a process share who do nothing to the server itself.
    pub(crate) fn shared() -> &'static Self {
        static SHARED: OnceLock<MariaServer> = OnceLock::new();
        SHARED.get_or_init(Self::start)
    }

    pub(crate) fn start() -> Self {
        Self::start_with(None)
    }

    /// Speaks TLS to whoever wants it, with the certificate of a folder.
    pub(crate) fn encrypted(certificate: &Path) -> Self {
        Self::start_with(Some(certificate))
    }

    fn start_with(certificate: Option<&Path>) -> Self {
        let folder = folder(account());
        unpack(&template(), &folder);
        let mut tls = Vec::new();
        for (setting, file) in [("ssl-cert", "server.pem"), ("ssl-key", "server.key")] {
            let Some(certificate) = certificate else { continue };
            let own = folder.join(file);
            fs::copy(certificate.join(file), &own).unwrap();
            give_away(&own, account());
            tls.push((setting, own.display().to_string()));
        }
        let port = free_port();
        let mut words = as_account(account());
        words.extend(with_own_room(&folder));
        words.push(program("mariadbd").display().to_string());
        words.push("--no-defaults".to_owned());
        for (setting, value) in [
            ("datadir", folder.join("data").display().to_string()),
            ("socket", folder.join("socket").display().to_string()),
            ("pid-file", folder.join("pid").display().to_string()),
            ("port", port.to_string()),
            ("bind-address", "127.0.0.1".to_owned()),
            ("innodb-flush-log-at-trx-commit", "2".to_owned()),
            // Who comes from 127.0.0.1 is nobody of `localhost`.
            ("skip-name-resolve", "1".to_owned()),
            ("innodb-buffer-pool-size", "48M".to_owned()),
            ("innodb-log-file-size", "96M".to_owned()),
        ]
        .into_iter()
        .chain(tls)
        {
            words.push(format!("--{setting}={value}"));
        }
        let process = ServerProcess::start(&folder, &words);
        let server = Self { port, folder, process, databases: AtomicU32::new(0) };
        server.ready();
        server
    }

    /// Ends it with a signal: TERM in order, KILL at once.
    pub(crate) fn signal(&self, signal: &str) {
        self.process.tell(signal);
    }

    pub(crate) fn start_again(&self) {
        self.process.tell("start");
        self.ready();
    }

    fn ready(&self) {
        for _ in 0..3_000 {
            if let Ok(mut stream) = TcpStream::connect(("127.0.0.1", self.port)) {
                stream.set_read_timeout(Some(Duration::from_secs(5))).unwrap();
                // It greets whom it lets in.
                if stream.read(&mut [0]).is_ok_and(|read| read > 0) {
                    return;
                }
            }
            std::thread::sleep(Duration::from_millis(10));
        }
        panic!("no MariaDB: {}", fs::read_to_string(self.folder.join("log")).unwrap());
    }

    /// A connection that is none of nightrun's.
    pub(crate) async fn connect(&self, database: &str) -> MySqlConnection {
        let options = MySqlConnectOptions::new()
            .host("127.0.0.1")
            .port(self.port)
            .username("root")
            .ssl_mode(MySqlSslMode::Disabled)
            .database(database);
        options.connect().await.unwrap()
    }

    /// A new empty database; its name.
    pub(crate) async fn database(&self) -> String {
        let name = format!("bank_{}", self.databases.fetch_add(1, Ordering::Relaxed));
        self.meddle("mysql", &format!("CREATE DATABASE {name} CHARACTER SET utf8mb4")).await;
        name
    }

    /// Does to a database what no nightrun would.
    pub(crate) async fn meddle(&self, database: &str, sql: &str) {
        let mut conn = self.connect(database).await;
        conn.execute(sqlx::raw_sql(AssertSqlSafe(sql.to_owned()))).await.unwrap();
        conn.close().await.unwrap();
    }
}

fn program(name: &str) -> PathBuf {
    server_process::program(name, [PathBuf::from("/usr/sbin")].into_iter(), "mariadb-server")
}

fn account() -> Option<&'static str> {
    server_process::account("mysql")
}

/// The test's own folder for temporary files may be closed to the server's account.
fn with_own_room(folder: &Path) -> [String; 2] {
    ["env".to_owned(), format!("TMPDIR={}", folder.display())]
}

/// An empty database as a tar file: making one takes seconds.
fn template() -> PathBuf {
    server_process::template(&program("mariadbd"), account(), |folder: &Path| {
        let mut words = as_account(account());
        words.extend(with_own_room(folder));
        words.push(program("mariadb-install-db").display().to_string());
        words.extend(["--no-defaults", "--skip-test-db"].map(str::to_owned));
        words.push("--auth-root-authentication-method=normal".to_owned());
        words.push(format!("--datadir={}", folder.join("data").display()));
        words
    })
}
