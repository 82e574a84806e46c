//! What goes wrong on servers: sessions that are ended, answers that do not come, locks, procedures that commit, poolers.

use sqlx::Executor;

use super::change::{NEW, OLD};
use super::servers::{bench, benches, in_the_second_statement, ledger, rates, run};
use super::*;
use crate::server_process::{self, ServerProcess, as_account, free_port};
use crate::tcp_wire::{Way, Wire};

pub(super) fn term(worker: &Child) {
    let pid = rustix::process::Pid::from_child(worker);
    rustix::process::kill_process(pid, rustix::process::Signal::TERM).unwrap();
}

/// Sessions of the account that executes changes.
pub(super) fn sessions(bench: &Bench) -> String {
    let sql = match bench.place {
        Place::Postgres { .. } => {
            "select count(*) from pg_stat_activity where usename = 'teller' and datname = current_database()"
        }
        _ => {
            "select count(*) from information_schema.processlist where user = 'teller' and db = database()"
        }
    };
    bench.row(sql)
}

pub(super) fn end_sessions(bench: &Bench) {
    match bench.place {
        Place::Postgres { .. } => bench.execute(
            "select pg_terminate_backend(pid) from pg_stat_activity where usename = 'teller' and datname = current_database()",
        ),
        _ => {
            let id = "select id from information_schema.processlist where user = 'teller' and db = database() and command = 'Query'";
            let id = bench.row(id);
            bench.execute(&format!("kill {id}"));
        }
    }
}

#[test]
fn an_administrator_who_ends_the_session_undoes_it() {
    for bench in benches() {
        let worker = in_the_second_statement(&bench);
        end_sessions(&bench);
        let left = bench.left(worker.wait_with_output().unwrap());
        assert_eq!((left.code, left.state()), (Some(1), ChangeState::FailedClean), "{}", left.err);
        assert!(left.why().starts_with("change.sql:2: statement 2 (select): "), "{}", left.why());
        assert_eq!(rates(&bench), OLD);
    }
}

#[test]
fn told_to_end_it_cancels_and_undoes() {
    for bench in benches() {
        let worker = in_the_second_statement(&bench);
        term(&worker);
        let left = bench.left(worker.wait_with_output().unwrap());
        assert_eq!((left.code, left.state()), (Some(1), ChangeState::FailedClean), "{}", left.err);
        assert!(left.why().ends_with("cancelled: it was told to end (TERM)"), "{}", left.why());
        assert_eq!((rates(&bench).as_str(), sessions(&bench).as_str()), (OLD, "0"));

        let mut task = bench.change_task((1, 3), "abc");
        let Task::Change(change) = &mut task else { panic!("{task:?}") };
        change.window_left = Some(Span::seconds(1));
        let left = bench.run_as(&task, SECOND);
        assert_eq!(left.state(), ChangeState::FailedClean, "{}", left.err);
        assert!(left.why().ends_with("cancelled: its window closes"), "{}", left.why());
    }
}

#[test]
fn a_file_is_left_as_it_was_too() {
    let bench = change::bench();
    let slow =
        "with recursive n(i) as (select 1 union all select i + 1 from n) select max(i) from n;";
    bench.write("fee/change.sql", format!("update fee set rate = 30 where rate = 25;\n{slow}"));
    let worker = bench.start(&bench.change_task((1, 3), "abc"));
    let second = Step::Statement { script: "change.sql".into(), number: 2, line: 2 };
    until("the second statement", || bench.steps().contains(&second));
    term(&worker);
    let left = bench.left(worker.wait_with_output().unwrap());
    assert_eq!((left.code, left.state()), (Some(1), ChangeState::FailedClean), "{}", left.err);
    assert!(left.why().ends_with("cancelled: it was told to end (TERM)"), "{}", left.why());
    assert_eq!(change::rates(&bench), OLD);
}

#[test]
fn a_statement_that_does_not_yield_loses_its_session() {
    let [bench, _] = benches();
    bench.execute(
        "create function stubborn() returns int language plpgsql as $$ begin
           loop begin perform pg_sleep(60); exception when query_canceled then null; end; end loop;
         end $$",
    );
    bench.write("fee/change.sql", "update fee set rate = 30 where rate = 25;\nselect stubborn()");
    let worker = bench.start(&bench.change_task((1, 3), "abc"));
    let second = Step::Statement { script: "change.sql".into(), number: 2, line: 2 };
    until("the second statement", || bench.steps().contains(&second));
    term(&worker);
    let left = bench.left(worker.wait_with_output().unwrap());
    assert_eq!((left.code, left.state()), (Some(1), ChangeState::FailedClean), "{}", left.err);
    assert!(left.out.contains("is being ended"), "{}", left.out);
    assert_eq!((rates(&bench).as_str(), sessions(&bench).as_str()), (OLD, "0"));
}

