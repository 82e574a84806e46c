//! Layer 6: the turn. Events that are waiting are taken together, the core decides, everything is made durable in one
//! transaction, and only then something is done.

mod access;
mod archive;
mod as_if;
mod bulletins;
mod changes;
mod credentials;
mod hand_overs;
mod hosts;
mod letters;
mod life_sign;
mod messages;
mod operators;
mod ordering;
mod orders;
mod outbox;
mod publish;
mod pulse;
mod recall;
mod received;
mod recurring;
mod reports;
mod requests;
mod restored;
mod service;
mod trouble;
mod turn;

use std::collections::{BTreeMap, BTreeSet, VecDeque};
use std::path::PathBuf;
use std::sync::Arc;
use std::time::Duration;

use jiff::Timestamp;
use tokio::sync::{mpsc, oneshot, watch};

use crate::core::fact::{Fact, LateWhy, RunArchived, RunResult, StopHow};
use crate::core::night::{Core, StepError};
use crate::core::refused::{Refused, Rule};
use crate::core::service::Hindrance;
use crate::core::state::Unfit;
use crate::journal::{Broken, Chain, NotSealed, OutgoingMail};
use crate::port::control::{Account, Asked, Caller, Reply};
use crate::port::{
    AgentEvent, AgentLink, Clock, Folders, Meters, Published, Pulse, SiteSource, Store, StoreError,
    StoreReader,
};
use crate::types::{Epoch, HostName, Now, RunId};
use crate::wire::{FromAgent, ToAgent};

pub use access::{allow, is_known, person_of};
pub use archive::Unneeded;
pub use as_if::AsIf;
pub use bulletins::bulletin_of;
pub use hand_overs::{night_as_stored, noted_since};
pub use letters::{inspections_of, rounds_beside};
pub use life_sign::SignToWrite;
pub use operators::house_event;
pub use ordering::Desk;
pub use orders::{NotOrdered, is_interrupted};
pub use outbox::{MailNews, Post, send_mail};
pub use recall::{Definition, across_now, definition, on_call_of, recall, standing};
pub use recurring::prints;
pub use reports::{missed_starts, planned, usual_p95, week_before};
pub use restored::schedules;
pub use service::NotServed;

/// The outside world of one supervisor.
pub trait World {
    type Store: Store;
    type Agent: AgentLink;
    type Clock: Clock;
    type Folders: Folders;
    type Source: SiteSource;
}

/// What reaches a supervisor.
#[derive(Debug)]
pub enum Input {
    Agent(AgentEvent),
    Asked(Asked),
    Stop {
        caller: Caller,
        how: StopHow,
    },
    /// The supervisor is to end; what runs goes on under its agent.
    Leave,
    /// The job files may have changed.
    Reload,
    /// Something that people should know.
    Notice(String),
    Mail(MailNews),
    /// Another supervisor leads.
    Overtaken(StoreError),
    /// A run lies in an archive, and may leave the store; whether it has is told.
    Archived {
        archived: Box<RunArchived>,
        done: mpsc::UnboundedSender<bool>,
    },
    /// Nothing in the store goes by it any more; how many kept files went is told.
    Unneeded {
        unneeded: Unneeded,
        done: mpsc::UnboundedSender<usize>,
    },
}

impl Input {
    /// Whether it tells that a program runs, and nothing else.
    fn is_start(&self) -> bool {
        matches!(self, Self::Agent(AgentEvent::Says { what: FromAgent::Started { .. }, .. }))
    }
}

/// Sees every turn after it is durable: the progress display, a log.
pub trait Observer {
    fn turn(&mut self, core: &Core, now: Now, facts: &[(Timestamp, Fact)]);
    /// Something that is no fact: a host went away, the store is in trouble.
    fn notice(&mut self, at: Timestamp, text: &str);
    /// When it wants to see the core though nothing has happened, by the time since boot: an observer that does not look
    /// closely at each turn says so, and sees how it stands once it is quiet.
    fn looks_at(&self) -> Option<Duration> {
        None
    }
    /// The loop turns.
    fn lives(&mut self, _now: Now) {}
    /// The job files are read because somebody has asked for it; `done`: they were.
    fn reads_anew(&mut self, _now: Now, _done: bool) {}
}

