//! The rules of conversion, value by value.
#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::indexing_slicing,
    reason = "tests stop at the first surprise"
)]

use std::sync::Arc;

use arrow::{
    array::*,
    datatypes::{DataType, Field, Int32Type, TimeUnit, TimestampMicrosecondType, i256},
    util::display::array_value_to_string,
};
use kalamdb_types::{
    Source::{self, Sql, Value},
    SqlType,
    TypeErrorKind::{
        self, DatatypeMismatch, DatetimeOutOfRange, InvalidDatetime, InvalidText, OutOfRange, StringTooLong,
    },
    coerce,
};

fn field_of(array: &ArrayRef) -> Field {
    Field::new("c", array.data_type().clone(), true)
}

/// The first value as Arrow shows it. Arrow needs a time zone database for UTC, so zones are taken off before.
fn show(array: &ArrayRef) -> String {
    match array.as_primitive_opt::<TimestampMicrosecondType>().filter(|array| array.timezone().is_some()) {
        Some(zoned) => array_value_to_string(&zoned.clone().with_timezone_opt::<&str>(None), 0).unwrap() + "Z",
        None => array_value_to_string(array, 0).unwrap(),
    }
}

/// The converted value as Arrow shows it, or why there is none.
fn check(array: &ArrayRef, target: &str, source: Source, expected: Result<&str, TypeErrorKind>) {
    let target: SqlType = target.parse().unwrap();
    let what = format!("{array:?} to {target} from {source:?}");
    let coerced = coerce(array, &field_of(array), &target, source);
    match (coerced, expected) {
        (Ok(coerced), Ok(expected)) => {
            assert_eq!(coerced.data_type(), &target.arrow(), "{what}");
            assert_eq!(show(&coerced), expected, "{what}");
        }
        (Err(error), Err(expected)) => {
            assert_eq!(error.kind, expected, "{what}: {error}");
            assert!(error.message.contains(&target.to_string()), "{what}: {error}");
        }
        (coerced, expected) => panic!("{what}: {coerced:?} instead of {expected:?}"),
    }
}

#[test]
fn text_is_parsed() {
    let from_text = [
        ("BOOLEAN", " YES ", Ok("true")),
        ("BOOLEAN", "0", Ok("false")),
        ("BOOLEAN", "2", Err(InvalidText)),
        ("TINYINT", "127", Ok("127")),
        ("TINYINT", "128", Err(OutOfRange)),
        ("TINYINT UNSIGNED", "-1", Err(OutOfRange)),
        ("INTEGER", " +42 ", Ok("42")),
        ("INTEGER", "", Err(InvalidText)),
        ("INTEGER", "4.0", Err(InvalidText)),
        ("BIGINT", "9223372036854775807", Ok("9223372036854775807")),
        ("BIGINT", "9223372036854775808", Err(OutOfRange)),
        ("BIGINT UNSIGNED", "18446744073709551615", Ok("18446744073709551615")),
        ("BIGINT", "99999999999999999999999999999999999999999999", Err(OutOfRange)),
        ("DOUBLE", "9007199254740993", Ok("9007199254740992.0")),
        ("DOUBLE", "nan", Ok("NaN")),
        ("DOUBLE", "1e309", Err(OutOfRange)),
        ("REAL", "1e39", Err(OutOfRange)),
        ("REAL", "0.1", Ok("0.1")),
        ("DECIMAL(38,0)", "99999999999999999999999999999999999999", Ok("99999999999999999999999999999999999999")),
        ("DECIMAL(38,0)", "100000000000000000000000000000000000000", Err(OutOfRange)),
        ("DECIMAL(10,2)", "12.3", Ok("12.30")),
        ("DECIMAL(10,2)", "12,3", Err(InvalidText)),
        ("VARCHAR(1)", "\u{1f600}", Ok("\u{1f600}")),
        ("VARCHAR(1)", "ab", Err(StringTooLong)),
        ("VARCHAR(1)", "a   ", Ok("a")),
        ("VARCHAR(1)", "   ", Ok(" ")),
        ("BYTEA", "\\x00fF", Ok("00ff")),
        ("BYTEA", "\\x0", Err(InvalidText)),
        ("BYTEA", "\\x0g", Err(InvalidText)),
        ("BYTEA", "a\\\\\\001", Ok("615c01")),
        ("BYTEA", "\\9", Err(InvalidText)),
        ("DATE", "0001-01-01", Ok("0001-01-01")),
        ("DATE", "9999-12-31", Ok("9999-12-31")),
        ("DATE", "2023-02-29", Err(DatetimeOutOfRange)),
        ("TIME", "23:59:59.999999", Ok("23:59:59.999999")),
        ("TIME", "24:00", Err(DatetimeOutOfRange)),
        ("TIMESTAMP", "2024-01-31 10:00:00+02", Ok("2024-01-31T10:00:00")),
        ("TIMESTAMPTZ", "2024-01-31 10:00:00+02", Ok("2024-01-31T08:00:00Z")),
        ("TIMESTAMPTZ", "2024-01-31T10:00:00.123456Z", Ok("2024-01-31T10:00:00.123456Z")),
        ("TIMESTAMP", "yesterday", Err(InvalidDatetime)),
        ("UUID", "{0190C3F4-1B2C-7DEF-8ABC-0123456789AB}", Ok("0190c3f4-1b2c-7def-8abc-0123456789ab")),
        ("UUID", "0190c3f41b2c7def8abc0123456789ab", Ok("0190c3f4-1b2c-7def-8abc-0123456789ab")),
        ("UUID", "urn:uuid:0190c3f4-1b2c-7def-8abc-0123456789ab", Err(InvalidText)),
        ("UUID", "0190c3f4", Err(InvalidText)),
        ("JSON", " {\"a\":1.0} ", Ok(" {\"a\":1.0} ")),
        ("JSON", "{a:1}", Err(InvalidText)),
        ("JSON", "", Err(InvalidText)),
        ("JSON", "\"\u{1}\"", Err(InvalidText)),
        ("JSON", "[1,]", Err(InvalidText)),
        ("JSON", "\"\\ud800\"", Ok("\"\\ud800\"")),
        ("TEXT", " a ", Ok(" a ")),
    ];
    for (target, text, expected) in from_text {
        let dictionary: DictionaryArray<Int32Type> = [text].into_iter().collect();
        let arrays: [ArrayRef; 4] = [
            Arc::new(StringArray::from(vec![text])),
            Arc::new(LargeStringArray::from(vec![text])),
            Arc::new(StringViewArray::from(vec![text])),
            Arc::new(dictionary),
        ];
        for array in arrays {
            check(&array, target, Sql, expected);
            check(&array, target, Value, expected);
        }
    }
}

