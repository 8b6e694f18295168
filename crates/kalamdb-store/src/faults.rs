//! Failures on demand, for tests of what a failing browser would do.

use std::cell::Cell;
use std::rc::Rc;

use crate::{StoreError, StoreResult};

/// How a request fails.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Fault {
    /// The browser refuses to store more; the transaction is rolled back.
    QuotaExceeded,
    /// The browser aborts the transaction.
    Abort,
    /// The browser closes the connection; the transaction is rolled back.
    Close,
    /// The caller is not told whether the transaction is stored.
    Indeterminate {
        /// Whether it is stored in fact.
        stored: bool,
    },
}

impl Fault {
    fn error(self) -> StoreError {
        match self {
            Self::QuotaExceeded => StoreError::QuotaExceeded,
            Self::Abort => StoreError::Platform {
                name: "AbortError".to_owned(),
                message: "the transaction was aborted".to_owned(),
            },
            Self::Close => StoreError::Closed,
            Self::Indeterminate { .. } => StoreError::Indeterminate { reason: "injected fault".to_owned() },
        }
    }
}

/// Says which request of a store fails next; clones share what is armed.
///
/// A request is one get, put or delete on the stored records. A fault strikes once.
#[derive(Debug, Clone, Default)]
pub struct Faults {
    state: Rc<State>,
}

#[derive(Debug, Default)]
struct State {
    requests: Cell<u64>,
    armed: Cell<Option<(u64, Fault)>>,
}

impl Faults {
    /// Makes the `nth` request from now fail; 1 is the next one. Replaces what was armed before.
    pub fn arm(&self, nth: u64, fault: Fault) {
        self.state.armed.set(Some((self.requests().saturating_add(nth), fault)));
    }

    /// Takes an armed fault back.
    pub fn disarm(&self) {
        self.state.armed.set(None);
    }

    /// Whether a fault is armed that has not struck yet.
    pub fn is_armed(&self) -> bool {
        self.state.armed.get().is_some()
    }

    /// How many requests were made so far.
    pub fn requests(&self) -> u64 {
        self.state.requests.get()
    }

    /// Begins one transaction of a store.
    pub fn attempt(&self) -> Attempt {
        Attempt { faults: self.clone(), late: None }
    }

    fn on_request(&self) -> Option<Fault> {
        let number = self.requests().saturating_add(1);
        self.state.requests.set(number);
        let (_, fault) = self.state.armed.get().filter(|(nth, _)| *nth == number)?;
        self.disarm();
        Some(fault)
    }
}

/// The faults as one transaction meets them.
#[derive(Debug)]
pub struct Attempt {
    faults: Faults,
    late: Option<StoreError>,
}

impl Attempt {
    /// Counts a request that is about to be made.
    ///
    /// # Errors
    /// The armed fault, if this is its request: the caller rolls the transaction back, and closes itself on `Closed`.
    pub fn request(&mut self) -> StoreResult<()> {
        match self.faults.on_request() {
            None => Ok(()),
            Some(fault @ Fault::Indeterminate { stored: true }) => {
                self.late = Some(fault.error());
                Ok(())
            }
            Some(fault) => Err(fault.error()),
        }
    }

    /// Ends a transaction that is stored.
    ///
    /// # Errors
    /// `Indeterminate` if such a fault struck on the way.
    pub fn finish(self) -> StoreResult<()> {
        self.late.map_or(Ok(()), Err)
    }
}
