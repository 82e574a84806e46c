//! What a database change costs beside running its statements, on one PostgreSQL server.
//!
//! ```text
//! cargo bench --bench changes [-- [--only SHAPE] [--rounds N]]
//! ```
//!
//! **100 small changes**, each an update of one row:
//!
//! - **psql**: `psql -f` once for each, in a transaction. It keeps no record, backs nothing up, verifies nothing: the floor.
//! - **sqitch**: one `sqitch deploy` of all 100 (Debian `sqitch libdbd-pg-perl`): a registry in the target, no backup, no
//!   verification. It starts psql for each.
//! - **worker**: the worker of nightrun once for each, as the shim starts it: lock, marker, verification before and after, rows
//!   kept and proven, guards, the marker's rows in the transaction of the change, steps synced to the disk.
//! - **nightrun**: `nightrun run` of a batch of them, one after the other, with all of its own: reading the site, store, agent,
//!   journal, report.
//!
//! **One change of 1,000,000 rows**: a copy of the table, then an update of every row.
//!
//! - **psql**: these two statements in one transaction.
//! - **backup.sql**: nightrun with the same two as `backup.sql` and `change.sql`.
//! - **backup:** nightrun keeps the rows itself: count and checksum of both, and the after-image.
//!
//! Each round has new databases, made from one template. Nothing here is a test: a ratio of a shared machine proves nothing by
//! failing. `src/docs/performance.md` has what was measured.

#![expect(
    clippy::unwrap_used,
    clippy::disallowed_methods,
    reason = "a benchmark reads the clock, starts programs, and stops at the first surprise"
)]

#[path = "../tests/it/postgres_server.rs"]
#[expect(dead_code, reason = "tests do more to a server")]
mod postgres_server;
#[path = "../tests/it/server_process.rs"]
mod server_process;

use std::fmt::Write as _;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::time::{Duration, Instant};

use nightrun::agent::worker::ledger;
use nightrun::definition::site::{
    Backup, BackupTable, ChangeMode, Engine, RowLimits, Server as Where, ServerTls,
};
use nightrun::types::{ChangeId, Span};
use nightrun::wire::{ChangeTask, Task};
use postgres_server::Server;

const NIGHTRUN: &str = env!("CARGO_BIN_EXE_nightrun");
const MANY: usize = 100;
const ROWS: usize = 1_000_000;

fn main() {
    let (mut only, mut rounds) = (String::new(), 3);
    let mut words = std::env::args().skip(1);
    while let Some(word) = words.next() {
        match word.as_str() {
            "--only" => only = words.next().unwrap(),
            "--rounds" => rounds = words.next().and_then(|n| n.parse().ok()).unwrap(),
            // What cargo says to every benchmark.
            _ => {}
        }
    }
    for (program, package) in [("psql", "postgresql-client"), ("sqitch", "sqitch libdbd-pg-perl")] {
        if Command::new(program).arg("--version").stdout(Stdio::null()).status().is_err() {
            eprintln!("{program} is missing, which this compares with: apt-get install {package}");
            std::process::exit(1);
        }
    }
    let bench = Bench::new();
    println!("medians of {rounds} rounds; ratios of medians");
    if "small".contains(&only) {
        bench.small(rounds);
    }
    if "big".contains(&only) {
        bench.big(rounds);
    }
}

/// A way to apply changes to the tables of a prefix, with its name.
type Way<'a> = (&'static str, &'a dyn Fn(&str));

struct Bench {
    server: Server,
    runtime: tokio::runtime::Runtime,
    folder: tempfile::TempDir,
}

/// How a change is executed by nightrun.
#[derive(Clone, Copy, PartialEq)]
enum Kept {
    BySql,
    ByNightrun,
}

impl Bench {
    fn new() -> Self {
        let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
        let settings = ["max_wal_size=4GB", "shared_buffers=256MB"];
        Self {
            server: Server::start_as("", &settings),
            runtime,
            folder: tempfile::tempdir().unwrap(),
        }
    }

    /// A new database with these tables, and nightrun's own.
    fn template(&self, tables: &str) -> String {
        let name = self.runtime.block_on(self.server.database());
        let ledger = ledger::statements(&self.engine(&name)).unwrap();
        self.runtime.block_on(self.server.meddle(&name, &format!("{tables}; {ledger}")));
        self.runtime.block_on(self.server.meddle(&name, "vacuum analyze"));
        name
    }

    fn copy(&self, template: &str, name: &str) -> String {
        let sql = format!("create database {name} template {template} strategy file_copy");
        self.runtime.block_on(self.server.meddle("postgres", &sql));
        self.runtime.block_on(self.server.meddle("postgres", "checkpoint"));
        name.to_owned()
    }

    fn drop(&self, name: &str) {
        let sql = format!("drop database {name}");
        self.runtime.block_on(self.server.meddle("postgres", &sql));
    }

    fn engine(&self, database: &str) -> Engine {
        Engine::Postgres(Where {
            host: "127.0.0.1".to_owned(),
            port: self.server.port,
            database: database.to_owned(),
            user: "postgres".to_owned(),
            password_file: None,
            tls: ServerTls::None,
            ca: None,
            identity: None,
        })
    }

