//! Any bytes are a column of a segment, or rows of a log record, or an error; what is read is written and read as the
//! same.
#![no_main]
#![allow(clippy::expect_used, reason = "a target stops at the first surprise")]

use arrow::array::ArrayRef;
use kalamdb_types::page::{decode_page, encode_page};
use kalamdb_types::{SqlType, json};
use libfuzzer_sys::fuzz_target;

/// As stored JSON, which tells NaN from NULL and 0.0 from -0.0.
fn as_json(column: &ArrayRef, sql_type: SqlType) -> Option<Vec<u8>> {
    let mut out = Vec::new();
    json::encode_rows(std::slice::from_ref(column), &[sql_type], 0, column.len(), &mut out).ok()?;
    Some(out)
}

// The first byte says which type, the two after it how many rows.
fuzz_target!(|bytes: &[u8]| {
    let Some(([chosen, low, high], bytes)) = bytes.split_first_chunk() else { return };
    let types = SqlType::all_examples();
    let Some(sql_type) = types.get(usize::from(*chosen) % types.len()).copied() else { return };
    let n_rows = usize::from(u16::from_le_bytes([*low, *high]));
    if let Ok(column) = decode_page(bytes, &sql_type, n_rows) {
        assert_eq!((column.len(), column.data_type()), (n_rows, &sql_type.arrow()));
        let page = encode_page(&column, &sql_type).expect("a column that was read is written");
        let again = decode_page(&page, &sql_type, n_rows).expect("a page that was written is read");
        assert_eq!(as_json(&again, sql_type), as_json(&column, sql_type));
    }
    if let Ok(columns) = json::decode_rows(bytes, &[sql_type], n_rows) {
        let written = columns.first().and_then(|column| as_json(column, sql_type));
        if let Some(written) = written {
            let again = json::decode_rows(&written, &[sql_type], n_rows).expect("rows that were written are read");
            assert_eq!(again.first().and_then(|column| as_json(column, sql_type)), Some(written));
        }
    }
});
