//! The wire block: bytes as they are, every kind, and what is not a block.
#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::indexing_slicing,
    reason = "tests stop at the first surprise"
)]

mod support;

use std::{collections::HashMap, sync::Arc};

use arrow::{
    array::*,
    buffer::{NullBuffer, OffsetBuffer, ScalarBuffer},
    datatypes::*,
    util::display::array_value_to_string,
};
use kalamdb_types::{SqlType, TypeErrorKind, WireError, wire};
use support::wire::{Js, read_block, write_block};

fn encode(array: ArrayRef) -> Vec<Js> {
    encode_field(Field::new("c", array.data_type().clone(), true), array)
}

fn encode_field(field: Field, array: ArrayRef) -> Vec<Js> {
    let batch = RecordBatch::try_new(Arc::new(Schema::new(vec![field])), vec![array]).unwrap();
    let mut out = Vec::new();
    wire::encode_block(&batch, &mut out);
    read_block(&out).remove(0)
}

fn decode(values: &[Js]) -> wire::WireColumn {
    wire::decode_block(&write_block(&[values.to_vec()])).unwrap().columns.remove(0)
}

fn str(text: &str) -> Js {
    Js::Str(text.to_owned())
}

/// The first value as Arrow shows it. Arrow needs a time zone database for UTC, so zones are taken off before.
fn show(array: &ArrayRef) -> String {
    match array.as_primitive_opt::<TimestampMicrosecondType>().filter(|array| array.timezone().is_some()) {
        Some(zoned) => array_value_to_string(&zoned.clone().with_timezone_opt::<&str>(None), 0).unwrap() + "Z",
        None => array_value_to_string(array, 0).unwrap(),
    }
}

#[test]
fn a_block_byte_by_byte() {
    let columns: Vec<ArrayRef> = vec![
        Arc::new(Int16Array::from(vec![Some(1), None, Some(-1)])),
        Arc::new(StringArray::from(vec!["a", "\u{1f600}", ""])),
    ];
    let fields = vec![Field::new("n", DataType::Int16, true), Field::new("s", DataType::Utf8, true)];
    let mut out = Vec::new();
    wire::encode_block(&RecordBatch::try_new(Arc::new(Schema::new(fields)), columns).unwrap(), &mut out);
    #[rustfmt::skip]
    let expected = [
        3, 0, 0, 0,  2, 0, 0, 0,
        11, 1, 0, 0,  0, 0, 0, 0,
        0, 1, 0, 0, 0, 0, 0, 0,
        1, 0, 0, 0,  0, 0, 0, 0,  255, 255, 255, 255,  0, 0, 0, 0,
        4, 0, 0, 0,  0, 0, 0, 0,
        5, 0, 0, 0,  0, 0, 0, 0,
        1, 0, 0, 0,  2, 0, 0, 0,  0, 0, 0, 0,  0, 0, 0, 0,
        b'a', 0xf0, 0x9f, 0x98, 0x80, 0, 0, 0,
    ];
    assert_eq!(out, expected);
    // The same bytes are an input.
    let block = wire::decode_block(&out).unwrap();
    let typed: Vec<ArrayRef> = block
        .columns
        .into_iter()
        .zip([SqlType::Integer, SqlType::Text])
        .map(|(c, t)| c.into_typed(&t).unwrap())
        .collect();
    assert_eq!(typed[0].as_primitive::<Int32Type>(), &Int32Array::from(vec![Some(1), None, Some(-1)]));
    assert_eq!(typed[1].as_string_view(), &StringViewArray::from(vec!["a", "\u{1f600}", ""]));
}

