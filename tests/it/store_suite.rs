//! What every store must do, written against the trait: each database runs the same cases.

use std::time::Duration;

use jiff::SignedDuration;
use nightrun::core::fact::{Fact, Opened, RunResult};
use nightrun::journal::{Chain, Head, Secret, address, verify};
use nightrun::port::{Commit, RunFilter, Store, StoreError, StoreReader, TrialOffset, Unsent};
use nightrun::types::{
    Epoch, IncidentId, Outcome, PasswordHash, PersonId, Right, RunKey, Span, TokenHash, TokenId,
};

pub(crate) use crate::store_archived::{
    an_archived_run_keeps_its_place_and_a_lost_one_gets_its_own,
    what_is_whole_begins_after_what_was_archived,
};
pub(crate) use crate::store_suite_acts::what_people_did_since_an_instant_is_found_whatever_run_it_is_about;
pub(crate) use crate::store_suite_events::an_event_stands_until_it_is_forgotten;

use crate::journal_writer::{Writer, attempt, ended, job, mail, note, opened, run, settled, time};

/// The cases, each on a store of its own that `$open` makes: `(what must live as long, store)`.
#[macro_export]
macro_rules! store_suite {
    ($open:path) => {
        $crate::store_suite!($open:
            a_commit_is_kept_whole_and_in_order, a_failed_commit_leaves_nothing,
            who_does_not_lead_any_more_writes_nothing, a_commit_continues_the_stored_head,
            a_commit_whose_answer_was_lost_may_be_repeated, a_run_is_replayed_from_its_entries,
            mail_leaves_in_order_and_once, runs_and_incidents_are_numbered,
            runs_that_ended_with_a_doubt_are_known_until_it_is_decided,
            history_knows_the_last_good_attempts, an_outcome_is_that_of_the_last_real_run,
            a_trial_counts_for_nothing_else, blobs_go_by_their_content,
            rows_that_change_one_thing_twice_are_stored_in_their_order,
            credentials_are_kept_beside_the_journal, an_event_stands_until_it_is_forgotten,
            an_archived_run_keeps_its_place_and_a_lost_one_gets_its_own,
            what_is_whole_begins_after_what_was_archived,
            what_people_did_since_an_instant_is_found_whatever_run_it_is_about,
        );
    };
    ($open:path: $($case:ident),+ $(,)?) => {
        $(#[tokio::test]
        async fn $case() {
            let (_keep, store) = $open().await;
            $crate::store_suite::$case(store).await;
        })+
    };
}

pub(crate) async fn a_commit_is_kept_whole_and_in_order<S: Store>(store: S) {
    let mut writer = Writer::lead(store).await;
    let eod = run("eod@2026-10-30#1");
    assert_eq!(writer.store.reader().head().await.unwrap(), Head::default());
    writer.write(&[opened(&eod, "2026-10-30", false), note(&eod)]).await.unwrap();
    writer.write(&attempt(&eod, "load", 1, 1_500, true)).await.unwrap();
    writer.write(&[settled(&eod, "load", Outcome::Succeeded), ended(&eod)]).await.unwrap();

    let reader = writer.store.reader();
    let all = reader.all_entries(0, 100).await.unwrap();
    assert_eq!(all.iter().map(|entry| entry.seq).collect::<Vec<_>>(), [1, 2, 3, 4, 5, 6, 7]);
    assert_eq!(all[0].open().unwrap().fact, opened(&eod, "2026-10-30", false));
    assert_eq!(all[1].open().unwrap().fact, note(&eod));
    let paged = reader.all_entries(3, 2).await.unwrap();
    assert_eq!(paged, all[3..5]);
    let head = verify(Head::default(), all).unwrap();
    assert_eq!(&head, writer.chain.head());
    assert_eq!(head, reader.head().await.unwrap());

    let runs = reader.runs(&RunFilter::default()).await.unwrap();
    assert_eq!(runs.len(), 1);
    assert_eq!((runs[0].result, runs[0].opened_seq), (Some(RunResult::Well), 1));
    assert_eq!(runs[0].ended, Some(writer.at));

    // Many at once, of every size that a store may split them into.
    writer.write(&vec![note(&eod); 64 + 16 + 4 + 4 + 1]).await.unwrap();
    assert_eq!(writer.store.reader().verify().await.unwrap().seq, 96);
}

