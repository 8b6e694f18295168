//! The rules by which plans are made faster: DataFusion's, but for what they get wrong.

pub(crate) mod evaluation;
mod keys;
mod repeated_projections;
pub(crate) mod rules;
mod several_arguments;
mod simplify;

pub(crate) use keys::RelationsWithoutKeys;
