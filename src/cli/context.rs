//! Where a command works: folders, language, form of output.

use std::path::{Path, PathBuf};
use std::sync::Arc;

use jiff::civil::Date;

use super::arguments::{Format, PlaceArguments};
use super::backup;
use super::exit::{Failure, REFUSED};
use crate::app::{self, Checked, SiteFolder};
use crate::core::fact::Fact;
use crate::core::night::Core;
use crate::core::state::Standing;
use crate::definition::retention::Retention;
use crate::definition::settings::Definitions;
use crate::definition::site::{Mail, Site};
use crate::driver::clock::HostClock;
use crate::driver::control::Client;
use crate::driver::folders::StateFolder;
use crate::driver::store::{StateReader, StateStore, StoreAddress};
use crate::journal::RunRow;
use crate::port::{Clock, SiteSource, Store, StoreError, StoreReader};
use crate::supervisor::{across_now, definition, recall, standing};
use crate::types::{Lang, RunId, Span, Zone};

pub(super) struct Context {
    pub(super) site: PathBuf,
    pub(super) state: PathBuf,
    /// Which job files count.
    pub(super) definitions: Definitions,
    pub(super) store: StoreAddress,
    /// `None`: everything is kept.
    pub(super) retention: Option<Retention>,
    /// Where the agent and the work of jobs are, if not in the state folder.
    pub(super) shared: Option<PathBuf>,
    /// As asked for; English by default.
    pub(super) lang: Lang,
    pub(super) asked_lang: Option<Lang>,
    pub(super) format: Format,
    /// As asked for: how long the supervisor at work may take to answer.
    pub(super) answer_within: Option<Span>,
    /// Whether a person looks at it.
    pub(super) terminal: bool,
}

impl Context {
    pub(super) fn new(places: PlaceArguments) -> Result<Self, Failure> {
        let asked_lang = places.lang.map(Lang::from);
        let settings = places.settings.as_deref().map(app::settings).transpose();
        let settings = settings.map_err(Failure::defects)?.unwrap_or_default();
        let store = match places.store.or(settings.store).as_deref() {
            None | Some("") => StoreAddress::Folder,
            Some(url) => StoreAddress::Postgres(url.parse().map_err(Failure::defects)?),
        };
        let or = |given: Option<PathBuf>, set: Option<PathBuf>, otherwise: &str| {
            given.or(set).unwrap_or_else(|| PathBuf::from(otherwise))
        };
        Ok(Self {
            store,
            site: or(places.site, settings.site, "jobs"),
            state: or(places.state, settings.state, "state"),
            shared: places.shared.or(settings.shared),
            definitions: settings.definitions,
            retention: settings.retention,
            lang: asked_lang.unwrap_or_default(),
            asked_lang,
            format: places.format,
            answer_within: places.answer_within,
            terminal: std::io::IsTerminal::is_terminal(&std::io::stdout()),
        })
    }

    /// Today, by the host's clock, in UTC: only warnings hang on it.
    pub(super) fn today(&self) -> Result<Date, Failure> {
        let now = HostClock::new().map_err(Failure::failed)?.now().wall;
        Ok(now.to_zoned(jiff::tz::TimeZone::UTC).date())
    }

    pub(super) fn check_in(&self, folder: &Path, today: Option<Date>) -> Result<Checked, Failure> {
        self.is_there(folder)?;
        let today = today.map_or_else(|| self.today(), Ok)?;
        app::check(folder, today).map_err(Failure::defects)
    }

    fn is_there(&self, folder: &Path) -> Result<(), Failure> {
        if folder.is_dir() {
            return Ok(());
        }
        Err(Failure::defects(format!(
            "{} is not a folder; say which with --site DIR, or make a site with `nightrun init DIR`",
            folder.display()
        )))
    }

    /// The site, whatever day it is; its defects are the failure where it has some.
    pub(super) fn site(&self) -> Result<Arc<Site>, Failure> {
        self.source()?.read().map(|read| read.site).map_err(Failure::defects)
    }

    /// As [`source`](Self::source), for runs that have their copy and may never read it.
    pub(super) fn source_if_any(&self) -> Result<SiteFolder, Failure> {
        app::source(&self.site, &self.definitions).map_err(Failure::failed)
    }

    /// Where runs take their job files from.
    pub(super) fn source(&self) -> Result<SiteFolder, Failure> {
        self.is_there(&self.site)?;
        app::source(&self.site, &self.definitions).map_err(Failure::failed)
    }

    pub(super) fn create_state(&self) -> Result<StateFolder, Failure> {
        StateFolder::create(&self.state)
            .and_then(|state| self.sharing(state))
            .map_err(|error| Failure::failed(format!("{}: {error}", self.state.display())))
    }

    /// The folder of the agent and of the work of jobs.
    pub(super) fn shared(&self) -> &Path {
        self.shared.as_deref().unwrap_or(&self.state)
    }

    fn sharing(&self, state: StateFolder) -> std::io::Result<StateFolder> {
        match &self.shared {
            Some(shared) => state.sharing(shared),
            None => Ok(state),
        }
    }

    pub(super) fn existing_state(&self) -> Result<StateFolder, Failure> {
        StateFolder::at(&self.state).and_then(|state| self.sharing(state)).map_err(|error| {
            let folder = self.state.display();
            match error.kind() {
                std::io::ErrorKind::NotFound => Failure::refused(format!(
                    "there is no state folder {folder}: nothing has run here yet, or say which with --state DIR"
                )),
                _ => Failure::failed(format!("{folder}: {error}")),
            }
        })
    }

