//! A site in a folder of its own, and the real binary at work on it.

use std::cell::RefCell;
use std::collections::BTreeMap;
use std::fs::{self, File, OpenOptions};
use std::io::Write;
use std::path::PathBuf;
use std::process::{Command, Stdio};

use nightrun::wire::spool;
use rustix::process::{Pid, Signal, kill_process_group};
use serde_json::Value;

use super::facts::{account, eventually, send};
use super::letter::Letter;
use super::watched::Night;

/// The program of most jobs: a line for each attempt; then, with an argument, it waits for the test's word and ends
/// well if that is `go`.
const JOB: &str = r#"
echo "$NIGHTRUN_JOB $NIGHTRUN_ATTEMPT" >> "$NIGHTRUN_WORK/ran"
word=go
if [ -n "${1:-}" ]; then
    echo $$ > "$NIGHTRUN_WORK/pid-$NIGHTRUN_JOB"
    read -r word < "$NIGHTRUN_WORK/gate-$NIGHTRUN_JOB"
fi
echo "the test says $word"
[ "$word" = go ]
"#;

pub(crate) const SITE: &str = "
version: 1
title: Test Bank
zone: Europe/Berlin
calendar: all
mail: {from: nightrun@bank.example, folder: mail, failures_to: duty, report_to: report}
pools: {one: 1, two: 2}
targets: {bank: {title: Bank, sqlite: bank.db, environment: sample, trial: true}}
";

pub(crate) const HOSTS: &str = "version: 1\nhosts: {local: {trial: true, max_running: 8}}\n";

const PEOPLE: &str = "
version: 1
people:
  ann: {name: Ann Duty, mail: ann@bank.example, team: operations, roles: [duty]}
  wei: {name: Wei Duty, mail: wei@bank.example, language: zh, team: operations, roles: [duty]}
  rob: {name: Rob Report, mail: rob@bank.example, team: operations, roles: [report]}
";

const CALENDAR: &str = "
version: 1
title: Every day
weekly: mon-sun
covers: 2020-01-01..2099-12-31
";

pub(crate) struct House {
    folder: tempfile::TempDir,
    /// Pipes that jobs read from, open at this end so that neither side ever waits for the other to open it.
    gates: RefCell<BTreeMap<String, File>>,
    /// The database of the store, where it is no file in the state folder.
    pub(crate) store: Option<String>,
    /// Where the agent of this host is, if not in the state folder.
    pub(crate) shared: Option<PathBuf>,
}

/// What a command that has ended left.
#[derive(Debug)]
pub(crate) struct Answer {
    pub(crate) code: Option<i32>,
    pub(crate) out: String,
    pub(crate) err: String,
}

impl Answer {
    /// It ended with this code; else everything that it said is shown.
    #[track_caller]
    pub(crate) fn code(self, code: i32) -> Self {
        assert_eq!(self.code, Some(code), "\n{}\n{}", self.out, self.err);
        self
    }

    #[track_caller]
    pub(crate) fn refused(self, words: &str) -> Self {
        let refused = self.code(3);
        assert!(refused.err.contains(words), "not `{words}`: {}", refused.err);
        refused
    }

    #[track_caller]
    pub(crate) fn json(&self) -> Value {
        serde_json::from_str(&self.out).unwrap_or_else(|why| panic!("{why}: {}", self.out))
    }
}

impl House {
    /// A site with one batch `night` of these jobs.
    pub(crate) fn new(jobs: &str) -> Self {
        let house = Self::bare();
        house.batch("night", &format!("jobs:\n{jobs}"));
        house
    }

    /// A folder for a site.
    pub(crate) fn empty() -> Self {
        let folder = tempfile::tempdir().unwrap();
        let house =
            Self { folder, gates: RefCell::new(BTreeMap::new()), store: None, shared: None };
        fs::create_dir_all(house.site()).unwrap();
        fs::create_dir_all(house.work("")).unwrap();
        house
    }

    /// A site without a batch.
    pub(crate) fn bare() -> Self {
        let house = Self::empty();
        house.write("site.yaml", SITE);
        house.write("hosts.yaml", HOSTS);
        house.write("people.yaml", PEOPLE);
        house.write("calendars/all.yaml", CALENDAR);
        house.write("night/job.sh", JOB);
        house
    }

    /// Writes a batch; `rest` is what follows its title.
    pub(crate) fn batch(&self, name: &str, rest: &str) {
        let text = format!("version: 1\nbatch: {name}\ntitle: {name}\n{rest}");
        self.write(&format!("night/{name}.yaml"), &text);
    }