pub(crate) async fn a_failed_commit_leaves_nothing<S: Store>(store: S) {
    let mut writer = Writer::lead(store).await;
    let eod = run("eod@2026-10-30#1");
    writer.write(&[opened(&eod, "2026-10-30", false)]).await.unwrap();
    let before = writer.chain.clone();

    let other = run("eod@2026-10-30#2");
    let mut commit = writer.turn(&[opened(&other, "2026-10-30", false), note(&other)]);
    commit.mail.push(mail(1, "2026-10-30T00:00:00Z"));
    commit.blobs.push(b"select 1".to_vec());
    // The last row fails: that run is there already.
    commit.rows.push(commit.rows[0].clone());
    let refused = writer.store.commit(&commit).await;
    assert!(matches!(refused, Err(StoreError::Contradiction(_))), "{refused:?}");

    let reader = writer.store.reader().clone();
    assert_eq!(reader.head().await.unwrap(), *before.head());
    assert_eq!(reader.all_entries(0, 10).await.unwrap().len(), 1);
    assert_eq!(reader.runs(&RunFilter::default()).await.unwrap().len(), 1);
    assert_eq!(reader.outbox_unsent().await.unwrap(), []);
    assert_eq!(reader.blob_get(&address(b"select 1")).await.unwrap(), None);

    // A row that changes what is not there is refused as well.
    writer.chain = before;
    let refused = writer.write(&[ended(&other)]).await;
    assert!(matches!(refused, Err(StoreError::Contradiction(_))), "{refused:?}");
    writer.write(&[note(&eod)]).await.unwrap();
}

pub(crate) async fn who_does_not_lead_any_more_writes_nothing<S: Store>(store: S) {
    let mut first = Writer::lead(store).await;
    let eod = run("eod@2026-10-30#1");
    first.write(&[opened(&eod, "2026-10-30", false)]).await.unwrap();
    let stale = (first.epoch, first.chain.clone());
    let mut second = Writer::lead(first.store).await;
    assert_eq!(second.epoch, Epoch(stale.0.0 + 1));
    let refused = second.store.commit(&Commit { epoch: stale.0, ..Commit::default() }).await;
    assert!(matches!(refused, Err(StoreError::Overtaken(_))), "{refused:?}");

    second.epoch = stale.0;
    let refused = second.write(&[note(&eod)]).await;
    assert!(matches!(refused, Err(StoreError::Overtaken(_))), "{refused:?}");
    assert_eq!(second.store.reader().head().await.unwrap(), *stale.1.head());
}

pub(crate) async fn a_commit_continues_the_stored_head<S: Store>(store: S) {
    let mut writer = Writer::lead(store).await;
    let eod = run("eod@2026-10-30#1");
    writer.write(&[opened(&eod, "2026-10-30", false)]).await.unwrap();
    let stored = writer.chain.head().clone();

    let gap = Head { seq: stored.seq + 1, hash: stored.hash.clone() };
    let fork = Head { seq: stored.seq, hash: "1".repeat(64) };
    for elsewhere in [gap, fork, Head::default()] {
        writer.chain = Chain::after(elsewhere);
        let refused = writer.write(&[note(&eod)]).await;
        assert!(matches!(refused, Err(StoreError::Overtaken(_))), "{refused:?}");
    }
    writer.chain = Chain::after(stored);
    let mut commit = writer.turn(&[note(&eod), note(&eod), note(&eod)]);
    commit.entries.remove(1);
    let refused = writer.store.commit(&commit).await;
    assert!(matches!(refused, Err(StoreError::Contradiction(_))), "{refused:?}");
    assert_eq!(writer.store.reader().all_entries(0, 10).await.unwrap().len(), 1);
}

