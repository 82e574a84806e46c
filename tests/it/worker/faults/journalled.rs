//! A journalled change: killed at every point, looked at again, and gone on with only where people say so.

use nightrun::definition::site::ChangeMode;
use nightrun::wire::{CutDecision, Progress};
use sqlx::{Connection, Executor};

use super::super::servers;
use super::*;

/// Two columns and an index between them.
pub(super) fn bench(place: Place) -> Bench {
    let bench = match place {
        Place::File => super::bench(),
        place => servers::bench(place),
    };
    match &bench.place {
        Place::File => {}
        Place::Postgres { .. } => bench.execute("alter table fee owner to teller"),
        Place::Maria { database, .. } => {
            bench.execute(&format!("grant alter, index on {database}.fee to teller"));
        }
    }
    let column = |name: &str| match bench.place {
        Place::File => {
            format!("select count(*) = 1 from pragma_table_info('fee') where name = '{name}'")
        }
        Place::Postgres { .. } => format!(
            "select count(*) = 1 from information_schema.columns where table_name = 'fee' and column_name = '{name}'"
        ),
        Place::Maria { .. } => format!(
            "select count(*) = 1 from information_schema.columns where table_schema = database() and table_name = 'fee' and column_name = '{name}'"
        ),
    };
    let (index, make) = match bench.place {
        Place::File => ("select count(*) = 1 from sqlite_schema where name = 'fee_rate'", ""),
        Place::Postgres { .. } => (
            "select indisvalid from pg_index where indexrelid = 'fee_rate'::regclass",
            "concurrently ",
        ),
        Place::Maria { .. } => (
            "select count(*) = 1 from information_schema.statistics where table_schema = database() and index_name = 'fee_rate'",
            "",
        ),
    };
    let (note, kind) = (column("note"), column("kind"));
    let change = format!(
        "-- done_when: {note}\nalter table fee add column note varchar(9);\n\
         -- done_when: {index}\ncreate index {make}fee_rate on fee (rate);\n\
         -- done_when: {kind}\nalter table fee add column kind int;\n"
    );
    bench.write("fee/change.sql", change);
    bench.write("fee/backup.sql", "select count(*) from fee;");
    let exists = if matches!(bench.place, Place::File) { "" } else { "if exists " };
    let on_fee = if matches!(bench.place, Place::Maria { .. }) { " on fee" } else { "" };
    let from = |of: &str| of.split_once(" from ").unwrap().1.to_owned();
    let never = if matches!(bench.place, Place::File) { "count(*) = 0" } else { "count(*) > 0" };
    let undone = |name: &str| {
        column(name).replace("count(*) = 1", never).replace("count(*) > 0", "count(*) = 0")
    };
    let no_index = match bench.place {
        Place::File => "select count(*) = 0 from sqlite_schema where name = 'fee_rate'",
        Place::Postgres { .. } => "select to_regclass('fee_rate') is null",
        Place::Maria { .. } => {
            "select count(*) = 0 from information_schema.statistics where table_schema = database() and index_name = 'fee_rate'"
        }
    };
    bench.write(
        "fee/rollback.sql",
        format!(
            "-- done_when: {}\nalter table fee drop column {exists}kind;\n\
             -- done_when: {no_index}\ndrop index {exists}fee_rate{on_fee};\n\
             -- done_when: {}\nalter table fee drop column {exists}note;\n",
            undone("kind"),
            undone("note"),
        ),
    );
    bench.write(
        "fee/verify.sql",
        format!(
            "select 'note', count(*) = 1, concat(count(*), '') from {}\nunion all select 'kind', count(*) = 1, concat(count(*), '') from {}",
            from(&note),
            from(&kind)
        ),
    );
    bench
}

pub(super) fn task(bench: &Bench, cut: Option<CutDecision>) -> Task {
    let mut task = bench.change_task((0, 0), "abc");
    let Task::Change(change) = &mut task else { panic!("{task:?}") };
    change.mode = ChangeMode::Journalled;
    change.cut = cut;
    task
}

