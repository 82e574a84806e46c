//! What goes wrong on servers while a statement of a journalled change runs: the worker is killed, the session ended, the
//! server falls, its answer does not come.

use nightrun::wire::CutDecision;
use sqlx::{Connection, Executor};

use super::super::places::Of;
use super::super::servers::rates;
use super::super::trouble::{deaf, end_sessions, sessions};
use super::journalled::{THIRD, bench, task, there};
use super::*;
use crate::mariadb_server::MariaServer;
use crate::postgres_server::Server;
use crate::tcp_wire::Way;

const FOURTH: &str = "eod@2026-10-30#1/fee/4";

/// With a change of rows between its columns in place of the index, which takes as long as somebody holds a lock.
fn held_up(place: Place) -> Bench {
    let bench = bench(place);
    let text = std::fs::read_to_string(bench.path("fee/change.sql")).unwrap();
    let parts: Vec<&str> = text.split(";\n").collect();
    let rows = "-- done_when: select count(*) = 0 from fee where rate = 25\n\
                update fee set rate = 30 where rate = 25 and hold() = 1";
    bench.write("fee/change.sql", format!("{};\n{rows};\n{};\n", parts[0], parts[2]));
    bench.write(
        "fee/backup.sql",
        "insert into fee_backup select id, rate from fee where rate = 25;",
    );
    // It waits for no lock, so that nothing ends its waiting but the end of that one.
    let hold = match &bench.place {
        Place::Postgres { .. } => {
            "create function hold() returns int language plpgsql volatile as $$ begin
               while not pg_try_advisory_xact_lock(7) loop perform pg_sleep(0.05); end loop; return 1; end $$"
                .to_owned()
        }
        Place::Maria { database, .. } => format!(
            "create function hold() returns int sql security invoker begin
               while not is_free_lock('gate_{database}') do do sleep(0.05); end while; return 1; end;
             grant execute on function {database}.hold to teller"
        ),
        Place::File => unreachable!(),
    };
    bench.execute(&hold);
    bench
}

fn rows_task(bench: &Bench, cut: Option<CutDecision>) -> Task {
    let mut task = task(bench, cut);
    let Task::Change(change) = &mut task else { panic!("{task:?}") };
    change.rows.max = 3;
    task
}

fn looks(bench: &Bench) -> Task {
    let mut task = rows_task(bench, None);
    let Task::Change(change) = &mut task else { panic!("{task:?}") };
    change.examine = true;
    task
}

/// What the statement waits for; gone with its runtime.
struct Gate {
    closed: Option<Box<dyn FnOnce()>>,
}

impl Gate {
    fn close(bench: &Bench) -> Self {
        let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
        let closed: Box<dyn FnOnce()> = match &bench.place {
            Place::Postgres { server, database, .. } => {
                let mut other = runtime.block_on(server.connect(database));
                runtime.block_on(other.execute("select pg_advisory_lock(7)")).unwrap();
                Box::new(move || runtime.block_on(other.close()).unwrap())
            }
            Place::Maria { server, database, .. } => {
                let mut other = runtime.block_on(server.connect(database));
                let lock = format!("select get_lock('gate_{database}', 0)");
                runtime.block_on(other.execute(sqlx::raw_sql(sqlx::AssertSqlSafe(lock)))).unwrap();
                Box::new(move || runtime.block_on(other.close()).unwrap())
            }
            Place::File => unreachable!(),
        };
        Self { closed: Some(closed) }
    }

    fn open(mut self) {
        self.closed.take().unwrap()();
    }
}

/// Whether the statement is being worked on; of a function MariaDB tells the statements that it consists of.
fn at_work(bench: &Bench) -> String {
    let sql = match bench.place {
        Place::Postgres { .. } => {
            "select count(*) from pg_stat_activity where datname = current_database() and state = 'active' and query like 'update fee set rate = 30%'"
        }
        _ => {
            "select count(*) from information_schema.processlist where user = 'teller' and db = database() and command = 'Query' and info like '%sleep(0.05)%'"
        }
    };
    bench.row(sql).trim().to_owned()
}

