//! Job files in git: what is recorded of them, and a service that takes only what is committed.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

use rustix::process::Signal;

use super::house::House;
use super::watched::Night;

const JOBS: &str = "
jobs:
  a: {title: A, run: [sh, job.sh]}
";

/// A house whose site is a repository.
struct Archive {
    house: House,
}

#[track_caller]
pub(crate) fn git(at: &Path, arguments: &[&str]) -> String {
    let mut command = Command::new("git");
    command.arg("-C").arg(at).args(["-c", "user.name=Li Wei", "-c", "user.email=li@bank.example"]);
    command
        .args(arguments)
        .env("GIT_CONFIG_GLOBAL", "/dev/null")
        .env("GIT_CONFIG_SYSTEM", "/dev/null");
    let done = command.output().expect("no git here: apt-get install git");
    assert!(done.status.success(), "{}", String::from_utf8_lossy(&done.stderr));
    String::from_utf8(done.stdout).unwrap().trim().to_owned()
}

impl Archive {
    fn new() -> Self {
        let house = House::bare();
        house.batch("night", JOBS);
        git(&house.site(), &["init", "--quiet", "--initial-branch=main"]);
        let archive = Self { house };
        archive.commit("begin");
        archive
    }

    fn commit(&self, message: &str) -> String {
        git(&self.house.site(), &["add", "--all"]);
        git(&self.house.site(), &["commit", "--quiet", "--allow-empty", "-m", message]);
        git(&self.house.site(), &["rev-parse", "HEAD"])
    }

    /// The house's commands with settings of their own.
    fn settings(&self, text: &str) -> PathBuf {
        let file = self.house.state().parent().unwrap().join("settings.yaml");
        fs::write(&file, format!("version: 1\nsite: {}\nstate: state\n{text}", "site")).unwrap();
        file
    }

    fn command(&self, settings: &Path, arguments: &[&str]) -> Command {
        let mut command = Command::new(env!("CARGO_BIN_EXE_nightrun"));
        command.arg("--settings").arg(settings).args(arguments);
        command
    }

    fn serve(&self, settings: &Path) -> Night {
        Night::watch(self.command(settings, &["serve", "--format", "json"]))
    }

    /// Orders a run through the service, and says what its one job wrote.
    #[track_caller]
    fn ordered(&self, settings: &Path) -> String {
        let done = self.command(settings, &["run", "night", "--rerun"]).output().unwrap();
        assert!(done.status.success(), "{}", String::from_utf8_lossy(&done.stderr));
        self.house.run(&["log", "night.a"]).code(0).out
    }
}

#[test]
fn a_run_records_its_commit_its_author_and_whether_the_files_differ() {
    let archive = Archive::new();
    let house = &archive.house;
    let head = archive.commit("second");
    house.run(&["run", "night", "--date", "2026-10-30"]).code(0);
    house.write("night/new.sh", "echo");
    house.run(&["run", "night", "--date", "2026-10-31"]).code(0);
    fs::remove_dir_all(house.site().join(".git")).unwrap();
    house.run(&["run", "night", "--date", "2026-11-01"]).code(0);
    let opened = house.facts("run-opened");
    let revision = &opened[0]["revision"];
    assert_eq!(revision["commit"], head.as_str());
    assert_eq!(revision["author"], "Li Wei <li@bank.example>");
    assert_eq!(revision["dirty"], false);
    assert_eq!(opened[1]["revision"]["commit"], head.as_str());
    assert_eq!(opened[1]["revision"]["dirty"], true);
    assert!(opened[2]["revision"].is_null(), "{}", opened[2]);
}

