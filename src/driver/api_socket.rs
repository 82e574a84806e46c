//! The Unix socket of the API, in the state folder: where it listens, and who is at its other end.

use std::io;
use std::os::fd::{AsFd, OwnedFd};
use std::os::unix::fs::PermissionsExt;
use std::os::unix::net::UnixListener;
use std::path::{Path, PathBuf};

use rustix::event::{PollFd, PollFlags, Timespec, poll};
use tokio::net::UnixStream;

use super::account;
use super::socket_path::ShortPath;
use crate::port::control::Account;

/// The socket, in the state folder.
pub(super) const NAME: &str = "api.sock";

/// The listening end. The file is removed when it is dropped.
#[derive(Debug)]
pub struct ApiSocket {
    path: PathBuf,
    listener: UnixListener,
}

impl ApiSocket {
    /// Listens in the state folder, for everybody who may enter it. A socket that a dead supervisor left is replaced.
    ///
    /// # Errors
    /// `AddrInUse`: somebody listens there, such as another supervisor that stands by.
    pub fn bind(state: &Path) -> io::Result<Self> {
        let short = ShortPath::of(state, NAME)?;
        match std::os::unix::net::UnixStream::connect(short.path()) {
            Ok(_) => {
                return Err(io::Error::new(io::ErrorKind::AddrInUse, "somebody listens there"));
            }
            Err(error) if error.kind() == io::ErrorKind::NotFound => {}
            Err(_) => remove(short.path())?,
        }
        let listener = UnixListener::bind(short.path())?;
        // Everybody on the host may connect; who asks is the peer's account, and strangers are refused.
        std::fs::set_permissions(short.path(), std::fs::Permissions::from_mode(0o666))?;
        Ok(Self { path: state.join(NAME), listener })
    }

    /// The listener itself, for whoever serves it.
    pub fn listener(&self) -> io::Result<UnixListener> {
        self.listener.try_clone()
    }
}

impl Drop for ApiSocket {
    fn drop(&mut self) {
        // Left behind, it would be replaced by the next supervisor.
        let _ = remove(&self.path);
    }
}

#[expect(clippy::disallowed_methods, reason = "driver: the socket is a file")]
fn remove(path: &Path) -> io::Result<()> {
    std::fs::remove_file(path)
}

/// Who is at the other end of a connection.
#[derive(Debug)]
pub struct Peer {
    pub account: Account,
    stream: OwnedFd,
}

impl Peer {
    /// Who cannot be told from others is an error.
    pub fn of(stream: &UnixStream) -> io::Result<Self> {
        let uid = stream.peer_cred()?.uid();
        let account = Account { uid, name: account::name_of(uid) };
        Ok(Self { account, stream: stream.as_fd().try_clone_to_owned()? })
    }

    /// Whether nobody is there any more, to read an answer.
    pub fn has_gone(&self) -> bool {
        let mut fds = [PollFd::new(&self.stream, PollFlags::empty())];
        let now = Timespec { tv_sec: 0, tv_nsec: 0 };
        poll(&mut fds, Some(&now)).is_ok() && fds[0].revents().contains(PollFlags::HUP)
    }
}
