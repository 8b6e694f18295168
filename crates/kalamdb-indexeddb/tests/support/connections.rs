//! The connections that the code under test opens, to close them as a browser does that ends a connection by itself.

use js_sys::{Array, Function};
use wasm_bindgen::prelude::*;
use web_sys::IdbDatabase;

/// Every connection that was opened since.
pub(crate) struct Connections {
    opened: Array,
    unwatch: Function,
}

impl Connections {
    /// Takes down every connection from now on, until it is dropped.
    pub(crate) fn watch() -> Self {
        let opened = Array::new();
        let watch = Function::new_with_args(
            "opened",
            "const { open } = IDBFactory.prototype;
             IDBFactory.prototype.open = function (...given) {
               const request = open.apply(this, given);
               request.addEventListener('success', () => opened.push(request.result));
               return request;
             };
             return () => { IDBFactory.prototype.open = open; };",
        );
        let unwatch = watch.call1(&JsValue::NULL, &opened).unwrap().unchecked_into();
        Self { opened, unwatch }
    }

    pub(crate) fn count(&self) -> u32 {
        self.opened.length()
    }

    /// Closes all connections, with the event that tells of it.
    pub(crate) fn close_all(&self) {
        self.close_all_silently();
        let dispatch = Function::new_with_args("database", "database.dispatchEvent(new Event('close'))");
        self.opened.iter().for_each(|database| drop(dispatch.call1(&JsValue::NULL, &database).unwrap()));
    }

    /// Closes all connections.
    pub(crate) fn close_all_silently(&self) {
        self.opened.iter().for_each(|database| database.unchecked_into::<IdbDatabase>().close());
    }
}

impl Drop for Connections {
    fn drop(&mut self) {
        let _ = self.unwatch.call0(&JsValue::NULL);
    }
}
