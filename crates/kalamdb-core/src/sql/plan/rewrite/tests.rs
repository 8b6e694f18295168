//! What the rewriters make of statements.
#![allow(clippy::unwrap_used, clippy::panic, reason = "tests stop at the first surprise")]

use std::ops::ControlFlow;

use datafusion::sql::sqlparser::ast::{Expr, ObjectName, Query, Select, SetExpr, Statement, visit_expressions_mut};

use super::{casts, duplicates, operators, queries, row_comparisons, syntax, using, values, window_names};
use crate::error::Result;
use crate::sql::parse::parse_query;

/// The tables `t (id, a)` and `u (id, b)`.
fn columns_of(name: &ObjectName) -> Option<Vec<String>> {
    let columns = match name.to_string().as_str() {
        "t" => ["id", "a"],
        "u" => ["id", "b"],
        _ => return None,
    };
    Some(columns.map(str::to_owned).to_vec())
}

/// Rewrites each query of a table, and compares it with the other.
#[track_caller]
fn check(rewrite: impl Fn(&mut Query) -> Result<()>, cases: &[(&str, &str)]) {
    let mut wrong = Vec::new();
    for (sql, expected) in cases {
        let Statement::Query(mut query) = parse_query(sql).unwrap() else { panic!("{sql} is no query") };
        let outcome = rewrite(&mut query).map_err(|error| error.kind().code());
        let given = outcome.map_or_else(str::to_owned, |()| query.to_string());
        if given != *expected {
            wrong.push((sql, given, expected));
        }
    }
    assert!(wrong.is_empty(), "query, what is made of it, what should be: {wrong:#?}");
}

/// The same of its SELECT.
#[track_caller]
fn check_select(rewrite: impl Fn(&mut Select) -> Result<()>, cases: &[(&str, &str)]) {
    let within = |query: &mut Query| match query.body.as_mut() {
        SetExpr::Select(select) => rewrite(select),
        other => panic!("{other} is no SELECT"),
    };
    check(within, cases);
}

/// The same of each of its expressions, the inner ones first.
#[track_caller]
fn check_expressions(rewrite: impl Fn(&mut Expr), cases: &[(&str, &str)]) {
    let each = |query: &mut Query| {
        let _: ControlFlow<()> = visit_expressions_mut(query, |expr| {
            rewrite(expr);
            ControlFlow::Continue(())
        });
        Ok(())
    };
    check(each, cases);
}

#[test]
fn columns_of_one_name_get_names_of_their_own() {
    let make_unique = |query: &mut Query| {
        let mut statement = Statement::Query(Box::new(query.clone()));
        duplicates::make_unique(&mut statement, columns_of);
        let Statement::Query(unique) = statement else { panic!("it is a query") };
        *query = *unique;
        Ok(())
    };
    let cases = [
        ("SELECT a, id FROM t", "SELECT a, id FROM t"),
        ("SELECT a, a FROM t", "SELECT a, a AS \"a~dup0\" FROM t"),
        ("SELECT t.id, u.id FROM t, u", "SELECT t.id, u.id FROM t, u"),
        ("SELECT * FROM (SELECT 1 AS x, 2 AS x) AS s", "SELECT * FROM (SELECT 1 AS \"x~dup0\", 2 AS \"x~dup1\") AS s"),
    ];
    let shown: Vec<(&str, String)> = cases.iter().map(|(sql, shown)| (*sql, shown.replace('~', "\0"))).collect();
    check(make_unique, &shown.iter().map(|(sql, shown)| (*sql, shown.as_str())).collect::<Vec<_>>());
}

#[test]
fn columns_of_using_are_those_of_a_table() {
    check_select(
        |select| using::qualify(select, &columns_of, true).map(drop),
        &[
            ("SELECT id, a FROM t", "SELECT id, a FROM t"),
            (
                "SELECT id, a, b FROM t JOIN u USING (id) WHERE id > 1",
                "SELECT t.id AS id, a, b FROM t JOIN u USING(id) WHERE t.id > 1",
            ),
            (
                "SELECT id FROM t LEFT JOIN u USING (id) WHERE id > 1",
                "SELECT t.id AS id FROM t LEFT JOIN u USING(id) WHERE t.id > 1",
            ),
            (
                "SELECT id FROM t RIGHT JOIN u USING (id) WHERE id > 1",
                "SELECT u.id AS id FROM t RIGHT JOIN u USING(id) WHERE u.id > 1",
            ),
            (
                "SELECT id FROM t FULL JOIN u USING (id) WHERE id > 1",
                "SELECT CASE WHEN t.id IS NOT NULL THEN t.id ELSE u.id END AS id FROM t FULL JOIN u USING(id) WHERE CASE WHEN t.id IS NOT NULL THEN t.id ELSE u.id END > 1",
            ),
            ("SELECT * FROM t RIGHT JOIN u USING (id)", "SELECT u.id, t.\"a\", u.\"b\" FROM t RIGHT JOIN u USING(id)"),
            ("SELECT t.id, u.id FROM t FULL JOIN u USING (id)", "SELECT t.id, u.id FROM t FULL JOIN u USING(id)"),
            (
                "SELECT id FROM t NATURAL JOIN u WHERE id = 1",
                "SELECT t.\"id\" AS id FROM t NATURAL JOIN u WHERE t.\"id\" = 1",
            ),
        ],
    );
}

