//! Writing: one statement a commit, which is a transaction by itself. A statement that the server has is carried out to
//! its end or not at all, whatever becomes of the connection.

use std::time::Duration;

use jiff::Timestamp;
use sqlx::postgres::{PgConnection, Postgres};

use super::keeper::{Keeper, overtaken};
use super::lease::Taken;
use super::open::{PostgresReader, PostgresStore, Writer};
use super::session;
use super::session::{ANSWER, within};
use super::trouble::{is_moved, trouble};
use crate::driver::store::batch::{Batch, of_commit};
use crate::driver::store::fence::{self, Verdict};
use crate::driver::store::read::{HEAD, check_end, head_of, prove_open};
use crate::driver::store::statement::Statement;
use crate::driver::store::text::int;
use crate::driver::store::{blob, outbox};
use crate::journal::Head;
use crate::port::{Commit, Pulse, Store, StoreError};
use crate::types::Epoch;

/// What the connection that writes knows beside the database's own schema.
pub(super) const TURN: &str = concat!(
    // A server that is set not to wait for its disk does so for this connection.
    "SELECT set_config('synchronous_commit', 'on', false) WHERE current_setting('synchronous_commit') = 'off';",
    include_str!("turn.sql")
);

/// Between two looks at a lease that may be one of a dead supervisor.
const LOOK_AGAIN: Duration = Duration::from_millis(250);

impl Store for PostgresStore {
    type Reader = PostgresReader;

    fn reader(&self) -> &PostgresReader {
        &self.reader
    }

    /// Takes the lease and keeps it from then on. One that is renewed meanwhile is another's (`InUse`); one that is not is
    /// waited for until it has run out.
    /// Ends the lead where this store has it, and all connections.
    async fn close(mut self) {
        drop(self.keeper.take());
        if let Some(writer) = self.writer.take() {
            session::close(writer.conn).await;
        }
        self.reader.pool.close().await;
    }

    async fn claim_epoch(&mut self) -> Result<Epoch, StoreError> {
        // What a former lead knew, and its keeper, are over; its lease is this one's own.
        self.writer = None;
        let mut seen = None;
        let epoch = loop {
            match self.lease.try_take().await? {
                Taken::Leads(epoch) => break epoch,
                Taken::Held { by, expires, .. } => {
                    if *seen.get_or_insert(expires) != expires {
                        return Err(StoreError::InUse(format!(": {by} leads")));
                    }
                }
            }
            let never = std::future::pending::<()>();
            let _ = tokio::time::timeout(LOOK_AGAIN, never).await;
        };
        self.keeper = Some(Keeper::start(self.lease.another(), self.pulse.clone())?);
        let proven = prove(&self.reader).await;
        if proven.is_err() {
            self.keeper = None;
        }
        proven.map(|()| epoch)
    }

    async fn commit(&mut self, commit: &Commit) -> Result<(), StoreError> {
        let mut writer = self.take_writer().await?;
        within(ANSWER, "commit", write(&mut writer, commit)).await?;
        self.writer = Some(writer);
        Ok(())
    }

    async fn outbox_sent(&mut self, id: u64, at: Timestamp, reply: &str) -> Result<(), StoreError> {
        let under = self.lease.epoch();
        self.note_mail(id, outbox::sent(id, at, reply, under)).await
    }

    async fn outbox_failed(
        &mut self,
        id: u64,
        why: &str,
        next_try: Option<Timestamp>,
    ) -> Result<(), StoreError> {
        let under = self.lease.epoch();
        self.note_mail(id, outbox::failed(id, why, next_try, under)).await
    }

    async fn blob_put(&mut self, bytes: &[u8]) -> Result<String, StoreError> {
        let (address, statement) = blob::keep(bytes);
        self.execute(statement).await?;
        Ok(address)
    }

    async fn still_leads(&mut self) -> Result<(), StoreError> {
        let mut writer = self.take_writer().await?;
        let read = head_and_epoch(&mut writer.conn);
        let (_, leads) = within(ANSWER, "asking who leads", read).await?;
        self.writer = Some(writer);
        match self.lease.epoch() {
            Some(epoch) if epoch < leads => Err(fence::overtaken(epoch, leads)),
            _ => Ok(()),
        }
    }

    fn pulse(&self) -> Option<Pulse> {
        Some(self.pulse.clone())
    }

    fn overtaken(&self) -> impl Future<Output = StoreError> + Send + 'static {
        overtaken(self.keeper.as_ref().map(Keeper::lost))
    }
}

impl PostgresStore {
    /// Nothing was changed: another leads, or there is no such message.
    async fn note_mail(&mut self, id: u64, note: Statement) -> Result<(), StoreError> {
        let rows = self.execute(note).await?;
        if rows == 0 {
            self.still_leads().await?;
        }
        outbox::known(id, rows)
    }

    /// How many rows it changed.
    pub(in crate::driver::store) async fn execute(
        &mut self,
        statement: Statement,
    ) -> Result<u64, StoreError> {
        let mut writer = self.take_writer().await?;
        let doing = statement.doing;
        let execute = async {
            let done = statement.query::<Postgres>().execute(&mut writer.conn).await;
            Ok(done.map_err(trouble(doing))?.rows_affected())
        };
        let rows = within(ANSWER, doing, execute).await?;
        self.writer = Some(writer);
        Ok(rows)
    }
}

/// What a lead goes by is proven when nobody else adds to it any more.
async fn prove(reader: &PostgresReader) -> Result<(), StoreError> {
    check_end(reader).await?;
    prove_open(reader).await
}

async fn write(writer: &mut Writer, commit: &Commit) -> Result<(), StoreError> {
    // What the last commit left is taken for what is stored; the statement itself refuses where that is not so.
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
    match insert(&mut writer.conn, (&head, leads, &next), of_commit(commit)?).await {
        Ok(()) => {
            writer.known = Some((next, leads));
            Ok(())
        }
        Err(why) if is_moved(&why) => moved(&mut writer.conn, commit).await,
        Err(why) => Err(trouble("commit")(why)),
    }
}

/// The head is another than was known: by this very commit, whose answer was lost, or by another supervisor.
async fn moved(conn: &mut PgConnection, commit: &Commit) -> Result<(), StoreError> {
    let (stored, leads) = head_and_epoch(conn).await?;
    match fence::judge(&stored, leads, commit)? {
        Verdict::IsThere => Ok(()),
        Verdict::Goes(_) => Err(StoreError::Trouble(
            "commit: the journal was not where it was known to be, and is again".to_owned(),
        )),
    }
}

async fn head_and_epoch(conn: &mut PgConnection) -> Result<(Head, Epoch), StoreError> {
    head_of(
        &sqlx::query(HEAD).fetch_one(conn).await.map_err(trouble("reading the journal's head"))?,
    )
}

async fn insert(
    conn: &mut PgConnection,
    (was, leads, next): (&Head, Epoch, &Head),
    batches: Vec<Batch>,
) -> Result<(), sqlx::Error> {
    let parts: Vec<Option<String>> = batches.into_iter().flat_map(Batch::into_columns).collect();
    sqlx::query("SELECT pg_temp.turn($1, $2, $3, $4, $5, $6)")
        .bind(int(was.seq))
        .bind(&was.hash)
        .bind(int(leads.0))
        .bind(int(next.seq))
        .bind(&next.hash)
        .bind(parts)
        .execute(conn)
        .await
        .map(|_| ())
}
