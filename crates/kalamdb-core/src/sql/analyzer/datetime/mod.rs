//! Casts and comparisons of dates and times that the planner adds by itself.

mod casts;
mod comparisons;

pub(crate) use casts::{DatetimeCasts, DatetimeOperators};
