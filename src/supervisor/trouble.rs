//! While the store does not take what was decided: nothing starts, nothing is lost, and who asks is answered.

use std::collections::VecDeque;
use std::pin::pin;
use std::time::Duration;

use jiff::SignedDuration;
use tokio::sync::mpsc;

use super::pulse::{WAITING, beat};
use super::{Fatal, Input, Observer, Supervisor, World, answer};
use crate::core::fact::{LateWhy, StopHow};
use crate::core::night::Event;
use crate::port::control::{Asked, Reply, Request};
use crate::port::{Clock, Commit, Pulse, Store, StoreError};

/// Between two tries.
const AGAIN: Duration = Duration::from_secs(1);
/// How long a try may take before it is trouble, for those who wait.
const PATIENCE: Duration = Duration::from_secs(2);
/// A store that is away for less is told of in the log alone.
const HITCH: SignedDuration = SignedDuration::from_secs(30);

impl<W: World> Supervisor<W> {
    /// Tries until the store takes it. Meanwhile nothing is started and nothing is lost: what runs goes on under its
    /// agent, and what it reports waits.
    pub(super) async fn store(&mut self, commit: &Commit) -> Result<(), Fatal> {
        let mut told = false;
        let begun = self.parts.clock.now();
        loop {
            match self.try_to_store(commit).await? {
                Ok(()) => break,
                Err(why) => self.store_in_trouble(why, &mut told).await?,
            }
        }
        self.store_is_well(told);
        let took = self.parts.clock.now().since_boot.saturating_sub(begun.since_boot);
        self.parts.meters.commit.observe(took.as_secs_f64());
        if took > PATIENCE {
            self.note_hindrance(begun.wall, LateWhy::Store);
        }
        Ok(())
    }

    /// One try. One that takes long is not given up: it may be a disk that hangs, and it is the commit that counts.
    async fn try_to_store(&mut self, commit: &Commit) -> Result<Result<(), StoreError>, Fatal> {
        let parts = &mut self.parts;
        let mut trying = pin!(parts.store.commit(commit));
        if let Ok(done) = tokio::time::timeout(PATIENCE, &mut trying).await {
            return Ok(done);
        }
        let mut door = Door {
            inbox: &mut parts.inbox,
            later: &mut self.later,
            observers: &mut parts.observers,
            clock: &parts.clock,
            pulse: &self.pulse,
            why: "it does not answer",
        };
        door.keep_until(trying).await
    }

    /// Says so once, and waits until it may be tried again. What is no passing trouble is handed back.
    pub(super) async fn store_in_trouble(
        &mut self,
        why: StoreError,
        told: &mut bool,
    ) -> Result<(), Fatal> {
        let StoreError::Trouble(why) = why else { return Err(why.into()) };
        if !*told {
            let at = self.parts.clock.now().wall;
            self.publish(Some(&why));
            self.notice(
                at,
                &format!("the store does not take what was decided: {why}; trying again, nothing starts until it does"),
            );
            *told = true;
            self.store_away = Some((at, why.clone()));
        }
        let mut door = Door {
            inbox: &mut self.parts.inbox,
            later: &mut self.later,
            observers: &mut self.parts.observers,
            clock: &self.parts.clock,
            pulse: &self.pulse,
            why: &why,
        };
        let never = std::future::pending::<()>();
        // Out of time: that is what it waits for.
        let _ = door.keep_until(tokio::time::timeout(AGAIN, never)).await?;
        Ok(())
    }

    pub(super) fn store_is_well(&mut self, told: bool) {
        if told {
            self.publish(None);
            let at = self.parts.clock.now().wall;
            self.notice(at, "the store takes what is decided again");
        }
    }

    /// What people are told when the store could not be written for so long that it was more than a hitch.
    pub(super) fn store_back(&mut self) -> Option<Event> {
        let (since, why) = self.store_away.take()?;
        let away = self.parts.clock.now().wall.duration_since(since);
        (away >= HITCH && !self.is_trial()).then_some(Event::StoreBack { since, why })
    }
}

enum Next<T> {
    Done(T),
    Heard(Input),
}

/// Takes in what comes while the supervisor can decide nothing.
struct Door<'a, C> {
    inbox: &'a mut mpsc::UnboundedReceiver<Input>,
    later: &'a mut VecDeque<Input>,
    observers: &'a mut Vec<Box<dyn Observer>>,
    clock: &'a C,
    pulse: &'a Option<Pulse>,
    why: &'a str,
}

impl<C: Clock> Door<'_, C> {
    async fn keep_until<T>(&mut self, work: impl Future<Output = T>) -> Result<T, Fatal> {
        let mut work = pin!(work);
        loop {
            beat(self.pulse, self.observers, self.clock.now());
            let next = async {
                tokio::select! {
                    biased;
                    done = &mut work => Next::Done(done),
                    Some(input) = self.inbox.recv() => Next::Heard(input),
                }
            };
            match tokio::time::timeout(WAITING, next).await {
                Ok(Next::Done(done)) => return Ok(done),
                Ok(Next::Heard(input)) => self.hear(input)?,
                // It waits, and does not hang.
                Err(_) => {}
            }
        }
    }

    /// What decides something waits for its turn. Who only looks is told why there is nothing to see: what this
    /// supervisor knows is ahead of what is durable.
    fn hear(&mut self, input: Input) -> Result<(), Fatal> {
        match input {
            Input::Stop { how: StopHow::Wait, .. } => {
                let text = "the stop is heard, and waits until the store takes it; once more to leave \
                            at once: what runs goes on under its agent";
                let at = self.clock.now().wall;
                self.observers.iter_mut().for_each(|observer| observer.notice(at, text));
                self.later.push_back(input);
            }
            Input::Stop { .. } | Input::Leave => return Err(Fatal::Left(self.why.to_owned())),
            Input::Overtaken(why) => return Err(why.into()),
            Input::Asked(Asked {
                request:
                    Request::Status | Request::Why { .. } | Request::Job { .. } | Request::Alive,
                reply,
                ..
            }) => {
                let what = format!(
                    "the store does not take what was decided: {}; nothing starts until it does, and what runs goes on: \
                     ask again then",
                    self.why
                );
                answer(reply, Reply::Failed { what, defects: false });
            }
            other => self.later.push_back(other),
        }
        Ok(())
    }
}
