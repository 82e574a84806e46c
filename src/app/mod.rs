//! Layer 8: wiring. Which driver stands behind which port; nothing is decided here.

mod archive;
mod clock;
mod commits;
mod doctor;
mod keeping;
mod life_sign;
mod mailer;
mod restored;
mod service_watch;
mod source;
mod unneeded;
mod watcher;

use std::io;
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicU32, Ordering};

use tokio::sync::{mpsc, watch};

pub use archive::{Archivist, Due, NotArchived};
pub use clock::RunClock;
pub use commits::follow;
pub use doctor::{Examined, examine, examine_host};
pub use mailer::SiteMailer;
pub use restored::{Lacks, lacks, made};
pub use service_watch::ServiceWatch;
pub use source::{Checked, SiteFolder, check, settings, source};
pub use watcher::{Looked, Watcher};

use crate::definition::settings::ApiListen;
use crate::definition::site::Mail;
use crate::driver::account;
use crate::driver::agent_link::{AgentLinks, AgentStart};
use crate::driver::api_socket::ApiSocket;
use crate::driver::folders::StateFolder;
use crate::driver::logs::Logs;
use crate::driver::store::StateStore;
use crate::driver::store::StoreAddress;
use crate::http::{self, Api, Network, Serving};
use crate::port::control::{Account, Asked, Caller};
use crate::port::{AgentEvent, Meters, Published, SiteSource, Stage, Store, StoreError};
use crate::supervisor::{Fatal, Input, Observer, Parts, Supervisor, World, send_mail};
use crate::types::{Epoch, HostName};
use crate::wire::program_path;

/// The host whose agent lies in the state folder.
const LOCAL: &str = "local";

/// A supervisor of this host: its store, local agent.
#[derive(Debug)]
pub struct Local;

impl World for Local {
    type Store = StateStore;
    type Agent = AgentLinks;
    type Clock = RunClock;
    type Folders = StateFolder;
    type Source = SiteFolder;
}

/// What a supervisor is made from.
#[derive(Debug)]
pub struct Wiring {
    pub source: SiteFolder,
    pub state: StateFolder,
    pub clock: RunClock,
    /// How mail leaves.
    pub mail: Mail,
    pub door: Door,
    /// Whether an agent is started where none is there; else its own unit does it.
    pub starts_agent: bool,
}

/// Standing by is said four times a second; the job files are read again each half minute.
const LOOK_AT_SITE: u32 = 120;

/// Through which people and programs come in: the API, and its other end for the supervisor.
#[derive(Debug)]
pub struct Door {
    api: Api,
    requests: mpsc::UnboundedReceiver<Asked>,
    published: watch::Sender<Published>,
    meters: Meters,
    serving: Option<Serving>,
    /// Times that it was said that this process stands by.
    looked: AtomicU32,
    network: Option<ApiListen>,
}

impl Door {
    /// Nothing listens yet.
    pub fn new(state: &StateFolder, store: &StoreAddress, archives: Option<PathBuf>) -> Self {
        let (asked, requests) = mpsc::unbounded_channel();
        let (published, watched) = watch::channel(Published::nothing());
        let meters = Meters::default();
        let api = Api::new(http::Wiring {
            asked,
            published: watched,
            meters: meters.clone(),
            store: store.clone(),
            state: state.root().to_owned(),
            logs: Logs::new(state.agent()),
            archives,
            own: host_account(),
        });
        Self {
            api,
            requests,
            published,
            meters,
            serving: None,
            looked: AtomicU32::new(0),
            network: None,
        }
    }

    /// Listens on the network too.
    pub fn on_network(self, listen: Option<ApiListen>) -> Self {
        Self { network: listen, ..self }
    }

    /// Listens on the socket of the state folder, and on the network where that is asked for. Once it listens nothing
    /// more is done.
    pub fn open(&mut self, state: &StateFolder) -> io::Result<()> {
        if self.serving.is_none() {
            let socket = ApiSocket::bind(state.root())?;
            let network = self.network.clone().map(Network::bind).transpose()?;
            self.serving = Some(http::serve(&self.api, socket, network)?);
        }
        Ok(())
    }

    /// Says what this process is here for, before it leads, and by which site people are known meanwhile.
    pub fn stands_by(&self, why: &str, site: &SiteFolder) {
        let stage = Stage::StandsBy { why: why.to_owned() };
        let known = self.published.borrow().site.is_some();
        // Looked at now and then: whoever has left the site must not go on reading for as long as this stands by.
        let looked = self.looked.fetch_add(1, Ordering::Relaxed).is_multiple_of(LOOK_AT_SITE);
        let fresh =
            (looked || !known).then(|| site.read().ok().map(|loaded| loaded.site)).flatten();
        self.published.send_if_modified(|published| {
            let changed = published.stage != stage || fresh.is_some();
            published.stage = stage;
            published.site = fresh.or_else(|| published.site.take());
            changed
        });
    }
}

