//! Queries that are answered by the key alone give what the planner gives.
//!
//! These read no rows of a table; what the planner plans does, and counts them.

use std::rc::Rc;
use std::sync::Arc;

use crate::support::{Disk, block_of, query};
use futures::executor::block_on;
use kalamdb_core::datafusion::arrow::array::{Array, ArrayRef, Float64Array, Int64Array, NullArray, StringArray};
use kalamdb_core::datafusion::arrow::compute::concat_batches;
use kalamdb_core::datafusion::arrow::datatypes::DataType;
use kalamdb_core::{CallContext, Error, Principal, Role, Session, StatementResult};

type Answer = Result<StatementResult, Error>;

/// The answer, and whether rows were read for it.
fn ask(session: &Session, sql: &str, param: Option<&ArrayRef>) -> (Answer, bool) {
    let call = CallContext::default();
    let block = param.map(|param| block_of(vec![Arc::clone(param)])).unwrap_or_default();
    let answer = block_on(session.query(sql, &block, call.clone()));
    (answer, call.progress.report().phase.is_some())
}

/// What a result holds, however its rows are cut into batches.
fn content(answer: Answer) -> String {
    match answer {
        Err(error) => format!("{:?}: {error}", error.kind()),
        Ok(result) => {
            let rows = result.batches.first().map(|first| concat_batches(&first.schema(), &result.batches).unwrap());
            let columns = rows.filter(|rows| rows.num_rows() > 0).map(|rows| rows.columns().to_vec());
            format!("{} {:?} {columns:?}", result.command, result.fields)
        }
    }
}

/// Asks in the short shape and in one that is planned.
#[track_caller]
fn check(session: &Session, columns: &str, table: &str, condition: &str, param: Option<&ArrayRef>) {
    let short = format!("SELECT {columns} FROM {table} WHERE {condition}");
    let planned = format!("SELECT {columns} FROM {table} WHERE ({condition})");
    // The places in messages differ by the parenthesis.
    assert_eq!(content(ask(session, &short, param).0), content(ask(session, &planned, param).0), "{short}");
}

/// The same for what the key alone must answer.
#[track_caller]
fn check_short(session: &Session, columns: &str, table: &str, condition: &str, param: Option<&ArrayRef>) {
    check(session, columns, table, condition, param);
    let has_read = |condition: &str| {
        let (answer, has_read) = ask(session, &format!("SELECT {columns} FROM {table} WHERE {condition}"), param);
        assert!(answer.is_ok(), "{table}: {condition}");
        has_read
    };
    assert!(!has_read(condition), "{table}: {condition} is planned");
    assert!(has_read(&format!("({condition})")), "{table}: ({condition}) is not planned");
}

const TYPES: &str = "b BOOLEAN, i2 SMALLINT, i4 INTEGER, i8 BIGINT, f4 REAL, f8 DOUBLE PRECISION, d DECIMAL(10, 2), t TEXT, v VARCHAR(10), \
    bytes BYTEA, day DATE, at TIMESTAMP, zoned TIMESTAMPTZ, clock TIME, id_ UUID, j JSON, span INTERVAL, e EMBEDDING(2), l INTEGER[]";
const VALUES: &str = "true, 1, 2, 3, 1.5, 2.5, 3.25, 'text', 'v', '\\x0102', '2024-01-02', '2024-01-02 03:04:05', '2024-01-02 03:04:05Z', '03:04:05', \
    '5b7f0a0e-3c1f-4c1a-9a59-7f2c7b0e8f11', '{\"a\": 1}', '1 day', '[1, 2]', '{1, 2}'";

