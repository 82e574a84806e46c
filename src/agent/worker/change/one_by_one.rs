//! Statements of a journalled change, or of its rollback, that commit by themselves: each between two rows of the marker, and
//! what became of one that nobody has seen the end of.

use super::apply::at;
use super::history::{Cut, overwrote};
use super::marker::Way;
use super::scripts::Scripts;
use super::{Attempt, Stop, complain, say};
use crate::agent::worker::db::{Access, Db};
use crate::agent::worker::statement::{self, Failed, Ran, Within};
use crate::agent::worker::steps::Step;
use crate::sql::{Class, Dialect, Facts, Statement, done_when};
use crate::wire::Progress;

/// A script that was not gone through to its end.
pub(super) enum Short {
    /// It stops between two statements, or at one that is known not to be done.
    At(Cut, String),
    /// What became of a statement cannot be known.
    Unknown(Stop),
}

/// Whether a statement that nobody has seen the end of is done.
enum Probed {
    Done,
    NotDone,
    Unknown(String),
}

impl Attempt<'_> {
    /// Goes through what is not done. `Ok`: all statements are done.
    pub(super) async fn go_through(
        &mut self,
        scripts: &Scripts,
        mut cut: Cut,
    ) -> Result<Cut, Short> {
        let script = scripts.split(cut.way.part());
        for statement in script.statements.iter().skip(cut.done as usize) {
            // What is not good is taken back, whatever time is left.
            let halted = match cut.way {
                Way::There => self.target.halt.asked().or_else(|| self.window.closed()),
                Way::Back => None,
            };
            if let Some(why) = halted {
                return Err(Short::At(cut, why.to_owned()));
            }
            let mut held = match self.held().await {
                Ok(held) => held,
                Err(error) => return Err(Short::At(cut, format!("open: {error}"))),
            };
            if cut.way == Way::Back {
                held.db.set_unstoppable();
            }
            let wrong = match self.one(&mut held.db, scripts, &cut, statement).await {
                Ok((ran, wrong)) => {
                    self.held = Some(held);
                    cut = cut.further(ran.changed, ran.overwritten);
                    wrong
                }
                Err(stop) => {
                    if stop.unsettled {
                        held.close().await;
                    } else {
                        self.held = Some(held);
                    }
                    cut.open = Some(statement.number);
                    cut = self.broke_off(scripts, cut, statement, stop).await?;
                    None
                }
            };
            if cut.way == Way::There {
                self.work.rows = cut.rows;
            }
            let of = script.statements.len();
            // After the last one all of it is looked at together.
            let scant = || (statement.number as usize) < of;
            if let Some(why) = wrong.or_else(|| scant().then(|| self.kept_too_few(&cut)).flatten())
            {
                return Err(Short::At(cut, why));
            }
        }
        Ok(cut)
    }

    /// One statement between its two rows: what it did, and what is wrong with that.
    async fn one(
        &mut self,
        db: &mut Db,
        scripts: &Scripts,
        cut: &Cut,
        statement: &Statement<'_>,
    ) -> Result<(Ran, Option<String>), Stop> {
        let (way, script) = (cut.way, scripts.split(cut.way.part()));
        let (number, line, file) = (statement.number, statement.line, way.part().file());
        let attempt = cut.so_far.attempt.clone();
        if cut.open != Some(number) {
            let begun = way.started(number, cut.refused + 1);
            self.mark(db, &attempt, &begun, None, "started").await?;
        }
        let step = Step::Statement { script: file.into(), number, line };
        match way {
            Way::There => self.steps.record(step)?,
            // A full disk must not keep anyone from going back.
            Way::Back => self.note_after(step),
        }
        self.make_ready(db, way, statement).await?;
        let (ran, wrong) = match statement::run(db, file, &script, statement, Within::Nothing).await
        {
            Ok(ran) => (ran, None),
            Err(Failed { words, expectation: true, ran, .. }) => (ran, Some(words)),
            Err(failed) => return Err(failed.into()),
        };
        let (went, done) = match way {
            Way::There => ("statement", "done"),
            Way::Back => ("undone", "undo-done"),
        };
        self.steps.point(&format!("{went}-{number}"));
        let outcome = overwrote(ran.overwritten);
        self.mark(db, &attempt, &way.done(number), Some(ran.changed), &outcome).await?;
        self.steps.point(&format!("{done}-{number}"));
        Ok((ran, wrong))
    }

    /// A statement failed, or its session was lost. `Ok`: it is done all the same, and the last one.
    async fn broke_off(
        &mut self,
        scripts: &Scripts,
        cut: Cut,
        statement: &Statement<'_>,
        stop: Stop,
    ) -> Result<Cut, Short> {
        if stop.said_no {
            return Err(self.refused(scripts, cut, statement, stop.why).await);
        }
        let cut = self.judged(scripts, cut).await.map_err(Short::Unknown)?;
        let of = scripts.split(cut.way.part()).statements.len();
        if stop.unsettled && cut.done as usize == of {
            return Ok(cut);
        }
        let why = self.with_leftovers(stop.why, statement).await;
        Err(Short::At(cut, why))
    }

    /// The database has said no, so the statement is not done, also where its probe passes: then for another reason. That is
    /// written down, so that no later attempt takes the probe's word for it.
    async fn refused(
        &mut self,
        scripts: &Scripts,
        cut: Cut,
        statement: &Statement<'_>,
        why: String,
    ) -> Short {
        let number = statement.number;
        let mut why = why;
        match self.probe(scripts, cut.way, number).await {
            Probed::Done => why.push_str("; its probe passes all the same, for another reason"),
            Probed::NotDone => {}
            // One statement that changes rows is done as a whole or not at all.
            Probed::Unknown(_) if is_whole(self.target.dialect(), statement) => {}
            Probed::Unknown(unknown) => {
                let why = format!("{}, and {unknown}: {why}", begun(cut.way, number));
                return Short::Unknown(Stop::in_doubt(why));
            }
        }
        let why = self.with_leftovers(why, statement).await;
        let step = cut.way.refused(number, cut.refused + 1);
        let marked = match self.held().await {
            Ok(mut held) => {
                let attempt = cut.so_far.attempt.clone();
                let marked = self.mark(&mut held.db, &attempt, &step, None, "refused").await;
                self.held = Some(held);
                marked.map_err(|stop| stop.why)
            }
            Err(error) => Err(error.to_string()),
        };
        if let Err(error) = marked {
            complain!("{error}; a later attempt asks the probe of statement {number}");
        }
        Short::At(Cut { open: None, refused: cut.refused + 1, ..cut }, why)
    }

    /// Sets the limits of a statement. One that says CONCURRENTLY waits for every older transaction of the database: they
    /// are shown.
    async fn make_ready(
        &mut self,
        db: &mut Db,
        way: Way,
        statement: &Statement<'_>,
    ) -> Result<(), Stop> {
        const OLD: &str = "SELECT pid::text, application_name, extract(epoch FROM now() - xact_start)::bigint::text \
             FROM pg_stat_activity WHERE datname = current_database() AND pid <> pg_backend_pid() \
             AND xact_start < now() - interval '5 seconds' ORDER BY xact_start LIMIT 5";
        let patient = is_concurrent(db.dialect(), statement);
        let wait = self.target.lock_wait;
        let wait = if patient { wait.for_older() } else { wait };
        // The window cuts no such statement off, but nobody waits in vain beyond it.
        db.set_lock_wait(match way {
            Way::There => wait.within(self.window.left()),
            Way::Back => wait,
        });
        db.settle().await.map_err(at("limits"))?;
        if way == Way::There {
            self.tell_limits(db)?;
        }
        if patient {
            for row in db.ask(OLD, &[]).await.map_err(at("limits"))? {
                let text = |at: usize| row.get(at).cloned().flatten().unwrap_or_default();
                say!(
                    "      it waits for session {} ({}), in its transaction for {} s",
                    text(0),
                    text(1),
                    text(2)
                );
            }
        }
        Ok(())
    }

    /// Finds out whether the statement that was begun is done, by its probe.
    pub(super) async fn judged(&mut self, scripts: &Scripts, mut cut: Cut) -> Result<Cut, Stop> {
        let Some(number) = cut.open.take() else { return Ok(cut) };
        let what = begun(cut.way, number);
        // Whatever was at work before is over: this session has the lock.
        let mut held = self
            .held_at_last()
            .await
            .map_err(|error| Stop::in_doubt(format!("{what}, and nobody can look: {error}")))?;
        match self.probe(scripts, cut.way, number).await {
            Probed::Done => {
                say!("{what}, and its probe says that it is done");
                let (attempt, step) = (&cut.so_far.attempt, cut.way.done(number));
                let marked = self.mark(&mut held.db, attempt, &step, None, "found done").await;
                self.held = Some(held);
                marked?;
                Ok(cut.further(0, 0))
            }
            Probed::NotDone => {
                say!("{what}, and its probe says that it is not done");
                self.held = Some(held);
                Ok(Cut { open: Some(number), ..cut })
            }
            Probed::Unknown(why) => {
                self.held = Some(held);
                Err(Stop::in_doubt(format!("{what}, and {why}")))
            }
        }
    }

    async fn probe(&self, scripts: &Scripts, way: Way, number: u32) -> Probed {
        let script = scripts.split(way.part());
        let statement = script.statements.iter().find(|statement| statement.number == number);
        let Some(probe) = statement.and_then(|statement| done_when::of(&script, statement)) else {
            return Probed::Unknown("it has no probe".to_owned());
        };
        let asked = async {
            let mut db = self.target.open(Access::Read).await?;
            let answer = db.run(probe, 1).await;
            db.close().await;
            answer
        };
        match asked.await {
            Ok(answer) => match answer.rows.first().and_then(|row| row.first()) {
                Some(cell) if cell.is_true() => Probed::Done,
                _ => Probed::NotDone,
            },
            // What it would have made is not there.
            Err(error) if error.is_missing() => Probed::NotDone,
            Err(error) => Probed::Unknown(format!("its probe cannot be asked: {error}")),
        }
    }

    /// An index that was built CONCURRENTLY and failed is there all the same, and of no use. Those that the statement says
    /// nothing of are somebody else's, and may be under way.
    async fn with_leftovers(&mut self, why: String, statement: &Statement<'_>) -> String {
        const INVALID: &str = "SELECT i.indexrelid::regclass::text, c.relname FROM pg_index i \
             JOIN pg_class c ON c.oid = i.indexrelid WHERE NOT i.indisvalid";
        if !is_concurrent(self.target.dialect(), statement) {
            return why;
        }
        let Ok(mut held) = self.held().await else { return why };
        let found = held.db.ask(INVALID, &[]).await.unwrap_or_default();
        self.held = Some(held);
        let names = found.into_iter().filter_map(|row| match row.as_slice() {
            [Some(whole), Some(name)] if names(statement.text, name) => Some(whole.clone()),
            _ => None,
        });
        let names: Vec<String> = names.collect();
        if names.is_empty() {
            return why;
        }
        let drop: Vec<String> =
            names.iter().map(|name| format!("DROP INDEX CONCURRENTLY {name}")).collect();
        format!("{why}; an invalid index is left: {}", drop.join("; "))
    }

    /// How far it came, for whoever decides.
    pub(super) fn came(&mut self, scripts: &Scripts, cut: &Cut) -> String {
        let of = u32::try_from(scripts.split(cut.way.part()).statements.len());
        let (done, of) = (cut.done, of.unwrap_or(u32::MAX));
        self.work.progress = Some(Progress { done, of });
        match cut.way {
            Way::There => format!("{done} of {of} statements are done"),
            Way::Back => format!("{done} of {of} statements of rollback.sql are done"),
        }
    }
}

fn begun(way: Way, number: u32) -> String {
    match way {
        Way::There => format!("statement {number} was begun"),
        Way::Back => format!("statement {number} of rollback.sql was begun"),
    }
}

/// Whether a statement that the database has refused has left nothing, also where nothing tells. Engines of MySQL without
/// transactions keep the rows before the one that was refused.
fn is_whole(dialect: Dialect, statement: &Statement<'_>) -> bool {
    let class = Facts::of(dialect, statement).class;
    dialect != Dialect::Mysql
        && matches!(class, Class::Select | Class::Insert | Class::Update | Class::Delete)
}

fn is_concurrent(dialect: Dialect, statement: &Statement<'_>) -> bool {
    dialect == Dialect::Postgres
        && statement.code(dialect).iter().any(|token| token.is("concurrently"))
}

/// Whether a statement has a name as a word of its own, whatever its case.
fn names(statement: &str, name: &str) -> bool {
    let words = statement.split(|c: char| !(c.is_alphanumeric() || c == '_' || c == '$'));
    words.into_iter().any(|word| word.eq_ignore_ascii_case(name))
}