    fn write(&self, name: &str, text: &str) -> PathBuf {
        let path = self.folder.path().join(name);
        std::fs::create_dir_all(path.parent().unwrap()).unwrap();
        std::fs::write(&path, text).unwrap();
        path
    }

    /// A table of results: one line for each way, with its ratio to the first.
    fn table(&self, name: &str, template: &str, rounds: usize, ways: &[Way<'_>]) {
        let mut times: Vec<Vec<Duration>> = vec![Vec::new(); ways.len()];
        for round in 0..rounds {
            for (place, (_, way)) in ways.iter().enumerate() {
                let database = self.copy(template, &format!("{name}_{round}_{place}"));
                let begun = Instant::now();
                way(&database);
                times[place].push(begun.elapsed());
                self.drop(&database);
            }
        }
        let median = |place: usize| {
            let mut sorted: Vec<Duration> = times[place].clone();
            sorted.sort();
            sorted[sorted.len() / 2].as_secs_f64()
        };
        println!("\n{name}\n{:12} {:>10} {:>10} {:>10}", "", "s", "/ psql", "least-most");
        for (place, (way, _)) in ways.iter().enumerate() {
            let each = times[place].iter().zip(&times[0]);
            let ratios: Vec<f64> = each.map(|(a, b)| a.as_secs_f64() / b.as_secs_f64()).collect();
            let (least, most) =
                ratios.iter().fold((f64::MAX, 0.0_f64), |(l, m), r| (l.min(*r), m.max(*r)));
            let ratio = median(place) / median(0);
            println!("{way:12} {:10.2} {ratio:10.2} {least:6.2}-{most:.2}", median(place));
        }
    }

    fn psql(&self, database: &str, file: &Path) {
        let port = self.server.port.to_string();
        let status = Command::new("psql")
            .args(["-X", "-q", "-v", "ON_ERROR_STOP=1", "--single-transaction"])
            .args(["-h", "127.0.0.1", "-U", "postgres", "-p", &port, "-d", database, "-f"])
            .arg(file)
            .stdout(Stdio::null())
            .status();
        assert!(status.unwrap().success());
    }

    fn worker(&self, database: &str, number: usize, task: &ChangeTask) {
        let task = Task::Change(Box::new(task.clone()));
        let attempt = format!("{database}@2026-10-30#1/c{number}/1").replace('_', "-");
        let at = format!("attempts/{database}/{number}");
        let file = self.write(&format!("{at}/task"), &serde_json::to_string(&task).unwrap());
        let output = Command::new(NIGHTRUN)
            .arg("__worker")
            .arg(&file)
            .env("NIGHTRUN_ATTEMPT_ID", attempt)
            .env("NIGHTRUN_STEPS", file.with_file_name("steps.jsonl"))
            .env("NIGHTRUN_WORK_RESULT", file.with_file_name("work.json"))
            .output()
            .unwrap();
        assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    }

    fn task(&self, database: &str, change: &str, rows: u64, backup: Option<Backup>) -> ChangeTask {
        ChangeTask {
            change: ChangeId::new(change).unwrap(),
            engine: self.engine(database),
            folder: self.folder.path().join("site/changes").join(change),
            rows: RowLimits { min: rows, max: rows },
            backup,
            content_digest: "c".repeat(64),
            time_limit: None,
            window_left: None,
            reserve: Span::default(),
            mode: ChangeMode::Transactional,
            cut: None,
            examine: false,
            marks: Vec::new(),
            rehearse: false,
        }
    }

    fn small(&self, rounds: usize) {
        let template = self.template(
            "create table fee (id int primary key, rate int);
             insert into fee select i, 25 from generate_series(1, 100) i",
        );
        let files: Vec<PathBuf> = (1..=MANY)
            .map(|n| {
                self.write(
                    &format!("psql/{n}.sql"),
                    &format!("update fee set rate = 30 where id = {n};\n"),
                )
            })
            .collect();
        self.write_sqitch();
        self.write_changes();
        let backup = |n: usize| Backup {
            tables: vec![BackupTable {
                table: "fee".to_owned(),
                r#where: format!("id = {n}"),
                key: Vec::new(),
            }],
            exact: false,
        };
        let ways: [Way<'_>; 4] = [
            ("psql", &|database| files.iter().for_each(|file| self.psql(database, file))),
            ("sqitch", &|database| self.sqitch(database)),
            ("worker", &|database| {
                for n in 1..=MANY {
                    let task = self.task(database, &format!("c{n}"), 1, Some(backup(n)));
                    self.worker(database, n, &task);
                }
            }),
            ("nightrun", &|database| self.night(database)),
        ];
        self.table("small", &template, rounds, &ways);
    }

    fn write_sqitch(&self) {
        let mut plan = "%syntax-version=1.0.0\n%project=bench\n\n".to_owned();
        for n in 1..=MANY {
            writeln!(plan, "c{n} 2026-10-30T21:00:00Z Bench <bench@bank.example> # c{n}").unwrap();
            let sql = format!("BEGIN;\nupdate fee set rate = 30 where id = {n};\nCOMMIT;\n");
            self.write(&format!("sqitch/deploy/c{n}.sql"), &sql);
        }
        self.write("sqitch/sqitch.plan", &plan);
        self.write("sqitch/sqitch.conf", "[core]\n\tengine = pg\n");
    }

    fn sqitch(&self, database: &str) {
        let url = format!("db:pg://postgres@127.0.0.1:{}/{database}", self.server.port);
        let status = Command::new("sqitch")
            .current_dir(self.folder.path().join("sqitch"))
            .env("SQITCH_FULLNAME", "Bench")
            .env("SQITCH_EMAIL", "bench@bank.example")
            .args(["deploy", "--quiet", "--no-verify", "--target", &url])
            .stdout(Stdio::null())
            .status();
        assert!(status.unwrap().success());
    }

    fn write_changes(&self) {
        self.write(
            "site/calendars/days.yaml",
            "version: 1\ntitle: Every day\nweekly: mon-sun\ncovers: 2025-01-01..2035-12-31\n",
        );
        let mut jobs = String::new();
        for n in 1..=MANY {
            writeln!(jobs, "  c{n}: {{title: Change {n}, change: c{n}}}").unwrap();
            let change = format!(
                "version: 1\ntitle: Change {n}\nclass: data\nreason: Bench\ntarget: bank\n\
                 rows: {{min: 1, max: 1}}\nverify_takes: 1s\nrollback_takes: 1s\n\
                 backup: {{tables: [{{table: fee, where: id = {n}}}]}}\n"
            );
            self.write(&format!("site/changes/c{n}/change.yaml"), &change);
            let sql = format!("update fee set rate = 30 where id = {n};\n");
            self.write(&format!("site/changes/c{n}/change.sql"), &sql);
            let verify =
                format!("select 'rate', rate = 30, 'rate ' || rate from fee where id = {n};\n");
            self.write(&format!("site/changes/c{n}/verify.sql"), &verify);
        }
        let batch = format!(
            "version: 1\nbatch: bench\ntitle: Bench\nschedule: {{on: every day, at: [\"21:30\"]}}\njobs:\n{jobs}"
        );
        self.write("site/bench.yaml", &batch);
    }

    fn night(&self, database: &str) {
        let settings = format!(
            "version: 1\ntitle: Bench\nzone: UTC\ncalendar: days\n\
             mail: {{from: nightrun@bank.example, folder: mail, failures_to: duty, report_to: duty}}\n\
             targets:\n  bank: {{title: Bank, environment: bench, postgres: {{host: 127.0.0.1, port: {}, database: {database}, user: postgres, tls: none}}}}\n",
            self.server.port
        );
        self.write("site/site.yaml", &settings);
        let hosts = "version: 1\nhosts:\n  local: {trial: true, max_running: 8}\n";
        self.write("site/hosts.yaml", hosts);
        let output = Command::new(NIGHTRUN)
            .current_dir(self.folder.path())
            .args(["--site", "site", "--state", &format!("state-{database}"), "run", "bench"])
            .output()
            .unwrap();
        assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    }

    fn big(&self, rounds: usize) {
        let template = self.template(&format!(
            "create table account (id int primary key, holder text, balance numeric(18, 2), seen int);
             insert into account select i, 'holder ' || i, i * 1.5, 0 from generate_series(1, {ROWS}) i"
        ));
        let backup = "create table account_before as select * from account;\n";
        let change = "update account set balance = balance + 1, seen = 1 where true;\n";
        let verify =
            "select 'seen', count(*) = 0, count(*) || ' left' from account where seen = 0;\n";
        let file = self.write("psql/big.sql", &format!("{backup}{change}"));
        let folder = |kept: Kept| {
            let id = if kept == Kept::BySql { "by-sql" } else { "by-nightrun" };
            self.write(&format!("site/changes/{id}/change.sql"), change);
            self.write(&format!("site/changes/{id}/verify.sql"), verify);
            if kept == Kept::BySql {
                self.write(&format!("site/changes/{id}/backup.sql"), backup);
                let back = "update account a set balance = b.balance, seen = b.seen from account_before b where a.id = b.id;\n";
                self.write(&format!("site/changes/{id}/rollback.sql"), back);
            }
            id
        };
        let (by_sql, by_nightrun) = (folder(Kept::BySql), folder(Kept::ByNightrun));
        let all = Backup {
            tables: vec![BackupTable {
                table: "account".to_owned(),
                r#where: "true".to_owned(),
                key: Vec::new(),
            }],
            exact: true,
        };
        let rows = ROWS as u64;
        let ways: [Way<'_>; 3] = [
            ("psql", &|database| self.psql(database, &file)),
            ("backup.sql", &|database| {
                self.worker(database, 1, &self.task(database, by_sql, rows, None));
            }),
            ("backup:", &|database| {
                self.worker(
                    database,
                    1,
                    &self.task(database, by_nightrun, rows, Some(all.clone())),
                );
            }),
        ];
        self.table("big", &template, rounds, &ways);
    }
}
