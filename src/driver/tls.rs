//! Certificates of the API, from files that are read anew when they change.

use std::io;
use std::sync::Arc;
use std::time::SystemTime;

use tokio_rustls::rustls::ServerConfig;
use tokio_rustls::rustls::crypto::ring;
use tokio_rustls::rustls::pki_types::pem::PemObject;
use tokio_rustls::rustls::pki_types::{CertificateDer, PrivateKeyDer};

use crate::definition::settings::TlsFiles;

/// Reads a certificate chain and its key.
///
/// # Errors
/// Where a file cannot be read, or the two do not fit.
pub fn read(files: &TlsFiles) -> io::Result<Arc<ServerConfig>> {
    let bad = |file: &std::path::Path| {
        let file = file.display().to_string();
        move |why: &dyn std::fmt::Display| io::Error::other(format!("{file}: {why}"))
    };
    let (of_certificate, of_key) = (bad(&files.certificate), bad(&files.key));
    let chain = CertificateDer::pem_file_iter(&files.certificate)
        .and_then(Iterator::collect::<Result<Vec<_>, _>>)
        .map_err(|why| of_certificate(&why))?;
    if chain.is_empty() {
        return Err(of_certificate(&"there is no certificate in it"));
    }
    let key = PrivateKeyDer::from_pem_file(&files.key).map_err(|why| of_key(&why))?;
    let config = ServerConfig::builder_with_provider(Arc::new(ring::default_provider()))
        .with_safe_default_protocol_versions()
        .map_err(io::Error::other)?
        .with_no_client_auth()
        .with_single_cert(chain, key)
        .map_err(|why| of_key(&why))?;
    Ok(Arc::new(config))
}

/// When the files were changed last; `None`: they cannot be looked at now.
pub fn stamp(files: &TlsFiles) -> Option<(SystemTime, SystemTime)> {
    let of = |file| std::fs::metadata(file).and_then(|found| found.modified()).ok();
    Some((of(&files.certificate)?, of(&files.key)?))
}
