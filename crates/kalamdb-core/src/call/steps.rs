//! The steps of a running query: when it ends early, and when everybody else has a turn.

use std::rc::Rc;
use std::sync::atomic::{AtomicI64, AtomicUsize, Ordering};

use futures::future::LocalBoxFuture;
use send_wrapper::SendWrapper;

use super::context::{CallContext, CancelFlag};
use super::progress::Progress;
use crate::clock::Clock;
use crate::error::{Error, ErrorKind, Result};

/// A call goes on for so long before everybody else has a turn. A turn costs the call up to a millisecond, so that
/// shorter slices slow it down.
const SLICE_US: i64 = 8_000;

/// A call takes so many steps before it looks at the time: most are over by then.
const FREE_STEPS: usize = 8;

/// The steps of a running query. DataFusion wants what it runs to be `Send`; the engine has one thread.
#[derive(Debug)]
pub(crate) struct Steps {
    cancel: CancelFlag,
    deadline_us: Option<i64>,
    progress: SendWrapper<Progress>,
    clock: SendWrapper<Rc<dyn Clock>>,
    n_steps: AtomicUsize,
    /// When everybody else last had a turn; 0 before the time was first looked at.
    last_turn_us: AtomicI64,
}

impl Steps {
    pub(crate) fn new(call: &CallContext, clock: &Rc<dyn Clock>) -> Self {
        Self {
            cancel: call.cancel.clone(),
            deadline_us: call.deadline_us,
            progress: SendWrapper::new(call.progress.clone()),
            clock: SendWrapper::new(Rc::clone(clock)),
            n_steps: AtomicUsize::new(0),
            last_turn_us: AtomicI64::new(0),
        }
    }

    pub(crate) fn progress(&self) -> &Progress {
        &self.progress
    }

    /// Takes note of a step that comes next. Gives what to wait for if everybody else is to have a turn before.
    ///
    /// # Errors
    /// `query_canceled` if the call was given up, or its time is over.
    pub(crate) fn step(&self) -> Result<Option<LocalBoxFuture<'static, ()>>> {
        self.cancel.check()?;
        if self.n_steps.fetch_add(1, Ordering::Relaxed) < FREE_STEPS {
            return Ok(None);
        }
        let now_us = self.clock.now_us();
        if self.deadline_us.is_some_and(|deadline_us| now_us >= deadline_us) {
            return Err(Error::new(ErrorKind::QueryCanceled, "the time that the statement was given is over"));
        }
        let last_us = self.last_turn_us.load(Ordering::Relaxed);
        if last_us != 0 && now_us.saturating_sub(last_us) < SLICE_US {
            return Ok(None);
        }
        self.last_turn_us.store(now_us, Ordering::Relaxed);
        Ok((last_us != 0).then(|| self.clock.turn()))
    }
}
