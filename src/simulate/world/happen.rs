//! What happens in the world: what was planned to go wrong, what agents say, what people do.

use jiff::SignedDuration;

use super::*;
use crate::core::change::{SealedList, list};
use crate::core::fact::{Action, RunOpened, StopHow};
use crate::core::order::{self, Ordered};
use crate::core::refused::Refused;
use crate::simulate::{afterwards, clearing, responder};
use crate::types::{InvalidName, JobName, PersonId};

/// A job of another run, and how it came out.
type Stands = (JobRef, BusinessDate, Option<Outcome>);

impl World {
    /// Everything whose time has come.
    pub(super) fn happen(&mut self) -> Result<(), Breach> {
        let now = self.clock.passed();
        while let Some((_, fault)) =
            self.plan.get(self.planned).copied().filter(|(at, _)| !self.calm && *at <= now)
        {
            self.planned += 1;
            self.strike(fault)?;
        }
        let mut known = Vec::new();
        while self.news.front().is_some_and(|(at, _)| *at <= now)
            && let Some((_, (job, date, outcome))) = self.news.pop_front()
        {
            self.known.insert((job.clone(), date), outcome);
            known.push((job, date, Some(outcome)));
        }
        let at = self.at();
        self.agents.end_due(&mut self.faults, at);
        self.formers_go_on()?;
        if !self.up {
            while self.agents.arrived(now).is_some() {}
            return if self.wakes.is_some_and(|at| at <= now) { self.rise() } else { Ok(()) };
        }
        if known.is_empty()
            && self.orders.front().is_some_and(|(at, _)| *at <= now)
            && let Some((_, asked)) = self.orders.pop_front()
        {
            return self.order(asked);
        }
        let mut events = Vec::new();
        if !known.is_empty() {
            events.push(Event::Across { known });
        }
        while let Some(post) = self.agents.arrived(now) {
            match post {
                Post::Says(_, event) => events.push(event),
                Post::Up(host) => events.extend(self.agents.reached(&host, now, self.epoch)),
                Post::Away(host) => events.push(Event::HostAway { host }),
                Post::Breaks(host) => self.agents.cut(&host, now, Duration::ZERO, false),
            }
        }
        if self.calm && self.tidies <= now {
            return self.tidy(events);
        }
        if events.is_empty() && self.wakes.is_none_or(|at| at > now) {
            return Ok(());
        }
        self.turn(events)
    }

    fn strike(&mut self, fault: Fault) -> Result<(), Breach> {
        self.faults.came(fault);
        self.note(format!("({fault})"));
        match fault {
            Fault::Crash => self.die("killed"),
            Fault::Reboot => {
                self.clock.reboot();
                self.die("its host restarts");
                if let Some(host) = self.local() {
                    self.restart(&host, false);
                }
            }
            Fault::Suspend => {
                let by = self.faults.seconds(fault, 60..10_800);
                self.clock.pass(by);
                if let Some(host) = self.local() {
                    self.agents.suspend(&host, by);
                }
            }
            Fault::Clock => {
                let most = [600_000, 10_800_000];
                let most = most[usize::from(self.faults.dice(fault).percent(50))];
                let by = self.faults.dice(fault).of(0..most) as i64;
                let back = self.faults.dice(fault).percent(50);
                self.clock.step(SignedDuration::from_millis(if back { -by } else { by }));
                // The supervisor sees it when it looks at the clock next.
                let seen = self.clock.passed() + self.faults.seconds(fault, 0..30);
                self.wakes = self.wakes.map_or(Some(seen), |at| Some(at.min(seen)));
            }
            Fault::DiskFull => {
                let lasts = self.faults.seconds(fault, 10..1_800);
                self.disk_full_until = self.clock.passed() + lasts;
            }
            Fault::Away | Fault::AgentKilled => {
                if let Some(host) = self.some_host(fault) {
                    let away = self.faults.seconds(fault, 1..600);
                    let lost = fault == Fault::AgentKilled || self.faults.dice(fault).percent(50);
                    self.agents.cut(&host, self.clock.passed(), away, lost);
                }
            }
            Fault::HostRestart | Fault::PowerLoss => {
                if let Some(host) = self.some_host(fault) {
                    self.restart(&host, fault == Fault::PowerLoss);
                }
            }
            Fault::Operators => return self.anybody_does_anything(),
            Fault::Stop if self.up => {
                let ways = [StopHow::Wait, StopHow::Terminate, StopHow::Kill];
                let how = self.faults.dice(fault).pick(&ways).copied().unwrap_or(StopHow::Wait);
                let by = self.somebody(fault)?;
                return self.turn(vec![Event::Stop { by, how }]);
            }
            Fault::Rerun if self.up => {
                let state = self.core.state();
                let again = operator::again(self.faults.dice(fault), state);
                if let Some((run, jobs)) = again {
                    let by = self.somebody(fault)?;
                    let reason = "again".to_owned();
                    return self.turn(vec![Event::Rerun { run, jobs, by, reason }]);
                }
            }
            _ => {}
        }
        Ok(())
    }

