//! What a script does whatever its values are, so that a change that comes back is known again (D14).
//!
//! Values, blanks, comments and case are left out, a list of values is as good as one, the order of what is ANDed, of
//! what is SET and of what is listed counts no more than how often a statement is repeated.

use std::collections::BTreeSet;
use std::fmt;

use sha2::{Digest, Sha256};

use super::lexer::{Dialect, Kind, Token};
use super::splitter::split;

/// The same for two scripts that do the same with other values.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Fingerprint {
    text: String,
    hex: String,
}

impl Fingerprint {
    /// Its statements with `?` for values, one a line.
    pub fn text(&self) -> &str {
        &self.text
    }

    /// SHA-256 of the text, in hex.
    pub fn hex(&self) -> &str {
        &self.hex
    }
}

impl fmt::Display for Fingerprint {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(&self.hex)
    }
}

/// The fingerprint of a script.
pub fn fingerprint(dialect: Dialect, source: &str) -> Fingerprint {
    let mut seen = BTreeSet::new();
    let mut lines: Vec<String> = Vec::new();
    for statement in &split(dialect, source).statements {
        let line = sorted(&plain(dialect, &statement.code(dialect))).join(" ");
        if seen.insert(line.clone()) {
            lines.push(line);
        }
    }
    let text = lines.join("\n");
    let hex = Sha256::digest(text.as_bytes()).iter().map(|byte| format!("{byte:02x}")).collect();
    Fingerprint { text, hex }
}

const VALUE: &str = "?";