fn in_the_second_statement(bench: &Bench) -> Child {
    let worker = bench.start(&rows_task(bench, None));
    until("the second statement", || at_work(bench) == "1");
    worker
}

fn killed(mut worker: Child) {
    worker.kill().unwrap();
    worker.wait().unwrap();
}

/// Its session works on, and what it does is done.
#[test]
fn on_mariadb_a_statement_that_outlives_its_worker_is_waited_for_and_never_ended() {
    let bench = held_up(on(Place::maria()));
    let gate = Gate::close(&bench);
    killed(in_the_second_statement(&bench));
    // Whoever looks waits for it for as long as the time limit lets it, which is shorter than ten minutes here.
    let mut short = looks(&bench);
    let Task::Change(change) = &mut short else { panic!("{short:?}") };
    change.time_limit = Some(Span::seconds(2));
    let looked = bench.run_as(&short, SECOND);
    assert_eq!(looked.state(), ChangeState::InDoubt, "{}{}", looked.out, looked.err);
    let words = "a session of an earlier attempt works on this change; waiting for it";
    assert!(looked.out.contains(words), "{}", looked.out);
    assert_eq!((sessions(&bench).trim(), rates(&bench).as_str()), ("1", OLD));
    gate.open();
    let looked = bench.run_as(&looks(&bench), THIRD);
    assert_eq!(looked.state(), ChangeState::Partial, "{}{}", looked.out, looked.err);
    assert!(looked.why().starts_with("2 of 3 statements are done: "), "{}", looked.why());
    assert_eq!((rates(&bench).as_str(), there(&bench).as_str()), (NEW, "100"));
    let left = bench.run_as(&rows_task(&bench, Some(CutDecision::Continue)), FOURTH);
    assert_eq!(left.state(), ChangeState::Done, "{}{}", left.out, left.err);
    assert_eq!((rates(&bench).as_str(), there(&bench).as_str()), (NEW, "101"));
}

/// The server notices that nobody is there any more, and nothing of the statement is done.
#[test]
fn on_postgres_a_statement_does_not_outlive_its_worker() {
    let bench = held_up(on(Place::postgres()));
    let gate = Gate::close(&bench);
    killed(in_the_second_statement(&bench));
    let mut look = looks(&bench);
    let Task::Change(change) = &mut look else { panic!("{look:?}") };
    change.time_limit = Some(Span::seconds(60));
    let looked = bench.run_as(&look, SECOND);
    assert_eq!(looked.state(), ChangeState::Partial, "{}{}", looked.out, looked.err);
    assert!(looked.why().starts_with("1 of 3 statements are done: "), "{}", looked.why());
    assert_eq!((rates(&bench).as_str(), at_work(&bench).as_str()), (OLD, "0"));
    gate.open();
    let left = bench.run_as(&rows_task(&bench, Some(CutDecision::Continue)), THIRD);
    assert_eq!(left.state(), ChangeState::Done, "{}{}", left.out, left.err);
    assert_eq!((rates(&bench).as_str(), there(&bench).as_str()), (NEW, "101"));
}

