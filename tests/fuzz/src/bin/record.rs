//! Any bytes are a stored record or an error, with checksums that match as well as with others.
#![no_main]

use kalamdb_store::{
    Decoded, LogKey, PageKey, RecordKey, commit_header, decode_catalog, decode_commit, decode_manifest, decode_page,
    encode_catalog, encode_commit, encode_manifest, encode_page, manifest_partition,
};
use libfuzzer_sys::fuzz_target;

const NUMBER: u64 = 7;
const KEY: LogKey = LogKey { commit: NUMBER, part: 0 };
const PAGE: PageKey = PageKey { segment: NUMBER, column: 0 };

/// The bytes of a frame whose checksums are right, which random bytes never are.
fn framed(name: &str, kind: u8, header: &[u8], body: &[u8]) -> Vec<u8> {
    let own = [name.as_bytes(), b"KDB", &[kind], &[0; 4], header].concat();
    let header = [&crc32fast::hash(&own).to_le_bytes(), header].concat();
    let length = u32::try_from(header.len()).unwrap_or_default().to_le_bytes();
    let covered = [name.as_bytes(), b"KDB", &[kind], &length, &header, body].concat();
    [b"KDB", &[kind][..], &crc32fast::hash(&covered).to_le_bytes(), &length, &header, body].concat()
}

/// A record that is read is written so that it is read as the same.
fn read(bytes: &[u8]) {
    let _ = (commit_header(NUMBER, bytes), manifest_partition(KEY, bytes));
    if let Ok(Decoded::Commit(record)) = decode_commit(NUMBER, bytes) {
        let again = encode_commit(&record).and_then(|bytes| decode_commit(NUMBER, &bytes));
        assert!(matches!(again, Ok(Decoded::Commit(again)) if again == record));
    }
    if let Ok(record) = decode_catalog("table/4", bytes) {
        assert_eq!(decode_catalog("table/4", &encode_catalog(&record)), Ok(record));
    }
    if let Ok(page) = decode_page(PAGE, bytes) {
        assert_eq!(encode_page(&page).and_then(|bytes| decode_page(PAGE, &bytes)), Ok(page));
    }
    if let Ok(manifest) = decode_manifest(KEY, bytes) {
        assert_eq!(encode_manifest(&manifest).and_then(|bytes| decode_manifest(KEY, &bytes)), Ok(manifest));
    }
}

// A header and a body, with a line feed between them.
fuzz_target!(|bytes: &[u8]| {
    read(bytes);
    let mut parts = bytes.splitn(2, |byte| *byte == b'\n');
    let (header, body) = (parts.next().unwrap_or_default(), parts.next().unwrap_or_default());
    let keys = [(RecordKey::Log(NUMBER), b'T'), (RecordKey::Page(PAGE), b'S'), (RecordKey::Manifest(KEY), b'N')];
    for (key, kind) in keys {
        read(&framed(&key.to_string(), kind, header, body));
    }
});
