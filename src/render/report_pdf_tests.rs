//! The PDF as other programs read it: its words by `pdftotext`, its pages by `pdfinfo`.

#![expect(
    clippy::disallowed_methods,
    reason = "a test asks another program to read what was written"
)]

use std::process::Command;

use super::*;
use crate::render::sample::{bad_night, good_night, name};

/// What a program of poppler-utils says of a document.
fn read(program: &str, pdf: &[u8], arguments: &[&str]) -> String {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("report.pdf");
    std::fs::write(&path, pdf).unwrap();
    let mut command = Command::new(program);
    let said = command.arg(path).args(arguments).output().unwrap();
    assert!(said.status.success(), "{said:?}");
    String::from_utf8(said.stdout).unwrap()
}

fn text(pdf: &[u8]) -> String {
    read("pdftotext", pdf, &["-layout", "-"])
}

#[test]
fn words_in_both_languages_can_be_searched() {
    let night = bad_night();
    for lang in Lang::ALL {
        let text = text(&pdf(lang, &night).unwrap());
        for said in [
            "eod@2026-10-30#1",
            "post-ledger",
            Label::AllJobs.say(lang),
            Label::Incidents.say(lang),
            night.jobs[0].title.get(lang),
            "account 4711-0815: debit and credit differ by 0.01",
        ] {
            assert!(text.contains(said), "{said}: {text}");
        }
    }
}

#[test]
fn each_page_has_its_number_and_the_journal_head() {
    let mut night = good_night();
    let spare = night.jobs[4].clone();
    for i in 0..120 {
        let mut line = spare.clone();
        line.name = name(&format!("filler-{i:03}"));
        night.jobs.push(line);
    }
    let pdf = pdf(Lang::Zh, &night).unwrap();
    let about = read("pdfinfo", &pdf, &[]);
    let pages = about.lines().find_map(|line| line.strip_prefix("Pages:")).unwrap().trim();
    let pages: usize = pages.parse().unwrap();
    assert!(pages > 4, "{about}");
    assert!(about.contains("841.9 x 595.3 pts"), "A4 across: {about}");
    let text = text(&pdf);
    let sheets: Vec<&str> = text.split('\u{c}').filter(|sheet| !sheet.trim().is_empty()).collect();
    assert_eq!(sheets.len(), pages);
    for (i, sheet) in sheets.iter().enumerate() {
        let words: Vec<&str> = sheet.split_whitespace().collect();
        let number = format!("{}/{pages}", i + 1);
        assert!(words.concat().ends_with(&number), "{number}: {sheet}");
        assert!(sheet.contains(night.journal_head.as_deref().unwrap()), "{sheet}");
        assert!(sheet.contains("eod@2026-10-30#1"), "{sheet}");
    }
    assert!(text.contains("filler-119"), "the last job is there");
}

#[test]
fn what_is_broader_than_the_page_is_broken_and_not_lost() {
    let mut night = bad_night();
    let long = "x".repeat(400);
    night.actions[0].reason = format!("first {long} last");
    let text = text(&pdf(Lang::En, &night).unwrap());
    assert!(text.contains("first") && text.contains("last"), "{text}");
    let kept = text.matches('x').count();
    assert!(kept >= 400, "{kept} of 400 letters");
    // The journal's head alone needs three decimeters of ink nowhere: no line is cut at the edge.
    assert!(!text.contains(&"x".repeat(300)), "one line would leave the page");
}
