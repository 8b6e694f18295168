//! Every type, at its edges and at random: Arrow to stored JSON and back, wire to Arrow to wire.
#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::indexing_slicing,
    reason = "tests stop at the first surprise"
)]

mod support;

use std::sync::Arc;

use arrow::{
    array::*,
    datatypes::{DataType, Schema},
};
use kalamdb_types::{Source, SqlType, coerce, json, wire};
use proptest::prelude::*;
use support::{
    edges::{arrays, edge_values, embeddings},
    wire::{Js, read_block, write_block},
};

/// Floats are compared by their bits: -0.0 is not 0.0, and NaN is NaN.
fn assert_same(left: &ArrayRef, right: &ArrayRef, what: SqlType) {
    assert_eq!(left.data_type(), right.data_type(), "{what}");
    assert!(with_one_nan(left) == with_one_nan(right), "{what}: {left:?} is not {right:?}");
}

/// The same values, every NaN with the same bits; Arrow compares floats by their bits.
fn with_one_nan(array: &ArrayRef) -> ArrayRef {
    match array.data_type() {
        DataType::Float32 => {
            let floats = array.as_primitive::<types::Float32Type>();
            Arc::new(floats.unary::<_, types::Float32Type>(|value| if value.is_nan() { f32::NAN } else { value }))
        }
        DataType::Float64 => {
            let floats = array.as_primitive::<types::Float64Type>();
            Arc::new(floats.unary::<_, types::Float64Type>(|value| if value.is_nan() { f64::NAN } else { value }))
        }
        DataType::List(item) => {
            let list = array.as_list::<i32>();
            let items = with_one_nan(list.values());
            Arc::new(ListArray::new(Arc::clone(item), list.offsets().clone(), items, list.nulls().cloned()))
        }
        DataType::FixedSizeList(item, size) => {
            let list = array.as_fixed_size_list();
            Arc::new(FixedSizeListArray::new(
                Arc::clone(item),
                *size,
                with_one_nan(list.values()),
                list.nulls().cloned(),
            ))
        }
        _ => Arc::clone(array),
    }
}

fn through_json(array: &ArrayRef, sql_type: SqlType) -> ArrayRef {
    let mut stored = Vec::new();
    json::encode_rows(&[Arc::clone(array)], &[sql_type], 0, array.len(), &mut stored).unwrap();
    let mut columns = json::decode_rows(&stored, &[sql_type], array.len()).unwrap();
    assert_eq!(columns.len(), 1);
    columns.remove(0)
}

/// What JavaScript sees of an array.
fn results_of(array: &ArrayRef, sql_type: SqlType) -> Vec<Js> {
    let schema = Arc::new(Schema::new(vec![sql_type.field("c", true)]));
    let batch = RecordBatch::try_new(schema, vec![Arc::clone(array)]).unwrap();
    let mut out = vec![0; 8];
    wire::encode_block(&batch, &mut out);
    assert_eq!(out.len() % 8, 0);
    read_block(&out[8..]).remove(0)
}

/// What JavaScript sends to store the values that it saw.
fn inputs_of(results: Vec<Js>) -> Vec<Js> {
    let input = |value| match value {
        Js::U64(value) => i64::try_from(value).map_or_else(|_| Js::Str(value.to_string()), Js::I64),
        Js::TsUs(micros) => {
            let mut text = String::new();
            let array: ArrayRef = Arc::new(TimestampMicrosecondArray::from(vec![micros]));
            let field = SqlType::Timestamp.field("c", true);
            let shown = coerce(&array, &field, &SqlType::Text, Source::Sql).unwrap();
            text.push_str(shown.as_string_view().value(0));
            Js::Str(text)
        }
        list @ Js::List(_) => Js::Json(json_of(&list)),
        other => other,
    };
    results.into_iter().map(input).collect()
}

