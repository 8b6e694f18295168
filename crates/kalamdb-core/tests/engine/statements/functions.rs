//! Functions with parameters, and ids of several sessions.

use std::collections::HashSet;
use std::rc::Rc;

use crate::support::{ParamKind, StepClock, params};
use futures::executor::block_on;
use kalamdb_core::datafusion::arrow::array::AsArray;
use kalamdb_core::datafusion::arrow::compute::cast;
use kalamdb_core::datafusion::arrow::datatypes::{DataType, Int64Type};
use kalamdb_core::{CallContext, Database, ErrorKind, Principal, Session, StatementResult};
use kalamdb_store::{Durability, MemoryStore};

fn database() -> Rc<Database> {
    block_on(Database::open(Rc::new(MemoryStore::new()), Rc::new(StepClock::default()), Durability::Relaxed)).unwrap()
}

fn session(database: &Rc<Database>) -> Session {
    Session::new(Rc::clone(database), Principal::system()).unwrap()
}

fn run(session: &Session, sql: &str, values: &[(ParamKind, &str)]) -> Result<StatementResult, ErrorKind> {
    block_on(session.query(sql, &params(values), CallContext::default())).map_err(|error| error.kind())
}

/// The only value of a result, which is text.
fn text(session: &Session, sql: &str, values: &[(ParamKind, &str)]) -> String {
    let result = run(session, sql, values).unwrap_or_else(|kind| panic!("{sql}: {kind:?}"));
    cast(result.batches[0].column(0), &DataType::Utf8).unwrap().as_string::<i32>().value(0).to_owned()
}

#[test]
fn parameters_stand_where_an_argument_may() {
    let session = session(&database());
    let document = (ParamKind::Json, r#"{"a":[1,{"b":"x"}],"k":true}"#);
    assert_eq!(text(&session, "SELECT $1 -> 'a' -> 1 ->> 'b'", &[document]), "x");
    assert_eq!(text(&session, "SELECT ($1 -> $2) || ''", &[document, (ParamKind::Text, "a")]), r#"[1,{"b":"x"}]"#);
    assert_eq!(text(&session, "SELECT ? #>> '{a,1,b}'", &[document]), "x");
    assert_eq!(
        text(
            &session,
            "SELECT CASE WHEN ? ? 'k' AND ? ? ? THEN 'yes' ELSE 'no' END",
            &[document, document, (ParamKind::Text, "a")]
        ),
        "yes"
    );
    assert_eq!(text(&session, "SELECT json_get_str($1, 'a', 1, 'b')", &[document]), "x");
    assert_eq!(text(&session, "SELECT md5($1)", &[(ParamKind::Text, "abc")]), "900150983cd24fb0d6963f7d28e17f72");
    assert_eq!(
        text(&session, "SELECT $1::uuid", &[(ParamKind::Text, "0190C3F41B2C7DEF8ABC0123456789AB")]),
        "0190c3f4-1b2c-7def-8abc-0123456789ab"
    );
    assert_eq!(
        run(&session, "SELECT $1::jsonb", &[(ParamKind::Text, "{")]).unwrap_err(),
        ErrorKind::InvalidTextRepresentation
    );
    assert_eq!(text(&session, "SELECT CAST(l2_distance($1, '[0,0]') AS TEXT)", &[(ParamKind::Json, "[3,4]")]), "5");
}

#[test]
fn arrays_of_javascript_are_stored_and_compared() {
    let session = session(&database());
    run(&session, "CREATE TABLE t (id INTEGER PRIMARY KEY, a INTEGER[], e EMBEDDING(2), j JSON)", &[]).unwrap();
    let array = (ParamKind::Json, "[1,2]");
    run(&session, "INSERT INTO t VALUES (1, $1, $1, $1)", &[array]).unwrap();
    run(&session, "UPDATE t SET a = $1 WHERE a = $2::INTEGER[]", &[(ParamKind::Json, "[3]"), array]).unwrap();
    assert_eq!(
        text(&session, "SELECT to_json(a) || to_json(e) || j FROM t WHERE cosine_distance(e, $1) < 0.001", &[array]),
        "[3,1,2,1,2]"
    );
    assert_eq!(
        run(&session, "INSERT INTO t (id, a) VALUES (2, $1)", &[(ParamKind::Json, "[1.5]")]).unwrap_err(),
        ErrorKind::InvalidTextRepresentation
    );
    assert_eq!(
        run(&session, "INSERT INTO t (id, e) VALUES (2, $1)", &[(ParamKind::Json, "[1]")]).unwrap_err(),
        ErrorKind::DataException
    );
    assert_eq!(
        run(&session, "INSERT INTO t (id, a) VALUES (2, $1)", &[(ParamKind::Text, "1")]).unwrap_err(),
        ErrorKind::InvalidTextRepresentation
    );
}

#[test]
fn ids_of_all_sessions_differ_and_rise() {
    let database = database();
    let sessions = [session(&database), session(&database)];
    let mut ids: Vec<i64> = Vec::new();
    for turn in 0..6 {
        let result =
            run(&sessions[turn % 2], "SELECT snowflake_id() AS id FROM generate_series(1, 5000)", &[]).unwrap();
        for batch in &result.batches {
            ids.extend(batch.column(0).as_primitive::<Int64Type>().values());
        }
    }
    assert_eq!(ids.len(), 30_000);
    assert_eq!(ids.iter().collect::<HashSet<_>>().len(), 30_000);
    assert!(ids.is_sorted());
    let types =
        run(&sessions[0], "SELECT gen_random_uuid() AS a, uuid_v7() AS b, ulid() AS c, snowflake_id() AS d", &[])
            .unwrap()
            .fields;
    assert_eq!(
        types.iter().map(|field| field.type_name.as_str()).collect::<Vec<_>>(),
        ["UUID", "UUID", "TEXT", "BIGINT"]
    );
}