fn tables() -> Session {
    let session = Disk::new().open();
    for (table, key) in [
        ("by_int", "INTEGER"),
        ("by_big", "BIGINT"),
        ("by_small", "SMALLINT"),
        ("by_text", "TEXT"),
        ("by_varchar", "VARCHAR(20)"),
    ] {
        query(&session, &format!("CREATE TABLE {table} (k {key} PRIMARY KEY, {TYPES})"))
            .unwrap_or_else(|error| panic!("{error:?}"));
        for k in ["1", "2", "3", "-7"] {
            let k = if key.contains("INT") { k.to_owned() } else { format!("'{k}'") };
            query(&session, &format!("INSERT INTO {table} VALUES ({k}, {VALUES})"))
                .unwrap_or_else(|error| panic!("{error:?}"));
        }
        query(&session, &format!("INSERT INTO {table} (k) VALUES ({})", if key.contains("INT") { "9" } else { "'9'" }))
            .unwrap();
        let three = if key.contains("INT") { "3" } else { "'3'" };
        query(&session, &format!("DELETE FROM {table} WHERE k = {three}")).unwrap();
        query(&session, &format!("UPDATE {table} SET i4 = 200 WHERE k = {}", three.replace('3', "2"))).unwrap();
    }
    session
}

#[test]
fn every_type_of_column_is_the_same() {
    let session = tables();
    for table in ["by_int", "by_big", "by_small", "by_text", "by_varchar"] {
        for value in [
            "1",
            "2",
            "3",
            "9",
            "100",
            "-7",
            "- 7",
            "+1",
            "1.0",
            "1.5",
            "99999999999",
            "99999999999999999999",
            "'1'",
            "'2'",
            "'3'",
            "'9'",
            "'x'",
            "''",
        ] {
            let is_of_type = match table {
                "by_text" | "by_varchar" => value.starts_with('\''),
                "by_int" | "by_big" | "by_small" => matches!(value, "1" | "2" | "3" | "9" | "100" | "-7"),
                _ => unreachable!(),
            };
            let check_value = if is_of_type { check_short } else { check };
            check_value(&session, "*", table, &format!("k = {value}"), None);
            check_value(&session, "t, k, b", table, &format!("k = {value}"), None);
            check_value(&session, "t", table, &format!("{value} = k"), None);
            check(&session, "l, \"k\", K_, e", table, &format!("k = {value}"), None);
        }
        for value in ["NULL", "true", "k", "i4", "k + 0", "(SELECT 1)", "E'1'", "CAST(1 AS BIGINT)", "missing"] {
            check(&session, "*", table, &format!("k = {value}"), None);
        }
    }
}

#[test]
fn parameters_of_every_type_are_the_same() {
    let session = tables();
    let params: Vec<ArrayRef> = vec![
        Arc::new(Int64Array::from(vec![1])),
        Arc::new(Int64Array::from(vec![3])),
        Arc::new(Int64Array::from(vec![-7])),
        Arc::new(Int64Array::from(vec![1 << 40])),
        Arc::new(Int64Array::from(vec![i64::MIN])),
        Arc::new(Int64Array::from(vec![None])),
        Arc::new(NullArray::new(1)),
        Arc::new(Float64Array::from(vec![1.0])),
        Arc::new(Float64Array::from(vec![1.5])),
        Arc::new(StringArray::from(vec!["1"])),
        Arc::new(StringArray::from(vec!["3"])),
        Arc::new(StringArray::from(vec!["no"])),
    ];
    for table in ["by_int", "by_big", "by_small", "by_text", "by_varchar"] {
        for param in &params {
            let is_text = matches!(table, "by_text" | "by_varchar");
            let is_of_type = param.null_count() == 0 && is_text == (param.data_type() == &DataType::Utf8);
            let is_of_type = is_of_type && matches!(param.data_type(), DataType::Utf8 | DataType::Int64);
            let check_param = if is_of_type { check_short } else { check };
            check_param(&session, "*", table, "k = $1", Some(param));
            check_param(&session, "i8, j", table, "$1 = k", Some(param));
        }
    }
}

