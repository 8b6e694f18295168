//! Every registered function with arguments at the edges, and every aggregate and window function with its clauses:
//! none may panic.
//!
//! `N=100 SEED=7 cargo test --test engine every_function -- --nocapture` tries more, and others; `TRACE=1` prints each
//! statement.

use std::cell::RefCell;
use std::collections::BTreeMap;
use std::panic::{AssertUnwindSafe, catch_unwind};

use crate::support::{Disk, query, rows};
use kalamdb_core::Session;

/// A small generator of numbers, the same on every machine.
struct Random(u64);

impl Random {
    fn below(&mut self, bound: usize) -> usize {
        self.0 ^= self.0 << 13;
        self.0 ^= self.0 >> 7;
        self.0 ^= self.0 << 17;
        usize::try_from(self.0 >> 11).unwrap() % bound
    }
}

/// Values at the edges of every type: as literals they are folded, as columns they are computed.
const EDGES: [&str; 42] = [
    "NULL",
    "0",
    "1",
    "-1",
    "3",
    "2147483647",
    "-2147483648",
    "9223372036854775807",
    "(-9223372036854775807 - 1)",
    "1000000000000",
    "100::SMALLINT",
    "1.5",
    "-0.0",
    "'NaN'::DOUBLE",
    "'Infinity'::DOUBLE",
    "1e300",
    "1.5::FLOAT",
    "12345.67::DECIMAL(10,2)",
    "99999999999999999999999999999999999999::DECIMAL(38,0)",
    "true",
    "''",
    "'a'",
    "'\u{e4}\u{f6}\u{fc}\u{20ac}\u{1d11e}'",
    "'2024-02-29'",
    "'%[('",
    "'day'",
    "'{\"a\": [1, 2]}'::JSON",
    "'\\x00ff'::BYTES",
    "DATE '2024-02-29'",
    "TIMESTAMP '2024-02-29 12:34:56'",
    "TIMESTAMP '1970-01-01 00:00:00'::TIMESTAMPTZ",
    "TIME '23:59:59'",
    "INTERVAL '1 month 2 days'",
    "INTERVAL '-1000 years'",
    "[1, NULL, 3]",
    "['a', NULL, 'ab']",
    "[[1, 2], [3]]",
    "[]",
    "[1.5, 'NaN'::DOUBLE]",
    "arrow_cast([1, 2], 'FixedSizeList(2, Int64)')",
    "named_struct('x', 1)",
    "map(['a'], [1])",
];

thread_local! {
    /// Where this thread panicked last, if it is watched.
    static PLACE: RefCell<Option<String>> = const { RefCell::new(None) };
}

/// The statements that panicked, by the place.
struct Found(BTreeMap<String, Vec<String>>);

impl Found {
    fn try_it(&mut self, session: &mut Session, sql: &str) -> bool {
        if std::env::var_os("TRACE").is_some() {
            eprintln!("{sql}");
        }
        let outcome = catch_unwind(AssertUnwindSafe(|| query(session, sql)));
        match outcome {
            Ok(outcome) => outcome.is_ok(),
            Err(_) => {
                self.0.entry(PLACE.with_borrow(Clone::clone).unwrap()).or_default().push(sql.to_owned());
                *session = fresh();
                true
            }
        }
    }
}

fn fresh() -> Session {
    let tab = Disk::new().open();
    query(&tab, "CREATE TABLE t (k INTEGER PRIMARY KEY, g INTEGER)").unwrap();
    query(&tab, "INSERT INTO t VALUES (1, 1), (2, 1), (3, 2), (4, NULL)").unwrap();
    tab
}

fn names(session: &Session, kind: &str) -> Vec<String> {
    let sql = format!(
        "SELECT DISTINCT routine_name FROM information_schema.routines WHERE function_type = '{kind}' ORDER BY 1"
    );
    rows(session, &sql).into_iter().map(|row| row[0].clone()).collect()
}

