//! Reads pages from the store into the cache.

use std::rc::Rc;
use std::sync::Arc;

use kalamdb_store::{PageKey, Store};
use kalamdb_types::page::decode_page;

use super::cache::{PageCache, Pins};
use crate::error::{Error, ErrorKind, Result};
use crate::retry::PageRef;

/// Reads pages from the store into the cache.
pub(crate) struct Pages {
    store: Rc<dyn Store>,
    cache: Arc<PageCache>,
}

impl std::fmt::Debug for Pages {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Pages").finish_non_exhaustive()
    }
}

impl Pages {
    pub(crate) fn new(store: Rc<dyn Store>, budget: usize) -> Rc<Self> {
        Rc::new(Self { store, cache: PageCache::new(budget) })
    }

    pub(crate) fn cache(&self) -> &Arc<PageCache> {
        &self.cache
    }

    /// Brings pages into memory and keeps them there until the pins are dropped.
    ///
    /// # Errors
    /// `data_corrupted`; a stale snapshot if a page is no more, as other segments have taken the place of its own; the
    /// store's.
    pub(crate) async fn load(&self, wanted: &[PageRef]) -> Result<Pins> {
        let mut pins = self.cache.pin(wanted.iter().map(|page| page.key));
        let missing: Vec<&PageRef> = wanted.iter().filter(|page| !pins.has(page.key)).collect();
        if !missing.is_empty() {
            let keys: Vec<PageKey> = missing.iter().map(|page| page.key).collect();
            let read = self.store.read_pages(&keys).await.map_err(|error| named(&missing, error.into()))?;
            for (page, stored) in missing.iter().zip(read) {
                let Some(stored) = stored else { return Err(Error::stale_snapshot(&page.table_name)) };
                let column = decode_page(&stored.values, &page.sql_type, page.n_rows)
                    .map_err(|error| damaged(page, &error.to_string()))?;
                pins.add(page.key, column);
            }
        }
        Ok(pins)
    }
}

fn damaged(page: &PageRef, what: &str) -> Error {
    let message = format!(
        "table {}: segment {} is damaged in column {}: {what}",
        page.table_name, page.key.segment, page.key.column
    );
    Error::new(ErrorKind::DataCorrupted, message)
}

/// An error of the store, with the name of its table.
fn named(pages: &[&PageRef], error: Error) -> Error {
    match pages.first() {
        Some(page) if error.kind() == ErrorKind::DataCorrupted => error.in_table(&page.table_name),
        _ => error,
    }
}
