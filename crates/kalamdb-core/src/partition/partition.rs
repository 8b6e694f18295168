//! The rows of one partition in memory: chunks of Arrow columns, and an index from keys to rows.
//!
//! A row version is never changed in place: a newer one is appended, and a bit masks the older. A key has one live row
//! at most, and one tombstone: a new row leaves that of the row before it as it is, until it is deleted in turn.
//! Readers hold a [`Snapshot`], which later commits do not touch. The first chunks are the partition's segments, whose
//! columns are read when they are needed; the others hold the rows that are in the log.

use std::collections::VecDeque;
use std::rc::Rc;
use std::sync::Arc;

use kalamdb_store::{LogKey, LogRecord, RowState};

use super::chunk::{Chunk, RowAddress};
use super::frozen;
use super::key_index::KeyIndex;
use super::row_group::RowGroup;
use super::tap::{Appended, Report, Tap, Taps};
use super::unique_index::UniqueIndex;
use crate::catalog::Table;
use crate::error::{Error, ErrorKind, Result};
use crate::retry::Retry;
use crate::rows::Keys;
use crate::segment::{PageCache, SegmentColumns, decode_manifest};

/// Chunks of at most this many rows are merged with their neighbours, so that many small commits leave few chunks.
const MERGE_ROWS: usize = 16_384;

/// The same for the memory that they take: 16 MiB.
const MERGE_BYTES: usize = 16 << 20;

/// The least number of chunks that are merged: less work than merging at every commit, and few enough to read.
const MERGE_CHUNKS: usize = 8;

/// The chunks of a partition at one moment, oldest first.
pub(crate) type Snapshot = Arc<Vec<Chunk>>;

/// The newest row of a key: the live one, or the one deleted last.
#[derive(Debug, Clone, Copy)]
pub(crate) struct StoredKey {
    pub(crate) address: RowAddress,
    /// Whether it is a tombstone.
    pub(crate) is_deleted: bool,
}

/// A part of the log, as far as it is known without its rows.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Logged {
    pub(crate) key: LogKey,
    pub(crate) first_seq: u64,
    pub(crate) updated_us: i64,
    pub(crate) n_rows: usize,
    /// The length of its rows.
    pub(crate) n_bytes: usize,
}

/// One partition's rows.
#[derive(Debug, Clone, Default)]
pub(crate) struct Partition {
    pub(super) chunks: Snapshot,
    /// How many of the chunks are segments; they come first.
    pub(super) n_segments: usize,
    /// Chunks of the log may hold rows numbered below this one, which are in segments by now and to be left out; 0:
    /// they hold none.
    pub(super) hot_from: u64,
    /// The key of the manifest that names the segments.
    pub(super) manifest: Option<LogKey>,
    /// Parts of the log up to this one are in the segments, or their rows are gone.
    pub(super) flushed_through: Option<LogKey>,
    /// The manifest's body, until somebody asks for the rows.
    pub(super) undecoded: Option<Undecoded>,
    /// The version of the table's columns that the chunks have; `None` before the first is looked at.
    pub(super) schema_version: Option<u32>,
    /// Of the rows in the log. Built when a key is first looked for.
    pub(super) index: Option<Arc<KeyIndex>>,
    /// Of the rows in the log. Each built when its columns are first looked for.
    pub(super) unique: Vec<UniqueIndex>,
    /// For columns that count on by themselves, the maximum so far.
    pub(super) max_values: Vec<(usize, i64)>,
    /// The same of rows in segments, and of those that are gone, by the columns' ids.
    pub(super) counters: Vec<(u32, i64)>,
    /// Row versions that no statement has read yet.
    pub(super) pending: VecDeque<Pending>,
    /// The partition's log records, in the order of their keys.
    pub(super) log: Vec<Logged>,
    /// The number of the last commit that changed the partition.
    pub(super) changed_at: u64,
    /// Stands for a partition whose copy a transaction has dropped after reading it.
    pub(super) is_unread: bool,
    /// Chunks that are being flushed or merged.
    pub(super) frozen: Option<frozen::Frozen>,
    /// Of those who watch the partition.
    pub(super) taps: Taps,
}

