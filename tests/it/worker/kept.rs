//! Rows that nightrun keeps itself: kept, proven, compared and put back, on each engine.

use nightrun::definition::site::{Backup, BackupTable};
use nightrun::wire::{KeptRows, RowNow};

use super::*;

const THIRD: &str = "eod@2026-10-30#1/fee/3";

/// Fees, and tiers with all that is hard to keep: a key of two columns, NULL, quotes, bytes, fractions.
fn bench(place: Place) -> Bench {
    let bench = match place {
        Place::File => change::bench(),
        place => servers::bench(place),
    };
    let (bytes, float, now) = match bench.place {
        Place::File => ("x'00ff27'", "real", "text"),
        Place::Postgres { .. } => ("'\\x00ff27'", "double precision", "timestamptz"),
        Place::Maria { .. } => ("x'00ff27'", "double", "datetime(6)"),
    };
    let raw = if matches!(bench.place, Place::Postgres { .. }) { "bytea" } else { "blob" };
    bench.execute(&format!(
        "create table tier (kind varchar(9), no int, label varchar(40), raw {raw}, share {float}, at {now}, primary key (kind, no));
         insert into tier values ('a', 1, 'it''s 费', {bytes}, 0.1, '2026-10-30 21:00:00.125'),
           ('a', 2, NULL, NULL, 1e300, NULL), ('b', 1, '', {bytes}, NULL, NULL), ('c', 1, 'c', NULL, 3, NULL);"
    ));
    match &bench.place {
        Place::File => {}
        Place::Postgres { .. } => bench.execute("grant all on tier to teller"),
        Place::Maria { database, .. } => {
            bench.execute(&format!("grant all on {database}.tier to teller"));
        }
    }
    for script in ["backup.sql", "rollback.sql"] {
        std::fs::remove_file(bench.path(&format!("fee/{script}"))).unwrap();
    }
    bench.write(
        "fee/change.sql",
        "update fee set rate = 30 where rate = 25;\n\
         update tier set label = 'X', raw = NULL, share = share / 3 where kind = 'a' and no = 1;\n\
         delete from tier where kind = 'b';",
    );
    bench
}

pub(super) fn benches() -> [Bench; 3] {
    [bench(Place::File), bench(on(Place::postgres())), bench(on(Place::maria()))]
}

