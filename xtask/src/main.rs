//! Every command that people and CI run: `cargo xtask help` lists them.
//!
//! The npm scripts go through `xtask/run.mjs`, which installs the pinned Rust toolchain before cargo starts.

#![allow(clippy::print_stdout, clippy::print_stderr, reason = "a command prints")]

mod access;
mod build;
mod counts;
mod errors;
mod fuzz;
mod licences;
mod order;
mod parts;
mod roles;
mod rooms;
mod setup;
mod start;
mod test;
mod tidy;

use std::ffi::OsString;
use std::path::Path;
use std::process::ExitCode;

use anyhow::{Context, Result, bail};
use lexopt::prelude::*;
use xshell::{Shell, cmd};

const HELP: &str = "\
cargo xtask <command>

  setup                 install what all commands need; what is there already is left alone
  build [--quick]       build the package into pkg/; --quick skips link-time optimisation
  size                  print the sizes of pkg/ and compare them with the budget
  start                 set up, build everything and serve the demo on http://localhost:8080 (or PORT)
  test [part...]        set up and run all checks and tests, or the parts named (`test --list` lists them)
  fuzz [--minutes N] [target...]
                        feed parsers and decoders with random input; all of them for a minute unless told otherwise
  tidy                  check the rules that no compiler checks
  errors                write docs/errors.md and ts/errors/error-codes.ts from the engine's list of error codes
  roles                 write docs/roles.md from the engine's policy
  bench [option...]     build and run the benchmarks; options: bench/README.md
";

fn main() -> ExitCode {
    match run() {
        Ok(code) => code,
        Err(error) => {
            eprintln!("\nerror: {error:#}");
            ExitCode::FAILURE
        }
    }
}

fn run() -> Result<ExitCode> {
    let sh = Shell::new()?;
    // Cargo sets the variable for `cargo run`; it names this crate's folder.
    let here = sh.var("CARGO_MANIFEST_DIR").context("run me as `cargo xtask`")?;
    sh.change_dir(Path::new(&here).parent().context("xtask/ has no parent folder")?);

    let mut args = lexopt::Parser::from_env();
    let command = match args.next()? {
        Some(Value(command)) => command.string()?,
        None | Some(Short('h') | Long("help")) => "help".to_owned(),
        Some(other) => return Err(other.unexpected().into()),
    };
    match command.as_str() {
        "help" => print!("{HELP}"),
        "setup" => {
            none_left(args)?;
            setup::ensure(&sh, setup::ALL)?;
        }
        "build" => {
            let mut profile = build::Profile::Release;
            while let Some(arg) = args.next()? {
                match arg {
                    Long("quick") => profile = build::Profile::Quick,
                    other => return Err(other.unexpected().into()),
                }
            }
            setup::ensure(&sh, build::NEEDS)?;
            build::build(&sh, profile)?;
        }
        "size" => {
            none_left(args)?;
            build::size(&sh, build::Profile::Release)?;
        }
        "start" => {
            none_left(args)?;
            start::start(&sh)?;
        }
        "test" => {
            let mut names = Vec::new();
            while let Some(arg) = args.next()? {
                match arg {
                    Long("list") => {
                        test::list();
                        return Ok(ExitCode::SUCCESS);
                    }
                    Value(name) => names.push(name.string()?),
                    other => return Err(other.unexpected().into()),
                }
            }
            if !test::test(&sh, &names)? {
                // The closing line has said it; nothing is to follow it.
                return Ok(ExitCode::FAILURE);
            }
        }
        "fuzz" => {
            let (mut minutes, mut names) = (1.0, Vec::new());
            while let Some(arg) = args.next()? {
                match arg {
                    Long("minutes") => minutes = args.value()?.parse()?,
                    Value(name) => names.push(name.string()?),
                    other => return Err(other.unexpected().into()),
                }
            }
            setup::ensure(&sh, fuzz::NEEDS)?;
            fuzz::fuzz(&sh, minutes, &names)?;
        }
        "tidy" => {
            none_left(args)?;
            let findings = tidy::findings(&sh)?;
            if !findings.is_empty() {
                bail!("{} findings:\n  {}", findings.len(), findings.join("\n  "));
            }
            println!("tidy");
        }
        "errors" => {
            none_left(args)?;
            errors::write(&sh)?;
        }
        "roles" => {
            none_left(args)?;
            roles::write(&sh)?;
        }
        "bench" => {
            let options: Vec<OsString> = args.raw_args()?.collect();
            if !sh.path_exists("pkg/package.json") {
                setup::ensure(&sh, build::NEEDS)?;
                build::build(&sh, build::Profile::Release)?;
            }
            setup::ensure(&sh, &[setup::Need::Chromium, setup::Need::Npm("bench")])?;
            cmd!(sh, "npm --prefix bench run bench -- {options...}").run()?;
        }
        other => bail!("there is no command {other}\n\n{HELP}"),
    }
    Ok(ExitCode::SUCCESS)
}

fn none_left(mut args: lexopt::Parser) -> Result<()> {
    match args.next()? {
        None => Ok(()),
        Some(arg) => Err(arg.unexpected().into()),
    }
}