#[test]
fn a_session_that_outlives_its_worker_is_ended_by_the_next_attempt() {
    for bench in benches() {
        let mut worker = in_the_second_statement(&bench);
        worker.kill().unwrap();
        worker.wait().unwrap();
        bench.write("fee/change.sql", "update fee set rate = 30 where rate = 25;");
        let left = run(&bench, SECOND);
        assert_eq!(left.state(), ChangeState::Done, "{}{}", left.out, left.err);
        // PostgreSQL notices by itself within two seconds that nobody is there any more.
        if let Place::Maria { .. } = bench.place {
            let words = "a session of an earlier attempt works on this change";
            assert!(left.out.contains(words), "{}", left.out);
        }
        assert_eq!(rates(&bench), NEW);
    }
}

#[test]
fn a_change_of_another_run_is_waited_for_and_left_alone() {
    let [bench, _] = benches();
    let mut worker = in_the_second_statement(&bench);
    bench.write("fee/change.sql", "update fee set rate = 30 where rate = 25;");
    let other = bench.command(&bench.change_task((1, 3), "abc"), OTHER_RUN).spawn().unwrap();
    let asks = "select count(*) from pg_stat_activity where usename = 'teller' and query like '%locktype%'";
    until("the other one's question", || bench.row(asks) == "1");
    term(&worker);
    assert_eq!(worker.wait().unwrap().code(), Some(1));
    let left = bench.left(other.wait_with_output().unwrap());
    assert_eq!(left.state(), ChangeState::Done, "{}", left.err);
    assert!(left.out.contains("another session works on this change"), "{}", left.out);
}

/// Swallows the answer to a word, and all after it.
pub(super) fn deaf(bench: &mut Bench, word: &'static [u8]) -> Wire {
    let server = match &bench.place {
        Place::Postgres { port, .. } | Place::Maria { port, .. } => *port,
        Place::File => unreachable!(),
    };
    // A thread carries what goes over it, to the end of this process.
    let (tell, told) = std::sync::mpsc::channel();
    std::thread::spawn(move || {
        on(async {
            tell.send(Wire::deaf_after(server, Some(word)).await).unwrap();
            std::future::pending::<()>().await;
        });
    });
    let wire = told.recv().unwrap();
    match &mut bench.place {
        Place::Postgres { port, .. } | Place::Maria { port, .. } => *port = wire.port,
        Place::File => unreachable!(),
    }
    wire
}

#[test]
fn a_commit_whose_answer_is_swallowed_is_judged_by_its_marker() {
    for mut bench in benches() {
        let wire = deaf(&mut bench, b"COMMIT");
        let worker = bench.start(&bench.change_task((1, 3), "abc"));
        let ready = format!("select count(*) from {} where step = 'ready'", ledger(&bench));
        until("the commit", || bench.row(&ready).trim() == "1");
        wire.set(Way::Cut);
        until("the end of its session", || sessions(&bench).trim() == "0");
        wire.set(Way::Through);
        let left = bench.left(worker.wait_with_output().unwrap());
        assert_eq!(
            (left.code, left.state()),
            (Some(0), ChangeState::Done),
            "{}{}",
            left.out,
            left.err
        );
        assert!(left.out.contains("the marker says that it is committed"), "{}", left.out);
        assert_eq!(rates(&bench), NEW);
    }
}

