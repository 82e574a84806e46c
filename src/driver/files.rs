//! Reads the files of a site from a folder.
#![expect(clippy::disallowed_methods, reason = "this driver is where files are read")]

use std::collections::BTreeMap;
use std::ffi::OsStr;
use std::fs;
use std::hash::{Hash, Hasher};
use std::io::{self, Read as _};
use std::os::unix::fs::MetadataExt;
use std::path::{Path, PathBuf};

use crate::definition::source::{SourceFile, SourceTree};

/// Bytes of the largest file that is read.
pub(super) const LARGEST: u64 = 4 << 20;
/// Files of one site; more of them are a wrong folder.
pub(super) const MOST_FILES: usize = 100_000;
const DEEPEST: usize = 32;

/// Why a folder could not be read.
#[derive(Debug, thiserror::Error)]
pub enum ReadSiteError {
    #[error("there is no folder {0}: give the folder of site.yaml, or `nightrun init` makes one")]
    NoFolder(PathBuf),
    #[error("{path} cannot be read: {error}")]
    Folder { path: PathBuf, error: io::Error },
    #[error("{0} holds more than {MOST_FILES} files: it does not look like a site's folder")]
    TooMany(PathBuf),
    #[error("{0} is deeper than {DEEPEST} folders")]
    TooDeep(PathBuf),
}

/// The files beneath `root`: YAML, CSV and SQL with their content, others by name. Hidden files and folders are left
/// out; a symbolic link is followed as long as it stays in `root`.
pub fn read_site(root: &Path) -> Result<SourceTree, ReadSiteError> {
    let real_root = match fs::canonicalize(root) {
        Ok(path) if path.is_dir() => path,
        _ => return Err(ReadSiteError::NoFolder(root.to_path_buf())),
    };
    let mut walk = Walk { real_root, tree: SourceTree::default(), files: 0 };
    let mut above = Vec::new();
    walk.folder(&walk.real_root.clone(), Path::new(""), &mut above)?;
    Ok(walk.tree)
}

/// The bytes of the wanted files of a tree that was read from `root`: those that it holds as it holds them, others from
/// the folder.
pub fn contents(
    root: &Path,
    tree: &SourceTree,
    wanted: &dyn Fn(&Path) -> bool,
) -> io::Result<BTreeMap<PathBuf, Vec<u8>>> {
    tree.iter()
        .filter(|(path, _)| wanted(path))
        .map(|(path, file)| {
            let bytes = match file {
                SourceFile::Content(bytes) => bytes.clone(),
                SourceFile::Present | SourceFile::Unreadable(_) => whole(&root.join(path))
                    .map_err(|e| io::Error::new(e.kind(), format!("{}: {e}", path.display())))?,
            };
            Ok((path.to_path_buf(), bytes))
        })
        .collect()
}

/// A number that changes when a file beneath `root` is added, removed, replaced or written. Hidden files and folders
/// are left out, as in [`read_site`]. What cannot be looked at is part of it too: it counts as another folder.
pub fn stamp(root: &Path) -> u64 {
    let mut hasher = std::hash::DefaultHasher::new();
    let mut todo = vec![root.to_path_buf()];
    let mut files = 0;
    while let Some(path) = todo.pop() {
        let found = fs::metadata(&path);
        path.hash(&mut hasher);
        match &found {
            Ok(found) => {
                let changed = (found.ctime(), found.ctime_nsec());
                (found.ino(), found.len(), changed).hash(&mut hasher);
            }
            Err(why) => why.kind().hash(&mut hasher),
        }
        files += 1;
        if files > MOST_FILES || !found.is_ok_and(|found| found.is_dir()) {
            continue;
        }
        let entries = fs::read_dir(&path).into_iter().flatten().flatten();
        let mut names: Vec<PathBuf> = entries
            .filter(|entry| !entry.file_name().as_encoded_bytes().starts_with(b"."))
            .map(|entry| entry.path())
            .collect();
        names.sort();
        todo.extend(names);
    }
    hasher.finish()
}

/// A regular file, whole.
pub fn whole(path: &Path) -> io::Result<Vec<u8>> {
    // Before it is opened: opening a pipe would wait for a writer.
    if !fs::metadata(path)?.is_file() {
        return Err(io::Error::other("it is no regular file"));
    }
    fs::read(path)
}

struct Walk {
    real_root: PathBuf,
    tree: SourceTree,
    files: usize,
}

impl Walk {
    /// `above` holds the folders that this one lies in, so that a link to one of them ends there.
    fn folder(
        &mut self,
        path: &Path,
        name: &Path,
        above: &mut Vec<PathBuf>,
    ) -> Result<(), ReadSiteError> {
        if above.len() >= DEEPEST {
            return Err(ReadSiteError::TooDeep(path.to_path_buf()));
        }
        let failed = |error| ReadSiteError::Folder { path: path.to_path_buf(), error };
        let mut entries =
            fs::read_dir(path).and_then(Iterator::collect::<io::Result<Vec<_>>>).map_err(failed)?;
        entries.sort_by_key(fs::DirEntry::file_name);
        above.push(path.to_path_buf());
        for entry in entries {
            if entry.file_name().as_encoded_bytes().starts_with(b".") {
                continue;
            }
            let name = name.join(entry.file_name());
            let kind = entry.file_type().map_err(failed)?;
            let path = if kind.is_symlink() {
                match self.linked(&entry.path()) {
                    Ok(path) => path,
                    Err(why) => {
                        self.add(name, SourceFile::Unreadable(why))?;
                        continue;
                    }
                }
            } else {
                entry.path()
            };
            if path.is_dir() {
                if !above.contains(&path) {
                    self.folder(&path, &name, above)?;
                }
            } else {
                let file = read_file(&path);
                self.add(name, file)?;
            }
        }
        above.pop();
        Ok(())
    }

