//! Words in braces, such as `{business_date}`, in arguments, environment and paths. `{{` is a brace.

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

/// The words among [`BUILT_IN`] that are found by counting in the batch's calendar.
pub const OF_CALENDAR: [&str; 2] = ["prev_business_date", "next_business_date"];

#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Piece<'t> {
    /// Stands as it is.
    Text(&'t str),
    /// Stands for a value; the range is that of the word with its braces, in bytes.
    Word(&'t str, Range<usize>),
}

/// A brace that is opened and not closed.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("`{{` is not closed: write `{{{{` where a brace is meant")]
pub struct Unclosed {
    /// Bytes before it.
    pub at: usize,
}

/// Divides a text at its words in braces.
pub fn pieces(text: &str) -> Result<Vec<Piece<'_>>, Unclosed> {
    let mut pieces = Vec::new();
    let mut from = 0;
    while let Some(brace) = text[from..].find('{').map(|at| from + at) {
        if brace > from {
            pieces.push(Piece::Text(&text[from..brace]));
        }
        if text[brace + 1..].starts_with('{') {
            pieces.push(Piece::Text("{"));
            from = brace + 2;
            continue;
        }
        // The shell's `${HOME}` is the shell's.
        if text[..brace].ends_with('$') {
            pieces.push(Piece::Text("{"));
            from = brace + 1;
            continue;
        }
        let end = text[brace..].find('}').ok_or(Unclosed { at: brace })? + brace;
        pieces.push(Piece::Word(&text[brace + 1..end], brace..end + 1));
        from = end + 1;
    }
    if from < text.len() {
        pieces.push(Piece::Text(&text[from..]));
    }
    Ok(pieces)
}

/// A text whose words cannot all be replaced.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum BadWord {
    #[error("`{{{0}}}` has no value here")]
    Unknown(String),
    #[error(transparent)]
    Unclosed(#[from] Unclosed),
}

/// Replaces the words of a text by their values.
pub fn replace(text: &str, value: impl Fn(&str) -> Option<String>) -> Result<String, BadWord> {
    let mut filled = String::with_capacity(text.len());
    for piece in pieces(text)? {
        match piece {
            Piece::Text(text) => filled.push_str(text),
            Piece::Word(word, _) => {
                let value = value(word).ok_or_else(|| BadWord::Unknown(word.to_owned()))?;
                filled.push_str(&value);
            }
        }
    }
    Ok(filled)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn words_are_replaced() {
        let value = |word: &str| (word == "d").then(|| "2026-10-30".to_owned());
        let ok = |text: &str| replace(text, value).unwrap();
        assert_eq!(ok("in-{d}.csv"), "in-2026-10-30.csv");
        assert_eq!(ok("awk '{{print}' 日{d}日"), "awk '{print}' 日2026-10-30日");
        assert_eq!(ok("echo ${HOME:-x} {d}"), "echo ${HOME:-x} 2026-10-30");
        assert_eq!(replace("{x}", value), Err(BadWord::Unknown("x".into())));
        assert!(replace("{x", value).is_err());
    }

    fn shown(text: &str) -> String {
        match pieces(text) {
            Ok(pieces) => pieces
                .iter()
                .map(|piece| match piece {
                    Piece::Text(text) => format!("({text})"),
                    Piece::Word(word, range) => format!("<{word} {range:?}>"),
                })
                .collect(),
            Err(error) => error.to_string(),
        }
    }

    #[test]
    fn words_are_told_from_text() {
        assert_eq!(shown("a/{run}.csv"), "(a/)<run 2..7>(.csv)");
        assert_eq!(shown("{a}{b}"), "<a 0..3><b 3..6>");
        assert_eq!(shown("${HOME}"), "($)({)(HOME})");
        assert_eq!(shown("日{run}"), "(日)<run 3..8>");
        assert_eq!(shown("a {run"), "`{` is not closed: write `{{` where a brace is meant");
        assert_eq!(shown(""), "");
    }
}
