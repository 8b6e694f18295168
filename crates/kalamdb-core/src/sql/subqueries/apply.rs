//! The logical node that asks a subquery for each row.

use std::cmp::Ordering;
use std::fmt;
use std::hash::{Hash, Hasher};
use std::sync::Arc;

use datafusion::arrow::datatypes::{DataType, Field, FieldRef};
use datafusion::common::{DFSchema, DFSchemaRef, internal_datafusion_err};
use datafusion::error::Result;
use datafusion::logical_expr::{Expr, LogicalPlan, UserDefinedLogicalNodeCore};

use super::outer_value::CorrelatedParameter;

/// What a subquery is asked for.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub(crate) enum SubqueryKind {
    /// Its only value; more than one row is an error, none is NULL.
    Value,
    /// Whether it has a row.
    Exists,
    /// Whether a value is among its rows; NULL if NULL is among them, or is the value, and no row is equal.
    In,
    /// All its rows: LATERAL.
    Rows,
    /// All its rows, or one of NULLs if it has none: LEFT JOIN LATERAL.
    RowsOrNull,
}

/// What the logical and the physical node have in common.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub(crate) struct ApplySpec {
    pub(crate) kind: SubqueryKind,
    /// Where the subquery's plan reads the values of the outer row.
    pub(crate) slots: Vec<CorrelatedParameter>,
    /// Whether the answer is used under a condition: for other rows nothing is asked.
    pub(crate) is_guarded: bool,
    /// The column that the answer becomes; LATERAL has the columns of its rows.
    pub(crate) output: String,
}

/// Adds to each row of `input` the answer of a subquery.
///
/// The `arguments`, evaluated on the row, go into the slots. For [`SubqueryKind::In`] the value to look for is one more
/// expression behind these, and the plan's only column has its type. The condition of a guarded one comes last.
#[derive(Debug, Clone)]
pub(crate) struct Apply {
    pub(crate) spec: ApplySpec,
    pub(crate) input: LogicalPlan,
    pub(crate) subquery: LogicalPlan,
    pub(crate) arguments: Vec<Expr>,
    pub(crate) schema: DFSchemaRef,
}

impl Apply {
    pub(super) fn try_new(
        spec: ApplySpec,
        input: LogicalPlan,
        subquery: LogicalPlan,
        arguments: Vec<Expr>,
    ) -> Result<Self> {
        let mut fields: Vec<_> =
            input.schema().iter().map(|(qualifier, field)| (qualifier.cloned(), Arc::clone(field))).collect();
        match spec.kind {
            SubqueryKind::Value => {
                let value = subquery
                    .schema()
                    .fields()
                    .first()
                    .ok_or_else(|| internal_datafusion_err!("a subquery has a column"))?;
                fields.push((None, Arc::new(value.as_ref().clone().with_name(&spec.output).with_nullable(true))));
            }
            SubqueryKind::Exists | SubqueryKind::In => {
                fields.push((None, Arc::new(Field::new(&spec.output, DataType::Boolean, true))))
            }
            SubqueryKind::Rows | SubqueryKind::RowsOrNull => {
                let nullable = |field: &FieldRef| match spec.kind {
                    SubqueryKind::RowsOrNull => Arc::new(field.as_ref().clone().with_nullable(true)),
                    _ => Arc::clone(field),
                };
                fields.extend(subquery.schema().iter().map(|(qualifier, field)| (qualifier.cloned(), nullable(field))));
            }
        }
        let schema = Arc::new(DFSchema::new_with_metadata(fields, input.schema().metadata().clone())?);
        Ok(Self { spec, input, subquery, arguments, schema })
    }

    /// Everything but the schema, which follows from it.
    fn key(&self) -> (&ApplySpec, &LogicalPlan, &LogicalPlan, &[Expr]) {
        (&self.spec, &self.input, &self.subquery, &self.arguments)
    }
}

impl PartialEq for Apply {
    fn eq(&self, other: &Self) -> bool {
        self.key() == other.key()
    }
}

impl Eq for Apply {}

impl Hash for Apply {
    fn hash<H: Hasher>(&self, state: &mut H) {
        self.key().hash(state);
    }
}

impl PartialOrd for Apply {
    fn partial_cmp(&self, other: &Self) -> Option<Ordering> {
        (self == other).then_some(Ordering::Equal)
    }
}

impl UserDefinedLogicalNodeCore for Apply {
    fn name(&self) -> &'static str {
        "Apply"
    }

    fn inputs(&self) -> Vec<&LogicalPlan> {
        vec![&self.input, &self.subquery]
    }

    fn schema(&self) -> &DFSchemaRef {
        &self.schema
    }

    fn expressions(&self) -> Vec<Expr> {
        self.arguments.clone()
    }

    fn fmt_for_explain(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let arguments: Vec<String> = self.arguments.iter().map(ToString::to_string).collect();
        write!(f, "Apply: {}={:?}, arguments=[{}]", self.spec.output, self.spec.kind, arguments.join(", "))
    }

    fn with_exprs_and_inputs(&self, exprs: Vec<Expr>, inputs: Vec<LogicalPlan>) -> Result<Self> {
        let [input, subquery] =
            <[LogicalPlan; 2]>::try_from(inputs).map_err(|_| internal_datafusion_err!("Apply has two inputs"))?;
        Self::try_new(self.spec.clone(), input, subquery, exprs)
    }

    fn necessary_children_exprs(&self, output_columns: &[usize]) -> Option<Vec<Vec<usize>>> {
        let n_input = self.input.schema().fields().len();
        let n_subquery = self.subquery.schema().fields().len();
        Some(vec![
            output_columns.iter().copied().filter(|column| *column < n_input).collect(),
            (0..n_subquery).collect(),
        ])
    }
}