pub(crate) async fn a_commit_whose_answer_was_lost_may_be_repeated<S: Store>(store: S) {
    let mut writer = Writer::lead(store).await;
    let eod = run("eod@2026-10-30#1");
    let mut commit = writer.turn(&[opened(&eod, "2026-10-30", false)]);
    commit.mail.push(mail(1, "2026-10-30T00:00:00Z"));
    writer.store.commit(&commit).await.unwrap();
    writer.store.commit(&commit).await.unwrap();
    assert_eq!(writer.store.reader().all_entries(0, 10).await.unwrap().len(), 1);
    assert_eq!(writer.store.reader().outbox_unsent().await.unwrap().len(), 1);
}

pub(crate) async fn a_run_is_replayed_from_its_entries<S: Store>(store: S) {
    let mut writer = Writer::lead(store).await;
    let (old, eod, fx) = (run("eod@2026-10-29#1"), run("eod@2026-10-30#1"), run("fx@2026-10-30#1"));
    let across = |date: &str| Fact::AcrossKnown {
        job: "eod.close".parse().unwrap(),
        date: date.parse().unwrap(),
        outcome: Some(Outcome::Succeeded),
    };
    let opened = |run| opened(run, "2026-10-30", false);
    writer.write(&[opened(&old), across("2026-10-28"), ended(&old)]).await.unwrap();
    writer.write(&[opened(&fx), across("2026-10-29")]).await.unwrap();
    writer.write(&[opened(&eod), note(&fx), note(&eod)]).await.unwrap();

    let reader = writer.store.reader().clone();
    let seqs = |entries: Vec<nightrun::journal::Sealed>| {
        entries.into_iter().map(|entry| entry.seq).collect::<Vec<_>>()
    };
    assert_eq!(seqs(reader.entries(&fx).await.unwrap()), [4, 5, 7]);
    assert_eq!(seqs(reader.entries(&eod).await.unwrap()), [6, 8]);
    assert_eq!(seqs(reader.entries(&old).await.unwrap()), [1, 2, 3, 5]);
    assert_eq!(seqs(reader.open_entries().await.unwrap()), [4, 5, 6, 7, 8]);
    let open: Vec<_> = reader.open_runs().await.unwrap().into_iter().map(|row| row.run).collect();
    assert_eq!(open, [fx.clone(), eod.clone()]);

    writer.write(&[ended(&fx), ended(&eod)]).await.unwrap();
    assert_eq!(reader.open_entries().await.unwrap(), []);
    writer.write(&[Fact::RunReopened { run: eod.clone() }]).await.unwrap();
    assert_eq!(seqs(reader.open_entries().await.unwrap()), [6, 8, 10, 11]);
}

pub(crate) async fn mail_leaves_in_order_and_once<S: Store>(store: S) {
    let mut writer = Writer::lead(store).await;
    let mut commit = writer.turn(&[note(&run("eod@2026-10-30#1"))]);
    let early = "2026-10-30T21:00:00Z";
    commit.mail = vec![mail(1, early), mail(2, "2026-10-30T22:00:00Z"), mail(3, early)];
    writer.store.commit(&commit).await.unwrap();
    let again = Commit {
        mail: vec![mail(1, early)],
        ..Commit { epoch: writer.epoch, ..Commit::default() }
    };
    let refused = writer.store.commit(&again).await;
    assert!(matches!(refused, Err(StoreError::Contradiction(_))), "{refused:?}");

    let reader = writer.store.reader().clone();
    let due = async |now: &str| {
        let due = reader.outbox_due(time(now), 10).await.unwrap();
        due.into_iter().map(|queued| queued.id).collect::<Vec<_>>()
    };
    assert_eq!(due("2026-10-30T20:59:59Z").await, [] as [u64; 0]);
    assert_eq!(due(early).await, [1, 3]);
    assert_eq!(due("2026-10-30T22:00:00Z").await, [1, 2, 3]);
    assert_eq!(reader.outbox_due(time(early), 1).await.unwrap()[0].mail, mail(1, early));

    writer.store.outbox_sent(1, time(early), "250 2.0.0 queued as 4711").await.unwrap();
    let later = time("2026-10-30T21:05:00Z");
    writer.store.outbox_failed(3, "451 try again", Some(later)).await.unwrap();
    assert_eq!(due(early).await, [] as [u64; 0]);
    assert_eq!(due("2026-10-30T21:05:00Z").await, [3]);
    // Given up: not due again, and still told as unsent.
    writer.store.outbox_failed(3, "550 no such user", None).await.unwrap();
    assert_eq!(due("2026-10-31T00:00:00Z").await, [2]);
    let unsent = reader.outbox_unsent().await.unwrap();
    assert_eq!(unsent.iter().map(|queued| queued.id).collect::<Vec<_>>(), [2, 3]);
    assert_eq!((unsent[1].tries, unsent[1].due), (2, None));
    let ten = Some(time("2026-10-30T22:00:00Z"));
    let counted = Unsent { all: 2, waiting: 1, waiting_since: ten, next: ten };
    assert_eq!(reader.outbox_counted().await.unwrap(), counted);
    assert_eq!(unsent[1].why.as_deref(), Some("550 no such user"));
    // A late word of failure does not send it twice.
    writer.store.outbox_failed(1, "timed out", Some(later)).await.unwrap();
    assert_eq!(due("2026-10-31T00:00:00Z").await, [2]);
    let unknown = writer.store.outbox_sent(9, later, "250").await;
    assert!(matches!(unknown, Err(StoreError::Contradiction(_))), "{unknown:?}");
}

