//! Defects as a person reads them: the place, what is wrong, the line with a caret, the hint.

use std::fmt::Write as _;
use std::path::Path;

use anstyle::{AnsiColor, Style};
use unicode_width::UnicodeWidthChar;

use super::defect::{Defect, Severity};
use crate::types::turns_text;

/// How the parts of a defect are coloured.
#[derive(Debug, Clone, Copy, Default)]
pub struct Styles {
    pub place: Style,
    pub error: Style,
    pub warning: Style,
    pub caret: Style,
    pub hint: Style,
}

impl Styles {
    /// No colours: for files, tests and terminals without them.
    pub const fn plain() -> Self {
        let plain = Style::new();
        Self { place: plain, error: plain, warning: plain, caret: plain, hint: plain }
    }

    pub const fn coloured() -> Self {
        Self {
            place: Style::new().bold(),
            error: AnsiColor::Red.on_default().bold(),
            warning: AnsiColor::Yellow.on_default().bold(),
            caret: AnsiColor::Red.on_default(),
            hint: AnsiColor::Cyan.on_default(),
        }
    }
}

/// Columns of a source line that are shown; a longer line is cut around the caret.
const SHOWN: usize = 100;

impl Defect {
    /// A few lines of text, the last one ended. `root` is written before the file's path.
    pub fn text(&self, root: &Path, styles: Styles) -> String {
        let mut out = String::new();
        let place = self.place_text(root);
        let what = printable(&self.what);
        let (style, word) = match self.severity {
            Severity::Error => (styles.error, ""),
            Severity::Warning => (styles.warning, "warning: "),
        };
        // Writing to a String cannot fail.
        let _ = writeln!(out, "{0}{place}:{0:#} {style}{word}{what}{style:#}", styles.place);
        if let Some(source) = &self.source_line {
            let shown = cut(source, self.column as usize, self.length as usize);
            let number = self.line.to_string();
            let _ = writeln!(out, "  {number} | {}", shown.text);
            let _ = writeln!(
                out,
                "  {:number_width$} | {:indent$}{style}{}{style:#}",
                "",
                "",
                "^".repeat(shown.carets),
                number_width = number.len(),
                indent = shown.indent,
                style = styles.caret,
            );
        }
        if let Some(hint) = &self.hint {
            let _ = writeln!(out, "  {0}hint:{0:#} {1}", styles.hint, printable(hint));
        }
        out
    }

    fn place_text(&self, root: &Path) -> String {
        let file = printable(&root.join(&self.file).to_string_lossy());
        if self.line == 0 { file } else { format!("{file}:{}:{}", self.line, self.column) }
    }
}

/// A source line as shown, with the caret's place in display columns.
struct Shown {
    text: String,
    indent: usize,
    carets: usize,
}

/// The part of a line around the caret, tabs and control characters made safe, widths as a terminal shows them.
fn cut(line: &str, column: usize, length: usize) -> Shown {
    let start = column.saturating_sub(1);
    let characters: Vec<(String, usize)> = line.chars().map(shown).collect();
    let start = start.min(characters.len());
    let end = (start + length.max(1)).min(characters.len());
    let width = |part: &[(String, usize)]| part.iter().map(|(_, width)| width).sum::<usize>();
    let mut first = start;
    let mut before = 0;
    while first > 0 && before + characters[first - 1].1 <= SHOWN / 2 {
        first -= 1;
        before += characters[first].1;
    }
    let mut last = first;
    let mut used = 0;
    while last < characters.len() && used + characters[last].1 <= SHOWN {
        used += characters[last].1;
        last += 1;
    }
    let mut text: String = characters[first..last].iter().map(|(text, _)| text.as_str()).collect();
    let mut indent = before;
    if first > 0 {
        text.insert(0, '…');
        indent += 1;
    }
    if last < characters.len() {
        text.push('…');
    }
    let carets = width(&characters[start..end.clamp(start, last.max(start))]).max(1);
    Shown { text: text.trim_end().to_owned(), indent, carets }
}

fn shown(character: char) -> (String, usize) {
    match character {
        '\t' => ("    ".to_owned(), 4),
        // Nothing that a file holds may steer the terminal of who reads about it.
        c if c.is_control() || turns_text(c) => ("\u{fffd}".to_owned(), 1),
        c => (c.to_string(), c.width().unwrap_or(0)),
    }
}

fn printable(text: &str) -> String {
    text.chars().map(|c| if c.is_control() || turns_text(c) { '\u{fffd}' } else { c }).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn text(line: &str, column: u32, length: u32) -> String {
        Defect {
            severity: Severity::Error,
            file: "eod/eod.yaml".into(),
            line: 12,
            column,
            length,
            what: "unknown job `lod-rates`".to_owned(),
            hint: Some("did you mean `load-rates`?".to_owned()),
            source_line: Some(line.to_owned()),
        }
        .text(Path::new("jobs"), Styles::plain())
    }

    #[test]
    fn the_caret_stands_under_what_is_meant() {
        insta::assert_snapshot!(text("    needs: [lod-rates]", 13, 9), @r"
        jobs/eod/eod.yaml:12:13: unknown job `lod-rates`
          12 |     needs: [lod-rates]
             |             ^^^^^^^^^
          hint: did you mean `load-rates`?
        ");
    }

    #[test]
    fn chinese_text_and_tabs_line_up() {
        insta::assert_snapshot!(text("  {title_zh: 日终批次, needs: [lod]}", 28, 3), @r"
        jobs/eod/eod.yaml:12:28: unknown job `lod-rates`
          12 |   {title_zh: 日终批次, needs: [lod]}
             |                                ^^^
          hint: did you mean `load-rates`?
        ");
        insta::assert_snapshot!(text("\tx: \u{1b}[31mlod", 10, 3), @r"
        jobs/eod/eod.yaml:12:10: unknown job `lod-rates`
          12 |     x: �[31mlod
             |             ^^^
          hint: did you mean `load-rates`?
        ");
    }

    #[test]
    fn a_long_line_is_cut_around_the_caret() {
        let line = format!("{}lod{}", "a".repeat(300), "b".repeat(300));
        let text = text(&line, 301, 3);
        let lines: Vec<&str> = text.lines().collect();
        assert!(lines[1].chars().count() < 120, "{}", lines[1]);
        assert_eq!(
            lines[1].find("lod").map(|at| lines[1][..at].chars().count()),
            lines[2].find('^')
        );
    }

    #[test]
    fn places_beyond_the_line_are_harmless() {
        for column in [0, 1, 5, 6, 4_000_000_000] {
            for length in [0, 1, 4_000_000_000] {
                assert!(text("short", column, length).contains('^'));
            }
        }
    }
}
