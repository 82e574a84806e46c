//! The supervisor's Unix socket: both ends of [`crate::port::control`].

use std::collections::BTreeMap;
use std::io;
use std::os::unix::fs::PermissionsExt;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::Duration;

use rustix::event::{PollFd, PollFlags, Timespec, poll};
use tokio::io::{AsyncBufReadExt, AsyncReadExt, AsyncWriteExt, BufReader};
use tokio::net::{UnixListener, UnixStream};
use tokio::sync::{Semaphore, mpsc};

use super::account;
use super::socket_path::ShortPath;
use crate::port::control::{Account, Asked, Envelope, Reply, Request, VERSION};

/// The socket, in the state folder.
const NAME: &str = "control.sock";

/// Bytes of the longest request.
const LONGEST: u64 = 1024 * 1024;

/// Connections of one account at a time: no account uses up the supervisor's descriptors and memory.
const PER_ACCOUNT: usize = 64;

/// After a connection could not be accepted: out of descriptors, the next one could not either.
const ACCEPT_AGAIN: Duration = Duration::from_millis(100);

/// The listening end. The file is removed when it is dropped.
#[derive(Debug)]
pub struct Server {
    path: PathBuf,
    listener: UnixListener,
}

impl Server {
    /// Listens in the state folder, for everybody who may enter it. A socket that a dead supervisor left is replaced;
    /// whoever calls has the store's lock, so no live one can be there.
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
        open_to_all(short.path())?;
        Ok(Self { path: state.join(NAME), listener })
    }

    /// Takes requests in until the supervisor is gone.
    pub async fn serve(self, asked: mpsc::UnboundedSender<Asked>) {
        let mut places: BTreeMap<u32, Arc<Semaphore>> = BTreeMap::new();
        loop {
            tokio::select! {
                () = asked.closed() => return,
                accepted = self.listener.accept() => match accepted {
                    Ok((stream, _)) => admit(stream, &mut places, &asked),
                    // The client waits in the socket's queue, or tries again.
                    Err(_) => {
                        let never = std::future::pending::<()>();
                        let _ = tokio::time::timeout(ACCEPT_AGAIN, never).await;
                    }
                }
            }
        }
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        // Left behind, it would be replaced by the next supervisor.
        let _ = remove(&self.path);
    }
}

#[expect(clippy::disallowed_methods, reason = "driver: the socket is a file")]
fn remove(path: &Path) -> io::Result<()> {
    std::fs::remove_file(path)
}

fn open_to_all(path: &Path) -> io::Result<()> {
    std::fs::set_permissions(path, std::fs::Permissions::from_mode(0o666))
}

/// Gives a client one of the places of its account, or says that they are taken.
fn admit(
    stream: UnixStream,
    places: &mut BTreeMap<u32, Arc<Semaphore>>,
    asked: &mpsc::UnboundedSender<Asked>,
) {
    // Who cannot be told from others gets nothing.
    let Ok(uid) = stream.peer_cred().map(|peer| peer.uid()) else { return };
    let of_account = places.entry(uid).or_insert_with(|| Arc::new(Semaphore::new(PER_ACCOUNT)));
    let Ok(place) = Arc::clone(of_account).try_acquire_owned() else {
        let what = format!("this account has {PER_ACCOUNT} connections to the supervisor already");
        let refused = serde_json::to_vec(&Reply::Refused { what, rule: None }).unwrap_or_default();
        // As much as the socket takes at once; nobody waits for a client that does not read.
        let _ = stream.try_write(&[refused.as_slice(), b"\n"].concat());
        return;
    };
    let asked = asked.clone();
    tokio::spawn(async move {
        // A client that has gone is nobody's loss.
        let _ = converse(stream, uid, asked).await;
        drop(place);
    });
}

/// One client: one request after the other, each answered before the next is read.
async fn converse(
    stream: UnixStream,
    uid: u32,
    asked: mpsc::UnboundedSender<Asked>,
) -> io::Result<()> {
    let account = Account { uid, name: account::name_of(uid) };
    let (read, mut write) = stream.into_split();
    let mut read = BufReader::new(read);
    loop {
        let mut line = String::new();
        let read_bytes = (&mut read).take(LONGEST).read_line(&mut line).await?;
        if read_bytes == 0 {
            return Ok(());
        }
        let request = match parse(&line) {
            Ok(request) => request,
            Err(what) => {
                send(&mut write, &Reply::Refused { what, rule: None }).await?;
                return Ok(());
            }
        };
        // What it sent before it gave up (the supervisor stood still) must not be done behind its back later.
        if hung_up(read.get_ref().as_ref()) {
            return Ok(());
        }
        let (reply, mut replies) = mpsc::unbounded_channel();
        let on_its_way = Asked { account: account.clone(), request, reply };
        if asked.send(on_its_way).is_err() {
            let what = "the supervisor is stopping".to_owned();
            send(&mut write, &Reply::Failed { what, defects: false }).await?;
            return Ok(());
        }
        let mut watched = true;
        loop {
            tokio::select! {
                reply = replies.recv() => match reply {
                    Some(reply) => send(&mut write, &reply).await?,
                    None => break,
                },
                // Bytes there: the next request, which waits. None: it has gone, or only has no more to ask.
                more = read.fill_buf(), if watched => {
                    watched = false;
                    if more?.is_empty() && hung_up(read.get_ref().as_ref()) {
                        return Ok(());
                    }
                }
            }
        }
    }
}