    /// The zone of what belongs to no run: the site's where it can be read, else UTC.
    pub(super) fn zone(&self) -> Zone {
        let site = self.site.is_dir().then(|| self.site().ok()).flatten();
        site.map_or_else(Zone::utc, |site| site.zone.clone())
    }

    pub(super) async fn open_store(&self, state: &StateFolder) -> Result<StateStore, Failure> {
        match self.try_store(state).await {
            Ok(store) => Ok(store),
            Err(error @ (StoreError::InUse(_) | StoreError::Elsewhere(_))) => {
                Err(Failure::refused(error))
            }
            Err(error @ StoreError::Behind(_)) => Err(backup::refusal(self, error).await),
            Err(error) => Err(Failure::failed(error)),
        }
    }

    /// The store of a supervisor of this state folder.
    pub(super) async fn try_store(&self, state: &StateFolder) -> Result<StateStore, StoreError> {
        StateStore::open(&self.store, state.root(), &state.agent()).await
    }

    pub(super) async fn is_supervised(&self) -> Result<bool, Failure> {
        let state = self.existing_state()?;
        Ok(Client::connect(state.root()).await.map_err(Failure::failed)?.is_some())
    }

    /// Reading beside whoever writes.
    pub(super) async fn reader(&self) -> Result<StateReader, Failure> {
        let state = match &self.store {
            StoreAddress::Folder => self.existing_state()?.root().to_owned(),
            StoreAddress::Postgres(_) => self.state.clone(),
        };
        let reader = StateReader::open(&self.store, &state).await.map_err(Failure::failed)?;
        let reader = reader.ok_or_else(|| {
            Failure::refused(match &self.store {
                StoreAddress::Folder => format!(
                    "there is no store in {}: nothing has run with it yet, or say which folder with --state DIR",
                    self.state.display()
                ),
                StoreAddress::Postgres(address) => {
                    format!("there is no store in {address}: nothing has run with it yet")
                }
            })
        })?;
        if let Some(place) = reader.gone().await.map_err(Failure::failed)? {
            notice_line!(
                "nightrun: what {} holds is of before its history went on in {place}; --store names that one",
                self.state.display()
            );
        }
        Ok(reader)
    }

    /// As [`reader`](Self::reader); `None` where nothing has run yet. A store that cannot be read is no empty one.
    pub(super) async fn reader_if_any(&self) -> Result<Option<StateReader>, Failure> {
        match self.reader().await {
            Ok(reader) => Ok(Some(reader)),
            Err(none) if none.code == REFUSED => Ok(None),
            Err(failure) => Err(failure),
        }
    }

    /// A core with one run in it, as the journal has it.
    pub(super) async fn recalled(
        &self,
        reader: &StateReader,
        run: &RunId,
    ) -> Result<Core, Failure> {
        let mut core = Core::new(1);
        recall(reader, &mut core, run).await.map_err(Failure::failed)?;
        let trial = core.state().run(run).map_err(Failure::failed)?.opened.trial;
        standing(reader, &mut core, trial).await.map_err(Failure::failed)?;
        let clock = HostClock::new().map_err(Failure::failed)?;
        core.assume_hosts_reached(&clock.boot());
        let opened = core.state().run(run).map_err(Failure::failed)?.opened_at;
        for (job, date, outcome) in across_now(reader, &core, run).await.map_err(Failure::failed)? {
            core.replay(opened, &Fact::AcrossKnown { job, date, outcome })
                .map_err(Failure::failed)?;
        }
        Ok(core)
    }

    /// How mail leaves for a service: as the newest job files say, or where these cannot be used those that were taken
    /// over last.
    pub(super) async fn mail_to_serve(
        &self,
        source: &SiteFolder,
        store: &StateStore,
    ) -> Result<Mail, Failure> {
        let defects = match source.read() {
            Ok(read) => return Ok(read.site.mail.clone()),
            Err(defects) => Failure::defects(defects),
        };
        let standing = store.reader().standing().await.map_err(Failure::failed)?;
        let facts = standing.iter().filter_map(|sealed| sealed.open().ok()).map(|entry| entry.fact);
        let taken = facts.filter_map(|fact| match fact {
            Fact::DefinitionsTaken { revision } => Some(revision),
            _ => None,
        });
        // There is one standing entry of the kind at the most.
        let former = taken.take(1).find_map(|revision| source.read_former(&revision).ok());
        former.map(|former| former.site.mail.clone()).ok_or(defects)
    }

    /// What operators have ordered for the whole site; nothing where nothing has run yet.
    pub(super) async fn standing(&self) -> Result<Standing, Failure> {
        let mut core = Core::new(1);
        if let Some(reader) = self.reader_if_any().await? {
            standing(&reader, &mut core, false).await.map_err(Failure::failed)?;
        }
        Ok(core.state().standing.clone())
    }

    /// The site, with what operators have frozen beside what it declares: either holds a night up.
    pub(super) async fn site_as_frozen(&self) -> Result<Arc<Site>, Failure> {
        let mut site = self.site()?;
        let freezes = self.standing().await?.freezes;
        if !freezes.is_empty() {
            let ordered = freezes.into_values().map(|freeze| freeze.what);
            Arc::make_mut(&mut site).freezes.extend(ordered);
        }
        Ok(site)
    }

    /// How mail leaves for a run that goes by its own definition.
    pub(super) async fn mail_of(&self, store: &StateStore, row: &RunRow) -> Result<Mail, Failure> {
        let definition = definition(store.reader(), &row.definition).await;
        Ok(definition.map_err(Failure::failed)?.copy.site.mail)
    }
}