#[test]
fn an_index_whose_builder_is_killed_is_named_until_somebody_drops_it() {
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
    let worker = bench.start(&task(&bench, None));
    let building = "select count(*) from pg_stat_progress_create_index";
    until("the build", || bench.row(building) == "1");
    killed(worker);
    let cut = |how, attempt| bench.run_as(&task(&bench, how), attempt);
    let left = cut(None, SECOND);
    assert_eq!(left.state(), ChangeState::Partial, "{}{}", left.out, left.err);
    assert_eq!(left.why(), "1 of 3 statements are done: people decide how it goes on");
    assert_eq!(bench.row("select count(*) from pg_index where not indisvalid"), "1");
    runtime.block_on(other.close()).unwrap();
    // It stands in the way of the next one.
    let left = cut(Some(CutDecision::Continue), THIRD);
    assert_eq!(left.state(), ChangeState::Partial, "{}{}", left.out, left.err);
    let words = "an invalid index is left: DROP INDEX CONCURRENTLY fee_rate";
    assert!(left.why().starts_with("1 of 3 statements are done: "), "{}", left.why());
    assert!(left.why().ends_with(words), "{}", left.why());
    bench.execute("drop index concurrently fee_rate");
    let left = cut(Some(CutDecision::Continue), FOURTH);
    assert_eq!((left.state(), there(&bench).as_str()), (ChangeState::Done, "111"), "{}", left.err);
    assert_eq!(bench.row("select count(*) from pg_index where not indisvalid"), "0");
}

/// Told apart: one between its statements is gone on with, and the last one's is done.
#[test]
fn a_statement_whose_answer_is_swallowed_is_judged_by_its_probe() {
    for place in [on(Place::postgres()), on(Place::maria())] {
        let mut bench = bench(place);
        for (word, after, state, attempt) in [
            (b"add column note".as_slice(), "100", ChangeState::Partial, FIRST),
            (b"add column kind".as_slice(), "111", ChangeState::Done, SECOND),
        ] {
            let cut = (state == ChangeState::Done).then_some(CutDecision::Continue);
            let straight = match &bench.place {
                Place::Postgres { port, .. } | Place::Maria { port, .. } => *port,
                Place::File => unreachable!(),
            };
            let wire = deaf(&mut bench, word);
            let worker = bench.command(&task(&bench, cut), attempt).spawn().unwrap();
            until("the statement", || there(&bench) == after);
            wire.set(Way::Cut);
            until("the end of its session", || sessions(&bench).trim() == "0");
            wire.set(Way::Through);
            let left = bench.left(worker.wait_with_output().unwrap());
            assert_eq!(left.state(), state, "{}{}", left.out, left.err);
            assert!(left.out.contains("its probe says that it is done"), "{}", left.out);
            assert_eq!(there(&bench), after);
            match &mut bench.place {
                Place::Postgres { port, .. } | Place::Maria { port, .. } => *port = straight,
                Place::File => unreachable!(),
            }
        }
    }
}

#[test]
fn an_administrator_who_ends_the_session_leaves_it_half_done() {
    for place in [on(Place::postgres()), on(Place::maria())] {
        let bench = held_up(place);
        let gate = Gate::close(&bench);
        let worker = in_the_second_statement(&bench);
        end_sessions(&bench);
        stopped_at_the_second(&bench, bench.left(worker.wait_with_output().unwrap()), gate);
    }
}

#[test]
fn a_server_that_falls_within_a_statement_leaves_it_half_done() {
    for place in [
        on(Place::on_postgres(Of::Own(Server::start()))),
        on(Place::on_maria(Of::Own(MariaServer::start()))),
    ] {
        let bench = held_up(place);
        let gate = Gate::close(&bench);
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
        stopped_at_the_second(&bench, bench.left(worker.wait_with_output().unwrap()), gate);
    }
}

fn stopped_at_the_second(bench: &Bench, left: Left, gate: Gate) {
    assert_eq!((left.code, left.state()), (Some(3), ChangeState::Partial), "{}", left.err);
    let words = "1 of 3 statements are done: change.sql:";
    assert!(left.why().starts_with(words), "{}", left.why());
    assert_eq!((rates(bench).as_str(), there(bench).as_str()), (OLD, "100"));
    drop(gate);
    let left = bench.run_as(&rows_task(bench, Some(CutDecision::Continue)), SECOND);
    assert_eq!(left.state(), ChangeState::Done, "{}{}", left.out, left.err);
    assert_eq!((rates(bench).as_str(), there(bench).as_str()), (NEW, "101"));
}
