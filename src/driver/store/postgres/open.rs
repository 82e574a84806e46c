//! Opening a store, and making one in an empty database.

use std::time::Duration;

use futures_util::TryStreamExt;
use futures_util::stream::{BoxStream, StreamExt, unfold};
use sqlx::migrate::MigrateError;
use sqlx::postgres::{PgConnection, PgPool, PgRow, Postgres};
use sqlx::{Executor, Row};

use super::address::PostgresAddress;
use super::keeper::Keeper;
use super::lease::{Lease, LeaseTimes};
use super::session::{self, ANSWER, Purpose, connect, within};
use super::trouble::{silent, trouble};
use crate::driver::store::migrate::{VERSION, migrator};
use crate::driver::store::read::check_end;
use crate::driver::store::statement::{Asks, Statement};
use crate::driver::store::text::Columns;
use crate::journal::Head;
use crate::port::{Pulse, StoreError};
use crate::types::Epoch;

/// The store of a site, for a supervisor that leads or stands by.
#[derive(Debug)]
pub struct PostgresStore {
    pub(super) reader: PostgresReader,
    pub(super) address: PostgresAddress,
    /// Taken out for each write. Not put back after one that failed or was given up: the next makes it anew, so that
    /// nothing of the failure hangs on.
    pub(super) writer: Option<Writer>,
    pub(super) lease: Lease,
    /// While this store leads.
    pub(super) keeper: Option<Keeper>,
    /// Of the supervisor whose lead it keeps.
    pub(super) pulse: Pulse,
}

/// The one connection that writes.
#[derive(Debug)]
pub(super) struct Writer {
    pub(super) conn: PgConnection,
    /// Where the journal stands and who leads, as its last write left it.
    pub(super) known: Option<(Head, Epoch)>,
}

/// Reads a store, whoever leads.
#[derive(Debug, Clone)]
pub struct PostgresReader {
    pub(super) pool: PgPool,
}

impl PostgresStore {
    /// Opens the store, and makes it where the database is empty. `holder` is told to whoever finds the lead taken: host
    /// and process.
    pub async fn open(
        address: &PostgresAddress,
        holder: String,
        times: LeaseTimes,
    ) -> Result<Self, StoreError> {
        let mut conn = connect(address, Purpose::Build).await?;
        let found = within(ANSWER, OPENING, examine(&mut conn, address)).await?;
        if found.is_none_or(|version| version < VERSION) {
            // Two that begin at once wait for each other here.
            within(MIGRATION, OPENING, migrate(&mut conn)).await?;
        }
        session::close(conn).await;
        Ok(Self {
            reader: PostgresReader { pool: session::readers(address) },
            address: address.clone(),
            writer: None,
            lease: Lease::new(address.clone(), holder, times),
            keeper: None,
            pulse: Pulse::default(),
        })
    }

    /// The writer, to be put back when what it was taken for is done.
    pub(super) async fn take_writer(&mut self) -> Result<Writer, StoreError> {
        match self.writer.take() {
            Some(writer) => Ok(writer),
            None => Writer::on(connect(&self.address, Purpose::Write).await?).await,
        }
    }
}

const OPENING: &str = "opening the store";
/// For making the schema, and for another who is just making it.
const MIGRATION: Duration = Duration::from_secs(120);

impl Writer {
    async fn on(mut conn: PgConnection) -> Result<Self, StoreError> {
        let made = async {
            conn.execute(sqlx::raw_sql(super::commit::TURN)).await.map_err(trouble(OPENING))
        };
        within(ANSWER, OPENING, made).await?;
        Ok(Self { conn, known: None })
    }
}

