//! Statements that cannot stand in a transaction.

use crate::sql::class::at_top;
use crate::sql::lexer::{Dialect, Token};
use crate::sql::words::{Words, says};

/// Why a statement is not for a transaction.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Unfit {
    /// The server refuses it there.
    Refused,
    /// The server commits what ran before it.
    Commits,
}

pub(super) fn of(dialect: Dialect, code: &[Token<'_>]) -> Option<Unfit> {
    match dialect {
        Dialect::Sqlite => Words::of(code).next_is("vacuum").then_some(Unfit::Refused),
        Dialect::Postgres => refused(code).then_some(Unfit::Refused),
        Dialect::Mysql => commits(code).then_some(Unfit::Commits),
    }
}

/// PostgreSQL 15: error 25001, "cannot run inside a transaction block".
fn refused(code: &[Token<'_>]) -> bool {
    const ALWAYS: [&str; 10] = [
        "vacuum",
        "create database",
        "drop database",
        "create tablespace",
        "drop tablespace",
        "alter system",
        "create subscription",
        "drop subscription",
        "create index concurrently",
        "create unique index concurrently",
    ];
    let mut words = Words::of(code);
    if ALWAYS.iter().any(|what| words.next_is(what)) || words.next_is("drop index concurrently") {
        return true;
    }
    if words.eat("reindex") {
        let whole = ["database", "system", "schema"];
        return code.iter().any(|token| token.is("concurrently"))
            || at_top(words.rest()).take(2).any(|token| whole.iter().any(|what| token.is(what)));
    }
    if words.eat("cluster") {
        // Without a table it is all of them, each in a transaction of its own.
        return !at_top(words.rest()).any(|token| token.name().is_some() && !token.is("verbose"));
    }
    if words.eat("alter database") {
        return says(words.rest(), "set tablespace");
    }
    if words.eat("alter subscription") {
        return says(words.rest(), "refresh publication") || says(words.rest(), "set publication");
    }
    words.eat("alter table")
        && says(words.rest(), "detach partition")
        && says(words.rest(), "concurrently")
}

/// MySQL 8.4 "Statements That Cause an Implicit Commit", and MariaDB's list.
fn commits(code: &[Token<'_>]) -> bool {
    const ALWAYS: [&str; 25] = [
        "alter",
        "rename",
        "truncate",
        "grant",
        "revoke",
        "install",
        "uninstall",
        "analyze",
        "cache index",
        "check table",
        "check view",
        "flush",
        "load index",
        "optimize",
        "repair",
        "reset",
        "stop",
        "change master",
        "change replication",
        "set password",
        "lock table",
        "lock tables",
        "unlock tables",
        "backup",
        "import table",
    ];
    let mut words = Words::of(code);
    if ALWAYS.iter().any(|what| words.next_is(what)) {
        return true;
    }
    if words.eat("create") {
        words.eat("or replace");
        return !words.next_is("temporary table");
    }
    if words.eat("drop") {
        return !words.next_is("temporary") && !words.next_is("prepare");
    }
    words.eat("set") && sets_autocommit(words.rest())
}

/// `SET autocommit = 1` commits; `SET a = 1, @@session.autocommit = 1` too.
fn sets_autocommit(rest: &[Token<'_>]) -> bool {
    rest.iter().any(|token| token.is("autocommit"))
}
