//! Where the API listens, on a thread of its own: what it has to do for those who look does not hold up a turn.

use std::collections::BTreeMap;
use std::future::{Ready, ready};
use std::io;
use std::net::{IpAddr, TcpListener};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use axum::Extension;
use axum::middleware::AddExtension;
use axum_server::accept::Accept;
use axum_server::tls_rustls::{RustlsAcceptor, RustlsConfig};
use axum_server::{Control, Handle};
use hyper_util::rt::{TokioExecutor, TokioTimer};
use hyper_util::server::conn::auto::Builder;
use tokio::net::{TcpStream, UnixStream};
use tokio::sync::{OwnedSemaphorePermit, Semaphore};
use tower_layer::Layer;

use super::caller::{End, HostEnd};
use super::{Api, Problem, routes};
use crate::definition::settings::{ApiListen, TlsFiles};
use crate::driver::api_socket::{ApiSocket, Peer};
use crate::driver::tls;

/// Connections of one account at a time: no account uses up the supervisor's descriptors and memory.
const PER_ACCOUNT: usize = 64;
/// Connections from the network at a time, and of one address among them; a proxy is one address.
const FROM_NETWORK: usize = 1_024;
const PER_ADDRESS: usize = 256;
/// A connection that has asked nothing for so long is closed.
const FIRST_REQUEST: Duration = Duration::from_secs(10);
/// One that asks nothing more for so long too.
const NEXT_REQUEST: Duration = Duration::from_secs(60);
/// Time that answers get which are under way when the process ends.
const LAST_ANSWERS: Duration = Duration::from_secs(2);

/// How often it is looked whether a certificate was renewed.
const LOOK_AT_FILES: Duration = Duration::from_secs(10);

/// Where to listen on the network; bound already, so that what cannot be is told at once.
#[derive(Debug)]
pub struct Network {
    listener: TcpListener,
    tls: Option<(RustlsConfig, TlsFiles)>,
}

impl Network {
    /// Binds the address, and reads the certificate where there is one.
    pub fn bind(listen: ApiListen) -> io::Result<Self> {
        let listener = TcpListener::bind(listen.listen).map_err(|why| {
            io::Error::new(why.kind(), format!("listening on {}: {why}", listen.listen))
        })?;
        let tls = listen.tls.map(|files| {
            let config = RustlsConfig::from_config(tls::read(&files)?);
            Ok::<_, io::Error>((config, files))
        });
        Ok(Self { listener, tls: tls.transpose()? })
    }
}

/// A certificate that was renewed is used for the next connection.
async fn renew(config: RustlsConfig, files: TlsFiles) {
    let mut before = tls::stamp(&files);
    loop {
        let never = std::future::pending::<()>();
        let _ = tokio::time::timeout(LOOK_AT_FILES, never).await;
        let now = tls::stamp(&files);
        if now.is_none() || now == before {
            continue;
        }
        // A pair that does not fit yet is half of a renewal: the former one goes on, and both are looked at again.
        if let Ok(new) = tls::read(&files) {
            config.reload_from_config(new);
            before = now;
        }
    }
}

/// The API at work. When this is dropped it takes in nothing more, and ends as soon as what it was asked is answered.
#[derive(Debug)]
pub struct Serving {
    // Its file is removed with it.
    _socket: ApiSocket,
    control: Control,
    thread: Option<std::thread::JoinHandle<()>>,
}

/// Serves the API until what is returned is dropped.
///
/// # Errors
/// Where there can be no thread for it.
pub fn serve(api: &Api, socket: ApiSocket, network: Option<Network>) -> io::Result<Serving> {
    let control = Control::new();
    let unix = socket.listener()?;
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build()?;
    let (service, ended) = (routes::service(api), control.clone());
    let work = async move {
        let unix = async {
            let mut server = axum_server::from_unix(unix)?;
            patience(server.http_builder());
            server
                .handle(Handle::with_control(ended.clone()))
                .acceptor(OfHost::default())
                .first_request_timeout(FIRST_REQUEST)
                .serve(service.clone().into_make_service())
                .await
        };
        let network = async {
            let Some(Network { listener, tls }) = network else { return Ok(()) };
            let mut server = axum_server::from_tcp(listener)?;
            patience(server.http_builder());
            let server = server
                .handle(Handle::with_control(ended.clone()))
                .first_request_timeout(FIRST_REQUEST);
            let (places, service) =
                (OfNetwork::new(tls.is_some()), service.clone().into_make_service());
            match tls {
                Some((tls, files)) => {
                    tokio::spawn(renew(tls.clone(), files));
                    let acceptor = RustlsAcceptor::new(tls).acceptor(places);
                    server.acceptor(acceptor).serve(service).await
                }
                None => server.acceptor(places).serve(service).await,
            }
        };
        // A listener that fails has nobody to tell: what it bound is gone, and the next command says so.
        let _: (io::Result<()>, io::Result<()>) = tokio::join!(unix, network);
    };
    let thread =
        std::thread::Builder::new().name("api".to_owned()).spawn(move || runtime.block_on(work))?;
    Ok(Serving { _socket: socket, control, thread: Some(thread) })
}