pub(crate) async fn runs_and_incidents_are_numbered<S: Store>(store: S) {
    let mut writer = Writer::lead(store).await;
    let first = run("eod@2026-10-30#1");
    let key = RunKey::new("2026-10-30").unwrap();
    let reader = writer.store.reader().clone();
    assert_eq!(reader.next_run_number(&first.batch, &key).await.unwrap(), 1);
    assert_eq!(reader.next_incident().await.unwrap(), IncidentId(1));
    let incident = Fact::IncidentOpened(Box::new(Opened::about(
        IncidentId(1),
        Some(first.clone()),
        Some(job("load")),
    )));
    let closed = Fact::IncidentClosed {
        incident: IncidentId(1),
        run: Some(first.clone()),
        job: Some(job("load")),
    };
    writer.write(&[opened(&first, "2026-10-30", true), incident, closed]).await.unwrap();
    assert_eq!(reader.next_run_number(&first.batch, &key).await.unwrap(), 2);
    let other = RunKey::new("2026-10-31").unwrap();
    assert_eq!(reader.next_run_number(&first.batch, &other).await.unwrap(), 1);
    assert_eq!(reader.next_incident().await.unwrap(), IncidentId(2));
}

pub(crate) async fn runs_that_ended_with_a_doubt_are_known_until_it_is_decided<S: Store>(store: S) {
    let mut writer = Writer::lead(store).await;
    let reader = writer.store.reader().clone();
    let left = async || {
        let rows = reader.runs_left_in_doubt().await.unwrap();
        rows.iter().map(|row| row.run.to_string()).collect::<Vec<_>>()
    };
    for (name, doubt) in [("eod@2026-10-30#1", true), ("rep@2026-10-30#1", false)] {
        let run = run(name);
        writer.write(&[opened(&run, "2026-10-30", false)]).await.unwrap();
        writer.write(&attempt(&run, "load", 1, 5, false)).await.unwrap();
        if doubt {
            writer.write(&[note(&run)]).await.unwrap();
            assert!(left().await.is_empty(), "it is open");
        } else {
            writer.write(&[settled(&run, "load", Outcome::Failed)]).await.unwrap();
        }
        writer.write(&[ended(&run)]).await.unwrap();
        assert_eq!(left().await, ["eod@2026-10-30#1"]);
    }
    let eod = run("eod@2026-10-30#1");
    let reopened = Fact::RunReopened { run: eod.clone() };
    writer.write(&[reopened, settled(&eod, "load", Outcome::Skipped)]).await.unwrap();
    writer.write(&[ended(&eod)]).await.unwrap();
    assert!(left().await.is_empty(), "decided");
}

