//! Several connections to one database, as several tabs have.

use futures::future;

use super::*;
use crate::StoreError;

/// Two writers at once: one is stored whole, the other is told of the conflict and can go on from there.
pub async fn of_two_commits_from_one_base_one_wins<H: Harness>() {
    let harness = H::fresh().await;
    let (left, right) = (harness.connect().await, harness.connect().await);
    H::set_quiet(&left, false);
    H::set_quiet(&right, false);
    for base in 0..10 {
        let (ours, theirs) = (commit_of(base, &["[\"left\"]"; 3]), commit_of(base, &["[\"right\"]"; 5]));
        let results = future::join(left.commit(&ours), right.commit(&theirs)).await;
        let conflict = Err(StoreError::Conflict { expected: base, found: base + 1 });
        let winner = match &results {
            (Ok(()), lost) if *lost == conflict => ours,
            (lost, Ok(())) if *lost == conflict => theirs,
            _ => panic!("{results:?}"),
        };
        let news = left.read_since(Some(&if base == 0 { Meta::default() } else { meta_at(base, 0) })).await.unwrap();
        assert_eq!((news.meta, news.log), (winner.meta, winner.log));
    }
    harness.destroy().await;
}

/// A commit is seen by other connections as soon as it has resolved.
pub async fn each_connection_sees_what_the_others_commit<H: Harness>() {
    let harness = H::fresh().await;
    let (left, right) = (harness.connect().await, harness.connect().await);
    let nothing = Some(&Meta::default());
    left.commit(&commit_of(0, &["[[1]]"])).await.unwrap();
    assert_eq!(rows(&right.read_since(nothing).await.unwrap()), ["[[1]]"]);
    right.commit(&commit_of(1, &["[[2]]"])).await.unwrap();
    assert_eq!(rows(&left.read_since(nothing).await.unwrap()), ["[[1]]", "[[2]]"]);
    harness.destroy().await;
}

/// What was committed outlives its connection.
pub async fn reopening_sees_everything<H: Harness>() {
    let harness = H::fresh().await;
    let store = harness.connect().await;
    set_up(&store).await;
    store.commit(&rich_commit()).await.unwrap();
    store.close().await;
    drop(store);
    assert_rich_commit_is_stored(&harness.connect().await).await;
    harness.destroy().await;
}

/// Every call on a closed store fails, closing again is allowed, and other connections do not notice.
pub async fn a_closed_store_stays_closed_and_the_others_open<H: Harness>() {
    let harness = H::fresh().await;
    let (closed, open) = (harness.connect().await, harness.connect().await);
    set_up(&closed).await;
    closed.close().await;
    closed.close().await;
    assert_eq!(closed.read_since(None).await, Err(StoreError::Closed));
    assert_eq!(closed.commit(&rich_commit()).await, Err(StoreError::Closed));
    assert_eq!(closed.read_pages(&[PageKey { segment: 1, column: 1 }]).await, Err(StoreError::Closed));
    open.commit(&rich_commit()).await.unwrap();
    assert_rich_commit_is_stored(&open).await;
    harness.destroy().await;
}
