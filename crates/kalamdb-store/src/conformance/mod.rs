//! The suite that every store passes: one async function a behaviour, and a macro that makes tests of them.
//!
//! A store's tests implement [`Harness`] and say
//! `conformance_tests!(#[wasm_bindgen_test] MyHarness)`, or, where tests are not async,
//! `conformance_tests!(#[test] futures::executor::block_on, MyHarness)`.
//!
//! Each behaviour opens a database of its own and destroys it when it is done.
#![allow(clippy::unwrap_used, clippy::panic, clippy::indexing_slicing, reason = "tests fail by panicking")]

mod commits;
mod connections;
mod damage;
mod failures;
mod segments;
mod values;

pub use commits::*;
pub use connections::*;
pub use damage::*;
pub use failures::*;
pub use segments::*;
pub use values::*;

use async_trait::async_trait;

use crate::{
    CatalogRecord, Commit, CommitRecord, Durability, Faults, LogEntry, LogKey, LogRecord, Manifest, Meta, Owner, Page,
    PageKey, PartitionId, RecordKey, RowState, Store, Tail,
};

/// One database of the store under test, and what a test does to it from outside.
#[async_trait(?Send)]
pub trait Harness: Sized {
    /// The store under test.
    type Store: Store;

    /// Creates an empty database that nobody else uses.
    async fn fresh() -> Self;

    /// Opens a connection to the database; every call opens another one. All of them fail as [`Harness::faults`] says.
    async fn connect(&self) -> Self::Store;

    /// Whether commits of a connection are made as if nobody else wrote.
    fn set_quiet(store: &Self::Store, is_quiet: bool);

    /// Leaves an empty record in the log, as a writer does that dies when it has claimed a number.
    async fn claim(&self);

    /// The faults of all connections.
    fn faults(&self) -> &Faults;

    /// Flips a bit in the stored bytes of a record.
    async fn damage(&self, key: &RecordKey);

    /// Claims that the database is of another version of the format.
    async fn set_format(&self, version: u32);

    /// Removes the database.
    async fn destroy(self);
}

