//! Builds everything and serves the demo.

use std::os::unix::process::CommandExt;
use std::process::Command;

use anyhow::{Context, Result};
use xshell::{Shell, cmd};

use crate::build::{self, Profile};
use crate::setup::{self, Need};

/// Sets up, builds the package and the demo, and becomes the demo's server.
///
/// # Errors
/// If a step fails; it does not return otherwise.
pub(crate) fn start(sh: &Shell) -> Result<()> {
    if !sh.path_exists("pkg/kalamdb.wasm") {
        println!(
            "The first start builds the database engine: 10 to 30 minutes on two cores. Later starts take seconds."
        );
    }
    println!("[1/4] tools and packages");
    setup::ensure(sh, build::NEEDS)?;
    println!("[2/4] the engine and the package");
    build::build(sh, Profile::Release)?;
    println!("[3/4] the demo");
    setup::ensure(sh, &[Need::Npm("www")])?;
    cmd!(sh, "npm --prefix www run --silent build").run()?;
    println!("[4/4] serving www/dist");
    // In this process's place, so that a signal that ends `npm start` ends the server.
    let error = Command::from(cmd!(sh, "node xtask/serve.mjs www/dist").quiet()).exec();
    Err(error).context("node does not start")
}
