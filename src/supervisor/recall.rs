//! From the journal back to the state: what a new supervisor takes up, and what pages about former nights are made of.

use std::collections::BTreeMap;
use std::path::PathBuf;
use std::sync::Arc;

use jiff::Timestamp;

use super::Fatal;
use crate::core::calendar::Calendars;
use crate::core::fact::Fact;
use crate::core::incident::OnCall;
use crate::core::night::Core;
use crate::core::state::Unfit;
use crate::definition::copy::RunCopy;
use crate::definition::site::Site;
use crate::journal::address;
use crate::port::StoreReader;
use crate::types::{BusinessDate, JobRef, Outcome, RunId};

/// What a run goes by, read once.
#[derive(Debug)]
pub struct Definition {
    pub copy: RunCopy,
    pub(super) calendars: Arc<Calendars>,
}

impl Definition {
    pub(super) fn new(copy: RunCopy) -> Self {
        let calendars = Arc::new(Calendars::new(&copy.site.calendars));
        Self { copy, calendars }
    }
}

/// Replays what stands beyond any run, but for schedules: who serves them takes them up himself. A trial stands alone:
/// of freezes and requests it knows only which numbers were given.
pub async fn standing<R: StoreReader>(
    reader: &R,
    core: &mut Core,
    trial: bool,
) -> Result<(), Fatal> {
    for sealed in reader.standing().await? {
        let entry = sealed.open()?;
        let fact = match entry.fact {
            Fact::ScheduleTaken { .. }
            | Fact::DefinitionsTaken { .. }
            | Fact::DefinitionsRefused { .. } => continue,
            Fact::PoolSized { .. }
            | Fact::PoolBack { .. }
            | Fact::ChangeMoved { .. }
            | Fact::EventReceived(_)
            | Fact::IncidentOpened(_)
            | Fact::IncidentMoved(_)
            | Fact::IncidentClosed { .. }
            | Fact::WeeklyTold(_)
            | Fact::BulletinTold(_)
            | Fact::RoundInspected(_)
            | Fact::InspectionsCounted(_)
            | Fact::FigureEntered(_)
            | Fact::HandOverOpened(_)
            | Fact::HandOverMoved(_)
                if trial =>
            {
                continue;
            }
            Fact::Frozen { freeze, by, .. } if trial => {
                Fact::Unfrozen { freeze, by, reason: String::new(), second: None }
            }
            Fact::SecondAsked { request, by, reason, .. } if trial => {
                Fact::SecondGiven { request, by, reason, order: None }
            }
            Fact::SecondGiven { request, by, reason, .. } if trial => {
                Fact::SecondGiven { request, by, reason, order: None }
            }
            fact => fact,
        };
        core.replay(entry.at, &fact)?;
        if let Fact::ChangeMoved { change, number, .. } = &fact {
            // Here its life begins with its first step, or something of it is lost. A run that was taken in before has told
            // of later ones already.
            let known = core.state().standing.changes.get(change).map_or(0, |l| l.steps.len());
            if usize::try_from(*number).map_or(true, |number| known < number) {
                return Err(Unfit::WrongStep { change: change.clone(), number: *number }.into());
            }
        }
    }
    Ok(())
}

/// Who is told of incidents, by the files of a site.
pub fn on_call_of(site: &Arc<Site>) -> Arc<OnCall> {
    let calendars = Arc::new(Calendars::new(&site.calendars));
    Arc::new(OnCall::new(Arc::clone(site), calendars))
}

/// A run as the journal has it: read, proven, and not taken in yet.
#[derive(Debug)]
pub(super) struct Recalled {
    pub(super) definition: Definition,
    digest: String,
    facts: Vec<(Timestamp, Fact)>,
}

impl Recalled {
    /// Everything that can fail for a while is done here, so that a run is in a core as a whole or not at all.
    pub(super) async fn read<R: StoreReader>(reader: &R, run: &RunId) -> Result<Self, Fatal> {
        let mut facts = Vec::new();
        for sealed in reader.entries(run).await? {
            let entry = sealed.open()?;
            facts.push((entry.at, entry.fact));
        }
        let digest = facts.iter().find_map(|(_, fact)| match fact {
            Fact::RunOpened(opened) => Some(opened.definition.clone()),
            _ => None,
        });
        let digest = digest.ok_or_else(|| Unfit::NoRun(run.clone()))?;
        let definition = definition(reader, &digest).await?;
        Ok(Self { definition, digest, facts })
    }

    /// Replays it. Returns its definition with the digest that names it.
    pub(super) fn take_in(self, core: &mut Core) -> Result<(String, Definition), Fatal> {
        let site = Arc::new(self.definition.copy.site.clone());
        core.define_by(&self.digest, site, Arc::clone(&self.definition.calendars));
        for (at, fact) in &self.facts {
            core.replay(*at, fact)?;
        }
        Ok((self.digest, self.definition))
    }
}

/// Replays a run into the core.
pub async fn recall<R: StoreReader>(
    reader: &R,
    core: &mut Core,
    run: &RunId,
) -> Result<(String, Definition), Fatal> {
    Recalled::read(reader, run).await?.take_in(core)
}

/// How the jobs of other runs stand now that a recalled run needs. What was known of them is written in no run's own
/// entries, and may have changed since.
pub async fn across_now<R: StoreReader>(
    reader: &R,
    core: &Core,
    run: &RunId,
) -> Result<Vec<(JobRef, BusinessDate, Option<Outcome>)>, Fatal> {
    let mut known = Vec::new();
    for need in &core.state().run(run)?.opened.across {
        if let Some(date) = need.wanted() {
            let outcome = reader.outcome(&need.job, date).await?;
            known.push((need.job.clone(), date, outcome));
        }
    }
    Ok(known)
}

/// What runs go by that name it by this digest.
pub async fn definition<R: StoreReader>(reader: &R, digest: &str) -> Result<Definition, Fatal> {
    let lost = || Fatal::Definition(digest.to_owned());
    let bytes = reader.blob_get(digest).await?.ok_or_else(lost)?;
    let copy: RunCopy = serde_json::from_slice(&bytes).map_err(|_| lost())?;
    Ok(Definition::new(copy))
}

/// The files of a run's copy, from the store.
pub(super) async fn files<R: StoreReader>(
    reader: &R,
    copy: &RunCopy,
) -> Result<BTreeMap<PathBuf, Vec<u8>>, Fatal> {
    let mut files = BTreeMap::new();
    for (path, digest) in &copy.files {
        let bytes = reader.blob_get(digest).await?;
        let bytes =
            bytes.ok_or_else(|| Fatal::Definition(format!("{digest} ({})", path.display())))?;
        files.insert(path.clone(), bytes);
    }
    Ok(files)
}

/// Digest and bytes of a copy.
pub(super) fn pack(copy: &RunCopy) -> Result<(String, Vec<u8>), Fatal> {
    let bytes = serde_json::to_vec(copy).map_err(|why| Fatal::Definition(why.to_string()))?;
    Ok((address(&bytes), bytes))
}
