//! Whether somebody answers at an address, and how soon.

use std::path::Path;
use std::sync::Arc;
use std::time::Instant;

use http_body_util::Empty;
use hyper::body::Bytes;
use hyper::{Request, StatusCode, Uri, header};
use hyper_util::rt::TokioIo;
use tokio::io::{AsyncRead, AsyncWrite};
use tokio::net::TcpStream;
use tokio_rustls::TlsConnector;
use tokio_rustls::rustls::pki_types::ServerName;

use super::{Seen, milliseconds};
use crate::agent::worker::tls;
use crate::types::CheckVerdict;

#[expect(clippy::disallowed_methods, reason = "how long it takes is what is measured")]
pub(super) async fn tcp(address: &str) -> Seen {
    let began = Instant::now();
    match TcpStream::connect(address).await {
        Ok(_) => Seen::measured(milliseconds(began.elapsed()), ""),
        Err(why) => Seen::nothing(why.to_string()),
    }
}

/// Asks with GET, and looks at no more than the head of the answer. A redirect is an answer like others: it is followed nowhere.
#[expect(clippy::disallowed_methods, reason = "how long it takes is what is measured")]
pub(super) async fn http((url, ca): (&str, Option<&str>), wanted: Option<u16>) -> Seen {
    let began = Instant::now();
    let status = match ask(url, ca).await {
        Ok(status) => status,
        // The address may hold a secret: it is not repeated.
        Err(why) => return Seen::nothing(why),
    };
    let good = wanted.map_or(status.is_success(), |wanted| status.as_u16() == wanted);
    let words = format!("HTTP {}", status.as_u16());
    let verdict = (!good).then_some(CheckVerdict::Fail);
    Seen { value: milliseconds(began.elapsed()), verdict, words }
}

async fn ask(url: &str, ca: Option<&str>) -> Result<StatusCode, String> {
    let uri: Uri = url.parse().map_err(|_| "this is no address".to_owned())?;
    let named = uri.host().ok_or("the address names no host")?;
    let host = named.trim_start_matches('[').trim_end_matches(']').to_owned();
    let secure = uri.scheme_str() == Some("https");
    let port = uri.port_u16().unwrap_or(if secure { 443 } else { 80 });
    let stream = TcpStream::connect((host.as_str(), port)).await.map_err(words)?;
    if !secure {
        return exchange(stream, &uri).await;
    }
    let name = ServerName::try_from(host).map_err(words)?;
    let connector = TlsConnector::from(Arc::new(tls::trusting(ca.map(Path::new))?));
    exchange(connector.connect(name, stream).await.map_err(words)?, &uri).await
}

async fn exchange<S>(stream: S, uri: &Uri) -> Result<StatusCode, String>
where
    S: AsyncRead + AsyncWrite + Unpin + Send + 'static,
{
    let (mut sender, connection) =
        hyper::client::conn::http1::handshake(TokioIo::new(stream)).await.map_err(words)?;
    tokio::spawn(connection);
    let authority = uri.authority().map(|authority| authority.as_str()).unwrap_or_default();
    let host = authority.rsplit('@').next().unwrap_or_default();
    let request = Request::builder()
        .uri(uri.path_and_query().map_or("/", |path| path.as_str()))
        .header(header::HOST, host)
        .header(header::USER_AGENT, "nightrun")
        .header(header::CONNECTION, "close")
        .body(Empty::<Bytes>::new())
        .map_err(|_| "the address cannot be asked".to_owned())?;
    let answer = sender.send_request(request).await.map_err(words)?;
    Ok(answer.status())
}

fn words(why: impl std::fmt::Display) -> String {
    why.to_string()
}