pub(crate) async fn history_knows_the_last_good_attempts<S: Store>(store: S) {
    let mut writer = Writer::lead(store).await;
    let eod = run("eod@2026-10-30#1");
    writer.write(&[opened(&eod, "2026-10-30", false)]).await.unwrap();
    // Of 25 attempts the last 20 count: 6 s to 25 s. Failed ones never do.
    for number in 1..=25 {
        let took = i64::from(number) * 1_000;
        writer.write(&attempt(&eod, "load", number, took, true)).await.unwrap();
    }
    writer.write(&attempt(&eod, "load", 26, 9_000_000, false)).await.unwrap();
    writer.write(&attempt(&eod, "post", 1, 7, true)).await.unwrap();
    writer.write(&attempt(&eod, "never", 1, 7, false)).await.unwrap();

    let history = writer.store.reader().history(&eod.batch, None, 20).await.unwrap();
    assert_eq!(history.len(), 2);
    let load = history[&job("load")];
    assert_eq!((load.attempts, load.p50, load.p95), (20, Span::seconds(15), Span::seconds(24)));
    let post = history[&job("post")];
    let seven = Span::of(Duration::from_millis(7));
    assert_eq!((post.attempts, post.p50, post.p95), (1, seven, seven));

    let took = writer.store.reader().took(&eod).await.unwrap();
    assert_eq!(took.keys().cloned().collect::<Vec<_>>(), [job("load"), job("never"), job("post")]);
    assert_eq!(took[&job("post")], seven);
    assert!(took[&job("load")] >= Span::seconds(9_000), "from its first start to its last end");
    let other = run("eod@2026-10-29#1");
    assert!(writer.store.reader().took(&other).await.unwrap().is_empty());

    let samples = writer.store.reader().samples(&eod.batch, 20).await.unwrap();
    let seconds = (6..=25).map(Span::seconds).collect::<Vec<_>>();
    assert_eq!((samples.len(), &samples[&job("load")]), (2, &seconds), "shortest first");

    // What was usual before a run says neither that run nor a later one, whichever ended first.
    let (next, last) = (run("eod@2026-11-02#1"), run("eod@2026-11-03#1"));
    writer.write(&[opened(&next, "2026-11-02", false)]).await.unwrap();
    writer.write(&[opened(&last, "2026-11-03", false)]).await.unwrap();
    writer.write(&attempt(&last, "post", 1, 9_000, true)).await.unwrap();
    writer.write(&attempt(&next, "post", 1, 8_000, true)).await.unwrap();
    let reader = writer.store.reader();
    for (before, attempts, p95) in [
        (Some(&next), Some(1), seven),
        (Some(&last), Some(2), Span::seconds(8)),
        (None, Some(3), Span::seconds(9)),
        (Some(&eod), None, seven),
    ] {
        let post = reader.history(&eod.batch, before, 20).await.unwrap().remove(&job("post"));
        assert_eq!(post.map(|post| (post.attempts, post.p95)), attempts.map(|many| (many, p95)));
    }
}

pub(crate) async fn an_outcome_is_that_of_the_last_real_run<S: Store>(store: S) {
    let mut writer = Writer::lead(store).await;
    let (first, second) = (run("eod@2026-10-30#1"), run("eod@2026-10-30#2"));
    let date = "2026-10-30".parse().unwrap();
    let close = "eod.close".parse().unwrap();
    let reader = writer.store.reader().clone();
    assert_eq!(reader.outcome(&close, date).await.unwrap(), None);
    writer.write(&[opened(&first, "2026-10-30", false)]).await.unwrap();
    assert_eq!(reader.outcome(&close, date).await.unwrap(), None);
    writer.write(&[settled(&first, "close", Outcome::NotScheduled)]).await.unwrap();
    assert_eq!(reader.outcome(&close, date).await.unwrap(), Some(Outcome::NotScheduled));
    writer.write(&[opened(&second, "2026-10-30", false)]).await.unwrap();
    assert_eq!(reader.outcome(&close, date).await.unwrap(), None);
    writer.write(&[settled(&second, "close", Outcome::Failed)]).await.unwrap();
    assert_eq!(reader.outcome(&close, date).await.unwrap(), Some(Outcome::Failed));
    let again = Fact::Reopened { run: second.clone(), job: job("close") };
    writer.write(&[again]).await.unwrap();
    assert_eq!(reader.outcome(&close, date).await.unwrap(), None);
    writer.write(&[settled(&second, "close", Outcome::Forced)]).await.unwrap();
    assert_eq!(reader.outcome(&close, date).await.unwrap(), Some(Outcome::Forced));
    let day_before = "2026-10-29".parse().unwrap();
    assert_eq!(reader.outcome(&close, day_before).await.unwrap(), None);
}

