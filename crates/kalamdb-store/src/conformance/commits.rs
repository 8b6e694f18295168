//! What a commit changes, and what it must not.

use super::*;
use crate::{MAX_KEY, StoreError};

/// Nothing is there before the first commit, and nothing is wrong with that.
pub async fn an_empty_store_has_default_meta_and_no_records<H: Harness>() {
    let harness = H::fresh().await;
    let store = harness.connect().await;
    let expected = Tail { catalog: Some(vec![]), ..Tail::default() };
    assert_eq!(store.read_since(None).await, Ok(expected));
    assert_eq!(store.read_since(Some(&Meta::default())).await, Ok(Tail::default()));
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

    let here = Some(&first.meta);
    assert_eq!(store.read_since(here).await, Ok(Tail { meta: all.meta.clone(), ..Tail::default() }));
    let second = commit_of(1, &["[[3]]"]);
    store.commit(&second).await.unwrap();
    let news = store.read_since(here).await.unwrap();
    let entries = vec![LogEntry { number: 2, nonce: Some(0), is_damaged: false }];
    assert_eq!(news, Tail { meta: second.meta, entries, log: second.log, ..Tail::default() });
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
    let second = store.read_since(Some(&first.meta)).await.unwrap();
    assert_eq!((second.catalog, second.log.len()), (None, 1));

    store.commit(&catalog_commit(2, &[("table/1", "uno")], &["table/2", "table/9"])).await.unwrap();
    let third = store.read_since(Some(&second.meta)).await.unwrap();
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
    let news = store.read_since(Some(&meta_at(9, 0))).await.unwrap();
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

    let third = Commit { meta: meta_at(3, 2), drop_log: vec![2, 1, 77], ..commit_of(2, &["[[4]]"]) };
    let refused = store.commit(&third).await;
    assert!(matches!(refused, Err(StoreError::InvalidCommit { .. })), "{refused:?}");
    let third = Commit { drop_log: vec![2, 1], ..third };
    store.commit(&third).await.unwrap();
    assert_eq!(rows(&read_all(&store).await), ["[[4]]"]);
    harness.destroy().await;
}

