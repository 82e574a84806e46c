//! `changes/<id>/` → database changes, with the check of their scripts.

mod backup;

use std::collections::{BTreeMap, BTreeSet};
use std::path::Path;

use super::known::Known;
use super::settings::text;
use crate::definition::copy::{content_digest, sha256};
use crate::definition::cycles;
use crate::definition::defect::{Finding, Place};
use crate::definition::raw::change::ChangeFile;
use crate::definition::raw::{Field, List, OneOrMore, Word};
use crate::definition::sheets::{Findings, Sheet, Sheets, text_of};
use crate::definition::site::{
    Backup, Change, ChangeKind, ChangeMode, ChangeRules, KEPT_IDS, Papers, Permission, RowLimits,
};
use crate::definition::source::{SourceTree, within};
use crate::sql::Dialect;
use crate::sql::lint::{self, ChangeScripts, Mode, Part, Rule};
use crate::types::{ChangeId, MarketName, PersonId, ProductLine, TargetName};

pub(super) fn resolve(
    tree: &SourceTree,
    sheets: &Sheets,
    known: &Known<'_>,
    rules: Option<&ChangeRules>,
    findings: &mut Findings,
) -> BTreeMap<ChangeId, Change> {
    let mut changes = BTreeMap::new();
    for (id, sheet) in &sheets.changes {
        let read = |raw: &ChangeFile| (dialects(raw, known), mode(raw));
        let read = sheet.raw.as_ref().map(read);
        let read = read.unwrap_or_else(|| (vec![Dialect::Sqlite], Mode::OneTransaction));
        let mut found: Vec<Finding> = kept_id(id).into_iter().collect();
        let backup = sheet.raw.as_ref().and_then(|raw| backup::resolve(raw, &read.0, &mut found));
        let client = sheet.raw.as_ref().and_then(|raw| client(raw, known, &mut found));
        let read = (read.0, read.1, client.is_some());
        let scripts = check_scripts(tree, id, sheet.folder(), read, backup.as_ref(), findings);
        let Some(raw) = &sheet.raw else {
            findings.add(&sheet.file, found);
            continue;
        };
        check_names(raw, known, &mut found);
        if let Some(rules) = rules {
            check_by_rules(raw, rules, &mut found);
        }
        check_attachments(tree, sheet.folder(), raw, &mut found);
        let targets = targets(raw, known, rules, &mut found);
        let change = change(id, sheet, raw, &mut found).zip(targets);
        changes.extend(change.map(|(change, (target, targets))| {
            let mut change = Change { target, targets, backup, hazards: scripts.hazards, ..change };
            if let Some(digests) = scripts.digests {
                let each: Vec<&str> = digests.iter().map(String::as_str).collect();
                change.content = content_digest(&each, &change);
                change.scripts = digests;
            }
            (id.clone(), change)
        }));
        findings.add(&sheet.file, found);
    }
    report_circles(sheets, findings);
    changes
}

fn kept_id(id: &ChangeId) -> Option<Finding> {
    let what = format!("no change can be called `{id}`: the API has something else of that name");
    let finding = || Finding::error(Place::WHOLE_FILE, what).hint("rename its folder");
    KEPT_IDS.contains(&id.as_str()).then(finding)
}

fn check_names(raw: &ChangeFile, known: &Known<'_>, found: &mut Vec<Finding>) {
    let people = [&raw.requester, &raw.verification_contact, &raw.product_manager];
    let several = [&raw.author, &raw.tester, &raw.reviewed_by];
    let several = several.into_iter().filter_map(Field::get).flat_map(|people| &people.0);
    let permissions = raw.permissions.get().into_iter().flat_map(|list| &list.0);
    let by = permissions.filter_map(|permission| permission.value.by.given());
    for person in people.into_iter().filter_map(Field::given).chain(several).chain(by) {
        known.check(&known.people, person, found);
    }
    if let Some(team) = raw.team.given()
        && !known.teams.is_empty()
    {
        known.check(&known.teams, team, found);
    }
    if let Some(window) = raw.window.given() {
        known.check(&known.windows, window, found);
    }
    let fixes = raw.fixes.get().into_iter().flat_map(|list| &list.0);
    for need in raw.needs.get().into_iter().flat_map(|list| &list.0).chain(fixes) {
        known.check(&known.changes, need, found);
    }
}

