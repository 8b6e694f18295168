//! The news of commits in other tabs.

use std::cell::Cell;
use std::rc::Rc;

use js_sys::Number;
use kalamdb_store::MAX_KEY;
use wasm_bindgen::prelude::*;
use web_sys::{BroadcastChannel, MessageEvent};

/// Tells the other connections to the database the newest head, and hears theirs.
///
/// Messages are heads as numbers. Any script of the origin may send some, so they are a hint and no more. Where the platform
/// has no such channels, nothing is said and nothing heard.
#[derive(Debug)]
pub(crate) struct Hints {
    channel: Option<BroadcastChannel>,
    newest: Rc<Cell<u64>>,
    _listener: Closure<dyn FnMut(MessageEvent)>,
}

impl Hints {
    /// Listens on the channel called `name`.
    pub(crate) fn listen(name: &str) -> Self {
        let newest = Rc::new(Cell::new(0));
        let listener = Closure::new({
            let newest = Rc::clone(&newest);
            move |event: MessageEvent| newest.set(newest.get().max(head_of(&event.data())))
        });
        let channel = BroadcastChannel::new(name).ok();
        if let Some(channel) = &channel {
            channel.set_onmessage(Some(listener.as_ref().unchecked_ref()));
        }
        Self { channel, newest, _listener: listener }
    }

    /// Tells that `head` is about to be committed.
    pub(crate) fn tell(&self, head: u64) {
        if let Some(channel) = &self.channel {
            // It fails only if the channel is closed, and then nobody is to be told.
            let _ = channel.post_message(&JsValue::from_f64(head as f64));
        }
    }

    /// The highest head heard so far.
    pub(crate) fn newest(&self) -> Option<u64> {
        Some(self.newest.get()).filter(|head| *head > 0)
    }

    /// Takes back what was heard of commits that have failed: `head` is the newest there is, read when `heard` was the newest heard.
    pub(crate) fn correct(&self, heard: Option<u64>, head: u64) {
        if self.newest() == heard && self.newest.get() > head {
            self.newest.set(head);
        }
    }

    /// Stops listening.
    pub(crate) fn close(&self) {
        if let Some(channel) = &self.channel {
            channel.set_onmessage(None);
            channel.close();
        }
    }
}

impl Drop for Hints {
    fn drop(&mut self) {
        self.close();
    }
}

/// The head in a message, or 0 if it is none.
fn head_of(message: &JsValue) -> u64 {
    let number = message.as_f64().filter(|_| Number::is_safe_integer(message));
    number.filter(|number| *number > 0.0).map_or(0, |number| (number as u64).min(MAX_KEY))
}
