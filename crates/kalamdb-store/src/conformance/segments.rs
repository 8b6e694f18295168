//! Columns of segments, and the manifests that name them.

use super::*;
use crate::{Damage, StoreError};

/// Pages are read by their keys, in the order asked for.
pub async fn pages_come_back_as_they_were<H: Harness>() {
    let harness = H::fresh().await;
    let store = harness.connect().await;
    let large: Vec<u8> = (0..3_000_000_u32).map(|i| (i.wrapping_mul(i) >> 3) as u8).collect();
    let pages = vec![page(1, 0, b""), page(1, u32::MAX, &large), page(crate::MAX_KEY, 7, &[0, 255])];
    store.commit(&Commit { put_pages: pages.clone(), meta: meta_at(1, 0), ..Commit::default() }).await.unwrap();
    let mut keys: Vec<PageKey> = pages.iter().rev().map(|page| page.key).collect();
    keys.insert(1, PageKey { segment: 2, column: 0 });
    let read = store.read_pages(&keys).await.unwrap();
    assert!(read == [Some(pages[2].clone()), None, Some(pages[1].clone()), Some(pages[0].clone())], "the pages differ");
    assert_eq!(store.page_keys().await.unwrap(), pages.iter().map(|page| page.key).collect::<Vec<_>>());
    assert_eq!(store.read_pages(&[PageKey { segment: u64::MAX, column: 0 }]).await, Ok(vec![None]));
    harness.destroy().await;
}

/// A reader gets the manifests that were written after its position.
pub async fn manifests_are_returned_only_if_they_are_new<H: Harness>() {
    let harness = H::fresh().await;
    let store = harness.connect().await;
    set_up(&store).await;
    assert_eq!(read_all(&store).await.manifests, [manifest(1, 0, "old")]);
    assert_eq!(store.read_since(Some(&Meta { manifest_head: 1, ..meta_at(1, 1) })).await.unwrap().manifests, []);
    let more = Commit {
        meta: Meta { manifest_head: 2, ..meta_at(2, 1) },
        put_manifests: vec![manifest(2, 1, "b"), manifest(2, 0, "a")],
        ..commit_of(1, &["[[1]]"])
    };
    store.commit(&more).await.unwrap();
    let since = async |head| store.read_since(Some(&meta_at(head, 1))).await.unwrap().manifests;
    assert_eq!(since(1).await, [manifest(2, 0, "a"), manifest(2, 1, "b")]);
    assert_eq!(since(0).await.len(), 3);
    assert_eq!(since(2).await, []);
    harness.destroy().await;
}

/// What a commit replaces is gone with it.
pub async fn removed_pages_and_manifests_are_gone<H: Harness>() {
    let harness = H::fresh().await;
    let store = harness.connect().await;
    set_up(&store).await;
    store.commit(&rich_commit()).await.unwrap();
    assert_rich_commit_is_stored(&store).await;
    let read = store.read_pages(&[PageKey { segment: 6, column: 1 }, PageKey { segment: 7, column: 1 }]).await.unwrap();
    assert_eq!(read, [None, Some(page(7, 1, b"new"))]);
    harness.destroy().await;
}

/// One bad page does not keep the others from being read.
pub async fn a_damaged_page_is_an_error_and_the_others_are_read<H: Harness>() {
    let harness = H::fresh().await;
    let store = harness.connect().await;
    let pages = vec![page(1, 1, b"one"), page(1, 2, b"two")];
    store.commit(&Commit { put_pages: pages.clone(), meta: meta_at(1, 0), ..Commit::default() }).await.unwrap();
    harness.damage(&RecordKey::Page(pages[0].key)).await;
    let error = store.read_pages(&[pages[0].key]).await.unwrap_err();
    assert!(matches!(&error, StoreError::Corrupted { key, .. } if key == "segments/1/1"), "{error}");
    assert_eq!(store.read_pages(&[pages[1].key]).await, Ok(vec![Some(pages[1].clone())]));
    harness.destroy().await;
}

/// Pages and the manifest that names them are read at one moment: when another one has taken its place, the reader
/// hears of it.
pub async fn pages_are_read_at_the_moment_of_their_manifest<H: Harness>() {
    let harness = H::fresh().await;
    let store = harness.connect().await;
    set_up(&store).await;
    let (old, new) = (LogKey { commit: 1, part: 0 }, LogKey { commit: 2, part: 0 });
    let keys = [PageKey { segment: 6, column: 1 }, PageKey { segment: 6, column: 2 }];
    assert_eq!(store.read_pages_of(old, &keys).await, Ok(Some(vec![Ok(Some(page(6, 1, b"old"))), Ok(None)])));
    assert_eq!(store.read_pages_of(new, &keys).await, Ok(None));
    harness.damage(&RecordKey::Page(keys[0])).await;
    let read = store.read_pages_of(old, &keys).await.unwrap().unwrap();
    assert!(matches!(read[..], [Err(StoreError::Corrupted { .. }), Ok(None)]), "{read:?}");
    store.commit(&rich_commit()).await.unwrap();
    assert_eq!(store.read_pages_of(old, &keys).await, Ok(None));
    assert_eq!(
        store.read_pages_of(new, &[PageKey { segment: 7, column: 1 }]).await,
        Ok(Some(vec![Ok(Some(page(7, 1, b"new")))]))
    );
    harness.destroy().await;
}

/// A manifest whose body is damaged still says whose it was.
pub async fn a_damaged_manifest_is_listed_with_its_partition<H: Harness>() {
    let harness = H::fresh().await;
    let store = harness.connect().await;
    set_up(&store).await;
    let long = manifest(2, 0, &"body ".repeat(100));
    let commit = Commit {
        meta: Meta { manifest_head: 2, ..meta_at(2, 1) },
        put_manifests: vec![long.clone()],
        ..commit_of(1, &[])
    };
    store.commit(&commit).await.unwrap();
    harness.damage(&RecordKey::Manifest(long.key)).await;
    let tail = store.read_since(None).await.unwrap();
    assert_eq!(tail.manifests, [manifest(1, 0, "old")]);
    let damage = Damage::of(&RecordKey::Manifest(long.key), "its checksum does not match", Some(long.partition));
    assert_eq!(tail.damaged, [damage]);
    harness.destroy().await;
}
