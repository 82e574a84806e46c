//! The lines of the former version, kept as that release said them: an agent or a supervisor of it may be the other end
//! while a host is brought up to date.

use super::*;

const FORMER: &str = include_str!("specimens/version-1.jsonl");

#[derive(Deserialize)]
struct Specimen {
    to: String,
    line: serde_json::Value,
}

fn former(to: &str) -> Vec<serde_json::Value> {
    let read = FORMER.lines().map(|line| serde_json::from_str(line).unwrap());
    read.filter(|specimen: &Specimen| specimen.to == to).map(|specimen| specimen.line).collect()
}

/// The words of an enum that is tagged by `say`.
fn words(lines: &[serde_json::Value]) -> std::collections::BTreeSet<&str> {
    lines.iter().map(|line| line["say"].as_str().unwrap()).collect()
}

/// Whether everything that the former release said is still there after this one has read it.
fn holds(all: &serde_json::Value, of: &serde_json::Value) -> bool {
    match (all, of) {
        (serde_json::Value::Object(all), serde_json::Value::Object(of)) => {
            of.iter().all(|(key, value)| all.get(key).is_some_and(|here| holds(here, value)))
        }
        (all, of) => all == of,
    }
}

#[test]
fn every_line_of_the_former_version_is_understood_and_nothing_of_it_is_lost() {
    let (to_agent, to_supervisor) = (former("agent"), former("supervisor"));
    assert_eq!(
        words(&to_agent).into_iter().collect::<Vec<_>>(),
        ["ask", "hello", "kill", "leave", "recorded", "start"]
    );
    assert_eq!(
        words(&to_supervisor).into_iter().collect::<Vec<_>>(),
        ["ended", "not-known", "notice", "stale", "started", "welcome"]
    );
    for line in to_agent {
        let read: ToAgent = serde_json::from_value(line.clone()).unwrap();
        assert!(holds(&serde_json::to_value(read).unwrap(), &line), "{line}");
    }
    for line in to_supervisor {
        let read: FromAgent = serde_json::from_value(line.clone()).unwrap();
        assert!(holds(&serde_json::to_value(read).unwrap(), &line), "{line}");
    }
}

#[test]
fn the_highest_version_that_both_speak_is_spoken() {
    assert_eq!(agreed(VERSION, VERSION), Some(VERSION));
    // The former release, and one that is to come and still speaks this version.
    assert_eq!(agreed(OLDEST, OLDEST), Some(OLDEST));
    assert_eq!(agreed(VERSION, VERSION + 1), Some(VERSION));
    assert_eq!(agreed(VERSION + 1, VERSION + 2), None);
    assert_eq!(agreed(0, OLDEST - 1), None);
    assert!(!can_upgrade(OLDEST) && can_upgrade(VERSION));
}

#[test]
fn a_program_that_was_replaced_is_looked_for_where_it_lay() {
    let path = |text: &str| program_path(text.into());
    assert_eq!(path("/usr/bin/nightrun (deleted)"), PathBuf::from("/usr/bin/nightrun"));
    assert_eq!(path("/usr/bin/nightrun"), PathBuf::from("/usr/bin/nightrun"));
    assert_eq!(release(), env!("CARGO_PKG_VERSION"));
}
