//! The worker process: the real binary on SQLite files in throwaway folders.
#![expect(clippy::disallowed_methods, reason = "tests play the outside world")]
#![expect(clippy::unwrap_used, reason = "a test may panic")]

mod change;
mod client;
mod examine;
#[cfg(feature = "faults")]
mod faults;
mod inspect;
mod kept;
mod kept_by_table;
mod marks;
mod places;
mod rehearsal;
mod script;
mod secrets;
mod servers;
mod trouble;
mod wait;

use std::cell::RefCell;
use std::path::PathBuf;
use std::process::{Child, Command, Output, Stdio};
use std::time::{Duration, Instant};

use nightrun::agent::worker::steps::{Line, Step};
use nightrun::definition::site::{ChangeMode, Engine, RowLimits, Transaction};
use nightrun::types::{ChangeId, Span};
use nightrun::wire::{ChangeState, ChangeTask, ChangeWork, Task, Work};

use places::Place;

/// A folder with a target, scripts, and what the worker leaves.
struct Bench {
    folder: tempfile::TempDir,
    place: Place,
    /// Steps of the attempt that was begun last, in a folder as the spool has it.
    steps: RefCell<PathBuf>,
}

/// What a worker left behind.
struct Left {
    code: Option<i32>,
    out: String,
    err: String,
    work: Option<Work>,
    steps: Vec<Step>,
}

impl Left {
    fn change(&self) -> &ChangeWork {
        match &self.work {
            Some(Work::Change(work)) => work,
            other => panic!("no change: {other:?}\n{}{}", self.out, self.err),
        }
    }

    fn state(&self) -> ChangeState {
        self.change().state
    }

    fn why(&self) -> &str {
        self.change().why.as_deref().unwrap_or_default()
    }
}

const FIRST: &str = "eod@2026-10-30#1/fee/1";
const SECOND: &str = "eod@2026-10-30#1/fee/2";
const OTHER_RUN: &str = "eod@2026-10-30#2/fee/1";

impl Bench {
    fn new() -> Self {
        Self { folder: tempfile::tempdir().unwrap(), place: Place::File, steps: RefCell::default() }
    }

    fn path(&self, name: &str) -> PathBuf {
        self.folder.path().join(name)
    }

    fn target(&self) -> PathBuf {
        self.path("bank.db")
    }

    fn engine(&self) -> Engine {
        self.place.engine(&self.target())
    }

    fn write(&self, name: &str, text: impl AsRef<[u8]>) -> PathBuf {
        let path = self.path(name);
        std::fs::create_dir_all(path.parent().unwrap()).unwrap();
        std::fs::write(&path, text).unwrap();
        path
    }

    fn sql_task(&self, text: impl AsRef<[u8]>, transaction: Transaction) -> Task {
        let script = self.write("job.sql", text);
        Task::Sql { engine: self.engine(), script, transaction, time_limit: None }
    }

    fn change_task(&self, rows: (u64, u64), digest: &str) -> Task {
        Task::Change(Box::new(ChangeTask {
            examine: false,
            rehearse: false,
            change: ChangeId::new("fee").unwrap(),
            engine: self.engine(),
            folder: self.path("fee"),
            rows: RowLimits { min: rows.0, max: rows.1 },
            backup: None,
            content_digest: digest.to_owned(),
            time_limit: None,
            window_left: None,
            reserve: Span::default(),
            mode: ChangeMode::Transactional,
            cut: None,
            marks: Vec::new(),
        }))
    }

    /// The worker's process, not yet started.
    fn command(&self, task: &Task, attempt: &str) -> Command {
        let file = self.write("task.json", serde_json::to_vec(task).unwrap());
        let steps = self.write(&format!("{}/steps.jsonl", attempt.replace('/', "~")), "");
        self.steps.replace(steps.clone());
        let _ = std::fs::remove_file(self.path("work.json"));
        let mut command = Command::new(env!("CARGO_BIN_EXE_nightrun"));
        command
            .arg("__worker")
            .arg(file)
            .env_clear()
            .env("NIGHTRUN_ATTEMPT_ID", attempt)
            .env("NIGHTRUN_WORK_RESULT", self.path("work.json"))
            .env("NIGHTRUN_STEPS", steps)
            .stdin(Stdio::null())
            .stdout(Stdio::piped())
            .stderr(Stdio::piped());
        command
    }

    fn start(&self, task: &Task) -> Child {
        self.command(task, FIRST).spawn().unwrap()
    }

    /// The command on a nearly full disk: none of its files may grow past 64 KiB. Small pages stay in memory, so it is
    /// COMMIT that cannot write them.
    fn on_full_disk(&self, command: &Command) -> Left {
        let mut limited = Command::new("/bin/bash");
        limited.args(["-c", "trap '' XFSZ; ulimit -f 64; exec \"$@\"", "-"]);
        limited.arg(command.get_program()).args(command.get_args()).env_clear();
        limited.envs(command.get_envs().filter_map(|(name, value)| Some((name, value?))));
        self.left(limited.output().unwrap())
    }

    fn left(&self, output: Output) -> Left {
        let text = |bytes| String::from_utf8(bytes).unwrap();
        let work = std::fs::read(self.path("work.json")).ok();
        Left {
            code: output.status.code(),
            out: text(output.stdout),
            err: text(output.stderr),
            work: work.map(|json| serde_json::from_slice(&json).unwrap()),
            steps: self.steps(),
        }
    }

    /// The steps so far; a torn last line is left out.
    fn steps(&self) -> Vec<Step> {
        let text = std::fs::read_to_string(&*self.steps.borrow()).unwrap_or_default();
        let lines = text.split_inclusive('\n').filter(|line| line.ends_with('\n'));
        lines.map(|line| serde_json::from_str::<Line>(line).unwrap().step).collect()
    }

    fn run(&self, task: &Task) -> Left {
        self.run_as(task, FIRST)
    }

    fn run_as(&self, task: &Task, attempt: &str) -> Left {
        self.left(self.command(task, attempt).output().unwrap())
    }

    fn sql(&self, text: impl AsRef<[u8]>) -> Left {
        self.run(&self.sql_task(text, Transaction::One))
    }

    /// Runs SQL on the target as another program would.
    fn execute(&self, sql: &str) {
        on(self.place.execute(&self.target(), sql));
    }

    /// Rows of the target as text, columns separated by `|`.
    fn rows(&self, sql: &str) -> Vec<String> {
        on(self.place.rows(&self.target(), sql))
    }

    fn row(&self, sql: &str) -> String {
        self.rows(sql).join(",")
    }
}

fn on<T>(work: impl Future<Output = T>) -> T {
    tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap().block_on(work)
}

/// Looks until it is so; fails after half a minute.
fn until(what: &str, mut so: impl FnMut() -> bool) {
    let began = Instant::now();
    while !so() {
        assert!(began.elapsed() < Duration::from_secs(30), "{what} never came");
        std::thread::sleep(Duration::from_millis(5));
    }
}
