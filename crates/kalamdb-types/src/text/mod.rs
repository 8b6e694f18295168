//! The text form of values, as PostgreSQL writes them.

mod datetime;
mod float;
mod interval;
mod json_value;
mod parse;
mod parse_interval;

use std::fmt::Write;

use arrow::{
    array::{Array, AsArray, types::*},
    datatypes::{ArrowPrimitiveType, DataType, IntervalUnit, TimeUnit},
    util::display::array_value_to_string,
};

pub use json_value::append_json;
pub(crate) use parse::{parse_date, parse_moment, parse_time};
pub(crate) use parse_interval::parse_interval;
pub use parse_interval::{IntervalField, IntervalFields, parse_interval_of};

/// Appends the text of the value in `row`, which must exist; nothing for NULL.
///
/// Numbers, dates, intervals, arrays and records look as in PostgreSQL; bytes are `\x` and hexadecimal digits.
pub(crate) fn write_cell(array: &dyn Array, row: usize, out: &mut String) {
    if array.is_null(row) {
        return;
    }
    match array.data_type() {
        DataType::Null => {}
        DataType::Boolean => out.push_str(if array.as_boolean().value(row) { "true" } else { "false" }),
        DataType::Int8 => write_integer(out, native::<Int8Type>(array, row)),
        DataType::Int16 => write_integer(out, native::<Int16Type>(array, row)),
        DataType::Int32 => write_integer(out, native::<Int32Type>(array, row)),
        DataType::Int64 => write_integer(out, native::<Int64Type>(array, row)),
        DataType::UInt8 => write_integer(out, native::<UInt8Type>(array, row)),
        DataType::UInt16 => write_integer(out, native::<UInt16Type>(array, row)),
        DataType::UInt32 => write_integer(out, native::<UInt32Type>(array, row)),
        DataType::UInt64 => write_integer(out, native::<UInt64Type>(array, row)),
        DataType::Float16 => float::write_f32(out, native::<Float16Type>(array, row).to_f32()),
        DataType::Float32 => float::write_f32(out, native::<Float32Type>(array, row)),
        DataType::Float64 => float::write_f64(out, native::<Float64Type>(array, row)),
        DataType::Decimal32(_, scale) => write_decimal(out, native::<Decimal32Type>(array, row).into(), *scale),
        DataType::Decimal64(_, scale) => write_decimal(out, native::<Decimal64Type>(array, row).into(), *scale),
        DataType::Decimal128(_, scale) => write_decimal(out, native::<Decimal128Type>(array, row), *scale),
        DataType::Decimal256(..) => out.push_str(&array.as_primitive::<Decimal256Type>().value_as_string(row)),
        DataType::Utf8 => out.push_str(array.as_string::<i32>().value(row)),
        DataType::LargeUtf8 => out.push_str(array.as_string::<i64>().value(row)),
        DataType::Utf8View => out.push_str(array.as_string_view().value(row)),
        DataType::Binary => write_hex(out, array.as_binary::<i32>().value(row)),
        DataType::LargeBinary => write_hex(out, array.as_binary::<i64>().value(row)),
        DataType::BinaryView => write_hex(out, array.as_binary_view().value(row)),
        DataType::FixedSizeBinary(_) => write_hex(out, array.as_fixed_size_binary().value(row)),
        DataType::Date32 => datetime::write_date(out, native::<Date32Type>(array, row).into()),
        DataType::Date64 => datetime::write_date(out, native::<Date64Type>(array, row).div_euclid(86_400_000)),
        DataType::Time32(_) | DataType::Time64(_) => write_time(array, row, out),
        DataType::Timestamp(unit, zone) => write_timestamp(array, row, *unit, zone.is_some(), out),
        DataType::Duration(unit) => interval::write_duration(out, duration(array, row, *unit)),
        DataType::Interval(unit) => write_interval(array, row, *unit, out),
        DataType::List(_) => write_list(&*array.as_list::<i32>().value(row), out),
        DataType::LargeList(_) => write_list(&*array.as_list::<i64>().value(row), out),
        DataType::FixedSizeList(..) => write_list(&*array.as_fixed_size_list().value(row), out),
        DataType::ListView(_) => write_list(&*array.as_list_view::<i32>().value(row), out),
        DataType::LargeListView(_) => write_list(&*array.as_list_view::<i64>().value(row), out),
        DataType::Map(..) => write_list(&array.as_map().value(row), out),
        DataType::Struct(_) => write_record(array.as_struct().columns(), row, out),
        // Not met in results: these are unpacked before, and unions have no PostgreSQL form.
        DataType::Dictionary(..) | DataType::RunEndEncoded(..) | DataType::Union(..) => {
            out.push_str(&array_value_to_string(array, row).unwrap_or_default());
        }
    }
}

/// Appends a decimal, given as its unscaled value.
pub(crate) fn write_decimal(out: &mut String, value: i128, scale: i8) {
    if value < 0 {
        out.push('-');
    }
    let mut buffer = itoa::Buffer::new();
    let digits = buffer.format(value.unsigned_abs());
    let places = usize::from(scale.max(0).unsigned_abs());
    match digits.len().checked_sub(places) {
        Some(n_integer) if n_integer > 0 => {
            let (integer, fraction) = digits.split_at_checked(n_integer).unwrap_or((digits, ""));
            out.push_str(integer);
            if !fraction.is_empty() {
                out.push('.');
                out.push_str(fraction);
            }
        }
        _ => {
            out.push_str("0.");
            out.extend(std::iter::repeat_n('0', places.saturating_sub(digits.len())));
            out.push_str(digits);
        }
    }
    if scale < 0 && value != 0 {
        out.extend(std::iter::repeat_n('0', usize::from(scale.unsigned_abs())));
    }
}

