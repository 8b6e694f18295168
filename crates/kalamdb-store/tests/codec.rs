//! The bytes of records: exact, checked and never trusted.
#![allow(clippy::unwrap_used, clippy::indexing_slicing, reason = "tests fail by panicking")]

use kalamdb_store::{
    CatalogRecord, LogKey, LogRecord, Manifest, Meta, Page, PageKey, PartitionId, RecordKey, RowState, StoreError, decode_catalog, decode_log,
    decode_manifest, decode_meta, decode_page, encode_catalog, encode_log, encode_manifest, encode_meta, encode_page, partition_of,
};
use proptest::prelude::*;

fn partitions() -> impl Strategy<Value = PartitionId> {
    (any::<u64>(), any::<Option<String>>()).prop_map(|(table, user)| PartitionId { table, user })
}

fn keys() -> impl Strategy<Value = LogKey> {
    (any::<u64>(), any::<u32>()).prop_map(|(commit, part)| LogKey { commit, part })
}

prop_compose! {
    fn logs()(
        key in keys(), partition in partitions(), schema_version in any::<u32>(), first_seq in any::<u64>(), updated_us in any::<i64>(),
        deleted in any::<bool>(), fresh in any::<bool>(), n_rows in any::<u32>(), rows in any::<Vec<u8>>(),
    ) -> LogRecord {
        let state = if deleted { RowState::Deleted } else { RowState::Live };
        LogRecord { key, partition, schema_version, first_seq, updated_us, state, fresh, n_rows, rows }
    }
}

prop_compose! {
    fn metas()(head in any::<u64>(), catalog_head in any::<u64>(), manifest_head in any::<u64>(), next_seq in any::<u64>(), next_id in any::<u64>()) -> Meta {
        Meta { head, catalog_head, manifest_head, next_seq, next_id }
    }
}

fn page_key(key: LogKey) -> PageKey {
    PageKey { segment: key.commit, column: key.part }
}

fn page_of(log: &LogRecord) -> Page {
    Page { key: page_key(log.key), partition: log.partition.clone(), n_rows: log.n_rows, values: log.rows.clone() }
}

fn manifest_of(log: &LogRecord) -> Manifest {
    Manifest { key: log.key, partition: log.partition.clone(), body: log.rows.clone() }
}

/// Every decoder refuses the bytes.
fn refused_by_all(key: LogKey, name: &str, bytes: &[u8]) -> bool {
    let errors = [
        decode_meta(bytes).err(),
        decode_log(key, bytes).err(),
        decode_catalog(name, bytes).err(),
        decode_page(page_key(key), bytes).err(),
        decode_manifest(key, bytes).err(),
    ];
    errors.iter().all(|error| matches!(error, Some(StoreError::Corrupted { .. })))
}

/// No decoder takes the bytes with any one bit flipped, with any byte missing at the end, or with one more.
fn assert_damage_is_noticed(key: LogKey, name: &str, bytes: &[u8]) {
    let mut damaged = bytes.to_vec();
    for (byte, bit) in (0..bytes.len()).flat_map(|byte| (0..8).map(move |bit| (byte, bit))) {
        damaged[byte] ^= 1 << bit;
        assert!(refused_by_all(key, name, &damaged), "bit {bit} of byte {byte}");
        damaged[byte] ^= 1 << bit;
    }
    for length in 0..bytes.len() {
        assert!(refused_by_all(key, name, &bytes[..length]), "cut to {length}");
    }
    damaged.push(0);
    assert!(refused_by_all(key, name, &damaged), "one byte more");
}

