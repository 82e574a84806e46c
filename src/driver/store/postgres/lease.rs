//! The lease: who may lead, for how long, by the database's clock.
//!
//! Each taking has an epoch of its own, in the lease and in `site_head`, where every commit is compared with it. So the
//! lease only says when another may try; that a former leader writes nothing any more is the epoch's doing.

use std::time::Duration;

use sqlx::Row;
use sqlx::postgres::PgConnection;

use super::address::PostgresAddress;
use super::session::{Purpose, connect, within};
use super::trouble::trouble;
use crate::driver::store::text::Columns;
use crate::port::StoreError;
use crate::types::Epoch;

/// How long a lease goes on by itself, and how often its holder renews it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct LeaseTimes {
    pub lasts: Duration,
    pub renewed: Duration,
}

impl Default for LeaseTimes {
    /// Another leads within some seconds after the death of one, and a database that is slow for a moment changes
    /// nothing.
    fn default() -> Self {
        Self { lasts: Duration::from_secs(5), renewed: Duration::from_secs(1) }
    }
}

/// What came of trying to take the lease.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Taken {
    Leads(Epoch),
    Held {
        /// Host and process.
        by: String,
        /// Another one at each renewal.
        expires: i64,
        /// Until then, by the database's clock; zero when it has just run out.
        left: Duration,
    },
}

/// A hand on the lease: takes, renews and gives it back. It connects when it is first asked, and anew after trouble.
#[derive(Debug)]
pub struct Lease {
    address: PostgresAddress,
    holder: String,
    times: LeaseTimes,
    /// With which it was taken.
    epoch: Option<Epoch>,
    conn: Option<PgConnection>,
}

/// A lease whose end lies further ahead than any renewal puts it was written by a clock that has been set back since.
const TAKE: &str = "
    WITH clock AS MATERIALIZED (SELECT (extract(epoch FROM clock_timestamp()) * 1000000)::bigint AS now),
    taken AS (
        UPDATE lease SET epoch = lease.epoch + 1, holder = $1, expires = clock.now + $2 FROM clock
        WHERE id = 1 AND (expires <= clock.now OR expires > clock.now + 2 * $2 OR epoch = $3)
            AND NOT EXISTS (SELECT 1 FROM relocation)
        RETURNING lease.epoch
    )
    UPDATE site_head SET epoch = taken.epoch FROM taken WHERE id = 1 RETURNING site_head.epoch";
const HELD: &str = "
    SELECT holder, expires, expires - (extract(epoch FROM clock_timestamp()) * 1000000)::bigint AS remaining,
        (SELECT place FROM relocation WHERE state = 'arriving') AS arriving,
        (SELECT place FROM relocation WHERE state = 'gone') AS gone,
        (SELECT epoch FROM site_head WHERE id = 1) AS leads
    FROM lease WHERE id = 1";
/// Not synced: where the server loses it in a crash, the lease ends earlier.
const RENEW: &str = "
    UPDATE lease SET expires = (extract(epoch FROM clock_timestamp()) * 1000000)::bigint + $2
    WHERE id = 1 AND epoch = $1 AND set_config('synchronous_commit', 'off', true) = 'off'";
const RELEASE: &str = "UPDATE lease SET expires = 0 WHERE id = 1 AND epoch = $1";

const DOING: &str = "the lease of the lead";

impl Lease {
    /// `holder` is for people: host and process.
    pub fn new(address: PostgresAddress, holder: String, times: LeaseTimes) -> Self {
        Self { address, holder, times, epoch: None, conn: None }
    }

    /// Another hand on the same lease, which knows what this one has taken.
    pub(super) fn another(&self) -> Self {
        let Self { address, holder, times, epoch, conn: _ } = self;
        Self {
            address: address.clone(),
            holder: holder.clone(),
            times: *times,
            epoch: *epoch,
            conn: None,
        }
    }

    pub(super) fn epoch(&self) -> Option<Epoch> {
        self.epoch
    }

    pub(super) fn times(&self) -> LeaseTimes {
        self.times
    }

