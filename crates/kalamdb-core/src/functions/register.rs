//! The SQL functions and operators that DataFusion does not have, or has with another meaning than PostgreSQL.
//!
//! Nothing here is global: what a function needs besides its arguments, the state of the id generator, is given to
//! [`register`].

use std::sync::Arc;

use datafusion::execution::session_state::SessionStateBuilder;
use datafusion::logical_expr::planner::ExprPlanner;

use super::ids::Ids;
use super::limits::Limits;
use super::{
    arrays, bounded, bounded_aggregates, casts, choices, datetime, digests, divisors, float_range, id_functions, json,
    lengths, nth_value, ntile, numbering, octets, patterns, quoting, rounding, shift, sliding, texts, vectors,
};

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
        quoting::all(),
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
    divisors::wrap_all(&mut builder);
    texts::wrap_all(&mut builder);
    choices::wrap_all(&mut builder);
    name_as_postgresql(&mut builder);
    bounded::bound_all(builder.scalar_functions().get_or_insert_default(), limits);
    bounded_aggregates::bound_all(builder.aggregate_functions().get_or_insert_default(), limits);
    // The first planner that knows an operator for its operands plans it.
    let planners: [Arc<dyn ExprPlanner>; 3] =
        [Arc::new(operators), Arc::new(array_operators), Arc::new(datetime::Operators::new())];
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