#[test]
fn no_function_panics() {
    PLACE.set(Some(String::new()));
    let others = std::panic::take_hook();
    std::panic::set_hook(Box::new(move |info| {
        if PLACE.with_borrow(Option::is_none) {
            return others(info);
        }
        let place = info.location().map(ToString::to_string).unwrap_or_default();
        let message = info.payload_as_str().unwrap_or_default().chars().take(100).collect::<String>();
        PLACE.set(Some(format!("{place}: {message}")));
    }));
    let mut session = fresh();
    let mut found = Found(BTreeMap::new());
    let mut random = Random(std::env::var("SEED").map_or(42, |seed| seed.parse().unwrap()));
    let n: usize = std::env::var("N").map_or(2, |n| n.parse().unwrap());
    let mut n_run = 0;
    for name in names(&session, "SCALAR") {
        let name = format!("\"{name}\"");
        for arity in 0..=5 {
            let tries = match arity {
                0 => 1,
                1 => EDGES.len(),
                2 => n * 4,
                3 => n * 2,
                _ => n,
            };
            let mut passed = 0;
            for at in 0..tries {
                // A number of arguments that is never taken is not tried on.
                if at > 100 && passed == 0 {
                    break;
                }
                let args: Vec<&str> =
                    (0..arity).map(|_| EDGES[if arity == 1 { at } else { random.below(EDGES.len()) }]).collect();
                let sql = match random.below(3) {
                    0 => format!("SELECT {name}({})", args.join(", ")),
                    1 => {
                        let aliased: Vec<String> =
                            args.iter().enumerate().map(|(at, arg)| format!("{arg} AS c{at}")).collect();
                        let columns: Vec<String> = (0..arity).map(|at| format!("c{at}")).collect();
                        format!(
                            "SELECT {name}({}) FROM (SELECT k, {} FROM t) AS s",
                            columns.join(", "),
                            [aliased, vec!["g".to_owned()]].concat().join(", ")
                        )
                    }
                    // Some columns, some constants.
                    _ => {
                        let values: Vec<String> = args
                            .iter()
                            .map(|arg| {
                                if random.below(2) == 0 {
                                    format!("CASE WHEN k < 3 THEN {arg} END")
                                } else {
                                    (*arg).to_owned()
                                }
                            })
                            .collect();
                        format!("SELECT {name}({}) FROM t", values.join(", "))
                    }
                };
                n_run += 1;
                passed += usize::from(found.try_it(&mut session, &sql));
            }
        }
    }
    let mut aggregates: Vec<(String, bool)> =
        names(&session, "AGGREGATE").into_iter().map(|name| (name, true)).collect();
    aggregates.extend(names(&session, "WINDOW").into_iter().map(|name| (name, false)));
    for (name, aggregate) in aggregates {
        for arity in 0..=3 {
            for _ in 0..if arity == 0 { 20 } else { n * 4 } {
                let value = |random: &mut Random| {
                    let edge = EDGES[random.below(EDGES.len())];
                    match random.below(4) {
                        0 => edge.to_owned(),
                        1 => "k".to_owned(),
                        2 => format!("CASE WHEN k < 3 THEN {edge} END"),
                        _ => "g::DOUBLE".to_owned(),
                    }
                };
                let args: Vec<String> = (0..arity).map(|_| value(&mut random)).collect();
                let pick = |random: &mut Random, options: &[&str]| options[random.below(options.len())].to_owned();
                let distinct = pick(&mut random, &["", "", "DISTINCT "]);
                let order = match random.below(4) {
                    0 => format!(" ORDER BY {}", value(&mut random)),
                    1 => " ORDER BY k DESC".to_owned(),
                    2 => format!(" ORDER BY {}", args.first().cloned().unwrap_or_else(|| "k".to_owned())),
                    _ => String::new(),
                };
                let within = pick(
                    &mut random,
                    &[
                        "",
                        "",
                        "",
                        "",
                        " WITHIN GROUP (ORDER BY k)",
                        " WITHIN GROUP (ORDER BY g, k)",
                        " WITHIN GROUP (ORDER BY 'a')",
                    ],
                );
                let filter = pick(
                    &mut random,
                    &["", "", " FILTER (WHERE k > 1)", " FILTER (WHERE false)", " FILTER (WHERE NULL)"],
                );
                let nulls = pick(&mut random, &["", "", "", "", " IGNORE NULLS", " RESPECT NULLS"]);
                let over = match random.below(if aggregate { 4 } else { 2 }) {
                    0 | 1 if !aggregate || random.below(2) == 0 => {
                        let frame = pick(
                            &mut random,
                            &[
                                "",
                                " ROWS BETWEEN 1 PRECEDING AND 1 FOLLOWING",
                                " ROWS BETWEEN UNBOUNDED PRECEDING AND UNBOUNDED FOLLOWING",
                                " RANGE BETWEEN 1 PRECEDING AND 1 FOLLOWING",
                                " GROUPS BETWEEN 1 PRECEDING AND 1 FOLLOWING",
                                " ROWS BETWEEN 18446744073709551615 PRECEDING AND 18446744073709551615 FOLLOWING",
                                " ROWS BETWEEN 3 FOLLOWING AND 9223372036854775807 FOLLOWING",
                                " RANGE BETWEEN 9223372036854775807 PRECEDING AND 1 PRECEDING",
                                " GROUPS BETWEEN 9223372036854775807 PRECEDING AND CURRENT ROW",
                                " ROWS BETWEEN CURRENT ROW AND 1 PRECEDING",
                            ],
                        );
                        let part = pick(&mut random, &["", "PARTITION BY g"]);
                        let order = if random.below(4) == 0 {
                            String::new()
                        } else {
                            format!(" ORDER BY {}", value(&mut random))
                        };
                        format!(" OVER ({part}{order}{frame})")
                    }
                    _ => String::new(),
                };
                let group = if over.is_empty() {
                    pick(&mut random, &["", " GROUP BY g", " GROUP BY ROLLUP (g)", " GROUP BY g, k"])
                } else {
                    String::new()
                };
                let sql = format!(
                    "SELECT \"{name}\"({distinct}{}{order}){within}{filter}{nulls}{over} FROM t{group}",
                    args.join(", ")
                );
                n_run += 1;
                found.try_it(&mut session, &sql);
            }
        }
    }
    drop(std::panic::take_hook());
    println!("{n_run} statements");
    for (place, statements) in &found.0 {
        println!("{place} ({})\n    {}", statements.len(), statements[0]);
    }
    assert!(found.0.is_empty(), "{} places panic", found.0.len());
}
