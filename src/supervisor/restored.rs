//! A store that was restored from a backup takes in what it lacks, by a person's word.

use std::collections::BTreeSet;
use std::sync::Arc;
use std::time::Duration;

use super::turn::Turn;
use super::{Fatal, Input, Supervisor, World};
use crate::core::fact::Fact;
use crate::core::night::{Core, Event};
use crate::core::restored::TakeIn;
use crate::port::{AgentEvent, RunFilter, Store, StoreReader};
use crate::types::RunId;
use crate::wire::FromAgent;

/// For an agent that has to look through its spool first.
const HEARD_WITHIN: Duration = Duration::from_secs(30);

impl<W: World> Supervisor<W> {
    /// Waits until the agent is there: it has then said of each attempt that nobody watches any more what became of it.
    /// False: it cannot be reached.
    pub async fn hear_agent(&mut self) -> bool {
        let inbox = &mut self.parts.inbox;
        let heard = async {
            while let Some(input) = inbox.recv().await {
                match input {
                    Input::Agent(AgentEvent::Says { what: FromAgent::Welcome { .. }, .. }) => {
                        return true;
                    }
                    Input::Agent(AgentEvent::Away { .. } | AgentEvent::Says { .. }) => {}
                    // Nobody else is to be heard before this is done.
                    other => self.later.push_back(other),
                }
            }
            false
        };
        tokio::time::timeout(HEARD_WITHIN, heard).await.unwrap_or(false)
    }

    /// Takes in what hosts and targets know and this store does not. Nothing is started by it.
    pub async fn take_in(&mut self, what: TakeIn) -> Result<(), Fatal> {
        self.replay_schedules().await?;
        let reader = self.parts.store.reader().clone();
        let concerned: BTreeSet<&RunId> = what.seen.iter().map(|s| &s.of.attempt.run).collect();
        let mut gone = BTreeSet::new();
        for row in reader.runs(&RunFilter::default()).await? {
            if row.not_at_hand().is_some() {
                gone.insert(row.run);
            } else if row.result.is_none() || concerned.contains(&row.run) {
                self.load(&row.run).await?;
            }
        }
        // Taken in before.
        let seen = what.seen.into_iter().filter(|s| !gone.contains(&s.of.attempt.run)).collect();
        let (mut turn, site) = (Turn::default(), Arc::clone(&what.site));
        self.step(&mut turn, Event::TakeIn(Box::new(TakeIn { seen, ..what })))?;
        // Nobody serves yet; people are told of those starts all the same.
        turn.mail = self.starts_mail_of(&site, &turn.facts);
        self.finish(turn).await
    }

    pub(super) async fn replay_schedules(&mut self) -> Result<(), Fatal> {
        let reader = self.parts.store.reader().clone();
        schedules(&reader, &mut self.core).await
    }
}

/// Replays which schedules were taken over, and up to where their starts were decided.
pub async fn schedules<R: StoreReader>(reader: &R, core: &mut Core) -> Result<(), Fatal> {
    for sealed in reader.standing().await? {
        let entry = sealed.open()?;
        // What operators have ordered is taken in with the lead.
        if matches!(entry.fact, Fact::ScheduleTaken { .. } | Fact::DefinitionsTaken { .. }) {
            core.replay(entry.at, &entry.fact)?;
        }
    }
    for (batch, scheduled) in reader.decided_starts().await? {
        core.decided_start(&batch, scheduled);
    }
    Ok(())
}
