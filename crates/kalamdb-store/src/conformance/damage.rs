//! Stored bytes that are not what they should be.

use super::*;
use crate::{FORMAT_VERSION, StoreError};

/// One bad log record hides neither itself nor the others.
pub async fn a_damaged_log_record_is_listed_and_the_rest_is_read<H: Harness>() {
    let harness = H::fresh().await;
    let store = harness.connect().await;
    set_up(&store).await;
    store.commit(&rich_commit()).await.unwrap();
    harness.damage(&RecordKey::Log(LogKey { commit: 2, part: 1 })).await;

    let tail = store.read_since(None).await.unwrap();
    assert_eq!(damaged_keys(&tail), ["log/2/1"]);
    assert_eq!(rows(&tail), ["[[11]]", "[[1]]", "[[3]]"]);
    assert_eq!(tail.catalog.unwrap().len(), 2);
    let later = store.read_since(Some(Position { head: 1, catalog_head: 2 })).await.unwrap();
    assert_eq!(damaged_keys(&later), ["log/2/1"]);
    store.commit(&Commit { meta: meta_at(3, 2), ..commit_of(2, &["[[4]]"]) }).await.unwrap();
    assert_eq!(rows(&store.read_since(None).await.unwrap()), ["[[11]]", "[[1]]", "[[3]]", "[[4]]"]);
    harness.destroy().await;
}

/// One bad catalog record hides neither itself nor the others.
pub async fn a_damaged_catalog_record_is_listed_and_the_rest_is_read<H: Harness>() {
    let harness = H::fresh().await;
    let store = harness.connect().await;
    set_up(&store).await;
    harness.damage(&RecordKey::Catalog("table/1".to_owned())).await;
    let tail = store.read_since(None).await.unwrap();
    assert_eq!(damaged_keys(&tail), ["catalog/table/1"]);
    assert_eq!(tail.catalog, Some(vec![catalog_record("table/2", "second")]));
    assert_eq!(tail.log.len(), 2);
    harness.destroy().await;
}

/// Without the meta record nothing can be trusted: neither reading nor writing goes on.
pub async fn a_damaged_meta_record_is_an_error<H: Harness>() {
    let harness = H::fresh().await;
    let store = harness.connect().await;
    set_up(&store).await;
    harness.damage(&RecordKey::Meta).await;
    for error in [store.read_since(None).await.unwrap_err(), store.commit(&rich_commit()).await.unwrap_err()] {
        assert!(matches!(&error, StoreError::Corrupted { key, .. } if key == "meta/state"), "{error}");
    }
    // Flipped back, everything is as it was: the failed commit wrote nothing.
    harness.damage(&RecordKey::Meta).await;
    store.commit(&rich_commit()).await.unwrap();
    assert_rich_commit_is_stored(&store).await;
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
        let error = store.read_since(Some(Position { head, catalog_head: 1 })).await.unwrap_err();
        assert!(matches!(&error, StoreError::Corrupted { key, .. } if key == "meta/state"), "{error}");
    }
    harness.destroy().await;
}

fn damaged_keys(tail: &Tail) -> Vec<&str> {
    tail.damaged.iter().map(|damage| damage.key.as_str()).collect()
}
