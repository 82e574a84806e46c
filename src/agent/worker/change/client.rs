//! A change by a client program. There is no marker in such a target and no transaction of nightrun's: what is known is what
//! the steps on this host say, and what was cut off is in doubt.

use std::path::PathBuf;

use super::rehearsal::{self, Pass, passes};
use super::verify::Verdict;
use super::{ChangeWork, Exit, Stop, Window, exit_of, meaning, now, same};
use crate::agent::worker::client::{self, Ran};
use crate::agent::worker::log::{complain, count, say};
use crate::agent::worker::steps::{Step, Steps};
use crate::definition::site::Client;
use crate::sql::lint::Part;
use crate::types::AttemptId;
use crate::wire::{ChangeState, ChangeTask, Check, Did, Evidence, RehearsalStep};

/// What earlier attempts of the run have left, as far as this host knows.
enum Earlier {
    Nothing,
    /// `change.sql` went through.
    Applied {
        pass: Pass,
        before: Vec<Check>,
        rows: u64,
        rehearsal: Vec<RehearsalStep>,
    },
    Unknown(String),
}

struct ByClient<'a> {
    task: &'a ChangeTask,
    client: &'a Client,
    id: &'a AttemptId,
    window: Window,
    pass: Pass,
    steps: Steps,
    work: ChangeWork,
}

pub(in crate::agent::worker) fn by_client(
    task: &ChangeTask,
    client: &Client,
    id: &AttemptId,
    steps: Steps,
) -> (Exit, ChangeWork) {
    say!("change {} by {}, attempt {id}", task.change, client.command.join(" "));
    let work = ChangeWork::none(ChangeState::FailedClean);
    let window = Window::of(task.window_left);
    let pass = Pass::Change;
    let mut change = ByClient { task, client, id, window, pass, steps, work };
    let (state, refused) = match change.go() {
        Ok(()) => {
            say!("done: applied and verified, {}", count(change.work.rows, "counted row"));
            (ChangeState::Done, false)
        }
        Err(stop) => {
            complain!("{}", stop.why);
            complain!(
                "{}",
                match stop.state {
                    ChangeState::InDoubt =>
                        "WHETHER IT WAS APPLIED CANNOT BE KNOWN HERE: look at the data, then decide",
                    state => meaning(state),
                }
            );
            change.work.why = Some(stop.why);
            (stop.state, stop.refused)
        }
    };
    change.work.state = state;
    change.note(Step::Ended { state });
    (exit_of(state, refused), change.work)
}

