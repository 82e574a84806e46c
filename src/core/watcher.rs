//! Whoever watches a supervisor from another host: what it says, and when, from the life signs that it finds.
//!
//! All times are wall times of the watcher's host, but for those of the signs. What was said is kept ([`Memory`]), so that a
//! watcher that begins anew neither forgets an alarm nor raises it twice.

use jiff::{SignedDuration, Timestamp};
use serde::{Deserialize, Serialize};

use crate::types::LifeSign;

/// When something is wrong.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Limits {
    /// How old the last sign may be.
    pub after: SignedDuration,
    /// How long after an alarm it is raised again.
    pub repeat: SignedDuration,
    /// How long messages may wait.
    pub waiting: SignedDuration,
    /// How far ahead of the watcher's clock a sign may be.
    pub ahead: SignedDuration,
}

/// What a watcher keeps.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Memory {
    /// When it looked for the first time: where there never was a sign, it is away since then.
    pub first: Timestamp,
    /// When the last sign that it has seen was given.
    pub last: Option<Timestamp>,
    pub alarm: Option<Alarm>,
}

/// An alarm that was raised, and is not over.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Alarm {
    pub since: Timestamp,
    /// When it was raised last.
    pub told: Timestamp,
    pub troubles: Vec<Trouble>,
}

/// What is wrong.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case", tag = "what")]
pub enum Trouble {
    /// No sign since then; `never`: none was ever seen. `why`: what was found in its place.
    Away { since: Timestamp, never: bool, why: Option<String> },
    /// Messages do not leave.
    Waiting { messages: u32, since: Timestamp },
    /// The clocks of the two hosts differ: the sign is of a time that is yet to come here.
    Clock { ahead_s: i64 },
}

/// What is said now.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Said {
    /// `again`: it was raised before.
    Alarm { troubles: Vec<Trouble>, again: bool },
    /// All is well, after an alarm since then.
    Over { since: Timestamp },
}

impl Memory {
    pub fn begin(now: Timestamp) -> Self {
        Self { first: now, last: None, alarm: None }
    }

    /// What a look found. `found`: the sign that is there now, `None` where there is none, or why it cannot be read.
    pub fn look(
        &mut self,
        limits: &Limits,
        found: Result<Option<&LifeSign>, &str>,
        now: Timestamp,
    ) -> Option<Said> {
        let (sign, why) = match found {
            Ok(sign) => (sign, None),
            Err(why) => (None, Some(why.to_owned())),
        };
        if let Some(sign) = sign {
            // A time that has not come yet would put the next alarm off until then.
            self.last = Some(sign.at.min(now));
        }
        let troubles = self.troubles(limits, (sign, why), now);
        match (&self.alarm, troubles.is_empty()) {
            (None, true) => None,
            // Where there is nothing to read, nothing says that it is over.
            (Some(alarm), true) => sign.map(|_| Said::Over { since: alarm.since }),
            (None, false) => Some(Said::Alarm { troubles, again: false }),
            (Some(alarm), false) => {
                let of_the_kind =
                    |trouble| alarm.troubles.iter().any(|known| is_same(known, trouble));
                let new = !troubles.iter().all(of_the_kind);
                // A clock that was set back puts no alarm off.
                let due = now.duration_since(alarm.told) >= limits.repeat || now < alarm.told;
                (new || due).then_some(Said::Alarm { troubles, again: !new })
            }
        }
    }

    fn troubles(
        &self,
        limits: &Limits,
        (sign, why): (Option<&LifeSign>, Option<String>),
        now: Timestamp,
    ) -> Vec<Trouble> {
        let mut troubles = Vec::new();
        let since = self.last.unwrap_or(self.first);
        if now.duration_since(since) >= limits.after {
            troubles.push(Trouble::Away { since, never: self.last.is_none(), why });
            // What a sign of long ago says of messages is over.
            return troubles;
        }
        let Some(sign) = sign else { return troubles };
        let ahead = sign.at.duration_since(now);
        if ahead > limits.ahead {
            troubles.push(Trouble::Clock { ahead_s: ahead.as_secs() });
        }
        if let Some(since) = sign.waiting_since
            && sign.at.duration_since(since) >= limits.waiting
        {
            troubles.push(Trouble::Waiting { messages: sign.waiting, since });
        }
        troubles
    }

    /// What was said has reached somebody: until then it is said at each look.
    pub fn was_said(&mut self, said: &Said, now: Timestamp) {
        self.alarm = match said {
            Said::Over { .. } => None,
            Said::Alarm { troubles, .. } => {
                let since = self.alarm.as_ref().map_or(now, |alarm| alarm.since);
                Some(Alarm { since, told: now, troubles: troubles.clone() })
            }
        };
    }
}

fn is_same(one: &Trouble, other: &Trouble) -> bool {
    std::mem::discriminant(one) == std::mem::discriminant(other)
}

#[cfg(test)]
mod tests {
    use super::*;

    const LIMITS: Limits = Limits {
        after: SignedDuration::from_mins(15),
        repeat: SignedDuration::from_mins(30),
        waiting: SignedDuration::from_mins(20),
        ahead: SignedDuration::from_mins(2),
    };

