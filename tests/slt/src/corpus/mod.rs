//! Runs folders of sqllogictest files of others, and counts: nothing stops at a failure.

mod bare;
mod comparison;
mod dialect;
mod report;
mod settings;
mod values;

use std::error::Error;
use std::fs::read_to_string;
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, PoisonError};

use futures::executor::block_on;
use sqllogictest::{
    ColumnType, Control, DB, DBOutput, DefaultColumnType, ExpectedError, QueryExpect, Record, ResultMode, Runner,
    StatementExpect,
};

pub use comparison::Comparison;
pub use dialect::Dialect;
pub use report::{Failure, Report, Tally, Verdict};

use crate::SqlError;
use crate::native::{Native, PrintRow};

/// What to run.
#[derive(Debug, Clone)]
pub struct Options {
    /// The form of the files.
    pub dialect: Dialect,
    /// The engine that `onlyif` and `skipif` take this one for, besides `kalamdb`.
    pub label: String,
    /// One query in so many is run; statements all are.
    pub every: usize,
}

/// What runs the records.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Engine {
    /// This one.
    KalamDB,
    /// DataFusion alone.
    DataFusion,
}

/// A database that prints the values of a query as the file expects its columns.
struct Database {
    native: Native,
    types: Arc<Mutex<String>>,
}

impl Database {
    fn open(engine: Engine, dialect: Dialect) -> Self {
        let types = Arc::new(Mutex::new(String::new()));
        let expected = Arc::clone(&types);
        let print_row: PrintRow = Box::new(move |_, batch, row| {
            let expected = expected.lock().unwrap_or_else(PoisonError::into_inner);
            values::print_row(dialect, batch, row, &expected)
        });
        let native = match engine {
            Engine::KalamDB => Native::open_with(print_row),
            Engine::DataFusion => bare::open(print_row),
        };
        Self { native, types }
    }
}

impl DB for Database {
    type Error = SqlError;
    type ColumnType = DefaultColumnType;

    fn run(&mut self, sql: &str) -> Result<DBOutput<DefaultColumnType>, SqlError> {
        // Queries come with the types of the columns in front; see `run_file`.
        let (types, sql) = sql.strip_prefix('\u{1}').and_then(|sql| sql.split_once('\u{1}')).unwrap_or(("", sql));
        types.clone_into(&mut self.types.lock().unwrap_or_else(PoisonError::into_inner));
        self.native.run(sql.trim().trim_end_matches(';'))
    }

    fn engine_name(&self) -> &'static str {
        "kalamdb"
    }

    fn error_sql_state(error: &SqlError) -> Option<String> {
        Some(error.sql_state.clone())
    }
}

/// The files in `path`, or `path` itself, in order.
pub fn files(path: &Path) -> Result<Vec<PathBuf>, Box<dyn Error>> {
    if path.is_file() {
        return Ok(vec![path.to_owned()]);
    }
    let mut found = Vec::new();
    for entry in std::fs::read_dir(path)? {
        let entry = entry?.path();
        let is_test = entry.extension().is_some_and(|extension| extension == "slt" || extension == "test");
        if entry.is_dir() || is_test {
            found.extend(files(&entry)?);
        }
    }
    found.sort();
    Ok(found)
}

/// Runs one file on an empty database. Gives what came of each record.
pub fn run_file(engine: Engine, file: &Path, options: &Options, report: &mut Report) -> Vec<Verdict> {
    let script = match read_to_string(file) {
        Ok(script) => dialect::prepare(&script, options),
        Err(error) => {
            report.unreadable(file, &error.to_string());
            return Vec::new();
        }
    };
    let records = match sqllogictest::parse_with_name::<DefaultColumnType>(&script, file.to_string_lossy().into_owned())
    {
        Ok(records) => records,
        Err(error) => {
            report.unreadable(file, &error.to_string());
            return Vec::new();
        }
    };
    let mut database = Some(Database::open(engine, options.dialect));
    let mut runner = Runner::new(move || std::future::ready(database.take().ok_or_else(SqlError::second_connection)));
    runner.add_label(&options.label);
    if options.dialect == Dialect::Sqlite {
        // What its files were written with, where they do not say it.
        runner.with_hash_threshold(8);
        let _ = block_on(runner.run_async(Record::Control(Control::ResultMode(ResultMode::ValueWise))));
    }
    let mut n_queries = 0_usize;
    let mut verdicts = Vec::new();
    let mut settings = settings::Settings::new();
    for mut record in records {
        let is_query = match &mut record {
            Record::Query { sql, expected, .. } => {
                n_queries += 1;
                if !n_queries.is_multiple_of(options.every) {
                    continue;
                }
                match expected {
                    QueryExpect::Results { types, .. } => {
                        let types: String = types.iter().map(ColumnType::to_char).collect();
                        *sql = format!("\u{1}{types}\u{1}{sql}");
                    }
                    QueryExpect::Error(error) => *error = ExpectedError::Empty,
                }
                true
            }
            Record::Statement { sql, expected, .. } => {
                settings.note(sql);
                // Every engine has messages of its own.
                if let StatementExpect::Error(error) = expected {
                    *error = ExpectedError::Empty;
                }
                false
            }
            Record::Halt { .. } => break,
            Record::Include { .. } | Record::System { .. } | Record::Sleep { .. } => continue,
            _ => {
                let _ = block_on(runner.run_async(record));
                continue;
            }
        };
        verdicts.push(report.record(
            options.dialect,
            file,
            is_query,
            settings.are_changed(),
            block_on(runner.run_async(record)),
        ));
    }
    verdicts
}
