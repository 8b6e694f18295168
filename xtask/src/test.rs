//! Runs the parts of the test and sums up.

#![allow(clippy::disallowed_types, reason = "clocks are forbidden in the browser; this runs natively")]

use std::io::{BufRead, BufReader};
use std::process::{Command, Stdio};
use std::thread;
use std::time::Instant;

use anyhow::{Context, Result, bail};
use xshell::{Shell, cmd};

use crate::counts::{self, Counts};
use crate::parts::{PARTS, Part};
use crate::setup;

/// Prints the parts' names.
pub(crate) fn list() {
    for part in PARTS {
        println!("{:<12} {}", part.name, part.about);
    }
}

/// Runs the named parts, or all, each to its end whatever the others did, and prints one closing line.
///
/// What a part prints that began beside another is kept until its turn. A part whose commands print no numbers of tests
/// counts as one test. Returns whether all passed.
///
/// # Errors
/// If a name is unknown.
pub(crate) fn test(sh: &Shell, names: &[String]) -> Result<bool> {
    if let Some(unknown) = names.iter().find(|name| !PARTS.iter().any(|part| part.name == **name)) {
        bail!("there is no part {unknown}; `cargo xtask test --list` lists them");
    }
    let chosen = || PARTS.iter().filter(|part| names.is_empty() || names.iter().any(|name| name == part.name));
    let mut total = Counts::default();
    let mut summary = Vec::new();
    thread::scope(|scope| {
        let mut beside = Vec::new();
        for part in chosen() {
            for other in chosen().filter(|other| other.beside == Some(part.name)) {
                // Two parts at once may lack the same thing; what cannot be installed fails its part again.
                let _ = setup::ensure(sh, other.needs);
                let sh = sh.clone();
                let running = scope.spawn(move || {
                    let mut kept = String::new();
                    (run(&sh, other, &mut |line| kept.extend([line, "\n"])), kept)
                });
                beside.push((other.name, running));
            }
            println!("\n=== {}: {}", part.name, part.about);
            let begun = beside.iter().position(|(name, _)| *name == part.name);
            let Outcome { counts, seconds } = match begun.map(|at| beside.swap_remove(at)) {
                Some((_, running)) => {
                    let (outcome, kept) = running.join().unwrap_or_default();
                    print!("{kept}");
                    outcome
                }
                None => run(sh, part, &mut |line| println!("{line}")),
            };
            let verdict = if counts.failed == 0 { "ok" } else { "FAILED" };
            let line = format!(
                "{:<12} {verdict:<7} {:>5} passed {:>4} failed {seconds:>5} s",
                part.name, counts.passed, counts.failed
            );
            println!("=== {line}");
            summary.push(line);
            total += counts;
        }
    });
    println!("\n{}\n\n{} passed, {} failed", summary.join("\n"), total.passed, total.failed);
    Ok(total.failed == 0)
}

/// What a part has come to.
struct Outcome {
    counts: Counts,
    seconds: u64,
}

/// That of a part that has not come to its end.
impl Default for Outcome {
    fn default() -> Self {
        Self { counts: Counts { passed: 0, failed: 1 }, seconds: 0 }
    }
}

fn run(sh: &Shell, part: &Part, print: &mut dyn FnMut(&str)) -> Outcome {
    let start = Instant::now();
    let mut counts = Counts::default();
    let done = setup::ensure(sh, part.needs).and_then(|()| {
        for line in part.commands {
            let (success, output) = echo(sh, line, print)?;
            counts += counts::read(&output);
            if !success {
                bail!("failed: {line}");
            }
        }
        Ok(())
    });
    if let Err(error) = &done {
        print(&format!("{error:#}"));
    }
    match (done.is_ok(), counts) {
        (true, Counts { passed: 0, failed: 0 }) => counts.passed = 1,
        (false, Counts { failed: 0, .. }) => counts.failed = 1,
        _ => {}
    }
    Outcome { counts, seconds: start.elapsed().as_secs() }
}

/// Runs a command line, passing its standard output on and keeping it.
fn echo(sh: &Shell, line: &str, print: &mut dyn FnMut(&str)) -> Result<(bool, String)> {
    let mut words = line.split_whitespace();
    let program = words.next().context("an empty command line")?;
    print(&format!("$ {line}"));
    let mut child = Command::from(cmd!(sh, "{program} {words...}").quiet())
        .stdout(Stdio::piped())
        .spawn()
        .with_context(|| format!("{program} does not start"))?;
    let stdout = child.stdout.take().context("no standard output")?;
    let mut output = String::new();
    for bytes in BufReader::new(stdout).split(b'\n') {
        let text = String::from_utf8_lossy(&bytes?).into_owned();
        print(&text);
        output.push_str(&text);
        output.push('\n');
    }
    Ok((child.wait()?.success(), output))
}
