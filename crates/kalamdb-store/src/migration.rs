//! From versions 1 to 3 of the format to version 4, and what is set right on the way.
//!
//! Before version 4 each part of a commit was a record of its own, a meta record had the numbers, and partitions named
//! users. A commit whose tab had died could be stored on top of later ones then, so that the meta record went back
//! behind the log.

use std::collections::BTreeMap;

use serde::Deserialize;
use serde::de::DeserializeOwned;

use crate::frame::{Kind, corrupted, header_of, read_header, unframe, unframe_owned};
use crate::tail::{ID_LEAP, SEQ_LEAP};
use crate::{
    CommitRecord, LogKey, LogRecord, Manifest, Meta, Owner, PageKey, PartitionId, RecordKey, Repair, RowState,
    StoreError, StoreResult, TableId, encode_catalog, encode_commit, encode_manifest,
};

/// What is stored in a version before 4, but for pages, which stay as they are.
#[derive(Debug, Default)]
pub struct Old {
    /// The meta record, if there is one.
    pub meta: Option<Vec<u8>>,
    /// The parts of commits.
    pub log: Vec<(LogKey, Vec<u8>)>,
    /// The catalog.
    pub catalog: Vec<(String, Vec<u8>)>,
    /// The manifests.
    pub manifests: Vec<(LogKey, Vec<u8>)>,
    /// The keys of the pages.
    pub page_keys: Vec<PageKey>,
}

/// What takes its place.
#[derive(Debug, Default)]
pub struct New {
    /// The records of the log.
    pub log: Vec<(u64, Vec<u8>)>,
    /// Records that come into the catalog; what was there stays.
    pub catalog: Vec<(String, Vec<u8>)>,
    /// All manifests.
    pub manifests: Vec<(LogKey, Vec<u8>)>,
    /// What was set right.
    pub repairs: Vec<Repair>,
}

#[derive(Debug, Clone, Deserialize)]
struct OldPartition {
    table: TableId,
    #[serde(default)]
    user: Option<String>,
}

#[derive(Deserialize)]
struct OldLogHeader {
    partition: OldPartition,
    schema_version: u32,
    first_seq: u64,
    updated_us: i64,
    state: RowState,
    #[serde(rename = "fresh")]
    is_new: bool,
    n_rows: u32,
}

#[derive(Deserialize)]
struct OldManifestHeader {
    partition: OldPartition,
}

/// What is put before rows that are damaged, so that they stay unreadable: their checksum is not kept.
const DAMAGED: &[u8] = b"damaged ";

/// Turns what is stored into what takes its place. `random` gives random numbers.
///
/// # Errors
/// `InvalidCommit` if a header is too long for its frame.
pub fn migrate(old: &Old, random: &mut dyn FnMut() -> u64) -> StoreResult<New> {
    let mut new = New::default();
    let mut owners = Owners { known: BTreeMap::new(), random };
    let manifests = newest_manifests(old, &mut owners, &mut new)?;
    let mut parts: BTreeMap<u64, Vec<LogRecord>> = BTreeMap::new();
    let mut unreadable = Vec::new();
    for (key, bytes) in &old.log {
        match decode_part(*key, bytes, &mut owners) {
            Some(record) => parts.entry(key.commit).or_default().push(record),
            None => unreadable.push(bytes),
        }
    }
    let meta = numbers(old, &parts, &manifests, &mut new.repairs);
    new.manifests = manifests;
    if meta.head > 0 {
        // The newest record has the numbers, also where its commit has left no rows.
        parts.entry(meta.head).or_default();
    }
    let owners_head = if owners.known.is_empty() { 0 } else { meta.head };
    for (number, mut log) in parts {
        log.sort_by_key(|record| record.key);
        let meta = Meta { head: number, owners_head, ..meta.clone() };
        new.log.push((number, encode_commit(&CommitRecord { meta, nonce: (owners.random)(), origin: None, log })?));
    }
    // Whose rows these were is not known. They stay, so that it is not forgotten that something is missing.
    new.log.extend(unreadable.into_iter().zip(meta.head + 1..).map(|(bytes, number)| (number, bytes.clone())));
    for (user, owner) in owners.known {
        let record = owner.record(&user);
        new.catalog.push((record.key.clone(), encode_catalog(&record)));
    }
    Ok(new)
}

/// Gives users their owners.
struct Owners<'a> {
    known: BTreeMap<String, Owner>,
    random: &'a mut dyn FnMut() -> u64,
}

impl Owners<'_> {
    fn partition(&mut self, old: OldPartition) -> PartitionId {
        let owner =
            old.user.map(|user| self.known.entry(user).or_insert_with(|| Owner::of_random((self.random)())).clone());
        PartitionId { table: old.table, owner }
    }
}