#[test]
fn scalars_of_every_arrow_type() {
    let cases: Vec<(ArrayRef, Vec<Js>)> = vec![
        (Arc::new(NullArray::new(2)), vec![Js::Null, Js::Null]),
        (Arc::new(BooleanArray::from(vec![Some(true), None])), vec![Js::Bool(true), Js::Null]),
        (Arc::new(UInt16Array::from(vec![u16::MAX])), vec![Js::I32(65_535)]),
        (Arc::new(UInt32Array::from(vec![Some(u32::MAX), None])), vec![Js::I64(u32::MAX.into()), Js::Null]),
        (Arc::new(UInt64Array::from(vec![Some(u64::MAX), None])), vec![Js::U64(u64::MAX), Js::Null]),
        (Arc::new(Float32Array::from(vec![Some(0.5), None])), vec![Js::F64(0.5), Js::Null]),
        (
            Arc::new(LargeStringArray::from(vec![Some("\u{e9}"), None, Some("")])),
            vec![str("\u{e9}"), Js::Null, str("")],
        ),
        (
            Arc::new(BinaryViewArray::from(vec![Some(b"\0\xff".as_slice()), None])),
            vec![Js::Bytes(vec![0, 255]), Js::Null],
        ),
        (Arc::new(FixedSizeBinaryArray::try_from_iter([b"ab"].into_iter()).unwrap()), vec![Js::Bytes(b"ab".to_vec())]),
        (Arc::new(Date32Array::from(vec![Some(-719_162), None])), vec![str("0001-01-01"), Js::Null]),
        (Arc::new(Time64MicrosecondArray::from(vec![1])), vec![str("00:00:00.000001")]),
        (Arc::new(TimestampNanosecondArray::from(vec![Some(-1), None])), vec![Js::TsUs(-1), Js::Null]),
        (Arc::new(TimestampSecondArray::from(vec![1]).with_timezone("UTC")), vec![Js::TsUs(1_000_000)]),
        (
            Arc::new(Decimal128Array::from(vec![-1]).with_data_type(DataType::Decimal128(38, 38))),
            vec![str(&format!("-0.{}1", "0".repeat(37)))],
        ),
        (Arc::new(IntervalYearMonthArray::from(vec![Some(13), None])), vec![str("1 year 1 mon"), Js::Null]),
        (
            Arc::new(["x", "y", "x"].into_iter().collect::<DictionaryArray<Int8Type>>()),
            vec![str("x"), str("y"), str("x")],
        ),
        (
            Arc::new(
                RunArray::<Int32Type>::try_new(
                    &Int32Array::from(vec![2, 3]),
                    &StringArray::from(vec![Some("r"), None]),
                )
                .unwrap(),
            ),
            vec![str("r"), str("r"), Js::Null],
        ),
    ];
    for (array, expected) in cases {
        assert_eq!(encode(Arc::clone(&array)), expected, "{array:?}");
        let sliced = array.slice(1, array.len() - 1);
        assert_eq!(encode(sliced), expected[1..], "{array:?} without its first row");
    }
    let json: ArrayRef = Arc::new(StringViewArray::from(vec![Some("{}"), None]));
    assert_eq!(encode_field(SqlType::Json.field("c", true), json), [Js::Json("{}".to_owned()), Js::Null]);
    // JSON that was cast to a number is a number, whatever its metadata says.
    let cast = SqlType::Json.field("c", true).with_data_type(DataType::Date32);
    assert_eq!(encode_field(cast, Arc::new(Date32Array::from(vec![0]))), [str("1970-01-01")]);
}

#[test]
fn values_under_nulls_do_not_leak() {
    let nulls = Some(NullBuffer::from(vec![true, false]));
    let numbers = Int64Array::new(ScalarBuffer::from(vec![1, 99]), nulls.clone());
    assert_eq!(encode(Arc::new(numbers)), [Js::I64(1), Js::Null]);
    let texts = StringArray::new(OffsetBuffer::from_lengths([1, 6]), b"asecret".as_slice().into(), nulls.clone());
    assert_eq!(encode(Arc::new(texts)), [str("a"), Js::Null]);
    let items: ArrayRef = Arc::new(Int32Array::from(vec![1, 2, 3]));
    let field = Arc::new(Field::new_list_field(DataType::Int32, true));
    let lists = ListArray::new(field, OffsetBuffer::from_lengths([1, 2]), items, nulls);
    assert_eq!(encode(Arc::new(lists)), [Js::List(vec![Js::I32(1)]), Js::Null]);
}