#[test]
fn sql_rounds_and_javascript_values_do_not() {
    let exact = (1_u64 << 53) as f64;
    for (value, target, in_sql, from_javascript) in [
        (1.5, "INTEGER", Ok("2"), Err(InvalidText)),
        (2.5, "INTEGER", Ok("2"), Err(InvalidText)),
        (-0.4, "INTEGER UNSIGNED", Ok("0"), Err(InvalidText)),
        (-0.0, "INTEGER", Ok("0"), Ok("0")),
        (2_147_483_647.0, "INTEGER", Ok("2147483647"), Ok("2147483647")),
        (2_147_483_648.0, "INTEGER", Err(OutOfRange), Err(OutOfRange)),
        (exact + 2.0, "BIGINT", Ok("9007199254740994"), Ok("9007199254740994")),
        (9_223_372_036_854_775_808.0, "BIGINT", Err(OutOfRange), Err(OutOfRange)),
        (-9_223_372_036_854_775_808.0, "BIGINT", Ok("-9223372036854775808"), Ok("-9223372036854775808")),
        (9_223_372_036_854_775_808.0, "BIGINT UNSIGNED", Ok("9223372036854775808"), Ok("9223372036854775808")),
        (18_446_744_073_709_551_616.0, "BIGINT UNSIGNED", Err(OutOfRange), Err(OutOfRange)),
        (f64::NAN, "INTEGER", Err(OutOfRange), Err(OutOfRange)),
        (f64::INFINITY, "BIGINT", Err(OutOfRange), Err(OutOfRange)),
        (0.1, "REAL", Ok("0.1"), Ok("0.1")),
        (1e39, "REAL", Err(OutOfRange), Err(OutOfRange)),
        (1e-50, "REAL", Err(OutOfRange), Err(OutOfRange)),
        (f64::NEG_INFINITY, "REAL", Ok("-inf"), Ok("-inf")),
        (0.1, "DECIMAL(10,2)", Ok("0.10"), Ok("0.10")),
        (0.125, "DECIMAL(10,2)", Ok("0.13"), Err(OutOfRange)),
        (1e9, "DECIMAL(10,2)", Err(OutOfRange), Err(OutOfRange)),
        (f64::NAN, "DECIMAL(10,2)", Err(OutOfRange), Err(OutOfRange)),
        (1.0, "TEXT", Ok("1"), Err(DatatypeMismatch)),
        (1.25, "VARCHAR(3)", Err(StringTooLong), Err(DatatypeMismatch)),
        (1.0, "BOOLEAN", Err(DatatypeMismatch), Err(DatatypeMismatch)),
        (1.0, "BYTEA", Err(DatatypeMismatch), Err(DatatypeMismatch)),
        (1.0, "TIMESTAMP", Err(DatatypeMismatch), Err(DatatypeMismatch)),
        (1.0, "DATE", Err(DatatypeMismatch), Err(DatatypeMismatch)),
        (1.0, "UUID", Err(DatatypeMismatch), Err(DatatypeMismatch)),
        (1.0, "JSON", Ok("1"), Ok("1")),
        (f64::NAN, "JSON", Err(InvalidText), Err(InvalidText)),
    ] {
        let array: ArrayRef = Arc::new(Float64Array::from(vec![value]));
        check(&array, target, Sql, in_sql);
        check(&array, target, Value, from_javascript);
    }
}

