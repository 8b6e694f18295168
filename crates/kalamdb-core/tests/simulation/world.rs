//! What the tabs of one schedule share: the disk, the news of commits, chance, and the account of what happened.

use std::cell::{Cell, RefCell};
use std::fmt::Write;
use std::future::poll_fn;
use std::rc::Rc;
use std::task::Poll;

use futures::executor::block_on;
use kalamdb_core::Clock;
use kalamdb_store::{Commit, Fault, Faults, MemoryDisk, MemoryStore, Store};

use super::random::Random;

#[derive(Debug)]
pub(crate) struct World {
    pub(crate) random: Random,
    pub(crate) disk: MemoryDisk,
    /// Every commit that is stored, in order.
    pub(crate) stored: RefCell<Vec<Stored>>,
    /// Whether calls of the store fail.
    pub(crate) is_failing: Cell<bool>,
    pub(crate) strikes: RefCell<Vec<Strike>>,
    /// For each tab, heads of which word is on its way.
    news: RefCell<Vec<Vec<u64>>>,
    /// For each tab, the newest head that it has heard of.
    heard: RefCell<Vec<u64>>,
    /// The newest head that each call which is being run has heard of, by its number.
    pub(crate) heard_by: RefCell<Vec<u64>>,
    /// The call that is being run.
    pub(crate) running: Cell<Option<usize>>,
    time: Cell<u64>,
    account: RefCell<String>,
}

/// A commit as it was stored.
#[derive(Debug)]
pub(crate) struct Stored {
    pub(crate) tab: usize,
    pub(crate) time: u64,
    pub(crate) commit: Commit,
}

/// A call of a store that has failed.
#[derive(Debug)]
pub(crate) struct Strike {
    pub(crate) tab: usize,
    pub(crate) time: u64,
    pub(crate) fault: Fault,
}

impl World {
    pub(crate) fn new(seed: u64, n_tabs: usize, setup: &[Commit]) -> Rc<Self> {
        let disk = MemoryDisk::default();
        let store = MemoryStore::on_disk(disk.clone(), Faults::default());
        setup.iter().for_each(|commit| block_on(store.commit(commit)).expect("an empty disk takes the setup"));
        Rc::new(Self {
            random: Random::new(seed),
            disk,
            stored: RefCell::default(),
            is_failing: Cell::new(false),
            strikes: RefCell::default(),
            news: RefCell::new(vec![Vec::new(); n_tabs]),
            heard: RefCell::new(vec![0; n_tabs]),
            heard_by: RefCell::default(),
            running: Cell::new(None),
            time: Cell::new(0),
            account: RefCell::default(),
        })
    }

    /// The next moment.
    pub(crate) fn tick(&self) -> u64 {
        self.time.set(self.time.get() + 1);
        self.time.get()
    }

    /// The number of the last commit that is stored.
    pub(crate) fn head(&self) -> u64 {
        MemoryStore::on_disk(self.disk.clone(), Faults::default()).newest_head_heard().unwrap_or_default()
    }

    pub(crate) fn note(&self, what: impl AsRef<str>) {
        let _ = writeln!(self.account.borrow_mut(), "{:>5} {}", self.time.get(), what.as_ref());
    }

    /// All that was noted.
    pub(crate) fn account(&self) -> String {
        self.account.borrow().clone()
    }

    /// Takes down a commit that was just stored, and sends word of it to the other tabs.
    pub(crate) fn add_stored(&self, tab: usize, commit: &Commit) {
        let time = self.tick();
        self.note(format!("tab {tab}: commit {} is stored: {} log records", commit.meta.head, commit.log.len()));
        self.stored.borrow_mut().push(Stored { tab, time, commit: commit.clone() });
        let mut news = self.news.borrow_mut();
        news.iter_mut().enumerate().filter(|(other, _)| *other != tab).for_each(|(_, news)| news.push(commit.meta.head));
    }

    pub(crate) fn add_strike(&self, tab: usize, fault: Fault) {
        let time = self.tick();
        self.note(format!("tab {tab}: {fault:?} strikes"));
        self.strikes.borrow_mut().push(Strike { tab, time, fault });
    }

    /// The newest head that a tab has heard of. Word comes late, in any order, or never.
    pub(crate) fn hear(&self, tab: usize) -> Option<u64> {
        let news = &mut self.news.borrow_mut()[tab];
        let heard = &mut self.heard.borrow_mut()[tab];
        while !news.is_empty() && self.random.one_in(2) {
            let message = news.swap_remove(self.random.below(news.len()));
            if !self.random.one_in(4) {
                *heard = (*heard).max(message);
            }
        }
        if let Some(call) = self.running.get() {
            let newest = &mut self.heard_by.borrow_mut()[call];
            *newest = (*newest).max(*heard);
        }
        Some(*heard).filter(|head| *head > 0)
    }

    /// Tells every tab what is stored, as happens in the end.
    pub(crate) fn tell_all(&self) {
        let head = self.head();
        self.heard.borrow_mut().iter_mut().for_each(|heard| *heard = head);
    }

    /// A tab that has just started has heard of nothing.
    pub(crate) fn forget_news(&self, tab: usize) {
        self.news.borrow_mut()[tab].clear();
        self.heard.borrow_mut()[tab] = 0;
    }
}

/// One tab's clock: it often stands still, as a browser's does, and never shows what another tab's shows.
#[derive(Debug)]
pub(crate) struct TabClock {
    pub(crate) world: Rc<World>,
    pub(crate) tab: usize,
}

impl Clock for TabClock {
    fn now_us(&self) -> i64 {
        1_700_000_000_000_000 + (self.world.time.get() / 16) as i64 * 1000 + self.tab as i64
    }
}

/// Lets the scheduler go on with something else.
pub(crate) async fn pause() {
    let mut has_paused = false;
    poll_fn(|context| {
        if has_paused {
            return Poll::Ready(());
        }
        has_paused = true;
        context.waker().wake_by_ref();
        Poll::Pending
    })
    .await;
}
