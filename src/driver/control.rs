//! The supervisor's Unix socket: both ends of [`crate::port::control`].

use std::io;
use std::os::unix::fs::PermissionsExt;
use std::path::{Path, PathBuf};

use tokio::io::{AsyncBufReadExt, AsyncReadExt, AsyncWriteExt, BufReader};
use tokio::net::{UnixListener, UnixStream};
use tokio::sync::mpsc;

use super::account;
use super::socket_path::ShortPath;
use crate::port::control::{Account, Asked, Envelope, Reply, Request, VERSION};

/// The socket, in the state folder.
const NAME: &str = "control.sock";

/// Bytes of the longest request.
const LONGEST: u64 = 1024 * 1024;

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
        loop {
            tokio::select! {
                () = asked.closed() => return,
                accepted = self.listener.accept() => {
                    // A connection that cannot be accepted (out of descriptors) is the client's to try again.
                    if let Ok((stream, _)) = accepted {
                        tokio::spawn(converse(stream, asked.clone()));
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

/// One client: one request after the other, each answered before the next is read.
async fn converse(stream: UnixStream, asked: mpsc::UnboundedSender<Asked>) -> io::Result<()> {
    let uid = stream.peer_cred()?.uid();
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
                send(&mut write, &Reply::Refused { what }).await?;
                return Ok(());
            }
        };
        let (reply, mut replies) = mpsc::unbounded_channel();
        let on_its_way = Asked { account: account.clone(), request, reply };
        if asked.send(on_its_way).is_err() {
            let what = "the supervisor is stopping".to_owned();
            send(&mut write, &Reply::Failed { what, defects: false }).await?;
            return Ok(());
        }
        while let Some(reply) = replies.recv().await {
            send(&mut write, &reply).await?;
        }
    }
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
                    io::ErrorKind::NotFound | io::ErrorKind::ConnectionRefused
                ) =>
            {
                Ok(None)
            }
            Err(error) => Err(error),
        }
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
