//! One schedule: tabs open, run calls, crash and open again, in an order that the seed decides.

use std::cell::RefCell;
use std::collections::HashMap;
use std::future::Future;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::pin::Pin;
use std::rc::Rc;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::task::{Context, Poll, Wake, Waker};

use futures::executor::block_on;
use kalamdb_core::{CallContext, Database, Error, ErrorKind, Principal, Role, Session};
use kalamdb_store::{Commit, Death, Durability, Fault};

use super::call::{self, Call, Record, cells};
use super::check::{History, check};
use super::model::{Cells, Model, Table};
use super::physical::Reader;
use super::statement::{USER_TABLE, User, setup};
use super::store::{Protocol, TabStore};
use super::world::{TabClock, World};

/// What schedules begin from, made once.
#[derive(Debug)]
pub(crate) struct Beginning {
    commits: Vec<Commit>,
    model: Model,
    pub(crate) has_maintenance: bool,
}

type Opening = Rc<RefCell<Option<Result<Rc<Database>, Error>>>>;

enum Tab {
    Down,
    Opening(Opening),
    Open { database: Rc<Database>, sessions: HashMap<User, Rc<Session>> },
}

struct Task {
    tab: usize,
    /// The call that it runs; `None` if it opens the tab.
    call: Option<usize>,
    future: Pin<Box<dyn Future<Output = ()>>>,
    woken: Arc<Woken>,
}

struct Woken(AtomicBool);

impl Wake for Woken {
    fn wake(self: Arc<Self>) {
        self.0.store(true, Ordering::Relaxed);
    }
}

struct Schedule<'a> {
    world: Rc<World>,
    beginning: &'a Beginning,
    tabs: Vec<Tab>,
    tasks: Vec<Task>,
    records: Vec<Rc<RefCell<Record>>>,
    opened: Vec<(usize, u64, u64)>,
    next_number: i64,
}

impl Beginning {
    pub(crate) fn new() -> Self {
        let world = World::new(0, 1, &[], Protocol::Numbered);
        let session = open_session(&open_now(&world, 0), None);
        let mut model = Model::default();
        for statement in setup() {
            block_on(session.query(&statement.sql(), &[], CallContext::default())).expect("the setup runs");
            world.look_at_disk();
            model.run(None, &statement).expect("the model takes the setup");
        }
        let flush = block_on(session.query("FLUSH TABLE t", &[], CallContext::default()));
        world.look_at_disk();
        let mut reader = Reader::default();
        let commits: Vec<Commit> = world.stored.borrow().iter().map(|stored| stored.commit.clone()).collect();
        for commit in &commits {
            let written = reader.read(commit).expect("the setup is readable");
            for (name, table) in &mut model.tables {
                table.id = written.tables.get(*name).map_or(0, |(id, _)| *id);
            }
            for version in written.versions {
                let rows = model
                    .tables
                    .get_mut(version.table.as_str())
                    .and_then(|table| table.partitions.get_mut(&None))
                    .expect("a table of the setup");
                rows.iter_mut().filter(|row| row.cells == version.cells).for_each(|row| row.seq = version.seq);
            }
        }
        Self { commits, model, has_maintenance: flush.is_ok() }
    }
}

/// Runs the schedule of a seed.
///
/// # Errors
/// What went wrong, with everything that happened.
pub(crate) fn run(seed: u64, beginning: &Beginning, protocol: Protocol) -> Result<String, String> {
    let n_tabs = 2 + (seed % 2) as usize;
    let world = World::new(seed, n_tabs, &beginning.commits, protocol);
    let mut schedule = Schedule {
        world: Rc::clone(&world),
        beginning,
        tabs: (0..n_tabs).map(|_| Tab::Down).collect(),
        tasks: Vec::new(),
        records: Vec::new(),
        opened: Vec::new(),
        next_number: 0,
    };
    match catch_unwind(AssertUnwindSafe(|| schedule.run())) {
        Ok(Ok(())) => Ok(world.account()),
        Ok(Err(what)) => Err(format!("{}\n{what}", world.account())),
        Err(_) => Err(format!("{}\nit panics", world.account())),
    }
}

