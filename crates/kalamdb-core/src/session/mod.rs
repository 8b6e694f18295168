//! Sessions: on whose behalf statements run, and the transaction that they are in.

mod kept_query;
mod query_stream;
mod session;
mod transaction;

pub use kept_query::KeptQuery;
pub use query_stream::QueryStream;
pub use session::Session;
