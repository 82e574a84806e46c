//! Targets on real servers: PostgreSQL and MariaDB, `sql` and `change` and `wait`.

use super::change::{NEW, OLD};
use super::places::Of;
use super::*;
use crate::mariadb_server::MariaServer;
use crate::postgres_server::Server;
use nightrun::agent::worker::change::look::{Look, Scripts, look};
use nightrun::agent::worker::look::marked;
use nightrun::wire::{Found, Looked};

/// The table of fees and its change, on a server of each kind.
pub(super) fn benches() -> [Bench; 2] {
    [bench(on(Place::postgres())), bench(on(Place::maria()))]
}

pub(super) fn bench(place: Place) -> Bench {
    let bench = Bench { place, ..Bench::new() };
    let tables = "create table fee (id integer primary key, rate int);
         create table fee_backup (id int, rate int);
         insert into fee values (1, 25), (2, 25), (3, 25), (4, 40);";
    let grants = match &bench.place {
        Place::Postgres { .. } => "grant all on fee, fee_backup to teller;",
        _ => "grant all on fee to teller; grant all on fee_backup to teller;",
    };
    bench.execute(&format!("{tables}{grants}"));
    let keep = "delete from fee_backup where true;\n\
                insert into fee_backup select id, rate from fee where rate = 25;";
    bench.write("fee/backup.sql", keep);
    bench.write("fee/change.sql", "-- October\nupdate fee set rate = 30 where rate = 25;");
    bench.write(
        "fee/verify.sql",
        "select 'old rates', count(*) = 0, concat(count(*), ' left') from fee where rate = 25\n\
         union all select 'new rates', count(*) = 3, concat(count(*), ' rows') from fee where rate = 30",
    );
    bench.write(
        "fee/rollback.sql",
        "update fee set rate = (select b.rate from fee_backup b where b.id = fee.id)\n\
         where id in (select id from fee_backup);",
    );
    bench
}

pub(super) fn rates(bench: &Bench) -> String {
    bench.row("select cast(rate as char(9)) from fee order by id").replace(' ', "")
}

/// The table of changes as the server has it.
pub(super) fn ledger(bench: &Bench) -> &'static str {
    match bench.place {
        Place::Postgres { .. } => "nightrun_ledger.nightrun_change_run",
        _ => "nightrun_change_run",
    }
}

pub(super) fn run(bench: &Bench, attempt: &str) -> Left {
    bench.run_as(&bench.change_task((1, 3), "abc"), attempt)
}

#[test]
fn a_change_is_applied_verified_and_marked() {
    for bench in benches() {
        let left = run(&bench, FIRST);
        assert_eq!((left.code, left.err.as_str()), (Some(0), ""), "{}", left.out);
        let work = left.change();
        assert_eq!((work.state, work.rows, work.backup_rows), (ChangeState::Done, 3, 3));
        assert_eq!(rates(&bench), NEW);
        let marker =
            format!("select concat(step, ' ', row_count) from {} order by seq", ledger(&bench));
        assert_eq!(
            bench.row(&marker.replace("row_count", "coalesce(row_count, 0)")),
            "started 0,before 0,backup 3,ready 3"
        );
        // The same run does not do it twice; another run finds that it is not needed.
        bench.execute("insert into fee values (5, 40)");
        let again = run(&bench, SECOND);
        assert_eq!((again.code, again.change().rows), (Some(0), 3), "{}", again.err);
        let other = run(&bench, OTHER_RUN);
        assert!(other.why().contains("it passed before the change"), "{}", other.why());
    }
}

/// Limits of one statement, besides those of the change in all.
#[test]
fn a_statement_that_changes_fewer_or_more_rows_than_it_says_undoes_everything() {
    let [postgres, maria] = benches();
    for bench in [change::bench(), postgres, maria] {
        let with = |expected: &str| {
            let update = "update fee set rate = 30 where rate = 25;";
            bench.write("fee/change.sql", format!("-- expect: {expected}\n{update}"));
        };
        for expected in ["1 to 2 rows", "4 to 9 rows"] {
            with(expected);
            let left = run(&bench, FIRST);
            assert_eq!(left.change().state, ChangeState::FailedGuard, "{}", left.err);
            let words = format!("statement 1 (update): {expected} expected, and there are 3 rows");
            assert!(left.why().contains(&words), "{}", left.why());
            assert_eq!(rates(&bench), OLD);
        }
        with("3 rows");
        assert_eq!(run(&bench, SECOND).change().state, ChangeState::Done);
    }
}

