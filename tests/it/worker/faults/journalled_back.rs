//! The way back of a journalled change: killed at every point, looked at, and gone on with only where people say so.

use nightrun::agent::worker::change::look::{Look, Scripts, look};
use nightrun::wire::{CutDecision, Found, Progress};

use super::super::servers;
use super::journalled::{THIRD, bench, task, there};
use super::*;

const FOURTH: &str = "eod@2026-10-30#1/fee/4";
const FIFTH: &str = "eod@2026-10-30#1/fee/5";

fn killed(bench: &Bench, task: &Task, attempt: &str, point: &str) {
    let mut command = bench.command(task, attempt);
    let output = command.env("NIGHTRUN_FAULT", format!("worker.{point}")).output().unwrap();
    let left = bench.left(output);
    assert_eq!(left.code, None, "the worker did not die after {point}: {}{}", left.out, left.err);
}

fn looks(bench: &Bench) -> Task {
    let mut task = task(bench, None);
    let Task::Change(change) = &mut task else { panic!("{task:?}") };
    change.examine = true;
    task
}

fn back(bench: &Bench) -> Task {
    task(bench, Some(CutDecision::RollBack))
}

/// Points of the attempt that takes it back, what is there after the kill, and how many of the statements are done then.
const POINTS: [(&str, &str, u32); 10] = [
    ("rolling-back", "111", 3),
    ("statement:1", "111", 0),
    ("undone-1", "110", 1),
    ("undo-done-1", "110", 1),
    ("statement:2", "110", 1),
    ("undone-2", "100", 2),
    ("statement:3", "100", 2),
    ("undone-3", "000", 3),
    ("undo-done-3", "000", 3),
    ("rolled-back", "000", 3),
];

fn goes_on_only_when_told(place: impl Fn() -> Place, points: &[(&str, &str, u32)]) {
    for (point, after, done) in points {
        let bench = bench(place());
        killed(&bench, &task(&bench, None), FIRST, "done-3");
        killed(&bench, &back(&bench), SECOND, point);
        assert_eq!(there(&bench), *after, "after {point}");
        let looked = bench.run_as(&looks(&bench), THIRD);
        let told = (looked.state(), looked.change().progress, there(&bench));
        match *done {
            // None of it was begun: the change is applied, and good.
            3 if *after == "111" => assert_eq!(told.0, ChangeState::Done, "after {point}"),
            // All of it was done: nothing is to be decided any more.
            3 => assert_eq!((told.0, told.2.as_str()), (ChangeState::RolledBack, "000")),
            done => {
                let progress = Some(Progress { done, of: 3 });
                let expected = (ChangeState::RollbackFailed, progress, (*after).to_owned());
                assert_eq!(told, expected, "after {point}: {}{}", looked.out, looked.err);
                let words = format!(
                    "its rollback was cut off: {done} of 3 statements of rollback.sql are done: people decide how it goes on"
                );
                assert_eq!(looked.why(), words, "after {point}");
                // Nor does an attempt go on that nobody has told to.
                let left = bench.run_as(&task(&bench, None), FOURTH);
                assert_eq!(left.state(), ChangeState::RollbackFailed, "after {point}");
                assert_eq!(there(&bench), *after, "after {point}");
                let left = bench.run_as(&back(&bench), FIFTH);
                assert_eq!(left.state(), ChangeState::RolledBack, "{}{}", left.out, left.err);
                // Only what was not done is done.
                let ran: Vec<u32> = left
                    .steps
                    .iter()
                    .filter_map(|step| match step {
                        Step::Statement { number, .. } => Some(*number),
                        _ => None,
                    })
                    .collect();
                assert_eq!(ran, (done + 1..=3).collect::<Vec<_>>(), "after {point}");
                assert_eq!(there(&bench), "000", "after {point}");
            }
        }
    }
}

#[test]
fn in_a_file_a_cut_off_rollback_goes_on_only_when_told() {
    goes_on_only_when_told(|| Place::File, &POINTS);
}

