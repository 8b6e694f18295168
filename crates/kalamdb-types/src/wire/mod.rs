//! The block of columns that crosses to JavaScript and back; `docs/types.md` draws it byte by byte.

mod column;
mod decode;
mod encode;
mod utf16;

use thiserror::Error;

pub use column::{WireBlock, WireColumn};
pub use decode::decode_block;
pub use encode::encode_block;

/// The kinds of a column, as they are written.
mod kind {
    pub(super) const NULL: u8 = 0;
    pub(super) const BOOL: u8 = 1;
    pub(super) const F64: u8 = 2;
    pub(super) const I64: u8 = 3;
    pub(super) const STR: u8 = 4;
    pub(super) const BYTES: u8 = 5;
    pub(super) const DATE_MS: u8 = 6;
    pub(super) const JSON: u8 = 7;
    pub(super) const LIST: u8 = 8;
    pub(super) const STRUCT: u8 = 9;
    pub(super) const MIXED: u8 = 10;
    pub(super) const I32: u8 = 11;
    pub(super) const TS_US: u8 = 12;
    pub(super) const U64: u8 = 13;
}

/// Every buffer of a message begins at a multiple of this.
const ALIGNMENT: usize = 8;

/// Why bytes are not a block of input columns.
#[derive(Debug, Clone, PartialEq, Eq, Error)]
pub enum WireError {
    /// The block ends before what it announces.
    #[error("the block ends at byte {len}, where {needed} more are needed")]
    Truncated {
        /// The length of the block.
        len: usize,
        /// The bytes that are missing.
        needed: usize,
    },
    /// Bytes are left after the last column.
    #[error("{0} bytes follow the last column")]
    Trailing(usize),
    /// The kind of a column is unknown, or is not one of an input.
    #[error("a column of kind {0} is not an input")]
    Kind(u8),
    /// A column is marked as having NULLs where it cannot be, or with neither 0 nor 1.
    #[error("{0} does not say whether a column has NULLs")]
    Flag(u8),
    /// A boolean is neither 0 nor 1.
    #[error("{0} is not a boolean")]
    Boolean(u8),
    /// The lengths of values do not add up to the text or bytes that are there, or end within a character.
    #[error("the lengths of the values do not match their text")]
    Lengths,
    /// A text is not UTF-8.
    #[error("a text is not UTF-8")]
    Utf8,
    /// The parts of a column of several kinds are not those that its values ask for.
    #[error("the parts of a column of several kinds do not match its values")]
    Parts,
    /// More than a block may hold.
    #[error("{0} is more than a block may hold")]
    TooLarge(&'static str),
}
