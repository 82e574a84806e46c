//! The state store: journal, rows, outbox and blobs. One supervisor writes; anybody may read.

use std::collections::BTreeMap;

use jiff::Timestamp;

use super::{Pulse, TrialOffset};
use crate::journal::{
    Broken, Head, OutgoingMail, PasswordRow, Proof, Row, RunRow, Sealed, StartsMissed, TokenRow,
};
use crate::types::{
    AttemptId, BatchId, BootId, BusinessDate, Epoch, IncidentId, JobName, JobRef, Outcome,
    PersonId, RunId, RunKey, Span, TokenHash,
};
use crate::view::one_job::PastAttempt;

/// The store could not do what was asked. Nothing of a failed commit is kept.
#[derive(Debug, thiserror::Error)]
pub enum StoreError {
    /// It may work later: disk full, locked, connection lost.
    #[error("the store did not take it: {0}")]
    Trouble(String),
    /// What is stored cannot be read or does not prove itself. Nothing is replaced; people decide.
    #[error("the store cannot be trusted: {0}")]
    Damaged(String),
    /// A newer nightrun wrote it; nothing was touched.
    #[error("the store is newer than this program: {0}")]
    Newer(String),
    #[error("another supervisor uses this store{0}")]
    InUse(String),
    /// Another supervisor has led since, or the journal has gone on without this one: it must stop deciding.
    #[error("this supervisor no longer leads: {0}")]
    Overtaken(String),
    /// The history of this store goes on in another one, or has not arrived here yet: nothing may be written here.
    #[error("this store is not the one to write to: {0}")]
    Elsewhere(String),
    /// It is older than what hosts and targets know: nobody leads with it before a person has taken in what it lacks.
    #[error("this store is older than what has run: {0}")]
    Behind(String),
    /// The rows do not fit what is stored: an error of the program, not of the disk.
    #[error("the store refuses a contradiction: {0}")]
    Contradiction(String),
}

/// All that one turn has decided: stored as a whole or not at all.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct Commit {
    /// The leadership that decides; a lower one than the claimed is refused.
    pub epoch: Epoch,
    /// Continue the stored head without a gap. May be empty.
    pub entries: Vec<Sealed>,
    pub rows: Vec<Row>,
    pub mail: Vec<OutgoingMail>,
    /// Kept under their SHA-256; those that are there already are left as they are.
    pub blobs: Vec<Vec<u8>>,
    /// Where a trial's clock stands, so that a resumed trial goes on from there.
    pub trial: Option<(RunId, TrialOffset)>,
}

/// Which runs to list.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct RunFilter {
    pub batch: Option<BatchId>,
    pub business_date: Option<BusinessDate>,
    /// Only trials, or only real runs.
    pub trial: Option<bool>,
    /// At most so many; all where absent.
    pub limit: Option<u32>,
    /// Only those that were opened before this entry of the journal: what a page goes on from.
    pub opened_before: Option<u64>,
    /// Only those that were under way after this instant: they have not ended, or later.
    pub going_after: Option<Timestamp>,
    /// Only those that were opened by this instant.
    pub opened_by: Option<Timestamp>,
}

/// How long a job took in the last good attempts of real runs.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Durations {
    /// Attempts that it is reckoned from.
    pub attempts: u32,
    /// The median (nearest rank), rounded up to whole milliseconds.
    pub p50: Span,
    /// The longest of all but the slowest twentieth (nearest rank).
    pub p95: Span,
}

/// A message of the outbox.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct QueuedMail {
    /// Its place in the outbox: the order in which messages were decided.
    pub id: u64,
    pub mail: OutgoingMail,
    /// Tries that failed.
    pub tries: u32,
    /// Why the last try failed.
    pub why: Option<String>,
    /// When it is tried next; `None`: given up.
    pub due: Option<Timestamp>,
}

/// Messages of the outbox that were not sent, in numbers.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Unsent {
    /// Given up or not.
    pub all: u32,
    /// Those that are tried again.
    pub waiting: u32,
    /// Since when the oldest of these could be sent.
    pub waiting_since: Option<Timestamp>,
    /// When the first of them is tried next.
    pub next: Option<Timestamp>,
}

