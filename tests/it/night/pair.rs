//! Two supervisors of one site on one PostgreSQL and one agent, each with a wire of its own to the database.

use std::os::unix::net::UnixStream;
use std::path::PathBuf;
use std::process::Command;
use std::time::Duration;

use jiff::Timestamp;
use serde_json::Value;

use super::house::House;
use super::post::on_its_own;
use super::watched::Night;
use crate::api::{Response, exchange};
use crate::postgres_server::Server;
use crate::tcp_wire::{Way, Wire};

/// How long the lead goes on by itself.
pub(crate) const LEASE: Duration = Duration::from_secs(5);

pub(crate) const NAMES: [&str; 2] = ["one", "two"];

/// A site, and two supervisors, `one` and `two`, with state folders of their own.
pub(crate) struct Pair {
    pub(crate) house: House,
    wires: [Wire; 2],
    database: String,
}

impl Pair {
    /// On a new database of the server, with one batch `night` of these jobs.
    pub(crate) fn new(jobs: &str, server: &Server) -> Self {
        Self::of(House::new(jobs), server)
    }

    pub(crate) fn of(mut house: House, server: &Server) -> Self {
        let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
        let database = runtime.block_on(server.database());
        // Who only looks needs no wire.
        house.store = Some(server.url(&database));
        let port = server.port;
        let wires = NAMES.map(|_| on_its_own(async move || Wire::to(port).await));
        Self { house, wires, database }
    }

    pub(crate) fn database(&self) -> &str {
        &self.database
    }

    /// What becomes of what this one and the database say to each other.
    pub(crate) fn wire(&self, which: &str, way: Way) {
        self.wires[number(which)].set(way);
    }

    pub(crate) fn state(&self, which: &str) -> PathBuf {
        self.house.state().with_file_name(which)
    }

    pub(crate) fn command(&self, which: &str, arguments: &[&str]) -> Command {
        let mut command = Command::new(env!("CARGO_BIN_EXE_nightrun"));
        command.arg("--site").arg(self.house.site()).arg("--shared").arg(self.house.state());
        command.arg("--state").arg(self.state(which)).args(arguments);
        let port = self.wires[number(which)].port;
        let url = format!("postgres://postgres@127.0.0.1:{port}/{}", self.database);
        command.env("NIGHTRUN_STORE", url);
        command
    }

    pub(crate) fn serve(&self, which: &str) -> Night {
        Night::watch(self.command(which, &["serve", "--format", "json"]))
    }

    /// Gives the order to the one that leads, in the background.
    pub(crate) fn order(&self, which: &str) -> Night {
        Night::watch(self.command(which, &["run", "night", "--format", "json"]))
    }

    /// Asks this one over its socket.
    pub(crate) fn get(&self, which: &str, path: &str) -> Response {
        exchange(self.socket(which), ("GET", path), &[], None)
    }

    pub(crate) fn post(&self, which: &str, path: &str, body: &Value) -> Response {
        exchange(self.socket(which), ("POST", path), &[], Some(body))
    }

    pub(crate) fn socket(&self, which: &str) -> UnixStream {
        let stream = UnixStream::connect(self.state(which).join("api.sock")).unwrap();
        stream.set_read_timeout(Some(Duration::from_secs(30))).unwrap();
        stream
    }

    /// Mails that one of them has sent, as they lie in its folder.
    pub(crate) fn mails(&self, which: &str) -> Vec<PathBuf> {
        let folder = std::fs::read_dir(self.state(which).join("mail"));
        let names = folder.into_iter().flatten().map(|entry| entry.unwrap().path());
        names.filter(|path| path.extension().is_some_and(|end| end == "eml")).collect()
    }
}

fn number(which: &str) -> usize {
    NAMES.iter().position(|name| *name == which).unwrap()
}

/// The epochs of the journal's entries, in their order, with when each entry was made.
pub(crate) fn epochs(house: &House) -> Vec<(u64, Timestamp)> {
    let entry = |entry: &Value| {
        (entry["epoch"].as_u64().unwrap(), entry["at"].as_str().unwrap().parse().unwrap())
    };
    house.journal().iter().map(entry).collect()
}

/// No entry of a former leader comes after one of a later.
#[track_caller]
pub(crate) fn no_epoch_goes_down(house: &House) {
    let epochs = epochs(house);
    assert!(epochs.is_sorted_by_key(|(epoch, _)| *epoch), "{epochs:?}");
}
