//! The JSON Schema (draft 2020-12) of the job files, so that editors complete and check them.

use schemars::generate::SchemaSettings;
use schemars::{JsonSchema, SchemaGenerator};
use serde_json::{Value, json};

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
pub use super::sheets::FileKind;

/// The schema of one kind of file.
pub fn schema(kind: FileKind) -> Value {
    let mut generator = generator();
    match kind {
        FileKind::Site => generator.root_schema_for::<SiteFile>(),
        FileKind::Hosts => generator.root_schema_for::<HostsFile>(),
        FileKind::People => generator.root_schema_for::<PeopleFile>(),
        FileKind::Shifts => generator.root_schema_for::<ShiftsFile>(),
        FileKind::Roster => generator.root_schema_for::<RosterFile>(),
        FileKind::RosterRules => generator.root_schema_for::<RosterRulesFile>(),
        FileKind::Escalation => generator.root_schema_for::<EscalationFile>(),
        FileKind::ServiceLevels => generator.root_schema_for::<ServiceLevelsFile>(),
        FileKind::Windows => generator.root_schema_for::<WindowsFile>(),
        FileKind::Calendar => generator.root_schema_for::<CalendarFile>(),
        FileKind::Change => generator.root_schema_for::<ChangeFile>(),
        FileKind::ChangeRules => generator.root_schema_for::<ChangeRulesFile>(),
        FileKind::Batch => generator.root_schema_for::<BatchFile>(),
    }
    .to_value()
}

/// One schema that takes every kind of file.
pub fn schema_of_all() -> Value {
    let mut generator = generator();
    let kinds: Vec<Value> =
        FileKind::ALL.iter().map(|kind| reference(*kind, &mut generator)).collect();
    json!({
        "$schema": "https://json-schema.org/draft/2020-12/schema",
        "title": "nightrun job files",
        "anyOf": kinds,
        "$defs": generator.take_definitions(true),
    })
}

fn generator() -> SchemaGenerator {
    SchemaSettings::draft2020_12().into_generator()
}

fn reference(kind: FileKind, generator: &mut SchemaGenerator) -> Value {
    fn of<T: JsonSchema>(generator: &mut SchemaGenerator) -> Value {
        generator.subschema_for::<T>().to_value()
    }
    match kind {
        FileKind::Site => of::<SiteFile>(generator),
        FileKind::Hosts => of::<HostsFile>(generator),
        FileKind::People => of::<PeopleFile>(generator),
        FileKind::Shifts => of::<ShiftsFile>(generator),
        FileKind::Roster => of::<RosterFile>(generator),
        FileKind::RosterRules => of::<RosterRulesFile>(generator),
        FileKind::Escalation => of::<EscalationFile>(generator),
        FileKind::ServiceLevels => of::<ServiceLevelsFile>(generator),
        FileKind::Windows => of::<WindowsFile>(generator),
        FileKind::Calendar => of::<CalendarFile>(generator),
        FileKind::Change => of::<ChangeFile>(generator),
        FileKind::ChangeRules => of::<ChangeRulesFile>(generator),
        FileKind::Batch => of::<BatchFile>(generator),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_schema_of_all_files() {
        let text = serde_json::to_string_pretty(&schema_of_all()).unwrap();
        insta::assert_snapshot!(text);
    }

    #[test]
    fn each_kind_has_a_schema_of_its_own() {
        for kind in FileKind::ALL {
            let schema = schema(kind);
            assert_eq!(schema["properties"]["version"]["maximum"], 1, "{}", kind.word());
            assert_eq!(schema["additionalProperties"], false, "{}", kind.word());
        }
    }
}