/// What is asked of a target for proofs and for people who decide.
#[test]
fn a_look_says_what_a_target_holds_and_writes_nothing() {
    let [postgres, maria] = benches();
    for bench in [change::bench(), postgres, maria] {
        let text =
            |name: &str| std::fs::read_to_string(bench.path(&format!("fee/{name}"))).unwrap();
        let (backup, change) = (text("backup.sql"), text("change.sql"));
        let (verify, rollback) = (text("verify.sql"), text("rollback.sql"));
        let (engine, id) = (bench.engine(), FIRST.parse().unwrap());
        let name = ChangeId::new("fee").unwrap();
        let looked = |content: &str| {
            on(look(Look {
                engine: &engine,
                change: &name,
                attempt: &id,
                content,
                scripts: Some(Scripts {
                    backup: &backup,
                    change: &change,
                    verify: &verify,
                    rollback: &rollback,
                }),
                agent: bench.folder.path(),
            }))
        };
        let answer = |looked: &Looked, query: &str| {
            let found = looked.evidence.iter().find(|it| it.query.contains(query));
            found.unwrap_or_else(|| panic!("{query}: {looked:?}")).answer.clone()
        };
        let before = looked("abc");
        assert_eq!(before.found, Found::NotApplied, "{before:?}");
        assert!(answer(&before, "verify.sql now").starts_with("not passed"), "{before:?}");
        assert_eq!(run(&bench, FIRST).code, Some(0));
        let after = looked("abc");
        assert_eq!(after.found, Found::Applied { attempt: FIRST.to_owned(), rows: 3 });
        assert!(answer(&after, "verify.sql now").starts_with("passed"), "{after:?}");
        assert_eq!(answer(&after, "backup table fee_backup"), "3 rows");
        assert_eq!(answer(&after, "who works on the change"), "nobody");
        assert!(matches!(looked("other").found, Found::Conflict { .. }));
        // Each row with who wrote it, and on PostgreSQL what became of its transaction.
        let marked = on(marked(&engine, &name)).unwrap();
        let steps: Vec<&str> = marked.rows.iter().map(|row| row.step.as_str()).collect();
        assert_eq!(steps, ["started", "before", "backup", "ready"]);
        let ready = &marked.rows[3];
        let user = ready.user.clone().unwrap_or_default();
        match &bench.place {
            Place::Postgres { .. } => {
                assert_eq!((ready.status.as_deref(), user.as_str()), (Some("committed"), "teller"));
                assert!(ready.xid.is_some(), "{ready:?}");
            }
            Place::File => assert_eq!((user.as_str(), &ready.session), ("", &None)),
            _ => assert!(user.starts_with("teller"), "{user}"),
        }
        // An older copy of the target.
        bench.execute(&format!("delete from {}", ledger(&bench)));
        assert_eq!(looked("abc").found, Found::NotApplied);
        assert_eq!(rates(&bench), NEW);
    }
}

#[test]
fn what_fails_leaves_nothing() {
    for bench in benches() {
        let why = |change: &str| {
            bench.write("fee/change.sql", change);
            let left = run(&bench, FIRST);
            assert_eq!(rates(&bench), OLD, "{}", left.out);
            assert_eq!(bench.row("select count(*) from fee_backup").trim(), "0");
            format!("{:?}: {}", left.state(), left.why())
        };
        let said =
            why("update fee set rate = 30 where rate = 25;\nupdate fees set x = 1 where y = 2");
        assert!(said.starts_with("FailedClean: change.sql:2: statement 2 (update): "), "{said}");
        let said = why("update fee set rate = 30 where rate < 99");
        assert!(said.starts_with("FailedGuard: 4 rows"), "{said}");
        let said = why(
            "update fee set rate = 30 where rate = 25;\n-- expect: none\nselect * from fee where rate = 40",
        );
        assert!(said.contains("no row was expected, and there is 1 row"), "{said}");
    }
}

