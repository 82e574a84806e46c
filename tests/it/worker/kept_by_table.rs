//! What is kept is compared table by table, so that none hides what is missing of another; and however much it is, the worker
//! does not hold it.

use nightrun::definition::site::Backup;

use super::kept::{all, benches, table, with};
use super::*;

#[test]
fn a_table_of_which_more_was_kept_hides_nothing_of_another() {
    for bench in benches() {
        let before = all(&bench);
        let fees = || table("fee", "rate = 25");
        let tiers = || table("tier", "kind in ('a', 'b')");
        let refused = |tables: Vec<_>, change: &str, words: &str| {
            bench.write("fee/change.sql", change);
            let left = bench.run(&with(&bench, Backup { tables, exact: false }));
            assert_eq!(left.state(), ChangeState::FailedGuard, "{}{}", left.out, left.err);
            assert!(left.why().starts_with(words), "{change}: {}", left.why());
            assert_eq!(all(&bench), before, "{change}");
        };
        // A row of fees is deleted that nobody has kept, and a kept tier gets another key.
        refused(
            vec![fees(), tiers()],
            "delete from fee where id = 4;\nupdate tier set no = no + 10 where kind = 'b'",
            "1 of the kept rows are gone, and 0 rows deleted, of tier: a key was changed",
        );
        // Three fees were kept and four are overwritten; three tiers were kept and none is.
        refused(
            vec![tiers(), fees()],
            "update fee set rate = 30 where id < 9",
            "4 rows of fee updated or deleted, but the backup kept only 3 of it",
        );
    }
}

/// The most memory that a worker has held, in KiB.
fn memory(bench: &Bench, task: &Task, attempt: &str) -> (Left, u64) {
    let worker = bench.command(task, attempt).spawn().unwrap();
    let status = format!("/proc/{}/status", worker.id());
    let most = std::thread::spawn(move || {
        let mut most = 0;
        while let Ok(text) = std::fs::read_to_string(&status) {
            let held = text.lines().find_map(|line| line.strip_prefix("VmHWM:"));
            // A process that has ended has none.
            let Some(held) = held else { break };
            let held = held.trim_end_matches("kB").trim().parse::<u64>().unwrap();
            most = std::cmp::max(most, held);
            std::thread::sleep(Duration::from_millis(2));
        }
        most
    });
    let left = bench.left(worker.wait_with_output().unwrap());
    (left, most.join().unwrap())
}

/// Thirty megabytes of rows, kept, proven, and compared with what was made of them.
#[test]
fn rows_that_are_kept_do_not_pass_through_memory() {
    for bench in benches() {
        let rows = match bench.place {
            Place::File => {
                "with recursive n(i) as (select 100 union all select i + 1 from n where i < 15099) select i, 1, hex(zeroblob(1000)) from n"
            }
            Place::Postgres { .. } => {
                "select n, 1, repeat('0', 2000) from generate_series(100, 15099) n"
            }
            Place::Maria { .. } => "select seq, 1, repeat('0', 2000) from seq_100_to_15099",
        };
        bench.execute(&format!("alter table fee add column note text; insert into fee {rows}"));
        bench.write(
            "fee/verify.sql",
            "select 'notes', count(*) > 0, 'x' from fee where note = 'short'",
        );
        let task = |condition: &str| {
            let tables = vec![table("fee", condition)];
            let mut task = with(&bench, Backup { tables, exact: true });
            let Task::Change(change) = &mut task else { panic!("{task:?}") };
            change.rows.max = 15_000;
            let update = format!("update fee set note = 'short' where {condition}");
            bench.write("fee/change.sql", update);
            task
        };
        let (left, few) = memory(&bench, &task("id = 1"), FIRST);
        assert_eq!(left.state(), ChangeState::Done, "{}{}", left.out, left.err);
        bench.write(
            "fee/verify.sql",
            "select 'notes', count(*) > 9, 'x' from fee where note = 'short'",
        );
        let (left, many) = memory(&bench, &task("id >= 100"), OTHER_RUN);
        assert_eq!(left.state(), ChangeState::Done, "{}{}", left.out, left.err);
        assert_eq!(left.change().backup_rows, 15_000);
        assert!(few > 0 && many < few + 15_000, "{few} KiB, then {many} KiB");
    }
}
