//! Whose code may be a part of this, and where it may come from.

use serde_json::Value;
use spdx::Expression;

/// The licences that a dependency may have, one of its choices.
const ALLOWED: &[&str] = &["Apache-2.0", "MIT", "BSD-2-Clause", "CC0-1.0", "NCSA", "Unicode-3.0", "Zlib"];
/// Where dependencies come from.
const REGISTRY: &str = "registry+https://github.com/rust-lang/crates.io-index";

/// Checks the packages of `cargo metadata`; those without a source are our own.
pub(crate) fn findings(metadata: &Value, findings: &mut Vec<String>) {
    for package in metadata["packages"].as_array().into_iter().flatten() {
        let Some(source) = package["source"].as_str() else { continue };
        let name = package["name"].as_str().unwrap_or_default();
        if source != REGISTRY {
            findings.push(format!("{name} comes from {source}"));
        }
        let licence = package["license"].as_str().unwrap_or_default();
        // Older packages write a slash for OR.
        let is_allowed = Expression::parse(&licence.replace('/', " OR ")).is_ok_and(|expression| {
            expression.evaluate(|one| one.license.id().is_some_and(|id| ALLOWED.contains(&id.name)))
        });
        if !is_allowed {
            findings.push(format!("{name} has the licence {licence:?}, which is not in xtask/src/licences.rs"));
        }
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::{REGISTRY, findings};

    #[test]
    fn licences_and_sources_are_those_allowed() {
        let package = |name: &str, licence: Option<&str>, source: Option<&str>| json!({ "name": name, "license": licence, "source": source });
        let crates_io = Some(REGISTRY);
        let metadata = json!({ "packages": [
            package("ours", None, None),
            package("a", Some("MIT OR GPL-3.0-only"), crates_io),
            package("b", Some("Unlicense/MIT"), crates_io),
            package("c", Some("(MIT OR Apache-2.0) AND GPL-3.0-only"), crates_io),
            package("d", None, crates_io),
            package("e", Some("Apache-2.0"), Some("git+https://example.org/e")),
        ] });
        let mut found = Vec::new();
        findings(&metadata, &mut found);
        let expected = [
            "c has the licence \"(MIT OR Apache-2.0) AND GPL-3.0-only\", which is not in xtask/src/licences.rs",
            "d has the licence \"\", which is not in xtask/src/licences.rs",
            "e comes from git+https://example.org/e",
        ];
        assert_eq!(found, expected);
    }
}
