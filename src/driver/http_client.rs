//! The asking end of HTTP: one request a connection, in the clear or over TLS.

use std::io;
use std::path::Path;
use std::sync::Arc;

use http_body_util::Full;
use hyper::body::{Bytes, Incoming};
use hyper::{Request, Response, Uri};
use hyper_util::rt::TokioIo;
use tokio::io::{AsyncRead, AsyncWrite};
use tokio::net::TcpStream;
use tokio_rustls::TlsConnector;
use tokio_rustls::rustls::pki_types::pem::PemObject;
use tokio_rustls::rustls::pki_types::{CertificateDer, ServerName};
use tokio_rustls::rustls::{ClientConfig, RootCertStore};

use super::hanging_files::apart;

/// Whose certificates are trusted: those of a file (PEM), else those that the host trusts.
#[derive(Debug, Clone, Copy)]
pub(super) struct Trust<'a>(pub(super) Option<&'a Path>);

/// Asks a server. `tls`: `None` in the clear. `None`: the other end has gone.
pub(super) async fn over_tcp(
    (host, port): (&str, u16),
    tls: Option<Trust<'_>>,
    request: Request<Full<Bytes>>,
) -> io::Result<Option<Response<Incoming>>> {
    let stream = TcpStream::connect((host, port)).await?;
    let Some(trust) = tls else { return exchange(stream, request).await };
    let name = ServerName::try_from(host.to_owned()).map_err(io::Error::other)?;
    let config = match trust.0.map(Path::to_owned) {
        // In a folder over the network, which may hang.
        Some(file) => apart(&file.clone(), move || trusting(Trust(Some(&file)))).await??,
        None => {
            let found = tokio::task::spawn_blocking(|| trusting(Trust(None)));
            found.await.map_err(io::Error::other)??
        }
    };
    let connector = TlsConnector::from(Arc::new(config));
    exchange(connector.connect(name, stream).await?, request).await
}

/// Asks the server that an address names, in the clear where it begins with http://. `ca`: the file of the certificates that
/// count there, in place of those that the host trusts.
pub(super) async fn at(
    uri: &Uri,
    ca: Option<&Path>,
    request: Request<Full<Bytes>>,
) -> io::Result<Response<Incoming>> {
    let (usual, tls) = match uri.scheme_str() {
        Some("http") => (80, None),
        _ => (443, Some(Trust(ca))),
    };
    let host = uri.host().unwrap_or_default().trim_start_matches('[').trim_end_matches(']');
    let server = (host, uri.port_u16().unwrap_or(usual));
    let told = |why: io::Error| io::Error::new(why.kind(), format!("{host}: {why}"));
    let answer = over_tcp(server, tls, request).await.map_err(told)?;
    answer.ok_or_else(|| io::Error::other(format!("{host} hung up")))
}

/// What the header `Host` of a request says: without user and password.
pub(super) fn host_of(uri: &Uri) -> &str {
    let authority = uri.authority().map(|authority| authority.as_str());
    authority.and_then(|text| text.rsplit('@').next()).unwrap_or_default()
}

/// Asks over a stream. `None`: the other end has gone.
pub(super) async fn exchange<S>(
    stream: S,
    request: Request<Full<Bytes>>,
) -> io::Result<Option<Response<Incoming>>>
where
    S: AsyncRead + AsyncWrite + Unpin + Send + 'static,
{
    let handshake = hyper::client::conn::http1::handshake(TokioIo::new(stream)).await;
    let Some((mut sender, connection)) = gone(handshake)? else { return Ok(None) };
    // It carries the body too, and ends with it.
    tokio::spawn(connection);
    gone(sender.send_request(request).await)
}

/// Who has gone in the middle of it does not answer, and that is all that is known.
pub(super) fn gone<T>(result: hyper::Result<T>) -> io::Result<Option<T>> {
    match result {
        Ok(value) => Ok(Some(value)),
        Err(why) if why.is_parse() => Err(io::Error::other(why)),
        Err(_) => Ok(None),
    }
}

fn trusting(Trust(file): Trust<'_>) -> io::Result<ClientConfig> {
    let mut roots = RootCertStore::empty();
    match file {
        Some(file) => {
            let bad = |why| io::Error::other(format!("{}: {why}", file.display()));
            for certificate in CertificateDer::pem_file_iter(file).map_err(bad)? {
                roots.add(certificate.map_err(bad)?).map_err(io::Error::other)?;
            }
        }
        None => {
            let found = rustls_native_certs::load_native_certs().certs;
            roots.add_parsable_certificates(found);
        }
    }
    let provider = Arc::new(tokio_rustls::rustls::crypto::ring::default_provider());
    let versions =
        ClientConfig::builder_with_provider(provider).with_safe_default_protocol_versions();
    Ok(versions.map_err(io::Error::other)?.with_root_certificates(roots).with_no_client_auth())
}
