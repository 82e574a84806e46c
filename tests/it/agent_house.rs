//! An agent in a folder of its own, and a supervisor's end of its socket.

use std::collections::BTreeMap;
use std::fs::{self, File};
use std::io::{BufRead, BufReader, Read, Write};
use std::os::unix::net::UnixStream;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::time::Duration;

use crate::installed::Installed;
use nightrun::definition::site::Survivors;
use nightrun::types::{AttemptId, Ending, Epoch, Span};
use nightrun::wire::{Ended, FromAgent, Program, Start, ToAgent, spool};
use rustix::process::{Pid, PidfdFlags, Signal, kill_process, kill_process_group, pidfd_open};

/// Longer than anything here takes: what is not heard by then never comes.
const PATIENCE: Duration = Duration::from_secs(30);

pub(crate) struct House {
    folder: tempfile::TempDir,
    agent: Option<Child>,
    /// What every agent of this house has in its environment.
    env: Vec<(&'static str, String)>,
    /// What its agents are started from.
    program: PathBuf,
}

impl House {
    pub(crate) fn new() -> Self {
        let program = env!("CARGO_BIN_EXE_nightrun").into();
        Self { folder: tempfile::tempdir().unwrap(), agent: None, env: Vec::new(), program }
    }

    /// With an agent in it that can be connected to.
    pub(crate) fn with_agent() -> Self {
        let mut house = Self::new();
        house.start_agent(&[]);
        house
    }

    pub(crate) fn dir(&self) -> PathBuf {
        self.folder.path().join("agent")
    }

    /// A path beside the agent's folder.
    pub(crate) fn path(&self, name: &str) -> PathBuf {
        self.folder.path().join(name)
    }

    pub(crate) fn agent_command(&self, more: &[&str]) -> Command {
        let mut command = Command::new(&self.program);
        command.arg("agent").arg("--dir").arg(self.dir()).args(more);
        command.stdin(Stdio::null()).stdout(Stdio::piped());
        command.envs(self.env.iter().map(|(key, value)| (key, value)));
        command
    }

    pub(crate) fn start_agent(&mut self, more: &[&str]) {
        let mut agent = self.agent_command(more).spawn().unwrap();
        let mut word = String::new();
        BufReader::new(agent.stdout.take().unwrap()).read_line(&mut word).unwrap();
        assert_eq!(word, "ready\n");
        self.agent = Some(agent);
    }

    /// With an agent whose kernel lacks these, as its feature `faults` has it.
    #[cfg(feature = "faults")]
    pub(crate) fn without(features: &str) -> Self {
        let mut house = Self::new();
        house.env = vec![("NIGHTRUN_WITHOUT", features.to_owned())];
        house.start_agent(&[]);
        house
    }

    /// With an agent of which the first process that comes to this point is killed there; the agents after it are
    /// spared. True from [`House::was_killed`] on.
    #[cfg(feature = "faults")]
    pub(crate) fn killed_at(point: &str) -> Self {
        let mut house = Self::new();
        house.kill_at(point);
        house.start_agent(&[]);
        house
    }

    /// Its agents are of a program that can be replaced; none is started yet.
    pub(crate) fn installed(&mut self) -> Installed {
        self.program = self.path("nightrun");
        Installed::at(self.program.clone())
    }

    /// The first process that comes to this point is killed there; to be said before an agent is started.
    #[cfg(feature = "faults")]
    pub(crate) fn kill_at(&mut self, point: &str) {
        let once = self.path("killed").display().to_string();
        self.env = vec![("NIGHTRUN_FAULT", point.to_owned()), ("NIGHTRUN_FAULT_ONCE", once)];
    }

    #[cfg(feature = "faults")]
    pub(crate) fn was_killed(&self) -> bool {
        self.path("killed").exists()
    }

    /// Agent and shims that are there, whoever forked them.
    pub(crate) fn processes(&self) -> Vec<u32> {
        let dir = self.dir().display().to_string();
        let here = |pid: &u32| {
            let line = fs::read(format!("/proc/{pid}/cmdline")).unwrap_or_default();
            line.split(|byte| *byte == 0).any(|word| word == dir.as_bytes()) && is_there(*pid)
        };
        let entries = fs::read_dir("/proc").unwrap().flatten();
        entries.filter_map(|e| e.file_name().to_str()?.parse().ok()).filter(here).collect()
    }

    /// Its shims, those of former agents too.
    pub(crate) fn shims(&self) -> Vec<u32> {
        let agent = self.agent_pid();
        self.processes().into_iter().filter(|pid| *pid != agent).collect()
    }