#[test]
fn integers_decimals_and_booleans() {
    let decimal = |value, precision, scale| -> ArrayRef {
        Arc::new(Decimal128Array::from(vec![value]).with_data_type(DataType::Decimal128(precision, scale)))
    };
    let big = i256::from_i128(i128::MAX).wrapping_mul(i256::from_i128(10));
    let cases: [(ArrayRef, &str, _, _); 19] = [
        (Arc::new(Int64Array::from(vec![300])), "TINYINT", Err(OutOfRange), Err(OutOfRange)),
        (Arc::new(Int64Array::from(vec![300])), "SMALLINT", Ok("300"), Ok("300")),
        (Arc::new(UInt64Array::from(vec![u64::MAX])), "BIGINT", Err(OutOfRange), Err(OutOfRange)),
        (Arc::new(Int32Array::from(vec![-1])), "BIGINT UNSIGNED", Err(OutOfRange), Err(OutOfRange)),
        (Arc::new(Int64Array::from(vec![(1 << 53) + 1])), "DOUBLE", Ok("9007199254740992.0"), Ok("9007199254740992.0")),
        (Arc::new(Int64Array::from(vec![100])), "DECIMAL(3,1)", Err(OutOfRange), Err(OutOfRange)),
        (Arc::new(Int64Array::from(vec![-7])), "TEXT", Ok("-7"), Err(DatatypeMismatch)),
        (Arc::new(Int64Array::from(vec![7])), "JSON", Ok("7"), Ok("7")),
        (Arc::new(Int64Array::from(vec![7])), "DATE", Err(DatatypeMismatch), Err(DatatypeMismatch)),
        (decimal(25, 3, 1), "INTEGER", Ok("3"), Err(InvalidText)),
        (decimal(-25, 3, 1), "INTEGER", Ok("-3"), Err(InvalidText)),
        (decimal(1005, 10, 3), "DECIMAL(10,2)", Ok("1.01"), Err(OutOfRange)),
        (decimal(1000, 3, 1), "DECIMAL(3,1)", Err(OutOfRange), Err(OutOfRange)),
        (decimal(1230, 10, 2), "TEXT", Ok("12.30"), Err(DatatypeMismatch)),
        (decimal(1, 10, 1), "DOUBLE", Ok("0.1"), Ok("0.1")),
        (
            Arc::new(Decimal256Array::from(vec![i256::from_i128(5)]).with_data_type(DataType::Decimal256(50, 0))),
            "INTEGER",
            Ok("5"),
            Ok("5"),
        ),
        (Arc::new(Decimal256Array::from(vec![big])), "DOUBLE", Err(OutOfRange), Err(OutOfRange)),
        (Arc::new(BooleanArray::from(vec![true])), "TEXT", Ok("true"), Err(DatatypeMismatch)),
        (Arc::new(BooleanArray::from(vec![true])), "INTEGER", Err(DatatypeMismatch), Err(DatatypeMismatch)),
    ];
    for (array, target, in_sql, from_javascript) in cases {
        check(&array, target, Sql, in_sql);
        check(&array, target, Value, from_javascript);
    }
}

