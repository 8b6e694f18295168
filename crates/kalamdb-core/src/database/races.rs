//! Writers that have lost to other instances again and again wait in a queue of their own.

use std::any::Any;
use std::fmt;

use super::database::Database;

/// After so many races that were lost a writer waits in the queue of those that have.
const PATIENCE: usize = 3;

/// The races of one writer with those of other tabs. Nobody has to win them: a writer that has lost some waits for its
/// turn among all that have, and those that hear of it wait too, so that it has the head for itself for as long as it
/// computes.
#[derive(Default)]
pub(crate) struct Races {
    n_begun: usize,
    place: Option<Box<dyn Any>>,
}

impl Races {
    /// Called before each attempt to write, the first one too.
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
