//! From earlier versions of the format to this one, and what contradicts itself on the way.
#![allow(clippy::unwrap_used, clippy::panic, clippy::indexing_slicing, reason = "tests fail by panicking")]

use kalamdb_store::migration::{New, Old, migrate};
use kalamdb_store::{
    CommitRecord, Decoded, LogKey, Meta, Owner, PageKey, PartitionId, decode_catalog, decode_commit, decode_manifest,
};

/// CRC-32 (IEEE 802.3) of the name, the kind, the length and what follows it, as any other implementation computes it.
const V1_LOG_CHECKSUM: u32 = 0x3EF6_2391;
const V1_META_CHECKSUM: u32 = 0xE179_5B3E;

fn migrated(old: &Old) -> New {
    let mut last = 0;
    migrate(old, &mut || {
        last += 1;
        last
    })
    .unwrap()
}

fn commits(new: &New) -> Vec<CommitRecord> {
    let read = |(number, bytes): &(u64, Vec<u8>)| match decode_commit(*number, bytes).unwrap() {
        Decoded::Commit(record) => record,
        Decoded::Void | Decoded::Deletion => panic!("{number} is void"),
    };
    new.log.iter().map(read).collect()
}

fn meta(head: u64, catalog_head: u64, next_seq: u64, next_id: u64, manifest_head: u64) -> Vec<u8> {
    let body = [head, catalog_head, next_seq, next_id, manifest_head].map(u64::to_le_bytes).concat();
    framed("meta/state", b'M', &[], &body)
}

