//! One turn: take what is waiting, decide, make it durable in one transaction, then act.

use std::collections::{BTreeMap, BTreeSet};

use jiff::Timestamp;
use tokio::sync::oneshot;

use super::letters::Ahead;
use super::{Fatal, Input, Supervisor, World, answer};
use crate::core::fact::{Action, Fact};
use crate::core::launch;
use crate::core::masks::masked;
use crate::core::night::{Command, Event, StepError};
use crate::core::refused::Refused;
use crate::fault;
use crate::journal::{OutgoingMail, Row, rows as rows_of};
use crate::port::control::Reply;
use crate::port::{AgentEvent, AgentLink, Clock, Commit, Store, StoreError, StoreReader};
use crate::types::{AttemptId, Ending, HostName, RunId, Span};
use crate::view::report::ReportView;
use crate::wire::{Ended, FromAgent, ToAgent};

/// What a turn has decided and not yet made durable.
#[derive(Default)]
pub(super) struct Turn {
    pub(super) facts: Vec<(Timestamp, Fact)>,
    pub(super) commands: Vec<Command>,
    pub(super) replies: Vec<(oneshot::Sender<Reply>, Reply)>,
    pub(super) mail: Vec<OutgoingMail>,
    /// Of what a person asked for in one, what was not allowed.
    pub(super) left: Vec<(Action, Refused)>,
    pub(super) blobs: Vec<Vec<u8>>,
    /// That follow from no fact alone: what is kept of secrets.
    pub(super) rows: Vec<Row>,
    /// Of runs that have ended: pages are made of it when that is durable.
    pub(super) reports: Vec<(RunId, ReportView)>,
}

impl<W: World> Supervisor<W> {
    pub(super) async fn turn(&mut self, inputs: Vec<Input>) -> Result<(), Fatal> {
        let begun = self.parts.clock.now();
        let mut turn = Turn::default();
        for input in inputs {
            self.take(input, &mut turn).await?;
        }
        if let Some(back) = self.store_back() {
            self.step(&mut turn, back)?;
        }
        self.step(&mut turn, Event::Tick)?;
        self.finish(turn).await?;
        let took = self.parts.clock.now().since_boot.saturating_sub(begun.since_boot);
        self.parts.meters.turn.observe(took.as_secs_f64());
        Ok(())
    }

    /// A set clock: what it decides counts for nothing else.
    pub(super) fn is_trial(&self) -> bool {
        self.parts.clock.offset().is_some()
    }

    async fn take(&mut self, input: Input, turn: &mut Turn) -> Result<(), Fatal> {
        match input {
            Input::Agent(event) => {
                self.let_forget(&event).await;
                self.hear(turn, event)
            }
            Input::Stop { caller, how } => {
                self.stopping = true;
                let by = self.somebody(&caller);
                self.step(turn, Event::Stop { by, how })
            }
            Input::Leave => {
                self.leaving = true;
                Ok(())
            }
            Input::Notice(text) => {
                self.notice(self.parts.clock.now().wall, &text);
                Ok(())
            }
            Input::Reload => {
                self.reload = true;
                Ok(())
            }
            Input::Mail(news) => {
                let news = self.judged(news);
                if let Some(refused) = news.refused().filter(|_| !self.is_trial()) {
                    self.step(turn, refused)?;
                }
                self.mail_news(news).await
            }
            Input::Overtaken(why) => Err(why.into()),
            Input::Archived { archived, done } => {
                let gone = self.archive(turn, *archived).await?;
                // Who archives has gone: the next one finds out.
                done.send(gone).ok();
                Ok(())
            }
            Input::Unneeded { unneeded, done } => {
                // An order of this turn counts as opened.
                self.finish(std::mem::take(turn)).await?;
                let gone = self.remove_unneeded(unneeded).await?;
                done.send(gone).ok();
                Ok(())
            }
            Input::Asked(asked) => self.asked(turn, asked).await,
        }
    }

