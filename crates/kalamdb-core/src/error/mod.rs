//! Errors: one closed list of kinds, one error type, and the way from DataFusion's errors to it.

mod error;
mod from_datafusion;
mod kind;
mod nearest;
mod payload;

pub(crate) use error::refuse_clauses;
pub use error::{Error, Location, Result};
pub(crate) use from_datafusion::into_datafusion;
pub use kind::ErrorKind;
pub(crate) use nearest::nearest;
pub use payload::{ErrorCause, ErrorPayload};
