//! Rows that nightrun keeps itself (`backup:` of change.yaml): kept and proven before the change, compared with what the
//! change has left before anything is rolled back, and put back where the author wrote no rollback.

mod table;

use super::apply::at;
use super::history::Applied;
use super::scripts::Scripts;
use super::{Attempt, Stop, complain, say};
use crate::agent::worker::db::{Access, Db, DbError};
use crate::agent::worker::log::count;
use crate::agent::worker::statement::Ran;
use crate::agent::worker::steps::Step;
use crate::definition::site::{Backup, BackupTable};
use crate::sql::lint::Part;
use crate::sql::{self, Dialect};
use crate::types::AttemptId;
use crate::wire::{ChangedRow, KeptRows, RowNow};
use table::{SCHEMA, Table};

/// Rows changed by others that are told one by one.
const SHOWN: usize = 20;

/// What of a session decides how values read as text. The order of day and month, which says how they are written, stays.
const READS: &str = "SELECT current_setting('DateStyle'), current_setting('IntervalStyle'), \
     current_setting('bytea_output'), current_setting('extra_float_digits'), \
     current_setting('TimeZone')";
const READ_AS: &str = "SELECT set_config('DateStyle', $1, true), set_config('IntervalStyle', $2, true), \
     set_config('bytea_output', $3, true), set_config('extra_float_digits', $4, true), \
     set_config('TimeZone', $5, true)";

/// Settings that are set back.
struct Former(Vec<Option<String>>);

/// From here on the same values read the same in every session.
async fn read_alike(db: &mut Db) -> Result<Former, DbError> {
    if db.dialect() != Dialect::Postgres {
        return Ok(Former(Vec::new()));
    }
    let former = db.ask(READS, &[]).await?.pop().unwrap_or_default();
    let alike = ["ISO", "postgres", "hex", "1", "UTC"].map(Some);
    db.ask(READ_AS, &alike).await?;
    Ok(Former(former))
}

impl Former {
    async fn set_back(self, db: &mut Db) -> Result<(), DbError> {
        if self.0.is_empty() {
            return Ok(());
        }
        let values: Vec<Option<&str>> = self.0.iter().map(Option::as_deref).collect();
        db.ask(READ_AS, &values).await.map(drop)
    }
}

/// What another table could hide in a sum over all of them.
fn not_hidden(kept: &KeptRows, gone: u64, changed: Ran) -> Result<(), Stop> {
    let KeptRows { table, rows: kept, .. } = kept;
    if changed.overwritten > *kept {
        return Err(Stop::guard(format!(
            "{} of {table} updated or deleted, but the backup kept only {kept} of it",
            count(changed.overwritten, "row")
        )));
    }
    if gone > changed.deleted {
        return Err(Stop::guard(format!(
            "{gone} of the kept rows are gone, and {} deleted, of {table}: a key was changed, or a trigger or foreign key deletes; write a backup.sql and a rollback.sql",
            count(changed.deleted, "row")
        )));
    }
    Ok(())
}

