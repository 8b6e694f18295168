//! The columns of VALUES, whose types are found before rules give their expressions others.

use datafusion::arrow::datatypes::DataType;
use datafusion::common::DFSchema;
use datafusion::common::config::ConfigOptions;
use datafusion::common::tree_node::Transformed;
use datafusion::error::Result;
use datafusion::logical_expr::expr::Cast;
use datafusion::logical_expr::{Expr, ExprSchemable, LogicalPlan, LogicalPlanBuilder, Values};
use datafusion::optimizer::AnalyzerRule;

/// What is done about values whose types are not those of their columns.
#[derive(Debug)]
pub(crate) enum ValueTypes {
    /// The column gets the type that its values have. Comes before the types of what reads them are found.
    OfColumns,
    /// The values get the type of the column.
    OfValues,
}

impl AnalyzerRule for ValueTypes {
    fn analyze(&self, plan: LogicalPlan, _: &ConfigOptions) -> Result<LogicalPlan> {
        let node = |node: LogicalPlan| match node {
            LogicalPlan::Values(values) if differs(&values) => Ok(Transformed::yes(match self {
                Self::OfColumns => match LogicalPlanBuilder::values(values.values.clone()) {
                    Ok(typed) => typed.build()?,
                    Err(_) => LogicalPlan::Values(values),
                },
                Self::OfValues => LogicalPlan::Values(cast(values)),
            })),
            node => Ok(Transformed::no(node)),
        };
        Ok(plan.transform_up_with_subqueries(node)?.data)
    }

    fn name(&self) -> &'static str {
        match self {
            Self::OfColumns => "types_of_columns",
            Self::OfValues => "types_of_values",
        }
    }
}

fn differs(values: &Values) -> bool {
    let types: Vec<&DataType> = values.schema.fields().iter().map(|field| field.data_type()).collect();
    values.values.iter().any(|row| row.iter().zip(&types).any(|(value, of)| is_other(value, of)))
}

fn is_other(value: &Expr, of: &DataType) -> bool {
    value.get_type(&DFSchema::empty()).is_ok_and(|own| own != *of)
}

fn cast(mut values: Values) -> Values {
    for row in &mut values.values {
        for (value, field) in row.iter_mut().zip(values.schema.fields()) {
            if is_other(value, field.data_type()) {
                *value = Expr::Cast(Cast::new(Box::new(std::mem::take(value)), field.data_type().clone()));
            }
        }
    }
    values
}
