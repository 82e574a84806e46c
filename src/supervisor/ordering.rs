//! What an order comes to, from what is declared and stored. Nothing is written here, so whoever only tries an order
//! hears what the same order would hear.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use jiff::Timestamp;

use super::Fatal;
use super::access::{allow, person_of};
use super::orders::{HISTORY, NotOrdered, is_interrupted};
use super::recall::pack;
use crate::core::calendar::Calendars;
use crate::core::change::{JournalHead, SealedList, list};
use crate::core::fact::{LateWhy, Proposed, RunOpened, RunResult};
use crate::core::night::{Core, Event};
use crate::core::order::{self, Ordered};
use crate::core::refused::{Refused, Rule};
use crate::definition::copy::RunCopy;
use crate::definition::site::{Site, TwoPeople};
use crate::journal::{RunRow, address};
use crate::port::control::{Account, Caller, Order};
use crate::port::{Defects, Durations, LoadedSite, RunFilter, SiteSource, StoreReader};
use crate::types::{
    BatchId, BootId, BusinessDate, JobName, JobRef, Now, Outcome, Right, RunId, Span,
};

/// For a run that is over and whose own entries are not here.
const RERUN: &str = "--rerun runs the whole batch again";

/// What orders are looked at with.
pub struct Desk<'a, R, S> {
    /// `None`: nothing has run here yet.
    pub reader: Option<&'a R>,
    pub source: &'a S,
    /// The definitions that orders go by.
    pub loaded: &'a LoadedSite,
    /// The account of whoever decides.
    pub own: &'a Account,
    pub now: Now,
    pub boot: BootId,
}

/// What an order comes to, as far as rules allow it.
pub(super) enum Comes {
    /// A run that was interrupted goes on.
    GoesOn(RunId, Ordered),
    /// A run that is over gets further attempts.
    Again(RunId, Ordered),
    Opens(Ordered),
}

/// A run that can be opened.
pub(super) struct Prepared {
    pub(super) opened: Box<RunOpened>,
    /// How jobs of other runs stand that it needs.
    pub(super) across: Vec<(JobRef, BusinessDate, Option<Outcome>)>,
    pub(super) copy: RunCopy,
    /// The copy as it is stored.
    pub(super) bytes: Vec<u8>,
    pub(super) files: BTreeMap<PathBuf, Vec<u8>>,
}

