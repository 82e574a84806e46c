//! The table in a target that says which changes were applied there. In a SQLite file it comes with the first change; on a
//! server an administrator makes it, so that who executes changes can read and add rows and nothing else.

use crate::definition::site::{Engine, Server};
use crate::sql::Dialect;

/// How nightrun speaks with the table: each asks for text and is given text.
pub(super) struct Ledger {
    /// 1 where it is there, else 0.
    pub(super) exists: &'static str,
    /// Rows of a change, in the order in which they were written.
    pub(super) select: &'static str,
    /// The same with who wrote each: transaction, session and account, where the engine knows them.
    pub(super) whole: &'static str,
    pub(super) insert: &'static str,
}

pub(super) const MISSING: &str = "the table nightrun_change_run, which says which changes were applied, is not there: \
     an administrator of the database makes it with what `nightrun change ledger TARGET` prints";

pub(super) const SQLITE: &str = "CREATE TABLE IF NOT EXISTS nightrun_change_run (
    change_id text NOT NULL,
    attempt text NOT NULL,
    content_digest text NOT NULL,
    step text NOT NULL,
    at text NOT NULL,
    rows integer,
    outcome text,
    PRIMARY KEY (change_id, attempt, step)
)";

const OF_SQLITE: Ledger = Ledger {
    exists: "SELECT CAST(count(*) AS text) FROM sqlite_schema WHERE name = 'nightrun_change_run'",
    select: "SELECT attempt, content_digest, step, at, CAST(rows AS text), outcome \
             FROM nightrun_change_run WHERE change_id = $1 ORDER BY rowid",
    whole: "SELECT attempt, content_digest, step, at, CAST(rows AS text), outcome, NULL, NULL, NULL \
            FROM nightrun_change_run WHERE change_id = $1 ORDER BY rowid",
    insert: "INSERT INTO nightrun_change_run \
             (change_id, attempt, content_digest, step, at, rows, outcome) \
             VALUES ($1, $2, $3, $4, $5, CAST($6 AS integer), $7)",
};

const OF_POSTGRES: Ledger = Ledger {
    exists: "SELECT (to_regclass('nightrun_ledger.nightrun_change_run') IS NOT NULL)::int::text",
    select: "SELECT attempt, content_digest, step, at, row_count::text, outcome \
             FROM nightrun_ledger.nightrun_change_run WHERE change_id = $1 ORDER BY seq",
    whole: "SELECT attempt, content_digest, step, at, row_count::text, outcome, xid::text, backend_pid::text, db_user \
            FROM nightrun_ledger.nightrun_change_run WHERE change_id = $1 ORDER BY seq",
    insert: "INSERT INTO nightrun_ledger.nightrun_change_run \
             (change_id, attempt, content_digest, step, at, row_count, outcome, target) \
             VALUES ($1, $2, $3, $4, $5, $6::bigint, $7, $8)",
};

const OF_MYSQL: Ledger = Ledger {
    exists: "SELECT CAST(COUNT(*) AS CHAR) FROM information_schema.TABLES \
             WHERE TABLE_SCHEMA = DATABASE() AND TABLE_NAME = 'nightrun_change_run'",
    select: "SELECT attempt, content_digest, step, at, CAST(row_count AS CHAR), outcome \
             FROM nightrun_change_run WHERE change_id = ? ORDER BY seq",
    whole: "SELECT attempt, content_digest, step, at, CAST(row_count AS CHAR), outcome, NULL, \
            CAST(connection_id AS CHAR), db_user FROM nightrun_change_run WHERE change_id = ? ORDER BY seq",
    insert: "INSERT INTO nightrun_change_run \
             (change_id, attempt, content_digest, step, at, row_count, outcome, target, connection_id, db_user) \
             VALUES (?, ?, ?, ?, ?, ?, ?, ?, CONNECTION_ID(), CURRENT_USER())",
};

pub(super) fn of(dialect: Dialect) -> &'static Ledger {
    match dialect {
        Dialect::Sqlite => &OF_SQLITE,
        Dialect::Postgres => &OF_POSTGRES,
        Dialect::Mysql => &OF_MYSQL,
    }
}

/// What the administrator of a target runs once, as an account that owns the table and is not the one that executes
/// changes: the table, and a place for rows that `backup:` of a change keeps; `None` for a SQLite file and a client program, which need nothing.
pub fn statements(engine: &Engine) -> Option<String> {
    match engine {
        Engine::Sqlite { .. } | Engine::Client(_) => None,
        Engine::Postgres(server) => Some(for_postgres(server)),
        Engine::Mysql(server) => Some(for_mysql(server)),
    }
}

/// The schema is not called `nightrun`: an account of that name would find it first, before `public`.
fn for_postgres(server: &Server) -> String {
    let user = format!("\"{}\"", server.user.replace('"', "\"\""));
    format!(
        "CREATE SCHEMA nightrun_ledger;
CREATE TABLE nightrun_ledger.nightrun_change_run (
    seq bigint GENERATED ALWAYS AS IDENTITY,
    change_id text NOT NULL,
    attempt text NOT NULL,
    content_digest text NOT NULL,
    step text NOT NULL,
    at text NOT NULL,
    row_count bigint,
    outcome text,
    target text,
    xid xid8 NOT NULL DEFAULT pg_current_xact_id(),
    backend_pid integer NOT NULL DEFAULT pg_backend_pid(),
    db_user text NOT NULL DEFAULT session_user,
    written timestamptz NOT NULL DEFAULT clock_timestamp(),
    PRIMARY KEY (change_id, attempt, step)
);
GRANT USAGE ON SCHEMA nightrun_ledger TO {user};
GRANT SELECT, INSERT ON nightrun_ledger.nightrun_change_run TO {user};
CREATE SCHEMA nightrun_backup;
GRANT USAGE, CREATE ON SCHEMA nightrun_backup TO {user};
"
    )
}

fn for_mysql(server: &Server) -> String {
    // A bare `_` in the name of a database that rights are given in stands for any character.
    let database = format!("`{}`", server.database.replace('`', "``"));
    let user = server.user.replace('\'', "''");
    format!(
        "CREATE TABLE {database}.nightrun_change_run (
    seq bigint NOT NULL AUTO_INCREMENT UNIQUE,
    change_id varchar(64) NOT NULL,
    attempt varchar(180) NOT NULL,
    content_digest varchar(64) NOT NULL,
    step varchar(64) NOT NULL,
    at varchar(40) NOT NULL,
    row_count bigint,
    outcome longtext,
    target varchar(200),
    connection_id bigint NOT NULL,
    db_user varchar(200) NOT NULL,
    written datetime(6) NOT NULL DEFAULT CURRENT_TIMESTAMP(6),
    PRIMARY KEY (change_id, attempt, step)
) ENGINE = InnoDB DEFAULT CHARACTER SET utf8mb4 COLLATE utf8mb4_bin;
GRANT SELECT, INSERT ON {database}.nightrun_change_run TO '{user}'@'%';
CREATE DATABASE IF NOT EXISTS nightrun_backup;
GRANT CREATE, DROP, SELECT, INSERT ON `nightrun\\_backup`.* TO '{user}'@'%';
"
    )
}
