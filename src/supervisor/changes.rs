//! What people do with changes: the step is decided by the rules that are in force, and told by mail where they say so.

use std::path::{Path, PathBuf};
use std::sync::Arc;

use jiff::Timestamp;

use super::access::{allow, person_of};
use super::operators::{Wish as Asked, stands_alone};
use super::requests::cannot_now;
use super::turn::Turn;
use super::{Fatal, Supervisor, World};
use crate::core::change::{ChangeOrder, ChangeStep, WeeklyNotice, Wish};
use crate::core::fact::Fact;
use crate::core::incident::Audience;
use crate::core::night::Event;
use crate::core::refused::{Refused, Rule};
use crate::definition::copy::CHANGE_SCRIPTS;
use crate::definition::site::Site;
use crate::journal::OutgoingMail;
use crate::port::control::{Caller, ChangeAsked, Reply};
use crate::port::{Clock, SiteSource};
use crate::render;
use crate::render::mail::Reader;
use crate::types::{ChangeId, Named, PersonId, Right};
use crate::view::change::ChangeTold;
use crate::view::list::ListTold;
use crate::view::signoff;
use crate::view::tried::Done;

impl<W: World> Supervisor<W> {
    /// A step that a person asks for; the answer is to be given when the turn is durable.
    pub(super) async fn change_in(
        &mut self,
        turn: &mut Turn,
        caller: &Caller,
        asked: ChangeAsked,
        wish: Asked,
    ) -> Result<Reply, Fatal> {
        if self.parts.clock.offset().is_some() {
            return Ok(stands_alone().into());
        }
        let site = match self.loaded() {
            Ok(loaded) => Arc::clone(&loaded.site),
            Err(defects) => return Ok(Reply::Failed { what: defects.0, defects: true }),
        };
        if let Err(refused) = allow(Some(&site), &self.parts.own, caller, Right::Changes) {
            return Ok(refused.into());
        }
        if let Some(told) = self.told_before(&asked) {
            return Ok(told);
        }
        if let Err(what) = self.bring_doubt_in(turn, &asked).await? {
            return Ok(Reply::Failed { what, defects: false });
        }
        let by = person_of(Some(&site), caller);
        let before = turn.facts.len();
        let (scripts, named) = match self.handed_in(&asked) {
            Ok(known) => known,
            Err(what) => return Ok(Reply::Failed { what, defects: false }),
        };
        let event = order(asked, (Arc::clone(&site), named), by.clone(), wish.reason);
        let answer = self.answer_to(turn, event, (None, by), wish.dry_run)?;
        if turn.facts.len() > before {
            turn.blobs.extend(scripts);
        }
        let decided = turn.facts.get(before..).unwrap_or_default().to_vec();
        let mail = self.approval_mail(&site, &decided);
        turn.mail.extend(mail);
        Ok(answer)
    }

    /// The same where nobody else supervises the site; the answer in words.
    pub async fn change(
        &mut self,
        caller: &Caller,
        site: &Arc<Site>,
        asked: ChangeAsked,
        reason: String,
    ) -> Result<Result<String, Refused>, Fatal> {
        if let Err(refused) = allow(Some(site), &self.parts.own, caller, Right::Changes) {
            return Ok(Err(refused));
        }
        match self.told_before(&asked) {
            Some(Reply::Done(done)) => return Ok(Ok(done.done)),
            Some(Reply::Refused { what, rule }) => {
                return Ok(Err(Refused { rule, what, hint: None }));
            }
            _ => {}
        }
        let mut turn = Turn::default();
        if let Err(what) = self.bring_doubt_in(&mut turn, &asked).await? {
            return Ok(Err(Refused::new(what)));
        }
        let by = person_of(Some(site), caller);
        let (scripts, named) = match self.handed_in(&asked) {
            Ok(known) => known,
            Err(what) => return Ok(Err(Refused::new(what))),
        };
        let event = order(asked, (Arc::clone(site), named), by.clone(), reason);
        if let Err(refused) = self.try_step(&mut turn, event)? {
            return Ok(Err(refused));
        }
        turn.blobs.extend(scripts);
        let said = render::tried::done(&turn.facts, &[], &by, Some(&site.zone));
        let mail = self.approval_mail(site, &turn.facts.clone());
        turn.mail.extend(mail);
        self.finish(turn).await?;
        Ok(Ok(said))
    }

