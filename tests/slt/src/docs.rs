//! The SQL of the documentation: the blocks marked `sql` of a page, and what they announce.
//!
//! A statement ends with the `;` at the end of a line. What follows it announces the outcome:
//!
//! - `-- error 42P01` behind the `;`: the statement fails with that SQLSTATE. A reason may follow after a colon.
//! - `-- 2 rows` behind the `;`: the statement writes as many rows. Words may follow after a colon.
//! - comment lines below: the rows of the result, their values separated by ` | `; `-- (no rows)` if there are none.
//!
//! A statement that announces nothing has to succeed. Comments at the beginning of a block or after an empty line are
//! for the reader.

use std::error::Error;
use std::path::Path;

use libtest_mimic::{Arguments, Trial};
use sqllogictest::{DB, DBOutput, DefaultColumnType};

use crate::SqlError;

/// How the one line of a result without rows is written.
const NO_ROWS: &str = "(no rows)";

/// A section of a page that has a heading of the second level, with the statements of its blocks.
#[derive(Debug, PartialEq, Eq)]
pub struct Section {
    /// The heading.
    pub title: String,
    /// The statements, in order.
    pub statements: Vec<Statement>,
}

/// A statement, and where it is.
#[derive(Debug, PartialEq, Eq)]
pub struct Statement {
    /// The line on which it ends, counted from 1.
    pub line: usize,
    /// Its text, without the `;`.
    pub sql: String,
    /// What it announces.
    pub outcome: Announced,
}

/// What a statement announces.
#[derive(Debug, PartialEq, Eq)]
pub enum Announced {
    /// That it succeeds.
    Success,
    /// That it fails with this SQLSTATE.
    Error(String),
    /// That it writes as many rows.
    Written(u64),
    /// That it returns these rows.
    Rows(Vec<String>),
}

/// Reads the sections of a page that have statements.
///
/// # Errors
/// A statement that does not end within its block, or a comment behind one that announces nothing.
pub fn sections(page: &str) -> Result<Vec<Section>, String> {
    let mut sections = vec![Section { title: "beginning".to_owned(), statements: Vec::new() }];
    let mut block: Option<Block> = None;
    let mut is_other_block = false;
    for (number, line) in (1..).zip(page.lines()) {
        let Some(section) = sections.last_mut() else { continue };
        match (&mut block, line.trim_end()) {
            (Some(open), "```") => {
                open.end(number)?;
                block = None;
            }
            (Some(open), line) => open.read(number, line, &mut section.statements)?,
            (None, "```sql") => block = Some(Block::default()),
            (None, line) if line.starts_with("```") => is_other_block = !is_other_block,
            (None, line) => {
                if let (Some(title), false) = (line.strip_prefix("## "), is_other_block) {
                    sections.push(Section { title: title.to_owned(), statements: Vec::new() });
                }
            }
        }
    }
    if block.is_some() {
        return Err("the last block has no end".to_owned());
    }
    sections.retain(|section| !section.statements.is_empty());
    Ok(sections)
}

/// A block that is being read.
#[derive(Debug, Default)]
struct Block {
    /// The lines of a statement that has not ended.
    open: Vec<String>,
    /// Whether a comment line is about the statement before it.
    announces: bool,
}

impl Block {
    fn read(&mut self, number: usize, line: &str, statements: &mut Vec<Statement>) -> Result<(), String> {
        if self.open.is_empty() {
            if line.is_empty() {
                self.announces = false;
                return Ok(());
            }
            if let Some(comment) = line.strip_prefix("-- ") {
                return if self.announces { add_row(number, comment, statements) } else { Ok(()) };
            }
        }
        let (code, comment) = split_comment(line);
        let Some(last) = code.strip_suffix(';') else {
            self.open.push(line.to_owned());
            return Ok(());
        };
        self.open.push(last.to_owned());
        let outcome = comment.map_or(Ok(Announced::Success), |comment| announced(number, comment))?;
        statements.push(Statement { line: number, sql: self.open.join("\n"), outcome });
        self.open.clear();
        self.announces = true;
        Ok(())
    }

    fn end(&self, number: usize) -> Result<(), String> {
        if self.open.is_empty() {
            Ok(())
        } else {
            Err(format!("line {number}: the last statement has no ; at the end of a line"))
        }
    }
}

/// Adds a row to what the statement before announces.
fn add_row(number: usize, row: &str, statements: &mut [Statement]) -> Result<(), String> {
    let Some(statement) = statements.last_mut() else { return Ok(()) };
    if statement.outcome == Announced::Success {
        statement.outcome = Announced::Rows(Vec::new());
    }
    match &mut statement.outcome {
        Announced::Rows(rows) => {
            if row != NO_ROWS {
                rows.push(row.to_owned());
            }
            Ok(())
        }
        _ => Err(format!("line {number}: the statement announces another outcome already")),
    }
}