pub(crate) async fn a_trial_counts_for_nothing_else<S: Store>(store: S) {
    let mut writer = Writer::lead(store).await;
    let (real, trial) = (run("eod@2026-10-30#1"), run("eod@2026-10-30#2"));
    let date = "2026-10-30";
    writer.write(&[opened(&real, date, false), opened(&trial, date, true)]).await.unwrap();
    writer.write(&attempt(&real, "load", 1, 1_000, true)).await.unwrap();
    writer.write(&attempt(&trial, "load", 1, 9_000, true)).await.unwrap();
    let outcomes =
        [settled(&real, "load", Outcome::Succeeded), settled(&trial, "load", Outcome::Failed)];
    writer.write(&outcomes).await.unwrap();

    let reader = writer.store.reader().clone();
    let load = reader.history(&real.batch, None, 20).await.unwrap()[&job("load")];
    assert_eq!((load.attempts, load.p95), (1, Span::seconds(1)));
    let outcome = reader.outcome(&"eod.load".parse().unwrap(), date.parse().unwrap()).await;
    assert_eq!(outcome.unwrap(), Some(Outcome::Succeeded));
    for (wanted, found) in [(Some(true), &trial), (Some(false), &real)] {
        let filter = RunFilter {
            batch: Some(real.batch.clone()),
            business_date: Some(date.parse().unwrap()),
            trial: wanted,
            limit: Some(5),
            ..RunFilter::default()
        };
        let runs = reader.runs(&filter).await.unwrap();
        assert_eq!(runs.iter().map(|row| &row.run).collect::<Vec<_>>(), [found]);
    }
    let last = reader.runs(&RunFilter { limit: Some(1), ..RunFilter::default() }).await.unwrap();
    assert_eq!(last[0].run, trial);

    let offset = TrialOffset {
        wall: SignedDuration::from_micros(-5_000_001),
        since_boot: Duration::from_micros(7),
    };
    assert_eq!(reader.trial_clock(&trial).await.unwrap(), None);
    for offset in [TrialOffset::default(), offset] {
        let trial = Some((trial.clone(), offset));
        let commit = Commit { epoch: writer.epoch, trial, ..Commit::default() };
        writer.store.commit(&commit).await.unwrap();
    }
    assert_eq!(reader.trial_clock(&trial).await.unwrap(), Some(offset));
    assert_eq!(reader.trial_clock(&real).await.unwrap(), None);
}

pub(crate) async fn blobs_go_by_their_content<S: Store>(mut store: S) {
    for bytes in [&b"select 1;\n"[..], "日终".as_bytes(), b"\x7fELF\0\xff", b""] {
        let address = store.blob_put(bytes).await.unwrap();
        assert_eq!(store.blob_put(bytes).await.unwrap(), address);
        assert_eq!(store.reader().blob_get(&address).await.unwrap().as_deref(), Some(bytes));
    }
    assert_eq!(store.reader().blob_get(&"0".repeat(64)).await.unwrap(), None);
}

pub(crate) async fn rows_that_change_one_thing_twice_are_stored_in_their_order<S: Store>(store: S) {
    let mut writer = Writer::lead(store).await;
    let eod = run("eod@2026-10-30#1");
    let again = || Fact::Reopened { run: eod.clone(), job: job("a") };
    let reopened = || Fact::RunReopened { run: eod.clone() };
    let close = "eod.a".parse().unwrap();
    let date = "2026-10-30".parse().unwrap();
    writer
        .write(&[opened(&eod, "2026-10-30", false), settled(&eod, "a", Outcome::Failed), again()])
        .await
        .unwrap();
    assert_eq!(writer.store.reader().outcome(&close, date).await.unwrap(), None);
    writer
        .write(&[settled(&eod, "a", Outcome::Failed), again(), settled(&eod, "a", Outcome::Forced)])
        .await
        .unwrap();
    let outcome = writer.store.reader().outcome(&close, date).await.unwrap();
    assert_eq!(outcome, Some(Outcome::Forced));
    writer.write(&[ended(&eod), reopened()]).await.unwrap();
    assert_eq!(writer.store.reader().open_runs().await.unwrap().len(), 1);
    writer.write(&[ended(&eod), reopened(), ended(&eod)]).await.unwrap();
    assert!(writer.store.reader().open_runs().await.unwrap().is_empty());
    assert_eq!(writer.store.reader().verify().await.unwrap(), *writer.chain.head());
}