#[test]
fn where_only_commits_count_nothing_else_runs() {
    let archive = Archive::new();
    let house = &archive.house;
    let settings = archive.settings("definitions: {require: clean}\n");
    let served = archive.serve(&settings);
    served.notice("serving 0 schedules");
    assert!(archive.ordered(&settings).contains("the test says go"));
    // Edited and not committed: a script, and a file with a defect.
    let script = fs::read_to_string(house.site().join("night/job.sh")).unwrap();
    house.write("night/job.sh", "echo altered");
    house.write("night/more.yaml", "version: 1\nnonsense: true\n");
    served.signal(Signal::HUP);
    assert!(archive.ordered(&settings).contains("the test says go"));
    // Committed with the defect: refused, and people are told.
    archive.commit("broken");
    served.signal(Signal::HUP);
    served.notice("cannot be used; runs begin with what was there before: commit ");
    assert!(archive.ordered(&settings).contains("the test says go"));
    let told = house.facts("definitions-refused");
    assert!(told[0]["why"].as_str().unwrap().contains("night/more.yaml"), "{told:?}");
    super::facts::eventually("the mail", || {
        house.mails().iter().any(|mail| mail.subject.contains("cannot be used"))
    });
    served.signal(Signal::TERM);
    served.ends(0);
    // A service that begins goes by the last good commit, and says what is wrong with the newest.
    let served = archive.serve(&settings);
    served.notice("cannot be used; runs begin with what was there before: commit ");
    assert!(archive.ordered(&settings).contains("the test says go"));
    // A link would be a file that holds the path that it leads to.
    fs::remove_file(house.site().join("night/more.yaml")).unwrap();
    std::os::unix::fs::symlink("job.sh", house.site().join("night/link.sh")).unwrap();
    archive.commit("a link");
    served.signal(Signal::HUP);
    served.notice("night/link.sh is a link or a submodule");
    // Mended: taken over.
    fs::remove_file(house.site().join("night/link.sh")).unwrap();
    house.write("night/job.sh", &script.replace("the test says", "the commit says"));
    let mended = archive.commit("mended");
    served.signal(Signal::HUP);
    served.notice("the job files have changed");
    assert!(archive.ordered(&settings).contains("the commit says go"));
    served.signal(Signal::TERM);
    served.ends(0);
    let last = house.facts("run-opened").pop().unwrap();
    assert_eq!(last["revision"]["commit"], mended.as_str());
    house.nothing_is_lost();
}

#[test]
fn a_branch_is_followed_and_one_that_was_rewritten_is_not() {
    let archive = Archive::new();
    let house = &archive.house;
    // The service has a clone of its own; people push to `site`.
    let clone = house.state().parent().unwrap().join("clone");
    let origin = house.site();
    git(&origin, &["clone", "--quiet", origin.to_str().unwrap(), clone.to_str().unwrap()]);
    let settings = archive.settings(
        "definitions: {require: clean, follow: {remote: origin, branch: main, every: 1s}}\n",
    );
    let text = fs::read_to_string(&settings).unwrap().replace("site: site", "site: clone");
    fs::write(&settings, text).unwrap();
    let served = archive.serve(&settings);
    served.notice("serving 0 schedules");
    let first = git(&origin, &["rev-parse", "HEAD"]);
    let pushed = archive.commit("pushed");
    house.write("night/job.sh", "echo pushed");
    let altered = archive.commit("a script");
    super::facts::eventually("the commit to be taken over", || {
        house
            .facts("definitions-taken")
            .last()
            .is_some_and(|fact| fact["revision"]["commit"] == altered.as_str())
    });
    assert!(archive.ordered(&settings).contains("pushed"));

    // Rewritten: the commit that was taken is no part of it any more.
    git(&origin, &["reset", "--quiet", "--hard", &first]);
    house.write("night/job.sh", "echo rewritten");
    archive.commit("other");
    served.notice("the branch was rewritten");
    assert!(archive.ordered(&settings).contains("pushed"));

    // Out of reach: told once, and gone on with.
    let away = origin.with_file_name("away");
    fs::rename(&origin, &away).unwrap();
    served.notice("the job files of origin/main are not to be had");
    assert!(archive.ordered(&settings).contains("pushed"));
    fs::rename(&away, &origin).unwrap();
    git(&origin, &["reset", "--quiet", "--hard", &altered]);
    house.write("night/job.sh", "echo again");
    archive.commit("put right");
    served.notice("origin answers again");
    super::facts::eventually("the branch to be followed again", || {
        archive.ordered(&settings).contains("again")
    });
    served.signal(Signal::TERM);
    served.ends(0);
    assert!(house.facts("definitions-taken").len() >= 3);
    assert!(!pushed.is_empty());
    house.nothing_is_lost();
}

#[test]
fn settings_with_defects_are_refused_with_all_of_them() {
    let archive = Archive::new();
    let settings = archive.settings("definitions: {requires: clean, follow: {remote: origin}}\n");
    let done = archive.command(&settings, &["status"]).output().unwrap();
    let said = String::from_utf8(done.stderr).unwrap();
    assert_eq!(done.status.code(), Some(2), "{said}");
    assert!(said.contains("settings.yaml:4:15: unknown key `requires`"), "{said}");
    assert!(said.contains("`branch` is missing"), "{said}");
}
