//! What every stored record has around it: a kind, a checksum, a header. docs/storage-format.md draws it.

use serde::{Serialize, de::DeserializeOwned};

use crate::{StoreError, StoreResult};

const MAGIC: [u8; 3] = *b"KDB";

/// Magic, kind, checksum and length of the header, in bytes.
const PREFIX: usize = 12;

/// What a frame holds. The letters of earlier versions are not used again: `M` (the meta record), `L` and `R` (log
/// records).
#[derive(Debug, Clone, Copy)]
#[repr(u8)]
pub(crate) enum Kind {
    Commit = b'T',
    Deletion = b'D',
    Catalog = b'C',
    Page = b'S',
    Manifest = b'N',
    MetaV3 = b'M',
    LogV1 = b'L',
    LogV3 = b'R',
}

/// A frame whose header begins with a checksum of its own, so that it is known what the record is about when the body
/// is damaged.
pub(crate) fn frame_owned(name: &str, kind: Kind, header: &impl Serialize, body: &[&[u8]]) -> StoreResult<Vec<u8>> {
    let too_long = |what: String| StoreError::InvalidCommit { what: format!("the header of {name}: {what}") };
    let json = serde_json::to_vec(header).map_err(|error| too_long(error.to_string()))?;
    let mut header = header_checksum(name, kind, &json).to_le_bytes().to_vec();
    header.extend_from_slice(&json);
    let length = u32::try_from(header.len()).map_err(|error| too_long(error.to_string()))?;
    Ok(frame(name, kind, length, &header, body))
}

pub(crate) fn unframe_owned<'a, H: DeserializeOwned>(
    name: &str,
    kind: Kind,
    bytes: &'a [u8],
) -> StoreResult<(H, &'a [u8])> {
    let (header, body) = unframe(name, kind, bytes)?;
    match checked_header(name, kind, header) {
        Some(header) => Ok((read_header(name, header)?, body)),
        None => corrupted(name, "the checksum of its header does not match".to_owned()),
    }
}

/// The header of a record whose body may be damaged, if the header's own checksum matches.
pub(crate) fn header_of<H: DeserializeOwned>(name: &str, kind: Kind, bytes: &[u8]) -> Option<H> {
    let header = raw_header(kind, bytes)?;
    serde_json::from_slice(checked_header(name, kind, header)?).ok()
}

/// The header of a record as it is, with nothing checked.
pub(crate) fn unchecked_header_of<H: DeserializeOwned>(kind: Kind, bytes: &[u8]) -> Option<H> {
    let (_, json) = raw_header(kind, bytes)?.split_first_chunk::<4>()?;
    serde_json::from_slice(json).ok()
}

fn raw_header(kind: Kind, bytes: &[u8]) -> Option<&[u8]> {
    let (prefix, rest) = bytes.split_first_chunk::<PREFIX>()?;
    let [m0, m1, m2, k, _, _, _, _, h0, h1, h2, h3] = *prefix;
    if [m0, m1, m2] != MAGIC || k != kind as u8 {
        return None;
    }
    let (header, _) = rest.split_at_checked(usize::try_from(u32::from_le_bytes([h0, h1, h2, h3])).ok()?)?;
    Some(header)
}

/// The header without its checksum, if that matches.
fn checked_header<'a>(name: &str, kind: Kind, header: &'a [u8]) -> Option<&'a [u8]> {
    let (checksum, json) = header.split_first_chunk::<4>()?;
    (header_checksum(name, kind, json).to_le_bytes() == *checksum).then_some(json)
}

fn header_checksum(name: &str, kind: Kind, json: &[u8]) -> u32 {
    let [m0, m1, m2] = MAGIC;
    checksum(name, [m0, m1, m2, kind as u8], [0; 4], &[json])
}

pub(crate) fn read_header<H: DeserializeOwned>(name: &str, json: &[u8]) -> StoreResult<H> {
    serde_json::from_slice(json).or_else(|error| corrupted(name, format!("its header does not decode: {error}")))
}

/// A frame around a header and a body, which may come in pieces.
pub(crate) fn frame(name: &str, kind: Kind, header_length: u32, header: &[u8], body: &[&[u8]]) -> Vec<u8> {
    let [m0, m1, m2] = MAGIC;
    let start = [m0, m1, m2, kind as u8];
    let length = header_length.to_le_bytes();
    let mut bytes = Vec::with_capacity(PREFIX + header.len() + body.iter().map(|piece| piece.len()).sum::<usize>());
    bytes.extend_from_slice(&start);
    bytes.extend_from_slice(&[0; 4]);
    bytes.extend_from_slice(&length);
    bytes.extend_from_slice(header);
    body.iter().for_each(|piece| bytes.extend_from_slice(piece));
    let sum = checksum(name, start, length, &[bytes.get(PREFIX..).unwrap_or_default()]);
    if let Some(place) = bytes.get_mut(4..8) {
        place.copy_from_slice(&sum.to_le_bytes());
    }
    bytes
}

pub(crate) fn unframe<'a>(name: &str, kind: Kind, bytes: &'a [u8]) -> StoreResult<(&'a [u8], &'a [u8])> {
    let Some((prefix, rest)) = bytes.split_first_chunk::<PREFIX>() else {
        return corrupted(name, format!("{} bytes are too few", bytes.len()));
    };
    let [m0, m1, m2, k, c0, c1, c2, c3, h0, h1, h2, h3] = *prefix;
    if [m0, m1, m2] != MAGIC || k != kind as u8 {
        return corrupted(name, "it does not begin as such a record does".to_owned());
    }
    let length = [h0, h1, h2, h3];
    if checksum(name, [m0, m1, m2, k], length, &[rest]).to_le_bytes() != [c0, c1, c2, c3] {
        return corrupted(name, "its checksum does not match".to_owned());
    }
    let header = usize::try_from(u32::from_le_bytes(length)).ok().and_then(|length| rest.split_at_checked(length));
    match header {
        Some(parts) => Ok(parts),
        None => corrupted(name, "its header is longer than the record".to_owned()),
    }
}

/// The name is part of it, so that a record that lies under another key is noticed too.
fn checksum(name: &str, start: [u8; 4], length: [u8; 4], rest: &[&[u8]]) -> u32 {
    let mut hasher = crc32fast::Hasher::new();
    hasher.update(name.as_bytes());
    hasher.update(&start);
    hasher.update(&length);
    for part in rest {
        hasher.update(part);
    }
    hasher.finalize()
}

pub(crate) fn corrupted<T>(name: &str, what: String) -> StoreResult<T> {
    Err(StoreError::Corrupted { key: name.to_owned(), what })
}
