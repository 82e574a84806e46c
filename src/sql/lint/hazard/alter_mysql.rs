//! Actions of ALTER TABLE of MySQL and MariaDB.

use super::{added_column, added_not_null};
use crate::sql::lexer::Token;
use crate::sql::lint::rule::Rule;
use crate::sql::words::Words;

/// Whether ALGORITHM says that the server refuses rather than copies.
pub(super) fn says_how(rest: &[Token<'_>]) -> bool {
    algorithm_of(rest).is_some_and(|how| !["copy", "default"].contains(&how.as_str()))
}

/// What ALGORITHM, or its lack, means for the whole statement.
pub(super) fn algorithm(rest: &[Token<'_>], copies: bool, found: &mut Vec<Rule>) {
    match algorithm_of(rest).as_deref() {
        Some("copy") => found.push(Rule::AlterTableCopy),
        None | Some("default") if !copies => found.push(Rule::AlgorithmNotNamed),
        _ => {}
    }
}

/// The word after `ALGORITHM [=]`, in lower case.
fn algorithm_of(rest: &[Token<'_>]) -> Option<String> {
    let at = rest.iter().position(|token| token.is("algorithm"))?;
    let value = rest[at + 1..].iter().find(|token| token.text != "=")?;
    Some(value.name()?.to_lowercase())
}

/// The hazards of one action, what stands between two commas. `stated`: the server has been told not to copy.
pub(super) fn action(words: Words<'_, '_>, stated: bool, found: &mut Vec<Rule>) {
    added_not_null(words, found);
    if copies(words) && !stated {
        found.push(Rule::AlterTableCopy);
    }
    if words.next_is("modify") || words.next_is("change") {
        found.push(Rule::ChangingColumnType);
    }
    if renames(words) {
        found.push(Rule::Renaming);
    }
    if words.next_is("disable keys") {
        found.push(Rule::DisablesChecks);
    }
    const PARTITIONS: [&str; 9] = [
        "partition by",
        "remove partitioning",
        "reorganize partition",
        "coalesce partition",
        "exchange partition",
        "rebuild partition",
        "add partition",
        "drop partition",
        "truncate partition",
    ];
    if let Some(what) = PARTITIONS.iter().find(|what| words.next_is(what)) {
        found.push(match *what {
            "drop partition" => Rule::DropTable,
            "truncate partition" => Rule::Truncate,
            _ => Rule::Partition,
        });
    }
}

/// Actions that no release does without a copy, or only some do.
fn copies(mut words: Words<'_, '_>) -> bool {
    const COPIES: [&str; 12] = [
        "modify",
        "change",
        "convert to",
        "engine",
        "force",
        "order by",
        "drop primary key",
        "add primary key",
        "add fulltext",
        "add spatial",
        "add foreign key",
        "row_format",
    ];
    if COPIES.iter().any(|what| words.next_is(what)) {
        return true;
    }
    if !words.eat("add") {
        return false;
    }
    if words.eat("constraint") {
        if !words.next_is("foreign") && !words.next_is("primary") {
            let _name = words.path();
        }
        return words.next_is("foreign key") || words.next_is("primary key");
    }
    let generated = |token: &Token<'_>| token.is("stored") || token.is("persistent");
    added_column(&mut words).is_some() && words.rest().iter().any(generated)
}

/// `CHANGE old new …` with another name.
fn renames(mut words: Words<'_, '_>) -> bool {
    if !words.eat("change") {
        return false;
    }
    words.skip(&["column", "if exists"]);
    let (old, new) = (words.path(), words.path());
    old != new
}
