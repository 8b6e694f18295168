//! Parameters among dates, times and intervals mean what the same literals mean.

use std::sync::Arc;

use crate::support::{Disk, block_of, query};
use futures::executor::block_on;
use kalamdb_core::datafusion::arrow::array::{
    ArrayRef, AsArray, Float64Array, Int64Array, StringArray, TimestampMicrosecondArray,
};
use kalamdb_core::datafusion::arrow::datatypes::TimestampMicrosecondType;
use kalamdb_core::{CallContext, Session};

/// The one text of a query with one parameter, or the code of its error.
fn ask(session: &Session, sql: &str, param: &ArrayRef) -> String {
    match block_on(session.query(sql, &param_block(param), CallContext::default())) {
        Err(error) => error.kind().code().to_owned(),
        Ok(result) => {
            let texts: Vec<String> = result
                .batches
                .iter()
                .flat_map(|batch| batch.column(0).as_string_view().iter().map(|text| text.unwrap_or("NULL").to_owned()))
                .collect();
            texts.join(",")
        }
    }
}

/// The block of one parameter; a Date crosses in milliseconds.
fn param_block(param: &ArrayRef) -> Vec<u8> {
    if let Some(micros) = param.as_primitive_opt::<TimestampMicrosecondType>() {
        let ms = micros.value(0) as f64 / 1000.0;
        return [[1_u8, 0, 0, 0, 1, 0, 0, 0], [6, 0, 0, 0, 0, 0, 0, 0], ms.to_le_bytes()].concat();
    }
    block_of(vec![Arc::clone(param)])
}

fn text(value: &str) -> ArrayRef {
    Arc::new(StringArray::from(vec![value]))
}

fn integer(value: i64) -> ArrayRef {
    Arc::new(Int64Array::from(vec![value]))
}

#[test]
fn parameters_are_as_literals() {
    let session = Disk::new().open();
    query(
        &session,
        "CREATE TABLE t (id INTEGER PRIMARY KEY, d DATE, t TIME, ts TIMESTAMP, tz TIMESTAMPTZ, i INTERVAL)",
    )
    .unwrap();
    let rows = "(1, '2024-03-05', '10:00', '2024-03-05 10:00', '2024-03-05 10:00Z', '1 day'), \
        (2, '9999-12-31', '23:59:59', '9999-12-31 23:59:59', '9999-12-31 23:59:59Z', '1 year'), (3, NULL, NULL, NULL, NULL, NULL)";
    query(&session, &format!("INSERT INTO t VALUES {rows}")).unwrap();
    query(&session, "CREATE INDEX by_ts ON t (ts)").unwrap();
    let date: ArrayRef = Arc::new(TimestampMicrosecondArray::from(vec![253_402_300_799_000_000]).with_timezone("UTC"));
    let half: ArrayRef = Arc::new(Float64Array::from(vec![0.5]));
    for stored in [false, true] {
        if stored {
            query(&session, "STORAGE FLUSH TABLE t").unwrap();
        }
        for (sql, param, expected) in [
            ("SELECT id::TEXT FROM t WHERE t = $1", text("10:00"), "1"),
            ("SELECT id::TEXT FROM t WHERE t IN ($1, TIME '11:00')", text("10:00"), "1"),
            ("SELECT id::TEXT FROM t WHERE t BETWEEN $1 AND TIME '12:00'", text("09:00"), "1"),
            ("SELECT id::TEXT FROM t WHERE ts = $1", text("9999-12-31 23:59:59"), "2"),
            ("SELECT id::TEXT FROM t WHERE ts = $1", date.clone(), "2"),
            ("SELECT id::TEXT FROM t WHERE tz = $1", date.clone(), "2"),
            ("SELECT id::TEXT FROM t WHERE ts > $1 ORDER BY id", text("1500-01-01"), "1,2"),
            ("SELECT id::TEXT FROM t WHERE d = $1", text("9999-12-31"), "2"),
            ("SELECT id::TEXT FROM t WHERE d < $1", date.clone(), "1,2"),
            ("SELECT (d + $1)::TEXT FROM t ORDER BY id", integer(1), "2024-03-06,10000-01-01,NULL"),
            ("SELECT (d - $1)::TEXT FROM t WHERE id = 1", integer(5), "2024-02-29"),
            ("SELECT ($1 + d)::TEXT FROM t WHERE id = 1", integer(1), "2024-03-06"),
            ("SELECT (ts + $1)::TEXT FROM t WHERE id = 1", text("1 month"), "2024-04-05 10:00:00"),
            ("SELECT (ts + $1::INTERVAL)::TEXT FROM t WHERE id = 2", text("1 day 05:30"), "10000-01-02 05:29:59"),
            ("SELECT (ts - $1)::TEXT FROM t WHERE id = 1", text("2024-03-01"), "4 days 10:00:00"),
            ("SELECT (tz - $1)::TEXT FROM t WHERE id = 1", date.clone(), "-2913109 days -13:59:59"),
            ("SELECT (d - $1)::TEXT FROM t WHERE id = 1", text("2024-03-01"), "4"),
            ("SELECT (t + $1)::TEXT FROM t WHERE id = 1", text("15 hours"), "01:00:00"),
            ("SELECT (t - $1)::TEXT FROM t WHERE id = 1", text("09:30"), "00:30:00"),
            ("SELECT (i * $1)::TEXT FROM t WHERE id = 1", half.clone(), "12:00:00"),
            ("SELECT (i * $1)::TEXT FROM t WHERE id = 1", integer(3), "3 days"),
            ("SELECT ($1 * i)::TEXT FROM t WHERE id = 1", integer(3), "3 days"),
            ("SELECT (i / $1)::TEXT FROM t WHERE id = 1", integer(2), "12:00:00"),
            ("SELECT (i / $1)::TEXT FROM t WHERE id = 1", integer(0), "division_by_zero"),
            ("SELECT (INTERVAL '1 day' + $1)::TEXT", text("1 hour"), "1 day 01:00:00"),
            ("SELECT (SELECT (max(d) - $1)::TEXT FROM t)", integer(1), "9999-12-30"),
            ("SELECT date_trunc($1, ts)::TEXT FROM t WHERE id = 2", text("month"), "9999-12-01 00:00:00"),
            ("SELECT extract(year FROM $1::TIMESTAMP)::TEXT", date.clone(), "9999"),
            ("SELECT to_char(ts, $1) FROM t WHERE id = 2", text("YYYY/MM"), "9999/12"),
            ("SELECT (ts AT TIME ZONE $1)::TEXT FROM t WHERE id = 1", text("Asia/Tokyo"), "2024-03-05 01:00:00+00"),
            ("SELECT (ts AT TIME ZONE $1)::TEXT FROM t WHERE id = 1", text("Mars"), "invalid_parameter_value"),
            ("SELECT id::TEXT FROM t WHERE ts = $1", text("soon"), "invalid_datetime_format"),
            ("SELECT id::TEXT FROM t WHERE ts = $1", text("2024-02-30"), "datetime_field_overflow"),
        ] {
            assert_eq!(ask(&session, sql, &param), expected, "{sql} (stored: {stored})");
        }
    }
}
