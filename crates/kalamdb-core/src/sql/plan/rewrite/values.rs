//! The types of VALUES: a constant text or NULL has the type of the other values of its column, and a column of JSON or
//! UUID remains one. The planner refuses columns of which one value is marked as such and another is not.

use std::collections::{BTreeSet, HashMap};
use std::sync::Arc;

use datafusion::arrow::datatypes::{DataType, Field};
use datafusion::common::metadata::FieldMetadata;
use datafusion::common::{DFSchema, ScalarValue};
use datafusion::error::Result;
use datafusion::logical_expr::logical_plan::Union;
use datafusion::logical_expr::planner::{PlannedRelation, RelationPlanner, RelationPlannerContext, RelationPlanning};
use datafusion::logical_expr::{Expr, ExprSchemable, LogicalPlan, LogicalPlanBuilder, lit};
use datafusion::sql::sqlparser::ast::{Ident, SetExpr, TableAlias, TableFactor, Values};
use kalamdb_types::{SqlType, TYPE_KEY};

use super::from_names::select_from_derived;
use crate::functions::cast_to;
use crate::sql::analyzer::sets::common_type;
use crate::sql::parse::plain_values;

/// Writes VALUES of several rows as `SELECT * FROM (VALUES ...)` where it is not in FROM itself, so that
/// [`TypedValues`] plans it.
pub(crate) fn select_from_values(body: &mut SetExpr) {
    match body {
        SetExpr::SetOperation { left, right, .. } => {
            select_from_values(left);
            select_from_values(right);
        }
        SetExpr::Values(values) if values.rows.len() > 1 => {
            let Some(mut query) = select_from_derived() else { return };
            if let SetExpr::Select(select) = query.body.as_mut()
                && let Some(TableFactor::Derived { subquery, alias, .. }) =
                    select.from.first_mut().map(|from| &mut from.relation)
            {
                *alias = Some(TableAlias {
                    explicit: true,
                    name: Ident::with_quote('"', "values"),
                    columns: Vec::new(),
                    at: None,
                });
                std::mem::swap(subquery.body.as_mut(), body);
                *body = *query.body;
            }
        }
        _ => {}
    }
}

/// Plans VALUES in FROM.
#[derive(Debug)]
pub(crate) struct TypedValues;

impl RelationPlanner for TypedValues {
    fn plan_relation(
        &self,
        relation: TableFactor,
        context: &mut dyn RelationPlannerContext,
    ) -> Result<RelationPlanning> {
        let TableFactor::Derived { subquery, alias, .. } = &relation else {
            return Ok(RelationPlanning::Original(Box::new(relation)));
        };
        let Some(Values { rows, value_keyword: false, .. }) = plain_values(subquery) else {
            return Ok(RelationPlanning::Original(Box::new(relation)));
        };
        let schema = DFSchema::empty();
        let mut values = Vec::with_capacity(rows.len());
        for row in rows {
            values.push(
                row.content
                    .iter()
                    .map(|cell| context.sql_to_expr(cell.clone(), &schema))
                    .collect::<Result<Vec<_>>>()?,
            );
        }
        for column in 0..values.first().map_or(0, Vec::len) {
            let mut cells: Vec<&mut Expr> = values.iter_mut().filter_map(|row| row.get_mut(column)).collect();
            give_type(&mut cells, &schema)?;
        }
        let plan = if values.iter().flatten().any(Expr::contains_outer) {
            rows_of(values)?
        } else {
            LogicalPlanBuilder::values(values)?.build()?
        };
        Ok(RelationPlanning::Planned(Box::new(PlannedRelation::new(plan, alias.clone()))))
    }
}

/// The rows as queries of one row each: VALUES are computed while a plan is made, when the columns of the query around
/// them are not known yet.
fn rows_of(values: Vec<Vec<Expr>>) -> Result<LogicalPlan> {
    let row = |cells: Vec<Expr>| {
        let cells = cells.into_iter().enumerate().map(|(at, cell)| cell.alias(format!("column{}", at + 1)));
        Ok(Arc::new(LogicalPlanBuilder::empty(true).project(cells)?.build()?))
    };
    let mut rows = values.into_iter().map(row).collect::<Result<Vec<_>>>()?;
    match rows.pop() {
        Some(only) if rows.is_empty() => Ok(Arc::unwrap_or_clone(only)),
        last => Ok(LogicalPlan::Union(Union::try_new_with_loose_types(rows.into_iter().chain(last).collect())?)),
    }
}

/// Gives the values of a column one type, if there is one.
fn give_type(cells: &mut [&mut Expr], schema: &DFSchema) -> Result<()> {
    let mut common = DataType::Null;
    let mut marks: BTreeSet<Option<String>> = BTreeSet::new();
    for cell in cells.iter().filter(|cell| !is_constant_text(cell)) {
        let (_, field) = cell.to_field(schema)?;
        if !field.data_type().is_null() {
            common = common_type("VALUES", &common, false, field.data_type(), false)?;
            marks.insert(field.metadata().get(TYPE_KEY).cloned());
        }
    }
    if common.is_null() {
        return Ok(());
    }
    // What computes a JSON or a UUID may have lost the mark; of two lengths of text neither is that of the column.
    let mut kept = marks.iter().flatten().filter(|mark| marks.len() == 1 || !mark.starts_with("VARCHAR"));
    let mark = kept.next().filter(|_| kept.next().is_none());
    let field = Field::new("", common.clone(), true);
    let field = match mark {
        Some(mark) => field.with_metadata(HashMap::from([(TYPE_KEY.to_owned(), mark.clone())])),
        None => field,
    };
    let sql_type = SqlType::of_field(&field);
    for cell in cells {
        if let (Expr::Literal(ScalarValue::Null, metadata), Some(_)) = (&mut **cell, mark) {
            *metadata = Some(FieldMetadata::from(&field));
            continue;
        }
        let (_, own) = cell.to_field(schema)?;
        let is_other_text = is_constant_text(cell) && !is_text(&common) || own.metadata().get(TYPE_KEY) != mark;
        match sql_type {
            Some(sql_type) if is_other_text => {
                **cell = cast_to().call(vec![std::mem::take(*cell), lit(sql_type.to_string())])
            }
            _ if *own.data_type() != common && !is_constant_text(cell) => {
                **cell = std::mem::take(*cell).cast_to(&common, schema)?
            }
            _ => {}
        }
    }
    Ok(())
}

fn is_constant_text(expr: &Expr) -> bool {
    matches!(
        expr,
        Expr::Literal(ScalarValue::Utf8(Some(_)) | ScalarValue::Utf8View(Some(_)) | ScalarValue::LargeUtf8(Some(_)), _)
    )
}

fn is_text(data_type: &DataType) -> bool {
    matches!(data_type, DataType::Utf8 | DataType::LargeUtf8 | DataType::Utf8View)
}
