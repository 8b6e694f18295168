//! The operators of JSON, planned as calls of functions.

use std::sync::Arc;

use datafusion::arrow::datatypes::DataType;
use datafusion::common::{DFSchema, Result as DataFusionResult, ScalarValue};
use datafusion::logical_expr::planner::{ExprPlanner, PlannerResult, RawBinaryExpr, RawFieldAccessExpr};
use datafusion::logical_expr::{Expr, ExprSchemable, GetFieldAccess, ScalarUDF, lit};
use datafusion::sql::sqlparser::ast::BinaryOperator;
use kalamdb_types::SqlType;

use super::{access, change, inspect, path};
use crate::error::{Error, ErrorKind, into_datafusion};
use crate::functions::is_text;

/// Plans `->`, `->>`, `#>`, `#>>`, `?`, `?|`, `?&`, `@>`, `<@`, `||`, `-`, `#-` and `json['key']` over JSON, which is
/// text.
#[derive(Debug)]
pub(crate) struct Operators {
    get: Arc<ScalarUDF>,
    as_text: Arc<ScalarUDF>,
    extract_path: Arc<ScalarUDF>,
    extract_path_text: Arc<ScalarUDF>,
    exists: Arc<ScalarUDF>,
    exists_any: Arc<ScalarUDF>,
    exists_all: Arc<ScalarUDF>,
    contains: Arc<ScalarUDF>,
    concat: Arc<ScalarUDF>,
    delete: Arc<ScalarUDF>,
    delete_path: Arc<ScalarUDF>,
}

impl ExprPlanner for Operators {
    fn plan_binary_op(&self, expr: RawBinaryExpr, schema: &DFSchema) -> DataFusionResult<PlannerResult<RawBinaryExpr>> {
        use BinaryOperator as B;
        let is_json =
            |operand: &Expr| Ok::<_, datafusion::common::DataFusionError>(is_text(&type_of(operand, schema)?));
        let function = match &expr.op {
            B::Arrow => &self.get,
            B::LongArrow => &self.as_text,
            B::HashArrow => &self.extract_path,
            B::HashLongArrow => &self.extract_path_text,
            B::Question => &self.exists,
            B::QuestionPipe => &self.exists_any,
            B::QuestionAnd => &self.exists_all,
            // Arrays have these operators too, which DataFusion plans.
            B::StringConcat if is_joined(&expr, schema)? => &self.concat,
            B::Minus if is_marked(&expr.left, schema)? => &self.delete,
            B::HashMinus => &self.delete_path,
            B::AtArrow | B::ArrowAt if is_json(&expr.left)? && is_json(&expr.right)? => &self.contains,
            _ => return Ok(PlannerResult::Original(expr)),
        };
        if !is_json(&expr.left)? {
            let message = format!("operator {} does not exist for {}", expr.op, type_of(&expr.left, schema)?);
            let error = Error::new(ErrorKind::UndefinedFunction, message).with_hint("its left operand is JSON");
            return Err(into_datafusion(error));
        }
        let args = match &expr.op {
            B::Arrow | B::LongArrow => self.with_step(expr.left, expr.right),
            B::HashArrow | B::HashLongArrow => with_path(expr.left, expr.right)?,
            B::HashMinus => with_list(expr.left, expr.right)?,
            B::ArrowAt => vec![expr.right, expr.left],
            _ => vec![expr.left, expr.right],
        };
        Ok(PlannerResult::Planned(function.call(args)))
    }

    fn plan_field_access(
        &self,
        access: RawFieldAccessExpr,
        schema: &DFSchema,
    ) -> DataFusionResult<PlannerResult<RawFieldAccessExpr>> {
        if !is_text(&type_of(&access.expr, schema)?) {
            return Ok(PlannerResult::Original(access));
        }
        let step = match access.field_access {
            GetFieldAccess::NamedStructField { name } => Expr::Literal(name, None),
            GetFieldAccess::ListIndex { key } => *key,
            field_access @ GetFieldAccess::ListRange { .. } => {
                return Ok(PlannerResult::Original(RawFieldAccessExpr { field_access, expr: access.expr }));
            }
        };
        Ok(PlannerResult::Planned(self.get.call(self.with_step(access.expr, step))))
    }
}

impl Operators {
    pub(in super::super) fn new() -> Self {
        Self {
            get: access::get(),
            as_text: access::as_text(),
            extract_path: access::extract_path(),
            extract_path_text: access::extract_path_text(),
            exists: inspect::exists(),
            exists_any: inspect::exists_any(),
            exists_all: inspect::exists_all(),
            contains: inspect::contains(),
            concat: change::concat(),
            delete: change::delete(),
            delete_path: change::delete_path(),
        }
    }

