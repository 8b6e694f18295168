use serde::Deserialize;
use sqllogictest::{DBOutput, DefaultColumnType};
use thiserror::Error;

/// What a statement gave: rows of printed values, or a count.
#[derive(Debug, Deserialize)]
pub struct Outcome {
    /// The SQL types of the columns.
    pub types: Vec<String>,
    /// The rows; `None` for statements that return none.
    pub rows: Option<Vec<Vec<String>>>,
    /// How many rows were written.
    pub affected: u64,
}

/// An error as far as the files check it.
#[derive(Debug, Deserialize, Error)]
#[serde(rename_all = "camelCase")]
#[error("{code}: {message}")]
pub struct SqlError {
    /// The error's code.
    pub code: String,
    /// The SQLSTATE.
    pub sql_state: String,
    /// The message.
    pub message: String,
}

impl SqlError {
    pub(crate) fn second_connection() -> Self {
        let message = "a file has one connection".to_owned();
        Self { code: "internal_error".to_owned(), sql_state: "XX000".to_owned(), message }
    }
}

impl Outcome {
    pub(crate) fn into_output(self) -> DBOutput<DefaultColumnType> {
        let column_type = |name: &String| match name.as_str() {
            "TINYINT" | "SMALLINT" | "INTEGER" | "BIGINT" => DefaultColumnType::Integer,
            name if name.ends_with(" UNSIGNED") => DefaultColumnType::Integer,
            "REAL" | "DOUBLE" => DefaultColumnType::FloatingPoint,
            _ => DefaultColumnType::Text,
        };
        match self.rows {
            Some(rows) => DBOutput::Rows { types: self.types.iter().map(column_type).collect(), rows },
            None => DBOutput::StatementComplete(self.affected),
        }
    }
}