    /// Writes a file of the site.
    pub(crate) fn write(&self, name: &str, text: &str) {
        let path = self.site().join(name);
        fs::create_dir_all(path.parent().unwrap()).unwrap();
        fs::write(path, text).unwrap();
    }

    /// The folder stays where it is when this is dropped, for looking.
    pub(crate) fn keep(&mut self) -> PathBuf {
        self.folder.disable_cleanup(true);
        self.folder.path().to_owned()
    }

    pub(crate) fn site(&self) -> PathBuf {
        self.folder.path().join("site")
    }

    pub(crate) fn state(&self) -> PathBuf {
        self.folder.path().join("state")
    }

    pub(crate) fn work(&self, name: &str) -> PathBuf {
        self.state().join("work").join(name)
    }

    pub(crate) fn command(&self, arguments: &[&str]) -> Command {
        let mut command = Command::new(env!("CARGO_BIN_EXE_nightrun"));
        command.arg("--site").arg(self.site()).arg("--state").arg(self.state());
        if let Some(shared) = &self.shared {
            command.arg("--shared").arg(shared);
        }
        command.args(arguments).current_dir(self.folder.path()).stdin(Stdio::null());
        command.envs(self.store.iter().map(|url| ("NIGHTRUN_STORE", url)));
        command
    }

    /// Runs a command to its end.
    pub(crate) fn run(&self, arguments: &[&str]) -> Answer {
        let output = self.command(arguments).output().unwrap();
        Answer {
            code: output.status.code(),
            out: String::from_utf8(output.stdout).unwrap(),
            err: String::from_utf8(output.stderr).unwrap(),
        }
    }

    /// What a command prints with `--format json`.
    #[track_caller]
    pub(crate) fn json(&self, arguments: &[&str]) -> Value {
        self.run(&[arguments, &["--format", "json"]].concat()).code(0).json()
    }

    /// Starts a run that is watched event by event.
    pub(crate) fn spawn(&self, arguments: &[&str]) -> Night {
        let mut command = self.command(arguments);
        command.args(["--format", "json"]);
        Night::watch(command)
    }

    /// Lets a waiting job go on: `go` ends well, any other word does not.
    pub(crate) fn say(&self, job: &str, word: &str) {
        let gates = self.gates.borrow();
        let mut gate = &gates[job];
        gate.write_all(format!("{word}\n").as_bytes()).unwrap();
    }

    /// Pipes for jobs that wait; to be made before they start.
    pub(crate) fn gates(&self, jobs: &[&str]) {
        for job in jobs {
            let path = self.work(&format!("gate-{job}"));
            let mode = rustix::fs::Mode::RUSR | rustix::fs::Mode::WUSR;
            rustix::fs::mkfifoat(rustix::fs::CWD, &path, mode).unwrap();
            let gate = OpenOptions::new().read(true).write(true).open(&path).unwrap();
            self.gates.borrow_mut().insert((*job).to_owned(), gate);
        }
    }

    /// The person that this account is where people.yaml names nobody.
    pub(crate) fn me(&self) -> String {
        format!("unix-{}", account())
    }

    /// Lines of a file in the work folder; none when it is not there.
    pub(crate) fn lines(&self, name: &str) -> Vec<String> {
        let text = fs::read_to_string(self.work(name)).unwrap_or_default();
        text.lines().map(str::to_owned).collect()
    }

    /// One line for each attempt that has begun, sorted.
    pub(crate) fn ran(&self) -> Vec<String> {
        let mut lines = self.lines("ran");
        lines.sort();
        lines
    }

    /// The number in a file of the work folder, as soon as it is there.
    pub(crate) fn number(&self, name: &str) -> i32 {
        let mut number = None;
        eventually(name, || {
            let text = fs::read_to_string(self.work(name)).unwrap_or_default();
            number = text.strip_suffix('\n').and_then(|text| text.trim().parse().ok());
            number.is_some()
        });
        number.unwrap()
    }

    /// Every entry of the journal.
    pub(crate) fn journal(&self) -> Vec<Value> {
        let all = self.run(&["journal", "show", "--last", "100000", "--format", "json"]).code(0);
        all.out.lines().map(|line| serde_json::from_str(line).unwrap()).collect()
    }

    /// Facts of one kind, each with the time of its entry as `noted`.
    pub(crate) fn facts(&self, kind: &str) -> Vec<Value> {
        let of_kind = self.journal().into_iter().filter(|entry| entry["fact"]["fact"] == kind);
        of_kind
            .map(|mut entry| {
                let mut fact = entry["fact"].take();
                fact["noted"] = entry["at"].take();
                fact
            })
            .collect()
    }

