//! Life signs: now and then the service says that it lives, for whoever watches from another host. No entry of the journal
//! is made of it, and no row of the outbox: an old one says nothing. It is given by the loop itself, so that one that hangs
//! gives none, and carried by somebody else, so that a file system or a server that hangs holds up nothing.

use std::path::PathBuf;
use std::time::Duration;

use jiff::Timestamp;

use super::{Fatal, Supervisor, World};
use crate::core::incident::Audience;
use crate::core::set_times::last_and_next;
use crate::definition::site::{LifeSignRule, Site};
use crate::port::{Clock, Store, StoreReader};
use crate::render::mail::Reader;
use crate::render::watched;
use crate::types::{LifeSign, NextStart};

/// What is said, and in which file.
pub type SignToWrite = (PathBuf, LifeSign);

/// When life signs were and will be given.
pub(super) struct Signs {
    /// When the next one is, by the time since boot.
    next: Duration,
    /// Until when set times were looked at. Whoever was not there at one gives none for it.
    seen: Timestamp,
}

impl Signs {
    pub(super) fn begin(now: Timestamp) -> Self {
        Self { next: Duration::ZERO, seen: now }
    }

    /// Whether a set time has come since the last look.
    fn is_set_time(&mut self, rule: &LifeSignRule, site: &Site, now: Timestamp) -> bool {
        let seen = std::mem::replace(&mut self.seen, now);
        let times = rule.mail.as_ref().map_or(&[][..], |mail| &mail.at);
        last_and_next(times, &site.zone, now).0.is_some_and(|last| seen < last)
    }
}

impl<W: World> Supervisor<W> {
    /// How long the loop may sleep before the next sign; `None`: the site asks for none.
    pub(super) fn sign_wakes(&self) -> Option<Duration> {
        let service = self.service.as_ref()?;
        let site = &service.loaded.site;
        let rule = site.life_sign.as_ref()?;
        let now = self.parts.clock.now();
        let every = service.signs.next.saturating_sub(now.since_boot);
        let times = rule.mail.as_ref().map_or(&[][..], |mail| &mail.at);
        let set = last_and_next(times, &site.zone, now.wall).1;
        let set = set.and_then(|at| Duration::try_from(at.duration_since(now.wall)).ok());
        Some(set.map_or(every, |set| set.min(every)))
    }

    /// Gives a sign where one is due. A store that does not answer gives none: nothing is done without it.
    pub(super) async fn give_sign(&mut self) -> Result<(), Fatal> {
        let now = self.parts.clock.now();
        let Some(service) = &mut self.service else { return Ok(()) };
        let site = std::sync::Arc::clone(&service.loaded.site);
        let Some(rule) = &site.life_sign else { return Ok(()) };
        let by_mail = service.signs.is_set_time(rule, &site, now.wall);
        let again = service.signs.next <= now.since_boot;
        if !again && !by_mail {
            return Ok(());
        }
        if again {
            service.signs.next = now.since_boot + rule.every.get();
        }
        let Some(sign) = self.sign(&site).await else { return Ok(()) };
        self.parts.published.send_modify(|known| known.sign = Some(sign.clone()));
        let rooms = rule.webhook.clone().filter(|_| again).into_iter().collect();
        let mail = rule.mail.as_ref().filter(|_| by_mail);
        let people = mail.into_iter().flat_map(|mail| site.with_role(&mail.to));
        let people = people.map(|(id, _)| id.clone()).collect();
        let to = Audience { people, rooms, ..Audience::default() };
        let write = |lang, _: Reader<'_>| watched::lives(lang, &site.zone, &sign);
        for message in self.messages(&site, &to, "life-sign", write, &[]) {
            // Whoever carries them has gone only when this process ends.
            self.parts.sign_post.send(message).ok();
        }
        if let Some(file) = rule.file.clone().filter(|_| again) {
            self.parts.signs.send(Some((file, sign))).ok();
        }
        Ok(())
    }

    async fn sign(&self, site: &Site) -> Option<LifeSign> {
        let unsent = self.parts.store.reader().outbox_counted().await.ok()?;
        let head = self.chain.head();
        let next = self.core.next_starts().next();
        Some(LifeSign {
            version: LifeSign::VERSION,
            at: self.parts.clock.real(),
            site: site.title.get(site.language).to_owned(),
            epoch: self.epoch.0,
            entries: head.seq,
            head: head.hash.clone(),
            next: next.map(|(at, batch)| NextStart { batch: batch.clone(), at }),
            waiting: unsent.waiting,
            waiting_since: unsent.waiting_since,
        })
    }
}
