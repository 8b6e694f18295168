//! Runs the SQL tests against the package in a browser.

use std::error::Error;
use std::process::ExitCode;
use std::sync::Arc;

use kalamdb_slt::browser::{Browser, Remote};

fn main() -> Result<ExitCode, Box<dyn Error>> {
    let browser = Browser::start()?;
    kalamdb_slt::run({
        let browser = Arc::clone(&browser);
        move |name| Remote::open(&browser, name)
    })
}
