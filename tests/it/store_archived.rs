//! Cases of the store's suite about runs whose entries are not in the store: archived, or lost.

use nightrun::core::fact::{Fact, LostAttempt, Opened, RunArchived, RunLost, RunResult};
use nightrun::driver::clock::HostClock;
use nightrun::journal::{OutgoingMail, Row};
use nightrun::port::{Commit, RunFilter, Store, StoreReader};
use nightrun::types::{HostName, IncidentId, Outcome, RunId, RunKey};

use crate::journal_writer::{Writer, attempt, ended, note, opened, run, settled};

pub(crate) async fn an_archived_run_keeps_its_place_and_a_lost_one_gets_its_own<S: Store>(store: S)
where
    S::Reader: Sync,
{
    let mut writer = Writer::lead(store).await;
    let (old, eod) = (run("eod@2026-10-29#1"), run("eod@2026-10-30#1"));
    for of in [&old, &eod] {
        writer.write(&[opened(of, of.key.as_str(), false), note(of)]).await.unwrap();
        writer.write(&attempt(of, "load", 1, 1_500, true)).await.unwrap();
        writer.write(&[settled(of, "load", Outcome::Succeeded), ended(of)]).await.unwrap();
    }
    let reader = writer.store.reader().clone();
    let before = reader.own_entries(&old).await.unwrap();
    let archived = RunArchived {
        run: old.clone(),
        file: "old.jsonl.gz".into(),
        digest: "ab".repeat(32),
        bytes: 4_711,
        entries: before.len() as u64,
    };
    writer.write(&[Fact::RunArchived(Box::new(archived))]).await.unwrap();
    let left = reader.own_entries(&old).await.unwrap();
    assert_eq!(left.len(), 1, "the entry that says so");
    let all = reader.all_entries(0, 100).await.unwrap();
    let stubs: Vec<_> = all.iter().filter(|entry| entry.is_archived()).collect();
    assert_eq!(stubs.len(), before.len());
    assert!(stubs.iter().zip(&before).all(|(stub, before)| stub.hash == before.hash));
    assert_eq!(reader.verify().await.unwrap(), *writer.chain.head());
    let attempts = reader.attempts().await.unwrap();
    assert!(attempts.keys().all(|attempt| attempt.run == eod) && attempts.len() == 1);
    let runs = reader.runs(&RunFilter::default()).await.unwrap();
    assert_eq!(runs[1].archived.as_deref(), Some("old.jsonl.gz"));
    assert_eq!(runs[0].archived, None);
    assert_eq!(reader.archived().await.unwrap()[0].bytes, 4_711);
    let key = RunKey::new("2026-10-29").unwrap();
    assert_eq!(reader.next_run_number(&old.batch, &key).await.unwrap(), 2);
    let load = "eod.load".parse().unwrap();
    let outcome = reader.outcome(&load, "2026-10-29".parse().unwrap()).await.unwrap();
    assert_eq!(outcome, Some(Outcome::Succeeded));

    // What nobody goes by any more leaves; the message that was decided last stays, for the numbers of those to come.
    let (mine, other) = (b"definition".to_vec(), b"script".to_vec());
    let blobs = vec![mine.clone(), other.clone()];
    let names = [nightrun::journal::address(&mine), nightrun::journal::address(&other)];
    let now = nightrun::port::Clock::now(&HostClock::new().unwrap()).wall;
    let mail = ["a", "b", "c"].map(|id| OutgoingMail {
        message_id: format!("<{id}@x>"),
        from: "n@x".into(),
        to: "o@x".into(),
        bytes: b"mail".to_vec(),
        not_before: now,
    });
    let epoch = writer.epoch;
    let kept = Commit { epoch, blobs, mail: mail.to_vec(), ..Commit::default() };
    writer.store.commit(&kept).await.unwrap();
    let hour = jiff::SignedDuration::from_hours(1);
    for (id, at) in [(1, now - hour * 2), (3, now - hour * 2)] {
        writer.store.outbox_sent(id, at, "250").await.unwrap();
    }
    let gone = names[0].clone();
    let rows = vec![Row::MailLetGo { sent_before: now - hour }, Row::BlobLetGo { address: gone }];
    let unneeded = Commit { epoch, rows, ..Commit::default() };
    // Whether its first answer was lost or not.
    for _ in 0..2 {
        writer.store.commit(&unneeded).await.unwrap();
        assert_eq!(reader.blobs().await.unwrap(), [names[1].clone()]);
        assert_eq!(reader.blob_get(&names[0]).await.unwrap(), None);
    }
    assert!(writer.store.outbox_sent(1, now, "250").await.is_err(), "it has gone");
    writer.store.outbox_sent(3, now, "250").await.unwrap();
    assert_eq!(reader.outbox_unsent().await.unwrap()[0].id, 2, "what was not sent stays");
    let more = OutgoingMail { message_id: "<d@x>".into(), ..mail[0].clone() };
    let next = Commit { epoch, mail: vec![more], ..Commit::default() };
    writer.store.commit(&next).await.unwrap();
    assert_eq!(reader.outbox_unsent().await.unwrap()[1].id, 4, "no number is given twice");
    let stale = Commit { epoch: nightrun::types::Epoch(epoch.0 - 1), ..unneeded };
    assert!(writer.store.commit(&stale).await.is_err(), "who leads no more lets nothing go");
    assert_eq!(reader.verify().await.unwrap(), *writer.chain.head());

    // A run that only a host knows of.
    let lost = run("eod@2026-10-31#1");
    let Fact::AttemptEnded { ended: how, .. } = attempt(&lost, "load", 1, 1_500, true)[2].clone()
    else {
        panic!()
    };
    let of = LostAttempt {
        attempt: how.attempt.clone(),
        host: HostName::new("local").unwrap(),
        ended: Some(how),
        marked: Vec::new(),
    };
    let fact = RunLost {
        run: lost.clone(),
        business_date: "2026-10-31".parse().unwrap(),
        trial: false,
        attempts: vec![of.clone()],
    };
    writer.write(&[Fact::RunLost(Box::new(fact))]).await.unwrap();
    let runs = reader.runs(&RunFilter::default()).await.unwrap();
    assert_eq!((&runs[0].run, runs[0].result), (&lost, Some(RunResult::Lost)));
    assert!(reader.has_ending(&of.attempt).await.unwrap());
    let outcome = reader.outcome(&load, "2026-10-31".parse().unwrap()).await.unwrap();
    assert_eq!(outcome, Some(Outcome::Succeeded));
    assert_eq!(reader.restoration().await.unwrap(), None);
}

