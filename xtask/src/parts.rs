//! The parts of `cargo xtask test`, in the order in which they run.

use crate::setup::Need;

/// One part: a name to select it by, what it needs, and its command lines.
pub(crate) struct Part {
    pub(crate) name: &'static str,
    pub(crate) about: &'static str,
    pub(crate) needs: &'static [Need],
    /// Run in turn, in the project's root. Split at white space; no shell sees them.
    pub(crate) commands: &'static [&'static str],
    /// The part that it begins with, so that both of two cores have work; what it prints comes in its turn.
    pub(crate) beside: Option<&'static str>,
}

/// A part that runs in its turn.
const fn part(
    name: &'static str,
    about: &'static str,
    needs: &'static [Need],
    commands: &'static [&'static str],
) -> Part {
    Part { name, about, needs, commands, beside: None }
}

const PAGES: &[Need] = &[Need::Chromium, Need::Npm("."), Need::Npm("www")];

pub(crate) const PARTS: &[Part] = &[
    part("fmt", "the Rust is formatted", &[], &["cargo fmt --all -- --check"]),
    part("tidy", "the rules that no compiler checks", &[], &["cargo xtask tidy"]),
    part("spelling", "the words are spelt right", &[Need::Typos], &["typos"]),
    part("unused", "every dependency is used", &[Need::Machete], &["cargo-machete --skip-target-dir"]),
    part("native", "Rust tests and examples, and SQL behaviour, natively", &[], &["cargo test --workspace"]),
    part("clippy", "lints of what is built natively", &[], &["cargo clippy --workspace --all-targets -- -D warnings"]),
    part(
        "clippy-wasm",
        "lints of what is built for the browser only",
        &[],
        &[
            "cargo clippy --package kalamdb-wasm --package kalamdb-indexeddb --target wasm32-unknown-unknown --all-targets -- -D warnings",
        ],
    ),
    Part {
        // It links with one core, for minutes.
        beside: Some("native"),
        ..part("build", "the package, as it is shipped", crate::build::NEEDS, &["cargo xtask build"])
    },
    part(
        "wasm",
        "Rust tests on IndexedDB, in Chromium",
        &[Need::Chromium, Need::WasmBindgen],
        &["cargo test --package kalamdb-indexeddb --target wasm32-unknown-unknown"],
    ),
    part(
        "ts",
        "types, lints and unit tests of the TypeScript",
        PAGES,
        &["npm run --silent check:ts", "npm run --silent check:pages", "npm run --silent test:ts"],
    ),
    part(
        "slt",
        "SQL behaviour, through the package in Chromium",
        &[Need::Chromium, Need::Npm(".")],
        // The whole workspace is named, as for the native tests: another choice of packages gives dependencies other
        // features, and builds all of them again.
        &["cargo test --workspace --test browser"],
    ),
    Part {
        beside: Some("slt"),
        ..part(
            "differential",
            "random queries, compared with PostgreSQL's answers",
            &[Need::Npm(".")],
            &["cargo test --workspace --test differential"],
        )
    },
    Part {
        beside: Some("slt"),
        ..part("fuzz", "random input for parsers and decoders, for a minute", crate::fuzz::NEEDS, &["cargo xtask fuzz"])
    },
    part("browser", "the TypeScript API on IndexedDB, in Chromium", PAGES, &["npm run --silent test:browser"]),
    part("packaging", "the package in bundlers and a bare page", PAGES, &["npm run --silent test:packaging"]),
    part("e2e", "the demo's pages: reload, tabs, crashes", PAGES, &["npm run --silent test:e2e"]),
];
