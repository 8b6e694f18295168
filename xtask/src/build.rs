//! The package: the engine's wasm, its bindings and the TypeScript around it, assembled in `pkg/`.

use anyhow::Result;
use xshell::{Shell, cmd};

use crate::order;
use crate::setup::Need;

/// What a build needs on the machine.
pub(crate) const NEEDS: &[Need] = &[Need::WasmBindgen, Need::Npm(".")];

/// The cargo profile of the wasm module.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(crate) enum Profile {
    /// What is shipped: whole-program optimisation, some ten minutes from nothing on two cores.
    Release,
    /// The same without link-time optimisation: a larger module, sooner.
    Quick,
}

impl Profile {
    fn name(self) -> &'static str {
        match self {
            Self::Release => "release",
            Self::Quick => "quick",
        }
    }
}

/// Builds `pkg/` and prints its sizes.
///
/// # Errors
/// If a step fails, or if a release module is over the size budget.
pub(crate) fn build(sh: &Shell, profile: Profile) -> Result<()> {
    let name = profile.name();
    // Named here, so that a CARGO_TARGET_DIR in the environment does not part cargo's output from the next step.
    let target = sh.current_dir().join("target");
    cmd!(sh, "cargo build --package kalamdb-wasm --lib --target wasm32-unknown-unknown --profile {name} --target-dir {target}").run()?;
    let module = target.join("wasm32-unknown-unknown").join(name).join("kalamdb_wasm.wasm");
    let out = target.join("kalamdb-wasm-out");
    sh.remove_path(&out)?;
    cmd!(sh, "wasm-bindgen --target web --out-dir {out} {module}").run()?;
    order::order(&out.join("kalamdb_wasm_bg.wasm"))?;
    cmd!(sh, "npm run --silent build:pkg").run()?;
    size(sh, profile)
}

/// Prints the sizes of what `pkg/` makes a browser download.
///
/// # Errors
/// If a release module is over the budget, which `xtask/size.mjs` holds.
pub(crate) fn size(sh: &Shell, profile: Profile) -> Result<()> {
    let quick = (profile == Profile::Quick).then_some("--quick");
    cmd!(sh, "node xtask/size.mjs {quick...}").run()?;
    Ok(())
}
