//! The one table of types: what a column may hold, and how its values look in SQL, in Arrow, in stored JSON and on the
//! wire to JavaScript. `docs/types.md` is the table for people; [`SqlType`] is the table for the compiler: every
//! direction matches over it without a wildcard arm, so that a new type does not compile before each direction is
//! written.
//!
//! The crate knows no engine, no storage and no browser.
//!
//! - [`calendar`] counts days.
//! - [`coerce`] converts any Arrow array to a column's type.
//! - [`json`] is the stored form of rows.
//! - [`page`] is the stored form of a column of a segment.
//! - [`wire`] is the block of columns that crosses to JavaScript and back.

#[cfg(target_endian = "big")]
compile_error!("the wire block is little-endian and its buffers are copied in bulk");

pub mod calendar;
mod coerce;
mod error;
pub mod json;
mod lists;
mod number;
pub mod page;
mod sql_type;
mod text;
mod type_name;
pub mod wire;

pub use coerce::{Source, coerce};
pub use error::{TypeError, TypeErrorKind};
pub use json::JsonError;
pub use number::exact_decimal;
pub use page::PageError;
pub use sql_type::{ArrayType, ParseTypeError, SqlType, TYPE_KEY};
pub use text::{IntervalField, IntervalFields, append_json, parse_interval_of};
pub use type_name::type_name;
pub use wire::WireError;
