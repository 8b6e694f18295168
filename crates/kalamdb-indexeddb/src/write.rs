//! The readwrite transaction of a commit.
//!
//! On the platform's own objects: nothing but its requests comes between its beginning and its end, because the browser wakes
//! another process with each of them.

use std::cell::{Cell, RefCell};
use std::rc::Rc;

use futures::channel::oneshot;
use indexed_db_futures::database::Database;
use indexed_db_futures::internals::SystemRepr;
use js_sys::{Array, Object, Reflect};
use kalamdb_store::{Attempt, Commit, Durability, StoreError, StoreResult, check_base};
use wasm_bindgen::prelude::*;
use web_sys::{IdbDatabase, IdbObjectStore, IdbRequest, IdbTransaction};

use crate::error::{dom, from_js};
use crate::values::{META, STATE_KEY, STORES, Write, to_meta};

/// Stores `writes` if the head is still the base of `commit`; resolves on `complete`.
///
/// An error before its end, or dropping the future, aborts the transaction. `on_way` is called when nothing but the browser is
/// left to wait for.
pub(crate) async fn commit(
    database: &Database,
    commit: &Commit,
    writes: Vec<Write>,
    attempt: &mut Attempt,
    on_way: impl FnOnce() + 'static,
) -> StoreResult<()> {
    run(database, Some(commit.base), commit.durability, writes, attempt, Box::new(on_way)).await
}

/// Stores `writes`, whatever the head is if there is no `base`.
pub(crate) async fn run(
    database: &Database,
    base: Option<u64>,
    durability: Durability,
    writes: Vec<Write>,
    attempt: &mut Attempt,
    on_way: Box<dyn FnOnce()>,
) -> StoreResult<()> {
    let database: &IdbDatabase = database.as_sys();
    let (ended, end) = oneshot::channel();
    let transaction = begin(database, durability).map_err(|exception| from_js(&exception))?;
    let running = Running::watch(transaction, base, ended, on_way);
    running.request_all(writes, attempt)?;
    // Every end of a transaction comes with an event.
    end.await.unwrap_or_else(|_| Err(dom("AbortError", "the transaction was forgotten".to_owned())))
}

/// A transaction and the listeners to its events.
struct Running {
    state: Rc<State>,
    on_head: Closure<dyn FnMut()>,
    _on_complete: Closure<dyn FnMut()>,
    _on_abort: Closure<dyn FnMut()>,
}

struct State {
    transaction: DurableTransaction,
    /// Reads the meta record; made before all other requests.
    head: RefCell<Option<IdbRequest>>,
    /// Why we have aborted it ourselves.
    refusal: RefCell<Option<StoreError>>,
    ended: Cell<Option<oneshot::Sender<StoreResult<()>>>>,
}

impl Running {
    fn watch(transaction: DurableTransaction, base: Option<u64>, ended: oneshot::Sender<StoreResult<()>>, on_way: Box<dyn FnOnce()>) -> Self {
        let state = Rc::new(State { transaction, head: RefCell::default(), refusal: RefCell::default(), ended: Cell::new(Some(ended)) });
        let on_head = {
            let (state, mut on_way) = (Rc::clone(&state), Some(on_way));
            Closure::new(move || {
                if state.commit_if_head_is(base)
                    && let Some(on_way) = on_way.take()
                {
                    on_way();
                }
            })
        };
        let on_complete = {
            let state = Rc::clone(&state);
            Closure::new(move || state.end(Ok(())))
        };
        let on_abort = {
            let state = Rc::clone(&state);
            Closure::new(move || state.end(Err(state.why_aborted())))
        };
        state.transaction.set_oncomplete(Some(on_complete.as_ref().unchecked_ref()));
        state.transaction.set_onabort(Some(on_abort.as_ref().unchecked_ref()));
        Self { state, on_head, _on_complete: on_complete, _on_abort: on_abort }
    }

    /// Makes all requests at once. The writes do not wait for the head, which seldom has moved: nothing of them stays if it has.
    /// Nor are their own results waited for: if one fails, so does the transaction.
    fn request_all(&self, writes: Vec<Write>, attempt: &mut Attempt) -> StoreResult<()> {
        let mut stores = Stores::new(&self.state.transaction);
        attempt.request()?;
        let head = stores.get(META)?.get(&JsValue::from_str(STATE_KEY)).map_err(|exception| from_js(&exception))?;
        head.set_onsuccess(Some(self.on_head.as_ref().unchecked_ref()));
        self.state.head.replace(Some(head));
        for write in writes {
            attempt.request()?;
            let request = match write {
                Write::Put { store, key, value } => stores.get(store)?.put_with_key(&value, &key),
                Write::Delete { store, key } => stores.get(store)?.delete(&key),
            };
            request.map_err(|exception| from_js(&exception))?;
        }
        Ok(())
    }
}

