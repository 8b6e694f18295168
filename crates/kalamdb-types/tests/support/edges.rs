use std::sync::Arc;

use arrow::{
    array::*,
    buffer::{NullBuffer, OffsetBuffer},
    datatypes::{DataType, IntervalMonthDayNano},
};
use kalamdb_types::SqlType;

const ASTRAL: &str = "\u{1f600}\u{10ffff}";

/// Values of a type at its edges, NULLs among them.
pub(crate) fn edge_values(sql_type: SqlType) -> ArrayRef {
    match sql_type {
        SqlType::Boolean => Arc::new(BooleanArray::from(vec![Some(true), None, Some(false)])),
        SqlType::TinyInt => Arc::new(Int8Array::from(vec![Some(i8::MIN), Some(-1), Some(0), None, Some(i8::MAX)])),
        SqlType::SmallInt => Arc::new(Int16Array::from(vec![Some(i16::MIN), Some(0), None, Some(i16::MAX)])),
        SqlType::Integer => Arc::new(Int32Array::from(vec![Some(i32::MIN), Some(0), None, Some(i32::MAX)])),
        SqlType::BigInt => {
            let exact = 1_i64 << 53;
            Arc::new(Int64Array::from(vec![
                Some(i64::MIN),
                Some(-exact - 1),
                Some(-exact + 1),
                Some(-1),
                Some(0),
                None,
                Some(exact - 1),
                Some(exact),
                Some(exact + 1),
                Some(i64::MAX),
            ]))
        }
        SqlType::TinyIntUnsigned => Arc::new(UInt8Array::from(vec![Some(0), None, Some(u8::MAX)])),
        SqlType::SmallIntUnsigned => Arc::new(UInt16Array::from(vec![Some(0), None, Some(u16::MAX)])),
        SqlType::IntegerUnsigned => Arc::new(UInt32Array::from(vec![Some(0), None, Some(u32::MAX)])),
        SqlType::BigIntUnsigned => {
            let exact = 1_u64 << 53;
            Arc::new(UInt64Array::from(vec![
                Some(0),
                Some(exact - 1),
                Some(exact + 1),
                None,
                Some(i64::MAX as u64 + 1),
                Some(u64::MAX),
            ]))
        }
        SqlType::Real => {
            let finite = [
                0.0,
                -0.0,
                0.1,
                -1.5,
                16_777_217.0,
                f32::MIN,
                f32::MAX,
                f32::MIN_POSITIVE,
                f32::from_bits(1),
                7.038531e-26,
            ];
            let special = [f32::NAN, f32::INFINITY, f32::NEG_INFINITY];
            Arc::new(finite.into_iter().chain(special).map(Some).chain([None]).collect::<Float32Array>())
        }
        SqlType::Double => {
            let exact = (1_u64 << 53) as f64;
            let finite = [
                0.0,
                -0.0,
                0.1,
                0.1 + 0.2,
                -1.5,
                exact - 1.0,
                exact + 2.0,
                1e21,
                1e-7,
                f64::MIN,
                f64::MAX,
                f64::MIN_POSITIVE,
                5e-324,
            ];
            let special = [f64::NAN, f64::INFINITY, f64::NEG_INFINITY];
            Arc::new(finite.into_iter().chain(special).map(Some).chain([None]).collect::<Float64Array>())
        }
        SqlType::Decimal(precision, _) => {
            let max = 10_i128.pow(precision.into()) - 1;
            let values = vec![Some(max), Some(-max), Some(0), Some(1), None, Some(-1), Some(max / 10 * 10)];
            Arc::new(Decimal128Array::from(values).with_data_type(sql_type.arrow()))
        }
        SqlType::Text => Arc::new(StringViewArray::from(texts())),
        SqlType::Varchar(length) => {
            let length = usize::try_from(length).unwrap_or(0).min(10);
            let cut = |text: &str| text.chars().take(length).collect::<String>();
            Arc::new(texts().into_iter().map(|text| text.map(cut)).collect::<StringViewArray>())
        }
        SqlType::Bytea => {
            let all: Vec<u8> = (0..=255).collect();
            Arc::new(BinaryArray::from(vec![Some(b"".as_slice()), Some(&[0]), None, Some(&[0xff, 0xfe]), Some(&all)]))
        }
        SqlType::Date => Arc::new(Date32Array::from(vec![
            Some(-719_162),
            Some(-1),
            Some(0),
            None,
            Some(2_932_896),
            Some(i32::MIN),
            Some(i32::MAX),
        ])),
        SqlType::Time => Arc::new(Time64MicrosecondArray::from(vec![Some(0), None, Some(86_399_999_999)])),
        SqlType::Timestamp => Arc::new(timestamps()),
        SqlType::TimestampTz => Arc::new(timestamps().with_timezone("UTC")),
        SqlType::Uuid => Arc::new(StringViewArray::from(vec![
            Some("00000000-0000-0000-0000-000000000000"),
            None,
            Some("ffffffff-ffff-ffff-ffff-ffffffffffff"),
            Some("0190c3f4-1b2c-7def-8abc-0123456789ab"),
        ])),
        SqlType::Json => Arc::new(StringViewArray::from(vec![
            Some("null"),
            None,
            Some(" { \"a\" : [ null , { \"b\" : null } ] , \"a\" : 1.50 } "),
            Some("\"\\u0000\\ud83d\\ude00\\n\u{1f600}\""),
            Some("[9007199254740993,-0,1e400]"),
            Some("{}"),
            Some("\"\""),
        ])),
        SqlType::Interval => {
            let of = |months, days, nanos| Some(IntervalMonthDayNano::new(months, days, nanos));
            Arc::new(IntervalMonthDayNanoArray::from(vec![
                of(0, 0, 0),
                of(14, -3, 14_706_700_000_000),
                None,
                of(-14, 3, -1),
                of(-1, 2, 1),
                of(i32::MIN, i32::MIN, i64::MIN),
                of(i32::MAX, i32::MAX, i64::MAX),
            ]))
        }
        SqlType::Embedding(length) => {
            let length = usize::try_from(length).unwrap_or(0);
            let edges = edge_values(SqlType::Real);
            let edges: Vec<f32> = edges.as_primitive::<types::Float32Type>().iter().flatten().collect();
            let rows = 5;
            let numbers: Vec<f32> = edges.into_iter().cycle().take(rows * length).collect();
            // Under a NULL there are zeros.
            let numbers =
                numbers.into_iter().enumerate().map(|(at, number)| if at / length == 1 { 0.0 } else { number });
            embeddings(sql_type, numbers.collect(), vec![true, false, true, true, true])
        }
        SqlType::Array(array) => {
            let items = edge_values(array.element());
            let items = match array.element() {
                // Days beyond seven-digit years have no text form that is read back.
                SqlType::Date => items.slice(0, 5),
                // Within an array JavaScript cannot tell JSON's null from NULL, nor see the space around a value.
                SqlType::Json => Arc::new(
                    items.as_string_view().iter().skip(1).map(|json| json.map(str::trim)).collect::<StringViewArray>(),
                ),
                _ => items,
            };
            let length = items.len();
            arrays(sql_type, items, &[0, 0, 1, 0, length - 1], vec![true, true, true, false, true])
        }
    }
}

