use js_sys::Uint8Array;
use kalamdb_core::{CancelFlag, QueryStream, encode_results};
use wasm_bindgen::prelude::*;

use crate::calls::Calls;
use crate::errors::to_js;

/// The rows of a query, batch by batch. What it holds is free when it is.
#[wasm_bindgen]
#[derive(Debug)]
pub struct EngineStream {
    stream: QueryStream,
    sql: String,
    in_transaction: bool,
    calls: Calls,
    cancel: CancelFlag,
}

impl EngineStream {
    pub(crate) fn new(stream: QueryStream, sql: &str, in_transaction: bool, calls: Calls, cancel: CancelFlag) -> Self {
        Self { stream, sql: sql.to_owned(), in_transaction, calls, cancel }
    }
}

#[wasm_bindgen]
impl EngineStream {
    /// The rows that come next as a message of one result; nothing after the last. `call` is an id by which the stream
    /// is given up.
    pub async fn next(&mut self, call: u32) -> Result<Option<Uint8Array>, JsValue> {
        let _running = self.calls.resume(call, &self.cancel);
        let message = match Box::pin(self.stream.next()).await {
            Ok(None) => return Ok(None),
            Ok(Some(result)) => encode_results(&[result], self.in_transaction),
            Err(error) => Err(error),
        };
        let message = message.map_err(|error| to_js(&error, &self.sql))?;
        Ok(Some(Uint8Array::from(message.as_slice())))
    }
}
