//! The engine on a store in memory.

use std::panic::{AssertUnwindSafe, catch_unwind};
use std::rc::Rc;
use std::time::{SystemTime, UNIX_EPOCH};

use futures::executor::block_on;
use kalamdb_core::{CallContext, Clock, Database, Error, ErrorKind, Principal, Session};
use kalamdb_store::{Durability, MemoryStore};

use crate::parameters;
use crate::protocol::{Answer, Column, Request};
use crate::rows;

#[derive(Debug)]
struct SystemClock;

impl Clock for SystemClock {
    fn now_us(&self) -> i64 {
        let since_epoch = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default();
        i64::try_from(since_epoch.as_micros()).unwrap_or_default()
    }
}

/// Answers one line on the engine, which is made when there is none and lost in a panic.
pub(crate) fn answer(engine: &mut Option<Session>, line: &str) -> Answer {
    let session = engine.take();
    let answered = catch_unwind(AssertUnwindSafe(|| block_on(run(session, line))));
    match answered {
        Ok(Ok((session, answer))) => {
            *engine = Some(session);
            answer
        }
        Ok(Err(error)) => error.into(),
        Err(payload) => {
            let text = payload.downcast_ref::<String>().map(String::as_str);
            Answer::Panic(text.or_else(|| payload.downcast_ref::<&str>().copied()).unwrap_or("no message").to_owned())
        }
    }
}

async fn run(session: Option<Session>, line: &str) -> Result<(Session, Answer), Error> {
    let request = serde_json::from_str(line)
        .map_err(|error| Error::new(ErrorKind::InternalError, format!("a request: {error}")))?;
    let (sql, params, without_rules) = match request {
        Request::Reset => return Ok((open().await?, Answer::Result { columns: vec![], rows: vec![], affected: None })),
        Request::Query { sql, params, without_rules } => (sql, params, without_rules),
    };
    let session = match session {
        Some(session) => session,
        None => open().await?,
    };
    let params = parameters::block(&params)?;
    let answer = if without_rules.is_empty() {
        query(&session, &sql, &params).await
    } else {
        let plain = Session::new(Rc::clone(session.database()), Principal::system())?;
        query(&plain.without_rules(&without_rules), &sql, &params).await
    };
    Ok((session, answer.unwrap_or_else(Answer::from)))
}

async fn open() -> Result<Session, Error> {
    let database = Database::open(Rc::new(MemoryStore::new()), Rc::new(SystemClock), Durability::Relaxed).await?;
    Session::new(database, Principal::system())
}

async fn query(session: &Session, sql: &str, params: &[u8]) -> Result<Answer, Error> {
    let result = session.query(sql, params, CallContext::default()).await?;
    let rows = rows::texts(&result.fields, &result.batches)?;
    let columns =
        result.fields.into_iter().map(|field| Column { name: field.name, type_name: field.type_name }).collect();
    Ok(Answer::Result { columns, rows, affected: result.affected_rows })
}
