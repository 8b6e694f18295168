//! Runs of bytes, compressed where that makes them shorter.

use super::{PageError, PageResult};

/// Shorter runs are not worth it.
const MIN_COMPRESSED: usize = 64;

/// Appends a run: its length, the length that is stored, and the bytes, which are LZ4 if the lengths differ.
pub(super) fn write_run(bytes: &[u8], out: &mut Vec<u8>) -> PageResult<()> {
    let length =
        |length: usize| u32::try_from(length).map_err(|_| PageError::new("a column of a segment is longer than 4 GiB"));
    let compressed = (bytes.len() >= MIN_COMPRESSED)
        .then(|| lz4_flex::block::compress(bytes))
        .filter(|shorter| shorter.len() < bytes.len());
    let stored = compressed.as_deref().unwrap_or(bytes);
    out.extend_from_slice(&length(bytes.len())?.to_le_bytes());
    out.extend_from_slice(&length(stored.len())?.to_le_bytes());
    out.extend_from_slice(stored);
    Ok(())
}

/// Reads bytes from their beginning on.
pub(super) struct Reader<'a> {
    rest: &'a [u8],
}

impl<'a> Reader<'a> {
    pub(super) fn new(bytes: &'a [u8]) -> Self {
        Self { rest: bytes }
    }

    pub(super) fn is_empty(&self) -> bool {
        self.rest.is_empty()
    }

    fn take(&mut self, length: usize) -> PageResult<&'a [u8]> {
        let (taken, rest) =
            self.rest.split_at_checked(length).ok_or_else(|| PageError::new("the page ends too early"))?;
        self.rest = rest;
        Ok(taken)
    }

    pub(super) fn array<const N: usize>(&mut self) -> PageResult<[u8; N]> {
        self.take(N)?.try_into().map_err(|_| PageError::new("the page ends too early"))
    }

    pub(super) fn byte(&mut self) -> PageResult<u8> {
        Ok(u8::from_le_bytes(self.array()?))
    }

    fn length(&mut self) -> PageResult<usize> {
        let length = u32::from_le_bytes(self.array()?);
        usize::try_from(length).map_err(|_| PageError::new("a run is too long"))
    }

    /// Reads a run of which the length is known.
    pub(super) fn run(&mut self, expected: usize) -> PageResult<Vec<u8>> {
        let (length, stored) = (self.length()?, self.length()?);
        if length != expected {
            return Err(PageError::new(format!("a run holds {length} bytes, it should hold {expected}")));
        }
        let stored = self.take(stored)?;
        if stored.len() == length {
            return Ok(stored.to_vec());
        }
        // LZ4 makes at most 255 bytes of one: a length beyond that is not allocated.
        if stored.len() > length || length / 255 > stored.len() {
            return Err(PageError::new("the lengths of a run do not match"));
        }
        let bytes = lz4_flex::block::decompress(stored, length).map_err(|error| PageError::new(error.to_string()))?;
        if bytes.len() == length { Ok(bytes) } else { Err(PageError::new("a run decompresses to another length")) }
    }
}
