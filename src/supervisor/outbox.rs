//! Messages that were decided leave through senders beside the supervisor, so that no job waits for a server: one for
//! all mail, one for each webhook.

use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::Duration;

use jiff::{SignedDuration, Timestamp};
use tokio::sync::mpsc;

use super::messages::incident_of;
use super::{Fatal, Input, Supervisor, World};
use crate::core::night::Event;
use crate::definition::site::Mail;
use crate::fault;
use crate::journal::OutgoingMail;
use crate::port::{Clock, Mailer, QueuedMail, SendError, Store, StoreError, StoreReader};
use crate::types::{IncidentId, Span};

/// One message for the sender.
#[derive(Debug)]
pub struct Post(QueuedMail);

/// What became of a message.
#[derive(Debug)]
pub struct MailNews {
    id: u64,
    /// The incident that it told of.
    about: Option<IncidentId>,
    to: String,
    /// When it could be sent first.
    since: Timestamp,
    tries: u32,
    result: Result<String, SendError>,
}

impl MailNews {
    /// What nobody has taken for so long counts as refused: a slip in an address would be tried for ever, and nobody told.
    fn give_up(&mut self, after: Span, now: Timestamp) {
        let Err(SendError::Later(why)) = &self.result else { return };
        let after_s = SignedDuration::try_from(after.get()).unwrap_or(SignedDuration::MAX);
        if self.tries >= LEAST_TRIES && now.duration_since(self.since) >= after_s {
            self.result = Err(SendError::Never(format!("tried for {after}: {why}")));
        }
    }

    /// What people are told of a message that no server will take.
    pub(super) fn refused(&self) -> Option<Event> {
        match &self.result {
            Err(SendError::Never(why)) => {
                let (about, to, why) = (self.about, self.to.clone(), why.clone());
                Some(Event::MessageRefused { about, to, why })
            }
            Ok(_) | Err(SendError::Later(_)) => None,
        }
    }
}

/// A message is given up after so many tries at the least, which take more than an hour: neither a clock that was set ahead
/// nor days without a supervisor give up what was hardly tried.
const LEAST_TRIES: u32 = 12;

/// Messages given to the sender at a time.
const AT_A_TIME: u32 = 100;

/// Sends what it is given, and reports each. A webhook that does not answer holds up nothing but itself. Ends when the
/// supervisor is gone.
pub async fn send_mail<M: Mailer + Send + Sync + 'static>(
    mailer: M,
    mut post: mpsc::UnboundedReceiver<Post>,
    news: mpsc::UnboundedSender<Input>,
) {
    let mailer = Arc::new(mailer);
    let mut ways = BTreeMap::new();
    while let Some(next) = post.recv().await {
        let way = next.0.mail.webhook();
        let sender = ways.entry(way).or_insert_with(|| {
            let (sender, queue) = mpsc::unbounded_channel();
            tokio::spawn(send_in_order(Arc::clone(&mailer), queue, news.clone()));
            sender
        });
        // It ends only with the supervisor.
        if sender.send(next).is_err() {
            return;
        }
    }
}

/// One after the other.
async fn send_in_order<M: Mailer + Send + Sync + 'static>(
    mailer: Arc<M>,
    mut post: mpsc::UnboundedReceiver<Post>,
    news: mpsc::UnboundedSender<Input>,
) {
    while let Some(Post(queued)) = post.recv().await {
        let (about, since) = (incident_of(&queued.mail.message_id), queued.mail.not_before);
        let (id, to, tries) = (queued.id, queued.mail.to.clone(), queued.tries + 1);
        let result = one_try(&mailer, queued.mail).await;
        if result.is_ok() {
            fault::point("supervisor.mail-sent");
        }
        let told = MailNews { id, about, to, since, tries, result };
        if news.send(Input::Mail(told)).is_err() {
            return;
        }
    }
}

/// A sender that breaks down, by a defect, has tried in vain: that is told, and what comes next is sent.
async fn one_try<M: Mailer + Send + Sync + 'static>(
    mailer: &Arc<M>,
    mail: OutgoingMail,
) -> Result<String, SendError> {
    let mailer = Arc::clone(mailer);
    let sending = tokio::spawn(async move { mailer.send(&mail).await });
    let broke_down = |why| Err(SendError::Later(format!("the sender broke down: {why}")));
    sending.await.unwrap_or_else(broke_down)
}

/// The wait after the nth failed try: 10 s, doubling, at most 15 minutes.
fn again_after(tries: u32) -> SignedDuration {
    SignedDuration::from_secs((10 << tries.saturating_sub(1).min(7)).min(900))
}

