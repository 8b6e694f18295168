//! The readwrite transactions.
//!
//! On the platform's own objects: nothing but its requests comes between its beginning and its end, because the browser
//! wakes another process with each of them.

use std::cell::{Cell, RefCell};
use std::rc::Rc;

use async_trait::async_trait;
use futures::channel::oneshot;
use futures::future::{Either, select};
use indexed_db_futures::database::Database;
use indexed_db_futures::internals::SystemRepr;
use js_sys::{Array, Object, Reflect, Uint8Array};
use kalamdb_store::protocol::WriteTransaction;
use kalamdb_store::{Attempt, Durability, RecordKey, StoreError, StoreResult};
use wasm_bindgen::prelude::*;
use web_sys::{IdbDatabase, IdbObjectStore, IdbRequest, IdbTransaction as RawTransaction};

use crate::error::{dom, from_js};
use crate::values::{LOG, place, to_number};

/// A readwrite transaction. Dropping it undoes it, unless it has been told to commit.
pub(crate) struct IdbTransaction<'a> {
    state: Rc<State>,
    end: oneshot::Receiver<StoreResult<()>>,
    /// Object stores that were asked for before.
    stores: Vec<(&'static str, IdbObjectStore)>,
    appended: Option<IdbRequest>,
    attempt: &'a mut Attempt,
    /// Called when nothing but the browser is left to wait for.
    on_way: Option<Box<dyn FnOnce()>>,
    _on_complete: Closure<dyn FnMut()>,
    _on_abort: Closure<dyn FnMut()>,
}

struct State {
    transaction: DurableTransaction,
    ended: Cell<Option<oneshot::Sender<StoreResult<()>>>>,
}

impl<'a> IdbTransaction<'a> {
    /// Begins a transaction on some object stores.
    ///
    /// # Errors
    /// `Closed` if the connection is.
    pub(crate) fn begin(
        database: &Database,
        scope: &[&'static str],
        durability: Durability,
        attempt: &'a mut Attempt,
        on_way: Box<dyn FnOnce()>,
    ) -> StoreResult<Self> {
        let (ended, end) = oneshot::channel();
        let transaction = begin(database.as_sys(), scope, durability).map_err(|exception| from_js(&exception))?;
        let state = Rc::new(State { transaction, ended: Cell::new(Some(ended)) });
        let on_complete = Closure::new({
            let state = Rc::clone(&state);
            move || state.end(Ok(()))
        });
        let on_abort = Closure::new({
            let state = Rc::clone(&state);
            move || state.end(Err(state.why_aborted()))
        });
        state.transaction.set_oncomplete(Some(on_complete.as_ref().unchecked_ref()));
        state.transaction.set_onabort(Some(on_abort.as_ref().unchecked_ref()));
        let on_way = Some(on_way);
        Ok(Self {
            state,
            end,
            stores: Vec::new(),
            appended: None,
            attempt,
            on_way,
            _on_complete: on_complete,
            _on_abort: on_abort,
        })
    }

    /// Asks for a value to be put under a key.
    pub(crate) fn put_at(&mut self, store: &'static str, key: &JsValue, value: &JsValue) -> StoreResult<()> {
        self.attempt.request()?;
        self.store(store)?.put_with_key(value, key).map(drop).map_err(|exception| from_js(&exception))
    }

    /// Asks for what is under a key to be removed.
    pub(crate) fn delete_at(&mut self, store: &'static str, key: &JsValue) -> StoreResult<()> {
        self.attempt.request()?;
        self.store(store)?.delete(key).map(drop).map_err(|exception| from_js(&exception))
    }

    /// Asks for an object store to be emptied.
    pub(crate) fn clear(&mut self, store: &'static str) -> StoreResult<()> {
        self.attempt.request()?;
        self.store(store)?.clear().map(drop).map_err(|exception| from_js(&exception))
    }

    /// Asks for all that an object store holds, or for its keys alone; the future waits for it.
    pub(crate) fn get_all(
        &mut self,
        store: &'static str,
        keys: bool,
    ) -> StoreResult<impl Future<Output = StoreResult<Array>> + use<>> {
        self.attempt.request()?;
        let store = self.store(store)?;
        let request =
            if keys { store.get_all_keys() } else { store.get_all() }.map_err(|exception| from_js(&exception))?;
        let waiting = succeeds(request);
        Ok(async move { Ok(waiting.await?.unchecked_into()) })
    }

    /// Asks for what is under a key; the future waits for it.
    pub(crate) fn get(
        &mut self,
        store: &'static str,
        key: &str,
    ) -> StoreResult<impl Future<Output = StoreResult<JsValue>> + use<>> {
        self.attempt.request()?;
        let request = self.store(store)?.get(&JsValue::from_str(key)).map_err(|exception| from_js(&exception))?;
        Ok(succeeds(request))
    }

    fn store(&mut self, name: &'static str) -> StoreResult<IdbObjectStore> {
        if let Some((_, store)) = self.stores.iter().find(|(known, _)| *known == name) {
            return Ok(store.clone());
        }
        let store = self.state.transaction.object_store(name).map_err(|exception| from_js(&exception))?;
        self.stores.push((name, store.clone()));
        Ok(store)
    }
}

#[async_trait(?Send)]
impl WriteTransaction for IdbTransaction<'_> {
    fn append(&mut self, value: &[u8]) -> StoreResult<()> {
        self.attempt.request()?;
        let request = self.store(LOG)?.put(&Uint8Array::from(value)).map_err(|exception| from_js(&exception))?;
        self.appended = Some(request);
        Ok(())
    }