#[derive(Debug, Clone)]
pub(super) struct Undecoded {
    pub(super) body: Arc<[u8]>,
    pub(super) cache: Arc<PageCache>,
}

/// Row versions that are committed, and not among the chunks yet.
#[derive(Debug, Clone)]
pub(super) enum Pending {
    Record(LogRecord),
    /// Written by this instance, with that version of the columns.
    Group {
        group: RowGroup,
        version: u32,
        commit: u64,
    },
}

impl Logged {
    pub(crate) fn of(record: &LogRecord) -> Self {
        Self {
            key: record.key,
            first_seq: record.first_seq,
            updated_us: record.updated_us,
            n_rows: record.n_rows as usize,
            n_bytes: record.rows.len(),
        }
    }
}

impl Partition {
    /// Takes note of a record read from the log; it is looked at when the rows are first asked for.
    pub(crate) fn add_pending(&mut self, record: LogRecord) {
        self.log.push(Logged::of(&record));
        self.changed_at = record.key.commit;
        self.pending.push_back(Pending::Record(record));
    }

    /// Takes note of records that a commit of this instance has written; their rows come by [`Partition::apply`].
    pub(crate) fn add_logged(&mut self, records: impl IntoIterator<Item = Logged>) {
        self.log.extend(records);
    }

    /// The parts of the log that hold rows which are nowhere else, with their bytes.
    pub(crate) fn parts(&self) -> impl Iterator<Item = (LogKey, usize)> {
        self.log.iter().map(|logged| (logged.key, logged.n_bytes))
    }

    /// Whether a part of the log has gone into segments.
    pub(crate) fn has_flushed(&self, key: LogKey) -> bool {
        self.flushed_through.is_some_and(|through| key <= through)
    }

    pub(crate) fn changed_at(&self) -> u64 {
        self.changed_at
    }

    /// A copy for a transaction: it shares the rows until one of the two changes.
    ///
    /// # Errors
    /// As [`Partition::snapshot`].
    pub(crate) fn fork(&mut self, table: &Arc<Table>) -> Result<Self> {
        self.load(table)?;
        Ok(Self {
            chunks: Arc::clone(&self.chunks),
            n_segments: self.n_segments,
            schema_version: self.schema_version,
            index: self.index.clone(),
            unique: self.unique.clone(),
            max_values: self.max_values.clone(),
            counters: self.counters.clone(),
            changed_at: self.changed_at,
            ..Self::default()
        })
    }

    /// The stand-in for a partition whose copy a transaction has dropped: the transaction still depends on it.
    pub(crate) fn unread() -> Self {
        Self { is_unread: true, ..Self::default() }
    }

    pub(crate) fn is_unread(&self) -> bool {
        self.is_unread
    }

    /// The rows as of now.
    ///
    /// # Errors
    /// `data_corrupted` if a record does not decode; the partition stays as it is, so every later call fails too.
    pub(crate) fn snapshot(&mut self, table: &Arc<Table>) -> Result<Snapshot> {
        self.load(table)?;
        Ok(Arc::clone(&self.chunks))
    }

    /// Takes in what was read from the manifest and the log. Rows without an earlier version need not be decoded for
    /// that.
    pub(super) fn load(&mut self, table: &Arc<Table>) -> Result<()> {
        self.take_over(table)?;
        while let Some(pending) = self.pending.front() {
            let (chunk, is_new, commit) = match pending {
                Pending::Record(record) => {
                    (Chunk::from_record(record.clone(), table), record.is_new, record.key.commit)
                }
                Pending::Group { group, version, commit } => {
                    let group = group.clone().upgraded(*version, table)?;
                    let is_new = group.is_new;
                    (Chunk::new(group), is_new, *commit)
                }
            };
            let is_watched = self.taps.want(commit);
            if let Some(appended) = self.append(table, chunk, is_new, is_watched)? {
                self.taps.report(commit, &Report::Appended(Rc::new(appended)));
            }
            self.pending.pop_front();
        }
        Ok(())
    }

