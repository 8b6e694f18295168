//! An open connection and the events that end it.

use std::cell::RefCell;
use std::rc::Rc;

use indexed_db_futures::database::Database;
use indexed_db_futures::internals::SystemRepr;
use kalamdb_store::{StoreError, StoreResult};
use wasm_bindgen::prelude::*;

/// A connection that closes as soon as it is in somebody's way.
pub(crate) struct Connection {
    database: Rc<RefCell<Option<Database>>>,
    _listener: Closure<dyn FnMut()>,
}

impl Connection {
    /// Listens for the two events that end a connection: `versionchange`, when another tab deletes or upgrades the database,
    /// which has to wait until we have closed; and `close`, when the browser has closed it.
    pub(crate) fn new(database: Database) -> Self {
        let cell = Rc::new(RefCell::new(Some(database.clone())));
        let listener: Closure<dyn FnMut()> = Closure::new({
            let cell = Rc::clone(&cell);
            move || close(&cell)
        });
        let function = Some(listener.as_ref().unchecked_ref());
        database.as_sys().set_onversionchange(function);
        database.as_sys().set_onclose(function);
        Self { database: cell, _listener: listener }
    }

    /// The database, for one transaction.
    ///
    /// # Errors
    /// `Closed`.
    pub(crate) fn database(&self) -> StoreResult<Database> {
        self.database.borrow().clone().ok_or(StoreError::Closed)
    }

    /// Closes the connection; transactions that are under way still finish.
    pub(crate) fn close(&self) {
        close(&self.database);
    }
}

impl Drop for Connection {
    fn drop(&mut self) {
        self.close();
    }
}

fn close(database: &RefCell<Option<Database>>) {
    if let Some(database) = database.take() {
        database.as_sys().set_onversionchange(None);
        database.as_sys().set_onclose(None);
        database.close();
    }
}
