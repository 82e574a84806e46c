//! Lines of comma-separated values, with the place of each cell.

use super::defect::{Finding, Place};

pub(super) struct Cell {
    pub(super) text: String,
    pub(super) at: Place,
}

/// What stands between the cells of a file whose first line this is: a comma, or what a spreadsheet writes where the
/// comma is the decimal one.
pub(super) fn delimiter(head: &str) -> char {
    head.chars().find(|c| ",;\t".contains(*c)).unwrap_or(',')
}

/// The cells of a line; quotes around a cell, doubled inside of it.
pub(super) fn cells(line: &str, number: u32, between: char) -> Result<Vec<Cell>, Finding> {
    let mut cells = Vec::new();
    let mut rest = line;
    let mut column = 1;
    loop {
        let (text, raw) = match rest.strip_prefix('"') {
            Some(quoted) => {
                let place = Place { line: number, column, length: 1 };
                let (text, length) = unquote(quoted)
                    .ok_or_else(|| Finding::error(place, "a quote is not closed"))?;
                (text, &rest[..length + 1])
            }
            None => {
                let raw = rest.split(between).next().unwrap_or(rest);
                (raw.trim().to_owned(), raw)
            }
        };
        let at = Place { line: number, column, length: length(raw).max(1) };
        cells.push(Cell { text, at });
        column += length(raw) + 1;
        rest = &rest[raw.len()..];
        match rest.strip_prefix(between) {
            Some(more) => rest = more,
            None if rest.trim().is_empty() => return Ok(cells),
            None => {
                let at = Place { line: number, column: column - 1, length: 1 };
                return Err(Finding::error(at, "expected a comma after the quote"));
            }
        }
    }
}

/// The text up to the closing quote, and how many bytes it takes with it.
fn unquote(quoted: &str) -> Option<(String, usize)> {
    let mut text = String::new();
    let mut from = 0;
    loop {
        let quote = quoted[from..].find('"')? + from;
        text.push_str(&quoted[from..quote]);
        if !quoted[quote + 1..].starts_with('"') {
            return Some((text, quote + 1));
        }
        text.push('"');
        from = quote + 2;
    }
}

pub(super) fn length(text: &str) -> u32 {
    u32::try_from(text.chars().count()).unwrap_or(u32::MAX)
}