#[test]
fn a_change_that_does_not_verify_is_rolled_back() {
    for bench in benches() {
        bench.write(
            "fee/verify.sql",
            "select 'sum', sum(rate) = 0, concat('sum ', sum(rate)) from fee",
        );
        let left = run(&bench, FIRST);
        assert_eq!((left.code, left.state()), (Some(7), ChangeState::RolledBack), "{}", left.err);
        assert_eq!(left.why(), "the verification failed after the change: sum (sum 130)");
        assert_eq!(rates(&bench), OLD);
        assert_eq!(run(&bench, SECOND).state(), ChangeState::RolledBack);
    }
}

#[test]
fn rows_of_triggers_count_on_postgres() {
    let [bench, _] = benches();
    bench.execute(
        "create table log (x int); grant all on log to teller;
         create function note() returns trigger language plpgsql as $$
           begin insert into log values (new.id); return new; end $$;
         create trigger t after update on fee for each row execute function note()",
    );
    let left = run(&bench, FIRST);
    assert_eq!(
        left.why(),
        "3 rows and 3 by triggers or foreign keys changed, and the change declares at most 3"
    );
}

#[test]
fn without_its_table_nothing_is_changed_and_the_command_is_named() {
    for bench in benches() {
        bench.execute(&format!("drop table {}", ledger(&bench)));
        let left = run(&bench, FIRST);
        assert_eq!((left.code, left.state()), (Some(1), ChangeState::FailedClean), "{}", left.err);
        assert!(left.why().contains("`nightrun change ledger TARGET`"), "{}", left.why());
        assert_eq!(run(&bench, SECOND).state(), ChangeState::InDoubt);
        assert_eq!(rates(&bench), OLD);
    }
}

#[test]
fn another_database_than_the_site_names_is_left_alone() {
    for bench in benches() {
        let identity = run(&bench, FIRST).steps.into_iter().find_map(|step| match step {
            Step::Connected { identity, .. } => Some(identity),
            _ => None,
        });
        let identity = identity.unwrap();
        let mut task = bench.change_task((1, 3), "abc");
        let Task::Change(change) = &mut task else { panic!("{task:?}") };
        let (Engine::Postgres(server) | Engine::Mysql(server)) = &mut change.engine else {
            panic!("{:?}", change.engine)
        };
        server.identity = Some("7001/1".into());
        let left = bench.run_as(&task, OTHER_RUN);
        let words = format!("this is the database {identity}, and site.yaml names 7001/1");
        assert!(left.why().ends_with(&words), "{}", left.why());
    }
}

/// What editors and clients leave in scripts of a change.
#[test]
fn scripts_are_read_as_text_or_refused_by_name_and_line() {
    let [postgres, maria] = benches();
    for bench in [change::bench(), postgres, maria] {
        let of_client = match bench.place {
            Place::File => ".bail on\n",
            Place::Postgres { .. } => "\\set ON_ERROR_STOP on\n",
            Place::Maria { .. } => "source rates.sql\n",
        };
        let good = |name: &str| std::fs::read(bench.path(&format!("fee/{name}"))).unwrap();
        let all = ["backup.sql", "change.sql", "verify.sql", "rollback.sql"];
        for name in all {
            let text = good(name);
            let file = format!("fee/{name}");
            let utf16: Vec<u8> =
                [0xff, 0xfe].into_iter().chain(text.iter().flat_map(|b| [*b, 0])).collect();
            let latin = [b"-- R\xfcckgabe\n".as_slice(), &text].concat();
            let of_client = [of_client.as_bytes(), &text].concat();
            for (bytes, words) in [
                (&latin, format!("{name} is not UTF-8: byte 0xFC on line 1; save it as UTF-8")),
                (&utf16, format!("{name} is UTF-16: save it as UTF-8")),
                (&of_client, format!("{name}:1: error: ")),
            ] {
                bench.write(&file, bytes);
                let left = run(&bench, FIRST);
                let (code, state) = (left.code, left.state());
                assert_eq!((code, state), (Some(5), ChangeState::FailedClean), "{}", left.err);
                assert!(left.err.contains(&words), "{words}: {}", left.err);
                assert!(left.steps.iter().all(|step| !matches!(step, Step::Connected { .. })));
            }
            bench.write(&file, text);
        }
        for name in all {
            let text = String::from_utf8(good(name)).unwrap();
            bench.write(&format!("fee/{name}"), text.replace('\n', "\r\n"));
        }
        assert_eq!(run(&bench, FIRST).state(), ChangeState::Done);
    }
}

