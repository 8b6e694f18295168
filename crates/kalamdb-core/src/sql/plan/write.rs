//! The commit of a statement's change.

use super::query::StatementContext;
use crate::change::{Change, Committed};
use crate::error::Result;

/// Computes a change and commits it, as [`crate::write::write`] says. Each time `compute` is given the context that
/// sees what the change is computed from.
///
/// # Errors
/// As there.
pub(crate) async fn write<T>(
    context: &StatementContext<'_>,
    mut compute: impl AsyncFnMut(&StatementContext<'_>) -> Result<(Change, T)>,
) -> Result<(Committed, T)> {
    crate::write::write(context.view, async |view| compute(&context.seeing(view)).await).await
}
