//! Errors: one closed list of kinds, one error type, and the way from DataFusion's errors to it.

mod error;
mod from_datafusion;
mod kind;
mod payload;

pub use error::{Error, Location, Result};
pub(crate) use from_datafusion::{into_datafusion, nearest};
pub use kind::ErrorKind;
pub use payload::{ErrorCause, ErrorPayload};