/// The manifests, one for each partition.
fn newest_manifests(old: &Old, owners: &mut Owners<'_>, new: &mut New) -> StoreResult<Vec<(LogKey, Vec<u8>)>> {
    let mut manifests = Vec::new();
    let mut seen: Vec<(PartitionId, LogKey)> = Vec::new();
    for (key, bytes) in old.manifests.iter().rev() {
        let name = RecordKey::Manifest(*key).to_string();
        let whole = unframe_owned::<OldManifestHeader>(&name, Kind::Manifest, bytes).ok();
        let is_whole = whole.is_some();
        let header = whole
            .map(|(header, body)| (header, body.to_vec()))
            .or_else(|| Some((header_of(&name, Kind::Manifest, bytes)?, Vec::new())));
        let Some((header, body)) = header else {
            manifests.push((*key, bytes.clone()));
            continue;
        };
        let partition = owners.partition(header.partition);
        if let Some((_, newer)) = seen.iter().find(|(id, _)| *id == partition) {
            let what = format!(
                "table {} had two manifests for the same rows; {} is kept",
                partition.table,
                RecordKey::Manifest(*newer)
            );
            new.repairs.push(Repair { what, lost: vec![format!("{name}, and what its segments alone hold")] });
            continue;
        }
        let mut encoded = encode_manifest(&Manifest { key: *key, partition: partition.clone(), body })?;
        if !is_whole && let Some(byte) = encoded.get_mut(4) {
            // It stays damaged: its checksum does not match.
            *byte ^= 1;
        }
        seen.push((partition, *key));
        manifests.push((*key, encoded));
    }
    manifests.reverse();
    Ok(manifests)
}

/// The numbers of the store: those of its meta record, unless that contradicts the records.
fn numbers(
    old: &Old,
    parts: &BTreeMap<u64, Vec<LogRecord>>,
    manifests: &[(LogKey, Vec<u8>)],
    repairs: &mut Vec<Repair>,
) -> Meta {
    let last_part = parts.keys().next_back().copied().unwrap_or_default();
    let last_manifest = manifests.iter().map(|(key, _)| key.commit).max().unwrap_or_default();
    let last = last_part.max(last_manifest);
    let stored = match &old.meta {
        Some(bytes) => decode_meta(bytes),
        None => corrupted("meta/state", "it is missing".to_owned()),
    };
    let mut lost = Vec::new();
    let what = match &stored {
        Ok(meta) if meta.head >= last => return meta.clone(),
        Ok(meta) => {
            lost.push(format!(
                "rows of commits {} to {last} that a tab which had died has written over, if there were any",
                meta.head
            ));
            format!("the head was {}, the log goes on to commit {last}: it is {last} now", meta.head)
        }
        Err(error) => format!("{error}: the numbers are taken from the other records, the last commit being {last}"),
    };
    repairs.push(Repair { what, lost });
    let known = stored.unwrap_or_default();
    let next_seq = parts
        .values()
        .flatten()
        .map(|record| record.first_seq.saturating_add(u64::from(record.n_rows)))
        .max()
        .unwrap_or(1);
    let ids = old.catalog.iter().filter_map(|(key, _)| key.rsplit('/').next()?.parse::<u64>().ok());
    let next_id = ids.chain(old.page_keys.iter().map(|key| key.segment)).max().unwrap_or_default().saturating_add(1);
    // Numbers of records that are gone may have been given out too.
    Meta {
        head: last,
        catalog_head: last,
        manifest_head: last_manifest.max(known.manifest_head),
        owners_head: 0,
        next_seq: next_seq.max(known.next_seq).saturating_add(SEQ_LEAP),
        next_id: next_id.max(known.next_id).saturating_add(ID_LEAP),
    }
}

/// One part of a commit; with rows that cannot be read if they are damaged, `None` if not even their partition is
/// known.
fn decode_part(key: LogKey, bytes: &[u8], owners: &mut Owners<'_>) -> Option<LogRecord> {
    let name = format!("log/{}/{}", key.commit, key.part);
    let whole = match bytes.get(3) {
        Some(kind) if *kind == Kind::LogV1 as u8 => unframe_plain(&name, Kind::LogV1, bytes),
        _ => unframe_owned::<OldLogHeader>(&name, Kind::LogV3, bytes),
    };
    let (header, rows) = match whole {
        Ok((header, rows)) => (header, rows.to_vec()),
        Err(_) => (header_of::<OldLogHeader>(&name, Kind::LogV3, bytes)?, [DAMAGED, bytes].concat()),
    };
    Some(LogRecord {
        key,
        partition: owners.partition(header.partition),
        schema_version: header.schema_version,
        first_seq: header.first_seq,
        updated_us: header.updated_us,
        state: header.state,
        is_new: header.is_new,
        n_rows: header.n_rows,
        rows,
    })
}

fn unframe_plain<'a, H: DeserializeOwned>(name: &str, kind: Kind, bytes: &'a [u8]) -> StoreResult<(H, &'a [u8])> {
    let (header, body) = unframe(name, kind, bytes)?;
    Ok((read_header(name, header)?, body))
}

/// Decodes the meta record of versions 1 to 3.
fn decode_meta(bytes: &[u8]) -> Result<Meta, StoreError> {
    let name = "meta/state";
    let (_, body) = unframe(name, Kind::MetaV3, bytes)?;
    let (numbers, []) = body.as_chunks::<8>() else { return corrupted(name, format!("{} bytes of body", body.len())) };
    let (head, catalog_head, next_seq, next_id, manifest_head) = match numbers {
        [head, catalog_head, next_seq, next_id, manifest_head] => {
            (head, catalog_head, next_seq, next_id, *manifest_head)
        }
        // Version 1 had no manifests.
        [head, catalog_head, next_seq, next_id] => (head, catalog_head, next_seq, next_id, [0; 8]),
        _ => return corrupted(name, format!("{} bytes of body", body.len())),
    };
    let number = |bytes: &[u8; 8]| u64::from_le_bytes(*bytes);
    Ok(Meta {
        head: number(head),
        catalog_head: number(catalog_head),
        manifest_head: number(&manifest_head),
        owners_head: 0,
        next_seq: number(next_seq),
        next_id: number(next_id),
    })
}