#[test]
fn a_lock_of_somebody_else_is_not_waited_for_for_ever() {
    for bench in benches() {
        if let Place::Postgres { .. } = bench.place {
            bench.execute(
                "create function forget() returns int language plpgsql as $$ begin
                   execute 'reset all'; return 1; end $$",
            );
            let text = "select forget();\nupdate fee set rate = 30 where rate = 25;";
            bench.write("fee/change.sql", text);
        }
        let left = match &bench.place {
            Place::Postgres { server, database, .. } => on(async {
                let mut other = server.connect(database).await;
                other.execute("begin").await.unwrap();
                other.execute("update fee set rate = rate where id = 1").await.unwrap();
                run(&bench, FIRST)
            }),
            Place::Maria { server, database, .. } => on(async {
                let mut other = server.connect(database).await;
                other.execute(sqlx::raw_sql("begin")).await.unwrap();
                other.execute("update fee set rate = rate where id = 1").await.unwrap();
                run(&bench, FIRST)
            }),
            Place::File => unreachable!(),
        };
        assert_eq!((left.code, left.state()), (Some(1), ChangeState::FailedClean), "{}", left.err);
        let why = left.why().to_ascii_lowercase();
        assert!(why.contains("lock") && why.contains("timeout"), "{why}");
        assert_eq!(rates(&bench), OLD);
    }
}

#[test]
fn a_hidden_commit_is_found() {
    let [postgres, maria] = benches();
    // Where a backslash is none to the server, one statement of ours is four of its own.
    let code =
        "do $$ begin perform set_config('standard_conforming_strings', 'off', false); end $$;";
    let sly = "delete from fee_backup where 'x' = 'a\\' || '; commit; begin; select 1 --'";
    postgres.write(
        "fee/change.sql",
        format!("update fee set rate = 30 where rate = 25;\n{code}\n{sly}"),
    );
    let left = run(&postgres, FIRST);
    assert_eq!((left.code, left.state()), (Some(9), ChangeState::InDoubt), "{}", left.err);
    assert!(left.why().contains("statement 3 (delete): "), "{}", left.why());
    assert!(left.why().contains("a hidden COMMIT or ROLLBACK"), "{}", left.why());
    assert_eq!(rates(&postgres), NEW);
    assert_eq!(run(&postgres, SECOND).state(), ChangeState::InDoubt);

    // PostgreSQL lets no procedure commit inside of a transaction.
    let [postgres, _] = benches();
    postgres.execute(
        "create procedure sly() language plpgsql as $$ begin update fee set rate = 1 where id = 4; commit; end $$",
    );
    postgres.write("fee/change.sql", "update fee set rate = 30 where rate = 25;\ncall sly()");
    let left = run(&postgres, FIRST);
    assert_eq!(left.state(), ChangeState::FailedClean, "{}", left.err);
    assert_eq!(rates(&postgres), OLD);

    maria.execute("create procedure sly() begin commit; start transaction; end");
    let Place::Maria { database, .. } = &maria.place else { unreachable!() };
    maria.execute(&format!("grant execute on procedure {database}.sly to teller"));
    maria.write("fee/change.sql", "update fee set rate = 30 where rate = 25;\ncall sly()");
    let left = run(&maria, FIRST);
    assert_eq!((left.code, left.state()), (Some(9), ChangeState::InDoubt), "{}", left.err);
    assert!(left.why().contains("a hidden COMMIT or ROLLBACK"), "{}", left.why());
    assert_eq!(run(&maria, SECOND).state(), ChangeState::InDoubt);

    // What runs after a hidden ROLLBACK commits by itself, and no marker tells of it.
    let [_, maria] = benches();
    maria.execute(
        "create procedure slyer() begin rollback; update fee set rate = 1 where id = 4; end",
    );
    let Place::Maria { database, .. } = &maria.place else { unreachable!() };
    maria.execute(&format!("grant execute on procedure {database}.slyer to teller"));
    maria.write("fee/change.sql", "update fee set rate = 30 where rate = 25;\ncall slyer()");
    let left = run(&maria, FIRST);
    assert_eq!((left.code, left.state()), (Some(9), ChangeState::InDoubt), "{}", left.err);
    assert_eq!(rates(&maria), "25,25,25,1");
    let left = maria.sql("call slyer()");
    assert_eq!(left.code, Some(9), "{}", left.err);
}

#[test]
fn a_table_without_transactions_is_refused() {
    let [_, bench] = benches();
    bench.execute("alter table fee_backup engine = MyISAM");
    let left = run(&bench, FIRST);
    assert_eq!((left.code, left.state()), (Some(5), ChangeState::FailedClean), "{}", left.err);
    assert!(left.why().contains("fee_backup is of the engine MyISAM"), "{}", left.why());
}

