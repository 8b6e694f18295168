//! The bytes of records: exact, checked and never trusted.
#![allow(clippy::unwrap_used, clippy::indexing_slicing, reason = "tests fail by panicking")]

use kalamdb_store::{
    CatalogRecord, CommitRecord, Decoded, LogKey, LogRecord, Manifest, Meta, Owner, Page, PageKey, PartitionId,
    RowState, StoreError, commit_header, decode_catalog, decode_commit, decode_manifest, decode_page, encode_catalog,
    encode_commit, encode_manifest, encode_page, manifest_partition,
};
use proptest::prelude::*;

fn partitions() -> impl Strategy<Value = PartitionId> {
    (any::<u64>(), any::<Option<String>>()).prop_map(|(table, owner)| PartitionId { table, owner: owner.map(Owner) })
}

fn keys() -> impl Strategy<Value = LogKey> {
    (any::<u64>(), any::<u32>()).prop_map(|(commit, part)| LogKey { commit, part })
}

prop_compose! {
    fn logs()(
        key in keys(), partition in partitions(), schema_version in any::<u32>(), first_seq in any::<u64>(), updated_us in any::<i64>(),
        deleted in any::<bool>(), is_new in any::<bool>(), n_rows in any::<u32>(), rows in any::<Vec<u8>>(),
    ) -> LogRecord {
        let state = if deleted { RowState::Deleted } else { RowState::Live };
        LogRecord { key, partition, schema_version, first_seq, updated_us, state, is_new, n_rows, rows }
    }
}

prop_compose! {
    fn metas()(
        head in any::<u64>(), catalog_head in any::<u64>(), manifest_head in any::<u64>(), owners_head in any::<u64>(), next_seq in any::<u64>(),
        next_id in any::<u64>(),
    ) -> Meta {
        Meta { head, catalog_head, manifest_head, owners_head, next_seq, next_id }
    }
}

