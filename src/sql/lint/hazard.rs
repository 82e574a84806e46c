//! Statements that lock much or lose something, by name. They are judged as if nightrun had wrapped them already: it sets
//! `lock_timeout` and its like itself, so what counts is what the lock or the loss costs once it is there.

mod alter_mysql;
mod alter_postgres;

use std::collections::BTreeSet;

use super::rule::Rule;
use crate::sql::lexer::{Dialect, Token};
use crate::sql::words::{Words, calls, pieces, says};

/// What the change has made itself, in lower case: nobody else uses it yet.
#[derive(Default)]
pub(super) struct Made {
    /// Tables, views, functions, …
    names: BTreeSet<String>,
    /// Columns as `table.column`.
    columns: BTreeSet<String>,
}

/// Objects of a schema whose loss takes no rows along.
const OBJECTS: [&str; 14] = [
    "materialized view",
    "view",
    "function",
    "procedure",
    "aggregate",
    "trigger",
    "event",
    "sequence",
    "type",
    "domain",
    "rule",
    "extension",
    "package",
    "routine",
];

const BEFORE_TABLE: [&str; 9] = [
    "or replace",
    "global",
    "local",
    "temp",
    "temporary",
    "unlogged",
    "foreign",
    "recursive",
    "constraint",
];

