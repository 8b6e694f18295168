//! Time, and randomness: arguments of the engine, so that tests decide them.

use std::fmt::Debug;
use std::future::poll_fn;
use std::task::Poll;

use futures::FutureExt;
use futures::future::LocalBoxFuture;

/// Where the engine reads the time: an argument, so that tests decide what time it is.
pub trait Clock: Debug {
    /// Microseconds since the epoch.
    fn now_us(&self) -> i64;

    /// Does something once the answers that are on their way have gone out; or never, as natively, where nobody is kept
    /// waiting by it.
    fn later(&self, _work: Box<dyn FnOnce()>) {}

    /// Lets everything else that waits have its turn, if it has had none for a while; what runs in the background calls
    /// it between two pieces of work.
    fn pause(&self) -> LocalBoxFuture<'static, ()> {
        let mut has_waited = false;
        let once = poll_fn(move |context| {
            if std::mem::replace(&mut has_waited, true) {
                return Poll::Ready(());
            }
            context.waker().wake_by_ref();
            Poll::Pending
        });
        once.boxed_local()
    }

    /// Lets everything else that waits have its turn; a statement calls it, whose caller waits for its end.
    fn turn(&self) -> LocalBoxFuture<'static, ()> {
        self.pause()
    }
}
