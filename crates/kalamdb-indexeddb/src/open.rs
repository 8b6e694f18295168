//! Opening and deleting databases.

use std::cell::{Cell, RefCell};
use std::future;
use std::rc::Rc;

use futures::channel::oneshot;
use futures::future::{Either, select};
use indexed_db_futures::database::{Database, VersionChangeEvent};
use indexed_db_futures::factory::DBFactory;
use indexed_db_futures::future::OpenDbRequest;
use indexed_db_futures::internals::SystemRepr;
use indexed_db_futures::prelude::*;
use js_sys::{Function, Math, Promise};
use kalamdb_store::{FORMAT_VERSION, Faults, StoreError, StoreResult};
use wasm_bindgen::prelude::*;
use wasm_bindgen_futures::{JsFuture, spawn_local};
use web_sys::IdbOpenDbRequest;

use crate::error::open_error;
use crate::migrate::bring_records;
use crate::values::{FORMAT_KEY, ID_KEY, LOG, META, OLD_LOG, STORES};

/// How to open a database.
#[derive(Debug, Clone)]
pub struct IdbOptions {
    /// How long to wait for other connections to close after the browser has said that they block, in milliseconds.
    ///
    /// They close by themselves when they are asked to, but first finish the transactions that are under way. Only code
    /// that is not ours, or a tab that is frozen, takes longer.
    pub blocked_ms: i32,
    /// Failures on demand, for tests.
    pub faults: Faults,
}

impl Default for IdbOptions {
    fn default() -> Self {
        Self { blocked_ms: 5000, faults: Faults::default() }
    }
}

/// The name of the IndexedDB database, and of the channel for news, of the KalamDB database `name`.
pub fn database_name(name: &str) -> String {
    format!("kalamdb/{name}")
}

/// Opens the database, creating it if there is none.
pub(crate) async fn open(name: &str, options: &IdbOptions) -> StoreResult<Database> {
    let (tell, blocked) = oneshot::channel();
    let upgrade = Rc::new(Upgrade::default());
    let request = Database::open(name)
        .with_version(FORMAT_VERSION)
        .with_on_blocked(move |_| told(tell))
        .with_on_upgrade_needed(Upgrade::listener(&upgrade))
        .build()
        .map_err(open_error)?;
    upgrade.request.replace(Some(request.as_sys().clone()));
    finish(name, options, request, blocked).await
}

/// Opens the database; `None` if there is none.
pub(crate) async fn open_existing(name: &str, options: &IdbOptions) -> StoreResult<Option<Database>> {
    let (tell, blocked) = oneshot::channel();
    let refusal = Rc::new(Refusal::default());
    let request = Database::open(name)
        .with_version(FORMAT_VERSION)
        .with_on_blocked(move |_| told(tell))
        .with_on_upgrade_needed(Refusal::listener(&refusal))
        .build()
        .map_err(open_error)?;
    refusal.request.replace(Some(request.as_sys().clone()));
    match finish(name, options, request, blocked).await {
        Err(_) if refusal.happened.get() => Ok(None),
        opened => opened.map(Some),
    }
}

/// Nobody listens if the request has been given up.
fn told(tell: oneshot::Sender<()>) -> indexed_db_futures::Result<()> {
    let _ = tell.send(());
    Ok(())
}

/// Undoes the making of a database, so that opening a name that has none fails.
#[derive(Default)]
struct Refusal {
    request: RefCell<Option<IdbOpenDbRequest>>,
    happened: Cell<bool>,
}

impl Refusal {
    fn listener(
        this: &Rc<Self>,
    ) -> impl FnOnce(VersionChangeEvent, Database) -> indexed_db_futures::Result<()> + use<> {
        let this = Rc::clone(this);
        move |event, database| {
            if event.old_version() >= 1.0 {
                return upgrade(this.request.take(), &database);
            }
            this.happened.set(true);
            if let Some(transaction) = this.request.take().and_then(|request| request.transaction()) {
                // An exception instead would end the worker. It has begun just now, so that it can be aborted.
                let _ = transaction.abort();
            }
            Ok(())
        }
    }
}

/// Waits for a request to open a database.
async fn finish(
    name: &str,
    options: &IdbOptions,
    request: OpenDbRequest,
    blocked: oneshot::Receiver<()>,
) -> StoreResult<Database> {
    let waiting = Box::pin(stays_blocked(blocked, options.blocked_ms));
    let opened = match select(request, waiting).await {
        Either::Left((opened, _)) => opened.map_err(open_error),
        Either::Right(((), request)) => {
            // A request cannot be taken back: when it succeeds after all, its connection must not stay open.
            spawn_local(async move {
                if let Ok(database) = request.await {
                    database.close();
                }
            });
            Err(StoreError::Blocked { name: name.to_owned() })
        }
    };
    match opened {
        Ok(database) => {
            let database = complete(database)?;
            match bring_records(&database).await {
                Ok(()) => Ok(database),
                Err(error) => {
                    database.close();
                    Err(error)
                }
            }
        }
        Err(StoreError::SchemaTooNew { found, supported }) => {
            Err(StoreError::SchemaTooNew { found: stored_version(name).await.unwrap_or(found), supported })
        }
        Err(error) => Err(error),
    }
}

