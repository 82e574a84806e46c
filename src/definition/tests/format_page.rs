//! The examples of the format's page are what the loader takes.

use super::{load, texts};
use crate::definition::source::SourceTree;

const PAGE: &str = include_str!("../../docs/format.md");

/// The YAML example under a heading.
fn example(heading: &str) -> String {
    let section = PAGE.split("\n## ").find(|section| section.starts_with(heading));
    let section = section.unwrap_or_else(|| panic!("no section `{heading}`"));
    let (_, block) = section.split_once("```yaml\n").unwrap();
    block.split("```").next().unwrap().to_owned()
}

/// The page's batch shows keys that exclude each other: this leaves those of one job of kind `run`.
fn batch() -> String {
    let of_sql = ["    target: bank ", "    transaction: one "];
    let lines = example("A batch").lines().map(str::to_owned).collect::<Vec<_>>();
    let kept = lines.iter().filter(|line| !of_sql.iter().any(|key| line.starts_with(key)));
    kept.cloned().collect::<Vec<_>>().join("\n")
}

#[test]
fn the_examples_of_the_page_make_a_site() {
    let other =
        "version: 1\nbatch: other\ntitle: Other\njobs: {job: {title: Job, shell: \"true\"}}\n";
    let batch = batch()
        + "\n  deliver-rates: {title: Deliver, shell: \"true\", expected: 1s}\
           \n  check-rates: {title: Check, shell: \"true\", expected: 1s}\
           \n  close: {title: Close, shell: \"true\", expected: 1s}\n";
    let windows = example("windows.yaml").replace("windows:\n", "windows:\n  night: {title: Night, open: [{days: every day, from: \"18:00\", to: \"09:00\"}]}\n");
    let verify = "select 'fee', amount = 5, '' from fee;\n";
    let files = [
        ("site.yaml", example("site.yaml")),
        ("people.yaml", example("people.yaml")),
        ("windows.yaml", windows),
        ("calendars/target.yaml", example("calendars/target.yaml")),
        (
            "calendars/target.csv",
            "date,kind,name\n2026-12-24,early-close 13:00,Christmas Eve\n".to_owned(),
        ),
        ("eod/eod.yaml", batch),
        ("eod/scripts/load.sh", "true\n".to_owned()),
        ("other.yaml", other.to_owned()),
        ("changes/fee-correction/change.yaml", example("changes/fee-correction/change.yaml")),
        (
            "changes/fee-correction/backup.sql",
            "create table fee_before as select * from fee where amount <> 5;\n".to_owned(),
        ),
        (
            "changes/fee-correction/change.sql",
            "update fee set amount = 5 where amount <> 5;\n".to_owned(),
        ),
        ("changes/fee-correction/verify.sql", verify.to_owned()),
        (
            "changes/fee-correction/rollback.sql",
            "delete from fee where true;\ninsert into fee select * from fee_before;\n".to_owned(),
        ),
    ];
    let tree: SourceTree = files.into_iter().collect();
    let loaded = load(&tree);
    assert_eq!(texts(&loaded), "");
    let site = loaded.site.unwrap();
    insta::assert_debug_snapshot!(site.batches.values().next().unwrap());
    let freeze = &site.freezes[0];
    assert_eq!(freeze.from.to_string(), "2026-12-28T23:00:00Z");
    assert_eq!(site.windows.len(), 2);
}
