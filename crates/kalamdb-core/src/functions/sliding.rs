//! Aggregates over window frames that lose rows at their beginning, and those that sort what they collect.
//!
//! DataFusion takes such rows back from the running result. Some aggregates cannot do that, and of floats it is not
//! exact: what NaN, an infinity or a large number has been added to stays spoilt. Such results are computed anew for
//! each frame.

use std::collections::VecDeque;
use std::fmt;
use std::sync::Arc;

use datafusion::arrow::array::{Array, ArrayRef, AsArray};
use datafusion::arrow::compute::concat;
use datafusion::arrow::datatypes::{DataType, FieldRef, Float64Type, Schema};
use datafusion::common::{ScalarValue, internal_err};
use datafusion::error::Result;
use datafusion::execution::session_state::SessionStateBuilder;
use datafusion::logical_expr::expr::{AggregateFunctionParams, WindowFunctionParams};
use datafusion::logical_expr::function::{AccumulatorArgs, AggregateFunctionSimplification, StateFieldsArgs};
use datafusion::logical_expr::utils::AggregateOrderSensitivity;
use datafusion::logical_expr::{
    Accumulator, AggregateUDF, AggregateUDFImpl, Documentation, GroupsAccumulator, ReversedUDAF, SetMonotonicity,
    Signature, StatisticsArgs,
};
use datafusion::physical_expr::{PhysicalExpr, PhysicalSortExpr};

use super::population;
use super::population::is_of_population;

/// What cannot take rows back, or not exactly.
const ANEW: [&str; 26] = [
    "any_value",
    "bit_and",
    "bit_or",
    "bool_and",
    "bool_or",
    "corr",
    "covar_pop",
    "covar_samp",
    "json_agg",
    "json_object_agg",
    "regr_avgx",
    "regr_avgy",
    "regr_intercept",
    "regr_r2",
    "regr_slope",
    "regr_sxx",
    "regr_sxy",
    "regr_syy",
    "stddev",
    "stddev_pop",
    "string_agg",
    "var",
    "var_pop",
    "var_samp",
    "jsonb_agg",
    "jsonb_object_agg",
];

/// What takes back integers and decimals exactly, but not floats.
const FLOATS_ANEW: [&str; 2] = ["avg", "sum"];

/// What forgets with DISTINCT that its input comes in the reverse order.
const COLLECTS: [&str; 2] = ["array_agg", "string_agg"];

/// What sorts its input by itself; DataFusion would refuse several of them with orders that differ.
const SORTS: &str = "string_agg";

/// How long a frame of floats is added up anew; of longer ones rows are taken back while the loss is small.
const ADDED_UP: usize = 1024;

/// Gives the aggregates of a session that is being built their results over sliding frames.
pub(super) fn wrap_all(builder: &mut SessionStateBuilder) {
    for function in builder.aggregate_functions().get_or_insert_default() {
        if [ANEW.as_slice(), &FLOATS_ANEW, &COLLECTS].iter().any(|names| names.contains(&function.name())) {
            *function = Arc::new(AggregateUDF::new_from_impl(Sliding::new(Arc::clone(function))));
        }
    }
}

/// An aggregate, but for its results over sliding frames.
#[derive(Debug, PartialEq, Eq, Hash)]
struct Sliding {
    function: Arc<AggregateUDF>,
    aliases: Vec<String>,
}

impl Sliding {
    fn new(function: Arc<AggregateUDF>) -> Self {
        let mut aliases = function.aliases().to_vec();
        // Names that PostgreSQL gives them.
        match function.name() {
            "bool_and" => aliases.push("every".to_owned()),
            "var" => aliases.push("variance".to_owned()),
            _ => {}
        }
        Self { function, aliases }
    }

    fn inner(&self) -> &Arc<dyn AggregateUDFImpl> {
        self.function.inner()
    }
}

impl AggregateUDFImpl for Sliding {
    fn create_sliding_accumulator(&self, args: AccumulatorArgs<'_>) -> Result<Box<dyn Accumulator>> {
        if ANEW.contains(&self.name()) {
            return Ok(Box::new(Anew::new(Arc::clone(&self.function), &args)));
        }
        let is_float = *args.return_field.data_type() == DataType::Float64
            && args.expr_fields.iter().all(|f| *f.data_type() == DataType::Float64);
        if !is_float {
            return self.inner().create_sliding_accumulator(args);
        }
        if args.is_distinct {
            return Ok(Box::new(Anew::new(Arc::clone(&self.function), &args)));
        }
        Ok(Box::new(Floats { is_mean: self.name() == "avg", ..Floats::default() }))
    }

    fn name(&self) -> &str {
        self.inner().name()
    }

    fn aliases(&self) -> &[String] {
        &self.aliases
    }

    fn schema_name(&self, params: &AggregateFunctionParams) -> Result<String> {
        self.inner().schema_name(params)
    }

    fn human_display(&self, params: &AggregateFunctionParams) -> Result<String> {
        self.inner().human_display(params)
    }

