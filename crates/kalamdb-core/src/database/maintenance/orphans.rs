//! Segments that no manifest names, left by an instance that died.

use std::collections::HashSet;

use kalamdb_store::{Commit, Meta, PageKey, PartitionId as StoredId, RecordKind, StoreError, Tail};

use crate::catalog;
use crate::catalog::Catalog;
use crate::database::{CommitOutcome, Database};
use crate::error::Result;
use crate::segment::decode_manifest;

impl Database {
    /// Removes columns of segments that nothing can name any more.
    ///
    /// Those that a damaged manifest may name stay as long as their table does. Nothing is done if another tab commits
    /// after the manifests were read, as what it has stored might be taken for an orphan.
    ///
    /// # Errors
    /// The store's; `data_corrupted` if commits that were read once are gone.
    pub(crate) async fn collect_orphans(&self) -> Result<()> {
        let tail = self.store.read_since(None).await?;
        let Some(records) = &tail.catalog else { return Ok(()) };
        let catalog = catalog::decode(records);
        // Whose table a damaged definition was is not known.
        if catalog.require_whole().is_err() || tail.damaged.iter().any(|damage| damage.kind == RecordKind::Catalog) {
            return Ok(());
        }
        let named = Named::by(&tail, &catalog);
        let mut orphans = Vec::new();
        // What other tabs have stored since has later ids.
        for key in self
            .store
            .page_keys()
            .await?
            .into_iter()
            .filter(|key| key.segment < tail.meta.next_id && !named.pages.contains(key))
        {
            let may_be_named = match self.store.read_pages(&[key]).await {
                Ok(pages) => pages
                    .iter()
                    .flatten()
                    .any(|page| catalog.contains_table_id(page.partition.table) && named.may_be_of(&page.partition)),
                Err(StoreError::Corrupted { .. }) => !named.unreadable.is_empty(),
                Err(error) => return Err(error.into()),
            };
            if !may_be_named {
                orphans.push(key);
            }
        }
        if orphans.is_empty() {
            return Ok(());
        }
        let _turn = self.turn_alone().await?;
        let base = tail.meta;
        let commit = Commit {
            base: base.head,
            nonce: self.random()?,
            meta: Meta { head: base.head + 1, ..base.clone() },
            drop_pages: orphans,
            makes_room: true,
            durability: self.durability(),
            ..Commit::default()
        };
        match self.store_commit(&base, &commit).await? {
            CommitOutcome::Full(error) => Err(error),
            CommitOutcome::Stored | CommitOutcome::Conflict | CommitOutcome::Unclear(_) => {
                self.catch_up().await.map(drop)
            }
        }
    }
}

/// The pages that manifests name.
struct Named {
    pages: HashSet<PageKey>,
    /// The partitions of existing tables whose manifests are damaged; `None` for an unknown partition.
    unreadable: Vec<Option<StoredId>>,
}

impl Named {
    fn by(tail: &Tail, catalog: &Catalog) -> Self {
        let mut named = Self { pages: HashSet::new(), unreadable: Vec::new() };
        for manifest in &tail.manifests {
            let Some(table) = catalog.find_id(manifest.partition.table) else { continue };
            match decode_manifest(table, &manifest.body) {
                Ok(contents) => {
                    for key in contents.segments.iter().flat_map(|stored| stored.segment.page_keys()) {
                        named.pages.insert(key);
                    }
                }
                Err(_) => named.unreadable.push(Some(manifest.partition.clone())),
            }
        }
        for damage in tail.damaged.iter().filter(|damage| damage.kind == RecordKind::Manifest) {
            if damage.partition.as_ref().is_none_or(|partition| catalog.contains_table_id(partition.table)) {
                named.unreadable.push(damage.partition.clone());
            }
        }
        named
    }

    /// Whether a manifest that does not decode may be that of a partition. Pages of earlier versions do not say whose
    /// they are.
    fn may_be_of(&self, page: &StoredId) -> bool {
        let may_be = |of: &StoredId| of.table == page.table && (of.owner == page.owner || page.owner.is_none());
        self.unreadable.iter().any(|of| of.as_ref().is_none_or(may_be))
    }
}