    async fn number(&mut self) -> StoreResult<u64> {
        let none = || StoreError::InvalidCommit { what: "nothing was appended".to_owned() };
        let request = self.appended.clone().ok_or_else(none)?;
        let done = request.result();
        let result = match done {
            Ok(result) => result,
            // It is not done. If it fails, so does the transaction, which tells why.
            Err(_) => match select(Box::pin(succeeds(request)), &mut self.end).await {
                Either::Left((result, _)) => result?,
                Either::Right((end, _)) => return Err(ended(end).err().unwrap_or_else(none)),
            },
        };
        to_number(&result).ok_or_else(|| dom("DataError", "the number of a record is not exact".to_owned()))
    }

    fn put(&mut self, key: &RecordKey, value: &[u8]) -> StoreResult<()> {
        let (store, key) = place(key);
        self.put_at(store, &key, &Uint8Array::from(value))
    }

    fn delete(&mut self, key: &RecordKey) -> StoreResult<()> {
        let (store, key) = place(key);
        self.delete_at(store, &key)
    }

    async fn commit(&mut self) -> StoreResult<()> {
        if let Err(exception) = self.state.transaction.commit() {
            // It had already ended. Unless it has an error, that may have been with success.
            let told = self.state.transaction.error().map(|reason| from_js(&reason));
            return Err(told.unwrap_or_else(|| StoreError::Indeterminate { reason: format!("{exception:?}") }));
        }
        if let Some(on_way) = self.on_way.take() {
            on_way();
        }
        // Every end of a transaction comes with an event.
        ended((&mut self.end).await)
    }

    fn abort(&mut self) {
        // It fails if the transaction has ended, or is about to.
        let _ = self.state.transaction.abort();
    }
}

fn ended(end: Result<StoreResult<()>, oneshot::Canceled>) -> StoreResult<()> {
    end.unwrap_or_else(|_| Err(dom("AbortError", "the transaction was forgotten".to_owned())))
}

impl Drop for IdbTransaction<'_> {
    fn drop(&mut self) {
        // To abort what has ended throws, and an exception costs a seventh of a small commit.
        if self.state.has_ended() {
            return;
        }
        self.state.transaction.set_oncomplete(None);
        self.state.transaction.set_onabort(None);
        self.abort();
    }
}