/// A writer that has not seen the newest commit is told so, and changes nothing.
pub async fn a_commit_from_an_old_head_stores_nothing<H: Harness>() {
    let harness = H::fresh().await;
    let store = harness.connect().await;
    set_up(&store).await;
    store.commit(&rich_commit()).await.unwrap();
    assert_eq!(store.commit(&rich_commit()).await, Err(StoreError::Conflict { expected: 1, found: 2 }));
    H::set_quiet(&store, false);
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
        Commit { drop_log: vec![1], ..good.clone() },
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
    H::set_quiet(&store, false);
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

/// What a quiet writer leaves when it has lost is passed over, by readers and by those who write after it; the number
/// is gone.
pub async fn a_commit_in_haste_leaves_nothing_that_counts<H: Harness>() {
    let harness = H::fresh().await;
    let (left, right) = (harness.connect().await, harness.connect().await);
    H::set_quiet(&left, true);
    H::set_quiet(&right, true);
    let first = commit_of(0, &["[[1]]"]);
    left.commit(&first).await.unwrap();
    assert_eq!(right.commit(&commit_of(0, &["[\"lost\"]"])).await, Err(StoreError::Conflict { expected: 0, found: 1 }));
    let tail = read_all(&left).await;
    assert_eq!(rows(&tail), ["[[1]]"]);
    assert_eq!(tail.meta, Meta { head: 2, ..first.meta.clone() });
    assert_eq!(
        tail.entries,
        [
            LogEntry { number: 1, nonce: Some(0), is_damaged: false },
            LogEntry { number: 2, nonce: None, is_damaged: false }
        ]
    );
    assert_eq!(
        left.read_since(Some(&first.meta)).await.unwrap(),
        Tail { entries: vec![tail.entries[1]], meta: tail.meta, ..Tail::default() }
    );
    // From what it had seen, nobody goes on.
    assert_eq!(left.commit(&commit_of(1, &["[[2]]"])).await, Err(StoreError::Conflict { expected: 1, found: 2 }));
    left.commit(&commit_of(3, &["[[3]]"])).await.unwrap();
    assert_eq!(rows(&read_all(&right).await), ["[[1]]", "[[3]]"]);
    harness.destroy().await;
}

/// A number that a writer has claimed and not used is passed over, and no other commit gets it.
pub async fn what_is_left_of_a_writer_that_died_is_void<H: Harness>() {
    let harness = H::fresh().await;
    let store = harness.connect().await;
    set_up(&store).await;
    harness.claim().await;
    let tail = read_all(&store).await;
    assert_eq!(
        (tail.meta, tail.entries.last()),
        (
            Meta { head: 2, manifest_head: 1, ..meta_at(1, 1) },
            Some(&LogEntry { number: 2, nonce: None, is_damaged: false })
        )
    );
    assert_eq!(store.commit(&rich_commit()).await, Err(StoreError::Conflict { expected: 1, found: 2 }));
    let next =
        Commit { base: 2, meta: Meta { head: 3, ..meta_at(2, 1) }, drop_log: vec![2], ..commit_of(2, &["[[4]]"]) };
    store.commit(&next).await.unwrap();
    assert_eq!(rows(&read_all(&store).await), ["[[10]]", "[[11]]", "[[4]]"]);
    harness.destroy().await;
}

/// A tab that is far behind gets no number that was removed meanwhile.
pub async fn a_number_is_given_once<H: Harness>() {
    for is_quiet in [false, true] {
        let harness = H::fresh().await;
        let (store, behind) = (harness.connect().await, harness.connect().await);
        H::set_quiet(&behind, is_quiet);
        for base in 0..5 {
            store.commit(&commit_of(base, &["[]"])).await.unwrap();
        }
        store.commit(&Commit { drop_log: vec![1, 2, 3, 4, 5], ..commit_of(5, &["[[6]]"]) }).await.unwrap();
        for (base, found) in [(0, 6), (2, if is_quiet { 7 } else { 6 }), (4, if is_quiet { 8 } else { 6 })] {
            assert_eq!(
                behind.commit(&commit_of(base, &["[\"late\"]"])).await,
                Err(StoreError::Conflict { expected: base, found })
            );
        }
        assert_eq!(rows(&read_all(&store).await), ["[[6]]"]);
        harness.destroy().await;
    }
}

/// Who wrote a commit, and which one it is.
pub async fn a_commit_keeps_its_origin_and_nonce<H: Harness>() {
    let harness = H::fresh().await;
    let store = harness.connect().await;
    let commit = Commit { nonce: u64::MAX, origin: Some("elsewhere \u{1F600}".to_owned()), ..commit_of(0, &["[[1]]"]) };
    store.commit(&commit).await.unwrap();
    assert_eq!(read_all(&store).await.entries, [LogEntry { number: 1, nonce: Some(u64::MAX), is_damaged: false }]);
    let Commit { meta, nonce, origin, log, .. } = commit;
    assert_eq!(store.read_commits(&[1, 2]).await, Ok(vec![Some(CommitRecord { meta, nonce, origin, log }), None]));
    harness.destroy().await;
}

/// A commit may leave less of an earlier record.
pub async fn records_of_the_log_are_read_and_shrunk<H: Harness>() {
    let harness = H::fresh().await;
    let store = harness.connect().await;
    store.commit(&commit_of(0, &["[[1]]", "[[2]]", "[[3]]"])).await.unwrap();
    let mut record = store.read_commits(&[1]).await.unwrap().pop().flatten().unwrap();
    record.log.remove(1);
    store.commit(&Commit { shrink_log: vec![record.clone()], ..commit_of(1, &["[[4]]"]) }).await.unwrap();
    assert_eq!(rows(&read_all(&store).await), ["[[1]]", "[[3]]", "[[4]]"]);
    assert_eq!(store.read_commits(&[1]).await, Ok(vec![Some(record)]));
    harness.destroy().await;
}

fn meta_with_head(head: u64) -> Meta {
    Meta { head, ..Meta::default() }
}