    /// Lets the core decide. A refusal of an event that nobody asked for is a defect, and told as one.
    pub(super) fn step(&mut self, turn: &mut Turn, event: Event) -> Result<(), Fatal> {
        match self.try_step(turn, event)? {
            Ok(()) => Ok(()),
            Err(refused) => {
                let at = self.parts.clock.now().wall;
                self.notice(at, &format!("refused: {refused}"));
                Ok(())
            }
        }
    }

    /// As [`Supervisor::step`], for what a person asked: a refusal is an answer.
    pub(super) fn try_step(
        &mut self,
        turn: &mut Turn,
        event: Event,
    ) -> Result<Result<(), Refused>, Fatal> {
        let now = self.parts.clock.now();
        match self.core.step(now, event) {
            Ok(decided) => {
                turn.facts.extend(decided.facts.into_iter().map(|fact| (now.wall, fact)));
                turn.commands.extend(decided.commands);
                turn.left.extend(decided.left);
                Ok(Ok(()))
            }
            Err(StepError::Refused(refused)) => Ok(Err(refused)),
            Err(defect @ StepError::Unfit(_)) => Err(Fatal::Defect(defect)),
        }
    }

    /// An ending of a run that is not at hand: where the journal has it, its host need not offer it again.
    async fn let_forget(&mut self, event: &AgentEvent) {
        let AgentEvent::Says { host, what: FromAgent::Ended(ended) } = event else { return };
        let attempt = &ended.attempt;
        if self.core.state().runs.contains_key(&attempt.run) {
            return;
        }
        // Of a store in trouble nobody knows; it is offered again.
        if self.parts.store.reader().has_ending(attempt).await.is_ok_and(|known| known) {
            self.parts.agent.tell(host, ToAgent::Recorded { attempts: vec![attempt.clone()] });
        }
    }

    fn hear(&mut self, turn: &mut Turn, event: AgentEvent) -> Result<(), Fatal> {
        let event = match event {
            AgentEvent::Away { host, why } => {
                let at = self.parts.clock.now().wall;
                self.notice(at, &format!("no link to the agent of {host}: {why}"));
                self.reached.insert(host.clone(), false);
                Event::HostAway { host }
            }
            AgentEvent::Clock { host, difference } => {
                self.compare_clocks(&host, difference);
                return Ok(());
            }
            AgentEvent::Says { host, what } => match what {
                FromAgent::Welcome { boot, here, .. } => {
                    self.reached.insert(host.clone(), true);
                    self.hosts.welcome(&host, here);
                    Event::HostUp { host, boot }
                }
                FromAgent::Started { attempt, pid, at } => {
                    Event::Started { attempt, pid, at: self.by_run_clock(&host, at) }
                }
                FromAgent::Ended(ended) => Event::Ended(Box::new(Ended {
                    tail: self.without_secrets(&ended.attempt, &ended.tail),
                    started: ended.started.map(|at| self.by_run_clock(&host, at)),
                    ended: self.by_run_clock(&host, ended.ended),
                    ..*ended
                })),
                FromAgent::NotKnown { attempt } => {
                    self.hosts.forget_copy(&host, &attempt.run);
                    Event::NotKnown { attempt }
                }
                // Kept by the link.
                FromAgent::Clock { .. } => return Ok(()),
                // Asked for by whoever archives, over a connection of its own.
                FromAgent::Retired { .. } => return Ok(()),
                FromAgent::Notice { what } => {
                    let at = self.parts.clock.now().wall;
                    self.notice(at, &format!("{host}: {what}"));
                    return Ok(());
                }
                FromAgent::NotUpgraded { why } => {
                    let at = self.parts.clock.now().wall;
                    self.notice(at, &format!("the agent of {host} was not upgraded: {why}"));
                    return Ok(());
                }
                FromAgent::Stale { seen } => {
                    let why = format!(
                        "; the agent of {host} follows epoch {}, this is {}",
                        seen.0, self.epoch.0
                    );
                    return Err(StoreError::InUse(why).into());
                }
            },
        };
        self.step(turn, event)
    }