/// Why a supervisor cannot go on. What is durable stays as it is.
#[derive(Debug, thiserror::Error)]
pub enum Fatal {
    #[error(transparent)]
    Store(#[from] StoreError),
    #[error("the journal does not fit the state: {0}")]
    Unfit(#[from] Unfit),
    /// The core was about to decide what its own rules forbid. The turn is thrown away whole.
    #[error(
        "{0}\n  Nothing of this turn was stored, started or mailed. What runs goes on under its agent, and its ending is kept.\n  `nightrun resume` takes the night up again. If it stops with the same words: skip the job that is named (`nightrun skip`), and report this line with the journal (`nightrun journal show --last 500 --format json`)."
    )]
    Defect(StepError),
    #[error(transparent)]
    Broken(#[from] Broken),
    #[error(transparent)]
    NotSealed(#[from] NotSealed),
    #[error("the run's stored definition {0} is not there or cannot be read")]
    Definition(String),
    #[error("the run's folder: {0}")]
    Folder(#[from] std::io::Error),
    /// Somebody has insisted, while nothing could be recorded.
    #[error(
        "left, while the store does not take what was decided: {0}; what runs goes on under its agent, and `nightrun resume` goes on with the run"
    )]
    Left(String),
}

/// Everything that a supervisor is made of.
pub struct Parts<W: World> {
    pub store: W::Store,
    pub agent: W::Agent,
    pub clock: W::Clock,
    pub folders: W::Folders,
    pub source: W::Source,
    /// To the sender of mail.
    pub post: mpsc::UnboundedSender<Post>,
    pub inbox: mpsc::UnboundedReceiver<Input>,
    /// For what the supervisor tells itself.
    pub inbox_sender: mpsc::UnboundedSender<Input>,
    pub observers: Vec<Box<dyn Observer>>,
    /// What those who only read go by.
    pub published: watch::Sender<Published>,
    /// To whoever gives life signs: as a file, and as messages.
    pub signs: watch::Sender<Option<SignToWrite>>,
    pub sign_post: mpsc::UnboundedSender<OutgoingMail>,
    pub meters: Meters,
    /// The account that this supervisor runs as.
    pub own: Account,
    /// `PATH` and `HOME` of jobs.
    pub path: String,
    pub home: String,
}

/// The process that decides (调度主控).
pub struct Supervisor<W: World> {
    parts: Parts<W>,
    /// Came while the store was in trouble; goes before what is in the inbox.
    later: VecDeque<Input>,
    core: Core,
    chain: Chain,
    epoch: Epoch,
    copies: BTreeMap<String, Arc<Definition>>,
    /// Hosts that somebody has waited for, with whether they can be reached.
    reached: BTreeMap<HostName, bool>,
    /// What those have said that are not this one.
    hosts: hosts::Hosts,
    /// Messages that the sender has.
    posted: BTreeSet<u64>,
    /// When the outbox is looked at again, by the host's own clock.
    mail_due: Option<Timestamp>,
    reports: BTreeMap<RunId, Vec<PathBuf>>,
    /// When the clocks were last looked at.
    looked: Option<Now>,
    /// Whether it was said that nothing moves by itself.
    stuck: bool,
    /// Somebody has asked for the end: nothing new is taken in any more.
    stopping: bool,
    /// Since when the store could not be written, and why, as long as nobody was told.
    store_away: Option<(Timestamp, String)>,
    /// The turn that letters were written in last, and how many to whom about what.
    letters_of_turn: (String, BTreeMap<String, u32>),
    /// The schedules are served.
    service: Option<service::Service>,
    /// What kept this supervisor from making starts, the latest last.
    hindered: VecDeque<Hindrance>,
    leaving: bool,
    reload: bool,
    /// What was under way is being taken up: nobody is told anything yet.
    begins: bool,
    /// Of the keeper of the lead, where there is one.
    pulse: Option<Pulse>,
}

/// What a wall clock may be corrected by between two looks without a word.
const CLOCK_ADJUSTED: Duration = Duration::from_secs(2);
/// Events taken into one turn at the most, so that one commit stays small.
const EVENTS_PER_TURN: usize = 1_000;
/// A wait that took so much longer than meant was no wait: nobody was awake.
const OVERSLEPT: Duration = Duration::from_secs(5);
/// What is remembered of what kept starts from being made.
const HINDRANCES: usize = 16;
/// How long the news that a program runs waits for something that is worth a commit.
const MOMENT: Duration = Duration::from_millis(50);

impl<W: World> Supervisor<W> {
    /// Takes the lead of a store whose epoch was claimed. What former runs left in doubt still holds what it took.
    pub async fn lead(parts: Parts<W>, epoch: Epoch) -> Result<Self, Fatal> {
        let reader = parts.store.reader();
        let chain = Chain::after(reader.head().await?);
        let next_incident = reader.next_incident().await?;
        let mut core = Core::new(next_incident.0);
        standing(reader, &mut core, parts.clock.offset().is_some()).await?;
        let pulse = parts.store.pulse();
        let mut supervisor = Self {
            parts,
            later: VecDeque::new(),
            core,
            chain,
            epoch,
            copies: BTreeMap::new(),
            reached: BTreeMap::new(),
            hosts: hosts::Hosts::default(),
            posted: BTreeSet::new(),
            mail_due: None,
            reports: BTreeMap::new(),
            looked: None,
            stuck: false,
            stopping: false,
            store_away: None,
            letters_of_turn: (String::new(), BTreeMap::new()),
            service: None,
            hindered: VecDeque::new(),
            leaving: false,
            reload: false,
            begins: false,
            pulse,
        };
        supervisor.load_doubts().await?;
        Ok(supervisor)
    }

