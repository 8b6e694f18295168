//! The order of rooms in the engine and in the package's TypeScript: a room may use those before it.

use anyhow::{Context, Result};
use syn::visit::Visit;
use syn::{Item, ItemUse, Path, UseTree};

/// Where the rooms of the engine are.
const CORE: &str = "crates/kalamdb-core/src/";
/// The rooms of the engine. Those of one line may not use each other; a room within one that is listed is a part of
/// that.
const CORE_ROOMS: &[&[&str]] = &[
    &["clock", "retry"],
    &["error"],
    &["access", "call"],
    &["catalog", "functions"],
    &["result", "rows", "sql::parse", "sql::physical"],
    &["message", "segment"],
    &["partition"],
    &["change", "feed", "tables"],
    &["database", "sql::analyzer"],
    &["database::maintenance", "sql::plan::rewrite", "sql::subqueries", "sql::system", "write"],
    &["sql::optimizer"],
    &["sql::plan"],
    &["sql::dml", "sql::show"],
    &["sql::ddl"],
    &["sql::execute"],
    &["session"],
];

/// Where the rooms of the package are.
const TS: &str = "ts/";
const TS_ROOMS: &[&[&str]] =
    &[&["errors"], &["wire"], &["protocol"], &["engine"], &["worker", "transport"], &["client"], &["api"]];

/// Checks one source file.
///
/// # Errors
/// If a Rust file cannot be parsed.
pub(crate) fn file(path: &str, text: &str, findings: &mut Vec<String>) -> Result<()> {
    if let Some(module) = path.strip_prefix(CORE).and_then(|path| path.strip_suffix(".rs")) {
        rust(path, module, text, findings)?;
    }
    if let Some(within) = path.strip_prefix(TS).filter(|within| within.ends_with(".ts") && !within.starts_with("test/"))
    {
        typescript(path, within, text, findings);
    }
    Ok(())
}

fn rust(path: &str, module: &str, text: &str, findings: &mut Vec<String>) -> Result<()> {
    let parsed = syn::parse_file(text).with_context(|| format!("{path} is not Rust"))?;
    if !text.starts_with("//!") {
        findings.push(format!("{path}: begins with no `//!` that says what it is for"));
    }
    if path.ends_with("/mod.rs") && parsed.items.iter().any(|item| !matches!(item, Item::Mod(_) | Item::Use(_))) {
        findings.push(format!("{path}: holds more than modules and what the room offers"));
    }
    let mut names: Vec<String> = module.split('/').map(str::to_owned).collect();
    names.retain(|name| name != "mod" && name != "lib");
    let Some(own) = room_of(CORE_ROOMS, &names) else { return Ok(()) };
    let mut imports = Imports { module: names, found: Vec::new() };
    imports.visit_file(&parsed);
    for import in imports.found {
        check(path, CORE_ROOMS, own, &import, findings);
    }
    Ok(())
}

/// The paths within the crate that a file names.
struct Imports {
    module: Vec<String>,
    found: Vec<Vec<String>>,
}

impl Imports {
    fn add(&mut self, names: &[String]) {
        let (first, rest) = match names.split_first() {
            Some((first, rest)) => (first.as_str(), rest),
            None => return,
        };
        match first {
            "crate" => self.found.push(rest.to_vec()),
            "super" => {
                let above = names.iter().take_while(|name| *name == "super").count();
                let kept = self.module.len().saturating_sub(above);
                self.found.push(self.module.iter().take(kept).chain(names.iter().skip(above)).cloned().collect());
            }
            _ => {}
        }
    }

    fn tree(&mut self, tree: &UseTree, before: &[String]) {
        match tree {
            UseTree::Path(path) => self.tree(&path.tree, &[before, &[path.ident.to_string()]].concat()),
            UseTree::Name(name) => self.add(&[before, &[name.ident.to_string()]].concat()),
            UseTree::Rename(name) => self.add(&[before, &[name.ident.to_string()]].concat()),
            UseTree::Glob(_) => self.add(before),
            UseTree::Group(group) => group.items.iter().for_each(|tree| self.tree(tree, before)),
        }
    }
}

