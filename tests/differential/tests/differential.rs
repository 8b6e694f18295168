//! Runs the differential tests, `run.mjs`, on the engine of this crate; arguments are passed on.

use std::process::{Command, ExitCode};

fn main() -> std::io::Result<ExitCode> {
    let script = concat!(env!("CARGO_MANIFEST_DIR"), "/run.mjs");
    let engine = env!("CARGO_BIN_EXE_kalamdb-differential");
    let status = Command::new("node").args([script, "--engine", engine]).args(std::env::args().skip(1)).status()?;
    Ok(if status.success() { ExitCode::SUCCESS } else { ExitCode::FAILURE })
}
