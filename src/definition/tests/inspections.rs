//! Inspections: what is wrong of their checks.

use super::{load, sound, texts};

#[test]
fn every_defect_of_a_check_has_its_place() {
    let batch = "\
version: 1
batch: round
title: Round
jobs:
  nothing: {title: N, inspect: {}}
  both: {title: B, shell: \"true\", inspect: {disk: {disk: /, fail: 90}}}
  odd:
    title: O
    inspect:
      none: {warn: 1}
      two: {disk: /, tcp: \"db:1\", fail: 90}
      bare: {disk: /}
      order: {disk: /, warn: 95, fail: 80}
      less: {memory: ram, warn: 5, fail: 10, worse: less}
      more: {tcp: \"db:1\", worse: less}
      port: {tcp: db.bank.example}
      web: {http: portal.bank.example, lines: [ERROR]}
      status: {tcp: \"db:1\", status: 200}
      log: {log: /var/log/x}
      program: {command: [\" \"]}
      word: {disk: \"{wrk}\", fail: 90}
      cpu: {cpu: 10s, fail: 90}
      unit: {disk: /, fail: 90%}
      lost: {sql: select 1}
  aimless: {title: A, target: ledger, inspect: {disk: {disk: /, fail: 90}}}
  writes: {title: W, target: ledger, inspect: {rows: {sql: delete from greeting}}}
";
    insta::assert_snapshot!(texts(&load(&sound(&[("round.yaml", batch)]))));
}

#[test]
fn every_defect_of_the_rounds_of_a_site_has_its_place() {
    let site =
        super::super::starter::FILES.iter().find(|(path, _)| *path == "site.yaml").unwrap().1;
    let (site, _) = site.split_once("inspections:").unwrap();
    let of = |rules: &str| texts(&load(&sound(&[("site.yaml", &format!("{site}{rules}"))])));
    let rules = "\
inspections:
  severity: p4
  rounds:
    - {batch: helo, per_day: 4}
    - {batch: hello, per_day: 0}
    - {batch: hello, per_day: 4, from: 2026-11-02, to: 2026-11-01}
    - {batch: hello, per_day: 4, calendar: weekdays}
    - {batch: hello, per_day: 4, days: every businessday}
    - {per_day: 4}
";
    insta::assert_snapshot!(of(rules));
    let none = of("inspections: {rounds: []}\n");
    assert!(none.contains("no round is asked for"), "{none}");
    assert_eq!(of("inspections: {rounds: [{batch: hello, per_day: 4}]}\n"), "");
}

/// What is wrong of drills.
#[test]
fn every_defect_of_a_drill_has_its_place() {
    let escalation = "\
version: 1
policies: {duty: {title: Duty, steps: [{tell: {roles: [duty]}}]}}
policy: duty
drills:
  good: {title: G, every: 90d, from: 2026-11-01}
  hourly: {title: H, every: 36h, from: 2026-11-01}
  never: {title: N, every: 0s, from: 2026-11-01}
  bare: {title: B}
  unknown:
    title: U
    every: 90d
    from: 2026-11-01
    policy: dutty
    people: [li-wie]
    teams: [operations]
    runbook_zh: 切换
";
    insta::assert_snapshot!(texts(&load(&sound(&[("escalation.yaml", escalation)]))));
}
