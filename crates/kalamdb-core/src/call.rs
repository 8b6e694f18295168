//! One call: what its caller wants, how the caller gives it up, and when everybody else has a turn.

use std::rc::Rc;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicI64, AtomicUsize, Ordering};

use futures::future::LocalBoxFuture;
use send_wrapper::SendWrapper;

use crate::clock::Clock;
use crate::error::{Error, ErrorKind, Result};

/// A call goes on for so long before everybody else has a turn. A turn costs the call up to a millisecond, so that
/// shorter slices slow it down.
const SLICE_US: i64 = 8_000;

/// A call takes so many steps before it looks at the time: most are over by then.
const FREE_STEPS: usize = 8;

/// What the caller wants of one call.
#[derive(Debug, Clone, Default)]
pub struct CallContext {
    /// Puts the system columns into `*`.
    pub system_columns_in_star: bool,
    /// A query gives so many rows at most, and does not compute the others.
    pub max_rows: Option<usize>,
    /// Queries fail at this time, in microseconds since the epoch.
    pub deadline_us: Option<i64>,
    /// Gives the call up.
    pub cancel: CancelFlag,
}

/// Gives a call up. A call that is committing ends as it would have ended.
#[derive(Debug, Clone, Default)]
pub struct CancelFlag(Arc<AtomicBool>);

impl CancelFlag {
    /// Has the call fail with `query_canceled` at its next step.
    pub fn cancel(&self) {
        self.0.store(true, Ordering::Relaxed);
    }

    /// # Errors
    /// `query_canceled` if the caller has given the call up.
    pub(crate) fn check(&self) -> Result<()> {
        if self.0.load(Ordering::Relaxed) {
            return Err(Error::new(ErrorKind::QueryCanceled, "the caller has given the statement up"));
        }
        Ok(())
    }
}

/// The steps of a running query. DataFusion wants what it runs to be `Send`; the engine has one thread.
#[derive(Debug)]
pub(crate) struct Steps {
    cancel: CancelFlag,
    deadline_us: Option<i64>,
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
            clock: SendWrapper::new(Rc::clone(clock)),
            n_steps: AtomicUsize::new(0),
            last_turn_us: AtomicI64::new(0),
        }
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