#[test]
fn lists_structs_and_maps() {
    let list = |items: &[i32]| Js::List(items.iter().copied().map(Js::I32).collect());
    let rows = || [Some(vec![Some(1), Some(2)]), None, Some(vec![]), Some(vec![Some(3)])];
    let expected = [list(&[1, 2]), Js::Null, list(&[]), list(&[3])];
    assert_eq!(encode(Arc::new(ListArray::from_iter_primitive::<Int32Type, _, _>(rows()))), expected);
    assert_eq!(encode(Arc::new(LargeListArray::from_iter_primitive::<Int32Type, _, _>(rows()))), expected);
    assert_eq!(encode(Arc::new(ListArray::from_iter_primitive::<Int32Type, _, _>(rows()).slice(1, 3))), expected[1..]);

    let fixed = FixedSizeListArray::from_iter_primitive::<Int32Type, _, _>(
        [Some(vec![Some(1), Some(2)]), None, Some(vec![Some(3), Some(4)])],
        2,
    );
    assert_eq!(encode(Arc::new(fixed.clone())), [list(&[1, 2]), Js::Null, list(&[3, 4])]);
    assert_eq!(encode(Arc::new(fixed.slice(1, 2))), [Js::Null, list(&[3, 4])]);

    let field = Arc::new(Field::new_list_field(DataType::Int32, true));
    let items: ArrayRef = Arc::new(Int32Array::from(vec![1, 2, 3]));
    let views =
        ListViewArray::new(field, ScalarBuffer::from(vec![1, 0, 2]), ScalarBuffer::from(vec![2, 1, 0]), items, None);
    assert_eq!(encode(Arc::new(views)), [list(&[2, 3]), list(&[1]), list(&[])]);

    let mut map = MapBuilder::new(None, StringBuilder::new(), Int32Builder::new());
    map.keys().append_value("k");
    map.values().append_value(1);
    map.append(true).unwrap();
    map.append(false).unwrap();
    let entry = Js::Struct(vec![("key".to_owned(), str("k")), ("value".to_owned(), Js::I32(1))]);
    assert_eq!(encode(Arc::new(map.finish())), [Js::List(vec![entry]), Js::Null]);

    let marked = Arc::new(SqlType::Json.field("j", true));
    let inner: ArrayRef = Arc::new(StringViewArray::from(vec![Some("[]"), None]));
    let outer = StructArray::new(vec![marked].into(), vec![inner], Some(NullBuffer::from(vec![true, false])));
    assert_eq!(encode(Arc::new(outer)), [Js::Struct(vec![("j".to_owned(), Js::Json("[]".to_owned()))]), Js::Null]);
}

#[test]
fn rows_without_columns() {
    let options = RecordBatchOptions::new().with_row_count(Some(3));
    let batch = RecordBatch::try_new_with_options(Arc::new(Schema::empty()), vec![], &options).unwrap();
    let mut out = Vec::new();
    wire::encode_block(&batch, &mut out);
    assert_eq!(out, [3, 0, 0, 0, 0, 0, 0, 0]);
    assert_eq!(wire::decode_block(&out).unwrap().n_rows, 3);
    assert_eq!(wire::decode_block(&[]).unwrap().columns.len(), 0);
}

#[test]
fn parameters_have_natural_types() {
    let utc = DataType::Timestamp(TimeUnit::Microsecond, Some("UTC".into()));
    for (value, data_type, shown) in [
        (Js::Null, DataType::Null, ""),
        (Js::Bool(true), DataType::Boolean, "true"),
        (Js::I32(-1), DataType::Int64, "-1"),
        (Js::I64(i64::MIN), DataType::Int64, "-9223372036854775808"),
        (Js::F64(1.5), DataType::Float64, "1.5"),
        (str("a\0"), DataType::Utf8, "a\0"),
        (Js::Bytes(vec![255]), DataType::Binary, "ff"),
        (Js::DateMs(-1.0), utc, "1969-12-31T23:59:59.999Z"),
        (Js::Json("{}".to_owned()), DataType::Utf8, "{}"),
    ] {
        let (array, field) = decode(std::slice::from_ref(&value)).scalar_array().unwrap();
        assert_eq!((array.data_type(), field.data_type(), array.len()), (&data_type, &data_type, 1));
        assert_eq!(show(&array), shown);
        let is_json = field.metadata() == &HashMap::from([("kalamdb.type".to_owned(), "JSON".to_owned())]);
        assert_eq!(is_json, matches!(value, Js::Json(_)));
    }
}

