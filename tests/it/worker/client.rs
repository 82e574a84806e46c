//! A target that only its client program speaks with: here psql, on a real server.

use nightrun::definition::site::{ChangeMode, Client, ClientIdentity};

use super::change::{NEW, OLD};
use super::servers::{self, rates};
use super::*;

fn words(text: &str) -> Vec<String> {
    text.split(' ').map(str::to_owned).collect()
}

fn client(bench: &Bench) -> Client {
    let Place::Postgres { database, port, .. } = &bench.place else { unreachable!() };
    let psql =
        format!("psql -X -A -t -v ON_ERROR_STOP=1 -h 127.0.0.1 -p {port} -U teller -d {database}");
    Client {
        command: words(&psql),
        rows: ["UPDATE {n}", "INSERT 0 {n}", "DELETE {n}"].map(str::to_owned).into(),
        identity: Some(ClientIdentity {
            command: words(&format!("{psql} -c select+current_database()"))
                .into_iter()
                .map(|word| word.replace('+', " "))
                .collect(),
            says: database.clone(),
        }),
    }
}

fn bench() -> Bench {
    let found = Command::new("psql").arg("--version").output();
    assert!(found.is_ok(), "psql is missing: apt-get install postgresql-client");
    servers::bench(on(Place::postgres()))
}

fn task(bench: &Bench, rows: (u64, u64)) -> Task {
    let mut task = bench.change_task(rows, "abc");
    let Task::Change(change) = &mut task else { panic!("{task:?}") };
    change.engine = Engine::Client(client(bench));
    change.mode = ChangeMode::Journalled;
    task
}

#[test]
fn a_change_goes_by_the_exit_code_and_the_rows_that_are_told() {
    let bench = bench();
    let left = bench.run_as(&task(&bench, (1, 3)), FIRST);
    assert_eq!((left.code, left.state()), (Some(0), ChangeState::Done), "{}{}", left.out, left.err);
    let work = left.change();
    assert_eq!((work.rows, work.backup_rows, work.after.len()), (3, 3, 2), "{}", left.out);
    assert_eq!(rates(&bench), NEW);
    // The same run does not do it twice; another one finds that it is not needed.
    let again = bench.run_as(&task(&bench, (1, 3)), SECOND);
    assert_eq!((again.state(), again.change().rows), (ChangeState::Done, 3), "{}", again.err);
    let other = bench.run_as(&task(&bench, (1, 3)), OTHER_RUN);
    assert_eq!(other.state(), ChangeState::FailedGuard, "{}", other.out);

    bench.execute("update fee set rate = 25 where rate = 30");
    let few = bench.run_as(&task(&bench, (1, 2)), "eod@2026-10-30#3/fee/1");
    assert_eq!((few.code, few.state()), (Some(7), ChangeState::RolledBack), "{}", few.err);
    assert_eq!(few.why(), "3 rows counted, and the change declares 1 to 2");
    assert_eq!(rates(&bench), OLD);
    let mut elsewhere = task(&bench, (1, 3));
    if let Task::Change(change) = &mut elsewhere
        && let Engine::Client(client) = &mut change.engine
    {
        client.identity.as_mut().unwrap().says = "another".to_owned();
    }
    let wrong = bench.run_as(&elsewhere, "eod@2026-10-30#4/fee/1");
    assert_eq!(wrong.state(), ChangeState::FailedClean, "{}", wrong.err);
    assert!(wrong.why().contains("where site.yaml names another"), "{}", wrong.why());
}

#[test]
fn what_the_program_did_not_finish_is_in_doubt_and_stays_so() {
    for (change, words) in [
        // The first statement has been committed by then.
        ("update fee set rate = 30 where rate = 25;\nselect 1 / 0;", "ended with code 3"),
        ("update fee set rate = 30 where rate = 25;\n\\! kill -9 $PPID", "was ended (signal: 9"),
    ] {
        let bench = bench();
        bench.write("fee/change.sql", change);
        let left = bench.run_as(&task(&bench, (1, 3)), FIRST);
        assert_eq!((left.code, left.state()), (Some(9), ChangeState::InDoubt), "{}", left.out);
        assert!(left.why().contains(words), "{}", left.why());
        let evidence = &left.change().evidence;
        assert_eq!(evidence.last().unwrap().answer, "it passes", "{evidence:?}");
        let again = bench.run_as(&task(&bench, (1, 3)), SECOND);
        assert_eq!(again.state(), ChangeState::InDoubt, "{}", again.err);
        assert!(again.why().ends_with("has left it in doubt"), "{}", again.why());
    }
    let bench = bench();
    let script = bench.write("job.sql", "update fee set rate = 1 where id = 1;\nselect 1 / 0;\n");
    let engine = Engine::Client(client(&bench));
    let task = Task::Sql { engine, script, transaction: Transaction::None, time_limit: None };
    let left = bench.run(&task);
    assert_eq!((left.code, &left.work), (Some(3), &Some(Work::Sql { statements: 0, rows: 1 })));
    assert!(left.err.contains("what it committed before stays"), "{}", left.err);
}