/// The JSON that JavaScript sends for an array.
fn json_of(value: &Js) -> String {
    match value {
        Js::Null => "null".to_owned(),
        Js::Bool(value) => value.to_string(),
        Js::F64(value) if value.is_finite() => ryu::Buffer::new().format_finite(*value).to_owned(),
        Js::F64(value) if value.is_nan() => "\"NaN\"".to_owned(),
        Js::F64(value) => if *value > 0.0 { "\"Infinity\"" } else { "\"-Infinity\"" }.to_owned(),
        Js::I64(value) => value.to_string(),
        Js::U64(value) => value.to_string(),
        Js::I32(value) => value.to_string(),
        Js::Str(text) => serde_json::to_string(text).unwrap(),
        Js::Bytes(bytes) => format!("\"\\\\x{}\"", bytes.iter().map(|byte| format!("{byte:02x}")).collect::<String>()),
        Js::Json(json) => json.clone(),
        Js::TsUs(_) => match inputs_of(vec![value.clone()]).remove(0) {
            Js::Str(text) => serde_json::to_string(&text).unwrap(),
            other => panic!("{other:?}"),
        },
        Js::List(items) => format!("[{}]", items.iter().map(json_of).collect::<Vec<_>>().join(",")),
        Js::DateMs(_) | Js::Struct(_) => panic!("{value:?} is not in an array"),
    }
}

fn through_wire(array: &ArrayRef, sql_type: SqlType) -> ArrayRef {
    let block = write_block(&[inputs_of(results_of(array, sql_type))]);
    let mut decoded = wire::decode_block(&block).unwrap();
    assert_eq!(decoded.n_rows, array.len());
    decoded.columns.remove(0).into_typed(&sql_type).unwrap_or_else(|error| panic!("{sql_type}: {error}"))
}

#[test]
fn edges_survive_storage() {
    for sql_type in SqlType::all_examples() {
        let array = edge_values(sql_type);
        assert_same(&through_json(&array, sql_type), &array, sql_type);
        let sliced = array.slice(1, array.len() - 1);
        assert_same(&through_json(&sliced, sql_type), &sliced, sql_type);
    }
}

#[test]
fn edges_survive_the_wire() {
    for sql_type in SqlType::all_examples() {
        let array = match sql_type {
            // The text form of days beyond seven-digit years is not read back.
            SqlType::Date => edge_values(sql_type).slice(0, 5),
            _ => edge_values(sql_type),
        };
        assert_same(&through_wire(&array, sql_type), &array, sql_type);
        let sliced = array.slice(1, array.len() - 1);
        assert_same(&through_wire(&sliced, sql_type), &sliced, sql_type);
    }
}

#[test]
fn edges_are_their_own_type() {
    for sql_type in SqlType::all_examples() {
        let array = edge_values(sql_type);
        let field = sql_type.field("c", true);
        for source in [Source::Sql, Source::Value] {
            let same = coerce(&array, &field, &sql_type, source).unwrap_or_else(|error| panic!("{sql_type}: {error}"));
            assert!(Arc::ptr_eq(&same, &array), "{sql_type} is not copied");
        }
    }
}

#[test]
fn all_columns_at_once() {
    let types = SqlType::all_examples();
    let columns: Vec<ArrayRef> = types.iter().map(|sql_type| edge_values(*sql_type).slice(0, 3)).collect();
    let mut stored = b"prefix".to_vec();
    json::encode_rows(&columns, &types, 1, 3, &mut stored).unwrap();
    let decoded = json::decode_rows(&stored[6..], &types, 0).unwrap();
    for ((decoded, column), sql_type) in decoded.iter().zip(&columns).zip(types) {
        assert_same(decoded, &column.slice(1, 2), sql_type);
    }
}

/// Any array of any type.
fn any_column() -> impl Strategy<Value = (SqlType, ArrayRef)> {
    prop::sample::select(SqlType::all_examples()).prop_flat_map(|sql_type| (Just(sql_type), any_array(sql_type)))
}

fn nullable<T: Clone + std::fmt::Debug + 'static>(
    value: impl Strategy<Value = T> + 'static,
    collect: impl Fn(Vec<Option<T>>) -> ArrayRef + 'static,
) -> BoxedStrategy<ArrayRef> {
    prop::collection::vec(prop::option::weighted(0.8, value), 0..20).prop_map(collect).boxed()
}

