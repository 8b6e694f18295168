use std::fmt::Debug;

/// Where the engine reads the time: an argument, so that tests decide what time it is.
pub trait Clock: Debug {
    /// Microseconds since the epoch.
    fn now_us(&self) -> i64;
}
