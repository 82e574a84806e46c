//! Where a command works: folders, language, form of output.

use std::os::unix::fs::MetadataExt;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use jiff::civil::Date;

use super::arguments::{Format, PlaceArguments};
use super::backup;
use super::exit::{Failure, REFUSED};
use crate::app::{self, Checked, Door, SiteFolder};
use crate::core::access::{may, rights_of};
use crate::core::fact::Fact;
use crate::core::night::Core;
use crate::core::state::Standing;
use crate::definition::retention::Retention;
use crate::definition::settings::{ApiListen, Definitions};
use crate::definition::site::{Mail, Site};
use crate::driver::api_client::{ApiAddress, Client, Remote};
use crate::driver::clock::HostClock;
use crate::driver::folders::StateFolder;
use crate::driver::store::postgres::PostgresAddress;
use crate::driver::store::{StateReader, StateStore, StoreAddress};
use crate::journal::RunRow;
use crate::port::{Clock, SiteSource, Store, StoreError, StoreReader};
use crate::supervisor::{definition, person_of, standing};
use crate::types::{Lang, Right, Span, Zone};

pub(super) struct Context {
    /// The file of settings, where one is used.
    pub(super) settings: Option<PathBuf>,
    pub(super) site: PathBuf,
    pub(super) state: PathBuf,
    /// Which job files count.
    pub(super) definitions: Definitions,
    pub(super) store: StoreAddress,
    /// Where the password of a database is, if not where PostgreSQL's own programs look.
    store_password_file: Option<PathBuf>,
    /// Starts are told of, and none is made.
    pub(super) observes: bool,
    /// Whether a supervisor starts the agent of this host where none is there.
    pub(super) starts_agent: bool,
    /// `None`: everything is kept.
    pub(super) retention: Option<Retention>,
    /// How old the newest backup may be, where the settings say so.
    pub(super) backup_within: Option<Span>,
    /// Where the agent and the work of jobs are, if not in the state folder.
    pub(super) shared: Option<PathBuf>,
    /// As asked for; English by default.
    pub(super) lang: Lang,
    pub(super) asked_lang: Option<Lang>,
    pub(super) format: Format,
    /// Where the API of this host's service listens on the network.
    pub(super) api: Option<ApiListen>,
    /// The API of another host, where that is asked.
    pub(super) remote: Option<Remote>,
    /// As asked for: how long the supervisor at work may take to answer.
    pub(super) answer_within: Option<Span>,
    /// Whether a person looks at it.
    pub(super) terminal: bool,
}

fn address(url: &str, password_file: Option<&Path>) -> Result<PostgresAddress, Failure> {
    let address: PostgresAddress = url.parse().map_err(Failure::defects)?;
    match password_file {
        Some(file) => address.with_password_of(file).map_err(Failure::defects),
        None => Ok(address),
    }
}

impl Context {
    pub(super) fn new(places: PlaceArguments) -> Result<Self, Failure> {
        let asked_lang = places.lang.map(Lang::from);
        let settings_file = places.settings;
        let settings = settings_file.as_deref().map(app::settings).transpose();
        let settings = settings.map_err(Failure::defects)?.unwrap_or_default();
        let store_password_file = places.store_password_file.or(settings.store_password_file);
        let store = match places.store.or(settings.store).as_deref() {
            None | Some("") => StoreAddress::Folder,
            Some(url) => StoreAddress::Postgres(address(url, store_password_file.as_deref())?),
        };
        let or = |given: Option<PathBuf>, set: Option<PathBuf>, otherwise: &str| {
            given.or(set).unwrap_or_else(|| PathBuf::from(otherwise))
        };
        Ok(Self {
            settings: settings_file,
            store,
            store_password_file,
            observes: settings.observes,
            starts_agent: !settings.awaits_agent,
            site: or(places.site, settings.site, "jobs"),
            state: or(places.state, settings.state, "state"),
            shared: places.shared.or(settings.shared),
            definitions: settings.definitions,
            retention: settings.retention,
            backup_within: settings.backup_within,
            lang: asked_lang.unwrap_or_default(),
            asked_lang,
            format: places.format,
            api: settings.api,
            remote: remote(places.server, places.token_file, places.ca_file)?,
            answer_within: places.answer_within,
            terminal: std::io::IsTerminal::is_terminal(&std::io::stdout()),
        })
    }

    /// The database that a URL names, with its password.
    pub(super) fn address(&self, url: &str) -> Result<PostgresAddress, Failure> {
        address(url, self.store_password_file.as_deref())
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

    /// Whether whoever runs this command has a right. Whom the state folder belongs to, and root, may do everything: they
    /// can read its files all the same.
    pub(super) fn may(&self, right: Right) -> Result<(), Failure> {
        let account = app::host_account();
        let owner = self.state.metadata().map(|folder| folder.uid());
        if owner.is_ok_and(|owner| owner == account.uid) || account.uid == 0 {
            return Ok(());
        }
        let site = self.site()?;
        let person = person_of(Some(&site), &account.into());
        may(rights_of(&site, &person), right).map_err(|refused| Failure::by_rule(&refused))
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

    /// Through which people come in to a supervisor of this process.
    pub(super) fn door(&self, state: &StateFolder) -> Door {
        let archives = self.retention.as_ref().map(|retention| retention.archive.clone());
        Door::new(state, &self.store, archives)
    }

    /// Whom to ask: the server that was named, else the supervisor of the state folder. `None`: none is at work.
    pub(super) async fn client(&self) -> Result<Option<Client>, Failure> {
        if let Some(remote) = &self.remote {
            return Ok(Some(Client::remote(remote.clone())));
        }
        match self.existing_state() {
            Ok(state) => Client::connect(state.root()).await.map_err(Failure::failed),
            // Nothing has run here yet.
            Err(none) if none.code == REFUSED => Ok(None),
            Err(failure) => Err(failure),
        }
    }

    pub(super) async fn is_supervised(&self) -> Result<bool, Failure> {
        Ok(self.client().await?.is_some())
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

/// The API of another host, with the token that names who asks.
fn remote(
    server: Option<ApiAddress>,
    token_file: Option<PathBuf>,
    trusted: Option<PathBuf>,
) -> Result<Option<Remote>, Failure> {
    let Some(address) = server else { return Ok(None) };
    let file = token_file.ok_or_else(|| {
        Failure::defects("--server takes a token: name its file with --token-file FILE")
    })?;
    let token = app::secret(&file).map_err(Failure::defects)?;
    Ok(Some(Remote { address, token, trusted }))
}
