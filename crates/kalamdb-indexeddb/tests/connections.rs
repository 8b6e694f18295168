//! What only IndexedDB does: other connections, other versions, foreign data.
#![cfg(target_arch = "wasm32")]
#![allow(clippy::unwrap_used, reason = "tests fail by panicking")]

mod support;

use futures::StreamExt;
use futures::channel::mpsc::{UnboundedReceiver, unbounded};
use indexed_db_futures::database::Database;
use js_sys::{Array, Function, Promise};
use kalamdb_indexeddb::{IdbOptions, IdbStore, database_name};
use kalamdb_store::conformance::Harness;
use kalamdb_store::{CatalogRecord, Commit, FORMAT_VERSION, MAX_KEY, Meta, Store, StoreError};
use support::IdbHarness;
use support::connections::Connections;
use wasm_bindgen::prelude::*;
use wasm_bindgen_futures::JsFuture;
use wasm_bindgen_test::{wasm_bindgen_test as test, wasm_bindgen_test_configure};
use web_sys::{BroadcastChannel, MessageEvent};

wasm_bindgen_test_configure!(run_in_dedicated_worker);

fn first_commit() -> Commit {
    let put_catalog = vec![CatalogRecord { key: "table/1".to_owned(), value: b"{}".to_vec() }];
    Commit {
        meta: Meta { head: 1, catalog_head: 1, manifest_head: 0, owners_head: 0, next_seq: 1, next_id: 2 },
        put_catalog,
        ..Commit::default()
    }
}

/// The numbers of an empty database whose log goes on from that number.
fn begun_at(head: u64) -> Meta {
    Meta { head, ..Meta::default() }
}

fn second_commit() -> Commit {
    Commit { base: 1, meta: Meta { head: 2, ..first_commit().meta }, ..Commit::default() }
}

#[test]
async fn deleting_ends_the_other_connections_for_good_and_leaves_nothing() {
    let harness = IdbHarness::fresh().await;
    let (left, right) = (harness.connect().await, harness.connect().await);
    left.commit(&first_commit()).await.unwrap();
    IdbStore::delete(&harness.name).await.unwrap();
    let new = harness.connect().await;
    assert_eq!(new.read_since(None).await.unwrap().meta, begun_at(2));
    let deleted = StoreError::Deleted { name: database_name(&harness.name) };
    for store in [&left, &right] {
        assert_eq!(store.read_since(Some(&first_commit().meta)).await, Err(deleted.clone()));
        assert_eq!(store.commit(&first_commit()).await, Err(deleted.clone()));
        store.close().await;
        assert_eq!(store.read_since(None).await, Err(StoreError::Closed));
    }
    harness.destroy().await;
}

#[test]
async fn deleting_what_does_not_exist_is_no_error() {
    assert_eq!(IdbStore::delete("test-never-created").await, Ok(()));
}

#[test]
async fn a_commit_under_way_is_stored_before_its_connection_makes_way() {
    let harness = IdbHarness::fresh().await;
    let store = harness.connect().await;
    let commit = first_commit();
    let (committed, upgraded) =
        futures::future::join(store.commit(&commit), upgrade(&harness, FORMAT_VERSION + 1)).await;
    assert_eq!(committed, Ok(()));
    upgraded.close();
    let refused = Err(StoreError::SchemaTooNew { found: FORMAT_VERSION + 1, supported: FORMAT_VERSION });
    assert_eq!(store.read_since(None).await, refused);
    harness.destroy().await;
}

#[test]
async fn a_newer_database_is_refused_with_its_version() {
    let harness = IdbHarness::fresh().await;
    let store = harness.connect().await;
    store.commit(&first_commit()).await.unwrap();
    upgrade(&harness, 7).await.close();
    let too_new = StoreError::SchemaTooNew { found: 7, supported: FORMAT_VERSION };
    assert_eq!(store.read_since(None).await, Err(too_new.clone()));
    assert_eq!(store.commit(&first_commit()).await, Err(too_new));
    let refused = IdbStore::open(&harness.name, IdbOptions::default()).await.map(drop);
    assert_eq!(refused, Err(StoreError::SchemaTooNew { found: 7, supported: FORMAT_VERSION }));
    let database = Database::open(database_name(&harness.name)).await.unwrap();
    assert_eq!(database.version(), 7.0);
    database.close();
    harness.destroy().await;
}

