//! From what is to be said and to whom to the messages of the outbox: mails, and what goes to webhooks.

use std::collections::{BTreeMap, BTreeSet};

use jiff::Timestamp;

use super::{Supervisor, World};
use crate::core::incident::Audience;
use crate::definition::site::{Person, Site, Way};
use crate::driver::mail::compose;
use crate::journal::{OutgoingMail, WebhookPost};
use crate::port::{Attachment, Clock, Letter, Party, Picture};
use crate::render::mail::{MailText, Reader};
use crate::render::webhook::{self, Around};
use crate::types::{ChannelName, IncidentId, Lang, PersonId};

/// What all messages about one matter in one turn have in common.
struct Matter<'a> {
    site: &'a Site,
    thread: String,
    turn: String,
    date: Timestamp,
    enclosed: &'a [Enclosed],
}

/// What goes with the mails of one language.
pub(super) struct Enclosed {
    pub(super) lang: Lang,
    pub(super) pictures: Vec<Picture>,
    pub(super) attachments: Vec<Attachment>,
}

impl Matter<'_> {
    fn domain(&self) -> &str {
        self.site.mail.from.rsplit('@').next().unwrap_or("localhost")
    }

    /// The made-up id that all of them refer to.
    fn root(&self) -> String {
        format!("<{}@{}>", self.thread, self.domain())
    }
}