#[test]
fn windows_stand_where_their_names_were() {
    check_select(
        |select| window_names::resolve(select, None),
        &[
            ("SELECT sum(a) OVER w FROM t WINDOW w AS (ORDER BY id)", "SELECT sum(a) OVER (ORDER BY id) FROM t"),
            (
                "SELECT sum(a) OVER (w ROWS 1 PRECEDING) FROM t WINDOW w AS (ORDER BY id)",
                "SELECT sum(a) OVER (ORDER BY id ROWS 1 PRECEDING) FROM t",
            ),
            (
                "SELECT sum(a) OVER v FROM t WINDOW w AS (PARTITION BY a), v AS (w ORDER BY id)",
                "SELECT sum(a) OVER (PARTITION BY a ORDER BY id) FROM t",
            ),
            ("SELECT sum(a) OVER missing FROM t WINDOW w AS (ORDER BY id)", "undefined_object"),
            ("SELECT 1 FROM t WINDOW w AS (), w AS ()", "invalid_query"),
        ],
    );
}

#[test]
fn rows_of_values_are_selected_from() {
    check(
        |query| {
            values::select_from_values(&mut query.body);
            Ok(())
        },
        &[
            ("VALUES (1)", "VALUES (1)"),
            ("VALUES (1), (2)", "SELECT * FROM (VALUES (1), (2)) AS \"values\""),
            ("SELECT 1 UNION VALUES (1), (2)", "SELECT 1 UNION SELECT * FROM (VALUES (1), (2)) AS \"values\""),
        ],
    );
}

#[test]
fn fetch_is_a_limit() {
    check(
        queries::limit_by_fetch,
        &[
            ("SELECT a FROM t FETCH FIRST 2 ROWS ONLY", "SELECT a FROM t LIMIT 2"),
            ("SELECT a FROM t FETCH FIRST ROW ONLY", "SELECT a FROM t LIMIT 1"),
            ("SELECT a FROM t FETCH FIRST 2 ROWS WITH TIES", "feature_not_supported"),
            (
                "SELECT a AS b FROM t ORDER BY b DESC OFFSET 1 FETCH FIRST 2 ROWS WITH TIES",
                "SELECT a AS b FROM t QUALIFY rank() OVER (ORDER BY a DESC) <= (2) + 1 ORDER BY b DESC OFFSET 1",
            ),
        ],
    );
}

#[test]
fn casts_to_types_of_ours_are_calls() {
    check_expressions(
        casts::rewrite,
        &[
            ("SELECT a::INTEGER, a::BIGINT", "SELECT a::INTEGER, a::BIGINT"),
            (
                "SELECT a::TEXT, CAST(a AS JSON), a::UUID",
                "SELECT cast_to(a, 'TEXT'), cast_to(a, 'JSON'), cast_to(a, 'UUID')",
            ),
            (
                "SELECT a::TIMESTAMP(3), TRY_CAST(a AS DATE), TRY_CAST(a AS JSON)",
                "SELECT with_precision(cast_to(a, 'TIMESTAMP'), 3), try_cast_to(a, 'DATE'), TRY_CAST(a AS JSON)",
            ),
        ],
    );
}

#[test]
fn operators_are_what_the_planner_knows() {
    check_expressions(
        operators::rewrite,
        &[(
            "SELECT j -> 'a', a ^ 2, a ~ 'x', a !~* 'x', a # 1, a ~~ 'x'",
            "SELECT j -> 'a', a ^ 2, regexp_like(a, 'x'), NOT regexp_like(a, 'x', 'i'), a # 1, a ~~ 'x'",
        )],
    );
}

#[test]
fn rows_are_compared_value_by_value() {
    check_expressions(
        row_comparisons::compare,
        &[
            ("SELECT (a, b) = (1, 2)", "SELECT ((a = 1) AND (b = 2))"),
            ("SELECT (a, b) < (1, 2)", "SELECT ((a < 1 OR a = 1 AND b < 2))"),
            ("SELECT (a, b) IN ((1, 2), (3, 4))", "SELECT (((((a = 1) AND (b = 2))) OR (((a = 3) AND (b = 4)))))"),
            ("SELECT (a, b) <> (1, 2)", "SELECT ((a <> 1) OR (b <> 2))"),
        ],
    );
}

#[test]
fn forms_of_postgresql_are_plain_ones() {
    check_expressions(
        syntax::simplify,
        &[
            ("SELECT ARRAY[1, 2], ARRAY[]", "SELECT make_array(1, 2), make_array()"),
            (
                "SELECT a LIKE ANY (ARRAY['x']), a IN (1), a IS NOT TRUE",
                "SELECT a ~~ ANY(make_array('x')), a IN (1), a IS NOT TRUE",
            ),
        ],
    );
}
