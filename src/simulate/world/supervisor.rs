//! The supervisor of a made-up night: takes what waits, lets the core decide, makes it durable and acts; dies at any
//! moment of that, and another takes the night up from the journal.

use super::*;
use crate::core::closing::{Closing, closing};
use crate::core::forecast;
use crate::core::night::StepError;
use crate::simulate::scenario::Moment;
use crate::types::Now;

/// One night in so many has its day planned.
const PLANS: u64 = 16;
/// One journal in so many is proven again from its first byte at the end; each entry was when it was committed.
const PROOFS: u64 = 4;

/// One turn in so many looks at the windows that close, of nights that do.
const LOOKS: usize = 4;

/// What a turn has decided.
#[derive(Default)]
struct Decided {
    facts: Vec<(Timestamp, Fact)>,
    /// With the hosts that could be reached at each.
    hosts: Vec<Arc<BTreeSet<HostName>>>,
    commands: Vec<Command>,
}

impl World {
    /// One turn over everything that waits.
    pub(super) fn turn(&mut self, events: Vec<Event>) -> Result<(), Breach> {
        if !self.up {
            return Err(made(&"a turn without a supervisor"));
        }
        self.turns += 1;
        if self.scenario.until.is_some_and(|until| self.turns > until) && !self.calm {
            self.be_calm();
        }
        let now = self.clock.now();
        let mut decided = Decided::default();
        for event in events.into_iter().chain([Event::Tick]) {
            self.decide(now, event, &mut decided)?;
        }
        let looks = self.looks_ahead && !self.recalls && self.turns.is_multiple_of(LOOKS);
        if looks && !self.is_blind {
            let closing = self.foreseen(now)?;
            self.decide(now, Event::Foresee { late: Vec::new(), closing }, &mut decided)?;
        }
        self.finish(now, decided)?;
        if self.up {
            if looks {
                self.witness.look_at_closes(&self.core, now)?;
            }
            self.sleep();
        }
        Ok(())
    }

    /// As the service looks each minute at the windows that close.
    fn foreseen(&self, now: Now) -> Result<Vec<Closing>, Breach> {
        match forecast::of_night(&self.core, now) {
            Ok(ahead) => Ok(closing(&self.core, &ahead, now)),
            Err(StepError::Unfit(unfit)) => Err(unfit.into()),
            Err(StepError::Refused(refused)) => Err(made(&refused)),
        }
    }

    /// Until the core's next wake; a step of the wall clock meanwhile is seen when it is looked at next.
    fn sleep(&mut self) {
        let after = self.core.next_wake().after(self.clock.now());
        self.wakes = after.map(|after| self.clock.passed() + after);
    }

    fn decide(&mut self, now: Now, event: Event, decided: &mut Decided) -> Result<(), Breach> {
        match &event {
            Event::HostUp { host, .. } => {
                Arc::make_mut(&mut self.reached).insert(host.clone());
            }
            Event::HostAway { host } => {
                Arc::make_mut(&mut self.reached).remove(host);
            }
            _ => {}
        }
        let event = match event {
            Event::Across { known } => Event::across_since(known, &decided.facts),
            event => event,
        };
        let turn = match self.core.step(now, event) {
            Ok(turn) => turn,
            Err(StepError::Refused(refused)) => {
                self.counts.refused += 1;
                return self.unchanged(decided, &refused.to_string());
            }
            Err(StepError::Unfit(unfit)) => return Err(unfit.into()),
        };
        decided.hosts.extend(turn.facts.iter().map(|_| Arc::clone(&self.reached)));
        decided.facts.extend(turn.facts.into_iter().map(|fact| (now.wall, fact)));
        decided.commands.extend(turn.commands);
        Ok(())
    }

    /// A refusal leaves everything as it was.
    fn unchanged(&self, decided: &Decided, refused: &str) -> Result<(), Breach> {
        let looks = decided.facts.is_empty() && self.looks();
        if looks && *self.core.state() != self.witness.state {
            return Err(Breach::Changed(refused.to_owned()));
        }
        Ok(())
    }

    fn looks(&self) -> bool {
        // A run that is recalled and not resumed yet stands still, and says nothing of that.
        !self.recalls && self.turns.is_multiple_of(self.scenario.look)
    }

