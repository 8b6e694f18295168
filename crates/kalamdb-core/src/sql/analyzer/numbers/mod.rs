//! Integers, decimals and floats: exact types, checked arithmetic, sums, averages and casts.

mod arithmetic;
pub(crate) mod average;
mod cast;
mod decimal_arithmetic;
mod decimals;
mod exact;
pub(crate) mod sum;

pub(crate) use arithmetic::CheckedArithmetic;
pub(crate) use decimals::comparison_type;
pub(crate) use exact::ExactNumbers;
