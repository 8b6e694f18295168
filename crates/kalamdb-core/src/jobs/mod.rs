//! What is done besides statements: rows go from the log into segments, segments are merged, events that are over are freed.

mod interval;
mod policy;
mod record;
mod segments;

pub(crate) use interval::Interval;
pub use policy::Occasion;
pub(crate) use policy::is_kept_in_segments;
pub(crate) use record::{JobKind, Jobs};
pub(crate) use segments::{Made, make};
