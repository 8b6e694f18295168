//! A connection, the events that end it, and another one in its place.

use std::cell::{Cell, RefCell};
use std::rc::Rc;

use futures::lock::Mutex;
use indexed_db_futures::database::Database;
use indexed_db_futures::internals::SystemRepr;
use indexed_db_futures::prelude::*;
use kalamdb_store::{Faults, StoreError, StoreResult};
use wasm_bindgen::prelude::*;
use web_sys::IdbVersionChangeEvent;

use crate::open::{self, IdbOptions};
use crate::read;
use crate::values::META;

/// A connection that closes as soon as it is in somebody's way, and that is opened again when it is next needed.
pub(crate) struct Connection {
    name: String,
    options: IdbOptions,
    state: Rc<RefCell<State>>,
    /// Held by the one who opens the database again.
    reopening: Mutex<()>,
    /// The id of the database, once it is known.
    id: Cell<Option<f64>>,
    on_version_change: Closure<dyn FnMut(IdbVersionChangeEvent)>,
    on_close: Closure<dyn FnMut()>,
}

enum State {
    Open(Database),
    /// Another tab upgrades the database, or the browser has closed the connection.
    Lost,
    /// Another tab has deleted the database: what is now under its name, if anything, is another one.
    Deleted,
    /// Closed by its owner.
    Closed,
}

impl Connection {
    /// Listens for the two events that end a connection: `versionchange`, when another tab deletes or upgrades the
    /// database, which has to wait until we have closed; and `close`, when the browser has closed it.
    pub(crate) fn new(name: String, options: IdbOptions, database: Database) -> Self {
        let state = Rc::new(RefCell::new(State::Lost));
        let on_version_change = Closure::new({
            let state = Rc::clone(&state);
            move |event: IdbVersionChangeEvent| {
                end(&state, if event.new_version().is_none() { State::Deleted } else { State::Lost })
            }
        });
        let on_close = Closure::new({
            let state = Rc::clone(&state);
            move || end(&state, State::Lost)
        });
        let this =
            Self { name, options, state, reopening: Mutex::new(()), id: Cell::default(), on_version_change, on_close };
        this.take(database);
        this
    }

    /// The database, for one transaction; opened again if the connection is lost.
    ///
    /// # Errors
    /// `Closed`; `Deleted`; those of opening a database.
    pub(crate) async fn database(&self) -> StoreResult<Database> {
        if let Some(database) = self.current()? {
            return Ok(database);
        }
        let _reopening = self.reopening.lock().await;
        if let Some(database) = self.current()? {
            return Ok(database);
        }
        let database = open::open_existing(&self.name, &self.options).await?;
        let same = match database {
            Some(database) => self.if_same(database).await?,
            None => None,
        };
        // It may have been closed meanwhile.
        if matches!(*self.state.borrow(), State::Lost) {
            match same {
                Some(database) => self.take(database),
                None => end(&self.state, State::Deleted),
            }
        } else if let Some(database) = same {
            database.close();
        }
        self.current()?.ok_or(StoreError::Closed)
    }

    /// Remembers which database it is.
    pub(crate) fn is(&self, id: f64) {
        self.id.set(Some(id));
    }

    /// Takes note that the database was deleted, as what is read of it says.
    pub(crate) fn was_deleted(&self) {
        end(&self.state, State::Deleted);
    }

    pub(crate) fn deleted(&self) -> StoreError {
        StoreError::Deleted { name: self.name.clone() }
    }

    /// Whether the connection is lost; the browser may not have said so yet.
    pub(crate) fn is_lost(&self) -> bool {
        let lost = match &*self.state.borrow() {
            State::Open(database) => database.transaction(META).build().is_err(),
            State::Lost | State::Deleted => true,
            State::Closed => false,
        };
        if lost {
            self.lose();
        }
        lost
    }

    /// Whether the connection has ended, and not by its owner.
    pub(crate) fn has_ended(&self) -> bool {
        matches!(*self.state.borrow(), State::Lost | State::Deleted)
    }

    /// Opens another connection when one is next needed.
    pub(crate) fn lose(&self) {
        if matches!(*self.state.borrow(), State::Open(_)) {
            end(&self.state, State::Lost);
        }
    }

    /// Closes for good; transactions that are under way still finish.
    pub(crate) fn close(&self) {
        end(&self.state, State::Closed);
    }

    /// The database, or `None` if the connection is lost.
    fn current(&self) -> StoreResult<Option<Database>> {
        match &*self.state.borrow() {
            State::Open(database) => Ok(Some(database.clone())),
            State::Lost => Ok(None),
            State::Deleted => Err(self.deleted()),
            State::Closed => Err(StoreError::Closed),
        }
    }

    /// The database that was just opened, unless it is another one of the same name.
    async fn if_same(&self, database: Database) -> StoreResult<Option<Database>> {
        let id = read::identity(&database, &mut Faults::default().attempt()).await?;
        if self.id.get().is_none_or(|known| id == Some(known)) {
            return Ok(Some(database));
        }
        database.close();
        Ok(None)
    }

    fn take(&self, database: Database) {
        database.as_sys().set_onversionchange(Some(self.on_version_change.as_ref().unchecked_ref()));
        database.as_sys().set_onclose(Some(self.on_close.as_ref().unchecked_ref()));
        self.state.replace(State::Open(database));
    }
}

impl Drop for Connection {
    fn drop(&mut self) {
        self.close();
    }
}

fn end(state: &RefCell<State>, next: State) {
    if let State::Open(database) = state.replace(next) {
        database.as_sys().set_onversionchange(None);
        database.as_sys().set_onclose(None);
        database.close();
    }
}