impl<R: StoreReader, S: SiteSource> Desk<'_, R, S> {
    /// Looks at an order that a person gives. `core` is the night as it stands.
    pub(super) async fn made_out(
        &self,
        core: &Core,
        caller: &Caller,
        order: &Order,
    ) -> Result<Result<Comes, NotOrdered>, Fatal> {
        let site = &self.loaded.site;
        if let Err(defects) = self.usable(&order.batch) {
            return Ok(Err(NotOrdered::Defects(defects.0)));
        }
        if let Err(refused) = allow(Some(site), self.own, caller, Right::Order) {
            return Ok(Err(refused.into()));
        }
        let ordered = match self.resolve(given(order, site, caller)) {
            Ok(ordered) => ordered,
            Err(refused) => return Ok(Err(refused.into())),
        };
        let latest = self.latest_run(&ordered).await?;
        Ok(comes(core, latest, order.rerun, ordered).map_err(NotOrdered::from))
    }

    /// Whether the definitions of a batch can be used today.
    pub(super) fn usable(&self, batch: &BatchId) -> Result<(), Defects> {
        let today = self.now.wall.to_zoned(jiff::tz::TimeZone::UTC).date();
        self.source.usable(self.loaded, batch, today)
    }

    pub(super) fn resolve(&self, order: order::Order) -> Result<Ordered, Refused> {
        let site = &self.loaded.site;
        order::resolve(site, &Calendars::new(&site.calendars), order, self.now.wall)
    }

    /// The run of the same batch, date and kind that was opened last.
    pub(super) async fn latest_run(&self, ordered: &Ordered) -> Result<Option<RunRow>, Fatal> {
        let Some(reader) = self.reader else { return Ok(None) };
        let filter = RunFilter {
            batch: Some(ordered.order.batch.clone()),
            business_date: Some(ordered.business_date),
            trial: Some(ordered.order.trial),
            limit: Some(1),
            ..RunFilter::default()
        };
        Ok(reader.runs(&filter).await?.into_iter().next())
    }

    /// Everything that the opening of a run takes; its copy is read and laid nowhere.
    pub(super) async fn prepare(
        &self,
        core: &Core,
        ordered: Ordered,
        late: Option<LateWhy>,
    ) -> Result<Result<Prepared, NotOrdered>, Fatal> {
        let batch = ordered.order.batch.clone();
        let (site, list) = self.drawn(core, &ordered).await?;
        let key = ordered.key().map_err(|why| Fatal::Definition(why.to_string()))?;
        let (mut number, mut history, mut across) = (1, BTreeMap::new(), Vec::new());
        if let Some(reader) = self.reader {
            number = reader.next_run_number(&batch, &key).await?;
            history = reader.history(&batch, None, HISTORY).await?;
        }
        for need in &ordered.across {
            if let Some(date) = need.wanted() {
                let outcome = match self.reader {
                    Some(reader) => reader.outcome(&need.job, date).await?,
                    None => None,
                };
                across.push((need.job.clone(), date, outcome));
            }
        }
        let run = RunId { batch: batch.clone(), key, number };
        let part = site.part(&batch);
        let folder = part.batches.get(&batch).map(|b| b.folder().to_owned()).unwrap_or_default();
        let wanted = |path: &Path| RunCopy::wants(&part, &folder, path);
        let files = match self.source.files(self.loaded, &wanted) {
            Ok(files) => files,
            Err(why) => {
                let what = format!("that of the files beside the batch cannot be made: {why}");
                return Ok(Err(NotOrdered::NoCopy(what)));
            }
        };
        let digests = files.iter().map(|(path, bytes)| (path.clone(), address(bytes))).collect();
        let copy = RunCopy { site: part, files: digests };
        let (digest, bytes) = pack(&copy)?;
        let expected = expected(&copy.site, &batch, &history);
        let opened =
            ordered.opened(run, digest, expected, (self.boot.clone(), self.now.since_boot));
        let revision = self.loaded.revision.clone();
        let opened = Box::new(RunOpened { late, revision, list, ..opened });
        Ok(Ok(Prepared { opened, across, copy, bytes, files }))
    }

    /// The site with the jobs of the batch as its list has them now, and that list; as declared where it takes none.
    async fn drawn(
        &self,
        core: &Core,
        ordered: &Ordered,
    ) -> Result<(Arc<Site>, Option<Box<SealedList>>), Fatal> {
        let site = &self.loaded.site;
        let state = core.state();
        let under_way = state.changes_under_way();
        let known = list::Known { lives: &state.standing.changes, under_way: &under_way };
        let batch = site.batches.get(&ordered.order.batch);
        let times = (self.now.wall, ordered.anchor);
        let drawn = batch.and_then(|batch| list::draw(site, batch, known, times));
        let Some(drawn) = drawn else { return Ok((Arc::clone(site), None)) };
        let journal = match self.reader {
            Some(reader) => {
                let head = reader.head().await?;
                JournalHead { number: head.seq, hash: head.hash }
            }
            None => JournalHead::default(),
        };
        let mut with_jobs = Site::clone(site);
        with_jobs.batches.insert(drawn.batch.id.clone(), drawn.batch);
        Ok((
            Arc::new(with_jobs),
            Some(Box::new(SealedList { journal: Some(journal), ..drawn.list })),
        ))
    }
}

fn given(order: &Order, site: &Site, caller: &Caller) -> order::Order {
    order::Order {
        batch: order.batch.clone(),
        business_date: order.date,
        scheduled: None,
        parameters: order.parameters.clone(),
        only: order.only.clone(),
        from: order.from.iter().cloned().collect(),
        trial: order.trial,
        window_override: order.window_override.clone(),
        by: person_of(Some(site), caller),
        second: None,
    }
}

