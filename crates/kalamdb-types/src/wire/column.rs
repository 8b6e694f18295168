use std::sync::Arc;

use arrow::{
    array::{Array, ArrayRef, AsArray, Float64Array, StringArray, TimestampMicrosecondArray, new_null_array},
    buffer::NullBuffer,
    compute::interleave,
    datatypes::{DataType, Field, Int32Type, Int64Type},
};

use super::kind;
use crate::{Source, SqlType, TypeError, TypeErrorKind, coerce};

/// Columns of values from JavaScript, all of `n_rows` values.
#[derive(Debug, Clone)]
pub struct WireBlock {
    /// How many values each column has.
    pub n_rows: usize,
    /// The columns, in the order of the block.
    pub columns: Vec<WireColumn>,
}

/// The most numbers of a column of vectors: NULL takes no bytes of a block, but as much memory as every vector.
const MAX_NUMBERS: usize = 1 << 27;

/// A column of values from JavaScript.
#[derive(Debug, Clone)]
pub struct WireColumn {
    pub(super) n_rows: usize,
    /// Which values are NULL; `values` knows it as well, except for several kinds.
    pub(super) nulls: Option<NullBuffer>,
    pub(super) values: Values,
}

#[derive(Debug, Clone)]
pub(super) enum Values {
    /// All NULL.
    Null,
    /// Booleans, numbers, strings and bytes: the Arrow type says all about them.
    Plain(ArrayRef),
    /// Milliseconds since the epoch.
    DateMs(Float64Array),
    /// JSON texts.
    Json(Arc<StringArray>),
    /// Each value's kind, and the values of each kind in order.
    Mixed { kinds: Vec<u8>, parts: Vec<Part> },
}

/// The values of one kind.
#[derive(Debug, Clone)]
pub(super) struct Part {
    pub(super) kind: u8,
    pub(super) column: WireColumn,
}

impl WireColumn {
    /// How many values the column has.
    pub fn len(&self) -> usize {
        self.n_rows
    }

    /// Whether the column has no values.
    pub fn is_empty(&self) -> bool {
        self.n_rows == 0
    }

    /// The values as a column of `target`, by the rules of [`Source::Value`]. Strings are not copied.
    ///
    /// # Errors
    /// The first value that does not convert; of several kinds, one of the kind that appears first in the block. More
    /// vectors than memory is for.
    pub fn into_typed(self, target: &SqlType) -> Result<ArrayRef, TypeError> {
        if let SqlType::Embedding(length) = target
            && self.n_rows.saturating_mul(*length as usize) > MAX_NUMBERS
        {
            let (n_rows, kind) = (self.n_rows, TypeErrorKind::TooLarge);
            let message = format!("{n_rows} values of {target} are too many at once");
            return Err(TypeError { kind, row: 0, message });
        }
        match &self.values {
            Values::Mixed { kinds, parts } => self.merge(kinds, parts, target),
            Values::Null => Ok(new_null_array(&target.arrow(), self.n_rows)),
            Values::Plain(_) | Values::DateMs(_) | Values::Json(_) => {
                let (array, field) = self.natural()?;
                coerce(&array, &field, target, Source::Value)
            }
        }
    }

    /// The value of a parameter as an array of its natural type, with a field that describes it: BOOL is Boolean, I32
    /// and I64 are Int64, F64 Float64, STR Utf8, BYTES Binary, DATE_MS Timestamp(us, UTC), JSON Utf8 marked as JSON,
    /// NULL Null.
    ///
    /// # Errors
    /// If a date is out of range, or the column has values of several kinds.
    pub fn scalar_array(&self) -> Result<(ArrayRef, Field), TypeError> {
        let (array, field) = self.natural()?;
        Ok(match array.as_primitive_opt::<Int32Type>() {
            // 32 bits are a matter of transport: a JavaScript number says nothing about the width.
            Some(integers) => {
                (Arc::new(integers.unary::<_, Int64Type>(i64::from)), Field::new("", DataType::Int64, true))
            }
            None => (array, field),
        })
    }

