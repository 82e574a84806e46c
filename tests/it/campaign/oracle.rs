//! What must be true of a night, however often it was killed. Each complaint names the attempt and its evidence.

use std::collections::{BTreeMap, BTreeSet};
use std::fs;

use jiff::Timestamp;
use serde_json::Value;

use super::evidence::{Did, Evidence, Told, time};
use super::killed_night::KilledNight;
use super::made_site::{Kind, MadeJob};
use crate::night::letter::Letter;

/// Everything that is not as it must be.
pub(super) fn complaints(night: &KilledNight, seen: &Evidence, mails: &[Letter]) -> Vec<String> {
    let mut found = night.complaints.clone();
    let verified = night.house.run(&["journal", "verify"]);
    if verified.code != Some(0) {
        found.push(format!("the chain is broken: {}{}", verified.out, verified.err));
    }
    found.extend(seen.odd_lines.iter().map(|line| format!("a torn line of {line}")));
    for id in seen.did.keys().filter(|id| !seen.told.contains_key(*id)) {
        found.push(format!("{id} had its effect, and the journal never intended it"));
    }
    let mut stray = night.stray;
    for (id, told) in &seen.told {
        let mut say = |words: String| {
            found.push(format!("{id}: {words}; {:?}; {:?}", seen.did.get(id), told));
        };
        if told.intended.len() != 1 || told.ended.len() != 1 {
            say(format!("intended {} times, ended {}", told.intended.len(), told.ended.len()));
            continue;
        }
        let nothing = Did::default();
        let did = seen.did.get(id).unwrap_or(&nothing);
        let job = night.site.job(&told.job);
        if let Kind::Program { half, fails } = job.kind {
            effect(told, did, fails).into_iter().for_each(&mut say);
            times(night, id, told, did).into_iter().for_each(&mut say);
            log(night, id, told, half).into_iter().for_each(&mut say);
        }
        if !excused(night, id, told) {
            if stray == 0 {
                say("nobody struck it".to_owned());
            }
            stray = stray.saturating_sub(1);
        }
    }
    for job in &night.site.jobs {
        found.extend(order(job, night, seen));
        found.extend(tries(job, seen));
        found.extend(rows(job, night, seen));
        found.extend(outcome(job, seen));
    }
    found.extend(post(seen, mails));
    found
}

/// As often as it is told, and never twice.
fn effect(told: &Told, did: &Did, fails: u32) -> Option<String> {
    let (begun, ended) = (did.begun.len(), did.ended.len());
    if begun > 1 || ended > begun {
        return Some("its effect happened twice".to_owned());
    }
    let code = did.ended.first().map(|(_, code)| *code);
    let expected = i64::from(told.number <= u64::from(fails));
    match told.how() {
        "exited" if told.code() != code => Some("it did not end as it is told".to_owned()),
        "exited" if code != Some(expected) => Some(format!("it should have ended with {expected}")),
        "could-not-start" if begun > 0 => Some("it did start".to_owned()),
        "exited" | "could-not-start" | "signalled" | "lost" | "unknown" => None,
        other => Some(format!("nobody asked for `{other}`")),
    }
}

/// The recorded times lie where they can lie.
fn times(night: &KilledNight, id: &str, told: &Told, did: &Did) -> Vec<String> {
    let mut wrong = Vec::new();
    let (ended, noted) = &told.ended[0];
    let end = time(&ended["ended"]);
    // What is stored has microseconds.
    let micros = |at: Timestamp| Timestamp::from_microsecond(at.as_microsecond()).unwrap();
    if did.begun.first().is_some_and(|begun| *begun < told.intended[0]) {
        wrong.push("it began before it was intended".to_owned());
    }
    if end > *noted {
        wrong.push("it is told to end after that was noted".to_owned());
    }
    if !matches!(told.how(), "exited" | "signalled") {
        return wrong;
    }
    let last = did.ended.first().map(|(at, _)| *at).or(did.begun.first().copied());
    if last.is_some_and(|last| end < micros(last)) {
        wrong.push(format!("it is told to end before it did, at {end}"));
    }
    let latest = night.seen_ended.get(id);
    if latest.is_some_and(|latest| end > *latest) {
        wrong.push(format!("its end was seen at {latest:?} and is told as {end}"));
    }
    if ended["started"].as_str().is_some_and(|at| at.parse::<Timestamp>().unwrap() > end) {
        wrong.push("it is told to start after its end".to_owned());
    }
    wrong
}