    /// The bytes of what is handed in: kept with the step, so that it can be shown later what was submitted. With whom
    /// its commits name.
    fn handed_in(&self, asked: &ChangeAsked) -> Result<(Vec<Vec<u8>>, Vec<Named>), String> {
        match asked.wish {
            Wish::Submit { .. } => {
                let scripts = self.scripts_of(std::slice::from_ref(&asked.change))?;
                Ok((scripts, self.named(&asked.change)?))
            }
            _ => Ok((Vec::new(), Vec::new())),
        }
    }

    fn named(&self, change: &ChangeId) -> Result<Vec<Named>, String> {
        let loaded = self.loaded().map_err(|defects| defects.0)?;
        let Some(change) = loaded.site.changes.get(change) else { return Ok(Vec::new()) };
        let named = self.parts.source.named(&loaded, &change.folder);
        named.map_err(|why| format!("who wrote its scripts cannot be read: {why}"))
    }

    /// The scripts of changes as they are in force.
    pub(super) fn scripts(&self, changes: &[ChangeId]) -> Reply {
        match self.scripts_of(changes) {
            Ok(scripts) => Reply::Scripts(scripts),
            Err(what) => Reply::Failed { what, defects: false },
        }
    }

    fn scripts_of(&self, changes: &[ChangeId]) -> Result<Vec<Vec<u8>>, String> {
        let loaded = self.loaded().map_err(|defects| defects.0)?;
        let known = changes.iter().filter_map(|change| loaded.site.changes.get(change));
        let wanted: Vec<PathBuf> = known
            .flat_map(|change| CHANGE_SCRIPTS.map(|script| change.folder.join(script)))
            .collect();
        let is_wanted = |path: &Path| wanted.iter().any(|wanted| wanted == path);
        let read = self.parts.source.files(&loaded, &is_wanted);
        let read = read.map_err(|why| format!("the scripts cannot be read: {why}"))?;
        Ok(read.into_values().collect())
    }

    /// The answer to a request that came before with the same key.
    fn told_before(&self, asked: &ChangeAsked) -> Option<Reply> {
        let key = asked.key.as_ref()?;
        let known = self.core.state().change_by_key(key)?;
        let life = self.core.state().standing.changes.get(known)?;
        let same = match &asked.wish {
            Wish::Create { request } => life.request() == Some(request.as_ref()),
            _ => false,
        };
        if *known == asked.change && same {
            let done = format!("{known} was created before, by the same key");
            return Some(Reply::Done(Done { done, run: None, left: Vec::new() }));
        }
        let what = format!("the key {key} was given to another request, of {known}");
        Some(Refused::by(Rule::KeyUsed, what).into())
    }

    /// What two people say of a change in doubt is about the job of a run, which must be at hand.
    async fn bring_doubt_in(
        &mut self,
        turn: &mut Turn,
        asked: &ChangeAsked,
    ) -> Result<Result<(), String>, Fatal> {
        if !matches!(asked.wish, Wish::Decide { .. }) {
            return Ok(Ok(()));
        }
        let doubted = self.core.state().doubted_in(&asked.change);
        let Some(run) = doubted.map(|attempt| attempt.run.clone()) else { return Ok(Ok(())) };
        self.finish(std::mem::take(turn)).await?;
        cannot_now(self.load(&run).await)
    }

