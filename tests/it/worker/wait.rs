//! The `wait-file` and `wait-sql` tasks.

use super::*;
use nightrun::types::Span;

fn ms(ms: u64) -> Span {
    Span::of(Duration::from_millis(ms))
}

fn file(bench: &Bench, stable: u64, limit: u64) -> Task {
    Task::WaitFile {
        path: bench.path("in/rates.csv"),
        stable: ms(stable),
        every: ms(20),
        limit: ms(limit),
    }
}

#[test]
fn a_file_that_still_grows_is_not_there() {
    let bench = Bench::new();
    let began = Instant::now();
    let worker = bench.start(&file(&bench, 300, 20_000));
    let mut last = began;
    for size in 1..=4 {
        bench.write("in/rates.csv", "x".repeat(size));
        last = Instant::now();
        std::thread::sleep(Duration::from_millis(100));
    }
    let left = bench.left(worker.wait_with_output().unwrap());
    assert!(last.elapsed() >= Duration::from_millis(300), "{:?}", last.elapsed());
    assert_eq!(left.code, Some(0), "{}", left.err);
    assert!(left.out.ends_with("is there: 4 bytes, unchanged for 300ms\n"), "{}", left.out);
    assert_eq!(left.work, None);
}

#[test]
fn a_limit_is_kept_and_told() {
    let bench = Bench::new();
    let began = Instant::now();
    let left = bench.run(&file(&bench, 0, 250));
    assert!(began.elapsed() >= Duration::from_millis(250));
    assert_eq!(left.code, Some(4));
    assert!(left.err.contains("in/rates.csv did not arrive within 250ms"), "{}", left.err);
    std::fs::create_dir_all(bench.path("in/rates.csv")).unwrap();
    let left = bench.run(&file(&bench, 0, 50));
    assert!(left.err.contains("it is not a regular file"), "{}", left.err);
    std::fs::remove_dir(bench.path("in/rates.csv")).unwrap();
    bench.write("in/rates.csv", "x");
    let left = bench.run(&file(&bench, 5_000, 100));
    assert_eq!(left.code, Some(4));
    assert!(left.err.contains("did not stay the same for 5s within 100ms"), "{}", left.err);
}

fn condition(bench: &Bench, query: &str, limit: u64) -> Task {
    Task::WaitSql { engine: bench.engine(), query: query.into(), every: ms(20), limit: ms(limit) }
}

#[test]
fn a_condition_is_met_when_its_first_value_is_true() {
    let bench = Bench::new();
    bench.execute("create table rate (v)");
    let query = "select v from rate order by rowid desc";
    for (value, met) in [
        ("0", false),
        ("null", false),
        ("''", false),
        ("'0'", false),
        ("0.0", false),
        ("3", true),
        ("'yes'", true),
    ] {
        bench.execute(&format!("insert into rate values ({value})"));
        let left = bench.run(&condition(&bench, query, if met { 10_000 } else { 60 }));
        assert_eq!(left.code, Some(if met { 0 } else { 4 }), "{value}: {}", left.err);
    }
    let left = bench.run(&condition(&bench, "delete from rate", 60));
    assert_eq!(left.code, Some(5));
    assert_eq!(bench.row("select count(*) from rate"), "7");
}

#[test]
fn a_database_that_is_not_there_yet_is_waited_for_and_not_made() {
    let bench = Bench::new();
    let query = "select count(*) from rate";
    let left = bench.run(&condition(&bench, query, 100));
    assert_eq!(left.code, Some(4));
    assert!(left.err.contains("was not met within 100ms"), "{}", left.err);
    assert!(left.out.contains("the database is not there"), "{}", left.out);
    assert!(!bench.target().exists());
    let log = std::fs::File::create(bench.path("out")).unwrap();
    let mut command = bench.command(&condition(&bench, query, 20_000), FIRST);
    let mut worker = command.stdout(log).spawn().unwrap();
    let says = |words: &str| std::fs::read_to_string(bench.path("out")).unwrap().contains(words);
    until("a first look", || says("not there"));
    bench.execute("create table other (x)");
    until("the error", || says("not yet: no such table: rate"));
    bench.execute("create table rate (x)");
    until("the answer", || says("not met yet"));
    bench.execute("insert into rate values (1)");
    assert_eq!(worker.wait().unwrap().code(), Some(0));
}