#[test]
fn dates_and_times() {
    let micros = TimestampMicrosecondArray::from(vec![-1]);
    let cases: [(ArrayRef, &str, _, _); 14] = [
        (Arc::new(micros.clone()), "TIMESTAMPTZ", Ok("1969-12-31T23:59:59.999999Z"), Ok("1969-12-31T23:59:59.999999Z")),
        (
            Arc::new(micros.clone().with_timezone("+02:00")),
            "TIMESTAMP",
            Ok("1969-12-31T23:59:59.999999"),
            Ok("1969-12-31T23:59:59.999999"),
        ),
        (Arc::new(micros.clone()), "DATE", Ok("1969-12-31"), Err(DatatypeMismatch)),
        (Arc::new(micros.clone()), "TIME", Ok("23:59:59.999999"), Err(DatatypeMismatch)),
        (Arc::new(micros.clone()), "TEXT", Ok("1969-12-31 23:59:59.999999"), Err(DatatypeMismatch)),
        (Arc::new(micros), "BIGINT", Err(DatatypeMismatch), Err(DatatypeMismatch)),
        (
            Arc::new(TimestampNanosecondArray::from(vec![-1])),
            "TIMESTAMP",
            Ok("1969-12-31T23:59:59.999999"),
            Ok("1969-12-31T23:59:59.999999"),
        ),
        (
            Arc::new(TimestampSecondArray::from(vec![1])),
            "TIMESTAMP",
            Ok("1970-01-01T00:00:01"),
            Ok("1970-01-01T00:00:01"),
        ),
        (
            Arc::new(TimestampSecondArray::from(vec![i64::MAX])),
            "TIMESTAMP",
            Err(DatetimeOutOfRange),
            Err(DatetimeOutOfRange),
        ),
        (Arc::new(Date32Array::from(vec![-1])), "TIMESTAMP", Ok("1969-12-31T00:00:00"), Ok("1969-12-31T00:00:00")),
        (Arc::new(Date32Array::from(vec![i32::MAX])), "TIMESTAMP", Err(DatetimeOutOfRange), Err(DatetimeOutOfRange)),
        (Arc::new(Date64Array::from(vec![-1])), "DATE", Ok("1969-12-31"), Ok("1969-12-31")),
        (Arc::new(Time32SecondArray::from(vec![1])), "TIME", Ok("00:00:01"), Ok("00:00:01")),
        (
            Arc::new(Time64MicrosecondArray::from(vec![86_400_000_000])),
            "TIME",
            Err(DatetimeOutOfRange),
            Err(DatetimeOutOfRange),
        ),
    ];
    for (array, target, in_sql, from_javascript) in cases {
        check(&array, target, Sql, in_sql);
        check(&array, target, Value, from_javascript);
    }
    let text: ArrayRef = Arc::new(StringArray::from(vec!["2024-01-31T10:00:00Z"]));
    check(&text, "DATE", Sql, Ok("2024-01-31"));
    check(&text, "DATE", Value, Err(InvalidDatetime));
}

#[test]
fn bytes_lists_and_intervals() {
    let cases: [(ArrayRef, &str, _); 6] = [
        (Arc::new(LargeBinaryArray::from(vec![b"\0".as_slice()])), "BYTEA", Ok("00")),
        (Arc::new(FixedSizeBinaryArray::try_from_iter([b"ab"].into_iter()).unwrap()), "BYTEA", Ok("6162")),
        (Arc::new(BinaryArray::from(vec![b"ab".as_slice()])), "TEXT", Err(DatatypeMismatch)),
        (Arc::new(IntervalYearMonthArray::from(vec![14])), "TEXT", Ok("1 year 2 mons")),
        (
            Arc::new(ListArray::from_iter_primitive::<Int32Type, _, _>([Some(vec![Some(1), None])])),
            "TEXT",
            Ok("{1,NULL}"),
        ),
        (
            Arc::new(ListArray::from_iter_primitive::<Int32Type, _, _>([Some(vec![Some(1), None])])),
            "JSON",
            Err(DatatypeMismatch),
        ),
    ];
    for (array, target, in_sql) in cases {
        check(&array, target, Sql, in_sql);
    }
}

#[test]
fn nulls_are_nulls_of_any_type() {
    for sql_type in SqlType::all_examples() {
        let array: ArrayRef = Arc::new(NullArray::new(3));
        let coerced = coerce(&array, &field_of(&array), &sql_type, Value).unwrap();
        assert_eq!((coerced.data_type(), coerced.len(), coerced.null_count()), (&sql_type.arrow(), 3, 3));
    }
}

#[test]
fn json_from_javascript_is_not_text() {
    let array: ArrayRef = Arc::new(StringArray::from(vec!["{}"]));
    let field = SqlType::Json.field("c", true).with_data_type(DataType::Utf8);
    assert_eq!(coerce(&array, &field, &SqlType::Text, Value).unwrap_err().kind, DatatypeMismatch);
    assert_eq!(coerce(&array, &field, &SqlType::Text, Sql).unwrap().as_string_view().value(0), "{}");
    assert_eq!(coerce(&array, &field, &SqlType::Json, Value).unwrap().as_string_view().value(0), "{}");
}

