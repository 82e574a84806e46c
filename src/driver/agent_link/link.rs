//! One link: says `Hello`, passes words in both directions, and comes back whatever happens to the agent or to the way there.
#![expect(clippy::disallowed_methods, reason = "waits between two attempts to reach the agent")]

use std::path::PathBuf;
use std::pin::Pin;
use std::time::{Duration, Instant};

use jiff::Timestamp;
use tokio::io::{AsyncRead, AsyncReadExt, AsyncWrite, AsyncWriteExt};
use tokio::sync::mpsc::{UnboundedReceiver, UnboundedSender};

use super::local::LocalAgent;
use super::ssh::SshAgent;
use crate::port::AgentEvent;
use crate::types::{ClockDifference, Epoch, HostName};
use crate::wire::{self, AgentProgram, FromAgent, LINE_LIMIT, ToAgent};

const SOONEST: Duration = Duration::from_millis(20);
const LATEST: Duration = Duration::from_secs(2);
/// To the agent of another host: whoever must be asked for a name, and lets nobody in, is not asked twice a second.
const LATEST_FAR: Duration = Duration::from_secs(10);
/// How long an agent may take to answer a `Hello`.
const ANSWERS: Duration = Duration::from_secs(5);
/// That of another host may have to be started first, and the way to it opened.
const ANSWERS_FAR: Duration = Duration::from_secs(45);
/// How long it may take to take what is said at a time, over the slowest line.
const TAKES: Duration = Duration::from_secs(60);
/// Bytes that are said at a time.
const AT_A_TIME: usize = 1024 * 1024;
/// How often a host's clock is asked for.
const CLOCKS: Duration = Duration::from_secs(60);

/// How an agent is reached.
pub(super) enum Way {
    Here(LocalAgent),
    There(SshAgent),
}

/// A connection, until it ends.
pub(super) struct Stream {
    pub(super) reader: Pin<Box<dyn AsyncRead + Send>>,
    pub(super) writer: Pin<Box<dyn AsyncWrite + Send>>,
}

impl Way {
    async fn reach(&mut self) -> Result<Stream, String> {
        match self {
            Self::Here(agent) => {
                let (reader, writer) = agent.reach().await?.into_split();
                Ok(Stream { reader: Box::pin(reader), writer: Box::pin(writer) })
            }
            Self::There(agent) => agent.reach().await,
        }
    }

    /// Why the connection has ended, where that is known better than by its end.
    async fn ended(&mut self) -> Option<String> {
        match self {
            Self::Here(_) => None,
            Self::There(agent) => agent.ended().await,
        }
    }

    /// What an agent of another release becomes. That of another host becomes what is installed there.
    fn program(&self) -> Option<PathBuf> {
        match self {
            Self::Here(agent) => Some(agent.start.program.clone()),
            Self::There(_) => None,
        }
    }

    fn is_far(&self) -> bool {
        matches!(self, Self::There(_))
    }
}

pub(super) struct Link {
    pub(super) host: HostName,
    pub(super) way: Way,
    pub(super) epoch: Epoch,
    pub(super) events: UnboundedSender<AgentEvent>,
    pub(super) said: UnboundedReceiver<ToAgent>,
    /// Whether anything was heard on this connection.
    answered: bool,
    /// The agent that was told last to go on as another program: one that stays has said why.
    asked: Option<(u32, AgentProgram)>,
    /// To be told on this connection.
    first: Vec<ToAgent>,
    /// It was told on this connection to go on as another program.
    goes_on: bool,
    /// When it was asked for its clock, while it has not said.
    clock: Option<(Instant, Timestamp)>,
    /// How often it is.
    clocks: Duration,
}

/// Why a conversation is over.
enum Over {
    /// Nobody wants the link any more.
    Dropped,
    Away(String),
}

impl Link {
    pub(super) fn new(
        host: HostName,
        way: Way,
        epoch: Epoch,
        events: UnboundedSender<AgentEvent>,
        said: UnboundedReceiver<ToAgent>,
    ) -> Self {
        Self {
            host,
            way,
            epoch,
            events,
            said,
            answered: false,
            asked: None,
            first: Vec::new(),
            goes_on: false,
            clock: None,
            clocks: CLOCKS,
        }
    }

