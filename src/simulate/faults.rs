//! What goes wrong in a made-up night: each kind has a switch, a rate and dice of its own, all from the seed. So a night
//! from which one kind is taken meets the others as before.

use std::fmt;
use std::ops::Range;
use std::str::FromStr;
use std::time::Duration;

use super::dice::Dice;

/// How long things go wrong and people do anything at all, from the beginning of the night.
pub(super) const LASTS: Duration = Duration::from_secs(6 * 3600);

macro_rules! faults {
    ($($(#[$doc:meta])* $name:ident $word:literal $often:expr),* $(,)?) => {
        /// One kind of thing that goes wrong, or that people do to a night.
        #[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
        pub enum Fault { $($(#[$doc])* $name),* }

        impl Fault {
            pub const ALL: &'static [Self] = &[$(Self::$name),*];

            /// The word of the switch in a scenario.
            pub fn word(self) -> &'static str {
                match self { $(Self::$name => $word),* }
            }

            fn often(self) -> Often {
                match self { $(Self::$name => $often),* }
            }
        }
    };
}

/// The rate of a kind: of each night one of the two, or none.
enum Often {
    /// So many times in a thousand chances.
    Chance(u64, u64),
    /// So many times a night.
    Night(u64, u64),
}
use Often::{Chance, Night};

faults! {
    /// The supervisor is killed between two turns.
    Crash "crash" Night(2, 8),
    /// It dies after it decided and before the commit.
    BeforeCommit "before-commit" Chance(8, 30),
    /// The commit is taken, and it dies before it knows.
    AnswerLost "answer-lost" Chance(8, 30),
    /// It dies after the commit, with some of its commands carried out.
    BeforeAct "before-act" Chance(8, 30),
    /// Its host restarts: another boot, and what ran there is lost.
    Reboot "reboot" Night(1, 2),
    /// The host of the supervisor is suspended for minutes or hours.
    Suspend "suspend" Night(1, 3),
    /// The wall clock is stepped by minutes or hours.
    Clock "clock" Night(2, 8),
    /// A commit takes its time, and events pile up.
    Slow "slow" Chance(10, 80),
    /// The store fails, and is tried again.
    Trouble "trouble" Chance(5, 30),
    /// The disk is full for a while.
    DiskFull "disk-full" Night(1, 3),
    /// The link to an agent is gone for a while.
    Away "away" Night(3, 15),
    /// An agent is killed; its shims go on.
    AgentKilled "agent-killed" Night(1, 6),
    /// The host of an agent restarts: what ran is lost, what had ended is in the spool.
    HostRestart "host-restart" Night(1, 4),
    /// The host of an agent loses its power: the spool is gone as well.
    PowerLoss "power-loss" Night(1, 2),
    /// Reports of an agent arrive late.
    Late "late" Chance(30, 150),
    /// An ending is told twice, the second time when it is old news.
    Twice "twice" Chance(30, 150),
    /// An ending arrives before the start.
    Disorder "disorder" Chance(30, 150),
    /// An ending is not told until somebody asks.
    Silent "silent" Chance(15, 80),
    /// Attempts end badly, each way of ending among them.
    Endings "endings" Chance(50, 250),
    /// People do anything to any job, as the rules allow or not.
    Operators "operators" Night(10, 60),
    /// Somebody stops the supervisor, in one of three ways, and another resumes.
    Stop "stop" Night(1, 3),
    /// Somebody runs jobs again.
    Rerun "rerun" Night(1, 6),
    /// The leader stands still, for a moment or past its lease, and goes on with what it has in hand.
    Paused "paused" Chance(10, 60),
    /// The leader is cut off from the store, for a moment or past its lease.
    CutOff "cut-off" Chance(10, 40),
}

impl fmt::Display for Fault {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.word())
    }
}

impl FromStr for Fault {
    type Err = String;
    fn from_str(word: &str) -> Result<Self, Self::Err> {
        let found = Self::ALL.iter().copied().find(|fault| fault.word() == word);
        found.ok_or_else(|| format!("no fault is called `{word}`"))
    }
}

/// The plan of one night, and how often each kind has come.
#[derive(Debug, Clone)]
pub(super) struct Faults {
    kinds: Vec<Kind>,
}

#[derive(Debug, Clone)]
struct Kind {
    dice: Dice,
    /// In a thousand chances; 0 for what is planned by the night.
    rate: u64,
    struck: u64,
}

/// At what time of the night what is to happen; in order.
pub(super) type Plan = Vec<(Duration, Fault)>;

impl Faults {
    /// Half of the kinds spare a night, so that each also meets nights in which it is nearly alone.
    pub(super) fn new(seed: u64, without: &[Fault]) -> (Self, Plan) {
        let mut plan = Plan::new();
        let mut kinds = Vec::new();
        for (number, fault) in Fault::ALL.iter().enumerate() {
            let mut dice =
                Dice::new(seed ^ (number as u64 + 1).wrapping_mul(0xd6e8_feb8_6659_fd93));
            let choice = dice.of(0..4);
            let spared = without.contains(fault) || choice < 2 && *fault != Fault::Operators;
            let of = |low, high| if spared { 0 } else { [low, high][usize::from(choice == 3)] };
            let rate = match fault.often() {
                Chance(low, high) => of(low, high),
                Night(low, high) => {
                    for _ in 0..of(low, high) {
                        plan.push((Duration::from_millis(dice.of(0..LASTS_MS)), *fault));
                    }
                    0
                }
            };
            kinds.push(Kind { dice, rate, struck: 0 });
        }
        plan.sort();
        (Self { kinds }, plan)
    }

    /// Whether a kind strikes at this chance.
    pub(super) fn strikes(&mut self, fault: Fault) -> bool {
        let kind = &mut self.kinds[fault as usize];
        let strikes = kind.rate > 0 && kind.dice.of(0..1_000) < kind.rate;
        kind.struck += u64::from(strikes);
        strikes
    }

    /// The dice of a kind, for how it happens.
    pub(super) fn dice(&mut self, fault: Fault) -> &mut Dice {
        &mut self.kinds[fault as usize].dice
    }

    pub(super) fn seconds(&mut self, fault: Fault, range: Range<u64>) -> Duration {
        Duration::from_millis(self.dice(fault).of(range.start * 1_000..range.end * 1_000))
    }

    /// In a thousand chances.
    pub(super) fn rate(&self, fault: Fault) -> u64 {
        self.kinds[fault as usize].rate
    }

    /// Nothing strikes any more.
    pub(super) fn stop(&mut self) {
        self.kinds.iter_mut().for_each(|kind| kind.rate = 0);
    }

    pub(super) fn came(&mut self, fault: Fault) {
        self.kinds[fault as usize].struck += 1;
    }

    /// How often each has come.
    pub(super) fn struck(&self) -> impl Iterator<Item = (Fault, u64)> + '_ {
        Fault::ALL.iter().copied().zip(self.kinds.iter().map(|kind| kind.struck))
    }
}

const LASTS_MS: u64 = LASTS.as_secs() * 1_000;
