//! Arrays, vectors and intervals: what they are made of, and what is refused.
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
    buffer::NullBuffer,
    datatypes::{DataType, Field, Float64Type, Int32Type, Int64Type, IntervalMonthDayNano},
};
use kalamdb_types::{
    JsonError,
    Source::{self, Sql, Value},
    SqlType,
    TypeErrorKind::{
        self, DatatypeMismatch, DatetimeOutOfRange, InvalidDatetime, InvalidText, InvalidVector, OutOfRange,
        StringTooLong,
    },
    append_json, coerce, json,
};

fn type_of(name: &str) -> SqlType {
    name.parse().unwrap_or_else(|error| panic!("{error}"))
}

/// The value in PostgreSQL's form.
fn show(array: &ArrayRef, sql_type: SqlType) -> String {
    coerce(array, &sql_type.field("c", true), &SqlType::Text, Sql).unwrap().as_string_view().value(0).to_owned()
}

fn check(array: &ArrayRef, field: &Field, target: &str, source: Source, expected: Result<&str, TypeErrorKind>) {
    let target = type_of(target);
    let what = format!("{array:?} to {target} from {source:?}");
    match (coerce(array, field, &target, source), expected) {
        (Ok(coerced), Ok(expected)) => {
            assert_eq!(coerced.data_type(), &target.arrow(), "{what}");
            assert_eq!(show(&coerced, target), expected, "{what}");
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
    for (target, text, expected) in [
        ("INTEGER[]", "{1,2}", Ok("{1,2}")),
        ("INTEGER[]", " [ 1 , null ] ", Ok("{1,NULL}")),
        ("INTEGER[]", "{}", Ok("{}")),
        ("INTEGER[]", "[]", Ok("{}")),
        ("INTEGER[]", "{ 1 , NULL , null }", Ok("{1,NULL,NULL}")),
        ("INTEGER[]", "{1,}", Err(InvalidText)),
        ("INTEGER[]", "{,1}", Err(InvalidText)),
        ("INTEGER[]", "{1", Err(InvalidText)),
        ("INTEGER[]", "{1}}", Err(InvalidText)),
        ("INTEGER[]", "1", Err(InvalidText)),
        ("INTEGER[]", "", Err(InvalidText)),
        ("INTEGER[]", "{{1}}", Err(InvalidText)),
        ("INTEGER[]", "[[1]]", Err(InvalidText)),
        ("INTEGER[]", "[1,{}]", Err(InvalidText)),
        ("INTEGER[]", "[1", Err(InvalidText)),
        ("INTEGER[]", "{2147483648}", Err(OutOfRange)),
        ("INTEGER[]", "[true]", Err(DatatypeMismatch)),
        ("BOOLEAN[]", "[true,\"f\",null]", Ok("{t,f,NULL}")),
        ("BOOLEAN[]", "[1]", Err(DatatypeMismatch)),
        ("BOOLEAN[]", "{1,yes}", Ok("{t,t}")),
        (
            "TEXT[]",
            "{a b,\"c,\\\"d\",\"NULL\",\"\",\\NULL,e\\,f}",
            Ok("{\"a b\",\"c,\\\"d\",\"NULL\",\"\",\"NULL\",\"e,f\"}"),
        ),
        ("TEXT[]", "{a\"b\"}", Err(InvalidText)),
        ("TEXT[]", "{\"a\"b}", Err(InvalidText)),
        ("TEXT[]", "{\"a}", Err(InvalidText)),
        ("TEXT[]", "[\"\\ud800\"]", Err(InvalidText)),
        ("TEXT[]", "[\"\\ud83d\\ude00\",\"\\u0000\"]", Ok("{\u{1f600},\0}")),
        ("VARCHAR(2)[]", "{ab,abc}", Err(StringTooLong)),
        ("UUID[]", "{0190C3F41B2C7DEF8ABC0123456789AB}", Ok("{0190c3f4-1b2c-7def-8abc-0123456789ab}")),
        ("UUID[]", "{x}", Err(InvalidText)),
        ("JSON[]", "[{\"a\": 1}, \"x\", 1.50, null]", Ok("{\"{\\\"a\\\": 1}\",\"\\\"x\\\"\",1.50,NULL}")),
        ("JSON[]", "{\"{\\\"a\\\":1}\",2}", Ok("{\"{\\\"a\\\":1}\",2}")),
        ("JSON[]", "{x}", Err(InvalidText)),
        ("DOUBLE[]", "[1e3,\"NaN\",\"-Infinity\",-0]", Ok("{1000,NaN,-Infinity,-0}")),
        ("DOUBLE[]", "[1e999]", Err(OutOfRange)),
        ("BYTEA[]", "{\"\\\\x00ff\"}", Ok("{\"\\\\x00ff\"}")),
        ("DATE[]", "{2024-01-31,2023-02-29}", Err(DatetimeOutOfRange)),
        ("INTEGER[][]", "{{1,2},NULL,{}}", Ok("{{1,2},NULL,{}}")),
        ("INTEGER[][]", "[[1],null,[]]", Ok("{{1},NULL,{}}")),
        ("INTEGER[][]", "{1}", Err(InvalidText)),
        ("TEXT[][]", "{{\"}\",\"a\\\"{\"}}", Ok("{{\"}\",\"a\\\"{\"}}")),
        ("EMBEDDING(2)", "[1,0.5]", Ok("{1,0.5}")),
        ("EMBEDDING(2)", "{1,1e-3}", Ok("{1,0.001}")),
        ("EMBEDDING(2)", "[1]", Err(InvalidVector)),
        ("EMBEDDING(2)", "[1,2,3]", Err(InvalidVector)),
        ("EMBEDDING(2)", "[1,null]", Err(InvalidVector)),
        ("EMBEDDING(2)", "[1,1e39]", Err(OutOfRange)),
        ("EMBEDDING(2)", "[1,x]", Err(InvalidText)),
        ("EMBEDDING(2)[]", "[[1,2],null]", Ok("{{1,2},NULL}")),
        ("EMBEDDING(2)[]", "{{1,2,3}}", Err(InvalidVector)),
        ("INTERVAL", "1 year 2 mons -3 days 04:05:06.7", Ok("1 year 2 mons -3 days +04:05:06.7")),
        ("INTERVAL", "1 parsec", Err(InvalidDatetime)),
        ("INTERVAL[]", "{\"1 day\",NULL}", Ok("{\"1 day\",NULL}")),
    ] {
        let array: ArrayRef = Arc::new(StringArray::from(vec![text]));
        let field = Field::new("c", DataType::Utf8, true);
        check(&array, &field, target, Sql, expected);
        check(&array, &field, target, Value, expected);
    }
}

#[test]
fn arrays_of_javascript_are_json() {
    let field = SqlType::Json.field("c", true).with_data_type(DataType::Utf8);
    for (target, json, expected) in [
        ("INTEGER[]", "[1,\"2\",null]", Ok("{1,2,NULL}")),
        ("INTEGER[]", "[1.5]", Err(InvalidText)),
        ("INTEGER[]", "{\"a\":1}", Err(InvalidText)),
        ("BIGINT[]", "[9223372036854775807]", Ok("{9223372036854775807}")),
        ("BIGINT[]", "[9223372036854775808]", Err(OutOfRange)),
        ("TEXT[]", "[\"a\",1]", Err(DatatypeMismatch)),
        ("TEXT[]", "[true]", Err(DatatypeMismatch)),
        ("DECIMAL(3,1)[]", "[1.25]", Err(OutOfRange)),
        ("EMBEDDING(3)", "[0.10000000149011612,-0,1]", Ok("{0.1,-0,1}")),
        ("TIMESTAMPTZ[]", "[\"2024-01-31T10:00:00.000Z\"]", Ok("{\"2024-01-31 10:00:00+00\"}")),
        ("INTERVAL", "[1]", Err(DatatypeMismatch)),
        ("TEXT", "[1]", Err(DatatypeMismatch)),
    ] {
        let array: ArrayRef = Arc::new(StringArray::from(vec![json]));
        check(&array, &field, target, Value, expected);
    }
    let array: ArrayRef = Arc::new(StringArray::from(vec!["[1,1.25,\"a\"]"]));
    check(&array, &field, "TEXT[]", Sql, Ok("{1,1.25,a}"));
}

#[test]
fn lists_of_every_kind_and_other_elements() {
    let ints = || ListArray::from_iter_primitive::<Int64Type, _, _>([Some(vec![Some(1), None, Some(300)])]);
    let floats = ListArray::from_iter_primitive::<Float64Type, _, _>([Some(vec![Some(1.5), Some(2.5)])]);
    let fixed = FixedSizeListArray::from_iter_primitive::<Int32Type, _, _>([Some(vec![Some(1), Some(2)])], 2);
    let large: ArrayRef = Arc::new(LargeListArray::from_iter_primitive::<Int32Type, _, _>([Some(vec![Some(7)])]));
    let untyped = ListArray::new(
        Arc::new(Field::new_list_field(DataType::Null, true)),
        arrow::buffer::OffsetBuffer::from_lengths([2]),
        Arc::new(NullArray::new(2)),
        None,
    );
    let cases: [(ArrayRef, &str, _, _); 12] = [
        (Arc::new(ints()), "INTEGER[]", Ok("{1,NULL,300}"), Ok("{1,NULL,300}")),
        (Arc::new(ints()), "TINYINT[]", Err(OutOfRange), Err(OutOfRange)),
        (Arc::new(ints()), "TEXT[]", Ok("{1,NULL,300}"), Err(DatatypeMismatch)),
        (Arc::new(ints()), "BOOLEAN[]", Err(DatatypeMismatch), Err(DatatypeMismatch)),
        (Arc::new(ints()), "INTEGER[][]", Err(DatatypeMismatch), Err(DatatypeMismatch)),
        (Arc::new(ints()), "INTEGER", Err(DatatypeMismatch), Err(DatatypeMismatch)),
        (Arc::new(ints()), "EMBEDDING(3)", Err(InvalidVector), Err(InvalidVector)),
        (Arc::new(floats.clone()), "INTEGER[]", Ok("{2,2}"), Err(InvalidText)),
        (Arc::new(floats), "EMBEDDING(2)", Ok("{1.5,2.5}"), Ok("{1.5,2.5}")),
        (Arc::new(fixed), "BIGINT[]", Ok("{1,2}"), Ok("{1,2}")),
        (large, "INTEGER[]", Ok("{7}"), Ok("{7}")),
        (Arc::new(untyped), "UUID[]", Ok("{NULL,NULL}"), Ok("{NULL,NULL}")),
    ];
    for (array, target, in_sql, from_javascript) in cases {
        let field = Field::new("c", array.data_type().clone(), true);
        check(&array, &field, target, Sql, in_sql);
        check(&array, &field, target, Value, from_javascript);
    }
}

#[test]
fn durations_become_intervals() {
    let day = 86_400_000_000;
    let durations: ArrayRef = Arc::new(DurationMicrosecondArray::from(vec![Some(-day - 1), None]));
    let field = Field::new("c", durations.data_type().clone(), true);
    let intervals = coerce(&durations, &field, &SqlType::Interval, Sql).unwrap();
    let expected = IntervalMonthDayNanoArray::from(vec![Some(IntervalMonthDayNano::new(0, -1, -1_000)), None]);
    assert_eq!(*intervals, expected);
    let months: ArrayRef = Arc::new(IntervalYearMonthArray::from(vec![14]));
    check(&months, &Field::new("c", months.data_type().clone(), true), "INTERVAL", Sql, Ok("1 year 2 mons"));
}

#[test]
fn errors_name_the_row_of_the_element() {
    let lists: ArrayRef = Arc::new(ListArray::from_iter_primitive::<Int64Type, _, _>([
        Some(vec![Some(1)]),
        None,
        Some(vec![]),
        Some(vec![Some(1), Some(300)]),
    ]));
    let field = Field::new("c", lists.data_type().clone(), true);
    let error = coerce(&lists, &field, &type_of("TINYINT[]"), Value).unwrap_err();
    assert_eq!((error.row, error.message.as_str()), (3, "value {1,300} is out of range for type TINYINT[]"));
    let texts: ArrayRef = Arc::new(StringArray::from(vec![Some("[1,2]"), None, Some("[1]")]));
    let error = coerce(&texts, &Field::new("c", DataType::Utf8, true), &type_of("EMBEDDING(2)"), Value).unwrap_err();
    assert_eq!((error.row, error.message.as_str()), (2, "value \"[1]\" has 1 numbers, EMBEDDING(2) needs 2"));
}

#[test]
fn nulls_hold_their_place_in_vectors() {
    let lists: ArrayRef = Arc::new(ListArray::from_iter_primitive::<Float64Type, _, _>([
        Some(vec![Some(1.0), Some(2.0)]),
        None,
        Some(vec![Some(3.0), Some(4.0)]),
    ]));
    let field = Field::new("c", lists.data_type().clone(), true);
    let vectors = coerce(&lists, &field, &SqlType::Embedding(2), Sql).unwrap();
    let vectors = vectors.as_fixed_size_list();
    assert_eq!(vectors.nulls(), Some(&NullBuffer::from(vec![true, false, true])));
    assert_eq!(*vectors.value(2), Float32Array::from(vec![3.0, 4.0]));
}

#[test]
fn names_of_arrays_and_vectors() {
    for name in [
        "INTEGER[][][][][][]",
        "DECIMAL(10,2)[]",
        "TINYINT UNSIGNED[]",
        "EMBEDDING(16000)",
        "EMBEDDING(3)[]",
        "INTERVAL[]",
    ] {
        assert_eq!(type_of(name).to_string(), name);
    }
    for name in [
        "INTEGER[][][][][][][]",
        "[]",
        "INTEGER[",
        "INTEGER[3]",
        "EMBEDDING",
        "EMBEDDING(0)",
        "EMBEDDING(16001)",
        "EMBEDDING(+1)",
        "INTEGER []",
    ] {
        assert!(name.parse::<SqlType>().is_err(), "{name}");
    }
    for name in ["INTEGER[]", "EMBEDDING(3)", "INTERVAL"] {
        assert!(!type_of(name).can_be_key());
    }
    assert!(SqlType::Json.can_be_key());
}

#[test]
fn the_mark_of_an_array_is_on_its_column() {
    let uuids = type_of("UUID[][]").field("c", true);
    assert_eq!(SqlType::of_field(&uuids), Some(type_of("UUID[][]")));
    // Without it, and where it does not fit, the Arrow type decides.
    let plain = Field::new("c", uuids.data_type().clone(), true);
    assert_eq!(SqlType::of_field(&plain), Some(type_of("TEXT[][]")));
    let unnested = uuids.with_data_type(DataType::Utf8View);
    assert_eq!(SqlType::of_field(&unnested), Some(SqlType::Text));
}

#[test]
fn stored_forms() {
    let stored = |texts: Vec<Option<&str>>, name: &str| {
        let array: ArrayRef = Arc::new(StringArray::from(texts));
        let array = coerce(&array, &Field::new("c", DataType::Utf8, true), &type_of(name), Sql).unwrap();
        let mut out = Vec::new();
        json::encode_rows(&[Arc::clone(&array)], &[type_of(name)], 0, array.len(), &mut out).unwrap();
        String::from_utf8(out).unwrap()
    };
    assert_eq!(stored(vec![Some("1 mon -2 days 00:00:00.000000003"), None], "INTERVAL"), "[[[1,-2,3]],[null]]");
    assert_eq!(stored(vec![Some("{1,NULL}"), Some("{}"), None], "INTEGER[]"), "[[[1,null]],[[]],[null]]");
    assert_eq!(stored(vec![Some("{{a},NULL}")], "TEXT[][]"), "[[[[\"a\"],null]]]");
    assert_eq!(stored(vec![Some("{0.1,NaN}"), None], "EMBEDDING(2)"), "[[[0.1,\"NaN\"]],[null]]");
    assert_eq!(stored(vec![Some("[\"x\"]")], "JSON[]"), "[[[\"\\\"x\\\"\"]]]");
}

#[test]
fn what_is_not_stored_so_is_refused() {
    for (text, name) in [
        ("[[1]]", "INTEGER[]"),
        ("[[{}]]", "INTEGER[]"),
        ("[[\"{1}\"]]", "INTEGER[]"),
        ("[[[[1]]]]", "INTEGER[]"),
        ("[[[\"a\"]]]", "INTEGER[]"),
        ("[[[1]]]", "INTEGER[][]"),
        ("[[[1]]]", "INTEGER"),
        ("[[[1,2]]]", "INTERVAL"),
        ("[[[1,2,3,4]]]", "INTERVAL"),
        ("[[[1.5,2,3]]]", "INTERVAL"),
        ("[[[2147483648,0,0]]]", "INTERVAL"),
        ("[[\"1 day\"]]", "INTERVAL"),
        ("[[[1]]]", "EMBEDDING(2)"),
        ("[[[1,2,3]]]", "EMBEDDING(2)"),
        ("[[[1,null]]]", "EMBEDDING(2)"),
        ("[[[1,\"x\"]]]", "EMBEDDING(2)"),
    ] {
        assert!(
            matches!(json::decode_rows(text.as_bytes(), &[type_of(name)], 1), Err(JsonError::Decode(_))),
            "{text} as {name}"
        );
    }
    let deep = "[".repeat(100_000);
    assert!(json::decode_rows(deep.as_bytes(), &[type_of("INTEGER[][][][][][]")], 1).is_err());
}

#[test]
fn values_as_json() {
    let json = |name: &str, text: &str| {
        let array: ArrayRef = Arc::new(StringArray::from(vec![text]));
        let sql_type = type_of(name);
        let array = coerce(&array, &Field::new("c", DataType::Utf8, true), &sql_type, Sql).unwrap();
        let mut out = String::new();
        append_json(&array, &sql_type.field("c", true), 0, &mut out);
        out
    };
    for (name, text, expected) in [
        ("BOOLEAN", "t", "true"),
        ("BIGINT", "9223372036854775807", "9223372036854775807"),
        ("DOUBLE", "1e300", "1e+300"),
        ("DOUBLE", "-inf", "\"-Infinity\""),
        ("REAL", "nan", "\"NaN\""),
        ("DECIMAL(10,2)", "1.5", "1.50"),
        ("TEXT", "a\"\n", "\"a\\\"\\n\""),
        ("JSON", " {\"a\": 1} ", "{\"a\": 1}"),
        ("BYTEA", "\\x00ff", "\"\\\\x00ff\""),
        ("TIMESTAMPTZ", "2024-01-31 10:00:00.5", "\"2024-01-31T10:00:00.5+00:00\""),
        ("TIMESTAMP", "0044-03-15 10:00 BC", "\"0044-03-15T10:00:00 BC\""),
        ("INTERVAL", "1 day", "\"1 day\""),
        ("INTEGER[]", "{1,NULL}", "[1,null]"),
        ("JSON[]", "[{\"a\":1},\"x\"]", "[{\"a\":1},\"x\"]"),
        ("TEXT[][]", "{{a},NULL}", "[[\"a\"],null]"),
        ("EMBEDDING(2)", "[1,0.5]", "[1,0.5]"),
    ] {
        assert_eq!(json(name, text), expected, "{name}");
    }
    let mut out = String::new();
    append_json(&NullArray::new(1), &Field::new("c", DataType::Null, true), 0, &mut out);
    append_json(&Int32Array::from(vec![1]), &Field::new("c", DataType::Int32, true), 5, &mut out);
    assert_eq!(out, "nullnull");
}