#[test]
fn nulls_are_not_vectors_without_bound() {
    let block = wire::decode_block(&[[0, 0, 1, 0, 1, 0, 0, 0], [0; 8]].concat()).unwrap();
    let column = block.columns[0].clone();
    assert_eq!(column.clone().into_typed(&SqlType::Embedding(3)).unwrap().null_count(), 1 << 16);
    let error = column.into_typed(&SqlType::Embedding(16_000)).unwrap_err();
    assert_eq!(
        (error.kind, error.message.as_str()),
        (TypeErrorKind::TooLarge, "65536 values of EMBEDDING(16000) are too many at once")
    );
}

#[test]
fn dates_are_points_in_time() {
    let dates = [Js::DateMs(-62_135_596_800_000.0), Js::Null, Js::DateMs(8.64e15)];
    let typed = decode(&dates).into_typed(&SqlType::Timestamp).unwrap();
    assert_eq!(
        typed.as_primitive::<TimestampMicrosecondType>().values()[..],
        [-62_135_596_800_000_000, 0, 8_640_000_000_000_000_000]
    );
    assert!(typed.is_null(1));
    for target in [SqlType::Date, SqlType::Text, SqlType::BigInt] {
        assert_eq!(decode(&dates).into_typed(&target).unwrap_err().kind, TypeErrorKind::DatatypeMismatch);
    }
    for ms in [f64::NAN, 0.5, 8.64e15 + 1.0] {
        let error = decode(&[Js::DateMs(0.0), Js::DateMs(ms)]).into_typed(&SqlType::TimestampTz).unwrap_err();
        assert_eq!((error.kind, error.row), (TypeErrorKind::InvalidDatetime, 1), "{ms}");
    }
}

#[test]
fn several_kinds_in_one_column() {
    let values = [str("12"), Js::Null, Js::I32(1), Js::I64(1 << 53), Js::F64(7.0), str("-3"), Js::I32(2), Js::Null];
    let typed = decode(&values).into_typed(&SqlType::BigInt).unwrap();
    assert_eq!(
        typed.as_primitive(),
        &Int64Array::from(vec![Some(12), None, Some(1), Some(1 << 53), Some(7), Some(-3), Some(2), None])
    );
    let error = decode(&values).into_typed(&SqlType::Text).unwrap_err();
    assert_eq!((error.kind, error.row), (TypeErrorKind::DatatypeMismatch, 2));
    let error = decode(&[str("1"), Js::F64(1.0), Js::F64(1.5)]).into_typed(&SqlType::Integer).unwrap_err();
    assert_eq!((error.kind, error.row), (TypeErrorKind::InvalidText, 2));
    let json = [Js::Json("[1]".to_owned()), Js::I32(5), Js::Bool(false), str("null"), Js::F64(1e21)];
    let typed = decode(&json).into_typed(&SqlType::Json).unwrap();
    assert_eq!(typed.as_string_view(), &StringViewArray::from(vec!["[1]", "5", "false", "null", "1e+21"]));
}

#[test]
fn strings_share_the_text() {
    let long: Vec<Js> = (0..100).map(|row| str(&format!("a text longer than a view, number {row} \u{20ac}"))).collect();
    let typed = decode(&long).into_typed(&SqlType::Text).unwrap();
    assert_eq!(typed.as_string_view().data_buffers().len(), 1);
    assert_eq!(typed.as_string_view().iter().map(|text| str(text.unwrap())).collect::<Vec<_>>(), long);
}