/// Every line that the job numbered, in order, whole; all of them where it came to its end.
fn log(night: &KilledNight, id: &str, told: &Told, half: u32) -> Option<String> {
    if half == 0 || night.torn.contains(id) || told.how() == "could-not-start" {
        return None;
    }
    let (job, number) = (format!("night.{}", told.job), told.number.to_string());
    let shown = night.house.run(&["log", &job, "--attempt", &number]);
    let all: Vec<String> = (1..=2 * half).map(|n| format!("line {n} of {id}")).collect();
    let lines: Vec<&str> = shown.out.lines().collect();
    let whole = lines.len() == all.len() || told.how() != "exited";
    let unbroken = lines.len() <= all.len() && lines.iter().zip(&all).all(|(a, b)| a == b);
    if whole && unbroken && (shown.out.is_empty() || shown.out.ends_with('\n')) {
        return None;
    }
    // Of what was lost with its host nothing need be there.
    if shown.code != Some(0) && told.how() == "lost" {
        return None;
    }
    Some(format!("of {} lines its log has {lines:?} ({})", all.len(), shown.err))
}

/// Whether an ending that nobody wished for has its reason in what was struck.
fn excused(night: &KilledNight, id: &str, told: &Told) -> bool {
    let why = told.ended[0].0["ending"]["why"].as_str().unwrap_or_default();
    match told.how() {
        "lost" if why.contains("restarted") => night.boots > 0,
        "signalled" | "lost" | "unknown" | "could-not-start" => night.struck.contains(id),
        _ => true,
    }
}

/// It began only when what it needs had ended well, or a person had said so.
fn order(job: &MadeJob, night: &KilledNight, seen: &Evidence) -> Vec<String> {
    let mut wrong = Vec::new();
    for need in &job.needs {
        let need = night.site.job(need);
        let decided = acted(seen, &need.name).any(|act| act == "skip" || act == "force");
        if decided || !matches!(need.kind, Kind::Program { .. }) {
            continue;
        }
        let good = |told: &&Told| told.job == need.name && told.code() == Some(0);
        let ended = seen.told.values().find(good).map(|told| time(&told.ended[0].0["ended"]));
        for (id, told) in seen.told.iter().filter(|(_, told)| told.job == job.name) {
            let begun =
                seen.did.get(id).and_then(|did| did.begun.first()).or(told.intended.first());
            if ended.is_none() || begun < ended.as_ref() {
                wrong
                    .push(format!("{id} began at {begun:?}, and {} ended at {ended:?}", need.name));
            }
        }
    }
    wrong
}

/// What people did to a job.
fn acted<'a>(seen: &'a Evidence, job: &'a str) -> impl Iterator<Item = &'a str> {
    let facts = seen.journal.iter().map(|entry| &entry["fact"]);
    let acts = facts.filter(move |fact| fact["fact"] == "acted" && fact["action"]["job"] == job);
    acts.filter_map(|fact| fact["action"]["do"].as_str())
}

/// It was tried again only where its file or a person says so, and no more often.
fn tries(job: &MadeJob, seen: &Evidence) -> Vec<String> {
    let mut wrong = Vec::new();
    let (mut planned, mut last, mut allowed) = (0, "-".to_owned(), true);
    for entry in &seen.journal {
        let fact = &entry["fact"];
        let of_job =
            |id: &Value| id.as_str().is_some_and(|id| id.split('/').nth(1) == Some(&job.name));
        match fact["fact"].as_str().unwrap_or_default() {
            "attempt-intended" if of_job(&fact["attempt"]) => {
                // A look at what became of a change tries nothing.
                if !allowed && fact["examine"] != true {
                    wrong
                        .push(format!("{}: tried again by itself after `{last}`", fact["attempt"]));
                }
                allowed = false;
            }
            "attempt-ended" if of_job(&fact["ended"]["attempt"]) => {
                let ending = &fact["ended"]["ending"];
                last = match ending["how"].as_str().unwrap_or_default() {
                    "exited" => "exit",
                    "signalled" => "signal",
                    other => other,
                }
                .to_owned();
            }
            "retry-planned" if fact["job"] == *job.name => {
                planned += 1;
                allowed = job.retry_on.contains(&last.as_str()) && planned <= job.retry_max;
            }
            "acted" if fact["action"]["job"] == *job.name && fact["action"]["do"] == "retry" => {
                (planned, allowed) = (0, true);
            }
            _ => {}
        }
    }
    wrong
}

