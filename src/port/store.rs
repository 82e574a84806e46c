//! The state store: journal, rows and outbox.

/// The store could not do what was asked. Nothing of a failed commit is kept.
#[derive(Debug, thiserror::Error)]
pub enum StoreError {
    /// It may work later: disk full, locked, connection lost.
    #[error("the store did not take it: {0}")]
    Trouble(String),
    /// What is stored cannot be read or does not prove itself. Nothing is replaced; people decide.
    #[error("the store cannot be trusted: {0}")]
    Damaged(String),
    #[error("another supervisor uses this store{0}")]
    InUse(String),
}

/// Filled by the journal's forms: see `journal`.
pub trait Store {}
