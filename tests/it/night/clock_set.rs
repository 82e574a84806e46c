//! The wall clock of the host is set forward or back in the midst of a night.

use std::fs;

use jiff::Timestamp;

use super::facts::eventually;
use super::house::House;
use super::watched::Night;

/// `long` runs while the clock is set; `again` is between two attempts meanwhile; `later` waits for half past the hour
/// that is one hour away.
fn house(until: &str) -> House {
    let house = House::new(&format!(
        "
  long: {{title: L, run: [sh, job.sh, wait]}}
  next: {{title: N, run: [sh, job.sh], needs: [long]}}
  again:
    title: A
    retry: {{max: 1, wait: 3s}}
    shell: |
      echo \"$NIGHTRUN_JOB $NIGHTRUN_ATTEMPT\" >> \"$NIGHTRUN_WORK/ran\"
      [ \"$NIGHTRUN_ATTEMPT\" -gt 1 ]
  later: {{title: W, wait: {{until: \"{until}\"}}}}
"
    ));
    house.gates(&["long"]);
    house
}

fn seconds(from: &serde_json::Value, to: &serde_json::Value) -> f64 {
    let time = |value: &serde_json::Value| value.as_str().unwrap().parse::<Timestamp>().unwrap();
    time(to).duration_since(time(from)).as_secs_f64()
}

fn set_by(hours: i64) {
    let zone = jiff::tz::TimeZone::get("Europe/Berlin").unwrap();
    let hour = jiff::SignedDuration::from_hours(1);
    let until = (Timestamp::now() + hour).to_zoned(zone);
    let house = house(&until.strftime("%H:%M").to_string());
    let date = until.date().to_string();
    let step = house.work("step");
    let arguments = ["run", "night", "--date", &date, "--format", "json"];
    let mut run = house.command(&arguments);
    run.env("NIGHTRUN_CLOCK_STEP", &step);
    let mut night = Night::watch(run);
    night.started("long");
    night.event("retry-planned", "again");
    fs::write(&step, format!("{}\n", hours * 3_600)).unwrap();
    house.say("long", "go");
    let told = night.notice("the clock of this host was set");
    let way = if hours < 0 { "back by 2h:" } else { "forward by 2h:" };
    assert!(told.contains(way), "{told}");
    let over = if hours > 0 {
        night.ends(0)
    } else {
        // `later` has become three hours away: it is left out, so that the test ends today.
        house.run(&["skip", "night.later", "--reason", "not today"]).code(0);
        night.ends(0)
    };
    assert_eq!(house.ran(), ["again 1", "again 2", "long 1", "next 1"], "{over:?}");
    house.nothing_is_lost();
    let ended = house.facts("attempt-ended");
    for entry in &ended {
        let took = seconds(&entry["ended"]["started"], &entry["ended"]["ended"]);
        assert!((0.0..60.0).contains(&took), "{took} s: {entry}");
    }
    let long = ended.iter().find(|e| e["ended"]["attempt"].as_str().unwrap().contains("/long/"));
    let notes = long.unwrap()["ended"]["notes"].to_string();
    assert!(notes.contains("clock was set while it ran"), "{notes}");
    // The wait between two attempts is as long as it was meant to be.
    let (planned, begun) = (house.facts("retry-planned"), house.facts("attempt-intended"));
    let second = begun.iter().find(|e| e["attempt"].as_str().unwrap().ends_with("/again/2"));
    let waited = seconds(&planned[0]["noted"], &second.unwrap()["noted"]) - hours as f64 * 3_600.0;
    assert!((2.9..30.0).contains(&waited), "{waited} s");
    let report = house.run(&["report"]).code(0).out;
    let line = report.lines().find(|line| line.trim_start().starts_with("long ")).unwrap();
    assert!(!line.contains("2h"), "{line}");
}

/// How long the supervisor sleeps now, unless something comes: the fourth argument of its `epoll_wait`, in milliseconds.
/// `None`: it is at work, or was woken just now.
fn sleeps_for(night: &Night) -> Option<i32> {
    let call = fs::read_to_string(format!("/proc/{}/syscall", night.pid())).ok()?;
    let words: Vec<&str> = call.split_whitespace().collect();
    let waits = [libc::SYS_epoll_pwait, WAITS].map(|number| number.to_string());
    let (number, milliseconds) = (words.first()?, words.get(4)?.strip_prefix("0x")?);
    let milliseconds = u64::from_str_radix(milliseconds, 16).ok()?;
    waits.contains(&(*number).to_owned()).then_some(milliseconds as u32 as i32)
}

#[cfg(target_arch = "x86_64")]
const WAITS: i64 = libc::SYS_epoll_wait;
#[cfg(not(target_arch = "x86_64"))]
const WAITS: i64 = libc::SYS_epoll_pwait;

/// Nothing else wakes the supervisor: `long` runs, and `later` waits for a time that is an hour away.
#[test]
fn a_clock_that_is_set_wakes_a_supervisor_that_sleeps() {
    let zone = jiff::tz::TimeZone::get("Europe/Berlin").unwrap();
    let until = (Timestamp::now() + jiff::SignedDuration::from_hours(1)).to_zoned(zone);
    let house = House::new(&format!(
        "
  long: {{title: L, run: [sh, job.sh, wait]}}
  later: {{title: W, wait: {{until: \"{}\"}}}}
",
        until.strftime("%H:%M")
    ));
    house.gates(&["long"]);
    let step = house.work("step");
    let date = until.date().to_string();
    let mut run = house.command(&["run", "night", "--date", &date, "--format", "json"]);
    run.env("NIGHTRUN_CLOCK_STEP", &step);
    let mut night = Night::watch(run);
    night.started("long");
    // It looks at no clock meanwhile: a limit on what it sleeps would be a matter of seconds.
    let half_an_hour = 30 * 60 * 1_000;
    eventually("a long sleep", || sleeps_for(&night).is_some_and(|ms| ms > half_an_hour));
    fs::write(&step, "7200\n").unwrap();
    night.event("settled", "later");
    house.say("long", "go");
    night.ends(0);
    house.nothing_is_lost();
}

#[test]
fn a_clock_that_is_set_two_hours_forward_starts_nothing_twice() {
    set_by(2);
}

#[test]
fn a_clock_that_is_set_two_hours_back_starts_nothing_twice() {
    set_by(-2);
}
