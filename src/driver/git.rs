//! Job files in a git repository, read with the git program: which commit they are of, and what a commit holds.
#![expect(clippy::disallowed_methods, reason = "this driver is where git is run")]

use std::collections::BTreeMap;
use std::io::{self, Write as _};
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::time::Duration;

use crate::definition::source::{SourceFile, SourceTree};
use crate::types::{Named, Revision};

use super::files::{LARGEST, MOST_FILES, is_read};

/// How long a remote may take to answer.
const FETCH: Duration = Duration::from_secs(60);

/// How long git may take over what is on this host.
const ANSWER: Duration = Duration::from_secs(20);

/// What git did not do.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum GitError {
    #[error("there is no git program here: install it, such as with `apt-get install git`")]
    NoGit,
    #[error("{0} is not in a git repository")]
    NoRepository(PathBuf),
    #[error("git {what}: {why}")]
    Failed { what: String, why: String },
    #[error("git: {remote} did not answer in time")]
    NoAnswer { remote: String },
}

/// The commit that is checked out where a folder lies in a repository; `None`: it lies in none, or git cannot say.
pub fn revision_of(folder: &Path) -> Option<Revision> {
    // Most often there is none, and then no program is started to find that out.
    if !lies_in_repository(folder) {
        return None;
    }
    let repository = Repository::of(&std::fs::canonicalize(folder).ok()?).ok()?;
    let head = repository.commit("HEAD").ok()?;
    let dirty = repository.is_dirty().ok()?;
    repository.revision(&head, dirty).ok()
}

/// Whether a folder lies in a repository; no program is started to find that out.
pub fn lies_in_repository(folder: &Path) -> bool {
    let real = std::fs::canonicalize(folder);
    real.is_ok_and(|real| real.ancestors().any(|above| above.join(".git").exists()))
}

/// Of the git program, such as `2.39.5`.
pub fn version() -> Result<String, GitError> {
    let said = Git { at: Path::new("/") }.text(&["version"])?;
    Ok(said.trim().trim_start_matches("git version ").to_owned())
}

/// The repository that a site's folder lies in.
#[derive(Debug, Clone)]
pub struct Repository {
    top: PathBuf,
    /// The site's folder, from the top; empty where it is the top.
    site: PathBuf,
}

impl Repository {
    pub fn of(folder: &Path) -> Result<Self, GitError> {
        let git = Git { at: folder };
        let outside = |why| match why {
            GitError::Failed { ref why, .. } if why.contains("not a git repository") => {
                GitError::NoRepository(folder.to_owned())
            }
            other => other,
        };
        let found = git.text(&["rev-parse", "--show-toplevel", "--show-prefix"]);
        let found = found.map_err(outside)?;
        let mut lines = found.lines();
        let top = PathBuf::from(lines.next().unwrap_or_default());
        let site = PathBuf::from(lines.next().unwrap_or_default().trim_end_matches('/'));
        Ok(Self { top, site })
    }

    /// The full id of what a name stands for: `HEAD`, a branch, the beginning of an id.
    pub fn commit(&self, name: &str) -> Result<String, GitError> {
        let wanted = format!("{name}^{{commit}}");
        let found = self.git().text(&["rev-parse", "--verify", "--end-of-options", &wanted])?;
        Ok(found.trim().to_owned())
    }

    /// Who made a commit and when, and whether the site's files differ from it now.
    pub fn revision(&self, commit: &str, dirty: bool) -> Result<Revision, GitError> {
        let format = "--format=%H%x00%an <%ae>%x00%cI";
        let text = self.git().text(&["log", "-1", "--no-show-signature", format, commit])?;
        let mut parts = text.trim_end().split('\0');
        let mut next = || parts.next().unwrap_or_default().to_owned();
        let (commit, author, committed) = (next(), next(), next());
        let committed = committed.parse().map_err(|why: jiff::Error| GitError::Failed {
            what: "log".to_owned(),
            why: format!("`{committed}` is no time: {why}"),
        })?;
        Ok(Revision { commit, author, committed, dirty })
    }

    /// Whether the site's files differ from the commit that is checked out: altered, added or gone.
    pub fn is_dirty(&self) -> Result<bool, GitError> {
        let site = self.pathspec();
        let found = self.git().text(&["status", "--porcelain", "-z", "--", &site])?;
        Ok(!found.is_empty())
    }

