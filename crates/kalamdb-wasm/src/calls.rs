use std::cell::RefCell;
use std::collections::HashMap;
use std::rc::Rc;

use kalamdb_core::{CallContext, CancelFlag};

/// The calls that are under way, by the ids that the TypeScript package gives them.
#[derive(Debug, Clone, Default)]
pub(crate) struct Calls(Rc<RefCell<HashMap<u32, CancelFlag>>>);

/// A call that is under way until this is dropped.
#[derive(Debug)]
pub(crate) struct RunningCall {
    calls: Calls,
    id: u32,
}

impl Calls {
    /// Begins a call; gives what it runs with.
    pub(crate) fn begin(&self, id: u32) -> (RunningCall, CallContext) {
        let call = CallContext::default();
        (self.resume(id, &call.cancel), call)
    }

    /// Goes on with what an earlier call has begun, and `cancel` gives up.
    pub(crate) fn resume(&self, id: u32, cancel: &CancelFlag) -> RunningCall {
        self.0.borrow_mut().insert(id, cancel.clone());
        RunningCall { calls: self.clone(), id }
    }

    /// Gives a call up, if it is under way.
    pub(crate) fn cancel(&self, id: u32) {
        if let Some(flag) = self.0.borrow().get(&id) {
            flag.cancel();
        }
    }
}

impl Drop for RunningCall {
    fn drop(&mut self) {
        self.calls.0.borrow_mut().remove(&self.id);
    }
}
