//! What the rows of the marker say: whether a change is applied in a run, taken back, or cut off on one of these ways.

use jiff::Timestamp;

use super::marker::{
    BACKUP, BEFORE, Entry, FORMER, JOURNALLED, READY, REHEARSED, ROLLBACK, STARTED, Way,
};
use super::rehearsal::Pass;
use crate::types::AttemptId;
use crate::wire::{Check, KeptRows, RehearsalStep};

/// What the target says about a change in one run.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum History {
    /// Not applied in this run. `elsewhere`: when and by which attempt of another run the same content was applied.
    /// `seen`: which attempts of this run have left rows all the same, of what was undone or never begun.
    Fresh { elsewhere: Option<(String, String)>, seen: Vec<(String, Pass)> },
    /// Applied and committed by this attempt.
    Applied(Applied),
    /// Applied and rolled back, and nobody has proven the former state yet.
    RolledBack(Applied),
    /// Journalled, and cut off before the last statement of the change, or of its rollback, was known to be done.
    Cut(Cut),
    /// The rows contradict each other or the task.
    Conflict(String),
}

/// A committed change.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Applied {
    pub(super) attempt: String,
    /// A rehearsal is taken back whatever its verification says.
    pub(super) pass: Pass,
    /// As the marker has it; `None`: just now.
    pub(super) at: Option<Timestamp>,
    pub(super) rows: u64,
    pub(super) backup_rows: u64,
    pub(super) before: Vec<Check>,
    /// Rows that nightrun itself has kept.
    pub(super) kept: Vec<KeptRows>,
    /// What was rehearsed before.
    pub(super) rehearsal: Vec<RehearsalStep>,
}

impl Applied {
    /// No rows yet.
    pub(super) fn none(attempt: String, pass: Pass) -> Self {
        let (before, kept, rehearsal) = (Vec::new(), Vec::new(), Vec::new());
        Self { attempt, pass, at: None, rows: 0, backup_rows: 0, before, kept, rehearsal }
    }
}

/// A journalled change, or its rollback, as far as its rows say that it came.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Cut {
    /// As if the change had been applied: what rows say of it so far.
    pub(super) so_far: Applied,
    pub(super) way: Way,
    /// Statements that are done, from the first on.
    pub(super) done: u32,
    /// The one after them, where it was begun and nobody has said how that ended.
    pub(super) open: Option<u32>,
    /// How often the database has refused the one after them.
    pub(super) refused: u32,
    /// Rows that the statements which are done have changed.
    pub(super) rows: u64,
    /// Of these, rows that were there before: updated or deleted.
    pub(super) overwritten: u64,
}

impl Cut {
    /// Nothing of the script was begun yet.
    pub(super) fn before(way: Way, so_far: Applied) -> Self {
        Self { so_far, way, done: 0, open: None, refused: 0, rows: 0, overwritten: 0 }
    }

    /// One more statement is done.
    pub(super) fn further(self, rows: u64, overwritten: u64) -> Self {
        Self {
            done: self.done + 1,
            open: None,
            refused: 0,
            rows: self.rows + rows,
            overwritten: self.overwritten + overwritten,
            ..self
        }
    }
}

/// What the row of a statement that is done says besides: rows that it has overwritten.
pub(super) fn overwrote(rows: u64) -> String {
    if rows == 0 { "done".to_owned() } else { format!("{rows}{OVERWRITTEN}") }
}

const OVERWRITTEN: &str = " overwritten";

/// Reads the state of a change from its rows, for an attempt of a run.
pub(super) fn history(rows: &[Entry], attempt: &AttemptId, digest: &str) -> History {
    let of_run =
        |row: &&Entry| row.attempt.parse().is_ok_and(|id: AttemptId| id.run == attempt.run);
    let ours: Vec<&Entry> = rows.iter().filter(of_run).collect();
    if let Some(row) = ours.iter().find(|row| row.content_digest != digest) {
        return History::Conflict(format!(
            "the marker of {} names other content ({}…) than this run's ({}…)",
            row.attempt,
            head(&row.content_digest),
            head(digest)
        ));
    }
    // Rows are in the order they were written, so the last execution that began is the one that counts.
    let begun = ours.iter().rev().find_map(|row| {
        let (pass, step) = Pass::of(&row.step);
        (step == STARTED).then_some((*row, pass))
    });
    let Some((begun, pass)) = begun else {
        if let Some(row) = ours.first() {
            return History::Conflict(incomplete(&row.attempt));
        }
        let ready = rows.iter().rev().find(|r| r.step == READY && r.content_digest == digest);
        return History::Fresh {
            elsewhere: ready.map(|row| (row.attempt.clone(), row.at.clone())),
            seen: Vec::new(),
        };
    };
    let execution = Execution::of(&ours, begun, pass);
    let history = match begun.outcome.as_deref() {
        Some(JOURNALLED) => journalled(&execution),
        _ => transactional(&execution),
    };
    match history {
        History::Fresh { .. } => History::Fresh { elsewhere: None, seen: seen(&ours) },
        other => other,
    }
}

