//! The bytes of stored records: a frame with a checksum, a small header, a body. docs/storage-format.md draws them.

use serde::{Deserialize, Serialize, de::DeserializeOwned};

use crate::{CatalogRecord, LogKey, LogRecord, Manifest, Meta, Page, PageKey, PartitionId, RecordKey, RowState, StoreError, StoreResult};

const MAGIC: [u8; 3] = *b"KDB";

/// Magic, kind, checksum and length of the header, in bytes.
const PREFIX: usize = 12;

/// The bytes of a meta record's body: five numbers of 64 bits.
const META_BODY: usize = 40;

#[derive(Debug, Clone, Copy)]
#[repr(u8)]
enum Kind {
    Meta = b'M',
    /// A log record of version 1, whose header has no checksum of its own.
    LogV1 = b'L',
    Log = b'R',
    Catalog = b'C',
    Page = b'S',
    Manifest = b'N',
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
struct PageHeader<P> {
    partition: P,
    n_rows: u32,
}

#[derive(Serialize, Deserialize)]
struct ManifestHeader<P> {
    partition: P,
}

/// What every header that has a checksum of its own begins with.
#[derive(Deserialize)]
struct OwnerHeader {
    partition: PartitionId,
}

/// Encodes the meta record.
pub fn encode_meta(meta: &Meta) -> Vec<u8> {
    let mut body = Vec::with_capacity(META_BODY);
    for number in [meta.head, meta.catalog_head, meta.next_seq, meta.next_id, meta.manifest_head] {
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
    let number = |bytes: [u8; 8]| u64::from_le_bytes(bytes);
    match body.as_chunks::<8>() {
        (&[head, catalog_head, next_seq, next_id, manifest_head], []) => Ok(Meta {
            head: number(head),
            catalog_head: number(catalog_head),
            manifest_head: number(manifest_head),
            next_seq: number(next_seq),
            next_id: number(next_id),
        }),
        // Version 1 had no manifests.
        (&[head, catalog_head, next_seq, next_id], []) => Ok(Meta {
            head: number(head),
            catalog_head: number(catalog_head),
            manifest_head: 0,
            next_seq: number(next_seq),
            next_id: number(next_id),
        }),
        _ => corrupted(&key, format!("{} bytes of body", body.len())),
    }
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
    frame_owned(&RecordKey::Log(record.key), Kind::Log, &header, &record.rows)
}

/// Decodes the log record that is kept under `key`.
///
/// # Errors
/// `Corrupted` if `bytes` are not what [`encode_log`] made for this key.
pub fn decode_log(key: LogKey, bytes: &[u8]) -> StoreResult<LogRecord> {
    let name = RecordKey::Log(key);
    let (header, rows) = match bytes.get(3) {
        Some(kind) if *kind == Kind::LogV1 as u8 => {
            let (header, rows) = unframe(&name, Kind::LogV1, bytes)?;
            (read_header::<LogHeader<PartitionId>>(&name, header)?, rows)
        }
        _ => unframe_owned(&name, Kind::Log, bytes)?,
    };
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

/// Encodes a column of a segment; its key is kept beside the bytes.
///
/// # Errors
/// As [`encode_log`].
pub fn encode_page(page: &Page) -> StoreResult<Vec<u8>> {
    let header = PageHeader { partition: &page.partition, n_rows: page.n_rows };
    frame_owned(&RecordKey::Page(page.key), Kind::Page, &header, &page.values)
}

/// Decodes the column of a segment that is kept under `key`.
///
/// # Errors
/// `Corrupted` if `bytes` are not what [`encode_page`] made for this key.
pub fn decode_page(key: PageKey, bytes: &[u8]) -> StoreResult<Page> {
    let (header, values) = unframe_owned::<PageHeader<PartitionId>>(&RecordKey::Page(key), Kind::Page, bytes)?;
    Ok(Page { key, partition: header.partition, n_rows: header.n_rows, values: values.to_vec() })
}

/// Encodes a manifest; its key is kept beside the bytes.
///
/// # Errors
/// As [`encode_log`].
pub fn encode_manifest(manifest: &Manifest) -> StoreResult<Vec<u8>> {
    frame_owned(&RecordKey::Manifest(manifest.key), Kind::Manifest, &ManifestHeader { partition: &manifest.partition }, &manifest.body)
}

/// Decodes the manifest that is kept under `key`.
///
/// # Errors
/// `Corrupted` if `bytes` are not what [`encode_manifest`] made for this key.
pub fn decode_manifest(key: LogKey, bytes: &[u8]) -> StoreResult<Manifest> {
    let (header, body) = unframe_owned::<ManifestHeader<PartitionId>>(&RecordKey::Manifest(key), Kind::Manifest, bytes)?;
    Ok(Manifest { key, partition: header.partition, body: body.to_vec() })
}

/// The partition that a record belongs to, also of a record whose body is damaged.
pub fn partition_of(key: &RecordKey, bytes: &[u8]) -> Option<PartitionId> {
    let kind = match key {
        RecordKey::Log(_) => Kind::Log,
        RecordKey::Page(_) => Kind::Page,
        RecordKey::Manifest(_) => Kind::Manifest,
        RecordKey::Meta | RecordKey::Catalog(_) => return None,
    };
    let (prefix, rest) = bytes.split_first_chunk::<PREFIX>()?;
    let [m0, m1, m2, k, _, _, _, _, h0, h1, h2, h3] = *prefix;
    if [m0, m1, m2] != MAGIC || k != kind as u8 {
        return None;
    }
    let (header, _) = rest.split_at_checked(usize::try_from(u32::from_le_bytes([h0, h1, h2, h3])).ok()?)?;
    let header = checked_header(key, kind, header)?;
    serde_json::from_slice::<OwnerHeader>(header).ok().map(|header| header.partition)
}

/// A frame whose header begins with a checksum of its own, so that it is known whose the record is when the body is damaged.
fn frame_owned(key: &RecordKey, kind: Kind, header: &impl Serialize, body: &[u8]) -> StoreResult<Vec<u8>> {
    let too_long = |what: String| StoreError::InvalidCommit { what: format!("the header of {key}: {what}") };
    let json = serde_json::to_vec(header).map_err(|error| too_long(error.to_string()))?;
    let mut header = header_checksum(key, kind, &json).to_le_bytes().to_vec();
    header.extend_from_slice(&json);
    let length = u32::try_from(header.len()).map_err(|error| too_long(error.to_string()))?;
    Ok(frame(key, kind, length, &header, body))
}

fn unframe_owned<'a, H: DeserializeOwned>(key: &RecordKey, kind: Kind, bytes: &'a [u8]) -> StoreResult<(H, &'a [u8])> {
    let (header, body) = unframe(key, kind, bytes)?;
    match checked_header(key, kind, header) {
        Some(header) => Ok((read_header(key, header)?, body)),
        None => corrupted(key, "the checksum of its header does not match".to_owned()),
    }
}

/// The header without its checksum, if that matches.
fn checked_header<'a>(key: &RecordKey, kind: Kind, header: &'a [u8]) -> Option<&'a [u8]> {
    let (checksum, json) = header.split_first_chunk::<4>()?;
    (header_checksum(key, kind, json).to_le_bytes() == *checksum).then_some(json)
}

fn header_checksum(key: &RecordKey, kind: Kind, json: &[u8]) -> u32 {
    let [m0, m1, m2] = MAGIC;
    checksum(key, [m0, m1, m2, kind as u8], [0; 4], &[json])
}

fn read_header<H: DeserializeOwned>(key: &RecordKey, json: &[u8]) -> StoreResult<H> {
    serde_json::from_slice(json).or_else(|error| corrupted(key, format!("its header does not decode: {error}")))
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
