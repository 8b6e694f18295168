//! The stored rows, character by character.
#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::indexing_slicing,
    reason = "tests stop at the first surprise"
)]

use std::sync::Arc;

use arrow::array::*;
use kalamdb_types::{JsonError, SqlType, json};

fn stored(array: impl Array + 'static, sql_type: SqlType) -> String {
    let array: ArrayRef = Arc::new(array);
    let mut out = Vec::new();
    json::encode_rows(&[Arc::clone(&array)], &[sql_type], 0, array.len(), &mut out).unwrap();
    String::from_utf8(out).unwrap()
}

#[test]
fn each_type_has_its_form() {
    assert_eq!(
        stored(BooleanArray::from(vec![Some(true), Some(false), None]), SqlType::Boolean),
        "[[true],[false],[null]]"
    );
    assert_eq!(
        stored(Int64Array::from(vec![i64::MIN, (1 << 53) + 1]), SqlType::BigInt),
        "[[-9223372036854775808],[9007199254740993]]"
    );
    assert_eq!(stored(UInt64Array::from(vec![u64::MAX]), SqlType::BigIntUnsigned), "[[18446744073709551615]]");
    assert_eq!(
        stored(Float64Array::from(vec![0.1, -0.0, f64::NAN, f64::INFINITY, f64::NEG_INFINITY]), SqlType::Double),
        "[[0.1],[-0.0],[\"NaN\"],[\"Infinity\"],[\"-Infinity\"]]"
    );
    assert_eq!(stored(Float32Array::from(vec![0.1]), SqlType::Real), "[[0.1]]");
    let decimals = Decimal128Array::from(vec![1230, -1]).with_data_type(SqlType::Decimal(10, 2).arrow());
    assert_eq!(stored(decimals, SqlType::Decimal(10, 2)), "[[\"12.30\"],[\"-0.01\"]]");
    let text = "a\"\\/\u{8}\t\n\u{c}\r\0\u{1f}\u{7f}\u{e9}\u{1f600}";
    let escaped = "a\\\"\\\\/\\b\\t\\n\\f\\r\\u0000\\u001f\u{7f}\u{e9}\u{1f600}";
    assert_eq!(stored(StringViewArray::from(vec![text]), SqlType::Text), format!("[[\"{escaped}\"]]"));
    assert_eq!(stored(StringViewArray::from(vec!["{\"a\": 1}"]), SqlType::Json), "[[\"{\\\"a\\\": 1}\"]]");
    assert_eq!(stored(BinaryArray::from(vec![b"".as_slice(), b"\xff\xfe\0"]), SqlType::Bytea), "[[\"\"],[\"//4A\"]]");
    assert_eq!(stored(Date32Array::from(vec![-1]), SqlType::Date), "[[-1]]");
    assert_eq!(stored(Time64MicrosecondArray::from(vec![1]), SqlType::Time), "[[1]]");
    assert_eq!(stored(TimestampMicrosecondArray::from(vec![-1]).with_timezone("UTC"), SqlType::TimestampTz), "[[-1]]");
}

#[test]
fn rows_are_arrays_of_all_columns() {
    let columns: [ArrayRef; 2] =
        [Arc::new(Int32Array::from(vec![1, 2, 3])), Arc::new(StringViewArray::from(vec![Some("a"), None, Some("c")]))];
    let types = [SqlType::Integer, SqlType::Text];
    let encode = |from, to| {
        let mut out = Vec::new();
        json::encode_rows(&columns, &types, from, to, &mut out).map(|()| String::from_utf8(out).unwrap())
    };
    assert_eq!(encode(0, 2).unwrap(), "[[1,\"a\"],[2,null]]");
    assert_eq!(encode(2, 2).unwrap(), "[]");
    assert!(matches!(encode(0, 4), Err(JsonError::Shape(_))));
    assert!(matches!(encode(2, 1), Err(JsonError::Shape(_))));
    let mut out = b"kept".to_vec();
    assert!(matches!(json::encode_rows(&columns, &types[..1], 0, 1, &mut out), Err(JsonError::Shape(_))));
    let swapped = [SqlType::Text, SqlType::Integer];
    assert!(matches!(
        json::encode_rows(&columns, &swapped, 0, 1, &mut out),
        Err(JsonError::ColumnType { column: 0, .. })
    ));
    assert_eq!(out, b"kept");

    let decoded = json::decode_rows(b"[[1,\"a\"],[2,null],[3,\"c\"]]", &types, 1_000_000_000).unwrap();
    assert_eq!(decoded, columns);
    assert_eq!(json::decode_rows(b"[]", &types, 0).unwrap()[0].len(), 0);
    assert_eq!(json::decode_rows(b"[[],[]]", &[], 2).unwrap().len(), 0);
}

#[test]
fn what_is_not_rows_of_the_types_is_refused() {
    for (text, sql_type) in [
        ("", SqlType::Integer),
        ("{}", SqlType::Integer),
        ("[1]", SqlType::Integer),
        ("[[]]", SqlType::Integer),
        ("[[1,2]]", SqlType::Integer),
        ("[[1]]x", SqlType::Integer),
        ("[[1]", SqlType::Integer),
        ("[[1.0]]", SqlType::Integer),
        ("[[2147483648]]", SqlType::Integer),
        ("[[-1]]", SqlType::BigIntUnsigned),
        ("[[9223372036854775808]]", SqlType::BigInt),
        ("[[true]]", SqlType::Integer),
        ("[[\"1\"]]", SqlType::Integer),
        ("[[1]]", SqlType::Text),
        ("[[[]]]", SqlType::Text),
        ("[[{}]]", SqlType::Json),
        ("[[1]]", SqlType::Boolean),
        ("[[\"nan\"]]", SqlType::Double),
        ("[[1.5]]", SqlType::Decimal(10, 2)),
        ("[[\"1.555\"]]", SqlType::Decimal(10, 2)),
        ("[[\"a\"]]", SqlType::Bytea),
        ("[[\"\\ud800\"]]", SqlType::Text),
        ("[[\"2024-01-01\"]]", SqlType::Date),
    ] {
        assert!(
            matches!(json::decode_rows(text.as_bytes(), &[sql_type], 1), Err(JsonError::Decode(_))),
            "{text} as {sql_type}"
        );
    }
    assert!(json::decode_rows(b"[[\"\xff\"]]", &[SqlType::Text], 1).is_err());
    let deep = "[".repeat(100_000);
    assert!(json::decode_rows(deep.as_bytes(), &[SqlType::Text], 1).is_err());
}
