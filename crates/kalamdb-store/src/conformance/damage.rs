//! Stored bytes that are not what they should be.

use super::*;
use crate::{Damage, FORMAT_VERSION, StoreError};

/// One bad record of the log hides neither itself nor the others.
pub async fn a_damaged_log_record_is_listed_and_the_rest_is_read<H: Harness>() {
    let harness = H::fresh().await;
    let store = harness.connect().await;
    set_up(&store).await;
    let second = Commit { meta: meta_at(2, 1), ..commit_of(1, &["[[1]]", &"[[2]]".repeat(500)]) };
    store.commit(&second).await.unwrap();
    store.commit(&Commit { meta: meta_at(3, 1), ..commit_of(2, &["[[3]]"]) }).await.unwrap();
    harness.damage(&RecordKey::Log(2)).await;

    let tail = store.read_since(None).await.unwrap();
    let damage = |partition: &PartitionId| {
        Damage::of(&RecordKey::Log(2), "its checksum does not match", Some(partition.clone()))
    };
    let damaged: Vec<Damage> = second.log.iter().map(|record| damage(&record.partition)).collect();
    assert_eq!(tail.damaged, damaged);
    assert_eq!(rows(&tail), ["[[10]]", "[[11]]", "[[3]]"]);
    assert_eq!(tail.catalog.unwrap().len(), 2);
    let later = store.read_since(Some(&meta_at(1, 1))).await.unwrap();
    assert_eq!(later.damaged, damaged);
    store.commit(&Commit { meta: meta_at(4, 2), ..commit_of(3, &["[[4]]"]) }).await.unwrap();
    assert_eq!(rows(&store.read_since(None).await.unwrap()), ["[[10]]", "[[11]]", "[[3]]", "[[4]]"]);
    harness.destroy().await;
}

/// One bad catalog record hides neither itself nor the others.
pub async fn a_damaged_catalog_record_is_listed_and_the_rest_is_read<H: Harness>() {
    let harness = H::fresh().await;
    let store = harness.connect().await;
    set_up(&store).await;
    harness.damage(&RecordKey::Catalog("table/1".to_owned())).await;
    let tail = store.read_since(None).await.unwrap();
    assert_eq!(damaged_keys(&tail.damaged), ["catalog/table/1"]);
    assert_eq!(tail.catalog, Some(vec![catalog_record("table/2", "second")]));
    assert_eq!(tail.log.len(), 2);
    harness.destroy().await;
}

/// The newest record has the numbers that the next commit goes on from. They are known as long as its header is;
/// without it they leap.
pub async fn numbers_go_on_when_the_newest_record_is_damaged<H: Harness>() {
    let harness = H::fresh().await;
    let store = harness.connect().await;
    set_up(&store).await;
    let long = Commit { meta: meta_at(2, 1), ..commit_of(1, &[&"[[2]]".repeat(500)]) };
    store.commit(&long).await.unwrap();
    harness.damage(&RecordKey::Log(2)).await;
    let known = store.read_since(None).await.unwrap();
    assert_eq!((known.meta, damaged_keys(&known.damaged)), (long.meta.clone(), vec!["log/2"]));

    let short = Commit { meta: meta_at(3, 1), ..commit_of(2, &["[[3]]"]) };
    store.commit(&short).await.unwrap();
    harness.damage(&RecordKey::Log(3)).await;
    let leapt = store.read_since(None).await.unwrap();
    assert_eq!(damaged_keys(&leapt.damaged), ["log/2", "log/3"]);
    assert_eq!(leapt.meta.head, 3);
    assert!(leapt.meta.next_seq > short.meta.next_seq && leapt.meta.next_id > short.meta.next_id, "{:?}", leapt.meta);
    // Whether definitions have changed is not known, so they are read.
    let later = store.read_since(Some(&long.meta)).await.unwrap();
    assert_eq!((later.meta.next_id > short.meta.next_id, later.catalog.map(|catalog| catalog.len())), (true, Some(2)));
    store.commit(&Commit { meta: Meta { head: 4, ..leapt.meta.clone() }, ..commit_of(3, &["[[4]]"]) }).await.unwrap();
    assert_eq!(store.read_since(None).await.unwrap().meta, Meta { head: 4, ..leapt.meta });
    harness.destroy().await;
}

/// A database that newer code has written is not read.
pub async fn a_newer_format_is_refused<H: Harness>() {
    let harness = H::fresh().await;
    let store = harness.connect().await;
    set_up(&store).await;
    let before = read_all(&store).await;
    let found = FORMAT_VERSION + 1;
    harness.set_format(found).await;
    let too_new = StoreError::SchemaTooNew { found, supported: FORMAT_VERSION };
    assert_eq!(store.read_since(None).await, Err(too_new));
    harness.set_format(FORMAT_VERSION).await;
    assert_eq!(read_all(&store).await, before);
    harness.destroy().await;
}

/// A store that has lost commits that a reader has seen says so.
pub async fn a_position_after_the_head_is_an_error<H: Harness>() {
    let harness = H::fresh().await;
    let store = harness.connect().await;
    set_up(&store).await;
    for head in [2, crate::MAX_KEY, u64::MAX] {
        let error = store.read_since(Some(&Meta { head, ..meta_at(1, 1) })).await.unwrap_err();
        assert!(matches!(&error, StoreError::Corrupted { key, .. } if *key == format!("log/{head}")), "{error}");
    }
    harness.destroy().await;
}

fn damaged_keys(damaged: &[Damage]) -> Vec<&str> {
    damaged.iter().map(|damage| damage.key.as_str()).collect()
}
