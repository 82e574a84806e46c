//! Runs, one a line: `nightrun runs`.

use crate::journal::RunRow;
use crate::render::table::Table;
use crate::render::words::Label;
use crate::types::{Lang, Zone};

/// The table; all times are of one zone, which each names.
pub fn text(lang: Lang, rows: &[RunRow], zone: &Zone) -> String {
    let heads = [Label::Run, Label::BusinessDate, Label::Result, Label::Opened, Label::Ended];
    let mut head: Vec<&str> = heads.iter().map(|label| label.say(lang)).collect();
    head.push("");
    let mut table = Table::new(&head, &[], 0);
    let at = |at: jiff::Timestamp| {
        at.to_zoned(zone.tz().clone()).strftime("%Y-%m-%d %H:%M:%S %Z").to_string()
    };
    for row in rows {
        table.row(vec![
            row.run.to_string(),
            row.business_date.to_string(),
            Label::of_result(row.result).say(lang).to_owned(),
            at(row.opened),
            row.ended.map(at).unwrap_or_default(),
            marks(lang, row),
        ]);
    }
    let mut text = String::new();
    table.write(&mut text);
    text
}

fn marks(lang: Lang, row: &RunRow) -> String {
    let trial = row.trial.then(|| Label::TrialMark.say(lang));
    let archived = row.archived.as_ref().map(|_| Label::ArchivedMark.say(lang));
    trial.into_iter().chain(archived).collect::<Vec<_>>().join(" ")
}