    pub(crate) fn agent_pid(&self) -> u32 {
        self.agent.as_ref().unwrap().id()
    }

    pub(crate) fn kill_agent(&mut self) {
        let mut agent = self.agent.take().unwrap();
        agent.kill().unwrap();
        agent.wait().unwrap();
    }

    /// Waits for the agent's own end.
    pub(crate) fn agent_leaves(&mut self) -> std::process::ExitStatus {
        self.agent.take().unwrap().wait().unwrap()
    }

    pub(crate) fn connect(&self) -> Line {
        let stream = UnixStream::connect(self.dir().join(spool::SOCKET)).unwrap();
        stream.set_read_timeout(Some(PATIENCE)).unwrap();
        Line { reader: BufReader::new(stream.try_clone().unwrap()), stream }
    }

    /// Connected, greeted with epoch 1, and welcome.
    pub(crate) fn hello(&self) -> Line {
        let mut line = self.connect();
        line.say(&ToAgent::hello(Epoch(1)));
        assert!(matches!(line.hear(), FromAgent::Welcome { .. }));
        line
    }

    pub(crate) fn spool_of(&self, start: &Start) -> PathBuf {
        spool::attempt_folder(&self.dir(), &start.attempt)
    }

    pub(crate) fn record_path(&self, start: &Start) -> PathBuf {
        self.dir().join("live").join(spool::folder_name(&start.attempt))
    }

    pub(crate) fn shim_pid(&self, start: &Start) -> u32 {
        record_number(&fs::read_to_string(self.record_path(start)).unwrap(), 1, "shim").unwrap()
    }

    pub(crate) fn out(&self, start: &Start) -> String {
        fs::read_to_string(self.spool_of(start).join("out")).unwrap()
    }

    /// An attempt of a shell script, in the folder beside the agent's.
    pub(crate) fn shell(&self, job: &str, script: &str) -> Start {
        Start {
            attempt: attempt(job),
            program: Program::Shell(script.to_owned()),
            env: BTreeMap::from([
                ("PATH".to_owned(), "/usr/local/bin:/usr/bin:/bin".to_owned()),
                ("DIR".to_owned(), self.folder.path().display().to_string()),
            ]),
            dir: self.folder.path().to_owned(),
            user: None,
            time_limit: None,
            grace: Span::seconds(10),
            output_limit: 1 << 20,
            success_line: None,
            survivors: Survivors::Kill,
            copy: false,
        }
    }

    /// A named pipe: a job that writes to it waits for the test, one that reads from it too.
    pub(crate) fn fifo(&self, name: &str) -> PathBuf {
        let path = self.path(name);
        let mode = rustix::fs::Mode::RUSR | rustix::fs::Mode::WUSR;
        rustix::fs::mkfifoat(rustix::fs::CWD, &path, mode).unwrap();
        path
    }
}

impl Drop for House {
    /// Nothing outlives its test, however that ended.
    fn drop(&mut self) {
        if let Some(mut agent) = self.agent.take() {
            let _ = agent.kill();
            let _ = agent.wait();
        }
        for entry in fs::read_dir(self.dir().join("live")).into_iter().flatten().flatten() {
            let record = fs::read_to_string(entry.path()).unwrap_or_default();
            let ended = spool::ended_line(record.as_bytes()).is_some();
            if !ended && let Some(pid) = record_number(&record, 2, "pid").and_then(pid) {
                let _ = kill_process_group(pid, Signal::KILL);
            }
        }
    }
}

fn record_number(record: &str, line: usize, key: &str) -> Option<u32> {
    let value: serde_json::Value = serde_json::from_str(record.lines().nth(line)?).ok()?;
    u32::try_from(value[key].as_u64()?).ok()
}

pub(crate) fn attempt(job: &str) -> AttemptId {
    format!("night@2026-10-30#1/{job}/1").parse().unwrap()
}

fn pid(raw: u32) -> Option<Pid> {
    Pid::from_raw(i32::try_from(raw).ok()?)
}

pub(crate) fn signal(raw: u32, signal: Signal) {
    kill_process(pid(raw).unwrap(), signal).unwrap();
}

/// Waits until the process is gone.
pub(crate) fn gone(raw: u32) {
    let Ok(pidfd) = pidfd_open(pid(raw).unwrap(), PidfdFlags::empty()) else { return };
    let patience = rustix::event::Timespec { tv_sec: PATIENCE.as_secs() as i64, tv_nsec: 0 };
    let mut fds = [rustix::event::PollFd::new(&pidfd, rustix::event::PollFlags::IN)];
    assert_eq!(rustix::event::poll(&mut fds, Some(&patience)), Ok(1), "process {raw} stays");
}

/// Waits until the shim sleeps with no time at which it would wake by itself: the third argument of its `ppoll`.
pub(crate) fn sleeps_without_end(shim: u32) {
    let (begun, ppoll) = (std::time::Instant::now(), libc::SYS_ppoll.to_string());
    loop {
        let call = fs::read_to_string(format!("/proc/{shim}/syscall")).unwrap();
        let words: Vec<&str> = call.split_whitespace().collect();
        if words.first() == Some(&ppoll.as_str()) && words.get(3) == Some(&"0x0") {
            return;
        }
        assert!(begun.elapsed() < PATIENCE, "{call}");
        std::thread::sleep(Duration::from_millis(5));
    }
}

pub(crate) fn is_there(pid: u32) -> bool {
    fs::read_to_string(format!("/proc/{pid}/stat")).is_ok_and(|stat| !stat.contains(") Z "))
}

/// What the job says on its pipe; waits for it.
pub(crate) fn read_fifo(path: &Path) -> String {
    let mut text = String::new();
    File::open(path).unwrap().read_to_string(&mut text).unwrap();
    text.trim().to_owned()
}

/// Lets a job go on that reads from this pipe.
pub(crate) fn release(path: &Path) {
    File::options().write(true).open(path).unwrap().write_all(b"go\n").unwrap();
}

/// A supervisor's end of the socket.
pub(crate) struct Line {
    reader: BufReader<UnixStream>,
    stream: UnixStream,
}

impl Line {
    pub(crate) fn say(&mut self, what: &ToAgent) {
        self.say_raw(&serde_json::to_string(what).unwrap());
    }