impl State {
    fn why_aborted(&self) -> StoreError {
        // For instance the quota.
        self.transaction
            .error()
            .map_or_else(|| dom("AbortError", "the transaction was aborted".to_owned()), |reason| from_js(&reason))
    }

    fn has_ended(&self) -> bool {
        let ended = self.ended.take();
        let has_ended = ended.is_none();
        self.ended.set(ended);
        has_ended
    }

    fn end(&self, result: StoreResult<()>) {
        if let Some(ended) = self.ended.take() {
            // Nobody waits any more if the transaction was given up.
            let _ = ended.send(result);
        }
    }
}

/// The result of a request, as soon as it is there. What follows runs while the transaction is active.
fn succeeds(request: IdbRequest) -> impl Future<Output = StoreResult<JsValue>> {
    let (tell, told) = oneshot::channel();
    let mut tell = Some(tell);
    let listener: Closure<dyn FnMut()> = Closure::new(move || {
        if let Some(tell) = tell.take() {
            // As above.
            let _ = tell.send(());
        }
    });
    request.set_onsuccess(Some(listener.as_ref().unchecked_ref()));
    let heard = Heard { request, _listener: listener };
    async move {
        told.await.map_err(|_| dom("AbortError", "the request was forgotten".to_owned()))?;
        heard.request.result().map_err(|exception| from_js(&exception))
    }
}

/// A request with a listener, which goes with it.
struct Heard {
    request: IdbRequest,
    _listener: Closure<dyn FnMut()>,
}

impl Drop for Heard {
    fn drop(&mut self) {
        self.request.set_onsuccess(None);
    }
}

thread_local! {
    static READWRITE: JsValue = JsValue::from_str("readwrite");
    static RELAXED: JsValue = options("relaxed");
    static STRICT: JsValue = options("strict");
    /// The names of object stores, as every transaction names them.
    static SCOPES: RefCell<Vec<(Vec<&'static str>, JsValue)>> = const { RefCell::new(Vec::new()) };
}

fn options(durability: &str) -> JsValue {
    let options = Object::new();
    // A new object takes any property.
    let _ = Reflect::set(&options, &JsValue::from_str("durability"), &JsValue::from_str(durability));
    options.into()
}

fn scope_of(names: &[&'static str]) -> JsValue {
    SCOPES.with_borrow_mut(|scopes| {
        if let Some((_, scope)) = scopes.iter().find(|(known, _)| known == names) {
            return scope.clone();
        }
        let scope: JsValue = names.iter().copied().map(JsValue::from_str).collect::<Array>().into();
        scopes.push((names.to_vec(), scope.clone()));
        scope
    })
}

fn begin(
    database: &IdbDatabase,
    scope: &[&'static str],
    durability: Durability,
) -> Result<DurableTransaction, JsValue> {
    let options = match durability {
        Durability::Relaxed => &RELAXED,
        Durability::Strict => &STRICT,
    };
    let database: &DurableDatabase = database.unchecked_ref();
    let scope = scope_of(scope);
    READWRITE.with(|mode| options.with(|options| database.transaction(&scope, mode, options)))
}

#[wasm_bindgen]
extern "C" {
    /// The bindings that exist know no durability.
    #[wasm_bindgen(extends = IdbDatabase, js_name = IDBDatabase)]
    type DurableDatabase;

    #[wasm_bindgen(method, structural, catch)]
    fn transaction(
        this: &DurableDatabase,
        scope: &JsValue,
        mode: &JsValue,
        options: &JsValue,
    ) -> Result<DurableTransaction, JsValue>;

    #[wasm_bindgen(extends = RawTransaction, js_name = IDBTransaction)]
    type DurableTransaction;

    #[wasm_bindgen(method, structural, catch)]
    fn commit(this: &DurableTransaction) -> Result<(), JsValue>;
}