pub(super) fn table(table: &str, condition: &str) -> BackupTable {
    BackupTable { table: table.into(), r#where: condition.into(), key: Vec::new() }
}

pub(super) fn task(bench: &Bench) -> Task {
    with(
        bench,
        Backup {
            tables: vec![table("fee", "rate = 25"), table("tier", "kind in ('a', 'b')")],
            exact: false,
        },
    )
}

pub(super) fn with(bench: &Bench, backup: Backup) -> Task {
    let mut task = bench.change_task((1, 9), "abc");
    let Task::Change(change) = &mut task else { panic!("{task:?}") };
    change.backup = Some(backup);
    task
}

/// Everything that is in the two tables.
pub(super) fn all(bench: &Bench) -> Vec<String> {
    let raw = match bench.place {
        Place::Postgres { .. } => "encode(raw, 'hex')",
        _ => "hex(raw)",
    };
    let text = if matches!(bench.place, Place::Maria { .. }) { "char" } else { "varchar" };
    let c = |column: &str| format!("cast({column} as {text}(60))");
    let mut rows = bench.rows(&format!("select {}, {} from fee order by id", c("id"), c("rate")));
    rows.extend(bench.rows(&format!(
        "select kind, {}, label, {raw}, {}, {} from tier order by kind, no",
        c("no"),
        c("share"),
        c("at")
    )));
    rows
}

/// Fails before and after.
fn never_verifies(bench: &Bench) {
    bench.write(
        "fee/verify.sql",
        "select 'sum', sum(rate) = 0, cast(sum(rate) as char(9)) from fee",
    );
}

#[test]
fn kept_rows_are_counted_and_proven() {
    for bench in benches() {
        let left = bench.run_as(&task(&bench), FIRST);
        assert_eq!((left.code, left.err.as_str()), (Some(0), ""), "{}", left.out);
        let work = left.change();
        assert_eq!((work.rows, work.backup_rows, work.kept.len()), (5, 6, 2), "{}", left.out);
        assert_eq!(change_rows(&bench), "30,30,30,40|a X,a NULL,c c");
        for KeptRows { kept_in, rows, checksum, .. } in &work.kept {
            assert_eq!((*rows, checksum.is_empty()), (3, false), "{}", left.out);
            assert_eq!(
                bench.row(&format!("select cast(count(*) as char(9)) from {kept_in}")).trim(),
                "3"
            );
        }
        let kept = work.kept.clone();
        assert!(
            left.steps.contains(&Step::Kept { kept })
                && left.steps.contains(&Step::Image { rows: 6 })
        );
    }
}

fn change_rows(bench: &Bench) -> String {
    let tiers =
        bench.rows("select kind, label from tier order by kind, no").join(",").replace('|', " ");
    let rates = bench.row("select cast(rate as char(9)) from fee order by id").replace(' ', "");
    format!("{rates}|{tiers}")
}

#[test]
fn kept_rows_are_put_back_as_they_were() {
    for bench in benches() {
        never_verifies(&bench);
        let before = all(&bench);
        let left = bench.run_as(&task(&bench), FIRST);
        assert_eq!(
            (left.code, left.state()),
            (Some(7), ChangeState::RolledBack),
            "{}{}",
            left.out,
            left.err
        );
        assert_eq!(all(&bench), before, "{}", left.out);
    }
}

#[test]
fn what_cannot_be_kept_or_put_back_is_refused() {
    for bench in benches() {
        let before = all(&bench);
        let why = |task: &Task, change: Option<&str>| {
            if let Some(change) = change {
                bench.write("fee/change.sql", change);
            }
            let left = bench.run_as(task, FIRST);
            assert_eq!(all(&bench), before, "{}", left.out);
            format!("{:?}: {}", left.state(), left.why())
        };
        let fee = |condition: &str, key: &[&str], exact| {
            let key = key.iter().map(|key| (*key).to_owned()).collect();
            with(
                &bench,
                Backup { tables: vec![BackupTable { key, ..table("fee", condition) }], exact },
            )
        };
        let said = why(&fee("rate = 25", &[], false), None);
        assert!(said.contains("the scripts break the rules"), "{said}");
        let rates = "update fee set rate = 30 where rate = 25";
        let said = why(&fee("rate < 99", &[], true), Some(rates));
        assert_eq!(
            said,
            "FailedGuard: 3 rows updated or deleted, and `exact` says that all 4 kept rows are"
        );
        let said = why(&fee("rate = 26", &[], false), None);
        assert!(said.starts_with("FailedGuard: 3 rows updated or deleted, but"), "{said}");
        let said = why(&fee("rate = 25", &["rate"], false), None);
        assert!(said.contains("`key` does not tell the rows of fee apart"), "{said}");
        let said = why(&fee("rate = 25", &["no_such"], false), None);
        assert!(said.contains("has no column no_such for its `key`"), "{said}");
        let said =
            why(&fee("rate = 25", &[], false), Some("update fee set id = id + 10 where rate = 25"));
        assert!(
            said.starts_with("FailedGuard: 3 of the kept rows are gone, and 0 rows deleted"),
            "{said}"
        );
        let none = with(&bench, Backup { tables: vec![table("fee_backup", "true")], exact: false });
        let said = why(&none, Some("update fee_backup set rate = 1 where id = 1"));
        let here = match bench.place {
            Place::File => "there is no table fee_backup",
            _ => "the table fee_backup has no primary key",
        };
        assert!(said.contains(here), "{said}");
        // Nothing is left of the attempts that failed.
        let left = match bench.place {
            Place::File => {
                bench.row("select count(*) from sqlite_schema where name like 'nightrun_backup%'")
            }
            Place::Postgres { .. } => {
                bench.row("select count(*) from pg_tables where schemaname = 'nightrun_backup'")
            }
            // Other tests keep rows on the same server.
            Place::Maria { .. } => "0".to_owned(),
        };
        assert_eq!(left, "0");
    }
}

/// What triggers write besides is no reason for kept rows to be gone.
#[test]
fn a_key_that_is_changed_is_noticed_beside_what_triggers_write() {
    for bench in benches() {
        let trigger = match bench.place {
            Place::File => {
                "create trigger t after update on fee begin insert into audit values (new.id); end"
            }
            Place::Postgres { .. } => {
                "grant all on audit to teller;
                 create function note() returns trigger language plpgsql as $$
                   begin insert into audit values (new.id); return new; end $$;
                 create trigger t after update on fee for each row execute function note()"
            }
            Place::Maria { .. } => {
                "create trigger t after update on fee for each row insert into audit values (new.id)"
            }
        };
        bench.execute(&format!("create table audit (id int); {trigger}"));
        bench.write("fee/change.sql", "update fee set id = id + 10 where rate = 25");
        let before = all(&bench);
        let tables = vec![table("fee", "rate = 25")];
        let left = bench.run_as(&with(&bench, Backup { tables, exact: false }), FIRST);
        assert_eq!(left.state(), ChangeState::FailedGuard, "{}{}", left.out, left.err);
        let words = "3 of the kept rows are gone, and 0 rows deleted";
        assert!(left.why().starts_with(words), "{}", left.why());
        assert_eq!(all(&bench), before);
    }
}

/// As text MariaDB gives six digits of a FLOAT.
#[test]
fn floats_of_mariadb_that_read_the_same_are_told_apart() {
    let bench = bench(on(Place::maria()));
    bench.execute("alter table tier add weight float; update tier set weight = 1234567");
    bench.write("fee/change.sql", "update tier set weight = 1234568 where kind = 'a'");
    never_verifies(&bench);
    let tables = vec![table("tier", "kind = 'a'")];
    let left = bench.run_as(&with(&bench, Backup { tables, exact: true }), FIRST);
    assert_eq!(left.state(), ChangeState::RolledBack, "{}{}", left.out, left.err);
    let weights = bench.row("select distinct cast(weight + 0e0 as char(20)) from tier");
    assert_eq!(weights, "1234567");
}

#[test]
fn rows_are_put_back_with_the_rights_that_the_way_back_needs() {
    for (revoked, change) in [
        ("insert, delete", "update fee set rate = 30 where rate = 25"),
        ("update", "delete from fee where rate = 25"),
    ] {
        for bench in [bench(on(Place::postgres())), bench(on(Place::maria()))] {
            match &bench.place {
                // A column that nobody may set.
                Place::Postgres { .. } => bench.execute(&format!(
                    "alter table fee add seq int generated always as identity;
                     revoke {revoked} on fee from teller"
                )),
                Place::Maria { database, .. } => {
                    bench.execute(&format!("revoke {revoked} on {database}.fee from teller"));
                }
                Place::File => unreachable!(),
            }
            bench.write("fee/change.sql", change);
            never_verifies(&bench);
            let before = all(&bench);
            let tables = vec![table("fee", "rate = 25")];
            let left = bench.run_as(&with(&bench, Backup { tables, exact: true }), FIRST);
            assert_eq!(left.state(), ChangeState::RolledBack, "{}{}", left.out, left.err);
            assert_eq!(all(&bench), before, "{change}");
        }
    }
}

#[cfg(feature = "faults")]
mod killed {
    use super::*;

    fn killed(bench: &Bench, point: &str, attempt: &str) -> Option<Left> {
        let mut command = bench.command(&task(bench), attempt);
        let output = command.env("NIGHTRUN_FAULT", format!("worker.{point}")).output().unwrap();
        let left = bench.left(output);
        (left.code.is_none()).then_some(left)
    }

    const POINTS: [(&str, bool); 9] = [
        ("room-made", false),
        ("backup", false),
        ("kept", false),
        ("statement-3", false),
        ("guards", false),
        ("image", false),
        ("precommit", false),
        ("committed", true),
        ("verify", true),
    ];

    fn applied_once(place: impl Fn() -> Place) {
        for (point, committed) in POINTS {
            let bench = bench(place());
            if killed(&bench, point, FIRST).is_none() {
                // Only MySQL makes room beforehand.
                assert!(
                    point == "room-made" && !matches!(bench.place, Place::Maria { .. }),
                    "{point}"
                );
                continue;
            }
            let left = bench.run_as(&task(&bench), SECOND);
            assert_eq!(left.state(), ChangeState::Done, "after {point}: {}{}", left.out, left.err);
            let work = left.change();
            assert_eq!((work.rows, work.backup_rows, work.kept.len()), (5, 6, 2), "after {point}");
            assert_eq!(change_rows(&bench), "30,30,30,40|a X,a NULL,c c", "after {point}");
            let found = left.steps.contains(&Step::Found { attempt: FIRST.into() });
            assert_eq!(found, committed, "after {point}");
        }
    }

    fn put_back_once(place: impl Fn() -> Place) {
        for point in ["verify", "rolling-back", "rollback-held", "rolled-back", "former"] {
            let bench = bench(place());
            never_verifies(&bench);
            let before = all(&bench);
            assert!(killed(&bench, point, FIRST).is_some(), "{point}");
            let left = bench.run_as(&task(&bench), SECOND);
            assert_eq!(
                left.state(),
                ChangeState::RolledBack,
                "after {point}: {}{}",
                left.out,
                left.err
            );
            assert_eq!(all(&bench), before, "after {point}");
        }
    }

    #[test]
    fn in_a_file_rows_are_kept_once_and_put_back() {
        applied_once(|| Place::File);
        put_back_once(|| Place::File);
    }

    #[test]
    fn on_postgres_rows_are_kept_once_and_put_back() {
        applied_once(|| on(Place::postgres()));
        put_back_once(|| on(Place::postgres()));
    }

    #[test]
    fn on_mariadb_rows_are_kept_once_and_put_back() {
        applied_once(|| on(Place::maria()));
        put_back_once(|| on(Place::maria()));
    }

    #[test]
    fn rows_that_others_changed_since_are_listed_and_left() {
        for bench in benches() {
            never_verifies(&bench);
            killed(&bench, "committed", FIRST).unwrap();
            bench.execute(
                "update fee set rate = 31 where id = 1; delete from fee where id = 2;
                 insert into tier (kind, no) values ('b', 1); update tier set label = 'mine' where kind = 'c'",
            );
            let there = all(&bench);
            let ours = |scripts: &str| {
                let left = bench.run_as(&task(&bench), SECOND);
                let work = left.change();
                assert_eq!(
                    (left.code, work.state),
                    (Some(8), ChangeState::RollbackFailed),
                    "{scripts}: {}",
                    left.err
                );
                assert_eq!(all(&bench), there, "{scripts}");
                let told: Vec<(&str, &str, RowNow)> = work
                    .changed_since
                    .iter()
                    .map(|row| (row.table.as_str(), row.key.as_str(), row.now))
                    .collect();
                assert_eq!(
                    told,
                    [
                        ("fee", "id=1", RowNow::Changed),
                        ("fee", "id=2", RowNow::Gone),
                        ("tier", "kind=b, no=1", RowNow::Back),
                    ],
                    "{scripts}"
                );
                let words = "somebody else has changed 3 kept rows since, and nothing is overwritten: \
                             fee id=1, fee id=2, tier kind=b, no=1";
                assert!(left.why().ends_with(words), "{}", left.why());
                let listed = work.changed_since.clone();
                assert!(left.steps.contains(&Step::ChangedSince { count: 3, rows: listed }));
                assert!(
                    left.err.contains("changed by somebody else since: fee id=2: gone"),
                    "{}",
                    left.err
                );
            };
            ours("rows put back");
            // A rollback of the author's own overwrites as little.
            let undo = bench.write("fee/rollback.sql", "update fee set rate = 25 where rate = 30");
            ours("rollback.sql");
            std::fs::remove_file(undo).unwrap();
            // Put right, the rollback goes through; what others did to other rows stays.
            bench.execute(
                "update fee set rate = 30 where id = 1; insert into fee values (2, 30);
                 delete from tier where kind = 'b'",
            );
            let left = bench.run_as(&task(&bench), THIRD);
            assert_eq!(left.state(), ChangeState::RolledBack, "{}{}", left.out, left.err);
            assert_eq!(change_rows(&bench), "25,25,25,40|a it's 费,a NULL,b ,c mine");
        }
    }

    #[test]
    fn kept_rows_that_somebody_altered_are_not_put_back() {
        for bench in benches() {
            never_verifies(&bench);
            killed(&bench, "committed", FIRST).unwrap();
            let steps = bench.steps();
            let kept = steps.iter().find_map(|step| match step {
                Step::Kept { kept } => Some(kept[0].kept_in.clone()),
                _ => None,
            });
            let kept = kept.unwrap();
            for (edit, attempt, words) in [
                ("delete from {}_after where id = 3", SECOND, "of 2 of the 3 kept rows of fee"),
                ("update {} set rate = 1 where id = 3", THIRD, "is not what was kept of fee"),
            ] {
                bench.execute(&edit.replace("{}", &kept));
                let left = bench.run_as(&task(&bench), attempt);
                assert_eq!(left.state(), ChangeState::RollbackFailed, "{edit}: {}", left.err);
                assert!(left.why().contains(words), "{edit}: {}", left.why());
                assert!(change_rows(&bench).starts_with("30,30,30,40"));
            }
        }
    }

    #[test]
    fn on_postgres_rows_are_put_back_by_a_session_of_another_time_zone() {
        let bench = bench(on(Place::postgres()));
        never_verifies(&bench);
        let before = all(&bench);
        killed(&bench, "committed", FIRST).unwrap();
        let Place::Postgres { database, .. } = &bench.place else { unreachable!() };
        bench.execute(&format!(
            "alter role teller in database {database} set timezone = 'Asia/Kathmandu'"
        ));
        let left = bench.run_as(&task(&bench), SECOND);
        assert_eq!(left.state(), ChangeState::RolledBack, "{}{}", left.out, left.err);
        assert_eq!(all(&bench), before);
    }
}
