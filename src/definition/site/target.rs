//! Databases that SQL runs against.

use std::path::PathBuf;

use serde::{Deserialize, Serialize};

use crate::sql::Dialect;
use crate::types::Text;

/// A database that SQL runs against (目标库).
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Target {
    pub title: Text,
    pub engine: Engine,
    /// Such as `uat`, `pre-production`, `production`.
    pub environment: String,
    pub trial: bool,
    /// Jobs that may work on it at a time.
    #[serde(default = "one")]
    pub connections: u32,
}

fn one() -> u32 {
    1
}

#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Engine {
    /// A file, beneath the work folder when relative. One writer.
    Sqlite { path: PathBuf },
    /// PostgreSQL, 14 or later.
    Postgres(Server),
    /// MariaDB 10.6 or later, MySQL 8.
    Mysql(Server),
    /// Any other, through its own client program.
    Client(Client),
}

/// A program that scripts are given to. It is trusted to say by its exit code how they went.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Client {
    /// With its arguments. `{script}` is the path of the script; where it stands nowhere, the script is what the program
    /// reads.
    pub command: Vec<String>,
    /// Lines of output that count rows, `{n}` in the place of the number.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub rows: Vec<String>,
    /// Asked before each use: nothing is run on another database.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub identity: Option<ClientIdentity>,
}

#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct ClientIdentity {
    pub command: Vec<String>,
    /// A line of its output.
    pub says: String,
}

/// A database of a server that is reached over TCP.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Server {
    pub host: String,
    pub port: u16,
    pub database: String,
    pub user: String,
    /// The file that holds the password; the password itself is in no job file, no order and no log.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub password_file: Option<PathBuf>,
    pub tls: ServerTls,
    /// Certificates (PEM) that the server's may be signed by, besides those that the host trusts.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub ca: Option<PathBuf>,
    /// What the server must call itself; nothing is run on another one.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub identity: Option<String>,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum ServerTls {
    None,
    /// Encrypted, and the certificate is the one of the host's name.
    Require,
}

impl Engine {
    pub fn dialect(&self) -> Dialect {
        match self {
            Self::Sqlite { .. } => Dialect::Sqlite,
            Self::Postgres(_) => Dialect::Postgres,
            Self::Mysql(_) => Dialect::Mysql,
            // Its scripts are not read: they are the program's affair.
            Self::Client(_) => Dialect::Sqlite,
        }
    }

    /// As people call it: the file, `postgres host:port/database`, or the client program.
    pub fn place(&self) -> String {
        let of = |kind: &str, server: &Server| {
            format!("{kind} {}:{}/{}", server.host, server.port, server.database)
        };
        match self {
            Self::Sqlite { path } => path.display().to_string(),
            Self::Postgres(server) => of("postgres", server),
            Self::Mysql(server) => of("mysql", server),
            Self::Client(client) => format!("client {}", client.command.join(" ")),
        }
    }
}
