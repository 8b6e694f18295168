//! The news of commits in other tabs.

use std::cell::Cell;
use std::rc::Rc;

use js_sys::Number;
use kalamdb_store::MAX_KEY;
use wasm_bindgen::prelude::*;
use web_sys::{BroadcastChannel, MessageEvent};

/// What a connection says when it opens: whoever hears it tells its commits from then on.
const OPENED: &str = "opened";

/// What a writer says that has lost races and waits in the queue: whoever hears it waits in the queue too, for some
/// commits.
const WAITING: &str = "waiting";

/// So many commits.
const QUEUED_COMMITS: u32 = 16;

/// What is said when the database was deleted: whoever hears it reads on.
const DELETED: &str = "deleted";

/// Tells the other connections to the database the newest head, and hears theirs; says nothing as long as there is no
/// other.
///
/// Messages are heads as numbers, and the words above. Any script of the origin may send some, so they are a hint and
/// no more. Where the platform has no such channels, nothing is said and nothing heard.
#[derive(Debug)]
pub(crate) struct Hints {
    shared: Rc<Shared>,
    _listener: Closure<dyn FnMut(MessageEvent)>,
}

#[derive(Debug)]
struct Shared {
    channel: Option<BroadcastChannel>,
    /// The highest head heard; `MAX_KEY` if it may be any.
    newest: Cell<u64>,
    /// The highest head that was told, or would have been.
    told: Cell<u64>,
    has_others: Cell<bool>,
    /// How many commits of others were heard of.
    n_heard: Cell<u64>,
    /// For how many commits to wait in the queue.
    queued: Cell<u32>,
}

impl Hints {
    /// Listens on the channel called `name`, and says so. What is read from then on is as new as what is heard.
    pub(crate) fn listen(name: &str) -> Self {
        let channel = BroadcastChannel::new(name).ok();
        let shared = Rc::new(Shared {
            channel,
            newest: Cell::default(),
            told: Cell::default(),
            has_others: Cell::default(),
            n_heard: Cell::default(),
            queued: Cell::default(),
        });
        let listener = Closure::new({
            let shared = Rc::clone(&shared);
            move |event: MessageEvent| shared.hear(&event.data())
        });
        if let Some(channel) = &shared.channel {
            channel.set_onmessage(Some(listener.as_ref().unchecked_ref()));
        }
        shared.say(&JsValue::from_str(OPENED));
        Self { shared, _listener: listener }
    }

    /// Gives what tells that `head` is about to be committed.
    pub(crate) fn teller(&self, head: u64) -> impl FnOnce() + 'static {
        let shared = Rc::clone(&self.shared);
        move || {
            shared.told.set(shared.told.get().max(head));
            // Saying it costs others and us more than the rest of a small commit.
            if shared.has_others.get() {
                shared.say(&JsValue::from_f64(head as f64));
            }
        }
    }

    /// Says that a database was deleted.
    pub(crate) fn say_deleted(name: &str) {
        if let Ok(channel) = BroadcastChannel::new(name) {
            let _ = channel.post_message(&JsValue::from_str(DELETED));
            channel.close();
        }
    }

    /// Says that a writer waits in the queue.
    pub(crate) fn say_waiting(&self) {
        if self.shared.has_others.get() {
            self.shared.say(&JsValue::from_str(WAITING));
        }
    }

    /// How many commits of others were heard of so far.
    pub(crate) fn n_heard(&self) -> u64 {
        self.shared.n_heard.get()
    }

    /// Whether writers of other tabs were heard to wait in the queue lately; asked once for each commit.
    pub(crate) fn should_queue(&self) -> bool {
        let queued = self.shared.queued.get();
        self.shared.queued.set(queued.saturating_sub(1));
        queued > 0
    }

    /// The highest head heard so far.
    pub(crate) fn newest(&self) -> Option<u64> {
        Some(self.shared.newest.get()).filter(|head| *head > 0)
    }

    /// Takes back what was heard of commits that have failed: `head` is the newest there is, read when `heard` was the
    /// newest heard.
    pub(crate) fn correct(&self, heard: Option<u64>, head: u64) {
        if self.newest() == heard && self.shared.newest.get() > head {
            self.shared.newest.set(head);
        }
    }

    /// Stops listening.
    pub(crate) fn close(&self) {
        if let Some(channel) = &self.shared.channel {
            channel.set_onmessage(None);
            channel.close();
        }
    }
}

impl Shared {
    fn hear(&self, message: &JsValue) {
        let head = head_of(message);
        if head > 0 {
            self.has_others.set(true);
            self.n_heard.set(self.n_heard.get().wrapping_add(1));
            self.newest.set(self.newest.get().max(head));
            return;
        }
        let word = message.as_string();
        if word.as_deref() == Some(WAITING) {
            self.queued.set(QUEUED_COMMITS);
        } else if word.as_deref() == Some(DELETED) {
            self.newest.set(MAX_KEY);
        } else if word.as_deref() == Some(OPENED) {
            self.has_others.set(true);
            // Until it hears this it does not know of us, and does not tell what it commits; it may have opened long
            // ago if this tab was frozen.
            self.newest.set(MAX_KEY);
            self.say(&JsValue::from_f64(self.told.get().max(1) as f64));
        }
    }

    fn say(&self, message: &JsValue) {
        if let Some(channel) = &self.channel {
            // It fails only if the channel is closed, and then nobody is to be told.
            let _ = channel.post_message(message);
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
