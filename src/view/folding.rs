//! Jobs whose names begin alike (`load-eu`, `load-us`), which a drawing may have as one box.

use std::collections::{BTreeMap, BTreeSet};

use crate::types::JobName;

/// Between the parts of a name.
const BETWEEN: [char; 2] = ['-', '_'];

/// Which groups are folded, each to one box.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Folding {
    /// All of them, or none; `None`: all of a batch that has more jobs than a drawing.
    pub all: Option<bool>,
    /// Those of which it is the other way round.
    pub but: BTreeSet<String>,
}

impl Folding {
    /// The same with its answer for a batch that is, or is not, too large to be drawn job by job.
    pub(super) fn settled(self, large: bool) -> Self {
        Self { all: Some(self.all.unwrap_or(large)), ..self }
    }

    pub fn folds(&self, group: &str) -> bool {
        self.all.unwrap_or_default() != self.but.contains(group)
    }

    /// With one group the other way round.
    pub fn turned(&self, group: &str) -> Self {
        let mut turned = self.clone();
        if !turned.but.remove(group) {
            turned.but.insert(group.to_owned());
        }
        turned
    }
}

/// The group of each of these jobs: what the names begin with, up to the first `-` or `_` behind what all of them begin with,
/// without a number. A job that is alone has none.
pub(super) fn groups(jobs: &[&JobName]) -> Vec<Option<String>> {
    let names: Vec<&str> = jobs.iter().map(|job| job.as_str()).collect();
    let deep = shared(&names);
    let starts: Vec<&str> = names.iter().map(|name| start(name, deep)).collect();
    let mut sizes: BTreeMap<&str, usize> = BTreeMap::new();
    starts.iter().for_each(|start| *sizes.entry(start).or_default() += 1);
    let is_group = |start: &&str| sizes.get(start).is_some_and(|jobs| *jobs > 1);
    starts.iter().map(|start| Some(*start).filter(is_group).map(ToOwned::to_owned)).collect()
}

/// How many parts all names begin with.
fn shared(names: &[&str]) -> usize {
    let part = |name: &'_ str, at: usize| {
        let (part, rest) = (name.split(BETWEEN).nth(at), name.split(BETWEEN).nth(at + 1));
        rest.and(part).map(ToOwned::to_owned)
    };
    let is_shared = |at: &usize| {
        let mut parts = names.iter().map(|name| part(name, *at));
        let first = parts.next().flatten();
        first.is_some() && parts.all(|part| part == first)
    };
    (0..).take_while(is_shared).count()
}

fn start(name: &str, deep: usize) -> &str {
    let end = name.match_indices(BETWEEN).nth(deep).map_or(name.len(), |(at, _)| at);
    let start = name.get(..end).unwrap_or(name);
    start.trim_end_matches(|c: char| c.is_ascii_digit()).trim_end_matches(BETWEEN)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::core::test_night::name;

    fn of(names: &[&str]) -> Vec<Option<String>> {
        let jobs: Vec<JobName> = names.iter().map(|job| name(job)).collect();
        groups(&jobs.iter().collect::<Vec<_>>())
    }

    #[test]
    fn a_group_is_what_names_begin_with_behind_what_all_of_them_do() {
        let some = |group: &str| Some(group.to_owned());
        assert_eq!(
            of(&["load-eu", "load_us", "post-ledger", "load2"]),
            [some("load"), some("load"), None, some("load")]
        );
        assert_eq!(
            of(&["eod-load-eu", "eod-load-us", "eod-post-1", "eod-post-2"]),
            [some("eod-load"), some("eod-load"), some("eod-post"), some("eod-post")]
        );
        assert_eq!(of(&["j1", "j2", "k"]), [some("j"), some("j"), None]);
        // What has no further part is told apart by it.
        assert_eq!(of(&["eod", "eod-load"]), [some("eod"), some("eod")]);
        assert_eq!(of(&["close"]), [None]);
    }

    #[test]
    fn one_group_is_turned_and_turned_back() {
        let all = Folding::default().settled(true);
        assert!(all.folds("load") && !Folding::default().settled(false).folds("load"));
        let turned = all.turned("load");
        assert!(!turned.folds("load") && turned.folds("post"));
        assert_eq!(turned.turned("load"), all);
    }
}
