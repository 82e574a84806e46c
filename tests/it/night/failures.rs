//! What fails, who is told, and how the night comes to a good end all the same.

use super::house::House;

const FAILS: &str = r#"
  a:
    title: Post the interest
    shell: |
      echo "$NIGHTRUN_JOB $NIGHTRUN_ATTEMPT" >> "$NIGHTRUN_WORK/ran"
      [ -e "$NIGHTRUN_WORK/mended" ] || (echo "the ledger is off by 0.01"; exit 7)
    runbook: Call the ledger desk, then retry.
  b: {title: B, run: [sh, job.sh], needs: [a]}
  c: {title: C, run: [sh, job.sh], needs: [b]}
  d: {title: D, run: [sh, job.sh]}
  tell: {title: Tell, run: [sh, job.sh], needs: ["a:failed"]}
"#;

fn failed() -> House {
    let house = House::new(FAILS);
    let over = house.spawn(&["run", "night", "--date", "2026-10-30"]).ends(1);
    assert_eq!(over.events("settled", "b")[0]["outcome"], "blocked");
    assert_eq!(over.events("settled", "c")[0]["outcome"], "blocked");
    assert_eq!(over.events("incident-opened", "").len(), 1);
    assert_eq!(house.ran(), ["a 1", "d 1", "tell 1"]);
    house
}

#[test]
fn a_critical_failure_mails_each_person_once_with_all_that_helps() {
    let house = failed();
    let mails = house.mails_of("INC-1");
    let mut told: Vec<&str> = mails.iter().map(|mail| mail.to.as_str()).collect();
    told.sort_unstable();
    assert_eq!(told, ["ann@bank.example", "wei@bank.example"]);
    for mail in &mails {
        for words in ["the ledger is off by 0.01", "Call the ledger desk", "night.a"] {
            assert!(mail.text.contains(words), "no {words}: {}", mail.text);
        }
        let blocked: Vec<&str> = mail
            .text
            .lines()
            .filter_map(|line| line.split_whitespace().next())
            .filter(|word| ["b", "c"].contains(word))
            .collect();
        assert_eq!(blocked, ["b", "c"], "{}", mail.text);
    }
    let reports: Vec<_> =
        house.mails().into_iter().filter(|m| !m.subject.contains("INC")).collect();
    assert_eq!(reports.len(), 1);
    assert_eq!(reports[0].to, "rob@bank.example");
    let text = house.run(&["report", "--date", "2026-10-30"]).code(0).out;
    for words in ["the ledger is off by 0.01", "INC-1", "exit code 7"] {
        assert!(text.contains(words) && reports[0].text.contains(words), "no {words}: {text}");
    }
}

#[test]
fn the_same_date_again_is_refused_and_says_what_can_be_done() {
    let house = failed();
    let refused = house.run(&["run", "night", "--date", "2026-10-30"]);
    refused
        .refused("has ended, not well; --from JOB runs a job and what follows it again, --rerun");
    house.run(&["run", "night", "--date", "2026-10-30", "--from", "z"]).refused("has no job `z`");
    assert_eq!(house.ran().len(), 3);
}

#[test]
fn from_a_job_adds_attempts_to_the_same_run() {
    let house = failed();
    std::fs::write(house.work("mended"), "").unwrap();
    let over = house.spawn(&["run", "night", "--date", "2026-10-30", "--from", "a"]).ends(0);
    assert_eq!(over.events("incident-closed", "a").len(), 1);
    assert_eq!(house.ran(), ["a 1", "a 2", "b 1", "c 1", "d 1", "tell 1"]);
    let runs = house.json(&["runs"]);
    assert_eq!(runs.as_array().unwrap().len(), 1);
    assert_eq!(runs[0]["result"], "well");
    house.nothing_is_lost();
    house.run(&["run", "night", "--date", "2026-10-30"]).refused("has ended well");
}

#[test]
fn a_retry_after_the_night_goes_on_with_what_was_blocked() {
    let house = failed();
    let over = house.spawn(&["retry", "night.a", "--reason", "again"]).ends(1);
    assert_eq!(over.events("ended", "a").len(), 1);
    assert_eq!(house.mails_of("INC-1").len(), 2, "one fault is told once");
    std::fs::write(house.work("mended"), "").unwrap();
    house.spawn(&["retry", "night.a", "--reason", "mended"]).ends(0);
    assert_eq!(house.ran(), ["a 1", "a 2", "a 3", "b 1", "c 1", "d 1", "tell 1"]);
    assert_eq!(house.mails_of("INC-2").len(), 0);
    house.nothing_is_lost();
}

#[test]
fn a_rerun_is_the_next_run_of_the_date() {
    let house = failed();
    std::fs::write(house.work("mended"), "").unwrap();
    house.spawn(&["run", "night", "--date", "2026-10-30", "--rerun"]).ends(0);
    let runs = house.json(&["runs"]);
    let ids: Vec<&str> =
        runs.as_array().unwrap().iter().map(|run| run["run"].as_str().unwrap()).collect();
    assert_eq!(ids, ["night@2026-10-30#2", "night@2026-10-30#1"]);
    assert_eq!(house.ran(), ["a 1", "a 1", "b 1", "c 1", "d 1", "d 1", "tell 1"]);
}

#[test]
fn a_failure_that_is_not_critical_is_reported_and_mails_nobody() {
    let house = House::new(
        r#"
  a: {title: A, shell: "echo no paper; exit 3", critical: false}
  b: {title: B, run: [sh, job.sh], needs: [a]}
"#,
    );
    let over = house.spawn(&["run", "night", "--date", "2026-10-30"]).ends(0);
    assert_eq!(over.events("settled", "a")[0]["outcome"], "failed");
    assert_eq!(over.events("incident-opened", "").len(), 0);
    assert_eq!(house.ran(), ["b 1"]);
    let mails = house.mails();
    assert_eq!(mails.len(), 1);
    assert_eq!(mails[0].to, "rob@bank.example");
    assert!(mails[0].text.contains("no paper"), "{}", mails[0].text);
}

#[test]
fn each_retry_waits_as_told_and_the_last_failure_counts() {
    let house = House::new(
        r#"
  a: {title: A, run: [sh, job.sh], retry: {max: 3, wait: 40ms, growth: 2}, success: {line: never}}
  b: {title: B, shell: "sh job.sh; exit 7", success: {exit_codes: [7], line: says go}, needs: ["a:ended"]}
  c: {title: C, shell: "sh job.sh; [ $NIGHTRUN_ATTEMPT = 2 ]", retry: {max: 3}, needs: [b]}
"#,
    );
    let over = house.spawn(&["run", "night", "--date", "2026-10-30"]).ends(1);
    let waits: Vec<&str> =
        over.events("retry-planned", "a").iter().map(|e| e["wait"].as_str().unwrap()).collect();
    assert_eq!(waits, ["40ms", "80ms", "160ms"]);
    assert_eq!(house.ran(), ["a 1", "a 2", "a 3", "a 4", "b 1", "c 1", "c 2"]);
    assert_eq!(over.events("incident-opened", "").len(), 1);
    let attempts = house.job("a")["attempts"].clone();
    let time = |n: usize, what: &str| -> jiff::Timestamp {
        attempts[n][what].as_str().unwrap().parse().unwrap()
    };
    for (n, wait) in [(1, 40), (2, 80), (3, 160)] {
        let waited = time(n, "started").duration_since(time(n - 1, "ended"));
        assert!(waited.as_millis() >= wait, "{attempts}");
    }
    house.nothing_is_lost();
}