    /// Durable first, then done; and dead in between, where the faults have it.
    fn finish(&mut self, now: Now, decided: Decided) -> Result<(), Breach> {
        let Decided { facts, hosts, commands } = decided;
        if facts.is_empty() {
            self.look(now)?;
        } else {
            let next = self.store.commits() + 1;
            if self.faults.strikes(Fault::BeforeCommit) || self.dies(next, Moment::Before) {
                self.die("dies before its commit");
                return Ok(());
            }
            self.wait_for_the_store();
            let sealed = self.store.seal(self.epoch, &facts)?;
            if let Some(lapse) = self.lapse(Fault::CutOff) {
                // What it says may have arrived all the same; it never hears so.
                if self.faults.dice(Fault::CutOff).percent(50) {
                    self.take(sealed.clone(), &commands, &hosts)?;
                }
                self.follow(lapse, sealed, Vec::new());
                return Ok(());
            }
            if self.faults.dice(Fault::Paused).percent(50)
                && let Some(lapse) = self.lapse(Fault::Paused)
            {
                self.follow(lapse, sealed, commands);
                return Ok(());
            }
            self.take(sealed, &commands, &hosts)?;
            self.look(now)?;
            if self.faults.strikes(Fault::AnswerLost) || self.dies(next, Moment::After) {
                self.die("dies after its commit");
                return Ok(());
            }
        }
        self.act(commands, now)
    }

    /// Carries out what was decided; dead or standing still in between, where the faults have it.
    fn act(&mut self, commands: Vec<Command>, now: Now) -> Result<(), Breach> {
        if let Some(lapse) = self.lapse(Fault::Paused) {
            let dice = self.faults.dice(Fault::Paused);
            let none = dice.percent(50);
            let done = if none { 0 } else { dice.of(0..commands.len() as u64 + 1) as usize };
            let mut commands = commands;
            let in_hand = commands.split_off(done);
            for command in commands {
                self.carry_out(command, now)?;
            }
            self.follow(lapse, Vec::new(), in_hand);
            return Ok(());
        }
        let carried_out = match self.faults.strikes(Fault::BeforeAct) {
            true => self.faults.dice(Fault::BeforeAct).of(0..commands.len() as u64 + 1) as usize,
            false => usize::MAX,
        };
        for (number, command) in commands.into_iter().enumerate() {
            if number < carried_out {
                self.carry_out(command, now)?;
            }
        }
        if carried_out != usize::MAX {
            self.die("dies while it acts");
        }
        Ok(())
    }

    /// A commit goes in, and the witness sees what is read back of it.
    fn take(
        &mut self,
        sealed: Vec<Sealed>,
        commands: &[Command],
        hosts: &[Arc<BTreeSet<HostName>>],
    ) -> Result<(), Breach> {
        self.store.mail(commands)?;
        let taken = self.store.commit(sealed)?;
        for ((at, fact), hosts) in taken.iter().zip(hosts) {
            self.witness.take(*at, fact, hosts)?;
        }
        let before = self.store.facts().len().saturating_sub(hosts.len());
        for (_, fact) in self.store.facts().iter().skip(before) {
            self.true_to_target(fact)?;
        }
        Ok(())
    }

    /// Once, at the commit that the scenario names.
    fn dies(&mut self, commit: usize, moment: Moment) -> bool {
        self.crash.take_if(|crash| *crash == (commit, moment)).is_some()
    }

    /// Time passes until the store has taken a commit; what arrives meanwhile waits for the next turn.
    fn wait_for_the_store(&mut self) {
        let full = self.disk_full_until.saturating_sub(self.clock.passed());
        self.clock.pass(full);
        if self.faults.strikes(Fault::Slow) {
            let takes = self.faults.seconds(Fault::Slow, 0..60);
            self.clock.pass(takes);
        }
        if self.faults.strikes(Fault::Trouble) {
            let tries = self.faults.dice(Fault::Trouble).of(1..30);
            self.clock.pass(Duration::from_secs(tries));
        }
    }

