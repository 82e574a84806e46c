//! One night that two supervisors serve from one PostgreSQL, each with a wire of its own to it, while they are struck.

use std::collections::BTreeMap;
use std::fs::{self, OpenOptions};
use std::process::Child;
use std::thread::sleep;
use std::time::Duration;

use jiff::Timestamp;
use nightrun::wire::spool;
use rustix::process::Signal;
use sqlx::{Connection, Row};
use tokio::runtime::Runtime;

use super::dice::Dice;
use super::prey;
use super::takeovers::{Expected, Strike, Whom};
use crate::night::facts::{eventually, send};
use crate::night::house::House;
use crate::night::letter::Letter;
use crate::night::pair::{LEASE, NAMES, Pair, epochs};
use crate::postgres_server::Server;
use crate::tcp_wire::Way;

/// A take-over that takes so many leases is none "within a few seconds".
const LATE: f64 = 3.0;
/// Whoever is told: two of failures, one of the end.
const TOLD: usize = 3;

pub(super) struct Contested {
    pair: Pair,
    server: Server,
    dice: Dice,
    runtime: Runtime,
    served: [Option<Child>; 2],
    /// Strikes as they fell, with when those fell that cost the lead, and the epoch that they ended.
    pub(super) told: Vec<String>,
    lost: Vec<(u64, Timestamp)>,
    wrong: Vec<String>,
}

/// Who leads, by the database.
struct Lead {
    epoch: u64,
    who: Option<usize>,
}

impl Contested {
    pub(super) fn new(house: House, server: Server, dice: Dice) -> Self {
        let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
        let pair = Pair::of(house, &server);
        let (told, lost, wrong) = (Vec::new(), Vec::new(), Vec::new());
        Self { pair, server, dice, runtime, served: [None, None], told, lost, wrong }
    }

    /// From the start of the supervisors to their end, with the night's in between.
    pub(super) fn go(&mut self, script: &[(u64, Strike)]) {
        // The store is made by one of them: a wait for two that make it at once is no part of this.
        self.start(0);
        let leader = self.led_after(0);
        // It has the lease a moment before it takes orders.
        eventually("readiness", || self.pair.get(NAMES[leader], "/readyz").status == 200);
        self.start(1);
        let mut order = self.pair.command(NAMES[leader], &["run", "night", "--date", "2026-10-30"]);
        let log = OpenOptions::new().create(true).append(true).open(self.log("order")).unwrap();
        order.stdout(log.try_clone().unwrap()).stderr(log);
        let mut order = order.spawn().unwrap();
        eventually("the first jobs", || !self.pair.house.lines("ran").is_empty());
        order.kill().unwrap();
        order.wait().unwrap();
        for (before, strike) in script {
            sleep(Duration::from_millis(*before));
            if self.is_over() {
                break;
            }
            self.strike(*strike);
        }
        self.until("the end of the night", |night| night.is_over());
        self.until("the mails", |night| night.letters().len() >= TOLD);
        for which in [0, 1] {
            self.end(which);
        }
    }

    fn log(&self, name: &str) -> std::path::PathBuf {
        self.pair.house.site().with_file_name(format!("{name}.log"))
    }

    fn start(&mut self, which: usize) {
        let log = self.log(NAMES[which]);
        let log = OpenOptions::new().create(true).append(true).open(log).unwrap();
        let mut command = self.pair.command(NAMES[which], &["serve", "--format", "json"]);
        command.stdout(log.try_clone().unwrap()).stderr(log);
        self.served[which] = Some(command.spawn().unwrap());
    }

    /// What ended by itself is started again, as its unit would.
    fn revive(&mut self) {
        for which in [0, 1] {
            let Some(child) = &mut self.served[which] else { continue };
            let Some(status) = child.try_wait().unwrap() else { continue };
            if status.code() != Some(1) {
                self.wrong.push(format!("{} gave up with {status}", NAMES[which]));
            }
            self.start(which);
        }
    }