impl PostgresReader {
    /// Opens a store for reading; `None`: there is none in this database.
    pub async fn open(address: &PostgresAddress) -> Result<Option<Self>, StoreError> {
        let mut conn = connect(address, Purpose::Read).await?;
        let found = within(ANSWER, OPENING, examine(&mut conn, address)).await?;
        session::close(conn).await;
        match found {
            None => Ok(None),
            Some(version) if version < VERSION => Err(StoreError::Trouble(format!(
                "{address} has the older schema version {version}: start the supervisor once to bring it up to date"
            ))),
            Some(_) => Ok(Some(Self { pool: session::readers(address) })),
        }
    }

    /// Proves the end of the journal, as a supervisor does when it begins to lead, and gives the schema's version with
    /// it.
    pub async fn check_end(&self) -> Result<(i32, Head), StoreError> {
        let found = self.pool.acquire().await.map_err(trouble(OPENING))?;
        let version = version(&mut found.detach()).await?;
        Ok((version, check_end(self).await?))
    }
}

impl Asks for PostgresReader {
    type Row = PgRow;

    fn stream(&self, statement: Statement) -> BoxStream<'_, Result<PgRow, StoreError>> {
        let doing = statement.doing;
        let rows = statement.query::<Postgres>().fetch(&self.pool).map_err(trouble(doing));
        // Each row in time, or trouble; nothing comes after that.
        unfold(Some(rows), move |rows| async move {
            let mut rows = rows?;
            match tokio::time::timeout(ANSWER, rows.next()).await {
                Ok(Some(Ok(row))) => Some((Ok(row), Some(rows))),
                Ok(Some(Err(why))) => Some((Err(why), None)),
                Ok(None) => None,
                Err(_) => Some((Err(silent(doing)), None)),
            }
        })
        .boxed()
    }
}

/// The version of the schema that is there; `None`: the database is empty.
async fn examine(
    conn: &mut PgConnection,
    address: &PostgresAddress,
) -> Result<Option<i32>, StoreError> {
    let row = sqlx::query(
        "SELECT current_schema() AS place, to_regclass('site_head') IS NOT NULL AS store,
            to_regclass('_sqlx_migrations') IS NOT NULL AS marks,
            (SELECT count(*) FROM pg_catalog.pg_class
             WHERE relnamespace = to_regnamespace(quote_ident(current_schema())) AND relkind IN ('r', 'p')) AS tables",
    )
    .fetch_one(&mut *conn)
    .await
    .map_err(trouble(OPENING))?;
    let is = |column| row.try_get::<bool, _>(column).map_err(trouble(OPENING));
    let (store, marks, tables) = (is("store")?, is("marks")?, row.number("tables")?);
    if row.maybe_text("place")?.is_none() {
        return Err(StoreError::Trouble(format!(
            "{address}: nightrun's account has no schema there; make one: CREATE SCHEMA nightrun AUTHORIZATION …"
        )));
    }
    if store && marks {
        let version = version(conn).await?;
        if version > VERSION {
            return Err(StoreError::Newer(format!(
                "{address} has schema version {version}; use the nightrun that wrote it, or a later one"
            )));
        }
        return Ok(Some(version));
    }
    // Marks alone: somebody is just making it.
    if tables == 0 || (marks && tables == 1) {
        return Ok(None);
    }
    Err(StoreError::Trouble(format!(
        "{address} holds tables of another program: give nightrun a database or schema of its own"
    )))
}

async fn version(conn: &mut PgConnection) -> Result<i32, StoreError> {
    let text = "SELECT coalesce(max(version), 0) AS version FROM _sqlx_migrations WHERE success";
    sqlx::query(text).fetch_one(conn).await.map_err(trouble(OPENING))?.count("version")
}

/// Brings the schema up to date.
async fn migrate(conn: &mut PgConnection) -> Result<(), StoreError> {
    let doing = "bringing the schema up to date";
    migrator().run(conn).await.map_err(|why| match why {
        MigrateError::Execute(why) | MigrateError::ExecuteMigration(why, _) => trouble(doing)(why),
        other => StoreError::Damaged(format!("its schema: {other}")),
    })
}
