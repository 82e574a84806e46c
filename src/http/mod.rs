//! Layer 7: the API (`/api/v1`), over a Unix socket for the accounts of this host and over HTTP(S) for whoever has a
//! token. It reads from the store and from what the supervisor publishes, and hands everything else to the supervisor;
//! it holds no state of its own but what it has just answered, and who has tried to log in.

mod act;
mod archives;
mod bulletins;
mod caller;
mod change_records;
mod changes;
mod drills;
mod events;
mod figures;
mod hand_overs;
mod health;
mod hosts;
mod house;
mod incident_page;
mod incidents;
mod inspections;
mod listen;
mod log;
mod login;
mod metrics;
mod one_job;
mod openapi;
mod operations;
mod page;
mod pages;
mod people;
mod problem;
mod received;
mod recent;
mod roster;
mod route;
mod routes;
mod runs;
mod status;
pub mod store_access;
pub mod store_changes;
pub mod store_pages;

use std::path::PathBuf;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::time::Duration;

use tokio::sync::{OnceCell, mpsc, oneshot, watch};

pub use act::{ActBody, Ordered};
pub use archives::lines as archive_lines;
pub use bulletins::{NONE as NO_BULLETIN, of_store as bulletin_of_store};
pub use changes::{CreateBody, StepBody};
pub use figures::FigureBody;
pub use hand_overs::{HandOverBody, of_store as hand_over_of_store};
pub use house::{FreezeBody, PoolBody, ReasonBody};
pub use incidents::{OpenBody, WantedBody};
pub use inspections::{check as check_inspections, of_store as inspections_of_store};
pub use listen::{Network, Serving, serve};
pub use login::CredentialBody;
pub use operations::{not_begun, of_store as operations_of_store};
pub use problem::Problem;
pub use route::{Needs, Route};
pub use routes::{document, routes};
pub use runs::ListedRun;

use crate::driver::logs::Logs;
use crate::driver::store::{StateReader, StoreAddress};
use crate::port::control::{Account, Asked, Caller, Reply, Request};
use crate::port::{Meters, Published, Stage};

/// How long whoever asks waits for a supervisor that begins.
const BEGINNING: Duration = Duration::from_secs(30);

/// What the API needs of the process that it is in.
#[derive(Debug)]
pub struct Wiring {
    /// To the supervisor.
    pub asked: mpsc::UnboundedSender<Asked>,
    /// What the supervisor lets everybody know.
    pub published: watch::Receiver<Published>,
    pub meters: Meters,
    /// Where history is read.
    pub store: StoreAddress,
    pub state: PathBuf,
    pub logs: Logs,
    /// The folder of archives, where something is archived.
    pub archives: Option<PathBuf>,
    /// The account that this process runs as.
    pub own: Account,
}

/// What every handler has.
#[derive(Debug, Clone)]
pub struct Api(Arc<Inner>);

#[derive(Debug)]
struct Inner {
    wiring: Wiring,
    reader: OnceCell<StateReader>,
    kept: status::Kept,
    recent: recent::Recent,
    logins: login::Logins,
    auditing: tokio::sync::Mutex<()>,
    /// How often somebody has done something over this API: pages of before do not show it.
    acted: AtomicU64,
}

impl Api {
    pub fn new(wiring: Wiring) -> Self {
        Self(Arc::new(Inner {
            wiring,
            reader: OnceCell::new(),
            kept: status::Kept::default(),
            recent: recent::Recent::default(),
            logins: login::Logins::default(),
            auditing: tokio::sync::Mutex::default(),
            acted: AtomicU64::new(0),
        }))
    }

    fn published(&self) -> Published {
        self.0.wiring.published.borrow().clone()
    }

    /// As [`published`](Self::published), once it is known what this supervisor is here for.
    async fn once_begun(&self) -> Result<Published, Problem> {
        let mut watched = self.0.wiring.published.clone();
        let begun = watched.wait_for(|published| published.stage != Stage::Begins);
        match tokio::time::timeout(BEGINNING, begun).await {
            Ok(Ok(published)) => Ok(published.clone()),
            _ => Err(Problem::not_now("the supervisor begins; ask again")),
        }
    }

    /// The history; opened when it is first asked for, on the runtime of the API.
    async fn reader(&self) -> Result<&StateReader, Problem> {
        let wiring = &self.0.wiring;
        let open = async || {
            let reader = StateReader::open(&wiring.store, &wiring.state).await?;
            reader.ok_or_else(|| Problem::unknown("nothing has run here yet"))
        };
        self.0.reader.get_or_try_init(open).await
    }

    /// Asks the supervisor, and waits for its answer.
    async fn ask(&self, caller: Caller, request: Request) -> Result<Reply, Problem> {
        if let Stage::StandsBy { why } = &self.published().stage {
            return Err(Problem::not_now(format!(
                "this supervisor stands by: {why}; ask the one that leads, or again in a moment"
            )));
        }
        let looks = request.looks() || request == Request::Alive || request.is_dry_run();
        let (reply, answer) = oneshot::channel();
        let taken = Arc::new(AtomicBool::new(false));
        let asked = Asked { caller, request, reply, taken: Arc::clone(&taken) };
        self.0.wiring.asked.send(asked).map_err(|_| Problem::gone())?;
        let answer = answer.await;
        if !looks {
            self.0.acted.fetch_add(1, Ordering::Relaxed);
        }
        answer.map_err(|_| match taken.load(Ordering::Relaxed) {
            false => Problem::gone(),
            true => Problem::unconfirmed(),
        })
    }
}
