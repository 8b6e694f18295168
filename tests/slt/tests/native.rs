//! Runs the SQL tests on the native engine.

use std::error::Error;
use std::process::ExitCode;

use kalamdb_slt::native::Native;

fn main() -> Result<ExitCode, Box<dyn Error>> {
    kalamdb_slt::run(|_| Ok(Native::open()))
}
