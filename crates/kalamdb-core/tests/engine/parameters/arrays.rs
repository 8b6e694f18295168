//! Parameters that are arrays and objects.

use std::rc::Rc;

use crate::support::{ParamKind, StepClock, params};
use futures::executor::block_on;
use kalamdb_core::datafusion::arrow::array::{Array, AsArray};
use kalamdb_core::datafusion::arrow::compute::cast;
use kalamdb_core::datafusion::arrow::datatypes::DataType;
use kalamdb_core::{CallContext, Database, ErrorKind, Principal, Session, StatementResult};
use kalamdb_store::{Durability, MemoryStore};

fn run(session: &Session, sql: &str, values: &[(ParamKind, &str)]) -> Result<StatementResult, ErrorKind> {
    block_on(session.query(sql, &params(values), CallContext::default())).map_err(|error| error.kind())
}

/// The first column of a result as texts, separated by spaces.
fn column(session: &Session, sql: &str, values: &[(ParamKind, &str)]) -> String {
    let result = run(session, sql, values).unwrap_or_else(|kind| panic!("{sql}: {kind:?}"));
    let mut texts = Vec::new();
    for batch in &result.batches {
        let values = cast(batch.column(0), &DataType::Utf8).unwrap();
        let values = values.as_string::<i32>();
        texts.extend(
            (0..values.len())
                .map(|row| if values.is_null(row) { "NULL".to_owned() } else { values.value(row).to_owned() }),
        );
    }
    texts.join(" ")
}

fn session() -> Session {
    let database =
        block_on(Database::open(Rc::new(MemoryStore::new()), Rc::new(StepClock::default()), Durability::Relaxed))
            .unwrap();
    let session = Session::new(database, Principal::system()).unwrap();
    let table = "CREATE TABLE t (id INTEGER PRIMARY KEY, b BIGINT, f DOUBLE, n DECIMAL(10,2), s TEXT, o BOOLEAN, d DATE, ts TIMESTAMP, u UUID)";
    run(&session, table, &[]).unwrap();
    let rows = "INSERT INTO t VALUES
        (1, 10, 1.5, 1.50, 'a', true, '2024-01-01', '2024-01-01 10:00:00', '00000000-0000-0000-0000-000000000001'),
        (2, 9007199254740993, 'NaN', 12345678.91, 'b''c', false, '2024-01-02', '2024-01-02 10:00:00', '00000000-0000-0000-0000-000000000002'),
        (3, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL)";
    run(&session, rows, &[]).unwrap();
    session
}

#[test]
fn any_and_all_take_arrays_of_every_type() {
    let session = session();
    for (array, condition, expected) in [
        ("[1,3]", "id = ANY($1)", "1 3"),
        ("[1,3]", "id <> ALL($1)", "2"),
        ("[]", "id = ANY($1)", ""),
        ("[]", "id <> ALL($1)", "1 2 3"),
        ("[1,null]", "id = ANY($1)", "1"),
        ("[1,null]", "id <> ALL($1)", ""),
        ("[1,null]", "(id = ANY($1)) IS NULL", "2 3"),
        ("[2,3]", "id < ANY($1)", "1 2"),
        ("[2,3]", "id >= ALL($1)", "3"),
        ("[]", "id > ALL($1)", "1 2 3"),
        ("[]", "id > ANY($1)", ""),
        ("[9007199254740993]", "b = ANY($1)", "2"),
        ("[1.5]", "f = ANY($1)", "1"),
        (r#"["NaN"]"#, "f = ANY($1)", "2"),
        ("[12345678.91]", "n = ANY($1)", "2"),
        (r#"["b'c","x"]"#, "s = ANY($1)", "2"),
        ("[true]", "o = ANY($1)", "1"),
        (r#"["2024-01-02"]"#, "d = ANY($1)", "2"),
        (r#"["2024-01-01 10:00:00"]"#, "ts = ANY($1)", "1"),
        (r#"["00000000-0000-0000-0000-000000000002"]"#, "u = ANY($1)", "2"),
        ("[1,3]", "id IN (SELECT unnest($1))", "1 3"),
        ("[1,3]", "id IN (SELECT x FROM unnest($1) AS q (x))", "1 3"),
        ("[]", "s IN (SELECT unnest($1))", ""),
        ("[1,3]", "id = ANY($1::INTEGER[])", "1 3"),
        ("[1,3]", "id = ANY(CAST($1 AS BIGINT[]))", "1 3"),
        (r#"["a"]"#, "s = ANY($1::TEXT[])", "1"),
    ] {
        assert_eq!(
            column(&session, &format!("SELECT id FROM t WHERE {condition} ORDER BY id"), &[(ParamKind::Json, array)]),
            expected,
            "{condition}"
        );
    }
    assert_eq!(column(&session, "SELECT id = ANY($1) FROM t", &[(ParamKind::Null, "")]), "NULL NULL NULL");
    assert_eq!(
        run(&session, "SELECT id FROM t WHERE id = ANY($1)", &[(ParamKind::Text, "x")]).unwrap_err(),
        ErrorKind::DatatypeMismatch
    );
    assert_eq!(
        run(&session, "DELETE FROM t WHERE id = ANY($1)", &[(ParamKind::Json, "[1,2]")]).unwrap().affected_rows,
        Some(2)
    );
}

#[test]
fn many_elements_are_no_deep_statement() {
    let session = session();
    let array = format!("[{}]", (2..20_000).map(|n| n.to_string()).collect::<Vec<_>>().join(","));
    assert_eq!(
        column(&session, "SELECT id FROM t WHERE id = ANY($1) ORDER BY id", &[(ParamKind::Json, &array)]),
        "2 3"
    );
}

#[test]
fn objects_and_arrays_come_back_as_json() {
    let session = session();
    for json in [r#"{"a":1}"#, "[1,2]", r#"{"a":9007199254740993}"#] {
        let result = run(&session, "SELECT $1", &[(ParamKind::Json, json)]).unwrap();
        assert_eq!(result.fields[0].type_name, "JSON", "{json}");
    }
}

#[test]
fn a_statement_has_so_many_parameters() {
    let session = session();
    for sql in ["SELECT $65536".to_owned(), format!("SELECT {}", vec!["?"; 65_536].join(","))] {
        assert_eq!(run(&session, &sql, &[]).unwrap_err(), ErrorKind::ProgramLimitExceeded);
    }
    assert_eq!(run(&session, "SELECT $0", &[]).unwrap_err(), ErrorKind::UndefinedParameter);
}
