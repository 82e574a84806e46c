//! The `sql` task: a script on a target, in one transaction or statement by statement.

use std::path::{Path, PathBuf};

use super::db::{Access, Db, DbError, Target};
use super::log::{complain, count, say};
use super::statement::{self, Failed, Ran, Within};
use super::steps::{Step, StepError, Steps};
use super::{Exit, source};
use crate::definition::site::{Engine, Transaction};
use crate::fault;
use crate::sql::lint::{self, Finding, Severity};
use crate::sql::{Script, split};
use crate::wire::Work;

/// Why a script stopped.
#[derive(Debug, thiserror::Error)]
enum Stop {
    #[error(transparent)]
    Statement(#[from] Failed),
    #[error("{at}: {why}")]
    Target { at: &'static str, why: DbError },
    #[error(transparent)]
    Steps(#[from] StepError),
    /// The answer to COMMIT says nothing certain.
    #[error("COMMIT failed, and whether the transaction stays cannot be known: {0}")]
    InDoubt(DbError),
}

/// What stays in the target.
#[derive(Default)]
struct Done {
    statements: u32,
    rows: u64,
}

pub(super) async fn run(
    target: &Target<'_>,
    path: &Path,
    transaction: Transaction,
    mut steps: Steps,
) -> (Exit, Work) {
    let mut done = Done::default();
    let exit = start(target, path, transaction, &mut steps, &mut done).await;
    (exit, Work::Sql { statements: done.statements, rows: done.rows })
}

async fn start(
    target: &Target<'_>,
    path: &Path,
    transaction: Transaction,
    steps: &mut Steps,
    done: &mut Done,
) -> Exit {
    let file = source::short_name(path);
    let text = match source::read(path) {
        Ok(text) => text,
        Err(error) => {
            complain!("{error}");
            return Exit::Refused;
        }
    };
    let mode = match transaction {
        Transaction::One => lint::Mode::OneTransaction,
        Transaction::None => lint::Mode::EachAlone,
    };
    if refused(&lint::script(target.dialect(), &text, mode), &file) {
        complain!("nothing was run");
        return Exit::Refused;
    }
    let script = split(target.dialect(), &text);
    let statements = count(script.statements.len() as u64, "statement");
    say!("{file}: {statements} on {}", target.name());
    let intent = Step::Intent {
        what: file.clone(),
        target: PathBuf::from(target.engine.place()),
        content_digest: None,
    };
    if let Err(error) = steps.record(intent) {
        complain!("{error}; nothing was run");
        return Exit::Failed;
    }
    let mut db = match open(target).await {
        Ok(db) => db,
        Err(error) => {
            complain!("{} cannot be opened: {error}", target.engine.place());
            return Exit::Failed;
        }
    };
    if let (Some(identity), Some(session)) = (db.identity(), db.session().cloned()) {
        say!("database {identity}, session {}", session.number);
        let identity = identity.to_owned();
        if let Err(error) = steps.record(Step::Connected { identity, session }) {
            complain!("{error}; nothing was run");
            db.close().await;
            return Exit::Failed;
        }
    }
    let ended = match transaction {
        Transaction::One => in_one(&mut db, &file, &script, steps, done).await,
        Transaction::None => each_alone(&mut db, &file, &script, steps, done).await,
    };
    db.close().await;
    match ended {
        Ok(()) => {
            say!(
                "done: {}, {}",
                count(done.statements.into(), "statement"),
                count(done.rows, "row")
            );
            Exit::Good
        }
        Err(stop) => {
            complain!("{stop}");
            after_failure(&stop, transaction, done, script.statements.len())
        }
    }
}

#[expect(clippy::disallowed_methods, reason = "the folder of a database that is not there yet")]
async fn open(target: &Target<'_>) -> Result<Db, DbError> {
    if let Engine::Sqlite { path } = target.engine
        && let Some(folder) = path.parent()
    {
        std::fs::create_dir_all(folder).map_err(|error| DbError::refused(error.to_string()))?;
    }
    target.open(Access::Create).await
}

/// Says what stays after a failure.
fn after_failure(stop: &Stop, transaction: Transaction, done: &Done, of: usize) -> Exit {
    match stop {
        Stop::InDoubt(_) => return Exit::InDoubt,
        Stop::Statement(failed) if failed.doubt => {
            complain!(
                "what became of it, and of what was before it, is not known: look at the data"
            );
            return Exit::InDoubt;
        }
        _ => {}
    }
    if transaction == Transaction::One {
        complain!("all of it was rolled back: nothing of this script stays");
        return Exit::Failed;
    }
    let stay = done.statements;
    if stay == 0 {
        complain!("no statement before it: nothing of this script stays");
        return Exit::Failed;
    }
    let rows = count(done.rows, "row");
    complain!("{stay} of {of} statements stay ({rows}); the rest was not run");
    Exit::Partial
}

async fn in_one(
    db: &mut Db,
    file: &str,
    script: &Script<'_>,
    steps: &mut Steps,
    done: &mut Done,
) -> Result<(), Stop> {
    steps.record(Step::Started)?;
    db.begin().await.map_err(|why| Stop::Target { at: "BEGIN", why })?;
    say!("{}", db.begin_words());
    let ran = match statements(db, file, script, steps).await {
        Ok(ran) => ran,
        Err(stop) => {
            // Whatever ROLLBACK answers: nothing but our own COMMIT commits.
            db.rollback().await;
            return Err(stop);
        }
    };
    fault::point("worker.precommit");
    db.commit().await.map_err(|error| {
        if error.undone {
            Stop::Target { at: "COMMIT", why: error.why }
        } else {
            Stop::InDoubt(error.why)
        }
    })?;
    say!("COMMIT");
    fault::point("worker.commit-answered");
    done.statements = script.statements.len() as u32;
    done.rows = ran.changed;
    if let Err(error) = steps.record(Step::Committed) {
        complain!("{error}; the script is committed all the same");
    }
    Ok(())
}

async fn statements(
    db: &mut Db,
    file: &str,
    script: &Script<'_>,
    steps: &mut Steps,
) -> Result<Ran, Stop> {
    let mut all = Ran::default();
    for statement in &script.statements {
        let (script_name, number, line) = (file.to_owned(), statement.number, statement.line);
        steps.note(Step::Statement { script: script_name, number, line })?;
        all += statement::run(db, file, script, statement, Within::Transaction).await?;
        fault::point(&format!("worker.statement-{number}"));
    }
    steps.record(Step::Precommit { rows: all.changed })?;
    Ok(all)
}

async fn each_alone(
    db: &mut Db,
    file: &str,
    script: &Script<'_>,
    steps: &mut Steps,
    done: &mut Done,
) -> Result<(), Stop> {
    for statement in &script.statements {
        let (script_name, number, line) = (file.to_owned(), statement.number, statement.line);
        steps.record(Step::Statement { script: script_name, number, line })?;
        db.settle().await.map_err(|why| Stop::Target { at: "the limits", why })?;
        match statement::run(db, file, script, statement, Within::Nothing).await {
            Ok(ran) => {
                done.statements += 1;
                done.rows += ran.changed;
            }
            Err(failed) => {
                // The database took it; only its rows are not what the script expects.
                done.statements += u32::from(failed.expectation);
                return Err(failed.into());
            }
        }
        fault::point(&format!("worker.statement-{number}"));
    }
    Ok(())
}

/// Tells the findings; true where one of them stops the work.
pub(super) fn refused(findings: &[Finding], file: &str) -> bool {
    for finding in findings {
        let name = finding.part.map_or(file, |part| part.file());
        let Finding { rule, severity, line, message, .. } = finding;
        complain!("{name}:{line}: {severity}: {message} [{rule}]");
    }
    findings.iter().any(|finding| finding.severity == Severity::Defect)
}