/// Where a run was archived.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Archived {
    pub run: RunId,
    /// Its name in the folder of archives.
    pub file: String,
    /// SHA-256 of the file, in hex.
    pub digest: String,
    pub bytes: u64,
    /// The journal entry that says so.
    pub seq: u64,
    pub at: Timestamp,
}

/// A store that was restored from a backup, and that nobody has let go on yet.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Restoration {
    /// When the backup was made.
    pub made: Timestamp,
    /// When it was restored.
    pub at: Timestamp,
}

/// What can be asked of a store, by its supervisor and by anybody else on the host.
pub trait StoreReader {
    /// The last entry of the journal.
    fn head(&self) -> impl Future<Output = Result<Head, StoreError>> + Send;

    /// At most `limit` entries after number `after`, in order, columns as stored: what verification reads.
    fn all_entries(
        &self,
        after: u64,
        limit: u32,
    ) -> impl Future<Output = Result<Vec<Sealed>, StoreError>> + Send;

    /// At most `limit` entries after number `after` that belong to no run, in order: logins, credentials, what was
    /// ordered for the whole site.
    fn house_entries(
        &self,
        after: u64,
        limit: u32,
    ) -> impl Future<Output = Result<Vec<Sealed>, StoreError>> + Send;

    /// A run's entries in order, with those since its opening that belong to no run.
    fn entries(&self, run: &RunId) -> impl Future<Output = Result<Vec<Sealed>, StoreError>> + Send;

    /// The entries of all open runs in order, with those since the first opening that belong to no run: what a
    /// supervisor replays when it starts.
    fn open_entries(&self) -> impl Future<Output = Result<Vec<Sealed>, StoreError>> + Send;

    /// Runs that were opened and have not ended, the oldest first.
    fn open_runs(&self) -> impl Future<Output = Result<Vec<RunRow>, StoreError>> + Send;

    /// Runs that have ended and may have a job in doubt, the oldest first: once there was a doubt in them, and some job of
    /// theirs was tried and has not come out. What a job in doubt took is still kept.
    fn runs_left_in_doubt(&self) -> impl Future<Output = Result<Vec<RunRow>, StoreError>> + Send;

    /// Runs, the last opened first.
    fn runs(
        &self,
        filter: &RunFilter,
    ) -> impl Future<Output = Result<Vec<RunRow>, StoreError>> + Send;

    /// The number of the next run of this batch and key; trials count too.
    fn next_run_number(
        &self,
        batch: &BatchId,
        key: &RunKey,
    ) -> impl Future<Output = Result<u32, StoreError>> + Send;

    fn next_incident(&self) -> impl Future<Output = Result<IncidentId, StoreError>> + Send;

    /// Durations of the batch's jobs from at most `last` good attempts of each, without trials; with `before` only
    /// from runs that were opened before that one, so that no run is compared with itself.
    fn history(
        &self,
        batch: &BatchId,
        before: Option<&RunId>,
        last: u32,
    ) -> impl Future<Output = Result<BTreeMap<JobName, Durations>, StoreError>> + Send;

    /// Each of the times that [`history`](Self::history) without `before` is reckoned from, shortest first.
    fn samples(
        &self,
        batch: &BatchId,
        last: u32,
    ) -> impl Future<Output = Result<BTreeMap<JobName, Vec<Span>>, StoreError>> + Send;

    /// The last attempts of a job that have started and ended, the oldest first.
    fn past_attempts(
        &self,
        job: &JobRef,
        last: u32,
    ) -> impl Future<Output = Result<Vec<PastAttempt>, StoreError>> + Send;

    /// How long each job of a run took that began, from the start of its first attempt to the end of its last; nothing of a
    /// run that was archived.
    fn took(
        &self,
        run: &RunId,
    ) -> impl Future<Output = Result<BTreeMap<JobName, Span>, StoreError>> + Send;

    /// How a job came out for a business date, in the last opened real run of it (the highest number of its key).
    /// `None`: there is no such run, or the job is not settled in it.
    fn outcome(
        &self,
        job: &JobRef,
        date: BusinessDate,
    ) -> impl Future<Output = Result<Option<Outcome>, StoreError>> + Send;

    /// Entries that say how something stands which belongs to no run (a [`Row::Stands`]), in their order: what a
    /// supervisor that serves takes in before it serves.
    fn standing(&self) -> impl Future<Output = Result<Vec<Sealed>, StoreError>> + Send;