#[test]
fn a_target_that_was_restored_from_an_older_copy_is_noticed() {
    let mut all: Vec<Bench> = benches().into();
    all.push(change::bench());
    for bench in all {
        assert_eq!(run(&bench, FIRST).state(), ChangeState::Done);
        // Marker and data are lost together.
        let table = match bench.place {
            Place::File => "nightrun_change_run",
            _ => ledger(&bench),
        };
        bench.execute(&format!("delete from {table}"));
        bench.execute("update fee set rate = 25 where rate = 30");
        let left = run(&bench, SECOND);
        assert_eq!((left.code, left.state()), (Some(9), ChangeState::InDoubt), "{}", left.err);
        assert!(left.why().contains("it was restored from an older copy"), "{}", left.why());
    }
}

#[test]
fn a_pooler_in_between_is_refused() {
    let bench = bench(on(Place::postgres()));
    let Place::Postgres { port: server, database, .. } = &bench.place else { unreachable!() };
    for (mode, ignored) in [("transaction", ""), ("session", ""), ("transaction", "options")] {
        let account = server_process::account("postgres");
        let folder = server_process::folder(account);
        let port = free_port();
        let config = format!(
            "[databases]\n{database} = host=127.0.0.1 port={server}\n[pgbouncer]\nlisten_addr = 127.0.0.1\n\
             listen_port = {port}\nauth_type = any\nunix_socket_dir =\npool_mode = {mode}\n\
             ignore_startup_parameters = extra_float_digits{}{ignored}\n",
            if ignored.is_empty() { "" } else { "," }
        )
        .replace(&format!("port={server}\n"), &format!("port={server} user=teller\n"));
        let file = folder.join("pgbouncer.ini");
        std::fs::write(&file, config).unwrap();
        server_process::give_away(&file, account);
        let mut words = as_account(account);
        let sbin = [PathBuf::from("/usr/sbin")].into_iter();
        words.push(server_process::program("pgbouncer", sbin, "pgbouncer").display().to_string());
        words.push(file.display().to_string());
        let pooler = ServerProcess::start(&folder, &words);
        until("the pooler", || std::net::TcpStream::connect(("127.0.0.1", port)).is_ok());
        let mut task = bench.change_task((1, 3), "abc");
        let Task::Change(change) = &mut task else { panic!("{task:?}") };
        let Engine::Postgres(by) = &mut change.engine else { panic!("{:?}", change.engine) };
        by.port = port;
        let left = bench.run(&task);
        assert_eq!((left.code, left.state()), (Some(1), ChangeState::FailedClean), "{}", left.err);
        assert!(
            left.why().contains("a connection pooler stands in front of this database"),
            "{mode} {ignored}: {}",
            left.why()
        );
        // It does not heed what ends databases.
        pooler.tell("TERM");
    }
}

/// Ten thousand statements in one transaction, and a million rows in one statement and its backup.
fn much(bench: &Bench) {
    let inserts = (10..10_010).map(|n| format!("insert into fee values ({n}, 50);\n"));
    let update = "update fee set rate = 30 where rate = 25;\n";
    bench.write("fee/change.sql", format!("{}{update}", inserts.collect::<String>()));
    let left = bench.run(&bench.change_task((1, 10_003), "abc"));
    assert_eq!((left.state(), left.change().rows), (ChangeState::Done, 10_003), "{}", left.err);

    let million = match bench.place {
        Place::Postgres { .. } => "select n, 25 from generate_series(20000, 1019999) n",
        _ => "select seq, 25 from seq_20000_to_1019999",
    };
    bench.execute(&format!("insert into fee {million}"));
    bench.write("fee/change.sql", "update fee set rate = 31 where rate = 25;");
    bench.write(
        "fee/verify.sql",
        "select 'old rates', count(*) = 0, concat(count(*), ' left') from fee where rate = 25",
    );
    let left = bench.run_as(&bench.change_task((1, 1_000_000), "million"), OTHER_RUN);
    let work = left.change();
    let counts = (work.state, work.rows, work.backup_rows);
    assert_eq!(counts, (ChangeState::Done, 1_000_000, 1_000_000), "{}", left.err);
}

#[test]
fn postgres_is_given_ten_thousand_statements_and_a_million_rows() {
    much(&bench(on(Place::postgres())));
}

#[test]
fn mariadb_is_given_ten_thousand_statements_and_a_million_rows() {
    much(&bench(on(Place::maria())));
}
