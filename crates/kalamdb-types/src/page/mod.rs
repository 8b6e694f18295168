//! The stored form of one column of a segment: a page. docs/storage-format.md describes its bytes.
//!
//! Integers are stored as the difference from the least of them, or from the one before, in as few bytes as the
//! greatest difference takes; doubles that are decimal fractions of few digits as integers; text and lists as lengths
//! and contents. Every run of bytes is compressed with LZ4 where that makes it shorter.

mod bytes;
mod decode;
mod encode;
mod floats;
mod integers;

use thiserror::Error;

pub use decode::decode_page;
pub use encode::encode_page;

/// Why a page does not encode or decode.
#[derive(Debug, Error)]
#[error("{0}")]
pub struct PageError(pub(crate) String);

impl PageError {
    fn new(what: impl Into<String>) -> Self {
        Self(what.into())
    }
}

type PageResult<T> = Result<T, PageError>;
