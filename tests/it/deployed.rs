//! What `deploy/` holds is what the program and systemd understand.

use std::ffi::OsString;
use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

use nightrun::agent::AgentSettings;
use nightrun::app;
use nightrun::definition::settings::{Definitions, Settings};

const PROGRAM: &str = "/usr/local/bin/nightrun";

fn deploy(name: &str) -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("deploy").join(name)
}

fn unit(name: &str) -> String {
    fs::read_to_string(deploy(name)).unwrap()
}

fn units() -> Vec<String> {
    let names = fs::read_dir(deploy("")).unwrap().map(|entry| entry.unwrap().file_name());
    let names = names.map(|name| name.into_string().unwrap());
    names.filter(|name| name.ends_with(".service") || name.ends_with(".timer")).collect()
}

/// The values of a key, in their order.
fn values<'a>(unit: &'a str, key: &str) -> Vec<&'a str> {
    unit.lines().filter_map(|line| line.strip_prefix(key)?.strip_prefix('=')).collect()
}

#[test]
fn systemd_understands_every_unit() {
    let folder = tempfile::tempdir().unwrap();
    for name in units() {
        // The program is not installed where tests run.
        let text = unit(&name).replace(PROGRAM, env!("CARGO_BIN_EXE_nightrun"));
        fs::write(folder.path().join(name), text).unwrap();
    }
    let verify = |name: &str| {
        let mut command = Command::new("systemd-analyze");
        command.args(["verify", "--man=no", name]);
        command.env("SYSTEMD_UNIT_PATH", format!("{}:", folder.path().display()));
        let output = command.output().expect("systemd-analyze: apt-get install systemd");
        let said = String::from_utf8(output.stderr).unwrap();
        // What the host's own units lack is not of interest.
        let ours = said.lines().filter(|line| line.contains("nightrun")).collect::<Vec<_>>();
        (output.status.success(), ours.join("\n"))
    };
    let eod = |name: &String| name.replace("@.", "@eod.");
    for name in units() {
        assert_eq!(verify(&eod(&name)), (true, String::new()), "{name}");
    }
    let slip = unit("nightrun.service").replace("WatchdogSec", "WatchdogSex");
    fs::write(folder.path().join("nightrun.service"), slip).unwrap();
    assert!(verify("nightrun.service").1.contains("WatchdogSex"));
}

#[test]
fn no_unit_takes_jobs_with_it_and_the_supervisor_is_watched() {
    for name in units().iter().filter(|name| name.ends_with(".service")) {
        assert_eq!(values(&unit(name), "KillMode"), ["process"], "{name}");
    }
    let supervisor = unit("nightrun.service");
    assert_eq!(values(&supervisor, "Type"), ["notify"]);
    let watchdog: u64 = values(&supervisor, "WatchdogSec")[0].parse().unwrap();
    // Half a minute may be a database that is slow.
    assert!(watchdog >= 30);
    let agent = unit("nightrun-agent.service");
    // Else a job without memory would end all the others.
    assert_eq!(values(&agent, "OOMPolicy"), ["continue"]);
    for hardening in ["NoNewPrivileges", "ProtectSystem", "PrivateTmp", "RestrictNamespaces"] {
        assert_eq!(values(&supervisor, hardening).len(), 1, "{hardening}");
        assert_eq!(values(&agent, hardening), [""; 0], "jobs would be bound by {hardening}");
    }
}

#[test]
fn the_program_understands_every_command_of_the_units() {
    let mut commands = 0;
    for name in units() {
        let text = unit(&name).replace("%i", "eod");
        let lines = ["ExecStart", "ExecReload"].into_iter().flat_map(|key| values(&text, key));
        for line in lines.filter_map(|line| line.strip_prefix(PROGRAM)) {
            commands += 1;
            let words: Vec<&str> = line.split_whitespace().collect();
            if words.first() == Some(&"agent") {
                let settings = AgentSettings::from_arguments(words[1..].iter().map(OsString::from));
                assert_eq!(settings.unwrap().linger, None);
                continue;
            }
            let mut command = Command::new(env!("CARGO_BIN_EXE_nightrun"));
            let output = command.args(words).arg("--help").output().unwrap();
            assert!(output.status.success(), "{name}: {line}: {output:?}");
        }
    }
    assert_eq!(commands, 4);
}

#[test]
fn the_example_settings_are_settings_with_and_without_what_is_commented_out() {
    let expected = Settings {
        site: Some("/etc/nightrun/jobs".into()),
        state: Some("/var/lib/nightrun".into()),
        awaits_agent: true,
        ..Settings::default()
    };
    assert_eq!(app::settings(&deploy("settings.yaml")).unwrap(), expected);
    let all = fs::read_to_string(deploy("settings.yaml")).unwrap();
    let without_mark = |line: &str| match line.trim_start().strip_prefix('#') {
        // A key and not a sentence.
        Some(rest) if !rest.starts_with(' ') => line.replacen('#', "", 1),
        _ => line.to_owned(),
    };
    let all: Vec<String> = all.lines().map(without_mark).collect();
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("settings.yaml");
    fs::write(&file, all.join("\n").replace("require: any", "require: clean")).unwrap();
    let all = app::settings(&file).unwrap();
    assert!(all.shared.is_some() && all.store.is_some(), "{all:?}");
    assert!(all.api.is_some() && all.retention.is_some(), "{all:?}");
    assert_eq!(all.store_password_file, Some(folder.path().join("store.password")));
    assert!(matches!(all.definitions, Definitions::Commits { follow: Some(_) }));
    let [state, dir] = ["/var/lib/nightrun", "/var/lib/nightrun/agent"];
    assert_eq!(expected.state.unwrap(), Path::new(state));
    assert!(unit("nightrun-agent.service").contains(&format!("--dir {dir} ")));
}

#[test]
fn the_container_file_names_what_is_there_and_starts_the_service() {
    let text = fs::read_to_string(deploy("Containerfile")).unwrap();
    let copied = text.lines().filter_map(|line| line.strip_prefix("COPY "));
    for from in copied.filter_map(|line| line.split(' ').next()) {
        // The program is built first.
        let built = from == "target/dist/nightrun";
        assert!(built || Path::new(env!("CARGO_MANIFEST_DIR")).join(from).exists(), "{from}");
    }
    let last = text.lines().last().unwrap().strip_prefix("CMD ").unwrap();
    let words: Vec<String> = serde_json::from_str(last).unwrap();
    let mut command = Command::new(env!("CARGO_BIN_EXE_nightrun"));
    assert!(command.args(words).arg("--help").output().unwrap().status.success());
}
