//! What the tabs of one schedule share: the disk, the news of commits, chance, and the account of what happened.

use std::cell::{Cell, RefCell};
use std::collections::HashMap;
use std::fmt::Write;
use std::future::poll_fn;
use std::rc::Rc;
use std::task::Poll;

use futures::FutureExt;
use futures::executor::block_on;
use kalamdb_core::Clock;
use kalamdb_store::{Commit, Death, Fault, Faults, LogEntry, MemoryDisk, MemoryStore, Meta, Store};

use super::store::Protocol;

use super::random::Random;

#[derive(Debug)]
pub(crate) struct World {
    pub(crate) random: Random,
    pub(crate) disk: MemoryDisk,
    pub(crate) protocol: Protocol,
    /// Commits that tabs have asked for, by their nonces.
    requested: RefCell<HashMap<u64, (usize, Commit)>>,
    /// Every commit that is stored, in order.
    pub(crate) stored: RefCell<Vec<Stored>>,
    /// The numbers of the disk when all of these had been taken down.
    seen: RefCell<Meta>,
    /// How each tab dies.
    deaths: RefCell<Vec<Rc<Cell<Option<Death>>>>>,
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
    /// How many commits there were before.
    n_before: u64,
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
    pub(crate) fn new(seed: u64, n_tabs: usize, setup: &[Commit], protocol: Protocol) -> Rc<Self> {
        let disk = MemoryDisk::default();
        let store = MemoryStore::on_disk(disk.clone(), Faults::default());
        setup.iter().for_each(|commit| block_on(store.commit(commit)).expect("an empty disk takes the setup"));
        let seen = block_on(store.read_since(None)).expect("the setup is readable").meta;
        Rc::new(Self {
            protocol,
            requested: RefCell::default(),
            seen: RefCell::new(seen),
            deaths: RefCell::new((0..n_tabs).map(|_| Rc::default()).collect()),
            n_before: setup.len() as u64,
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

    /// How many commits are stored. Their numbers may be higher: not every number is a commit's.
    pub(crate) fn head(&self) -> u64 {
        self.n_before + self.stored.borrow().len() as u64
    }

    /// How many commits are stored up to a number.
    fn head_at(&self, number: u64) -> u64 {
        self.n_before + self.stored.borrow().iter().filter(|stored| stored.commit.meta.head <= number).count() as u64
    }

    /// What decides how a tab dies, to be set when it does.
    pub(crate) fn death_of(&self, tab: usize) -> Rc<Cell<Option<Death>>> {
        Rc::clone(&self.deaths.borrow()[tab])
    }

    pub(crate) fn add_requested(&self, tab: usize, commit: &Commit) {
        self.requested.borrow_mut().insert(commit.nonce, (tab, commit.clone()));
    }

    /// Takes down what was stored since the last time, whoever asked for it and whether or not they have heard of it.
    pub(crate) fn look_at_disk(&self) {
        if self.disk.is_busy() {
            return;
        }
        let since = self.seen.borrow().clone();
        // A protocol that is not safe damages the disk.
        let store = MemoryStore::on_disk(self.disk.clone(), Faults::default());
        let Some(Ok(tail)) = store.read_since(Some(&since)).now_or_never() else { return };
        for LogEntry { nonce, .. } in &tail.entries {
            if let Some((tab, commit)) = nonce.and_then(|nonce| self.requested.borrow_mut().remove(&nonce)) {
                self.add_stored(tab, &commit);
            }
        }
        self.seen.replace(tail.meta);
    }

    pub(crate) fn note(&self, what: impl AsRef<str>) {
        let _ = writeln!(self.account.borrow_mut(), "{:>5} {}", self.time.get(), what.as_ref());
    }

    /// All that was noted.
    pub(crate) fn account(&self) -> String {
        self.account.borrow().clone()
    }

    /// Takes down a commit that was just stored, and sends word of it to the other tabs.
    fn add_stored(&self, tab: usize, commit: &Commit) {
        let time = self.tick();
        self.note(format!("tab {tab}: commit {} is stored: {} log records", commit.meta.head, commit.log.len()));
        self.stored.borrow_mut().push(Stored { tab, time, commit: commit.clone() });
        let mut news = self.news.borrow_mut();
        news.iter_mut()
            .enumerate()
            .filter(|(other, _)| *other != tab)
            .for_each(|(_, news)| news.push(commit.meta.head));
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
            *newest = (*newest).max(self.head_at(*heard));
        }
        Some(*heard).filter(|head| *head > 0)
    }

    /// Tells every tab what is stored, as happens in the end.
    pub(crate) fn tell_all(&self) {
        let head = self.seen.borrow().head;
        self.heard.borrow_mut().iter_mut().for_each(|heard| *heard = head);
    }

    /// A tab that has just started has heard of nothing.
    pub(crate) fn forget_news(&self, tab: usize) {
        self.news.borrow_mut()[tab].clear();
        self.heard.borrow_mut()[tab] = 0;
        self.deaths.borrow_mut()[tab] = Rc::default();
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
