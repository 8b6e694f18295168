use std::fmt::Debug;

use futures::FutureExt;
use futures::future::LocalBoxFuture;

/// Where the engine reads the time: an argument, so that tests decide what time it is.
pub trait Clock: Debug {
    /// Microseconds since the epoch.
    fn now_us(&self) -> i64;

    /// Lets everything else that waits have its turn; what runs in the background calls it between two pieces of work.
    fn pause(&self) -> LocalBoxFuture<'static, ()> {
        futures::future::ready(()).boxed_local()
    }
}