impl Attempt<'_> {
    /// The tables of `backup:` for the attempt that keeps their rows, or has kept them.
    async fn tables(
        &self,
        db: &mut Db,
        backup: &Backup,
        attempt: &str,
    ) -> Result<Vec<Table>, DbError> {
        let (change, pass) = (&self.task.change, self.pass.prefix());
        let of = format!("{change}\n{pass}{attempt}\n{}", db.identity().unwrap_or_default());
        let mut tables = Vec::new();
        for declared in &backup.tables {
            tables.push(Table::read(db, declared, &of).await?);
        }
        Ok(tables)
    }

    /// As [`tables`](Self::tables), where the marker says that the rows of an attempt were kept.
    async fn tables_of(
        &self,
        db: &mut Db,
        backup: &Backup,
        applied: &Applied,
    ) -> Result<Vec<Table>, DbError> {
        let mut tables = self.tables(db, backup, &applied.attempt).await?;
        for (table, kept) in tables.iter_mut().zip(&applied.kept) {
            table.lies_in(&kept.kept_in);
        }
        Ok(tables)
    }

    /// MySQL: makes the tables before the transaction. Empty ones that earlier attempts have left go.
    pub(super) async fn make_room(&self, db: &mut Db) -> Result<(), Stop> {
        let Some(backup) = self.task.backup.as_ref().filter(|_| db.dialect() == Dialect::Mysql)
        else {
            return Ok(());
        };
        self.clear(db, backup).await.map_err(at("backup"))?;
        for table in self.tables(db, backup, &self.id.to_string()).await.map_err(at("backup"))? {
            for sql in table.make() {
                db.run(&sql, 0).await.map_err(Self::no_room)?;
            }
        }
        self.steps.point("room-made");
        Ok(())
    }

    fn no_room(error: DbError) -> Stop {
        let stop = at("backup")(error);
        let hint = format!(
            "the rows are kept in {SCHEMA}, where the account needs what `nightrun change ledger TARGET` prints"
        );
        Stop { why: format!("{}; {hint}", stop.why), ..stop }
    }

    async fn clear(&self, db: &mut Db, backup: &Backup) -> Result<(), DbError> {
        const THERE: &str = "SELECT CAST(COUNT(*) AS CHAR) FROM information_schema.TABLES \
             WHERE CONCAT(TABLE_SCHEMA, '.', TABLE_NAME) = ?";
        for number_of in 1..self.id.number {
            let attempt = AttemptId { number: number_of, ..self.id.clone() };
            for table in self.tables(db, backup, &attempt.to_string()).await? {
                let there = db.ask(THERE, &[Some(&table.kept_in)]).await?;
                let there = there.first().and_then(|row| row.first()).cloned().flatten();
                let rows = format!("SELECT count(*) FROM {}", table.kept_in);
                if there.as_deref() == Some("1") && db.counted(&rows).await? == 0 {
                    db.run(&table.drop(), 0).await?;
                }
            }
        }
        Ok(())
    }

    /// After a transaction that is proven to have come to nothing: no rows were kept.
    pub(super) async fn nothing_kept(&mut self) {
        self.work.kept.clear();
        match self.held().await {
            Ok(mut held) => {
                self.give_back_room(&mut held.db).await;
                self.held = Some(held);
            }
            Err(error) => complain!("empty tables in {SCHEMA} may be left: {error}"),
        }
    }

    /// After a transaction that came to nothing: tables that were made before it hold nothing.
    pub(super) async fn give_back_room(&self, db: &mut Db) {
        let Some(backup) = self.task.backup.as_ref().filter(|_| db.dialect() == Dialect::Mysql)
        else {
            return;
        };
        let tables = match self.tables(db, backup, &self.id.to_string()).await {
            Ok(tables) => tables,
            Err(error) => {
                complain!("the empty tables in {SCHEMA} could not be dropped: {error}");
                return;
            }
        };
        for table in tables {
            if let Err(error) = db.run(&table.drop(), 0).await {
                complain!("the empty table {} could not be dropped: {error}", table.kept_in);
            }
        }
    }

    /// Keeps the rows in the transaction that is open, and proves that they are what is in their tables.
    pub(super) async fn keep(
        &mut self,
        db: &mut Db,
        backup: &Backup,
    ) -> Result<Vec<KeptRows>, Stop> {
        let id = self.id.to_string();
        let mut all = Vec::new();
        for table in self.tables(db, backup, &id).await.map_err(at("backup"))? {
            let answer = db.run(&table.keep(), 0).await.map_err(Self::no_room)?;
            let rows = db.filled(&table.kept_path(), &answer).await.map_err(at("backup"))?;
            db.intact().await.map_err(at("backup"))?;
            if !table.is_primary
                && db.counted(&table.not_told_apart()).await.map_err(at("backup"))? > 0
            {
                return Err(Stop::guard(format!(
                    "`key` does not tell the rows of {} apart that are to be kept",
                    table.name
                )));
            }
            let former = read_alike(db).await.map_err(at("backup"))?;
            let there = db.sum(&table.sum_declared()).await.map_err(at("backup"))?;
            let here = db.sum(&table.sum_kept()).await.map_err(at("backup"))?;
            former.set_back(db).await.map_err(at("backup"))?;
            if there != here || here.0 != rows {
                return Err(Stop::guard(format!(
                    "the rows of {} that were kept are not those that are there: {rows} of {}",
                    table.name, there.0
                )));
            }
            let (name, kept_in) = (table.name.clone(), table.kept_in.clone());
            say!("backup: {} of {name} kept in {kept_in}, checksum {}", count(rows, "row"), here.1);
            all.push(KeptRows { table: name, kept_in, rows, checksum: here.1 });
        }
        self.steps.record(Step::Kept { kept: all.clone() })?;
        Ok(all)
    }

    /// What the statements did to each table of `backup:`, by what they name. One that names several counts for each of them.
    pub(super) fn of_tables(&self, scripts: &Scripts, backup: &Backup, each: &[Ran]) -> Vec<Ran> {
        let (dialect, script) = (self.target.dialect(), scripts.split(Part::Change));
        let of = |table: &BackupTable| {
            let ran = script.statements.iter().zip(each);
            let of = ran.filter(|(text, _)| sql::backup::touches(dialect, text, &table.table));
            of.map(|(_, ran)| *ran).sum()
        };
        backup.tables.iter().map(of).collect()
    }

    /// Writes down what the change has made of the kept rows. Of no table are more of them gone than its own statements
    /// deleted there: a key that was changed could not be put back, and what triggers and foreign keys touch besides is not
    /// told apart by kind. Nor has it overwritten more rows of a table than were kept of it.
    pub(super) async fn remember(
        &mut self,
        db: &mut Db,
        backup: &Backup,
        changed: &[Ran],
    ) -> Result<(), Stop> {
        let id = self.id.to_string();
        let (mut rows, mut gone) = (0, Vec::new());
        for table in self.tables(db, backup, &id).await.map_err(at("after-image"))? {
            let former = read_alike(db).await.map_err(at("after-image"))?;
            let answer = db.run(&table.remember(), 0).await.map_err(at("after-image"))?;
            rows += db.filled(&table.image_path(), &answer).await.map_err(at("after-image"))?;
            former.set_back(db).await.map_err(at("after-image"))?;
            gone.push(db.counted(&table.gone()).await.map_err(at("after-image"))?);
        }
        db.intact().await.map_err(at("after-image"))?;
        let kept: u64 = self.work.kept.iter().map(|kept| kept.rows).sum();
        if rows != kept {
            let why = format!("{kept} rows were kept, and their keys are those of {rows} now");
            return Err(Stop::guard(why));
        }
        for (kept, (gone, changed)) in self.work.kept.iter().zip(gone.iter().zip(changed)) {
            not_hidden(kept, *gone, *changed)?;
        }
        let gone: u64 = gone.into_iter().sum();
        say!("after-image: {}, of which {gone} are gone", count(rows, "kept row"));
        self.steps.record(Step::Image { rows })?;
        Ok(())
    }

    /// Before a rollback: the kept rows are those that were kept, and nobody else has changed what the change has left.
    pub(super) async fn unchanged_since(
        &mut self,
        db: &mut Db,
        backup: &Backup,
        applied: &Applied,
    ) -> Result<(), Stop> {
        let tables = self.tables_of(db, backup, applied).await.map_err(at("backup"))?;
        let former = read_alike(db).await.map_err(at("backup"))?;
        let (mut found, mut shown) = (0, Vec::new());
        for (place, table) in tables.iter().enumerate() {
            let sum = db.sum(&table.sum_kept()).await.map_err(at("backup"))?;
            let kept = applied.kept.get(place);
            if kept.is_none_or(|kept| (kept.rows, &kept.checksum) != (sum.0, &sum.1)) {
                return Err(Stop::clean(format!(
                    "what {} holds is not what was kept of {}: {}, checksum {}",
                    table.kept_in,
                    table.name,
                    count(sum.0, "row"),
                    sum.1
                )));
            }
            let images = db.counted(&table.images()).await.map_err(at("after-image"))?;
            if images != sum.0 {
                return Err(Stop::clean(format!(
                    "{} tells what the change has left of {images} of the {} kept rows of {}",
                    table.image_in, sum.0, table.name
                )));
            }
            let answer = db.run(&table.changed_since(), SHOWN).await.map_err(at("after-image"))?;
            found += answer.count;
            let told = answer.rows.iter().filter_map(|row| {
                let [key, now] = row.as_slice() else { return None };
                let now = now.to_string();
                let now = RowNow::ALL.into_iter().find(|known| known.name() == now)?;
                Some(ChangedRow { table: table.name.clone(), key: key.to_string(), now })
            });
            shown.extend(told);
        }
        former.set_back(db).await.map_err(at("backup"))?;
        shown.truncate(SHOWN);
        if found == 0 {
            return Ok(());
        }
        for ChangedRow { table, key, now } in &shown {
            complain!("changed by somebody else since: {table} {key}: {}", now.name());
        }
        let first: Vec<String> =
            shown.iter().take(3).map(|row| format!("{} {}", row.table, row.key)).collect();
        let more = if found > 3 { ", …" } else { "" };
        self.note_after(Step::ChangedSince { count: found, rows: shown.clone() });
        self.work.changed_since = shown;
        Err(Stop::clean(format!(
            "somebody else has changed {} since, and nothing is overwritten: {}{more}",
            count(found, "kept row"),
            first.join(", ")
        )))
    }

    /// Puts the kept rows back, and proves that they are there as they were. An INSERT or UPDATE that
    /// has nothing to do is not run: the account may have no right to it.
    pub(super) async fn put_back(
        &mut self,
        db: &mut Db,
        backup: &Backup,
        applied: &Applied,
    ) -> Result<u64, Stop> {
        let mut rows = 0;
        let tables = self.tables_of(db, backup, applied).await.map_err(at("rollback"))?;
        for table in &tables {
            if db.counted(&table.gone()).await.map_err(at("rollback"))? > 0 {
                rows += db.run(&table.insert_back(), 0).await.map_err(at("rollback"))?.changes;
                db.intact().await.map_err(at("rollback"))?;
            }
            if let Some(update) = table.update_back()
                && db.counted(&table.differing()).await.map_err(at("rollback"))? > 0
            {
                rows += db.run(&update, 0).await.map_err(at("rollback"))?.changes;
                db.intact().await.map_err(at("rollback"))?;
            }
            say!("      the kept rows of {} are put back", table.name);
        }
        let former = read_alike(db).await.map_err(at("rollback"))?;
        for (table, kept) in tables.iter().zip(&applied.kept) {
            let sum = db.sum(&table.sum_now()).await.map_err(at("rollback"))?;
            if (sum.0, &sum.1) != (kept.rows, &kept.checksum) {
                return Err(Stop::clean(format!(
                    "the rows of {} were put back and are not as they were kept: a trigger changes them, or they are not told apart by their key",
                    table.name
                )));
            }
        }
        former.set_back(db).await.map_err(at("rollback"))?;
        Ok(rows)
    }

    /// What a later look finds of the kept rows.
    pub(super) async fn found_kept(&mut self, applied: &Applied) {
        let Some(backup) = &self.task.backup else { return };
        let read = async {
            let mut db = self.target.open(Access::Read).await?;
            let mut lines = Vec::new();
            for table in self.tables_of(&mut db, backup, applied).await? {
                let rows = db.counted(&format!("SELECT count(*) FROM {}", table.kept_in)).await?;
                lines.push(format!(
                    "{} of {} in {}",
                    count(rows, "row"),
                    table.name,
                    table.kept_in
                ));
            }
            db.close().await;
            Ok::<String, DbError>(lines.join("; "))
        };
        let answer = read.await.unwrap_or_else(|error| error.to_string());
        self.found("rows that were kept", answer);
    }
}