#[test]
async fn a_connection_that_does_not_make_way_keeps_nobody_from_deleting() {
    let harness = IdbHarness::fresh().await;
    let store = harness.connect().await;
    store.commit(&first_commit()).await.unwrap();
    let stubborn = Database::open(database_name(&harness.name)).await.unwrap();
    assert_eq!(IdbStore::delete(&harness.name).await, Ok(()));
    let new = harness.connect().await;
    assert_eq!(new.read_since(None).await.unwrap().meta, begun_at(2));
    // Whoever has read the old one can neither read nor write the new one, as far as either comes.
    let late = Commit { base: 1, meta: Meta { head: 2, ..first_commit().meta }, ..Commit::default() };
    assert_eq!(store.commit(&late).await, Err(StoreError::Conflict { expected: 1, found: 2 }));
    let deleted = StoreError::Deleted { name: database_name(&harness.name) };
    assert_eq!(store.read_since(Some(&first_commit().meta)).await, Err(deleted.clone()));
    assert_eq!(store.commit(&late).await, Err(deleted));
    stubborn.close();
    let tail = new.read_since(None).await.unwrap();
    assert_eq!((tail.log, tail.catalog), (vec![], Some(vec![])));
    harness.destroy().await;
}

#[test]
async fn a_database_without_the_object_stores_is_refused() {
    let harness = IdbHarness::fresh().await;
    Database::open(database_name(&harness.name)).await.unwrap().close();
    let refused = IdbStore::open(&harness.name, IdbOptions::default()).await.map(drop);
    assert!(matches!(&refused, Err(StoreError::Corrupted { key, .. }) if key == "meta"), "{refused:?}");
    harness.destroy().await;
}

#[test]
async fn foreign_keys_and_values_are_listed_as_damaged() {
    let harness = IdbHarness::fresh().await;
    let store = harness.connect().await;
    store.commit(&first_commit()).await.unwrap();
    harness.edit("log", 2.into(), |_| "text".into()).await;
    harness.edit("log", Array::of2(&1.into(), &0.into()).into(), |_| 1.into()).await;
    harness.edit("log", "key".into(), |_| 1.into()).await;
    harness.edit("catalog", "table/2".into(), |_| Array::new().into()).await;
    harness.edit("catalog", 5.into(), |_| 1.into()).await;
    let tail = store.read_since(None).await.unwrap();
    assert_eq!(tail.catalog, Some(first_commit().put_catalog));
    let keys: Vec<&str> = tail.damaged.iter().map(|damage| damage.key.as_str()).collect();
    assert_eq!(keys, ["log/2", "log/\"key\"", "log/[1,0]", "catalog/5", "catalog/table/2"]);
    harness.destroy().await;
}

#[test]
async fn a_foreign_format_is_an_error() {
    let harness = IdbHarness::fresh().await;
    let store = harness.connect().await;
    harness.edit("meta", "format".into(), |_| JsValue::from_f64(0.5)).await;
    let error = store.read_since(None).await.unwrap_err();
    assert!(matches!(&error, StoreError::Corrupted { key, .. } if key == "meta/format"), "{error}");
    harness.destroy().await;
}

#[test]
async fn connections_hear_of_each_other_and_of_commits() {
    let harness = IdbHarness::fresh().await;
    let mut channel = Channel::listen(&harness);
    let left = harness.connect().await;
    assert_eq!(channel.next().await, "opened");
    // Nobody else is there, as far as it knows: it tells nothing.
    left.commit(&first_commit()).await.unwrap();
    let right = harness.connect().await;
    assert_eq!(channel.next().await, "opened");
    // The one that was there answers with its newest commit, and takes it that the other may have committed.
    assert_eq!(channel.next().await, 1.0);
    until(|| (left.newest_head_heard(), right.newest_head_heard()) == (Some(MAX_KEY), Some(1))).await;
    left.read_since(None).await.unwrap();
    assert_eq!(left.newest_head_heard(), Some(1));

    right.commit(&second_commit()).await.unwrap();
    assert_eq!(channel.next().await, 2.0);
    until(|| (left.newest_head_heard(), right.newest_head_heard()) == (Some(2), Some(1))).await;
    let third = Commit { base: 2, meta: Meta { head: 3, ..first_commit().meta }, ..Commit::default() };
    left.commit(&third).await.unwrap();
    assert_eq!(channel.next().await, 3.0);
    until(|| (left.newest_head_heard(), right.newest_head_heard()) == (Some(2), Some(3))).await;
    harness.destroy().await;
}

#[test]
async fn foreign_messages_are_no_news() {
    let harness = IdbHarness::fresh().await;
    let mut channel = Channel::listen(&harness);
    let store = harness.connect().await;
    assert_eq!(channel.next().await, "opened");
    for nonsense in [JsValue::NULL, "9".into(), (-9).into(), 0.5.into(), f64::INFINITY.into(), 1e300.into()] {
        channel.say(&nonsense);
    }
    channel.say(&"opened".into());
    // Its answer comes after it has heard all that.
    assert_eq!(channel.next().await, 1.0);
    assert_eq!(store.newest_head_heard(), Some(MAX_KEY));
    store.read_since(None).await.unwrap();
    assert_eq!(store.newest_head_heard(), None);
    harness.destroy().await;
}

