//! What is left of a transaction that fails on the way.

use super::*;
use crate::{Fault, StoreError};

/// Whichever request of a commit fails, nothing is stored, and the same commit then succeeds.
pub async fn a_failure_at_any_request_stores_nothing<H: Harness>() {
    for (fault, expected) in [
        (Fault::QuotaExceeded, StoreError::QuotaExceeded),
        (Fault::Abort, abort_error()),
        (Fault::Indeterminate { stored: false }, indeterminate()),
    ] {
        let harness = H::fresh().await;
        let store = harness.connect().await;
        set_up(&store).await;
        let before = read_all(&store).await;
        let mut failures = 0;
        loop {
            harness.faults().arm(failures + 1, fault);
            match store.commit(&rich_commit()).await {
                Ok(()) => break,
                Err(error) => assert_eq!(name_of(&error), name_of(&expected), "{error}"),
            }
            failures += 1;
            assert!(!harness.faults().is_armed());
            assert_eq!(read_all(&store).await, before);
        }
        harness.faults().disarm();
        // The number and the record, one dropped; two catalog records, one dropped; a page and a manifest, one of each
        // dropped.
        assert!(failures >= 9, "only {failures} requests could fail");
        assert_rich_commit_is_stored(&store).await;
        harness.destroy().await;
    }
}

/// A connection that closes at any request of a commit has stored nothing, and stays closed.
pub async fn a_connection_that_dies_in_a_commit_stores_nothing<H: Harness>() {
    let harness = H::fresh().await;
    let other = harness.connect().await;
    set_up(&other).await;
    let before = read_all(&other).await;
    let mut failures = 0;
    loop {
        let store = harness.connect().await;
        harness.faults().arm(failures + 1, Fault::Close);
        match store.commit(&rich_commit()).await {
            Ok(()) => break,
            Err(error) => assert_eq!(error, StoreError::Closed),
        }
        failures += 1;
        assert_eq!(store.read_since(None).await, Err(StoreError::Closed));
        assert_eq!(read_all(&other).await, before);
    }
    harness.faults().disarm();
    assert!(failures >= 9, "only {failures} requests could fail");
    assert_rich_commit_is_stored(&other).await;
    harness.destroy().await;
}

/// After `Indeterminate` the head tells what happened; a commit that was stored is not stored twice.
pub async fn an_indeterminate_commit_is_settled_by_reading<H: Harness>() {
    let harness = H::fresh().await;
    let store = harness.connect().await;
    set_up(&store).await;
    harness.faults().arm(1, Fault::Indeterminate { stored: true });
    let error = store.commit(&rich_commit()).await.unwrap_err();
    assert_eq!(name_of(&error), name_of(&indeterminate()));
    assert_rich_commit_is_stored(&store).await;
    assert_eq!(store.commit(&rich_commit()).await, Err(StoreError::Conflict { expected: 1, found: 2 }));
    harness.destroy().await;
}

/// A read that fails leaves the connection usable.
pub async fn a_failed_read_can_be_repeated<H: Harness>() {
    let harness = H::fresh().await;
    let store = harness.connect().await;
    set_up(&store).await;
    let whole = read_all(&store).await;
    let mut failures = 0;
    loop {
        harness.faults().arm(failures + 1, Fault::Abort);
        match store.read_since(None).await {
            Ok(tail) => break assert_eq!(tail, whole),
            Err(error) => assert_eq!(name_of(&error), name_of(&abort_error())),
        }
        failures += 1;
        assert_eq!(read_all(&store).await, whole);
    }
    harness.faults().disarm();
    // Log, manifests and catalog.
    assert!(failures >= 3, "only {failures} requests could fail");
    harness.destroy().await;
}

fn abort_error() -> StoreError {
    StoreError::Platform { name: "AbortError".to_owned(), message: String::new() }
}

fn indeterminate() -> StoreError {
    StoreError::Indeterminate { reason: String::new() }
}

/// An error without its free text, which is the platform's.
fn name_of(error: &StoreError) -> String {
    match error {
        StoreError::Platform { name, .. } => name.clone(),
        StoreError::Indeterminate { .. } => "Indeterminate".to_owned(),
        other => format!("{other:?}"),
    }
}
