//! `backup:` of a change: rows that nightrun keeps itself.

use crate::definition::defect::Finding;
use crate::definition::raw::change::{BackupTableRecord, ChangeFile};
use crate::definition::raw::{Field, Word};
use crate::definition::site::{Backup, BackupTable, ChangeMode};
use crate::sql::{Dialect, backup};

pub(super) fn resolve(
    raw: &ChangeFile,
    dialects: &[Dialect],
    found: &mut Vec<Finding>,
) -> Option<Backup> {
    let given = raw.backup.given()?;
    if raw.mode.get() == Some(&ChangeMode::Journalled) {
        let what = "`backup:` keeps rows in the transaction of the change, and a journalled change has none";
        found.push(Finding::error(given.at, what).hint("write a backup.sql"));
    }
    let named = given.value.tables.given()?;
    if named.value.0.is_empty() {
        found.push(Finding::error(named.at, "`backup:` keeps the rows of no table"));
    }
    let mut tables: Vec<BackupTable> = Vec::new();
    for item in &named.value.0 {
        let Some(table) = table(&item.value, dialects, found) else { continue };
        if tables.iter().any(|other| other.table == table.table) {
            let what = format!("rows of `{}` are kept twice", table.table);
            found.push(Finding::error(item.at, what).hint("join the two conditions with `or`"));
        }
        tables.push(table);
    }
    Some(Backup { tables, exact: given.value.exact.or(false) })
}

fn table(
    raw: &BackupTableRecord,
    dialects: &[Dialect],
    found: &mut Vec<Finding>,
) -> Option<BackupTable> {
    let name = |field: &Word, most: usize| {
        let wrong = |dialect: &Dialect| {
            backup::path(*dialect, &field.0).is_none_or(|parts| parts.len() > most)
        };
        !dialects.iter().any(wrong)
    };
    if let Some(table) = raw.table.given().filter(|table| !name(&table.value, 2)) {
        let what = format!("`{}` is not the name of a table", table.value.0);
        found.push(Finding::error(table.at, what).hint("write `table` or `schema.table`"));
    }
    if let Some(condition) = raw.r#where.given() {
        let wrong = dialects.iter().find_map(|d| backup::wrong_condition(*d, &condition.value.0));
        found.extend(wrong.map(|why| {
            let what = format!("`where` says which rows are kept, as after WHERE: {why}");
            Finding::error(condition.at, what)
        }));
    }
    let key = raw.key.get().into_iter().flat_map(|key| &key.0);
    for column in key.clone().filter(|column| !name(&column.value, 1)) {
        let what = format!("`{}` is not the name of a column", column.value.0);
        found.push(Finding::error(column.at, what));
    }
    Some(BackupTable {
        table: text(&raw.table)?,
        r#where: text(&raw.r#where)?,
        key: key.map(|column| column.value.0.clone()).collect(),
    })
}

fn text(field: &Field<Word>) -> Option<String> {
    field.get().map(|word| word.0.clone())
}

pub(super) fn tables(backup: Option<&Backup>) -> Vec<String> {
    backup.into_iter().flat_map(|backup| &backup.tables).map(|table| table.table.clone()).collect()
}
