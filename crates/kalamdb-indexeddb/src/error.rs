//! What the browser's exceptions mean to a store.

use indexed_db_futures::error::{Error, OpenDbError};
use js_sys::Reflect;
use kalamdb_store::{FORMAT_VERSION, StoreError};
use wasm_bindgen::JsValue;

/// An exception inside a transaction. Whether anything is stored is the caller's to know.
pub(crate) fn store_error(error: Error) -> StoreError {
    match error {
        Error::DomException(exception) => from_js(exception.as_ref()),
        Error::Unknown(exception) => from_js(exception.as_ref()),
        Error::Serialisation(error) => dom("DataError", error.to_string()),
        Error::MissingData(error) => dom("AbortError", error.to_string()),
    }
}

/// An exception of the platform, by its name.
pub(crate) fn from_js(exception: &JsValue) -> StoreError {
    let name = text(exception, "name").unwrap_or_else(|| "Error".to_owned());
    let message = text(exception, "message").unwrap_or_else(|| format!("{exception:?}"));
    match name.as_str() {
        "QuotaExceededError" => StoreError::QuotaExceeded,
        // Only a connection that is closing refuses a transaction in this way.
        "InvalidStateError" => StoreError::Closed,
        _ => dom(&name, message),
    }
}

/// Why a database could not be opened or deleted.
pub(crate) fn open_error(error: OpenDbError) -> StoreError {
    let error = match error {
        // This is what the library makes of every exception that open() throws; our versions are never zero.
        OpenDbError::VersionZero => return unavailable("opening is refused here"),
        OpenDbError::UnsupportedEnvironment | OpenDbError::NullFactory => {
            return unavailable("there is no indexedDB here");
        }
        OpenDbError::Base(error) => store_error(error),
    };
    match error {
        StoreError::Closed => unavailable("the browser does not allow databases here"),
        StoreError::Platform { name, message } => match name.as_str() {
            "SecurityError" | "UnknownError" | "NotAllowedError" => unavailable(&format!("{name}: {message}")),
            // The version that was found is not in the exception: whoever knows it puts it in.
            "VersionError" => {
                StoreError::SchemaTooNew { found: FORMAT_VERSION.saturating_add(1), supported: FORMAT_VERSION }
            }
            _ => StoreError::Platform { name, message },
        },
        other => other,
    }
}

pub(crate) fn dom(name: &str, message: String) -> StoreError {
    StoreError::Platform { name: name.to_owned(), message }
}

fn unavailable(reason: &str) -> StoreError {
    StoreError::Unavailable { reason: reason.to_owned() }
}

fn text(object: &JsValue, property: &str) -> Option<String> {
    Reflect::get(object, &JsValue::from_str(property)).ok()?.as_string()
}
