//! `nightrun doctor` on settings, the repository of the job files, and an agent with a unit of its own.

use std::fs;
use std::process::Command;

use serde_json::Value;

use super::committed::git;
use super::house::House;

const JOBS: &str = "  a: {title: A, run: [sh, job.sh]}\n";

/// A house with settings, whose site may lie in a repository.
struct Bank {
    house: House,
}

impl Bank {
    fn new() -> Self {
        Self { house: House::new(JOBS) }
    }

    fn commits(&self) -> &Self {
        let site = self.house.site();
        git(&site, &["init", "--quiet", "--initial-branch=main"]);
        git(&site, &["add", "--all"]);
        git(&site, &["commit", "--quiet", "-m", "begin"]);
        self
    }

    fn command(&self, settings: &str, arguments: &[&str]) -> Command {
        let file = self.house.state().with_file_name("settings.yaml");
        fs::write(&file, format!("version: 1\nsite: site\nstate: state\n{settings}")).unwrap();
        let mut command = Command::new(env!("CARGO_BIN_EXE_nightrun"));
        command.arg("--settings").arg(file).args(arguments);
        command
    }

    fn doctor(&self, settings: &str) -> Vec<Value> {
        let output = self.command(settings, &["doctor", "--format", "json"]).output().unwrap();
        serde_json::from_slice(&output.stdout)
            .unwrap_or_else(|why| panic!("{why}: {}", String::from_utf8_lossy(&output.stderr)))
    }

    /// The findings about this part: grade, name, and the whole.
    fn of(&self, settings: &str, part: &str) -> Vec<(String, String, Value)> {
        let text = |value: &Value| value.as_str().unwrap().to_owned();
        let all = self.doctor(settings);
        let all = all.into_iter().filter(|found| found["part"] == part);
        all.map(|f| (text(&f["grade"]), text(&f["found"]["finding"]), f)).collect()
    }
}

fn names(found: &[(String, String, Value)]) -> Vec<(&str, &str)> {
    found.iter().map(|(grade, name, _)| (grade.as_str(), name.as_str())).collect()
}

const CLEAN: &str = "definitions: {require: clean}\n";
const FOLLOW: &str =
    "definitions: {require: clean, follow: {remote: origin, branch: main, every: 1m}}\n";

#[test]
fn the_repository_of_the_job_files() {
    let bank = Bank::new();
    assert_eq!(names(&bank.of("", "settings")), [("ok", "settings-read")]);
    assert_eq!(names(&bank.of("", "git")), [("ok", "not-in-git")]);
    let found = bank.of(CLEAN, "git");
    assert_eq!(names(&found), [("fail", "git-unusable")]);
    assert!(found[0].2["text"].as_str().unwrap().contains("not in a git repository"), "{found:?}");

    bank.commits();
    let found = bank.of("", "git");
    assert_eq!(names(&found), [("ok", "git-commit")]);
    let commit = &found[0].2["found"];
    assert_eq!(
        (&commit["branch"], &commit["author"]),
        (&"main".into(), &"Li Wei <li@bank.example>".into())
    );
    let head = git(&bank.house.site(), &["rev-parse", "HEAD"]);
    assert!(head.starts_with(commit["commit"].as_str().unwrap()));

    bank.house.write("night/more.sh", "echo more");
    for (settings, counts) in [("", true), (CLEAN, false)] {
        let found = bank.of(settings, "git");
        assert_eq!(names(&found), [("warn", "git-dirty"), ("ok", "git-commit")]);
        assert_eq!(found[0].2["found"]["counts"], counts);
    }
    fs::remove_file(bank.house.site().join("night/more.sh")).unwrap();

    let found = bank.of(FOLLOW, "git");
    assert_eq!(names(&found), [("ok", "git-commit"), ("warn", "git-remote-silent")]);
    let central = bank.house.state().with_file_name("central.git");
    let central = central.to_str().unwrap();
    git(&bank.house.site(), &["clone", "--quiet", "--bare", ".", central]);
    git(&bank.house.site(), &["remote", "add", "origin", central]);
    let found = bank.of(FOLLOW, "git");
    assert_eq!(names(&found), [("ok", "git-commit"), ("ok", "git-follows")]);
    assert!(head.starts_with(found[1].2["found"]["commit"].as_str().unwrap()));
    let found = bank.of(&FOLLOW.replace("main", "other"), "git");
    assert!(found[1].2["text"].as_str().unwrap().contains("has no branch other"), "{found:?}");

    // No git program: known from the folder, and only a failure where it is needed.
    for (settings, grade) in [("", "warn"), (CLEAN, "fail")] {
        let mut command = bank.command(settings, &["doctor", "--format", "json"]);
        let output = command.env("PATH", "/nowhere").output().unwrap();
        let all: Vec<Value> = serde_json::from_slice(&output.stdout).unwrap();
        let found = all.iter().find(|found| found["part"] == "git").unwrap();
        assert_eq!(found["grade"], grade);
        assert!(found["text"].as_str().unwrap().contains("apt-get install git"), "{found}");
    }
}

#[test]
fn an_agent_that_its_own_unit_is_to_start() {
    let bank = Bank::new();
    assert_eq!(names(&bank.of("", "agent")), [("ok", "no-agent")]);
    let found = bank.of("agent: await\n", "agent");
    assert_eq!(names(&found), [("fail", "agent-awaited")]);
    assert!(found[0].2["text"].as_str().unwrap().contains("systemctl start nightrun-agent"));
    let mut agent = Command::new(env!("CARGO_BIN_EXE_nightrun"));
    agent.args(["agent", "--linger", "0s", "--dir"]).arg(bank.house.state().join("agent"));
    let mut agent = agent.stdout(std::process::Stdio::piped()).spawn().unwrap();
    let mut ready = String::new();
    let out = agent.stdout.take().unwrap();
    std::io::BufRead::read_line(&mut std::io::BufReader::new(out), &mut ready).unwrap();
    let found = bank.of("agent: await\n", "agent");
    agent.kill().unwrap();
    agent.wait().unwrap();
    assert_eq!(names(&found), [("ok", "agent-here")]);
    assert_eq!(found[0].2["found"]["release"], env!("CARGO_PKG_VERSION"));
}

#[test]
fn settings_with_defects_are_told_of_all_at_once() {
    let bank = Bank::new();
    let settings = "stat: x\nmode: observ\nagent: [await]\nstore: {}\n";
    let output = bank.command(settings, &["doctor"]).output().unwrap();
    assert_eq!(output.status.code(), Some(2));
    let said = String::from_utf8(output.stderr).unwrap();
    for part in ["settings.yaml:4:1", "settings.yaml:5:7", "settings.yaml:6:8", "settings.yaml:7:8"]
    {
        assert!(said.contains(part), "no {part}: {said}");
    }
}