impl Drop for Running {
    fn drop(&mut self) {
        let State { transaction, head, .. } = &*self.state;
        transaction.set_oncomplete(None);
        transaction.set_onabort(None);
        if let Some(head) = head.take() {
            head.set_onsuccess(None);
        }
        // It fails if the transaction has ended, or is about to.
        let _ = transaction.abort();
    }
}

impl State {
    /// Ends the transaction, in one way or the other, as soon as the head is known.
    fn commit_if_head_is(&self, base: Option<u64>) -> bool {
        let result = self.head.borrow().as_ref().and_then(|request| request.result().ok());
        let known =
            to_meta(result.as_ref().filter(|value| !value.is_undefined())).and_then(|meta| base.map_or(Ok(()), |base| check_base(&meta, base)));
        if let Err(error) = known {
            self.refusal.replace(Some(error));
            // It is under way: this is an event of it.
            let _ = self.transaction.abort();
            return false;
        }
        match self.transaction.commit() {
            Ok(()) => true,
            // It had already ended. Unless it has an error, that may have been with success.
            Err(exception) => {
                let told = self.transaction.error().map(|reason| from_js(&reason));
                self.end(Err(told.unwrap_or_else(|| StoreError::Indeterminate { reason: format!("{exception:?}") })));
                false
            }
        }
    }

    fn why_aborted(&self) -> StoreError {
        if let Some(refusal) = self.refusal.take() {
            return refusal;
        }
        // For instance the quota.
        self.transaction.error().map_or_else(|| dom("AbortError", "the transaction was aborted".to_owned()), |reason| from_js(&reason))
    }

    fn end(&self, result: StoreResult<()>) {
        if let Some(ended) = self.ended.take() {
            // Nobody waits any more if the commit was given up.
            let _ = ended.send(result);
        }
    }
}

/// The object stores of a transaction, each asked for once.
struct Stores<'a> {
    transaction: &'a IdbTransaction,
    known: [Option<IdbObjectStore>; STORES.len()],
}

impl<'a> Stores<'a> {
    fn new(transaction: &'a IdbTransaction) -> Self {
        Self { transaction, known: Default::default() }
    }

    fn get(&mut self, name: &'static str) -> StoreResult<&IdbObjectStore> {
        let at = STORES.iter().position(|store| *store == name);
        let known = at.and_then(|at| self.known.get_mut(at)).ok_or_else(|| dom("NotFoundError", format!("there is no object store {name}")))?;
        match known {
            Some(store) => Ok(store),
            None => {
                let store = self.transaction.object_store(name).map_err(|exception| from_js(&exception))?;
                Ok(known.insert(store))
            }
        }
    }
}

thread_local! {
    /// What every transaction is begun with.
    static SCOPE: JsValue = STORES.iter().copied().map(JsValue::from_str).collect::<Array>().into();
    static READWRITE: JsValue = JsValue::from_str("readwrite");
    static RELAXED: JsValue = options("relaxed");
    static STRICT: JsValue = options("strict");
}

fn options(durability: &str) -> JsValue {
    let options = Object::new();
    // A new object takes any property.
    let _ = Reflect::set(&options, &JsValue::from_str("durability"), &JsValue::from_str(durability));
    options.into()
}

fn begin(database: &IdbDatabase, durability: Durability) -> Result<DurableTransaction, JsValue> {
    let options = match durability {
        Durability::Relaxed => &RELAXED,
        Durability::Strict => &STRICT,
    };
    let database: &DurableDatabase = database.unchecked_ref();
    SCOPE.with(|scope| READWRITE.with(|mode| options.with(|options| database.transaction(scope, mode, options))))
}

#[wasm_bindgen]
extern "C" {
    /// The bindings that exist know no durability.
    #[wasm_bindgen(extends = IdbDatabase, js_name = IDBDatabase)]
    type DurableDatabase;

    #[wasm_bindgen(method, structural, catch)]
    fn transaction(this: &DurableDatabase, scope: &JsValue, mode: &JsValue, options: &JsValue) -> Result<DurableTransaction, JsValue>;

    #[wasm_bindgen(extends = IdbTransaction, js_name = IDBTransaction)]
    type DurableTransaction;

    #[wasm_bindgen(method, structural, catch)]
    fn commit(this: &DurableTransaction) -> Result<(), JsValue>;
}
