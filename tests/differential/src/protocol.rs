//! What is asked and answered.

use kalamdb_core::Error;
use serde::{Deserialize, Serialize};

/// A line of standard input.
#[derive(Debug, Deserialize)]
#[serde(rename_all = "camelCase", rename_all_fields = "camelCase")]
pub(crate) enum Request {
    /// Begins an empty database.
    Reset,
    /// Runs one statement.
    Query {
        /// The statement.
        sql: String,
        /// The values of its parameters.
        #[serde(default)]
        params: Vec<Parameter>,
        /// The optimizer rules that it is planned without.
        #[serde(default)]
        without_rules: Vec<String>,
    },
}

/// A value as JavaScript would send it.
#[derive(Debug, Deserialize)]
#[serde(rename_all = "lowercase")]
pub(crate) enum Parameter {
    /// null.
    Null,
    /// A boolean.
    Bool(bool),
    /// An integer of 64 bits in decimal digits.
    Int(String),
    /// Any other number.
    Float(String),
    /// A string.
    Text(String),
    /// An object or an array, as JSON.
    Json(String),
}

/// A line of standard output.
#[derive(Debug, Serialize)]
#[serde(rename_all = "camelCase", rename_all_fields = "camelCase")]
pub(crate) enum Answer {
    /// What a statement gives.
    Result {
        /// The columns of the result.
        columns: Vec<Column>,
        /// The rows; a value is its text in PostgreSQL's form.
        rows: Vec<Vec<Option<String>>>,
        /// How many rows were written.
        affected: Option<u64>,
    },
    /// The statement was refused.
    Error {
        /// The engine's code.
        code: String,
        /// The SQLSTATE.
        sql_state: String,
        /// What it says.
        message: String,
    },
    /// The engine died; the next request meets an empty database.
    Panic(String),
}

/// A column of a result.
#[derive(Debug, Serialize)]
pub(crate) struct Column {
    /// The name.
    pub(crate) name: String,
    /// The SQL type.
    #[serde(rename = "type")]
    pub(crate) type_name: String,
}

impl From<Error> for Answer {
    fn from(error: Error) -> Self {
        let kind = error.kind();
        Self::Error { code: kind.code().to_owned(), sql_state: kind.sql_state().to_owned(), message: error.to_string() }
    }
}
