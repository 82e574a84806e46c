//! Where a worker's target lies: a file, or a database of a real server with an account that may do no more than it must.

use std::path::Path;

use nightrun::agent::worker::ledger;
use nightrun::definition::site::{Engine, Server, ServerTls};
use sqlx::sqlite::{SqliteConnectOptions, SqliteConnection};
use sqlx::{AssertSqlSafe, ConnectOptions, Connection, Executor, Row};

use crate::mariadb_server::MariaServer;
use crate::postgres_server;

pub(super) enum Place {
    File,
    /// A database, and the port by which the worker comes to it.
    Postgres {
        server: Of<postgres_server::Server>,
        database: String,
        port: u16,
    },
    Maria {
        server: Of<MariaServer>,
        database: String,
        port: u16,
    },
}

/// A server that the tests of this process share, or one whom something is done to.
pub(super) enum Of<S: 'static> {
    Shared(&'static S),
    Own(S),
}

impl<S> std::ops::Deref for Of<S> {
    type Target = S;

    fn deref(&self) -> &S {
        match self {
            Self::Shared(server) => server,
            Self::Own(server) => server,
        }
    }
}

/// The account that executes changes.
pub(super) const TELLER: &str = "teller";

impl Place {
    /// A new database, with the table of changes as the administrator makes it.
    pub(super) async fn postgres() -> Self {
        Self::on_postgres(Of::Shared(postgres_server::Server::shared())).await
    }

    pub(super) async fn on_postgres(server: Of<postgres_server::Server>) -> Self {
        let (port, database) = (server.port, server.database().await);
        let role = format!(
            "DO $$ BEGIN CREATE ROLE {TELLER} LOGIN; EXCEPTION WHEN OTHERS THEN NULL; END $$;
             GRANT CREATE, TEMPORARY ON DATABASE {database} TO {TELLER};
             GRANT ALL ON SCHEMA public TO {TELLER};"
        );
        let place = Self::Postgres { server, database, port };
        place.install(&role).await;
        place
    }

    pub(super) async fn maria() -> Self {
        Self::on_maria(Of::Shared(MariaServer::shared())).await
    }

    pub(super) async fn on_maria(server: Of<MariaServer>) -> Self {
        let (port, database) = (server.port, server.database().await);
        let place = Self::Maria { server, database, port };
        place.install(&format!("CREATE USER IF NOT EXISTS '{TELLER}'@'%';")).await;
        place
    }

    /// The account, and the table as the command prints it.
    async fn install(&self, role: &str) {
        let ledger = ledger::statements(&self.engine(Path::new(""))).unwrap();
        self.execute(Path::new(""), &format!("{role}{ledger}")).await;
    }

    pub(super) fn engine(&self, file: &Path) -> Engine {
        let server = |port: u16, database: &str| Server {
            host: "127.0.0.1".to_owned(),
            port,
            database: database.to_owned(),
            user: TELLER.to_owned(),
            password_file: None,
            tls: ServerTls::None,
            ca: None,
            identity: None,
        };
        match self {
            Self::File => Engine::Sqlite { path: file.to_owned() },
            Self::Postgres { database, port, .. } => Engine::Postgres(server(*port, database)),
            Self::Maria { database, port, .. } => Engine::Mysql(server(*port, database)),
        }
    }

    /// Runs SQL as another program would, on servers as the one whom the tables belong to.
    pub(super) async fn execute(&self, file: &Path, sql: &str) {
        let text = AssertSqlSafe(sql.to_owned());
        match self {
            Self::File => {
                let mut db = connect(file).await;
                db.execute(sqlx::raw_sql(text)).await.unwrap();
                db.close().await.unwrap();
            }
            Self::Postgres { server, database, .. } => {
                let mut db = server.connect(database).await;
                db.execute(sqlx::raw_sql(text)).await.unwrap();
                db.close().await.unwrap();
            }
            Self::Maria { server, database, .. } => {
                let mut db = server.connect(database).await;
                db.execute(sqlx::raw_sql(text)).await.unwrap();
                db.close().await.unwrap();
            }
        }
    }

    /// Rows as text, columns separated by `|`.
    pub(super) async fn rows(&self, file: &Path, sql: &str) -> Vec<String> {
        macro_rules! rows {
            ($db:expr) => {{
                let mut db = $db;
                let query = sqlx::raw_sql(AssertSqlSafe(sql.to_owned()));
                let rows = query.fetch_all(&mut db).await.unwrap();
                db.close().await.unwrap();
                let texts = rows.iter().map(|row| {
                    let cell = |at| row.try_get_unchecked::<Option<String>, _>(at).unwrap();
                    let cells = (0..row.len()).map(|at| cell(at).unwrap_or_else(|| "NULL".into()));
                    cells.collect::<Vec<String>>().join("|")
                });
                texts.collect()
            }};
        }
        match self {
            Self::File => rows!(connect(file).await),
            Self::Postgres { server, database, .. } => {
                rows!(server.connect(database).await)
            }
            Self::Maria { server, database, .. } => rows!(server.connect(database).await),
        }
    }
}

pub(super) async fn connect(path: &Path) -> SqliteConnection {
    SqliteConnectOptions::new().filename(path).create_if_missing(true).connect().await.unwrap()
}