    /// Watches the rows: later commits than that one are reported.
    pub(crate) fn watch(&mut self, since: u64) -> Rc<Tap> {
        self.taps.open(since)
    }

    /// Tells those who watch the rows that the table is gone, as of the commit of that number.
    pub(crate) fn report_dropped(&mut self, table: &Arc<Table>, commit: u64) {
        if self.taps.want(commit) {
            // What has not been reported yet goes first. Where pages are missing they go with the table.
            let _ = self.load(table);
            self.taps.report(commit, &Report::Dropped);
        }
    }

    /// Converts the chunks to the current manifest and the current version of the table's columns.
    pub(super) fn take_over(&mut self, table: &Arc<Table>) -> Result<()> {
        self.upgrade_to_current_schema(table)?;
        self.leave_flushed(table)?;
        self.decode(table)
    }

    /// Reads the manifest, if that has not been done. The chunks that there are hold rows of the log, and come behind
    /// the segments.
    fn decode(&mut self, table: &Arc<Table>) -> Result<()> {
        if let Some(undecoded) = &self.undecoded {
            let contents = decode_manifest(table, &undecoded.body)?;
            let chunk = |stored: crate::segment::StoredSegment| {
                Chunk::of_segment(
                    SegmentColumns::new(stored.segment, Arc::clone(table), Arc::clone(&undecoded.cache)),
                    stored.marks,
                )
            };
            let mut chunks: Vec<Chunk> = contents.segments.into_iter().map(chunk).collect();
            self.n_segments = chunks.len();
            chunks.extend(self.chunks.iter().cloned());
            self.chunks = Arc::new(chunks);
            self.counters = contents.counters;
            self.changed_at = self.changed_at.max(contents.changed_at);
            self.undecoded = None;
        }
        Ok(())
    }

    /// Brings the chunks to the current version of the table's columns.
    fn upgrade_to_current_schema(&mut self, table: &Arc<Table>) -> Result<()> {
        match self.schema_version {
            Some(version) if version < table.schema_version => {
                let chunks =
                    self.chunks.iter().map(|chunk| chunk.upgraded(version, table)).collect::<Result<Vec<_>>>()?;
                self.chunks = Arc::new(chunks);
                // Keys are bytes that depend on the columns' types, and columns are known by their positions.
                self.index = None;
                self.unique.clear();
                self.max_values.clear();
            }
            Some(version) if version > table.schema_version => {
                let message = format!("table {} was altered meanwhile", table.full_name());
                return Err(Error::new(ErrorKind::SerializationFailure, message).with_hint("run the statement again"));
            }
            _ => {}
        }
        self.schema_version = Some(table.schema_version);
        Ok(())
    }

    /// Adds row versions, written by the commit of that number; those that they supersede are masked.
    pub(crate) fn apply(&mut self, table: &Arc<Table>, group: RowGroup, commit: u64) -> Result<()> {
        self.add(table.schema_version, group, commit);
        self.take_in(table)
    }

    /// Adds row versions, with that version of the columns, that are looked at when rows are next asked for, or by
    /// [`Partition::take_in`].
    pub(crate) fn add(&mut self, version: u32, group: RowGroup, commit: u64) {
        self.changed_at = commit;
        self.pending.push_back(Pending::Group { group, version, commit });
    }

    /// Looks at what was added.
    pub(crate) fn take_in(&mut self, table: &Arc<Table>) -> Result<()> {
        match self.load(table) {
            // The rows are committed: whoever asks for them next reads the pages that tell which others they supersede.
            Err(error) if error.retry().is_some() => Ok(()),
            result => result,
        }
    }

    /// Finds the newest row, live or tombstone, of each key.
    pub(crate) fn find(&mut self, table: &Arc<Table>, keys: &Keys) -> Result<Vec<Option<StoredKey>>> {
        self.load(table)?;
        let index = self.index(table)?;
        let mut addresses: Vec<Option<RowAddress>> = (0..keys.len()).map(|row| index.get(keys, row)).collect();
        for (row, address) in self.find_cold(keys, &addresses)? {
            if let Some(slot) = addresses.get_mut(row) {
                *slot = Some(address);
            }
        }
        let stored = |address| StoredKey { address, is_deleted: self.is_deleted(address) };
        Ok(addresses.into_iter().map(|address| address.map(stored)).collect())
    }

