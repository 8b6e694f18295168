//! Operators of our own, and rules about operators.

mod cooperative;
pub(crate) mod fences;
mod group_limits;
mod held;
mod no_rows;
mod passing;
mod profile;
mod sanity;
mod sequential;
pub(crate) mod sizes;

pub(crate) use cooperative::cooperative;
pub(crate) use group_limits::GroupLimits;
pub(crate) use held::{Held, held, size_of};
pub(crate) use no_rows::NoRows;
pub(crate) use profile::ProfileExec;
pub(crate) use sequential::Sequential;