/// What the rules of changes have to know of.
fn check_by_rules(raw: &ChangeFile, rules: &ChangeRules, found: &mut Vec<Finding>) {
    let mut unknown = |at: Place, what: String, known: String| {
        let hint = format!("change-rules.yaml has: {known}");
        found.push(Finding::error(at, what).hint(hint));
    };
    let listed =
        |names: Vec<&str>| if names.is_empty() { "none".to_owned() } else { names.join(", ") };
    for market in raw.markets.get().into_iter().flat_map(|list| &list.0) {
        if !rules.markets.contains_key(&market.value) {
            let what = format!("the rules of changes know no market `{}`", market.value);
            unknown(
                market.at,
                what,
                listed(rules.markets.keys().map(MarketName::as_str).collect()),
            );
        }
    }
    if let Some(line) = raw.product_line.given()
        && !rules.product_lines.contains_key(&line.value)
    {
        let what = format!("the rules of changes know no product line `{}`", line.value);
        let lines = rules.product_lines.keys().map(ProductLine::as_str).collect();
        unknown(line.at, what, listed(lines));
    }
    if let Some(kind) = raw.kind.given()
        && kind.value == ChangeKind::Emergency
        && rules.emergency.board.is_none()
    {
        let finding = Finding::error(kind.at, "the rules of changes have no emergencies");
        found.push(
            finding.hint("`emergency: {board: ROLE}` in change-rules.yaml names who approves them"),
        );
    }
    let emergency = raw.kind.given().filter(|kind| kind.value == ChangeKind::Emergency);
    if let Some(kind) = emergency.filter(|_| !rules.product_lines.is_empty())
        && matches!(raw.product_line, Field::Absent)
    {
        let finding =
            Finding::error(kind.at, "nothing says whose director is told of the emergency");
        let lines: Vec<&str> = rules.product_lines.keys().map(ProductLine::as_str).collect();
        let hint = format!("give it `product_line`, one of: {}", listed(lines));
        found.push(finding.hint(hint));
    }
    let authors = people(&raw.author);
    for reader in raw.reviewed_by.get().into_iter().flat_map(|people| &people.0) {
        if authors.contains(&reader.value) {
            let what =
                format!("{} has written it, and cannot have reviewed its code", reader.value);
            found.push(Finding::error(reader.at, what));
        }
    }
}

fn check_attachments(tree: &SourceTree, folder: &Path, raw: &ChangeFile, found: &mut Vec<Finding>) {
    for file in raw.attachments.get().into_iter().flat_map(|list| &list.0) {
        let path = within(folder, &file.value.0).filter(|path| path.starts_with(folder));
        if path.is_none_or(|path| tree.get(&path).is_none()) {
            let what = format!("the folder of the change has no file `{}`", file.value.0);
            found.push(Finding::error(file.at, what));
        }
    }
}

type Targets = (Option<TargetName>, BTreeMap<String, TargetName>);

/// One target, or one for each environment.
fn targets(
    raw: &ChangeFile,
    known: &Known<'_>,
    rules: Option<&ChangeRules>,
    found: &mut Vec<Finding>,
) -> Option<Targets> {
    let of_rules = |environment: &str, at: Place| {
        let rules = rules.filter(|rules| !rules.environments.iter().any(|e| e == environment))?;
        let what = format!("the rules of changes know no environment `{environment}`");
        let hint = format!("change-rules.yaml has: {}", rules.environments.join(", "));
        Some(Finding::error(at, what).hint(hint))
    };
    match (&raw.target, &raw.targets) {
        (Field::Absent, Field::Absent) => {
            let finding =
                Finding::error(Place { line: 1, column: 1, length: 1 }, "the change has no target");
            found
                .push(finding.hint("give it `target`, or `targets` with one for each environment"));
            None
        }
        (target, Field::Absent) => {
            let target = target.given()?;
            if let Some(environment) = known.environments.get(&target.value) {
                found.extend(of_rules(environment, target.at));
            }
            known.check(&known.targets, target, found);
            Some((Some(target.value.clone()), BTreeMap::new()))
        }
        (Field::Absent, targets) => {
            let named = targets.given()?;
            let mut by_environment = BTreeMap::new();
            for (environment, target) in
                named.value.0.iter().filter_map(|n| Some((&n.key, n.value.given()?)))
            {
                found.extend(of_rules(&environment.value, environment.at));
                known.check(&known.targets, target, found);
                let declared = known.environments.get(&target.value);
                if let Some(declared) = declared.filter(|declared| **declared != environment.value)
                {
                    let what = format!("the target `{}` belongs to `{declared}`", target.value);
                    found.push(Finding::error(target.at, what));
                }
                by_environment.insert(environment.value.clone(), target.value.clone());
            }
            if by_environment.is_empty() {
                found.push(Finding::error(named.at, "the change has no target"));
            }
            Some((None, by_environment))
        }
        (_, targets) => {
            let at = targets.at().unwrap_or_default();
            let finding = Finding::error(at, "the change has both `target` and `targets`");
            found.push(finding.hint("keep one of them"));
            None
        }
    }
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
        kind: raw.kind.or(ChangeKind::Normal),
        reason: text(&raw.reason, &raw.reason_zh),
        requester: raw.requester.get().cloned(),
        target: None,
        targets: BTreeMap::new(),
        folder: sheet.folder().to_path_buf(),
        mode: raw.mode.or(ChangeMode::Transactional),
        rows: limits,
        backup: None,
        expected: raw.expected.get().copied(),
        verify_takes: *raw.verify_takes.get()?,
        rollback_takes: *raw.rollback_takes.get()?,
        needs: values(&raw.needs),
        window: raw.window.get().cloned(),
        papers: papers(raw),
        content: String::new(),
        scripts: Vec::new(),
        hazards: Vec::new(),
    })
}

