//! What is done to a night: which processes are killed, and when.

use std::time::Duration;

use super::dice::Dice;
use super::prey::Role;

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Target {
    Supervisor,
    One(Role),
    /// Supervisor, agent and shims; what they started goes on.
    Nightrun,
    /// The jobs as well.
    Everything,
    /// Everything, and the host comes back with another boot id.
    Host,
    /// As the host, and what was not synced is gone or torn.
    Power,
    /// Whoever passes this point for the nth time.
    Point(&'static str, u64),
}

#[derive(Debug, Clone)]
pub(super) struct Strike {
    pub(super) target: Target,
    /// From the supervisor's start, or from the strike before it.
    pub(super) after: Duration,
    /// Until somebody takes the night up again.
    pub(super) pause: Duration,
    /// Two take it up at once.
    pub(super) contended: bool,
    /// A person decides about a job in doubt meanwhile, if there is one.
    pub(super) decides: bool,
}

/// Points that a build may pass; one that is not passed kills nobody, and is not counted.
const POINTS: [&str; 23] = [
    "agent.claimed",
    "agent.ordered",
    "agent.heard-end",
    "agent.forgot",
    "shim.ordered",
    "shim.locked",
    "shim.recorded",
    "shim.launched",
    "shim.running",
    "shim.ended",
    "shim.kept",
    "supervisor.decided",
    "supervisor.committed",
    "supervisor.acted",
    "supervisor.report-written",
    "supervisor.mail-sent",
    "store.mid-commit",
    "worker.intent",
    "worker.statement-1",
    "worker.precommit",
    "worker.commit-answered",
    "worker.committed",
    "worker.ended",
];

/// The strikes of one night. Each kind of process is struck at least once.
pub(super) fn script(dice: &mut Dice) -> Vec<Strike> {
    let mut targets = vec![
        Target::Supervisor,
        Target::One(Role::Agent),
        Target::One(Role::Shim),
        point(dice),
        point(dice),
        point(dice),
    ];
    targets.extend((0..dice.of(2, 8)).map(|_| match dice.of(0, 100) {
        0..30 => Target::Supervisor,
        30..40 => Target::One(Role::Agent),
        40..48 => Target::One(Role::Shim),
        48..54 => Target::One(Role::Worker),
        54..60 => Target::One(Role::Program),
        60..68 => Target::Nightrun,
        68..74 => Target::Everything,
        74..80 => Target::Host,
        80..86 => Target::Power,
        _ => point(dice),
    }));
    dice.shuffle(&mut targets);
    // Of workers there are few: while the first one works.
    targets.splice(0..0, [Target::One(Role::Worker), Target::One(Role::Shim)]);
    targets.into_iter().map(|target| strike(dice, target)).collect()
}

fn point(dice: &mut Dice) -> Target {
    let point = *dice.pick(&POINTS);
    // Each shim and each worker is a process of its own, and passes once.
    let once = point.starts_with("shim.") || point.starts_with("worker.");
    Target::Point(point, if once { 1 } else { dice.of(1, 8) })
}

fn strike(dice: &mut Dice, target: Target) -> Strike {
    Strike {
        target,
        after: Duration::from_millis(dice.of(0, 250)),
        pause: Duration::from_millis(if dice.percent(40) { 0 } else { dice.of(0, 300) }),
        contended: dice.percent(15),
        decides: dice.percent(40),
    }
}