impl Visit<'_> for Imports {
    // A module within a file, such as its tests, has another `super`.
    fn visit_item_mod(&mut self, _: &syn::ItemMod) {}

    fn visit_item_use(&mut self, item: &ItemUse) {
        self.tree(&item.tree, &[]);
    }

    fn visit_path(&mut self, path: &Path) {
        self.add(&path.segments.iter().map(|segment| segment.ident.to_string()).collect::<Vec<_>>());
        syn::visit::visit_path(self, path);
    }
}

fn typescript(path: &str, within: &str, text: &str, findings: &mut Vec<String>) {
    let names = |path: &str| path.split('/').map(str::to_owned).collect::<Vec<_>>();
    let Some(own) = room_of(TS_ROOMS, &names(within)) else { return };
    let imports = text.split(['\'', '"']).skip(1).step_by(2).filter_map(|text| text.strip_prefix("../"));
    for import in imports {
        check(path, TS_ROOMS, own, &names(import), findings);
    }
}

/// The room that a module is in, with its line in the order.
fn room_of<'a>(rooms: &[&[&'a str]], names: &[String]) -> Option<(usize, &'a str)> {
    (1..=names.len()).rev().find_map(|n| {
        let name = names.iter().take(n).map(String::as_str).collect::<Vec<_>>().join("::");
        rooms
            .iter()
            .enumerate()
            .find_map(|(line, rooms)| rooms.iter().find(|room| **room == name).map(|room| (line, *room)))
    })
}

fn check(path: &str, rooms: &[&[&str]], own: (usize, &str), import: &[String], findings: &mut Vec<String>) {
    let Some(other) = room_of(rooms, import) else { return };
    if other.1 != own.1 && other.0 >= own.0 {
        findings.push(format!("{path}: {} comes before {} and must not use it", own.1, other.1));
    }
}

#[cfg(test)]
mod tests {
    use super::file;

    fn found(path: &str, text: &str) -> Vec<String> {
        let mut findings = Vec::new();
        file(path, text, &mut findings).unwrap();
        findings
    }

    #[test]
    fn a_room_may_use_those_before_it_and_itself() {
        let text = "//! Scans.\nuse super::shared::Shared;\nuse crate::{error::Result, rows::{Keys, Rows}};\nfn f() -> crate::catalog::Table {}\n";
        assert_eq!(found("crates/kalamdb-core/src/tables/scan.rs", text), Vec::<String>::new());
    }

    #[test]
    fn a_room_may_not_use_those_after_it() {
        let text = "//! Scans.\nuse crate::{error::Result, sql::plan::{Scope, rewrite::Stars}};\nfn f() { super::super::database::open() }\n";
        assert_eq!(
            found("crates/kalamdb-core/src/tables/scan.rs", text),
            [
                "crates/kalamdb-core/src/tables/scan.rs: tables comes before sql::plan and must not use it",
                "crates/kalamdb-core/src/tables/scan.rs: tables comes before sql::plan::rewrite and must not use it",
                "crates/kalamdb-core/src/tables/scan.rs: tables comes before database and must not use it",
            ]
        );
    }

    #[test]
    fn a_room_is_described_and_holds_no_logic_in_its_mod() {
        let text = "mod scan;\npub(crate) use scan::Scan;\nfn scan() {}\n";
        assert_eq!(
            found("crates/kalamdb-core/src/tables/mod.rs", text),
            [
                "crates/kalamdb-core/src/tables/mod.rs: begins with no `//!` that says what it is for",
                "crates/kalamdb-core/src/tables/mod.rs: holds more than modules and what the room offers",
            ]
        );
    }

    #[test]
    fn rooms_of_typescript_are_in_order_as_well() {
        assert_eq!(
            found("ts/client/a.ts", "import { b } from '../transport/b.js';\nimport { c } from './c.js';\n"),
            Vec::<String>::new()
        );
        let expected = ["ts/wire/a.ts: wire comes before api and must not use it"];
        assert_eq!(found("ts/wire/a.ts", "import type { B } from '../api/b.js';\n"), expected);
    }
}