/// Has the browser remove the database.
pub(crate) async fn remove(name: &str, options: &IdbOptions) -> StoreResult<()> {
    let request = DBFactory::new().map_err(open_error)?.delete_db(name).map_err(|error| open_error(error.into()))?;
    let (tell, blocked) = oneshot::channel();
    let listener = Closure::once(move || {
        // As above.
        let _ = tell.send(());
    });
    let raw: IdbOpenDbRequest = request.as_sys().clone().unchecked_into();
    raw.set_onblocked(Some(listener.as_ref().unchecked_ref()));
    let waiting = Box::pin(stays_blocked(blocked, options.blocked_ms));
    let deleted = match select(request, waiting).await {
        Either::Left((deleted, _)) => deleted.map_err(|error| open_error(error.into())),
        Either::Right(_) => Err(StoreError::Blocked { name: name.to_owned() }),
    };
    raw.set_onblocked(None);
    deleted
}

/// Gives a database the object stores of the current version of the format, within the transaction that changes its
/// version. What is in them follows once it is open.
#[derive(Default)]
struct Upgrade {
    /// Known only after its listener is.
    request: RefCell<Option<IdbOpenDbRequest>>,
}

impl Upgrade {
    fn listener(
        this: &Rc<Self>,
    ) -> impl FnOnce(VersionChangeEvent, Database) -> indexed_db_futures::Result<()> + use<> {
        let this = Rc::clone(this);
        move |event, database| {
            if event.old_version() < 1.0 { create(&database) } else { upgrade(this.request.take(), &database) }
        }
    }
}

fn upgrade(request: Option<IdbOpenDbRequest>, database: &Database) -> indexed_db_futures::Result<()> {
    let transaction = request.and_then(|request| request.transaction());
    // A database that another script has made has no such object store: that is found out when it is open.
    if let Some(log) = transaction.and_then(|transaction| transaction.object_store(LOG).ok()) {
        log.set_name(OLD_LOG);
        create_log(database)?;
    }
    Ok(())
}

/// The browser numbers what is put into the log.
fn create_log(database: &Database) -> indexed_db_futures::Result<()> {
    database.create_object_store(LOG).with_auto_increment(true).build().map(drop)
}

fn create(database: &Database) -> indexed_db_futures::Result<()> {
    for name in STORES {
        if name == LOG {
            create_log(database)?;
            continue;
        }
        let store = database.create_object_store(name).build()?;
        if name == META {
            store.put(FORMAT_VERSION).with_key(FORMAT_KEY).without_key_type().primitive()?;
            store.put(Math::random()).with_key(ID_KEY).without_key_type().primitive()?;
        }
    }
    Ok(())
}

/// Checks that the database has its object stores: a script that opens the name without creating them leaves none.
fn complete(database: Database) -> StoreResult<Database> {
    let names: Vec<String> = database.object_store_names().collect();
    match STORES.iter().find(|store| !names.iter().any(|name| name == *store)) {
        None => Ok(database),
        Some(store) => {
            database.close();
            Err(StoreError::Corrupted { key: (*store).to_owned(), what: "the object store is missing".to_owned() })
        }
    }
}

/// The version of a database that is known to exist.
async fn stored_version(name: &str) -> StoreResult<u32> {
    let refusal = Rc::new(Refusal::default());
    let request =
        Database::open(name).with_on_upgrade_needed(Refusal::listener(&refusal)).build().map_err(open_error)?;
    refusal.request.replace(Some(request.as_sys().clone()));
    let database = request.await.map_err(open_error)?;
    let version = database.version() as u32;
    database.close();
    Ok(version)
}

/// Resolves `ms` milliseconds after `blocked` was told, or never.
async fn stays_blocked(blocked: oneshot::Receiver<()>, ms: i32) {
    if blocked.await.is_err() {
        future::pending::<()>().await;
    }
    let timer = Promise::new(&mut |resolve, _| set_timeout(&resolve, ms));
    // The promise is never rejected.
    let _ = JsFuture::from(timer).await;
}

#[wasm_bindgen]
extern "C" {
    /// Pages and workers both have it.
    #[wasm_bindgen(js_name = setTimeout)]
    fn set_timeout(callback: &Function, ms: i32);
}
