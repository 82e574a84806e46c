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
use crate::types::{LifeSign, NextStart, Now, Zone};

/// What is said, and in which file.
pub type SignToWrite = (PathBuf, LifeSign);

/// How soon one that could not be given is tried again.
const AGAIN: Duration = Duration::from_secs(5);

/// When life signs were and will be given.
pub(super) struct Signs {
    /// When the next one is, by the time since boot.
    next: Duration,
    /// Until when set times were looked at. Whoever was not there at one gives none for it.
    seen: Timestamp,
}

/// Which signs are due.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
struct Due {
    /// The one that is given again and again.
    again: bool,
    /// The mail of a set time.
    by_mail: bool,
}

impl Signs {
    pub(super) fn begin(now: Timestamp) -> Self {
        Self { next: Duration::ZERO, seen: now }
    }

    /// What is due now.
    fn due(&self, rule: &LifeSignRule, zone: &Zone, now: Now) -> Due {
        let times = rule.mail.as_ref().map_or(&[][..], |mail| &mail.at);
        let last = last_and_next(times, zone, now.wall).0;
        Due {
            again: self.next <= now.since_boot,
            by_mail: last.is_some_and(|last| self.seen < last),
        }
    }

    fn given(&mut self, due: Due, rule: &LifeSignRule, now: Now) {
        // A clock that is set back comes to the same times once more.
        self.seen = self.seen.max(now.wall);
        if due.again {
            self.next = now.since_boot + rule.every.get();
        }
    }

    /// What is due stays so.
    fn not_given(&mut self, due: Due, now: Now) {
        let soon = now.since_boot + AGAIN;
        self.next = if due.again { soon } else { self.next.min(soon) };
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

    /// Gives a sign where one is due. A store that does not answer gives none, and it is tried again: nothing is done without
    /// it.
    pub(super) async fn give_sign(&mut self) -> Result<(), Fatal> {
        let now = self.parts.clock.now();
        let Some(service) = &mut self.service else { return Ok(()) };
        let site = std::sync::Arc::clone(&service.loaded.site);
        let Some(rule) = &site.life_sign else { return Ok(()) };
        let due = service.signs.due(rule, &site.zone, now);
        let Due { again, by_mail } = due;
        if !again && !by_mail {
            return Ok(());
        }
        let sign = self.sign(&site).await;
        let Some(service) = &mut self.service else { return Ok(()) };
        let Some(sign) = sign else {
            service.signs.not_given(due, now);
            return Ok(());
        };
        service.signs.given(due, rule, now);
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

#[cfg(test)]
mod tests {
    use jiff::civil::time;

    use super::*;
    use crate::definition::site::SignMail;
    use crate::types::{Role, Span};

    fn now(wall: &str, since_boot: u64) -> Now {
        let wall = format!("2026-11-02T{wall}Z").parse().unwrap();
        Now { wall, since_boot: Duration::from_secs(since_boot) }
    }

    #[test]
    fn a_sign_that_could_not_be_given_stays_due_and_is_tried_again_soon() {
        let mail = SignMail { at: vec![time(21, 0, 0, 0)], to: Role::new("report").unwrap() };
        let rule =
            LifeSignRule { every: Span::seconds(60), file: None, webhook: None, mail: Some(mail) };
        let zone = Zone::utc();
        let mut signs = Signs::begin(now("20:59:30", 0).wall);
        let first = now("20:59:30", 0);
        let due = signs.due(&rule, &zone, first);
        assert_eq!(due, Due { again: true, by_mail: false });
        signs.given(due, &rule, first);
        assert_eq!(signs.next, Duration::from_secs(60));

        let set = now("21:00:00", 30);
        let due = signs.due(&rule, &zone, set);
        assert_eq!(due, Due { again: false, by_mail: true });
        signs.not_given(due, set);
        assert_eq!(signs.next, Duration::from_secs(30) + AGAIN, "neither never nor at once");
        let later = now("21:00:05", 35);
        let due = signs.due(&rule, &zone, later);
        assert_eq!(due, Due { again: true, by_mail: true });
        signs.not_given(due, later);
        assert_eq!(signs.next, Duration::from_secs(35) + AGAIN);
        let due = signs.due(&rule, &zone, later);
        signs.given(due, &rule, later);
        // The clock is set back over the set time: it was given for it.
        assert!(!signs.due(&rule, &zone, now("20:50:00", 36)).by_mail);
        signs.given(Due { again: true, by_mail: false }, &rule, now("20:50:00", 95));
        assert!(!signs.due(&rule, &zone, now("21:00:00", 700)).by_mail);
    }
}
