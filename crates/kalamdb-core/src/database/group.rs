//! Group commit: statements that are committed together.

use std::cell::{Cell, RefCell};
use std::rc::{Rc, Weak};

use futures::FutureExt;
use futures::future::{LocalBoxFuture, Shared};

use super::database::Database;
use super::transaction::Transaction;
use super::turns::Ticket;
use crate::change::{Change, Committed};
use crate::error::{Error, ErrorKind, Result};

/// The most statements that are committed together.
const MAX_MEMBERS: usize = 4096;

/// The number of rows at which a group takes no more members.
const MAX_ROWS: usize = 16_384;

/// The same for the memory that its values take: 32 MiB.
const MAX_BYTES: usize = 32 << 20;

/// Statements that are committed together, in one commit.
///
/// Each member has computed its change on the committed rows with the changes of earlier members on top. Only the view
/// that it was given for that shows these changes. Any waiting member can carry the commit on, if the one that began it
/// is dropped.
pub(crate) struct CommitGroup {
    overlay: Transaction,
    /// The commit on which the group is based.
    base: u64,
    members: RefCell<Vec<Seat>>,
    n_rows: Cell<usize>,
    n_bytes: Cell<usize>,
    is_poisoned: Cell<bool>,
    commit: Shared<LocalBoxFuture<'static, ()>>,
}

/// The group's side of a member.
struct Seat {
    /// Taken out when the group is committed.
    change: Change,
    is_changing: bool,
    reply: Rc<Cell<Option<MemberOutcome>>>,
}

/// The statement's side of a member.
pub(crate) struct Member {
    group: Rc<CommitGroup>,
    reply: Rc<Cell<Option<MemberOutcome>>>,
}

/// The outcome of a member.
#[derive(Debug)]
pub(crate) enum MemberOutcome {
    Committed(Committed),
    /// Its base is outdated: the statement has to compute again when its turn comes.
    Again(Ticket),
    Failed(Error),
}

impl CommitGroup {
    /// Opens a group on the rows as committed now; `commit` commits it when it gets the turn.
    pub(crate) fn open<C: Future<Output = ()> + 'static>(
        database: &Database,
        commit: impl FnOnce(Rc<Database>, Weak<Self>) -> C,
    ) -> Result<Rc<Self>> {
        let owned = database.this.upgrade().ok_or_else(|| Error::internal("the database is gone"))?;
        let group = Rc::new_cyclic(|this| Self {
            overlay: Transaction::begin(database),
            base: database.meta().head,
            members: RefCell::default(),
            n_rows: Cell::default(),
            n_bytes: Cell::default(),
            is_poisoned: Cell::default(),
            commit: commit(owned, Weak::clone(this)).boxed_local().shared(),
        });
        database.set_open_group(Rc::downgrade(&group));
        Ok(group)
    }

    /// The database with the changes of the members so far.
    pub(crate) fn overlay(&self) -> &Transaction {
        &self.overlay
    }

    /// Whether the group's base is the newest commit.
    pub(crate) fn is_sound(&self, database: &Database) -> bool {
        !self.is_poisoned.get() && database.meta().head == self.base
    }

    pub(crate) fn is_full(&self) -> bool {
        self.members.borrow().len() >= MAX_MEMBERS || self.n_rows.get() >= MAX_ROWS || self.n_bytes.get() >= MAX_BYTES
    }

    /// Adds a statement. It may change nothing: its outcome still depends on the earlier statements.
    ///
    /// # Errors
    /// Those of applying the change; the others compute again then.
    pub(crate) fn add(self: Rc<Self>, database: &Database, change: Change) -> Result<Member> {
        let is_changing = !change.is_empty();
        if is_changing {
            self.n_rows.set(self.n_rows.get() + change.n_rows());
            self.n_bytes.set(self.n_bytes.get() + change.n_bytes());
            match self.overlay.apply(database, change.clone()) {
                Ok(()) => {}
                // Somebody has read on since the group was opened: all of it, this change too, is computed again.
                Err(error) if error.kind() == ErrorKind::SerializationFailure => self.is_poisoned.set(true),
                Err(error) => {
                    self.is_poisoned.set(true);
                    return Err(error);
                }
            }
        }
        let reply = Rc::default();
        self.members.borrow_mut().push(Seat { change, is_changing, reply: Rc::clone(&reply) });
        Ok(Member { group: self, reply })
    }

    /// Takes the changes of the members out, in order; one that changes nothing has an empty one.
    pub(crate) fn take_changes(&self) -> Vec<Change> {
        self.members.borrow_mut().iter_mut().map(|seat| std::mem::take(&mut seat.change)).collect()
    }

    /// Tells every member its outcome, the last one first. `reply` gets the member's place in the group and whether it
    /// changes anything.
    pub(crate) fn settle(&self, mut reply: impl FnMut(usize, bool) -> MemberOutcome) {
        for (at, seat) in self.members.take().into_iter().enumerate().rev() {
            seat.reply.set(Some(reply(at, seat.is_changing)));
        }
    }
}

impl Member {
    /// Waits until the group is committed, or takes part in committing it.
    pub(crate) async fn reply(self) -> MemberOutcome {
        self.group.commit.clone().await;
        self.reply.take().unwrap_or_else(|| MemberOutcome::Failed(Error::internal("a group has forgotten a member")))
    }
}