    pub fn epoch(&self) -> Epoch {
        self.epoch
    }

    pub fn core(&self) -> &Core {
        &self.core
    }

    /// The time that a run is looked at: its end, where it has come to it.
    pub fn now_of(&self, run: &RunId) -> Now {
        let now = self.parts.clock.now();
        let ended = self.core.state().runs.get(run).and_then(|run| run.ended_at);
        Now { wall: ended.unwrap_or(now.wall), ..now }
    }

    pub fn result(&self, run: &RunId) -> Option<RunResult> {
        self.core.state().runs.get(run).and_then(|run| run.result)
    }

    /// Files of the report that were written for a run.
    pub fn report_files(&self, run: &RunId) -> &[PathBuf] {
        self.reports.get(run).map_or(&[], Vec::as_slice)
    }

    /// Ends the lead. Where nothing runs any more the agents need not wait for the next supervisor.
    pub async fn leave(mut self) {
        if !self.core.busy() {
            for host in self.reached.keys() {
                self.parts.agent.tell(host, ToAgent::Leave);
            }
        }
        self.parts.agent.close().await;
        self.parts.store.close().await;
    }

    /// Decides until every run has come to its end.
    pub async fn work(&mut self) -> Result<(), Fatal> {
        self.post_due_mail().await?;
        while !self.is_idle() {
            self.go_round().await?;
        }
        Ok(())
    }

    /// Waits for something to happen, and carries out what follows from it.
    async fn go_round(&mut self) -> Result<(), Fatal> {
        let inputs = self.wait().await;
        self.lives();
        self.turn(inputs).await?;
        if self.mail_due.is_some_and(|due| due <= self.parts.clock.real()) {
            self.post_due_mail().await?;
        }
        self.show();
        Ok(())
    }

    /// Shows the core to those who wanted to see it by now.
    fn show(&mut self) {
        let now = self.parts.clock.now();
        for observer in &mut self.parts.observers {
            if observer.looks_at().is_some_and(|at| at <= now.since_boot) {
                observer.turn(&self.core, now, &[]);
            }
        }
    }

    /// Whether every run has come to its end.
    pub fn is_idle(&self) -> bool {
        self.core.state().runs.values().all(|run| run.result.is_some())
    }

    /// The next events, or none when a time has come.
    async fn wait(&mut self) -> Vec<Input> {
        let mut inputs: Vec<Input> = self.later.drain(..).collect();
        if !inputs.is_empty() {
            return inputs;
        }
        if self.parts.inbox.is_empty() && self.jump() {
            return inputs;
        }
        let now = self.parts.clock.now();
        let wake = self.core.next_wake().after(now);
        self.say_if_stuck(now);
        let mail = self.mail_due.map(|due| {
            Duration::try_from(due.duration_since(self.parts.clock.real())).unwrap_or_default()
        });
        let looks = self.parts.observers.iter().filter_map(|observer| observer.looks_at());
        let look = looks.min().map(|at| at.saturating_sub(now.since_boot));
        let times = wake.into_iter().chain(mail).chain(look).chain(self.service_wakes());
        let times = times.chain(self.beats_within()).chain(self.sign_wakes());
        let sleep = times.min().unwrap_or(Duration::MAX);
        let something = async {
            tokio::select! {
                _ = self.parts.inbox.recv_many(&mut inputs, EVENTS_PER_TURN) => {}
                // What was due by the wall clock is due at another time now.
                () = self.parts.clock.stepped() => {}
            }
        };
        // Out of time: nothing came, and that is what the core is told.
        let _ = tokio::time::timeout(sleep, something).await;
        self.note_if_overslept(now, sleep);
        self.gather(&mut inputs).await;
        self.say_if_clock_was_set();
        inputs
    }

