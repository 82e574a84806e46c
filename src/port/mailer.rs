//! The way that mail takes.

/// A message was not accepted.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum SendError {
    /// Try again later: refused for now, no answer, no connection. After the final dot without an answer it may have
    /// been delivered all the same, which the same Message-ID makes harmless.
    #[error("{0}")]
    Later(String),
    /// It will never be accepted.
    #[error("{0}")]
    Never(String),
}

pub trait Mailer {
    /// Sends one ready message (RFC 5322 bytes) to one recipient, within a total time limit of 30 s.
    /// Returns the server's own words.
    fn send(
        &self,
        from: &str,
        to: &str,
        message: &[u8],
    ) -> impl Future<Output = Result<String, SendError>> + Send;
}