impl Schedule<'_> {
    fn run(&mut self) -> Result<(), String> {
        let world = Rc::clone(&self.world);
        world.is_failing.set(!world.random.one_in(4));
        let mut calls_left = 6 + world.random.below(8);
        loop {
            world.look_at_disk();
            self.take_in_opened()?;
            let ready: Vec<usize> =
                (0..self.tasks.len()).filter(|at| self.tasks[*at].woken.0.load(Ordering::Relaxed)).collect();
            let idle: Vec<usize> = (0..self.tabs.len()).filter(|tab| self.may_begin(*tab)).collect();
            let down: Vec<usize> = (0..self.tabs.len()).filter(|tab| matches!(self.tabs[*tab], Tab::Down)).collect();
            if calls_left == 0 && self.tasks.is_empty() {
                break;
            }
            if world.random.one_in(100) {
                self.crash(world.random.below(self.tabs.len()));
            } else if !down.is_empty() && (ready.is_empty() || world.random.one_in(4)) {
                self.open(world.random.pick(&down));
            } else if calls_left > 0 && !idle.is_empty() && (ready.is_empty() || world.random.one_in(4)) {
                calls_left -= 1;
                self.begin(world.random.pick(&idle));
            } else if !ready.is_empty() {
                self.poll(world.random.pick(&ready));
            } else if self.world.disk.is_busy() {
                return Err("a transaction does not end".to_owned());
            } else {
                return Err(format!("nothing goes on, and {} tasks have not ended", self.tasks.len()));
            }
        }
        let model = self.check()?;
        self.check_tabs(&model)
    }

    /// Whether a tab takes another call.
    fn may_begin(&self, tab: usize) -> bool {
        matches!(self.tabs[tab], Tab::Open { .. }) && self.tasks.iter().filter(|task| task.tab == tab).count() < 4
    }

    fn spawn(&mut self, tab: usize, call: Option<usize>, future: impl Future<Output = ()> + 'static) {
        self.tasks.push(Task { tab, call, future: Box::pin(future), woken: Arc::new(Woken(AtomicBool::new(true))) });
    }

    fn open(&mut self, tab: usize) {
        let time = self.world.tick();
        self.world.forget_news(tab);
        self.world.note(format!("tab {tab}: opens"));
        self.opened.push((tab, time, self.world.head()));
        let opening = Opening::default();
        let (slot, world) = (Rc::clone(&opening), Rc::clone(&self.world));
        self.tabs[tab] = Tab::Opening(opening);
        self.spawn(tab, None, async move {
            let database = open_database(&world, tab).await;
            *slot.borrow_mut() = Some(database);
        });
    }

    fn take_in_opened(&mut self) -> Result<(), String> {
        for (number, tab) in self.tabs.iter_mut().enumerate() {
            let Tab::Opening(opening) = tab else { continue };
            let Some(opened) = opening.take() else { continue };
            *tab = match opened {
                Ok(database) => Tab::Open { database, sessions: HashMap::new() },
                Err(_) if self.world.strikes.borrow().iter().any(|strike| strike.tab == number) => {
                    self.opened.retain(|(of, _, _)| *of != number);
                    Tab::Down
                }
                Err(error) => return Err(format!("tab {number} cannot be opened: {error}")),
            };
        }
        Ok(())
    }

    fn begin(&mut self, tab: usize) {
        let Tab::Open { database, sessions } = &mut self.tabs[tab] else { return };
        let call = Call::any(&self.world.random, tab, &mut self.next_number, self.beginning.has_maintenance);
        let session = Rc::clone(sessions.entry(call.user).or_insert_with(|| open_session(database, call.user)));
        let number = self.records.len();
        let time = self.world.tick();
        self.world.note(format!("tab {tab}: call {number} of {}", call.text()));
        let record = Rc::new(RefCell::new(Record::new(call, time)));
        self.records.push(Rc::clone(&record));
        self.world.heard_by.borrow_mut().push(0);
        self.spawn(tab, Some(number), call::run(Rc::clone(&self.world), session, number, record));
    }

    fn poll(&mut self, at: usize) {
        let task = &mut self.tasks[at];
        task.woken.0.store(false, Ordering::Relaxed);
        self.world.running.set(task.call);
        let waker = Waker::from(Arc::clone(&task.woken));
        let poll = task.future.as_mut().poll(&mut Context::from_waker(&waker));
        self.world.running.set(None);
        if let Poll::Ready(()) = poll {
            self.tasks.swap_remove(at);
        }
    }

    /// Ends a tab wherever it is, with all that it is about to do.
    fn crash(&mut self, tab: usize) {
        self.world.tick();
        let death = if self.world.random.one_in(2) { Death::Trapped } else { Death::Killed };
        self.world.note(format!("tab {tab}: is {death:?}"));
        self.world.death_of(tab).set(Some(death));
        let tasks: Vec<Task> = self.tasks.extract_if(.., |task| task.tab == tab).collect();
        let calls: Vec<usize> = tasks.iter().filter_map(|task| task.call).collect();
        self.tabs[tab] = Tab::Down;
        // Its transactions end with its tasks.
        drop(tasks);
        self.world.look_at_disk();
        let time = self.world.tick();
        for call in calls {
            let mut record = self.records[call].borrow_mut();
            record.ended = Some(time);
            record.end_head = self.world.head();
        }
    }

    fn check(&self) -> Result<Model, String> {
        let records: Vec<_> = self.records.iter().map(|record| record.borrow()).collect();
        let records: Vec<&Record> = records.iter().map(|record| &**record).collect();
        let mut reader = Reader::default();
        for commit in &self.beginning.commits {
            reader.read(commit)?;
        }
        let history = History {
            before: &self.beginning.model,
            head_before: self.beginning.commits.len() as u64,
            records: &records,
            stored: &self.world.stored.borrow(),
            opened: &self.opened,
            heard_by: &self.world.heard_by.borrow(),
            strikes: &self.world.strikes.borrow(),
        };
        check(&history, &mut reader)
    }

    /// Checks that every tab, once it has heard of everything, holds what the model holds, and so does a new one. A
    /// sample is enough: there are many schedules.
    fn check_tabs(&mut self, model: &Model) -> Result<(), String> {
        let world = Rc::clone(&self.world);
        world.is_failing.set(false);
        world.tell_all();
        let of_users = |user: User| model.tables.iter().filter(move |(name, _)| user.is_none() || **name == USER_TABLE);
        let all: Vec<(User, &str, &Table)> = [None, Some("ann"), Some("bob")]
            .into_iter()
            .flat_map(|user| of_users(user).map(move |(name, table)| (user, *name, table)))
            .collect();
        for (number, tab) in self.tabs.iter_mut().enumerate() {
            let Tab::Open { database, sessions } = tab else { continue };
            let (user, name, table) = world.random.pick(&all);
            let session = sessions.entry(user).or_insert_with(|| open_session(database, user));
            let is_closed =
                world.strikes.borrow().iter().any(|strike| strike.tab == number && strike.fault == Fault::Close);
            check_rows(session, user, name, table, is_closed)
                .map_err(|what| format!("tab {number} in the end: {what}"))?;
        }
        let fresh = open_now(&world, 0);
        for (user, name, table) in all.into_iter().filter(|_| world.random.one_in(2)) {
            check_rows(&open_session(&fresh, user), user, name, table, false)
                .map_err(|what| format!("a new tab in the end: {what}"))?;
        }
        Ok(())
    }
}

