//! A watcher of another host: it looks at the life sign, and raises the alarm by ways of its own.

use std::path::Path;

use jiff::{SignedDuration, Timestamp};
use tokio::task::JoinHandle;

use crate::core::watcher::{Limits, Memory, Said};
use crate::definition::site::Webhook;
use crate::definition::watch::{AlarmMail, WatchSettings};
use crate::definition::{self, Styles};
use crate::driver::mail::{LIMIT, SmtpMailer, compose};
use crate::driver::webhook::WebhookSender;
use crate::driver::{alarm_program, files, life_sign};
use crate::journal::{OutgoingMail, WebhookPost};
use crate::port::{Defects, Letter, Mailer, Party};
use crate::render::mail::MailText;
use crate::render::{watched, webhook};
use crate::types::{ChannelName, LifeSign, Span};

/// The name under which the watcher's own webhook goes.
const ALARM: &str = "alarm";

/// Looks whenever it is told to.
#[derive(Debug)]
pub struct Watcher {
    settings: WatchSettings,
    limits: Limits,
    memory: Memory,
    /// A look at the sign that has not come back: on a file system that hangs there is one, however long that takes.
    reading: Option<JoinHandle<Result<Option<LifeSign>, String>>>,
    /// Why it begins without what it said before.
    pub began_anew: Option<String>,
}

/// What came of a look.
#[derive(Debug)]
pub struct Looked {
    /// What had to be said, in its subject.
    pub said: Option<String>,
    /// Ways on which it did not reach anybody, in words.
    pub failed: Vec<String>,
    /// Whether an alarm is raised, or has to be.
    pub alarming: bool,
}

impl Watcher {
    /// Where what was kept cannot be read it begins anew, and an alarm may be raised twice: better than none.
    ///
    /// # Errors
    /// The settings have defects.
    pub fn new(file: &Path, now: Timestamp) -> Result<Self, Defects> {
        let bytes =
            files::whole(file).map_err(|why| Defects(format!("{}: {why}", file.display())))?;
        let text = String::from_utf8_lossy(&bytes);
        let settings = definition::watch::watch(file, &text).map_err(|defects| {
            let text: Vec<String> =
                defects.iter().map(|defect| defect.text(Path::new(""), Styles::plain())).collect();
            Defects(text.concat().trim_end().to_owned())
        })?;
        let (kept, began_anew) = match life_sign::read(&settings.memory) {
            Ok(kept) => (kept, None),
            Err(why) => (None, Some(without_memory(&settings.memory, &why))),
        };
        let memory = kept.unwrap_or_else(|| Memory::begin(now));
        let limits = Limits {
            after: signed(settings.after),
            repeat: signed(settings.repeat),
            waiting: signed(settings.waiting),
            ahead: signed(settings.ahead),
        };
        Ok(Self { limits, memory, settings, reading: None, began_anew })
    }

    /// Looks once, says what is to be said, and keeps that it was said where it reached somebody on one way at least.
    ///
    /// # Errors
    /// What was said cannot be kept.
    pub async fn look(&mut self, now: Timestamp) -> Result<Looked, String> {
        let read = self.read().await;
        let found = read.as_ref().map(Option::as_ref).map_err(String::as_str);
        let said = self.memory.look(&self.limits, found, now);
        let mut looked = Looked { said: None, failed: Vec::new(), alarming: false };
        if let Some(said) = said {
            let (language, zone) = (self.settings.language, &self.settings.zone);
            let text = watched::message(language, zone, &said, found.ok().flatten())
                .map_err(|why| why.to_string())?;
            let (reached, failed) = self.say(&text, now).await;
            if reached {
                self.memory.was_said(&said, now);
            }
            looked.alarming = matches!(said, Said::Alarm { .. });
            (looked.said, looked.failed) = (Some(text.subject), failed);
        }
        looked.alarming |= self.memory.alarm.is_some();
        life_sign::write(&self.settings.memory, &self.memory)
            .map_err(|why| format!("{}: {why}", self.settings.memory.display()))?;
        Ok(looked)
    }