#[test]
async fn a_connection_that_the_browser_has_closed_is_opened_again() {
    let harness = IdbHarness::fresh().await;
    let connections = Connections::watch();
    let (store, other) = (harness.connect().await, harness.connect().await);
    store.commit(&first_commit()).await.unwrap();
    connections.close_all();
    // There may be news, for whoever asks.
    assert_eq!(store.newest_head_heard(), Some(MAX_KEY));
    other.commit(&second_commit()).await.unwrap();
    let since = first_commit().meta;
    let tail = store.read_since(Some(&since)).await.unwrap();
    assert_eq!(tail.meta, second_commit().meta);
    // And another time, without the event: the browser may be late with it.
    connections.close_all_silently();
    assert_eq!(store.commit(&second_commit()).await, Err(StoreError::Conflict { expected: 1, found: 2 }));
    assert_eq!(other.read_since(Some(&since)).await.unwrap().meta, second_commit().meta);
    assert_eq!(connections.count(), 6);
    store.close().await;
    assert_eq!(store.read_since(None).await, Err(StoreError::Closed));
    harness.destroy().await;
}

#[test]
async fn calls_at_the_same_time_open_one_connection_in_place_of_the_lost_one() {
    let harness = IdbHarness::fresh().await;
    let connections = Connections::watch();
    let store = harness.connect().await;
    connections.close_all();
    let calls = (0..5).map(|_| store.read_since(None));
    let tails = futures::future::join_all(calls).await;
    assert!(tails.iter().all(|tail| tail.as_ref().is_ok_and(|tail| tail.meta == Meta::default())), "{tails:?}");
    assert_eq!(connections.count(), 2);
    harness.destroy().await;
}

#[test]
async fn a_database_that_was_deleted_while_the_connection_was_closed_is_not_begun_anew() {
    let (harness, store) = deleted_while_closed().await;
    let deleted = StoreError::Deleted { name: database_name(&harness.name) };
    assert_eq!(store.commit(&second_commit()).await, Err(deleted.clone()));
    assert_eq!(harness.connect().await.read_since(None).await.unwrap().meta, begun_at(2));
    assert_eq!(store.read_since(None).await, Err(deleted));
    harness.destroy().await;
}

#[test]
async fn another_database_of_the_same_name_is_not_taken_for_the_old_one() {
    let (harness, store) = deleted_while_closed().await;
    // It has come further than the old one.
    let new = harness.connect().await;
    for base in 2..5 {
        let commit = Commit { base, meta: begun_at(base + 1), ..Commit::default() };
        new.commit(&commit).await.unwrap();
    }
    assert_eq!(store.read_since(None).await, Err(StoreError::Deleted { name: database_name(&harness.name) }));
    harness.destroy().await;
}

/// A store whose connection the browser has closed, and whose database was deleted then.
async fn deleted_while_closed() -> (IdbHarness, IdbStore) {
    let harness = IdbHarness::fresh().await;
    let connections = Connections::watch();
    let store = harness.connect().await;
    store.read_since(None).await.unwrap();
    store.commit(&first_commit()).await.unwrap();
    connections.close_all();
    IdbStore::delete(&harness.name).await.unwrap();
    (harness, store)
}

/// The channel of a database, as another script of the origin may use it.
struct Channel {
    channel: BroadcastChannel,
    heard: UnboundedReceiver<JsValue>,
    _listener: Closure<dyn FnMut(MessageEvent)>,
}

impl Channel {
    fn listen(harness: &IdbHarness) -> Self {
        let channel = BroadcastChannel::new(&database_name(&harness.name)).unwrap();
        let (tell, heard) = unbounded();
        let listener = Closure::new(move |event: MessageEvent| tell.unbounded_send(event.data()).unwrap());
        channel.set_onmessage(Some(listener.as_ref().unchecked_ref()));
        Self { channel, heard, _listener: listener }
    }

    fn say(&self, message: &JsValue) {
        self.channel.post_message(message).unwrap();
    }

    async fn next(&mut self) -> JsValue {
        self.heard.next().await.unwrap()
    }
}

impl Drop for Channel {
    fn drop(&mut self) {
        self.channel.set_onmessage(None);
        self.channel.close();
    }
}

/// Waits until messages on their way have made it so.
async fn until(is_so: impl Fn() -> bool) {
    while !is_so() {
        let next_task = Function::new_no_args("return new Promise((resolve) => setTimeout(resolve))");
        JsFuture::from(next_task.call0(&JsValue::NULL).unwrap().unchecked_into::<Promise>()).await.unwrap();
    }
}

/// Raises the version of the database, as newer code would.
async fn upgrade(harness: &IdbHarness, version: u32) -> Database {
    Database::open(database_name(&harness.name)).with_version(version).await.unwrap()
}