fn papers(raw: &ChangeFile) -> Papers {
    let word = |field: &Field<Word>| field.get().map(|word| word.0.clone());
    let words = |field: &Field<List<Word>>| values(field).into_iter().map(|word| word.0).collect();
    let permissions = raw.permissions.get().into_iter().flat_map(|list| &list.0);
    Papers {
        team: raw.team.get().cloned(),
        branch: word(&raw.branch),
        governance: word(&raw.governance),
        ticket: word(&raw.ticket),
        authors: people(&raw.author),
        product_manager: raw.product_manager.get().cloned(),
        testers: people(&raw.tester),
        product_line: raw.product_line.get().cloned(),
        markets: values(&raw.markets),
        verification_contact: raw.verification_contact.get().cloned(),
        fixes: values(&raw.fixes),
        related: words(&raw.related),
        permissions: permissions
            .filter_map(|permission| {
                let (what, by) = (&permission.value.what, &permission.value.by);
                Some(Permission { what: what.get()?.0.clone(), by: by.get()?.clone() })
            })
            .collect(),
        attachments: values(&raw.attachments).into_iter().map(|file| file.0.into()).collect(),
        review: word(&raw.review),
        reviewed_by: people(&raw.reviewed_by),
    }
}

fn people(field: &Field<OneOrMore<PersonId>>) -> Vec<PersonId> {
    let named = field.get().into_iter().flat_map(|people| &people.0);
    named.map(|person| person.value.clone()).collect()
}

/// Values of a list, without their places.
pub(super) fn values<T: Clone>(field: &Field<List<T>>) -> Vec<T> {
    let items = field.get().into_iter().flat_map(|list| &list.0);
    items.map(|item| item.value.clone()).collect()
}