/// The code of a line and the comment behind it; `--` within quotes begins none.
fn split_comment(line: &str) -> (&str, Option<&str>) {
    let mut quote: Option<char> = None;
    for (at, c) in line.char_indices() {
        match quote {
            Some(open) if c == open => quote = None,
            Some(_) => {}
            None if c == '\'' || c == '"' => quote = Some(c),
            None => {
                if let Some((code, comment)) = line.split_at_checked(at)
                    && let Some(comment) = comment.strip_prefix("-- ")
                {
                    return (code.trim_end(), Some(comment));
                }
            }
        }
    }
    (line.trim_end(), None)
}

fn announced(number: usize, comment: &str) -> Result<Announced, String> {
    let said = comment.split_once(':').map_or(comment, |(said, _)| said);
    match said.split_whitespace().collect::<Vec<_>>().as_slice() {
        ["error", state] if state.len() == 5 => Ok(Announced::Error((*state).to_owned())),
        [count, "row" | "rows"] => {
            count.parse().map(Announced::Written).map_err(|error| format!("line {number}: {error}"))
        }
        _ => Err(format!("line {number}: the comment behind the statement announces nothing: {comment}")),
    }
}

/// Runs the statements of a section in order.
///
/// # Errors
/// The first statement whose outcome is another than it announces.
pub fn check<D>(section: &Section, database: &mut D) -> Result<(), String>
where
    D: DB<Error = SqlError, ColumnType = DefaultColumnType>,
{
    section.statements.iter().try_for_each(|statement| {
        check_one(statement, database.run(&statement.sql))
            .map_err(|error| format!("line {}: {}\n{error}", statement.line, statement.sql))
    })
}

fn check_one(statement: &Statement, outcome: Result<DBOutput<DefaultColumnType>, SqlError>) -> Result<(), String> {
    match (&statement.outcome, outcome) {
        (Announced::Error(state), Err(error)) if error.sql_state == *state => Ok(()),
        (Announced::Error(state), Err(error)) => {
            Err(format!("fails with {}, not with {state}: {error}", error.sql_state))
        }
        (Announced::Error(state), Ok(_)) => Err(format!("succeeds, and should fail with {state}")),
        (_, Err(error)) => Err(format!("fails with {}: {error}", error.sql_state)),
        (Announced::Success, Ok(_)) => Ok(()),
        (Announced::Written(expected), Ok(DBOutput::StatementComplete(written))) if written == *expected => Ok(()),
        (Announced::Written(expected), Ok(DBOutput::StatementComplete(written))) => {
            Err(format!("writes {written} rows, not {expected}"))
        }
        (Announced::Rows(expected), Ok(DBOutput::Rows { rows, .. })) => {
            let rows: Vec<String> = rows.iter().map(|row| row.join(" | ")).collect();
            if rows == *expected {
                Ok(())
            } else {
                Err(format!("returns\n{}\nand not\n{}", rows.join("\n"), expected.join("\n")))
            }
        }
        (Announced::Written(_), Ok(_)) => Err("returns rows instead of their number".to_owned()),
        (Announced::Rows(_), Ok(_)) => Err("returns no rows".to_owned()),
    }
}

/// Every section of the pages in `docs/` as one test, each on an empty database that `open` opens.
///
/// # Errors
/// The pages cannot be read.
pub fn trials<D>(open: impl Fn() -> D + Clone + Send + 'static) -> Result<Vec<Trial>, Box<dyn Error>>
where
    D: DB<Error = SqlError, ColumnType = DefaultColumnType>,
{
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../docs");
    let mut files =
        std::fs::read_dir(folder)?.map(|entry| entry.map(|entry| entry.path())).collect::<Result<Vec<_>, _>>()?;
    files.retain(|file| file.extension().is_some_and(|extension| extension == "md"));
    files.sort();
    let mut trials = Vec::new();
    for file in files {
        let name = file.file_name().map_or_else(String::new, |name| name.to_string_lossy().into_owned());
        let page = std::fs::read_to_string(&file)?;
        for section in sections(&page).map_err(|error| format!("{name}: {error}"))? {
            let open = open.clone();
            trials.push(Trial::test(format!("{name}: {}", section.title), move || {
                check(&section, &mut open()).map_err(Into::into)
            }));
        }
    }
    Ok(trials)
}

/// Runs tests one after the other.
#[must_use]
pub fn run(trials: Vec<Trial>) -> std::process::ExitCode {
    let mut arguments = Arguments::from_args();
    arguments.test_threads = Some(1);
    libtest_mimic::run(&arguments, trials).exit_code()
}