/// A connection that asks nothing more for a while, or asks too slowly, gives its place back.
fn patience(builder: &mut Builder<TokioExecutor>) {
    builder.http1().timer(TokioTimer::new()).header_read_timeout(NEXT_REQUEST);
}

impl Drop for Serving {
    fn drop(&mut self) {
        self.control.graceful_shutdown(Some(LAST_ANSWERS));
        if let Some(thread) = self.thread.take() {
            // A thread that has panicked answers nobody any more.
            let _ = thread.join();
        }
    }
}

/// Takes in connections of this host: each with the account at its other end, and with a place of that account.
#[derive(Debug, Clone, Default)]
struct OfHost {
    places: Arc<Mutex<BTreeMap<u32, Arc<Semaphore>>>>,
}

impl OfHost {
    fn admit(&self, stream: &UnixStream) -> io::Result<End> {
        let peer = Peer::of(stream)?;
        let mut places = self.places.lock().unwrap_or_else(PoisonError::into_inner);
        let of_account =
            places.entry(peer.account.uid).or_insert_with(|| Arc::new(Semaphore::new(PER_ACCOUNT)));
        let Ok(place) = Arc::clone(of_account).try_acquire_owned() else {
            let what =
                format!("this account has {PER_ACCOUNT} connections to the supervisor already");
            // As much as the socket takes at once; nobody waits for a client that does not read.
            let _ = stream.try_write(full(&what).as_bytes());
            return Err(io::Error::new(io::ErrorKind::QuotaExceeded, what));
        };
        Ok(End::Host(Arc::new(HostEnd { peer, _place: place })))
    }
}

/// An answer without a server.
fn full(what: &str) -> String {
    let problem = Problem::not_now(what);
    let body = serde_json::to_string(&problem).unwrap_or_default();
    format!(
        "HTTP/1.1 503 Service Unavailable\r\ncontent-type: {}\r\ncontent-length: {}\r\nconnection: close\r\n\r\n{body}",
        super::problem::PROBLEM,
        body.len()
    )
}

impl<S> Accept<UnixStream, S> for OfHost {
    type Stream = UnixStream;
    type Service = AddExtension<S, End>;
    type Future = Ready<io::Result<(UnixStream, AddExtension<S, End>)>>;

    fn accept(&self, stream: UnixStream, service: S) -> Self::Future {
        let end = self.admit(&stream);
        ready(end.map(|end| (stream, Extension(end).layer(service))))
    }
}

/// Takes in so many connections from the network, and no more.
#[derive(Debug, Clone)]
struct OfNetwork {
    places: Arc<Semaphore>,
    of_address: Arc<Mutex<BTreeMap<IpAddr, Arc<Semaphore>>>>,
    tls: bool,
}

impl OfNetwork {
    fn new(tls: bool) -> Self {
        Self { places: Arc::new(Semaphore::new(FROM_NETWORK)), of_address: Arc::default(), tls }
    }

    /// A place among all, and one of the address.
    fn place(&self, from: IpAddr) -> Option<[OwnedSemaphorePermit; 2]> {
        let place = Arc::clone(&self.places).try_acquire_owned().ok()?;
        let mut all = self.of_address.lock().unwrap_or_else(PoisonError::into_inner);
        all.retain(|_, places| places.available_permits() < PER_ADDRESS);
        let of_address = all.entry(from).or_insert_with(|| Arc::new(Semaphore::new(PER_ADDRESS)));
        let second = Arc::clone(of_address).try_acquire_owned().ok()?;
        Some([place, second])
    }
}

impl<S> Accept<TcpStream, S> for OfNetwork {
    type Stream = TcpStream;
    type Service = AddExtension<S, End>;
    type Future = Ready<io::Result<(TcpStream, AddExtension<S, End>)>>;

    fn accept(&self, stream: TcpStream, service: S) -> Self::Future {
        let admitted = || {
            let from = stream.peer_addr()?.ip();
            let full = || io::Error::from(io::ErrorKind::QuotaExceeded);
            let place = self.place(from).ok_or_else(full)?;
            stream.set_nodelay(true)?;
            Ok(End::Network { from, tls: self.tls, _place: Arc::new(place) })
        };
        ready(admitted().map(|end| (stream, Extension(end).layer(service))))
    }
}
