//! The `change` task, in the order that `src/docs/format.md` gives: look at the marker,
//! verification must not pass yet, one transaction of marker, backup, change and guards, verification in a fresh read,
//! and on failure the rollback script and the proof of the former state.

mod apply;
mod client;
mod earlier;
mod examine;
mod history;
mod journalled;
mod kept;
mod lock;
pub mod look;
mod marker;
mod marks;
mod one_by_one;
mod rehearsal;
mod rollback;
mod scripts;
mod verify;

use std::path::PathBuf;
use std::time::{Duration, Instant};

use jiff::Timestamp;

use super::Exit;
use super::db::{Db, DbError, Kind, LockWait, SessionId, Target};
use super::halt::Halt;
use super::log::{complain, count, say};
use super::steps::{Step, StepError, Steps};
use crate::sql::lint::Part;
use crate::types::{AttemptId, Span};
use crate::wire::{ChangeState, ChangeTask, ChangeWork, Check, CutDecision};
pub(super) use client::by_client;
use history::{Applied, History};
use lock::Held;
use rehearsal::Pass;
use scripts::Scripts;
use verify::Verdict;

/// A change that did not end in `Done`.
#[derive(Debug)]
struct Stop {
    state: ChangeState,
    why: String,
    /// A script was refused before anything was touched.
    refused: bool,
    /// What became of the transaction is still to be looked at.
    unsettled: bool,
    /// Something may stay that the marker does not tell of.
    outside: bool,
    /// The database has refused a statement.
    said_no: bool,
}

impl Stop {
    fn new(state: ChangeState, why: impl Into<String>) -> Self {
        let why = why.into();
        Self { state, why, refused: false, unsettled: false, outside: false, said_no: false }
    }

    fn clean(why: impl Into<String>) -> Self {
        Self::new(ChangeState::FailedClean, why)
    }

    fn guard(why: impl Into<String>) -> Self {
        Self::new(ChangeState::FailedGuard, why)
    }

    fn in_doubt(why: impl Into<String>) -> Self {
        Self::new(ChangeState::InDoubt, why)
    }

    fn refused(why: impl Into<String>) -> Self {
        Self { refused: true, ..Self::clean(why) }
    }
}

/// Steps that cannot be made durable stop a change as long as it is not committed.
impl From<StepError> for Stop {
    fn from(error: StepError) -> Self {
        Self::clean(error.to_string())
    }
}

/// Until when statements may be begun.
struct Window(Option<Instant>);

#[expect(clippy::disallowed_methods, reason = "a limit of this process, in its own time")]
impl Window {
    fn of(left: Option<Span>) -> Self {
        Self(left.and_then(|left| Instant::now().checked_add(left.get())))
    }

    /// `None`: it does not close.
    fn left(&self) -> Option<Duration> {
        self.0.map(|end| end.saturating_duration_since(Instant::now()))
    }

    fn closed(&self) -> Option<&'static str> {
        self.0.filter(|end| Instant::now() >= *end).map(|_| "its window closes")
    }
}

/// One attempt at a change.
struct Attempt<'a> {
    task: &'a ChangeTask,
    id: AttemptId,
    target: Target<'a>,
    /// The session that has the lock, while nobody works with it.
    held: Option<Held>,
    /// Sessions of this attempt so far.
    sessions: Vec<SessionId>,
    window: Window,
    pass: Pass,
    steps: Steps,
    work: ChangeWork,
}

pub(super) async fn run(
    task: &ChangeTask,
    id: AttemptId,
    halt: Halt,
    steps: Steps,
) -> (Exit, ChangeWork) {
    let lock_wait = LockWait::of_change(task.reserve.get());
    let target = Target { lock_wait, ..Target::new(&task.engine, Some(&id), halt) };
    let work = ChangeWork::none(ChangeState::FailedClean);
    let window = Window::of(task.window_left);
    let sessions = Vec::new();
    let (held, pass) = (None, Pass::Change);
    let mut attempt = Attempt { task, id, target, held, sessions, window, pass, steps, work };
    say!("change {} on {}, attempt {}", task.change, task.engine.place(), attempt.id);
    let gone = attempt.go().await;
    if let Some(held) = attempt.held.take() {
        held.close().await;
    }
    let exit = match gone {
        Ok(()) => {
            attempt.work.state = ChangeState::Done;
            say!("done: applied and verified, {}", count(attempt.work.rows, "row"));
            Exit::Good
        }
        Err(stop) => {
            complain!("{}", stop.why);
            complain!("{}", meaning(stop.state));
            attempt.work.state = stop.state;
            attempt.work.why = Some(stop.why);
            exit_of(stop.state, stop.refused)
        }
    };
    let state = attempt.work.state;
    attempt.note_after(Step::Ended { state });
    (exit, attempt.work)
}

fn exit_of(state: ChangeState, refused: bool) -> Exit {
    match state {
        ChangeState::Done => Exit::Good,
        ChangeState::FailedClean if refused => Exit::Refused,
        ChangeState::FailedClean => Exit::Failed,
        ChangeState::Partial => Exit::Partial,
        ChangeState::FailedGuard => Exit::FailedGuard,
        ChangeState::RolledBack => Exit::RolledBack,
        ChangeState::RollbackFailed => Exit::RollbackFailed,
        ChangeState::InDoubt => Exit::InDoubt,
    }
}

