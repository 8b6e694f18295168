//! The native engine, on a store in memory.
#![allow(
    clippy::disallowed_types,
    clippy::disallowed_methods,
    reason = "clocks and threads are missing in the browser; this runs natively"
)]

use std::rc::Rc;
use std::sync::mpsc::{Receiver, Sender, channel};
use std::time::{SystemTime, UNIX_EPOCH};

use futures::executor::block_on;
use kalamdb_core::datafusion::arrow::array::{Array, ArrayRef, AsArray, RecordBatch};
use kalamdb_core::datafusion::arrow::datatypes::{DataType, Field, Float32Type, Float64Type};
use kalamdb_core::datafusion::arrow::error::ArrowError;
use kalamdb_core::datafusion::arrow::util::display::{ArrayFormatter, FormatOptions};
use kalamdb_core::{CallContext, Clock, Database, Error, Principal, ResultField, Session};
use kalamdb_store::{Durability, MemoryStore};
use kalamdb_types::{Source, SqlType, append_json, coerce};
use sqllogictest::{DB, DBOutput, DefaultColumnType};

use crate::{Outcome, SqlError};

#[derive(Debug)]
struct SystemClock;

impl Clock for SystemClock {
    fn now_us(&self) -> i64 {
        let since_epoch = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default();
        i64::try_from(since_epoch.as_micros()).unwrap_or_default()
    }
}

/// How a row of a batch is printed.
pub(crate) type PrintRow = Box<dyn Fn(&[ResultField], &RecordBatch, usize) -> Result<Vec<String>, ArrowError> + Send>;

/// What runs a statement; it stays on the thread that it is made on.
pub(crate) type Run = Box<dyn FnMut(&str) -> Result<Outcome, SqlError>>;

/// An engine on a thread of its own: it belongs to one thread, the runner's databases go from one to another.
pub struct Native {
    statements: Sender<String>,
    outcomes: Receiver<Result<Outcome, SqlError>>,
}

impl Native {
    /// Opens an empty database.
    pub fn open() -> Self {
        Self::open_with(Box::new(print_row))
    }

    /// Opens an empty database whose rows are printed by `print_row`.
    pub(crate) fn open_with(print_row: PrintRow) -> Self {
        Self::start(move || {
            let session = block_on(async {
                let database =
                    Database::open(Rc::new(MemoryStore::new()), Rc::new(SystemClock), Durability::Relaxed).await?;
                Session::new(database, Principal::system())
            });
            Box::new(move |sql| match &session {
                Ok(session) => block_on(run(session, sql, &print_row)).map_err(|error| to_sql_error(&error)),
                Err(error) => Err(to_sql_error(error)),
            })
        })
    }

    /// Makes an engine and runs statements on it.
    pub(crate) fn start(engine: impl FnOnce() -> Run + Send + 'static) -> Self {
        let (statements, incoming) = channel::<String>();
        let (outgoing, outcomes) = channel();
        // Debug builds need several times the stack of a release build.
        let builder = std::thread::Builder::new().stack_size(64 << 20);
        let started = builder.spawn(move || {
            let mut run = engine();
            for sql in incoming {
                if outgoing.send(run(&sql)).is_err() {
                    return;
                }
            }
        });
        // Without the thread every statement fails, with the reason that the engine is gone.
        drop(started);
        Self { statements, outcomes }
    }
}

impl DB for Native {
    type Error = SqlError;
    type ColumnType = DefaultColumnType;

    fn run(&mut self, sql: &str) -> Result<DBOutput<DefaultColumnType>, SqlError> {
        let gone = |_| SqlError {
            code: "engine_crashed".to_owned(),
            sql_state: "ZB003".to_owned(),
            message: "the engine is gone".to_owned(),
        };
        self.statements.send(sql.to_owned()).map_err(|error| gone(error.to_string()))?;
        self.outcomes.recv().map_err(|error| gone(error.to_string()))?.map(Outcome::into_output)
    }

    fn engine_name(&self) -> &'static str {
        "kalamdb"
    }

    fn error_sql_state(error: &SqlError) -> Option<String> {
        Some(error.sql_state.clone())
    }
}

pub(crate) fn to_sql_error(error: &Error) -> SqlError {
    SqlError {
        code: error.kind().code().to_owned(),
        sql_state: error.kind().sql_state().to_owned(),
        message: error.to_string(),
    }
}