impl ByClient<'_> {
    fn go(&mut self) -> Result<(), Stop> {
        for part in Part::ALL {
            let file = self.file(part);
            if !file.is_file() {
                return Err(Stop::refused(format!("there is no {}", file.display())));
            }
        }
        self.steps.record(Step::Intent {
            what: self.task.change.to_string(),
            target: PathBuf::from(self.task.engine.place()),
            content_digest: Some(self.task.content_digest.clone()),
        })?;
        let earlier = self.earlier();
        if self.task.examine {
            self.look(&earlier);
        }
        let (before, rows) = match earlier {
            Earlier::Unknown(why) => return Err(Stop::in_doubt(why)),
            Earlier::Nothing if self.task.examine => {
                return Err(Stop::clean("examined: no attempt has begun its change.sql"));
            }
            Earlier::Nothing => {
                if self.task.rehearse {
                    self.rehearse()?;
                }
                self.apply()?
            }
            Earlier::Applied { pass: Pass::Rehearsal, before, rows, .. } => {
                say!("an earlier attempt has applied it already, as a rehearsal");
                self.of_pass(Pass::Rehearsal);
                self.take_back(&before, rows)?;
                self.apply()?
            }
            Earlier::Applied { pass: Pass::Change, before, rows, rehearsal } => {
                say!("an earlier attempt has applied it already; it is not applied again");
                self.work.before = before.clone();
                self.work.rehearsal = rehearsal;
                (before, rows)
            }
        };
        self.stands(rows).map_err(|why| self.roll_back(&before, why))
    }

    /// Why the change does not stand, where it does not.
    fn stands(&mut self, rows: u64) -> Result<(), String> {
        self.work.rows = rows;
        let limits = self.task.rows;
        if !self.client.rows.is_empty() && !(limits.min..=limits.max).contains(&rows) {
            return Err(format!(
                "{rows} rows counted, and the change declares {} to {}",
                limits.min, limits.max
            ));
        }
        let after = self.verify().unwrap_or_else(failed);
        after.tell("after the change", "FAILED");
        self.work.after = after.checks.clone();
        self.note(Step::Verify { checks: after.checks.clone() });
        if after.passed {
            return Ok(());
        }
        Err(format!("the verification failed after the change: {}", after.failures()))
    }

    fn of_pass(&mut self, pass: Pass) {
        self.pass = pass;
        self.steps.of_pass(pass.prefix());
    }

    fn rehearse(&mut self) -> Result<(), Stop> {
        self.of_pass(Pass::Rehearsal);
        say!("rehearsal: change, verification, rollback, former state; then the change itself");
        self.steps.record(Step::Rehearsing)?;
        let (before, rows) = self.apply().map_err(rehearsal::in_rehearsal)?;
        self.take_back(&before, rows)
    }

    /// As the change of any other target is taken back.
    fn take_back(&mut self, before: &[Check], rows: u64) -> Result<(), Stop> {
        self.did(Did::Changed, rows, 0);
        if let Err(why) = self.stands(rows) {
            return Err(rehearsal::in_rehearsal(self.roll_back(before, why)));
        }
        self.did(Did::Verified, 0, self.work.after.len());
        let why = if self.task.examine { rehearsal::CUT_OFF } else { rehearsal::ONLY };
        let stop = self.roll_back(before, why.to_owned());
        match (stop.state, self.task.examine) {
            (ChangeState::RolledBack, false) => {}
            (ChangeState::RolledBack, true) => return Err(stop),
            _ => return Err(rehearsal::in_rehearsal(stop)),
        }
        self.steps.record(Step::Rehearsed { did: self.work.rehearsal.clone() })?;
        rehearsal::begin_anew(&mut self.work);
        self.of_pass(Pass::Change);
        Ok(())
    }

    /// One more step, where it is a rehearsal.
    fn did(&mut self, did: Did, rows: u64, checks: usize) {
        if self.pass == Pass::Rehearsal {
            let checks = u32::try_from(checks).unwrap_or(u32::MAX);
            rehearsal::did(&mut self.work, RehearsalStep { did, at: now(), rows, checks });
        }
    }

    fn file(&self, part: Part) -> PathBuf {
        self.task.folder.join(part.file())
    }

    fn run(&self, part: Part) -> Result<Ran, String> {
        say!("{}", part.file());
        client::run(self.client, &self.file(part))
    }

    fn note(&mut self, step: Step) {
        if let Err(error) = self.steps.record(step) {
            complain!("{error}");
        }
    }

    /// The last attempt that came to `change.sql` says how it stands.
    fn earlier(&self) -> Earlier {
        for number in (1..self.id.number).rev() {
            let attempt = AttemptId { number, ..self.id.clone() };
            let all = self.steps.of_earlier(&attempt);
            let Some((pass, steps)) = passes(&all).pop().filter(|_| !all.is_empty()) else {
                return Earlier::Unknown(format!("this host knows nothing of {attempt}"));
            };
            // One that took an earlier one up may have rolled it back.
            if !steps.contains(&Step::Started) && !steps.contains(&Step::RollingBack) {
                // Whatever was there before was taken back by its rehearsal.
                if pass == Pass::Change && all.len() > steps.len() {
                    return Earlier::Nothing;
                }
                continue;
            }
            let before = steps.iter().find_map(|step| match step {
                Step::Before { checks } => Some(checks.clone()),
                _ => None,
            });
            let ended = steps.iter().find_map(|step| match step {
                Step::Ended { state } => Some(*state),
                _ => None,
            });
            let rows = steps.iter().find_map(|step| match step {
                Step::Guards { rows, .. } => Some(*rows),
                _ => None,
            });
            return match ended {
                Some(
                    ChangeState::FailedClean | ChangeState::FailedGuard | ChangeState::RolledBack,
                ) => Earlier::Nothing,
                None | Some(ChangeState::Done)
                    if steps.contains(&Step::Committed) && !steps.contains(&Step::RollingBack) =>
                {
                    let (before, rows) = (before.unwrap_or_default(), rows.unwrap_or_default());
                    let rehearsal = steps.iter().find_map(|step| match step {
                        Step::Rehearsed { did } => Some(did.clone()),
                        _ => None,
                    });
                    let rehearsal = rehearsal.unwrap_or_default();
                    Earlier::Applied { pass, before, rows, rehearsal }
                }
                Some(_) => Earlier::Unknown(format!("{attempt} has left it in doubt")),
                None => Earlier::Unknown(format!(
                    "{attempt} was cut off while the client program was at work, and no marker says what of it stays"
                )),
            };
        }
        Earlier::Nothing
    }

    /// What people who decide should see: how far the steps say that it came, and what the verification says now.
    fn look(&mut self, earlier: &Earlier) {
        let known = match earlier {
            Earlier::Nothing => "no attempt has begun change.sql".to_owned(),
            Earlier::Applied { .. } => "change.sql went through".to_owned(),
            Earlier::Unknown(why) => why.clone(),
        };
        self.found("steps of earlier attempts on this host", known);
        if matches!(earlier, Earlier::Unknown(_)) {
            self.found_verification();
        }
    }

    fn found_verification(&mut self) {
        let says = match self.verify() {
            Ok(verdict) if verdict.passed => "it passes".to_owned(),
            Ok(verdict) => verdict.failures(),
            Err(why) => why,
        };
        self.found("verify.sql, run now", says);
    }

    fn found(&mut self, query: &str, answer: String) {
        say!("evidence: {query}: {answer}");
        self.work.evidence.push(Evidence { query: query.to_owned(), answer, at: now() });
    }

    fn apply(&mut self) -> Result<(Vec<Check>, u64), Stop> {
        let before = self.verify().map_err(|why| Stop::clean(format!("verify.sql: {why}")))?;
        before.tell("before the change (it must not pass yet)", "not yet");
        self.work.before = before.checks.clone();
        self.steps.record(Step::Before { checks: before.checks.clone() })?;
        if before.passed {
            return Err(Stop::guard("verification proves nothing: it passed before the change"));
        }
        self.steps.record(Step::Backup)?;
        let kept =
            self.run(Part::Backup).map_err(|why| Stop::clean(format!("backup.sql: {why}")))?;
        if kept.code != Some(0) {
            let why = format!("backup.sql: the program {}; change.sql was not begun", kept.ended);
            return Err(Stop::clean(why));
        }
        self.work.backup_rows = kept.rows.unwrap_or_default();
        if let Some(why) = self.window.closed() {
            return Err(Stop::clean(why));
        }
        self.steps.record(Step::Started)?;
        // Not started, it has done nothing.
        let ran =
            self.run(Part::Change).map_err(|why| Stop::clean(format!("change.sql: {why}")))?;
        self.steps.point("client-ended");
        if ran.code != Some(0) {
            self.found_verification();
            return Err(Stop::in_doubt(format!(
                "change.sql: the program {}, and what it did before stays as far as it was committed",
                ran.ended
            )));
        }
        let rows = ran.rows.unwrap_or_default();
        self.note(Step::Guards { rows, backup_rows: self.work.backup_rows });
        self.note(Step::Committed);
        Ok((before.checks, rows))
    }

    fn verify(&self) -> Result<Verdict, String> {
        let ran = self.run(Part::Verify)?;
        if ran.code != Some(0) {
            return Err(format!("the program {}", ran.ended));
        }
        if ran.more {
            return Err("it prints more lines than a verification may".to_owned());
        }
        Ok(Verdict::of(ran.lines.iter().filter_map(|line| check(line)).collect()))
    }

    fn roll_back(&mut self, before: &[Check], why: String) -> Stop {
        say!("rolling back: {why}");
        self.note(Step::RollingBack);
        let failed_by = |what: String| {
            Stop::new(ChangeState::RollbackFailed, format!("{why}; the rollback failed: {what}"))
        };
        match self.run(Part::Rollback) {
            Ok(ran) if ran.code == Some(0) => {
                let rows = ran.rows.unwrap_or_default();
                self.note(Step::RolledBack { rows });
                self.did(Did::RolledBack, rows, 0);
            }
            Ok(ran) => return failed_by(format!("the program {}", ran.ended)),
            Err(what) => return failed_by(what),
        }
        let now = self.verify().unwrap_or_else(failed);
        now.tell("after the rollback (it must say what it said before the change)", "not good");
        let former = same(before, &now);
        self.note(Step::Former { same: former, checks: now.checks.clone() });
        if former {
            self.did(Did::FormerVerified, 0, now.checks.len());
            return Stop::new(ChangeState::RolledBack, why);
        }
        failed_by("the verification does not say what it said before the change".to_owned())
    }
}

