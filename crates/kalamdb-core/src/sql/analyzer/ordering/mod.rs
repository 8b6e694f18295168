//! Values whose order and equality are not those of their bits: of floats 0 and -0 are equal, and every NaN is, and is
//! the greatest; intervals compare by their length, a month having 30 days and a day 24 hours.
//!
//! What sorts, groups, joins or compares such values is given [`key`]s in their place.

mod apart;
mod extremes;
mod greatest;
mod key;
mod parts;
mod place;
mod rule;
mod stored;
mod windows;

pub(crate) use extremes::{max, min};
pub(crate) use key::{has_key, key};
pub(crate) use rule::CompareByKey;
pub(crate) use windows::order_windows;
