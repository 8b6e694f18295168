use crate::{CatalogRecord, LogKey, LogRecord, Meta, Position, RecordKey, StoreError, StoreResult, Tail, decode_catalog, decode_log};

/// Assembles a [`Tail`] from stored bytes: decodes what decodes and lists the rest as damaged.
#[derive(Debug)]
pub struct TailBuilder {
    tail: Tail,
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
        Ok(Self { last_commit: meta.head, tail: Tail { meta, catalog, log: Vec::new(), damaged: Vec::new() } })
    }

    /// Whether the reader wants the catalog.
    pub fn wants_catalog(&self) -> bool {
        self.tail.catalog.is_some()
    }

    /// Adds a catalog record.
    pub fn catalog(&mut self, key: &str, bytes: &[u8]) {
        let decoded = decode_catalog(key, bytes);
        if let Some(CatalogRecord { key, value }) = self.keep(RecordKey::Catalog(key.to_owned()), decoded) {
            self.tail.catalog.get_or_insert_default().push(CatalogRecord { key, value });
        }
    }

    /// Adds a log record; records come in the order of their keys.
    pub fn log(&mut self, key: LogKey, bytes: &[u8]) {
        self.last_commit = self.last_commit.max(key.commit);
        let decoded: StoreResult<LogRecord> = decode_log(key, bytes);
        if let Some(record) = self.keep(RecordKey::Log(key), decoded) {
            self.tail.log.push(record);
        }
    }

    /// Lists a record that cannot even be handed over as bytes.
    pub fn damaged(&mut self, key: String, what: impl Into<String>) {
        self.tail.damaged.push((key, what.into()));
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

    fn keep<T>(&mut self, key: RecordKey, decoded: StoreResult<T>) -> Option<T> {
        match decoded {
            Ok(record) => Some(record),
            Err(StoreError::Corrupted { key, what }) => {
                self.damaged(key, what);
                None
            }
            Err(error) => {
                self.damaged(key.to_string(), error.to_string());
                None
            }
        }
    }
}

fn contradiction(what: String) -> StoreError {
    StoreError::Corrupted { key: RecordKey::Meta.to_string(), what }
}
