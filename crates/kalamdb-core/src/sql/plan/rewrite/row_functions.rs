//! Functions in FROM whose rows are the elements of arrays: each column is what `unnest` makes of one.

use datafusion::sql::sqlparser::ast::{
    CastKind, DataType, Expr, Function, FunctionArg, FunctionArgExpr, FunctionArguments, Ident, SelectItem,
};

use crate::functions::json::parts::{ELEMENT_TEXTS, ELEMENTS, NAMES, VALUE_TEXTS, VALUES};
use crate::sql::parse::call;

/// One column of such a function.
pub(super) struct Part {
    /// The function that gives the array.
    array: &'static str,
    is_json: bool,
    /// The name of the column, if it is not that of the function.
    pub(super) column: Option<&'static str>,
}

const fn part(array: &'static str, is_json: bool, column: &'static str) -> Part {
    Part { array, is_json, column: Some(column) }
}

/// The columns of a function.
pub(super) fn parts(name: &str) -> Option<&'static [Part]> {
    const KEY: Part = part(NAMES, false, "key");
    Some(match name {
        "jsonb_array_elements" | "json_array_elements" => const { &[part(ELEMENTS, true, "value")] },
        "jsonb_array_elements_text" | "json_array_elements_text" => const { &[part(ELEMENT_TEXTS, false, "value")] },
        "jsonb_each" | "json_each" => const { &[KEY, part(VALUES, true, "value")] },
        "jsonb_each_text" | "json_each_text" => const { &[KEY, part(VALUE_TEXTS, false, "value")] },
        "jsonb_object_keys" | "json_object_keys" => const { &[Part { array: NAMES, is_json: false, column: None }] },
        "string_to_table" => const { &[Part { array: "string_to_array", is_json: false, column: None }] },
        "regexp_split_to_table" => const { &[Part { array: "regexp_split_to_array", is_json: false, column: None }] },
        _ => return None,
    })
}

impl Part {
    /// The item of a SELECT that gives the rows; `of` is the call of the function in FROM.
    pub(super) fn item(&self, of: &Expr) -> SelectItem {
        let rows = call(Ident::new("unnest"), vec![call(Ident::new(self.array), arguments(of))]);
        let expr = if self.is_json {
            let data_type = DataType::JSONB;
            Expr::Cast { kind: CastKind::Cast, expr: Box::new(rows), data_type, array: false, format: None }
        } else {
            rows
        };
        match self.column {
            Some(column) => SelectItem::ExprWithAlias { expr, alias: Ident::new(column) },
            None => SelectItem::UnnamedExpr(expr),
        }
    }
}

/// Whether an expression is what [`Part::item`] makes of the only column of a function that has a name of its own.
pub(super) fn is_value_of_function(expr: &Expr) -> bool {
    match expr {
        Expr::Cast { expr, .. } => is_value_of_function(expr),
        call => matches!(arguments(call).as_slice(), [Expr::Function(function)] if {
            let name = function.name.to_string();
            name == ELEMENTS || name == ELEMENT_TEXTS
        }),
    }
}

fn arguments(of: &Expr) -> Vec<Expr> {
    let Expr::Function(Function { args: FunctionArguments::List(list), .. }) = of else { return Vec::new() };
    let expr = |arg: &FunctionArg| match arg {
        FunctionArg::Unnamed(FunctionArgExpr::Expr(expr)) => Some(expr.clone()),
        _ => None,
    };
    list.args.iter().filter_map(expr).collect()
}
