//! The rules that no compiler checks.

use anyhow::{Context, Result};
use serde_json::Value;
use xshell::{Shell, cmd};

/// The longest source file, in lines.
const MAX_LINES: usize = 800;
/// The longest lines of text in documents and of comments in Rust, in columns; rustfmt holds the code itself.
const MAX_TEXT_COLUMNS: usize = 110;
const MAX_COMMENT_COLUMNS: usize = 120;
/// What only the crates that speak to the browser may depend on.
const BROWSER: &[&str] =
    &["wasm-bindgen", "wasm-bindgen-futures", "js-sys", "web-sys", "indexed_db_futures", "serde-wasm-bindgen"];
const BROWSER_CRATES: &[&str] = &["kalamdb-indexeddb", "kalamdb-wasm"];
/// The crates below the engine, which know no SQL.
const LOWER_CRATES: &[&str] = &["kalamdb-store", "kalamdb-types"];
/// Folders that say nothing about what is in them.
const VAGUE_FOLDERS: &[&str] = &["utils", "util", "helpers", "common", "misc"];
/// Where a path of one person's machine begins.
const MACHINE_PATHS: &[&str] = &["/home/", "/Users/", "/root/", "/work/"];

/// Everything that breaks a rule, one sentence each.
///
/// # Errors
/// If git or cargo cannot be asked, or a file cannot be read.
pub(crate) fn findings(sh: &Shell) -> Result<Vec<String>> {
    let mut findings = Vec::new();
    let metadata = cmd!(sh, "cargo metadata --format-version 1").quiet().ignore_stderr().read()?;
    let metadata = serde_json::from_str(&metadata).context("cargo metadata is not JSON")?;
    dependencies(&metadata, &mut findings);
    crate::licences::findings(&metadata, &mut findings);
    let tracked = cmd!(sh, "git ls-files --cached --others --exclude-standard").quiet().read()?;
    let paths: Vec<&str> = tracked.lines().collect();
    for path in paths.iter().copied() {
        folders(path, &mut findings);
        if let (true, Ok(text)) = (is_text(path), sh.read_file(path)) {
            file(path, &text, &mut findings);
            named_files(path, &text, &paths, &mut findings);
            widths(path, &text, &mut findings);
            crate::rooms::file(path, &text, &mut findings)?;
        }
    }
    crate::errors::findings(sh, &mut findings)?;
    crate::roles::findings(sh, &mut findings)?;
    let readme = sh.read_file("README.md")?;
    for command in ["npm start", "npm test"] {
        if !readme.contains(command) {
            findings.push(format!("README.md does not name `{command}`"));
        }
    }
    Ok(findings)
}

/// Checks the direct dependencies of the workspace's crates; those for tests are free.
fn dependencies(metadata: &Value, findings: &mut Vec<String>) {
    for package in metadata["packages"].as_array().into_iter().flatten() {
        let name = package["name"].as_str().unwrap_or_default();
        if !name.starts_with("kalamdb") {
            continue;
        }
        let normal =
            package["dependencies"].as_array().into_iter().flatten().filter(|dependency| dependency["kind"].is_null());
        for dependency in normal.filter_map(|dependency| dependency["name"].as_str()) {
            let browser = BROWSER.contains(&dependency) && !BROWSER_CRATES.contains(&name);
            let upwards = LOWER_CRATES.contains(&name)
                && (dependency.starts_with("datafusion") || dependency.starts_with("kalamdb"));
            if browser || upwards {
                findings.push(format!("{name} must not depend on {dependency}"));
            }
        }
    }
}

fn folders(path: &str, findings: &mut Vec<String>) {
    let mut folders: Vec<&str> = path.split('/').collect();
    folders.pop();
    if let Some(vague) = folders.iter().find(|folder| VAGUE_FOLDERS.contains(folder)) {
        findings.push(format!("{path}: a folder named {vague} says nothing about what is in it"));
    }
    if folders.first() == Some(&"pkg") {
        findings.push(format!("{path}: pkg/ is built and must not be tracked"));
    }
}

fn extension(path: &str) -> &str {
    path.rsplit_once('.').map_or("", |(_, extension)| extension)
}

fn is_source(path: &str) -> bool {
    matches!(extension(path), "rs" | "ts" | "tsx" | "mts" | "js" | "mjs" | "toml")
}

fn is_text(path: &str) -> bool {
    let lock = path.ends_with("package-lock.json") || path.ends_with("Cargo.lock");
    !lock
        && (is_source(path)
            || matches!(extension(path), "css" | "html" | "json" | "md" | "slt" | "sql" | "yml")
            || path == ".ci/run")
}

fn file(path: &str, text: &str, findings: &mut Vec<String>) {
    if is_source(path) && text.lines().count() > MAX_LINES {
        findings.push(format!("{path}: longer than {MAX_LINES} lines"));
    }
    for (number, line) in (1..).zip(text.lines()) {
        if is_source(path) && !line.is_ascii() {
            findings.push(format!("{path}:{number}: not ASCII; write an escape"));
        }
        // This file has to name them.
        if path != "xtask/src/tidy.rs" && MACHINE_PATHS.iter().any(|start| names_path(line, start)) {
            findings.push(format!("{path}:{number}: a path of one machine"));
        }
    }
}

