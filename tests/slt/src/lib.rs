//! Runs the `.slt` files of this folder against an engine: the native one, or the package in a browser.
//!
//! Values print as they do in JavaScript, so that one file serves both: numbers as `String(number)`, times in ISO 8601,
//! NULL as `NULL`, an empty text as `(empty)`, bytes in hexadecimal, the rest as JSON.

pub mod browser;
pub mod corpus;
pub mod docs;
pub mod native;
mod outcome;

use std::error::Error;
use std::path::{Path, PathBuf};

use libtest_mimic::{Arguments, Trial};
use sqllogictest::{DB, Runner};

pub use outcome::{Outcome, SqlError};

/// Where the `.slt` files are.
fn files() -> Result<Vec<PathBuf>, Box<dyn Error>> {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("files");
    let mut files: Vec<PathBuf> =
        std::fs::read_dir(folder)?.map(|entry| entry.map(|entry| entry.path())).collect::<Result<_, _>>()?;
    files.retain(|file| file.extension().is_some_and(|extension| extension == "slt"));
    files.sort();
    Ok(files)
}

/// Runs every file as one test, each on an empty database that `connect` opens under the file's name.
pub fn run<D>(
    connect: impl Fn(&str) -> Result<D, Box<dyn Error>> + Clone + Send + 'static,
) -> Result<std::process::ExitCode, Box<dyn Error>>
where
    D: DB<Error = SqlError> + Send + 'static,
{
    let mut arguments = Arguments::from_args();
    // A browser and an engine are shared between the files.
    arguments.test_threads = Some(1);
    let trials = files()?
        .into_iter()
        .map(|file| {
            let name = file.file_stem().map_or_else(String::new, |stem| stem.to_string_lossy().into_owned());
            let connect = connect.clone();
            Trial::test(name.clone(), move || {
                // The database is opened once a file: its statements share one session.
                let database = connect(&name).map_err(|error| error.to_string())?;
                let mut database = Some(database);
                let mut runner =
                    Runner::new(|| std::future::ready(database.take().ok_or_else(SqlError::second_connection)));
                runner.run_file(&file).map_err(|error| error.display(false).to_string().into())
            })
        })
        .collect();
    Ok(libtest_mimic::run(&arguments, trials).exit_code())
}
