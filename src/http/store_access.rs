//! Who may do what, and what people did, from what is stored: for the API, and for whoever looks without a supervisor.

use std::collections::{BTreeMap, BTreeSet};
use std::path::Path;

use jiff::Timestamp;

use crate::core::fact::Fact;
use crate::definition::site::Site;
use crate::driver::archived::Contents;
use crate::driver::store::StateReader;
use crate::journal::{self, Broken, Entry, RunRow, Sealed};
use crate::port::{Archived, RunFilter, StoreError, StoreReader};
use crate::supervisor::{Fatal, definition};
use crate::types::PersonId;
use crate::view::access::{self, AccessLine, Known};
use crate::view::audit::{self, AccessTable, AuditLine, Point, Proof, Recorded};

/// Entries read at a time.
const PIECE: u32 = 2_000;

/// What the store knows of people until a time, whatever site they are of.
pub async fn known(reader: &StateReader, until: Timestamp) -> Result<Known, Fatal> {
    let mut known = Known { tokens: reader.tokens().await?, ..Known::default() };
    let mut after = 0;
    loop {
        let entries = reader.house_entries(after, PIECE).await?;
        let Some(last) = entries.last() else { return Ok(known) };
        after = last.seq;
        let told = |sealed: &&Sealed| ["logged-in", "password-set"].contains(&&*sealed.kind);
        for sealed in entries.iter().filter(told) {
            let entry = sealed.open()?;
            match entry.fact {
                _ if entry.recorded > until => {}
                Fact::LoggedIn { person, .. } => drop(known.logins.insert(person, entry.recorded)),
                Fact::PasswordSet { person, .. } => drop(known.passwords.insert(person)),
                _ => {}
            }
        }
    }
}

/// Who could do what at `until`, by the job files that the last run until then began with; with the zone of then. From
/// now on by those that there are. `None`: no run had begun, so the job files of then are not known.
pub async fn access_at(
    reader: Option<&StateReader>,
    current: &Site,
    (until, now): (Timestamp, Timestamp),
) -> Result<Option<(Site, Vec<AccessLine>)>, Fatal> {
    let site = match reader {
        _ if until > now => Some(current.clone()),
        Some(reader) => site_at(reader, until).await?,
        None => None,
    };
    let Some(site) = site else { return Ok(None) };
    let at = until.min(now);
    let known = match reader {
        Some(reader) => known(reader, at).await?,
        None => Known::default(),
    };
    let lines = access::of(&site, &known, at);
    Ok(Some((site, lines)))
}

/// Of the last real run until then whose definition is kept: one that is not kept allowed what the one before it did.
async fn site_at(reader: &StateReader, until: Timestamp) -> Result<Option<Site>, Fatal> {
    let filter = RunFilter { trial: Some(false), ..RunFilter::default() };
    for row in reader.runs(&filter).await?.iter().filter(|row| row.opened < until) {
        if reader.blob_get(&row.definition).await?.is_some() {
            return Ok(Some(definition(reader, &row.definition).await?.copy.site));
        }
    }
    Ok(None)
}

