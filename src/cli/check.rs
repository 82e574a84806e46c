//! `check`, `schema`, `init`.

use std::path::{Path, PathBuf};

use jiff::civil::Date;

use super::arguments::Format;
use super::context::Context;
use super::counted;
use super::exit::{DEFECTS, Failure, WELL};
use crate::definition::defect::Severity;
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

/// `init`: never over something that is there.
pub(super) fn init(dir: &Path) -> Result<u8, Failure> {
    if std::fs::metadata(dir).is_ok_and(|meta| !meta.is_dir()) {
        return Err(Failure::refused(format!("{} is a file", dir.display())));
    }
    if let Some((taken, _)) = starter::FILES.iter().find(|(path, _)| dir.join(path).exists()) {
        return Err(Failure::refused(format!(
            "{} is there already; give an empty folder",
            dir.join(taken).display()
        )));
    }
    for (path, content) in starter::FILES {
        super::write(&dir.join(path), content.as_bytes())?;
    }
    let dir = dir.display();
    print_line!(
        "{dir} is a site of {} files. Look at it, then:\n  nightrun check {dir}\n  nightrun --site {dir} plan\n  nightrun --site {dir} run hello",
        starter::FILES.len()
    )?;
    Ok(WELL)
}