#[test]
fn metadata_does_not_replace_the_check() {
    let array: ArrayRef = Arc::new(StringViewArray::from(vec!["not a uuid"]));
    let error = coerce(&array, &SqlType::Uuid.field("c", true), &SqlType::Uuid, Sql).unwrap_err();
    assert_eq!(error.kind, InvalidText);
}

#[test]
fn errors_name_row_value_and_type() {
    let message = |array: ArrayRef, target: SqlType| {
        let error = coerce(&array, &field_of(&array), &target, Value).unwrap_err();
        (error.row, error.message)
    };
    let numbers = || Arc::new(Float64Array::from(vec![None, Some(1.0), Some(300.0), Some(1.5)]));
    assert_eq!(message(numbers(), SqlType::TinyInt), (2, "value 300 is out of range for type TINYINT".to_owned()));
    assert_eq!(
        message(numbers(), SqlType::Integer),
        (3, "value 1.5 is not an integer, as type INTEGER needs".to_owned())
    );
    assert_eq!(message(numbers(), SqlType::Text), (1, "DOUBLE value 1 cannot be stored as TEXT".to_owned()));
    let empty: ArrayRef = Arc::new(Int64Array::from(vec![None, None]));
    assert_eq!(message(empty, SqlType::Date), (0, "BIGINT values cannot be stored as DATE".to_owned()));
    let long: ArrayRef = Arc::new(StringArray::from(vec![Some("1"), Some(&"\u{e9}".repeat(1_000))]));
    let (row, shortened) = message(long, SqlType::Integer);
    assert_eq!(row, 1);
    assert_eq!(shortened, format!("invalid input for type INTEGER: \"{}...\"", "\u{e9}".repeat(60)));
}

#[test]
fn fields_and_names_are_inverse() {
    for sql_type in SqlType::all_examples() {
        let field = sql_type.field("c", true);
        assert_eq!(SqlType::of_field(&field), Some(sql_type));
        assert_eq!(kalamdb_types::type_name(&field), sql_type.to_string());
        assert_eq!(sql_type.to_string().parse(), Ok(sql_type));
        let json = serde_json::to_string(&sql_type).unwrap();
        assert_eq!(json, format!("\"{sql_type}\""));
        assert_eq!(serde_json::from_str::<SqlType>(&json).unwrap(), sql_type);
    }
    for name in [
        "",
        "INT",
        "integer",
        "DECIMAL",
        "DECIMAL(0,0)",
        "DECIMAL(39,0)",
        "DECIMAL(5,6)",
        "DECIMAL(05,2)",
        "VARCHAR(0)",
        "VARCHAR(10485761)",
        "TEXT(5)",
    ] {
        assert!(name.parse::<SqlType>().is_err(), "{name:?}");
        assert!(serde_json::from_str::<SqlType>(&format!("{name:?}")).is_err());
    }
}

#[test]
fn every_arrow_type_has_a_name() {
    let item = |data_type| Arc::new(Field::new_list_field(data_type, true));
    let uuids = Arc::new(SqlType::Uuid.field("item", true));
    for (data_type, name) in [
        (DataType::Null, "NULL"),
        (DataType::LargeUtf8, "TEXT"),
        (DataType::Float16, "REAL"),
        (DataType::Timestamp(TimeUnit::Nanosecond, None), "TIMESTAMP"),
        (DataType::Timestamp(TimeUnit::Second, Some("Europe/Berlin".into())), "TIMESTAMPTZ"),
        (DataType::List(item(DataType::Int64)), "BIGINT[]"),
        (DataType::LargeList(item(DataType::List(item(DataType::Utf8)))), "TEXT[][]"),
        (DataType::FixedSizeList(uuids, 3), "UUID[]"),
        (DataType::Struct(vec![Field::new("a", DataType::Int8, true)].into()), "STRUCT"),
        (DataType::Duration(TimeUnit::Second), "INTERVAL"),
        (DataType::Decimal256(76, 4), "DECIMAL(76,4)"),
        (DataType::Decimal128(5, -2), "DECIMAL(5,-2)"),
        (DataType::Dictionary(Box::new(DataType::Int8), Box::new(DataType::Utf8)), "TEXT"),
        (DataType::Dictionary(Box::new(DataType::Int8), Box::new(DataType::Null)), "NULL"),
    ] {
        assert_eq!(kalamdb_types::type_name(&Field::new("c", data_type, true)), name);
    }
    // A cast keeps the metadata of what it casts.
    let cast = SqlType::Uuid.field("c", true).with_data_type(DataType::Int32);
    assert_eq!(kalamdb_types::type_name(&cast), "INTEGER");
}