/// Which attempts have begun which pass.
fn seen(ours: &[&Entry]) -> Vec<(String, Pass)> {
    let begun = ours.iter().filter_map(|row| {
        let (pass, step) = Pass::of(&row.step);
        (step == STARTED).then(|| (row.attempt.clone(), pass))
    });
    begun.collect()
}

/// The rows of one pass of an attempt, by their steps without the prefix of a rehearsal.
struct Execution<'r> {
    attempt: &'r str,
    pass: Pass,
    rows: Vec<(&'r str, &'r Entry)>,
}

impl<'r> Execution<'r> {
    fn of(ours: &[&'r Entry], begun: &'r Entry, pass: Pass) -> Self {
        let own = ours.iter().filter(|row| row.attempt == begun.attempt).filter_map(|row| {
            let (of, step) = Pass::of(&row.step);
            (of == pass).then_some((step, *row))
        });
        Self { attempt: &begun.attempt, pass, rows: own.collect() }
    }

    fn row(&self, step: &str) -> Option<&'r Entry> {
        self.rows.iter().find(|(name, _)| *name == step).map(|(_, row)| *row)
    }

    fn count(&self, step: &str) -> Option<u64> {
        u64::try_from(self.row(step)?.rows?).ok()
    }

    /// What a row holds besides, where it is that.
    fn json<T: serde::de::DeserializeOwned>(&self, step: &str) -> Option<T> {
        serde_json::from_str(self.row(step)?.outcome.as_deref()?).ok()
    }

    /// How far its statements came, or those of its rollback.
    fn cut(&self, way: Way) -> Cut {
        let mut cut = Cut::before(way, self.applied(0));
        while let Some(row) = self.row(&way.done(cut.done + 1)) {
            let outcome = row.outcome.as_deref().unwrap_or_default();
            let overwritten = outcome.strip_suffix(OVERWRITTEN).and_then(|rows| rows.parse().ok());
            let rows = row.rows.map_or(0, i64::unsigned_abs);
            cut = cut.further(rows, overwritten.unwrap_or_default());
        }
        let next = cut.done + 1;
        while self.row(&way.refused(next, cut.refused + 1)).is_some() {
            cut.refused += 1;
        }
        cut.open = self.row(&way.started(next, cut.refused + 1)).map(|_| next);
        cut.so_far.rows = cut.rows;
        cut
    }

    /// As far as the rows tell of it; `rows` are counted otherwise in each mode.
    fn applied(&self, rows: u64) -> Applied {
        Applied {
            at: self.row(READY).and_then(|row| row.at.parse().ok()),
            rows,
            backup_rows: self.count(BACKUP).unwrap_or_default(),
            before: self.json(BEFORE).unwrap_or_default(),
            // What a script has kept only it knows.
            kept: self.json(BACKUP).unwrap_or_default(),
            rehearsal: self.json(REHEARSED).unwrap_or_default(),
            ..Applied::none(self.attempt.to_owned(), self.pass)
        }
    }
}

const UNDONE: History = History::Fresh { elsewhere: None, seen: Vec::new() };

fn transactional(rows: &Execution<'_>) -> History {
    let whole = rows.count(BACKUP).is_some() && rows.json::<Vec<Check>>(BEFORE).is_some();
    let Some(changed) = rows.count(READY).filter(|_| whole) else {
        return History::Conflict(incomplete(rows.attempt));
    };
    let applied = rows.applied(changed);
    match (rows.row(ROLLBACK), rows.row(FORMER)) {
        (None, None) => History::Applied(applied),
        (Some(_), None) => History::RolledBack(applied),
        (Some(_), Some(_)) => UNDONE,
        (None, Some(_)) => History::Conflict(incomplete(rows.attempt)),
    }
}

