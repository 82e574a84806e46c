//! Where a command works: folders, language, form of output.

use std::path::{Path, PathBuf};
use std::sync::Arc;

use jiff::civil::Date;

use super::arguments::{Format, PlaceArguments};
use super::exit::{Failure, REFUSED};
use crate::app::{self, Checked, ReadSite};
use crate::core::fact::Fact;
use crate::core::night::Core;
use crate::core::state::Standing;
use crate::definition::site::{Mail, Site};
use crate::driver::clock::HostClock;
use crate::driver::control::Client;
use crate::driver::folders::StateFolder;
use crate::driver::store::{SqliteReader, SqliteStore};
use crate::port::{Clock, Store, StoreError};
use crate::supervisor::{across_now, recall, standing};
use crate::types::{Lang, RunId, Zone};

pub(super) struct Context {
    pub(super) site: PathBuf,
    pub(super) state: PathBuf,
    /// As asked for; English by default.
    pub(super) lang: Lang,
    pub(super) asked_lang: Option<Lang>,
    pub(super) format: Format,
    /// Whether a person looks at it.
    pub(super) terminal: bool,
}

impl Context {
    pub(super) fn new(places: PlaceArguments) -> Self {
        let asked_lang = places.lang.map(Lang::from);
        Self {
            site: places.site,
            state: places.state,
            lang: asked_lang.unwrap_or_default(),
            asked_lang,
            format: places.format,
            terminal: std::io::IsTerminal::is_terminal(&std::io::stdout()),
        }
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
        self.is_there(&self.site)?;
        app::load(&self.site).map_err(Failure::defects)
    }

    /// As [`site`](Self::site), with what an order needs of it.
    pub(super) fn read_site(&self) -> Result<ReadSite, Failure> {
        self.is_there(&self.site)?;
        app::read(&self.site).map_err(Failure::defects)
    }

    pub(super) fn create_state(&self) -> Result<StateFolder, Failure> {
        StateFolder::create(&self.state)
            .map_err(|error| Failure::failed(format!("{}: {error}", self.state.display())))
    }

    pub(super) fn existing_state(&self) -> Result<StateFolder, Failure> {
        StateFolder::at(&self.state).map_err(|error| {
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

    pub(super) async fn open_store(&self, state: &StateFolder) -> Result<SqliteStore, Failure> {
        SqliteStore::open(state.root()).await.map_err(|error| match error {
            StoreError::InUse(_) => Failure::refused(error),
            _ => Failure::failed(error),
        })
    }

    pub(super) async fn is_supervised(&self) -> Result<bool, Failure> {
        let state = self.existing_state()?;
        Ok(Client::connect(state.root()).await.map_err(Failure::failed)?.is_some())
    }

    /// Reading beside whoever writes.
    pub(super) async fn reader(&self) -> Result<SqliteReader, Failure> {
        let state = self.existing_state()?;
        let reader = SqliteReader::open(state.root()).await.map_err(Failure::failed)?;
        reader.ok_or_else(|| {
            Failure::refused(format!(
                "there is no store in {}: nothing has run with it yet, or say which folder with --state DIR",
                self.state.display()
            ))
        })
    }

    /// As [`reader`](Self::reader); `None` where nothing has run yet. A store that cannot be read is no empty one.
    pub(super) async fn reader_if_any(&self) -> Result<Option<SqliteReader>, Failure> {
        match self.reader().await {
            Ok(reader) => Ok(Some(reader)),
            Err(none) if none.code == REFUSED => Ok(None),
            Err(failure) => Err(failure),
        }
    }

    /// A core with one run in it, as the journal has it.
    pub(super) async fn recalled(
        &self,
        reader: &SqliteReader,
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
    pub(super) async fn mail_of(&self, store: &SqliteStore, run: &RunId) -> Result<Mail, Failure> {
        let core = self.recalled(store.reader(), run).await?;
        let found = core.state().runs.get(run).map(|run| run.site.mail.clone());
        found.ok_or_else(|| Failure::failed(format!("{run} is not known")))
    }
}
