//! Whatever bytes the files hold, loading ends with a site or with defects.

use proptest::prelude::*;

use super::{load, texts};
use crate::definition::defect::Severity;
use crate::definition::source::{SourceFile, SourceTree};
use crate::definition::starter;

/// What a slip of the hand, an editor or a merge leaves in a file.
#[derive(Debug, Clone)]
enum Slip {
    Delete,
    Insert(Vec<u8>),
    Double,
    Cut,
}

fn slips() -> impl Strategy<Value = (usize, usize, usize, Slip)> {
    let pieces = prop_oneof![
        prop::sample::select(vec![
            "{",
            "}",
            "[",
            "]",
            ":",
            ": ",
            "- ",
            "\n",
            "\t",
            "\"",
            "'",
            "*a",
            "&a ",
            "<<: ",
            "!!str ",
            "|",
            ">",
            "#",
            "---\n",
            "null",
            "~",
            "\u{feff}",
            "日",
            "\u{1b}[31m",
            "{{",
            "@",
            "-1bd",
            "99999999999999999999",
            "0",
            "\r\n",
            "%",
        ])
        .prop_map(|text| text.as_bytes().to_vec()),
        prop::collection::vec(any::<u8>(), 0..4),
    ];
    let slip = prop_oneof![
        Just(Slip::Delete),
        pieces.prop_map(Slip::Insert),
        Just(Slip::Double),
        Just(Slip::Cut),
    ];
    (0..starter::FILES.len(), any::<usize>(), 0..40usize, slip)
}

fn apply(bytes: &mut Vec<u8>, at: usize, length: usize, slip: Slip) {
    let at = at % (bytes.len() + 1);
    let end = (at + length).min(bytes.len());
    match slip {
        Slip::Delete => drop(bytes.drain(at..end)),
        Slip::Insert(piece) => drop(bytes.splice(at..at, piece)),
        Slip::Double => {
            let copy = bytes[at..end].to_vec();
            drop(bytes.splice(at..at, copy));
        }
        Slip::Cut => bytes.truncate(at),
    }
}

fn ends_well(tree: &SourceTree) {
    let loaded = load(tree);
    let errors = loaded.defects.iter().filter(|d| d.severity == Severity::Error).count();
    assert_eq!(loaded.site.is_none(), errors > 0);
    // Showing them is part of it.
    assert!(texts(&loaded).chars().all(|c| c == '\n' || !c.is_control()));
    assert!(loaded.defects.is_sorted_by(|a, b| a.order() <= b.order()));
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 400, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn slips_never_panic(slips in prop::collection::vec(slips(), 1..6)) {
        let mut files: Vec<(&str, Vec<u8>)> =
            starter::FILES.iter().map(|(path, text)| (*path, text.as_bytes().to_vec())).collect();
        for (file, at, length, slip) in slips {
            apply(&mut files[file].1, at, length, slip);
        }
        ends_well(&files.into_iter().collect());
    }

    #[test]
    fn any_bytes_never_panic(
        yaml in prop::collection::vec(any::<u8>(), 0..200),
        text in "[-a-z0-9 :{}\\[\\]\"'\n|>&*!,@#~日]{0,120}",
        csv in "[-a-z0-9,\"\n日]{0,120}",
        sql in "[-a-z0-9,;'\"$/*\n() ]{0,120}",
    ) {
        let mut tree = SourceTree::default();
        for (path, text) in starter::FILES {
            tree.insert(*path, SourceFile::Content(text.as_bytes().to_vec()));
        }
        tree.insert("a.yaml", SourceFile::Content(yaml));
        tree.insert("b.yaml", SourceFile::Content(text.clone().into_bytes()));
        tree.insert("people.yaml", SourceFile::Content(text.into_bytes()));
        let calendar = "version: 1\ntitle: C\nweekly: mon-fri\ncovers: 2026-01-01..2026-12-31\ndates: c.csv\n";
        tree.insert("calendars/c.yaml", SourceFile::Content(calendar.into()));
        tree.insert("calendars/c.csv", SourceFile::Content(csv.into_bytes()));
        tree.insert("changes/x/verify.sql", SourceFile::Content(sql.into_bytes()));
        ends_well(&tree);
    }
}
