//! A supervisor reduced to its pen: seals facts, makes their rows, commits them.

use std::collections::BTreeMap;
use std::time::Duration;

use jiff::{SignedDuration, Timestamp};
use nightrun::core::fact::{Fact, RunOpened, RunResult, Why};
use nightrun::journal::{Chain, OutgoingMail, Secret, kept, rows};
use nightrun::port::{Commit, Store, StoreError, StoreReader};
use nightrun::types::{
    AttemptId, BootId, Ending, Epoch, HostName, JobName, Outcome, PersonId, RunId, Usage,
};
use nightrun::wire::Ended;

pub(crate) struct Writer<S> {
    pub(crate) store: S,
    pub(crate) chain: Chain,
    pub(crate) epoch: Epoch,
    /// Moves on by a second with each entry.
    pub(crate) at: Timestamp,
}

pub(crate) fn time(text: &str) -> Timestamp {
    text.parse().unwrap()
}

pub(crate) fn run(text: &str) -> RunId {
    text.parse().unwrap()
}

pub(crate) fn job(name: &str) -> JobName {
    JobName::new(name).unwrap()
}

pub(crate) fn opened(run: &RunId, date: &str, trial: bool) -> Fact {
    Fact::RunOpened(Box::new(RunOpened {
        run: run.clone(),
        batch: run.batch.clone(),
        business_date: date.parse().unwrap(),
        anchor: time("2026-10-30T20:30:00Z"),
        trial,
        definition: "0".repeat(64),
        parameters: BTreeMap::new(),
        by: PersonId::new("li-wei").unwrap(),
        only: Vec::new(),
        across: Vec::new(),
        expected: BTreeMap::new(),
        boot: BootId("boot-1".into()),
        since_boot: Duration::from_secs(60),
        window_override: None,
        second: None,
        scheduled: None,
        late: None,
        revision: None,
        list: None,
    }))
}

pub(crate) fn ended(run: &RunId) -> Fact {
    Fact::RunEnded { run: run.clone(), result: RunResult::Well }
}

pub(crate) fn note(run: &RunId) -> Fact {
    Fact::InDoubt { run: run.clone(), job: job("load"), why: "断电: what became of it?".into() }
}

pub(crate) fn settled(run: &RunId, name: &str, outcome: Outcome) -> Fact {
    Fact::Settled { run: run.clone(), job: job(name), outcome, why: Why::TimeCame }
}

/// Intent, start and end of an attempt that took so many milliseconds.
pub(crate) fn attempt(run: &RunId, name: &str, number: u32, took_ms: i64, good: bool) -> [Fact; 3] {
    let attempt = AttemptId { run: run.clone(), job: job(name), number };
    let started = time("2026-10-30T20:31:00Z") + SignedDuration::from_secs(i64::from(number));
    let done = Ended {
        attempt: attempt.clone(),
        ending: Ending::Exited { code: i32::from(!good) },
        started: Some(started),
        ended: started + SignedDuration::from_millis(took_ms),
        usage: Usage { user_us: 5, system_us: 6, max_rss_kib: 7 },
        line_found: true,
        output_bytes: 8,
        tail: vec!["完成".into()],
        values: BTreeMap::new(),
        notes: Vec::new(),
        work: None,
    };
    let (host, boot) = (HostName::new("local").unwrap(), BootId("boot-1".into()));
    [
        Fact::AttemptIntended { attempt: attempt.clone(), host, boot, examine: false },
        Fact::AttemptStarted { attempt, pid: 9, at: started },
        Fact::AttemptEnded { ended: Box::new(done), good },
    ]
}

pub(crate) fn mail(number: u32, not_before: &str) -> OutgoingMail {
    OutgoingMail {
        message_id: format!("<eod.{number}@bank.example>"),
        from: "nightrun@bank.example".into(),
        to: "li.wei@bank.example".into(),
        bytes: b"Subject: x\r\n\r\nbody\r\n".to_vec(),
        not_before: time(not_before),
    }
}

impl<S: Store> Writer<S> {
    /// Takes the lead and goes on where the journal stands.
    pub(crate) async fn lead(mut store: S) -> Self {
        let epoch = store.claim_epoch().await.unwrap();
        let chain = Chain::after(store.reader().head().await.unwrap());
        Self { store, chain, epoch, at: time("2026-10-30T20:30:00Z") }
    }

    /// What one turn would commit; the chain moves on.
    pub(crate) fn turn(&mut self, facts: &[Fact]) -> Commit {
        let mut commit = Commit { epoch: self.epoch, ..Commit::default() };
        for fact in facts {
            self.at += SignedDuration::from_secs(1);
            let sealed = self.chain.seal(self.epoch, self.at, self.at, fact).unwrap();
            commit.rows.extend(rows(sealed.seq, self.at, fact));
            commit.entries.push(sealed);
        }
        commit
    }

    /// A fact about credentials, with what is kept of the secret.
    pub(crate) async fn write_secret(
        &mut self,
        fact: Fact,
        secret: Option<Secret>,
    ) -> Result<(), StoreError> {
        let before = self.chain.clone();
        let mut commit = self.turn(std::slice::from_ref(&fact));
        commit.rows.extend(kept(self.at, &fact, secret.as_ref()));
        let written = self.store.commit(&commit).await;
        if written.is_err() {
            self.chain = before;
        }
        written
    }

    pub(crate) async fn write(&mut self, facts: &[Fact]) -> Result<(), StoreError> {
        let before = self.chain.clone();
        let commit = self.turn(facts);
        let written = self.store.commit(&commit).await;
        if written.is_err() {
            self.chain = before;
        }
        written
    }
}
