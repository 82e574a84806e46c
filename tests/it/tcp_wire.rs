//! A wire to a server on this host that can be cut, or made to hold back what one side says.

use std::sync::Arc;
use std::sync::atomic::{AtomicU16, Ordering};

use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::tcp::{OwnedReadHalf, OwnedWriteHalf};
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::watch;

/// What becomes of what is sent.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Way {
    Through,
    /// The server hears everything, and none of its answers arrive.
    NoAnswers,
    /// Nothing arrives on either side; nothing is closed.
    Nothing,
    /// Connections end, and new ones with them.
    Cut,
}

pub(crate) struct Wire {
    pub(crate) port: u16,
    server: Arc<AtomicU16>,
    way: Arc<watch::Sender<Way>>,
}

impl Wire {
    /// Goes on in the runtime of the test.
    pub(crate) async fn to(server: u16) -> Self {
        Self::deaf_after(server, None).await
    }

    /// From the piece on in which the client says the word, no answer arrives any more.
    pub(crate) async fn deaf_after(server: u16, word: Option<&'static [u8]>) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let port = listener.local_addr().unwrap().port();
        let way = Arc::new(watch::channel(Way::Through).0);
        let ways = Arc::clone(&way);
        let server = Arc::new(AtomicU16::new(server));
        let leads_to = Arc::clone(&server);
        tokio::spawn(async move {
            while let Ok((client, _)) = listener.accept().await {
                if *ways.borrow() == Way::Cut {
                    continue;
                }
                let server = leads_to.load(Ordering::Relaxed);
                let Ok(server) = TcpStream::connect(("127.0.0.1", server)).await else { continue };
                let (from_client, to_client) = client.into_split();
                let (from_server, to_server) = server.into_split();
                let says = word.map(|word| (word, Arc::clone(&ways)));
                tokio::spawn(carry(from_client, to_server, ways.subscribe(), Way::Nothing, says));
                tokio::spawn(carry(from_server, to_client, ways.subscribe(), Way::NoAnswers, None));
            }
        });
        Self { port, server, way }
    }

    /// New connections go to another server, as to the one of a pair that leads now.
    pub(crate) fn leads_to(&self, server: u16) {
        self.server.store(server, Ordering::Relaxed);
    }

    pub(crate) fn set(&self, way: Way) {
        self.way.send_replace(way);
    }
}

/// Passes on, while the way lets it; `stops` is the way that stops this direction beside those that stop both.
async fn carry(
    mut from: OwnedReadHalf,
    mut to: OwnedWriteHalf,
    mut way: watch::Receiver<Way>,
    stops: Way,
    deaf_after: Option<(&'static [u8], Arc<watch::Sender<Way>>)>,
) {
    let mut piece = vec![0; 64 * 1024];
    loop {
        let read = tokio::select! {
            read = from.read(&mut piece) => read,
            _ = way.wait_for(|way| *way == Way::Cut) => return,
        };
        let Ok(length @ 1..) = read else { return };
        if let Some((word, ways)) = &deaf_after
            && piece[..length].windows(word.len()).any(|piece| piece == *word)
        {
            ways.send_replace(Way::NoAnswers);
        }
        let held = |way: &Way| *way == Way::Nothing || *way == stops;
        match way.wait_for(|way| !held(way)).await.map(|way| *way) {
            Ok(Way::Cut) | Err(_) => return,
            Ok(_) => {}
        }
        if to.write_all(&piece[..length]).await.is_err() {
            return;
        }
    }
}