    pub(super) async fn keep_up(mut self) {
        let mut pause = SOONEST;
        let mut told = String::new();
        loop {
            let why = match self.way.reach().await {
                Ok(stream) => {
                    self.answered = false;
                    let over = self.converse(stream).await;
                    if self.answered {
                        (pause, told) = (SOONEST, String::new());
                    }
                    match over {
                        Over::Dropped => {
                            // What was said last is on its way.
                            self.way.ended().await;
                            return;
                        }
                        Over::Away(why) => self.way.ended().await.unwrap_or(why),
                    }
                }
                Err(why) => why,
            };
            // An agent that cannot be reached for an hour is said once, not each time that it was tried.
            if why != told {
                let event = AgentEvent::Away { host: self.host.clone(), why: why.clone() };
                if self.events.send(event).is_err() {
                    return;
                }
                told = why;
            }
            if !self.rest(pause).await {
                return;
            }
            pause = (pause * 2).min(if self.way.is_far() { LATEST_FAR } else { LATEST });
        }
    }

    /// Waits, and drops what it is told meanwhile; false when nobody wants the link any more.
    async fn rest(&mut self, pause: Duration) -> bool {
        let over = tokio::time::sleep(pause);
        tokio::pin!(over);
        loop {
            tokio::select! {
                () = &mut over => break,
                word = self.said.recv() => if word.is_none() { return false },
            }
        }
        true
    }

    async fn converse(&mut self, stream: Stream) -> Over {
        let Stream { mut reader, mut writer } = stream;
        let mut input = Vec::new();
        let far = self.way.is_far();
        // What has ended there is told with the welcome: by then its clock is known, if only roughly.
        let clock = far.then(|| self.ask_clock());
        let hello: Vec<ToAgent> = clock.into_iter().chain([ToAgent::link(self.epoch)]).collect();
        if let Err(over) = say(&mut writer, &hello).await {
            return over;
        }
        // What was meant for the connection before this one is asked for anew.
        while self.said.try_recv().is_ok() {}
        self.goes_on = false;
        let mut words = Vec::new();
        let patience = tokio::time::sleep(if far { ANSWERS_FAR } else { ANSWERS });
        tokio::pin!(patience);
        let mut clocks =
            tokio::time::interval_at(tokio::time::Instant::now() + self.clocks, self.clocks);
        clocks.set_missed_tick_behavior(tokio::time::MissedTickBehavior::Delay);
        loop {
            tokio::select! {
                () = &mut patience, if !self.answered => {
                    return Over::Away("the agent does not answer".to_owned());
                }
                read = reader.read_buf(&mut input) => match read {
                    Ok(0) if self.goes_on => {
                        return Over::Away("the agent goes on as another program".to_owned());
                    }
                    Ok(0) => return Over::Away("the agent has left".to_owned()),
                    Err(e) => return Over::Away(e.to_string()),
                    Ok(n) => {
                        self.answered = true;
                        if let Err(over) = self.pass_on(&mut input, n) {
                            return over;
                        }
                        let first = std::mem::take(&mut self.first);
                        if let Err(over) = say(&mut writer, &first).await {
                            return over;
                        }
                    }
                },
                _ = clocks.tick(), if far && self.answered => {
                    // ssh sees that its server lives, and nothing of the agent behind it.
                    if self.clock.is_some() {
                        return Over::Away("the agent does not answer any more".to_owned());
                    }
                    let asks = self.ask_clock();
                    if let Err(over) = say(&mut writer, &[asks]).await {
                        return over;
                    }
                }
                count = self.said.recv_many(&mut words, 1_024) => {
                    if count == 0 {
                        return Over::Dropped;
                    }
                    if let Err(over) = say(&mut writer, &words).await {
                        return over;
                    }
                    words.clear();
                }
            }
        }
    }