#[test]
fn on_postgres_a_cut_off_rollback_goes_on_only_when_told() {
    goes_on_only_when_told(|| on(Place::postgres()), &POINTS[1..6]);
}

#[test]
fn on_mariadb_a_cut_off_rollback_goes_on_only_when_told() {
    goes_on_only_when_told(|| on(Place::maria()), &POINTS[1..6]);
}

/// Nobody had told it to go back: its verification fails.
#[test]
fn a_rollback_of_its_own_that_was_cut_off_waits_for_people_too() {
    for place in [Place::File, on(Place::postgres()), on(Place::maria())] {
        let bench = bench(place);
        bench.write("fee/verify.sql", "select 'never', count(*) = 99, 'x' from fee");
        killed(&bench, &task(&bench, None), FIRST, "undone-2");
        assert_eq!(there(&bench), "100");
        let looked = bench.run_as(&looks(&bench), SECOND);
        assert_eq!(looked.state(), ChangeState::RollbackFailed, "{}{}", looked.out, looked.err);
        assert_eq!(looked.change().progress, Some(Progress { done: 2, of: 3 }));
        let left = bench.run_as(&back(&bench), THIRD);
        assert_eq!(left.state(), ChangeState::RolledBack, "{}{}", left.out, left.err);
        assert_eq!((left.change().progress, there(&bench).as_str()), (None, "000"));
    }
}

fn found(bench: &Bench) -> Found {
    let text = |name: &str| std::fs::read_to_string(bench.path(&format!("fee/{name}"))).unwrap();
    let (backup, change) = (text("backup.sql"), text("change.sql"));
    let (verify, rollback) = (text("verify.sql"), text("rollback.sql"));
    let (engine, id) = (bench.engine(), FIRST.parse().unwrap());
    let looked = on(look(Look {
        engine: &engine,
        change: &ChangeId::new("fee").unwrap(),
        attempt: &id,
        content: "abc",
        scripts: Some(Scripts {
            backup: &backup,
            change: &change,
            verify: &verify,
            rollback: &rollback,
        }),
        agent: bench.folder.path(),
    }));
    looked.found
}

/// Of rows nobody can tell whether they were changed back.
#[test]
fn without_a_probe_a_cut_off_rollback_is_in_doubt_and_stays_so() {
    for place in [Place::File, on(Place::postgres()), on(Place::maria())] {
        let bench = bench(place);
        let rollback = std::fs::read_to_string(bench.path("fee/rollback.sql")).unwrap();
        let (first, rest) = rollback.split_once(";\n").unwrap();
        let rows = "update fee set rate = rate + 1 where id = 4";
        bench.write("fee/rollback.sql", format!("{first};\n{rows};\n{rest}"));
        killed(&bench, &task(&bench, None), FIRST, "done-3");
        killed(&bench, &back(&bench), SECOND, "statement:2");
        let (done, open) = (1, Some(2));
        assert_eq!(found(&bench), Found::CutBack { done, of: Some(4), open, stuck: true });
        for (task, attempt) in [(looks(&bench), THIRD), (back(&bench), FOURTH)] {
            let left = bench.run_as(&task, attempt);
            assert_eq!(left.state(), ChangeState::InDoubt, "{}{}", left.out, left.err);
            let words = "statement 2 of rollback.sql was begun, and it has no probe";
            assert_eq!((left.why(), left.change().progress), (words, None));
            assert_eq!(bench.row("select rate from fee where id = 4"), "40");
            assert_eq!(there(&bench), "110");
        }
    }
}