/// Each row is committed by itself, so any number of the last ones may be missing.
fn journalled(rows: &Execution<'_>) -> History {
    let there = rows.cut(Way::There);
    if rows.row(FORMER).is_some() {
        return UNDONE;
    }
    if rows.row(ROLLBACK).is_some() {
        return History::RolledBack(there.so_far);
    }
    if rows.rows.iter().any(|(step, _)| Way::Back.has(step)) {
        return History::Cut(Cut { so_far: there.so_far, ..rows.cut(Way::Back) });
    }
    if rows.row(READY).is_some() {
        return History::Applied(there.so_far);
    }
    if there.done == 0 && there.open.is_none() {
        return UNDONE;
    }
    History::Cut(there)
}

fn incomplete(attempt: &str) -> String {
    // They are written in one transaction: whatever is missing was never written or taken away.
    format!(
        "the marker rows of {attempt} are not complete: a statement has ended its transaction, or someone has edited nightrun_change_run"
    )
}

fn head(digest: &str) -> &str {
    digest.get(..12).unwrap_or(digest)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn row(attempt: &str, step: &str, rows: Option<i64>) -> Entry {
        Entry {
            attempt: attempt.into(),
            content_digest: "d1".into(),
            step: step.into(),
            at: "2026-10-30T21:00:00Z".into(),
            rows,
            outcome: Some("[]".into()),
        }
    }

    fn applied(attempt: &str) -> Vec<Entry> {
        vec![
            row(attempt, STARTED, None),
            row(attempt, BEFORE, None),
            row(attempt, BACKUP, Some(3)),
            row(attempt, READY, Some(2)),
        ]
    }

    const FIRST: &str = "eod@2026-10-30#1/fee/1";

    fn read(rows: &[Entry]) -> History {
        history(rows, &"eod@2026-10-30#1/fee/2".parse().unwrap(), "d1")
    }

    fn fresh(seen: &[(&str, Pass)]) -> History {
        let seen = seen.iter().map(|(attempt, pass)| ((*attempt).to_owned(), *pass)).collect();
        History::Fresh { elsewhere: None, seen }
    }

    fn known(pass: Pass, rows: u64) -> Applied {
        Applied { rows, backup_rows: 3, ..Applied::none(FIRST.to_owned(), pass) }
    }

    #[test]
    fn the_rows_say_how_far_a_change_came() {
        assert_eq!(read(&[]), fresh(&[]));
        let at = "2026-10-30T21:00:00Z".parse().ok();
        let known = Applied { at, ..known(Pass::Change, 2) };
        let mut rows = applied(FIRST);
        assert_eq!(read(&rows), History::Applied(known.clone()));
        rows.push(row(FIRST, ROLLBACK, Some(2)));
        assert_eq!(read(&rows), History::RolledBack(known));
        rows.push(row(FIRST, FORMER, None));
        assert_eq!(read(&rows), fresh(&[(FIRST, Pass::Change)]));
        // A third attempt applied it after the rollback of the first was proven.
        rows.extend(applied("eod@2026-10-30#1/fee/3"));
        assert!(matches!(read(&rows), History::Applied(a) if a.attempt.ends_with("/3")));
    }

    #[test]
    fn another_run_is_fresh_and_other_content_is_not() {
        let other = applied("eod@2026-10-30#2/fee/1");
        assert!(
            matches!(read(&other), History::Fresh { elsewhere: Some((by, _)), .. } if by.contains("#2"))
        );
        let mut rows = applied(FIRST);
        rows[0].content_digest = "d2".into();
        assert!(matches!(read(&rows), History::Conflict(words) if words.contains("other content")));
        for missing in 0..4 {
            let mut rows = applied(FIRST);
            rows.remove(missing);
            assert!(matches!(read(&rows), History::Conflict(_)), "without row {missing}");
        }
    }

    #[test]
    fn a_journalled_change_came_as_far_as_its_rows() {
        let begun = Entry { outcome: Some(JOURNALLED.into()), ..row(FIRST, STARTED, None) };
        let mut rows = vec![begun, row(FIRST, BEFORE, None), row(FIRST, BACKUP, Some(3))];
        // Nothing of the change itself was begun.
        assert_eq!(read(&rows), fresh(&[(FIRST, Pass::Change)]));
        let cut = |changed: u64, done: u32, open: Option<u32>| Cut {
            done,
            open,
            rows: changed,
            ..Cut::before(Way::There, known(Pass::Change, changed))
        };
        rows.push(row(FIRST, "started-1", None));
        assert_eq!(read(&rows), History::Cut(cut(0, 0, Some(1))));
        let two = Entry { outcome: Some(overwrote(2)), ..row(FIRST, "done-1", Some(2)) };
        rows.push(two);
        let two = |open| Cut { overwritten: 2, ..cut(2, 1, open) };
        assert_eq!(read(&rows), History::Cut(two(None)));
        rows.push(row(FIRST, "started-2", None));
        assert_eq!(read(&rows), History::Cut(two(Some(2))));
        // The database has said no, once, and later again.
        rows.push(row(FIRST, "refused-2", None));
        assert_eq!(read(&rows), History::Cut(Cut { refused: 1, ..two(None) }));
        rows.push(row(FIRST, "started-2.2", None));
        assert_eq!(read(&rows), History::Cut(Cut { refused: 1, ..two(Some(2)) }));
        rows.extend([row(FIRST, "refused-2.2", None), row(FIRST, "started-2.3", None)]);
        assert_eq!(read(&rows), History::Cut(Cut { refused: 2, ..two(Some(2)) }));
        rows.extend([row(FIRST, "done-2", Some(5)), row(FIRST, READY, Some(7))]);
        assert!(matches!(read(&rows), History::Applied(applied) if applied.rows == 7));
    }

    #[test]
    fn its_rollback_came_as_far_as_its_rows() {
        let begun = Entry { outcome: Some(JOURNALLED.into()), ..row(FIRST, STARTED, None) };
        let mut rows = vec![begun, row(FIRST, BEFORE, None), row(FIRST, BACKUP, Some(3))];
        // The change itself had stopped at its second statement.
        rows.extend([row(FIRST, "done-1", Some(2)), row(FIRST, "started-2", None)]);
        let back = |rows: u64, done: u32, open: Option<u32>| Cut {
            done,
            open,
            rows,
            ..Cut::before(Way::Back, known(Pass::Change, 2))
        };
        rows.push(row(FIRST, "undo-started-1", None));
        assert_eq!(read(&rows), History::Cut(back(0, 0, Some(1))));
        rows.push(row(FIRST, "undo-refused-1", None));
        assert_eq!(read(&rows), History::Cut(Cut { refused: 1, ..back(0, 0, None) }));
        rows.extend([row(FIRST, "undo-started-1.2", None), row(FIRST, "undo-done-1", Some(4))]);
        assert_eq!(read(&rows), History::Cut(back(4, 1, None)));
        rows.push(row(FIRST, "undo-started-2", None));
        assert_eq!(read(&rows), History::Cut(back(4, 1, Some(2))));
        rows.push(row(FIRST, ROLLBACK, None));
        assert!(matches!(read(&rows), History::RolledBack(applied) if applied.rows == 2));
        rows.push(row(FIRST, FORMER, None));
        assert_eq!(read(&rows), fresh(&[(FIRST, Pass::Change)]));
    }

    /// Rows of a pass of attempt 1, each with its prefix.
    fn of_pass(pass: Pass, rows: Vec<Entry>) -> Vec<Entry> {
        let named = |row: Entry| Entry { step: pass.step(&row.step), ..row };
        rows.into_iter().map(named).collect()
    }

    #[test]
    fn a_rehearsal_is_not_the_change_that_stays() {
        let mut rows = of_pass(Pass::Rehearsal, applied(FIRST));
        assert!(matches!(read(&rows), History::Applied(a) if a.pass == Pass::Rehearsal));
        rows.extend(of_pass(Pass::Rehearsal, vec![row(FIRST, ROLLBACK, Some(2))]));
        assert!(matches!(read(&rows), History::RolledBack(a) if a.pass == Pass::Rehearsal));
        rows.extend(of_pass(Pass::Rehearsal, vec![row(FIRST, FORMER, None)]));
        assert_eq!(read(&rows), fresh(&[(FIRST, Pass::Rehearsal)]));
        // What is rehearsed elsewhere has applied nothing there.
        let other = history(&rows, &OTHER.parse().unwrap(), "d1");
        assert_eq!(other, fresh(&[]));
        rows.extend(applied(FIRST));
        assert!(matches!(read(&rows), History::Applied(a) if a.pass == Pass::Change));
        rows.push(row(FIRST, ROLLBACK, Some(2)));
        rows.push(row(FIRST, FORMER, None));
        assert_eq!(read(&rows), fresh(&[(FIRST, Pass::Rehearsal), (FIRST, Pass::Change)]));
    }

    const OTHER: &str = "eod@2026-10-30#2/fee/1";
}