    /// The functions that the operators stand for, which also have names.
    pub(super) fn functions(&self) -> Vec<Arc<ScalarUDF>> {
        let Self {
            get,
            as_text,
            extract_path,
            extract_path_text,
            exists,
            exists_any,
            exists_all,
            contains,
            concat,
            delete,
            delete_path,
        } = self;
        [
            get,
            as_text,
            extract_path,
            extract_path_text,
            exists,
            exists_any,
            exists_all,
            contains,
            concat,
            delete,
            delete_path,
        ]
        .map(Arc::clone)
        .to_vec()
    }

    /// `json -> a -> b` is one call with two steps.
    fn with_step(&self, json: Expr, step: Expr) -> Vec<Expr> {
        match json {
            Expr::ScalarFunction(mut inner) if inner.func == self.get => {
                inner.args.push(step);
                inner.args
            }
            json => vec![json, step],
        }
    }
}

/// Whether an expression is JSON, and not only text that may be JSON.
fn is_marked(expr: &Expr, schema: &DFSchema) -> DataFusionResult<bool> {
    // A cast to text carries the mark along.
    if matches!(expr, Expr::Placeholder(_) | Expr::Cast(_) | Expr::TryCast(_)) {
        return Ok(false);
    }
    if SqlType::of_field(&expr.to_field(schema)?.1) == Some(SqlType::Json) {
        return Ok(true);
    }
    // What chooses one of several values has the type of those, whose mark it does not carry.
    let any = |exprs: Vec<&Expr>| {
        exprs.into_iter().try_fold(false, |found, expr| {
            Ok::<_, datafusion::common::DataFusionError>(found || is_marked(expr, schema)?)
        })
    };
    match expr {
        Expr::ScalarFunction(call) if matches!(call.func.name(), "coalesce" | "greatest" | "least" | "nvl") => {
            any(call.args.iter().collect())
        }
        Expr::ScalarFunction(call) if call.func.name() == "nullif" => any(call.args.iter().take(1).collect()),
        Expr::Case(case) => {
            any(case.when_then_expr.iter().map(|(_, then)| then.as_ref()).chain(case.else_expr.as_deref()).collect())
        }
        _ => Ok(false),
    }
}

/// Whether `||` joins JSON: one side is, and the other is too or may be.
fn is_joined(expr: &RawBinaryExpr, schema: &DFSchema) -> DataFusionResult<bool> {
    let (left, right) = (is_marked(&expr.left, schema)?, is_marked(&expr.right, schema)?);
    let is_open = |expr: &Expr| match expr {
        Expr::Placeholder(_) => true,
        Expr::Literal(value, _) => value.try_as_str().flatten().is_none_or(|text| path::check(text).is_ok()),
        _ => false,
    };
    Ok(left && (right || is_open(&expr.right)) || right && is_open(&expr.left))
}

/// A list of texts, or a literal `{a,0}`.
fn with_list(json: Expr, path: Expr) -> DataFusionResult<Vec<Expr>> {
    let Expr::Literal(
        ScalarValue::Utf8(Some(text)) | ScalarValue::Utf8View(Some(text)) | ScalarValue::LargeUtf8(Some(text)),
        _,
    ) = &path
    else {
        return Ok(vec![json, path]);
    };
    let steps: Vec<ScalarValue> = access::path_of_text(text)
        .map_err(into_datafusion)?
        .into_iter()
        .map(|step| ScalarValue::Utf8View(Some(step)))
        .collect();
    let list = ScalarValue::new_list_nullable(&steps, &DataType::Utf8View);
    Ok(vec![json, Expr::Literal(ScalarValue::List(list), None)])
}

/// A parameter has no type before it is bound, and is taken for what the operator needs.
fn type_of(expr: &Expr, schema: &DFSchema) -> DataFusionResult<DataType> {
    match expr {
        Expr::Placeholder(_) => Ok(DataType::Null),
        expr => expr.get_type(schema),
    }
}

/// A path is an array of texts, or a literal `{a,0}`.
fn with_path(json: Expr, path: Expr) -> DataFusionResult<Vec<Expr>> {
    let text = match &path {
        Expr::Literal(
            ScalarValue::Utf8(Some(text)) | ScalarValue::Utf8View(Some(text)) | ScalarValue::LargeUtf8(Some(text)),
            _,
        ) => text,
        _ => return Ok(vec![json, path]),
    };
    let steps = access::path_of_text(text).map_err(into_datafusion)?;
    Ok(std::iter::once(json).chain(steps.into_iter().map(lit)).collect())
}