    fn carry_out(&mut self, command: Command, now: Now) -> Result<(), Breach> {
        let passed = self.clock.passed();
        let at = self.at();
        match &command {
            Command::Start { attempt } => {
                self.counts.starts += 1;
                if let Some(lot) = self.lot(attempt)
                    && !self.agents.start(&mut self.faults, at, attempt.clone(), lot)
                {
                    return Err(Breach::RanTwice(attempt.clone()));
                }
                self.looked_only(attempt)?;
            }
            Command::Kill { attempt, now } => {
                let grace = Duration::from_secs(if *now { 0 } else { 5 });
                self.agents.kill(passed, attempt, grace);
            }
            Command::Ask { host, attempts } => {
                self.agents.asked(&mut self.faults, passed, host, attempts);
            }
            Command::Recorded { attempt, .. } => self.agents.recorded(attempt),
            Command::Notify { incident, to, notice } => {
                self.mail_is_made((*incident, &to.people, notice), now)?;
            }
            Command::HandOver { .. } | Command::Bulletin(_) | Command::Weekly(_) => {}
            Command::Report { run } => self.report_is_made(&run.clone(), now)?,
        }
        self.commands.push(command);
        Ok(())
    }

    /// The supervisor is gone, with all that was only in its memory.
    pub(super) fn die(&mut self, how: &str) {
        if !self.up {
            return;
        }
        self.note(format!("the supervisor {how}"));
        self.up = false;
        self.witness.crashed();
        self.reached = Arc::default();
        self.agents.unheard();
        let takes = if self.calm { 1 } else { 1 + self.dice.of(0..600) };
        self.wakes = Some(self.clock.passed() + Duration::from_secs(takes));
    }

    /// The next supervisor takes the night up from its journal.
    pub(super) fn rise(&mut self) -> Result<(), Breach> {
        self.counts.recoveries += 1;
        self.epoch = Epoch(self.epoch.0 + 1);
        self.store.claim(self.epoch);
        self.note(format!("supervisor {} takes the night up", self.epoch.0));
        self.up = true;
        self.wakes = None;
        self.core = fresh(&self.blank, &self.site, &self.drawn);
        for (at, fact) in self.store.facts() {
            self.core.replay(*at, fact)?;
        }
        if *self.core.state() != self.witness.state {
            return Err(Violation::Replay.into());
        }
        if self.counts.recoveries.is_multiple_of(self.scenario.look as u64) {
            self.store.verify()?;
        }
        self.seek_agents();
        let interrupted = self.runs_that(|result| match result {
            Some(RunResult::Well | RunResult::Failed | RunResult::Cancelled | RunResult::Lost) => {
                false
            }
            Some(RunResult::Stopped) | None => true,
        });
        self.recalls = true;
        self.serve()?;
        for run in interrupted {
            if self.up {
                self.resume(run)?;
            }
        }
        self.recalls = false;
        if self.up {
            self.sleep();
        }
        Ok(())
    }

    /// Whether something of the site comes without a run.
    pub(super) fn serves(&self) -> bool {
        self.site.change_rules.as_ref().is_some_and(|rules| !rules.weekly.is_empty())
    }

    /// The supervisor begins to serve the site.
    pub(super) fn serve(&mut self) -> Result<(), Breach> {
        if !self.serves() {
            return Ok(());
        }
        let site = Arc::clone(&self.site);
        self.turn(vec![Event::Serve { site, observes: false, revision: None }])
    }

    /// A run goes on, as the present supervisor takes it up.
    pub(super) fn resume(&mut self, run: RunId) -> Result<(), Breach> {
        let by = self.site.people.keys().next().cloned();
        let by = by.ok_or_else(|| made(&"a site without people"))?;
        let known = self.across(&self.core.state().run(&run)?.opened);
        let resume = Event::Resume { run, by, boot: self.clock.boot() };
        self.turn(vec![resume, Event::Across { known }])
    }

    /// What must hold after any turn, and the pages that somebody looks at now and then.
    fn look(&mut self, now: Now) -> Result<(), Breach> {
        if self.recalls {
            return Ok(());
        }
        self.witness.look(&self.core, now)?;
        if !self.looks() {
            return Ok(());
        }
        self.witness.look_at_all(&self.core)?;
        self.pages(now)
    }

    pub(super) fn last_look(&mut self) -> Result<(), Breach> {
        if self.dice.of(0..PROOFS) == 0 {
            self.store.verify()?;
        }
        let now = self.clock.now();
        self.witness.look_at_all(&self.core)?;
        for run in self.runs_that(|_| true) {
            self.report_is_made(&run, now)?;
        }
        if self.dice.of(0..PLANS) == 0 { self.plan_is_made() } else { Ok(()) }
    }
}
