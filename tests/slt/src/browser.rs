//! The built package in a browser: a Node process drives the page, and speaks one line of JSON for each statement.

use std::error::Error;
use std::io::{BufRead, BufReader, Write};
use std::path::Path;
use std::process::{Child, ChildStdin, ChildStdout, Command, Stdio};
use std::sync::{Arc, Mutex, PoisonError};

use serde::Deserialize;
use serde_json::json;
use sqllogictest::{DB, DBOutput, DefaultColumnType};

use crate::{Outcome, SqlError};

/// A running browser with the package loaded.
pub struct Browser {
    process: Child,
    requests: ChildStdin,
    replies: BufReader<ChildStdout>,
}

#[derive(Debug, Deserialize)]
#[serde(untagged)]
enum Reply {
    Error { error: SqlError },
    Outcome(Outcome),
}

impl Browser {
    /// Starts the browser; it ends when the value is dropped.
    pub fn start() -> Result<Arc<Mutex<Self>>, Box<dyn Error>> {
        let script = Path::new(env!("CARGO_MANIFEST_DIR")).join("browser.mjs");
        let mut process = Command::new("node").arg(script).stdin(Stdio::piped()).stdout(Stdio::piped()).spawn()?;
        let requests = process.stdin.take().ok_or("the browser's process has no input")?;
        let replies = BufReader::new(process.stdout.take().ok_or("the browser's process has no output")?);
        Ok(Arc::new(Mutex::new(Self { process, requests, replies })))
    }

    fn ask(&mut self, request: &serde_json::Value) -> Result<Outcome, SqlError> {
        let failed =
            |message: String| SqlError { code: "engine_crashed".to_owned(), sql_state: "ZB003".to_owned(), message };
        writeln!(self.requests, "{request}").map_err(|error| failed(error.to_string()))?;
        let mut line = String::new();
        self.replies.read_line(&mut line).map_err(|error| failed(error.to_string()))?;
        match serde_json::from_str(&line).map_err(|error| failed(format!("{error}: {line}")))? {
            Reply::Error { error } => Err(error),
            Reply::Outcome(outcome) => Ok(outcome),
        }
    }
}

impl Drop for Browser {
    fn drop(&mut self) {
        // The process ends with its input; it is not left behind if it does not.
        let _ = writeln!(self.requests, "{}", json!({ "op": "quit" }));
        let _ = self.process.wait();
    }
}

/// A database in the browser.
pub struct Remote {
    browser: Arc<Mutex<Browser>>,
}

impl Remote {
    /// Opens an empty database of this name in place of the one that was open.
    pub fn open(browser: &Arc<Mutex<Browser>>, name: &str) -> Result<Self, Box<dyn Error>> {
        let remote = Self { browser: Arc::clone(browser) };
        remote.ask(&json!({ "op": "open", "name": name }))?;
        Ok(remote)
    }

    fn ask(&self, request: &serde_json::Value) -> Result<Outcome, SqlError> {
        self.browser.lock().unwrap_or_else(PoisonError::into_inner).ask(request)
    }
}

impl DB for Remote {
    type Error = SqlError;
    type ColumnType = DefaultColumnType;

    fn run(&mut self, sql: &str) -> Result<DBOutput<DefaultColumnType>, SqlError> {
        self.ask(&json!({ "op": "query", "sql": sql })).map(Outcome::into_output)
    }

    fn engine_name(&self) -> &'static str {
        "kalamdb"
    }

    fn error_sql_state(error: &SqlError) -> Option<String> {
        Some(error.sql_state.clone())
    }
}