#[cfg(feature = "faults")]
#[test]
fn killed_while_the_program_is_at_work_a_change_is_in_doubt() {
    for (point, next) in [
        ("before", ChangeState::Done),
        ("backup", ChangeState::Done),
        ("started", ChangeState::InDoubt),
        ("client-ended", ChangeState::InDoubt),
        ("committed", ChangeState::Done),
        ("verify", ChangeState::Done),
    ] {
        let bench = bench();
        let mut command = bench.command(&task(&bench, (1, 3)), FIRST);
        let output = command.env("NIGHTRUN_FAULT", format!("worker.{point}")).output().unwrap();
        assert_eq!(output.status.code(), None, "{point}");
        let mut look = task(&bench, (1, 3));
        if let Task::Change(change) = &mut look {
            change.examine = true;
        }
        let left = bench.run_as(&look, SECOND);
        assert!(!left.change().evidence.is_empty(), "{point}");
        let left = bench.run_as(&task(&bench, (1, 3)), "eod@2026-10-30#1/fee/3");
        assert_eq!(left.state(), next, "{point}: {}{}", left.out, left.err);
        if next == ChangeState::Done {
            assert_eq!((rates(&bench).as_str(), left.change().rows), (NEW, 3), "{point}");
        }
    }
}

/// The look that took up what the first attempt had applied was cut off while it rolled back: nobody rolls back once more.
#[cfg(feature = "faults")]
#[test]
fn killed_while_it_rolls_back_a_change_is_in_doubt() {
    let bench = bench();
    bench.write("fee/verify.sql", "select 'never', false, 'it does not work' from fee;");
    bench.write("fee/rollback.sql", "update fee set rate = rate - 5;");
    let killed = |task: &Task, attempt: &str, point: &str| {
        let mut command = bench.command(task, attempt);
        let output = command.env("NIGHTRUN_FAULT", format!("worker.{point}")).output().unwrap();
        assert_eq!(output.status.code(), None, "{point}");
    };
    killed(&task(&bench, (1, 3)), FIRST, "committed");
    killed(&task(&bench, (1, 3)), SECOND, "rolling-back");
    let before = rates(&bench);
    let left = bench.run_as(&task(&bench, (1, 3)), "eod@2026-10-30#1/fee/3");
    assert_eq!(left.state(), ChangeState::InDoubt, "{}{}", left.out, left.err);
    assert_eq!(rates(&bench), before);
}

/// Points, and what a look finds: what is known of such a target is what the steps on this host say.
#[cfg(feature = "faults")]
#[test]
fn a_rehearsal_is_taken_back_as_far_as_the_steps_tell_of_it() {
    use ChangeState::{Done, FailedClean, InDoubt, RolledBack};

    use super::rehearsal::{WHOLE, did, rehearsed};

    for (point, fees, says, then) in [
        ("rehearsal-before", OLD, FailedClean, OLD),
        ("rehearsal-client-ended", NEW, InDoubt, NEW),
        ("rehearsal-committed", NEW, RolledBack, OLD),
        ("rehearsal-verify", NEW, RolledBack, OLD),
        ("rehearsal-rolling-back", NEW, InDoubt, NEW),
        ("rehearsal-rehearsed", OLD, FailedClean, OLD),
        ("before", OLD, FailedClean, OLD),
        ("committed", NEW, Done, NEW),
    ] {
        let bench = bench();
        let task = rehearsed(task(&bench, (1, 3)));
        let mut command = bench.command(&task, FIRST);
        let output = command.env("NIGHTRUN_FAULT", format!("worker.{point}")).output().unwrap();
        assert_eq!(output.status.code(), None, "after {point}");
        assert_eq!(rates(&bench), fees, "after {point}");
        let mut look = task.clone();
        let Task::Change(change) = &mut look else { unreachable!() };
        change.examine = true;
        let looked = bench.run_as(&look, SECOND);
        assert_eq!(looked.state(), says, "after {point}: {}{}", looked.out, looked.err);
        assert_eq!(rates(&bench), then, "after {point}");
        if says == InDoubt {
            continue;
        }
        let last = bench.run_as(&task, "eod@2026-10-30#1/fee/3");
        assert_eq!(last.state(), Done, "after {point}: {}{}", last.out, last.err);
        assert_eq!((rates(&bench).as_str(), did(&last)), (NEW, WHOLE.to_vec()), "after {point}");
    }
}
