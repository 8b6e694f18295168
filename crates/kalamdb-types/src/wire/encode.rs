use std::sync::Arc;

use arrow::{
    array::{Array, ArrayRef, AsArray, PrimitiveArray, StringArray, StringBuilder, StructArray, types::*},
    buffer::ScalarBuffer,
    compute::cast,
    datatypes::{ArrowPrimitiveType, DataType, Field, TimeUnit},
    record_batch::RecordBatch,
};

use super::{ALIGNMENT, kind, utf16};
use crate::{SqlType, TYPE_KEY, lists::Lists, sql_type::element_field, text};

/// Appends a batch of results as a block. `out` is the message so far: offsets count from its start.
///
/// Any Arrow type is written: what has no kind of its own (decimals, dates, times, intervals) as text in PostgreSQL's
/// form, timestamps of every unit as microseconds (of nanoseconds, the whole microseconds before; beyond 290,000 years
/// from the epoch, the nearest that 64 bits hold).
pub fn encode_block(batch: &RecordBatch, out: &mut Vec<u8>) {
    pad(out);
    put_u32(out, batch.num_rows());
    put_u32(out, batch.num_columns());
    for (array, field) in batch.columns().iter().zip(batch.schema_ref().fields()) {
        put_column(array, field, out);
    }
}

fn put_column(array: &ArrayRef, field: &Field, out: &mut Vec<u8>) {
    match array.data_type() {
        DataType::Null => put_header(kind::NULL, None, out),
        DataType::Boolean => {
            put_header(kind::BOOL, Some(array), out);
            out.extend(array.as_boolean().iter().map(|value| u8::from(value == Some(true))));
            pad(out);
        }
        DataType::Int8 | DataType::Int16 | DataType::Int32 | DataType::UInt8 | DataType::UInt16 => {
            put_cast::<Int32Type>(kind::I32, array, out);
        }
        DataType::UInt32 | DataType::Int64 => put_cast::<Int64Type>(kind::I64, array, out),
        DataType::UInt64 => put_cast::<UInt64Type>(kind::U64, array, out),
        DataType::Float16 | DataType::Float32 | DataType::Float64 => put_cast::<Float64Type>(kind::F64, array, out),
        DataType::Timestamp(unit, _) => put_numbers(kind::TS_US, &micros(array, *unit), out),
        DataType::Utf8 => put_strings(array, field, array.as_string::<i32>().iter(), out),
        DataType::LargeUtf8 => put_strings(array, field, array.as_string::<i64>().iter(), out),
        DataType::Utf8View => put_strings(array, field, array.as_string_view().iter(), out),
        DataType::Binary => put_bytes(array, array.as_binary::<i32>().iter(), out),
        DataType::LargeBinary => put_bytes(array, array.as_binary::<i64>().iter(), out),
        DataType::BinaryView => put_bytes(array, array.as_binary_view().iter(), out),
        DataType::FixedSizeBinary(_) => put_bytes(array, array.as_fixed_size_binary().iter(), out),
        DataType::List(_)
        | DataType::LargeList(_)
        | DataType::FixedSizeList(..)
        | DataType::ListView(_)
        | DataType::LargeListView(_)
        | DataType::Map(..) => match Lists::of(array) {
            Some(lists) => put_lists(array, field, &lists, out),
            None => put_text_form(array, field, out),
        },
        DataType::Struct(fields) => {
            let names = fields.iter().map(|field| field.name().as_str());
            put_struct(array.as_struct(), names, out);
        }
        DataType::Dictionary(_, values) => put_unpacked(array, values, field, out),
        DataType::RunEndEncoded(_, values) => put_unpacked(array, values.data_type(), field, out),
        DataType::Decimal32(..)
        | DataType::Decimal64(..)
        | DataType::Decimal128(..)
        | DataType::Decimal256(..)
        | DataType::Date32
        | DataType::Date64
        | DataType::Time32(_)
        | DataType::Time64(_)
        | DataType::Duration(_)
        | DataType::Interval(_)
        | DataType::Union(..) => put_text_form(array, field, out),
    }
}

/// Kind and NULLs of a column; `None` if it has none to mark.
fn put_header(kind: u8, array: Option<&ArrayRef>, out: &mut Vec<u8>) {
    let nulls = array.and_then(|array| array.nulls()).filter(|nulls| nulls.null_count() > 0);
    out.extend_from_slice(&[kind, u8::from(nulls.is_some()), 0, 0, 0, 0, 0, 0]);
    if let Some(nulls) = nulls {
        out.extend(nulls.iter().map(|is_valid| u8::from(!is_valid)));
        pad(out);
    }
}

/// Numbers as those of the wider type `T`.
fn put_cast<T: ArrowPrimitiveType>(kind: u8, array: &ArrayRef, out: &mut Vec<u8>) {
    // Widening does not fail; the text form keeps the block whole if it ever does.
    match cast(array, &T::DATA_TYPE) {
        Ok(wide) => put_numbers(kind, wide.as_primitive::<T>(), out),
        Err(_) => put_text_form(array, &Field::new("", array.data_type().clone(), true), out),
    }
}

fn put_numbers<T: ArrowPrimitiveType>(kind: u8, array: &PrimitiveArray<T>, out: &mut Vec<u8>) {
    let erased: ArrayRef = Arc::new(array.clone());
    put_header(kind, Some(&erased), out);
    if array.null_count() == 0 {
        out.extend_from_slice(array.values().inner());
    } else {
        // What an array holds under its NULLs may be anything; the wire has 0 there.
        let values: ScalarBuffer<T::Native> = array.iter().map(Option::unwrap_or_default).collect();
        out.extend_from_slice(values.inner());
    }
    pad(out);
}

