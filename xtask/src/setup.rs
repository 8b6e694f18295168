//! What commands need on the machine. Each need is checked first, and only what is missing is installed.

use std::env;
use std::path::PathBuf;

use anyhow::{Context, Result, bail};
use xshell::{Shell, cmd};

const MACHETE_VERSION: &str = "0.9.2";
const TYPOS_VERSION: &str = "1.52.0";
/// Where tools are installed that the machine lacks; not tracked.
const TOOLS: &str = ".tools";
/// Those of Python's registry are apart: pip takes a folder for its own.
const WHEELS: &str = ".tools/python";

/// Something that a command needs on the machine.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Need {
    /// The wasm-bindgen command line, which runs the Rust tests in a browser too. Its version is that which Cargo.lock
    /// has of the library.
    WasmBindgen,
    /// Chromium with its driver.
    Chromium,
    /// A compiler of C++.
    Cxx,
    /// typos, which knows how words are misspelt.
    Typos,
    /// cargo-machete, which finds dependencies that nothing uses.
    Machete,
    /// The npm packages of a folder.
    Npm(&'static str),
}

/// What all commands together need.
pub(crate) const ALL: &[Need] = &[Need::WasmBindgen, Need::Chromium, Need::Cxx, Need::Npm("."), Need::Npm("www")];

/// Installs what is missing of `needs`, and lets the commands run by `sh` find it.
///
/// # Errors
/// If something is missing and cannot be installed here; the message says what to do.
pub(crate) fn ensure(sh: &Shell, needs: &[Need]) -> Result<()> {
    let tools = [TOOLS, WHEELS].map(|tools| sh.current_dir().join(tools).join("bin"));
    let path = sh.var_os("PATH").unwrap_or_default();
    if !env::split_paths(&path).any(|dir| tools.contains(&dir)) {
        sh.set_var("PATH", env::join_paths(tools.into_iter().chain(env::split_paths(&path)))?);
    }
    for need in needs {
        match need {
            Need::WasmBindgen => {
                let version = locked_version(&sh.read_file("Cargo.lock")?, "wasm-bindgen")
                    .context("Cargo.lock names no wasm-bindgen")?;
                cargo_tool(sh, "wasm-bindgen", "wasm-bindgen-cli", &version)?;
            }
            Need::Chromium => chromium(sh)?,
            Need::Cxx => cxx(sh)?,
            Need::Typos => typos(sh)?,
            Need::Machete => cargo_tool(sh, "cargo-machete", "cargo-machete", MACHETE_VERSION)?,
            Need::Npm(dir) => npm(sh, dir)?,
        }
    }
    Ok(())
}

/// The version that a Cargo.lock has of a package.
fn locked_version(lock: &str, package: &str) -> Option<String> {
    let name = format!("name = \"{package}\"");
    let entry = lock.split("[[package]]").find(|entry| entry.lines().any(|line| line == name))?;
    let version = entry.lines().find_map(|line| line.strip_prefix("version = "))?;
    Some(version.trim_matches('"').to_owned())
}

fn has(sh: &Shell, program: &str, version: &str) -> bool {
    let found = cmd!(sh, "{program} --version").quiet().ignore_stderr().read().unwrap_or_default();
    found.split_whitespace().any(|word| word == version)
}

/// Installs typos from Python's registry, which has it compiled, or else as other tools.
fn typos(sh: &Shell) -> Result<()> {
    if has(sh, "typos", TYPOS_VERSION) {
        return Ok(());
    }
    let wheel = format!("typos=={TYPOS_VERSION}");
    let pip =
        cmd!(sh, "python3 -m pip install --quiet --disable-pip-version-check --target {WHEELS} --upgrade {wheel}");
    if pip.quiet().ignore_stderr().run().is_ok() {
        return Ok(());
    }
    cargo_tool(sh, "typos", "typos-cli", TYPOS_VERSION)
}