/// Rows in the target are as many as commits that are told.
fn rows(job: &MadeJob, night: &KilledNight, seen: &Evidence) -> Option<String> {
    let there = seen.rows.get(&job.name).copied().unwrap_or_default();
    let attempts: Vec<_> = seen.told.iter().filter(|(_, told)| told.job == job.name).collect();
    let good = attempts.iter().filter(|(_, told)| told.code() == Some(0)).count() as u64;
    match job.kind {
        Kind::Program { .. } => None,
        Kind::Sql => {
            let (mut sure, mut perhaps) = (0, 0);
            for (id, told) in &attempts {
                let steps = steps(night, id);
                let has = |step: &str| steps.contains(&format!("\"{step}\""));
                match told.how() {
                    "exited" => sure += u64::from(told.code() == Some(0)),
                    _ if has("committed") => sure += 1,
                    // It died before it could say; or the spool was torn.
                    _ if has("precommit") || night.torn.contains(*id) => perhaps += 1,
                    _ => {}
                }
            }
            (there < sure || there > sure + perhaps).then(|| {
                format!(
                    "{}: {there} rows of {sure} commits and {perhaps} in doubt; {attempts:?}",
                    job.name
                )
            })
        }
        Kind::Change => (there > 1 || (good > 0 && there != 1)).then(|| {
            format!("change {}: applied {there} times in one run; {attempts:?}", job.name)
        }),
    }
}

fn steps(night: &KilledNight, id: &str) -> String {
    let folder = night.house.state().join("agent/spool").join(id.replace('/', "~"));
    fs::read_to_string(folder.join("steps.jsonl")).unwrap_or_default()
}

/// It succeeded because it did, or was left out or forced because somebody said so.
fn outcome(job: &MadeJob, seen: &Evidence) -> Option<String> {
    let mut facts = seen.journal.iter().map(|entry| &entry["fact"]);
    let settled = facts.rfind(|fact| fact["fact"] == "settled" && fact["job"] == *job.name);
    let outcome = settled.and_then(|fact| fact["outcome"].as_str()).unwrap_or("nothing");
    let good = seen.told.values().filter(|t| t.job == job.name && t.code() == Some(0)).count();
    let said = |act: &str| acted(seen, &job.name).any(|done| done == act);
    let fine = match outcome {
        "succeeded" => good == 1,
        "skipped" => said("skip"),
        "forced" => said("force"),
        _ => false,
    };
    (!fine).then(|| format!("{}: {outcome} in the end, with {good} good attempts", job.name))
}

fn addresses(people: &Value) -> Vec<String> {
    let people = people.as_array().into_iter().flatten();
    people.map(|person| format!("{}@bank.example", person.as_str().unwrap())).collect()
}

/// Each incident, its end and each end of a run is told to everybody whom it is for; and again only as the same message.
fn post(seen: &Evidence, mails: &[Letter]) -> Vec<String> {
    let mut wrong = Vec::new();
    let mut known: BTreeMap<(&str, &str), BTreeSet<&str>> = BTreeMap::new();
    for mail in mails {
        let word = mail.subject.split([' ', ':']).find(|word| word.starts_with("INC-"));
        let about = word.unwrap_or("report");
        known.entry((about, mail.to.as_str())).or_default().insert(mail.id.as_str());
    }
    let mut expected = BTreeMap::new();
    let mut ends = BTreeSet::new();
    let mut told = BTreeMap::new();
    for entry in &seen.journal {
        let (fact, turn) = (&entry["fact"], entry["recorded"].as_str().unwrap());
        match fact["fact"].as_str() {
            Some(kind @ ("incident-opened" | "incident-moved" | "incident-closed")) => {
                let incident = format!("INC-{}", fact["incident"]);
                let told: &mut BTreeSet<String> = told.entry(incident.clone()).or_default();
                let people = match kind {
                    "incident-opened" => addresses(&fact["notify"]),
                    "incident-moved" => addresses(&fact["step"]["people"]),
                    // Everybody who was told hears that it is over.
                    _ => told.iter().cloned().collect(),
                };
                for to in people {
                    told.insert(to.clone());
                    *expected.entry((incident.clone(), to)).or_insert(0) += 1;
                }
            }
            Some("run-ended") if fact["result"] != "stopped" => drop(ends.insert(turn)),
            // Set going again within the turn: that was no end to tell of.
            Some("run-reopened") => drop(ends.remove(turn)),
            _ => {}
        }
    }
    expected.insert(("report".to_owned(), "rob@bank.example".to_owned()), ends.len());
    for ((about, to), count) in &expected {
        let ids = known.remove(&(about.as_str(), to.as_str())).unwrap_or_default();
        if ids.len() != *count {
            wrong.push(format!(
                "{about} to {to}: {count} letters were decided, and {ids:?} arrived"
            ));
        }
    }
    wrong.extend(
        known.keys().map(|mail| format!("a letter of which the journal knows nothing: {mail:?}")),
    );
    wrong
}
