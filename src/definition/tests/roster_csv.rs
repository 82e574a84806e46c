//! Rosters out of spreadsheets.

use super::*;
use crate::definition::source::{SourceFile, SourceTree};
use crate::definition::starter::{self, House};

fn site() -> Site {
    let mut tree = SourceTree::default();
    for (path, text) in starter::FILES.iter().copied().chain(House::H.roster_rules()) {
        tree.insert(path, SourceFile::Content(text.as_bytes().to_vec()));
    }
    crate::definition::load(&tree).site.unwrap()
}

#[test]
fn both_forms_and_every_separator_say_the_same() {
    let expected = "roster:\n  - {shift: day, from: 2026-11-02, people: [sun-yan, li-wei]}\n  \
                    - {shift: night, from: 2026-11-01, to: 2026-11-03, people: [li-wei]}\n  \
                    - {shift: night, from: 2026-11-05, people: [li-wei]}\n";
    let list = "date,shift,person,name\n2026-11-02,day,sun-yan,孙岩\n2026-11-01,night,li-wei,\n\
                2026-11-02,夜班,李伟\n2026-11-03,Night,Li Wei,x\n2026-11-05,night,li-wei\n2026-11-02,day,\"li-wei\"\n";
    let by_day = "person,2026-11-01,2026-11-02,2026-11-03,2026-11-04,2026-11-05\n\
                  sun-yan,,白班\nli-wei,night,night + day,night,,night\n";
    for text in [list, by_day] {
        for between in [",", ";", "\t"] {
            let text = format!("\u{feff}{}", text.replace(',', between).replace('\n', "\r\n"));
            assert_eq!(yaml(&read(&site(), &text).unwrap()), expected, "{text}");
        }
    }
}

#[test]
fn what_is_wrong_is_told_with_line_and_column() {
    let table = [
        ("", "0:0 the file is empty"),
        ("day,who\n", "1:1 the first line does not name the columns"),
        ("date,shift,person\n2026-11-31,night,li-wei\n", "2:1 `2026-11-31` is not a date"),
        ("date,shift,person\n2026-11-01,nigth,li-wei\n", "2:12 unknown shift `nigth`"),
        ("date,shift,person\n\n2026-11-01,night,王五\n", "3:18 unknown person `王五`"),
        ("date,shift,person\n2026-11-01,night\n", "2:1 expected date, shift and person"),
        (
            "date,shift,person\n2026-11-01,night,li-wei\n2026-11-01,夜班,李伟\n",
            "3:15 `li-wei` has shift `night` of 2026-11-01 already",
        ),
        ("person,2026-11-01\nli-wei,night+dya\n", "2:8 unknown shift `dya`"),
        ("person,2026-11-01\nli-wei,night,day\n", "2:14 this column has no date"),
        ("person,1 Nov\nli-wei,night\n", "1:8 `1 Nov` is not a date"),
    ];
    for (text, expected) in table {
        let found = read(&site(), text).unwrap_err();
        let told: Vec<String> =
            found.iter().map(|f| format!("{}:{} {}", f.at.line, f.at.column, f.what)).collect();
        assert_eq!(told, [expected], "{text}");
    }
}
