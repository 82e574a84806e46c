//! The module as a whole: a site with every defect, the format's page, and files of any bytes.

mod changes;
mod every_defect;
mod hosts;
mod inspections;
mod properties;
mod service_levels;
mod slurm;
mod webhooks;

use std::path::Path;

use super::source::SourceTree;
use super::{Loaded, Styles, load};

fn texts(loaded: &Loaded) -> String {
    let text = |defect: &super::Defect| defect.text(Path::new("jobs"), Styles::plain());
    loaded.defects.iter().map(text).collect()
}

/// A site that is sound, to be broken in one place.
fn sound(files: &[(&str, &str)]) -> SourceTree {
    super::starter::FILES.iter().chain(files).map(|(path, text)| (*path, *text)).collect()
}
