//! The files of the small site that `nightrun init DIR` writes, and the rule sets for changes and rosters that it can add.

/// Paths from the site's folder, with what is written there.
pub const FILES: &[(&str, &str)] = &[
    ("site.yaml", include_str!("starter/site.yaml")),
    ("hosts.yaml", include_str!("starter/hosts.yaml")),
    ("people.yaml", include_str!("starter/people.yaml")),
    ("calendars/weekdays.yaml", include_str!("starter/calendars/weekdays.yaml")),
    ("escalation.yaml", include_str!("starter/escalation.yaml")),
    ("inspection/inspection.yaml", include_str!("starter/inspection/inspection.yaml")),
    ("hello/hello.yaml", include_str!("starter/hello/hello.yaml")),
    ("hello/scripts/deliver.sh", include_str!("starter/hello/scripts/deliver.sh")),
    ("hello/sql/post.sql", include_str!("starter/hello/sql/post.sql")),
];

/// A house whose rules are there to begin with.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum House {
    /// The operations handbook of a bank.
    H,
    /// The production-change regulation of a broker.
    C,
}

impl House {
    /// What a site without rules of changes gets: the rules, the windows that they name, people with the roles that they
    /// name. The first file holds the rules.
    pub fn change_rules(self) -> [(&'static str, &'static str); 3] {
        let (rules, windows) = match self {
            Self::H => (
                include_str!("starter/change-rules/h.yaml"),
                include_str!("starter/change-rules/h-windows.yaml"),
            ),
            Self::C => (
                include_str!("starter/change-rules/c.yaml"),
                include_str!("starter/change-rules/c-windows.yaml"),
            ),
        };
        [("change-rules.yaml", rules), ("windows.yaml", windows), ("people.yaml", PEOPLE)]
    }

    /// What a site without rules of the roster gets: the rules, the shifts that they name, a roster that keeps to them,
    /// its people. The first file holds the rules.
    pub fn roster_rules(self) -> [(&'static str, &'static str); 4] {
        let (rules, shifts, roster) = match self {
            Self::H => (
                include_str!("starter/roster-rules/h.yaml"),
                include_str!("starter/roster-rules/h-shifts.yaml"),
                include_str!("starter/roster-rules/h-roster.yaml"),
            ),
            Self::C => (
                include_str!("starter/roster-rules/c.yaml"),
                include_str!("starter/roster-rules/c-shifts.yaml"),
                include_str!("starter/roster-rules/c-roster.yaml"),
            ),
        };
        [
            ("roster-rules.yaml", rules),
            ("shifts.yaml", shifts),
            ("roster.yaml", roster),
            ("people.yaml", PEOPLE),
        ]
    }
}

/// A word that names no rule set.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("`{0}` is no house: h or c")]
pub struct UnknownHouse(String);

impl std::str::FromStr for House {
    type Err = UnknownHouse;

    fn from_str(text: &str) -> Result<Self, UnknownHouse> {
        match text {
            "h" => Ok(Self::H),
            "c" => Ok(Self::C),
            _ => Err(UnknownHouse(text.to_owned())),
        }
    }
}

const PEOPLE: &str = include_str!("starter/change-rules/people.yaml");

#[cfg(test)]
mod tests {
    use std::path::Path;

    use super::*;
    use crate::definition::source::{SourceFile, SourceTree};
    use crate::definition::{Loaded, Styles, load};

    fn loaded(files: &[(&str, &str)]) -> Loaded {
        let mut tree = SourceTree::default();
        for (path, text) in FILES.iter().chain(files) {
            tree.insert(*path, SourceFile::Content(text.as_bytes().to_vec()));
        }
        let loaded = load(&tree);
        let texts: Vec<String> = loaded
            .defects
            .iter()
            .map(|defect| defect.text(Path::new(""), Styles::plain()))
            .collect();
        assert_eq!(texts.concat(), "");
        loaded
    }

    #[test]
    fn the_starter_is_without_defect_or_warning() {
        let site = loaded(&[]).site.unwrap();
        let batch = site.batches.values().next().unwrap();
        assert_eq!(batch.id.as_str(), "hello");
        assert_eq!(batch.jobs.len(), 4);
        assert!(site.targets.values().all(|target| target.trial));
        assert!(site.hosts.values().all(|host| host.trial));
        assert_eq!(site.change_rules, None);
        assert!(site.escalation.is_some_and(|escalation| !escalation.clocks.is_empty()));
        let rounds = &site.inspections.unwrap().rounds;
        assert!(rounds.iter().all(|rule| site.batches.contains_key(&rule.batch)));
    }

    #[test]
    fn both_rule_sets_are_without_defect_or_warning_beside_the_starter() {
        for (house, environments) in [(House::H, 3), (House::C, 2)] {
            let site = loaded(&house.change_rules()).site.unwrap();
            assert_eq!(site.change_rules.unwrap().environments.len(), environments);
            let roster = loaded(&house.roster_rules()).site.unwrap();
            assert!(roster.duty.rules.is_some_and(|rules| rules.cover.len() >= 4));
        }
    }
}
