//! kill -9 of the supervisor: what runs is taken over, what ended is learned, nothing runs twice.

use jiff::Timestamp;

use super::facts::is_there;
use super::house::House;

const CHAIN: &str = "
  a: {title: A, run: [sh, job.sh]}
  b: {title: B, run: [sh, job.sh, wait], needs: [a]}
  c: {title: C, run: [sh, job.sh, wait], needs: [a]}
  d: {title: D, run: [sh, job.sh], needs: [b, c]}
";

const ALL_ONCE: [&str; 4] = ["a 1", "b 1", "c 1", "d 1"];

fn time(value: &serde_json::Value) -> Timestamp {
    value.as_str().unwrap().parse().unwrap()
}

/// The night is killed while b and c run; `again` goes on with it.
fn goes_on_with(again: &[&str]) {
    let house = House::new(CHAIN);
    house.gates(&["b", "c"]);
    let mut night = house.spawn(&["run", "night", "--date", "2026-10-30"]);
    night.started("b");
    night.started("c");
    let (b, c) = (house.number("pid-b"), house.number("pid-c"));
    night.kill();
    assert!(is_there(b) && is_there(c));

    house.say("b", "go");
    house.ended_unwatched("b", 1);
    let known = Timestamp::now();
    let mut night = house.spawn(again);
    assert_eq!(night.event("run-resumed", "")["running"], 2);
    night.ended("b");
    assert!(is_there(c));
    house.say("c", "go");
    night.ends(0);

    assert_eq!(house.ran(), ALL_ONCE);
    house.nothing_is_lost();
    let ended = house.facts("attempt-ended");
    let b = ended.iter().find(|e| e["ended"]["attempt"] == "night@2026-10-30#1/b/1").unwrap();
    let (real, learned) = (time(&b["ended"]["ended"]), time(&b["noted"]));
    assert!(real <= known && known <= learned, "{real} {known} {learned}");
    let pids = house.facts("attempt-started");
    let of_c: Vec<_> = pids.iter().filter(|e| e["attempt"] == "night@2026-10-30#1/c/1").collect();
    assert_eq!(of_c.len(), 1);
    assert_eq!(of_c[0]["pid"].as_i64(), Some(i64::from(c)));
}

#[test]
fn a_killed_night_goes_on_with_resume() {
    goes_on_with(&["resume"]);
}

#[test]
fn a_killed_night_goes_on_with_the_same_command() {
    goes_on_with(&["run", "night", "--date", "2026-10-30"]);
}

#[test]
fn an_action_that_is_refused_leaves_a_killed_night_alone() {
    let house = House::new(CHAIN);
    house.gates(&["b", "c"]);
    let mut night = house.spawn(&["run", "night", "--date", "2026-10-30"]);
    night.started("b");
    night.started("c");
    night.kill();
    let entries = house.journal().len();
    house.run(&["skip", "night.a", "--reason", "not wanted"]).refused("has ended well");
    assert_eq!(house.journal().len(), entries);
    for job in ["b", "c"] {
        house.say(job, "go");
    }
    house.spawn(&["resume"]).ends(0);
    assert_eq!(house.ran(), ALL_ONCE);
}

#[test]
fn the_log_of_a_job_that_is_taken_over_is_unbroken() {
    let house = House::new(
        r#"
  count:
    title: Counts
    shell: |
      n=0
      while read -r word < "$NIGHTRUN_WORK/gate-count" && [ "$word" = go ]; do n=$((n + 1)); echo "line $n"; done
"#,
    );
    house.gates(&["count"]);
    let mut night = house.spawn(&["run", "night", "--date", "2026-10-30"]);
    night.started("count");
    let out = house.spool("count", 1).join("out");
    for n in 1..=6 {
        house.say("count", "go");
        super::facts::eventually("a line", || super::facts::holds(&out, &format!("line {n}\n")));
        if n % 2 == 0 {
            night.kill();
            night = house.spawn(&["resume"]);
            night.event("run-resumed", "");
        }
    }
    house.say("count", "enough");
    night.ends(0);
    let log = house.run(&["log", "night.count"]).code(0);
    assert_eq!(log.out, "line 1\nline 2\nline 3\nline 4\nline 5\nline 6\n");
    house.nothing_is_lost();
}

