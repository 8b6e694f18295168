//! Functions that make large values of small ones: each says how large they become before it makes them.

use std::sync::Arc;

use datafusion::arrow::array::ArrayRef;
use datafusion::arrow::compute::cast;
use datafusion::arrow::datatypes::{DataType, FieldRef};
use datafusion::common::config::ConfigOptions;
use datafusion::error::Result;
use datafusion::logical_expr::{
    ColumnarValue, Documentation, Expr, ReturnFieldArgs, ScalarFunctionArgs, ScalarUDF, ScalarUDFImpl, Signature,
};

use super::growth::{Estimate, estimate_of};
use super::limits::Limits;

/// A function with the estimate of what it makes.
#[derive(Debug)]
struct Bounded {
    inner: Arc<ScalarUDF>,
    estimate: Estimate,
    limits: Arc<Limits>,
    /// Whether texts that it makes are views: the types of expressions around a call are known already, or not yet.
    as_views: bool,
}

/// The function with bounds, if it needs any and has none, with results of the same types.
pub(crate) fn bounded(function: &Arc<ScalarUDF>, limits: &Arc<Limits>) -> Option<Arc<ScalarUDF>> {
    bound(function, limits, false)
}

fn bound(function: &Arc<ScalarUDF>, limits: &Arc<Limits>, as_views: bool) -> Option<Arc<ScalarUDF>> {
    if function.inner().is::<Bounded>() {
        return None;
    }
    let estimate = estimate_of(function.name())?;
    let bounded = Bounded { inner: Arc::clone(function), estimate, limits: Arc::clone(limits), as_views };
    Some(Arc::new(ScalarUDF::new_from_impl(bounded)))
}

/// Puts bounds on all functions that need them.
pub(super) fn bound_all(functions: &mut [Arc<ScalarUDF>], limits: &Arc<Limits>) {
    for function in functions {
        if let Some(bounded) = bound(function, limits, true) {
            *function = bounded;
        }
    }
}

impl PartialEq for Bounded {
    fn eq(&self, other: &Self) -> bool {
        self.inner == other.inner
    }
}

impl Eq for Bounded {}

impl std::hash::Hash for Bounded {
    fn hash<H: std::hash::Hasher>(&self, state: &mut H) {
        self.inner.hash(state);
    }
}

impl ScalarUDFImpl for Bounded {
    fn name(&self) -> &str {
        self.inner.name()
    }

    fn aliases(&self) -> &[String] {
        self.inner.aliases()
    }

    fn schema_name(&self, args: &[Expr]) -> Result<String> {
        self.inner.schema_name(args)
    }

    fn signature(&self) -> &Signature {
        self.inner.signature()
    }

    fn return_type(&self, args: &[DataType]) -> Result<DataType> {
        let own = self.inner.return_type(args)?;
        Ok(if self.as_views && own == DataType::Utf8 { DataType::Utf8View } else { own })
    }

    fn return_field_from_args(&self, args: ReturnFieldArgs<'_>) -> Result<FieldRef> {
        let field = self.inner.return_field_from_args(args)?;
        if !self.as_views || *field.data_type() != DataType::Utf8 {
            return Ok(field);
        }
        Ok(Arc::new(field.as_ref().clone().with_data_type(DataType::Utf8View)))
    }

    fn is_strict(&self) -> bool {
        self.inner.is_strict()
    }

    fn with_updated_config(&self, config: &ConfigOptions) -> Option<ScalarUDF> {
        let inner = Arc::new(self.inner.inner().with_updated_config(config)?);
        Some(ScalarUDF::new_from_impl(Self {
            inner,
            estimate: self.estimate,
            limits: Arc::clone(&self.limits),
            as_views: self.as_views,
        }))
    }

    fn coerce_types(&self, args: &[DataType]) -> Result<Vec<DataType>> {
        self.inner.coerce_types(args)
    }

    fn documentation(&self) -> Option<&Documentation> {
        self.inner.documentation()
    }

    fn invoke_with_args(&self, mut args: ScalarFunctionArgs) -> Result<ColumnarValue> {
        let size = (self.estimate)(&args.args, args.number_rows, self.limits.value_bytes());
        self.limits.check_value(self.name(), size.largest)?;
        self.limits.check_room(self.name(), size.total)?;
        let as_views = self.as_views && *args.return_field.data_type() == DataType::Utf8View;
        if as_views {
            // What the function itself returns, which may be told by its arguments' types alone.
            let types: Vec<DataType> = args.arg_fields.iter().map(|field| field.data_type().clone()).collect();
            if let Ok(own) = self.inner.return_type(&types) {
                args.return_field = Arc::new(args.return_field.as_ref().clone().with_data_type(own));
            }
        }
        let result = self.inner.invoke_with_args(args)?;
        if as_views && result.data_type() != DataType::Utf8View {
            return views(result);
        }
        Ok(result)
    }
}

/// Views of one text share it, wherever it is repeated in a column; other arrays copy it.
fn views(value: ColumnarValue) -> Result<ColumnarValue> {
    let as_views = |array: &ArrayRef| cast(array, &DataType::Utf8View);
    Ok(match value {
        ColumnarValue::Array(array) => ColumnarValue::Array(as_views(&array)?),
        ColumnarValue::Scalar(scalar) => ColumnarValue::Scalar(scalar.cast_to(&DataType::Utf8View)?),
    })
}