    /// Of each batch the last start of its schedule that was made or told as missed.
    fn decided_starts(
        &self,
    ) -> impl Future<Output = Result<Vec<(BatchId, Timestamp)>, StoreError>> + Send;

    /// Starts that were told as missed at or after an instant, the oldest start first.
    fn starts_missed(
        &self,
        since: Timestamp,
    ) -> impl Future<Output = Result<Vec<StartsMissed>, StoreError>> + Send;

    /// What is kept of a person's password; `None`: there is none.
    fn password_of(
        &self,
        person: &PersonId,
    ) -> impl Future<Output = Result<Option<PasswordRow>, StoreError>> + Send;

    /// The token with this secret, if it is good at `now`.
    fn good_token(
        &self,
        hash: &TokenHash,
        now: Timestamp,
    ) -> impl Future<Output = Result<Option<TokenRow>, StoreError>> + Send;

    /// All tokens that were ever made, in the order of their numbers.
    fn tokens(&self) -> impl Future<Output = Result<Vec<TokenRow>, StoreError>> + Send;

    /// Where a trial's clock stood at its last commit.
    fn trial_clock(
        &self,
        run: &RunId,
    ) -> impl Future<Output = Result<Option<TrialOffset>, StoreError>> + Send;

    /// Messages to be sent at `now` (the host's own time), at most `limit`, in the order they were decided.
    fn outbox_due(
        &self,
        now: Timestamp,
        limit: u32,
    ) -> impl Future<Output = Result<Vec<QueuedMail>, StoreError>> + Send;

    /// All that was not sent, given up or not, in the order they were decided.
    fn outbox_unsent(&self) -> impl Future<Output = Result<Vec<QueuedMail>, StoreError>> + Send;

    /// How many these are, without reading any.
    fn outbox_counted(&self) -> impl Future<Output = Result<Unsent, StoreError>> + Send;

    /// Bytes by their SHA-256 in hex; `None`: not there. Bytes that no longer fit their name are `Damaged`.
    fn blob_get(
        &self,
        address: &str,
    ) -> impl Future<Output = Result<Option<Vec<u8>>, StoreError>> + Send;

    /// The names of all bytes that are kept, in their order.
    fn blobs(&self) -> impl Future<Output = Result<Vec<String>, StoreError>> + Send;

    /// The entries that belong to a run and to no other, in order, proven.
    fn own_entries(
        &self,
        run: &RunId,
    ) -> impl Future<Output = Result<Vec<Sealed>, StoreError>> + Send;

    /// What people did to real runs since an instant, as it was decided, in order, proven. A clock that was set back by more
    /// than an hour may hide what was done before.
    fn acts_since(
        &self,
        since: Timestamp,
    ) -> impl Future<Output = Result<Vec<Sealed>, StoreError>> + Send;

    /// Runs with an incident that is open.
    fn runs_at_fault(&self) -> impl Future<Output = Result<Vec<RunId>, StoreError>> + Send;

    /// Runs of which something was given to another host than this one (`local`).
    fn runs_elsewhere(&self) -> impl Future<Output = Result<Vec<RunId>, StoreError>> + Send;

    /// Since when nothing is missing of what happened to real runs and for the whole site: since the first entry of the journal, or
    /// the end of the last incident whose entries are in an archive.
    fn whole_since(&self) -> impl Future<Output = Result<Option<Timestamp>, StoreError>> + Send;

    /// Of each run that was not archived, its attempts and the bytes of their output.
    fn output(
        &self,
    ) -> impl Future<Output = Result<BTreeMap<RunId, (Vec<AttemptId>, u64)>, StoreError>> + Send;

    /// Runs whose entries and attempts are in files, the first archived first.
    fn archived(&self) -> impl Future<Output = Result<Vec<Archived>, StoreError>> + Send;

    /// At most `limit` of them, the last archived first; with `before` only those that were archived before this entry of
    /// the journal.
    fn last_archived(
        &self,
        before: Option<u64>,
        limit: u32,
    ) -> impl Future<Output = Result<Vec<Archived>, StoreError>> + Send;

    /// Every attempt that was meant, of runs that were not archived; true: its ending is known.
    fn attempts(
        &self,
    ) -> impl Future<Output = Result<BTreeMap<AttemptId, bool>, StoreError>> + Send;