/// One row of a commit, in version 3.
fn part(commit: u64, part: u32, user: Option<&str>, first_seq: u64) -> (LogKey, Vec<u8>) {
    let (name, user) =
        (format!("log/{commit}/{part}"), user.map(|user| format!(r#","user":"{user}""#)).unwrap_or_default());
    let header = format!(
        r#"{{"partition":{{"table":4{user}}},"schema_version":1,"first_seq":{first_seq},"updated_us":5,"state":"live","fresh":true,"n_rows":1}}"#
    );
    (
        LogKey { commit, part },
        framed(&name, b'R', &own_checksum(&name, b'R', &header), format!("[[{first_seq}]]").as_bytes()),
    )
}

fn manifest(commit: u64, user: &str, body: &str) -> (LogKey, Vec<u8>) {
    let name = format!("manifest/{commit}/0");
    let header = own_checksum(&name, b'N', &format!(r#"{{"partition":{{"table":4,"user":"{user}"}}}}"#));
    (LogKey { commit, part: 0 }, framed(&name, b'N', &header, body.as_bytes()))
}

#[test]
fn an_empty_database_stays_empty() {
    let new = migrated(&Old { meta: Some(meta(0, 0, 1, 1, 0)), ..Old::default() });
    assert!(
        new.log.is_empty() && new.catalog.is_empty() && new.manifests.is_empty() && new.repairs.is_empty(),
        "{new:?}"
    );
}

#[test]
fn parts_of_a_commit_become_one_record_and_users_owners() {
    let old = Old {
        meta: Some(meta(9, 8, 104, 12, 7)),
        log: vec![
            part(5, 0, Some("ann"), 100),
            part(5, 1, None, 101),
            part(6, 0, Some("bob"), 102),
            part(8, 0, Some("ann"), 103),
        ],
        manifests: vec![manifest(7, "bob", "body")],
        ..Old::default()
    };
    let new = migrated(&old);
    assert_eq!(new.repairs, []);
    let owners: Vec<(Owner, String)> = new
        .catalog
        .iter()
        .map(|(key, bytes)| Owner::of_record(&decode_catalog(key, bytes).unwrap()).unwrap())
        .collect();
    let owner = |user: &str| Some(owners.iter().find(|(_, of)| of == user).unwrap().0.clone());
    assert_eq!(owners.len(), 2);
    let records = commits(&new);
    let found: Vec<_> = records
        .iter()
        .flat_map(|record| {
            record
                .log
                .iter()
                .map(|part| (part.key, part.partition.owner.clone(), String::from_utf8(part.rows.clone()).unwrap()))
        })
        .collect();
    let key = |commit, part| LogKey { commit, part };
    assert_eq!(
        found,
        [
            (key(5, 0), owner("ann"), "[[100]]".to_owned()),
            (key(5, 1), None, "[[101]]".to_owned()),
            (key(6, 0), owner("bob"), "[[102]]".to_owned()),
            (key(8, 0), owner("ann"), "[[103]]".to_owned()),
        ]
    );
    // The newest record has the numbers.
    let last = records.last().unwrap();
    assert_eq!(
        last.meta,
        Meta { head: 9, catalog_head: 8, manifest_head: 7, owners_head: 9, next_seq: 104, next_id: 12 }
    );
    assert_eq!(records.iter().map(|record| record.meta.head).collect::<Vec<_>>(), [5, 6, 8, 9]);
    let (key, bytes) = &new.manifests[0];
    let manifest = decode_manifest(*key, bytes).unwrap();
    assert_eq!((manifest.partition, manifest.body), (PartitionId { table: 4, owner: owner("bob") }, b"body".to_vec()));
}

#[test]
fn the_bytes_of_version_1_are_read() {
    let header = concat!(
        r#"{"partition":{"table":4,"user":"ann"},"schema_version":3,"first_seq":900,"#,
        r#""updated_us":1700000000000000,"state":"deleted","fresh":false,"n_rows":2}"#,
    );
    let log = [b"KDBL", &V1_LOG_CHECKSUM.to_le_bytes()[..], &[146, 0, 0, 0], header.as_bytes(), b"[[1],[2]]"].concat();
    let body = [17_u64, 9, 902, 5].map(u64::to_le_bytes).concat();
    let meta = [b"KDBM", &V1_META_CHECKSUM.to_le_bytes()[..], &[0; 4], &body].concat();
    let new = migrated(&Old { meta: Some(meta), log: vec![(LogKey { commit: 17, part: 2 }, log)], ..Old::default() });
    let [record] = &commits(&new)[..] else { panic!("{new:?}") };
    assert_eq!(
        record.meta,
        Meta { head: 17, catalog_head: 9, manifest_head: 0, owners_head: 17, next_seq: 902, next_id: 5 }
    );
    assert_eq!((record.log[0].first_seq, record.log[0].rows.as_slice()), (900, &b"[[1],[2]]"[..]));
}

#[test]
fn a_head_that_went_back_is_set_right_and_told() {
    let old = Old {
        meta: Some(meta(5, 1, 50, 9, 0)),
        log: vec![part(5, 0, None, 49), part(6, 0, None, 60), part(7, 0, None, 61)],
        manifests: vec![manifest(6, "ann", "older"), manifest(7, "ann", "newer")],
        page_keys: vec![PageKey { segment: 400, column: 1 }],
        ..Old::default()
    };
    let new = migrated(&old);
    let last = commits(&new).pop().unwrap();
    assert_eq!((last.meta.head, last.meta.catalog_head, last.meta.manifest_head), (7, 7, 7));
    assert!(last.meta.next_seq > 61 && last.meta.next_id > 400, "{:?}", last.meta);
    assert_eq!(commits(&new).len(), 3);
    let kept: Vec<Vec<u8>> =
        new.manifests.iter().map(|(key, bytes)| decode_manifest(*key, bytes).unwrap().body).collect();
    assert_eq!(kept, [b"newer"]);
    let told: Vec<&str> = new.repairs.iter().map(|repair| repair.what.as_str()).collect();
    assert_eq!(told.len(), 2);
    assert!(told[0].contains("two manifests") && new.repairs[0].lost[0].contains("manifest/6/0"), "{:?}", new.repairs);
    assert!(told[1].contains("the head was 5") && told[1].contains("commit 7"), "{:?}", new.repairs);
}

#[test]
fn without_its_numbers_a_database_opens_and_tells() {
    let log = vec![part(5, 0, None, 49), part(6, 0, None, 60)];
    for meta in [None, Some(b"nonsense".to_vec())] {
        let new = migrated(&Old { meta, log: log.clone(), ..Old::default() });
        let last = commits(&new).pop().unwrap();
        assert_eq!((last.meta.head, last.log.len()), (6, 1));
        assert!(last.meta.next_seq > 61);
        assert!(new.repairs[0].what.contains("meta/state"), "{:?}", new.repairs);
    }
}

#[test]
fn damage_stays_damage() {
    let flip = |(key, mut bytes): (LogKey, Vec<u8>), at: usize| {
        bytes[at] ^= 1;
        (key, bytes)
    };
    let in_rows = part(5, 0, Some("ann"), 49).1.len() - 3;
    let old = Old {
        meta: Some(meta(7, 1, 70, 9, 0)),
        log: vec![flip(part(5, 0, Some("ann"), 49), in_rows), flip(part(6, 0, None, 50), 20), part(7, 0, None, 51)],
        manifests: vec![
            flip(manifest(4, "ann", "body"), manifest(4, "ann", "body").1.len() - 1),
            flip(manifest(4, "bob", "body"), 20),
        ],
        ..Old::default()
    };
    let new = migrated(&old);
    assert_eq!(new.repairs, []);
    let read: Vec<(u64, bool)> =
        new.log.iter().map(|(number, bytes)| (*number, decode_commit(*number, bytes).is_ok())).collect();
    // What nothing is known of comes behind the rest, under numbers that nothing else has.
    assert_eq!(read, [(5, true), (7, true), (8, false)]);
    let Ok(Decoded::Commit(damaged)) = decode_commit(5, &new.log[0].1) else { panic!("{new:?}") };
    assert!(damaged.log[0].partition.owner.is_some());
    assert!(damaged.log[0].rows.starts_with(b"damaged "));
    assert!(new.manifests.iter().all(|(key, bytes)| decode_manifest(*key, bytes).is_err()));
    let known: Vec<_> =
        new.manifests.iter().filter_map(|(key, bytes)| kalamdb_store::manifest_partition(*key, bytes)).collect();
    assert_eq!(known, [damaged.log[0].partition.clone()]);
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
