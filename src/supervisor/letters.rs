//! What the supervisor writes to people who are told of failures: the one mail of a fault, starts that were missed, job
//! files that cannot be used.

mod inspected;

use std::collections::BTreeMap;
use std::sync::Arc;

use jiff::Timestamp;

pub use inspected::{inspections_of, rounds_beside};

use super::recall::recall;
use super::{Supervisor, World};
use crate::core::fact::Fact;
use crate::core::forecast::{self, Forecast};
use crate::core::incident::Audience;
use crate::core::night::{Core, Notice};
use crate::definition::site::Site;
use crate::journal::OutgoingMail;
use crate::port::{Clock, Store};
use crate::render::{self, mail::Reader};
use crate::types::{IncidentId, PersonId};
use crate::view::{self, of_job::Around, starts::Missed};

/// The night as it is expected to go on, for all mails of a turn: it costs as much as the night has jobs, and a thousand
/// of them may fail at once.
pub(super) type Ahead = std::cell::OnceCell<Option<Forecast>>;

impl<W: World> Supervisor<W> {
    /// One message about an incident to each of these people, in that person's language, and to each room. What its job has
    /// written, and what can be done, is in it whether or not its run is at hand.
    pub(super) async fn incident_mail(
        &mut self,
        incident: IncidentId,
        to: &Audience,
        notice: &Notice,
        ahead: &Ahead,
    ) -> Vec<OutgoingMail> {
        let beside = self.run_beside(incident).await;
        let now = self.parts.clock.now();
        let Ok(known) = self.core.state().incident(incident) else { return Vec::new() };
        let run = known.what.run.as_ref().and_then(|run| self.core.state().runs.get(run));
        // Who is on call may be nobody that the run knew of.
        let on_call = self.core.on_call().map(|on_call| &on_call.site);
        let Some(site) = on_call.or(run.map(|run| &run.site)).map(Arc::clone) else {
            return Vec::new();
        };
        // The same whether its run is at hand or not.
        let thread = match &known.what.run {
            Some(run) => format!("{incident}.{run}"),
            None => format!("{incident}.{}", known.opened.as_second()),
        };
        let ahead = run.and_then(|run| {
            let ahead = ahead.get_or_init(|| forecast::of_night(&self.core, now).ok());
            ahead.as_ref()?.runs.get(run.id())
        });
        let nothing = BTreeMap::new();
        let around = Around { planned: None, ahead, usual_p95: &nothing, unsent_mail: 0 };
        let page =
            match view::of_incident::mail((&self.core, beside.as_ref()), incident, now, around) {
                Ok(page) => page,
                Err(why) => {
                    self.notice(now.wall, &format!("no mail about {incident}: {why}"));
                    return Vec::new();
                }
            };
        let write = |lang, to: Reader<'_>| render::incident_mail::mail(lang, &page, notice, to);
        self.messages(&site, to, &thread, write, &[])
    }

    /// The run of an incident that was let go, or was over before this supervisor began, as the store has it: this turn has
    /// decided nothing about it.
    async fn run_beside(&mut self, incident: IncidentId) -> Option<Core> {
        let state = self.core.state();
        let run = state.incident(incident).ok()?.what.run.clone()?;
        if state.runs.contains_key(&run) {
            return None;
        }
        let mut beside = Core::new(1);
        match recall(self.parts.store.reader(), &mut beside, &run).await {
            Ok(_) => Some(beside),
            // The mail goes out all the same.
            Err(why) => {
                let at = self.parts.clock.now().wall;
                self.notice(
                    at,
                    &format!("the mail about {incident} tells nothing of {run}: {why}"),
                );
                None
            }
        }
    }

    /// One mail to each person who is told of failures, about all starts of a turn that were not made and should have
    /// been.
    pub(super) fn starts_mail(&mut self, facts: &[(Timestamp, Fact)]) -> Vec<OutgoingMail> {
        let Some(site) = self.core.served().cloned() else { return Vec::new() };
        self.starts_mail_of(&site, facts)
    }

    /// The same, of a site that nobody serves yet.
    pub(super) fn starts_mail_of(
        &mut self,
        site: &Site,
        facts: &[(Timestamp, Fact)],
    ) -> Vec<OutgoingMail> {
        let missed = facts.iter().filter_map(|(_, fact)| Missed::of_fact(site, fact));
        let missed: Vec<Missed> = missed.filter(|missed| missed.alarming).collect();
        let Some(first) = missed.first() else { return Vec::new() };
        let thread = format!("starts.{}.{}", first.batch, first.first.as_second());
        let people: Vec<PersonId> =
            site.with_role(&site.mail.failures_to).map(|(id, _)| id.clone()).collect();
        let write = |lang, _: Reader<'_>| render::starts::mail(lang, site.title.get(lang), &missed);
        self.messages(site, &Audience::of(people), &thread, write, &[])
    }

    /// One mail to each person who is told of failures: job files that cannot be used.
    pub(super) fn refusal_mail(&mut self, facts: &[(Timestamp, Fact)]) -> Vec<OutgoingMail> {
        let refused = facts.iter().rev().find_map(|(_, fact)| match fact {
            Fact::DefinitionsRefused { why } => Some(why),
            _ => None,
        });
        let Some(defects) = refused else { return Vec::new() };
        let Some(site) = self.core.served().cloned() else { return Vec::new() };
        let thread = format!("definitions.{}", self.parts.clock.real().as_second());
        let people: Vec<PersonId> =
            site.with_role(&site.mail.failures_to).map(|(id, _)| id.clone()).collect();
        let write = |lang, _: Reader<'_>| {
            render::notice::refused_files(lang, site.title.get(lang), defects)
        };
        self.messages(&site, &Audience::of(people), &thread, write, &[])
    }
}
