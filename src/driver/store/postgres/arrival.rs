//! A history from elsewhere arrives in a database that has none.

use jiff::Timestamp;
use sqlx::postgres::{PgConnection, PgCopyIn};
use sqlx::{AssertSqlSafe, Executor};

use std::time::Duration;

use super::address::PostgresAddress;
use super::lease::LeaseTimes;
use super::open::{PostgresReader, PostgresStore};
use super::session::{Purpose, connect, within};
use super::trouble::trouble;
use crate::driver::store::copy::Table;
use crate::driver::store::read::{HEAD, head_of};
use crate::driver::store::text::{Columns, int};
use crate::journal::Head;
use crate::port::{Store, StoreError, StoreReader};
use crate::types::Epoch;

const DOING: &str = "copying the store";
/// For the answer to one statement, or for one piece of rows to be taken.
const PATIENCE: Duration = Duration::from_secs(120);
/// Rows are sent in pieces of about this size.
const PIECE: usize = 256 * 1024;

/// The database that a history is copied into.
#[derive(Debug)]
pub(in crate::driver::store) struct Arrival {
    conn: PgConnection,
    reader: PostgresReader,
    address: PostgresAddress,
    /// Where the history comes from.
    from: String,
    standing: Standing,
}

#[derive(Debug, PartialEq, Eq)]
enum Standing {
    Empty,
    /// An earlier copy of the same history was interrupted.
    Arriving,
    /// It has a history, and takes it further.
    Home,
}

impl Arrival {
    /// Makes the store where there is none. One that another history is on its way to is refused.
    pub(in crate::driver::store) async fn prepare(
        address: &PostgresAddress,
        from: &str,
    ) -> Result<Self, StoreError> {
        let store = PostgresStore::open(address, String::new(), LeaseTimes::default()).await?;
        let reader = store.reader().clone();
        drop(store);
        let mut conn = connect(address, Purpose::Build).await?;
        let row = sqlx::query(
            "SELECT (SELECT place FROM relocation) AS place, (SELECT state FROM relocation) AS state, seq, epoch
             FROM site_head WHERE id = 1",
        )
        .fetch_one(&mut conn)
        .await
        .map_err(trouble(DOING))?;
        let standing = match (row.maybe_text("state")?.as_deref(), row.maybe_text("place")?) {
            (None, _) if row.number("seq")? == 0 && row.number("epoch")? == 0 => Standing::Empty,
            (None, _) => Standing::Home,
            (Some("arriving"), Some(place)) if place == from => Standing::Arriving,
            (_, place) => {
                return Err(StoreError::Elsewhere(format!(
                    "{address} is between two places itself ({})",
                    place.unwrap_or_default()
                )));
            }
        };
        Ok(Self { conn, reader, address: address.clone(), from: from.to_owned(), standing })
    }

    /// Whether it has a history of its own, or has this one and goes on with it.
    pub(in crate::driver::store) fn is_home(&self) -> bool {
        self.standing == Standing::Home
    }

    /// Opens the transaction, and takes away what an earlier copy left. Nobody leads here from now on.
    pub(in crate::driver::store) async fn begin(
        &mut self,
        tables: &[Table],
        now: Timestamp,
    ) -> Result<(), StoreError> {
        if self.is_home() {
            return Err(StoreError::Elsewhere(format!(
                "{} has a history of its own, or somebody has led there: copy into an empty database",
                self.address
            )));
        }
        let names: Vec<&str> = tables.iter().map(|table| table.name.as_str()).collect();
        // Locked before it is looked at again: a supervisor that began to lead meanwhile has an epoch.
        self.say(&format!(
            "BEGIN; LOCK TABLE lease, site_head IN EXCLUSIVE MODE; TRUNCATE {}; DELETE FROM relocation",
            names.join(", ")
        ))
        .await?;
        let begun = sqlx::query(
            "INSERT INTO relocation (id, state, place, at)
             SELECT 1, 'arriving', $1, $2 FROM lease WHERE id = 1 AND (epoch = 0 OR $3)",
        )
        .bind(&self.from)
        .bind(now.as_microsecond())
        .bind(self.standing == Standing::Arriving)
        .execute(&mut self.conn)
        .await
        .map_err(trouble(DOING))?;
        match begun.rows_affected() {
            1 => Ok(()),
            _ => Err(StoreError::InUse(format!(
                ": a supervisor has begun to lead in {}",
                self.address
            ))),
        }
    }

