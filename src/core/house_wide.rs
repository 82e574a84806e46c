//! What operators order for the whole site: freezes (封版), and other sizes of pools for the night.

use jiff::Timestamp;

use super::act::By;
use super::fact::{Fact, Proposed};
use super::night::{Mover, StepError};
use super::refused::{Refused, Rule};
use super::state::Unfit;
use crate::definition::site::Freeze;
use crate::types::{FreezeId, HostName, PersonId, PoolName};

impl Mover<'_> {
    /// Closes what would be open, from one time to another. `two_lift`: the site wants two people to lift it.
    pub(super) fn freeze(
        &mut self,
        by: PersonId,
        what: Freeze,
        two_lift: bool,
    ) -> Result<(), StepError> {
        if what.from >= what.to {
            return Err(Refused::by(Rule::Past, "the freeze ends before it begins").into());
        }
        if what.to <= self.now.wall {
            return Err(Refused::by(Rule::Past, "the freeze would be over already").into());
        }
        let freeze = FreezeId(self.core.state.standing.last_freeze + 1);
        self.emit(Fact::Frozen { freeze, by, what: Box::new(what), two_lift })?;
        self.reconsider_all();
        Ok(())
    }

    pub(super) fn unfreeze(&mut self, freeze: FreezeId, by: &By) -> Result<(), StepError> {
        let now = self.now.wall;
        let known = self.core.state.standing.freezes.get(&freeze);
        let Some(known) = known.filter(|known| known.what.to > now) else {
            let what = format!("no freeze {freeze} is ordered");
            return Err(Refused::by(Rule::NoSuchThing, what)
                .hint("`nightrun freezes` lists them; a declared one is lifted in windows.yaml")
                .into());
        };
        if known.two_lift && by.second.is_none() {
            return self.ask_second(by, Proposed::Unfreeze { freeze });
        }
        let (by, reason, second) = (by.person.clone(), by.reason.clone(), by.second.clone());
        self.emit(Fact::Unfrozen { freeze, by, reason, second })?;
        self.reconsider_all();
        Ok(())
    }

    /// Another size of a pool until a time.
    pub(super) fn size_pool(
        &mut self,
        pool: PoolName,
        (size, until): (u32, Timestamp),
        by: By,
    ) -> Result<(), StepError> {
        let state = &self.core.state;
        let mut sites =
            state.runs.values().map(|run| &run.site).chain(self.core.served()).peekable();
        // Where no site is known here, whoever asks has looked into his own.
        let any_site = sites.peek().is_some();
        let declared = sites.filter_map(|site| site.pools.get(&pool)).max().copied();
        if any_site && declared.is_none() {
            let what = format!("no site that is known here has a pool `{pool}`");
            return Err(Refused::by(Rule::NoSuchThing, what).into());
        }
        if until <= self.now.wall {
            return Err(Refused::by(Rule::Past, format!("{until} has passed")).into());
        }
        let known = state.standing.pools.get(&pool);
        let same = known.map_or(declared == Some(size), |k| k.size == size && k.until == until);
        if same {
            return Err(Refused::by(Rule::NoChange, format!("{pool} has {size} already")).into());
        }
        let (by, reason) = (by.person, by.reason);
        self.emit(Fact::PoolSized { pool: pool.clone(), size, until, by, reason })?;
        self.core.agenda.pool_changed(&pool);
        Ok(())
    }

    /// A host takes no new attempts, or takes them again.
    pub(super) fn drain(
        &mut self,
        host: HostName,
        drain: bool,
        by: PersonId,
        reason: String,
    ) -> Result<(), StepError> {
        let state = &self.core.state;
        let mut sites =
            state.runs.values().map(|run| &run.site).chain(self.core.served()).peekable();
        let drained = state.standing.drains.contains_key(&host);
        // Where no site is known here, whoever asks has looked into his own; one that is gone from it may be drained still.
        if !drained && sites.peek().is_some() && !sites.any(|site| site.hosts.contains_key(&host)) {
            let what = format!("no site that is known here has a host `{host}`");
            return Err(Refused::by(Rule::NoSuchThing, what).into());
        }
        if drained == drain {
            let what = match drain {
                true => format!("{host} takes no new attempts already"),
                false => format!("{host} takes new attempts already"),
            };
            return Err(Refused::by(Rule::NoChange, what).into());
        }
        self.emit(match drain {
            true => Fact::HostDrained { host, by, reason },
            false => Fact::HostUndrained { host, by, reason },
        })?;
        Ok(())
    }

    /// Pools whose time is over have their declared size again.
    pub(super) fn pools_back(&mut self) -> Result<(), Unfit> {
        let now = self.now.wall;
        if self.core.state.standing.next_pool_back().is_none_or(|next| next > now) {
            return Ok(());
        }
        let pools = self.core.state.standing.pools.iter();
        let over: Vec<PoolName> =
            pools.filter(|(_, size)| size.until <= now).map(|(pool, _)| pool.clone()).collect();
        for pool in over {
            self.emit(Fact::PoolBack { pool: pool.clone() })?;
            self.core.agenda.pool_changed(&pool);
        }
        Ok(())
    }

    fn reconsider_all(&mut self) {
        for run in self.core.state.runs.values().filter(|run| run.result.is_none()) {
            self.core.agenda.reconsider(run);
        }
    }
}