    pub fn is_ancestor(&self, older: &str, newer: &str) -> Result<bool, GitError> {
        let arguments = ["merge-base", "--is-ancestor", older, newer];
        let done = self.git().run(&arguments, None)?;
        match done.status.code() {
            Some(0) => Ok(true),
            Some(1) => Ok(false),
            _ => Err(failed(&arguments, &done.stderr)),
        }
    }

    /// The site's files in a commit, by the same rules as those of a folder.
    pub fn tree(&self, commit: &str) -> Result<SourceTree, GitError> {
        let mut tree = SourceTree::default();
        let mut wanted = Vec::new();
        for entry in self.entries(commit)? {
            let file = entry.as_file();
            if file.is_none() {
                wanted.push((entry.path.clone(), entry.object));
            }
            tree.insert(entry.path, file.unwrap_or(SourceFile::Present));
        }
        for (path, bytes) in self.objects(wanted)? {
            tree.insert(path, SourceFile::Content(bytes));
        }
        Ok(tree)
    }

    /// Whom the commits before and with one name as author or committer that touched a folder of the site, the newest
    /// first. As each commit says it: a file that maps names to others may have been written by any of them.
    pub fn named(&self, commit: &str, folder: &Path) -> Result<Vec<Named>, GitError> {
        let path = self.site.join(folder).display().to_string();
        let format = "--format=%H%x00%ae%x00%ce";
        let text = self.git().text(&["log", "--no-show-signature", format, commit, "--", &path])?;
        let mut named = Vec::new();
        for line in text.lines() {
            let mut parts = line.split('\0');
            let commit = parts.next().unwrap_or_default();
            named.extend(parts.map(|mail| Named { commit: commit.into(), mail: mail.into() }));
        }
        Ok(named)
    }

    /// A path beneath the site's folder that is no file in a commit.
    pub fn odd_one(&self, commit: &str) -> Result<Option<PathBuf>, GitError> {
        let odd = |entry: Entry| (!entry.mode.starts_with("100")).then_some(entry.path);
        Ok(self.entries(commit)?.into_iter().find_map(odd))
    }

    /// The bytes of files of a commit, by their path from the site's folder.
    pub fn contents(
        &self,
        commit: &str,
        wanted: &dyn Fn(&Path) -> bool,
    ) -> Result<BTreeMap<PathBuf, Vec<u8>>, GitError> {
        let entries = self.entries(commit)?.into_iter().filter(|entry| wanted(&entry.path));
        self.objects(entries.map(|entry| (entry.path, entry.object)).collect())
    }

    /// Everything beneath the site's folder in a commit but what is hidden, by its path from that folder.
    fn entries(&self, commit: &str) -> Result<Vec<Entry>, GitError> {
        let site = self.pathspec();
        let arguments = ["ls-tree", "-r", "-z", "--long", "--full-tree", commit, "--", &site];
        let listed = self.git().bytes(&arguments, None)?;
        let mut entries = Vec::new();
        for line in listed.split(|byte| *byte == 0).filter(|line| !line.is_empty()) {
            let Some(mut entry) = Entry::of(line) else { continue };
            let Ok(path) = entry.path.strip_prefix(&self.site) else { continue };
            let hidden = |part: &std::ffi::OsStr| part.as_encoded_bytes().starts_with(b".");
            if path.iter().any(hidden) {
                continue;
            }
            if entries.len() >= MOST_FILES {
                return Err(failed(&arguments, b"more files than a site has"));
            }
            entry.path = path.to_path_buf();
            entries.push(entry);
        }
        Ok(entries)
    }

    /// Objects by what `git cat-file` calls them.
    fn objects(
        &self,
        wanted: Vec<(PathBuf, String)>,
    ) -> Result<BTreeMap<PathBuf, Vec<u8>>, GitError> {
        let arguments = ["cat-file", "--batch"];
        let names: String = wanted.iter().map(|(_, name)| format!("{name}\n")).collect();
        let found = self.git().bytes(&arguments, Some(names))?;
        let mut rest = found.as_slice();
        let mut objects = BTreeMap::new();
        for (path, name) in wanted {
            let bytes = take_object(&mut rest)
                .ok_or_else(|| failed(&arguments, format!("{name} cannot be read").as_bytes()))?;
            objects.insert(path, bytes.to_vec());
        }
        Ok(objects)
    }

