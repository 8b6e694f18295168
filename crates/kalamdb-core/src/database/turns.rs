//! The queue of an instance's writers.

use std::cell::RefCell;
use std::collections::VecDeque;
use std::rc::Rc;

use futures::channel::oneshot::{self, Receiver, Sender};

use crate::error::{Error, Result};

/// The queue of writers: one at a time, first come, first served.
#[derive(Debug, Clone, Default)]
pub(crate) struct WriterQueue(Rc<RefCell<Queue>>);

#[derive(Debug, Default)]
struct Queue {
    is_taken: bool,
    waiting: VecDeque<Sender<WritePermit>>,
    /// The writer whose turn comes when no other writer waits.
    last: Option<Sender<WritePermit>>,
    /// Whether `last` has its turn before the waiting writers.
    is_last_next: bool,
}

/// The right to write. Dropping it passes the turn to the next writer.
#[derive(Debug)]
pub(crate) struct WritePermit {
    turns: WriterQueue,
}

/// A place in the queue. Dropping it leaves the queue.
#[derive(Debug)]
pub(crate) struct Ticket(Receiver<WritePermit>);

impl WriterQueue {
    /// Waits for a turn behind all waiting writers.
    pub(crate) async fn next(&self) -> Result<WritePermit> {
        let place = {
            let mut queue = self.0.borrow_mut();
            if !queue.is_taken {
                queue.is_taken = true;
                return Ok(self.turn());
            }
            let (sender, place) = oneshot::channel();
            queue.waiting.push_back(sender);
            Ticket(place)
        };
        place.turn().await
    }

    /// A place before all waiting writers. Only the holder of the turn may take one.
    pub(crate) fn first(&self) -> Ticket {
        let (sender, place) = oneshot::channel();
        self.0.borrow_mut().waiting.push_front(sender);
        Ticket(place)
    }

    /// Waits until no other writer waits, or [`WriterQueue::let_last_go`] is called. At most one writer may wait like
    /// that.
    pub(crate) async fn last(&self) -> Result<WritePermit> {
        let place = {
            let mut queue = self.0.borrow_mut();
            queue.is_last_next = false;
            if !queue.is_taken {
                queue.is_taken = true;
                return Ok(self.turn());
            }
            let (sender, place) = oneshot::channel();
            queue.last = Some(sender);
            Ticket(place)
        };
        place.turn().await
    }

    /// Gives the next turn to the writer that waits in [`WriterQueue::last`]; false if there is none.
    pub(crate) fn let_last_go(&self) -> bool {
        let mut queue = self.0.borrow_mut();
        queue.is_last_next = queue.last.as_ref().is_some_and(|last| !last.is_canceled());
        queue.is_last_next
    }

    pub(crate) fn has_waiting(&self) -> bool {
        self.0.borrow().waiting.iter().any(|sender| !sender.is_canceled())
    }

    fn turn(&self) -> WritePermit {
        WritePermit { turns: self.clone() }
    }
}

impl Ticket {
    pub(crate) async fn turn(self) -> Result<WritePermit> {
        self.0.await.map_err(|_| Error::internal("the queue of writers is gone"))
    }
}

impl Queue {
    /// The next writer, if any waits.
    fn next(&mut self) -> Option<Sender<WritePermit>> {
        while self.waiting.front().is_some_and(Sender::is_canceled) {
            self.waiting.pop_front();
        }
        let last =
            self.last.take_if(|_| self.is_last_next || self.waiting.is_empty()).filter(|last| !last.is_canceled());
        if last.is_some() {
            self.is_last_next = false;
        }
        last.or_else(|| self.waiting.pop_front())
    }
}

impl Drop for WritePermit {
    fn drop(&mut self) {
        let next = {
            let mut queue = self.turns.0.borrow_mut();
            let next = queue.next();
            queue.is_taken = next.is_some();
            next
        };
        if let Some(next) = next {
            // Whoever leaves with the turn in hand drops it, and so passes it on.
            drop(next.send(self.turns.turn()));
        }
    }
}