    fn is_deleted(&self, address: RowAddress) -> bool {
        self.chunks.get(address.chunk()).is_some_and(|chunk| chunk.is_deleted(address.row()))
    }

    fn is_live(&self, address: RowAddress) -> bool {
        self.chunks.get(address.chunk()).is_some_and(|chunk| !chunk.is_deleted(address.row()))
    }

    /// Finds, in the segments, the newest rows of those keys that were not found in the log.
    fn find_cold(&self, keys: &Keys, hot: &[Option<RowAddress>]) -> Result<Vec<(usize, RowAddress)>> {
        if self.n_segments == 0 {
            return Ok(Vec::new());
        }
        let wanted: Vec<usize> =
            hot.iter().enumerate().filter(|(_, address)| address.is_none()).map(|(row, _)| row).collect();
        if wanted.is_empty() {
            return Ok(Vec::new());
        }
        let mut found = self.find_stored(keys, &wanted, |_| true)?;
        // Of the rows of one key the live one is the newest.
        found.sort_by_key(|(key, address)| (*key, self.is_deleted(*address)));
        found.dedup_by_key(|(key, _)| *key);
        Ok(found)
    }

    /// Finds the rows of keys in those segments that are to be searched, superseded ones left out.
    fn find_stored(
        &self,
        keys: &Keys,
        wanted: &[usize],
        is_searched: impl Fn(&Chunk) -> bool,
    ) -> Result<Vec<(usize, RowAddress)>> {
        let (mut found, mut missing) = (Vec::new(), Vec::new());
        for (at, chunk) in self.segments().filter(|(_, chunk)| is_searched(chunk)) {
            let Some(segment) = chunk.segment() else { continue };
            match segment.find_keys(keys, wanted) {
                Ok(rows) => found.extend(
                    rows.into_iter()
                        .filter(|(_, row)| chunk.is_current(*row))
                        .map(|(key, row)| (key, RowAddress::new(at, row))),
                ),
                Err(error) => match error.retry() {
                    Some(Retry::Pages(pages)) => missing.extend(pages.iter().cloned()),
                    _ => return Err(error),
                },
            }
        }
        if missing.is_empty() { Ok(found) } else { Err(Error::missing_pages(missing)) }
    }

    pub(super) fn segments(&self) -> impl Iterator<Item = (usize, &Chunk)> {
        self.chunks.iter().enumerate().take(self.n_segments)
    }

    /// The chunks of rows in the log, with their positions.
    pub(super) fn hot(&self) -> impl Iterator<Item = (usize, &Chunk)> {
        self.chunks.iter().enumerate().skip(self.n_segments)
    }

    /// Finds the live row that holds each of the values in `columns`. Keys are as [`Keys::of_nullable`] makes them.
    pub(crate) fn find_unique(
        &mut self,
        table: &Arc<Table>,
        columns: &[usize],
        keys: &[Option<Box<[u8]>>],
    ) -> Result<Vec<Option<RowAddress>>> {
        self.load(table)?;
        let mut holders = self.find_hot(columns, RowState::Live, keys)?;
        for (holder, key) in holders.iter_mut().zip(keys) {
            if let (None, Some(key)) = (&holder, key) {
                *holder = self.find_unique_cold(columns, key)?;
            }
        }
        Ok(holders)
    }

    /// Finds the row in the log, of that state, that holds each of the values in `columns`.
    fn find_hot(
        &mut self,
        columns: &[usize],
        state: RowState,
        keys: &[Option<Box<[u8]>>],
    ) -> Result<Vec<Option<RowAddress>>> {
        if !self.unique.iter().any(|index| index.covers(columns, state)) {
            let mut index = UniqueIndex::new(columns, state);
            for (at, chunk) in self.hot() {
                index.add_chunk(at, chunk)?;
            }
            self.unique.push(index);
        }
        let index = self.unique.iter().find(|index| index.covers(columns, state));
        index.ok_or_else(|| Error::internal("a unique index is missing"))?.find(&self.chunks, keys)
    }

