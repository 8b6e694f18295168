//! Feeds what reads bytes or text from outside with random input, led by what earlier inputs have reached.

use anyhow::{Context, Result, bail};
use xshell::{Shell, cmd};

use crate::setup::Need;

/// What fuzzing needs on the machine: libFuzzer is C++.
pub(crate) const NEEDS: &[Need] = &[Need::Cxx];

/// The targets: the programs `fuzz-...` of tests/fuzz, with the folder of inputs of the same name in its corpus/.
const TARGETS: &[&str] = &["sql", "plan", "wire", "page", "record"];

/// The stack of a target, in KiB: frames of builds that are not optimised are large.
const STACK_KB: &str = "262144";
/// How long an input may take, in seconds.
const TIMEOUT: &str = "30";

/// A run of up to so many minutes begins with the same random numbers each time: it checks a change, and searches
/// little. Longer ones search.
const CHECK_MINUTES: f64 = 1.0;

/// Runs the named targets, or all, one after the other, for `minutes` in all.
///
/// What they find is kept in target/fuzz, where the next run goes on from it.
///
/// # Errors
/// If a name is unknown, a target cannot be built, or an input kills one: it is kept too.
pub(crate) fn fuzz(sh: &Shell, minutes: f64, names: &[String]) -> Result<()> {
    if let Some(unknown) = names.iter().find(|name| !TARGETS.contains(&name.as_str())) {
        bail!("there is no target {unknown}: there are {}", TARGETS.join(", "));
    }
    let chosen: Vec<&str> =
        TARGETS.iter().copied().filter(|target| names.is_empty() || names.iter().any(|name| name == target)).collect();
    build(sh, &chosen)?;
    let seconds = (minutes * 60.0 / chosen.len() as f64).ceil();
    let seed = (minutes <= CHECK_MINUTES).then_some("-seed=1");
    let failed: Vec<&str> = chosen.into_iter().filter(|target| !run(sh, target, seconds, seed)).collect();
    match failed.as_slice() {
        [] => Ok(()),
        _ => bail!("inputs that fail are in target/fuzz, of {}", failed.join(", ")),
    }
}

fn build(sh: &Shell, targets: &[&str]) -> Result<()> {
    let bins = targets.iter().flat_map(|target| ["--bin".to_owned(), format!("fuzz-{target}")]);
    let _wrapper = sh.push_env("RUSTC_WORKSPACE_WRAPPER", sh.current_dir().join("tests/fuzz/instrument.sh"));
    // The whole workspace is named so that dependencies have the features that the tests build them with.
    cmd!(sh, "cargo build --workspace {bins...}").run()?;
    Ok(())
}

/// Runs one target. Returns whether it took all inputs.
fn run(sh: &Shell, target: &str, seconds: f64, seed: Option<&str>) -> bool {
    let found = format!("target/fuzz/{target}");
    let outcome = sh.create_dir(&found).context("target/fuzz cannot be made").and_then(|_| {
        let limited = format!("ulimit -s {STACK_KB} && exec \"$@\"");
        let program = sh.current_dir().join(format!("target/debug/fuzz-{target}"));
        let dictionary = matches!(target, "sql" | "plan").then_some("-dict=tests/fuzz/sql.dict");
        // It reads both folders, and keeps what it finds in the first.
        let command = cmd!(sh, "sh -c {limited} sh {program} {found} tests/fuzz/corpus/{target}")
            .arg(format!("-max_total_time={seconds}"))
            .args(dictionary)
            .args(seed)
            .arg(format!("-timeout={TIMEOUT}"))
            .arg(format!("-artifact_prefix=target/fuzz/{target}-"))
            .args(["-max_len=4096", "-rss_limit_mb=8192", "-print_final_stats=1"]);
        Ok(command.quiet().ignore_status().output()?)
    });
    match outcome {
        Ok(output) => {
            let account = String::from_utf8_lossy(&output.stderr);
            let n = account.lines().find_map(|line| line.strip_prefix("stat::number_of_executed_units:"));
            println!("{target}: {} inputs", n.map_or("?", str::trim));
            if !output.status.success() {
                println!("{account}");
            }
            output.status.success()
        }
        Err(error) => {
            println!("{target}: {error:#}");
            false
        }
    }
}
