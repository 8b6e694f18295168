//! The SQL functions and operators that DataFusion does not have, or has with another meaning than PostgreSQL.
//!
//! Nothing here is global: what a function needs besides its arguments, the state of the id generator, is given to
//! [`register`].

pub(crate) mod arrays;
mod bounded;
mod bounded_aggregates;
mod casts;
mod choices;
mod datetime;
mod digests;
mod float_range;
mod growth;
mod id_functions;
mod ids;
mod json;
mod lengths;
mod limits;
mod nth_value;
mod ntile;
mod numbering;
mod octets;
pub(crate) mod patterns;
mod population;
mod rounding;
mod scalar;
mod session;
mod shift;
mod sliding;
mod texts;
mod vectors;

use std::sync::Arc;

use datafusion::execution::session_state::SessionStateBuilder;
use datafusion::logical_expr::planner::ExprPlanner;

pub(crate) use bounded::bounded;
pub(crate) use casts::{CAST_TO, TRY_CAST_TO, cast_to};
pub(crate) use datetime::{
    IntervalTotal, WITH_PRECISION, compared_date, interval_length, operation as datetime_operation, operation_again as datetime_operation_again,
    series as datetime_series,
};
pub(crate) use growth::data_size;
pub(crate) use ids::{Ids, system_random};
pub(crate) use limits::{DEFAULT_VALUE_BYTES, Limits};
pub(crate) use session::session_function;

/// Adds the functions to a session that is being built, in place of DataFusion's of the same names.
///
/// Comes after DataFusion's own.
pub(crate) fn register(mut builder: SessionStateBuilder, ids: &Arc<Ids>, limits: &Arc<Limits>) -> SessionStateBuilder {
    let operators = json::Operators::new();
    let array_operators = arrays::Operators::new();
    let scalar = [
        id_functions::all(ids),
        json::all(&operators),
        arrays::all(&array_operators),
        vectors::all(),
        digests::all(),
        octets::all(),
        texts::all(),
        rounding::all(),
        float_range::all(),
        patterns::all(),
        datetime::all(),
        vec![casts::cast_to(), casts::try_cast_to()],
    ]
    .concat();
    let functions = builder.scalar_functions().get_or_insert_default();
    functions.extend(scalar);
    let series = datetime::array_functions(functions);
    functions.extend(series);
    builder.aggregate_functions().get_or_insert_default().extend(json::aggregates());
    sliding::wrap_all(&mut builder);
    numbering::wrap_all(&mut builder);
    builder.window_functions().get_or_insert_default().push(ntile::ntile());
    nth_value::wrap_all(&mut builder);
    shift::wrap_all(&mut builder);
    lengths::wrap_all(&mut builder);
    texts::wrap_all(&mut builder);
    choices::wrap_all(&mut builder);
    name_as_postgresql(&mut builder);
    bounded::bound_all(builder.scalar_functions().get_or_insert_default(), limits);
    bounded_aggregates::bound_all(builder.aggregate_functions().get_or_insert_default(), limits);
    // The first planner that knows an operator for its operands plans it.
    let planners: [Arc<dyn ExprPlanner>; 3] = [Arc::new(operators), Arc::new(array_operators), Arc::new(datetime::Operators::new())];
    builder.expr_planners().get_or_insert_default().splice(0..0, planners);
    builder
}

/// PostgreSQL's names of functions that DataFusion calls otherwise.
fn name_as_postgresql(builder: &mut SessionStateBuilder) {
    for function in builder.scalar_functions().get_or_insert_default() {
        if function.name() == "signum" {
            *function = Arc::new(function.as_ref().clone().with_aliases(["sign"]));
        }
    }
}
