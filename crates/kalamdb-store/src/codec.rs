//! The bytes of stored records: a frame with a checksum, a small header, a body. docs/storage-format.md draws them.

use serde::{Deserialize, Serialize};

use crate::frame::{Kind, corrupted, frame, frame_owned, header_of, unchecked_header_of, unframe, unframe_owned};
use crate::{
    CatalogRecord, CommitRecord, LogKey, LogRecord, Manifest, Meta, Page, PageKey, PartitionId, RecordKey, RowState,
    StoreResult,
};

#[derive(Serialize, Deserialize)]
struct CommitHeader {
    commit: u64,
    nonce: u64,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    origin: Option<String>,
    catalog_head: u64,
    manifest_head: u64,
    owners_head: u64,
    next_seq: u64,
    next_id: u64,
    parts: Vec<PartHeader>,
}

#[derive(Serialize, Deserialize)]
struct PartHeader {
    part: u32,
    partition: PartitionId,
    schema_version: u32,
    first_seq: u64,
    updated_us: i64,
    state: RowState,
    #[serde(rename = "fresh")]
    is_new: bool,
    n_rows: u32,
    /// How many bytes of the body are its rows.
    bytes: u64,
}

/// Pages of versions before 4 name a user instead of an owner, which is passed over: their manifests say whose they
/// are.
#[derive(Serialize, Deserialize)]
struct PageHeader<P> {
    partition: P,
    n_rows: u32,
}

#[derive(Serialize, Deserialize)]
struct ManifestHeader<P> {
    partition: P,
}

/// What is known of a record of the log.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Decoded {
    /// A commit.
    Commit(CommitRecord),
    /// The mark of a database that was deleted: what came before is gone, and what comes after is another database.
    Deletion,
    /// Nothing: whoever wrote it had not read all that was committed before, or has written nothing yet but claimed the
    /// number.
    Void,
}

impl CommitHeader {
    fn of(meta: &Meta, nonce: u64, origin: Option<&str>, log: &[&LogRecord]) -> Self {
        let part = |record: &&LogRecord| PartHeader {
            part: record.key.part,
            partition: record.partition.clone(),
            schema_version: record.schema_version,
            first_seq: record.first_seq,
            updated_us: record.updated_us,
            state: record.state,
            is_new: record.is_new,
            n_rows: record.n_rows,
            bytes: record.rows.len() as u64,
        };
        let Meta { head, catalog_head, manifest_head, owners_head, next_seq, next_id } = *meta;
        Self {
            commit: head,
            nonce,
            origin: origin.map(str::to_owned),
            catalog_head,
            manifest_head,
            owners_head,
            next_seq,
            next_id,
            parts: log.iter().map(part).collect(),
        }
    }

    fn meta(&self) -> Meta {
        Meta {
            head: self.commit,
            catalog_head: self.catalog_head,
            manifest_head: self.manifest_head,
            owners_head: self.owners_head,
            next_seq: self.next_seq,
            next_id: self.next_id,
        }
    }

    /// The record with its rows, if the body is as long as the header says.
    fn with_rows(self, mut body: &[u8]) -> Option<CommitRecord> {
        let meta = self.meta();
        let mut log = Vec::with_capacity(self.parts.len());
        for part in self.parts {
            let (rows, rest) = body.split_at_checked(usize::try_from(part.bytes).ok()?)?;
            body = rest;
            log.push(LogRecord {
                key: LogKey { commit: self.commit, part: part.part },
                partition: part.partition,
                schema_version: part.schema_version,
                first_seq: part.first_seq,
                updated_us: part.updated_us,
                state: part.state,
                is_new: part.is_new,
                n_rows: part.n_rows,
                rows: rows.to_vec(),
            });
        }
        body.is_empty().then_some(CommitRecord { meta, nonce: self.nonce, origin: self.origin, log })
    }
}

/// Encodes the record of a commit; its key, the commit's number, is kept beside the bytes.
///
/// # Errors
/// `InvalidCommit` if the header is too long for the frame.
pub fn encode_commit(record: &CommitRecord) -> StoreResult<Vec<u8>> {
    let log: Vec<&LogRecord> = record.log.iter().collect();
    encode_parts(&record.meta, record.nonce, record.origin.as_deref(), &log)
}

/// The same of what a record consists of; the parts are in the order of their keys.
pub(crate) fn encode_parts(meta: &Meta, nonce: u64, origin: Option<&str>, log: &[&LogRecord]) -> StoreResult<Vec<u8>> {
    let body: Vec<&[u8]> = log.iter().map(|part| part.rows.as_slice()).collect();
    frame_owned(
        &RecordKey::Log(meta.head).to_string(),
        Kind::Commit,
        &CommitHeader::of(meta, nonce, origin, log),
        &body,
    )
}

