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
    let says = |words: &str| std::fs::read_to_string(bench.path("out")).unwrap().contains(words);
    let log = std::fs::File::create(bench.path("out")).unwrap();
    let mut command = bench.command(&file(&bench, 1_000, 60_000), FIRST);
    let mut worker = command.stdout(log).spawn().unwrap();
    until("a first look", || says("is not there yet"));
    let mut last = Instant::now();
    for size in 2..=4 {
        last = Instant::now();
        bench.write("in/rates.csv", "x".repeat(size));
        until("a look at the file", || says(&format!("with {size} bytes; it must stay so for 1s")));
    }
    assert_eq!(worker.wait().unwrap().code(), Some(0));
    assert!(last.elapsed() >= Duration::from_secs(1), "{:?}", last.elapsed());
    assert!(says("is there: 4 bytes, unchanged for 1s\n"));
    assert!(!bench.path("work.json").exists());
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