/// No supervisor could be started.
#[derive(Debug, thiserror::Error)]
pub enum NotStarted {
    #[error(transparent)]
    Store(#[from] StoreError),
    #[error(transparent)]
    Fatal(#[from] Fatal),
    #[error("{what}: {error}")]
    Io { what: String, error: io::Error },
}

/// A supervisor with its inbox, for signals and the like.
pub struct Led {
    pub supervisor: Supervisor<Local>,
    pub inbox: mpsc::UnboundedSender<Input>,
    /// Ends with this, when the supervisor has left.
    pub serving: Option<Serving>,
}

/// Takes the lead of a store and brings up everything around it.
pub async fn lead(
    wiring: Wiring,
    store: StateStore,
    observers: Vec<Box<dyn Observer>>,
) -> Result<Led, NotStarted> {
    let mut store = store;
    let epoch = store.claim_epoch().await?;
    lead_as(wiring, store, epoch, observers).await
}

/// As [`lead`], of a store whose lead was taken.
pub async fn lead_as(
    wiring: Wiring,
    store: StateStore,
    epoch: Epoch,
    observers: Vec<Box<dyn Observer>>,
) -> Result<Led, NotStarted> {
    let Wiring { source, state, clock, mail, starts_agent, mut door } = wiring;
    let io = |what: &Path| {
        let what = what.display().to_string();
        move |error| NotStarted::Io { what, error }
    };
    let (inbox_sender, inbox) = mpsc::unbounded_channel();
    let (agent_events, from_agent) = mpsc::unbounded_channel();
    let (post, to_send) = mpsc::unbounded_channel();

    let program = std::env::current_exe().map_err(io(Path::new("nightrun itself")))?;
    // One that has stood by while its file was replaced goes by the new one.
    let start = AgentStart { program: program_path(program), starts: starts_agent };
    let local = HostName::new(LOCAL)
        .map_err(|why| NotStarted::Io { what: LOCAL.to_owned(), error: io::Error::other(why) })?;
    let agent = AgentLinks::new(local, state.agent(), start, epoch, agent_events);
    door.open(&state).map_err(io(state.root()))?;
    let Door { requests, published, meters, serving, .. } = door;
    tokio::spawn(pass_on(
        from_agent,
        inbox_sender.clone(),
        Input::Agent as fn(AgentEvent) -> Input,
    ));
    tokio::spawn(pass_on(requests, inbox_sender.clone(), Input::Asked));
    tokio::spawn(pass_news(store.overtaken(), inbox_sender.clone()));
    tokio::spawn(send_mail(SiteMailer::new(&mail, state.root()), to_send, inbox_sender.clone()));

    let (signs, to_write) = watch::channel(None);
    tokio::spawn(life_sign::keep(to_write, inbox_sender.clone()));
    let (sign_post, signs_to_send) = mpsc::unbounded_channel();
    let mailer = SiteMailer::new(&mail, state.root());
    tokio::spawn(life_sign::post(signs_to_send, mailer, inbox_sender.clone()));

    let parts = Parts {
        store,
        agent,
        clock,
        source,
        folders: state,
        post,
        inbox,
        inbox_sender: inbox_sender.clone(),
        observers,
        published,
        signs,
        sign_post,
        meters,
        own: host_account(),
        path: environment("PATH", "/usr/local/bin:/usr/bin:/bin"),
        home: environment("HOME", "/"),
    };
    let supervisor = Supervisor::lead(parts, epoch).await?;
    Ok(Led { supervisor, inbox: inbox_sender, serving })
}

/// The first line of a file that holds a secret.
///
/// # Errors
/// In words, without what the file holds.
pub fn secret(file: &Path) -> Result<String, String> {
    #[expect(clippy::disallowed_methods, reason = "wiring: secrets come from files")]
    let text = std::fs::read_to_string(file);
    let text = text.map_err(|why| format!("{}: {why}", file.display()))?;
    let line = text.lines().next().unwrap_or_default().trim();
    match line.is_empty() {
        true => Err(format!("{}: the file is empty", file.display())),
        false => Ok(line.to_owned()),
    }
}

/// Who asks in the name of this process.
pub fn own_account() -> Caller {
    host_account().into()
}

/// The account of this process.
pub fn host_account() -> Account {
    let (uid, name) = account::own();
    Account { uid, name }
}

async fn pass_on<T>(
    mut from: mpsc::UnboundedReceiver<T>,
    to: mpsc::UnboundedSender<Input>,
    wrap: fn(T) -> Input,
) {
    while let Some(item) = from.recv().await {
        if to.send(wrap(item)).is_err() {
            return;
        }
    }
}

/// That the lead is lost reaches a supervisor that has nothing to commit.
async fn pass_news(overtaken: impl Future<Output = StoreError>, to: mpsc::UnboundedSender<Input>) {
    let why = overtaken.await;
    // Nobody is there to stop any more.
    to.send(Input::Overtaken(why)).ok();
}

#[expect(
    clippy::disallowed_methods,
    reason = "wiring: jobs inherit PATH and HOME and nothing else"
)]
fn environment(name: &str, otherwise: &str) -> String {
    std::env::var(name).unwrap_or_else(|_| otherwise.to_owned())
}
