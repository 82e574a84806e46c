//! Which file is what, and all of them as they are written.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

use super::defect::{Finding, Place};
use super::raw::batch::BatchFile;
use super::raw::calendar::CalendarFile;
use super::raw::change::ChangeFile;
use super::raw::change_rules::ChangeRulesFile;
use super::raw::duty::{RosterFile, ShiftsFile};
use super::raw::escalation::EscalationFile;
use super::raw::hosts::HostsFile;
use super::raw::people::PeopleFile;
use super::raw::roster_rules::RosterRulesFile;
use super::raw::service_levels::ServiceLevelsFile;
use super::raw::site::SiteFile;
use super::raw::windows::WindowsFile;
use super::raw::{self, Read};
use super::source::{SourceFile, SourceTree};
use crate::types::{CalendarName, ChangeId};

/// The kinds of files, each with a JSON Schema of its own.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum FileKind {
    Site,
    Hosts,
    People,
    Shifts,
    Roster,
    RosterRules,
    Escalation,
    ServiceLevels,
    Windows,
    Calendar,
    Change,
    ChangeRules,
    Batch,
}

impl FileKind {
    pub const ALL: [Self; 13] = [
        Self::Site,
        Self::Hosts,
        Self::People,
        Self::Shifts,
        Self::Roster,
        Self::RosterRules,
        Self::Escalation,
        Self::ServiceLevels,
        Self::Windows,
        Self::Calendar,
        Self::Change,
        Self::ChangeRules,
        Self::Batch,
    ];

    /// The word for it on the command line.
    pub fn word(self) -> &'static str {
        match self {
            Self::Site => "site",
            Self::Hosts => "hosts",
            Self::People => "people",
            Self::Shifts => "shifts",
            Self::Roster => "roster",
            Self::RosterRules => "roster-rules",
            Self::Escalation => "escalation",
            Self::ServiceLevels => "service-levels",
            Self::Windows => "windows",
            Self::Calendar => "calendar",
            Self::Change => "change",
            Self::ChangeRules => "change-rules",
            Self::Batch => "batch",
        }
    }

    /// What the file at this path of a site is; `None` for what is no YAML file.
    pub fn of(path: &Path) -> Option<Self> {
        if path.extension()? != "yaml" {
            return None;
        }
        let parts: Vec<&str> = path.iter().filter_map(|part| part.to_str()).collect();
        Some(match parts.as_slice() {
            ["site.yaml"] => Self::Site,
            ["hosts.yaml"] => Self::Hosts,
            ["people.yaml"] => Self::People,
            ["shifts.yaml"] => Self::Shifts,
            ["roster.yaml"] => Self::Roster,
            ["roster-rules.yaml"] => Self::RosterRules,
            ["escalation.yaml"] => Self::Escalation,
            ["service-levels.yaml"] => Self::ServiceLevels,
            ["windows.yaml"] => Self::Windows,
            ["change-rules.yaml"] => Self::ChangeRules,
            ["calendars", _] => Self::Calendar,
            ["changes", _, "change.yaml"] => Self::Change,
            _ => Self::Batch,
        })
    }
}

/// Findings with their files.
#[derive(Debug, Default)]
pub(super) struct Findings(pub Vec<(PathBuf, Finding)>);

impl Findings {
    pub(super) fn add(&mut self, file: &Path, found: impl IntoIterator<Item = Finding>) {
        self.0.extend(found.into_iter().map(|finding| (file.to_path_buf(), finding)));
    }
}

/// A file as it is written.
#[derive(Debug)]
pub(super) struct Sheet<T> {
    pub file: PathBuf,
    /// `None` where nothing could be read from it, which has been reported.
    pub raw: Option<T>,
}

impl<T> Sheet<T> {
    pub(super) fn folder(&self) -> &Path {
        self.file.parent().unwrap_or(Path::new(""))
    }
}

/// All files of a site as they are written.
#[derive(Debug, Default)]
pub(super) struct Sheets {
    pub site: Option<Sheet<SiteFile>>,
    pub hosts: Option<Sheet<HostsFile>>,
    pub people: Option<Sheet<PeopleFile>>,
    pub shifts: Option<Sheet<ShiftsFile>>,
    pub roster: Option<Sheet<RosterFile>>,
    pub roster_rules: Option<Sheet<RosterRulesFile>>,
    pub escalation: Option<Sheet<EscalationFile>>,
    pub service_levels: Option<Sheet<ServiceLevelsFile>>,
    pub windows: Option<Sheet<WindowsFile>>,
    pub calendars: BTreeMap<CalendarName, Sheet<CalendarFile>>,
    pub changes: BTreeMap<ChangeId, Sheet<ChangeFile>>,
    pub change_rules: Option<Sheet<ChangeRulesFile>>,
    pub batches: Vec<Sheet<BatchFile>>,
}

