//! Columns of segments come back as they were, and damaged ones never panic.
#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::indexing_slicing,
    reason = "tests stop at the first surprise"
)]

mod support;

use std::sync::Arc;

use arrow::array::*;
use arrow::compute::concat;
use kalamdb_types::page::{decode_page, encode_page};
use kalamdb_types::{SqlType, json};
use proptest::prelude::*;
use support::edges::edge_values;

/// As stored JSON, which tells NaN from NULL and 0.0 from -0.0, and does not look at what lies under NULLs.
fn as_json(column: &ArrayRef, sql_type: SqlType) -> String {
    let mut out = Vec::new();
    json::encode_rows(&[Arc::clone(column)], &[sql_type], 0, column.len(), &mut out).unwrap();
    String::from_utf8(out).unwrap()
}

fn assert_round_trip(column: &ArrayRef, sql_type: SqlType) -> Vec<u8> {
    let page = encode_page(column, &sql_type).unwrap();
    let decoded = decode_page(&page, &sql_type, column.len()).unwrap();
    assert_eq!(
        (decoded.data_type(), decoded.len(), decoded.null_count()),
        (&sql_type.arrow(), column.len(), column.null_count()),
        "{sql_type}"
    );
    assert_eq!(as_json(&decoded, sql_type), as_json(column, sql_type), "{sql_type}");
    page
}

#[test]
fn every_type_comes_back_at_its_edges() {
    for sql_type in SqlType::all_examples() {
        let edges = edge_values(sql_type);
        assert_round_trip(&edges, sql_type);
        for (from, length) in [(0, 0), (1, edges.len() - 1), (0, 1), (edges.len() - 1, 1)] {
            assert_round_trip(&edges.slice(from, length), sql_type);
        }
        if sql_type != SqlType::Embedding(16_000) {
            let many: Vec<&dyn Array> = vec![edges.as_ref(); 300];
            assert_round_trip(&concat(&many).unwrap().slice(3, edges.len() * 300 - 5), sql_type);
        }
        assert_round_trip(&new_null_array(&sql_type.arrow(), 9), sql_type);
    }
}

#[test]
fn counting_numbers_and_short_decimals_take_few_bytes() {
    let counting: ArrayRef = Arc::new(Int64Array::from_iter_values(1_700_000_000_000..1_700_000_065_536));
    assert!(assert_round_trip(&counting, SqlType::BigInt).len() < 100);
    let money: ArrayRef =
        Arc::new(Float64Array::from_iter_values((0..65_536).map(|i| f64::from(i * 7919 % 100_000) / 100.0)));
    assert!(assert_round_trip(&money, SqlType::Double).len() < 65_536 * 3 + 100);
}

#[test]
fn damaged_pages_are_errors() {
    for sql_type in SqlType::all_examples().into_iter().filter(|sql_type| *sql_type != SqlType::Embedding(16_000)) {
        let edges = edge_values(sql_type);
        let page = encode_page(&edges, &sql_type).unwrap();
        for length in 0..page.len() {
            assert!(decode_page(&page[..length], &sql_type, edges.len()).is_err(), "{sql_type} cut to {length}");
        }
        assert!(decode_page(&[&page[..], &[0]].concat(), &sql_type, edges.len()).is_err(), "{sql_type}");
        for n_rows in [edges.len() + 1000, usize::MAX / 2] {
            assert!(decode_page(&page, &sql_type, n_rows).is_err(), "{sql_type} of {n_rows}");
        }
        let mut damaged = page.clone();
        for byte in 0..page.len() {
            for flip in [0x01, 0x80, 0xff] {
                damaged[byte] ^= flip;
                // It may be another value; it must not panic.
                let _ = decode_page(&damaged, &sql_type, edges.len());
                damaged[byte] ^= flip;
            }
        }
    }
    let wrong: ArrayRef = Arc::new(Int32Array::from(vec![1]));
    assert!(encode_page(&wrong, &SqlType::BigInt).is_err());
}

/// Lists of one length take no bytes of a page, however many values they announce.
#[test]
fn lists_of_no_bytes_are_no_reason_to_allocate() {
    let lists = SqlType::Integer.array().unwrap();
    let integers = |value: i64| [&[0, 0][..], &value.to_le_bytes(), &[0; 8]].concat();
    let page = |length: i64| [&[0][..], &integers(length), &[0], &integers(7)].concat();
    assert_eq!(decode_page(&page(2), &lists, 3).unwrap().len(), 3);
    let error = decode_page(&page(1 << 20), &lists, 1 << 10).unwrap_err();
    assert_eq!(error.to_string(), "there are too many values");
}

proptest! {
    #[test]
    fn any_integers_come_back(values in any::<Vec<Option<i64>>>(), base in any::<i64>(), spread in 0_u32..64) {
        let near: Int64Array = values.iter().map(|value| value.map(|value| base.wrapping_add(value >> spread))).collect();
        assert_round_trip(&(Arc::new(near) as ArrayRef), SqlType::BigInt);
        let unsigned: UInt64Array = values.iter().map(|value| value.map(i64::cast_unsigned)).collect();
        assert_round_trip(&(Arc::new(unsigned) as ArrayRef), SqlType::BigIntUnsigned);
    }

    #[test]
    fn any_doubles_come_back(values in any::<Vec<Option<f64>>>(), cents in any::<Vec<i32>>(), power in 0_i32..6) {
        assert_round_trip(&(Arc::new(values.into_iter().collect::<Float64Array>()) as ArrayRef), SqlType::Double);
        let money = cents.iter().map(|cents| f64::from(*cents) / 10_f64.powi(power));
        assert_round_trip(&(Arc::new(Float64Array::from_iter_values(money)) as ArrayRef), SqlType::Double);
    }

    #[test]
    fn any_texts_come_back(values in any::<Vec<Option<String>>>()) {
        assert_round_trip(&(Arc::new(values.iter().map(Option::as_deref).collect::<StringViewArray>()) as ArrayRef), SqlType::Text);
    }

    #[test]
    fn any_bytes_decode_without_panic(bytes in any::<Vec<u8>>(), n_rows in 0_usize..100, pick in any::<proptest::sample::Index>()) {
        let types = SqlType::all_examples();
        let _ = decode_page(&bytes, &types[pick.index(types.len())], n_rows);
    }
}