/// Checks how wide text is. Tables, code and what has no space to break at may be wider.
fn widths(path: &str, text: &str, findings: &mut Vec<String>) {
    let mut is_code = false;
    for (number, line) in (1..).zip(text.lines()) {
        let limit = match extension(path) {
            "md" => {
                is_code ^= line.trim_start().starts_with("```");
                if is_code || line.starts_with("    ") || line.trim_start().starts_with(['|', '`', '<']) {
                    continue;
                }
                MAX_TEXT_COLUMNS
            }
            "rs" if line.trim_start().starts_with("//") => MAX_COMMENT_COLUMNS,
            _ => continue,
        };
        let last_word = line.rsplit(' ').next().map_or(0, |word| word.chars().count());
        let columns = line.chars().count();
        if columns > limit && last_word + 20 < limit {
            findings.push(format!("{path}:{number}: {columns} columns; text breaks at {limit}"));
        }
    }
}

/// Checks that the sources that a document names are there; it may leave out the folders before.
fn named_files(path: &str, text: &str, paths: &[&str], findings: &mut Vec<String>) {
    // The history names what is gone.
    if extension(path) != "md" || path == "CHANGELOG.md" {
        return;
    }
    let is_name = |name: &str| {
        matches!(extension(name), "rs" | "ts" | "mjs") && !name.contains(char::is_whitespace) && !name.contains('*')
    };
    for name in text.split('`').skip(1).step_by(2).filter(|name| is_name(name)) {
        let is_there =
            |path: &&str| path.strip_suffix(name).is_some_and(|before| before.is_empty() || before.ends_with('/'));
        if !paths.iter().any(is_there) {
            findings.push(format!("{path}: names {name}, which is not there"));
        }
    }
}

/// Whether a line names an absolute path that begins with `start`; within a longer path or URL it is not absolute.
fn names_path(line: &str, start: &str) -> bool {
    line.match_indices(start).any(|(at, _)| {
        let before = line.get(..at).and_then(|text| text.chars().next_back());
        !before.is_some_and(|c| c.is_ascii_alphanumeric() || matches!(c, '.' | '_' | '-' | '/' | '*' | '}'))
    })
}

#[cfg(test)]
mod tests {
    use serde_json::json;
    use xshell::Shell;

    use super::{dependencies, file, findings, folders, named_files, names_path, widths};

    #[test]
    fn the_tree_is_tidy() {
        let sh = Shell::new().unwrap();
        sh.change_dir(concat!(env!("CARGO_MANIFEST_DIR"), "/.."));
        assert_eq!(findings(&sh).unwrap(), Vec::<String>::new());
    }

    #[test]
    fn dependencies_point_one_way() {
        let package = |name: &str, dependency: &str, kind: Option<&str>| json!({ "name": name, "dependencies": [{ "name": dependency, "kind": kind }] });
        let metadata = json!({ "packages": [
            package("kalamdb-core", "web-sys", None),
            package("kalamdb-core", "js-sys", Some("dev")),
            package("kalamdb-wasm", "js-sys", None),
            package("kalamdb-types", "datafusion", None),
            package("kalamdb-store", "kalamdb-core", None),
        ] });
        let mut found = Vec::new();
        dependencies(&metadata, &mut found);
        let expected = [
            "kalamdb-core must not depend on web-sys",
            "kalamdb-types must not depend on datafusion",
            "kalamdb-store must not depend on kalamdb-core",
        ];
        assert_eq!(found, expected);
    }

    #[test]
    fn vague_folders_and_built_files_are_found() {
        let mut found = Vec::new();
        for path in ["ts/utils/a.ts", "pkg/index.js", "ts/common.ts", "crates/kalamdb-core/src/sql/parse.rs"] {
            folders(path, &mut found);
        }
        assert_eq!(found.len(), 2, "{found:?}");
    }

    #[test]
    fn sources_are_short_and_ascii() {
        let mut found = Vec::new();
        file("a.rs", &"x\n".repeat(801), &mut found);
        file("b.ts", "const arrow = '\u{2192}'", &mut found);
        file("c.md", "a \u{2192} b", &mut found);
        assert_eq!(found, ["a.rs: longer than 800 lines", "b.ts:1: not ASCII; write an escape"]);
    }

    #[test]
    fn text_breaks_but_tables_and_code_do_not() {
        let mut found = Vec::new();
        let long = "word ".repeat(30);
        widths("a.md", &format!("{long}\n| {long} |\n```\n{long}\n```\n    {long}\n"), &mut found);
        widths("a.rs", &format!("// {long}\nlet text = \"{long}\";\n"), &mut found);
        assert_eq!(found, ["a.md:1: 150 columns; text breaks at 110", "a.rs:1: 153 columns; text breaks at 120"]);
    }

    #[test]
    fn documents_name_files_that_are_there() {
        let mut found = Vec::new();
        let text = "See `sql/plan/scope.rs`, `scope.rs`, `plan/scope.rs`, `lan/scope.rs` and `gone.ts`; `a.rs b.rs` is no file.";
        named_files("ARCHITECTURE.md", text, &["crates/core/src/sql/plan/scope.rs"], &mut found);
        assert_eq!(
            found,
            [
                "ARCHITECTURE.md: names lan/scope.rs, which is not there",
                "ARCHITECTURE.md: names gone.ts, which is not there"
            ]
        );
    }

    #[test]
    fn a_path_within_a_url_is_no_path_of_a_machine() {
        assert!(names_path("see /home/me/project", "/home/"));
        assert!(names_path("'/work/project'", "/work/"));
        assert!(!names_path("https://example.org/home/page", "/home/"));
        assert!(!names_path("./work/", "/work/"));
    }
}