/// What the database has refused is known not to be done, and goes on there.
#[test]
fn a_rollback_that_is_refused_goes_on_where_it_stopped() {
    for place in [Place::File, on(Place::postgres())] {
        let bench = bench(place);
        let rollback = std::fs::read_to_string(bench.path("fee/rollback.sql")).unwrap();
        let (first, rest) = rollback.split_once(";\n").unwrap();
        let rows = "insert into nowhere values (1)";
        bench.write("fee/rollback.sql", format!("{first};\n{rows};\n{rest}"));
        killed(&bench, &task(&bench, None), FIRST, "done-3");
        let left = bench.run_as(&back(&bench), SECOND);
        assert_eq!(left.state(), ChangeState::RollbackFailed, "{}{}", left.out, left.err);
        assert_eq!(left.change().progress, Some(Progress { done: 1, of: 4 }));
        let words =
            "the rollback failed: 1 of 4 statements of rollback.sql are done: rollback.sql:";
        assert!(left.why().contains(words), "{}", left.why());
        assert_eq!(
            found(&bench),
            Found::CutBack { done: 1, of: Some(4), open: None, stuck: false }
        );
        bench.execute("create table nowhere (x int)");
        if let Place::Postgres { .. } = bench.place {
            bench.execute("grant all on nowhere to teller");
        }
        // Killed within the second try: now nobody knows.
        killed(&bench, &back(&bench), THIRD, "statement:1");
        assert_eq!(bench.run_as(&looks(&bench), FOURTH).state(), ChangeState::InDoubt);
        let (ledger, order) = match bench.place {
            Place::File => ("nightrun_change_run", "rowid"),
            _ => (servers::ledger(&bench), "seq"),
        };
        let marked = bench.rows(&format!("select step from {ledger} order by {order}")).join(" ");
        let tries = "undo-done-1 undo-started-2 undo-refused-2 undo-started-2.2";
        assert!(marked.ends_with(tries), "{marked}");
    }
}

/// Rows are updated of which not all were kept.
#[test]
fn rows_that_the_backup_has_not_kept_are_noticed() {
    for place in [Place::File, on(Place::postgres()), on(Place::maria())] {
        let bench = bench(place);
        let more = std::fs::read_to_string(bench.path("fee/change.sql")).unwrap();
        let more = more.split_once(";\n").unwrap().0.to_owned();
        let rates = "update fee set rate = 30 where rate = 25";
        let table = "create table if not exists fee_backup (id int, rate int);\n\
                     delete from fee_backup where true;\n";
        let keep = "insert into fee_backup select id, rate from fee where rate = 25 and id < 3;";
        let made = if matches!(bench.place, Place::File) { table } else { "" };
        bench.write("fee/backup.sql", format!("{made}{keep}"));
        bench.write("fee/rollback.sql", "update fee set rate = 25 where rate = 30");
        let of = |change: &str, attempt: &str, point: Option<&str>| {
            bench.write("fee/change.sql", change);
            let mut task = task(&bench, None);
            let Task::Change(change) = &mut task else { panic!("{task:?}") };
            change.rows.max = 9;
            match point {
                Some(point) => killed(&bench, &task, attempt, point),
                None => return Some(bench.run_as(&task, attempt)),
            }
            None
        };
        let scant = "3 rows updated or deleted, but the backup kept only 2";
        let rates_now = || bench.row("select concat(rate, '') from fee order by id");
        // Nothing more is done after it.
        let left = of(&format!("{rates};\n{more}"), FIRST, None).unwrap();
        assert_eq!(left.state(), ChangeState::Partial, "{}{}", left.out, left.err);
        assert_eq!(left.why(), format!("1 of 2 statements are done: {scant}"));
        assert_eq!(there(&bench), "000");
        bench.execute("update fee set rate = 25 where rate = 30");
        // After the last one it is taken back; also by an attempt that knows of it from the marker only.
        for point in [None, Some("done-1")] {
            let (first, second) = match point {
                None => (OTHER_RUN, OTHER_RUN.replace("/1", "/2")),
                Some(_) => ("eod@2026-10-30#3/fee/1", "eod@2026-10-30#3/fee/2".to_owned()),
            };
            let left = match of(rates, first, point) {
                Some(left) => left,
                None => of(rates, &second, None).unwrap(),
            };
            assert_eq!(left.state(), ChangeState::RolledBack, "{}{}", left.out, left.err);
            assert_eq!((left.why(), rates_now().as_str()), (scant, OLD), "{point:?}");
        }
    }
}