async fn run(session: &Session, sql: &str, print_row: &PrintRow) -> Result<Outcome, Error> {
    let result = session.query(sql, &[], CallContext::default()).await?;
    let types = result.fields.iter().map(|field| field.type_name.clone()).collect();
    let rows = if result.fields.is_empty() { None } else { Some(print(&result.fields, &result.batches, print_row)?) };
    Ok(Outcome { types, rows, affected: result.affected_rows.unwrap_or_default() })
}

pub(crate) fn print(
    fields: &[ResultField],
    batches: &[RecordBatch],
    print_row: &PrintRow,
) -> Result<Vec<Vec<String>>, ArrowError> {
    let mut rows = Vec::new();
    for batch in batches {
        for row in 0..batch.num_rows() {
            rows.push(print_row(fields, batch, row)?);
        }
    }
    Ok(rows)
}

fn print_row(fields: &[ResultField], batch: &RecordBatch, row: usize) -> Result<Vec<String>, ArrowError> {
    batch.columns().iter().zip(fields).map(|(column, field)| print_value(column, &field.type_name, row)).collect()
}

fn print_value(column: &ArrayRef, type_name: &str, row: usize) -> Result<String, ArrowError> {
    // The array of untyped NULLs has no mask.
    if column.is_null(row) || column.data_type() == &DataType::Null {
        return Ok("NULL".to_owned());
    }
    let number =
        |value: f64| if value == 0.0 { "0".to_owned() } else { ryu_js::Buffer::new().format(value).to_owned() };
    let text = match column.data_type() {
        DataType::Float32 => number(f64::from(column.as_primitive::<Float32Type>().value(row))),
        DataType::Float64 => number(column.as_primitive::<Float64Type>().value(row)),
        DataType::Interval(_) | DataType::Duration(_) => text_form(column, row)?,
        nested if nested.is_nested() => {
            let field = field_of(column, type_name);
            let mut json = String::new();
            append_json(column, &field, row, &mut json);
            without_spaces(&json)
        }
        DataType::Timestamp(..) | DataType::Time64(_) | DataType::Date32 => iso_8601(&formatted(column, row)?),
        _ => {
            let text = formatted(column, row)?;
            if type_name == "JSON" { parsed(&text) } else { text }
        }
    };
    Ok(if text.is_empty() { "(empty)".to_owned() } else { text })
}

fn formatted(column: &ArrayRef, row: usize) -> Result<String, ArrowError> {
    ArrayFormatter::try_new(column, &FormatOptions::default())?.value(row).try_to_string()
}

/// The text of a day or a time as JavaScript has it: no zeros at the end of a fraction, and six digits for years that
/// need a sign.
fn iso_8601(text: &str) -> String {
    let (sign, unsigned) = text.split_at(text.len() - text.trim_start_matches(['+', '-']).len());
    let (year, rest) = unsigned.split_once('-').unwrap_or(("", unsigned));
    let year = if sign.is_empty() { year.to_owned() } else { format!("{year:0>6}") };
    let dash = if year.is_empty() { "" } else { "-" };
    let zone = if rest.ends_with('Z') { "Z" } else { "" };
    let rest = rest.trim_end_matches('Z');
    let rest = if rest.contains('.') { rest.trim_end_matches('0').trim_end_matches('.') } else { rest };
    format!("{sign}{year}{dash}{rest}{zone}")
}

/// The field that the type's name and the array's own type make.
fn field_of(column: &ArrayRef, type_name: &str) -> Field {
    let named = type_name.parse::<SqlType>().map(|sql_type| sql_type.field("", true));
    named
        .unwrap_or_else(|_| Field::new("", column.data_type().clone(), true))
        .with_data_type(column.data_type().clone())
}

fn text_form(column: &ArrayRef, row: usize) -> Result<String, ArrowError> {
    let field = Field::new("", column.data_type().clone(), true);
    let texts =
        coerce(column, &field, &SqlType::Text, Source::Sql).map_err(|error| ArrowError::ComputeError(error.message))?;
    Ok(texts.as_string_view().value(row).to_owned())
}

/// What JavaScript prints of a JSON text that it has parsed.
fn parsed(json: &str) -> String {
    match serde_json::from_str(json) {
        Ok(serde_json::Value::String(text)) => text,
        Ok(serde_json::Value::Null) => "NULL".to_owned(),
        _ => without_spaces(json),
    }
}

/// A JSON text without the space between its parts.
fn without_spaces(json: &str) -> String {
    let (mut in_string, mut is_escaped) = (false, false);
    let kept = |c: &char| {
        let keep = in_string || !c.is_ascii_whitespace();
        in_string ^= *c == '"' && !is_escaped;
        is_escaped = in_string && *c == '\\' && !is_escaped;
        keep
    };
    json.chars().filter(kept).collect()
}