    fn minute(minute: i64) -> Timestamp {
        Timestamp::from_second(1_793_000_000 + minute * 60).unwrap()
    }

    fn sign(at: i64, waiting_since: Option<i64>) -> LifeSign {
        LifeSign {
            version: LifeSign::VERSION,
            at: minute(at),
            site: "Bank".into(),
            epoch: 1,
            entries: 7,
            head: "ab".into(),
            next: None,
            waiting: waiting_since.map_or(0, |_| 3),
            waiting_since: waiting_since.map(minute),
        }
    }

    /// In short: what is said at a look. All of it reaches somebody, but what is said at the minutes `in_vain`.
    fn said(looks: &[(i64, Result<Option<LifeSign>, &str>)], in_vain: &[i64]) -> Vec<String> {
        let mut memory = Memory::begin(minute(looks[0].0));
        let mut all = Vec::new();
        for (at, found) in looks {
            let found = found.as_ref().map(Option::as_ref).map_err(|why| *why);
            let said = memory.look(&LIMITS, found, minute(*at));
            let Some(said) = said else { continue };
            all.push(format!("{at} {}", word(&said)));
            if !in_vain.contains(at) {
                memory.was_said(&said, minute(*at));
            }
            // It begins anew at each look.
            let kept = serde_json::to_string(&memory).unwrap();
            memory = serde_json::from_str(&kept).unwrap();
        }
        all
    }

    fn word(said: &Said) -> String {
        match said {
            Said::Over { since } => format!("over since {}", of(*since)),
            Said::Alarm { troubles, again } => {
                let words = troubles.iter().map(|trouble| match trouble {
                    Trouble::Away { since, never, why } => {
                        let never = if *never { " never" } else { "" };
                        format!("away {}{never}{}", of(*since), why.as_deref().unwrap_or_default())
                    }
                    Trouble::Waiting { messages, since } => {
                        format!("{messages} wait {}", of(*since))
                    }
                    Trouble::Clock { ahead_s } => format!("clock {ahead_s}"),
                });
                let words: Vec<String> = words.collect();
                format!("{}{}", words.join(", "), if *again { " again" } else { "" })
            }
        }
    }

    fn of(at: Timestamp) -> i64 {
        (at.as_second() - 1_793_000_000) / 60
    }

    #[test]
    fn an_alarm_is_raised_repeated_and_ends_whatever_the_watcher_forgets() {
        let there = |at| Ok(Some(sign(at, None)));
        // It stays away, the alarm is repeated each half hour, and it comes back.
        assert_eq!(
            said(
                &[
                    (0, there(0)),
                    (10, there(10)),
                    (24, there(10)),
                    (25, there(10)),
                    (40, there(10)),
                    (55, there(10)),
                    (60, there(60)),
                    (61, there(60)),
                ],
                &[]
            ),
            ["25 away 10", "55 away 10 again", "60 over since 25"]
        );
        // Nobody could be told: it is said at each look, until somebody is.
        assert_eq!(
            said(&[(0, there(0)), (15, there(0)), (16, there(0)), (17, there(0))], &[15]),
            ["15 away 0", "16 away 0"]
        );
        // There never was one; the folder of the sign has gone.
        assert_eq!(
            said(&[(0, Ok(None)), (14, Ok(None)), (15, Ok(None))], &[]),
            ["15 away 0 never"]
        );
        assert_eq!(
            said(&[(0, there(0)), (1, Err(" gone")), (15, Err(" gone"))], &[]),
            ["15 away 0 gone"]
        );
        // The watcher's clock is set back while an alarm is raised.
        assert_eq!(
            said(&[(0, there(0)), (20, there(0)), (16, there(0))], &[]),
            ["20 away 0", "16 away 0 again"]
        );
    }

    #[test]
    fn messages_that_wait_and_clocks_that_differ_are_told_and_a_second_trouble_is_told_at_once() {
        let waits = |at, since| Ok(Some(sign(at, Some(since))));
        let there = |at| Ok(Some(sign(at, None)));
        assert_eq!(
            said(
                &[(0, waits(0, 0)), (19, waits(19, 0)), (20, waits(20, 0)), (30, waits(35, 0))],
                &[]
            ),
            ["20 3 wait 0", "30 clock 300, 3 wait 0"]
        );
        // What the last sign said of messages counts no more once it is old.
        assert_eq!(
            said(&[(0, waits(0, -30)), (20, waits(0, -30))], &[]),
            ["0 3 wait -30", "20 away 0"]
        );
        assert_eq!(said(&[(0, Ok(Some(sign(2, None))))], &[]), [""; 0]);
        // A sign that cannot be read ends no alarm.
        assert_eq!(
            said(&[(0, waits(0, -30)), (1, Err(" gone")), (2, Ok(None)), (3, there(3))], &[]),
            ["0 3 wait -30", "3 over since 0"]
        );
        // One of a time that is far ahead keeps no later alarm back.
        assert_eq!(
            said(&[(0, there(9_000)), (1, Ok(None)), (15, Ok(None))], &[]),
            ["0 clock 540000", "15 away 0"]
        );
    }
}
