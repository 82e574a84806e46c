//! Data changes that come again and again (D14): the fingerprints of their scripts, and what a bulletin tells of them.

use std::collections::BTreeMap;

use jiff::Timestamp;

use super::Fatal;
use crate::core::night::Core;
use crate::definition::site::Site;
use crate::port::{StoreError, StoreReader};
use crate::sql::{Fingerprint, fingerprint};
use crate::view::change_stats::{self, Execution, Recurring, StatsAsked, StatsBy};

/// The fingerprints of the data changes among these that what is asked needs, as far as their scripts are kept.
pub async fn prints<R: StoreReader>(
    reader: &R,
    executions: &[Execution],
    asked: &StatsAsked,
) -> Result<BTreeMap<String, Fingerprint>, StoreError> {
    let mut prints = BTreeMap::new();
    for (digest, dialect) in change_stats::scripts(executions, asked) {
        if let Some(bytes) = reader.blob_get(&digest).await? {
            let print = fingerprint(dialect, &String::from_utf8_lossy(&bytes));
            prints.insert(digest, print);
        }
    }
    Ok(prints)
}

/// Those that were done once more in a time.
pub(super) async fn recurring<R: StoreReader>(
    reader: &R,
    core: &Core,
    site: &Site,
    (from, to): (Timestamp, Timestamp),
) -> Result<Vec<Recurring>, Fatal> {
    let executions = change_stats::executions(site, &core.state().standing);
    let limits = site.statistics();
    let asked = StatsAsked { from, to, by: StatsBy::Team, environment: None, limits };
    let prints = prints(reader, &executions, &asked).await?;
    Ok(change_stats::stats(&executions, &prints, &asked, |_| String::new()).recurring)
}
