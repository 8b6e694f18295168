//! Rules that give a plan PostgreSQL's meaning, where DataFusion's own has another.

mod aggregate_calls;
mod bounded_calls;
pub(crate) mod datetime;
pub(crate) mod expressions;
mod grouped_values;
pub(crate) mod grouping_sets;
mod json_choices;
mod lists;
pub(crate) mod named_value;
pub(crate) mod numbers;
mod operand_types;
pub(crate) mod ordering;
mod repeated_keys;
mod repeated_orders;
pub(crate) mod sets;
mod value_types;
mod volatile_keys;

pub(crate) use aggregate_calls::{AggregateCalls, UnorderedAggregates};
pub(crate) use bounded_calls::BoundedCalls;
pub(crate) use expressions::{any_expression, any_node, compares, rewrite};
pub(crate) use grouped_values::each_value;
pub(crate) use json_choices::JsonChoices;
pub(crate) use lists::ListsByRow;
pub(crate) use named_value::NAME;
pub(crate) use operand_types::OperandTypes;
pub(crate) use repeated_keys::RepeatedKeys;
pub(crate) use repeated_orders::RepeatedOrders;
pub(crate) use value_types::ValueTypes;
pub(crate) use volatile_keys::VolatileKeys;
