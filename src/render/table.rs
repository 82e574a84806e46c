//! Columns for a terminal and for plain-text mail: widths count Chinese characters as two.

use unicode_width::{UnicodeWidthChar, UnicodeWidthStr};

use crate::types::turns_text;

/// The width of pages of text, in columns of a terminal.
pub(super) const PAGE: usize = 100;

/// A column of text is not made narrower than this.
const LEAST: usize = 28;

/// A table that fits into a page: cells of text are wrapped where it needs to be, the last column first.
#[derive(Debug, Default)]
pub(super) struct Table {
    rows: Vec<Vec<String>>,
    right: Vec<bool>,
    indent: usize,
    /// Rows of heading: 1, or 0 where there are none.
    heads: usize,
}

impl Table {
    /// `right`: which columns stand to the right (numbers).
    pub(super) fn new(head: &[&str], right: &[usize], indent: usize) -> Self {
        let right = (0..head.len()).map(|column| right.contains(&column)).collect();
        let named = head.iter().any(|cell| !cell.is_empty());
        let mut table = Self { rows: Vec::new(), right, indent, heads: usize::from(named) };
        if named {
            table.row(head.iter().map(|cell| (*cell).to_owned()).collect());
        }
        table
    }

    pub(super) fn row(&mut self, cells: Vec<String>) {
        self.rows.push(cells.into_iter().map(|cell| one_line(&cell)).collect());
    }

    pub(super) fn write(&self, out: &mut String) {
        let columns = self.right.len();
        // A column that is empty in every row but the head is left out.
        let used: Vec<usize> = (0..columns)
            .filter(|c| {
                self.rows.iter().skip(self.heads).any(|r| r.get(*c).is_some_and(|x| !x.is_empty()))
            })
            .collect();
        let widths = self.widths(&used);
        for row in &self.rows {
            let cells: Vec<Vec<String>> = used
                .iter()
                .zip(&widths)
                .map(|(c, width)| wrap(row.get(*c).map_or("", String::as_str), *width))
                .collect();
            for i in 0..cells.iter().map(Vec::len).max().unwrap_or(0) {
                let mut line = " ".repeat(self.indent);
                for ((cell, width), c) in cells.iter().zip(&widths).zip(&used) {
                    let part = cell.get(i).map_or("", String::as_str);
                    line.push_str(&pad(part, *width, self.right[*c]));
                    line.push_str("  ");
                }
                out.push_str(line.trim_end());
                out.push('\n');
            }
        }
    }

    /// The widths of the columns in use: as wide as their widest cell, and where that is too wide for the page the last
    /// one, then the widest of text, become narrower.
    fn widths(&self, used: &[usize]) -> Vec<usize> {
        let natural = |c: &usize| {
            self.rows.iter().filter_map(|r| r.get(*c)).map(|x| x.width()).max().unwrap_or(0)
        };
        let mut widths: Vec<usize> = used.iter().map(natural).collect();
        let Some((last, before)) = widths.split_last_mut() else { return widths };
        let room = |before: &[usize]| {
            PAGE.saturating_sub(self.indent + before.iter().map(|width| width + 2).sum::<usize>())
        };
        let least = (*last).min(LEAST);
        while room(before) < least {
            let text = before.iter_mut().zip(used).filter(|(_, c)| !self.right[**c]);
            let Some((widest, _)) = text.max_by_key(|(width, _)| **width) else { break };
            if *widest <= LEAST {
                break;
            }
            *widest -= 1;
        }
        *last = (*last).min(room(before).max(least));
        widths
    }
}

/// The text in a field of a width, to the left or to the right.
pub(super) fn pad(text: &str, width: usize, right: bool) -> String {
    let blanks = " ".repeat(width.saturating_sub(text.width()));
    if right { blanks + text } else { text.to_owned() + &blanks }
}

/// Control characters out: what a job wrote must not move the reader's cursor. What turns the direction of text is seen as
/// such: nobody signs statements in another order than they are run in.
pub(super) fn one_line(text: &str) -> String {
    text.chars().map(tamed).collect()
}

/// As [`one_line`], for a whole page: its own lines and tabs stay.
pub(super) fn harmless(page: &str) -> String {
    page.chars().map(|c| if c == '\n' || c == '\t' { c } else { tamed(c) }).collect()
}

