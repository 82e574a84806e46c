//! A store that cannot be trusted: whoever opens it says what is wrong and what to do, and writes nothing to it.

use std::fs;
use std::path::Path;

use sqlx::sqlite::{SqliteConnectOptions, SqliteConnection};
use sqlx::{ConnectOptions, Connection, Executor};

use super::house::{House, SITE};

const NIGHT: &str = "  a: {title: A, run: [sh, job.sh]}\n";

fn meddle(file: &Path, sql: &'static str) {
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
    let options = SqliteConnectOptions::new().filename(file);
    runtime.block_on(async {
        let mut conn: SqliteConnection = options.connect().await.unwrap();
        conn.execute(sql).await.unwrap();
        conn.close().await.unwrap();
    });
}

/// A change of the file's bytes, and words of the refusal.
type Damage = (&'static str, fn(&mut Vec<u8>), &'static str);

const OF_BYTES: [Damage; 5] = [
    ("empty", Vec::clear, "is cut short"),
    ("cut", |bytes| bytes.truncate(bytes.len() / 2), "is cut short"),
    ("not a database", |bytes| *bytes = vec![b'x'; 20_000], "is not a SQLite file"),
    ("another program's", |bytes| bytes[71] ^= 1, "is not a nightrun store"),
    ("garbage pages", |bytes| garbage(bytes), "malformed"),
];

fn garbage(bytes: &mut [u8]) {
    bytes.chunks_mut(4096).skip(1).for_each(|page| page[..64].fill(0xa5));
}

#[test]
fn a_file_that_is_not_whole_is_refused_by_all_and_stays_as_it_is() {
    let house = House::new(NIGHT);
    house.spawn(&["run", "night", "--date", "2026-10-30"]).ends(0);
    let file = house.state().join("nightrun.db");
    // The end of a process leaves the WAL beside it; here the file is to be whole by itself.
    meddle(&file, "select 1");
    let whole = fs::read(&file).unwrap();
    for (what, damage, words) in OF_BYTES {
        let mut bytes = whole.clone();
        damage(&mut bytes);
        fs::write(&file, &bytes).unwrap();
        for command in [
            &["run", "night", "--date", "2026-10-31"][..],
            &["resume"],
            &["status"],
            &["runs"],
            &["journal", "verify"],
        ] {
            let refused = house.run(command);
            assert!(refused.code == Some(1), "{what}, {command:?}: {refused:?}");
            assert!(refused.err.contains(words), "{what}, {command:?}: {}", refused.err);
            assert!(fs::read(&file).unwrap() == bytes, "{what}, {command:?}: it was written to");
        }
    }
    fs::write(&file, &whole).unwrap();
    house.run(&["journal", "verify"]).code(0);
    assert_eq!(house.ran(), ["a 1"]);
}

#[test]
fn what_sqlite_can_read_and_nightrun_cannot_trust_is_named_and_stays_as_it_is() {
    let house = House::new(NIGHT);
    house.spawn(&["run", "night", "--date", "2026-10-30"]).ends(0);
    let file = house.state().join("nightrun.db");
    // The end of a process leaves the WAL beside it; here the file is to be whole by itself.
    meddle(&file, "select 1");
    let whole = fs::read(&file).unwrap();
    let starts: [&[&str]; 2] = [&["run", "night", "--date", "2026-10-31"], &["resume"]];
    let reads: [&[&str]; 2] = [&["status"], &["journal", "verify"]];
    let everybody = [starts[0], starts[1], reads[0], reads[1]];
    let open = "update run set ended = null, result = null; \
                update journal set body = replace(body, 'pid', 'pie') where seq = 3";
    for (sql, commands, words) in [
        ("pragma user_version = 99", &everybody[..], "schema version 99; use the nightrun that"),
        // A run that is open: a start goes by its entries, and so does who looks at it.
        (open, &everybody, "entry 3: its hash does not fit"),
        ("update journal set hash = 'x' where seq = 3", &reads, "entry 3: its hash does not fit"),
        ("delete from journal where seq = 3", &reads, "journal entry 4:"),
        ("delete from journal where seq > 4", &starts, "the journal should end with entry"),
        ("update site_head set seq = seq - 1", &starts, "the journal should end with entry"),
        ("delete from site_head", &starts, "reading the journal's head"),
    ] {
        fs::write(&file, &whole).unwrap();
        meddle(&file, sql);
        let bytes = fs::read(&file).unwrap();
        for command in commands {
            let refused = house.run(command);
            assert!(refused.code == Some(1), "{sql}, {command:?}: {refused:?}");
            assert!(refused.err.contains(words), "{sql}, {command:?}: {}", refused.err);
            assert!(fs::read(&file).unwrap() == bytes, "{sql}, {command:?}: it was written to");
        }
    }
    assert_eq!(house.ran(), ["a 1"]);
}

const LOOK: &str = "
schedule: {cron: \"0 21,23 * * *\"}
jobs:
  host: {title: H, inspect: {sessions: {command: [sh, -c, \"echo 7 sessions\"], warn: 5, fail: 9}}}
";

/// What a report tells of other runs is no reason for the night not to end.
#[test]
fn a_night_is_over_and_reported_though_a_round_of_inspections_cannot_be_read() {
    let house = House::new(NIGHT);
    house.batch("look", LOOK);
    let rounds = "inspections: {severity: p2, rounds: [{batch: look, per_day: 2}]}\n";
    house.write("site.yaml", &format!("{SITE}{rounds}"));
    house.run(&["run", "look", "--date", "2026-10-30"]).code(0);
    meddle(
        &house.state().join("nightrun.db"),
        "update journal set body = replace(body, 'sessions', 'sessionz') \
         where body like '%attempt-ended%'",
    );
    let night = house.spawn(&["run", "night", "--date", "2026-10-30"]);
    night.notice("the report of night@2026-10-30#1 is not whole");
    night.ends(0);
    assert_eq!(house.facts("run-ended").len(), 2);
    let report = house.state().join("reports/night@2026-10-30#1/report.en.txt");
    assert!(fs::read_to_string(report).unwrap().contains("ended well"));
}
