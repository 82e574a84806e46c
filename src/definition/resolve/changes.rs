//! `changes/<id>/` → database changes, with the check of their scripts.

use std::collections::BTreeMap;
use std::path::Path;

use super::known::Known;
use super::settings::text;
use crate::definition::defect::{Finding, Place};
use crate::definition::raw::change::ChangeFile;
use crate::definition::sheets::{Findings, Sheet, Sheets, text_of};
use crate::definition::site::{Change, RowLimits};
use crate::definition::source::SourceTree;
use crate::definition::sql_text;
use crate::types::ChangeId;

pub(super) fn resolve(
    tree: &SourceTree,
    sheets: &Sheets,
    known: &Known<'_>,
    findings: &mut Findings,
) -> BTreeMap<ChangeId, Change> {
    let mut changes = BTreeMap::new();
    for (id, sheet) in &sheets.changes {
        for script in SCRIPTS {
            check_script(tree, id, sheet.folder(), script, findings);
        }
        let Some(raw) = &sheet.raw else { continue };
        let mut found = Vec::new();
        if let Some(target) = raw.target.given() {
            known.check(&known.targets, target, &mut found);
        }
        if let Some(person) = raw.requester.given() {
            known.check(&known.people, person, &mut found);
        }
        changes.extend(change(id, sheet, raw, &mut found).map(|change| (id.clone(), change)));
        findings.add(&sheet.file, found);
    }
    changes
}

fn change(
    id: &ChangeId,
    sheet: &Sheet<ChangeFile>,
    raw: &ChangeFile,
    found: &mut Vec<Finding>,
) -> Option<Change> {
    let rows = raw.rows.get()?;
    let limits = RowLimits { min: rows.min.get()?.to_u64(), max: rows.max.get()?.to_u64() };
    if limits.min > limits.max {
        let at = rows.min.at().unwrap_or_default();
        found.push(Finding::error(at, "`min` is more than `max`"));
    }
    Some(Change {
        id: id.clone(),
        title: text(&raw.title, &raw.title_zh),
        class: *raw.class.get()?,
        reason: text(&raw.reason, &raw.reason_zh),
        requester: raw.requester.get().cloned(),
        target: raw.target.get()?.clone(),
        folder: sheet.folder().to_path_buf(),
        rows: limits,
        verify_takes: *raw.verify_takes.get()?,
        rollback_takes: *raw.rollback_takes.get()?,
    })
}

/// The scripts of a change, each with what a change without it lacks.
const SCRIPTS: [(&str, &str); 4] = [
    ("backup.sql", "the rows that it changes are not kept"),
    ("change.sql", "there is nothing to do"),
    ("verify.sql", "nobody can tell whether it worked"),
    ("rollback.sql", "there is no way back"),
];

fn check_script(
    tree: &SourceTree,
    id: &ChangeId,
    folder: &Path,
    (script, lack): (&str, &str),
    findings: &mut Findings,
) {
    let path = folder.join(script);
    let Some(file) = tree.get(&path) else {
        let what = format!("the change `{id}` has no {script}: {lack}");
        findings.add(&path, [Finding::error(Place::WHOLE_FILE, what)]);
        return;
    };
    let text = match text_of(file) {
        Ok(text) => text,
        Err(finding) => return findings.add(&path, [finding]),
    };
    let first = Place { line: 1, column: 1, length: 1 };
    if sql_text::is_empty(text) {
        let what = format!("the {script} of the change `{id}` has no statement: {lack}");
        findings.add(&path, [Finding::error(first, what)]);
    } else if script == "verify.sql"
        && let Err(why) = sql_text::check_verification(text)
    {
        let what = format!("the verification of the change `{id}` proves nothing: {why}");
        let hint = "give rows (check_name, ok, detail) from the changed tables; ok is false while the change is not there";
        findings.add(&path, [Finding::error(first, what).hint(hint)]);
    }
}
