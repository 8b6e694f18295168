//! Prints how many rows a second each direction converts: 100,000 rows of INTEGER, TEXT, TEXT, DOUBLE, INTEGER, BIGINT.
//!
//! `cargo run --release -p kalamdb-types --example throughput`
#![allow(
    clippy::print_stdout,
    clippy::expect_used,
    clippy::disallowed_types,
    reason = "a native benchmark: it prints, stops at errors, has a clock"
)]

use std::{hint::black_box, sync::Arc, time::Instant};

use arrow::{
    array::{ArrayRef, RecordBatch},
    datatypes::Schema,
};
use kalamdb_types::{SqlType, json, wire};

const N_ROWS: usize = 100_000;
const TYPES: [SqlType; 6] =
    [SqlType::Integer, SqlType::Text, SqlType::Text, SqlType::Double, SqlType::Integer, SqlType::BigInt];

fn main() {
    let block = block();
    let decode = || {
        let decoded = wire::decode_block(&block).expect("a valid block");
        let columns = decoded.columns.into_iter().zip(&TYPES);
        columns
            .map(|(column, sql_type)| column.into_typed(sql_type).expect("values of the type"))
            .collect::<Vec<ArrayRef>>()
    };
    let columns = decode();
    let fields: Vec<_> =
        TYPES.iter().enumerate().map(|(index, sql_type)| sql_type.field(&format!("c{index}"), false)).collect();
    let batch = RecordBatch::try_new(Arc::new(Schema::new(fields)), columns.clone()).expect("columns of the types");
    let mut rows = Vec::new();
    json::encode_rows(&columns, &TYPES, 0, N_ROWS, &mut rows).expect("columns of the types");
    println!("{N_ROWS} rows, block {} bytes, stored rows {} bytes", block.len(), rows.len());

    time("wire decode + typed", || {
        black_box(decode());
    });
    time("encode_rows", || {
        let mut out = Vec::new();
        json::encode_rows(&columns, &TYPES, 0, N_ROWS, &mut out).expect("columns of the types");
        black_box(out);
    });
    time("decode_rows", || {
        black_box(json::decode_rows(&rows, &TYPES, N_ROWS).expect("rows of the types"));
    });
    time("encode_block", || {
        let mut out = Vec::new();
        wire::encode_block(&batch, &mut out);
        black_box(out);
    });
}

fn time(name: &str, run: impl Fn()) {
    let best = (0..20)
        .map(|_| {
            let start = Instant::now();
            run();
            start.elapsed()
        })
        .min()
        .unwrap_or_default();
    println!("{name:<20} {:>7.2} ms {:>12.0} rows/s", best.as_secs_f64() * 1e3, N_ROWS as f64 / best.as_secs_f64());
}

/// The block that JavaScript would send: 64-bit columns as I64, the fourth as F64, strings back to back.
fn block() -> Vec<u8> {
    let mut out = Vec::new();
    out.extend((N_ROWS as u32).to_le_bytes());
    out.extend((TYPES.len() as u32).to_le_bytes());
    numbers(&mut out, 11, |row| (row as i32).to_le_bytes());
    strings(&mut out, |row| format!("user {row} name"));
    strings(&mut out, |row| format!("user{row}@example.com with a longer text of {} words", row % 100));
    numbers(&mut out, 2, |row| (row as f64 * 1.1).to_le_bytes());
    numbers(&mut out, 11, |row| (row as i32 % 1_000).to_le_bytes());
    numbers(&mut out, 2, |row| (row as f64 * 1e6).to_le_bytes());
    out
}

fn numbers<const N: usize>(out: &mut Vec<u8>, kind: u8, value: impl Fn(usize) -> [u8; N]) {
    out.extend([kind, 0, 0, 0, 0, 0, 0, 0]);
    out.extend((0..N_ROWS).flat_map(value));
    pad(out);
}

fn strings(out: &mut Vec<u8>, value: impl Fn(usize) -> String) {
    let values: Vec<String> = (0..N_ROWS).map(value).collect();
    let text = values.concat();
    out.extend([4, 0, 0, 0, 0, 0, 0, 0]);
    out.extend((text.len() as u32).to_le_bytes());
    out.extend([0; 4]);
    out.extend(values.iter().flat_map(|value| (value.len() as u32).to_le_bytes()));
    pad(out);
    out.extend(text.as_bytes());
    pad(out);
}

fn pad(out: &mut Vec<u8>) {
    out.resize(out.len().next_multiple_of(8), 0);
}