/// Why there is no audit.
#[derive(Debug, thiserror::Error)]
pub enum NotAudited {
    #[error(transparent)]
    Store(#[from] StoreError),
    #[error(transparent)]
    Broken(#[from] Broken),
    #[error(transparent)]
    Fatal(#[from] Fatal),
    #[error("an archive: {0}")]
    Archive(#[from] std::io::Error),
    #[error("the store says that its last entry is {stored}, the journal ends with {found}")]
    Head { stored: u64, found: u64 },
}

/// What people did from one time to another, which is not included, with the proof of the whole journal. `archives`: where
/// the entries of runs are that are not in the store any more.
pub async fn audit(
    reader: &StateReader,
    archives: Option<&Path>,
    time: (Timestamp, Timestamp),
) -> Result<(Vec<AuditLine>, Proof), NotAudited> {
    let walk = Walk::begin(reader, archives, time).await?;
    walk.finish().await
}

/// The whole journal, entry by entry: proven, and what people did in a time picked out.
struct Walk<'a> {
    reader: &'a StateReader,
    time: (Timestamp, Timestamp),
    /// Real runs, by the entry that opened them.
    runs: BTreeMap<u64, RunRow>,
    archived: BTreeMap<String, Archived>,
    contents: Option<Contents>,
    unread: BTreeSet<String>,
    lines: Vec<AuditLine>,
    first: Option<Point>,
    last: Option<Point>,
    /// What people are allowed by the job files of the last run.
    allowed: Option<AccessTable>,
    /// By the digest of a run's definition.
    tables: BTreeMap<String, AccessTable>,
}

impl<'a> Walk<'a> {
    async fn begin(
        reader: &'a StateReader,
        archives: Option<&Path>,
        time: (Timestamp, Timestamp),
    ) -> Result<Self, NotAudited> {
        let filter = RunFilter { trial: Some(false), ..RunFilter::default() };
        let runs = reader.runs(&filter).await?.into_iter().map(|row| (row.opened_seq, row));
        let archived = reader.archived().await?;
        // What was archived before that time began was recorded before it.
        let contents = archives.map(|folder| Contents::at_hand(folder, &archived, time.0));
        let archived = archived.into_iter().map(|archived| (archived.run.to_string(), archived));
        Ok(Self {
            reader,
            time,
            runs: runs.collect(),
            archived: archived.collect(),
            contents,
            unread: BTreeSet::new(),
            lines: Vec::new(),
            first: None,
            last: None,
            allowed: None,
            tables: BTreeMap::new(),
        })
    }

    async fn finish(mut self) -> Result<(Vec<AuditLine>, Proof), NotAudited> {
        // Taken first: a supervisor may add to it meanwhile.
        let stored = self.reader.head().await?;
        let mut proof = journal::Proof::default();
        let mut met = stored.seq == 0;
        loop {
            let page = self.reader.all_entries(proof.head().seq, PIECE).await?;
            for sealed in &page {
                let body = match &mut self.contents {
                    Some(contents) => contents.body(sealed).await?,
                    None => None,
                };
                let entry = proof.take(sealed, body.as_deref())?;
                met |= *proof.head() == stored;
                self.take(sealed, entry.as_ref()).await?;
            }
            if page.is_empty() {
                break;
            }
        }
        let head = proof.finish()?.head;
        if !met {
            return Err(NotAudited::Head { stored: stored.seq, found: head.seq });
        }
        let head = Point { seq: head.seq, hash: head.hash };
        let unread_runs = self.unread.len() as u64;
        Ok((self.lines, Proof { first: self.first, last: self.last, head, unread_runs }))
    }

    async fn take(&mut self, sealed: &Sealed, entry: Option<&Entry>) -> Result<(), NotAudited> {
        let point = Point { seq: sealed.seq, hash: sealed.hash.clone() };
        let opened = self.runs.get(&sealed.seq).filter(|_| sealed.kind == "run-opened");
        let at = match entry {
            Some(entry) => Some(entry.recorded),
            None => opened.map(|row| row.opened),
        };
        let asked = at.filter(|at| self.time.0 <= *at && *at < self.time.1);
        if let Some(digest) = opened.map(|row| row.definition.clone()) {
            self.compare(&digest, asked.map(|at| (at, &point))).await?;
        }
        match entry {
            Some(entry) if asked.is_some() => {
                self.first.get_or_insert(point.clone());
                self.last = Some(point);
                self.lines.extend(audit::line(recorded(sealed, entry)));
            }
            Some(_) => {}
            None => self.is_unread(sealed),
        }
        Ok(())
    }

    fn is_unread(&mut self, sealed: &Sealed) {
        let run = sealed.run.as_ref();
        let may_be_asked = |run: &&String| {
            self.archived.get(*run).is_none_or(|archived| archived.at >= self.time.0)
        };
        self.unread.extend(run.filter(may_be_asked).cloned());
    }

    /// What came to be allowed by the job files that a run began with. Those that are not kept any more allowed what those
    /// before them did.
    async fn compare(
        &mut self,
        digest: &str,
        asked: Option<(Timestamp, &Point)>,
    ) -> Result<(), NotAudited> {
        if !self.tables.contains_key(digest) {
            if self.reader.blob_get(digest).await?.is_none() {
                return Ok(());
            }
            let stored = definition(self.reader, digest).await?;
            self.tables.insert(digest.to_owned(), audit::access_table(&stored.copy.site));
        }
        let Some(after) = self.tables.get(digest) else { return Ok(()) };
        if let (Some(before), Some((at, point))) = (&self.allowed, asked) {
            self.lines.extend(audit::changes(before, after, at, point));
        }
        self.allowed = Some(after.clone());
        Ok(())
    }
}

fn recorded<'e>(sealed: &'e Sealed, entry: &'e Entry) -> Recorded<'e> {
    Recorded { at: entry.recorded, seq: sealed.seq, hash: &sealed.hash, fact: &entry.fact }
}

/// Only what somebody did, or had done to the own access.
pub fn about(lines: &mut Vec<AuditLine>, person: Option<&PersonId>) {
    lines.retain(|line| person.is_none_or(|person| audit::is_about(line, person)));
}