pub(crate) async fn credentials_are_kept_beside_the_journal<S: Store>(store: S) {
    let mut writer = Writer::lead(store).await;
    let reader = writer.store.reader().clone();
    let (ann, bo) = (PersonId::new("ann").unwrap(), PersonId::new("bo").unwrap());
    let password = |person: &PersonId| Fact::PasswordSet {
        person: person.clone(),
        by: person.clone(),
        reason: String::new(),
    };
    let phc = |text: &str| Secret::Password(PasswordHash(format!("$argon2id$v=19${text}")));
    writer.write_secret(password(&ann), Some(phc("first"))).await.unwrap();
    writer.write_secret(password(&ann), Some(phc("second"))).await.unwrap();
    let kept = reader.password_of(&ann).await.unwrap().unwrap();
    assert_eq!(kept.hash, PasswordHash("$argon2id$v=19$second".into()));
    assert_eq!((kept.at, &kept.by), (writer.at, &ann));
    assert_eq!(reader.password_of(&bo).await.unwrap(), None);

    let expires = time("2026-11-30T00:00:00Z");
    let made = |number: u64| Fact::TokenMade {
        token: TokenId(number),
        person: bo.clone(),
        name: "夜间 \"x\"".into(),
        rights: [Right::Read, Right::Order].into_iter().collect(),
        expires,
        by: ann.clone(),
        reason: String::new(),
    };
    let hash = |letter: &str| TokenHash(letter.repeat(64));
    writer.write_secret(made(1), Some(Secret::Token(hash("a")))).await.unwrap();
    let first_made = writer.at;
    writer.write_secret(made(2), Some(Secret::Token(hash("b")))).await.unwrap();
    let now = time("2026-10-31T00:00:00Z");
    let good = reader.good_token(&hash("a"), now).await.unwrap().unwrap();
    assert_eq!((good.token, &good.person, &good.by), (TokenId(1), &bo, &ann));
    assert_eq!((good.rights.to_string(), good.expires), ("read, order".to_owned(), expires));
    assert_eq!((good.made, good.name.as_str()), (first_made, "夜间 \"x\""));
    assert_eq!(reader.good_token(&hash("c"), now).await.unwrap(), None);
    assert_eq!(reader.good_token(&hash("a"), expires).await.unwrap(), None, "it is over");

    let revoked = |number| Fact::TokenRevoked {
        token: TokenId(number),
        by: ann.clone(),
        reason: "lost".into(),
    };
    writer.write_secret(revoked(1), None).await.unwrap();
    assert_eq!(reader.good_token(&hash("a"), now).await.unwrap(), None, "it is revoked");
    assert!(reader.good_token(&hash("b"), now).await.unwrap().is_some());
    let all = reader.tokens().await.unwrap();
    let seen: Vec<_> = all.iter().map(|row| (row.token.0, row.revoked)).collect();
    assert_eq!(seen, [(1, Some(writer.at)), (2, None)]);

    // Of a token that is not there nothing can be revoked, and no secret serves twice.
    let before = writer.chain.clone();
    for (fact, secret) in [(revoked(9), None), (made(3), Some(Secret::Token(hash("b"))))] {
        let refused = writer.write_secret(fact, secret).await;
        assert!(matches!(refused, Err(StoreError::Contradiction(_))), "{refused:?}");
    }
    assert_eq!(reader.head().await.unwrap(), *before.head());
    assert_eq!(reader.standing().await.unwrap().len(), 2);
    // The journal knows that it was set and made, and nothing of the secrets.
    for entry in reader.all_entries(0, 100).await.unwrap() {
        assert!(!entry.body.contains("argon2") && !entry.body.contains("aaaa"), "{}", entry.body);
    }
}