/// What a state means for the operator.
fn meaning(state: ChangeState) -> &'static str {
    match state {
        ChangeState::Done => "applied and verified",
        ChangeState::FailedClean => "nothing was applied: the target is as it was",
        ChangeState::Partial => {
            "THE TARGET IS NEITHER OLD NOR NEW: nothing more is done to it until people decide"
        }
        ChangeState::FailedGuard => "a guard refused before COMMIT: nothing was applied",
        ChangeState::RolledBack => "the change was rolled back and the former state is proven",
        ChangeState::RollbackFailed => {
            "THE FORMER STATE IS NOT RESTORED: the backup tables hold the rows; call the author"
        }
        ChangeState::InDoubt => {
            "WHETHER IT WAS APPLIED CANNOT BE KNOWN HERE: look at nightrun_change_run and the data, then decide"
        }
    }
}

impl Attempt<'_> {
    async fn go(&mut self) -> Result<(), Stop> {
        self.work.unread = self.task.examine;
        let scripts = self.scripts().map_err(|stop| self.unproven(stop))?;
        let history = match self.held().await {
            Ok(mut held) => {
                let read = self.history(&mut held.db).await;
                self.held = Some(held);
                read.map_err(|error| {
                    format!("the marker in {} cannot be read: {error}", self.place())
                })
            }
            Err(error) => Err(format!("{}: {error}", self.place())),
        };
        if let Err(why) = &history
            && self.task.examine
        {
            self.found("the marker of the change", why.clone());
        }
        let history = history.map_err(|why| self.unproven(Stop::clean(why)))?;
        self.work.unread = false;
        if self.task.examine {
            self.found_rows().await;
        }
        let applied = match history {
            History::Fresh { elsewhere, seen } => {
                self.never_committed(&seen).await?;
                if self.task.cut == Some(CutDecision::RollBack) {
                    let why =
                        "people have decided to roll it back, and its target knows nothing of it";
                    return Err(Stop::in_doubt(why));
                }
                // A look begins nothing.
                if self.task.examine {
                    return Err(Self::never_applied());
                }
                self.not_drifted().await?;
                let elsewhere = match self.task.rehearse {
                    true => self.rehearse(&scripts, elsewhere).await?,
                    false => elsewhere,
                };
                self.execute(&scripts, elsewhere).await?
            }
            History::Cut(cut) => {
                self.of_pass(cut.so_far.pass);
                match self.pass {
                    Pass::Rehearsal => {
                        self.cut_off(&scripts, cut).await.map_err(rehearsal::in_rehearsal)?
                    }
                    Pass::Change => self.cut_off(&scripts, cut).await?,
                }
            }
            History::Applied(applied) => {
                say!(
                    "marker: {} has committed this change already; it is not applied again",
                    applied.attempt
                );
                self.of_pass(applied.pass);
                self.take_up(&applied);
                if self.task.examine {
                    self.found_kept(&applied).await;
                }
                if self.task.cut == Some(CutDecision::RollBack) && applied.pass == Pass::Change {
                    let why = "people have decided, after a rollback that failed".to_owned();
                    return Err(self.roll_back(&scripts, &applied, why).await);
                }
                applied
            }
            History::RolledBack(applied) => {
                say!(
                    "marker: {} has rolled this change back; the former state is to be proven",
                    applied.attempt
                );
                self.of_pass(applied.pass);
                self.take_up(&applied);
                let why = match applied.pass {
                    Pass::Rehearsal => rehearsal::CUT_OFF,
                    Pass::Change => "its verification failed after the change",
                };
                let why = why.to_owned();
                return Err(self.prove_former(&scripts, &applied, why).await);
            }
            History::Conflict(why) => return Err(Stop::in_doubt(why)),
        };
        if applied.pass == Pass::Rehearsal {
            let elsewhere = self.take_back(&scripts, &applied).await?;
            let applied = self.execute(&scripts, elsewhere).await?;
            return self.verify(&scripts, &applied).await;
        }
        self.verify(&scripts, &applied).await
    }

    /// Reads and checks the scripts; nothing is touched.
    fn scripts(&mut self) -> Result<Scripts, Stop> {
        let scripts = Scripts::read(
            &self.task.folder,
            self.target.dialect(),
            self.task.mode,
            self.task.backup.as_ref(),
        )
        .map_err(|e| Stop::refused(e.to_string()))?;
        if scripts.refused() {
            return Err(Stop::refused("the scripts break the rules above"));
        }
        for part in Part::ALL.into_iter().filter(|part| scripts.is_there(*part)) {
            let statements = scripts.split(part).statements.len() as u64;
            say!("      {}: {}", part.file(), count(statements, "statement"));
        }
        self.steps.record(Step::Intent {
            what: self.task.change.to_string(),
            target: PathBuf::from(self.place()),
            content_digest: Some(self.task.content_digest.clone()),
        })?;
        Ok(scripts)
    }

    /// A failure before the marker was read. A first attempt has applied nothing; before a later one, an earlier
    /// attempt may have.
    fn unproven(&self, stop: Stop) -> Stop {
        if self.id.number == 1 {
            return stop;
        }
        Stop::in_doubt(format!(
            "{}; so whether an earlier attempt applied the change is not known",
            stop.why
        ))
    }

    /// The session that alone works on the change, to be given back; a new one where the last one is gone.
    async fn held(&mut self) -> Result<Held, DbError> {
        if let Some(held) = self.held.take() {
            return Ok(held);
        }
        let earlier = self.earlier();
        // Whoever looks at what it has left is not stopped by what stopped its work.
        let halt = if self.sessions.is_empty() { self.target.halt.clone() } else { Halt::never() };
        let held = lock::take(&self.target, &self.task.change, &earlier, &halt).await?;
        if let (Some(identity), Some(session)) = (held.db.identity(), held.db.session()) {
            say!("database {identity}, session {}", session.number);
            let (identity, session) = (identity.to_owned(), session.clone());
            self.sessions.push(session.clone());
            self.note_after(Step::Connected { identity, session });
        }
        Ok(held)
    }

    /// As [`held`](Self::held); a server that is not there is waited for.
    #[expect(
        clippy::disallowed_methods,
        reason = "a server that restarts tells nobody when it is there"
    )]
    async fn held_at_last(&mut self) -> Result<Held, DbError> {
        const PAUSE: Duration = Duration::from_secs(1);
        const TIMES: u32 = 30;
        let mut tried = 1;
        loop {
            match self.held().await {
                Err(error) if tried < TIMES && error.kind != Kind::Halted => {
                    if tried == 1 {
                        say!("{error}; trying again for {TIMES} s");
                    }
                    tried += 1;
                    tokio::time::sleep(PAUSE).await;
                }
                other => return other,
            }
        }
    }

    async fn history(&self, db: &mut Db) -> Result<History, DbError> {
        let rows = marker::read(db, &self.task.change).await?;
        Ok(history::history(&rows, &self.id, &self.task.content_digest))
    }

    /// What the marker says, read by a session that has the lock: whatever was at work before is over.
    async fn examine(&mut self) -> Result<History, DbError> {
        let mut held = self.held_at_last().await?;
        let history = self.history(&mut held.db).await;
        self.held = Some(held);
        history
    }

    fn place(&self) -> String {
        self.task.engine.place()
    }

    /// Writes a marker row in the name of `attempt`.
    async fn mark(
        &self,
        db: &mut Db,
        attempt: &str,
        step: &str,
        rows: Option<u64>,
        outcome: &str,
    ) -> Result<(), Stop> {
        let entry = marker::Entry {
            attempt: attempt.to_owned(),
            content_digest: self.task.content_digest.clone(),
            step: self.pass.step(step),
            at: now().to_string(),
            rows: rows.and_then(|rows| i64::try_from(rows).ok()),
            outcome: Some(outcome.to_owned()),
        };
        marker::write(db, &self.task.change, &entry).await.map_err(apply::at("marker"))
    }

    /// Goes on from what an earlier attempt committed.
    fn take_up(&mut self, applied: &Applied) {
        self.work.rows = applied.rows;
        self.work.backup_rows = applied.backup_rows;
        self.work.before = applied.before.clone();
        self.work.kept = applied.kept.clone();
        self.work.rehearsal = applied.rehearsal.clone();
        self.note_after(Step::Found { attempt: applied.attempt.clone() });
    }

    /// Verification after COMMIT, in a fresh read; the rollback where it fails.
    async fn verify(&mut self, scripts: &Scripts, applied: &Applied) -> Result<(), Stop> {
        match self.verified(scripts, applied).await {
            Ok(()) => Ok(()),
            Err(why) => Err(self.roll_back(scripts, applied, why).await),
        }
    }

    /// What the server was told of the time that is left.
    fn tell_limits(&mut self, db: &Db) -> Result<(), Stop> {
        let Some(limits) = db.limits() else { return Ok(()) };
        let lock_wait_ms = u64::try_from(limits.lock_wait.as_millis()).unwrap_or(u64::MAX);
        let step = Step::Limits {
            lock_wait_ms,
            statement_s: limits.statement.map(|statement| statement.as_secs()),
        };
        say!("{}", step.words());
        Ok(self.steps.note(step)?)
    }

    /// A step after COMMIT: what is done is done, so a step that cannot be written stops nothing.
    fn note_after(&mut self, step: Step) {
        if let Err(error) = self.steps.record(step) {
            complain!(
                "{error}; going on, because the target already holds the change or is untouched"
            );
        }
    }
}

#[expect(clippy::disallowed_methods, reason = "the marker carries the real time, in a trial too")]
fn now() -> Timestamp {
    Timestamp::now()
}

/// Same answers, whatever the order of the rows.
fn same(before: &[Check], now: &Verdict) -> bool {
    Verdict::of(before.to_vec()).checks == now.checks
}