    /// Mails of a turn: of each attempt of a change that ended to whoever asked for it and to their team (D2).
    pub(super) fn feedback_mail(&mut self, facts: &[(Timestamp, Fact)]) -> Vec<OutgoingMail> {
        let mut mails = Vec::new();
        for (_, fact) in facts {
            let Fact::ChangeMoved { change, step, .. } = fact else { continue };
            let ChangeStep::Ended { ended } = &**step else { continue };
            let Some(run) = self.core.state().runs.get(&ended.attempt.run) else { continue };
            let site = Arc::clone(&run.site);
            // Without rules of changes a job of the night fails or not, and is told as any other.
            if site.change_rules.is_none() {
                continue;
            }
            let standing = &self.core.state().standing;
            let Some(told) = ChangeTold::of(&site, standing, change, &ended.environment) else {
                continue;
            };
            let people = told.asked_for_by.clone();
            let thread = format!("change.{change}.{}", ended.attempt);
            let write = |lang, _: Reader<'_>| render::change_mail::feedback(lang, &told, ended);
            let to = Audience::of(people);
            mails.extend(self.messages(&site, &to, &thread, write, &[]));
        }
        mails
    }

    /// Mails of a turn: each list that was sealed, to the people whom the rules name.
    pub(super) fn seal_mail(&mut self, facts: &[(Timestamp, Fact)]) -> Vec<OutgoingMail> {
        let mut mails = Vec::new();
        for (_, fact) in facts {
            let Fact::RunOpened(opened) = fact else { continue };
            let Some(run) = self.core.state().runs.get(&opened.run) else { continue };
            let Some(told) = ListTold::of(run) else { continue };
            let site = Arc::clone(&run.site);
            let thread = format!("list.{}", told.run);
            let write = |lang, _: Reader<'_>| render::list::mail(lang, &told);
            let to = Audience::of(told.people.clone());
            mails.extend(self.messages(&site, &to, &thread, write, &[]));
        }
        mails
    }

    /// The list or plan of the week to the people whom the rules name (D15).
    pub(super) fn weekly_mail(&mut self, told: &WeeklyNotice) -> Vec<OutgoingMail> {
        let Some(site) = self.core.on_call().map(|on_call| Arc::clone(&on_call.site)) else {
            return Vec::new();
        };
        let standing = &self.core.state().standing;
        let now = self.parts.clock.now().wall;
        // What is about no list has no changes.
        let list = told.list.as_deref();
        let page = list.and_then(|list| signoff::page(&site, standing, Some(list), now).ok());
        let thread = format!("weekly.{}", told.at.as_second());
        let write = |lang, _: Reader<'_>| render::signoff::mail(lang, &site, told, page.as_ref());
        self.messages(&site, &Audience::of(told.people.clone()), &thread, write, &[])
    }

    /// Mails of an emergency that has all of its approvals: to the people of the roles that the rules name, and copies
    /// to others, its product manager and its tester among them (D10).
    fn approval_mail(
        &mut self,
        site: &Arc<Site>,
        facts: &[(Timestamp, Fact)],
    ) -> Vec<OutgoingMail> {
        let mut mails = Vec::new();
        for (_, fact) in facts {
            let Fact::ChangeMoved { change, number, step, .. } = fact else { continue };
            let ChangeStep::Approved { environment, complete: true, .. } = &**step else {
                continue;
            };
            let standing = &self.core.state().standing;
            let Some(told) = ChangeTold::of(site, standing, change, environment) else { continue };
            let people = told.emergency_to.clone();
            let thread = format!("change.{change}.emergency.{number}");
            let write = |lang, _: Reader<'_>| render::change_mail::emergency(lang, &told);
            let to = Audience::of(people);
            mails.extend(self.messages(site, &to, &thread, write, &[]));
        }
        mails
    }
}

fn order(
    asked: ChangeAsked,
    (site, named): (Arc<Site>, Vec<Named>),
    by: PersonId,
    reason: String,
) -> Event {
    let ChangeAsked { change, wish, key } = asked;
    Event::Change { by, reason, order: Box::new(ChangeOrder { change, wish, key, site, named }) }
}