fn tamed(c: char) -> char {
    match c {
        c if c.is_control() => ' ',
        c if turns_text(c) => char::REPLACEMENT_CHARACTER,
        c => c,
    }
}

/// Cut with `...` where it is too wide.
pub(super) fn cut(text: &str, width: usize) -> String {
    if text.width() <= width {
        return text.to_owned();
    }
    let mut kept = String::new();
    let mut used = 0;
    for c in text.chars() {
        let w = c.width().unwrap_or(0);
        if used + w + 3 > width {
            break;
        }
        used += w;
        kept.push(c);
    }
    kept + "..."
}

/// Lines no wider than `width`: broken at blanks, and within Chinese text between characters (not before
/// punctuation). Never empty.
pub(super) fn wrap(text: &str, width: usize) -> Vec<String> {
    broken(text, |line| line.width() <= width)
}

/// The same, of lines of which `fits` says whether they are narrow enough.
pub(super) fn broken(text: &str, fits: impl Fn(&str) -> bool) -> Vec<String> {
    let mut lines = vec![String::new()];
    for piece in pieces(text) {
        let Some(line) = lines.last_mut() else { continue };
        let piece = if line.is_empty() { piece.trim_start() } else { &piece };
        let longer = format!("{line}{piece}");
        if line.is_empty() || fits(longer.trim_end()) {
            *line = longer;
        } else {
            lines.push(piece.trim_start().to_owned());
        }
    }
    lines.iter().map(|line| line.trim_end().to_owned()).collect()
}

/// The pieces between which a line may break.
fn pieces(text: &str) -> Vec<String> {
    let closing = |c: char| "，。；：、）”！？".contains(c);
    let opening = |c: char| "（“".contains(c);
    let mut pieces: Vec<String> = Vec::new();
    let mut last: Option<char> = None;
    for c in text.chars() {
        let breaks = last.is_none_or(|l| {
            let wide = c.width() == Some(2) || l.width() == Some(2);
            l == ' ' || (wide && c != ' ' && !closing(c) && !opening(l))
        });
        match pieces.last_mut() {
            Some(piece) if !breaks => piece.push(c),
            _ => pieces.push(c.to_string()),
        }
        last = Some(c);
    }
    pieces
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn chinese_and_english_columns_align() {
        let mut table = Table::new(&["作业", "took", ""], &[1], 2);
        table.row(vec!["载入参考汇率".into(), "4s".into(), "x".into()]);
        table.row(vec!["load".into(), "12m 05s".into(), "y".into()]);
        let mut out = String::new();
        table.write(&mut out);
        assert_eq!(
            out,
            "  作业             took\n  载入参考汇率       4s  x\n  load          12m 05s  y\n"
        );
    }

    #[test]
    fn a_table_too_wide_wraps_its_widest_text_too() {
        let mut table = Table::new(&["start", "title", "gates"], &[], 0);
        table.row(vec!["21:30:00".into(), "one two three ".repeat(8), "ab cd ".repeat(10)]);
        let mut out = String::new();
        table.write(&mut out);
        assert!(out.lines().all(|line| line.width() <= PAGE), "{out}");
        assert_eq!(out.matches("three").count(), 8, "{out}");
        assert_eq!(out.matches("cd").count(), 10, "{out}");
    }

    #[test]
    fn long_text_is_wrapped_and_cut_by_width() {
        assert_eq!(wrap("one two three", 8), ["one two", "three"]);
        assert_eq!(wrap("日终批次已完成。再见", 8), ["日终批次", "已完成。", "再见"]);
        assert_eq!(wrap("", 8), [""]);
        assert_eq!(cut("日终批次已完成", 9), "日终批...");
        assert_eq!(one_line("a\u{1b}[2Jb\r"), "a [2Jb ");
    }

    #[test]
    fn nothing_turns_the_direction_of_text_unseen() {
        for c in "\u{202a}\u{202b}\u{202c}\u{202d}\u{202e}\u{2066}\u{2069}\u{200e}\u{200f}\u{61c}"
            .chars()
        {
            let text = format!("delete\tfrom{c}fee\n");
            assert_eq!(harmless(&text), "delete\tfrom\u{fffd}fee\n");
            assert_eq!(one_line(&text), "delete from\u{fffd}fee ");
        }
    }
}