    /// TERM, and it ends by itself; one that has just been overtaken does so with another code.
    fn end(&mut self, which: usize) {
        let Some(mut child) = self.served[which].take() else { return };
        send(child.id() as i32, Signal::TERM);
        let mut status = None;
        eventually("the end of a supervisor", || {
            status = child.try_wait().unwrap();
            status.is_some()
        });
        if !matches!(status.unwrap().code(), Some(0 | 1)) {
            self.wrong.push(format!("{} was told to end and left {status:?}", NAMES[which]));
        }
    }

    fn signal(&self, which: usize, signal: Signal) {
        if let Some(child) = &self.served[which] {
            send(child.id() as i32, signal);
        }
    }

    fn kill(&mut self, which: usize) {
        if let Some(mut child) = self.served[which].take() {
            child.kill().unwrap();
            child.wait().unwrap();
        }
    }

    fn lead(&self) -> Lead {
        let row = self.runtime.block_on(async {
            let mut conn = self.server.connect(self.pair.database()).await;
            let ask = "SELECT epoch, holder FROM lease
                WHERE expires > (extract(epoch FROM clock_timestamp()) * 1000000)::bigint";
            // Until the schema is there nobody leads.
            let row = sqlx::query(ask).fetch_optional(&mut conn).await.unwrap_or_default();
            conn.close().await.ok();
            row
        });
        let Some(row) = row else { return Lead { epoch: 0, who: None } };
        let holder: String = row.get("holder");
        let is = |child: &Option<Child>| {
            child.as_ref().is_some_and(|c| holder.starts_with(&format!("process {} ", c.id())))
        };
        let who = self.served.iter().position(is);
        Lead { epoch: row.get::<i64, _>("epoch") as u64, who }
    }

    fn is_over(&self) -> bool {
        self.runtime.block_on(async {
            let mut conn = self.server.connect(self.pair.database()).await;
            let ask = "SELECT count(*) FROM run WHERE ended IS NOT NULL";
            let ended = sqlx::query_scalar::<_, i64>(ask).fetch_one(&mut conn).await.unwrap();
            conn.close().await.ok();
            ended > 0
        })
    }

    fn until(&mut self, what: &str, mut holds: impl FnMut(&Self) -> bool) {
        eventually(what, || {
            self.revive();
            let holds = holds(self);
            sleep(Duration::from_millis(20));
            holds
        });
    }

    /// Who leads under a later epoch than this.
    fn led_after(&mut self, epoch: u64) -> usize {
        let mut leader = None;
        self.until("a leader", |night| {
            let lead = night.lead();
            leader = lead.who.filter(|_| lead.epoch > epoch);
            leader.is_some()
        });
        leader.unwrap()
    }

    /// What costs the leader its lead, until another epoch has begun; then some more time.
    fn loses(&mut self, epoch: u64, struck: Timestamp) {
        self.lost.push((epoch, struck));
        self.led_after(epoch);
        sleep(Duration::from_millis(self.dice.of(0, 1_500)));
    }

    fn strike(&mut self, strike: Strike) {
        let leader = self.led_after(0);
        let epoch = self.lead().epoch;
        let of = |whom| if whom == Whom::Leader { leader } else { 1 - leader };
        let struck = Timestamp::now();
        self.told
            .push(format!("{} ran, epoch {epoch}: {strike:?}", self.pair.house.lines("ran").len()));
        let wait = |millis| sleep(Duration::from_millis(millis));
        match strike {
            Strike::Kill(Whom::Leader) => {
                self.kill(leader);
                self.start(leader);
                self.loses(epoch, struck);
            }
            Strike::Kill(Whom::Standby) => {
                self.kill(1 - leader);
                self.start(1 - leader);
            }
            Strike::KillBoth => {
                [0, 1].into_iter().for_each(|which| self.kill(which));
                [0, 1].into_iter().for_each(|which| self.start(which));
                self.loses(epoch, struck);
            }
            Strike::StopPastTheLease => {
                self.signal(leader, Signal::STOP);
                self.loses(epoch, struck);
                self.signal(leader, Signal::CONT);
            }
            Strike::Stop(whom, millis) => {
                self.signal(of(whom), Signal::STOP);
                wait(millis);
                self.signal(of(whom), Signal::CONT);
            }
            Strike::CutPastTheLease(way) => {
                self.pair.wire(NAMES[leader], way);
                self.loses(epoch, struck);
                self.pair.wire(NAMES[leader], Way::Through);
            }
            Strike::Cut(whom, way, millis) => {
                self.pair.wire(NAMES[of(whom)], way);
                wait(millis);
                self.pair.wire(NAMES[of(whom)], Way::Through);
            }
            Strike::Restart(signal, millis) => {
                self.server.signal(signal);
                wait(millis);
                self.server.start_again();
            }
        }
    }

