use kalamdb_core::Clock;
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
}