/// Makes a test of every behaviour of the suite, for one harness.
#[macro_export]
macro_rules! conformance_tests {
    (#[$attribute:meta] $($how:tt)+) => {
        $crate::conformance_tests!(@each [#[$attribute]] [$($how)+]
            an_empty_store_has_default_meta_and_no_records
            a_commit_is_read_whole_and_then_only_what_follows
            the_catalog_is_returned_only_if_it_changed
            log_records_come_in_the_order_of_their_keys
            dropped_records_are_gone_and_the_others_stay
            a_commit_from_an_old_head_stores_nothing
            a_commit_that_contradicts_itself_stores_nothing
            numbers_beyond_exact_keys_are_refused
            of_two_commits_from_one_base_one_wins
            each_connection_sees_what_the_others_commit
            reopening_sees_everything
            a_closed_store_stays_closed_and_the_others_open
            a_failure_at_any_request_stores_nothing
            a_connection_that_dies_in_a_commit_stores_nothing
            an_indeterminate_commit_is_settled_by_reading
            a_failed_read_can_be_repeated
            a_damaged_log_record_is_listed_and_the_rest_is_read
            a_damaged_catalog_record_is_listed_and_the_rest_is_read
            numbers_go_on_when_the_newest_record_is_damaged
            what_is_left_of_a_writer_that_died_is_void
            a_number_is_given_once
            a_commit_keeps_its_origin_and_nonce
            records_of_the_log_are_read_and_shrunk
            pages_are_read_at_the_moment_of_their_manifest
            a_commit_in_haste_leaves_nothing_that_counts
            a_newer_format_is_refused
            a_position_after_the_head_is_an_error
            large_values_come_back
            user_ids_come_back_as_they_were
            numbers_and_states_come_back_as_they_were
            pages_come_back_as_they_were
            manifests_are_returned_only_if_they_are_new
            removed_pages_and_manifests_are_gone
            a_damaged_page_is_an_error_and_the_others_are_read
            a_damaged_manifest_is_listed_with_its_partition
        );
    };
    (@each [#[$attribute:meta]] [$run:path, $harness:ty] $($behaviour:ident)+) => {
        $(#[$attribute] fn $behaviour() { $run($crate::conformance::$behaviour::<$harness>()) })+
    };
    (@each [#[$attribute:meta]] [$harness:ty] $($behaviour:ident)+) => {
        $(#[$attribute] async fn $behaviour() { $crate::conformance::$behaviour::<$harness>().await })+
    };
}

/// The commit after `base`, with one log record for each of `rows`.
fn commit_of(base: u64, rows: &[&str]) -> Commit {
    let number = base + 1;
    let log = rows.iter().zip(0..).map(|(rows, part)| record(number, part, rows)).collect();
    Commit { base, meta: meta_at(number, 0), log, ..Commit::default() }
}

/// A log record of one row; `rows` is its JSON.
fn record(commit: u64, part: u32, rows: &str) -> LogRecord {
    LogRecord {
        key: LogKey { commit, part },
        partition: PartitionId { table: u64::from(part) + 1, owner: None },
        schema_version: 1,
        first_seq: commit * 100 + u64::from(part),
        updated_us: 1_700_000_000_000_000,
        state: RowState::Live,
        is_new: true,
        n_rows: 1,
        rows: rows.as_bytes().to_vec(),
    }
}

/// A commit of catalog records alone.
fn catalog_commit(base: u64, put: &[(&str, &str)], drop: &[&str]) -> Commit {
    Commit {
        base,
        meta: meta_at(base + 1, base + 1),
        put_catalog: put.iter().map(|(key, value)| catalog_record(key, value)).collect(),
        drop_catalog: drop.iter().map(|key| (*key).to_owned()).collect(),
        ..Commit::default()
    }
}

fn catalog_record(key: &str, value: &str) -> CatalogRecord {
    CatalogRecord { key: key.to_owned(), value: value.as_bytes().to_vec() }
}

fn meta_at(head: u64, catalog_head: u64) -> Meta {
    Meta { head, catalog_head, manifest_head: 0, owners_head: 0, next_seq: head * 100 + 50, next_id: catalog_head + 1 }
}

/// The rows of a tail's log, in its order.
fn rows(tail: &Tail) -> Vec<&str> {
    tail.log.iter().map(|record| std::str::from_utf8(&record.rows).unwrap()).collect()
}

/// Everything that is stored, and that none of it is damaged.
async fn read_all(store: &impl Store) -> Tail {
    let tail = store.read_since(None).await.unwrap();
    assert_eq!(tail.damaged, []);
    tail
}

/// A commit with several requests of every kind, from head 1 as [`set_up`] leaves it.
fn rich_commit() -> Commit {
    Commit {
        meta: Meta { manifest_head: 2, ..meta_at(2, 2) },
        put_pages: vec![page(7, 1, b"new")],
        drop_pages: vec![PageKey { segment: 6, column: 1 }],
        put_manifests: vec![manifest(2, 0, "new")],
        drop_manifests: vec![LogKey { commit: 1, part: 0 }],
        drop_log: vec![1],
        put_catalog: vec![catalog_record("table/1", "new"), catalog_record("table/3", "third")],
        drop_catalog: vec!["table/2".to_owned()],
        durability: Durability::Strict,
        ..commit_of(1, &["[[1]]", "[[2]]", "[[3]]"])
    }
}

fn page(segment: u64, column: u32, values: &[u8]) -> Page {
    let partition = PartitionId { table: 1, owner: Some(Owner("ann".to_owned())) };
    Page { key: PageKey { segment, column }, partition, n_rows: 3, values: values.to_vec() }
}

fn manifest(commit: u64, part: u32, body: &str) -> Manifest {
    let partition = PartitionId { table: 1, owner: Some(Owner("ann".to_owned())) };
    Manifest { key: LogKey { commit, part }, partition, body: body.as_bytes().to_vec() }
}

/// Stores one commit with two log records, two catalog records, a page and a manifest.
async fn set_up(store: &impl Store) {
    let commit = Commit {
        put_catalog: vec![catalog_record("table/1", "old"), catalog_record("table/2", "second")],
        meta: Meta { manifest_head: 1, ..meta_at(1, 1) },
        put_pages: vec![page(6, 1, b"old")],
        put_manifests: vec![manifest(1, 0, "old")],
        ..commit_of(0, &["[[10]]", "[[11]]"])
    };
    store.commit(&commit).await.unwrap();
}

/// What is stored after [`set_up`] and then [`rich_commit`].
async fn assert_rich_commit_is_stored(store: &impl Store) {
    let tail = read_all(store).await;
    assert_eq!(tail.meta, Meta { manifest_head: 2, ..meta_at(2, 2) });
    assert_eq!(tail.manifests, [manifest(2, 0, "new")]);
    assert_eq!(store.page_keys().await, Ok(vec![PageKey { segment: 7, column: 1 }]));
    assert_eq!(rows(&tail), ["[[1]]", "[[2]]", "[[3]]"]);
    assert_eq!(tail.catalog, Some(vec![catalog_record("table/1", "new"), catalog_record("table/3", "third")]));
}