    /// Gets what a branch of a remote is now, and returns the commit. Touches no file of the checkout.
    pub async fn fetch(&self, remote: &str, branch: &str) -> Result<String, GitError> {
        let refspec = format!("+refs/heads/{branch}:{}", Self::followed(remote, branch));
        let arguments =
            ["fetch", "--no-tags", "--no-recurse-submodules", "--quiet", remote, &refspec];
        let mut command = tokio::process::Command::from(self.git().command(&arguments));
        command.kill_on_drop(true).stdin(Stdio::null()).stdout(Stdio::null());
        command.stderr(Stdio::piped());
        let done = tokio::time::timeout(FETCH, command.output()).await;
        let no_answer = |_| GitError::NoAnswer { remote: remote.to_owned() };
        let done = done.map_err(no_answer)?.map_err(|why| not_run(&arguments, &why))?;
        if !done.status.success() {
            return Err(failed(&arguments, &done.stderr));
        }
        self.commit(&Self::followed(remote, branch))
    }

    /// The commit that a branch of a remote has now. Nothing is fetched.
    pub async fn remote_has(&self, remote: &str, branch: &str) -> Result<String, GitError> {
        let name = format!("refs/heads/{branch}");
        let arguments = ["ls-remote", "--exit-code", "--", remote, &name];
        let mut command = tokio::process::Command::from(self.git().command(&arguments));
        command.kill_on_drop(true).stdin(Stdio::null());
        let no_answer = |_| GitError::NoAnswer { remote: remote.to_owned() };
        let done = tokio::time::timeout(ANSWER, command.output()).await.map_err(no_answer)?;
        let done = done.map_err(|why| not_run(&arguments, &why))?;
        let said = String::from_utf8_lossy(&done.stdout);
        match said.split_whitespace().next().filter(|_| done.status.success()) {
            Some(commit) => Ok(commit.to_owned()),
            None if done.stderr.is_empty() => {
                Err(failed(&arguments, format!("{remote} has no branch {branch}").as_bytes()))
            }
            None => Err(failed(&arguments, &done.stderr)),
        }
    }

    /// The branch that is checked out; `None`: a commit by itself.
    pub fn branch(&self) -> Result<Option<String>, GitError> {
        let said = self.git().text(&["rev-parse", "--abbrev-ref", "HEAD"])?;
        Ok(Some(said.trim().to_owned()).filter(|branch| branch != "HEAD"))
    }

    /// The name under which the last fetch of a branch is kept. None of the checkout's own.
    pub fn followed(remote: &str, branch: &str) -> String {
        format!("refs/nightrun/{remote}/{branch}")
    }

    fn git(&self) -> Git<'_> {
        Git { at: &self.top }
    }

    /// The site's folder as git takes paths: as it stands, from the top.
    fn pathspec(&self) -> String {
        match self.site.as_os_str().is_empty() {
            true => ".".to_owned(),
            false => self.site.display().to_string(),
        }
    }
}

/// The git program in a folder. It asks nobody anything and runs nothing that the repository brings along.
struct Git<'a> {
    at: &'a Path,
}