    /// The last lines of a log go into journal, reports and mails: without what the job's log may not show.
    fn without_secrets(&self, attempt: &AttemptId, tail: &[String]) -> Vec<String> {
        let run = self.core.state().runs.get(&attempt.run);
        let job = run.and_then(|run| Some(run.job(run.index(&attempt.job)?)));
        let masks = job.map(|job| job.log_masks.as_slice()).unwrap_or_default();
        tail.iter().map(|line| masked(line, masks)).collect()
    }

    /// A host reports its own wall time; a trial's clock is moved by as much as when the attempt began, because it does
    /// not jump while something runs.
    fn by_run_clock(&self, host: &HostName, at: Timestamp) -> Timestamp {
        let at = self.by_own_clock(host, at);
        self.parts.clock.offset().map_or(at, |offset| at.saturating_add(offset.wall).unwrap_or(at))
    }

    /// Durable first, then done.
    pub(super) async fn finish(&mut self, mut turn: Turn) -> Result<(), Fatal> {
        if turn.facts.is_empty() && turn.replies.is_empty() && turn.commands.is_empty() {
            return Ok(());
        }
        let commit = self.commit_of(&mut turn).await?;
        fault::point("supervisor.decided");
        if !commit.entries.is_empty() {
            self.store(&commit).await?;
            fault::point("supervisor.committed");
            if !turn.replies.is_empty() {
                fault::point("supervisor.to-answer");
            }
        }
        for (run, view) in std::mem::take(&mut turn.reports) {
            self.write_report(run, &view);
            fault::point("supervisor.report-written");
        }
        self.act(&turn)?;
        fault::point("supervisor.acted");
        self.reconsider_hosts();
        let now = self.parts.clock.now();
        for observer in &mut self.parts.observers {
            observer.turn(&self.core, now, &turn.facts);
        }
        self.publish(None);
        for (reply, with) in turn.replies {
            answer(reply, with);
        }
        if !commit.mail.is_empty() {
            self.post_due_mail().await?;
        }
        Ok(())
    }

    async fn commit_of(&mut self, turn: &mut Turn) -> Result<Commit, Fatal> {
        let recorded = self.parts.clock.real();
        let mut entries = Vec::with_capacity(turn.facts.len());
        let mut rows = Vec::new();
        for (at, fact) in &turn.facts {
            let sealed = self.chain.seal(self.epoch, *at, recorded, fact)?;
            rows.extend(rows_of(sealed.seq, *at, fact));
            entries.push(sealed);
        }
        rows.append(&mut turn.rows);
        turn.mail.extend(self.starts_mail(&turn.facts));
        turn.mail.extend(self.refusal_mail(&turn.facts));
        turn.mail.extend(self.feedback_mail(&turn.facts));
        turn.mail.extend(self.seal_mail(&turn.facts));
        let (mut over, ahead) = (BTreeSet::new(), Ahead::new());
        for command in &turn.commands {
            match command {
                Command::Notify { incident, to, notice } => {
                    let mail = self.incident_mail(*incident, to, notice, &ahead).await;
                    turn.mail.extend(mail);
                }
                Command::HandOver { hand_over, people, notice } => {
                    turn.mail.extend(self.hand_over_mail(hand_over, people, *notice).await);
                }
                Command::Weekly(told) => turn.mail.extend(self.weekly_mail(told)),
                Command::Bulletin(told) => turn.mail.extend(self.bulletin_mail(told).await?),
                Command::Report { run } => drop(over.insert(run.clone())),
                _ => {}
            }
        }
        // What came to its end and was set going again within the turn has one report or none.
        let early = |run: &RunId| {
            let told = |fact: &Fact| matches!(fact, Fact::ReportTold { run: of } if of == run);
            turn.facts.iter().any(|(_, fact)| told(fact))
        };
        over.retain(|run| self.result(run).is_some() || early(run));
        for run in over {
            let (view, mail) = self.report(&run, &ahead).await?;
            turn.mail.extend(mail);
            turn.reports.push((run, view));
        }
        let signed = self.signed_reports(&turn.facts, &ahead).await?;
        turn.reports.extend(signed);
        let trial = self.parts.clock.offset().and_then(|offset| {
            let run = turn.facts.iter().rev().find_map(|(_, fact)| fact.run())?;
            Some((run.clone(), offset))
        });
        Ok(Commit {
            epoch: self.epoch,
            entries,
            rows,
            mail: std::mem::take(&mut turn.mail),
            blobs: std::mem::take(&mut turn.blobs),
            trial,
        })
    }