pub(crate) async fn what_is_whole_begins_after_what_was_archived<S: Store>(store: S) {
    let mut writer = Writer::lead(store).await;
    let reader = writer.store.reader().clone();
    let since = async || reader.whole_since().await.unwrap();
    assert_eq!(since().await, None);
    let [tried, old, quiet, eod] =
        ["tried", "old", "quiet", "eod"].map(|batch| run(&format!("{batch}@2026-10-29#1")));
    let incident = |of: &RunId, number| {
        let about = Opened::about(IncidentId(number), Some(of.clone()), None);
        let opened = Fact::IncidentOpened(Box::new(about));
        let (run, job) = (Some(of.clone()), None);
        [opened, Fact::IncidentClosed { incident: IncidentId(number), run, job }]
    };
    writer.write(&[opened(&tried, "2026-10-29", true)]).await.unwrap();
    assert_eq!(since().await, None, "a trial stands alone");
    let mut times = Vec::new();
    for (number, of) in [(1, &old), (2, &quiet), (3, &eod)] {
        writer.write(&[opened(of, "2026-10-29", false)]).await.unwrap();
        times.push(writer.at);
        if *of != quiet {
            writer.write(&incident(of, number)).await.unwrap();
        }
        times.push(writer.at);
        writer.write(&[ended(of)]).await.unwrap();
    }
    let beginning = since().await.unwrap();
    assert!(beginning <= times[0], "the first entry of a real run");
    // A run without an incident takes nothing with it, one with an incident all that was until its end.
    for (of, wanted) in [(&quiet, None), (&old, Some(times[1])), (&eod, Some(times[5]))] {
        let entries = reader.own_entries(of).await.unwrap().len() as u64;
        let (file, digest) = ("a.jsonl.gz".into(), "ab".repeat(32));
        let archived = RunArchived { run: of.clone(), file, digest, bytes: 1, entries };
        writer.write(&[Fact::RunArchived(Box::new(archived))]).await.unwrap();
        let whole = since().await.unwrap();
        match wanted {
            None => assert_eq!(whole, beginning),
            Some(closed) => assert!(whole > beginning && whole <= closed, "{whole} {closed}"),
        }
    }
    // Runs that went on after an instant: those that end later.
    let going = async |after| {
        let filter = RunFilter { going_after: Some(after), ..RunFilter::default() };
        let rows = reader.runs(&filter).await.unwrap();
        rows.iter().map(|row| row.run.batch.to_string()).collect::<Vec<_>>()
    };
    assert_eq!(going(beginning).await, ["eod", "quiet", "old", "tried"]);
    let ends = reader.runs(&RunFilter::default()).await.unwrap()[1].ended.unwrap();
    assert_eq!(going(ends).await, ["eod", "tried"]);
    // Nor those that were opened later.
    let rows = reader.runs(&RunFilter::default()).await.unwrap();
    let opened_by = Some(rows.iter().map(|row| row.opened).min().unwrap());
    let filter = RunFilter { opened_by, ..RunFilter::default() };
    let first = reader.runs(&filter).await.unwrap();
    assert!(!first.is_empty() && first.len() < rows.len(), "{first:?}");
    assert!(first.iter().all(|row| Some(row.opened) <= opened_by), "{first:?}");
}
