//! Actions of PostgreSQL's ALTER TABLE.

use super::added_column;
use crate::sql::lexer::{Kind, Token};
use crate::sql::lint::rule::Rule;
use crate::sql::words::{Words, says};

/// The hazards of one action, what stands between two commas.
pub(super) fn action(mut words: Words<'_, '_>, found: &mut Vec<Rule>) {
    if words.eat("add") {
        return match added_column(&mut words) {
            Some(_) => column(words.rest(), found),
            None => constraint(words.rest(), found),
        };
    }
    if words.eat("alter") && !words.eat("constraint") {
        words.eat("column");
        // Its name; `path` would take a dot with it, which no column has.
        let _column = words.path();
        if words.eat("set not null") {
            found.push(Rule::SetNotNull);
        } else if words.eat("type") || words.eat("set data type") {
            found.push(Rule::ChangingColumnType);
        }
        return;
    }
    const REWRITES: [&str; 5] =
        ["set tablespace", "set logged", "set unlogged", "set access method", "cluster on"];
    const UNCHECKED: [&str; 5] = [
        "disable trigger",
        "disable rule",
        "disable row level security",
        "no force row level security",
        "enable replica trigger",
    ];
    if let Some(what) = words.eat_any(&REWRITES) {
        // CLUSTER ON only names the index for the next CLUSTER.
        if what != "cluster on" {
            found.push(Rule::TableRewrite);
        }
    } else if words.eat_any(&UNCHECKED).is_some() {
        found.push(Rule::DisablesChecks);
    } else if words.eat("owner to") {
        found.push(Rule::ChangesRights);
    } else if words.eat("attach partition")
        || (words.eat("detach partition") && !says(words.rest(), "concurrently"))
    {
        found.push(Rule::Partition);
    }
}

/// What follows the name of an added column.
fn column(rest: &[Token<'_>], found: &mut Vec<Rule>) {
    let default = default_of(rest);
    let serial = rest.first().and_then(Token::name).is_some_and(|kind| {
        ["serial", "bigserial", "smallserial", "serial4", "serial8", "serial2"]
            .contains(&kind.to_lowercase().as_str())
    });
    let identity = says(rest, "as identity");
    let stored = says(rest, "stored");
    if says(rest, "not null") && default.is_none() && !serial && !identity && !stored {
        found.push(Rule::AddingNotNullableField);
    }
    if serial || identity || stored || default.is_some_and(is_volatile) {
        found.push(Rule::VolatileDefault);
    }
    if says(rest, "references") || says(rest, "check") {
        found.push(Rule::ConstraintMissingNotValid);
    }
    if says(rest, "unique") || says(rest, "primary key") {
        found.push(Rule::UniqueConstraintWithoutIndex);
    }
}

/// The expression after DEFAULT.
fn default_of<'t, 'a>(rest: &'t [Token<'a>]) -> Option<&'t [Token<'a>]> {
    const ENDS: [&str; 9] = [
        "not",
        "null",
        "check",
        "references",
        "unique",
        "primary",
        "constraint",
        "collate",
        "generated",
    ];
    let mut depth = 0_u32;
    let mut begin = None;
    for (at, token) in rest.iter().enumerate() {
        match token.kind {
            Kind::Open => depth += 1,
            Kind::Close => depth = depth.saturating_sub(1),
            _ if depth > 0 => {}
            _ if begin.is_none() && token.is("default") => begin = Some(at + 1),
            // `default null` is a default all the same.
            _ if begin.is_some_and(|begin| at > begin) && ENDS.iter().any(|w| token.is(w)) => {
                return begin.map(|begin| &rest[begin..at]);
            }
            _ => {}
        }
    }
    begin.map(|begin| &rest[begin..])
}

/// Whether PostgreSQL computes it for each row, as far as its words say: functions that it knows to be the same within a
/// transaction are computed once.
fn is_volatile(default: &[Token<'_>]) -> bool {
    const ONCE: [&str; 8] = [
        "now",
        "transaction_timestamp",
        "statement_timestamp",
        "current_timestamp",
        "localtimestamp",
        "current_time",
        "localtime",
        "current_setting",
    ];
    default.windows(2).enumerate().any(|(at, pair)| {
        let cast = at > 0 && default[at - 1].text == ":";
        let name = pair[0].name().map(|name| name.to_lowercase());
        pair[1].kind == Kind::Open
            && !cast
            && name.is_some_and(|name| !ONCE.contains(&name.as_str()))
    })
}

/// What follows ADD of a constraint.
fn constraint(rest: &[Token<'_>], found: &mut Vec<Rule>) {
    let mut words = Words::of(rest);
    if words.eat("constraint") {
        let _name = words.path();
    }
    let rest = words.rest();
    if words.eat("foreign") || words.eat("check") {
        if !says(rest, "not valid") {
            found.push(Rule::ConstraintMissingNotValid);
        }
    } else if (words.eat("unique") || words.eat("primary") || words.eat("exclude"))
        && !says(rest, "using index")
    {
        found.push(Rule::UniqueConstraintWithoutIndex);
    }
}
