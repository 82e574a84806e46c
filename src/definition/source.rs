//! The files of a site as plain values, however they came here: from a folder, from a commit, from a test.

use std::collections::BTreeMap;
use std::path::{Component, Path, PathBuf};

/// The files of a site by their path from the site's folder, with `/` between the parts.
#[derive(Debug, Clone, Default)]
pub struct SourceTree {
    files: BTreeMap<PathBuf, SourceFile>,
}

/// One file of a site.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum SourceFile {
    /// A file that the definition reads: YAML, CSV, SQL. Not yet known to be UTF-8.
    Content(Vec<u8>),
    /// Any other file: that it is there is all that matters here.
    Present,
    /// It is there and could not be read; the text says why.
    Unreadable(String),
}

impl SourceTree {
    pub fn insert(&mut self, path: impl Into<PathBuf>, file: SourceFile) {
        self.files.insert(path.into(), file);
    }

    pub fn get(&self, path: &Path) -> Option<&SourceFile> {
        self.files.get(path)
    }

    /// Whether a file (or, for a folder's path, anything beneath it) is there.
    pub fn contains(&self, path: &Path) -> bool {
        self.files
            .range::<Path, _>((std::ops::Bound::Included(path), std::ops::Bound::Unbounded))
            .next()
            .is_some_and(|(found, _)| found.starts_with(path))
    }

    /// How many files there are.
    pub fn len(&self) -> usize {
        self.files.len()
    }

    pub fn is_empty(&self) -> bool {
        self.files.is_empty()
    }

    /// In the order of their paths.
    pub fn iter(&self) -> impl Iterator<Item = (&Path, &SourceFile)> {
        self.files.iter().map(|(path, file)| (path.as_path(), file))
    }

    /// The lines of a file, to show them. Empty where it is no text.
    pub fn lines(&self, path: &Path) -> Lines<'_> {
        match self.files.get(path) {
            Some(SourceFile::Content(bytes)) => Lines(bytes.split(|b| *b == b'\n').collect()),
            _ => Lines(Vec::new()),
        }
    }
}

/// The lines of one file.
pub struct Lines<'t>(Vec<&'t [u8]>);

/// Bytes of the longest line that is shown with its defects.
const LONGEST_SHOWN: usize = 2000;

impl Lines<'_> {
    /// A line by its number from 1, without its line break; `None` where there is none, or where it is too long to show.
    pub fn get(&self, number: u32) -> Option<String> {
        let line = self.0.get(usize::try_from(number).ok()?.checked_sub(1)?)?;
        let line = line.strip_suffix(b"\r").unwrap_or(line);
        if line.len() > LONGEST_SHOWN {
            return None;
        }
        Some(String::from_utf8_lossy(line).trim_start_matches('\u{feff}').to_owned())
    }
}

impl<P: Into<PathBuf>, T: Into<Vec<u8>>> FromIterator<(P, T)> for SourceTree {
    fn from_iter<I: IntoIterator<Item = (P, T)>>(files: I) -> Self {
        let mut tree = Self::default();
        for (path, text) in files {
            tree.insert(path, SourceFile::Content(text.into()));
        }
        tree
    }
}

/// `relative` as named from `folder`, with `.` and `..` worked out; `None` where it leaves the site or is absolute.
pub fn within(folder: &Path, relative: &str) -> Option<PathBuf> {
    let mut path = folder.to_path_buf();
    for part in Path::new(relative).components() {
        match part {
            Component::Normal(name) => path.push(name),
            Component::CurDir => {}
            Component::ParentDir => {
                if !path.pop() {
                    return None;
                }
            }
            Component::RootDir | Component::Prefix(_) => return None,
        }
    }
    Some(path)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_path_stays_in_the_site() {
        let folder = Path::new("eod");
        assert_eq!(within(folder, "sql/a.sql"), Some(PathBuf::from("eod/sql/a.sql")));
        assert_eq!(within(folder, "./../b.sql"), Some(PathBuf::from("b.sql")));
        assert_eq!(within(folder, "../../b.sql"), None);
        assert_eq!(within(folder, "/etc/passwd"), None);
    }

    #[test]
    fn lines_are_counted_from_one() {
        let tree: SourceTree = [("a.yaml", "one\r\ntwo\n")].into_iter().collect();
        let lines = tree.lines(Path::new("a.yaml"));
        let line = |n| lines.get(n);
        assert_eq!(line(1).as_deref(), Some("one"));
        assert_eq!(line(2).as_deref(), Some("two"));
        assert_eq!((line(0), line(4)), (None, None));
    }

    #[test]
    fn a_folder_is_there_with_its_files() {
        let tree: SourceTree = [("changes/fee/change.yaml", "")].into_iter().collect();
        assert!(tree.contains(Path::new("changes/fee")));
        assert!(!tree.contains(Path::new("changes/fe")));
        assert!(!tree.contains(Path::new("changes/fees")));
    }
}
