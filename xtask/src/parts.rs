//! The parts of `cargo xtask test`, in the order in which they run.

use crate::setup::Need;

/// One part: a name to select it by, what it needs, and its command lines.
pub(crate) struct Part {
    pub(crate) name: &'static str,
    pub(crate) about: &'static str,
    pub(crate) needs: &'static [Need],
    /// Run in turn, in the project's root. Split at white space; no shell sees them.
    pub(crate) commands: &'static [&'static str],
}

/// A part that runs a script of the root's package.json.
const fn npm(
    name: &'static str,
    about: &'static str,
    needs: &'static [Need],
    commands: &'static [&'static str],
) -> Part {
    Part { name, about, needs, commands }
}

const PAGES: &[Need] = &[Need::Chromium, Need::Npm("."), Need::Npm("www")];

pub(crate) const PARTS: &[Part] = &[
    Part { name: "fmt", about: "the Rust is formatted", needs: &[], commands: &["cargo fmt --all -- --check"] },
    Part { name: "tidy", about: "the rules that no compiler checks", needs: &[], commands: &["cargo xtask tidy"] },
    Part {
        name: "native",
        about: "Rust tests and examples, and SQL behaviour, natively",
        needs: &[],
        commands: &["cargo test --workspace"],
    },
    Part {
        name: "fuzz",
        about: "random input for parsers and decoders, for a minute",
        needs: crate::fuzz::NEEDS,
        commands: &["cargo xtask fuzz"],
    },
    Part {
        name: "clippy",
        about: "lints of what is built natively",
        needs: &[],
        commands: &["cargo clippy --workspace --all-targets -- -D warnings"],
    },
    Part {
        name: "clippy-wasm",
        about: "lints of what is built for the browser only",
        needs: &[],
        commands: &[
            "cargo clippy --package kalamdb-wasm --package kalamdb-indexeddb --target wasm32-unknown-unknown --all-targets -- -D warnings",
        ],
    },
    Part {
        name: "wasm",
        about: "Rust tests on IndexedDB, in Chromium",
        needs: &[Need::Chromium, Need::WasmBindgen, Need::WasmPack],
        commands: &["wasm-pack test --headless --chrome --mode no-install crates/kalamdb-indexeddb"],
    },
    Part {
        name: "build",
        about: "the package, as it is shipped",
        needs: crate::build::NEEDS,
        commands: &["cargo xtask build"],
    },
    npm(
        "ts",
        "types, lints and unit tests of the TypeScript",
        PAGES,
        &["npm run --silent check:ts", "npm run --silent check:pages", "npm run --silent test:ts"],
    ),
    Part {
        name: "slt",
        about: "SQL behaviour, through the package in Chromium",
        needs: &[Need::Chromium, Need::Npm(".")],
        // The whole workspace is named, as for the native tests: another choice of packages gives dependencies other
        // features, and builds all of them again.
        commands: &["cargo test --workspace --test browser"],
    },
    Part {
        name: "differential",
        about: "random queries, compared with PostgreSQL's answers",
        needs: &[Need::Npm(".")],
        commands: &["cargo test --workspace --test differential"],
    },
    npm("browser", "the TypeScript API on IndexedDB, in Chromium", PAGES, &["npm run --silent test:browser"]),
    npm("packaging", "the package in bundlers and a bare page", PAGES, &["npm run --silent test:packaging"]),
    npm("e2e", "the demo's pages: reload, tabs, crashes", PAGES, &["npm run --silent test:e2e"]),
];