    /// Finds the tombstones of the keys of a chunk's rows.
    fn find_tombstones(&mut self, table: &Table, chunk: &Chunk, keys: &Keys) -> Result<Vec<RowAddress>> {
        if !table.has_primary_key() || !self.chunks.iter().any(Chunk::has_tombstones) {
            return Ok(Vec::new());
        }
        let columns = table.primary_key.iter().map(|&index| chunk.column(index)).collect::<Result<Vec<_>>>()?;
        let hot = self.find_hot(&table.primary_key, RowState::Deleted, &Keys::of_nullable(&columns)?)?;
        let all: Vec<usize> = (0..keys.len()).collect();
        let cold = self.find_stored(keys, &all, Chunk::has_tombstones)?.into_iter().map(|(_, address)| address);
        Ok(hot.into_iter().flatten().chain(cold.filter(|address| self.is_deleted(*address))).collect())
    }

    fn find_unique_cold(&self, columns: &[usize], key: &[u8]) -> Result<Option<RowAddress>> {
        for (at, chunk) in self.segments() {
            let Some(segment) = chunk.segment() else { continue };
            let rows = segment.find_values(columns, key)?;
            if let Some(row) = rows.into_iter().find(|row| chunk.is_current(*row) && !chunk.is_deleted(*row)) {
                return Ok(Some(RowAddress::new(at, row)));
            }
        }
        Ok(None)
    }

    /// The maximum that an integer column has ever held, superseded and deleted rows included; 0 if none.
    pub(crate) fn max_value(&mut self, table: &Arc<Table>, column: usize) -> Result<i64> {
        self.load(table)?;
        if let Some((_, value)) = self.max_values.iter().find(|(of, _)| *of == column) {
            return Ok(*value);
        }
        let values = self.hot().map(|(_, chunk)| chunk.max_value(column)).collect::<Result<Vec<_>>>()?;
        let id = table.columns.get(column).map(|column| column.id);
        let stored = self.counters.iter().find(|(of, _)| Some(*of) == id).map(|(_, value)| *value);
        let max = values.into_iter().chain(stored).max().unwrap_or_default();
        self.max_values.push((column, max));
        Ok(max)
    }

    fn index(&mut self, table: &Table) -> Result<&mut Arc<KeyIndex>> {
        let index = match self.index.take() {
            Some(index) => index,
            None => {
                let mut index = KeyIndex::new(Keys::are_integers(table));
                for (at, chunk) in self.hot() {
                    index.add_chunk(at, chunk, &chunk.keys(table)?);
                }
                Arc::new(index)
            }
        };
        Ok(self.index.insert(index))
    }

    /// Adds a chunk, and masks the rows that it supersedes; tells which those are if somebody watches.
    fn append(&mut self, table: &Arc<Table>, chunk: Chunk, is_new: bool, is_watched: bool) -> Result<Option<Appended>> {
        if chunk.n_rows() == 0 {
            return Ok(None);
        }
        let mut appended = is_watched.then(|| Appended {
            table: Arc::clone(table),
            chunk: chunk.clone(),
            superseded: Vec::new(),
            before: Snapshot::default(),
        });
        if !is_new || self.index.is_some() {
            let keys = chunk.keys(table)?;
            let index = self.index(table)?;
            let hot: Vec<Option<RowAddress>> = (0..keys.len()).map(|row| index.get(&keys, row)).collect();
            let cold = if is_new { Vec::new() } else { self.find_cold(&keys, &hot)? };
            // A row that is deleted takes the place of the one deleted before it.
            let tombstones =
                if is_new || !chunk.is_deleted(0) { Vec::new() } else { self.find_tombstones(table, &chunk, &keys)? };
            let at = self.chunks.len();
            let mut superseded =
                self.index.as_mut().map(|index| Arc::make_mut(index).add_chunk(at, &chunk, &keys)).unwrap_or_default();
            if is_new {
                // What new rows have met are tombstones, which stay.
                superseded.clear();
            }
            superseded.extend(cold.into_iter().map(|(_, address)| address).chain(tombstones));
            if let Some(appended) = appended.as_mut().filter(|_| !superseded.is_empty()) {
                appended.superseded.extend(superseded.iter().filter(|address| self.is_live(**address)));
                appended.before = Arc::clone(&self.chunks);
            }
            let chunks: &mut Vec<Chunk> = Arc::make_mut(&mut self.chunks);
            let masked = mask(chunks, superseded);
            self.compact(table, &masked)?;
        }
        for index in &mut self.unique {
            index.add_chunk(self.chunks.len(), &chunk)?;
        }
        for (column, max) in &mut self.max_values {
            *max = chunk.max_value(*column)?.max(*max);
        }
        Arc::make_mut(&mut self.chunks).push(chunk);
        self.merge(table)?;
        Ok(appended)
    }

