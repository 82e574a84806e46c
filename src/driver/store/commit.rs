//! Writing: one transaction a commit.

use jiff::Timestamp;
use sqlx::{Connection, QueryBuilder, SqliteConnection};

use super::fence::{self, Verdict};
use super::open::{SqliteReader, SqliteStore};
use super::read::head_and_epoch;
use super::text::{encode, int};
use super::trouble::trouble;
use super::{outbox, rows};
use crate::journal::{Sealed, address};
use crate::port::{Commit, Store, StoreError, TrialOffset};
use crate::types::{Epoch, RunId};

impl Store for SqliteStore {
    type Reader = SqliteReader;

    fn reader(&self) -> &SqliteReader {
        &self.reader
    }

    async fn claim_epoch(&mut self) -> Result<Epoch, StoreError> {
        let conn = self.writer().await?;
        let claimed: Result<i64, _> = sqlx::query_scalar(
            "UPDATE site_head SET epoch = epoch + 1 WHERE id = 1 RETURNING epoch",
        )
        .fetch_one(conn)
        .await;
        let claimed = self.settled(claimed.map_err(trouble("claiming the lead"))).await?;
        u64::try_from(claimed).map(Epoch).map_err(|why| StoreError::Damaged(why.to_string()))
    }

    async fn commit(&mut self, commit: &Commit) -> Result<(), StoreError> {
        let conn = self.writer().await?;
        let written = write(conn, commit).await;
        self.settled(written).await
    }

    async fn outbox_sent(&mut self, id: u64, at: Timestamp, reply: &str) -> Result<(), StoreError> {
        let conn = self.writer().await?;
        let written = outbox::sent(conn, id, at, reply).await;
        self.settled(written).await
    }

    async fn outbox_failed(
        &mut self,
        id: u64,
        why: &str,
        next_try: Option<Timestamp>,
    ) -> Result<(), StoreError> {
        let conn = self.writer().await?;
        let written = outbox::failed(conn, id, why, next_try).await;
        self.settled(written).await
    }

    async fn blob_put(&mut self, bytes: &[u8]) -> Result<String, StoreError> {
        let conn = self.writer().await?;
        let written = blob(conn, bytes).await;
        self.settled(written).await
    }
}

impl SqliteStore {
    /// Passes the result of a write on; after one that failed the connection is not used again.
    async fn settled<T>(&mut self, written: Result<T, StoreError>) -> Result<T, StoreError> {
        if written.is_err() {
            self.give_up_writer().await;
        }
        written
    }
}

async fn write(conn: &mut SqliteConnection, commit: &Commit) -> Result<(), StoreError> {
    let doing = trouble("commit");
    let mut tx = conn.begin_with("BEGIN IMMEDIATE").await.map_err(&doing)?;
    let (stored, leads) = head_and_epoch(&mut *tx).await?;
    let Verdict::Goes(head) = fence::judge(&stored, leads, commit)? else {
        return Ok(());
    };
    entries(&mut tx, &commit.entries).await?;
    for row in &commit.rows {
        rows::write(&mut tx, row).await?;
    }
    outbox::queue(&mut tx, &commit.mail).await?;
    for bytes in &commit.blobs {
        blob(&mut tx, bytes).await?;
    }
    if let Some((run, offset)) = &commit.trial {
        trial(&mut tx, run, *offset).await?;
    }
    sqlx::query("UPDATE site_head SET seq = $1, hash = $2 WHERE id = 1")
        .bind(int(head.seq))
        .bind(&head.hash)
        .execute(&mut *tx)
        .await
        .map_err(&doing)?;
    tx.commit().await.map_err(&doing)
}

/// Entries that one statement takes. Few sizes, so that each is prepared once: what counts in a large commit is how
/// often SQLite's thread is woken.
const AT_ONCE: [usize; 7] = [64, 16, 8, 4, 3, 2, 1];

async fn entries(conn: &mut SqliteConnection, mut rest: &[Sealed]) -> Result<(), StoreError> {
    for size in AT_ONCE {
        while let Some((some, after)) = rest.split_at_checked(size) {
            insert(conn, some).await?;
            rest = after;
        }
    }
    Ok(())
}

async fn insert(conn: &mut SqliteConnection, some: &[Sealed]) -> Result<(), StoreError> {
    let mut statement =
        QueryBuilder::new("INSERT INTO journal (seq, run, at, epoch, kind, body, hash) ");
    statement.push_values(some, |mut row, entry| {
        row.push_bind(int(entry.seq))
            .push_bind(entry.run.as_deref())
            .push_bind(entry.at)
            .push_bind(int(entry.epoch.0))
            .push_bind(&*entry.kind)
            .push_bind(&entry.body)
            .push_bind(&entry.hash);
    });
    let done = statement.build().execute(conn).await;
    done.map(|_| ()).map_err(trouble("writing the journal"))
}

async fn blob(conn: &mut SqliteConnection, bytes: &[u8]) -> Result<String, StoreError> {
    let address = address(bytes);
    let (encoding, content) = encode(bytes);
    sqlx::query(
        "INSERT INTO blob (address, encoding, content) VALUES ($1, $2, $3) ON CONFLICT (address) DO NOTHING",
    )
    .bind(&address)
    .bind(encoding)
    .bind(content)
    .execute(conn)
    .await
    .map_err(trouble("keeping a copy of a file"))?;
    Ok(address)
}

async fn trial(
    conn: &mut SqliteConnection,
    run: &RunId,
    offset: TrialOffset,
) -> Result<(), StoreError> {
    let micros = |many: i128| i64::try_from(many).unwrap_or(i64::MAX);
    let since_boot = i64::try_from(offset.since_boot.as_micros()).unwrap_or(i64::MAX);
    sqlx::query(
        "INSERT INTO trial_clock (run, wall, since_boot) VALUES ($1, $2, $3)
         ON CONFLICT (run) DO UPDATE SET wall = excluded.wall, since_boot = excluded.since_boot",
    )
    .bind(run.to_string())
    .bind(micros(offset.wall.as_micros()))
    .bind(since_boot)
    .execute(conn)
    .await
    .map(|_| ())
    .map_err(trouble("keeping a trial's clock"))
}