/// Whether nobody is at the other end any more, to read an answer.
fn hung_up(stream: &UnixStream) -> bool {
    let mut fds = [PollFd::new(stream, PollFlags::empty())];
    let now = Timespec { tv_sec: 0, tv_nsec: 0 };
    poll(&mut fds, Some(&now)).is_ok() && fds[0].revents().contains(PollFlags::HUP)
}

fn parse(line: &str) -> Result<Request, String> {
    let envelope: Envelope =
        serde_json::from_str(line).map_err(|why| format!("not a request: {why}"))?;
    if envelope.version == VERSION {
        Ok(envelope.request)
    } else {
        Err(format!(
            "version {} of the requests is not spoken here ({VERSION} is)",
            envelope.version
        ))
    }
}

async fn send(write: &mut (impl AsyncWriteExt + Unpin), reply: &Reply) -> io::Result<()> {
    let mut line = serde_json::to_vec(reply)?;
    line.push(b'\n');
    write.write_all(&line).await
}

/// The asking end.
#[derive(Debug)]
pub struct Client {
    stream: BufReader<UnixStream>,
}

impl Client {
    /// `None`: no supervisor works on this state folder.
    pub async fn connect(state: &Path) -> io::Result<Option<Self>> {
        let short = ShortPath::of(state, NAME)?;
        match UnixStream::connect(short.path()).await {
            Ok(stream) => Ok(Some(Self { stream: BufReader::new(stream) })),
            Err(error)
                if matches!(
                    error.kind(),
                    // Reset: it has gone between the call and its answer.
                    io::ErrorKind::NotFound
                        | io::ErrorKind::ConnectionRefused
                        | io::ErrorKind::ConnectionReset
                ) =>
            {
                Ok(None)
            }
            Err(error) => Err(error),
        }
    }

    /// The process at the other end, where the kernel names it.
    pub fn pid(&self) -> Option<i32> {
        self.stream.get_ref().peer_cred().ok()?.pid()
    }

    pub async fn ask(&mut self, request: Request) -> io::Result<()> {
        let mut line = serde_json::to_vec(&Envelope { version: VERSION, request })?;
        line.push(b'\n');
        self.stream.get_mut().write_all(&line).await
    }

    /// The next answer; `None` when the supervisor has gone.
    pub async fn reply(&mut self) -> io::Result<Option<Reply>> {
        let mut line = String::new();
        if self.stream.read_line(&mut line).await? == 0 {
            return Ok(None);
        }
        Ok(Some(serde_json::from_str(&line)?))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::types::Lang;

    #[tokio::test]
    async fn an_account_gets_so_many_connections_and_one_again_when_it_gives_one_back() {
        let dir = tempfile::tempdir().unwrap();
        let (asked, mut requests) = mpsc::unbounded_channel();
        let serving = tokio::spawn(Server::bind(dir.path()).unwrap().serve(asked));
        let answering = tokio::spawn(async move {
            while let Some(Asked { reply, .. }) = requests.recv().await {
                reply.send(Reply::Over { exit_code: 0 }).unwrap();
            }
        });
        let ask = async || {
            let mut client = Client::connect(dir.path()).await.unwrap().unwrap();
            // One that is refused may be closed before it has asked.
            let _ = client.ask(Request::Status { language: Lang::En }).await;
            let reply = client.reply().await.unwrap().unwrap();
            (client, reply)
        };
        let mut clients = Vec::new();
        for _ in 0..PER_ACCOUNT {
            let (client, reply) = ask().await;
            assert_eq!(reply, Reply::Over { exit_code: 0 });
            clients.push(client);
        }
        assert!(matches!(ask().await.1, Reply::Refused { .. }));
        clients.pop();
        while ask().await.1 != (Reply::Over { exit_code: 0 }) {
            tokio::task::yield_now().await;
        }
        serving.abort();
        answering.abort();
    }
}