/// What is there of the three, in their order.
pub(super) fn there(bench: &Bench) -> String {
    let sql = match bench.place {
        Place::File => {
            "select (select count(*) from pragma_table_info('fee') where name = 'note') || (select count(*) from sqlite_schema where name = 'fee_rate') || (select count(*) from pragma_table_info('fee') where name = 'kind')"
        }
        Place::Postgres { .. } => {
            "select concat((select count(*) from information_schema.columns where table_name = 'fee' and column_name = 'note'), (select count(*) from pg_indexes where indexname = 'fee_rate'), (select count(*) from information_schema.columns where table_name = 'fee' and column_name = 'kind'))"
        }
        Place::Maria { .. } => {
            "select concat((select count(*) from information_schema.columns where table_schema = database() and table_name = 'fee' and column_name = 'note'), (select count(*) from information_schema.statistics where table_schema = database() and index_name = 'fee_rate'), (select count(*) from information_schema.columns where table_schema = database() and table_name = 'fee' and column_name = 'kind'))"
        }
    };
    bench.row(sql)
}

pub(super) const THIRD: &str = "eod@2026-10-30#1/fee/3";

/// Points, what is there after the kill, and what the next attempt says by itself.
const POINTS: [(&str, &str, ChangeState); 14] = [
    ("intent", "000", ChangeState::Done),
    ("before", "000", ChangeState::Done),
    ("started", "000", ChangeState::Done),
    ("marker", "000", ChangeState::Done),
    ("backup", "000", ChangeState::Done),
    // The first pass is the backup's.
    ("statement:2", "000", ChangeState::Done),
    ("statement-1", "100", ChangeState::Partial),
    ("done-1", "100", ChangeState::Partial),
    ("statement:3", "100", ChangeState::Partial),
    ("done-2", "110", ChangeState::Partial),
    ("statement-3", "111", ChangeState::Done),
    ("done-3", "111", ChangeState::Done),
    ("committed", "111", ChangeState::Done),
    ("verify", "111", ChangeState::Done),
];

fn goes_on_only_when_told(place: impl Fn() -> Place) {
    for (point, after, says) in POINTS {
        let bench = bench(place());
        let mut command = bench.command(&task(&bench, None), FIRST);
        let output = command.env("NIGHTRUN_FAULT", format!("worker.{point}")).output().unwrap();
        let left = bench.left(output);
        assert_eq!(left.code, None, "did not die after {point}: {}{}", left.out, left.err);
        assert_eq!(there(&bench), after, "after {point}");
        let left = bench.run_as(&task(&bench, None), SECOND);
        assert_eq!(left.state(), says, "after {point}: {}{}", left.out, left.err);
        if says == ChangeState::Done {
            assert_eq!(there(&bench), "111", "after {point}");
            continue;
        }
        assert_eq!((left.code, there(&bench).as_str()), (Some(3), after), "after {point}");
        let done = after.matches('1').count();
        let words = format!("{done} of 3 statements are done: people decide how it goes on");
        assert_eq!(left.why(), words, "after {point}");
        let left = bench.run_as(&task(&bench, Some(CutDecision::Continue)), THIRD);
        assert_eq!(left.state(), ChangeState::Done, "after {point}: {}{}", left.out, left.err);
        assert_eq!(there(&bench), "111", "after {point}");
    }
}

#[test]
fn in_a_file_a_cut_off_change_goes_on_only_when_told() {
    goes_on_only_when_told(|| Place::File);
}

#[test]
fn on_postgres_a_cut_off_change_goes_on_only_when_told() {
    goes_on_only_when_told(|| on(Place::postgres()));
}

#[test]
fn on_mariadb_a_cut_off_change_goes_on_only_when_told() {
    goes_on_only_when_told(|| on(Place::maria()));
}