impl<W: World> Supervisor<W> {
    /// One message to each person by each way, in that person's language, and one to each room. A webhook is told once,
    /// whoever reads there.
    pub(super) fn messages(
        &mut self,
        site: &Site,
        to: &Audience,
        thread: &str,
        write: impl Fn(Lang, Reader<'_>) -> Result<MailText, askama::Error>,
        enclosed: &[Enclosed],
    ) -> Vec<OutgoingMail> {
        // Of this journal alone: another one (a new state folder, a trial's) may give the same run and incident again.
        let turn: String = self.chain.head().hash.chars().take(16).collect();
        let date = self.parts.clock.real();
        let matter = Matter { site, thread: plain(thread), turn, date, enclosed };
        let mut mails = Vec::new();
        let mut told: BTreeSet<&ChannelName> = BTreeSet::new();
        for room in to.rooms.iter().filter(|room| site.webhooks.contains_key(*room)) {
            if told.insert(room) {
                let lang = site.webhooks.get(room).and_then(|webhook| webhook.language);
                let lang = lang.unwrap_or(site.language);
                let text = write(lang, Reader::Room(room));
                mails.extend(self.post(&matter, room, lang, text));
            }
        }
        for id in &to.people {
            let Some(person) = site.people.get(id) else { continue };
            let lang = person.language.unwrap_or(site.language);
            for way in ways(site, person, to) {
                match way {
                    Reached::Mail(address) => {
                        let text = write(lang, Reader::Person(id));
                        mails.extend(self.letter(&matter, (id, person, address), lang, text));
                    }
                    Reached::Webhook(room) if told.insert(room) => {
                        let text = write(lang, Reader::Person(id));
                        mails.extend(self.post(&matter, room, lang, text));
                    }
                    Reached::Webhook(_) => {}
                }
            }
        }
        mails
    }

    /// `None`: it cannot be written, or put into the form of a mail (an address that is none). That is told, and does not
    /// stop the others.
    fn letter(
        &mut self,
        matter: &Matter<'_>,
        (id, person, address): (&PersonId, &Person, &str),
        lang: Lang,
        text: Result<MailText, askama::Error>,
    ) -> Option<OutgoingMail> {
        let MailText { subject, text, html, brief: _ } =
            self.written(address, matter.date, text)?;
        let enclosed = matter.enclosed.iter().find(|enclosed| enclosed.lang == lang);
        let letter = Letter {
            from: Party {
                name: Some(matter.site.title.get(lang).to_owned()),
                address: matter.site.mail.from.clone(),
            },
            to: Party { name: Some(person.name.get(lang).to_owned()), address: address.to_owned() },
            subject,
            message_id: self.message_id(matter, id.as_str()),
            thread: matter.root(),
            date: matter.date,
            text,
            html,
            pictures: enclosed.map(|enclosed| enclosed.pictures.clone()).unwrap_or_default(),
            attachments: enclosed.map(|enclosed| enclosed.attachments.clone()).unwrap_or_default(),
        };
        self.written(address, matter.date, compose(&letter, matter.date))
    }

    fn post(
        &mut self,
        matter: &Matter<'_>,
        room: &ChannelName,
        lang: Lang,
        text: Result<MailText, askama::Error>,
    ) -> Option<OutgoingMail> {
        let declared = matter.site.webhooks.get(room)?.clone();
        let brief = self.written(room.as_str(), matter.date, text)?.brief;
        let id = self.message_id(matter, &format!("webhook.{room}"));
        let around = Around {
            id: &id,
            thread: &matter.root(),
            site: matter.site.title.get(lang),
            at: matter.date,
        };
        let body = webhook::body(declared.format, lang, &brief, (around, declared.output));
        let post = WebhookPost { webhook: declared, body };
        let from = matter.site.mail.from.clone();
        let made = OutgoingMail::to_webhook((id, from), room, &post, matter.date);
        self.written(room.as_str(), matter.date, made)
    }

    fn written<T, E: std::fmt::Display>(
        &mut self,
        to: &str,
        at: Timestamp,
        made: Result<T, E>,
    ) -> Option<T> {
        match made {
            Ok(made) => Some(made),
            Err(why) => {
                self.notice(at, &format!("no message to {to}: {why}"));
                None
            }
        }
    }

    /// No two messages have one, though a turn may have several for one person about one thing.
    fn message_id(&mut self, matter: &Matter<'_>, to: &str) -> String {
        let Matter { thread, turn, .. } = matter;
        let domain = matter.domain();
        let (of, numbers) = &mut self.letters_of_turn;
        if of != turn {
            (*of, *numbers) = (turn.clone(), BTreeMap::new());
        }
        let number = numbers.entry(format!("{thread}.{to}")).or_insert(0);
        *number += 1;
        match number {
            1 => format!("<{thread}.{turn}.{to}@{domain}>"),
            _ => format!("<{thread}.{turn}.{number}.{to}@{domain}>"),
        }
    }
}

/// The incident that a message told of, by its id: that begins with its thread.
pub(super) fn incident_of(message_id: &str) -> Option<IncidentId> {
    let (thread, _) = message_id.strip_prefix('<')?.split_once('.')?;
    thread.parse().ok()
}

/// How a person is told.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Reached<'a> {
    Mail(&'a str),
    Webhook(&'a ChannelName),
}

/// Each of the ways that the person has; where there is none of them what there is, so that nobody is left out.
fn ways<'a>(site: &'a Site, person: &'a Person, to: &Audience) -> Vec<Reached<'a>> {
    let mail = person.mail.as_ref().filter(|address| !to.refused.contains(address));
    let mail = mail.map(|address| Reached::Mail(address));
    let webhook = person.webhook.as_ref().filter(|name| site.webhooks.contains_key(*name));
    let webhook = webhook.filter(|name| !to.refused.contains(&name.recipient()));
    let webhook = webhook.map(Reached::Webhook);
    let by = if to.by.is_empty() { &[Way::Mail][..] } else { &to.by };
    let wanted = by.iter().filter_map(|way| match way {
        Way::Mail => mail,
        Way::Webhook => webhook,
    });
    let wanted: Vec<Reached<'a>> = wanted.collect();
    match wanted.is_empty() {
        true => mail.or(webhook).into_iter().collect(),
        false => wanted,
    }
}

/// What may stand left of the `@` of a message id.
fn plain(text: &str) -> String {
    text.chars()
        .map(|c| if c.is_ascii_alphanumeric() || c == '-' || c == '.' { c } else { '-' })
        .collect()
}
