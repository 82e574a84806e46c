//! Runs that have left the store for files, as a table: `nightrun archive list`.

use super::access::{minute, written};
use super::words::Access;
use crate::types::{Lang, Zone};
use crate::view::archives::ArchiveLine;

/// One a row; times are of the zone.
pub fn text(lang: Lang, zone: &Zone, lines: &[ArchiveLine]) -> String {
    if lines.is_empty() {
        return Access::NoArchives.say(lang) + "\n";
    }
    let heads = [Access::Run, Access::Archived, Access::Bytes, Access::File];
    let row = |line: &ArchiveLine| {
        vec![line.run.to_string(), minute(zone, line.at), line.bytes.to_string(), line.file.clone()]
    };
    written(lang, &heads, lines.iter().map(row))
}
