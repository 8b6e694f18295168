//! The bytes of stored records: a frame with a checksum, a small header, a body. docs/storage-format.md draws them.

use serde::{Deserialize, Serialize, de::DeserializeOwned};

use crate::{CatalogRecord, LogKey, LogRecord, Meta, PartitionId, RecordKey, RowState, SegmentRecord, StoreError, StoreResult};

const MAGIC: [u8; 3] = *b"KDB";

/// Magic, kind, checksum and length of the header, in bytes.
const PREFIX: usize = 12;

/// The bytes of a meta record's body: four numbers of 64 bits.
const META_BODY: usize = 32;

#[derive(Debug, Clone, Copy)]
#[repr(u8)]
enum Kind {
    Meta = b'M',
    Log = b'L',
    Catalog = b'C',
    Segment = b'S',
}

#[derive(Serialize, Deserialize)]
struct LogHeader<P> {
    partition: P,
    schema_version: u32,
    first_seq: u64,
    updated_us: i64,
    state: RowState,
    fresh: bool,
    n_rows: u32,
}

#[derive(Serialize, Deserialize)]
struct SegmentHeader<P> {
    partition: P,
    n_rows: u64,
}

/// Encodes the meta record.
pub fn encode_meta(meta: &Meta) -> Vec<u8> {
    let mut body = Vec::with_capacity(META_BODY);
    for number in [meta.head, meta.catalog_head, meta.next_seq, meta.next_id] {
        body.extend_from_slice(&number.to_le_bytes());
    }
    frame(&RecordKey::Meta, Kind::Meta, 0, &[], &body)
}

/// Decodes the meta record.
///
/// # Errors
/// `Corrupted` if `bytes` are not what [`encode_meta`] made.
pub fn decode_meta(bytes: &[u8]) -> StoreResult<Meta> {
    let key = RecordKey::Meta;
    let (_, body) = unframe(&key, Kind::Meta, bytes)?;
    let (numbers, []) = body.as_chunks::<8>() else {
        return corrupted(&key, format!("{} bytes of body", body.len()));
    };
    let [head, catalog_head, next_seq, next_id] = *numbers else {
        return corrupted(&key, format!("{} bytes of body", body.len()));
    };
    Ok(Meta {
        head: u64::from_le_bytes(head),
        catalog_head: u64::from_le_bytes(catalog_head),
        next_seq: u64::from_le_bytes(next_seq),
        next_id: u64::from_le_bytes(next_id),
    })
}

/// Encodes a log record; its key is kept beside the bytes.
///
/// # Errors
/// `InvalidCommit` if the header is too long for the frame.
pub fn encode_log(record: &LogRecord) -> StoreResult<Vec<u8>> {
    let header = LogHeader {
        partition: &record.partition,
        schema_version: record.schema_version,
        first_seq: record.first_seq,
        updated_us: record.updated_us,
        state: record.state,
        fresh: record.fresh,
        n_rows: record.n_rows,
    };
    frame_json(&RecordKey::Log(record.key), Kind::Log, &header, &record.rows)
}

/// Decodes the log record that is kept under `key`.
///
/// # Errors
/// `Corrupted` if `bytes` are not what [`encode_log`] made for this key.
pub fn decode_log(key: LogKey, bytes: &[u8]) -> StoreResult<LogRecord> {
    let (header, rows) = unframe_json::<LogHeader<PartitionId>>(&RecordKey::Log(key), Kind::Log, bytes)?;
    Ok(LogRecord {
        key,
        partition: header.partition,
        schema_version: header.schema_version,
        first_seq: header.first_seq,
        updated_us: header.updated_us,
        state: header.state,
        fresh: header.fresh,
        n_rows: header.n_rows,
        rows: rows.to_vec(),
    })
}

/// Encodes a catalog record; its key is kept beside the bytes.
pub fn encode_catalog(record: &CatalogRecord) -> Vec<u8> {
    frame(&RecordKey::Catalog(record.key.clone()), Kind::Catalog, 0, &[], &record.value)
}

/// Decodes the catalog record that is kept under `key`.
///
/// # Errors
/// `Corrupted` if `bytes` are not what [`encode_catalog`] made for this key.
pub fn decode_catalog(key: &str, bytes: &[u8]) -> StoreResult<CatalogRecord> {
    let (_, value) = unframe(&RecordKey::Catalog(key.to_owned()), Kind::Catalog, bytes)?;
    Ok(CatalogRecord { key: key.to_owned(), value: value.to_vec() })
}