fn failed(why: String) -> Verdict {
    Verdict::of(vec![Check { name: "verify.sql".to_owned(), ok: false, detail: why }])
}

/// A line `check_name|ok|detail`, with bars or tabs; what has fewer parts the program says besides. Another `ok` than yes
/// or no is a check that failed, unless it is the name of the column.
fn check(line: &str) -> Option<Check> {
    let bar = if line.contains('\t') { '\t' } else { '|' };
    let parts: Vec<&str> = line.splitn(3, bar).map(str::trim).collect();
    let [name, ok, detail] = parts.as_slice() else { return None };
    let good = matches!(*ok, "1" | "t" | "true" | "TRUE");
    (*ok != "ok").then(|| Check {
        name: (*name).to_owned(),
        ok: good,
        detail: (*detail).to_owned(),
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn no_check_is_lost() {
        let of = |line: &str| check(line).map(|check| (check.ok, check.detail));
        for (line, ok, detail) in [
            ("total|1|as expected", true, "as expected"),
            (" total | t | as expected ", true, "as expected"),
            ("total\t1\ta|b", true, "a|b"),
            ("total|0|expected 5|got 4", false, "expected 5|got 4"),
            ("total||nothing", false, "nothing"),
            ("total|NULL|nothing", false, "nothing"),
            ("total|1|", true, ""),
        ] {
            assert_eq!(of(line), Some((ok, detail.to_owned())), "{line}");
        }
        for other in ["check_name|ok|detail", "-----+----+-----", "(2 rows)", "", "a|1"] {
            assert_eq!(of(other), None, "{other}");
        }
    }
}
