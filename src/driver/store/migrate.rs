//! The schema, from `migrations/`. sqlx's `migrate!` would do the same at the price of compiling SQLite twice.

use std::borrow::Cow;

use sqlx::migrate::{MigrateError, Migration, MigrationType, Migrator};
use sqlx::{Executor, SqlSafeStr, SqliteConnection};

use super::file::APPLICATION_ID;
use super::trouble::trouble;
use crate::port::StoreError;

/// In order; a file that was released is never altered (sqlx compares its checksum).
const MIGRATIONS: [(&str, &str); 6] = [
    ("store", include_str!("../../../migrations/0001_store.sql")),
    ("service", include_str!("../../../migrations/0002_service.sql")),
    ("doubt", include_str!("../../../migrations/0003_doubt.sql")),
    ("leadership", include_str!("../../../migrations/0004_leadership.sql")),
    ("credentials", include_str!("../../../migrations/0005_credentials.sql")),
    ("archive", include_str!("../../../migrations/0006_archive.sql")),
];

/// Of a store whose schema is up to date; on SQLite its `PRAGMA user_version`.
pub(super) const VERSION: i32 = MIGRATIONS.len() as i32;

pub(super) fn migrator() -> Migrator {
    let migrations = (1..).zip(MIGRATIONS).map(|(version, (name, sql))| {
        let simple = MigrationType::Simple;
        Migration::new(version, Cow::Borrowed(name), simple, sql.into_sql_str(), false)
    });
    Migrator::with_migrations(migrations.collect())
}

/// Brings the schema up to date and marks the file as ours.
pub(super) async fn migrate(conn: &mut SqliteConnection) -> Result<(), StoreError> {
    migrator().run(&mut *conn).await.map_err(|why| match why {
        MigrateError::Execute(why) => trouble("bringing the schema up to date")(why),
        MigrateError::ExecuteMigration(why, _) => trouble("bringing the schema up to date")(why),
        other => StoreError::Damaged(format!("its schema: {other}")),
    })?;
    // Numbers of this program, not data; a pragma takes no parameters.
    let marks =
        format!("PRAGMA application_id = {APPLICATION_ID}; PRAGMA user_version = {VERSION}");
    conn.execute(sqlx::raw_sql(sqlx::AssertSqlSafe(marks)))
        .await
        .map(|_| ())
        .map_err(trouble("marking it"))
}