    fn act(&mut self, turn: &Turn) -> Result<(), Fatal> {
        let mut recorded: BTreeMap<HostName, Vec<AttemptId>> = BTreeMap::new();
        for command in &turn.commands {
            match command {
                Command::Start { attempt } => self.start(attempt),
                Command::Kill { attempt, now } => self.kill(attempt, *now),
                Command::Ask { host, attempts } => {
                    let ask = ToAgent::Ask { attempts: attempts.clone() };
                    self.parts.agent.tell(host, ask);
                }
                Command::Recorded { host, attempt } => {
                    recorded.entry(host.clone()).or_default().push(attempt.clone());
                }
                Command::Notify { .. }
                | Command::HandOver { .. }
                | Command::Bulletin(_)
                | Command::Weekly(_)
                | Command::Report { .. } => {}
            }
        }
        for (host, attempts) in recorded {
            self.parts.agent.tell(&host, ToAgent::Recorded { attempts });
        }
        Ok(())
    }

    fn start(&mut self, attempt: &AttemptId) {
        let Some(host) = self.host_of(attempt) else { return };
        let order = self
            .core
            .state()
            .runs
            .get(&attempt.run)
            .and_then(|run| self.copies.get(&run.opened.definition))
            .ok_or_else(|| "the run's definition is not loaded".to_owned())
            .and_then(|definition| {
                let places = self.places(attempt, &host)?;
                let (calendars, copy) = (&definition.calendars, &definition.copy);
                launch::launch(self.core.state(), calendars, copy, attempt, &places)
                    .map_err(|why| why.to_string())
            });
        let order = order.and_then(|start| {
            if start.copy {
                self.tell_copy(&host, &attempt.run)?;
            }
            Ok(start)
        });
        match order {
            Ok(start) => self.parts.agent.tell(&host, ToAgent::Start(Box::new(start))),
            Err(why) => self.never_started(host, attempt, why),
        }
    }

    /// The attempt ends without an agent; the ending takes the way that all endings take.
    fn never_started(&mut self, host: HostName, attempt: &AttemptId, why: String) {
        let ended = Ended {
            attempt: attempt.clone(),
            ending: Ending::CouldNotStart { why },
            started: None,
            ended: self.by_host_clock(&host, self.parts.clock.real()),
            usage: crate::types::Usage::default(),
            line_found: false,
            output_bytes: 0,
            tail: Vec::new(),
            values: BTreeMap::new(),
            notes: Vec::new(),
            work: None,
        };
        let event = AgentEvent::Says { host, what: FromAgent::Ended(Box::new(ended)) };
        // The supervisor holds the receiver: this cannot fail while it lives.
        let _ = self.parts.inbox_sender.send(Input::Agent(event));
    }

    fn kill(&mut self, attempt: &AttemptId, now: bool) {
        let Some(host) = self.host_of(attempt) else { return };
        let run = self.core.state().runs.get(&attempt.run);
        let job = run.and_then(|run| Some(run.job(run.index(&attempt.job)?)));
        let grace = job.filter(|_| !now).map_or(Span::seconds(0), |job| job.grace);
        self.parts.agent.tell(&host, ToAgent::Kill { attempt: attempt.clone(), grace });
    }

    pub(super) fn notice(&mut self, at: Timestamp, text: &str) {
        for observer in &mut self.parts.observers {
            observer.notice(at, text);
        }
    }
}
