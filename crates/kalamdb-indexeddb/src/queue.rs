//! Writers of several tabs: how they notice each other, and the queue of those that have lost races.

use std::any::Any;
use std::cell::{Cell, RefCell};
use std::rc::Rc;

use futures::channel::oneshot;
use js_sys::{Function, Math, Object, Promise, Reflect};
use wasm_bindgen::prelude::*;
use wasm_bindgen_futures::JsFuture;

use crate::hint::Hints;

/// So many commits after another tab was noticed are made as if it wrote on.
const NOISY_COMMITS: u32 = 32;

/// Nobody waits longer than that for a place, in milliseconds: a tab that has one may be frozen.
const MAX_WAIT_MS: u32 = 30_000;

/// Nobody keeps a place longer than that, in milliseconds, also if the engine that has it is dead and its page goes on.
const MAX_KEPT_MS: i32 = 60_000;

/// Whether others write at the same time.
#[derive(Debug, Default)]
pub(crate) struct Rivals {
    n_heard: Cell<u64>,
    noisy: Cell<u32>,
    fixed: Cell<Option<bool>>,
}

impl Rivals {
    /// Whether nobody else has written lately, when so many commits of others were heard of so far.
    pub(crate) fn are_quiet(&self, n_heard: u64) -> bool {
        if self.n_heard.replace(n_heard) != n_heard {
            self.noisy.set(NOISY_COMMITS);
        }
        self.fixed.get().unwrap_or(self.noisy.get() == 0)
    }

    /// Takes note of how a commit went.
    pub(crate) fn raced(&self, is_lost: bool) {
        self.noisy.set(if is_lost { NOISY_COMMITS } else { self.noisy.get().saturating_sub(1) });
    }

    pub(crate) fn set_quiet(&self, is_quiet: bool) {
        self.fixed.set(Some(is_quiet));
    }
}

/// The queue of the writers that have lost races, of all tabs: a lock of the browser's, which it frees when a tab dies.
#[derive(Debug)]
pub(crate) struct Queue {
    lock: String,
    /// Whether somebody of this store is in the queue.
    is_in: Rc<Cell<bool>>,
}

/// The first place of the queue. Dropping it makes the next one the first.
struct Place {
    _leave: Leave,
    release: Function,
    timer: JsValue,
}

impl Queue {
    pub(crate) fn new(name: &str) -> Self {
        Self { lock: format!("{name}/write"), is_in: Rc::default() }
    }

    /// Waits for the first place; nothing if somebody of this store is in the queue already, or it does not move. Where
    /// the browser has no locks it waits a while, the longer the more races were lost.
    pub(crate) async fn place(&self, n_lost: usize, hints: &Hints) -> Option<Box<dyn Any>> {
        if self.is_in.replace(true) {
            return None;
        }
        let leave = Leave(Rc::clone(&self.is_in));
        hints.say_waiting();
        let Some(locks) = locks() else {
            let ms = Math::random() * 2_f64.powi(i32::try_from(n_lost.min(10)).unwrap_or(10));
            let _ = JsFuture::from(Promise::new(&mut |resolve, _| drop(set_timeout(&resolve, ms as i32)))).await;
            return None;
        };
        let (grant, granted) = oneshot::channel();
        let grant = RefCell::new(Some(grant));
        // It is kept until the promise is resolved.
        let keep = Closure::once(move |_: JsValue| {
            Promise::new(&mut |resolve, _| {
                if let Some(grant) = grant.borrow_mut().take() {
                    // Whoever has given up gives it back at once.
                    if let Err(resolve) = grant.send(resolve) {
                        let _ = resolve.call0(&JsValue::NULL);
                    }
                }
            })
        });
        let options = Object::new();
        // A new object takes any property. Without the signal one waits as long as it takes.
        if let Ok(signal) = AbortSignal::timeout(MAX_WAIT_MS) {
            let _ = Reflect::set(&options, &"signal".into(), &signal);
        }
        let requested = locks.request(&self.lock, &options, keep.as_ref().unchecked_ref()).ok()?;
        // It fails when the wait is over, or when nobody waits any more.
        NOTHING.with(|nothing| drop(requested.catch(nothing)));
        let release = match futures::future::select(granted, Box::pin(JsFuture::from(requested.clone()))).await {
            futures::future::Either::Left((release, _)) => release.ok()?,
            futures::future::Either::Right(_) => return None,
        };
        let timer = set_timeout(&release, MAX_KEPT_MS);
        Some(Box::new(Place { _leave: leave, release, timer }))
    }
}

/// Leaves the queue, also when whoever waits gives up.
struct Leave(Rc<Cell<bool>>);

impl Drop for Leave {
    fn drop(&mut self) {
        self.0.set(false);
    }
}

impl Drop for Place {
    fn drop(&mut self) {
        clear_timeout(&self.timer);
        let _ = self.release.call0(&JsValue::NULL);
    }
}

thread_local! {
    static NOTHING: Closure<dyn FnMut(JsValue)> = Closure::new(|_| ());
}

/// Pages that are not secure have none.
fn locks() -> Option<LockManager> {
    let navigator = Reflect::get(&js_sys::global(), &"navigator".into()).ok()?;
    let locks = Reflect::get(&navigator, &"locks".into()).ok()?;
    locks.is_object().then(|| locks.unchecked_into())
}

#[wasm_bindgen]
extern "C" {
    type LockManager;

    #[wasm_bindgen(method, catch)]
    fn request(this: &LockManager, name: &str, options: &JsValue, callback: &Function) -> Result<Promise, JsValue>;

    type AbortSignal;

    #[wasm_bindgen(static_method_of = AbortSignal, catch)]
    fn timeout(ms: u32) -> Result<AbortSignal, JsValue>;

    /// Pages and workers both have these; what identifies a timer differs elsewhere.
    #[wasm_bindgen(js_name = setTimeout)]
    fn set_timeout(callback: &Function, ms: i32) -> JsValue;

    #[wasm_bindgen(js_name = clearTimeout)]
    fn clear_timeout(timer: &JsValue);
}