#[test]
fn a_night_that_is_killed_at_every_step_runs_each_job_once() {
    let jobs: Vec<String> = (1..=8)
        .map(|n| {
            let needs = if n > 2 { format!(", needs: [j{}]", n - 2) } else { String::new() };
            format!("  j{n}: {{title: J, run: [sh, job.sh, wait]{needs}}}\n")
        })
        .collect();
    let house = House::new(&jobs.concat());
    let names: Vec<String> = (1..=8).map(|n| format!("j{n}")).collect();
    house.gates(&names.iter().map(String::as_str).collect::<Vec<_>>());
    let mut night = house.spawn(&["run", "night", "--date", "2026-10-30"]);
    for name in &names[..7] {
        // Told by the job: the supervisor that heard of its start may be gone.
        house.number(&format!("pid-{name}"));
        match name.as_str() {
            // As soon as it runs; before it has ended; after it has ended and before that is known.
            "j1" | "j4" => night.kill(),
            "j2" | "j5" => {
                house.say(name, "go");
                night.kill();
            }
            "j3" | "j6" => {
                night.kill();
                house.say(name, "go");
                house.ended_unwatched(name, 1);
            }
            _ => {
                house.say(name, "go");
                night.ended(name);
                night.kill();
            }
        }
        if name == "j1" || name == "j4" {
            house.say(name, "go");
        }
        night = house.spawn(&["resume"]);
    }
    house.say("j8", "go");
    night.ends(0);
    let once: Vec<String> = names.iter().map(|name| format!("{name} 1")).collect();
    assert_eq!(house.ran(), once);
    house.nothing_is_lost();
}

/// Killed as early as can be: before, while and after its first turns are stored.
#[test]
fn a_night_that_is_killed_while_it_begins_runs_each_job_once() {
    for after in 0..12 {
        let house = House::new(CHAIN);
        house.gates(&["b", "c"]);
        let mut night = house.spawn(&["run", "night", "--date", "2026-10-30"]);
        match after {
            // A moment that nothing marks: as the scheduler will have it.
            0..=7 => std::thread::sleep(std::time::Duration::from_millis(after * 15)),
            8 => drop(night.event("run-opened", "")),
            9 => drop(night.started("a")),
            10 => drop(night.ended("a")),
            _ => drop(night.started("b")),
        }
        night.kill();
        house.say("b", "go");
        house.say("c", "go");
        let over = house.spawn(&["run", "night", "--date", "2026-10-30"]).ends(0);
        assert_eq!(house.ran(), ALL_ONCE, "{after}: {over:#?}");
        assert_eq!(house.facts("run-opened").len(), 1);
        house.nothing_is_lost();
    }
}

#[test]
fn a_killed_trial_keeps_its_clock() {
    let house = House::new(CHAIN);
    house.gates(&["b", "c"]);
    let trial = ["run", "night", "--at", "2026-10-30T21:30"];
    let mut night = house.spawn(&trial);
    let begun = time(&night.event("run-opened", "")["at"]);
    night.started("b");
    night.started("c");
    night.kill();
    house.say("b", "go");
    let mut night = house.spawn(&["resume"]);
    night.ended("b");
    night.kill();
    house.say("c", "go");
    let over = house.spawn(&trial).ends(0);
    let ended = time(&over.events("run-ended", "")[0]["at"]);
    let took = ended.duration_since(begun).as_secs();
    assert!((0..60).contains(&took), "{begun} {ended}");
    assert_eq!(begun.to_string().get(..16), Some("2026-10-30T20:30"), "the zone's standard time");
    assert_eq!(house.ran(), ALL_ONCE);
    house.nothing_is_lost();
}

#[test]
fn an_interrupted_run_goes_on_as_it_was_ordered_or_not_at_all() {
    let house = House::new(
        "  a: {title: A, run: [sh, job.sh, wait]}\n  b: {title: B, run: [sh, job.sh]}\n",
    );
    house.gates(&["a"]);
    let mut night = house.spawn(&["run", "night", "--date", "2026-10-30"]);
    night.started("a");
    night.kill();
    let other = ["run", "night", "--date", "2026-10-30", "--only", "b"];
    house.run(&other).refused("goes on as it was ordered");
    house.say("a", "go");
    house.spawn(&["run", "night", "--date", "2026-10-30"]).ends(0);
    house.nothing_is_lost();
}
