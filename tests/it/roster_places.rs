//! What `nightrun check` says of a roster: each at its place, with what to do.

use std::path::Path;

use jiff::civil::date;
use nightrun::app;
use nightrun::definition::Styles;
use nightrun::definition::starter::{self, House};

#[test]
fn each_rule_that_is_broken_is_told_at_its_place() {
    let site = tempfile::tempdir().unwrap();
    for (path, text) in starter::FILES.iter().copied().chain(House::H.roster_rules()) {
        let path = site.path().join(path);
        std::fs::create_dir_all(path.parent().unwrap()).unwrap();
        std::fs::write(path, text).unwrap();
    }
    let change = |file: &str, from: &str, to: &str| {
        let path = site.path().join(file);
        let text = std::fs::read_to_string(&path).unwrap();
        assert!(text.contains(from), "{file}");
        std::fs::write(path, text.replacen(from, to, 1)).unwrap();
    };
    change("people.yaml", "mail: wu.hao@bank.example, ", "");
    change("roster.yaml", "rotations:", "\
roster:
  - {shift: early, from: 2026-11-03, people: [qian-ru]}
leave:
  - {person: li-wei, from: 2026-11-09, to: 2026-11-13, announced: 2026-10-01, approved_by: lin-tao}
  - {person: zhao-lei, from: 2026-11-13, announced: 2026-11-10, approved_by: li-wei}
  - {person: wu-hao, from: 2026-11-11, to: 2026-11-12, announced: 2026-10-01, approved_by: lin-tao}
swaps:
  - {shift: night, from: 2026-11-04, gives: qian-ru, takes: he-min, announced: 2026-11-03T10:00, approved_by: lin-tao}
  - {shift: night, from: 2026-11-05, gives: sun-yan, takes: he-min}
rotations:");
    let checked = app::check(site.path(), date(2026, 11, 2)).unwrap();
    let told: Vec<String> =
        checked.defects.iter().map(|d| d.text(Path::new(""), Styles::plain())).collect();
    insta::assert_snapshot!(told.concat());
    assert!(checked.site.is_none(), "defects are errors");
}

#[test]
fn a_site_begins_with_rules_of_both_kinds_and_nothing_is_overwritten() {
    let folder = tempfile::tempdir().unwrap();
    let site = folder.path().join("site");
    let init = |rules: &[&str]| {
        let mut command = std::process::Command::new(env!("CARGO_BIN_EXE_nightrun"));
        command.arg("init").arg(&site).args(rules).output().unwrap()
    };
    let both = ["--change-rules", "c", "--roster-rules", "c"];
    assert!(init(&both).status.success());
    let checked = app::check(&site, date(2026, 11, 2)).unwrap();
    assert_eq!(checked.defects, []);
    let again = init(&["--roster-rules", "h"]);
    assert_eq!(again.status.code(), Some(3), "{again:?}");
    std::fs::remove_file(site.join("roster-rules.yaml")).unwrap();
    let added = init(&["--roster-rules", "c"]);
    let said = String::from_utf8(added.stdout).unwrap();
    assert!(said.contains("left as it is: people.yaml, roster.yaml, shifts.yaml"), "{said}");
}