/// Arrays of so many of the items each, one after another.
pub(crate) fn arrays(sql_type: SqlType, items: ArrayRef, lengths: &[usize], is_valid: Vec<bool>) -> ArrayRef {
    let DataType::List(item) = sql_type.arrow() else { panic!("{sql_type} is no array") };
    Arc::new(ListArray::new(
        item,
        OffsetBuffer::from_lengths(lengths.iter().copied()),
        items,
        Some(NullBuffer::from(is_valid)),
    ))
}

/// Vectors of the numbers, one after another.
pub(crate) fn embeddings(sql_type: SqlType, numbers: Vec<f32>, is_valid: Vec<bool>) -> ArrayRef {
    let DataType::FixedSizeList(item, length) = sql_type.arrow() else { panic!("{sql_type} is no vector") };
    Arc::new(FixedSizeListArray::new(
        item,
        length,
        Arc::new(Float32Array::from(numbers)),
        Some(NullBuffer::from(is_valid)),
    ))
}

fn texts() -> Vec<Option<&'static str>> {
    let long = "a text of more than twelve bytes, \"quoted\", with \\ and \u{e9}\u{20ac}";
    vec![
        Some(""),
        Some("a"),
        None,
        Some("\0"),
        Some("\u{1}\u{8}\t\n\u{c}\r\u{1f}\u{7f}"),
        Some(ASTRAL),
        Some("\"\\/"),
        Some(long),
        Some("\u{feff}\u{ffff}"),
    ]
}

fn timestamps() -> TimestampMicrosecondArray {
    TimestampMicrosecondArray::from(vec![
        Some(-62_135_596_800_000_000),
        Some(-1_000_001),
        Some(-1),
        Some(0),
        None,
        Some(253_402_300_799_999_999),
        Some(i64::MIN),
        Some(i64::MAX),
    ])
}