/// A run that was interrupted goes on; one that has ended is only run again where the order says so.
fn comes(
    core: &Core,
    latest: Option<RunRow>,
    rerun: bool,
    ordered: Ordered,
) -> Result<Comes, Refused> {
    let Some(row) = latest else { return Ok(Comes::Opens(ordered)) };
    let run = row.run.clone();
    if is_interrupted(&row) {
        if rerun {
            let hint = "go on with it (the same command without --rerun), or skip what is left";
            let what = format!("{run} has not come to its end");
            return Err(Refused::by(Rule::RunUnderWay, what).hint(hint));
        }
        if core.state().runs.get(&run).is_some_and(|run| run.result.is_none()) {
            let what = format!("{run} is under way here");
            return Err(Refused::by(Rule::RunUnderWay, what).hint("`nightrun status` shows it"));
        }
        return Ok(Comes::GoesOn(run, ordered));
    }
    if rerun || ordered.order.trial {
        return Ok(Comes::Opens(ordered));
    }
    if let Some(what) = row.not_at_hand() {
        return Err(Refused::by(Rule::RunOver, what).hint(RERUN));
    }
    let opens = ordered.order.window_override.is_some() || !ordered.order.parameters.is_empty();
    if opens && !ordered.only.is_empty() {
        let what = format!("{run} has its parameters and windows from its beginning");
        let hint = "leave --param and --set-window-override out, or give --rerun";
        return Err(Refused::new(what).hint(hint));
    }
    if ordered.only.is_empty() {
        let ended = match row.result {
            Some(RunResult::Well) => "has ended well",
            _ => "has ended, not well",
        };
        let hint = "--from JOB runs a job and what follows it again, --rerun the whole batch";
        return Err(Refused::by(Rule::RunOver, format!("{run} {ended}")).hint(hint));
    }
    Ok(Comes::Again(run, ordered))
}

/// A run goes on as it was ordered: another wish is refused rather than forgotten.
pub(super) fn ordered_otherwise(core: &Core, run: &RunId, ordered: &Ordered) -> Option<Refused> {
    let opened = &core.state().runs.get(run)?.opened;
    let differs = if opened.parameters != ordered.parameters {
        "other parameters"
    } else if opened.only != ordered.only {
        "other jobs"
    } else if opened.window_override != ordered.order.window_override {
        "another window override"
    } else {
        return None;
    };
    let what = format!("{run} was interrupted and goes on as it was ordered, not with {differs}");
    Some(
        Refused::new(what).hint("`nightrun resume` goes on with it; `--rerun` comes after its end"),
    )
}

/// What another person is to be asked for before a window is overridden, where the site wants two and nobody has said
/// yes yet.
pub(super) fn asks_second(
    core: &Core,
    site: &Site,
    ordered: &mut Ordered,
    now: Timestamp,
) -> Option<Event> {
    let reason = ordered.order.window_override.clone()?;
    if ordered.order.trial || !site.takes_two(TwoPeople::WindowOverride) {
        return None;
    }
    let mut wanted = ordered.order.clone();
    wanted.business_date = Some(ordered.business_date);
    if let Some(second) = core.state().standing.given(&wanted, now) {
        ordered.order.second = Some(second.clone());
        return None;
    }
    let (by, what) = (wanted.by.clone(), Proposed::Order { order: Box::new(wanted) });
    Some(Event::Propose { by, reason, what })
}

/// What jobs take: as history says, else as declared.
fn expected(
    site: &Site,
    batch: &BatchId,
    history: &BTreeMap<JobName, Durations>,
) -> BTreeMap<JobName, Span> {
    let jobs = site.batches.get(batch).map(|batch| batch.jobs.as_slice()).unwrap_or_default();
    jobs.iter()
        .filter_map(|job| {
            let learned = history.get(&job.name).map(|durations| durations.p50);
            learned.or(job.expected).map(|span| (job.name.clone(), span))
        })
        .collect()
}