    fn window_function_schema_name(&self, params: &WindowFunctionParams) -> Result<String> {
        self.inner().window_function_schema_name(params)
    }

    fn display_name(&self, params: &AggregateFunctionParams) -> Result<String> {
        self.inner().display_name(params)
    }

    fn window_function_display_name(&self, params: &WindowFunctionParams) -> Result<String> {
        self.inner().window_function_display_name(params)
    }

    fn signature(&self) -> &Signature {
        self.inner().signature()
    }

    fn return_type(&self, arg_types: &[DataType]) -> Result<DataType> {
        self.inner().return_type(arg_types)
    }

    fn return_field(&self, arg_fields: &[FieldRef]) -> Result<FieldRef> {
        self.inner().return_field(arg_fields)
    }

    fn is_nullable(&self) -> bool {
        self.inner().is_nullable()
    }

    fn accumulator(&self, args: AccumulatorArgs<'_>) -> Result<Box<dyn Accumulator>> {
        accumulator(&self.function, args)
    }

    fn state_fields(&self, args: StateFieldsArgs<'_>) -> Result<Vec<FieldRef>> {
        self.inner().state_fields(args)
    }

    fn groups_accumulator_supported(&self, args: AccumulatorArgs<'_>) -> bool {
        self.inner().groups_accumulator_supported(args)
    }

    fn create_groups_accumulator(&self, args: AccumulatorArgs<'_>) -> Result<Box<dyn GroupsAccumulator>> {
        let inner = self.inner().create_groups_accumulator(args)?;
        Ok(if is_of_population(self.name()) { population::groups_accumulator(inner) } else { inner })
    }

    fn with_beneficial_ordering(
        self: Arc<Self>,
        beneficial_ordering: bool,
    ) -> Result<Option<Arc<dyn AggregateUDFImpl>>> {
        if self.name() == SORTS {
            return Ok(Some(self));
        }
        let function = Arc::clone(self.inner()).with_beneficial_ordering(beneficial_ordering)?;
        Ok(function.map(|function| Arc::new(Self::new(Arc::new(AggregateUDF::new_from_shared_impl(function)))) as _))
    }

    fn order_sensitivity(&self) -> AggregateOrderSensitivity {
        if self.name() == SORTS {
            return AggregateOrderSensitivity::SoftRequirement;
        }
        self.inner().order_sensitivity()
    }

    fn simplify(&self) -> Option<AggregateFunctionSimplification> {
        self.inner().simplify()
    }

    fn reverse_expr(&self) -> ReversedUDAF {
        match self.inner().reverse_expr() {
            _ if COLLECTS.contains(&self.name()) => ReversedUDAF::NotSupported,
            ReversedUDAF::Reversed(function) => {
                ReversedUDAF::Reversed(Arc::new(AggregateUDF::new_from_impl(Self::new(function))))
            }
            other => other,
        }
    }

    fn coerce_types(&self, arg_types: &[DataType]) -> Result<Vec<DataType>> {
        self.inner().coerce_types(arg_types)
    }

    fn is_descending(&self) -> Option<bool> {
        self.inner().is_descending()
    }

    fn value_from_stats(&self, args: &StatisticsArgs<'_>) -> Option<ScalarValue> {
        self.inner().value_from_stats(args)
    }

    fn default_value(&self, data_type: &DataType) -> Result<ScalarValue> {
        self.inner().default_value(data_type)
    }

    fn supports_null_handling_clause(&self) -> bool {
        self.inner().supports_null_handling_clause()
    }

    fn supports_within_group_clause(&self) -> bool {
        self.inner().supports_within_group_clause()
    }

    fn documentation(&self) -> Option<&Documentation> {
        self.inner().documentation()
    }

    fn set_monotonicity(&self, data_type: &DataType) -> SetMonotonicity {
        self.inner().set_monotonicity(data_type)
    }
}

fn accumulator(function: &AggregateUDF, args: AccumulatorArgs<'_>) -> Result<Box<dyn Accumulator>> {
    let inner = function.accumulator(args)?;
    Ok(if is_of_population(function.name()) { population::accumulator(inner) } else { inner })
}

/// Computes the result from the rows of the frame.
struct Anew {
    function: Arc<AggregateUDF>,
    return_field: FieldRef,
    schema: Schema,
    expr_fields: Vec<FieldRef>,
    exprs: Vec<Arc<dyn PhysicalExpr>>,
    order_bys: Vec<PhysicalSortExpr>,
    ignore_nulls: bool,
    is_distinct: bool,
    is_reversed: bool,
    name: String,
    /// The arguments of the rows, in parts as they came.
    rows: VecDeque<Vec<ArrayRef>>,
}

impl Anew {
    fn new(function: Arc<AggregateUDF>, args: &AccumulatorArgs<'_>) -> Self {
        Self {
            function,
            return_field: Arc::clone(&args.return_field),
            schema: args.schema.clone(),
            expr_fields: args.expr_fields.to_vec(),
            exprs: args.exprs.to_vec(),
            order_bys: args.order_bys.to_vec(),
            ignore_nulls: args.ignore_nulls,
            is_distinct: args.is_distinct,
            is_reversed: args.is_reversed,
            name: args.name.to_owned(),
            rows: VecDeque::new(),
        }
    }

