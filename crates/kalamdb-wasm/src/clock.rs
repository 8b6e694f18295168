use futures::FutureExt;
use futures::future::LocalBoxFuture;
use js_sys::{Function, Promise};
use kalamdb_core::Clock;
use wasm_bindgen::prelude::*;
use wasm_bindgen_futures::JsFuture;
use web_time::{Instant, SystemTime, UNIX_EPOCH};

/// The browser's clock: the time of day when it was made, counted on with the monotonic clock, which has the finer resolution.
#[derive(Debug)]
pub(crate) struct BrowserClock {
    started: Instant,
    started_us: i64,
}

impl BrowserClock {
    pub(crate) fn new() -> Self {
        let since_epoch = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default();
        Self { started: Instant::now(), started_us: i64::try_from(since_epoch.as_micros()).unwrap_or_default() }
    }
}

impl Clock for BrowserClock {
    fn now_us(&self) -> i64 {
        self.started_us.saturating_add(i64::try_from(self.started.elapsed().as_micros()).unwrap_or_default())
    }

    fn pause(&self) -> LocalBoxFuture<'static, ()> {
        let timer = Promise::new(&mut |resolve, _| set_timeout(&resolve, 0));
        // The promise is never rejected.
        JsFuture::from(timer).map(|_| ()).boxed_local()
    }
}

#[wasm_bindgen]
extern "C" {
    /// Pages and workers both have it.
    #[wasm_bindgen(js_name = setTimeout)]
    fn set_timeout(callback: &Function, ms: i32);
}