    /// The first chunk that may be merged with others: neither a segment nor frozen.
    fn floor(&self) -> usize {
        self.frozen.as_ref().map_or(self.n_segments, |frozen| frozen.n_chunks.max(self.n_segments))
    }

    /// Rewrites the given chunks that hold more superseded rows than current ones.
    fn compact(&mut self, table: &Table, masked: &[usize]) -> Result<()> {
        let floor = self.floor();
        for &at in masked.iter().filter(|at| **at >= floor) {
            let Some(chunk) = self.chunks.get(at).filter(|chunk| chunk.n_current() < chunk.n_rows() / 2) else {
                continue;
            };
            let compacted = Chunk::merge(table, std::slice::from_ref(chunk))?;
            if let Some(index) = &mut self.index {
                Arc::make_mut(index).move_chunk(at, &compacted, &compacted.keys(table)?);
            }
            for index in &mut self.unique {
                index.add_chunk(at, &compacted)?;
            }
            if let Some(slot) = Arc::make_mut(&mut self.chunks).get_mut(at) {
                *slot = compacted;
            }
        }
        Ok(())
    }

    /// Merges the last chunks while the one before is not much larger than the one behind it.
    fn merge(&mut self, table: &Table) -> Result<()> {
        let chunks = &self.chunks;
        let mut from = chunks.len().saturating_sub(1);
        let mut rows = chunks.last().map_or(0, Chunk::n_rows);
        let mut bytes = chunks.last().map_or(0, Chunk::n_bytes);
        let floor = self.floor();
        while let Some(previous) = from.checked_sub(1).filter(|at| *at >= floor).and_then(|at| chunks.get(at)) {
            if previous.n_rows() > rows * 2
                || previous.n_rows() + rows > MERGE_ROWS
                || previous.n_bytes() + bytes > MERGE_BYTES
            {
                break;
            }
            rows += previous.n_rows();
            bytes += previous.n_bytes();
            from -= 1;
        }
        let Some(tail) = chunks.get(from..).filter(|tail| tail.len() >= MERGE_CHUNKS) else {
            return Ok(());
        };
        let merged = Chunk::merge(table, tail)?;
        if let Some(index) = &mut self.index {
            Arc::make_mut(index).add_chunk(from, &merged, &merged.keys(table)?);
        }
        for index in &mut self.unique {
            index.add_chunk(from, &merged)?;
        }
        let chunks = Arc::make_mut(&mut self.chunks);
        chunks.truncate(from);
        chunks.push(merged);
        Ok(())
    }
}

/// Masks rows that a newer version supersedes; returns the chunks that they are in.
fn mask(chunks: &mut [Chunk], mut superseded: Vec<RowAddress>) -> Vec<usize> {
    superseded.sort_unstable();
    let mut masked = Vec::new();
    for rows in superseded.chunk_by(|a, b| a.chunk() == b.chunk()) {
        let Some(at) = rows.first().map(|address| address.chunk()) else { continue };
        if let Some(chunk) = chunks.get_mut(at) {
            chunk.mask(rows.iter().map(|address| address.row()));
            masked.push(at);
        }
    }
    masked
}
