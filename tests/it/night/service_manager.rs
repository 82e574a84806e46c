//! What a service manager hears of `nightrun serve`: the test is the manager, on a real socket.

use std::fs;
use std::os::unix::net::UnixDatagram;
use std::process::Command;
use std::time::{Duration, Instant};

use rustix::process::Signal;

use super::facts::{PATIENCE, eventually};
use super::house::House;
use super::store_trouble::Database;
use super::watched::Night;
use crate::postgres_server::Server;

const JOBS: &str = "
  a: {title: A, run: [sh, job.sh, wait]}
  b: {title: B, run: [sh, job.sh], needs: [a]}
";

/// Within which the manager wants to hear that its service is alive.
const WATCHDOG: Duration = Duration::from_secs(8);

struct Manager {
    socket: UnixDatagram,
    folder: tempfile::TempDir,
}

impl Manager {
    fn new() -> Self {
        let folder = tempfile::tempdir().unwrap();
        let socket = UnixDatagram::bind(folder.path().join("notify")).unwrap();
        Self { socket, folder }
    }

    fn start(&self, mut command: Command) -> Night {
        command.env("NOTIFY_SOCKET", self.folder.path().join("notify"));
        command.env("WATCHDOG_USEC", WATCHDOG.as_micros().to_string());
        command.env("NIGHTRUN_HANG", self.folder.path().join("hang"));
        Night::watch(command)
    }

    fn serve(&self, house: &House) -> Night {
        self.start(house.command(&["serve", "--format", "json"]))
    }

    /// The next word, within this time.
    fn heard(&self, within: Duration) -> Option<String> {
        self.socket.set_read_timeout(Some(within)).unwrap();
        let mut buffer = [0; 1_024];
        let n = self.socket.recv(&mut buffer).ok()?;
        Some(String::from_utf8(buffer[..n].to_vec()).unwrap())
    }

    /// The next word that begins so; words of life are passed over.
    #[track_caller]
    fn hears(&self, beginning: &str) -> String {
        loop {
            let heard = self.heard(PATIENCE).unwrap_or_else(|| panic!("no {beginning}"));
            if heard.starts_with(beginning) {
                return heard;
            }
            assert!(heard == "WATCHDOG=1" || heard.starts_with("STATUS="), "{heard}");
        }
    }

    /// For so long it hears in time that the service is alive.
    #[track_caller]
    fn is_alive_for(&self, length: Duration) {
        let (begun, mut last) = (Instant::now(), Instant::now());
        while begun.elapsed() < length {
            if self.heard(WATCHDOG).is_some_and(|heard| heard == "WATCHDOG=1") {
                last = Instant::now();
            }
            assert!(last.elapsed() < WATCHDOG, "no sign of life for {:?}", last.elapsed());
        }
    }
}

#[test]
fn the_service_says_when_it_leads_reads_its_files_and_ends_and_that_it_is_alive() {
    let (manager, house) = (Manager::new(), House::new(JOBS));
    house.gates(&["a"]);
    let mut night = manager.serve(&house);
    assert_eq!(manager.hears("READY=1"), "READY=1\nSTATUS=leading; 0 runs are under way");
    let ordered = house.spawn(&["run", "night", "--date", "2026-10-30"]);
    night.started("a");
    manager.hears("STATUS=leading; 1 run is under way");
    manager.is_alive_for(WATCHDOG * 3 / 2);
    // The agent and the jobs are none of the manager's business.
    let agent = house.agent_pid().unwrap();
    let environment = fs::read(format!("/proc/{agent}/environ")).unwrap();
    let environment = String::from_utf8_lossy(&environment);
    assert!(!environment.contains("NOTIFY_SOCKET") && !environment.contains("WATCHDOG"));
    night.signal(Signal::HUP);
    manager.hears("RELOADING=1\nMONOTONIC_USEC=");
    assert_eq!(manager.hears("READY=1"), "READY=1\nSTATUS=leading; 1 run is under way");

    // A store that hangs is no supervisor that hangs.
    let mut database = Database::open(&house);
    database.execute("begin immediate");
    house.say("a", "go");
    night.notice("the store does not take what was decided");
    manager.is_alive_for(WATCHDOG * 3 / 2);
    database.execute("rollback");
    database.close();
    ordered.ends(0);
    night.signal(Signal::TERM);
    manager.hears("STOPPING=1");
    night.ends(0);
    house.nothing_is_lost();
}

#[test]
fn a_loop_that_hangs_says_nothing_and_one_that_is_killed_for_it_loses_nothing() {
    let (manager, house) = (Manager::new(), House::new(JOBS));
    house.gates(&["a"]);
    let mut night = manager.serve(&house);
    manager.hears("READY=1");
    let ordered = house.spawn(&["run", "night", "--date", "2026-10-30"]);
    night.started("a");
    let hang = manager.folder.path().join("hang");
    fs::write(&hang, "").unwrap();
    eventually("silence", || manager.heard(WATCHDOG).is_none());
    house.say("a", "go");
    // As systemd does it, after its time.
    night.signal(Signal::ABORT);
    drop(night);
    drop(ordered);
    fs::remove_file(&hang).unwrap();
    let mut night = manager.serve(&house);
    night.event("run-ended", "");
    night.signal(Signal::TERM);
    night.ends(0);
    assert_eq!(house.ran(), ["a 1", "b 1"]);
    house.nothing_is_lost();
}

#[test]
fn one_that_stands_by_is_ready_and_alive_and_says_when_it_leads() {
    let mut house = House::new(JOBS);
    house.store = Some(super::on_postgres::database(Server::shared()));
    let command = |which: &str| {
        let mut command = Command::new(env!("CARGO_BIN_EXE_nightrun"));
        command.arg("--site").arg(house.site()).arg("--shared").arg(house.state());
        command.arg("--state").arg(house.state().with_file_name(which));
        command.args(["serve", "--format", "json"]);
        command.env("NIGHTRUN_STORE", house.store.as_ref().unwrap());
        command
    };
    let (one, two) = (Manager::new(), Manager::new());
    let leader = one.start(command("one"));
    one.hears("READY=1\nSTATUS=leading");
    let stands_by = two.start(command("two"));
    two.hears("READY=1\nSTATUS=standing by: another supervisor leads");
    two.is_alive_for(WATCHDOG * 3 / 2);
    leader.signal(Signal::TERM);
    one.hears("STOPPING=1");
    leader.ends(0);
    two.hears("READY=1\nSTATUS=leading");
    stands_by.signal(Signal::TERM);
    two.hears("STOPPING=1");
    stands_by.ends(0);
}
