use thiserror::Error;

/// The result of a store's operation.
pub type StoreResult<T> = Result<T, StoreError>;

/// Why a store could not do what was asked.
#[derive(Debug, Clone, PartialEq, Eq, Error)]
pub enum StoreError {
    /// Another writer has committed since the change was computed; nothing was stored.
    #[error("the store is at commit {found}, the change was computed from commit {expected}")]
    Conflict {
        /// The head that the change was computed from.
        expected: u64,
        /// The stored head.
        found: u64,
    },
    /// The commit breaks the rules of [`Commit`](crate::Commit), or a number in it is beyond
    /// [`MAX_KEY`](crate::MAX_KEY); nothing was stored.
    #[error("the commit cannot be stored: {what}")]
    InvalidCommit {
        /// What is wrong with it.
        what: String,
    },
    /// A record that must be readable is not.
    #[error("record {key} is damaged: {what}")]
    Corrupted {
        /// The record's key.
        key: String,
        /// What is wrong with it.
        what: String,
    },
    /// The stored format is newer than this code.
    #[error("the stored format is version {found}, this code reads up to version {supported}: update the package")]
    SchemaTooNew {
        /// The stored version.
        found: u32,
        /// The newest version that this code reads.
        supported: u32,
    },
    /// The browser refused to store more.
    #[error("the storage quota is exceeded")]
    QuotaExceeded,
    /// The store was closed, by its owner or by the browser.
    #[error("the store is closed")]
    Closed,
    /// The database was deleted by another connection; a new one of the same name is another database.
    #[error("the database {name} was deleted")]
    Deleted {
        /// The database's name.
        name: String,
    },
    /// Another connection keeps the database from being opened or deleted.
    #[error("another connection blocks the database {name}")]
    Blocked {
        /// The database's name.
        name: String,
    },
    /// There is no storage here, for instance in some private modes.
    #[error("storage is unavailable: {reason}")]
    Unavailable {
        /// What the platform said.
        reason: String,
    },
    /// The commit failed in a way that leaves open whether it is stored: read the head before going on.
    #[error("the commit's outcome is unknown: {reason}")]
    Indeterminate {
        /// What the platform said.
        reason: String,
    },
    /// Any other exception of the platform, kept as it came. Nothing was stored.
    #[error("{name}: {message}")]
    Platform {
        /// The exception's name.
        name: String,
        /// The exception's message.
        message: String,
    },
}