#[test]
fn what_is_not_a_block_is_refused() {
    /// A block of one column of `n` rows: kind, has_nulls, then these 32-bit words.
    fn block(n: u32, kind: u8, has_nulls: u8, words: &[u32]) -> Vec<u8> {
        let mut out = [n.to_le_bytes(), 1_u32.to_le_bytes()].concat();
        out.extend([kind, has_nulls, 0, 0, 0, 0, 0, 0]);
        out.extend(words.iter().flat_map(|word| word.to_le_bytes()));
        out
    }
    let refuse = |bytes: &[u8]| wire::decode_block(bytes).unwrap_err();
    let a = u32::from(b'a');
    let emoji = u32::from_le_bytes([0xf0, 0x9f, 0x98, 0x80]);
    assert!(matches!(refuse(&[0]), WireError::Truncated { .. }));
    assert!(matches!(refuse(&block(u32::MAX, 2, 0, &[0, 0])), WireError::Truncated { .. }));
    assert!(matches!(refuse(&block(u32::MAX, 4, 0, &[0, 0])), WireError::Truncated { .. }));
    assert!(matches!(refuse(&block(1, 4, 0, &[u32::MAX, 0, 1, 0])), WireError::Truncated { .. }));
    assert!(matches!(refuse(&block(1, 11, 0, &[1])), WireError::Truncated { .. }), "padding is part of a block");
    assert!(matches!(refuse(&[0, 0, 0, 0, 255, 255, 255, 255]), WireError::Truncated { .. }));
    assert_eq!(refuse(&block(1, 2, 0, &[0, 0, 0, 0])), WireError::Trailing(8));
    for kind in [8, 9, 12, 13, 14, 255] {
        assert_eq!(refuse(&block(0, kind, 0, &[])), WireError::Kind(kind));
    }
    assert_eq!(refuse(&block(1, 1, 0, &[2, 0])), WireError::Boolean(2));
    assert_eq!(refuse(&block(1, 1, 1, &[2, 0, 0, 0])), WireError::Boolean(2));
    assert_eq!(refuse(&block(1, 1, 2, &[0, 0])), WireError::Flag(2));
    assert_eq!(refuse(&block(1, 0, 1, &[0, 0])), WireError::Flag(1));
    assert_eq!(refuse(&block(1, 4, 0, &[1, 0, 2, 0, a, 0])), WireError::Lengths);
    assert_eq!(refuse(&block(1, 4, 0, &[4, 0, 4, 0, emoji, 0])), WireError::Lengths);
    assert_eq!(refuse(&block(2, 4, 0, &[4, 0, 1, 1, emoji, 0])), WireError::Lengths, "within a surrogate pair");
    assert_eq!(refuse(&block(1, 4, 0, &[1, 0, 1, 0, 0xff, 0])), WireError::Lengths);
    assert_eq!(refuse(&block(1, 4, 0, &[2, 0, 1, 0, 0x61c3, 0])), WireError::Utf8);
    assert_eq!(refuse(&block(1, 4, 0, &[1, 0, 1, 0, 0x80, 0])), WireError::Lengths);
    assert_eq!(refuse(&block(1, 5, 0, &[1, 0, 2, 0, a, 0])), WireError::Lengths);
    assert_eq!(refuse(&block(u32::MAX, 0, 0, &[])), WireError::TooLarge("a number of rows without values"));
    let mixed = |kinds: u32, parts: &[u32]| {
        refuse(&block(2, 10, 0, &[&[kinds, 0, (parts.len() / 6) as u32, 0], parts].concat()))
    };
    let bool_part = [1, 1, 1, 0, 1, 0];
    assert_eq!(mixed(0x0201, &bool_part), WireError::Parts, "a part is missing");
    assert_eq!(mixed(0x0001, &[bool_part, bool_part].concat()), WireError::Parts, "a part comes twice");
    assert_eq!(mixed(0x0001, &[1, 1, 2, 0, 1, 0]), WireError::Parts, "a part says two kinds");
    assert_eq!(mixed(0x0101, &bool_part), WireError::Parts, "a part is too short");
    assert_eq!(mixed(0x000a, &[10, 1, 10, 0, 1, 0]), WireError::Kind(10), "kinds do not nest");
}
