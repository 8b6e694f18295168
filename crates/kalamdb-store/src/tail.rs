use crate::{
    CatalogRecord, Damage, LogKey, Meta, Position, RecordKey, StoreError, StoreResult, Tail, decode_catalog, decode_log, decode_manifest,
    partition_of,
};

/// Assembles a [`Tail`] from stored bytes: decodes what decodes and lists the rest as damaged.
#[derive(Debug)]
pub struct TailBuilder {
    tail: Tail,
    wants_manifests: bool,
    last_commit: u64,
}

impl TailBuilder {
    /// Begins the tail after `since` in a store whose meta record is `meta`.
    ///
    /// # Errors
    /// `Corrupted` if the stored head is before `since`: commits that were read once are gone.
    pub fn new(meta: Meta, since: Option<Position>) -> StoreResult<Self> {
        if let Some(since) = since.filter(|since| since.head > meta.head) {
            return Err(contradiction(format!("the head went back from {} to {}", since.head, meta.head)));
        }
        let changed = since.is_none_or(|since| since.catalog_head != meta.catalog_head);
        let catalog = changed.then(Vec::new);
        let wants_manifests = meta.manifest_head > since.map_or(0, |since| since.head);
        Ok(Self { last_commit: meta.head, wants_manifests, tail: Tail { meta, catalog, ..Tail::default() } })
    }

    /// Whether the reader wants the catalog.
    pub fn wants_catalog(&self) -> bool {
        self.tail.catalog.is_some()
    }

    /// Whether there are manifests that the reader has not seen.
    pub fn wants_manifests(&self) -> bool {
        self.wants_manifests
    }

    /// Adds a catalog record.
    pub fn catalog(&mut self, key: &str, bytes: &[u8]) {
        let decoded = decode_catalog(key, bytes);
        if let Some(CatalogRecord { key, value }) = self.keep(&RecordKey::Catalog(key.to_owned()), decoded, bytes) {
            self.tail.catalog.get_or_insert_default().push(CatalogRecord { key, value });
        }
    }

    /// Adds a log record; records come in the order of their keys.
    pub fn log(&mut self, key: LogKey, bytes: &[u8]) {
        self.last_commit = self.last_commit.max(key.commit);
        if let Some(record) = self.keep(&RecordKey::Log(key), decode_log(key, bytes), bytes) {
            self.tail.log.push(record);
        }
    }

    /// Adds a manifest; manifests come in the order of their keys.
    pub fn manifest(&mut self, key: LogKey, bytes: &[u8]) {
        self.last_commit = self.last_commit.max(key.commit);
        if let Some(manifest) = self.keep(&RecordKey::Manifest(key), decode_manifest(key, bytes), bytes) {
            self.tail.manifests.push(manifest);
        }
    }

    /// Lists a record that cannot even be handed over as bytes.
    pub fn damaged(&mut self, key: String, what: impl Into<String>) {
        self.tail.damaged.push(Damage { key, what: what.into(), partition: None });
    }

    /// Ends the tail.
    ///
    /// # Errors
    /// `Corrupted` if the log goes on after the head: the next commit would overwrite it.
    pub fn finish(self) -> StoreResult<Tail> {
        let head = self.tail.meta.head;
        if self.last_commit > head {
            return Err(contradiction(format!("the head is {head}, the log goes on to commit {}", self.last_commit)));
        }
        Ok(self.tail)
    }

    fn keep<T>(&mut self, key: &RecordKey, decoded: StoreResult<T>, bytes: &[u8]) -> Option<T> {
        let what = match decoded {
            Ok(record) => return Some(record),
            Err(StoreError::Corrupted { what, .. }) => what,
            Err(error) => error.to_string(),
        };
        self.tail.damaged.push(Damage { key: key.to_string(), what, partition: partition_of(key, bytes) });
        None
    }
}

fn contradiction(what: String) -> StoreError {
    StoreError::Corrupted { key: RecordKey::Meta.to_string(), what }
}
