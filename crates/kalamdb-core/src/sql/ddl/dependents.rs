//! The views that read what is to be changed or dropped.

use std::sync::Arc;

use crate::catalog::{Catalog, StoredView, TableName};
use crate::error::{Error, ErrorKind, Result};

/// The views that read any of these tables and views, and those that read them, and so on.
pub(super) fn dependents(catalog: &Catalog, names: &[TableName]) -> Vec<Arc<StoredView>> {
    let mut found: Vec<Arc<StoredView>> = Vec::new();
    loop {
        let is_new = |view: &&Arc<StoredView>| {
            let reads = |name: &TableName| names.contains(name) || found.iter().any(|other| other.full_name() == *name);
            found.iter().all(|other| other.id != view.id)
                && !names.contains(&view.full_name())
                && view.reads.iter().any(reads)
        };
        let more: Vec<Arc<StoredView>> = catalog.views().filter(is_new).cloned().collect();
        if more.is_empty() {
            return found;
        }
        found.extend(more);
    }
}

/// Refuses what a view depends on, unless the views go along.
pub(super) fn dependents_to_drop(
    catalog: &Catalog,
    names: &[TableName],
    cascade: bool,
) -> Result<Vec<Arc<StoredView>>> {
    let views = dependents(catalog, names);
    match views.first() {
        Some(view) if !cascade => {
            let of: Vec<String> =
                names.iter().filter(|name| view.reads.contains(name)).map(TableName::to_string).collect();
            let message = format!("view {} reads {}", view.full_name(), of.join(", "));
            Err(Error::new(ErrorKind::DependentObjectsStillExist, message)
                .with_hint("drop the view first, or use CASCADE"))
        }
        _ => Ok(views),
    }
}