    /// Passes on the whole lines of the input, of which the last `fresh` bytes are new.
    fn pass_on(&mut self, input: &mut Vec<u8>, fresh: usize) -> Result<(), Over> {
        let old = input.len() - fresh;
        let Some(end) = input[old..].iter().rposition(|byte| *byte == b'\n') else {
            if input.len() > LINE_LIMIT {
                return Err(Over::Away("the agent said a line that is too long".to_owned()));
            }
            return Ok(());
        };
        let whole = old + end + 1;
        for line in input[..whole].split(|byte| *byte == b'\n').filter(|line| !line.is_empty()) {
            let what: FromAgent = serde_json::from_slice(line)
                .map_err(|e| Over::Away(format!("the agent said what cannot be read: {e}")))?;
            match &what {
                FromAgent::Welcome { version, pid, program, .. } => {
                    let upgrade = self.meet(*version, *pid, program.as_ref())?;
                    self.goes_on = upgrade.is_some();
                    // Again, now that nothing has to be opened or started first.
                    let asks = self.way.is_far().then(|| self.ask_clock());
                    self.first.extend(asks);
                    self.first.extend(upgrade);
                }
                FromAgent::Clock { at } => {
                    self.compare(*at)?;
                    continue;
                }
                _ => {}
            }
            let says = AgentEvent::Says { host: self.host.clone(), what };
            self.events.send(says).map_err(|_| Over::Dropped)?;
        }
        input.drain(..whole);
        Ok(())
    }

    fn ask_clock(&mut self) -> ToAgent {
        self.clock = Some((Instant::now(), Timestamp::now()));
        ToAgent::Clock
    }

    /// An hour that was asked for has come: by half of the way there and back.
    fn compare(&mut self, at: Timestamp) -> Result<(), Over> {
        let Some((asked, by_own)) = self.clock.take() else { return Ok(()) };
        let difference = ClockDifference::between(by_own, asked.elapsed(), at);
        let event = AgentEvent::Clock { host: self.host.clone(), difference };
        self.events.send(event).map_err(|_| Over::Dropped)
    }

    /// Whether this agent is one to talk to, and what it is to be told first.
    fn meet(
        &mut self,
        version: u32,
        pid: u32,
        program: Option<&AgentProgram>,
    ) -> Result<Option<ToAgent>, Over> {
        if wire::agreed(version, version).is_none() {
            return Err(Over::Away(format!(
                "the agent speaks version {version} of the protocol, this release speaks {} to {}: `nightrun agent upgrade` with the newer of the two programs",
                wire::OLDEST,
                wire::VERSION
            )));
        }
        if self.way.is_far() && !wire::lays_copies(version) {
            return Err(Over::Away(format!(
                "its agent is of a release that cannot be spoken to from another host: `nightrun host add {}`",
                self.host
            )));
        }
        let Some(program) = program.filter(|_| wire::can_upgrade(version)) else { return Ok(None) };
        let own = self.way.program();
        let of_another = own.is_some() && program.release != wire::release();
        let asked = self.asked.as_ref().is_some_and(|(p, asked)| *p == pid && asked == program);
        if asked || !(of_another || program.replaced) {
            return Ok(None);
        }
        self.asked = Some((pid, program.clone()));
        // Where only its file was replaced it knows itself which it is.
        Ok(Some(ToAgent::Upgrade { program: own.filter(|_| of_another) }))
    }
}