proptest! {
    #[test]
    fn records_come_back_as_they_were(log in logs(), meta in metas(), key in any::<String>(), value in any::<Vec<u8>>()) {
        prop_assert_eq!(decode_log(log.key, &encode_log(&log).unwrap()), Ok(log.clone()));
        prop_assert_eq!(decode_meta(&encode_meta(&meta)), Ok(meta));
        let catalog = CatalogRecord { key: key.clone(), value };
        prop_assert_eq!(decode_catalog(&key, &encode_catalog(&catalog)), Ok(catalog));
        let (page, manifest) = (page_of(&log), manifest_of(&log));
        prop_assert_eq!(decode_page(page.key, &encode_page(&page).unwrap()), Ok(page));
        prop_assert_eq!(decode_manifest(manifest.key, &encode_manifest(&manifest).unwrap()), Ok(manifest));
    }

    #[test]
    fn every_flipped_bit_is_noticed(log in logs(), meta in metas(), name in any::<String>(), value in any::<Vec<u8>>()) {
        assert_damage_is_noticed(log.key, &name, &encode_log(&log).unwrap());
        assert_damage_is_noticed(log.key, &name, &encode_meta(&meta));
        assert_damage_is_noticed(log.key, &name, &encode_catalog(&CatalogRecord { key: name.clone(), value }));
        assert_damage_is_noticed(log.key, &name, &encode_page(&page_of(&log)).unwrap());
        assert_damage_is_noticed(log.key, &name, &encode_manifest(&manifest_of(&log)).unwrap());
    }

    #[test]
    fn a_record_whose_body_is_damaged_says_whose_it_was(log in logs(), at in any::<proptest::sample::Index>()) {
        let encoded = [
            (RecordKey::Log(log.key), encode_log(&log).unwrap()),
            (RecordKey::Page(page_key(log.key)), encode_page(&page_of(&log)).unwrap()),
            (RecordKey::Manifest(log.key), encode_manifest(&manifest_of(&log)).unwrap()),
        ];
        for (key, bytes) in encoded {
            let header = 12 + u32::from_le_bytes(*bytes[8..].first_chunk().unwrap()) as usize;
            prop_assert_eq!(partition_of(&key, &bytes), Some(log.partition.clone()));
            let mut damaged = bytes.clone();
            let byte = 12 + at.index(bytes.len() - 12);
            damaged[byte] ^= 1;
            let known = (byte >= header).then(|| log.partition.clone());
            prop_assert_eq!(partition_of(&key, &damaged), known);
        }
    }

    #[test]
    fn records_under_another_key_are_noticed(log in logs(), key in keys(), name in any::<String>(), other in any::<String>()) {
        prop_assume!(key != log.key && name != other);
        prop_assert!(decode_log(key, &encode_log(&log).unwrap()).is_err());
        let catalog = encode_catalog(&CatalogRecord { key: name, value: Vec::new() });
        prop_assert!(decode_catalog(&other, &catalog).is_err());
    }

    #[test]
    fn any_bytes_are_decoded_without_panic(key in keys(), name in any::<String>(), bytes in any::<Vec<u8>>()) {
        prop_assert!(refused_by_all(key, &name, &bytes));
    }
}

/// A frame whose checksum is right but whose inside makes no sense: only other code can have written it.
#[test]
fn sealed_nonsense_is_refused() {
    let key = LogKey { commit: 1, part: 0 };
    let seal = |kind: u8, header_length: u32, rest: &[u8]| {
        let name = if kind == b'L' { "log/1/0" } else { "meta/state" };
        let length = header_length.to_le_bytes();
        let covered = [name.as_bytes(), &[b'K', b'D', b'B', kind], &length, rest].concat();
        [&[b'K', b'D', b'B', kind][..], &crc32fast::hash(&covered).to_le_bytes(), &length, rest].concat()
    };
    for rest in [&b""[..], b"{", b"{}", b"[1]", b"\xFF", br#"{"partition":{"table":-1}}"#] {
        assert!(decode_log(key, &seal(b'L', rest.len() as u32, rest)).is_err(), "{rest:?}");
        assert!(decode_log(key, &seal(b'L', rest.len() as u32 + 1, rest)).is_err(), "{rest:?}");
        assert!(decode_log(key, &seal(b'L', u32::MAX, rest)).is_err(), "{rest:?}");
    }
    for length in [0, 8, 31, 33, 39, 48] {
        assert!(decode_meta(&seal(b'M', 0, &vec![0; length])).is_err(), "{length} bytes");
    }
    assert!(decode_meta(&seal(b'M', 0, &[0; 40])).is_ok());
}

