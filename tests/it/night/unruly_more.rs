//! Jobs that multiply, hide, go on when they are asked to end, or take their watcher with them.

use std::fs::File;
use std::io::Read;
use std::path::PathBuf;
use std::process::Command;
use std::sync::OnceLock;
use std::sync::mpsc::{Receiver, channel};

use serde_json::Value;

use super::facts::{PATIENCE, eventually, is_there};
use super::house::House;

const RUN: &[&str] = &["run", "night", "--date", "2026-10-30"];

/// The program of `unruly.c`, compiled once for a process of tests.
fn unruly() -> PathBuf {
    static MADE: OnceLock<tempfile::TempDir> = OnceLock::new();
    let folder = MADE.get_or_init(|| {
        let folder = tempfile::tempdir().unwrap();
        let source = concat!(env!("CARGO_MANIFEST_DIR"), "/tests/it/night/unruly.c");
        let mut cc = Command::new("cc");
        cc.args(["-O1", "-pthread", "-o"]).arg(folder.path().join("unruly")).arg(source);
        let made = cc.status().expect("`cc` is missing: install gcc");
        assert!(made.success(), "{cc:?}");
        folder
    });
    folder.path().join("unruly")
}

/// A night of one job `a`, whose processes all hold the pipe `held`.
struct Held {
    house: House,
    all_gone: Receiver<()>,
}

impl Held {
    /// `script`: where it says `unruly` the program of `unruly.c` runs.
    fn new(settings: &str, script: &str) -> Self {
        let script = script.replace("unruly", &unruly().display().to_string());
        let house = House::new(&format!(
            "  a:\n    title: A\n{settings}    shell: |\n      exec 9> \"$NIGHTRUN_WORK/held\"\n      {script}\n"
        ));
        let path = house.work("held");
        let mode = rustix::fs::Mode::RUSR | rustix::fs::Mode::WUSR;
        rustix::fs::mkfifoat(rustix::fs::CWD, &path, mode).unwrap();
        let (gone, all_gone) = channel();
        std::thread::spawn(move || {
            // The end of the file is the end of the last process that has the pipe.
            let read = File::open(path).and_then(|mut pipe| pipe.read_to_end(&mut Vec::new()));
            let _ = read.map(|_| gone.send(()));
        });
        Self { house, all_gone }
    }

    #[track_caller]
    fn nobody_is_left(&self) {
        self.all_gone.recv_timeout(PATIENCE).expect("some process of the job is still there");
    }

    fn attempt(&self) -> Value {
        self.house.job("a")["attempts"].as_array().unwrap().last().unwrap().clone()
    }
}

#[test]
fn what_hides_from_its_job_ends_with_it() {
    let kinds: Vec<String> = std::env::var("KINDS").unwrap_or("daemon,bomb 200,chain,hop,headless".into()).split(',').map(str::to_owned).collect();
    for kind in kinds {
        let held = Held::new("    grace: 100ms\n", &format!("unruly {kind} > /dev/null &"));
        let begun = std::time::Instant::now();
        held.house.spawn(RUN).ends(0);
        held.nobody_is_left();
        println!("{kind}: {:?} {}", begun.elapsed(), held.attempt());
        assert_eq!(held.attempt()["good"], true, "{kind}");
    }
}