/// Lines of which each is taken within a while, as many at a time as fit together.
async fn say(writer: &mut (impl AsyncWrite + Unpin), words: &[ToAgent]) -> Result<(), Over> {
    let mut bytes = Vec::new();
    let mut words = words.iter().peekable();
    while let Some(word) = words.next() {
        let from = bytes.len();
        // Plain data with string keys always has a JSON form.
        match serde_json::to_writer(&mut bytes, word) {
            Ok(()) => bytes.push(b'\n'),
            Err(_) => bytes.truncate(from),
        }
        if bytes.len() < AT_A_TIME && words.peek().is_some() {
            continue;
        }
        match tokio::time::timeout(TAKES, writer.write_all(&bytes)).await {
            Ok(Ok(())) => bytes.clear(),
            Ok(Err(why)) => return Err(Over::Away(why.to_string())),
            Err(_) => return Err(Over::Away("the agent takes nothing any more".to_owned())),
        }
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeMap;

    use tokio::io::{AsyncBufReadExt, BufReader, DuplexStream, duplex};
    use tokio::sync::mpsc::unbounded_channel;

    use super::super::super::ssh::SshWay;
    use super::*;
    use crate::definition::site::{Host, Ssh};
    use crate::types::{BootId, RunId};

    const OFTEN: Duration = Duration::from_millis(100);

    /// A link to another host, whose words and whose agent are here.
    fn link() -> (Link, UnboundedSender<ToAgent>, UnboundedReceiver<AgentEvent>) {
        let ssh = Ssh { address: "db1".into(), user: None, port: None, options: Vec::new() };
        let way = SshWay::to(&Host { ssh: Some(ssh), ..Host::default() }).unwrap();
        let host = HostName::new("db1").unwrap();
        let (words, said) = unbounded_channel();
        let (events, heard) = unbounded_channel();
        let way = Way::There(SshAgent::new(host.clone(), way));
        let mut link = Link::new(host, way, Epoch(1), events, said);
        link.clocks = OFTEN;
        (link, words, heard)
    }

    /// What a link says, and an agent that tells the time so often and then hangs.
    async fn hangs_after(agent: DuplexStream, mut times: u32) {
        let (reader, mut writer) = tokio::io::split(agent);
        let mut lines = BufReader::new(reader).lines();
        while let Ok(Some(line)) = lines.next_line().await {
            let answer = match serde_json::from_str(&line).unwrap() {
                ToAgent::Clock if times > 0 => {
                    times -= 1;
                    FromAgent::Clock { at: Timestamp::now() }
                }
                ToAgent::Hello { .. } => FromAgent::Welcome {
                    version: wire::VERSION,
                    boot: BootId("boot".into()),
                    pid: 1,
                    program: None,
                    here: None,
                },
                _ => continue,
            };
            let line = serde_json::to_string(&answer).unwrap();
            writer.write_all(format!("{line}\n").as_bytes()).await.unwrap();
        }
    }

    fn stream(near: DuplexStream) -> Stream {
        let (reader, writer) = tokio::io::split(near);
        Stream { reader: Box::pin(reader), writer: Box::pin(writer) }
    }

    #[tokio::test]
    async fn an_agent_that_hangs_behind_a_line_that_lives_is_away() {
        let (mut link, _words, mut heard) = link();
        let (near, agent) = duplex(64 * 1024);
        tokio::spawn(hangs_after(agent, 4));
        let Over::Away(why) = link.converse(stream(near)).await else { panic!("dropped") };
        assert_eq!(why, "the agent does not answer any more");
        let mut clocks = 0;
        let mut welcome_after = None;
        while let Ok(event) = heard.try_recv() {
            match event {
                AgentEvent::Clock { .. } => clocks += 1,
                AgentEvent::Says { what: FromAgent::Welcome { .. }, .. } => {
                    welcome_after = Some(clocks);
                }
                other => panic!("{other:?}"),
            }
        }
        // One before the welcome, which comes with all that has ended there; one with it; the rest in time.
        assert_eq!((welcome_after, clocks), (Some(1), 4));
    }

    #[tokio::test]
    async fn all_that_is_said_at_once_arrives_whole() {
        let (mut link, words, _heard) = link();
        let (near, agent) = duplex(1024);
        let run: RunId = "eod@2026-10-30#1".parse().unwrap();
        let bytes: Vec<u8> = (0..3_000_000_u32).map(|n| n as u8).collect();
        let path = std::path::Path::new("eod/big.sql");
        let pieces: Vec<ToAgent> = wire::CopyPiece::of(&run, path, &bytes)
            .map(|piece| ToAgent::Copy(Box::new(piece)))
            .collect();
        let (reader, mut writer) = tokio::io::split(agent);
        let mut lines = BufReader::new(reader).lines();
        let converse = tokio::spawn(async move { link.converse(stream(near)).await });
        let mut next = async || -> ToAgent {
            serde_json::from_str(&lines.next_line().await.unwrap().unwrap()).unwrap()
        };
        assert_eq!(next().await, ToAgent::Clock);
        assert_eq!(next().await, ToAgent::link(Epoch(1)));
        writer.write_all(b"{\"say\":\"clock\",\"at\":\"2026-11-28T02:00:00Z\"}\n").await.unwrap();
        for piece in &pieces {
            words.send(piece.clone()).unwrap();
        }
        let mut told: BTreeMap<u64, Vec<u8>> = BTreeMap::new();
        while told.len() < pieces.len() {
            if let ToAgent::Copy(piece) = next().await {
                told.insert(piece.at, piece.bytes);
            }
        }
        assert!(told.into_values().flatten().collect::<Vec<u8>>() == bytes);
        drop(words);
        assert!(matches!(converse.await.unwrap(), Over::Dropped));
    }
}
