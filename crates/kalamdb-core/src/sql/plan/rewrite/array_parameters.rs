//! Arrays of JavaScript where SQL wants to look at their elements: `id = ANY($1)`, `id <> ALL($1)`, `unnest($1)`. A
//! parameter has no type of its own there: its elements are written as constants, which take the type of what they are
//! compared with.

use std::ops::ControlFlow;

use datafusion::arrow::array::AsArray;
use datafusion::arrow::datatypes::DataType as ArrowType;
use datafusion::sql::sqlparser::ast::{
    Array, BinaryOperator, CastKind, DataType, Expr, FunctionArg, FunctionArgExpr, FunctionArguments, Statement,
    TableFactor, Value, VisitMut, VisitorMut,
};
use serde_json::Value as Json;

use super::operators::quantify_like;
use crate::error::{Error, ErrorKind, Result};
use crate::sql::parse::Parameters;

/// Writes the elements of the parameters that are arrays where they are asked for.
///
/// # Errors
/// `datatype_mismatch` for a value that is no array.
pub(crate) fn expand(statement: &mut Statement, parameters: &Parameters) -> Result<()> {
    if parameters.is_empty() {
        return Ok(());
    }
    match statement.visit(&mut Expander { parameters }) {
        ControlFlow::Break(error) => Err(error),
        ControlFlow::Continue(()) => Ok(()),
    }
}

struct Expander<'a> {
    parameters: &'a Parameters,
}

/// What a parameter holds.
enum Elements {
    Null,
    Of(Vec<Expr>),
}

impl VisitorMut for Expander<'_> {
    type Break = Error;

    fn pre_visit_expr(&mut self, expr: &mut Expr) -> ControlFlow<Error> {
        quantify_like(expr);
        let outcome = match expr {
            Expr::AnyOp { left, compare_op, right, .. } => self.compared(left, compare_op, right, false),
            Expr::AllOp { left, compare_op, right } => self.compared(left, compare_op, right, true),
            Expr::Function(function) if function.name.to_string().eq_ignore_ascii_case("unnest") => {
                if let FunctionArguments::List(list) = &mut function.args {
                    for arg in &mut list.args {
                        if let FunctionArg::Unnamed(FunctionArgExpr::Expr(array)) = arg
                            && let Err(error) = self.array(array)
                        {
                            return ControlFlow::Break(error);
                        }
                    }
                }
                Ok(None)
            }
            _ => Ok(None),
        };
        match outcome {
            Ok(Some(comparison)) => *expr = comparison,
            Ok(None) => {}
            Err(error) => return ControlFlow::Break(error),
        }
        ControlFlow::Continue(())
    }

    fn pre_visit_table_factor(&mut self, factor: &mut TableFactor) -> ControlFlow<Error> {
        if let TableFactor::UNNEST { array_exprs, .. } = factor {
            for array in array_exprs {
                if let Err(error) = self.array(array) {
                    return ControlFlow::Break(error);
                }
            }
        }
        ControlFlow::Continue(())
    }
}

impl Expander<'_> {
    /// `left op ANY ($1)` or `left op ALL ($1)`; `None` if it is of something else than a parameter without a cast.
    fn compared(&self, left: &Expr, op: &BinaryOperator, right: &Expr, all: bool) -> Result<Option<Expr>> {
        let Some(elements) = self.elements(right)? else { return Ok(None) };
        let Elements::Of(list) = elements else {
            return Ok(Some(cast(Expr::Value(Value::Null.into()), DataType::Boolean)));
        };
        let expr = Box::new(left.clone());
        Ok(Some(match (op, all) {
            (BinaryOperator::Eq, false) => Expr::InList { expr, list, negated: false },
            (BinaryOperator::NotEq, true) => Expr::InList { expr, list, negated: true },
            _ => {
                let comparisons = list
                    .into_iter()
                    .map(|element| Expr::BinaryOp { left: expr.clone(), op: op.clone(), right: Box::new(element) })
                    .map(|comparison| Expr::Nested(Box::new(comparison)))
                    .collect();
                let joined = joined(comparisons, if all { BinaryOperator::And } else { BinaryOperator::Or });
                joined.map_or_else(|| Expr::Value(Value::Boolean(all).into()), |joined| Expr::Nested(Box::new(joined)))
            }
        }))
    }

    fn array(&self, array: &mut Expr) -> Result<()> {
        match self.elements(array)? {
            None | Some(Elements::Null) => {}
            Some(Elements::Of(elem)) => {
                let is_empty =
                    elem.iter().all(|element| matches!(element, Expr::Value(value) if value.value == Value::Null));
                *array = Expr::Array(Array { elem, named: true });
                if is_empty {
                    let empty = std::mem::replace(array, Expr::Value(Value::Null.into()));
                    *array = cast(
                        empty,
                        DataType::Array(datafusion::sql::sqlparser::ast::ArrayElemTypeDef::SquareBracket(
                            Box::new(DataType::Text),
                            None,
                        )),
                    );
                }
            }
        }
        Ok(())
    }

    fn elements(&self, expr: &Expr) -> Result<Option<Elements>> {
        let expr = match expr {
            Expr::Nested(inner) => inner,
            other => other,
        };
        let Expr::Value(value) = expr else { return Ok(None) };
        let Value::Placeholder(name) = &value.value else { return Ok(None) };
        let Some((array, field)) = self.parameters.by_placeholder(name) else { return Ok(None) };
        if array.is_null(0) || *array.data_type() == ArrowType::Null {
            return Ok(Some(Elements::Null));
        }
        let text = match array.data_type() {
            ArrowType::Utf8 => array.as_string::<i32>().value(0),
            _ => "",
        };
        if field.metadata().is_empty() && text.trim_start().starts_with('{') {
            return Ok(None);
        }
        match serde_json::from_str::<Json>(text) {
            Ok(Json::Array(elements)) => Ok(Some(Elements::Of(elements.into_iter().map(constant).collect()))),
            _ => Err(Error::new(ErrorKind::DatatypeMismatch, format!("parameter {name} is no array"))
                .with_hint("ANY, ALL and unnest take arrays")),
        }
    }
}

fn cast(expr: Expr, data_type: DataType) -> Expr {
    Expr::Cast { kind: CastKind::Cast, expr: Box::new(expr), data_type, array: false, format: None }
}

fn constant(element: Json) -> Expr {
    let value = match element {
        Json::Null => Value::Null,
        Json::Bool(value) => Value::Boolean(value),
        Json::Number(number) => {
            let text = number.to_string();
            return match text.strip_prefix('-') {
                Some(digits) => Expr::UnaryOp {
                    op: datafusion::sql::sqlparser::ast::UnaryOperator::Minus,
                    expr: Box::new(Expr::Value(Value::Number(digits.to_owned(), false).into())),
                },
                None => Expr::Value(Value::Number(text, false).into()),
            };
        }
        Json::String(text) => Value::SingleQuotedString(text),
        nested @ (Json::Array(_) | Json::Object(_)) => Value::SingleQuotedString(nested.to_string()),
    };
    Expr::Value(value.into())
}

/// All joined by one operator, as a tree that is not deep.
fn joined(mut exprs: Vec<Expr>, op: BinaryOperator) -> Option<Expr> {
    if exprs.len() <= 1 {
        return exprs.pop();
    }
    let right = exprs.split_off(exprs.len() / 2);
    let (left, right) = (joined(exprs, op.clone())?, joined(right, op.clone())?);
    Some(Expr::BinaryOp { left: Box::new(left), op, right: Box::new(right) })
}
