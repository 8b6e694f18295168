use std::cell::{Cell, RefCell};
use std::fmt;
use std::rc::Rc;
use std::time::Duration;

use futures::FutureExt;
use futures::channel::oneshot;
use futures::future::{LocalBoxFuture, ready};
use js_sys::{Function, Promise};
use kalamdb_core::Clock;
use wasm_bindgen::prelude::*;
use wasm_bindgen_futures::JsFuture;
use web_sys::{MessageChannel, MessagePort};
use web_time::{Instant, SystemTime, UNIX_EPOCH};

/// Work in the background goes on for so long before everything else has its turn. Browsers make each turn take 4 ms.
const SLICE: Duration = Duration::from_millis(4);

/// The browser's clock: the time of day when it was made, counted on with the monotonic clock, which has the finer
/// resolution.
#[derive(Debug)]
pub(crate) struct BrowserClock {
    started: Instant,
    started_us: i64,
    last_pause: Rc<Cell<Instant>>,
    /// `None` where the platform has no such channels: what is for later is then left undone.
    later: Option<Later>,
}

type Works = Rc<RefCell<Vec<Box<dyn FnOnce()>>>>;

/// What is for later: done in a task of its own, which a message to oneself begins without the delay of a timer.
struct Later {
    works: Works,
    sender: MessagePort,
    receiver: MessagePort,
    _listener: Closure<dyn FnMut()>,
}

impl Later {
    fn new() -> Option<Self> {
        let channel = MessageChannel::new().ok()?;
        let works = Works::default();
        let listener = Closure::new({
            let works = Rc::clone(&works);
            move || works.take().into_iter().for_each(|work| work())
        });
        let (sender, receiver) = (channel.port1(), channel.port2());
        receiver.set_onmessage(Some(listener.as_ref().unchecked_ref()));
        Some(Self { works, sender, receiver, _listener: listener })
    }

    fn add(&self, work: Box<dyn FnOnce()>) {
        let is_first = self.works.borrow().is_empty();
        self.works.borrow_mut().push(work);
        if is_first {
            // Nothing is lost if it fails.
            let _ = self.sender.post_message(&JsValue::NULL);
        }
    }
}

impl Drop for Later {
    fn drop(&mut self) {
        self.receiver.set_onmessage(None);
        self.receiver.close();
        self.sender.close();
    }
}

impl fmt::Debug for Later {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Later").field("n_works", &self.works.borrow().len()).finish_non_exhaustive()
    }
}

impl BrowserClock {
    pub(crate) fn new() -> Self {
        let since_epoch = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default();
        let started = Instant::now();
        let started_us = i64::try_from(since_epoch.as_micros()).unwrap_or_default();
        Self { started, started_us, last_pause: Rc::new(Cell::new(started)), later: Later::new() }
    }
}

impl Clock for BrowserClock {
    fn now_us(&self) -> i64 {
        self.started_us.saturating_add(i64::try_from(self.started.elapsed().as_micros()).unwrap_or_default())
    }

    fn later(&self, work: Box<dyn FnOnce()>) {
        if let Some(later) = &self.later {
            later.add(work);
        }
    }

    fn pause(&self) -> LocalBoxFuture<'static, ()> {
        if self.last_pause.get().elapsed() < SLICE {
            return ready(()).boxed_local();
        }
        let timer = Promise::new(&mut |resolve, _| set_timeout(&resolve, 0));
        let last_pause = Rc::clone(&self.last_pause);
        // The promise is never rejected.
        JsFuture::from(timer).map(move |_| last_pause.set(Instant::now())).boxed_local()
    }

    /// A message to oneself: a timer would take as long as the turn itself.
    fn turn(&self) -> LocalBoxFuture<'static, ()> {
        let Some(later) = &self.later else { return self.pause() };
        let (sender, receiver) = oneshot::channel();
        later.add(Box::new(move || {
            // Who waited may be gone.
            let _ = sender.send(());
        }));
        receiver.map(|_| ()).boxed_local()
    }
}

#[wasm_bindgen]
extern "C" {
    /// Pages and workers both have it.
    #[wasm_bindgen(js_name = setTimeout)]
    fn set_timeout(callback: &Function, ms: i32);
}
