//! The files of the small site that `nightrun init DIR` writes.

/// Paths from the site's folder, with what is written there.
pub const FILES: &[(&str, &str)] = &[
    ("site.yaml", include_str!("starter/site.yaml")),
    ("people.yaml", include_str!("starter/people.yaml")),
    ("calendars/weekdays.yaml", include_str!("starter/calendars/weekdays.yaml")),
    ("hello/hello.yaml", include_str!("starter/hello/hello.yaml")),
    ("hello/scripts/deliver.sh", include_str!("starter/hello/scripts/deliver.sh")),
    ("hello/sql/post.sql", include_str!("starter/hello/sql/post.sql")),
];

#[cfg(test)]
mod tests {
    use std::path::Path;

    use super::*;
    use crate::definition::source::{SourceFile, SourceTree};
    use crate::definition::{Styles, load};

    #[test]
    fn the_starter_is_without_defect_or_warning() {
        let mut tree = SourceTree::default();
        for (path, text) in FILES {
            tree.insert(*path, SourceFile::Content(text.as_bytes().to_vec()));
        }
        let loaded = load(&tree);
        let texts: Vec<String> = loaded
            .defects
            .iter()
            .map(|defect| defect.text(Path::new(""), Styles::plain()))
            .collect();
        assert_eq!(texts.concat(), "");
        let site = loaded.site.unwrap();
        let batch = site.batches.values().next().unwrap();
        assert_eq!(batch.id.as_str(), "hello");
        assert_eq!(batch.jobs.len(), 4);
        assert!(site.targets.values().all(|target| target.trial));
        assert!(site.hosts.values().all(|host| host.trial));
    }
}
