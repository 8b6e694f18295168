//! The queue for writers that have lost several races with other instances.

use std::any::Any;
use std::fmt;

use super::database::Database;

/// The number of lost races after which a writer queues.
const PATIENCE: usize = 3;

/// The races of one writer with the writers of other tabs. A writer that has lost several of them queues with other
/// such writers. Other instances are told and queue too, so that nobody else commits while the writer computes.
#[derive(Default)]
pub(crate) struct Races {
    n_begun: usize,
    place: Option<Box<dyn Any>>,
}

impl Races {
    /// Must be called before each attempt to write, including the first.
    pub(crate) async fn before_another(&mut self, database: &Database) {
        let store = database.store();
        if self.place.is_none() && (self.n_begun >= PATIENCE || store.should_queue()) {
            self.place = store.queue(self.n_begun).await;
        }
        self.n_begun += 1;
    }
}

impl fmt::Debug for Races {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Races").field("n_begun", &self.n_begun).field("has_place", &self.place.is_some()).finish()
    }
}
