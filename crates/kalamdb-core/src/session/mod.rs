//! Sessions: on whose behalf statements run, and the transaction that they are in.

mod session;
mod transaction;

pub use session::{CallOptions, Session};
