use std::sync::Arc;

use arrow::{
    array::{ArrayRef, BinaryArray, BooleanArray, PrimitiveArray, StringArray, types::*},
    buffer::{BooleanBuffer, Buffer, NullBuffer, OffsetBuffer, ScalarBuffer},
    datatypes::ArrowPrimitiveType,
};

use super::{
    ALIGNMENT, WireBlock, WireColumn, WireError,
    column::{Part, Values},
    kind, utf16,
};

/// The most rows of a block whose columns are all NULL: nothing else in such a block bounds the arrays made of it.
const MAX_NULL_ROWS: usize = 1 << 20;

/// Reads a block of input columns. No bytes at all are a block without rows and columns.
///
/// # Errors
/// If the bytes are not exactly one block. Nothing is allocated that the input's length does not justify.
pub fn decode_block(bytes: &[u8]) -> Result<WireBlock, WireError> {
    if bytes.is_empty() {
        return Ok(WireBlock { n_rows: 0, columns: Vec::new() });
    }
    let mut input = Input { bytes, position: 0 };
    let n_rows = input.u32()? as usize;
    let n_cols = input.u32()? as usize;
    // A column takes at least 8 bytes.
    let mut columns = Vec::with_capacity(n_cols.min(bytes.len() / ALIGNMENT));
    for _ in 0..n_cols {
        columns.push(input.column(n_rows)?);
    }
    if n_rows > MAX_NULL_ROWS && columns.iter().all(|column: &WireColumn| matches!(column.values, Values::Null)) {
        return Err(WireError::TooLarge("a number of rows without values"));
    }
    match bytes.len() - input.position {
        0 => Ok(WireBlock { n_rows, columns }),
        n_trailing => Err(WireError::Trailing(n_trailing)),
    }
}

/// The block, read up to `position`, which is never beyond its end.
struct Input<'a> {
    bytes: &'a [u8],
    position: usize,
}

impl<'a> Input<'a> {
    fn column(&mut self, n: usize) -> Result<WireColumn, WireError> {
        let (kind, nulls) = self.header(n)?;
        let values = if kind == kind::MIXED { self.mixed(n)? } else { self.values(kind, n, nulls.clone())? };
        Ok(WireColumn { n_rows: n, nulls, values })
    }

    /// The kind of a column and which of its values are NULL.
    fn header(&mut self, n: usize) -> Result<(u8, Option<NullBuffer>), WireError> {
        let [kind, has_nulls, ..] = *self.array::<ALIGNMENT>()?;
        match has_nulls {
            0 => Ok((kind, None)),
            // All values of a NULL column are: it has nothing to mark.
            1 if kind != kind::NULL => {
                let is_null = boolean_buffer(self.take(n)?)?;
                self.align()?;
                Ok((kind, Some(NullBuffer::new(!&is_null))))
            }
            other => Err(WireError::Flag(other)),
        }
    }

    fn values(&mut self, kind: u8, n: usize, nulls: Option<NullBuffer>) -> Result<Values, WireError> {
        Ok(match kind {
            kind::NULL => Values::Null,
            kind::BOOL => {
                let values = boolean_buffer(self.take(n)?)?;
                self.align()?;
                Values::Plain(Arc::new(BooleanArray::new(values, nulls)))
            }
            kind::F64 => Values::Plain(self.primitive::<Float64Type>(n, nulls)?),
            kind::I64 => Values::Plain(self.primitive::<Int64Type>(n, nulls)?),
            kind::I32 => Values::Plain(self.primitive::<Int32Type>(n, nulls)?),
            kind::STR => Values::Plain(Arc::new(self.strings(n, nulls)?)),
            kind::BYTES => Values::Plain(Arc::new(self.byte_strings(n, nulls)?)),
            kind::DATE_MS => Values::DateMs(self.numbers::<Float64Type>(n, nulls)?),
            kind::JSON => Values::Json(Arc::new(self.strings(n, nulls)?)),
            other => return Err(WireError::Kind(other)),
        })
    }