/// What the server was told of the time that is left, while the change is applied and while it is taken back.
#[test]
fn limits_follow_from_what_is_left_of_the_window() {
    for mode in [ChangeMode::Transactional, ChangeMode::Journalled] {
        for bench in benches() {
            let now = match &bench.place {
                Place::Postgres { .. } => {
                    "select 'WAY', (select setting::int from pg_settings where name = 'lock_timeout'), \
                     (select setting::int from pg_settings where name = 'statement_timeout')"
                }
                _ => "select 'WAY', @@innodb_lock_wait_timeout * 1000, @@max_statement_time * 1000",
            };
            bench.execute(
                "create table told (way varchar(9), for_lock int, in_all int); grant all on told to teller",
            );
            let tell = |way: &str| format!("insert into told {};\n", now.replace("WAY", way));
            let file = |name: &str| bench.path(&format!("fee/{name}"));
            for (name, way) in [("change.sql", "there"), ("rollback.sql", "back")] {
                let text = std::fs::read_to_string(file(name)).unwrap();
                bench.write(&format!("fee/{name}"), format!("{}{text}", tell(way)));
            }
            bench.write("fee/verify.sql", "select 'never', count(*) = 99, 'x' from fee");
            let mut task = bench.change_task((1, 9), "abc");
            let Task::Change(change) = &mut task else { panic!("{task:?}") };
            // Twenty seconds are for the statements, so that two at most are for a lock.
            (change.window_left, change.reserve) = (Some(Span::seconds(600)), Span::seconds(580));
            change.mode = mode;
            let left = bench.run(&task);
            assert_eq!(left.state(), ChangeState::RolledBack, "{}{}", left.out, left.err);
            let told = bench
                .rows("select way, cast(for_lock as char(9)), cast(in_all as char(9)) from told");
            let told: Vec<(&str, u64, u64)> = told
                .iter()
                .map(|row| {
                    let cells: Vec<&str> = row.split('|').map(str::trim).collect();
                    (cells[0], cells[1].parse().unwrap(), cells[2].parse().unwrap())
                })
                .collect();
            let [("there", for_lock, in_all), ("back", 5_000, 0)] = told.as_slice() else {
                panic!("{mode:?} {told:?}")
            };
            assert!((1_000..=2_000).contains(for_lock), "{mode:?} {told:?}");
            // Where each statement commits by itself it is not cut off by the window.
            match mode {
                ChangeMode::Transactional => assert!((1..=601_000).contains(in_all), "{told:?}"),
                ChangeMode::Journalled => assert_eq!(*in_all, 0, "{told:?}"),
            }
            let recorded = left.steps.iter().find_map(|step| match step {
                Step::Limits { lock_wait_ms, statement_s } => Some((*lock_wait_ms, *statement_s)),
                _ => None,
            });
            let (lock_wait_ms, statement_s) = recorded.unwrap();
            assert!((1_000..=2_000).contains(&lock_wait_ms), "{lock_wait_ms}");
            assert_eq!(statement_s.is_some(), mode == ChangeMode::Transactional);
        }
    }
}

