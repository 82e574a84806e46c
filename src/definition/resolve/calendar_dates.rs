//! The dates of a calendar in a CSV file: columns date, kind, name.

use jiff::civil::Date;

use crate::definition::csv_cells::{Cell, cells, length};
use crate::definition::defect::{Finding, Place};
use crate::definition::raw::{Leaf, date};
use crate::definition::site::{Exception, ExceptionKind};

/// A date of the file, with its line.
pub(super) struct Dated {
    pub date: Date,
    pub exception: Exception,
    pub at: Place,
}

const HEADER: [&str; 3] = ["date", "kind", "name"];

/// Reads the file's dates in its order; a bad line is a finding and left out.
pub(super) fn read(text: &str) -> (Vec<Dated>, Vec<Finding>) {
    let mut dates = Vec::new();
    let mut found = Vec::new();
    let text = text.trim_start_matches('\u{feff}');
    for (number, line) in (1u32..).zip(text.lines()) {
        if line.trim().is_empty() && number > 1 {
            continue;
        }
        let cells = match cells(line, number, ',') {
            Ok(cells) => cells,
            Err(finding) => {
                found.push(finding);
                continue;
            }
        };
        if number == 1 {
            if !cells.iter().map(|cell| cell.text.as_str()).eq(HEADER) {
                let at = Place { line: 1, column: 1, length: length(line) };
                let finding = Finding::error(at, "the first line does not name the columns");
                found.push(finding.hint("write `date,kind,name` there"));
            }
            continue;
        }
        match dated(&cells, number, line) {
            Ok(dated) => dates.push(dated),
            Err(finding) => found.push(finding),
        }
    }
    if text.is_empty() {
        found.push(Finding::error(Place::WHOLE_FILE, "the file is empty"));
    }
    (dates, found)
}

fn dated(cells: &[Cell], number: u32, line: &str) -> Result<Dated, Finding> {
    let [day, kind, rest @ ..] = cells else {
        let at = Place { line: number, column: 1, length: length(line) };
        return Err(Finding::error(at, "expected date,kind,name"));
    };
    if let [_, more, ..] = rest {
        return Err(
            Finding::error(more.at, "a column too many").hint("put a name with a comma in quotes")
        );
    }
    let parsed = date(&day.text).ok_or_else(|| {
        Finding::error(day.at, format!("`{}` is not a date", day.text))
            .hint("write it as `2026-10-30`")
    })?;
    let kind = ExceptionKind::parse(&kind.text).map_err(|wrong| wrong.finding(kind.at))?;
    let name = rest.first().map(|cell| cell.text.clone()).unwrap_or_default();
    Ok(Dated { date: parsed, exception: Exception { kind, name }, at: day.at })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn good_lines_are_read() {
        let text = "\u{feff}date,kind,name\r\n2026-10-01,holiday,\"National Day, \"\"国庆\"\"\"\r\n\n\
            2026-10-10,workday,调休\n2026-12-24,early-close 13:00,Christmas Eve\n";
        let (dates, found) = read(text);
        assert_eq!(found, []);
        let shown: Vec<_> = dates
            .iter()
            .map(|d| {
                format!("{} {} {:?} {}", d.at.line, d.date, d.exception.kind, d.exception.name)
            })
            .collect();
        insta::assert_debug_snapshot!(shown, @r#"
        [
            "2 2026-10-01 Holiday National Day, \"国庆\"",
            "4 2026-10-10 Workday 调休",
            "5 2026-12-24 EarlyClose { at: 13:00:00 } Christmas Eve",
        ]
        "#);
    }

    #[test]
    fn every_bad_line_is_a_finding_with_its_place() {
        let text = "date,kind\n2026-1-01,holiday,x\n2026-10-01,holyday,x\n2026-10-02\n\
            2026-10-03,holiday,a,b\n2026-10-04,holiday,\"a\n2026-10-05,holiday,\"a\"b\n";
        let (dates, found) = read(text);
        assert!(dates.is_empty());
        let shown: Vec<_> = found
            .iter()
            .map(|f| format!("{}:{}+{} {}", f.at.line, f.at.column, f.at.length, f.what))
            .collect();
        insta::assert_debug_snapshot!(shown, @r#"
        [
            "1:1+9 the first line does not name the columns",
            "2:1+9 `2026-1-01` is not a date",
            "3:12+7 `holyday` is no kind of day",
            "4:1+10 expected date,kind,name",
            "5:22+1 a column too many",
            "6:20+1 a quote is not closed",
            "7:23+1 expected a comma after the quote",
        ]
        "#);
    }
}
