//! A site with one of every defect, as a person sees them.

use super::{load, sound, texts};
use crate::definition::defect::Severity;
use crate::definition::source::{SourceFile, SourceTree};

const BROKEN: &[(&str, &str)] = &[
    ("calendars/a.yaml", include_str!("broken/calendars/a.yaml")),
    ("calendars/b.yaml", include_str!("broken/calendars/b.yaml")),
    ("calendars/c.yaml", include_str!("broken/calendars/c.yaml")),
    ("calendars/cn.csv", include_str!("broken/calendars/cn.csv")),
    ("calendars/cn.yaml", include_str!("broken/calendars/cn.yaml")),
    ("calendars/target.yaml", include_str!("broken/calendars/target.yaml")),
    ("changes/fee-correction/change.sql", include_str!("broken/changes/fee-correction/change.sql")),
    (
        "changes/fee-correction/change.yaml",
        include_str!("broken/changes/fee-correction/change.yaml"),
    ),
    (
        "changes/fee-correction/rollback.sql",
        include_str!("broken/changes/fee-correction/rollback.sql"),
    ),
    ("changes/fee-correction/verify.sql", include_str!("broken/changes/fee-correction/verify.sql")),
    ("changes/lost/change.sql", include_str!("broken/changes/lost/change.sql")),
    ("eod/eod.yaml", include_str!("broken/eod/eod.yaml")),
    ("eod/scripts/load.sh", include_str!("broken/eod/scripts/load.sh")),
    ("eod/sql/empty.sql", include_str!("broken/eod/sql/empty.sql")),
    ("eod/sql/post.sql", include_str!("broken/eod/sql/post.sql")),
    ("hosts.yaml", include_str!("broken/hosts.yaml")),
    ("people.yaml", include_str!("broken/people.yaml")),
    ("reports/again.yaml", include_str!("broken/reports/again.yaml")),
    ("reports/cycle.yaml", include_str!("broken/reports/cycle.yaml")),
    ("reports/other.yaml", include_str!("broken/reports/other.yaml")),
    ("reports/reports.yaml", include_str!("broken/reports/reports.yaml")),
    ("reports/two.yml", include_str!("broken/reports/two.yml")),
    ("roster-rules.yaml", include_str!("broken/roster-rules.yaml")),
    ("roster.yaml", include_str!("broken/roster.yaml")),
    ("shifts.yaml", include_str!("broken/shifts.yaml")),
    ("site.yaml", include_str!("broken/site.yaml")),
    ("windows.yaml", include_str!("broken/windows.yaml")),
];

#[test]
fn every_defect_is_shown_at_once() {
    let mut tree: SourceTree = BROKEN.iter().copied().collect();
    tree.insert("reports/huge.sql", SourceFile::Unreadable("it is larger than 4 MiB".to_owned()));
    let loaded = load(&tree);
    assert!(loaded.site.is_none());
    insta::assert_snapshot!(texts(&loaded));
}

