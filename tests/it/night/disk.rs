//! Small file systems for tests: full, free again, read-only.

use std::fs::{self, File};
use std::io::Write;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

/// A file system of its own, gone with the test however that ends.
pub(crate) struct Disk(PathBuf);

impl Disk {
    /// `size` as `mount` has it, such as `1m`.
    pub(crate) fn mount(path: &Path, size: &str) -> Self {
        fs::create_dir_all(path).unwrap();
        let mut mount = Command::new("mount");
        mount.args(["-t", "tmpfs", "-o", &format!("size={size}"), "nightrun-test"]).arg(path);
        let status = mount.status().expect("`mount` is missing: install mount");
        assert!(status.success(), "a disk of its own for the test needs root: {mount:?}");
        Self(path.to_owned())
    }

    /// Takes all the room there is.
    pub(crate) fn fill(&self) {
        let mut file = File::create(self.0.join("ballast")).unwrap();
        for piece in [64 * 1024, 4 * 1024, 512] {
            while file.write_all(&vec![0; piece]).is_ok() {}
        }
    }

    /// As [`Disk::fill`], but for 32 KiB: enough to go on with what there is, and for nothing new.
    pub(crate) fn nearly_fill(&self) {
        self.fill();
        let ballast = File::options().write(true).open(self.0.join("ballast")).unwrap();
        let size = ballast.metadata().unwrap().len();
        ballast.set_len(size - 32 * 1024).unwrap();
    }

    pub(crate) fn free(&self) {
        fs::remove_file(self.0.join("ballast")).unwrap();
    }

    pub(crate) fn read_only(&self, read_only: bool) {
        let how = if read_only { "remount,ro" } else { "remount,rw" };
        assert!(self.remount(how), "{how} {}", self.0.display());
    }

    /// Refused as long as some process has a file open there to write it.
    pub(crate) fn try_read_only(&self) -> bool {
        self.remount("remount,ro")
    }

    fn remount(&self, how: &str) -> bool {
        let mut mount = Command::new("mount");
        mount.args(["-o", how]).arg(&self.0).stderr(Stdio::null());
        mount.status().unwrap().success()
    }
}

impl Drop for Disk {
    fn drop(&mut self) {
        // Lazily: what still has files open in it does not keep it.
        let _ = Command::new("umount").arg("-l").arg(&self.0).status();
    }
}

/// Folders that have become read-only, whoever has files open there for writing (which keeps a disk from it): what is
/// open can still be written, nothing can be made, renamed or removed. Writable again when this is dropped.
pub(crate) struct Frozen(Vec<PathBuf>);

impl Frozen {
    /// Those within others first: they are looked for from within, too.
    pub(crate) fn folders(paths: &[PathBuf]) -> Self {
        let mount = |arguments: &[&str], path: &Path| {
            let mut mount = Command::new("mount");
            mount.args(arguments).arg(path);
            assert!(mount.status().unwrap().success(), "{mount:?}");
        };
        let mut frozen = Self(Vec::new());
        for path in paths {
            mount(&["--bind", &path.to_string_lossy()], path);
            frozen.0.push(path.clone());
            mount(&["-o", "remount,bind,ro"], path);
        }
        frozen
    }
}

impl Drop for Frozen {
    fn drop(&mut self) {
        for path in self.0.iter().rev() {
            let _ = Command::new("umount").arg("-l").arg(path).status();
        }
    }
}