    fn natural(&self) -> Result<(ArrayRef, Field), TypeError> {
        let plain = |array: ArrayRef| {
            let field = Field::new("", array.data_type().clone(), true);
            (array, field)
        };
        Ok(match &self.values {
            Values::Null => plain(new_null_array(&DataType::Null, self.n_rows)),
            Values::Plain(array) => plain(Arc::clone(array)),
            Values::DateMs(millis) => plain(Arc::new(timestamps(millis)?)),
            Values::Json(texts) => {
                let field = SqlType::Json.field("", true).with_data_type(DataType::Utf8);
                (Arc::clone(texts) as ArrayRef, field)
            }
            Values::Mixed { parts, .. } => match parts.as_slice() {
                [] => plain(new_null_array(&DataType::Null, self.n_rows)),
                [part] if part.column.n_rows == self.n_rows && self.nulls.is_none() => part.column.natural()?,
                _ => return Err(mismatch(0, "values of several kinds have no common type".to_owned())),
            },
        })
    }

    /// Converts the values of each kind and puts them back into their order.
    fn merge(&self, kinds: &[u8], parts: &[Part], target: &SqlType) -> Result<ArrayRef, TypeError> {
        let row_of = |kind: u8, nth: usize| {
            kinds.iter().enumerate().filter(|(_, other)| **other == kind).nth(nth).map(|(row, _)| row)
        };
        // The first array holds the NULL that all NULLs are taken from.
        let mut arrays = vec![new_null_array(&target.arrow(), 1)];
        // By kind: which array, and the next value to take from it.
        let mut next = [(0, 0); 256];
        for part in parts {
            let array = part.column.clone().into_typed(target).map_err(|error| {
                let row = row_of(part.kind, error.row).unwrap_or(0);
                TypeError { row, ..error }
            })?;
            if let Some(next) = next.get_mut(usize::from(part.kind)) {
                *next = (arrays.len(), 0);
            }
            arrays.push(array);
        }
        let mut indices = Vec::with_capacity(kinds.len());
        for (row, kind) in kinds.iter().enumerate() {
            let is_null = *kind == kind::NULL || self.nulls.as_ref().is_some_and(|nulls| nulls.is_null(row));
            let taken = next.get_mut(usize::from(*kind)).map_or((0, 0), |next| {
                let taken = *next;
                next.1 += usize::from(*kind != kind::NULL);
                taken
            });
            indices.push(if is_null { (0, 0) } else { taken });
        }
        let arrays: Vec<&dyn Array> = arrays.iter().map(AsRef::as_ref).collect();
        interleave(&arrays, &indices).map_err(|error| mismatch(0, error.to_string()))
    }
}

/// Milliseconds, which must be whole, as points in time.
fn timestamps(millis: &Float64Array) -> Result<TimestampMicrosecondArray, TypeError> {
    // JavaScript dates end at 8.64e15 ms, which as microseconds is still within 64 bits.
    const MAX_MS: f64 = 8.64e15;
    let to_micros = |ms: f64| if ms.abs() <= MAX_MS && ms.trunc() == ms { Ok(ms as i64 * 1_000) } else { Err(ms) };
    let micros: TimestampMicrosecondArray = millis.try_unary(to_micros).map_err(|ms| {
        let row = millis.iter().position(|value| value.is_some_and(|value| to_micros(value).is_err()));
        TypeError {
            kind: TypeErrorKind::InvalidDatetime,
            row: row.unwrap_or(0),
            message: format!("{ms} ms is not a date of JavaScript"),
        }
    })?;
    Ok(micros.with_timezone("UTC"))
}

fn mismatch(row: usize, message: String) -> TypeError {
    TypeError { kind: TypeErrorKind::DatatypeMismatch, row, message }
}