/// These bytes are stored in browsers: changing them takes a new format version.
#[test]
fn the_bytes_of_version_2_are_these() {
    let partition = PartitionId { table: 4, user: Some("ann".to_owned()) };
    let log = log_of_the_document();
    let header = concat!(
        r#"{"partition":{"table":4,"user":"ann"},"schema_version":3,"first_seq":900,"#,
        r#""updated_us":1700000000000000,"state":"deleted","fresh":false,"n_rows":2}"#,
    );
    let expected = framed("log/17/2", b'R', &own_checksum("log/17/2", b'R', header), b"[[1],[2]]");
    assert_eq!(String::from_utf8_lossy(&encode_log(&log).unwrap()), String::from_utf8_lossy(&expected));

    let page = Page { key: PageKey { segment: 8, column: 1 }, partition: partition.clone(), n_rows: 2, values: vec![1, 2, 3] };
    let header = own_checksum("segments/8/1", b'S', r#"{"partition":{"table":4,"user":"ann"},"n_rows":2}"#);
    assert_eq!(encode_page(&page).unwrap(), framed("segments/8/1", b'S', &header, &[1, 2, 3]));

    let manifest = Manifest { key: LogKey { commit: 18, part: 0 }, partition, body: b"{}".to_vec() };
    let header = own_checksum("manifest/18/0", b'N', r#"{"partition":{"table":4,"user":"ann"}}"#);
    assert_eq!(encode_manifest(&manifest).unwrap(), framed("manifest/18/0", b'N', &header, b"{}"));

    let meta = Meta { head: 17, catalog_head: 9, manifest_head: 3, next_seq: 902, next_id: 5 };
    let body = [17_u64, 9, 902, 5, 3].map(u64::to_le_bytes).concat();
    assert_eq!(encode_meta(&meta), framed("meta/state", b'M', &[], &body));

    let catalog = CatalogRecord { key: "table/4".to_owned(), value: b"{}".to_vec() };
    assert_eq!(encode_catalog(&catalog), framed("catalog/table/4", b'C', &[], b"{}"));
}

/// What version 1 has written is read as it was.
#[test]
fn the_bytes_of_version_1_are_read() {
    let header = concat!(
        r#"{"partition":{"table":4,"user":"ann"},"schema_version":3,"first_seq":900,"#,
        r#""updated_us":1700000000000000,"state":"deleted","fresh":false,"n_rows":2}"#,
    );
    let bytes = [b"KDBL", &V1_LOG_CHECKSUM.to_le_bytes()[..], &[146, 0, 0, 0], header.as_bytes(), b"[[1],[2]]"].concat();
    assert_eq!(decode_log(LogKey { commit: 17, part: 2 }, &bytes), Ok(log_of_the_document()));
    let body = [17_u64, 9, 902, 5].map(u64::to_le_bytes).concat();
    let bytes = [b"KDBM", &V1_META_CHECKSUM.to_le_bytes()[..], &[0; 4], &body].concat();
    assert_eq!(decode_meta(&bytes), Ok(Meta { head: 17, catalog_head: 9, manifest_head: 0, next_seq: 902, next_id: 5 }));
    let bytes = [b"KDBC", &V1_CATALOG_CHECKSUM.to_le_bytes()[..], &[0; 4], b"{}"].concat();
    assert_eq!(decode_catalog("table/4", &bytes), Ok(CatalogRecord { key: "table/4".to_owned(), value: b"{}".to_vec() }));
}

/// CRC-32 (IEEE 802.3) of the name, the kind, the length and what follows it, as any other implementation computes it.
const V1_LOG_CHECKSUM: u32 = 0x3EF6_2391;
const V1_META_CHECKSUM: u32 = 0xE179_5B3E;
const V1_CATALOG_CHECKSUM: u32 = 0x640B_A047;

fn log_of_the_document() -> LogRecord {
    LogRecord {
        key: LogKey { commit: 17, part: 2 },
        partition: PartitionId { table: 4, user: Some("ann".to_owned()) },
        schema_version: 3,
        first_seq: 900,
        updated_us: 1_700_000_000_000_000,
        state: RowState::Deleted,
        fresh: false,
        n_rows: 2,
        rows: b"[[1],[2]]".to_vec(),
    }
}

fn framed(name: &str, kind: u8, header: &[u8], body: &[u8]) -> Vec<u8> {
    let length = (header.len() as u32).to_le_bytes();
    let covered = [name.as_bytes(), b"KDB", &[kind], &length, header, body].concat();
    [b"KDB", &[kind][..], &crc32fast::hash(&covered).to_le_bytes(), &length, header, body].concat()
}

/// A header that begins with a checksum of its own.
fn own_checksum(name: &str, kind: u8, json: &str) -> Vec<u8> {
    let covered = [name.as_bytes(), b"KDB", &[kind], &[0; 4], json.as_bytes()].concat();
    [&crc32fast::hash(&covered).to_le_bytes(), json.as_bytes()].concat()
}
