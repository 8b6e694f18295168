//! Small statements of the kinds that applications send, on a database that nobody sees.
//!
//! The browser compiles code when that runs for the first time, for all instances of the module at once. So an instance
//! that nobody waits for runs these, and the first real statements find their code compiled.

use std::rc::Rc;

use kalamdb_core::{CallContext, Clock, Database, Error, Principal, Session};
use kalamdb_store::{Durability, MemoryStore};
use wasm_bindgen::prelude::*;

use crate::clock::BrowserClock;

/// In the order in which most applications need them.
const STATEMENTS: &str = "
    CREATE TABLE w (id INTEGER PRIMARY KEY, v TEXT, n DOUBLE, at BIGINT);
    INSERT INTO w VALUES (1, 'a', 0.5, 1), (2, 'b', 1, 2);
    SELECT id, v FROM w WHERE n > 0 AND v LIKE 'a%' ORDER BY v LIMIT 1;
    SELECT v, count(*) AS c, sum(n) AS s, avg(at) AS a FROM w GROUP BY v ORDER BY s DESC LIMIT 10;
    UPDATE w SET n = n + 1 WHERE n < 100;
    DELETE FROM w WHERE n >= 900;
    SELECT b.v, count(*), sum(a.n) FROM w a JOIN w b ON a.id = b.at GROUP BY b.v ORDER BY b.v;
    SELECT id FROM (SELECT id, row_number() OVER (PARTITION BY v ORDER BY n DESC) AS r FROM w) AS x WHERE r <= 3;
";

/// Runs them. A failure is of no consequence: the first real statement meets it again.
#[wasm_bindgen(js_name = warmUp)]
pub async fn warm_up() {
    let run = async || -> Result<(), Error> {
        let clock: Rc<dyn Clock> = Rc::new(BrowserClock::new());
        let database = Database::open(Rc::new(MemoryStore::new()), clock, Durability::Relaxed).await?;
        Session::new(database, Principal::system())?.exec(STATEMENTS, CallContext::default()).await?;
        Ok(())
    };
    drop(Box::pin(run()).await);
}