    /// Whether the journal has the ending of an attempt, or its run was archived.
    fn has_ending(
        &self,
        attempt: &AttemptId,
    ) -> impl Future<Output = Result<bool, StoreError>> + Send;

    /// Whether an attempt was ever meant, as far as this store knows.
    fn knows(&self, attempt: &AttemptId) -> impl Future<Output = Result<bool, StoreError>> + Send;

    /// Boots of hosts that attempts were meant for.
    fn boots(&self) -> impl Future<Output = Result<Vec<BootId>, StoreError>> + Send;

    /// `Some`: it was restored from a backup, and is not to be led before a person has taken in what it lacks.
    fn restoration(&self) -> impl Future<Output = Result<Option<Restoration>, StoreError>> + Send;

    /// The last leadership that was claimed.
    fn epoch(&self) -> impl Future<Output = Result<Epoch, StoreError>> + Send;

    /// Reads the whole journal and proves it; `Damaged` names the first entry that does not fit.
    fn verify(&self) -> impl Future<Output = Result<Head, StoreError>> + Send
    where
        Self: Sync,
    {
        async move {
            // Taken first: a supervisor may add to it meanwhile.
            let stored = self.head().await?;
            let damaged = |broken: Broken| StoreError::Damaged(broken.to_string());
            let mut proof = Proof::default();
            let mut met = stored.seq == 0;
            loop {
                let page = self.all_entries(proof.head().seq, VERIFY_PAGE).await?;
                for entry in &page {
                    proof.take(entry, None).map_err(damaged)?;
                    met |= *proof.head() == stored;
                }
                if page.is_empty() {
                    break;
                }
            }
            let head = proof.finish().map_err(damaged)?.head;
            if met {
                return Ok(head);
            }
            Err(StoreError::Damaged(format!(
                "the journal should end with entry {} and ends with entry {}",
                stored.seq, head.seq
            )))
        }
    }
}

/// Entries read at a time.
const VERIFY_PAGE: u32 = 1_000;

/// The store of the one supervisor that leads.
pub trait Store {
    type Reader: StoreReader + Clone + Send + Sync + 'static;

    /// What can be asked; a clone of it goes to whoever only reads.
    fn reader(&self) -> &Self::Reader;

    /// Ends the use of it, so that what lies on disk is whole by itself.
    fn close(self) -> impl Future<Output = ()> + Send;

    /// Begins a leadership: from now on every lower epoch is refused. `InUse`: another supervisor leads. A store that is
    /// shared waits some seconds for a lead that nobody has renewed; a standby asks again and again.
    fn claim_epoch(&mut self) -> impl Future<Output = Result<Epoch, StoreError>> + Send;

    /// What the supervisor beats while its loop turns: one that hangs for long does not keep the lead. `None`: where a
    /// lead cannot be lost.
    fn pulse(&self) -> Option<Pulse> {
        None
    }

    /// Ends with the reason as soon as it is known that this supervisor no longer leads, so that one that has nothing to
    /// commit learns it too. Never where a lead cannot be lost.
    fn overtaken(&self) -> impl Future<Output = StoreError> + Send + 'static {
        std::future::pending()
    }

    /// Asks the store whether this supervisor still leads, before something is done that no commit comes before, such as
    /// sending what is due. `Overtaken`: it does not.
    fn still_leads(&mut self) -> impl Future<Output = Result<(), StoreError>> + Send {
        async { Ok(()) }
    }

    /// Stores it all in one transaction, durably, or nothing. A commit whose entries are the stored head already
    /// (its first answer was lost) is accepted and changes nothing.
    fn commit(&mut self, commit: &Commit) -> impl Future<Output = Result<(), StoreError>> + Send;

    /// A server took the message, with these words. `Overtaken` as with a commit.
    fn outbox_sent(
        &mut self,
        id: u64,
        at: Timestamp,
        reply: &str,
    ) -> impl Future<Output = Result<(), StoreError>> + Send;

    /// A try failed; `next_try` is `None` when it is given up.
    fn outbox_failed(
        &mut self,
        id: u64,
        why: &str,
        next_try: Option<Timestamp>,
    ) -> impl Future<Output = Result<(), StoreError>> + Send;

    /// Keeps bytes under their SHA-256, which it returns.
    fn blob_put(&mut self, bytes: &[u8])
    -> impl Future<Output = Result<String, StoreError>> + Send;
}