impl<W: World> Supervisor<W> {
    /// Hands what is due to the sender.
    pub(super) async fn post_due_mail(&mut self) -> Result<(), Fatal> {
        match self.hand_over_due_mail().await {
            // Mail waits for a store in trouble; the night does not end for it.
            Err(StoreError::Trouble(_)) => {
                let soon = self.parts.clock.real().saturating_add(again_after(1));
                self.mail_due = soon.ok();
                Ok(())
            }
            done => Ok(done?),
        }
    }

    async fn hand_over_due_mail(&mut self) -> Result<(), StoreError> {
        let real = self.parts.clock.real();
        let reader = self.parts.store.reader();
        // What a sender has already is due too: however much waits for one that does not answer, others are reached.
        let posted = u32::try_from(self.posted.len()).unwrap_or(u32::MAX);
        let due = reader.outbox_due(real, AT_A_TIME.saturating_add(posted)).await?;
        if !due.is_empty() {
            // Whoever leads now sends it.
            self.parts.store.still_leads().await?;
        }
        let site = self.known_by();
        for mut queued in due {
            if self.posted.insert(queued.id) {
                if let Some(site) = &site {
                    queued.mail = queued.mail.readdressed(site);
                }
                // The sender lives as long as the supervisor; what it does not take stays in the outbox.
                let _ = self.parts.post.send(Post(queued));
            }
        }
        // While the sender has some, its next news is what brings the outbox to mind again.
        self.mail_due = None;
        if self.posted.is_empty() {
            self.mail_due = self.parts.store.reader().outbox_counted().await?.next;
        }
        Ok(())
    }

    /// Whether what a sender says is its last word, by the patience that the site has.
    pub(super) fn judged(&self, mut news: MailNews) -> MailNews {
        let declared = self.known_by().map(|site| site.mail.give_up_after);
        news.give_up(declared.unwrap_or(Mail::GIVE_UP_AFTER), self.parts.clock.real());
        news
    }

    pub(super) async fn mail_news(&mut self, news: MailNews) -> Result<(), Fatal> {
        self.posted.remove(&news.id);
        if let Err(error) = &news.result {
            let at = self.parts.clock.now().wall;
            let what = match news.to.contains('@') {
                true => "mail".to_owned(),
                false => format!("message to {}", news.to),
            };
            self.notice(at, &format!("{what} not sent: {error}"));
        }
        let mut told = false;
        loop {
            match self.keep_mail_news(&news).await {
                Ok(()) => break,
                Err(why) => self.store_in_trouble(why, &mut told).await?,
            }
        }
        self.store_is_well(told);
        self.post_due_mail().await
    }

    async fn keep_mail_news(&mut self, news: &MailNews) -> Result<(), StoreError> {
        let real = self.parts.clock.real();
        let error = match &news.result {
            Ok(reply) => return self.parts.store.outbox_sent(news.id, real, reply).await,
            Err(error) => error,
        };
        let next = match error {
            SendError::Later(_) => real.saturating_add(again_after(news.tries)).ok(),
            SendError::Never(_) => None,
        };
        self.parts.store.outbox_failed(news.id, &error.to_string(), next).await
    }

    /// Waits for the outbox to empty, at most so long, or until somebody asks for more work or for an end. Returns what
    /// is left. A send that is cut off by that is not known to have been taken: whoever leads next sends the message once
    /// more, with the same Message-ID.
    pub async fn empty_outbox(&mut self, at_most: Duration) -> Result<Vec<QueuedMail>, Fatal> {
        let until = self.parts.clock.real().saturating_add(at_most).unwrap_or(Timestamp::MAX);
        self.post_due_mail().await?;
        loop {
            // What was asked just now is answered before this supervisor goes.
            while let Some(input) = self.next_now() {
                if matches!(input, Input::Stop { .. }) {
                    return self.unsent().await;
                }
                self.turn(vec![input]).await?;
            }
            let left = until.duration_since(self.parts.clock.real());
            let left = Duration::try_from(left).unwrap_or_default();
            if self.posted.is_empty() || left.is_zero() || !self.is_idle() {
                return self.unsent().await;
            }
            match tokio::time::timeout(left, self.parts.inbox.recv()).await {
                Ok(Some(input)) if !matches!(input, Input::Stop { .. }) => {
                    self.turn(vec![input]).await?
                }
                _ => return self.unsent().await,
            }
        }
    }

    fn next_now(&mut self) -> Option<Input> {
        self.later.pop_front().or_else(|| self.parts.inbox.try_recv().ok())
    }