/// The words of a statement, each as the dialect compares it: bare names in small letters, values as `?`.
fn plain(dialect: Dialect, code: &[Token<'_>]) -> Vec<String> {
    let mut words: Vec<String> = Vec::new();
    for (at, token) in code.iter().enumerate() {
        let word = match token.kind {
            Kind::Number | Kind::Text | Kind::Variable => VALUE.to_owned(),
            Kind::Word if ["true", "false", "null"].iter().any(|value| token.is(value)) => {
                // `is null` asks for something else than `= 5` does.
                let asks = at > 0 && ["is", "not"].iter().any(|word| code[at - 1].is(word));
                if asks { token.text.to_lowercase() } else { VALUE.to_owned() }
            }
            Kind::Word => token.text.to_lowercase(),
            Kind::Name => name(dialect, token),
            _ => token.text.to_owned(),
        };
        if word == VALUE {
            value(&mut words);
        } else {
            words.push(word);
        }
        fold(&mut words);
    }
    words
}

/// A quoted name that says the same as a bare one is written like it.
fn name(dialect: Dialect, token: &Token<'_>) -> String {
    let name = token.name().unwrap_or_default();
    match dialect {
        Dialect::Postgres if name != name.to_lowercase() => format!("\"{name}\""),
        Dialect::Sqlite | Dialect::Postgres | Dialect::Mysql => name.to_lowercase(),
    }
}

/// Adds a value: its sign, the type before it (`date '2026-10-30'`) and a decimal point belong to it.
fn value(words: &mut Vec<String>) {
    let is = |words: &[String], back: usize, any: &[&str]| {
        words.len() >= back && any.contains(&words[words.len() - back].as_str())
    };
    if is(words, 1, &["."]) {
        words.pop();
        if is(words, 1, &[VALUE]) {
            return;
        }
    }
    const BEFORE_SIGN: [&str; 22] = [
        "=", "<", ">", "(", ",", "set", "values", "in", "and", "or", "between", "then", "else",
        "when", "select", "like", "by", "limit", "not", "return", "*", "/",
    ];
    if is(words, 1, &["-", "+"]) && is(words, 2, &BEFORE_SIGN) {
        words.pop();
    }
    if is(words, 1, &["date", "time", "timestamp", "interval", "x", "b", "n"])
        && !is(words, 2, &["."])
    {
        words.pop();
    }
    words.push(VALUE.to_owned());
}

/// Lists of values are as good as one: `in (?, ?)`, `values (?, ?), (?, ?)`; `= ?` is a list of one.
fn fold(words: &mut Vec<String>) {
    loop {
        let ends = |tail: &[&str]| {
            words.len() >= tail.len()
                && words[words.len() - tail.len()..].iter().zip(tail).all(|(a, b)| a == b)
        };
        // Those of a row stay as many as they are: they are its columns.
        if ends(&[VALUE, ",", VALUE]) && in_list(words) {
            words.truncate(words.len() - 2);
        } else if ends(&["in", "(", VALUE, ")"]) {
            words.truncate(words.len() - 4);
            words.extend(["=", VALUE].map(str::to_owned));
        } else {
            break;
        }
    }
    if words.last().is_some_and(|word| word == ")") {
        drop_repeated_row(words);
    }
}

/// Whether the innermost open parenthesis is that of IN.
fn in_list(words: &[String]) -> bool {
    let mut closed = 0_u32;
    for (at, word) in words.iter().enumerate().rev() {
        match word.as_str() {
            ")" => closed += 1,
            "(" if closed == 0 => return at > 0 && words[at - 1] == "in",
            "(" => closed -= 1,
            _ => {}
        }
    }
    false
}

/// Takes a row of VALUES away that looks like the one before it.
fn drop_repeated_row(words: &mut Vec<String>) {
    let Some(open) = opening(words, words.len()) else { return };
    if open == 0 || words[open - 1] != "," {
        return;
    }
    let Some(before) = opening(words, open - 1) else { return };
    if words[before..open - 1] == words[open..] {
        words.truncate(open - 1);
    }
}

/// Where the parenthesis opens that closes just before `end`.
fn opening(words: &[String], end: usize) -> Option<usize> {
    let mut depth = 0_u32;
    for at in (0..end).rev() {
        match words[at].as_str() {
            ")" => depth += 1,
            "(" => depth = depth.saturating_sub(1),
            _ => {}
        }
        if depth == 0 {
            return (words[at] == "(" && at + 1 < end).then_some(at);
        }
    }
    None
}

/// The words with what SET and WHERE list in the order of the alphabet, each once.
fn sorted(words: &[String]) -> Vec<String> {
    const ENDS: [&str; 12] = [
        "where",
        "order",
        "group",
        "having",
        "limit",
        "returning",
        "union",
        "on",
        "from",
        "set",
        "for",
        "window",
    ];
    let mut all = Vec::new();
    let mut at = 0;
    while at < words.len() {
        let word = words[at].as_str();
        all.push(words[at].clone());
        at += 1;
        let separator = match word {
            "set" => ",",
            "where" => "and",
            _ => continue,
        };
        let end = end_of_clause(words, at, &ENDS);
        let mut pieces = pieces(&words[at..end], separator);
        pieces.sort();
        pieces.dedup();
        all.extend(pieces.join(&separator.to_owned()));
        at = end;
    }
    all
}

fn end_of_clause(words: &[String], begin: usize, ends: &[&str]) -> usize {
    let mut depth = 0_i32;
    for (at, word) in words.iter().enumerate().skip(begin) {
        match word.as_str() {
            "(" => depth += 1,
            ")" => depth -= 1,
            _ => {}
        }
        if depth < 0 || depth == 0 && ends.contains(&word.as_str()) {
            return at;
        }
    }
    words.len()
}

/// The pieces between the separators outside of parentheses; `between ? and ?` and a disjunction stay whole.
fn pieces(words: &[String], separator: &str) -> Vec<Vec<String>> {
    let mut depth = 0_i32;
    let mut pieces = vec![Vec::new()];
    let mut between = false;
    let whole = separator == "and" && words.iter().any(|word| word == "or" || word == "case");
    for word in words {
        match word.as_str() {
            "(" => depth += 1,
            ")" => depth -= 1,
            "between" => between = true,
            _ => {}
        }
        if word == separator && depth == 0 && !between && !whole {
            pieces.push(Vec::new());
            continue;
        }
        between &= word != "and";
        if let Some(piece) = pieces.last_mut() {
            piece.push(word.clone());
        }
    }
    pieces
}

#[cfg(test)]
mod tests;
