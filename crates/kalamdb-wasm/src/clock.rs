use std::cell::Cell;
use std::rc::Rc;
use std::time::Duration;

use futures::FutureExt;
use futures::future::{LocalBoxFuture, ready};
use js_sys::{Function, Promise};
use kalamdb_core::Clock;
use wasm_bindgen::prelude::*;
use wasm_bindgen_futures::JsFuture;
use web_time::{Instant, SystemTime, UNIX_EPOCH};

/// Work in the background goes on for so long before everything else has its turn. Browsers make each turn take 4 ms.
const SLICE: Duration = Duration::from_millis(4);

/// The browser's clock: the time of day when it was made, counted on with the monotonic clock, which has the finer resolution.
#[derive(Debug)]
pub(crate) struct BrowserClock {
    started: Instant,
    started_us: i64,
    last_pause: Rc<Cell<Instant>>,
}

impl BrowserClock {
    pub(crate) fn new() -> Self {
        let since_epoch = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default();
        let started = Instant::now();
        let started_us = i64::try_from(since_epoch.as_micros()).unwrap_or_default();
        Self { started, started_us, last_pause: Rc::new(Cell::new(started)) }
    }
}

impl Clock for BrowserClock {
    fn now_us(&self) -> i64 {
        self.started_us.saturating_add(i64::try_from(self.started.elapsed().as_micros()).unwrap_or_default())
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
}

#[wasm_bindgen]
extern "C" {
    /// Pages and workers both have it.
    #[wasm_bindgen(js_name = setTimeout)]
    fn set_timeout(callback: &Function, ms: i32);
}