/// The hazards of one statement. What it makes is added to `made`.
pub(super) fn of(dialect: Dialect, code: &[Token<'_>], made: &mut Made) -> Vec<Rule> {
    let mut found = Vec::new();
    let words = Words::of(code);
    create(dialect, words, made, &mut found);
    drop(dialect, words, made, &mut found);
    truncate(words, made, &mut found);
    alter(dialect, words, made, &mut found);
    maintenance(dialect, words, &mut found);
    elsewhere(dialect, words, code, &mut found);
    found.sort_unstable();
    found.dedup();
    found
}

fn create(dialect: Dialect, mut words: Words<'_, '_>, made: &mut Made, found: &mut Vec<Rule>) {
    if !words.eat("create") {
        return;
    }
    let replaces = words.next_is("or replace");
    words.skip(&BEFORE_TABLE);
    let kinds = words;
    words.skip(&["unique", "fulltext", "spatial"]);
    if words.eat("index") {
        return create_index(dialect, words, made, found);
    }
    words = kinds;
    if words.eat("table") || words.eat_any(&OBJECTS).is_some() {
        // What was there before is somebody else's too.
        let new = !words.eat("if not exists") && !replaces;
        made.names.extend(words.path().filter(|_| new));
    }
}

fn create_index(dialect: Dialect, mut words: Words<'_, '_>, made: &Made, found: &mut Vec<Rule>) {
    let concurrently = words.eat("concurrently");
    let asks = words.eat("if not exists");
    while !words.next_is("on") && words.path().is_some() {}
    words.skip(&["on", "only"]);
    let on_new = words.path().is_some_and(|table| made.names.contains(&table));
    match dialect {
        Dialect::Postgres if concurrently && asks => found.push(Rule::IndexIfNotExists),
        Dialect::Postgres if !concurrently && !on_new => found.push(Rule::IndexWithoutConcurrently),
        Dialect::Mysql if !on_new => {
            alter_mysql::algorithm(words.rest(), false, found);
        }
        _ => {}
    }
}

fn drop(dialect: Dialect, mut words: Words<'_, '_>, made: &Made, found: &mut Vec<Rule>) {
    if !words.eat("drop") {
        return;
    }
    let whole = words;
    words.skip(&["temporary", "foreign"]);
    let all_new = |mut words: Words<'_, '_>| {
        words.eat("concurrently");
        words.eat("if exists");
        let paths = words.paths();
        !paths.is_empty() && paths.iter().all(|path| made.names.contains(path))
    };
    if words.eat_any(&["table", "tables"]).is_some() {
        // MySQL's temporary tables are the session's own.
        if !all_new(words) && !whole.next_is("temporary") {
            found.push(Rule::DropTable);
        }
    } else if words.eat_any(&["schema", "database", "owned by", "tablespace"]).is_some() {
        found.push(Rule::DropSchema);
    } else if words.eat_any(&["role", "user", "group", "policy"]).is_some() {
        found.push(Rule::ChangesRights);
    } else if words.eat("index") {
        if dialect == Dialect::Postgres && !words.eat("concurrently") {
            found.push(Rule::IndexWithoutConcurrently);
        }
    } else if words.eat_any(&OBJECTS).is_some() && !all_new(words) {
        found.push(Rule::DropObject);
    }
    if says(whole.rest(), "cascade") {
        found.push(Rule::DropCascade);
    }
}

fn truncate(mut words: Words<'_, '_>, made: &Made, found: &mut Vec<Rule>) {
    if !words.eat("truncate") {
        return;
    }
    words.skip(&["table", "only"]);
    let cascade = says(words.rest(), "cascade");
    let paths = words.paths();
    if paths.is_empty() || !paths.iter().all(|path| made.names.contains(path)) {
        found.push(Rule::Truncate);
    }
    if cascade {
        found.push(Rule::TruncateCascade);
    }
}

fn alter(dialect: Dialect, mut words: Words<'_, '_>, made: &mut Made, found: &mut Vec<Rule>) {
    if !words.eat("alter") {
        return;
    }
    words.skip(&["ignore", "online", "foreign"]);
    if !words.eat("table") {
        return alter_other(words, found);
    }
    words.skip(&["if exists", "only"]);
    let Some(table) = words.path() else { return };
    let on_new = made.names.contains(&table);
    // Of a table that nobody knows yet only what it makes is of interest.
    let mut hazards = Vec::new();
    let stated = dialect == Dialect::Mysql && alter_mysql::says_how(words.rest());
    for action in pieces(words.rest()) {
        let action = Words::of(action);
        dropped_or_renamed(&table, action, made, &mut hazards);
        match dialect {
            Dialect::Postgres => alter_postgres::action(action, &mut hazards),
            Dialect::Mysql => alter_mysql::action(action, stated, &mut hazards),
            Dialect::Sqlite => added_not_null(action, &mut hazards),
        }
    }
    if dialect == Dialect::Mysql {
        alter_mysql::algorithm(words.rest(), hazards.contains(&Rule::AlterTableCopy), &mut hazards);
    }
    if !on_new {
        found.extend(hazards);
    }
}

/// What every dialect spells the same way.
fn dropped_or_renamed(
    table: &str,
    mut action: Words<'_, '_>,
    made: &mut Made,
    found: &mut Vec<Rule>,
) {
    if action.next_is("rename") || action.next_is("set schema") {
        // MySQL renames indexes online, and no program names them.
        if !action.next_is("rename index") && !action.next_is("rename key") {
            found.push(Rule::Renaming);
        }
    } else if action.eat("add") {
        if let Some(column) = added_column(&mut action) {
            made.columns.insert(format!("{table}.{column}"));
        }
    } else if action.eat("drop") {
        let cascade = says(action.rest(), "cascade");
        if action.eat_any(&["constraint", "foreign key", "check", "primary key"]).is_some() {
            found.push(Rule::DropConstraint);
        } else if action.eat_any(&["index", "key", "partition", "system versioning"]).is_none() {
            action.skip(&["column", "if exists"]);
            let own = action
                .path()
                .is_some_and(|column| made.columns.contains(&format!("{table}.{column}")));
            if !own {
                found.push(Rule::DropColumn);
            }
        } else if action.rest().is_empty() {
            // `drop index`: a column that is called so.
            found.push(Rule::DropColumn);
        }
        if cascade {
            found.push(Rule::DropCascade);
        }
    }
}

/// The column that `ADD [COLUMN] …` adds; `None` for constraints, indexes and partitions.
fn added_column(action: &mut Words<'_, '_>) -> Option<String> {
    const OTHERS: [&str; 11] = [
        "constraint",
        "foreign",
        "primary",
        "unique",
        "check",
        "exclude",
        "index",
        "key",
        "fulltext",
        "spatial",
        "partition",
    ];
    let said = action.eat("column");
    if !said && OTHERS.iter().any(|word| action.next_is(word)) {
        return None;
    }
    action.eat("if not exists");
    action.path()
}

/// An added column without NULL and without a value for the rows that are there.
fn added_not_null(mut action: Words<'_, '_>, found: &mut Vec<Rule>) {
    let given = ["default", "auto_increment", "as", "generated"];
    if action.eat("add")
        && added_column(&mut action).is_some()
        && says(action.rest(), "not null")
        && !given.iter().any(|word| says(action.rest(), word))
    {
        found.push(Rule::AddingNotNullableField);
    }
}

fn alter_other(mut words: Words<'_, '_>, found: &mut Vec<Rule>) {
    let rights = ["role", "user", "group", "default privileges", "policy"];
    if words.eat_any(&rights).is_some() || says(words.rest(), "owner to") {
        found.push(Rule::ChangesRights);
    } else if words.eat_any(&["system", "database", "instance", "server"]).is_some() {
        found.push(Rule::ServerSettings);
    } else if says(words.rest(), "rename") || says(words.rest(), "set schema") {
        found.push(Rule::Renaming);
    } else if words.next_is("type") && says(words.rest(), "add value") {
        found.push(Rule::EnumValue);
    }
}

/// Locks, rights and upkeep.
fn maintenance(dialect: Dialect, mut words: Words<'_, '_>, found: &mut Vec<Rule>) {
    let whole = words;
    if words.eat("vacuum") && dialect == Dialect::Postgres {
        let options = words.rest().iter().take_while(|token| token.text != ")");
        if options.clone().any(|token| token.is("full")) {
            found.push(Rule::TableRewrite);
        }
    } else if words.eat("cluster") {
        found.push(Rule::TableRewrite);
    } else if words.eat("refresh materialized view") {
        if !words.eat("concurrently") {
            found.push(Rule::TableRewrite);
        }
    } else if words.eat("reindex") && dialect == Dialect::Postgres {
        if !words.rest().iter().any(|token| token.is("concurrently")) {
            found.push(Rule::IndexWithoutConcurrently);
        }
    } else if words.eat("optimize") || words.eat("repair") {
        found.push(Rule::AlterTableCopy);
    } else if words.eat("lock") {
        found.push(Rule::LockTable);
    } else if words.eat("rename user") {
        found.push(Rule::ChangesRights);
    } else if words.eat("rename") {
        found.push(Rule::Renaming);
    } else if words.eat_any(&["grant", "revoke", "reassign owned"]).is_some() {
        found.push(Rule::ChangesRights);
    } else if words.eat_any(&["call", "do", "execute", "prepare", "begin not atomic"]).is_some()
        && !words.next_is("transaction")
    {
        found.push(Rule::OpaqueCode);
    } else if words
        .eat_any(&["kill", "shutdown", "flush", "purge", "change master", "change replication"])
        .is_some()
        || whole.next_is("reset master")
    {
        let locks = says(words.rest(), "with read lock");
        found.push(if locks { Rule::LockTable } else { Rule::ServerSettings });
    }
    if whole.next_is("create role")
        || whole.next_is("create user")
        || whole.next_is("create policy")
    {
        found.push(Rule::ChangesRights);
    }
}

/// What may stand anywhere in a statement.
fn elsewhere(
    dialect: Dialect,
    mut words: Words<'_, '_>,
    code: &[Token<'_>],
    found: &mut Vec<Rule>,
) {
    let mut sets = words;
    if sets.eat("set") {
        let names = |name: &str| sets.rest().iter().any(|token| token.is(name));
        let checks = ["foreign_key_checks", "unique_checks", "session_replication_role"];
        if checks.into_iter().any(names) {
            found.push(Rule::DisablesChecks);
        }
        if dialect == Dialect::Mysql && ["global", "persist", "persist_only"].into_iter().any(names)
        {
            found.push(Rule::ServerSettings);
        }
    }
    let loads = words.eat("load data") || words.eat("load xml");
    let copies = dialect == Dialect::Postgres && words.eat("copy");
    let streams = ["stdin", "stdout", "program"];
    if copies && !code.iter().any(|token| streams.iter().any(|word| token.is(word)))
        || loads && !words.next_is("local")
        || says(code, "into outfile")
        || says(code, "into dumpfile")
    {
        found.push(Rule::ServerFile);
    }
    const ENDS: [&str; 4] =
        ["pg_terminate_backend", "pg_cancel_backend", "pg_reload_conf", "pg_rotate_logfile"];
    if calls(code).any(|(_, name)| ENDS.contains(&name.as_str())) {
        found.push(Rule::ServerSettings);
    }
}

#[cfg(test)]
mod tests;
