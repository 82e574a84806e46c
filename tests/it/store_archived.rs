//! Cases of the store's suite about runs whose entries are not in the store: archived, or lost.

use nightrun::core::fact::{Fact, LostAttempt, RunArchived, RunLost, RunResult};
use nightrun::port::{RunFilter, Store, StoreReader};
use nightrun::types::{HostName, Outcome, RunKey};

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
