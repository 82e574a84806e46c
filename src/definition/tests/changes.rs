//! Changes and their rules, with one of every defect.

use super::{load, sound, texts};

const SCRIPTS: [(&str, &str); 4] = [
    ("backup.sql", "create table b as select * from t;\n"),
    ("change.sql", "update t set y = 2 where x = 1;\n"),
    ("verify.sql", "select 'x', count(*) = 1, 'n' from t where y = 2;\n"),
    ("rollback.sql", "update t set y = 1 where x = 1;\n"),
];

const HEAD: &str = "version: 1\ntitle: T\nclass: data\nreason: R\nrows: {min: 0, max: 1}\n\
                    verify_takes: 1s\nrollback_takes: 1s\n";

const RULES: &str = "version: 1
title: Rules
environments: [sample, uat, uat]
deputies: {dev-led: [duty]}
steps: {shedule: [duty]}
approvals:
  - {classes: [data], environments: [sampel], roles: [{role: duty}]}
  - {kinds: [normal], review: {role: nobody}, roles: [{role: duty, people: 2}, {role: duty}]}
  - {classes: [data], kinds: [normal], roles: []}
  - {kinds: [emergency], environments: [uat], roles: [{role: nobody, asks: [testd]}]}
distinct: [[author]]
rehearsal: [{environments: [uta], within: soon}, {environments: [sample, uat], kinds: [normal]}, {classes: [data]}]
intake: [{window: nightly, seal: \"18:00\"}]
windows: [{classes: [data], window: nightly}]
weekly: [{title: First, list: uta, meets: [fri 14:00, fri 25:00]}, {title: Second, list: uat}, {title: Third, mail: [duty], remind: 1d, meets: [fri 14:00]}]
checklist:
  Present: {title: There, role: duty}
  late: {title: Late, role: duty}
  permission-1: {title: Permission, role: duty}
  round: {title: Round, role: duty, after: trip}
  trip: {title: Trip, role: duty, after: round}
  early: {title: Early, role: duty, before: submission, environments: [uat], after: round}
  open: {title: Open, role: duty, before: close, from: open, within: 1d, until: soon}
  market: {title: Market, role: duty, before: close, until: open, markets: [uss]}
  start: {title: Start, role: duty, from: 1d, after: nothing}
markets: {us: nightly}
questions: {tested: {title: Tested?}}
product_lines: {bonds: director}
emergency: {board: duty, mail: [duty]}
";

/// Loads changes of these files, each with the lines that are not those of every change.
fn told(changes: &[(&str, &str)], more: &[(&str, &str)]) -> String {
    let mut files: Vec<(String, String)> = Vec::new();
    for (id, lines) in changes {
        files.push((format!("changes/{id}/change.yaml"), format!("{HEAD}{lines}")));
        files.extend(SCRIPTS.map(|(name, sql)| (format!("changes/{id}/{name}"), sql.to_owned())));
    }
    files.extend(more.iter().map(|(path, text)| ((*path).to_owned(), (*text).to_owned())));
    let files: Vec<(&str, &str)> = files.iter().map(|(p, t)| (p.as_str(), t.as_str())).collect();
    texts(&load(&sound(&files)))
}

#[test]
fn every_defect_of_a_change_has_its_place() {
    let changes = [
        ("a", "target: ledger\nneeds: [b, nowhere]\nauthor: li-wie\n"),
        ("b", "target: ledger\nneeds: [c]\nwindow: nightly\nkind: urgent\n"),
        (
            "c",
            "target: ledger\nneeds: [a]\nattachments: [missing.pdf, ../a/change.yaml, change.sql]\n",
        ),
        ("d", "target: ledger\ntargets: {sample: ledger}\n"),
        ("e", "team: ops\n"),
        (
            "f",
            "targets: {uat: ledger, other: ledgre}\npermissions: [{what: Read it, by: nobody}]\n",
        ),
        ("g", "targets: {}\nauthor: [li-wei, li-wie]\nmode: both\n"),
        ("lists", "target: ledger\n"),
    ];
    let batch = "version: 1\nbatch: late\ntitle: Late\njobs:\n  one: {title: A, change: f}\n  \
                 two: {title: B, change: f, environment: uta}\n  \
                 three: {title: C, change: a, environment: sample}\n  \
                 four: {title: D, shell: \"true\", environment: sample}\n";
    insta::assert_snapshot!(told(&changes, &[("late.yaml", batch)]));
}

#[test]
fn every_defect_of_the_rules_has_its_place() {
    let changes = [("a", "target: ledger\n"), ("b", "targets: {prod: ledger}\n")];
    let rules = [("change-rules.yaml", RULES)];
    insta::assert_snapshot!(told(&changes, &rules));
}

#[test]
fn a_change_of_several_environments_is_a_job_of_one_of_them() {
    let batch = "version: 1\nbatch: late\ntitle: Late\nwindow: all-day\njobs:\n  \
                 one: {title: A, change: f, environment: sample}\n";
    let windows = "version: 1\nwindows: {all-day: {title: W, open: \
                   [{days: every day, from: \"00:00\", to: \"23:00\"}]}}\n";
    let lines = format!("{HEAD}targets: {{sample: ledger}}\nexpected: 2m\nmode: transactional\n");
    let mut files = vec![
        ("late.yaml", batch),
        ("windows.yaml", windows),
        ("changes/f/change.yaml", lines.as_str()),
    ];
    let scripts = [
        "changes/f/backup.sql",
        "changes/f/change.sql",
        "changes/f/verify.sql",
        "changes/f/rollback.sql",
    ];
    files.extend(scripts.into_iter().zip(SCRIPTS.map(|(_, sql)| sql)));
    let loaded = load(&sound(&files));
    assert_eq!(texts(&loaded), "");
    let site = loaded.site.unwrap();
    let job = &site.batches.values().find(|batch| batch.id.as_str() == "late").unwrap().jobs[0];
    assert_eq!(job.kind.target(&site).unwrap().as_str(), "ledger");
    // A job that says nothing else takes as long as its change says.
    assert_eq!(job.expected, Some("2m".parse().unwrap()));
    // What a run's copy says of the content is what was loaded.
    let change = site.changes.values().next().unwrap();
    let shas = scripts
        .into_iter()
        .zip(SCRIPTS)
        .map(|(path, (_, sql))| (path.into(), crate::definition::copy::sha256(sql.as_bytes())));
    let copy = crate::definition::copy::RunCopy { site: site.clone(), files: shas.collect() };
    assert_eq!(copy.content_digest(change).unwrap(), change.content);
    assert_eq!(change.content.len(), 64);
}

/// A site with rules of changes and one batch of these lines.
fn listed(rules: bool, batch: &str) -> String {
    let batch = format!("version: 1\nbatch: list\ntitle: List\n{batch}");
    let other = "version: 1\nbatch: other\ntitle: O\njobs:\n  a: {title: A, shell: \"true\", needs: [list.fix]}\n";
    let plain =
        "version: 1\ntitle: R\nenvironments: [sample]\napprovals: [{roles: [{role: duty}]}]\n";
    let mut more = vec![("list.yaml", batch.as_str())];
    if rules {
        more.push(("change-rules.yaml", plain));
    }
    if batch.contains("needed") {
        more.push(("other.yaml", other));
    }
    told(&[], &more)
}

#[test]
fn a_batch_has_jobs_or_takes_what_is_on_a_list() {
    assert_eq!(listed(true, "changes: {environment: sample, classes: [data, release]}\n"), "");
    let jobs = "jobs: {a: {title: A, shell: \"true\"}}\n";
    let broken = [
        (true, format!("{jobs}changes: {{environment: sample}}\n")),
        (true, String::new()),
        (true, "changes: {environment: sampel, classes: [date]}\n".to_owned()),
        (true, "changes: {classes: [data]}\n".to_owned()),
        (true, "changes: {environment: sample}\nteam: needed\n".to_owned()),
        (false, "changes: {environment: sample}\n".to_owned()),
    ];
    let told: Vec<String> = broken.iter().map(|(rules, batch)| listed(*rules, batch)).collect();
    insta::assert_snapshot!(told.join("---\n"));
}

#[test]
fn every_defect_of_a_backup_has_its_place() {
    let backups = [
        ("a", "backup: {tables: [{table: t, where: x = 1}]}\n"),
        (
            "b",
            "backup: {tables: [{table: t, where: x = 1, key: x}], exact: true}\nmode: journalled\n",
        ),
        (
            "c",
            "backup:\n  tables:\n    - {table: t u, where: x = 1) or (y = 2, key: [x, y.z]}\n    - {table: u, wehre: x}\n    - {table: u, where: true}\n    - {table: u, where: false}\n",
        ),
        ("d", "backup: {tables: []}\n"),
    ];
    let files = backups.map(|(id, lines)| {
        (format!("changes/{id}/change.yaml"), format!("{HEAD}target: ledger\n{lines}"))
    });
    let scripts = ["a", "b", "c", "d"].into_iter().flat_map(|id| {
        let script = |(name, sql): (&str, &str)| (format!("changes/{id}/{name}"), sql.to_owned());
        [script(SCRIPTS[1]), script(SCRIPTS[2])]
    });
    let beside = ("changes/d/backup.sql".to_owned(), SCRIPTS[0].1.to_owned());
    let files: Vec<(String, String)> = files.into_iter().chain(scripts).chain([beside]).collect();
    let files: Vec<(&str, &str)> = files.iter().map(|(p, t)| (p.as_str(), t.as_str())).collect();
    insta::assert_snapshot!(texts(&load(&sound(&files))));
}

#[test]
fn what_is_kept_is_part_of_the_content() {
    let content = |backup: &str, more: &[(&str, &str)]| {
        let change = format!("{HEAD}target: ledger\n{backup}");
        let mut files = vec![("changes/f/change.yaml", change.as_str())];
        files.extend([
            ("changes/f/change.sql", SCRIPTS[1].1),
            ("changes/f/verify.sql", SCRIPTS[2].1),
        ]);
        files.extend(more);
        let loaded = load(&sound(&files));
        assert_eq!(texts(&loaded), "");
        let site = loaded.site.unwrap();
        let change = site.changes.values().next().unwrap();
        let shas = files
            .iter()
            .map(|(path, text)| ((*path).into(), crate::definition::copy::sha256(text.as_bytes())));
        let copy = crate::definition::copy::RunCopy { site: site.clone(), files: shas.collect() };
        assert_eq!(copy.content_digest(change).unwrap(), change.content);
        change.content.clone()
    };
    let one = content("backup: {tables: [{table: t, where: x = 1}]}\n", &[]);
    let other = content("backup: {tables: [{table: t, where: x <= 1}]}\n", &[]);
    let back = [("changes/f/rollback.sql", SCRIPTS[3].1)];
    let undone = content("backup: {tables: [{table: t, where: x = 1}]}\n", &back);
    assert!(one != other && one != undone && other != undone);
}

#[test]
fn what_a_client_program_cannot_do_is_refused_with_its_place() {
    let site =
        super::super::starter::FILES.iter().find(|(path, _)| *path == "site.yaml").unwrap().1;
    let with = "targets:\n  core: {title: Core, environment: sample, client: {command: [core-sql, -f, \"{script}\"], \
                rows: [\"{n} rows\", rows], identity: {command: [], says: CORE}}}\n";
    assert!(site.contains("targets:\n"));
    let site = site.replace("targets:\n", with);
    let batch = "version: 1\nbatch: late\ntitle: Late\njobs:\n  \
                 one: {title: A, sql: a.sql, target: core}\n  \
                 two: {title: B, wait: {sql: select 1, target: core, limit: 1m}}\n  \
                 three: {title: C, sql: a.sql, target: core, transaction: none}\n";
    let changes = [
        ("a", "target: core\n"),
        ("b", "target: core\nmode: journalled\n"),
        ("c", "target: core\nmode: journalled\nbackup: {tables: [{table: t, where: x = 1}]}\n"),
    ];
    let more = [
        ("site.yaml", site.as_str()),
        ("late.yaml", batch),
        ("a.sql", "\\set x 1\nupdate t set y = :x;\n"),
    ];
    insta::assert_snapshot!(told(&changes, &more));
}