    /// A process that was suspended, or whose host slept, has made no starts meanwhile.
    fn note_if_overslept(&mut self, before: Now, meant: Duration) {
        let now = self.parts.clock.now();
        let slept = now.since_boot.saturating_sub(before.since_boot);
        if slept > meant.saturating_add(OVERSLEPT) {
            self.note_hindrance(before.wall, LateWhy::NobodyServed);
        }
    }

    /// Something has kept starts from being made, until now.
    fn note_hindrance(&mut self, since: Timestamp, why: LateWhy) {
        let until = self.parts.clock.now().wall;
        self.hindered.push_back((since, until, why));
        if self.hindered.len() > HINDRANCES {
            self.hindered.pop_front();
        }
    }

    /// Schedules, windows and deadlines follow the wall clock wherever it is set; people must know that it was.
    fn say_if_clock_was_set(&mut self) {
        let now = self.parts.clock.now();
        let Some(before) = self.looked.replace(now) else { return };
        let passed = now.since_boot.saturating_sub(before.since_boot);
        let Ok(passed) = jiff::SignedDuration::try_from(passed) else { return };
        let set = now.wall.duration_since(before.wall).saturating_sub(passed);
        // A trial's clock is moved by the trial itself, on both alike.
        if set.unsigned_abs() > CLOCK_ADJUSTED {
            if set.is_positive() {
                self.note_hindrance(before.wall, LateWhy::Clock);
            }
            let way = if set.is_negative() { "back" } else { "forward" };
            let by = set.unsigned_abs() + Duration::from_millis(500);
            let by = jiff::SignedDuration::from_secs(by.as_secs().cast_signed());
            let text = format!(
                "the clock of this host was set {way} by {by:#}: schedules, windows and deadlines go by it, waits between attempts do not"
            );
            self.notice(now.wall, &text);
        }
    }

    /// That a program runs decides nothing: it shares the commit of what comes within a moment, most often its own end.
    async fn gather(&mut self, inputs: &mut Vec<Input>) {
        let inbox = &mut self.parts.inbox;
        let more = async {
            let waits = |inputs: &[Input]| {
                (1..EVENTS_PER_TURN).contains(&inputs.len()) && inputs.iter().all(Input::is_start)
            };
            while waits(inputs) && inbox.recv_many(inputs, EVENTS_PER_TURN).await > 0 {}
        };
        // Out of time: what has come is all there is.
        let _ = tokio::time::timeout(MOMENT, more).await;
    }

    /// Said once: from here on only a person, another run or a calendar with later data moves anything.
    fn say_if_stuck(&mut self, now: Now) {
        let serves = self.service.is_some();
        let moves = self.core.next_move().after(now).is_some();
        let stuck = !serves && !moves && !self.core.busy() && self.all_reached();
        if stuck && !self.stuck && self.parts.inbox.is_empty() {
            let text =
                "nothing moves by itself any more: `nightrun status` says what each job waits for";
            self.notice(now.wall, text);
        }
        self.stuck = stuck;
    }

    /// A trial's clock jumps to the next thing to do while nothing runs, so that no gate makes anybody wait.
    fn jump(&mut self) -> bool {
        if self.parts.clock.offset().is_none() || self.core.busy() || !self.all_reached() {
            return false;
        }
        let Some(by) = self.core.next_move().after(self.parts.clock.now()) else { return false };
        self.parts.clock.jump(by);
        true
    }

    fn all_reached(&self) -> bool {
        !self.reached.is_empty() && self.reached.values().all(|up| *up)
    }
}

/// Answers somebody who may have gone meanwhile.
fn answer(reply: oneshot::Sender<Reply>, with: Reply) {
    // Nobody listens any more: what was asked is done all the same, and recorded.
    let _ = reply.send(with);
}

fn stopping() -> Refused {
    Refused::by(Rule::Stopping, "this supervisor is being stopped")
        .hint("ask again when it has ended")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_defect_says_what_was_not_done_and_what_to_do() {
        let broken = crate::core::invariant::Broken {
            of: "eod@2026-10-30#1/load/1".to_owned(),
            fact: "attempt-intended",
            though: "it is held".to_owned(),
        };
        let said = Fatal::Defect(StepError::Unfit(broken.into())).to_string();
        for part in [
            "eod@2026-10-30#1/load/1: `attempt-intended` was decided though it is held\n",
            "Nothing of this turn was stored",
            "`nightrun resume`",
            "`nightrun skip`",
        ] {
            assert!(said.contains(part), "{said}");
        }
    }
}
