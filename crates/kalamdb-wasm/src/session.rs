use js_sys::{Array, Uint8Array};
use kalamdb_core::{CallContext, Error, Session, StatementResult, encode_results};
use serde::Serialize;
use serde_wasm_bindgen::Serializer;
use wasm_bindgen::prelude::*;

use crate::calls::Calls;
use crate::durability::DurabilityOption;
use crate::errors::{invalid_argument, to_js};
use crate::stream::EngineStream;

/// A session on an open database, which may be in a transaction.
#[wasm_bindgen]
#[derive(Debug)]
pub struct EngineSession {
    session: Session,
    calls: Calls,
}

#[derive(Debug, Serialize)]
#[serde(rename_all = "camelCase")]
struct InsertOutcome {
    affected_rows: u64,
    seq: Option<u64>,
}

impl EngineSession {
    pub(crate) fn new(session: Session, calls: Calls) -> Self {
        Self { session, calls }
    }

    /// The results as a message outside the instance's memory, so that it can be transferred.
    fn message(&self, results: Result<Vec<StatementResult>, Error>, sql: &str) -> Result<Uint8Array, JsValue> {
        let message = results.and_then(|results| encode_results(&results, self.session.is_in_transaction()));
        Ok(Uint8Array::from(message.map_err(|error| to_js(&error, sql))?.as_slice()))
    }
}

/// The futures of the session are boxed: they are large, and what makes a promise of one moves it several times.
#[wasm_bindgen]
impl EngineSession {
    /// Runs any number of statements; returns their results as one message. `call` is an id by which it is given up.
    pub async fn exec(&self, sql: &str, system_columns: bool, call: u32) -> Result<Uint8Array, JsValue> {
        let (_running, call) = self.calls.begin(call);
        let call = CallContext { system_columns_in_star: system_columns, ..call };
        let results = Box::pin(self.session.exec(sql, call)).await;
        self.message(results, sql)
    }

    /// Runs one statement with parameters, a block of one row; returns its result as a message.
    pub async fn query(
        &self,
        sql: &str,
        params: &[u8],
        system_columns: bool,
        call: u32,
        max_rows: Option<u32>,
    ) -> Result<Uint8Array, JsValue> {
        let (_running, call) = self.calls.begin(call);
        let max_rows = max_rows.map(|n| n as usize);
        let call = CallContext { system_columns_in_star: system_columns, max_rows, ..call };
        let result = Box::pin(self.session.query(sql, params, call)).await;
        self.message(result.map(|result| vec![result]), sql)
    }

    /// Begins to run one statement with parameters; the rows of a query are asked for batch by batch.
    pub async fn stream(
        &self,
        sql: &str,
        params: &[u8],
        system_columns: bool,
        call: u32,
    ) -> Result<EngineStream, JsValue> {
        let (_running, call) = self.calls.begin(call);
        let cancel = call.cancel.clone();
        let call = CallContext { system_columns_in_star: system_columns, ..call };
        let stream = Box::pin(self.session.open_stream(sql, params, call)).await;
        let stream = stream.map_err(|error| to_js(&error, sql))?;
        Ok(EngineStream::new(stream, sql, self.session.is_in_transaction(), self.calls.clone(), cancel))
    }

    /// Whether `insertEach` takes the text.
    #[wasm_bindgen(js_name = isPlainInsert)]
    pub fn is_plain_insert(&self, sql: &str) -> bool {
        self.session.is_plain_insert(sql)
    }

    /// Runs a plain INSERT once for each block of parameters; returns, for each, its result as a message or its error.
    #[wasm_bindgen(js_name = insertEach)]
    pub async fn insert_each(&self, sql: &str, blocks: Vec<Uint8Array>) -> Result<Array, JsValue> {
        let blocks: Vec<Vec<u8>> = blocks.iter().map(Uint8Array::to_vec).collect();
        let outcomes = Box::pin(self.session.insert_each(sql, &blocks)).await.map_err(|error| to_js(&error, sql))?;
        let outcome = |result: Result<StatementResult, Error>| {
            self.message(result.map(|result| vec![result]), sql).map_or_else(|error| error, JsValue::from)
        };
        Ok(outcomes.into_iter().map(outcome).collect())
    }

    /// Inserts the rows of a block, one column of it for each name in `columns`, in one commit.
    pub async fn insert(&self, table: &str, columns: Vec<String>, block: &[u8], call: u32) -> Result<JsValue, JsValue> {
        let (_running, call) = self.calls.begin(call);
        let result = Box::pin(self.session.insert(table, &columns, block, call)).await;
        let result = result.map_err(|error| to_js(&error, ""))?;
        let outcome = InsertOutcome { affected_rows: result.affected_rows.unwrap_or_default(), seq: result.seq };
        Ok(outcome.serialize(&Serializer::json_compatible())?)
    }

    /// Begins a transaction; it is a session of its own, which ends with `commit` or `rollback`.
    pub async fn begin(&self) -> Result<EngineSession, JsValue> {
        let session = self.session.begin().await.map_err(|error| to_js(&error, ""))?;
        Ok(EngineSession::new(session, self.calls.clone()))
    }

    /// Commits the transaction; the command of the result is ROLLBACK if a statement of it had failed.
    pub async fn commit(&self, durability: JsValue) -> Result<Uint8Array, JsValue> {
        let durability: DurabilityOption =
            serde_wasm_bindgen::from_value(durability).map_err(|error| invalid_argument(error.to_string()))?;
        let result = self.session.commit(durability.into()).await;
        self.message(result.map(|result| vec![result]), "")
    }

    /// Puts the session into a transaction that has failed: it was in one when its engine crashed.
    #[wasm_bindgen(js_name = markTransactionLost)]
    pub fn mark_transaction_lost(&self) {
        self.session.mark_transaction_lost();
    }

    /// Undoes the transaction.
    pub async fn rollback(&self) -> Result<(), JsValue> {
        self.session.rollback().await.map(drop).map_err(|error| to_js(&error, ""))
    }
}