#[test]
fn three_mistakes_in_one_file_are_three_defects() {
    let tree = sound(&[(
        "late.yaml",
        "version: 1\nbatch: late\ntitle: Late\njobs:\n  a:\n    title: A\n    shell: \"true\"\n    \
            tim_limit: 5m\n    grace: 10\n    needs: [b]\n",
    )]);
    insta::assert_snapshot!(texts(&load(&tree)), @r"
    jobs/late.yaml:8:5: unknown key `tim_limit`
      8 |     tim_limit: 5m
        |     ^^^^^^^^^
      hint: did you mean `time_limit`?
    jobs/late.yaml:9:12: `10` is not a duration: write whole numbers with units, such as `90s`, `15m`, `1h30m`, `2d`
      9 |     grace: 10
        |            ^^
    jobs/late.yaml:10:13: unknown job `b`
      10 |     needs: [b]
         |             ^
      hint: did you mean `a`?
    ");
}

#[test]
fn hosts_in_the_site_are_sent_to_their_own_file_and_make_no_names_unknown() {
    let site = super::super::starter::FILES[0].1.to_owned() + "hosts:\n  db1: {max_running: 2}\n";
    let batch = "version: 1\nbatch: late\ntitle: Late\njobs:\n  \
                 a: {title: A, shell: \"true\", host: db1}\n";
    insta::assert_snapshot!(texts(&load(&sound(&[("site.yaml", &site), ("late.yaml", batch)]))), @r"
    jobs/site.yaml:27:3: hosts have a file of their own
      27 |   db1: {max_running: 2}
         |   ^
      hint: move it to hosts.yaml, beneath `version: 1`
    ");
}

#[test]
fn a_file_that_cannot_be_read_makes_no_names_unknown() {
    let mut tree = sound(&[
        ("site.yaml", "version: ["),
        ("empty.yaml", "# nothing\n"),
        ("broken.yaml", "version: 1\nbatch: broken\ntitle: [a, b\njobs:\n"),
        (
            "other.yaml",
            "version: 1\nbatch: other\ntitle: Other\njobs: {a: {title: A, shell: b, needs: [broken.x]}}",
        ),
    ]);
    let gbk = b"version: 1\npeople:\n  li-wei: {name: \xc0\xee}\n";
    tree.insert("people.yaml", SourceFile::Content(gbk.to_vec()));
    insta::assert_snapshot!(texts(&load(&tree)), @r"
    jobs/broken.yaml:4:5: not YAML: illegal placement of ':' indicator
      4 | jobs:
        |     ^
      hint: the rest of this file is checked when this is mended
    jobs/empty.yaml: the file is empty
    jobs/people.yaml:3:18: not UTF-8: the byte 0xc0 stands here
      3 |   li-wei: {name: ��}
        |                  ^
      hint: save the file as UTF-8; GBK and Latin-1 are not read
    jobs/site.yaml:1:10: not YAML: unclosed bracket '['
      1 | version: [
        |          ^
      hint: the rest of this file is checked when this is mended
    ");
}

#[test]
fn an_authority_is_only_for_what_is_encrypted() {
    let site = |tls: &str| {
        format!(
            "version: 1\ntitle: Bank\nzone: UTC\nmail:\n  from: n@bank.example\n  failures_to: duty\n  \
             report_to: duty\n  smtp: {{host: mail, tls: {tls}, ca: bank.pem}}\n"
        )
    };
    let (plain, encrypted) = (site("none"), site("start-tls"));
    let found = texts(&load(&sound(&[("site.yaml", &plain)])));
    assert!(found.contains("`ca` needs `tls: start-tls`"), "{found}");
    assert!(!texts(&load(&sound(&[("site.yaml", &encrypted)]))).contains("`ca`"));
}

#[test]
fn a_warning_does_not_stop_the_site() {
    let tree =
        sound(&[("people.yaml", "version: 1\npeople:\n  li-wei: {name: Li Wei, roles: [duty]}\n")]);
    let loaded = load(&tree);
    assert!(loaded.site.is_some());
    assert!(loaded.defects.iter().all(|defect| defect.severity == Severity::Warning));
    insta::assert_snapshot!(texts(&loaded), @r"
    jobs/people.yaml:3:3: warning: `li-wei` has no mail address, so no mail reaches this person
      3 |   li-wei: {name: Li Wei, roles: [duty]}
        |   ^^^^^^
    ");
}

#[test]
fn no_files_are_one_defect() {
    insta::assert_snapshot!(texts(&load(&SourceTree::default())), @r"
    jobs/site.yaml: there is no site.yaml
      hint: `nightrun init DIR` writes a small site to begin with
    ");
}

#[test]
fn a_defect_as_json() {
    let tree = sound(&[(
        "a.yaml",
        "version: 1\nbatch: a\ntitle: 批次\nwindw: x\njobs: {b: {title: B, shell: c}}\n",
    )]);
    let json = serde_json::to_string_pretty(&load(&tree).defects).unwrap();
    insta::assert_snapshot!(json, @r#"
    [
      {
        "severity": "error",
        "file": "a.yaml",
        "line": 4,
        "column": 1,
        "length": 5,
        "what": "unknown key `windw`",
        "hint": "did you mean `window`?",
        "source_line": "windw: x"
      }
    ]
    "#);
}