impl Git<'_> {
    fn command(&self, arguments: &[&str]) -> Command {
        let mut command = Command::new("git");
        command.arg("-C").arg(self.at);
        for setting in [
            "core.hooksPath=/dev/null",
            "core.fsmonitor=false",
            "protocol.ext.allow=never",
            "core.quotePath=false",
        ] {
            command.arg("-c").arg(setting);
        }
        command.args(arguments).env("GIT_TERMINAL_PROMPT", "0").env("GIT_OPTIONAL_LOCKS", "0");
        command.env("LC_ALL", "C").env("GIT_LITERAL_PATHSPECS", "1");
        // What is not here is not fetched by looking at it.
        command.env("GIT_NO_LAZY_FETCH", "1");
        command
    }

    fn run(
        &self,
        arguments: &[&str],
        input: Option<String>,
    ) -> Result<std::process::Output, GitError> {
        let mut command = self.command(arguments);
        let stdin = if input.is_some() { Stdio::piped() } else { Stdio::null() };
        command.stdin(stdin).stdout(Stdio::piped()).stderr(Stdio::piped());
        let run = || -> io::Result<std::process::Output> {
            let mut child = command.spawn()?;
            // Written beside what is read, so that neither side waits for the other.
            let writer = child.stdin.take().zip(input).map(|(mut stdin, input)| {
                std::thread::spawn(move || stdin.write_all(input.as_bytes()))
            });
            let pid = child.id();
            let (done, output) = std::sync::mpsc::channel();
            // Nobody waits for it any more where it took too long.
            std::thread::spawn(move || done.send(child.wait_with_output()).ok());
            let output = output.recv_timeout(ANSWER).unwrap_or_else(|_| {
                let pid = i32::try_from(pid).ok().and_then(rustix::process::Pid::from_raw);
                if let Some(pid) = pid {
                    // It may have ended by now.
                    rustix::process::kill_process(pid, rustix::process::Signal::KILL).ok();
                }
                Err(io::Error::other(format!("no answer in {} s", ANSWER.as_secs())))
            })?;
            if let Some(writer) = writer {
                // One that ends early has said why on its standard error.
                let _ = writer.join();
            }
            Ok(output)
        };
        run().map_err(|why| not_run(arguments, &why))
    }

    fn bytes(&self, arguments: &[&str], input: Option<String>) -> Result<Vec<u8>, GitError> {
        let done = self.run(arguments, input)?;
        if done.status.success() { Ok(done.stdout) } else { Err(failed(arguments, &done.stderr)) }
    }

    fn text(&self, arguments: &[&str]) -> Result<String, GitError> {
        let bytes = self.bytes(arguments, None)?;
        Ok(String::from_utf8_lossy(&bytes).into_owned())
    }
}

fn not_run(arguments: &[&str], why: &io::Error) -> GitError {
    if why.kind() == io::ErrorKind::NotFound {
        return GitError::NoGit;
    }
    GitError::Failed { what: first(arguments), why: why.to_string() }
}

fn failed(arguments: &[&str], said: &[u8]) -> GitError {
    let said = String::from_utf8_lossy(said);
    let why = said.trim().lines().next_back().unwrap_or("it does not say why").to_owned();
    GitError::Failed { what: first(arguments), why }
}

fn first(arguments: &[&str]) -> String {
    arguments.first().copied().unwrap_or_default().to_owned()
}

/// A line of `git ls-tree --long`.
struct Entry {
    mode: String,
    object: String,
    size: u64,
    path: PathBuf,
}

impl Entry {
    /// `100644 blob ID    SIZE<TAB>PATH`.
    fn of(line: &[u8]) -> Option<Self> {
        use std::os::unix::ffi::OsStrExt;
        let tab = line.iter().position(|byte| *byte == b'\t')?;
        let (head, path) = line.split_at(tab);
        let mut words = std::str::from_utf8(head).ok()?.split_ascii_whitespace().map(str::to_owned);
        let (mode, _, object, size) = (words.next()?, words.next()?, words.next()?, words.next()?);
        let path = PathBuf::from(std::ffi::OsStr::from_bytes(path.get(1..)?));
        Some(Self { mode, object, size: size.parse().unwrap_or(0), path })
    }

    /// `None`: its content is wanted.
    fn as_file(&self) -> Option<SourceFile> {
        if !is_read(&self.path) {
            return Some(SourceFile::Present);
        }
        (self.size > LARGEST)
            .then(|| SourceFile::Unreadable(format!("it is larger than {} MiB", LARGEST >> 20)))
    }
}

/// One object of the answer of `git cat-file --batch`: `ID blob SIZE`, a line end, the bytes, a line end.
fn take_object<'a>(rest: &mut &'a [u8]) -> Option<&'a [u8]> {
    let line = rest.iter().position(|byte| *byte == b'\n')?;
    let head = std::str::from_utf8(rest.get(..line)?).ok()?;
    let size: usize = head.split(' ').nth(2)?.parse().ok()?;
    let bytes = rest.get(line + 1..line + 1 + size)?;
    *rest = rest.get(line + size + 2..)?;
    Some(bytes)
}