/// Encodes a segment; its id is kept beside the bytes. Reserved: nothing writes segments yet.
///
/// # Errors
/// As [`encode_log`].
pub fn encode_segment(segment: &SegmentRecord) -> StoreResult<Vec<u8>> {
    let header = SegmentHeader { partition: &segment.partition, n_rows: segment.n_rows };
    frame_json(&RecordKey::Segment(segment.id), Kind::Segment, &header, &segment.file)
}

/// Decodes the segment that is kept under `id`.
///
/// # Errors
/// `Corrupted` if `bytes` are not what [`encode_segment`] made for this id.
pub fn decode_segment(id: u64, bytes: &[u8]) -> StoreResult<SegmentRecord> {
    let (header, file) = unframe_json::<SegmentHeader<PartitionId>>(&RecordKey::Segment(id), Kind::Segment, bytes)?;
    Ok(SegmentRecord { id, partition: header.partition, n_rows: header.n_rows, file: file.to_vec() })
}

fn frame_json(key: &RecordKey, kind: Kind, header: &impl Serialize, body: &[u8]) -> StoreResult<Vec<u8>> {
    let too_long = |what: String| StoreError::InvalidCommit { what: format!("the header of {key}: {what}") };
    let header = serde_json::to_vec(header).map_err(|error| too_long(error.to_string()))?;
    let length = u32::try_from(header.len()).map_err(|error| too_long(error.to_string()))?;
    Ok(frame(key, kind, length, &header, body))
}

fn frame(key: &RecordKey, kind: Kind, header_length: u32, header: &[u8], body: &[u8]) -> Vec<u8> {
    let [m0, m1, m2] = MAGIC;
    let start = [m0, m1, m2, kind as u8];
    let length = header_length.to_le_bytes();
    let mut bytes = Vec::with_capacity(PREFIX + header.len() + body.len());
    bytes.extend_from_slice(&start);
    bytes.extend_from_slice(&checksum(key, start, length, &[header, body]).to_le_bytes());
    bytes.extend_from_slice(&length);
    bytes.extend_from_slice(header);
    bytes.extend_from_slice(body);
    bytes
}

fn unframe_json<'a, H: DeserializeOwned>(key: &RecordKey, kind: Kind, bytes: &'a [u8]) -> StoreResult<(H, &'a [u8])> {
    let (header, body) = unframe(key, kind, bytes)?;
    match serde_json::from_slice(header) {
        Ok(header) => Ok((header, body)),
        Err(error) => corrupted(key, format!("its header does not decode: {error}")),
    }
}

fn unframe<'a>(key: &RecordKey, kind: Kind, bytes: &'a [u8]) -> StoreResult<(&'a [u8], &'a [u8])> {
    let Some((prefix, rest)) = bytes.split_first_chunk::<PREFIX>() else {
        return corrupted(key, format!("{} bytes are too few", bytes.len()));
    };
    let [m0, m1, m2, k, c0, c1, c2, c3, h0, h1, h2, h3] = *prefix;
    if [m0, m1, m2] != MAGIC || k != kind as u8 {
        return corrupted(key, "it does not begin as such a record does".to_owned());
    }
    let length = [h0, h1, h2, h3];
    if checksum(key, [m0, m1, m2, k], length, &[rest]).to_le_bytes() != [c0, c1, c2, c3] {
        return corrupted(key, "its checksum does not match".to_owned());
    }
    let header = usize::try_from(u32::from_le_bytes(length)).ok().and_then(|length| rest.split_at_checked(length));
    match header {
        Some(parts) => Ok(parts),
        None => corrupted(key, "its header is longer than the record".to_owned()),
    }
}

/// The key is part of it, so that a record that lies under another key is noticed too.
fn checksum(key: &RecordKey, start: [u8; 4], length: [u8; 4], rest: &[&[u8]]) -> u32 {
    let mut hasher = crc32fast::Hasher::new();
    hasher.update(key.to_string().as_bytes());
    hasher.update(&start);
    hasher.update(&length);
    for part in rest {
        hasher.update(part);
    }
    hasher.finalize()
}

fn corrupted<T>(key: &RecordKey, what: String) -> StoreResult<T> {
    Err(StoreError::Corrupted { key: key.to_string(), what })
}
