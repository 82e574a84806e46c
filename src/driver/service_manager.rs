//! Words to the service manager that has started this process (systemd's notification protocol): one datagram each, to the
//! socket that `NOTIFY_SOCKET` names. Nothing here ever waits, and nobody need listen.

#![expect(clippy::disallowed_methods, reason = "driver: the service manager speaks by environment")]

use std::ffi::OsStr;
use std::io;
use std::os::linux::net::SocketAddrExt;
use std::os::unix::ffi::OsStrExt;
use std::os::unix::net::{SocketAddr, UnixDatagram};
use std::time::Duration;

use rustix::time::{ClockId, clock_gettime};

/// The one that has started this process.
#[derive(Debug)]
pub struct ServiceManager {
    socket: UnixDatagram,
    address: SocketAddr,
    watchdog: Option<Duration>,
}

impl ServiceManager {
    /// As the environment names it; `None`: nobody is to be told anything.
    pub fn of_environment() -> io::Result<Option<Self>> {
        let Some(address) = std::env::var_os("NOTIFY_SOCKET") else { return Ok(None) };
        let pid = std::env::var("WATCHDOG_PID").ok();
        let usec = std::env::var("WATCHDOG_USEC").ok();
        let meant = pid.is_none_or(|pid| pid == std::process::id().to_string());
        let usec: Option<u64> = usec.filter(|_| meant).and_then(|usec| usec.parse().ok());
        let watchdog = usec.filter(|usec| *usec > 0).map(Duration::from_micros);
        Self::at(&address, watchdog).map(Some)
    }

    /// `address`: a path, or a name that begins with `@` and is in no folder. `watchdog`: the time within which it wants
    /// to be told that this process is alive.
    pub fn at(address: &OsStr, watchdog: Option<Duration>) -> io::Result<Self> {
        let address = match address.as_bytes() {
            [b'@', name @ ..] => SocketAddr::from_abstract_name(name)?,
            [b'/', ..] => SocketAddr::from_pathname(address)?,
            _ => {
                let what = "NOTIFY_SOCKET names neither a path from the root nor a name with @";
                return Err(io::Error::new(io::ErrorKind::InvalidInput, what));
            }
        };
        let socket = UnixDatagram::unbound()?;
        socket.set_nonblocking(true)?;
        Ok(Self { socket, address, watchdog })
    }

    pub fn watchdog(&self) -> Option<Duration> {
        self.watchdog
    }

    /// This process does what it is for; `status` is for people. An empty one leaves what was said before.
    pub fn ready(&self, status: &str) {
        match status {
            "" => self.tell("READY=1"),
            status => self.tell(&format!("READY=1\nSTATUS={}", one_line(status))),
        }
    }

    pub fn status(&self, status: &str) {
        self.tell(&format!("STATUS={}", one_line(status)));
    }

    /// Its settings are read anew; [`Self::ready`] follows.
    pub fn reloading(&self) {
        let now = clock_gettime(ClockId::Monotonic);
        let usec = now.tv_sec * 1_000_000 + now.tv_nsec / 1_000;
        self.tell(&format!("RELOADING=1\nMONOTONIC_USEC={usec}"));
    }

    pub fn stopping(&self) {
        self.tell("STOPPING=1");
    }

    /// To be said well within the time of [`Self::watchdog`].
    pub fn alive(&self) {
        self.tell("WATCHDOG=1");
    }

    fn tell(&self, words: &str) {
        // One that does not take it has gone, or has too much to read: the next word says what still counts.
        let _ = self.socket.send_to_addr(words.as_bytes(), &self.address);
    }
}

fn one_line(text: &str) -> String {
    text.split_whitespace().collect::<Vec<_>>().join(" ")
}

#[cfg(test)]
mod tests {
    use super::*;

    fn heard(socket: &UnixDatagram) -> String {
        let mut buffer = [0; 512];
        socket.set_read_timeout(Some(Duration::from_secs(10))).unwrap();
        let n = socket.recv(&mut buffer).unwrap();
        String::from_utf8(buffer[..n].to_vec()).unwrap()
    }

    #[test]
    fn words_reach_a_socket_with_a_path_and_one_without() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("notify");
        let name = format!("nightrun-test-{}", std::process::id());
        let nameless = SocketAddr::from_abstract_name(&name).unwrap();
        for (address, socket) in [
            (path.clone().into_os_string(), UnixDatagram::bind(&path).unwrap()),
            (format!("@{name}").into(), UnixDatagram::bind_addr(&nameless).unwrap()),
        ] {
            let manager = ServiceManager::at(&address, Some(Duration::from_secs(3))).unwrap();
            manager.ready("leading;\n 2 runs");
            manager.alive();
            manager.reloading();
            manager.stopping();
            assert_eq!(heard(&socket), "READY=1\nSTATUS=leading; 2 runs");
            assert_eq!(heard(&socket), "WATCHDOG=1");
            let reloading = heard(&socket);
            let usec = reloading.strip_prefix("RELOADING=1\nMONOTONIC_USEC=").unwrap();
            assert!(usec.parse::<u64>().unwrap() > 0);
            assert_eq!(heard(&socket), "STOPPING=1");
            // Nobody is there any more: nothing happens.
            drop(socket);
            manager.alive();
        }
        assert!(ServiceManager::at(OsStr::new("relative"), None).is_err());
    }
}
