//! Layer 8: wiring. Which driver stands behind which port; nothing is decided here.

mod archive;
mod clock;
mod commits;
mod doctor;
mod mailer;
mod restored;
mod source;

use std::io;
use std::path::Path;

use tokio::sync::mpsc;

pub use archive::{Archivist, Due, NotArchived};
pub use clock::RunClock;
pub use commits::follow;
pub use doctor::examine;
pub use mailer::SiteMailer;
pub use restored::{Lacks, lacks, made};
pub use source::{Checked, SiteFolder, check, settings, source};

use crate::definition::site::Mail;
use crate::driver::account;
use crate::driver::agent_link::LocalAgent;
use crate::driver::control::Server;
use crate::driver::folders::StateFolder;
use crate::driver::store::StateStore;
use crate::port::control::Account;
use crate::port::{AgentEvent, Store, StoreError};
use crate::supervisor::{Fatal, Input, Observer, Parts, Supervisor, World, send_mail};
use crate::types::{Epoch, HostName};

/// The host whose agent lies in the state folder.
const LOCAL: &str = "local";

/// A supervisor of this host: its store, local agent.
#[derive(Debug)]
pub struct Local;

impl World for Local {
    type Store = StateStore;
    type Agent = LocalAgent;
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
    let Wiring { source, state, clock, mail } = wiring;
    let io = |what: &Path| {
        let what = what.display().to_string();
        move |error| NotStarted::Io { what, error }
    };
    let (inbox_sender, inbox) = mpsc::unbounded_channel();
    let (agent_events, from_agent) = mpsc::unbounded_channel();
    let (asked, requests) = mpsc::unbounded_channel();
    let (post, to_send) = mpsc::unbounded_channel();

    let exe = std::env::current_exe().map_err(io(Path::new("nightrun itself")))?;
    let local = HostName::new(LOCAL)
        .map_err(|why| NotStarted::Io { what: LOCAL.to_owned(), error: io::Error::other(why) })?;
    let agent = LocalAgent::new(local, state.agent(), exe, epoch, agent_events);
    let server = Server::bind(state.root()).map_err(io(state.root()))?;
    tokio::spawn(server.serve(asked));
    tokio::spawn(pass_on(
        from_agent,
        inbox_sender.clone(),
        Input::Agent as fn(AgentEvent) -> Input,
    ));
    tokio::spawn(pass_on(requests, inbox_sender.clone(), Input::Asked));
    tokio::spawn(pass_news(store.overtaken(), inbox_sender.clone()));
    tokio::spawn(send_mail(SiteMailer::new(&mail, state.root()), to_send, inbox_sender.clone()));

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
        own: own_account(),
        path: environment("PATH", "/usr/local/bin:/usr/bin:/bin"),
        home: environment("HOME", "/"),
    };
    let supervisor = Supervisor::lead(parts, epoch).await?;
    Ok(Led { supervisor, inbox: inbox_sender })
}

/// The account of this process.
pub fn own_account() -> Account {
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