    /// Mails that both have sent, by their ids; a mail may come again as it was.
    fn letters(&self) -> BTreeMap<String, Letter> {
        let paths = NAMES.iter().flat_map(|name| self.pair.mails(name));
        let letters = paths.map(|path| Letter::read(&fs::read(path).unwrap()));
        letters.map(|letter| (letter.id.clone(), letter)).collect()
    }

    /// From each strike that cost the lead to the first entry of the next epoch, in leases.
    pub(super) fn taken_over(&self) -> Vec<f64> {
        let epochs = epochs(&self.pair.house);
        let ratio = |(epoch, struck): &(u64, Timestamp)| {
            let (_, first) = epochs.iter().find(|(later, _)| later > epoch)?;
            Some(first.duration_since(*struck).as_secs_f64() / LEASE.as_secs_f64())
        };
        self.lost.iter().filter_map(ratio).collect()
    }

    /// What is not as it should be, now that all is over.
    pub(super) fn complaints(&mut self, expected: &Expected) -> Vec<String> {
        let mut wrong = std::mem::take(&mut self.wrong);
        let house = &self.pair.house;
        house.nothing_is_lost();
        let mut is = |holds: bool, what: String| {
            if !holds {
                wrong.push(what);
            }
        };
        let epochs = epochs(house);
        is(epochs.is_sorted_by_key(|(epoch, _)| *epoch), format!("epochs go down: {epochs:?}"));
        let ran = house.ran();
        is(ran == expected.ran, format!("ran {ran:?} and not {:?}", expected.ran));
        // Who started something that is not in the journal did not lead.
        let intended = house.facts("attempt-intended");
        for entry in fs::read_dir(house.state().join("agent/spool")).unwrap() {
            let name = entry.unwrap().file_name().into_string().unwrap();
            let known = intended.iter().any(|fact| fact["attempt"] == prey::attempt_of(&name));
            is(known || spool::attempt_of(&name).is_none(), format!("{name} was never intended"));
        }
        let settled = house.facts("settled");
        let failed: Vec<&str> = settled
            .iter()
            .filter(|fact| fact["outcome"] != "succeeded")
            .map(|fact| fact["job"].as_str().unwrap())
            .collect();
        is(failed == expected.failed, format!("failed: {failed:?}"));
        is(settled.len() == expected.jobs, format!("settled {} times", settled.len()));
        for (kind, times) in [("run-opened", 1), ("run-ended", 1), ("incident-opened", 1)] {
            let facts = house.facts(kind);
            is(facts.len() == times, format!("{kind}: {facts:?}"));
        }
        let letters = self.letters();
        let mut to: Vec<&str> = letters.values().map(|letter| letter.to.as_str()).collect();
        to.sort_unstable();
        let all = ["ann@bank.example", "rob@bank.example", "wei@bank.example"];
        is(to == all, format!("mails: {letters:?}"));
        for name in NAMES {
            let said = fs::read_to_string(self.log(name)).unwrap_or_default();
            for word in ["panicked", "does not fit", "Nothing of this turn", "contradict"] {
                is(!said.contains(word), format!("{name} said: {said}"));
            }
        }
        let taken = self.taken_over();
        is(taken.iter().all(|ratio| *ratio < LATE), format!("taken over after {taken:.2?} leases"));
        wrong
    }
}

impl Drop for Contested {
    fn drop(&mut self) {
        [0, 1].into_iter().for_each(|which| self.kill(which));
    }
}