    /// A night that has ended well does not end otherwise because its last question has to wait.
    async fn unsent(&mut self) -> Result<Vec<QueuedMail>, Fatal> {
        let mut told = false;
        loop {
            match self.parts.store.reader().outbox_unsent().await {
                Ok(unsent) => {
                    self.store_is_well(told);
                    return Ok(unsent);
                }
                Err(why) => self.store_in_trouble(why, &mut told).await?,
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use std::sync::atomic::{AtomicU32, Ordering};

    use super::*;
    use crate::core::test_site;
    use crate::definition::site::{Webhook, WebhookFormat, WebhookUrl};
    use crate::journal::WebhookPost;
    use crate::types::ChannelName;

    fn room(format: WebhookFormat, url: &str) -> Webhook {
        let url = WebhookUrl::Url(url.to_owned());
        Webhook { format, url, secret_file: None, ca: None, language: None, output: false }
    }

    fn message(to: &Webhook) -> OutgoingMail {
        let name = ChannelName::new("room").unwrap();
        let post = WebhookPost { webhook: to.clone(), body: serde_json::json!({"text": "down"}) };
        let ids = ("<INC-7.1793000000.ab.webhook.room@bank>".to_owned(), String::new());
        OutgoingMail::to_webhook(ids, &name, &post, Timestamp::UNIX_EPOCH).unwrap()
    }

    /// Breaks down at its first message.
    struct Breaks(AtomicU32);

    impl Mailer for Breaks {
        async fn send(&self, _: &OutgoingMail) -> Result<String, SendError> {
            assert!(self.0.fetch_add(1, Ordering::Relaxed) > 0, "a defect");
            Ok("250 taken".to_owned())
        }
    }

    #[tokio::test]
    async fn a_sender_that_breaks_down_is_told_and_the_next_message_leaves() {
        let (post, to_send) = mpsc::unbounded_channel();
        let (news, mut told) = mpsc::unbounded_channel();
        tokio::spawn(send_mail(Breaks(AtomicU32::new(0)), to_send, news));
        let mut results = Vec::new();
        for id in [1, 2] {
            let mail = message(&room(WebhookFormat::Json, "https://a.example"));
            post.send(Post(QueuedMail { id, mail, tries: 0, why: None, due: None })).unwrap();
            let Some(Input::Mail(news)) = told.recv().await else { panic!("no news") };
            assert_eq!((news.id, news.about), (id, Some(IncidentId(7))));
            results.push(news.result);
        }
        let [Err(SendError::Later(why)), Ok(_)] = &results[..] else { panic!("{results:?}") };
        assert!(why.contains("broke down"), "{why}");
    }

    #[test]
    fn what_waits_goes_where_the_site_says_now_as_long_as_it_can_be_read_there() {
        let mut site = test_site::site(Vec::new());
        let wrong = room(WebhookFormat::Json, "https://wrogn.example");
        let waits = message(&wrong);
        assert_eq!(waits.clone().readdressed(&site), waits, "it is declared no more");
        let mended = room(WebhookFormat::Json, "https://wrong.example");
        for (now, goes_to) in
            [(mended.clone(), mended), (room(WebhookFormat::Slack, "https://s.example"), wrong)]
        {
            site.webhooks.insert(ChannelName::new("room").unwrap(), now);
            assert_eq!(waits.clone().readdressed(&site), message(&goes_to));
        }
    }

    #[test]
    fn what_nobody_takes_for_too_long_counts_as_refused() {
        let refused_at = |hours: i64, tries, result| {
            let (about, to, since) = (None, String::new(), Timestamp::UNIX_EPOCH);
            let mut news = MailNews { id: 1, about, to, since, tries, result };
            let now = since + SignedDuration::from_hours(hours);
            news.give_up(Mail::GIVE_UP_AFTER, now);
            news.refused().is_some()
        };
        let later = || Err(SendError::Later("no such host".to_owned()));
        assert_eq!([71, 72].map(|hours| refused_at(hours, 12, later())), [false, true]);
        assert!(!refused_at(72, 12, Ok("taken at last".to_owned())));
        assert!(!refused_at(24 * 31, 11, later()), "a clock was set ahead");
    }

    #[test]
    fn the_wait_doubles_up_to_a_quarter_of_an_hour() {
        let waits: Vec<i64> = (1..=9).map(|tries| again_after(tries).as_secs()).collect();
        assert_eq!(waits, [10, 20, 40, 80, 160, 320, 640, 900, 900]);
    }
}