    fn local(&self) -> Option<HostName> {
        self.agents.hosts().into_iter().find(|host| host.as_str() == "local")
    }

    fn some_host(&mut self, fault: Fault) -> Option<HostName> {
        let hosts = self.agents.hosts();
        self.faults.dice(fault).pick(&hosts).cloned()
    }

    fn restart(&mut self, host: &HostName, power: bool) {
        let fault = if power { Fault::PowerLoss } else { Fault::HostRestart };
        let at = self.at();
        let dice = self.faults.dice(fault);
        self.agents.restart(host, at, power, || dice.percent(50));
        let away = self.faults.seconds(fault, 30..600);
        self.agents.cut(host, at.0, away, true);
    }

    fn somebody(&mut self, fault: Fault) -> Result<PersonId, Breach> {
        let somebody = operator::anybody(self.faults.dice(fault), &self.site);
        somebody.ok_or_else(|| made(&"a site without people"))
    }

    fn anybody_does_anything(&mut self) -> Result<(), Breach> {
        let fault = Fault::Operators;
        let stopped = self.runs_that(|result| result == Some(RunResult::Stopped));
        if !self.up {
            return Ok(());
        }
        if let Some(run) = stopped.into_iter().next()
            && self.faults.dice(fault).percent(50)
        {
            return self.resume(run);
        }
        if self.site.change_rules.is_some() && self.faults.dice(fault).percent(40) {
            return self.somebody_moves_changes();
        }
        let state = self.core.state();
        let now = self.clock.wall();
        let Some(what) = operator::anything(self.faults.dice(fault), state, &self.site, now) else {
            return Ok(());
        };
        let by = self.somebody(fault)?;
        self.turn(vec![what.by(by, &self.site)])
    }

    /// Some of what lets changes start, or anything.
    fn somebody_moves_changes(&mut self) -> Result<(), Breach> {
        let fault = Fault::Operators;
        let mut events = self.help()?;
        events.extend(afterwards::finish(self.core.state(), &self.site, &self.calendars));
        let by = self.somebody(fault)?;
        let dice = self.faults.dice(fault);
        if dice.percent(50) {
            events.truncate(dice.of(0..events.len() as u64 + 1) as usize);
        } else {
            events = Vec::from_iter(clearing::anything(dice, self.core.state(), &self.site, &by));
        }
        if events.is_empty() { Ok(()) } else { self.turn(events) }
    }

    fn help(&self) -> Result<Vec<Event>, Breach> {
        let targets = &self.agents.targets;
        let applied = |run: &RunId, job: &JobName| targets.applied_by(run, job).is_some();
        Ok(clearing::help(&self.core, &self.site, self.clock.now(), applied)?)
    }

    /// What people do when the faults are over: everything goes on, and what stands still is put right.
    fn tidy(&mut self, events: Vec<Event>) -> Result<(), Breach> {
        if !events.is_empty() {
            self.turn(events)?;
        }
        for run in self.runs_that(|result| result == Some(RunResult::Stopped)) {
            if self.up {
                self.resume(run)?;
            }
        }
        if !self.up {
            return Ok(());
        }
        let hopes = !(self.orders.is_empty() && self.news.is_empty());
        let actions = operator::tidy(&self.core, self.clock.now(), hopes)?;
        let mut events = self.help()?;
        let idle = actions.is_empty() && events.is_empty();
        let wait = if idle { self.clock.passed() / 8 } else { TIDIES };
        // Before what they have given lapses.
        events.extend(afterwards::finish(self.core.state(), &self.site, &self.calendars));
        let hold = self.site.change_rules.as_ref().and_then(|rules| rules.approvals_hold);
        let wait = hold.map_or(wait, |hold| wait.min(hold.get() / 2));
        for (run, action) in actions {
            let by = operator::entitled(self.core.state(), &self.site, &run, &action);
            let by = by.ok_or_else(|| made(&"nobody may confirm"))?;
            events.push(act(run, by, action));
        }
        // Those that have waited since the last time; what is asked for now is looked at next.
        let seconds = operator::second_all(self.core.state(), self.clock.wall());
        events.extend(seconds.map_err(|why| made(&why))?);
        let undrained = operator::undrain_all(self.core.state());
        events.extend(undrained.map_err(|why| made(&why))?);
        events.extend(operator::tell_all(self.core.state()));
        let who = made_site::operator().map_err(|why| made(&why))?;
        events.extend(responder::close_all(self.core.state(), &who));
        events.extend(responder::accept_all(&self.core, self.clock.wall()));
        self.tidies = self.clock.passed() + wait.max(TIDIES);
        self.turn(events)
    }

