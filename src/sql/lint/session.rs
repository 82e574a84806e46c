//! What a change does to its session: it may leave nothing behind that outlives its transaction, and the session's limits
//! and locks are nightrun's.

use super::rule::Rule;
use crate::sql::lexer::{Dialect, Kind, Token};
use crate::sql::words::{Words, calls, pieces};

/// What breaks a rule in a statement of a change.
pub(super) fn of(
    dialect: Dialect,
    transactional: bool,
    code: &[Token<'_>],
) -> Vec<(Rule, &'static str)> {
    let mut found = Vec::new();
    match dialect {
        Dialect::Sqlite => {}
        Dialect::Postgres => postgres(transactional, code, &mut found),
        Dialect::Mysql => mysql(code, &mut found),
    }
    for (at, name) in calls(code) {
        if name.starts_with("pg_advisory_unlock")
            || dialect == Dialect::Mysql
                && ["release_lock", "release_all_locks"].contains(&name.as_str())
        {
            found.push((Rule::AdvisoryUnlock, UNLOCKS));
        }
        if dialect == Dialect::Postgres && name == "set_config" && !is_local(&code[at + 1..]) {
            found.push((Rule::SessionState, OUTLIVES));
        }
    }
    found
}

const UNLOCKS: &str =
    "it may let go of the lock that keeps this change from running twice; leave it out";
const OUTLIVES: &str = "the setting outlives the transaction: SET LOCAL, or leave it out";
const OUTLIVES_MYSQL: &str =
    "the setting outlives the transaction, and nightrun sets the session itself; leave it out";
const LIMITS: &str = "nightrun sets the limits of locks and statements from what is left of the window; leave it out";
const ALONE: &str = "in a journalled change each statement is run by itself, and a setting may be lost between two; leave it out";
const ISOLATION: &str = "nightrun begins the transaction and says how it is isolated; leave it out";
const OTHER_DATABASE: &str =
    "USE moves the session to another database: write the database before the table's name";

fn postgres(transactional: bool, code: &[Token<'_>], found: &mut Vec<(Rule, &'static str)>) {
    let mut words = Words::of(code);
    if words.eat_any(&["reset", "discard", "listen", "unlisten"]).is_some() {
        found.push((
            Rule::SessionState,
            "it undoes what nightrun has set for the session; leave it out",
        ));
    }
    if !words.eat("set") || words.next_is("constraints") && transactional {
        return;
    }
    if words.next_is("transaction") {
        found.push((Rule::TransactionControl, ISOLATION));
        return;
    }
    let local = words.eat("local");
    const OURS: [&str; 6] = [
        "lock_timeout",
        "statement_timeout",
        "transaction_timeout",
        "idle_in_transaction_session_timeout",
        "client_connection_check_interval",
        "application_name",
    ];
    let limit = OURS.iter().any(|name| words.next_is(name));
    match (transactional, local) {
        _ if limit => found.push((Rule::SessionState, LIMITS)),
        (true, true) => {}
        (true, false) => found.push((Rule::SessionState, OUTLIVES)),
        (false, _) => found.push((Rule::SessionState, ALONE)),
    }
}

/// The third argument of `set_config(name, value, is_local)`.
fn is_local(arguments: &[Token<'_>]) -> bool {
    let end = crate::sql::class::skip_parens(arguments, 0);
    end > 2 && arguments[end - 2].is("true")
}

fn mysql(code: &[Token<'_>], found: &mut Vec<(Rule, &'static str)>) {
    let mut words = Words::of(code);
    if words.eat("use") {
        found.push((Rule::SessionState, OTHER_DATABASE));
    }
    if !words.eat("set") {
        return;
    }
    if words.next_is("password") {
        // It commits, which is a rule of its own.
    } else if words.next_is("statement") {
        found.push((Rule::SessionState, LIMITS));
    } else if words.next_is("transaction") || words.next_is("session transaction") {
        found.push((Rule::TransactionControl, ISOLATION));
    } else if !pieces(words.rest()).into_iter().all(may_be_set) {
        found.push((Rule::SessionState, OUTLIVES_MYSQL));
    }
}

/// A user variable; a setting that is a hazard or breaks a rule of its own; one of the whole server.
fn may_be_set(assignment: &[Token<'_>]) -> bool {
    const OF_OTHER_RULES: [&str; 6] =
        ["foreign_key_checks", "unique_checks", "autocommit", "global", "persist", "persist_only"];
    let variable = assignment.first().is_some_and(|token| token.text == "@")
        && assignment.get(1).is_some_and(|token| token.text != "@");
    let target = assignment.iter().take_while(|token| token.text != "=" && token.text != ":");
    variable
        || target
            .filter(|token| token.kind == Kind::Word)
            .any(|token| OF_OTHER_RULES.iter().any(|name| token.is(name)))
}