fn native<T: ArrowPrimitiveType>(array: &dyn Array, row: usize) -> T::Native {
    array.as_primitive::<T>().value(row)
}

fn write_integer(out: &mut String, value: impl itoa::Integer) {
    out.push_str(itoa::Buffer::new().format(value));
}

fn write_hex(out: &mut String, bytes: &[u8]) {
    out.push_str("\\x");
    for byte in bytes {
        // Writing to a String does not fail.
        let _ = write!(out, "{byte:02x}");
    }
}

fn write_time(array: &dyn Array, row: usize, out: &mut String) {
    match array.data_type() {
        DataType::Time32(TimeUnit::Second) => {
            datetime::write_time(out, i64::from(native::<Time32SecondType>(array, row)), 0)
        }
        DataType::Time32(_) => datetime::write_time(out, i64::from(native::<Time32MillisecondType>(array, row)), 3),
        DataType::Time64(TimeUnit::Nanosecond) => {
            datetime::write_time(out, native::<Time64NanosecondType>(array, row), 9)
        }
        _ => datetime::write_time(out, native::<Time64MicrosecondType>(array, row), 6),
    }
}

fn write_timestamp(array: &dyn Array, row: usize, unit: TimeUnit, has_zone: bool, out: &mut String) {
    match unit {
        TimeUnit::Second => datetime::write_timestamp(out, native::<TimestampSecondType>(array, row), 0, has_zone),
        TimeUnit::Millisecond => {
            datetime::write_timestamp(out, native::<TimestampMillisecondType>(array, row), 3, has_zone)
        }
        TimeUnit::Microsecond => {
            datetime::write_timestamp(out, native::<TimestampMicrosecondType>(array, row), 6, has_zone)
        }
        TimeUnit::Nanosecond => {
            datetime::write_timestamp(out, native::<TimestampNanosecondType>(array, row), 9, has_zone)
        }
    }
}

/// A duration in nanoseconds.
fn duration(array: &dyn Array, row: usize, unit: TimeUnit) -> i128 {
    match unit {
        TimeUnit::Second => i128::from(native::<DurationSecondType>(array, row)) * 1_000_000_000,
        TimeUnit::Millisecond => i128::from(native::<DurationMillisecondType>(array, row)) * 1_000_000,
        TimeUnit::Microsecond => i128::from(native::<DurationMicrosecondType>(array, row)) * 1_000,
        TimeUnit::Nanosecond => i128::from(native::<DurationNanosecondType>(array, row)),
    }
}

fn write_interval(array: &dyn Array, row: usize, unit: IntervalUnit, out: &mut String) {
    let (months, days, nanos) = match unit {
        IntervalUnit::YearMonth => (native::<IntervalYearMonthType>(array, row), 0, 0),
        IntervalUnit::DayTime => {
            let value = native::<IntervalDayTimeType>(array, row);
            (0, value.days, i128::from(value.milliseconds) * 1_000_000)
        }
        IntervalUnit::MonthDayNano => {
            let value = native::<IntervalMonthDayNanoType>(array, row);
            (value.months, value.days, i128::from(value.nanoseconds))
        }
    };
    interval::write_interval(out, months, days.into(), nanos);
}

fn write_list(items: &dyn Array, out: &mut String) {
    out.push('{');
    for row in 0..items.len() {
        if row > 0 {
            out.push(',');
        }
        if items.is_null(row) {
            out.push_str("NULL");
            continue;
        }
        let start = out.len();
        write_member(items, row, out);
        let is_nested = items.data_type().is_list();
        quote(out, start, |text| {
            !is_nested && (text.eq_ignore_ascii_case("NULL") || text.contains(['{', '}']) || is_special(text))
        });
    }
    out.push('}');
}

fn write_record(columns: &[arrow::array::ArrayRef], row: usize, out: &mut String) {
    out.push('(');
    for (index, column) in columns.iter().enumerate() {
        if index > 0 {
            out.push(',');
        }
        if !column.is_null(row) {
            let start = out.len();
            write_member(column, row, out);
            quote(out, start, |text| text.contains(['(', ')']) || is_special(text));
        }
    }
    out.push(')');
}

/// Appends a value as it is written within another: booleans by their letter.
fn write_member(array: &dyn Array, row: usize, out: &mut String) {
    match array.as_boolean_opt() {
        Some(booleans) => out.push(if booleans.value(row) { 't' } else { 'f' }),
        None => write_cell(array, row, out),
    }
}

/// Puts what was written after `start` in quotes if a reader would misread it.
fn quote(out: &mut String, start: usize, is_misread: impl FnOnce(&str) -> bool) {
    let text = out.get(start..).unwrap_or_default();
    if !is_misread(text) {
        return;
    }
    let text = text.to_owned();
    out.truncate(start);
    out.push('"');
    for c in text.chars() {
        if matches!(c, '"' | '\\') {
            out.push('\\');
        }
        out.push(c);
    }
    out.push('"');
}

fn is_special(text: &str) -> bool {
    text.is_empty() || text.contains([',', '"', '\\', ' ', '\t', '\n', '\r', '\x0b', '\x0c'])
}

#[cfg(test)]
mod tests;