    pub(crate) fn say_raw(&mut self, line: &str) {
        self.stream.write_all(format!("{line}\n").as_bytes()).unwrap();
    }

    pub(crate) fn hear(&mut self) -> FromAgent {
        self.hear_or_end().expect("the agent has not closed the connection")
    }

    /// `None`: the connection was closed.
    pub(crate) fn hear_or_end(&mut self) -> Option<FromAgent> {
        let mut line = String::new();
        match self.reader.read_line(&mut line) {
            Ok(0) => None,
            Ok(_) => Some(serde_json::from_str(&line).unwrap()),
            // What was said to an agent that is dead by now was never read.
            Err(e) if e.kind() == std::io::ErrorKind::ConnectionReset => None,
            Err(e) => panic!("the agent says nothing in time: {e}"),
        }
    }

    /// The connection was closed by the agent.
    pub(crate) fn is_closed(&mut self) -> bool {
        let mut line = String::new();
        self.reader.read_line(&mut line).is_ok_and(|n| n == 0)
    }

    pub(crate) fn start(&mut self, start: &Start) {
        self.say(&ToAgent::Start(Box::new(start.clone())));
    }

    /// Starts it and waits until it runs; its pid.
    pub(crate) fn run(&mut self, start: &Start) -> u32 {
        self.start(start);
        match self.hear() {
            FromAgent::Started { attempt, pid, .. } if attempt == start.attempt => pid,
            other => panic!("{other:?}"),
        }
    }

    pub(crate) fn ask(&mut self, start: &Start) -> FromAgent {
        self.say(&ToAgent::Ask { attempts: vec![start.attempt.clone()] });
        self.hear()
    }

    pub(crate) fn kill(&mut self, start: &Start, grace: &str) {
        let grace = grace.parse().unwrap();
        self.say(&ToAgent::Kill { attempt: start.attempt.clone(), grace });
    }

    /// The next ending, whatever is said before it.
    pub(crate) fn ended(&mut self) -> Ended {
        loop {
            match self.hear() {
                FromAgent::Ended(ended) => return *ended,
                FromAgent::Started { .. } => {}
                other => panic!("{other:?}"),
            }
        }
    }

    /// Starts it and waits for its end.
    pub(crate) fn through(&mut self, start: &Start) -> Ended {
        self.start(start);
        let ended = self.ended();
        assert_eq!(ended.attempt, start.attempt);
        ended
    }
}

pub(crate) fn exited(code: i32) -> Ending {
    Ending::Exited { code }
}

/// The words of an ending that has some.
pub(crate) fn why(ending: &Ending) -> &str {
    match ending {
        Ending::CouldNotStart { why } | Ending::Lost { why } | Ending::Unknown { why } => why,
        other => panic!("{other:?} has no words"),
    }
}