impl Sheets {
    pub(super) fn read(tree: &SourceTree, findings: &mut Findings) -> Self {
        let mut sheets = Self::default();
        for (path, file) in tree.iter() {
            check_other(path, file, findings);
            let Some(kind) = FileKind::of(path) else {
                sheets.note_change_folder(path, tree, findings);
                continue;
            };
            match kind {
                FileKind::Site => sheets.site = Some(sheet(path, file, findings)),
                FileKind::Hosts => sheets.hosts = Some(sheet(path, file, findings)),
                FileKind::People => sheets.people = Some(sheet(path, file, findings)),
                FileKind::Shifts => sheets.shifts = Some(sheet(path, file, findings)),
                FileKind::Roster => sheets.roster = Some(sheet(path, file, findings)),
                FileKind::RosterRules => sheets.roster_rules = Some(sheet(path, file, findings)),
                FileKind::Escalation => sheets.escalation = Some(sheet(path, file, findings)),
                FileKind::ServiceLevels => {
                    sheets.service_levels = Some(sheet(path, file, findings));
                }
                FileKind::Windows => sheets.windows = Some(sheet(path, file, findings)),
                FileKind::ChangeRules => sheets.change_rules = Some(sheet(path, file, findings)),
                FileKind::Batch => sheets.batches.push(sheet(path, file, findings)),
                FileKind::Calendar => {
                    let sheet = sheet(path, file, findings);
                    let name = path.file_stem().and_then(|stem| stem.to_str()).unwrap_or("");
                    match CalendarName::new(name) {
                        Ok(name) => {
                            sheets.calendars.insert(name, sheet);
                        }
                        Err(error) => findings.add(path, [of_file_name(&error.to_string())]),
                    }
                }
                FileKind::Change => {
                    let sheet = sheet(path, file, findings);
                    match change_id(path) {
                        Ok(id) => {
                            sheets.changes.insert(id, sheet);
                        }
                        Err(error) => findings.add(path, [of_file_name(&error.to_string())]),
                    }
                }
            }
        }
        if sheets.site.is_none() {
            let finding = Finding::error(Place::WHOLE_FILE, "there is no site.yaml")
                .hint("`nightrun init DIR` writes a small site to begin with");
            findings.add(Path::new("site.yaml"), [finding]);
        }
        sheets
    }

    /// A folder of `changes/` without its `change.yaml`.
    fn note_change_folder(&mut self, path: &Path, tree: &SourceTree, findings: &mut Findings) {
        let mut parts = path.iter();
        let (Some("changes"), Some(folder), Some(_)) =
            (parts.next().and_then(|part| part.to_str()), parts.next(), parts.next())
        else {
            return;
        };
        let file = Path::new("changes").join(folder).join("change.yaml");
        let Some(id) = folder.to_str().and_then(|id| ChangeId::new(id).ok()) else { return };
        if tree.get(&file).is_none() && !self.changes.contains_key(&id) {
            let what = format!("the change `{id}` has no change.yaml");
            findings.add(&file, [Finding::error(Place::WHOLE_FILE, what)]);
            self.changes.insert(id, Sheet { file, raw: None });
        }
    }
}

/// What concerns files that are no job files.
fn check_other(path: &Path, file: &SourceFile, findings: &mut Findings) {
    if path.extension().is_some_and(|ending| ending == "yml") {
        let finding = Finding::warning(Place::WHOLE_FILE, "this file is not read");
        findings.add(path, [finding.hint("job files end in `.yaml`")]);
    }
    // A CSV file that no calendar names is data, of any size.
    let data = path.extension().is_some_and(|ending| ending == "csv");
    if let SourceFile::Unreadable(why) = file
        && FileKind::of(path).is_none()
        && !data
    {
        let what = format!("this file was not read: {why}");
        findings.add(path, [Finding::warning(Place::WHOLE_FILE, what)]);
    }
}

fn change_id(path: &Path) -> Result<ChangeId, crate::types::InvalidName> {
    let folder = path.parent().and_then(Path::file_name).and_then(|name| name.to_str());
    ChangeId::new(folder.unwrap_or(""))
}

fn of_file_name(error: &str) -> Finding {
    Finding::error(Place::WHOLE_FILE, error).hint("rename it: the name is what other files write")
}

fn sheet<T: Read>(path: &Path, file: &SourceFile, findings: &mut Findings) -> Sheet<T> {
    let raw = match text_of(file) {
        Ok(text) => {
            let (raw, found) = raw::file(text);
            findings.add(path, found);
            raw
        }
        Err(finding) => {
            findings.add(path, [finding]);
            None
        }
    };
    Sheet { file: path.to_path_buf(), raw }
}

/// A file's text; what is wrong where it has none.
pub(super) fn text_of(file: &SourceFile) -> Result<&str, Finding> {
    match file {
        SourceFile::Content(bytes) => std::str::from_utf8(bytes).map_err(|error| {
            let (good, rest) = bytes.split_at(error.valid_up_to());
            let line = good.iter().filter(|b| **b == b'\n').count() + 1;
            let last = good.rsplit(|b| *b == b'\n').next().unwrap_or(good);
            let column = String::from_utf8_lossy(last).chars().count() + 1;
            let small = |n: usize| u32::try_from(n).unwrap_or(u32::MAX);
            let at = Place { line: small(line), column: small(column), length: 1 };
            let byte = rest.first().copied().unwrap_or_default();
            Finding::error(at, format!("not UTF-8: the byte 0x{byte:02x} stands here"))
                .hint("save the file as UTF-8; GBK and Latin-1 are not read")
        }),
        SourceFile::Present => Err(Finding::error(Place::WHOLE_FILE, "this file was not read")),
        SourceFile::Unreadable(why) => {
            Err(Finding::error(Place::WHOLE_FILE, format!("this file cannot be read: {why}")))
        }
    }
}
