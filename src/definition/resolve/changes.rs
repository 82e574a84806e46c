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
use crate::sql::Dialect;
use crate::sql::lint::{self, ChangeScripts, Mode, Part};
use crate::types::ChangeId;

pub(super) fn resolve(
    tree: &SourceTree,
    sheets: &Sheets,
    known: &Known<'_>,
    findings: &mut Findings,
) -> BTreeMap<ChangeId, Change> {
    let mut changes = BTreeMap::new();
    for (id, sheet) in &sheets.changes {
        let target = sheet.raw.as_ref().and_then(|raw| raw.target.get());
        check_scripts(tree, id, sheet.folder(), known.dialect(target), findings);
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

/// A script's text, if it is there and can be read; what is wrong with it otherwise.
fn script<'t>(
    tree: &'t SourceTree,
    id: &ChangeId,
    path: &Path,
    (name, lack): (&str, &str),
    findings: &mut Findings,
) -> Option<&'t str> {
    let Some(file) = tree.get(path) else {
        let what = format!("the change `{id}` has no {name}: {lack}");
        findings.add(path, [Finding::error(Place::WHOLE_FILE, what)]);
        return None;
    };
    match text_of(file) {
        Ok(text) => Some(text),
        Err(finding) => {
            findings.add(path, [finding]);
            None
        }
    }
}

/// What the worker would refuse, it is refused here.
fn check_scripts(
    tree: &SourceTree,
    id: &ChangeId,
    folder: &Path,
    dialect: Dialect,
    findings: &mut Findings,
) {
    let texts =
        SCRIPTS.map(|(name, lack)| script(tree, id, &folder.join(name), (name, lack), findings));
    let [backup, change, verify, rollback] = texts.map(Option::unwrap_or_default);
    let scripts = ChangeScripts { backup, change, verify, rollback };
    for found in lint::change(dialect, Mode::OneTransaction, &scripts) {
        // A script that is not there has been reported as that.
        let there = Part::ALL.iter().zip(texts).find(|(part, _)| Some(**part) == found.part);
        if let Some((part, Some(_))) = there {
            findings.add(&folder.join(part.file()), [by_rule(line(found.line), &found)]);
        }
    }
}

fn line(line: u32) -> Place {
    Place { line, column: 1, length: 1 }
}

/// A finding of the lint, with the name of its rule.
pub(super) fn by_rule(at: Place, found: &lint::Finding) -> Finding {
    let what = match found.severity {
        lint::Severity::Hazard => format!("hazard: {} ({})", found.message, found.rule),
        lint::Severity::Defect | lint::Severity::Warning => {
            format!("{} ({})", found.message, found.rule)
        }
    };
    let finding = match found.severity {
        lint::Severity::Defect => Finding::error(at, what),
        lint::Severity::Hazard | lint::Severity::Warning => Finding::warning(at, what),
    };
    finding.maybe_hint(found.hint.map(str::to_owned))
}
