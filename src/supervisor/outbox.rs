//! Messages that were decided leave through senders beside the supervisor, so that no job waits for a server: one for
//! all mail, one for each webhook.

use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::Duration;

use jiff::{SignedDuration, Timestamp};
use tokio::sync::mpsc;

use super::{Fatal, Input, Supervisor, World};
use crate::core::night::Event;
use crate::fault;
use crate::port::{Clock, Mailer, QueuedMail, SendError, Store, StoreError, StoreReader};

/// One message for the sender.
#[derive(Debug)]
pub struct Post(QueuedMail);

/// What became of a message.
#[derive(Debug)]
pub struct MailNews {
    id: u64,
    to: String,
    tries: u32,
    result: Result<String, SendError>,
}

impl MailNews {
    /// What people are told of a message that no server will take.
    pub(super) fn refused(&self) -> Option<Event> {
        match &self.result {
            Err(SendError::Never(why)) => {
                Some(Event::MessageRefused { to: self.to.clone(), why: why.clone() })
            }
            Ok(_) | Err(SendError::Later(_)) => None,
        }
    }
}

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
        let mail = &next.0.mail;
        let way = mail.is_to_webhook().then(|| mail.to.clone());
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
async fn send_in_order<M: Mailer>(
    mailer: Arc<M>,
    mut post: mpsc::UnboundedReceiver<Post>,
    news: mpsc::UnboundedSender<Input>,
) {
    while let Some(Post(queued)) = post.recv().await {
        let mail = &queued.mail;
        let result = mailer.send(mail).await;
        if result.is_ok() {
            fault::point("supervisor.mail-sent");
        }
        let to = mail.to.clone();
        let told = MailNews { id: queued.id, to, tries: queued.tries + 1, result };
        if news.send(Input::Mail(told)).is_err() {
            return;
        }
    }
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
        for queued in due {
            if self.posted.insert(queued.id) {
                // The sender lives as long as the supervisor; what it does not take stays in the outbox.
                let _ = self.parts.post.send(Post(queued));
            }
        }
        // While the sender has some, its next news is what brings the outbox to mind again.
        self.mail_due = None;
        if self.posted.is_empty() {
            let unsent = self.parts.store.reader().outbox_unsent().await?;
            self.mail_due = unsent.iter().filter_map(|mail| mail.due).min();
        }
        Ok(())
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
    /// is left.
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
    use super::*;

    #[test]
    fn the_wait_doubles_up_to_a_quarter_of_an_hour() {
        let waits: Vec<i64> = (1..=9).map(|tries| again_after(tries).as_secs()).collect();
        assert_eq!(waits, [10, 20, 40, 80, 160, 320, 640, 900, 900]);
    }
}
