//! `check`, `schema`, `init`.

use std::collections::{BTreeMap, BTreeSet};
use std::path::{Path, PathBuf};

use jiff::civil::Date;

use super::arguments::Format;
use super::context::Context;
use super::counted;
use super::exit::{DEFECTS, Failure, WELL};
use crate::definition::defect::Severity;
use crate::definition::starter::House;
use crate::definition::{Styles, schema, starter};
use crate::types::BatchId;

/// `check`: every defect, then one line that sums up.
pub(super) fn check(
    context: &Context,
    dir: Option<PathBuf>,
    today: Option<Date>,
) -> Result<u8, Failure> {
    let folder = dir.unwrap_or_else(|| context.site.clone());
    let checked = context.check_in(&folder, today)?;
    let errors = checked.defects.iter().filter(|d| d.severity == Severity::Error).count();
    let warnings = checked.defects.len() - errors;
    match context.format {
        Format::Json => {
            let json = serde_json::to_string_pretty(&checked.defects).map_err(Failure::failed)?;
            print_line!("{json}")?;
        }
        Format::Text => {
            for defect in &checked.defects {
                print_line!("{}", defect.text(&folder, Styles::coloured()).trim_end())?;
            }
            let jobs: usize = checked
                .site
                .iter()
                .flat_map(|site| site.batches.values())
                .map(|batch| batch.jobs.len())
                .sum();
            let batches: Vec<&BatchId> =
                checked.site.iter().flat_map(|site| site.batches.keys()).collect();
            match errors {
                0 => print_line!(
                    "{}: {}, {}, no errors, {}",
                    folder.display(),
                    counted(batches.len(), "batch", "batches"),
                    counted(jobs, "job", "jobs"),
                    counted(warnings, "warning", "warnings")
                )?,
                _ => print_line!(
                    "{}: {}, {}",
                    folder.display(),
                    counted(errors, "error", "errors"),
                    counted(warnings, "warning", "warnings")
                )?,
            }
        }
    }
    Ok(if errors == 0 { WELL } else { DEFECTS })
}

/// `schema`.
pub(super) fn print_schema() -> Result<u8, Failure> {
    let json = serde_json::to_string_pretty(&schema::schema_of_all()).map_err(Failure::failed)?;
    print_line!("{json}")?;
    Ok(WELL)
}

/// Files to write, from the site's folder.
type Files = Vec<(&'static str, &'static str)>;

/// `init`: never over something that is there.
pub(super) fn init(
    dir: &Path,
    changes: Option<House>,
    roster: Option<House>,
) -> Result<u8, Failure> {
    if std::fs::metadata(dir).is_ok_and(|meta| !meta.is_dir()) {
        return Err(Failure::refused(format!("{} is a file", dir.display())));
    }
    let changes: Option<Files> = changes.map(|house| house.change_rules().into());
    let roster: Option<Files> = roster.map(|house| house.roster_rules().into());
    let sets: Vec<Files> = changes.into_iter().chain(roster).collect();
    if !sets.is_empty() && dir.join("site.yaml").exists() {
        return add_rules(dir, &sets);
    }
    if let Some((taken, _)) = starter::FILES.iter().find(|(path, _)| dir.join(path).exists()) {
        return Err(Failure::refused(format!(
            "{} is there already; give an empty folder",
            dir.join(taken).display()
        )));
    }
    let mut files: BTreeMap<&str, &str> = starter::FILES.iter().copied().collect();
    files.extend(sets.into_iter().flatten());
    for (path, content) in &files {
        super::write(&dir.join(path), content.as_bytes())?;
    }
    let dir = dir.display();
    print_line!(
        "{dir} is a site of {} files. Look at it, then:\n  nightrun check {dir}\n  nightrun --site {dir} plan\n  nightrun --site {dir} run hello",
        files.len()
    )?;
    Ok(WELL)
}

/// Rules for a site that is there; of its own files none is touched.
fn add_rules(dir: &Path, sets: &[Files]) -> Result<u8, Failure> {
    let rules = sets.iter().filter_map(|files| files.first());
    if let Some(there) = rules.map(|(rules, _)| dir.join(rules)).find(|path| path.exists()) {
        return Err(Failure::refused(format!("{} is there already", there.display())));
    }
    let mut kept: BTreeSet<&str> = BTreeSet::new();
    let files: BTreeMap<&str, &str> = sets.iter().flatten().copied().collect();
    for (name, content) in files {
        let path = dir.join(name);
        if path.exists() {
            kept.insert(name);
        } else {
            super::write(&path, content.as_bytes())?;
            print_line!("{} is written", path.display())?;
        }
    }
    if !kept.is_empty() {
        let (kept, dir) = (kept.into_iter().collect::<Vec<_>>().join(", "), dir.display());
        print_line!(
            "left as it is: {kept}; `nightrun check {dir}` names the windows, shifts, people and roles that the rules lack"
        )?;
    }
    Ok(WELL)
}
