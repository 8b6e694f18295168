//! A value of the outer row, as an expression of the subquery.

use std::hash::{Hash, Hasher};
use std::sync::{Arc, Mutex, PoisonError};

use datafusion::arrow::datatypes::{DataType, FieldRef};
use datafusion::common::{ScalarValue, exec_err};
use datafusion::error::Result;
use datafusion::logical_expr::{
    ColumnarValue, Expr, ReturnFieldArgs, ScalarFunctionArgs, ScalarUDF, ScalarUDFImpl, Signature, Volatility,
};

/// Where [`super::apply_exec::ApplyExec`] puts one value of the outer row before it runs a subquery's plan.
#[derive(Debug, Clone)]
pub(crate) struct CorrelatedParameter {
    /// Unique within the statement.
    id: usize,
    value: Arc<Mutex<Option<ScalarValue>>>,
}

impl CorrelatedParameter {
    pub(super) fn new(id: usize) -> Self {
        Self { id, value: Arc::default() }
    }

    pub(super) fn set(&self, value: ScalarValue) {
        *self.value.lock().unwrap_or_else(PoisonError::into_inner) = Some(value);
    }

    fn get(&self) -> Option<ScalarValue> {
        self.value.lock().unwrap_or_else(PoisonError::into_inner).clone()
    }

    /// The expression that reads the slot; `name` is what plans print.
    pub(super) fn read(&self, name: String, field: &FieldRef) -> Expr {
        let function = OuterValue {
            slot: self.clone(),
            name,
            field: Arc::new(field.as_ref().clone().with_nullable(true)),
            // Not volatile: within one run of the plan it is a constant, which may be pushed into scans.
            signature: Signature::nullary(Volatility::Stable),
        };
        ScalarUDF::new_from_impl(function).call(vec![])
    }
}

impl PartialEq for CorrelatedParameter {
    fn eq(&self, other: &Self) -> bool {
        self.id == other.id
    }
}

impl Eq for CorrelatedParameter {}

impl Hash for CorrelatedParameter {
    fn hash<H: Hasher>(&self, state: &mut H) {
        self.id.hash(state);
    }
}

/// A function without arguments that returns a column of the outer row.
///
/// While a plan is made its slot is empty: evaluating it fails, and so the planner cannot fold it into a constant.
#[derive(Debug, PartialEq, Eq, Hash)]
struct OuterValue {
    slot: CorrelatedParameter,
    name: String,
    field: FieldRef,
    signature: Signature,
}

impl ScalarUDFImpl for OuterValue {
    fn name(&self) -> &str {
        &self.name
    }

    fn signature(&self) -> &Signature {
        &self.signature
    }

    fn return_type(&self, _: &[DataType]) -> Result<DataType> {
        Ok(self.field.data_type().clone())
    }

    fn return_field_from_args(&self, _: ReturnFieldArgs<'_>) -> Result<FieldRef> {
        Ok(Arc::clone(&self.field))
    }

    fn invoke_with_args(&self, _: ScalarFunctionArgs) -> Result<ColumnarValue> {
        match self.slot.get() {
            // A rule may have given the column another type since.
            Some(value) if value.data_type() != *self.field.data_type() => {
                Ok(ColumnarValue::Scalar(value.cast_to(self.field.data_type())?))
            }
            Some(value) => Ok(ColumnarValue::Scalar(value)),
            None => exec_err!("{} is not known yet", self.name),
        }
    }
}