#[test]
fn a_script_tells_rows_and_notices() {
    for bench in benches() {
        let procedure = match bench.place {
            Place::Postgres { .. } => {
                "create procedure close_day(n int) language plpgsql as $$ begin
                   raise notice 'closing %', n; update fee set rate = n where id = 4; end $$;"
            }
            _ => {
                "create procedure close_day(n int) begin select 'closing 7' as told; update fee set rate = n where id = 4; end"
            }
        };
        bench.execute(procedure);
        if let Place::Maria { database, .. } = &bench.place {
            bench.execute(&format!("grant execute on procedure {database}.close_day to teller"));
        }
        let left = bench.sql("call close_day(7);\r\nupdate fee set rate = rate where id < 3;\r\nselect id, rate from fee order by id");
        assert_eq!((left.code, left.err.as_str()), (Some(0), ""), "{}", left.out);
        assert_eq!(left.work, Some(Work::Sql { statements: 3, rows: 2 }), "{}", left.out);
        assert!(left.out.contains("closing 7"), "{}", left.out);
        assert_eq!(rates(&bench), "25,25,25,7");
        let left =
            bench.sql("update fee set rate = 1 where id = 1;\ninsert into fee values (1, 2)");
        assert_eq!(left.code, Some(1), "{}", left.err);
        assert!(left.err.starts_with("job.sql:2: statement 2 (insert): "), "{}", left.err);
        assert!(left.err.contains("nothing of this script stays"), "{}", left.err);
        let text = "update fee set rate = 1 where id = 1;\ninsert into fee values (1, 2)";
        let left = bench.run(&bench.sql_task(text, Transaction::None));
        assert_eq!(left.code, Some(3), "{}", left.err);
        assert_eq!(rates(&bench), "1,25,25,7");
    }
}

#[test]
fn a_condition_is_asked_of_a_server() {
    for bench in benches() {
        let limit = Span::of(Duration::from_millis(300));
        let every = Span::of(Duration::from_millis(20));
        let wait = |query: &str| Task::WaitSql {
            engine: bench.engine(),
            query: query.into(),
            every,
            limit,
        };
        let met = |query| bench.run(&wait(query)).code;
        assert_eq!(met("select count(*) = 4 from fee"), Some(0));
        assert_eq!(met("select count(*) = 5 from fee"), Some(4));
        assert_eq!(met("select count(*) from fee"), Some(0));
    }
}

/// The second statement takes its time.
pub(super) fn slow(bench: &Bench) {
    let sleep = match bench.place {
        Place::Postgres { .. } => "select pg_sleep(60)",
        _ => "select sleep(60)",
    };
    bench.write("fee/change.sql", format!("update fee set rate = 30 where rate = 25;\n{sleep}"));
}

pub(super) fn in_the_second_statement(bench: &Bench) -> Child {
    slow(bench);
    let worker = bench.start(&bench.change_task((1, 3), "abc"));
    let second = Step::Statement { script: "change.sql".into(), number: 2, line: 2 };
    until("the second statement", || bench.steps().contains(&second));
    worker
}

#[test]
fn a_server_that_falls_in_the_middle_has_applied_nothing() {
    let own = [
        bench(on(Place::on_postgres(Of::Own(Server::start())))),
        bench(on(Place::on_maria(Of::Own(MariaServer::start())))),
    ];
    for bench in own {
        let worker = in_the_second_statement(&bench);
        match &bench.place {
            Place::Postgres { server, .. } => {
                server.signal("QUIT");
                server.start_again();
            }
            Place::Maria { server, .. } => {
                server.signal("KILL");
                server.start_again();
            }
            Place::File => unreachable!(),
        }
        // It waits for the server, and asks it.
        let left = bench.left(worker.wait_with_output().unwrap());
        assert_eq!((left.code, left.state()), (Some(1), ChangeState::FailedClean), "{}", left.err);
        assert_eq!(rates(&bench), OLD);
        bench.write("fee/change.sql", "update fee set rate = 30 where rate = 25;");
        assert_eq!(run(&bench, SECOND).state(), ChangeState::Done);
        assert_eq!(rates(&bench), NEW);
    }
}