/// Changes that need each other can never be done.
fn report_circles(sheets: &Sheets, findings: &mut Findings) {
    let ids: Vec<&ChangeId> = sheets.changes.keys().collect();
    let needs = |id: &ChangeId| sheets.changes[id].raw.as_ref().and_then(|raw| raw.needs.get());
    let mut edges = Vec::new();
    for (node, id) in ids.iter().enumerate() {
        for need in needs(id).into_iter().flat_map(|list| &list.0) {
            edges.extend(ids.binary_search(&&need.value).ok().map(|to| (node, to)));
        }
    }
    let Err(circles) = cycles::order(ids.len(), &edges) else { return };
    for circle in circles {
        let (first, next) = (ids[circle[0]], ids[*circle.get(1).unwrap_or(&circle[0])]);
        let named: Vec<&str> =
            circle.iter().chain([&circle[0]]).map(|node| ids[*node].as_str()).collect();
        let at = needs(first).and_then(|list| list.0.iter().find(|need| need.value == *next));
        let what = format!("changes need each other in a circle: {}", named.join(" → "));
        let finding = Finding::error(at.map(|need| need.at).unwrap_or_default(), what);
        let hint = "`a → b` means that a needs b; take one of these needs away";
        findings.add(&sheets.changes[first].file, [finding.hint(hint)]);
    }
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

/// How the scripts are read: as each of the databases does that they go to.
fn dialects(raw: &ChangeFile, known: &Known<'_>) -> Vec<Dialect> {
    let named = raw.targets.get().into_iter().flat_map(|targets| &targets.0);
    let all: Vec<&TargetName> =
        named.filter_map(|named| named.value.get()).chain(raw.target.get()).collect();
    let mut dialects: Vec<Dialect> = Vec::new();
    for target in all.iter().filter(|target| !known.is_client(Some(*target))) {
        let dialect = known.dialect(Some(*target));
        if !dialects.contains(&dialect) {
            dialects.push(dialect);
        }
    }
    if all.is_empty() { vec![known.dialect(None)] } else { dialects }
}

/// Whether the scripts go to a client program, which has no transaction of nightrun's and no marker.
fn client(raw: &ChangeFile, known: &Known<'_>, found: &mut Vec<Finding>) -> Option<()> {
    let named = raw.targets.given().into_iter().flat_map(|targets| &targets.value.0);
    let mut all = named.filter_map(|named| named.value.given()).chain(raw.target.given());
    let target = all.find(|target| known.is_client(Some(&target.value)))?;
    if raw.mode.or(ChangeMode::Transactional) == ChangeMode::Transactional {
        let what =
            format!("`{}` is a client program, which makes its own transactions", target.value);
        found.push(Finding::error(target.at, what).hint("write `mode: journalled`"));
    }
    if let Some(backup) = raw.backup.at() {
        let what =
            format!("`{}` is a client program, through which no rows are kept", target.value);
        found.push(Finding::error(backup, what).hint("write a backup.sql"));
    }
    Some(())
}

fn mode(raw: &ChangeFile) -> Mode {
    match raw.mode.or(ChangeMode::Transactional) {
        ChangeMode::Transactional => Mode::OneTransaction,
        ChangeMode::Journalled => Mode::Journalled,
    }
}

/// What is known of the scripts of a change.
struct Scripts {
    /// SHA-256 of each, where all are there.
    digests: Option<Vec<String>>,
    hazards: Vec<String>,
}

/// What the worker would refuse, it is refused here.
fn check_scripts(
    tree: &SourceTree,
    id: &ChangeId,
    folder: &Path,
    (dialects, mode, client): (Vec<Dialect>, Mode, bool),
    backup: Option<&Backup>,
    findings: &mut Findings,
) -> Scripts {
    let lacks = |name: &str| match name {
        "backup.sql" => backup.is_some(),
        "rollback.sql" => backup.is_some() && tree.get(&folder.join(name)).is_none(),
        _ => false,
    };
    if backup.is_some() && tree.get(&folder.join("backup.sql")).is_some() {
        let what =
            format!("the change `{id}` has a backup.sql beside `backup:` of its change.yaml");
        let finding = Finding::error(Place::WHOLE_FILE, what).hint("keep one of them");
        findings.add(&folder.join("backup.sql"), [finding]);
    }
    let texts = SCRIPTS.map(|(name, lack)| {
        (!lacks(name)).then(|| script(tree, id, &folder.join(name), (name, lack), findings))
    });
    let digest = |text: &Option<Option<&str>>| match text {
        None => Some(String::new()),
        Some(text) => text.map(|text| sha256(text.as_bytes())),
    };
    let digests = texts.iter().map(digest).collect();
    let mut hazards = BTreeSet::new();
    let [backup_sql, change, verify, rollback] =
        texts.map(|text| text.map(Option::unwrap_or_default));
    let texts = texts.map(Option::flatten);
    let kept: Vec<String> = backup::tables(backup);
    let scripts = ChangeScripts {
        backup: backup_sql,
        change: change.unwrap_or_default(),
        verify: verify.unwrap_or_default(),
        rollback,
        kept: &kept,
    };
    let mut found: Vec<lint::Finding> = Vec::new();
    if client {
        // Whoever approves it reads what nightrun cannot.
        hazards.insert(Rule::OpaqueCode.name().to_owned());
        let what = "hazard: a client program reads these scripts, and nightrun does not look into them (opaque-code)";
        findings.add(&folder.join("change.sql"), [Finding::warning(line(1), what)]);
        for ((name, _), text) in SCRIPTS.iter().zip(texts) {
            if text.is_some_and(|text| text.trim().is_empty()) {
                let finding = Finding::error(line(1), format!("{name} is empty"));
                findings.add(&folder.join(name), [finding]);
            }
        }
    }
    for dialect in dialects {
        for told in lint::change(dialect, mode, &scripts) {
            if !found.contains(&told) {
                found.push(told);
            }
        }
    }
    for found in found {
        if found.severity == lint::Severity::Hazard {
            hazards.insert(found.rule.name().to_owned());
        }
        // A script that is not there has been reported as that.
        let there = Part::ALL.iter().zip(texts).find(|(part, _)| Some(**part) == found.part);
        if let Some((part, Some(_))) = there {
            findings.add(&folder.join(part.file()), [by_rule(line(found.line), &found)]);
        }
    }
    Scripts { digests, hazards: hazards.into_iter().collect() }
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
