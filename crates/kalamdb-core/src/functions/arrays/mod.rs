//! Arrays with NULLs among their elements, which DataFusion takes for values that are equal to each other: `ANY`,
//! `ALL`, what contains what, and the functions that look for an element.

mod any_all;
mod array_functions;
mod containment;
mod elements;
mod lists;
mod operators;
mod order;

pub(crate) use any_all::{COMPARE_ALL, COMPARE_ANY};
pub(crate) use array_functions::all;
pub(crate) use operators::Operators;
pub(crate) use order::compare;