fn any_array(sql_type: SqlType) -> BoxedStrategy<ArrayRef> {
    match sql_type {
        SqlType::Boolean => nullable(any::<bool>(), |v| Arc::new(BooleanArray::from(v))),
        SqlType::TinyInt => nullable(any::<i8>(), |v| Arc::new(Int8Array::from(v))),
        SqlType::SmallInt => nullable(any::<i16>(), |v| Arc::new(Int16Array::from(v))),
        SqlType::Integer => nullable(any::<i32>(), |v| Arc::new(Int32Array::from(v))),
        SqlType::BigInt => nullable(any::<i64>(), |v| Arc::new(Int64Array::from(v))),
        SqlType::TinyIntUnsigned => nullable(any::<u8>(), |v| Arc::new(UInt8Array::from(v))),
        SqlType::SmallIntUnsigned => nullable(any::<u16>(), |v| Arc::new(UInt16Array::from(v))),
        SqlType::IntegerUnsigned => nullable(any::<u32>(), |v| Arc::new(UInt32Array::from(v))),
        SqlType::BigIntUnsigned => nullable(any::<u64>(), |v| Arc::new(UInt64Array::from(v))),
        SqlType::Real => nullable(any::<u32>().prop_map(f32::from_bits), |v| Arc::new(Float32Array::from(v))),
        SqlType::Double => nullable(any::<u64>().prop_map(f64::from_bits), |v| Arc::new(Float64Array::from(v))),
        SqlType::Decimal(precision, _) => {
            let max = 10_i128.pow(precision.into()) - 1;
            nullable(-max..=max, move |v| Arc::new(Decimal128Array::from(v).with_data_type(sql_type.arrow())))
        }
        SqlType::Text => nullable(".{0,30}", |v| Arc::new(StringViewArray::from_iter(v))),
        SqlType::Varchar(1) => nullable(".", |v| Arc::new(StringViewArray::from_iter(v))),
        SqlType::Varchar(_) => nullable("(?s).{0,30}", |v| Arc::new(StringViewArray::from_iter(v))),
        SqlType::Bytea => nullable(any::<Vec<u8>>(), |v| Arc::new(BinaryArray::from_iter(v))),
        SqlType::Date => nullable(-800_000..3_000_000, |v| Arc::new(Date32Array::from(v))),
        SqlType::Time => nullable(0..86_400_000_000_i64, |v| Arc::new(Time64MicrosecondArray::from(v))),
        SqlType::Timestamp => nullable(any::<i64>(), |v| Arc::new(TimestampMicrosecondArray::from(v))),
        SqlType::TimestampTz => {
            nullable(any::<i64>(), |v| Arc::new(TimestampMicrosecondArray::from(v).with_timezone("UTC")))
        }
        SqlType::Interval => nullable(any::<(i32, i32, i64)>(), |v| {
            let interval = |(months, days, nanos)| arrow::datatypes::IntervalMonthDayNano::new(months, days, nanos);
            Arc::new(IntervalMonthDayNanoArray::from_iter(v.into_iter().map(|v| v.map(interval))))
        }),
        SqlType::Embedding(length) => {
            let length = usize::try_from(length).unwrap();
            let vector = prop::collection::vec(any::<u32>().prop_map(f32::from_bits), length.min(3));
            prop::collection::vec(prop::option::weighted(0.8, vector), 0..4)
                .prop_map(move |rows| {
                    let numbers = rows
                        .iter()
                        .flat_map(|row| row.clone().unwrap_or(vec![0.0]).into_iter().cycle().take(length))
                        .collect();
                    embeddings(sql_type, numbers, rows.iter().map(Option::is_some).collect())
                })
                .boxed()
        }
        SqlType::Array(array) => {
            let parts = prop::collection::vec(prop::option::weighted(0.8, 0_usize..4), 0..6);
            (any_array(array.element()), parts)
                .prop_map(move |(items, parts)| {
                    let mut left = items.len();
                    let mut take = |wanted: &Option<usize>| {
                        let taken = wanted.unwrap_or(0).min(left);
                        left -= taken;
                        taken
                    };
                    let lengths: Vec<usize> = parts.iter().map(&mut take).collect();
                    let used = lengths.iter().sum();
                    arrays(sql_type, items.slice(0, used), &lengths, parts.iter().map(Option::is_some).collect())
                })
                .boxed()
        }
        SqlType::Uuid => {
            let uuid = "[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}";
            nullable(uuid, |v| Arc::new(StringViewArray::from_iter(v)))
        }
        SqlType::Json => {
            let json = "(?s).{0,10}".prop_map(|text| serde_json::json!({ "a": [text, null, 1.5] }).to_string());
            nullable(json, |v| Arc::new(StringViewArray::from_iter(v)))
        }
    }
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(1_000))]

    #[test]
    fn any_array_survives_storage((sql_type, array) in any_column()) {
        assert_same(&through_json(&array, sql_type), &array, sql_type);
    }

    #[test]
    fn any_array_survives_the_wire((sql_type, array) in any_column()) {
        // A signalling NaN need not stay one: the 32-bit floats cross as 64-bit ones.
        assert_same(&through_wire(&array, sql_type), &array, sql_type);
    }

    #[test]
    fn any_text_coerces_or_fails_to_any_type(text in "(?s).{0,20}", number in "[-+ ]?[0-9.eE+:T -]{0,24}") {
        let array: ArrayRef = Arc::new(StringArray::from(vec![text, number]));
        let field = arrow::datatypes::Field::new("c", array.data_type().clone(), true);
        for sql_type in SqlType::all_examples() {
            for source in [Source::Sql, Source::Value] {
                match coerce(&array, &field, &sql_type, source) {
                    Ok(coerced) => {
                        prop_assert_eq!(coerced.data_type(), &sql_type.arrow());
                        prop_assert_eq!(coerced.len(), 2);
                    }
                    Err(error) => prop_assert!(error.row < 2 && error.message.contains(&sql_type.to_string())),
                }
            }
        }
    }

    #[test]
    fn any_number_coerces_or_fails_to_any_type(number in any::<u64>().prop_map(f64::from_bits), integer in any::<i64>(), decimal in any::<i128>()) {
        let arrays: [ArrayRef; 3] = [
            Arc::new(Float64Array::from(vec![number])),
            Arc::new(Int64Array::from(vec![integer])),
            Arc::new(Decimal128Array::from(vec![decimal])),
        ];
        for array in arrays {
            let field = arrow::datatypes::Field::new("c", array.data_type().clone(), true);
            for sql_type in SqlType::all_examples() {
                for source in [Source::Sql, Source::Value] {
                    if let Ok(coerced) = coerce(&array, &field, &sql_type, source) {
                        prop_assert_eq!(coerced.data_type(), &sql_type.arrow());
                    }
                }
            }
        }
    }

    #[test]
    fn any_bytes_are_a_block_or_an_error(bytes in any::<Vec<u8>>(), n_rows in 0_u32..5, kinds in prop::collection::vec(0_u8..15, 1..4)) {
        let _ = wire::decode_block(&bytes);
        let mut block = [n_rows.to_le_bytes(), 1_u32.to_le_bytes()].concat();
        block.extend([kinds[0], 0, 0, 0, 0, 0, 0, 0]);
        block.extend(&bytes);
        if let Ok(decoded) = wire::decode_block(&block) {
            for column in decoded.columns {
                let _ = column.scalar_array();
                for sql_type in SqlType::all_examples() {
                    if let Ok(array) = column.clone().into_typed(&sql_type) {
                        prop_assert_eq!(array.len(), n_rows as usize);
                    }
                }
            }
        }
    }

    #[test]
    fn a_damaged_block_is_a_block_or_an_error((sql_type, array) in any_column(), at in any::<prop::sample::Index>(), byte in any::<u8>(), cut in any::<prop::sample::Index>()) {
        let mut block = write_block(&[inputs_of(results_of(&array, sql_type))]);
        let truncated = &block[..cut.index(block.len())];
        prop_assert!(truncated.is_empty() || wire::decode_block(truncated).is_err());
        let at = at.index(block.len());
        block[at] = byte;
        if let Ok(decoded) = wire::decode_block(&block) {
            for column in decoded.columns {
                let _ = column.into_typed(&sql_type);
            }
        }
    }

    #[test]
    fn any_text_is_rows_or_an_error(bytes in any::<Vec<u8>>(), text in "[\\[\\],\"0-9a-z.e-]{0,40}", types in prop::collection::vec(prop::sample::select(SqlType::all_examples()), 0..4)) {
        let _ = json::decode_rows(&bytes, &types, usize::MAX);
        if let Ok(columns) = json::decode_rows(text.as_bytes(), &types, usize::MAX) {
            prop_assert_eq!(columns.len(), types.len());
        }
    }
}
