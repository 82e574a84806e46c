//! Journalled mode: each statement commits by itself, with a row of the marker before it and one after it. What was cut off
//! is looked at and told; it goes on, or back, only where people have said so.

use super::apply::at;
use super::history::{Applied, Cut};
use super::marker::{self, Way};
use super::one_by_one::Short;
use super::scripts::Scripts;
use super::{Attempt, Stop, say};
use crate::agent::worker::log::count;
use crate::agent::worker::statement::{Ran, Within};
use crate::agent::worker::steps::Step;
use crate::sql::lint::Part;
use crate::wire::{ChangeState, CutDecision};

impl Attempt<'_> {
    /// Applies the change statement by statement; `Ok` only when all of them are done.
    pub(super) async fn apply_journalled(
        &mut self,
        scripts: &Scripts,
        elsewhere: Option<(String, String)>,
    ) -> Result<Applied, Stop> {
        let before = self.verify_before(scripts, elsewhere).await?;
        self.steps.record(Step::Started)?;
        let mut held = self.held().await.map_err(at("open"))?;
        let id = self.id.to_string();
        let checks = serde_json::to_string(&before.checks).unwrap_or_default();
        let prepared = async {
            let db = &mut held.db;
            marker::prepare(db).await.map_err(at("marker"))?;
            self.mark(db, &id, marker::STARTED, None, marker::JOURNALLED).await?;
            self.mark(db, &id, marker::BEFORE, None, &checks).await?;
            self.mark_rehearsed(db, &id).await?;
            self.steps.record(Step::Marker { xid: None })?;
            self.steps.record(Step::Backup)?;
            let each = self.script(db, scripts, Part::Backup, Within::Nothing).await?;
            let kept = each.into_iter().sum::<Ran>().kept;
            self.mark(db, &id, marker::BACKUP, Some(kept), "kept").await?;
            Ok::<u64, Stop>(kept)
        }
        .await;
        self.held = Some(held);
        let (backup_rows, before) = (prepared?, before.checks);
        let so_far = Applied { backup_rows, before, ..Applied::none(id, self.pass) };
        self.work.backup_rows = so_far.backup_rows;
        self.rest(scripts, Cut::before(Way::There, so_far)).await
    }

    /// What an earlier attempt has left half done, or half taken back: evidence first, then what people have decided.
    pub(super) async fn cut_off(&mut self, scripts: &Scripts, cut: Cut) -> Result<Applied, Stop> {
        let (attempt, came) = (cut.so_far.attempt.clone(), self.came(scripts, &cut));
        say!("marker: {attempt} was cut off: {came}, as far as is known");
        self.take_up(&cut.so_far);
        let cut = self.judged(scripts, cut).await.inspect_err(|_| self.work.progress = None)?;
        let (of, came) = (scripts.split(cut.way.part()).statements.len(), self.came(scripts, &cut));
        if cut.way == Way::Back {
            return Err(self.cut_off_in_its_rollback(scripts, cut, of).await);
        }
        if self.task.cut == Some(CutDecision::RollBack) {
            let why = format!("people have decided, after {} of {of} statements", cut.done);
            if cut.done == 0 {
                return Err(Stop::clean(why));
            }
            return Err(self.roll_back(scripts, &cut.so_far, why).await);
        }
        if cut.done == 0 {
            // Nothing of it stays, so it is applied as if it had never been begun.
            self.work.progress = None;
            return self.apply_journalled(scripts, None).await;
        }
        if cut.done as usize == of {
            return self.ready(scripts, cut).await;
        }
        if self.task.cut.is_none() {
            let why = format!("{came}: people decide how it goes on");
            return Err(Stop::new(ChangeState::Partial, why));
        }
        say!("people have decided: the rest is done");
        self.rest(scripts, cut).await
    }

    /// Everything after what is done.
    async fn rest(&mut self, scripts: &Scripts, cut: Cut) -> Result<Applied, Stop> {
        match self.go_through(scripts, cut).await {
            Ok(cut) => self.ready(scripts, cut).await,
            Err(Short::At(cut, why)) if cut.done > 0 => {
                let why = format!("{}: {why}", self.came(scripts, &cut));
                Err(Stop::new(ChangeState::Partial, why))
            }
            Err(Short::At(cut, why)) => Err(self.not_begun(&cut, why).await),
            Err(Short::Unknown(stop)) => Err(stop),
        }
    }

    /// All statements are done: what is left is to say so, and to look at the rows.
    async fn ready(&mut self, scripts: &Scripts, cut: Cut) -> Result<Applied, Stop> {
        self.came(scripts, &cut);
        let scant = self.kept_too_few(&cut);
        let applied = Applied { rows: cut.rows, ..cut.so_far };
        let limits = self.task.rows;
        let mut held = self.held().await.map_err(at("open"))?;
        let rows = Some(applied.rows);
        let marked = self.mark(&mut held.db, &applied.attempt, marker::READY, rows, "ready").await;
        self.held = Some(held);
        marked.map_err(|stop| Stop::in_doubt(format!("all statements are done; {}", stop.why)))?;
        self.note_after(Step::Committed);
        let why = match scant {
            Some(scant) => scant,
            None if (limits.min..=limits.max).contains(&applied.rows) => return Ok(applied),
            None => format!(
                "{} rows changed, and the change declares {} to {}",
                applied.rows, limits.min, limits.max
            ),
        };
        Err(self.roll_back(scripts, &applied, why).await)
    }

    /// Whether rows were overwritten that the backup has not kept.
    pub(super) fn kept_too_few(&self, cut: &Cut) -> Option<String> {
        let kept = cut.so_far.backup_rows;
        (cut.way == Way::There && cut.overwritten > kept).then(|| {
            let overwritten = count(cut.overwritten, "row");
            format!("{overwritten} updated or deleted, but the backup kept only {kept}")
        })
    }

    /// It stops, and not even its first statement is done.
    async fn not_begun(&mut self, cut: &Cut, why: String) -> Stop {
        // So that a later attempt need not look for what is not there.
        let Ok(mut held) = self.held().await else { return Stop::clean(why) };
        let attempt = &cut.so_far.attempt;
        let marked = self.mark(&mut held.db, attempt, marker::FORMER, None, "nothing done").await;
        self.held = Some(held);
        match marked {
            Ok(()) => Stop::clean(why),
            Err(stop) => Stop::clean(format!("{why}; {}", stop.why)),
        }
    }

    /// The way back of a journalled change, statement by statement too.
    pub(super) async fn roll_back_journalled(
        &mut self,
        scripts: &Scripts,
        applied: &Applied,
        why: String,
    ) -> Stop {
        say!("rolling back: {why}");
        self.go_back(scripts, Cut::before(Way::Back, applied.clone()), why).await
    }

    /// What is left of a rollback that was cut off is done only where people have said so; that all of it was done is
    /// for nobody to decide.
    async fn cut_off_in_its_rollback(&mut self, scripts: &Scripts, cut: Cut, of: usize) -> Stop {
        let told = self.task.cut == Some(CutDecision::RollBack) && !self.task.examine;
        let why = "its rollback was cut off".to_owned();
        if (cut.done as usize) < of && !told {
            let came = self.came(scripts, &cut);
            let why = format!("{why}: {came}: people decide how it goes on");
            return Stop::new(ChangeState::RollbackFailed, why);
        }
        if told {
            say!("people have decided: the rest of the rollback is done");
        }
        // How far the change itself had come is of no more use.
        self.work.progress = None;
        self.go_back(scripts, cut, why).await
    }

    /// Everything of the rollback that is not done, and the proof of the former state.
    async fn go_back(&mut self, scripts: &Scripts, cut: Cut, why: String) -> Stop {
        let progress = self.work.progress.take();
        self.note_after(Step::RollingBack);
        let applied = cut.so_far.clone();
        let (cut, what) = match self.go_through(scripts, cut).await {
            Ok(cut) => match self.taken_back(&cut).await {
                Ok(()) => {
                    let stop = self.prove_former(scripts, &applied, why).await;
                    self.work.progress = progress;
                    if stop.state == ChangeState::RollbackFailed {
                        self.came(scripts, &cut);
                    }
                    return stop;
                }
                Err(stop) => (cut, stop.why),
            },
            Err(Short::At(cut, what)) => (cut, what),
            Err(Short::Unknown(stop)) => {
                let why = format!("{why}; the rollback failed: {}", stop.why);
                return Stop { why, ..stop };
            }
        };
        let came = self.came(scripts, &cut);
        let why = format!("{why}; the rollback failed: {came}: {what}");
        Stop::new(ChangeState::RollbackFailed, why)
    }

    /// The last row of a rollback.
    async fn taken_back(&mut self, cut: &Cut) -> Result<(), Stop> {
        let mut held = self.held().await.map_err(at("open"))?;
        let (attempt, rows) = (&cut.so_far.attempt, Some(cut.rows));
        let marked = self.mark(&mut held.db, attempt, marker::ROLLBACK, rows, "rolled-back").await;
        self.held = Some(held);
        marked?;
        self.rolled_back(cut.rows);
        Ok(())
    }
}
