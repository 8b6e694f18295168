//! The order of the module's functions: what is alike stands together, so that the module compresses better.

use std::convert::Infallible;
use std::fs;
use std::path::Path;

use anyhow::{Context, Result};
use wasm_encoder::reencode::{Error, Reencode};
use wasm_encoder::{CodeSection, FunctionSection, Module};
use wasmparser::{
    CodeSectionReader, CustomSectionReader, FunctionSectionReader, KnownCustom, Name, Parser, Payload, TypeRef,
};

/// Puts the functions of a module in order, and leaves out custom sections, such as their names.
///
/// They come sorted by their size, so that the copies of a generic function are often farther apart than compressors
/// look back.
///
/// # Errors
/// If the file cannot be read or written, or is no module.
pub(crate) fn order(module: &Path) -> Result<()> {
    let bytes = fs::read(module)?;
    let functions = Functions::of(&bytes)?;
    let mut old: Vec<usize> = (0..functions.sizes.len()).collect();
    old.sort_by_cached_key(|&at| functions.key(at));
    let mut new = vec![0; old.len()];
    for (at, &old) in old.iter().enumerate() {
        *new.get_mut(old).context("an index is outside the module")? = u32::try_from(at)?;
    }
    let mut ordered = Module::new();
    Order { n_imported: functions.n_imported, old, new }.parse_core_module(&mut ordered, Parser::new(0), &bytes)?;
    fs::write(module, ordered.finish())?;
    Ok(())
}

/// What is known of the functions that a module defines.
#[derive(Default)]
struct Functions {
    n_imported: u32,
    types: Vec<u32>,
    sizes: Vec<usize>,
    names: Vec<String>,
}

impl Functions {
    fn of(module: &[u8]) -> Result<Self> {
        let mut found = Self::default();
        for payload in Parser::new(0).parse_all(module) {
            match payload? {
                Payload::ImportSection(imports) => {
                    for import in imports.into_imports() {
                        found.n_imported += u32::from(matches!(import?.ty, TypeRef::Func(_)));
                    }
                }
                Payload::FunctionSection(types) => {
                    found.types = types.into_iter().collect::<Result<_, _>>()?;
                    found.names = vec![String::new(); found.types.len()];
                }
                Payload::CodeSectionEntry(body) => found.sizes.push(body.range().len()),
                Payload::CustomSection(section) => found.read_names(&section)?,
                _ => {}
            }
        }
        Ok(found)
    }

    fn read_names(&mut self, section: &CustomSectionReader<'_>) -> Result<()> {
        let KnownCustom::Name(sections) = section.as_known() else { return Ok(()) };
        for section in sections {
            let Name::Function(names) = section? else { continue };
            for name in names {
                let name = name?;
                let defined = name.index.checked_sub(self.n_imported).and_then(|at| self.names.get_mut(at as usize));
                if let Some(slot) = defined {
                    *slot = like(name.name).to_owned();
                }
            }
        }
        Ok(())
    }

    /// Functions with near keys are alike.
    fn key(&self, at: usize) -> (&str, Option<u32>, Option<usize>) {
        let name = self.names.get(at).map_or("", String::as_str);
        (name, self.types.get(at).copied(), self.sizes.get(at).copied())
    }
}

/// The part of a name that functions have in common which are alike: without the hash, and without the type that a
/// trait is implemented for.
fn like(name: &str) -> &str {
    let name = match name.rfind("::h") {
        Some(hash) if name.len() - hash == "::h0123456789abcdef".len() => &name[..hash],
        _ => name,
    };
    match name.find(" as ") {
        Some(of_trait) if name.starts_with('<') => &name[of_trait..],
        _ => name,
    }
}

/// Writes the functions of a module in another order.
struct Order {
    n_imported: u32,
    /// Where each function was, and where each one is now.
    old: Vec<usize>,
    new: Vec<u32>,
}

type Reencoded<T> = Result<T, Error<Infallible>>;

impl Reencode for Order {
    type Error = Infallible;

    fn function_index(&mut self, function: u32) -> Reencoded<u32> {
        let defined = function.checked_sub(self.n_imported).and_then(|at| self.new.get(at as usize));
        Ok(defined.map_or(function, |new| self.n_imported + new))
    }

    fn parse_function_section(
        &mut self,
        out: &mut FunctionSection,
        section: FunctionSectionReader<'_>,
    ) -> Reencoded<()> {
        let types: Vec<u32> = section.into_iter().collect::<Result<_, _>>()?;
        for kind in self.old.iter().filter_map(|&old| types.get(old)) {
            out.function(*kind);
        }
        Ok(())
    }

