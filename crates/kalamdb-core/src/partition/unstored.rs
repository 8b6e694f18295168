//! Rows that are not stored, as a query reads them.

use std::sync::Arc;

use kalamdb_store::RowState;

use super::chunk::Chunk;
use super::partition::Snapshot;
use super::row_group::RowGroup;
use crate::rows::Rows;

/// Rows that are not stored yet, as a query reads them: numbered from `first_seq` on.
pub(crate) fn snapshot_of(rows: &Rows, first_seq: u64, updated_us: i64) -> Snapshot {
    let group = RowGroup {
        state: RowState::Live,
        is_new: true,
        columns: rows.columns.clone(),
        row_ids: rows.row_ids.clone(),
        first_seq,
        updated_us,
        n_rows: rows.n_rows,
    };
    Arc::new(vec![Chunk::new(group)])
}
