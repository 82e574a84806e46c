//! Writing: one statement a commit, which is a transaction by itself. Each statement wakes SQLite's thread and is woken
//! by it, and that is most of what a commit costs beside its fdatasync.

use jiff::Timestamp;
use sqlx::sqlite::Sqlite;
use sqlx::{AssertSqlSafe, SqliteConnection};

use super::batch::{Batch, KINDS, of_commit};
use super::fence::{self, Verdict};
use super::open::{SqliteReader, SqliteStore, Writer};
use super::read::{HEAD, head_of};
use super::statement::Statement;
use super::text::int;
use super::trouble::trouble;
use super::{blob, outbox};
use crate::journal::Head;
use crate::port::{Commit, Store, StoreError};
use crate::types::Epoch;

/// What the connection that writes knows beside the file's own schema.
pub(super) const TURN: &str = include_str!("turn.sql");

impl Store for SqliteStore {
    type Reader = SqliteReader;

    fn reader(&self) -> &SqliteReader {
        &self.reader
    }

    /// Without a WAL beside the file: a copy of it alone is whole, and can be read on a disk that cannot be written.
    async fn close(mut self) {
        self.reader.pool.close().await;
        if let Some(writer) = self.writer.take() {
            writer.close().await;
        }
    }

    async fn claim_epoch(&mut self) -> Result<Epoch, StoreError> {
        let mut writer = self.take_writer().await?;
        let claimed = claim(&mut writer).await;
        self.settled(writer, claimed).await
    }

    async fn commit(&mut self, commit: &Commit) -> Result<(), StoreError> {
        let mut writer = self.take_writer().await?;
        let written = write(&mut writer, commit).await;
        self.settled(writer, written).await
    }

    async fn outbox_sent(&mut self, id: u64, at: Timestamp, reply: &str) -> Result<(), StoreError> {
        outbox::known(id, self.execute(outbox::sent(id, at, reply, None)).await?)
    }

    async fn outbox_failed(
        &mut self,
        id: u64,
        why: &str,
        next_try: Option<Timestamp>,
    ) -> Result<(), StoreError> {
        outbox::known(id, self.execute(outbox::failed(id, why, next_try, None)).await?)
    }

    async fn blob_put(&mut self, bytes: &[u8]) -> Result<String, StoreError> {
        let (address, statement) = blob::keep(bytes);
        self.execute(statement).await?;
        Ok(address)
    }
}

impl SqliteStore {
    /// How many rows it changed.
    pub(super) async fn execute(&mut self, statement: Statement) -> Result<u64, StoreError> {
        let mut writer = self.take_writer().await?;
        let doing = statement.doing;
        let done = statement.query::<Sqlite>().execute(&mut writer.conn).await;
        let written = done.map(|done| done.rows_affected()).map_err(trouble(doing));
        self.settled(writer, written).await
    }

    /// Passes the result of a write on; after one that failed the connection is not used again.
    async fn settled<T>(
        &mut self,
        writer: Writer,
        written: Result<T, StoreError>,
    ) -> Result<T, StoreError> {
        match written {
            Ok(_) => self.writer = Some(writer),
            Err(_) => writer.close().await,
        }
        written
    }
}

async fn claim(writer: &mut Writer) -> Result<Epoch, StoreError> {
    let claimed = sqlx::query(
        "UPDATE site_head SET epoch = epoch + 1 WHERE id = 1 RETURNING seq, hash, epoch",
    )
    .fetch_one(&mut writer.conn)
    .await;
    let (head, epoch) = head_of(&claimed.map_err(trouble("claiming the lead"))?)?;
    writer.known = Some((head, epoch));
    Ok(epoch)
}

async fn write(writer: &mut Writer, commit: &Commit) -> Result<(), StoreError> {
    // Nobody else moves the head: this process holds `store.lock`. So what the last commit left is taken for what is
    // stored, and the statement itself refuses where that is not so.
    let (head, leads) = match writer.known.take() {
        Some(known) => known,
        None => head_and_epoch(&mut writer.conn).await?,
    };
    let next = match fence::judge(&head, leads, commit)? {
        Verdict::Goes(next) => next,
        Verdict::IsThere => {
            writer.known = Some((head, leads));
            return Ok(());
        }
    };
    let batches = of_commit(commit)?;
    #[cfg(feature = "faults")]
    super::midway::arm(&mut writer.conn).await?;
    if let Err(why) = insert(&mut writer.conn, (&head, leads, &next), batches).await {
        // Where the head is another than was known, that is what there is to say.
        if matches!(why, StoreError::Contradiction(_)) {
            let (stored, leads) = head_and_epoch(&mut writer.conn).await?;
            if fence::judge(&stored, leads, commit)? == Verdict::IsThere {
                return Ok(());
            }
        }
        return Err(why);
    }
    writer.known = Some((next, leads));
    Ok(())
}

async fn head_and_epoch(conn: &mut SqliteConnection) -> Result<(Head, Epoch), StoreError> {
    head_of(
        &sqlx::query(HEAD).fetch_one(conn).await.map_err(trouble("reading the journal's head"))?,
    )
}

/// One statement for all batches: the first moves the head, the others find it there.
async fn insert(
    conn: &mut SqliteConnection,
    (was, leads, next): (&Head, Epoch, &Head),
    batches: Vec<Batch>,
) -> Result<(), StoreError> {
    let row = format!("({})", ["?"; 5 + KINDS].join(","));
    let text = format!("INSERT INTO turn VALUES {}", vec![row; batches.len()].join(","));
    let mut statement = sqlx::query(AssertSqlSafe(text));
    for (number, batch) in batches.into_iter().enumerate() {
        let was = if number == 0 { was } else { next };
        statement = statement
            .bind(int(was.seq))
            .bind(was.hash.clone())
            .bind(int(leads.0))
            .bind(int(next.seq))
            .bind(next.hash.clone());
        for column in batch.into_columns() {
            statement = statement.bind(column);
        }
    }
    statement.execute(conn).await.map(|_| ()).map_err(trouble("commit"))
}