    fn parse_code_section(&mut self, out: &mut CodeSection, section: CodeSectionReader<'_>) -> Reencoded<()> {
        let bodies: Vec<_> = section.into_iter().collect::<Result<_, _>>()?;
        for at in 0..self.old.len() {
            let body = self.old.get(at).and_then(|&old| bodies.get(old));
            if let Some(body) = body {
                self.parse_function_body(out, body.clone())?;
            }
        }
        Ok(())
    }

    fn parse_custom_section(&mut self, _: &mut Module, _: CustomSectionReader<'_>) -> Reencoded<()> {
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use wasm_encoder::{
        CodeSection, ConstExpr, ElementSection, Elements, ExportKind, ExportSection, Function, FunctionSection, Module,
        NameMap, NameSection, RefType, TableSection, TableType, TypeSection,
    };
    use wasmparser::{Operator, Parser, Payload};

    use super::{like, order};

    #[test]
    fn what_differs_between_copies_is_left_out() {
        assert_eq!(like("core::slice::sort::merge::h0123456789abcdef"), "core::slice::sort::merge");
        assert_eq!(like("<a::B<C as D> as e::F>::g::h0123456789abcdef"), " as D> as e::F>::g");
        assert_eq!(like("memcpy"), "memcpy");
    }

    /// Three functions `b`, `c`, `a` that give 1, 2, 3, and a table with all of them. `c` calls `b`.
    fn module() -> Vec<u8> {
        let mut module = Module::new();
        let mut types = TypeSection::new();
        types.ty().function([], [wasm_encoder::ValType::I32]);
        module.section(&types);
        let mut functions = FunctionSection::new();
        for _ in 0..3 {
            functions.function(0);
        }
        module.section(&functions);
        let mut tables = TableSection::new();
        let kind =
            TableType { element_type: RefType::FUNCREF, table64: false, minimum: 3, maximum: None, shared: false };
        tables.table(kind);
        module.section(&tables);
        let mut exports = ExportSection::new();
        exports.export("a", ExportKind::Func, 2);
        module.section(&exports);
        let mut elements = ElementSection::new();
        elements.active(None, &ConstExpr::i32_const(0), Elements::Functions(vec![0, 1, 2].into()));
        module.section(&elements);
        let mut code = CodeSection::new();
        for value in 1..=3 {
            let mut body = Function::new([]);
            if value == 2 {
                body.instructions().call(0).drop();
            }
            body.instructions().i32_const(value).end();
            code.function(&body);
        }
        module.section(&code);
        let mut names = NameMap::new();
        ["b", "c", "a"].iter().zip(0..).for_each(|(name, at)| names.append(at, name));
        let mut section = NameSection::new();
        section.functions(&names);
        module.section(&section);
        module.finish()
    }

    #[test]
    fn calls_exports_and_tables_find_their_functions_again() {
        let file = std::env::temp_dir().join(format!("order-{}.wasm", std::process::id()));
        std::fs::write(&file, module()).unwrap();
        order(&file).unwrap();
        let ordered = std::fs::read(&file).unwrap();
        std::fs::remove_file(&file).unwrap();
        let (mut values, mut called, mut exported, mut in_table) = (vec![], vec![], vec![], vec![]);
        for payload in Parser::new(0).parse_all(&ordered) {
            match payload.unwrap() {
                Payload::ExportSection(exports) => exported.extend(exports.into_iter().map(|e| e.unwrap().index)),
                Payload::ElementSection(elements) => {
                    for element in elements {
                        let wasmparser::ElementItems::Functions(items) = element.unwrap().items else { continue };
                        in_table.extend(items.into_iter().map(Result::unwrap));
                    }
                }
                Payload::CodeSectionEntry(body) => {
                    for operator in body.get_operators_reader().unwrap() {
                        match operator.unwrap() {
                            Operator::I32Const { value } => values.push(value),
                            Operator::Call { function_index } => called.push((values.len(), function_index)),
                            _ => {}
                        }
                    }
                }
                Payload::CustomSection(section) => panic!("the section {} is left", section.name()),
                _ => {}
            }
        }
        assert_eq!(values, [3, 1, 2], "a, b, c");
        assert_eq!(called, [(2, 1)], "c calls b");
        assert_eq!(exported, [0]);
        assert_eq!(in_table, [1, 2, 0]);
    }
}
