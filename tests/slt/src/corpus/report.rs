use std::collections::{BTreeMap, HashMap};
use std::fmt;
use std::path::Path;

use super::Dialect;
use crate::SqlError;
use sqllogictest::{DefaultColumnType, RecordOutput, TestError, TestErrorKind};

/// What came of the records of one folder.
#[derive(Debug, Default, Clone, Copy)]
pub struct Tally {
    /// Records that gave what the file says.
    pub passed: usize,
    /// Records that did not.
    pub failed: usize,
    /// Records that `skipif` and `onlyif` leave to other engines.
    pub skipped: usize,
    /// Records that need what is not here: files, settings, functions, or a table that such a record would have made.
    pub foreign: usize,
}

impl Tally {
    /// The share of records that passed, in percent.
    pub fn percent(&self) -> f64 {
        let n_run = self.passed + self.failed;
        if n_run == 0 { 100.0 } else { 100.0 * self.passed as f64 / n_run as f64 }
    }
}

/// What came of one record.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Verdict {
    /// It gave what the file says.
    Passed,
    /// It did not; what happened, with the statement.
    Failed(String),
    /// It needs what is not here.
    Foreign,
    /// It is for other engines.
    Skipped,
}

/// A record that did not give what the file says.
#[derive(Debug)]
pub struct Failure {
    /// Where it is.
    pub place: String,
    /// What happened, with the statement.
    pub text: String,
}

/// The outcome of a run.
#[derive(Debug, Default)]
pub struct Report {
    folders: BTreeMap<String, Tally>,
    reasons: HashMap<String, (usize, String)>,
    /// All failures, in order.
    pub failures: Vec<Failure>,
}

impl Report {
    pub(super) fn unreadable(&mut self, file: &Path, error: &str) {
        self.fail(file, file.to_string_lossy().into_owned(), "unreadable file".to_owned(), error.to_owned());
    }

    pub(super) fn record(
        &mut self,
        dialect: Dialect,
        file: &Path,
        is_query: bool,
        needs_settings: bool,
        result: Result<RecordOutput<DefaultColumnType>, TestError>,
    ) -> Verdict {
        match result {
            Ok(RecordOutput::Nothing) => {
                self.tally(file).skipped += 1;
                Verdict::Skipped
            }
            Ok(_) => {
                self.tally(file).passed += 1;
                Verdict::Passed
            }
            Err(error) if dialect == Dialect::DataFusion && (needs_settings || is_foreign(&error.kind())) => {
                self.tally(file).foreign += 1;
                Verdict::Foreign
            }
            Err(error) => {
                let what = if is_query { "query" } else { "statement" };
                let reason = match error.kind() {
                    TestErrorKind::Fail { err, .. } | TestErrorKind::ErrorMismatch { err, .. } => {
                        format!("{what}: {}", generalised(&err.to_string()))
                    }
                    TestErrorKind::Ok { .. } => format!("{what}: succeeds where the file expects an error"),
                    TestErrorKind::QueryResultMismatch { .. } => format!("{what}: other rows"),
                    TestErrorKind::QueryResultColumnsMismatch { .. } => format!("{what}: other columns"),
                    other => format!("{what}: {}", generalised(&other.to_string())),
                };
                let text = error.kind().to_string().replace('\u{1}', " ");
                let place = error.location().to_string();
                self.fail(file, place.clone(), reason, text.clone());
                Verdict::Failed(format!("{place}\n{text}"))
            }
        }
    }

    fn tally(&mut self, file: &Path) -> &mut Tally {
        let folder = file.parent().map_or_else(String::new, |folder| folder.to_string_lossy().into_owned());
        self.folders.entry(folder).or_default()
    }

    fn fail(&mut self, file: &Path, place: String, reason: String, text: String) {
        self.tally(file).failed += 1;
        let (count, _) = self.reasons.entry(reason).or_insert_with(|| (0, place.clone()));
        *count += 1;
        self.failures.push(Failure { place, text });
    }

    /// The sum over all folders.
    pub fn total(&self) -> Tally {
        self.folders.values().fold(Tally::default(), |sum, tally| Tally {
            passed: sum.passed + tally.passed,
            failed: sum.failed + tally.failed,
            skipped: sum.skipped + tally.skipped,
            foreign: sum.foreign + tally.foreign,
        })
    }
}

impl fmt::Display for Report {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let mut line = |name: &str, tally: &Tally| {
            let Tally { passed, failed, skipped, foreign } = tally;
            writeln!(
                f,
                "{:7.3} %  {passed:8} passed {failed:7} failed {skipped:7} skipped {foreign:7} foreign  {name}",
                tally.percent()
            )
        };
        for (folder, tally) in &self.folders {
            line(folder, tally)?;
        }
        line("in all", &self.total())?;
        let mut reasons: Vec<_> = self.reasons.iter().collect();
        reasons.sort_by(|(_, (a, _)), (_, (b, _))| b.cmp(a));
        for (reason, (count, place)) in reasons.into_iter().take(60) {
            writeln!(f, "{count:7}  {reason}\n         first at {place}")?;
        }
        Ok(())
    }
}

/// Whether a record fails for want of something that a database in a browser has not, or shows a plan's text.
fn is_foreign(error: &TestErrorKind) -> bool {
    let (sql, error) = match error {
        TestErrorKind::Fail { sql, err, .. } => (sql, err.downcast_ref::<SqlError>()),
        TestErrorKind::QueryResultMismatch { sql, .. } | TestErrorKind::Ok { sql, .. } => (sql, None),
        _ => return false,
    };
    let words = sql.rsplit('\u{1}').next().unwrap_or_default().trim_start().to_uppercase();
    let is_lacking = error.is_some_and(|error| matches!(error.code.as_str(), "undefined_table" | "undefined_function"));
    let is_query = ["SELECT", "WITH", "VALUES", "("].iter().any(|word| words.starts_with(word));
    is_lacking || !is_query || words.contains("ARROW_TYPEOF") || words.contains("ARROW_CAST")
}

/// A message without the names and numbers that differ from one statement to the next.
fn generalised(message: &str) -> String {
    let mut words = Vec::new();
    for word in message.split_whitespace().take(24) {
        let has_digit = word.chars().any(|character| character.is_ascii_digit());
        words.push(if has_digit { "#" } else { word });
    }
    words.join(" ")
}