fn micros(array: &ArrayRef, unit: TimeUnit) -> PrimitiveArray<Int64Type> {
    match unit {
        TimeUnit::Second => {
            array.as_primitive::<TimestampSecondType>().unary(|seconds| seconds.saturating_mul(1_000_000))
        }
        TimeUnit::Millisecond => {
            array.as_primitive::<TimestampMillisecondType>().unary(|millis| millis.saturating_mul(1_000))
        }
        TimeUnit::Microsecond => array.as_primitive::<TimestampMicrosecondType>().reinterpret_cast(),
        TimeUnit::Nanosecond => array.as_primitive::<TimestampNanosecondType>().unary(|nanos| nanos.div_euclid(1_000)),
    }
}

fn put_strings<'a>(
    array: &ArrayRef,
    field: &Field,
    texts: impl Iterator<Item = Option<&'a str>> + Clone,
    out: &mut Vec<u8>,
) {
    let is_json = field.metadata().get(TYPE_KEY).is_some_and(|name| *name == SqlType::Json.to_string());
    put_header(if is_json { kind::JSON } else { kind::STR }, Some(array), out);
    let slots = put_variable(array.len(), texts.clone().map(|text| text.unwrap_or_default().as_bytes()), out);
    let is_ascii = out.get(slots.values_at..).is_some_and(<[u8]>::is_ascii);
    let lengths = texts.map(|text| {
        let text = text.unwrap_or_default();
        if is_ascii { text.len() } else { utf16::length(text) }
    });
    slots.fill(lengths, out);
    pad(out);
}

fn put_bytes<'a>(array: &ArrayRef, values: impl Iterator<Item = Option<&'a [u8]>> + Clone, out: &mut Vec<u8>) {
    put_header(kind::BYTES, Some(array), out);
    let values = values.map(Option::unwrap_or_default);
    let slots = put_variable(array.len(), values.clone(), out);
    slots.fill(values.map(<[u8]>::len), out);
    pad(out);
}

/// Where the lengths of values go that were written before these were counted.
struct LengthSlots {
    lengths_at: usize,
    values_at: usize,
}

impl LengthSlots {
    fn fill(&self, lengths: impl Iterator<Item = usize>, out: &mut [u8]) {
        if let Some(slots) = out.get_mut(self.lengths_at..self.values_at) {
            let (slots, _) = slots.as_chunks_mut();
            for (slot, length) in slots.iter_mut().zip(lengths) {
                *slot = len32(length).to_le_bytes();
            }
        }
    }
}

/// The number of bytes, room for the lengths, and the bytes of all values back to back.
fn put_variable<'a>(n: usize, values: impl Iterator<Item = &'a [u8]> + Clone, out: &mut Vec<u8>) -> LengthSlots {
    let n_bytes: usize = values.clone().map(<[u8]>::len).sum();
    put_u32(out, n_bytes);
    put_u32(out, 0);
    let lengths_at = out.len();
    out.resize((lengths_at + 4 * n).next_multiple_of(ALIGNMENT), 0);
    let values_at = out.len();
    out.reserve(n_bytes + ALIGNMENT);
    for value in values {
        out.extend_from_slice(value);
    }
    LengthSlots { lengths_at, values_at }
}

fn put_lists(array: &ArrayRef, field: &Field, lists: &Lists, out: &mut Vec<u8>) {
    put_header(kind::LIST, Some(array), out);
    for length in &lists.lengths {
        put_u32(out, *length);
    }
    pad(out);
    if matches!(array.data_type(), DataType::Map(..)) {
        put_struct(lists.items.as_struct(), ["key", "value"].into_iter(), out);
    } else {
        put_column(&lists.items, &element_field(field, &lists.field), out);
    }
}

fn put_struct<'a>(array: &StructArray, names: impl Iterator<Item = &'a str>, out: &mut Vec<u8>) {
    let erased: ArrayRef = Arc::new(array.clone());
    put_header(kind::STRUCT, Some(&erased), out);
    put_u32(out, array.num_columns());
    put_u32(out, 0);
    for ((column, field), name) in array.columns().iter().zip(array.fields()).zip(names) {
        put_u32(out, name.len());
        put_u32(out, 0);
        out.extend_from_slice(name.as_bytes());
        pad(out);
        put_column(column, field, out);
    }
}

fn put_unpacked(array: &ArrayRef, values: &DataType, field: &Field, out: &mut Vec<u8>) {
    match cast(array, values) {
        Ok(unpacked) => put_column(&unpacked, field, out),
        Err(_) => put_text_form(array, field, out),
    }
}

fn put_text_form(array: &ArrayRef, field: &Field, out: &mut Vec<u8>) {
    let mut texts = StringBuilder::with_capacity(array.len(), array.len() * 8);
    let mut cell = String::new();
    for row in 0..array.len() {
        if array.is_null(row) {
            texts.append_null();
        } else {
            cell.clear();
            text::write_cell(array, row, &mut cell);
            texts.append_value(&cell);
        }
    }
    let texts: StringArray = texts.finish();
    let erased: ArrayRef = Arc::new(texts.clone());
    // The mark of a JSON column may have outlived a cast to another type.
    put_strings(&erased, &Field::new(field.name(), DataType::Utf8, true), texts.iter(), out);
}

fn put_u32(out: &mut Vec<u8>, value: usize) {
    out.extend_from_slice(&len32(value).to_le_bytes());
}

/// Counts and lengths are of things in memory, of which a browser's 32 bits address no more.
fn len32(value: usize) -> u32 {
    u32::try_from(value).unwrap_or(u32::MAX)
}

fn pad(out: &mut Vec<u8>) {
    out.resize(out.len().next_multiple_of(ALIGNMENT), 0);
}