prop_compose! {
    fn commits()(
        meta in metas(), nonce in any::<u64>(), origin in any::<Option<String>>(), log in prop::collection::vec(logs(), 0..3),
    ) -> CommitRecord {
        let log = log.into_iter().map(|part| LogRecord { key: LogKey { commit: meta.head, part: part.key.part }, ..part }).collect();
        CommitRecord { meta, nonce, origin, log }
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

/// Every decoder refuses the bytes; none at all are a number that was claimed.
fn refused_by_all(key: LogKey, name: &str, bytes: &[u8]) -> bool {
    let errors = [
        decode_commit(key.commit, bytes).err(),
        decode_catalog(name, bytes).err(),
        decode_page(page_key(key), bytes).err(),
        decode_manifest(key, bytes).err(),
    ];
    let is_refused = |error: &Option<StoreError>| matches!(error, Some(StoreError::Corrupted { .. }));
    errors.iter().skip(1).all(is_refused) && (is_refused(&errors[0]) || bytes.is_empty())
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
    fn records_come_back_as_they_were(log in logs(), commit in commits(), key in any::<String>(), value in any::<Vec<u8>>()) {
        prop_assert_eq!(decode_commit(commit.meta.head, &encode_commit(&commit).unwrap()), Ok(Decoded::Commit(commit)));
        let catalog = CatalogRecord { key: key.clone(), value };
        prop_assert_eq!(decode_catalog(&key, &encode_catalog(&catalog)), Ok(catalog));
        let (page, manifest) = (page_of(&log), manifest_of(&log));
        prop_assert_eq!(decode_page(page.key, &encode_page(&page).unwrap()), Ok(page));
        prop_assert_eq!(decode_manifest(manifest.key, &encode_manifest(&manifest).unwrap()), Ok(manifest));
    }

    #[test]
    fn every_flipped_bit_is_noticed(log in logs(), commit in commits(), name in any::<String>(), value in any::<Vec<u8>>()) {
        let key = LogKey { commit: commit.meta.head, part: 0 };
        assert_damage_is_noticed(key, &name, &encode_commit(&commit).unwrap());
        assert_damage_is_noticed(log.key, &name, &encode_catalog(&CatalogRecord { key: name.clone(), value }));
        assert_damage_is_noticed(log.key, &name, &encode_page(&page_of(&log)).unwrap());
        assert_damage_is_noticed(log.key, &name, &encode_manifest(&manifest_of(&log)).unwrap());
    }

    #[test]
    fn a_record_whose_body_is_damaged_says_whose_it_was(log in logs(), commit in commits(), at in any::<proptest::sample::Index>()) {
        let partitions = || commit.log.iter().map(|part| part.partition.clone()).collect::<Vec<_>>();
        let known = |bytes: &[u8]| commit_header(commit.meta.head, bytes);
        let manifest = |bytes: &[u8]| manifest_partition(log.key, bytes);
        let bytes = encode_commit(&commit).unwrap();
        prop_assert_eq!(known(&bytes), Some((commit.meta.clone(), partitions())));
        let (damaged, is_in_header) = damage(&bytes, at);
        prop_assert_eq!(known(&damaged), (!is_in_header).then(|| (commit.meta.clone(), partitions())));
        let bytes = encode_manifest(&manifest_of(&log)).unwrap();
        prop_assert_eq!(manifest(&bytes), Some(log.partition.clone()));
        let (damaged, is_in_header) = damage(&bytes, at);
        prop_assert_eq!(manifest(&damaged), (!is_in_header).then(|| log.partition.clone()));
    }

    #[test]
    fn a_commit_under_another_number_is_void(commit in commits(), number in any::<u64>()) {
        prop_assume!(number != commit.meta.head);
        prop_assert_eq!(decode_commit(number, &encode_commit(&commit).unwrap()), Ok(Decoded::Void));
    }

    #[test]
    fn records_under_another_key_are_noticed(log in logs(), key in keys(), name in any::<String>(), other in any::<String>()) {
        prop_assume!(key != log.key && name != other);
        prop_assert!(decode_manifest(key, &encode_manifest(&manifest_of(&log)).unwrap()).is_err());
        let catalog = encode_catalog(&CatalogRecord { key: name, value: Vec::new() });
        prop_assert!(decode_catalog(&other, &catalog).is_err());
    }

    #[test]
    fn any_bytes_are_decoded_without_panic(key in keys(), name in any::<String>(), bytes in any::<Vec<u8>>()) {
        prop_assert!(refused_by_all(key, &name, &bytes));
    }
}

/// Flips a bit behind the prefix; says whether it is one of the header.
fn damage(bytes: &[u8], at: proptest::sample::Index) -> (Vec<u8>, bool) {
    let header = 12 + u32::from_le_bytes(*bytes[8..].first_chunk().unwrap()) as usize;
    let mut damaged = bytes.to_vec();
    let byte = 12 + at.index(bytes.len() - 12);
    damaged[byte] ^= 1;
    (damaged, byte < header)
}

/// A frame whose checksum is right but whose inside makes no sense: only other code can have written it.
#[test]
fn sealed_nonsense_is_refused() {
    for json in ["", "{", "{}", "[1]", r#"{"commit":1}"#, r#"{"commit":-1,"parts":[]}"#] {
        assert!(decode_commit(1, &framed("log/1", b'T', &own_checksum("log/1", b'T', json), b"")).is_err(), "{json}");
    }
    let of = |commit: u64, bytes: u64| {
        let part = r#"{"part":0,"partition":{"table":1},"schema_version":1,"first_seq":1,"updated_us":1,"state":"live","fresh":true,"n_rows":1"#;
        let heads = r#""catalog_head":0,"manifest_head":0,"owners_head":0,"next_seq":1,"next_id":1"#;
        format!(r#"{{"commit":{commit},"nonce":1,{heads},"parts":[{part},"bytes":{bytes}}}]}}"#)
    };
    let sealed = |json: &str| framed("log/1", b'T', &own_checksum("log/1", b'T', json), b"[]");
    assert!(decode_commit(1, &sealed(&of(1, 2))).is_ok());
    for json in [of(1, 1), of(1, 3), of(1, u64::MAX), of(2, 2)] {
        assert!(decode_commit(1, &sealed(&json)).is_err(), "{json}");
    }
}

/// These bytes are stored in browsers: changing them takes a new format version.
#[test]
fn the_bytes_of_version_4_are_these() {
    let partition = PartitionId { table: 4, owner: Some(Owner("0123456789abcdef".to_owned())) };
    let commit = commit_of_the_document();
    let header = concat!(
        r#"{"commit":17,"nonce":77,"origin":"phone","catalog_head":9,"manifest_head":3,"owners_head":2,"next_seq":902,"next_id":5,"parts":["#,
        r#"{"part":2,"partition":{"table":4,"owner":"0123456789abcdef"},"schema_version":3,"first_seq":900,"#,
        r#""updated_us":1700000000000000,"state":"deleted","fresh":false,"n_rows":2,"bytes":9}]}"#,
    );
    let expected = framed("log/17", b'T', &own_checksum("log/17", b'T', header), b"[[1],[2]]");
    assert_eq!(String::from_utf8_lossy(&encode_commit(&commit).unwrap()), String::from_utf8_lossy(&expected));

    let page =
        Page { key: PageKey { segment: 8, column: 1 }, partition: partition.clone(), n_rows: 2, values: vec![1, 2, 3] };
    let header =
        own_checksum("segments/8/1", b'S', r#"{"partition":{"table":4,"owner":"0123456789abcdef"},"n_rows":2}"#);
    assert_eq!(encode_page(&page).unwrap(), framed("segments/8/1", b'S', &header, &[1, 2, 3]));

    let manifest = Manifest { key: LogKey { commit: 18, part: 0 }, partition, body: b"{}".to_vec() };
    let header = own_checksum("manifest/18/0", b'N', r#"{"partition":{"table":4,"owner":"0123456789abcdef"}}"#);
    assert_eq!(encode_manifest(&manifest).unwrap(), framed("manifest/18/0", b'N', &header, b"{}"));

    let catalog = CatalogRecord { key: "table/4".to_owned(), value: b"{}".to_vec() };
    assert_eq!(encode_catalog(&catalog), framed("catalog/table/4", b'C', &[], b"{}"));
    let owner = Owner::of_random(0x0123_4567_89ab_cdef).record("ann");
    assert_eq!(owner, CatalogRecord { key: "owner/0123456789abcdef".to_owned(), value: br#"{"user":"ann"}"#.to_vec() });
    assert_eq!(Owner::of_record(&owner), Some((Owner("0123456789abcdef".to_owned()), "ann".to_owned())));
}

/// A page of version 3 names a user where one of version 4 names an owner.
#[test]
fn a_page_of_version_3_is_read() {
    let header = own_checksum("segments/8/1", b'S', r#"{"partition":{"table":4,"user":"ann"},"n_rows":2}"#);
    let page = Page {
        key: PageKey { segment: 8, column: 1 },
        partition: PartitionId { table: 4, owner: None },
        n_rows: 2,
        values: vec![1, 2, 3],
    };
    assert_eq!(decode_page(page.key, &framed("segments/8/1", b'S', &header, &[1, 2, 3])), Ok(page));
}

fn commit_of_the_document() -> CommitRecord {
    let part = LogRecord {
        key: LogKey { commit: 17, part: 2 },
        partition: PartitionId { table: 4, owner: Some(Owner("0123456789abcdef".to_owned())) },
        schema_version: 3,
        first_seq: 900,
        updated_us: 1_700_000_000_000_000,
        state: RowState::Deleted,
        is_new: false,
        n_rows: 2,
        rows: b"[[1],[2]]".to_vec(),
    };
    let meta = Meta { head: 17, catalog_head: 9, manifest_head: 3, owners_head: 2, next_seq: 902, next_id: 5 };
    CommitRecord { meta, nonce: 77, origin: Some("phone".to_owned()), log: vec![part] }
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
