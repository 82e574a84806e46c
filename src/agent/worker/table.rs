//! The rows of a SELECT as a small table for the log.

use comfy_table::{Cell as Shown, CellAlignment, Table, presets};

use super::db::{Answer, Cell};

/// Rows that are shown.
pub(super) const ROWS: usize = 20;
/// Bytes of a cell that are shown.
const CELL_BYTES: usize = 200;

/// The lines of the table, and one more where rows are left out.
pub(super) fn lines(answer: &Answer) -> Vec<String> {
    let mut table = Table::new();
    table.load_style(presets::NOTHING);
    table.set_header(answer.columns.iter().map(|name| short(name)));
    for row in &answer.rows {
        table.add_row(row.iter().map(|cell| {
            let numeric = matches!(cell, Cell::Integer(_) | Cell::Real(_))
                || matches!(cell, Cell::Text(text) if is_decimal(text));
            let side = if numeric { CellAlignment::Right } else { CellAlignment::Left };
            Shown::new(short(&cell.to_string())).set_alignment(side)
        }));
    }
    let mut lines: Vec<String> = table.lines().map(|line| line.trim_end().to_owned()).collect();
    let hidden = answer.count - answer.rows.len() as u64;
    if hidden > 0 {
        lines.push(format!(" … and {hidden} more"));
    }
    lines
}

/// Exact numbers, which servers tell as text.
fn is_decimal(text: &str) -> bool {
    text.contains('.') && text.parse::<f64>().is_ok()
}

/// One line of at most [`CELL_BYTES`]; line breaks and other control characters are escaped.
fn short(text: &str) -> String {
    let mut shown = String::new();
    for c in text.chars() {
        if shown.len() + c.len_utf8() > CELL_BYTES {
            shown.push('…');
            break;
        }
        if c.is_control() { shown.extend(c.escape_default()) } else { shown.push(c) }
    }
    shown
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn tables_are_aligned_and_cut() {
        let answer = Answer {
            columns: vec!["名称".into(), "amount".into()],
            rows: vec![
                vec![Cell::Text("利息\n".into()), Cell::Integer(5)],
                vec![Cell::Text("x".repeat(300)), Cell::Real(12.5)],
                vec![Cell::Null, Cell::Blob(vec![1, 0xab])],
            ],
            count: 24,
            ..Answer::default()
        };
        let lines = lines(&answer);
        assert_eq!(lines.len(), 5, "{lines:#?}");
        assert!(lines[0].starts_with(" 名称"), "{}", lines[0]);
        assert!(lines[1].starts_with(" 利息\\n "), "{}", lines[1]);
        assert!(lines[1].ends_with("     5"), "{}", lines[1]);
        assert!(lines[2].contains(&format!(" {}… ", "x".repeat(200))), "{}", lines[2]);
        assert!(lines[3].starts_with(" NULL") && lines[3].ends_with("x'01ab'"), "{}", lines[3]);
        assert_eq!(lines[4], " … and 21 more");
    }
}
