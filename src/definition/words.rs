//! Run-date words in arguments and environment: `{business_date}` and its kin, and the batch's parameters. No template
//! language: a word is replaced by its value, `{{` is a brace, the shell's `${…}` is left alone, and that is all.

use std::ops::Range;

/// The words that every batch knows; beside them its parameters.
pub const BUILT_IN: [&str; 8] = [
    "business_date",
    "business_date_compact",
    "prev_business_date",
    "next_business_date",
    "run",
    "attempt",
    "work",
    "here",
];

/// The words of [`BUILT_IN`] that are found by counting in the batch's calendar.
pub const OF_CALENDAR: [&str; 2] = ["prev_business_date", "next_business_date"];

/// A word that has no value here.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum BadWord {
    #[error("`{{{0}}}` has no value here")]
    Unknown(String),
    #[error("a `{{` is not closed (write `{{{{` for a brace)")]
    Open,
}

/// A stretch of a text.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Piece<'t> {
    /// Stands as it is.
    Text(&'t str),
    /// Stands for a value; the range is that of the word with its braces, in bytes.
    Word(&'t str, Range<usize>),
    /// A brace that is not closed, this many bytes into the text.
    Open(usize),
}

/// Divides a text at its words.
pub fn pieces(text: &str) -> Vec<Piece<'_>> {
    let mut pieces = Vec::new();
    let mut from = 0;
    while let Some(at) = text[from..].find(['{', '}']).map(|at| from + at) {
        let brace = &text[at..at + 1];
        if at > from {
            pieces.push(Piece::Text(&text[from..at]));
        }
        from = at + 1;
        if brace == "{" && text[..at].ends_with('$') {
            pieces.push(Piece::Text(brace));
        } else if text[from..].starts_with(brace) {
            pieces.push(Piece::Text(brace));
            from += 1;
        } else if brace == "{" {
            let Some(end) = text[from..].find('}').map(|end| from + end) else {
                pieces.push(Piece::Open(at));
                continue;
            };
            pieces.push(Piece::Word(&text[from..end], at..end + 1));
            from = end + 1;
        } else {
            // A closing brace by itself is common in shell text and means nothing here.
            pieces.push(Piece::Text(brace));
        }
    }
    if from < text.len() {
        pieces.push(Piece::Text(&text[from..]));
    }
    pieces
}

/// Replaces the words of a text.
pub fn replace(text: &str, value: impl Fn(&str) -> Option<String>) -> Result<String, BadWord> {
    let mut out = String::with_capacity(text.len());
    for piece in pieces(text) {
        match piece {
            Piece::Text(text) => out.push_str(text),
            Piece::Word(word, _) => {
                out.push_str(&value(word).ok_or_else(|| BadWord::Unknown(word.to_owned()))?);
            }
            Piece::Open(_) => return Err(BadWord::Open),
        }
    }
    Ok(out)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn words_are_replaced_and_doubled_braces_are_braces() {
        let value = |word: &str| (word == "d").then(|| "2026-10-30".to_owned());
        let ok = |text: &str| replace(text, value).unwrap();
        assert_eq!(ok("in-{d}.csv"), "in-2026-10-30.csv");
        assert_eq!(ok("awk '{{print}}' {d}"), "awk '{print}' 2026-10-30");
        assert_eq!(ok("日{d}日"), "日2026-10-30日");
        assert_eq!(ok("a } b"), "a } b");
        assert_eq!(ok("echo ${HOME:-x} {d}"), "echo ${HOME:-x} 2026-10-30");
        assert_eq!(replace("{x}", value), Err(BadWord::Unknown("x".into())));
        assert_eq!(replace("{x", value), Err(BadWord::Open));
    }

    #[test]
    fn words_know_their_places() {
        let text = "日{run}, ${x} {here}";
        let words: Vec<&str> = pieces(text)
            .into_iter()
            .filter_map(|piece| match piece {
                Piece::Word(_, range) => Some(&text[range]),
                _ => None,
            })
            .collect();
        assert_eq!(words, ["{run}", "{here}"]);
        assert_eq!(pieces("a {b")[1], Piece::Open(2));
    }
}
