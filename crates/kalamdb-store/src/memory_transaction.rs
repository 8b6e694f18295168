use std::cell::Cell;
use std::collections::VecDeque;
use std::fmt;
use std::rc::Rc;

use async_trait::async_trait;
use futures::lock::OwnedMutexGuard;

use crate::memory::{Death, MemoryDisk, Steps};
use crate::protocol::WriteTransaction;
use crate::{Attempt, RecordKey, StoreError, StoreResult};

/// A readwrite transaction on a [`MemoryDisk`]: requests wait in a queue, and are carried out one by one.
pub struct MemoryTransaction {
    disk: MemoryDisk,
    /// Ends the turn on the disk with the transaction.
    _turn: OwnedMutexGuard<()>,
    attempt: Option<Attempt>,
    steps: Rc<dyn Steps>,
    death: Rc<Cell<Option<Death>>>,
    requested: VecDeque<Request>,
    /// What was there before each request that was carried out.
    before: Vec<Before>,
    appended: Option<u64>,
    is_told_to_commit: bool,
    has_ended: bool,
}

#[derive(Debug)]
enum Request {
    Append(Vec<u8>),
    Set(RecordKey, Option<Vec<u8>>),
}

#[derive(Debug)]
struct Before {
    key: RecordKey,
    value: Option<Vec<u8>>,
    next_number: u64,
}

impl fmt::Debug for MemoryTransaction {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("MemoryTransaction")
            .field("requested", &self.requested)
            .field("appended", &self.appended)
            .finish_non_exhaustive()
    }
}

impl MemoryTransaction {
    pub(crate) fn new(
        disk: MemoryDisk,
        turn: OwnedMutexGuard<()>,
        attempt: Attempt,
        steps: Rc<dyn Steps>,
        death: Rc<Cell<Option<Death>>>,
    ) -> Self {
        Self {
            disk,
            _turn: turn,
            attempt: Some(attempt),
            steps,
            death,
            requested: VecDeque::new(),
            before: Vec::new(),
            appended: None,
            is_told_to_commit: false,
            has_ended: false,
        }
    }

    /// The number of the last record in the log, once everything requested before was carried out.
    pub async fn last_number(&mut self) -> StoreResult<Option<u64>> {
        self.carry_out().await;
        Ok(self.disk.records.borrow().last_number())
    }

    fn request(&mut self, request: Request) -> StoreResult<()> {
        if let Some(attempt) = &mut self.attempt {
            attempt.request()?;
        }
        self.requested.push_back(request);
        Ok(())
    }

    /// Carries out what was requested, one request after the other, with a pause before each and one before its caller
    /// hears of it.
    async fn carry_out(&mut self) {
        while !self.requested.is_empty() {
            self.steps.step().await;
            self.carry_out_next();
        }
        self.steps.step().await;
    }

    fn carry_out_next(&mut self) {
        let Some(request) = self.requested.pop_front() else { return };
        let mut records = self.disk.records.borrow_mut();
        let next_number = records.next_number;
        let (key, value) = match request {
            Request::Append(value) => {
                self.appended = Some(next_number);
                records.next_number += 1;
                (RecordKey::Log(next_number), Some(value))
            }
            Request::Set(key, value) => (key, value),
        };
        let before = records.set(key.clone(), value);
        self.before.push(Before { key, value: before, next_number });
    }

    fn undo(&mut self) {
        self.requested.clear();
        let mut records = self.disk.records.borrow_mut();
        for Before { key, value, next_number } in self.before.drain(..).rev() {
            records.set(key, value);
            records.next_number = next_number;
        }
    }
}

#[async_trait(?Send)]
impl WriteTransaction for MemoryTransaction {
    fn append(&mut self, value: &[u8]) -> StoreResult<()> {
        self.request(Request::Append(value.to_vec()))
    }

    async fn number(&mut self) -> StoreResult<u64> {
        self.carry_out().await;
        self.appended.ok_or_else(|| StoreError::InvalidCommit { what: "nothing was appended".to_owned() })
    }

    fn put(&mut self, key: &RecordKey, value: &[u8]) -> StoreResult<()> {
        self.request(Request::Set(key.clone(), Some(value.to_vec())))
    }

    fn delete(&mut self, key: &RecordKey) -> StoreResult<()> {
        self.request(Request::Set(key.clone(), None))
    }

    async fn commit(&mut self) -> StoreResult<()> {
        self.is_told_to_commit = true;
        self.carry_out().await;
        self.has_ended = true;
        self.attempt.take().map_or(Ok(()), Attempt::finish)
    }

    fn abort(&mut self) {
        self.undo();
        self.has_ended = true;
    }
}

impl Drop for MemoryTransaction {
    fn drop(&mut self) {
        if self.has_ended {
            return;
        }
        match (self.death.get(), self.is_told_to_commit) {
            (Some(Death::Trapped), _) | (Some(Death::Killed), true) => {
                while !self.requested.is_empty() {
                    self.carry_out_next();
                }
            }
            (Some(Death::Killed), false) | (None, _) => self.undo(),
        }
    }
}