    fn add(&mut self, name: PathBuf, file: SourceFile) -> Result<(), ReadSiteError> {
        self.files += 1;
        if self.files > MOST_FILES {
            return Err(ReadSiteError::TooMany(self.real_root.clone()));
        }
        self.tree.insert(name, file);
        Ok(())
    }

    /// Where a symbolic link leads.
    fn linked(&self, link: &Path) -> Result<PathBuf, String> {
        let target =
            fs::canonicalize(link).map_err(|error| format!("the link leads nowhere ({error})"))?;
        if target.starts_with(&self.real_root) {
            Ok(target)
        } else {
            Err("the link leads out of the site's folder".to_owned())
        }
    }
}

/// Whether the definition reads the content of such a file.
pub(super) fn is_read(path: &Path) -> bool {
    let read = ["yaml", "csv", "sql"].map(OsStr::new);
    path.extension().is_some_and(|ending| read.contains(&ending))
}

fn read_file(path: &Path) -> SourceFile {
    if !is_read(path) {
        return SourceFile::Present;
    }
    content(path).unwrap_or_else(|error| SourceFile::Unreadable(error.to_string()))
}

fn content(path: &Path) -> io::Result<SourceFile> {
    // Before it is opened: opening a pipe would wait for a writer.
    if !fs::metadata(path)?.is_file() {
        return Ok(SourceFile::Unreadable("it is no regular file".to_owned()));
    }
    let mut bytes = Vec::new();
    fs::File::open(path)?.take(LARGEST + 1).read_to_end(&mut bytes)?;
    if bytes.len() as u64 > LARGEST {
        return Ok(SourceFile::Unreadable(format!("it is larger than {} MiB", LARGEST >> 20)));
    }
    Ok(SourceFile::Content(bytes))
}

#[cfg(test)]
mod tests {
    use std::os::unix::fs::symlink;

    use super::*;

    fn names(tree: &SourceTree) -> Vec<String> {
        tree.iter()
            .map(|(path, file)| {
                let file = match file {
                    SourceFile::Content(bytes) => format!("{} bytes", bytes.len()),
                    SourceFile::Present => "present".to_owned(),
                    SourceFile::Unreadable(why) => why.clone(),
                };
                format!("{}: {file}", path.display())
            })
            .collect()
    }

    #[test]
    fn a_folder_is_read_whatever_it_holds() {
        let folder = tempfile::tempdir().unwrap();
        let at = |name: &str| folder.path().join(name);
        fs::create_dir_all(at("eod/sql")).unwrap();
        fs::create_dir_all(at(".git")).unwrap();
        fs::write(at("site.yaml"), "version: 1\n").unwrap();
        fs::write(at(".hidden.yaml"), "x").unwrap();
        fs::write(at(".git/config.yaml"), "x").unwrap();
        fs::write(at("eod/load.sh"), "echo").unwrap();
        fs::write(at("eod/sql/a.sql"), [0xff, 0xfe]).unwrap();
        fs::write(at("big.csv"), vec![b'x'; (LARGEST + 1) as usize]).unwrap();
        symlink("..", at("eod/up")).unwrap();
        symlink("eod", at("same")).unwrap();
        symlink("/etc/hostname", at("out.yaml")).unwrap();
        symlink("nowhere", at("gone.yaml")).unwrap();
        insta::assert_debug_snapshot!(names(&read_site(folder.path()).unwrap()), @r#"
        [
            "big.csv: it is larger than 4 MiB",
            "eod/load.sh: present",
            "eod/sql/a.sql: 2 bytes",
            "gone.yaml: the link leads nowhere (No such file or directory (os error 2))",
            "out.yaml: the link leads out of the site's folder",
            "same/load.sh: present",
            "same/sql/a.sql: 2 bytes",
            "site.yaml: 11 bytes",
        ]
        "#);
    }

    #[test]
    fn a_pipe_is_not_waited_for() {
        let folder = tempfile::tempdir().unwrap();
        let fifo = folder.path().join("a.yaml");
        rustix::fs::mknodat(
            rustix::fs::CWD,
            &fifo,
            rustix::fs::FileType::Fifo,
            rustix::fs::Mode::RUSR,
            0,
        )
        .unwrap();
        assert_eq!(names(&read_site(folder.path()).unwrap()), ["a.yaml: it is no regular file"]);
    }

    #[test]
    fn no_folder_is_an_error_that_says_what_to_do() {
        let error = read_site(Path::new("/nowhere/at/all")).unwrap_err();
        assert!(error.to_string().contains("nightrun init"), "{error}");
    }
}