    fn mixed(&mut self, n: usize) -> Result<Values, WireError> {
        let kinds = self.take(n)?;
        self.align()?;
        let n_parts = self.u32()?;
        self.u32()?;
        let mut parts: Vec<Part> = Vec::new();
        for _ in 0..n_parts {
            let [kind, ..] = *self.array::<4>()?;
            let count = self.u32()? as usize;
            let n_asked = kinds.iter().filter(|other| **other == kind).count();
            let is_repeated = parts.iter().any(|part| part.kind == kind);
            if count != n_asked || is_repeated || kind == kind::NULL {
                return Err(WireError::Parts);
            }
            let (inner_kind, nulls) = self.header(count)?;
            if inner_kind != kind || nulls.is_some() {
                return Err(WireError::Parts);
            }
            let values = self.values(kind, count, None)?;
            parts.push(Part { kind, column: WireColumn { n_rows: count, nulls: None, values } });
        }
        // Distinct kinds, each with all its values: every value has its part if the counts add up.
        let n_values: usize = parts.iter().map(|part| part.column.n_rows).sum();
        let n_nulls = kinds.iter().filter(|kind| **kind == kind::NULL).count();
        if n_values + n_nulls != n {
            return Err(WireError::Parts);
        }
        Ok(Values::Mixed { kinds: kinds.to_vec(), parts })
    }

    fn primitive<T: ArrowPrimitiveType>(&mut self, n: usize, nulls: Option<NullBuffer>) -> Result<ArrayRef, WireError> {
        Ok(Arc::new(self.numbers::<T>(n, nulls)?))
    }

    fn numbers<T: ArrowPrimitiveType>(
        &mut self,
        n: usize,
        nulls: Option<NullBuffer>,
    ) -> Result<PrimitiveArray<T>, WireError> {
        let n_bytes = n.checked_mul(size_of::<T::Native>()).ok_or(WireError::TooLarge("a column"))?;
        // Copied once, into memory that is aligned for the type.
        let buffer = Buffer::from_slice_ref(self.take(n_bytes)?);
        self.align()?;
        Ok(PrimitiveArray::new(ScalarBuffer::new(buffer, 0, n), nulls))
    }

    fn strings(&mut self, n: usize, nulls: Option<NullBuffer>) -> Result<StringArray, WireError> {
        let (lengths, text) = self.variable(n)?;
        let offsets = OffsetBuffer::new(utf16::offsets(text, lengths)?.into());
        // Checks that the text is UTF-8 and that no offset is within a character.
        StringArray::try_new(offsets, Buffer::from_slice_ref(text), nulls).map_err(|_| WireError::Utf8)
    }

    fn byte_strings(&mut self, n: usize, nulls: Option<NullBuffer>) -> Result<BinaryArray, WireError> {
        let (lengths, bytes) = self.variable(n)?;
        i32::try_from(bytes.len()).map_err(|_| WireError::TooLarge("a column's bytes"))?;
        let total: u64 = lengths.iter().map(|length| u64::from(u32::from_le_bytes(*length))).sum();
        if total != bytes.len() as u64 {
            return Err(WireError::Lengths);
        }
        let offsets = OffsetBuffer::from_lengths(lengths.iter().map(|length| u32::from_le_bytes(*length) as usize));
        BinaryArray::try_new(offsets, Buffer::from_slice_ref(bytes), nulls).map_err(|_| WireError::Lengths)
    }

    /// The lengths of `n` values of variable length, and the bytes of all of them.
    fn variable(&mut self, n: usize) -> Result<(&'a [[u8; 4]], &'a [u8]), WireError> {
        let n_bytes = self.u32()? as usize;
        self.u32()?;
        let (lengths, _) = self.take(n.checked_mul(4).ok_or(WireError::TooLarge("a column"))?)?.as_chunks();
        self.align()?;
        let bytes = self.take(n_bytes)?;
        self.align()?;
        Ok((lengths, bytes))
    }

    fn take(&mut self, n: usize) -> Result<&'a [u8], WireError> {
        let rest = self.bytes.get(self.position..).unwrap_or_default();
        let (taken, _) = rest.split_at_checked(n).ok_or_else(|| self.truncated(n - rest.len()))?;
        self.position += n;
        Ok(taken)
    }

    fn array<const N: usize>(&mut self) -> Result<&'a [u8; N], WireError> {
        self.take(N)?.first_chunk().ok_or_else(|| self.truncated(N))
    }

    fn u32(&mut self) -> Result<u32, WireError> {
        self.array().map(|bytes| u32::from_le_bytes(*bytes))
    }

    fn align(&mut self) -> Result<(), WireError> {
        self.take(self.position.next_multiple_of(ALIGNMENT) - self.position).map(|_| ())
    }

    fn truncated(&self, needed: usize) -> WireError {
        WireError::Truncated { len: self.bytes.len(), needed }
    }
}

/// Bytes that are 0 or 1, as bits.
fn boolean_buffer(bytes: &[u8]) -> Result<BooleanBuffer, WireError> {
    match bytes.iter().find(|byte| **byte > 1) {
        None => Ok(bytes.iter().map(|byte| *byte == 1).collect()),
        Some(other) => Err(WireError::Boolean(*other)),
    }
}