    fn order(&mut self, asked: Asked) -> Result<(), Breach> {
        let batch = self.site.batches.get(&asked.order.batch);
        if batch.is_some_and(|batch| batch.list.is_some()) {
            self.put_on_the_list()?;
            if !self.up {
                // Whoever ordered it does so again.
                self.orders.push_front((self.clock.passed(), asked));
                return Ok(());
            }
        }
        let opened = match self.opened(asked) {
            Ok(opened) => opened,
            Err(refused) => {
                self.note(refused.to_string());
                return Ok(());
            }
        };
        let across = self.across(&opened);
        self.turn(vec![Event::Open { opened: Box::new(opened), across }])
    }

    /// People have a day for it: one hands in, others review, approve and schedule.
    fn put_on_the_list(&mut self) -> Result<(), Breach> {
        for _ in 0..2 + self.dice.of(0..6) {
            let by = (&self.site, &self.calendars);
            let events = clearing::lists(self.core.state(), by, self.clock.now());
            if events.is_empty() || !self.up {
                break;
            }
            self.turn(events)?;
        }
        let anew = self.dice.percent(40);
        match clearing::anew(&mut self.dice, &self.site).filter(|_| anew && self.up) {
            Some(event) => self.turn(vec![event]),
            None => Ok(()),
        }
    }

    /// How the jobs of other runs stand that a run needs, as the store would tell.
    pub(super) fn across(&self, opened: &RunOpened) -> Vec<Stands> {
        let wanted =
            opened.across.iter().filter_map(|need| Some((need.job.clone(), need.wanted()?)));
        wanted
            .map(|(job, date)| {
                let mut here = self.witness.state.runs.values().filter(|run| {
                    run.opened.batch == job.batch && run.opened.business_date == date
                });
                let outcome = match here.next() {
                    Some(run) => run.index(&job.job).and_then(|at| run.jobs[at].phase.outcome()),
                    None => self.known.get(&(job.clone(), date)).copied(),
                };
                (job, date, outcome)
            })
            .collect()
    }

    fn opened(&mut self, asked: Asked) -> Result<RunOpened, Refused> {
        let bad = |error: InvalidName| Refused::new(error.to_string());
        let ordered = order::resolve(&self.site, &self.calendars, asked.order, asked.at)?;
        let batch = ordered.order.batch.clone();
        let run = RunId { batch, key: ordered.key().map_err(bad)?, number: 1 };
        let clock = (self.clock.boot(), self.clock.now().since_boot);
        let (digest, list) = match self.drawn(&ordered, &run) {
            Some((digest, list)) => (digest, Some(Box::new(list))),
            None => (DIGEST.to_owned(), None),
        };
        let opened = ordered.opened(run, digest, asked.expected, clock);
        Ok(RunOpened { list, ..opened })
    }

    /// The list of a batch that takes its jobs from one, and what its run goes by.
    fn drawn(&mut self, ordered: &Ordered, run: &RunId) -> Option<(String, SealedList)> {
        let state = self.core.state();
        let under_way = state.changes_under_way();
        let known = list::Known { lives: &state.standing.changes, under_way: &under_way };
        let batch = self.site.batches.get(&ordered.order.batch)?;
        let times = (self.clock.wall(), ordered.anchor);
        let drawn = list::draw(&self.site, batch, known, times)?;
        let digest = format!("{DIGEST} {run}");
        let mut site = Site::clone(&self.site);
        site.batches.insert(drawn.batch.id.clone(), drawn.batch);
        let site = Arc::new(site);
        for core in [&mut self.blank, &mut self.core] {
            core.define_by(&digest, Arc::clone(&site), Arc::clone(&self.calendars));
        }
        self.witness.state.define(&digest, Arc::clone(&site));
        self.drawn.push((digest.clone(), site));
        Some((digest, drawn.list))
    }
}

pub(in crate::simulate) fn act(run: RunId, by: PersonId, action: Action) -> Event {
    Event::Act { run, by, reason: "made up".to_owned(), action }
}
