//! What a commit changes, and what it must not.

use super::*;
use crate::{MAX_KEY, StoreError};

/// Nothing is there before the first commit, and nothing is wrong with that.
pub async fn an_empty_store_has_default_meta_and_no_records<H: Harness>() {
    let harness = H::fresh().await;
    let store = harness.connect().await;
    let expected = Tail { catalog: Some(vec![]), ..Tail::default() };
    assert_eq!(store.read_since(None).await, Ok(expected));
    let nothing = Some(Position { head: 0, catalog_head: 0 });
    assert_eq!(store.read_since(nothing).await, Ok(Tail::default()));
    harness.destroy().await;
}

/// A reader gets every record as it was committed, and later only the news.
pub async fn a_commit_is_read_whole_and_then_only_what_follows<H: Harness>() {
    let harness = H::fresh().await;
    let store = harness.connect().await;
    let first = commit_of(0, &["[[1]]", "[[2]]"]);
    store.commit(&first).await.unwrap();
    let all = read_all(&store).await;
    assert_eq!((&all.meta, &all.log), (&first.meta, &first.log));

    let here = Some(position(&all.meta));
    assert_eq!(store.read_since(here).await, Ok(Tail { meta: all.meta.clone(), ..Tail::default() }));
    let second = commit_of(1, &["[[3]]"]);
    store.commit(&second).await.unwrap();
    let news = store.read_since(here).await.unwrap();
    assert_eq!(news, Tail { meta: second.meta, log: second.log, ..Tail::default() });
    assert_eq!(rows(&read_all(&store).await), ["[[1]]", "[[2]]", "[[3]]"]);
    harness.destroy().await;
}

/// Commits that leave the catalog alone do not make readers load it again.
pub async fn the_catalog_is_returned_only_if_it_changed<H: Harness>() {
    let harness = H::fresh().await;
    let store = harness.connect().await;
    store.commit(&catalog_commit(0, &[("table/2", "two"), ("table/1", "one")], &[])).await.unwrap();
    let first = read_all(&store).await;
    assert_eq!(first.catalog, Some(vec![catalog_record("table/1", "one"), catalog_record("table/2", "two")]));

    let rows_only = Commit { meta: meta_at(2, 1), ..commit_of(1, &["[[1]]"]) };
    store.commit(&rows_only).await.unwrap();
    let second = store.read_since(Some(position(&first.meta))).await.unwrap();
    assert_eq!((second.catalog, second.log.len()), (None, 1));

    store.commit(&catalog_commit(2, &[("table/1", "uno")], &["table/2", "table/9"])).await.unwrap();
    let third = store.read_since(Some(position(&second.meta))).await.unwrap();
    assert_eq!(third.catalog, Some(vec![catalog_record("table/1", "uno")]));
    assert_eq!(third.log, []);
    harness.destroy().await;
}

/// The order is that of numbers: 2 before 10, in commits and in parts.
pub async fn log_records_come_in_the_order_of_their_keys<H: Harness>() {
    let harness = H::fresh().await;
    let store = harness.connect().await;
    let mut expected = Vec::new();
    for base in 0..12 {
        let mut commit = commit_of(base, &["[]"; 12]);
        expected.extend(commit.log.clone());
        commit.log.reverse();
        store.commit(&commit).await.unwrap();
    }
    assert_eq!(read_all(&store).await.log, expected);
    let news = store.read_since(Some(Position { head: 9, catalog_head: 0 })).await.unwrap();
    assert_eq!(news.log, expected[9 * 12..]);
    harness.destroy().await;
}

/// A commit removes exactly the keys that it names; those that do not exist are no error.
pub async fn dropped_records_are_gone_and_the_others_stay<H: Harness>() {
    let harness = H::fresh().await;
    let store = harness.connect().await;
    set_up(&store).await;
    store.commit(&rich_commit()).await.unwrap();
    assert_rich_commit_is_stored(&store).await;

    let drop_log = vec![LogKey { commit: 2, part: 1 }, LogKey { commit: 2, part: 77 }];
    let third = Commit { meta: meta_at(3, 2), drop_log, ..commit_of(2, &[]) };
    store.commit(&third).await.unwrap();
    assert_eq!(rows(&read_all(&store).await), ["[[11]]", "[[1]]", "[[3]]"]);
    harness.destroy().await;
}

/// A writer that has not seen the newest commit is told so, and changes nothing.
pub async fn a_commit_from_an_old_head_stores_nothing<H: Harness>() {
    let harness = H::fresh().await;
    let store = harness.connect().await;
    set_up(&store).await;
    store.commit(&rich_commit()).await.unwrap();
    assert_eq!(store.commit(&rich_commit()).await, Err(StoreError::Conflict { expected: 1, found: 2 }));
    assert_eq!(store.commit(&commit_of(2000, &["[]"])).await, Err(StoreError::Conflict { expected: 2000, found: 2 }));
    assert_rich_commit_is_stored(&store).await;
    harness.destroy().await;
}

/// The rules of [`Commit`] are checked before anything is written.
pub async fn a_commit_that_contradicts_itself_stores_nothing<H: Harness>() {
    let harness = H::fresh().await;
    let store = harness.connect().await;
    let good = commit_of(0, &["[[1]]", "[[2]]"]);
    let with_log = |log: Vec<LogRecord>| Commit { log, ..good.clone() };
    let bad = [
        Commit { meta: meta_at(2, 0), ..good.clone() },
        Commit { meta: meta_at(1, 2), ..good.clone() },
        with_log(vec![record(2, 0, "[]")]),
        with_log(vec![record(1, 5, "[]"), record(1, 5, "[]")]),
        Commit { drop_log: vec![LogKey { commit: 1, part: 0 }], ..good.clone() },
    ];
    for commit in bad {
        let refused = store.commit(&commit).await;
        assert!(matches!(refused, Err(StoreError::InvalidCommit { .. })), "{refused:?} for {commit:?}");
    }
    assert_eq!(read_all(&store).await, Tail { catalog: Some(vec![]), ..Tail::default() });
    store.commit(&good).await.unwrap();
    harness.destroy().await;
}

/// Commit numbers end where doubles stop being exact; they are never rounded.
pub async fn numbers_beyond_exact_keys_are_refused<H: Harness>() {
    let harness = H::fresh().await;
    let store = harness.connect().await;
    let last = Commit { base: MAX_KEY - 1, meta: meta_with_head(MAX_KEY), ..Commit::default() };
    assert_eq!(store.commit(&last).await, Err(StoreError::Conflict { expected: MAX_KEY - 1, found: 0 }));
    for base in [MAX_KEY, MAX_KEY + 1, u64::MAX] {
        let beyond = Commit { base, meta: meta_with_head(base.wrapping_add(1)), ..Commit::default() };
        let refused = store.commit(&beyond).await;
        assert!(matches!(refused, Err(StoreError::InvalidCommit { .. })), "{refused:?} at {base}");
    }
    assert_eq!(read_all(&store).await.meta, Meta::default());
    harness.destroy().await;
}

fn meta_with_head(head: u64) -> Meta {
    Meta { head, ..Meta::default() }
}
