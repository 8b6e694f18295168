//! Small statements of the kinds that applications send: run once, so that the browser has compiled the code of the
//! planner and the operators before the first real ones.

use std::rc::Rc;

use kalamdb_core::{CallContext, Clock, Database, Principal, Session};
use kalamdb_store::{Durability, MemoryStore};

/// One step each, because a step cannot be interrupted. The first ones are what most applications begin with.
const STEPS: [&str; 6] = [
    "CREATE TABLE w (id INTEGER PRIMARY KEY, v TEXT, n DOUBLE, at BIGINT); INSERT INTO w VALUES (1, 'a', 0.5, 1), (2, 'b', 1, 2); SELECT id, v FROM w WHERE n > 0 ORDER BY v LIMIT 1",
    "UPDATE w SET n = n + 1 WHERE n < 100",
    "SELECT v, count(*) AS c, sum(n) AS s, avg(at) AS a FROM w GROUP BY v ORDER BY s DESC LIMIT 10",
    "SELECT b.v, count(*), sum(a.n) FROM w a JOIN w b ON a.id = b.at GROUP BY b.v ORDER BY b.v",
    "DELETE FROM w WHERE n >= 900",
    "SELECT id FROM (SELECT id, row_number() OVER (PARTITION BY v ORDER BY n DESC) AS r FROM w) AS x WHERE r <= 3",
];

/// What is left to run, on a database of its own.
#[derive(Debug, Default)]
pub(crate) struct WarmUp {
    session: Option<Session>,
    n_done: usize,
}

impl WarmUp {
    /// Runs the next step; gives whether there are more.
    ///
    /// A failure is of no consequence here: the first real statement meets it again.
    pub(crate) async fn step(&mut self, clock: Rc<dyn Clock>) -> bool {
        let Some(sql) = STEPS.get(self.n_done) else { return false };
        self.n_done += 1;
        if self.session.is_none() {
            self.session = session(clock).await;
        }
        if let Some(session) = &self.session {
            drop(session.exec(sql, CallContext::default()).await);
        }
        let is_over = self.n_done == STEPS.len();
        if is_over {
            self.session = None;
        }
        !is_over
    }
}

async fn session(clock: Rc<dyn Clock>) -> Option<Session> {
    let database = Database::open(Rc::new(MemoryStore::new()), clock, Durability::Relaxed).await.ok()?;
    Session::new(database, Principal::system()).ok()
}