    pub(in crate::driver::store) async fn table(
        &mut self,
        table: &Table,
    ) -> Result<Pouring<'_>, StoreError> {
        let into = format!("COPY {} ({}) FROM STDIN", table.name, table.columns.join(", "));
        let copy = self.conn.copy_in_raw(&into).await.map_err(trouble(DOING))?;
        Ok(Pouring { copy, piece: String::new(), rows: 0 })
    }

    /// All of it is there: the transaction ends.
    pub(in crate::driver::store) async fn stands_at(
        &mut self,
        head: &Head,
        epoch: Epoch,
    ) -> Result<(), StoreError> {
        let text = "UPDATE site_head SET seq = $1, hash = $2, epoch = $3 WHERE id = 1";
        let set = sqlx::query(text).bind(int(head.seq)).bind(&head.hash).bind(int(epoch.0));
        set.execute(&mut self.conn).await.map_err(trouble(DOING))?;
        let text = "UPDATE lease SET epoch = $1, expires = 0 WHERE id = 1";
        let set = sqlx::query(text).bind(int(epoch.0));
        set.execute(&mut self.conn).await.map_err(trouble(DOING))?;
        self.say("COMMIT; ANALYZE").await
    }

    /// Proves what has arrived: the chain to its end, and every kept file.
    pub(in crate::driver::store) async fn expects(
        &mut self,
        head: &Head,
    ) -> Result<(), StoreError> {
        let row = sqlx::query(HEAD).fetch_one(&mut self.conn).await.map_err(trouble(DOING))?;
        let stored = head_of(&row)?.0;
        if stored != *head {
            return Err(StoreError::Damaged(format!(
                "{} ends with entry {}, and what was copied with {}",
                self.address, stored.seq, head.seq
            )));
        }
        self.reader.verify().await?;
        let row = sqlx::query(
            "SELECT count(*) AS altered FROM blob WHERE address <> encode(sha256(
                 CASE encoding WHEN 'text' THEN convert_to(content, 'UTF8') ELSE decode(content, 'hex') END), 'hex')",
        )
        .fetch_one(&mut self.conn)
        .await
        .map_err(trouble(DOING))?;
        match row.number("altered")? {
            0 => Ok(()),
            altered => Err(StoreError::Damaged(format!(
                "{altered} kept files in {} are not what they were",
                self.address
            ))),
        }
    }

    /// Whoever comes may lead here.
    pub(in crate::driver::store) async fn release(mut self) -> Result<(), StoreError> {
        self.say("DELETE FROM relocation").await
    }

    async fn say(&mut self, text: &str) -> Result<(), StoreError> {
        let said = async {
            let text = AssertSqlSafe(text.to_owned());
            self.conn.execute(sqlx::raw_sql(text)).await.map(|_| ()).map_err(trouble(DOING))
        };
        within(PATIENCE, DOING, said).await
    }
}

/// Rows on their way into a table.
pub(in crate::driver::store) struct Pouring<'a> {
    copy: PgCopyIn<&'a mut PgConnection>,
    piece: String,
    rows: u64,
}

impl Pouring<'_> {
    pub(in crate::driver::store) async fn row(
        &mut self,
        cells: &[Option<String>],
    ) -> Result<(), StoreError> {
        line(cells, &mut self.piece);
        self.rows += 1;
        if self.piece.len() < PIECE { Ok(()) } else { self.send().await }
    }

    pub(in crate::driver::store) async fn finish(mut self) -> Result<(), StoreError> {
        self.send().await?;
        let taken = self.copy.finish().await.map_err(trouble(DOING))?;
        if taken == self.rows {
            return Ok(());
        }
        Err(StoreError::Damaged(format!("{DOING}: {taken} rows of {} have arrived", self.rows)))
    }

    async fn send(&mut self) -> Result<(), StoreError> {
        let piece = std::mem::take(&mut self.piece);
        let sent =
            async { self.copy.send(piece.as_bytes()).await.map(|_| ()).map_err(trouble(DOING)) };
        within(PATIENCE, DOING, sent).await
    }
}

/// A row as the text form of COPY has it.
fn line(cells: &[Option<String>], into: &mut String) {
    for (at, cell) in cells.iter().enumerate() {
        if at > 0 {
            into.push('\t');
        }
        let Some(cell) = cell else {
            into.push_str("\\N");
            continue;
        };
        for c in cell.chars() {
            match c {
                '\\' => into.push_str("\\\\"),
                '\t' => into.push_str("\\t"),
                '\n' => into.push_str("\\n"),
                '\r' => into.push_str("\\r"),
                other => into.push(other),
            }
        }
    }
    into.push('\n');
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_line_holds_whatever_a_cell_holds() {
        let mut text = String::new();
        let cell = |text: &str| Some(text.to_owned());
        line(&[cell("a\tb"), None, cell(""), cell("\\N\r\n日终")], &mut text);
        assert_eq!(text, "a\\tb\t\\N\t\t\\\\N\\r\\n日终\n");
    }
}