fn cargo_tool(sh: &Shell, program: &str, package: &str, version: &str) -> Result<()> {
    if has(sh, program, version) {
        return Ok(());
    }
    println!("installing {program} {version} into {TOOLS}/ (2 to 10 minutes)");
    let root = sh.current_dir().join(TOOLS);
    let target = sh.current_dir().join("target").join("tools");
    // Tools that run for seconds: compiling them fast saves more than optimised code would.
    let _level = sh.push_env("CARGO_PROFILE_RELEASE_OPT_LEVEL", "1");
    let _lto = sh.push_env("CARGO_PROFILE_RELEASE_LTO", "off");
    let _units = sh.push_env("CARGO_PROFILE_RELEASE_CODEGEN_UNITS", "16");
    let install = |locked: Option<&str>| {
        cmd!(sh, "cargo install --quiet {package} --version {version} --root {root} --target-dir {target} {locked...}")
            .run()
    };
    if install(Some("--locked")).is_ok() {
        return Ok(());
    }
    // A lock file can name a version that the registry does not serve.
    println!("once more without the lock file of {package}");
    install(None).with_context(|| format!("{program} {version} cannot be installed"))
}

fn npm(sh: &Shell, dir: &str) -> Result<()> {
    // npm writes the first of these when it has installed what the second says.
    let changed =
        |file: &str| sh.current_dir().join(dir).join(file).metadata().and_then(|metadata| metadata.modified());
    let lock = changed("package-lock.json").with_context(|| format!("{dir}/package-lock.json cannot be read"))?;
    if changed("node_modules/.package-lock.json").is_ok_and(|installed| installed >= lock) {
        return Ok(());
    }
    println!("installing the npm packages of {dir}/ (less than a minute)");
    cmd!(sh, "npm --prefix {dir} ci --no-audit --no-fund --loglevel=error").run()?;
    Ok(())
}

/// Names Chromium and its driver in the environment of later commands.
fn chromium(sh: &Shell) -> Result<()> {
    let find = || Some((program(sh, "CHROMIUM", "chromium")?, program(sh, "CHROMEDRIVER", "chromedriver")?));
    let found = match find() {
        Some(found) => Some(found),
        None => {
            install_chromium(sh)?;
            find()
        }
    };
    let (chromium, driver) = found
        .context("chromium and chromedriver are still not in PATH: set CHROMIUM and CHROMEDRIVER to their paths")?;
    sh.set_var("CHROMIUM", chromium);
    sh.set_var("CHROMEDRIVER", driver);
    Ok(())
}

/// The program that a variable names, or else the one in PATH.
fn program(sh: &Shell, variable: &str, name: &str) -> Option<PathBuf> {
    let named = sh.var_os(variable).map(PathBuf::from).filter(|path| path.is_file());
    named.or_else(|| env::split_paths(&sh.var_os("PATH")?).map(|dir| dir.join(name)).find(|path| path.is_file()))
}

fn install_chromium(sh: &Shell) -> Result<()> {
    println!("installing chromium and chromium-driver with apt-get (1 to 3 minutes)");
    apt_get(sh, &["chromium", "chromium-driver"])
        .context("install chromium and chromedriver, or set CHROMIUM and CHROMEDRIVER to their paths")
}

fn cxx(sh: &Shell) -> Result<()> {
    if program(sh, "CXX", "c++").is_some() {
        return Ok(());
    }
    println!("installing g++ with apt-get (a minute)");
    apt_get(sh, &["g++"]).context("install a compiler of C++, or set CXX to its path")
}

fn apt_get(sh: &Shell, packages: &[&str]) -> Result<()> {
    if cmd!(sh, "apt-get --version").quiet().ignore_stdout().ignore_stderr().run().is_err() {
        bail!("{} cannot be installed here", packages.join(" and "));
    }
    let sudo = (cmd!(sh, "id -u").quiet().read()? != "0").then_some("sudo");
    let apt = |args: &[&str]| cmd!(sh, "env {sudo...} DEBIAN_FRONTEND=noninteractive apt-get -qq {args...}").run();
    apt(&["update"])?;
    apt(&[&["install", "--yes", "--no-install-recommends"], packages].concat())?;
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::locked_version;

    #[test]
    fn the_version_is_that_of_the_package_itself() {
        let lock = "version = 4\n\n[[package]]\nname = \"wasm-bindgen-futures\"\nversion = \"0.4.1\"\ndependencies = [\n \"wasm-bindgen\",\n]\n\n\
                    [[package]]\nname = \"wasm-bindgen\"\nversion = \"0.2.130\"\n";
        assert_eq!(locked_version(lock, "wasm-bindgen").as_deref(), Some("0.2.130"));
        assert_eq!(locked_version(lock, "wasm"), None);
    }
}
