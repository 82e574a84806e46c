//! What is wrong with a state folder, found by using it as a night would. Nothing of it stays.

#![expect(clippy::disallowed_methods, reason = "driver: it tries the state folder out")]

use std::fs::{File, Metadata, OpenOptions};
use std::io::{self, ErrorKind, Write};
use std::os::unix::fs::{MetadataExt, OpenOptionsExt};
use std::os::unix::net::UnixListener;
use std::path::Path;
use std::time::Instant;

use rustix::fs::{statfs, statvfs};

use super::account;
use super::socket_path::ShortPath;
use super::store::FILE;
use crate::view::health::Finding;

/// What is found of a state folder, the worst thing alone where it cannot be used at all.
pub fn examine(state: &Path) -> Vec<Finding> {
    let path = state.to_owned();
    let unusable = |why: &dyn ToString| {
        vec![Finding::StateUnusable { path: path.clone(), why: why.to_string() }]
    };
    let meta = match state.metadata() {
        Ok(meta) if meta.is_dir() => meta,
        Ok(_) => return unusable(&"it is a file"),
        Err(why) if why.kind() == ErrorKind::NotFound => return vec![Finding::NoState { path }],
        Err(why) => return unusable(&why),
    };
    let fsync_us = match synced_write(state) {
        Ok(took) => took,
        Err(why) => return unusable(&why),
    };
    let (space, kind) = match (statvfs(state), statfs(state)) {
        (Ok(space), Ok(kind)) => (space, kind),
        (Err(why), _) | (_, Err(why)) => return unusable(&why),
    };
    let free = space.f_bavail.saturating_mul(space.f_frsize);
    let files = (space.f_files > 0).then_some(space.f_favail);
    let mut found = vec![Finding::StateUsable { path: path.clone(), free, fsync_us }];
    found.extend(Finding::of_room(path.clone(), free, files));
    found.extend(file_system(state, kind.f_type as u64));
    found.extend(access(state, &meta));
    if let Err(why) = try_socket(state) {
        found.push(Finding::NoSockets { path, why: why.to_string() });
    }
    found
}

/// Writes a file as the agent keeps what it must not forget; microseconds.
fn synced_write(state: &Path) -> io::Result<u64> {
    let path = state.join(format!(".doctor-{}", std::process::id()));
    let begun = Instant::now();
    let written = OpenOptions::new()
        .write(true)
        .create(true)
        .truncate(true)
        .mode(0o600)
        .open(&path)
        .and_then(|mut file| file.write_all(b"nightrun doctor\n").and_then(|()| file.sync_all()))
        .and_then(|()| File::open(state)?.sync_all());
    let took = begun.elapsed();
    match std::fs::remove_file(&path) {
        Err(why) if why.kind() != ErrorKind::NotFound => written.and(Err(why)),
        _ => written,
    }?;
    Ok(u64::try_from(took.as_micros()).unwrap_or(u64::MAX))
}

/// A socket as the supervisor and the agent make theirs: whatever the length of the folder's path.
fn try_socket(state: &Path) -> io::Result<()> {
    let name = format!(".doctor-{}.sock", std::process::id());
    let short = ShortPath::of(state, &name)?;
    UnixListener::bind(short.path())?;
    std::fs::remove_file(short.path())
}

/// `magic`: the type that the kernel names.
fn file_system(state: &Path, magic: u64) -> Option<Finding> {
    // Numbers of linux/magic.h, and of the file systems that are not in it.
    const TMPFS: u64 = 0x0102_1994;
    const RAMFS: u64 = 0x8584_58f6;
    const SHARED: [(u64, &str); 7] = [
        (0x6969, "nfs"),
        (0xff53_4d42, "cifs"),
        (0xfe53_4d42, "smb"),
        (0x517b, "smb"),
        (0x0102_1997, "9p"),
        (0x00c3_6400, "ceph"),
        (0x5346_414f, "afs"),
    ];
    // A signed word, where it is one of 32 bits.
    let magic = magic & 0xffff_ffff;
    let path = state.to_owned();
    if [TMPFS, RAMFS].contains(&magic) {
        return Some(Finding::StateVolatile { path });
    }
    let (_, kind) = SHARED.into_iter().find(|(number, _)| *number == magic)?;
    Some(Finding::StateShared { path, kind })
}

fn access(state: &Path, meta: &Metadata) -> Vec<Finding> {
    let mut found = Vec::new();
    let (uid, own) = account::own();
    if meta.uid() != uid {
        let owner = account::name_of(meta.uid());
        found.push(Finding::StateOfAnother { path: state.to_owned(), owner, own });
    }
    if meta.mode() & 0o022 != 0 {
        found.push(Finding::StateOpenToOthers { path: state.to_owned(), mode: meta.mode() });
    }
    let store = state.join(FILE);
    if let Ok(meta) = store.metadata()
        && meta.mode() & 0o077 != 0
    {
        found.push(Finding::StoreOpenToOthers { path: store, mode: meta.mode() });
    }
    found
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn memory_and_the_network_are_no_place_for_a_store() {
        let found = |magic| file_system(Path::new("state"), magic);
        assert!(matches!(found(0x0102_1994), Some(Finding::StateVolatile { .. })));
        assert!(matches!(found(0x6969), Some(Finding::StateShared { kind: "nfs", .. })));
        // As a signed word of 32 bits gives it.
        let smb = i64::from(0xfe53_4d42_u32.cast_signed()) as u64;
        assert!(matches!(found(smb), Some(Finding::StateShared { kind: "smb", .. })));
        assert_eq!(found(0xef53), None, "ext4");
    }
}