#[test]
fn other_shapes_are_the_same() {
    let session = tables();
    query(&session, "CREATE VIEW by_view AS SELECT * FROM by_int").unwrap();
    query(&session, "CREATE TABLE pairs (a INTEGER, b INTEGER, c TEXT, PRIMARY KEY (a, b))").unwrap();
    query(&session, "INSERT INTO pairs VALUES (1, 1, 'x'), (1, 2, 'y')").unwrap();
    query(&session, "CREATE STREAM TABLE events (k INTEGER PRIMARY KEY, t TEXT) WITH (TTL_SECONDS = 1000)").unwrap();
    query(&session, "INSERT INTO events VALUES (1, 'x')").unwrap();
    query(&session, "CREATE TABLE bag (k INTEGER, t TEXT)").unwrap();
    query(&session, "INSERT INTO bag VALUES (1, 'x'), (1, 'y')").unwrap();
    for table in [
        "by_view",
        "events",
        "bag",
        "nowhere",
        "default.by_int",
        "other.by_int",
        "system.tables",
        "BY_INT",
        "\"BY_INT\"",
        "by_int x",
    ] {
        check(&session, "*", table, "k = 1", None);
        check(&session, "t", table, "k = 1", None);
    }
    check(&session, "*", "pairs", "a = 1", None);
    for columns in [
        "k, k",
        "k AS other",
        "count(*)",
        "missing",
        "by_int.k",
        "_seq, k",
        "k, _deleted",
        "*, k",
        "* EXCEPT (k)",
        "DISTINCT k",
        "1",
        "K, T",
    ] {
        check(&session, columns, "by_int", "k = 2", None);
        check(&session, columns, "by_int", "k = 3", None);
    }
    for condition in [
        "i4 = 200",
        "by_int.k = 2",
        "K = 2",
        "\"K\" = 2",
        "_deleted = true",
        "k = 2 AND t = 'text'",
        "k = k",
        "missing = 1",
    ] {
        check(&session, "*", "by_int", condition, None);
    }
}

#[test]
fn each_user_finds_its_own_row() {
    let app = Disk::new().open();
    query(&app, "CREATE USER TABLE notes (k INTEGER PRIMARY KEY, t TEXT)").unwrap();
    query(&app, "CREATE TABLE secret (k INTEGER PRIMARY KEY, t TEXT) WITH (ACCESS_LEVEL = 'private')").unwrap();
    query(&app, "INSERT INTO secret VALUES (1, 'of the application')").unwrap();
    let user = |id: &str| Session::new(Rc::clone(app.database()), Principal::user(id, Role::User).unwrap()).unwrap();
    let (ann, bob) = (user("ann"), user("bob"));
    query(&ann, "INSERT INTO notes VALUES (1, 'of ann')").unwrap();
    query(&bob, "INSERT INTO notes VALUES (2, 'of bob')").unwrap();
    for session in [&app, &ann, &bob] {
        for table in ["notes", "secret"] {
            for k in ["k = 1", "k = 2"] {
                check(session, "*", table, k, None);
            }
        }
        check(session, "*", "system.users", "k = 1", None);
    }
    assert!(content(query(&ann, "SELECT t FROM notes WHERE k = 1")).contains("of ann"));
    assert!(!content(query(&bob, "SELECT t FROM notes WHERE k = 1")).contains("of ann"));
    let as_user = "EXECUTE AS USER 'bob' (SELECT t FROM notes WHERE k = 2)";
    assert!(content(query(&app, as_user)).contains("of bob"));
}

#[test]
fn a_transaction_sees_its_own_rows() {
    let session = tables();
    query(&session, "BEGIN").unwrap();
    query(&session, "INSERT INTO by_int (k, t) VALUES (50, 'mine')").unwrap();
    query(&session, "DELETE FROM by_int WHERE k = 1").unwrap();
    for k in ["k = 50", "k = 1", "k = 2"] {
        check(&session, "*", "by_int", k, None);
    }
    query(&session, "ROLLBACK").unwrap();
    check(&session, "*", "by_int", "k = 50", None);
    query(&session, "ALTER TABLE by_int ADD COLUMN more TEXT DEFAULT 'x'").unwrap();
    query(&session, "ALTER TABLE by_int DROP COLUMN b").unwrap();
    for k in ["k = 1", "k = 2", "k = 9"] {
        check(&session, "*", "by_int", k, None);
    }
}
