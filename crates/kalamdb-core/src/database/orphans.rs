use std::collections::HashSet;
use std::sync::Arc;

use kalamdb_store::{Commit, Meta, PageKey, PartitionId, StoreError, Tail};

use super::Database;
use crate::catalog::{self, Catalog};
use crate::error::Result;
use crate::segment::decode_manifest;

impl Database {
    /// Removes columns of segments that nothing can name any more; gives how many.
    ///
    /// Those that a damaged manifest may name stay as long as their table does. Nothing is done if another tab commits after the
    /// manifests were read, as what it has stored might be taken for an orphan.
    ///
    /// # Errors
    /// The store's; `data_corrupted` if the meta record is damaged.
    pub(crate) async fn collect_orphans(&self) -> Result<usize> {
        let tail = self.store.read_since(None).await?;
        let orphans = self.orphans(&tail).await?;
        if orphans.is_empty() {
            return Ok(0);
        }
        let _turn = self.turn_alone().await?;
        let commit = Commit {
            base: tail.meta.head,
            meta: Meta { head: tail.meta.head + 1, ..tail.meta },
            drop_pages: orphans,
            makes_room: true,
            durability: self.durability(),
            ..Commit::default()
        };
        let n_collected = match self.store.commit(&commit).await {
            Ok(()) => commit.drop_pages.len(),
            Err(StoreError::Conflict { .. } | StoreError::Indeterminate { .. }) => 0,
            Err(error) => return Err(error.into()),
        };
        self.catch_up().await?;
        Ok(n_collected)
    }

    /// The pages that nothing can name, as of `tail`, which is all that is stored.
    async fn orphans(&self, tail: &Tail) -> Result<Vec<PageKey>> {
        let catalog = match &tail.catalog {
            Some(records) => Arc::new(catalog::decode(records)),
            None => self.catalog(),
        };
        // Whose table a damaged definition was is not known.
        let is_definition = |key: &str| key.starts_with("catalog/");
        if catalog.require_whole().is_err() || tail.damaged.iter().any(|damage| is_definition(&damage.key)) {
            return Ok(Vec::new());
        }
        let (named, unreadable) = manifests(tail, &catalog);
        let mut orphans = Vec::new();
        // What other tabs have stored since has later ids.
        for key in self.store.page_keys().await?.into_iter().filter(|key| key.segment < tail.meta.next_id && !named.contains(key)) {
            let may_be_named = match self.store.read_pages(&[key]).await.map(|pages| pages.into_iter().next().flatten()) {
                Ok(Some(page)) => catalog.contains_table_id(page.partition.table) && unreadable.may_be_of(&page.partition),
                Ok(None) => continue,
                Err(StoreError::Corrupted { .. }) => unreadable.are_any(),
                Err(error) => return Err(error.into()),
            };
            if !may_be_named {
                orphans.push(key);
            }
            self.pause().await;
        }
        Ok(orphans)
    }
}

/// Whose manifests of tables that exist do not decode.
#[derive(Debug, Default)]
struct Unreadable {
    of: HashSet<PartitionId>,
    /// Of some it is not known.
    of_anybody: bool,
}

impl Unreadable {
    fn may_be_of(&self, partition: &PartitionId) -> bool {
        self.of_anybody || self.of.contains(partition)
    }

    fn are_any(&self) -> bool {
        self.of_anybody || !self.of.is_empty()
    }
}

/// The pages that manifests name, and the manifests that do not tell.
fn manifests(tail: &Tail, catalog: &Catalog) -> (HashSet<PageKey>, Unreadable) {
    let (mut named, mut unreadable) = (HashSet::new(), Unreadable::default());
    for manifest in &tail.manifests {
        let Some(table) = catalog.find_id(manifest.partition.table) else { continue };
        match decode_manifest(table, &manifest.body) {
            Ok(contents) => named.extend(contents.segments.iter().flat_map(|stored| stored.segment.page_keys())),
            Err(_) => drop(unreadable.of.insert(manifest.partition.clone())),
        }
    }
    // Other records of an unknown kind might be manifests too.
    for damage in tail.damaged.iter().filter(|damage| !damage.key.starts_with("log/")) {
        match &damage.partition {
            Some(partition) if catalog.contains_table_id(partition.table) => drop(unreadable.of.insert(partition.clone())),
            Some(_) => {}
            None => unreadable.of_anybody = true,
        }
    }
    (named, unreadable)
}