    /// A file system that hangs gives no sign.
    async fn read(&mut self) -> Result<Option<LifeSign>, String> {
        let file = self.settings.sign.clone();
        let read = || tokio::task::spawn_blocking(move || sign(&file));
        let reading = self.reading.get_or_insert_with(read);
        let Ok(read) = tokio::time::timeout(LIMIT, &mut *reading).await else {
            return Err(format!("{}: not read in {LIMIT:?}", self.settings.sign.display()));
        };
        self.reading = None;
        read.map_err(|why| why.to_string()).flatten()
    }

    /// By every way; whether any of them took it, and what was wrong with the others.
    async fn say(&self, text: &MailText, now: Timestamp) -> (bool, Vec<String>) {
        let mut reached = false;
        let mut failed = Vec::new();
        let mut take = |way: &str, sent: Result<(), String>| match sent {
            Ok(()) => reached = true,
            Err(why) => failed.push(format!("{way}: {why}")),
        };
        if let Some(mail) = &self.settings.mail {
            for to in &mail.to {
                take(to, mailed(mail, to, text, now).await);
            }
        }
        if let Some(webhook) = &self.settings.webhook {
            take("webhook", self.posted(webhook, text, now).await);
        }
        if !self.settings.command.is_empty() {
            let input = format!("{}\n\n{}", text.subject, text.text);
            let told = alarm_program::tell(&self.settings.command, &input).await;
            take("command", told.map_err(|why| why.to_string()));
        }
        (reached, failed)
    }

    async fn posted(&self, to: &Webhook, text: &MailText, now: Timestamp) -> Result<(), String> {
        let id = format!("<watch.{}.webhook@nightrun>", now.as_microsecond());
        let thread = "<watch@nightrun>";
        let around = webhook::Around { id: &id, thread, site: "nightrun watch", at: now };
        let body = webhook::body(to.format, self.settings.language, &text.brief, (around, false));
        let name = ChannelName::new(ALARM).map_err(|why| why.to_string())?;
        let post = WebhookPost { webhook: to.clone(), body };
        let mail = OutgoingMail::to_webhook((id, String::new()), &name, &post, now)
            .map_err(|why| why.to_string())?;
        let sent = WebhookSender::new(LIMIT).send(&mail).await;
        sent.map(drop).map_err(|why| why.to_string())
    }
}

/// One of a form that is not known here is none: what it says may mean something else.
fn sign(file: &Path) -> Result<Option<LifeSign>, String> {
    let read = life_sign::read::<LifeSign>(file)?;
    match read.as_ref().map(|sign| sign.version) {
        None | Some(LifeSign::VERSION) => Ok(read),
        Some(version) => {
            let file = file.display();
            Err(format!("{file}: a life sign of version {version}; this is a watcher of version 1"))
        }
    }
}

fn without_memory(file: &Path, why: &str) -> String {
    match life_sign::set_aside(file) {
        Ok(aside) => format!("{why}; it is kept as {}, and begun anew", aside.display()),
        Err(error) => format!("{why}; it is begun anew, and cannot be kept: {error}"),
    }
}

async fn mailed(mail: &AlarmMail, to: &str, text: &MailText, now: Timestamp) -> Result<(), String> {
    let domain = mail.from.rsplit('@').next().unwrap_or("localhost");
    let party = |name: Option<&str>, address: &str| Party {
        name: name.map(str::to_owned),
        address: address.to_owned(),
    };
    let reader: String =
        to.chars().map(|c| if c.is_ascii_alphanumeric() { c } else { '-' }).collect();
    let letter = Letter {
        from: party(Some("nightrun watch"), &mail.from),
        to: party(None, to),
        subject: text.subject.clone(),
        message_id: format!("<watch.{}.{reader}@{domain}>", now.as_microsecond()),
        thread: format!("<watch@{domain}>"),
        date: now,
        text: text.text.clone(),
        html: text.html.clone(),
        pictures: Vec::new(),
        attachments: Vec::new(),
    };
    let message = compose(&letter, now).map_err(|why| why.to_string())?;
    let sent = SmtpMailer::new(mail.smtp.clone(), LIMIT).send(&message).await;
    sent.map(drop).map_err(|why| why.to_string())
}

fn signed(span: Span) -> SignedDuration {
    SignedDuration::try_from(span.get()).unwrap_or(SignedDuration::MAX)
}