#[test]
fn a_cut_off_change_is_taken_back_when_told() {
    // Where all of it is done, too: what they have said counts.
    for (place, cut_off, before) in [
        (on(Place::postgres()), "worker.done-2", "110"),
        (on(Place::maria()), "worker.done-2", "110"),
        (on(Place::postgres()), "worker.done-3", "111"),
        (on(Place::maria()), "worker.done-3", "111"),
    ] {
        let bench = bench(place);
        let mut command = bench.command(&task(&bench, None), FIRST);
        command.env("NIGHTRUN_FAULT", cut_off).output().unwrap();
        assert_eq!(there(&bench), before);
        let left = bench.run_as(&task(&bench, Some(CutDecision::RollBack)), SECOND);
        assert_eq!((left.code, left.state()), (Some(7), ChangeState::RolledBack), "{}", left.err);
        assert_eq!(there(&bench), "000");
        let left = bench.run_as(&task(&bench, None), THIRD);
        assert_eq!(
            (left.state(), there(&bench).as_str()),
            (ChangeState::Done, "111"),
            "{}",
            left.err
        );
    }
}

#[test]
fn ddl_that_fails_half_way_is_told_and_left() {
    for place in [on(Place::postgres()), on(Place::maria())] {
        let bench = bench(place);
        bench.execute("alter table fee add column kind int");
        let left = bench.run_as(&task(&bench, None), FIRST);
        let refused = |left: &Left| {
            assert_eq!(left.state(), ChangeState::Partial, "{}{}", left.out, left.err);
            let (why, progress) = (left.why(), left.change().progress);
            assert_eq!(progress, Some(Progress { done: 2, of: 3 }), "{why}");
            assert!(why.starts_with("2 of 3 statements are done: "), "{why}");
        };
        refused(&left);
        assert!(left.why().contains("done: change.sql:6: statement 3"), "{}", left.why());
        let reason = "its probe passes all the same, for another reason";
        assert!(left.why().ends_with(reason), "{}", left.why());
        // Nobody takes the word of its probe later either.
        refused(&bench.run_as(&task(&bench, None), SECOND));
        refused(&bench.run_as(&task(&bench, Some(CutDecision::Continue)), THIRD));
        bench.execute("alter table fee drop column kind");
        let fourth = "eod@2026-10-30#1/fee/4";
        let left = bench.run_as(&task(&bench, Some(CutDecision::Continue)), fourth);
        assert_eq!(left.state(), ChangeState::Done, "{}{}", left.out, left.err);
        let marked = format!("select step from {} order by seq", servers::ledger(&bench));
        let marked = bench.rows(&marked).join(" ");
        let tries = "started-3 refused-3 started-3.2 refused-3.2 started-3.3 done-3 ready";
        assert!(marked.ends_with(tries), "{marked}");
    }
}

#[test]
fn an_index_whose_building_is_cut_off_is_left_invalid_and_named() {
    let bench = bench(on(Place::postgres()));
    let Place::Postgres { server, database, .. } = &bench.place else { unreachable!() };
    // It has seen the database before the index is built, and goes on looking.
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
    let other = runtime.block_on(async {
        let mut other = server.connect(database).await;
        other.execute("begin isolation level repeatable read").await.unwrap();
        other.execute("select 1 from pg_class limit 1").await.unwrap();
        other
    });
    // Somebody else has an invalid index too: that is none of its business.
    bench.execute(
        "create table other (x int); create index other_x on other (x);
         update pg_index set indisvalid = false where indexrelid = 'other_x'::regclass",
    );
    let worker = bench.start(&task(&bench, None));
    let building = "select count(*) from pg_stat_progress_create_index";
    until("the build", || bench.row(building) == "1");
    let pid = rustix::process::Pid::from_child(&worker);
    rustix::process::kill_process(pid, rustix::process::Signal::TERM).unwrap();
    let left = bench.left(worker.wait_with_output().unwrap());
    assert_eq!(left.state(), ChangeState::Partial, "{}{}", left.out, left.err);
    assert!(left.why().starts_with("1 of 3 statements are done: "), "{}", left.why());
    let words = "an invalid index is left: DROP INDEX CONCURRENTLY fee_rate";
    assert!(left.why().ends_with(words), "{}", left.why());
    runtime.block_on(other.close()).unwrap();
}