    /// Takes it where it is free, has run out, or is this one's own.
    pub async fn try_take(&mut self) -> Result<Taken, StoreError> {
        let mut conn = self.connected().await?;
        let taken = within(self.patience(), DOING, take(&mut conn, self)).await?;
        self.conn = Some(conn);
        if let Taken::Leads(epoch) = &taken {
            self.epoch = Some(*epoch);
        }
        Ok(taken)
    }

    /// Puts its end off. `Overtaken`: somebody else has taken it.
    pub async fn renew(&mut self) -> Result<(), StoreError> {
        let Some(epoch) = self.epoch else { return Err(never_taken()) };
        let mut conn = self.connected().await?;
        within(self.patience(), DOING, renew(&mut conn, epoch, self.times.lasts)).await?;
        self.conn = Some(conn);
        Ok(())
    }

    /// Lets another have it at once.
    pub async fn release(&mut self) -> Result<(), StoreError> {
        let Some(epoch) = self.epoch.take() else { return Ok(()) };
        let mut conn = self.connected().await?;
        let release = async {
            let release = sqlx::query(RELEASE).bind(number(epoch)).execute(&mut conn).await;
            release.map(|_| ()).map_err(trouble(DOING))
        };
        within(self.patience(), DOING, release).await
    }

    /// Taken out: not put back after trouble.
    async fn connected(&mut self) -> Result<PgConnection, StoreError> {
        match self.conn.take() {
            Some(conn) => Ok(conn),
            None => within(self.patience(), DOING, connect(&self.address, Purpose::Write)).await,
        }
    }

    /// An answer that comes later than this comes too late.
    fn patience(&self) -> Duration {
        self.times.lasts / 2
    }
}

async fn take(conn: &mut PgConnection, lease: &Lease) -> Result<Taken, StoreError> {
    let taken = sqlx::query(TAKE)
        .bind(&lease.holder)
        .bind(micros(lease.times.lasts))
        .bind(lease.epoch.map(number))
        .fetch_optional(&mut *conn)
        .await
        .map_err(trouble(DOING))?;
    if let Some(row) = taken {
        return Ok(Taken::Leads(Epoch(row.count("epoch")?)));
    }
    let row = sqlx::query(HELD).fetch_one(conn).await.map_err(trouble(DOING))?;
    if let Some(from) = row.maybe_text("arriving")? {
        return Err(StoreError::Elsewhere(format!(
            "its history is still on its way from {from}: give `nightrun store copy` again there"
        )));
    }
    if let Some(place) = row.maybe_text("gone")? {
        return Err(StoreError::Elsewhere(format!("its history goes on in {place}")));
    }
    if row.maybe_number("leads")?.is_none() {
        return Err(StoreError::Damaged(format!("{DOING}: nothing says where the journal stands")));
    }
    let left = u64::try_from(row.number("remaining")?).unwrap_or(0);
    let (by, expires) = (row.text("holder")?, row.number("expires")?);
    Ok(Taken::Held { by, expires, left: Duration::from_micros(left) })
}

async fn renew(conn: &mut PgConnection, epoch: Epoch, lasts: Duration) -> Result<(), StoreError> {
    let renewed = sqlx::query(RENEW)
        .bind(number(epoch))
        .bind(micros(lasts))
        .execute(&mut *conn)
        .await
        .map_err(trouble(DOING))?;
    if renewed.rows_affected() == 1 {
        return Ok(());
    }
    let row = sqlx::query("SELECT epoch, holder FROM lease WHERE id = 1").fetch_one(conn).await;
    let row = row.map_err(trouble(DOING))?;
    Err(StoreError::Overtaken(format!(
        "its epoch was {}; {} leads under epoch {}",
        epoch.0,
        row.text("holder")?,
        row.try_get::<i64, _>("epoch").map_err(trouble(DOING))?
    )))
}

fn never_taken() -> StoreError {
    StoreError::Contradiction("the lease is renewed and was never taken".to_owned())
}

fn number(epoch: Epoch) -> i64 {
    crate::driver::store::text::int(epoch.0)
}

fn micros(span: Duration) -> i64 {
    i64::try_from(span.as_micros()).unwrap_or(i64::MAX)
}