/// Compares all versions of a user's rows, deleted ones too.
fn check_rows(session: &Session, user: User, name: &str, table: &Table, may_be_closed: bool) -> Result<(), String> {
    let columns: Vec<&str> = table.columns.iter().map(|(name, _)| name.as_str()).collect();
    let sql = format!("SELECT {}, _seq, _deleted FROM {name}", columns.join(", "));
    let result = match block_on(session.query(&sql, &[], CallContext::default())) {
        Err(error) if may_be_closed && error.kind() == ErrorKind::DatabaseClosed => return Ok(()),
        result => result.map_err(|error| format!("{sql}: {error}"))?,
    };
    let mut found = cells(&result);
    found.sort_unstable();
    let rows = table.partitions.get(&user).into_iter().flatten().filter(|row| !row.is_gone);
    let mut expected: Vec<Cells> = rows
        .map(|row| row.cells.iter().copied().chain([row.seq as i64, i64::from(row.is_deleted)]).collect())
        .collect();
    expected.sort_unstable();
    if found == expected { Ok(()) } else { Err(format!("{user:?}: {sql}: {found:?}, expected {expected:?}")) }
}

fn open_session(database: &Rc<Database>, user: User) -> Rc<Session> {
    let principal = user.map_or_else(|| Ok(Principal::system()), |user| Principal::user(user, Role::User));
    Rc::new(principal.and_then(|principal| Session::new(Rc::clone(database), principal)).expect("a session opens"))
}

async fn open_database(world: &Rc<World>, tab: usize) -> Result<Rc<Database>, Error> {
    Database::open(
        Rc::new(TabStore::new(world, tab)),
        Rc::new(TabClock { world: Rc::clone(world), tab }),
        Durability::Relaxed,
    )
    .await
}

fn open_now(world: &Rc<World>, tab: usize) -> Rc<Database> {
    block_on(open_database(world, tab)).expect("the database opens")
}