    /// How a job of the latest run stands.
    #[track_caller]
    pub(crate) fn job(&self, name: &str) -> Value {
        let pages = self.json(&["status"]);
        let jobs = pages["runs"][0]["jobs"].as_array().unwrap_or_else(|| panic!("{pages}"));
        jobs.iter().find(|job| job["name"] == name).unwrap_or_else(|| panic!("{pages}")).clone()
    }

    /// Mails that lie in the folder, in the order of their sending.
    pub(crate) fn mails(&self) -> Vec<Letter> {
        let folder = fs::read_dir(self.state().join("mail")).into_iter().flatten();
        let mut paths: Vec<PathBuf> = folder
            .map(|entry| entry.unwrap().path())
            .filter(|path| path.extension().is_some_and(|end| end == "eml"))
            .collect();
        paths.sort();
        paths.iter().map(|path| Letter::read(&fs::read(path).unwrap())).collect()
    }

    /// Mails about one incident.
    pub(crate) fn mails_of(&self, incident: &str) -> Vec<Letter> {
        let mut mails = self.mails();
        mails.retain(|mail| mail.subject.contains(incident));
        mails
    }

    /// The agent's process, as its log has it.
    pub(crate) fn agent_pid(&self) -> Option<i32> {
        let log = fs::read_to_string(self.state().join("agent/agent.log")).ok()?;
        let word =
            log.lines().rev().find_map(|line| line.split_once(" agent ")?.1.split(' ').next());
        word?.parse().ok()
    }

    /// The spool of an attempt of the latest business date.
    pub(crate) fn spool(&self, job: &str, attempt: u32) -> PathBuf {
        let end = format!("~{job}~{attempt}");
        let spool = fs::read_dir(self.state().join("agent/spool")).unwrap();
        let mut found = spool.map(|entry| entry.unwrap().path());
        found.find(|path| path.to_string_lossy().ends_with(&end)).unwrap()
    }

    /// Shim and program of an attempt that runs.
    pub(crate) fn shim_pid(&self, job: &str, attempt: u32) -> i32 {
        let name = self.spool(job, attempt);
        let live = self.state().join("agent/live").join(name.file_name().unwrap());
        record_number(&fs::read_to_string(live).unwrap(), 1, "shim").unwrap()
    }

    /// Waits until an attempt's ending is in the spool, whoever watches.
    pub(crate) fn ended_unwatched(&self, job: &str, attempt: u32) {
        let name = self.spool(job, attempt).file_name().unwrap().to_owned();
        let attempt = spool::attempt_of(name.to_str().unwrap()).unwrap();
        let records = spool::records(&self.state().join("agent"), &attempt);
        eventually("an ending", || {
            let record = records.iter().find_map(|path| fs::read(path).ok());
            record.is_some_and(|record| spool::ended_line(&record).is_some())
        });
    }

    /// The chain is whole, and every attempt that was intended came to one end.
    #[track_caller]
    pub(crate) fn nothing_is_lost(&self) {
        self.run(&["journal", "verify"]).code(0);
        let name = |entry: &Value| entry["attempt"].as_str().unwrap().to_owned();
        let mut intended: Vec<String> = self.facts("attempt-intended").iter().map(name).collect();
        let mut ended: Vec<String> = self
            .facts("attempt-ended")
            .iter()
            .map(|entry| entry["ended"]["attempt"].as_str().unwrap().to_owned())
            .collect();
        intended.sort();
        ended.sort();
        assert_eq!(intended, ended);
        intended.dedup();
        assert_eq!(intended.len(), ended.len(), "an attempt was made twice");
    }
}

impl Drop for House {
    /// Nothing outlives its test, however that ended.
    fn drop(&mut self) {
        let agent = self.state().join("agent");
        if let Some(pid) = self.agent_pid()
            && fs::read(format!("/proc/{pid}/cmdline")).is_ok_and(|line| {
                String::from_utf8_lossy(&line).contains(&*agent.to_string_lossy())
            })
        {
            send(pid, Signal::KILL);
        }
        for entry in fs::read_dir(agent.join("live")).into_iter().flatten().flatten() {
            let record = fs::read_to_string(entry.path()).unwrap_or_default();
            let ended = spool::ended_line(record.as_bytes()).is_some();
            if !ended && let Some(pid) = record_number(&record, 2, "pid").and_then(Pid::from_raw) {
                let _ = kill_process_group(pid, Signal::KILL);
            }
        }
    }
}

pub(crate) fn record_number(record: &str, line: usize, key: &str) -> Option<i32> {
    let value: Value = serde_json::from_str(record.lines().nth(line)?).ok()?;
    i32::try_from(value[key].as_i64()?).ok()
}
