//! The SQL functions and operators that DataFusion does not have, or has with another meaning than PostgreSQL.
//!
//! Nothing here is global: what a function needs besides its arguments, the state of the id generator, is given to
//! [`register`].

pub(crate) mod arrays;
mod bounded;
mod bounded_aggregates;
mod casts;
mod choices;
pub(crate) mod datetime;
mod digests;
mod divisors;
mod float_range;
mod growth;
mod id_functions;
mod ids;
pub(crate) mod json;
mod lengths;
mod limits;
mod nth_value;
mod ntile;
mod numbering;
mod octets;
pub(crate) mod patterns;
mod population;
mod quoting;
mod register;
mod rounding;
mod scalar;
mod session;
mod shift;
mod sliding;
mod texts;
mod vectors;

pub(crate) use bounded::bounded;
pub(crate) use casts::{CAST_TO, TRY_CAST_TO, cast_to};
pub(crate) use growth::data_size;
pub(crate) use ids::{Ids, system_random};
pub(crate) use limits::{DEFAULT_VALUE_BYTES, Limits};
pub(crate) use register::register;
pub(crate) use scalar::{Texts, array, asked_for_type, coercing_function, field, function, is_text, no_such_function};
pub(crate) use session::session_function;
