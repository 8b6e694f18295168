use kalamdb_core::{Error, ErrorKind};
use serde::Serialize;
use serde_wasm_bindgen::Serializer;
use wasm_bindgen::JsValue;

/// The error as a plain object; `sql` is the text that it is about.
pub(crate) fn to_js(error: &Error, sql: &str) -> JsValue {
    error.payload(sql).serialize(&Serializer::json_compatible()).unwrap_or(JsValue::UNDEFINED)
}

/// An argument that does not have the form that the TypeScript package gives it.
pub(crate) fn invalid_argument(message: String) -> JsValue {
    to_js(&Error::new(ErrorKind::InvalidParameterValue, message), "")
}
