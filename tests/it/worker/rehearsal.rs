//! A change with rehearsal: executed, taken back, executed again, in one attempt.

use nightrun::wire::Did;

use super::change::{NEVER, NEW, OLD};
use super::servers::{ledger, rates};
use super::*;

pub(super) fn rehearsed(mut task: Task) -> Task {
    let Task::Change(change) = &mut task else { panic!("{task:?}") };
    change.rehearse = true;
    task
}

pub(super) fn did(left: &Left) -> Vec<(Did, u64, u32)> {
    left.change().rehearsal.iter().map(|step| (step.did, step.rows, step.checks)).collect()
}

pub(super) const WHOLE: [(Did, u64, u32); 4] = [
    (Did::Changed, 3, 0),
    (Did::Verified, 0, 2),
    (Did::RolledBack, 3, 0),
    (Did::FormerVerified, 0, 2),
];

fn benches() -> [Bench; 3] {
    let [postgres, maria] = servers::benches();
    // What a session has made is not there for the second execution.
    let change = "create temporary table seen (id int);\nupdate fee set rate = 30 where rate = 25;";
    postgres.write("fee/change.sql", change);
    [change::bench(), postgres, maria]
}

fn run(bench: &Bench, rows: (u64, u64), attempt: &str) -> Left {
    bench.run_as(&rehearsed(bench.change_task(rows, "abc")), attempt)
}

fn fees(bench: &Bench) -> String {
    match bench.place {
        Place::File => change::rates(bench),
        _ => rates(bench),
    }
}

fn marked(bench: &Bench) -> String {
    let (table, order) = match bench.place {
        Place::File => ("nightrun_change_run", "rowid"),
        _ => (ledger(bench), "seq"),
    };
    bench.rows(&format!("select step from {table} order by {order}")).join(" ")
}

#[test]
fn it_is_changed_taken_back_and_changed_again() {
    for bench in benches() {
        let left = run(&bench, (1, 3), FIRST);
        assert_eq!((left.code, left.err.as_str()), (Some(0), ""), "{}", left.out);
        let work = left.change();
        assert_eq!((work.state, work.rows, work.backup_rows), (ChangeState::Done, 3, 3));
        assert_eq!((work.before.len(), work.after.len()), (2, 2), "{work:?}");
        assert_eq!(did(&left), WHOLE);
        let times: Vec<_> = work.rehearsal.iter().map(|step| step.at).collect();
        assert!(times.is_sorted(), "{times:?}");
        assert_eq!(fees(&bench), NEW);
        assert_eq!(
            marked(&bench),
            "rehearsal-started rehearsal-before rehearsal-backup rehearsal-ready rehearsal-rollback \
             rehearsal-former started before rehearsed backup ready"
        );
        // Whoever takes it up knows of it from the target.
        let again = run(&bench, (1, 3), SECOND);
        assert_eq!((again.state(), did(&again)), (ChangeState::Done, WHOLE.to_vec()));
    }
}

#[test]
fn what_goes_wrong_in_it_is_told_and_the_change_is_not_begun() {
    use Did::{Changed, FormerVerified, RolledBack, Verified};
    type Spoil = fn(&Bench);
    let never: Spoil = |bench| drop(bench.write("fee/verify.sql", NEVER.replace("'sum ' ||", "")));
    let half: Spoil = |bench| {
        drop(bench.write("fee/rollback.sql", "update fee set rate = 25 where id = 1;"));
    };
    let broken: Spoil =
        |bench| drop(bench.write("fee/rollback.sql", "update fie set rate = 25 where true;"));
    let nothing: Spoil = |_| {};
    for (spoil, rows, state, fee, told, done) in [
        (nothing, (1, 2), ChangeState::FailedGuard, OLD, "3 rows changed", vec![]),
        (
            never,
            (1, 3),
            ChangeState::RolledBack,
            OLD,
            "verification failed",
            vec![Changed, RolledBack, FormerVerified],
        ),
        (
            half,
            (1, 3),
            ChangeState::RollbackFailed,
            "25,30,30,40",
            "does not say",
            vec![Changed, Verified, RolledBack],
        ),
        (
            broken,
            (1, 3),
            ChangeState::RollbackFailed,
            NEW,
            "the rollback failed",
            vec![Changed, Verified],
        ),
    ] {
        for bench in benches() {
            spoil(&bench);
            let left = run(&bench, rows, FIRST);
            assert_eq!(left.state(), state, "{}{}", left.out, left.err);
            assert_eq!(fees(&bench), fee, "{}", left.err);
            assert!(left.why().starts_with("in the rehearsal: "), "{}", left.why());
            assert!(left.why().contains(told), "{}", left.why());
            let did: Vec<Did> = did(&left).into_iter().map(|(did, ..)| did).collect();
            assert_eq!(did, done, "{}", left.err);
        }
    }
}

/// The way there goes well once, and not a second time.
#[test]
fn a_backup_that_cannot_be_made_twice_is_found_out() {
    for bench in benches() {
        bench.write(
            "fee/backup.sql",
            "insert into fee_backup select id, rate from fee where rate = 25;",
        );
        if matches!(bench.place, Place::File) {
            bench.execute("create table fee_backup (id integer primary key, rate int)");
        } else {
            bench.execute("create unique index once on fee_backup (id)");
        }
        let left = run(&bench, (1, 3), FIRST);
        assert_eq!(left.state(), ChangeState::FailedClean, "{}{}", left.out, left.err);
        assert!(left.why().starts_with("backup.sql:1"), "{}", left.why());
        assert_eq!((did(&left), fees(&bench)), (WHOLE.to_vec(), OLD.to_owned()));
        // It is rehearsed anew where it is tried again.
        bench.execute("delete from fee_backup");
        let again = run(&bench, (1, 3), SECOND);
        assert_eq!(again.state(), ChangeState::FailedClean, "{}{}", again.out, again.err);
        assert_eq!(did(&again), WHOLE);
    }
}

#[test]
fn each_execution_keeps_rows_of_its_own() {
    for bench in kept::benches() {
        let left = bench.run(&rehearsed(kept::task(&bench)));
        assert_eq!((left.code, left.err.as_str()), (Some(0), ""), "{}", left.out);
        let kept: Vec<Vec<_>> = left
            .steps
            .iter()
            .filter_map(|step| match step {
                Step::Kept { kept } => Some(kept.clone()),
                _ => None,
            })
            .collect();
        let [first, second] = kept.as_slice() else { panic!("{kept:?}") };
        assert_eq!(&left.change().kept, second);
        for (first, second) in first.iter().zip(second) {
            assert_eq!((first.rows, &first.checksum), (second.rows, &second.checksum));
            assert_ne!(first.kept_in, second.kept_in);
        }
        assert_eq!(did(&left)[2].0, Did::RolledBack);
    }
}
