//! Two supervisors and one lead, by a lease in the store: a leader that stands still, or is cut off from the store, for
//! longer than the lease is followed by the other. It does not know, and goes on later with what it had in hand: a commit
//! that the store must refuse, commands that agents must refuse who have heard of the next leader. An agent that has not
//! may still obey: what is commanded was committed.

use super::*;
use crate::simulate::agent::Hearing;
#[cfg(test)]
use crate::simulate::check::precedence::Reading;

/// How long a lease goes on by itself. The next leader comes within so many milliseconds: the last renewal was up to a
/// second ago, and the other looks now and then.
const LEASE: Duration = Duration::from_secs(5);
const FOLLOWS: std::ops::Range<u64> = 4_000..6_500;

/// A supervisor that has lost the lead and does not know.
#[derive(Debug)]
pub(super) struct Former {
    pub(super) epoch: Epoch,
    pub(super) goes_on: Duration,
    /// What it has decided and was about to commit.
    sealed: Vec<Sealed>,
    /// What it was about to do then.
    commands: Vec<Command>,
    links: BTreeMap<HostName, u64>,
}

impl World {
    /// Whether the leader is away past its lease now, and for how long. A lapse that is shorter only takes its time.
    pub(super) fn lapse(&mut self, fault: Fault) -> Option<Duration> {
        if !self.faults.strikes(fault) {
            return None;
        }
        if self.faults.dice(fault).percent(30) {
            let short = self.faults.seconds(fault, 0..LEASE.as_secs() - 1);
            self.clock.pass(short);
            return None;
        }
        let most = [60, 3_600][usize::from(self.faults.dice(fault).percent(50))];
        Some(self.faults.seconds(fault, 7..most))
    }

    /// Another takes the lead; the present leader goes on after the lapse.
    pub(super) fn follow(&mut self, lapse: Duration, sealed: Vec<Sealed>, commands: Vec<Command>) {
        let (epoch, links) = (self.epoch, self.agents.links());
        let goes_on = self.clock.passed() + lapse;
        self.formers.push(Former { epoch, goes_on, sealed, commands, links });
        self.die("is away past its lease");
        let follows = Duration::from_millis(self.dice.of(FOLLOWS));
        self.wakes = Some(self.clock.passed() + follows);
        // The other one may be on another host.
        if self.dice.percent(50) {
            self.clock.reboot();
        }
    }

    /// Those whose lapse is over, once another has claimed the lead: before that none of them has lost it.
    pub(super) fn formers_go_on(&mut self) -> Result<(), Breach> {
        let (now, leads) = (self.clock.passed(), self.epoch);
        let is_due = |former: &mut Former| former.goes_on <= now && former.epoch < leads;
        for former in self.formers.extract_if(.., is_due).collect::<Vec<_>>() {
            self.note(format!("supervisor {} goes on", former.epoch.0));
            self.goes_on(former)?;
        }
        Ok(())
    }

    fn goes_on(&mut self, former: Former) -> Result<(), Breach> {
        if !former.sealed.is_empty() {
            if self.store.refuses(former.epoch) {
                self.counts.stale_commits += 1;
                // It has learnt that it no longer leads, and ends.
                return Ok(());
            }
            self.store.commit(former.sealed.clone())?;
        }
        for command in &former.commands {
            self.obeyed(&former, command)?;
        }
        Ok(())
    }

    /// A command of a former leader, at the agent that it is for.
    fn obeyed(&mut self, former: &Former, command: &Command) -> Result<(), Breach> {
        // Endings, kills and questions are the next leader's own business as well; a start is what must not be done twice.
        let Command::Start { attempt } = command else { return Ok(()) };
        let Some(lot) = self.lot(attempt) else { return Ok(()) };
        let link = former.links.get(&lot.host).copied();
        match self.agents.hears(&lot.host, former.epoch, link) {
            Hearing::Nothing => Ok(()),
            Hearing::Refuses => {
                self.counts.stale_starts += 1;
                Ok(())
            }
            Hearing::Obeys => {
                let (epoch, knows) = (former.epoch, self.agents.seen(&lot.host));
                if epoch < knows {
                    return Err(Breach::Obeyed { attempt: attempt.clone(), epoch, knows });
                }
                if self.agents.knows(attempt) {
                    return Ok(());
                }
                let is_end = |fact: &Fact| match fact {
                    Fact::AttemptEnded { ended, .. } => ended.attempt == *attempt,
                    _ => false,
                };
                if self.store.facts().iter().any(|(_, fact)| is_end(fact)) {
                    return Err(Breach::StartedAfter(attempt.clone()));
                }
                let runs_once = self.agents.begin(self.at(), attempt, lot);
                if !runs_once {
                    return Err(Breach::RanTwice(attempt.clone()));
                }
                self.looked_only(attempt)
            }
        }
    }
}

#[cfg(test)]
impl World {
    /// Its store takes commits of any epoch.
    pub(in crate::simulate) fn takes_anything(&mut self) {
        self.store.takes_anything();
    }

    /// Its agents obey leaders of any epoch.
    pub(in crate::simulate) fn obeys_anybody(&mut self) {
        self.agents.obey_anybody();
    }

    /// Its supervisors know nothing of the rules about changes that the site has.
    pub(in crate::simulate) fn minds_no_rules(&mut self) {
        let site = Arc::make_mut(&mut self.site);
        site.change_rules = None;
        self.blank = Core::new(1);
        self.blank.define_by(DIGEST, Arc::clone(&self.site), Arc::clone(&self.calendars));
        self.core = fresh(&self.blank, &self.site, &self.drawn);
    }

    /// Workers of its changes apply them though told to look only.
    pub(in crate::simulate) fn heeds_nothing(&mut self) {
        self.agents.targets.heed_nothing();
    }

    /// Each of its changes stops half way when it is applied first.
    pub(in crate::simulate) fn cuts_off(&mut self) {
        self.agents.targets.cut_off();
    }

    /// Nobody looks at the windows that close.
    pub(in crate::simulate) fn is_blind(&mut self) {
        self.is_blind = true;
    }

    /// Its reminders are held against half the time that the policies give.
    pub(in crate::simulate) fn is_impatient(&mut self) {
        self.witness.is_impatient();
    }

    /// The same of reminders of hand-overs.
    pub(in crate::simulate) fn is_impatient_of_shifts(&mut self) {
        self.witness.is_impatient_of_shifts();
    }

    /// Its starts are held against the rule as it is read here.
    pub(in crate::simulate) fn reads(&mut self, reading: Reading) {
        self.witness.reads(reading);
    }
}
