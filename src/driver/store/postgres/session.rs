//! Connections: what each is told when it begins, and how long anything may take.

use std::time::Duration;

use sqlx::postgres::{PgConnectOptions, PgConnection, PgPool, PgPoolOptions};
use sqlx::{ConnectOptions, Connection};

use super::address::PostgresAddress;
use super::trouble::{silent, trouble};
use crate::port::StoreError;

/// For the answer of a database that is asked for a connection.
const CONNECT: Duration = Duration::from_secs(5);
/// For the answer to anything else.
pub(super) const ANSWER: Duration = Duration::from_secs(10);
/// The server itself gives up before that, so that nothing goes on that nobody waits for.
const STATEMENT: &str = "8s";
const READERS: u32 = 4;

/// What a connection is for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Purpose {
    /// Commits, and the lease.
    Write,
    /// Makes the schema, or takes in a whole history.
    Build,
    Read,
}

/// A new connection, or trouble within [`CONNECT`].
pub(super) async fn connect(
    address: &PostgresAddress,
    purpose: Purpose,
) -> Result<PgConnection, StoreError> {
    const DOING: &str = "connecting to the database";
    let options = options(address, purpose);
    let connected = tokio::time::timeout(CONNECT, options.connect()).await;
    connected.map_err(|_| silent(DOING))?.map_err(trouble(DOING))
}

/// Connections are made when first asked for, and anew after one has broken.
pub(super) fn readers(address: &PostgresAddress) -> PgPool {
    PgPoolOptions::new()
        .max_connections(READERS)
        .acquire_timeout(CONNECT)
        .connect_lazy_with(options(address, Purpose::Read))
}

/// Waits for an answer, and not for ever.
pub(super) async fn within<T>(
    patience: Duration,
    doing: &str,
    work: impl Future<Output = Result<T, StoreError>>,
) -> Result<T, StoreError> {
    tokio::time::timeout(patience, work).await.unwrap_or_else(|_| Err(silent(doing)))
}

/// Ends it without waiting for long; the server finds out in any case.
pub(super) async fn close(conn: PgConnection) {
    tokio::time::timeout(Duration::from_secs(1), conn.close()).await.ok();
}

fn options(address: &PostgresAddress, purpose: Purpose) -> PgConnectOptions {
    let options = address
        .options()
        .application_name("nightrun")
        .disable_statement_logging()
        // A peer that is gone does not keep its locks: the server finds out within the time of a lease or two.
        .options([
            // A peer that is gone does not keep its locks for long.
            ("tcp_user_timeout", "10s"),
            ("tcp_keepalives_idle", "5"),
            ("tcp_keepalives_interval", "2"),
            ("tcp_keepalives_count", "3"),
            ("jit", "off"),
        ]);
    match purpose {
        // Every row that a commit changes is found by its key, whatever the statistics of a table that was empty a
        // minute ago say.
        Purpose::Write => options.options([
            ("statement_timeout", STATEMENT),
            ("enable_seqscan", "off"),
            ("enable_hashjoin", "off"),
            ("enable_mergejoin", "off"),
        ]),
        Purpose::Build => options.options([("statement_timeout", "0")]),
        Purpose::Read => options
            .options([("statement_timeout", STATEMENT), ("default_transaction_read_only", "on")]),
    }
}