/// Decodes the record of the log that is kept under `number`.
///
/// A record that is whole, but was written for another number, is void: its writer had not read what was committed
/// before it.
///
/// # Errors
/// `Corrupted` if `bytes` are not what [`encode_commit`] made.
pub fn decode_commit(number: u64, bytes: &[u8]) -> StoreResult<Decoded> {
    // The number is claimed; what was to be stored under it is not there.
    if bytes.is_empty() {
        return Ok(Decoded::Void);
    }
    let name = RecordKey::Log(number).to_string();
    if unframe(&name, Kind::Deletion, bytes).is_ok() {
        return Ok(Decoded::Deletion);
    }
    let (header, body) = match unframe_owned::<CommitHeader>(&name, Kind::Commit, bytes) {
        Ok(read) => read,
        Err(error) => {
            let written_for = unchecked_header_of::<CommitHeader>(Kind::Commit, bytes).map(|header| header.commit);
            let is_whole = written_for.filter(|other| *other != number).is_some_and(|other| {
                unframe_owned::<CommitHeader>(&RecordKey::Log(other).to_string(), Kind::Commit, bytes).is_ok()
            });
            return if is_whole { Ok(Decoded::Void) } else { Err(error) };
        }
    };
    match header.commit == number {
        true => match header.with_rows(body) {
            Some(record) => Ok(Decoded::Commit(record)),
            None => corrupted(&name, "it does not hold the rows that it announces".to_owned()),
        },
        false => corrupted(&name, "it says that it is another commit".to_owned()),
    }
}

/// Encodes the mark that a database was deleted.
pub fn encode_deletion(number: u64) -> Vec<u8> {
    frame(&RecordKey::Log(number).to_string(), Kind::Deletion, 0, &[], &[])
}

/// The numbers, and the partitions, of a record of the log whose body is damaged, if its header is not.
pub fn commit_header(number: u64, bytes: &[u8]) -> Option<(Meta, Vec<PartitionId>)> {
    let header: CommitHeader = header_of(&RecordKey::Log(number).to_string(), Kind::Commit, bytes)?;
    (header.commit == number).then(|| (header.meta(), header.parts.into_iter().map(|part| part.partition).collect()))
}

/// Encodes a catalog record; its key is kept beside the bytes.
pub fn encode_catalog(record: &CatalogRecord) -> Vec<u8> {
    frame(&RecordKey::Catalog(record.key.clone()).to_string(), Kind::Catalog, 0, &[], &[&record.value])
}

/// Decodes the catalog record that is kept under `key`.
///
/// # Errors
/// `Corrupted` if `bytes` are not what [`encode_catalog`] made for this key.
pub fn decode_catalog(key: &str, bytes: &[u8]) -> StoreResult<CatalogRecord> {
    let (_, value) = unframe(&RecordKey::Catalog(key.to_owned()).to_string(), Kind::Catalog, bytes)?;
    Ok(CatalogRecord { key: key.to_owned(), value: value.to_vec() })
}

/// Encodes a column of a segment; its key is kept beside the bytes.
///
/// # Errors
/// As [`encode_commit`].
pub fn encode_page(page: &Page) -> StoreResult<Vec<u8>> {
    let header = PageHeader { partition: &page.partition, n_rows: page.n_rows };
    frame_owned(&RecordKey::Page(page.key).to_string(), Kind::Page, &header, &[&page.values])
}

/// Decodes the column of a segment that is kept under `key`.
///
/// # Errors
/// `Corrupted` if `bytes` are not what [`encode_page`] made for this key.
pub fn decode_page(key: PageKey, bytes: &[u8]) -> StoreResult<Page> {
    let (header, values) =
        unframe_owned::<PageHeader<PartitionId>>(&RecordKey::Page(key).to_string(), Kind::Page, bytes)?;
    Ok(Page { key, partition: header.partition, n_rows: header.n_rows, values: values.to_vec() })
}

/// Encodes a manifest; its key is kept beside the bytes.
///
/// # Errors
/// As [`encode_commit`].
pub fn encode_manifest(manifest: &Manifest) -> StoreResult<Vec<u8>> {
    let name = RecordKey::Manifest(manifest.key).to_string();
    frame_owned(&name, Kind::Manifest, &ManifestHeader { partition: &manifest.partition }, &[&manifest.body])
}

/// Decodes the manifest that is kept under `key`.
///
/// # Errors
/// `Corrupted` if `bytes` are not what [`encode_manifest`] made for this key.
pub fn decode_manifest(key: LogKey, bytes: &[u8]) -> StoreResult<Manifest> {
    let (header, body) =
        unframe_owned::<ManifestHeader<PartitionId>>(&RecordKey::Manifest(key).to_string(), Kind::Manifest, bytes)?;
    Ok(Manifest { key, partition: header.partition, body: body.to_vec() })
}

/// The partition of a manifest whose body is damaged, if its header is not.
pub fn manifest_partition(key: LogKey, bytes: &[u8]) -> Option<PartitionId> {
    header_of::<ManifestHeader<PartitionId>>(&RecordKey::Manifest(key).to_string(), Kind::Manifest, bytes)
        .map(|header| header.partition)
}
