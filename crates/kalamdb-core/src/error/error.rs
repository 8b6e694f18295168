//! Errors: one closed list of kinds, one error type, and the way from DataFusion's errors to it.

use std::fmt;

use kalamdb_store::StoreError;
use kalamdb_types::{TypeError, TypeErrorKind};

use super::kind::ErrorKind;
use crate::retry::{PageRef, Retry};

/// The result of an engine operation.
pub type Result<T> = std::result::Result<T, Error>;

/// Why the engine could not do what was asked. Nothing of the statement was done.
#[derive(Debug, Clone)]
pub struct Error(pub(crate) Box<Inner>);

#[derive(Debug, Clone)]
pub(crate) struct Inner {
    kind: ErrorKind,
    message: String,
    detail: Option<String>,
    hint: Option<String>,
    location: Option<Location>,
    /// The store's error behind it.
    store_error: Option<StoreError>,
    retry: Option<Retry>,
}

/// A place in a SQL text, as the tokenizer counts: lines and columns from 1, columns in characters.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Location {
    /// The line, from 1.
    pub line: u64,
    /// The character in the line, from 1.
    pub column: u64,
}

impl Error {
    /// An error of `kind`; the message names the object, in lower case and without a full stop.
    pub fn new(kind: ErrorKind, message: impl Into<String>) -> Self {
        Self(Box::new(Inner {
            kind,
            message: message.into(),
            detail: None,
            hint: None,
            location: None,
            store_error: None,
            retry: None,
        }))
    }

    pub(crate) fn unsupported(what: impl fmt::Display) -> Self {
        Self::new(ErrorKind::FeatureNotSupported, format!("{what} is not supported"))
    }

    pub(crate) fn unsupported_on_streams(statement: &str) -> Self {
        Self::new(ErrorKind::FeatureNotSupported, format!("{statement} is not supported on stream tables"))
    }

    pub(crate) fn internal(message: impl Into<String>) -> Self {
        Self::new(ErrorKind::InternalError, message)
    }

    /// Pages that are not in memory.
    pub(crate) fn missing_pages(pages: Vec<PageRef>) -> Self {
        let mut this = Self::internal("pages of a segment are not in memory");
        this.0.retry = Some(Retry::Pages(pages.into()));
        this
    }

    /// Segments that are no more.
    pub(crate) fn stale_snapshot(table: &impl fmt::Display) -> Self {
        let message = format!("table {table}: the rows were stored anew while they were read");
        let mut this = Self::new(ErrorKind::SerializationFailure, message).with_hint("run the transaction again");
        this.0.retry = Some(Retry::CatchUp);
        this
    }

    /// The store's error behind it.
    pub(super) fn store_error(&self) -> Option<&StoreError> {
        self.0.store_error.as_ref()
    }

    pub(crate) fn retry(&self) -> Option<&Retry> {
        self.0.retry.as_ref()
    }

    /// Names the table that the error is about.
    pub(crate) fn in_table(mut self, table: &impl fmt::Display) -> Self {
        self.0.message = format!("table {table}: {}", self.0.message);
        self
    }

    /// The same error under a kind that was found out later.
    pub(crate) fn with_kind(mut self, kind: ErrorKind) -> Self {
        self.0.kind = kind;
        self
    }

    pub(crate) fn with_detail(mut self, detail: impl Into<String>) -> Self {
        self.0.detail = Some(detail.into());
        self
    }

    pub(crate) fn with_hint(mut self, hint: impl Into<String>) -> Self {
        self.0.hint = Some(hint.into());
        self
    }

    pub(crate) fn with_location(mut self, location: Option<Location>) -> Self {
        self.0.location = location.or(self.0.location);
        self
    }

    /// Names the column that a value did not fit.
    pub(crate) fn in_column(mut self, column: &str) -> Self {
        self.0.message = format!("column {column}: {}", self.0.message);
        self
    }

    /// What kind of failure this is.
    pub fn kind(&self) -> ErrorKind {
        self.0.kind
    }

    /// What happened, to whom.
    pub fn message(&self) -> &str {
        &self.0.message
    }

    /// The values that are at fault, where that helps.
    pub fn detail(&self) -> Option<&str> {
        self.0.detail.as_deref()
    }

    /// What to do about it.
    pub fn hint(&self) -> Option<&str> {
        self.0.hint.as_deref()
    }

    /// Where in the SQL text, if known.
    pub fn location(&self) -> Option<Location> {
        self.0.location
    }
}

/// Refuses the first of the clauses that a statement has; each comes with whether it is there.
pub(crate) fn refuse_clauses(clauses: &[(bool, &str)]) -> Result<()> {
    match clauses.iter().find(|(is_there, _)| *is_there) {
        Some((_, what)) => Err(Error::unsupported(what)),
        None => Ok(()),
    }
}

impl fmt::Display for Error {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}", self.0.message)
    }
}

impl std::error::Error for Error {
    fn source(&self) -> Option<&(dyn std::error::Error + 'static)> {
        self.store_error().map(|error| error as _)
    }
}

impl From<StoreError> for Error {
    fn from(error: StoreError) -> Self {
        let (kind, hint) = match &error {
            StoreError::Conflict { .. } => (ErrorKind::SerializationFailure, Some("run the statement again")),
            StoreError::Corrupted { .. } => (ErrorKind::DataCorrupted, None),
            StoreError::SchemaTooNew { .. } => {
                (ErrorKind::SchemaTooNew, Some("update the package, or close tabs that run a newer one"))
            }
            StoreError::QuotaExceeded => (ErrorKind::DiskFull, Some("delete data, or ask the user for more storage")),
            StoreError::Closed => (ErrorKind::DatabaseClosed, Some("open the database again")),
            StoreError::Deleted { .. } => (ErrorKind::DatabaseClosed, Some("opening it again begins an empty one")),
            StoreError::Blocked { .. } => (ErrorKind::ObjectInUse, Some("close the other tabs of this application")),
            StoreError::Unavailable { .. } => (
                ErrorKind::StorageUnavailable,
                Some("pass onStorageUnavailable: 'memory' to go on without keeping data"),
            ),
            StoreError::Indeterminate { .. } => {
                (ErrorKind::TransactionResolutionUnknown, Some("look whether the write was kept"))
            }
            StoreError::Platform { .. } => (ErrorKind::IoError, Some("make the call again")),
            StoreError::InvalidCommit { .. } => (ErrorKind::InternalError, None),
        };
        let mut this = Self::new(kind, error.to_string());
        this.0.hint = hint.map(str::to_owned);
        this.0.store_error = Some(error);
        this
    }
}

impl From<TypeError> for Error {
    fn from(error: TypeError) -> Self {
        let kind = match error.kind {
            TypeErrorKind::DatatypeMismatch => ErrorKind::DatatypeMismatch,
            TypeErrorKind::InvalidText => ErrorKind::InvalidTextRepresentation,
            TypeErrorKind::OutOfRange => ErrorKind::NumericValueOutOfRange,
            TypeErrorKind::StringTooLong => ErrorKind::StringDataRightTruncation,
            TypeErrorKind::InvalidDatetime => ErrorKind::InvalidDatetimeFormat,
            TypeErrorKind::DatetimeOutOfRange => ErrorKind::DatetimeFieldOverflow,
            TypeErrorKind::InvalidVector => ErrorKind::DataException,
            TypeErrorKind::TooLarge => ErrorKind::ProgramLimitExceeded,
        };
        Self::new(kind, error.message)
    }
}
