//! A watcher of another host: it looks at the life sign, and raises the alarm by ways of its own.

use std::fmt::Display;
use std::path::Path;

use jiff::{SignedDuration, Timestamp};

use crate::core::watcher::{Limits, Memory, Said};
use crate::definition::site::Webhook;
use crate::definition::watch::{AlarmMail, Sign, WatchSettings};
use crate::definition::{self, Styles};
use crate::driver::hanging_files::apart;
use crate::driver::mail::{LIMIT, SmtpMailer, compose};
use crate::driver::webhook::WebhookSender;
use crate::driver::{alarm_program, files, life_sign, life_sign_page};
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
        Ok(Self { limits, memory, settings, began_anew })
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

    /// A file system that hangs gives no sign, and no more does a server.
    async fn read(&self) -> Result<Option<LifeSign>, String> {
        let file = match &self.settings.sign {
            Sign::File(file) => file.clone(),
            Sign::Pages { urls, ca } => return newest(urls, ca.as_deref()).await.map(Some),
        };
        let of = file.clone();
        let read = apart(&file, move || sign(&of));
        match tokio::time::timeout(LIMIT, read).await {
            Ok(read) => read.map_err(|why| why.to_string()).flatten(),
            Err(_) => Err(format!("{}: not read in {LIMIT:?}", file.display())),
        }
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

fn sign(file: &Path) -> Result<Option<LifeSign>, String> {
    let read = life_sign::read::<LifeSign>(file)?;
    read.map(|sign| known(sign, &file.display())).transpose()
}

/// One of a form that is not known here is none: what it says may mean something else.
fn known(sign: LifeSign, from: &dyn Display) -> Result<LifeSign, String> {
    match sign.version {
        LifeSign::VERSION => Ok(sign),
        version => {
            Err(format!("{from}: a life sign of version {version}; this is a watcher of version 1"))
        }
    }
}

/// The newest that these addresses show; else why none of them shows one.
async fn newest(urls: &[String], ca: Option<&Path>) -> Result<LifeSign, String> {
    let (mut signs, mut failed) = (Vec::new(), Vec::new());
    for url in urls {
        let asked = life_sign_page::ask(url, ca, LIMIT).await;
        match asked.and_then(|sign| known(sign, url)) {
            Ok(sign) => signs.push(sign),
            Err(why) => failed.push(why),
        }
    }
    signs.into_iter().max_by_key(|sign| sign.at).ok_or_else(|| failed.join("; "))
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
