//! `verify.sql` as checks: rows `(check_name, ok, detail)` where nothing is missing.

use crate::agent::worker::db::{Access, Cell, Db, DbError, Target};
use crate::agent::worker::log::say;
use crate::sql::split;
use crate::wire::Check;

/// Rows that a verification may give.
const MOST: usize = 1_000;

/// What a verification says. Checks are in the order of their names.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Verdict {
    pub(super) checks: Vec<Check>,
    pub(super) passed: bool,
}

impl Verdict {
    pub(super) fn of(mut checks: Vec<Check>) -> Self {
        checks.sort_by(|a, b| (&a.name, &a.detail).cmp(&(&b.name, &b.detail)));
        let passed = !checks.is_empty() && checks.iter().all(|check| check.ok);
        Self { checks, passed }
    }

    fn error(words: String) -> Self {
        Self::of(vec![Check { name: "verify.sql".to_owned(), ok: false, detail: words }])
    }

    /// The checks that failed, in one line.
    pub(super) fn failures(&self) -> String {
        let failed: Vec<String> = self
            .checks
            .iter()
            .filter(|check| !check.ok)
            .map(|check| format!("{} ({})", check.name, check.detail))
            .collect();
        if failed.is_empty() { "it gave no rows".to_owned() } else { failed.join("; ") }
    }

    /// Tells each check; `open` is the word for one that is not good.
    pub(super) fn tell(&self, when: &str, open: &str) {
        let good = self.checks.iter().filter(|check| check.ok).count();
        say!("verification {when}: {good} of {} checks are good", self.checks.len());
        for check in &self.checks {
            let word = if check.ok { "good" } else { open };
            say!("      {word:<8} {}: {}", check.name, check.detail);
        }
    }
}

/// Runs the verification on a connection of its own that cannot write. An error is a failed check.
pub(super) async fn fresh(target: &Target<'_>, text: &str) -> Verdict {
    match asked(target, text).await {
        Ok(verdict) => verdict,
        Err(error) => Verdict::error(error.to_string()),
    }
}

/// The verification before a change. What the change is about to make may be missing; any other error says that the
/// verification itself is broken.
pub(super) async fn before(target: &Target<'_>, text: &str) -> Result<Verdict, DbError> {
    match asked(target, text).await {
        Err(error) if error.is_missing() => Ok(Verdict::error(error.to_string())),
        other => other,
    }
}

async fn asked(target: &Target<'_>, text: &str) -> Result<Verdict, DbError> {
    let mut db = target.open(Access::Read).await?;
    let verdict = on(&mut db, text).await;
    db.close().await;
    verdict
}

/// Runs the verification on an open connection.
pub(super) async fn on(db: &mut Db, text: &str) -> Result<Verdict, DbError> {
    let script = split(db.dialect(), text);
    let Some(select) = script.statements.first() else {
        return Err(DbError::refused("verify.sql has no statement"));
    };
    let answer = db.run(select.text, MOST).await?;
    if answer.count > MOST as u64 {
        let words = format!("verify.sql gives {} rows; {MOST} at most", answer.count);
        return Err(DbError::refused(words));
    }
    Ok(Verdict::of(answer.rows.iter().map(|row| check(row)).collect()))
}

fn check(row: &[Cell]) -> Check {
    let [name, ok, detail] = row else {
        let detail = format!("{} columns; check_name, ok, detail are wanted", row.len());
        return Check { name: "verify.sql".to_owned(), ok: false, detail };
    };
    let mut wrong = Vec::new();
    for (cell, column) in [(name, "check_name"), (ok, "ok"), (detail, "detail")] {
        if *cell == Cell::Null {
            wrong.push(format!("{column} is NULL"));
        }
    }
    // `'failed'` would be as true as `'ok'`: only numbers say yes.
    if !matches!(ok, Cell::Integer(0 | 1) | Cell::Null) {
        wrong.push(format!("ok is `{ok}`, not 1 or 0"));
    }
    let mut words = detail.to_string();
    if !wrong.is_empty() {
        words = format!("{words} [{}]", wrong.join(", "));
    }
    Check { name: name.to_string(), ok: wrong.is_empty() && *ok == Cell::Integer(1), detail: words }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_one_means_good() {
        let text = |text: &str| Cell::Text(text.to_owned());
        let read = |ok| check(&[text("sum"), ok, text("x")]);
        assert!(read(Cell::Integer(1)).ok);
        for ok in [Cell::Integer(0), Cell::Integer(2), Cell::Null, text("ok"), Cell::Real(1.0)] {
            assert!(!read(ok.clone()).ok, "{ok}");
        }
        assert!(!check(&[text("sum"), Cell::Integer(1), Cell::Null]).ok);
        assert_eq!(read(text("bad")).detail, "x [ok is `bad`, not 1 or 0]");
        assert!(!check(&[Cell::Integer(1)]).ok);
    }

    #[test]
    fn no_rows_are_a_failure() {
        assert!(!Verdict::of(Vec::new()).passed);
    }
}
