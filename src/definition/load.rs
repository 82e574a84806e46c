//! From files to a site, or to everything that is wrong with them.

use super::defect::{Defect, Severity};
use super::places::Places;
use super::resolve::resolve;
use super::sheets::{Findings, Sheets};
use super::site::Site;
use super::source::SourceTree;

/// What came of loading a site.
#[derive(Debug, Clone)]
pub struct Loaded {
    /// `None` where a defect is an error.
    pub site: Option<Site>,
    /// By file, line and column.
    pub defects: Vec<Defect>,
    pub places: Places,
}

/// Loads a site: all of it, or all defects at once. Never panics, whatever the files hold.
pub fn load(tree: &SourceTree) -> Loaded {
    let mut findings = Findings::default();
    let sheets = Sheets::read(tree, &mut findings);
    let (site, places) = resolve(tree, &sheets, &mut findings);
    let defects = defects(tree, findings);
    let sound = defects.iter().all(|defect| defect.severity != Severity::Error);
    Loaded { site: site.filter(|_| sound), defects, places }
}

fn defects(tree: &SourceTree, mut findings: Findings) -> Vec<Defect> {
    findings.0.sort_by(|(a, _), (b, _)| a.cmp(b));
    let mut defects: Vec<Defect> = Vec::with_capacity(findings.0.len());
    for of_file in findings.0.chunk_by(|(a, _), (b, _)| a == b) {
        let lines = tree.lines(&of_file[0].0);
        defects.extend(
            of_file.iter().map(|(file, finding)| Defect::of(file, &lines, finding.clone())),
        );
    }
    defects.sort_by(|a, b| a.order().cmp(&b.order()));
    defects.dedup();
    defects
}