    /// An accumulator that has seen the rows of the frame.
    fn filled(&mut self) -> Result<Box<dyn Accumulator>> {
        let args = AccumulatorArgs {
            return_field: Arc::clone(&self.return_field),
            schema: &self.schema,
            expr_fields: &self.expr_fields,
            ignore_nulls: self.ignore_nulls,
            order_bys: &self.order_bys,
            is_distinct: self.is_distinct,
            name: &self.name,
            is_reversed: self.is_reversed,
            exprs: &self.exprs,
        };
        let mut accumulator = accumulator(&self.function, args)?;
        // One part is as good as many, and is there for the next frame.
        if self.rows.len() > 1 {
            let n_columns = self.rows.front().map_or(0, Vec::len);
            let column = |index: usize| {
                let parts =
                    self.rows.iter().filter_map(|part| part.get(index)).map(AsRef::as_ref).collect::<Vec<&dyn Array>>();
                concat(&parts)
            };
            let all = (0..n_columns).map(column).collect::<Result<Vec<_>, _>>()?;
            self.rows = VecDeque::from([all]);
        }
        for part in &self.rows {
            accumulator.update_batch(part)?;
        }
        Ok(accumulator)
    }
}

impl fmt::Debug for Anew {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Anew({})", self.name)
    }
}

impl Accumulator for Anew {
    fn update_batch(&mut self, values: &[ArrayRef]) -> Result<()> {
        if values.first().is_some_and(|values| !values.is_empty()) {
            self.rows.push_back(values.to_vec());
        }
        Ok(())
    }

    fn retract_batch(&mut self, values: &[ArrayRef]) -> Result<()> {
        let mut n_gone = values.first().map_or(0, |values| values.len());
        while n_gone > 0 {
            let Some(part) = self.rows.pop_front() else {
                return internal_err!("more rows leave a frame than there are");
            };
            let n_rows = part.first().map_or(0, |column| column.len());
            if n_rows > n_gone {
                self.rows.push_front(part.iter().map(|column| column.slice(n_gone, n_rows - n_gone)).collect());
            }
            n_gone = n_gone.saturating_sub(n_rows);
        }
        Ok(())
    }

    fn supports_retract_batch(&self) -> bool {
        true
    }

    fn evaluate(&mut self) -> Result<ScalarValue> {
        self.filled()?.evaluate()
    }

    fn size(&self) -> usize {
        size_of_val(self) + self.rows.iter().flatten().map(|column| column.get_array_memory_size()).sum::<usize>()
    }

    fn state(&mut self) -> Result<Vec<ScalarValue>> {
        self.filled()?.state()
    }

    fn merge_batch(&mut self, _: &[ArrayRef]) -> Result<()> {
        internal_err!("a frame is not merged")
    }
}

/// The sum or the mean of floats.
#[derive(Debug, Default)]
struct Floats {
    is_mean: bool,
    values: VecDeque<f64>,
    /// The sum of the values, unless it has to be added up anew.
    sum: Option<f64>,
}

impl Accumulator for Floats {
    fn update_batch(&mut self, values: &[ArrayRef]) -> Result<()> {
        for value in values.iter().flat_map(|values| values.as_primitive::<Float64Type>().iter()).flatten() {
            self.values.push_back(value);
            self.sum = self.sum.map(|sum| sum + value);
        }
        Ok(())
    }

    fn retract_batch(&mut self, values: &[ArrayRef]) -> Result<()> {
        let n_gone = values.first().map_or(0, |values| values.len() - values.logical_null_count());
        for value in self.values.drain(..n_gone.min(self.values.len())).collect::<Vec<_>>() {
            // Taking a value back that is not larger than what stays costs a bit of precision at most.
            self.sum = self.sum.map(|sum| sum - value).filter(|rest| rest.is_finite() && value.abs() <= rest.abs());
        }
        if self.values.len() <= ADDED_UP {
            self.sum = None;
        }
        Ok(())
    }

    fn supports_retract_batch(&self) -> bool {
        true
    }

    #[allow(clippy::cast_precision_loss, reason = "a frame has fewer rows than 2^53")]
    fn evaluate(&mut self) -> Result<ScalarValue> {
        if self.values.is_empty() {
            return Ok(ScalarValue::Float64(None));
        }
        let sum = *self.sum.get_or_insert_with(|| self.values.iter().sum());
        Ok(ScalarValue::Float64(Some(if self.is_mean { sum / self.values.len() as f64 } else { sum })))
    }

    fn size(&self) -> usize {
        size_of_val(self) + self.values.capacity() * size_of::<f64>()
    }

    fn state(&mut self) -> Result<Vec<ScalarValue>> {
        internal_err!("a frame has no partial result")
    }

    fn merge_batch(&mut self, _: &[ArrayRef]) -> Result<()> {
        internal_err!("a frame is not merged")
    }
}
