use crate::{
    Damage, Decoded, LogEntry, LogKey, Meta, RecordKey, RecordKind, StoreError, StoreResult, Tail, commit_header,
    decode_catalog, decode_commit, decode_manifest, manifest_partition,
};

/// After a commit whose numbers cannot be read, row versions are numbered from so much later on: more than it can have
/// written.
pub(crate) const SEQ_LEAP: u64 = 1 << 32;

/// The same for ids.
pub(crate) const ID_LEAP: u64 = 1 << 20;

/// Assembles a [`Tail`] from stored bytes: decodes what decodes and lists the rest as damaged.
///
/// The records of the log come first, in order; then it is known whether the reader wants manifests and the catalog.
#[derive(Debug)]
pub struct TailBuilder {
    tail: Tail,
    since: Option<Meta>,
    /// The newest record does not tell the numbers.
    is_in_doubt: bool,
    was_deleted: bool,
}

impl TailBuilder {
    /// Begins the tail after what a reader has seen; everything if it has seen nothing.
    pub fn new(since: Option<&Meta>) -> Self {
        let tail = Tail { meta: since.cloned().unwrap_or_default(), ..Tail::default() };
        Self { tail, since: since.cloned(), is_in_doubt: false, was_deleted: false }
    }

    /// The first key of the log to be read: the reader's newest, whose value is not needed, shows that it is the same
    /// log.
    pub fn first_key(since: Option<&Meta>) -> u64 {
        since.map_or(0, |since| since.head)
    }

    /// Whether the value of a record is needed.
    pub fn wants(&self, number: u64) -> bool {
        self.since.as_ref().is_none_or(|since| number > since.head)
    }

    /// Checks the keys of the log from [`TailBuilder::first_key`] on.
    ///
    /// # Errors
    /// `Corrupted` if commits that were read once are gone.
    pub fn check_keys(&self, last: Option<u64>) -> StoreResult<()> {
        match &self.since {
            Some(since) if since.head > 0 && last.is_none_or(|last| last < since.head) => {
                let what = format!(
                    "the log has lost it, and goes up to {} now",
                    last.map_or_else(|| "nothing".to_owned(), |last| last.to_string())
                );
                Err(StoreError::Corrupted { key: RecordKey::Log(since.head).to_string(), what })
            }
            _ => Ok(()),
        }
    }

    /// Adds a record of the log.
    pub fn commit(&mut self, number: u64, bytes: &[u8]) {
        self.tail.meta.head = number;
        let mut entry = LogEntry { number, nonce: None, is_damaged: false };
        match decode_commit(number, bytes) {
            Ok(Decoded::Void) => {}
            // It stays for as long as the database exists, so that whoever has read the one before finds it.
            Ok(Decoded::Deletion) => {
                self.was_deleted = true;
                self.tail = Tail { meta: Meta { head: number, ..Meta::default() }, ..Tail::default() };
                return;
            }
            Ok(Decoded::Commit(record)) => {
                self.take_numbers(record.meta);
                entry.nonce = Some(record.nonce);
                self.tail.log.extend(record.log);
            }
            Err(error) => {
                entry.is_damaged = true;
                self.damaged_commit(number, &what_of(error), bytes);
            }
        }
        self.tail.entries.push(entry);
    }

    /// Lists a record of the log that cannot be handed over as bytes.
    pub fn commit_of_no_bytes(&mut self, number: u64, what: &str) {
        self.tail.meta.head = number;
        self.damaged_commit(number, what, &[]);
        self.tail.entries.push(LogEntry { number, nonce: None, is_damaged: true });
    }

    fn damaged_commit(&mut self, number: u64, what: &str, bytes: &[u8]) {
        let damage = |partition| Damage::of(&RecordKey::Log(number), what, partition);
        match commit_header(number, bytes) {
            Some((meta, partitions)) => {
                self.take_numbers(meta);
                match partitions.is_empty() {
                    true => self.tail.damaged.push(damage(None)),
                    false => self.tail.damaged.extend(partitions.into_iter().map(Some).map(damage)),
                }
            }
            None => {
                self.is_in_doubt = true;
                self.tail.damaged.push(damage(None));
            }
        }
    }

    fn take_numbers(&mut self, meta: Meta) {
        self.is_in_doubt = false;
        self.tail.meta = meta;
    }

    /// Ends the log.
    pub fn end_log(&mut self) {
        if std::mem::take(&mut self.is_in_doubt) {
            let Meta { head, next_seq, next_id, .. } = self.tail.meta;
            self.tail.meta = Meta {
                head,
                catalog_head: head,
                manifest_head: head,
                owners_head: head,
                next_seq: next_seq.saturating_add(SEQ_LEAP),
                next_id: next_id.saturating_add(ID_LEAP),
            };
        }
        if self.wants_catalog() {
            self.tail.catalog = Some(Vec::new());
        }
    }

    /// Whether the reader wants the catalog.
    pub fn wants_catalog(&self) -> bool {
        let Meta { catalog_head, owners_head, .. } = self.tail.meta;
        self.since.as_ref().is_none_or(|since| (since.catalog_head, since.owners_head) != (catalog_head, owners_head))
    }

    /// Whether there are manifests that the reader has not seen.
    pub fn wants_manifests(&self) -> bool {
        self.since.as_ref().is_none_or(|since| self.tail.meta.manifest_head > since.head)
    }

    /// Adds a catalog record.
    pub fn catalog(&mut self, key: &str, bytes: &[u8]) {
        match decode_catalog(key, bytes) {
            Ok(record) => self.tail.catalog.get_or_insert_default().push(record),
            Err(error) => self.damaged(&RecordKey::Catalog(key.to_owned()), &what_of(error)),
        }
    }

    /// Adds a manifest; manifests come in the order of their keys.
    pub fn manifest(&mut self, key: LogKey, bytes: &[u8]) {
        match decode_manifest(key, bytes) {
            Ok(manifest) => self.tail.manifests.push(manifest),
            Err(error) => {
                let partition = manifest_partition(key, bytes);
                self.tail.damaged.push(Damage::of(&RecordKey::Manifest(key), &what_of(error), partition));
            }
        }
    }

    /// Lists a record that cannot even be handed over as bytes.
    pub fn damaged(&mut self, key: &RecordKey, what: &str) {
        self.tail.damaged.push(Damage::of(key, what, None));
    }

    /// Lists a record under a key that is none of ours, given as text.
    pub fn foreign(&mut self, kind: RecordKind, key: String, what: &str) {
        self.tail.damaged.push(Damage { kind, key, what: what.to_owned(), partition: None });
    }

    /// Whether the database that the reader has read was deleted, and this is another one.
    pub fn was_deleted(&self) -> bool {
        self.was_deleted && self.since.is_some()
    }

    /// Ends the tail.
    pub fn finish(self) -> Tail {
        self.tail
    }
}

fn what_of(error: StoreError) -> String {
    match error {
        StoreError::Corrupted { what, .. } => what,
        error => error.to_string(),
    }
}
