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
