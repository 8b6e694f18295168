//! What the tests of the engine share: a clock, several tabs on one disk, and results as plain values.

use std::cell::Cell;
use std::rc::Rc;
use std::sync::Arc;

use async_trait::async_trait;
use futures::FutureExt;
use futures::executor::block_on;
use kalamdb_core::datafusion::arrow::array::{
    Array, ArrayRef, NullArray, RecordBatch, RecordBatchOptions, StringArray, StringViewArray,
};
use kalamdb_core::datafusion::arrow::datatypes::{DataType, Field, Schema};
use kalamdb_core::datafusion::arrow::util::display::{ArrayFormatter, FormatOptions};
use kalamdb_core::{CallContext, Clock, Database, Error, MemoryBudget, Principal, Session, StatementResult};
use kalamdb_store::{
    Commit, CommitRecord, Durability, Faults, LogKey, LogRecord, MemoryStore, Meta, Page, PageKey, PartitionId,
    RowState, Store, StoreResult, Tail,
};
use kalamdb_types::SqlType;
use kalamdb_types::wire::encode_block;

/// A clock that moves on by one millisecond each time it is read.
#[derive(Debug, Default)]
pub(crate) struct StepClock(Cell<i64>);

impl Clock for StepClock {
    fn now_us(&self) -> i64 {
        self.0.set(self.0.get() + 1000);
        1_700_000_000_000_000 + self.0.get()
    }
}

impl StepClock {
    pub(crate) fn advance_ms(&self, ms: i64) {
        self.0.set(self.0.get() + ms * 1000);
    }
}

/// The kinds of parameters that cross as text, and NULL.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum ParamKind {
    Null,
    Text,
    Json,
}

/// Parameters as JavaScript sends them.
pub(crate) fn params(values: &[(ParamKind, &str)]) -> Vec<u8> {
    let column = |(kind, text): &(ParamKind, &str)| -> (Field, ArrayRef) {
        match kind {
            ParamKind::Null => (Field::new("", DataType::Null, true), Arc::new(NullArray::new(1))),
            ParamKind::Text => (Field::new("", DataType::Utf8, true), Arc::new(StringArray::from(vec![*text]))),
            ParamKind::Json => (SqlType::Json.field("", true), Arc::new(StringViewArray::from(vec![*text]))),
        }
    };
    let (fields, columns) = values.iter().map(column).unzip();
    block(fields, columns)
}

/// A block of columns of these types.
pub(crate) fn block_of(columns: Vec<ArrayRef>) -> Vec<u8> {
    block(columns.iter().map(|column| Field::new("", column.data_type().clone(), true)).collect(), columns)
}

fn block(fields: Vec<Field>, columns: Vec<ArrayRef>) -> Vec<u8> {
    // Nothing but the number of rows is known where there are no columns.
    let options = RecordBatchOptions::new().with_row_count(Some(columns.first().map_or(1, |column| column.len())));
    let batch = RecordBatch::try_new_with_options(Arc::new(Schema::new(fields)), columns, &options).unwrap();
    let mut block = Vec::new();
    encode_block(&batch, &mut block);
    block
}

/// A store that lets other tasks run at every call, and that hears of other tabs only while told to.
pub(crate) struct SlowStore {
    inner: MemoryStore,
    hears: Rc<Cell<bool>>,
    n_commits: Rc<Cell<usize>>,
    reads: Rc<Reads>,
}

/// What was read from a disk.
#[derive(Debug, Default)]
pub(crate) struct Reads {
    /// How often the whole log was.
    pub(crate) n_whole: Cell<usize>,
    /// Rows of the log.
    pub(crate) n_rows: Cell<usize>,
    pub(crate) n_pages: Cell<usize>,
}

impl Reads {
    /// The whole logs, rows and pages read since this was last asked.
    pub(crate) fn take(&self) -> (usize, usize, usize) {
        (self.n_whole.take(), self.n_rows.take(), self.n_pages.take())
    }
}

#[async_trait(?Send)]
impl Store for SlowStore {
    async fn read_since(&self, since: Option<&Meta>) -> StoreResult<Tail> {
        yield_once().await;
        let tail = self.inner.read_since(since).await;
        yield_once().await;
        let n_rows = tail.iter().flat_map(|tail| &tail.log).map(|record| record.n_rows as usize).sum::<usize>();
        self.reads.n_whole.update(|n| n + usize::from(since.is_none()));
        self.reads.n_rows.update(|n| n + n_rows);
        tail
    }

    async fn commit(&self, commit: &Commit) -> StoreResult<()> {
        yield_once().await;
        self.n_commits.set(self.n_commits.get() + 1);
        let done = self.inner.commit(commit).await;
        yield_once().await;
        done
    }

    async fn read_pages(&self, keys: &[PageKey]) -> StoreResult<Vec<Option<Page>>> {
        yield_once().await;
        self.reads.n_pages.update(|n| n + keys.len());
        let pages = self.inner.read_pages(keys).await;
        yield_once().await;
        pages
    }

    async fn read_commits(&self, numbers: &[u64]) -> StoreResult<Vec<Option<CommitRecord>>> {
        yield_once().await;
        self.inner.read_commits(numbers).await
    }

    async fn read_pages_of(&self, of: LogKey, keys: &[PageKey]) -> StoreResult<Option<Vec<StoreResult<Option<Page>>>>> {
        yield_once().await;
        let pages = self.inner.read_pages_of(of, keys).await;
        yield_once().await;
        pages
    }

    async fn page_keys(&self) -> StoreResult<Vec<PageKey>> {
        self.inner.page_keys().await
    }

    fn newest_head_heard(&self) -> Option<u64> {
        self.hears.get().then(|| self.inner.newest_head_heard()).flatten()
    }

    async fn close(&self) {
        self.inner.close().await;
    }
}

pub(crate) async fn yield_once() {
    let mut yielded = false;
    std::future::poll_fn(|context| {
        if yielded {
            return std::task::Poll::Ready(());
        }
        yielded = true;
        context.waker().wake_by_ref();
        std::task::Poll::Pending
    })
    .await;
}

/// One disk, from which tabs are opened.
pub(crate) struct Disk {
    origin: MemoryStore,
    pub(crate) faults: Faults,
    pub(crate) hears: Rc<Cell<bool>>,
    /// How many commits were asked for.
    pub(crate) n_commits: Rc<Cell<usize>>,
    /// By all tabs.
    pub(crate) reads: Rc<Reads>,
    /// Of every tab.
    pub(crate) clock: Rc<StepClock>,
}

impl Disk {
    pub(crate) fn new() -> Self {
        Self {
            origin: MemoryStore::new(),
            faults: Faults::default(),
            hears: Rc::new(Cell::new(true)),
            n_commits: Rc::default(),
            reads: Rc::default(),
            clock: Rc::default(),
        }
    }

    pub(crate) fn store(&self) -> MemoryStore {
        MemoryStore::on_disk(self.origin.disk(), self.faults.clone())
    }

    /// Commits a record of one row of the first table to the log, past the engine. `is_new` says that the row has no
    /// earlier version.
    pub(crate) fn append_row(&self, rows: &str, is_new: bool) {
        let store = self.store();
        let before = block_on(store.read_since(None)).unwrap().meta;
        let meta = Meta { head: before.head + 1, next_seq: before.next_seq + 1, ..before.clone() };
        let record = LogRecord {
            key: LogKey { commit: meta.head, part: 0 },
            partition: PartitionId { table: 1, owner: None },
            schema_version: 1,
            first_seq: before.next_seq,
            updated_us: 1,
            state: RowState::Live,
            is_new,
            n_rows: 1,
            rows: rows.as_bytes().to_vec(),
        };
        let commit = Commit { base: before.head, meta, nonce: 7, log: vec![record], ..Commit::default() };
        block_on(store.commit(&commit)).unwrap();
    }

    pub(crate) fn n_log_records(&self) -> usize {
        block_on(self.store().read_since(None)).unwrap().log.len()
    }

    pub(crate) fn n_log_rows(&self) -> usize {
        let store = self.store();
        // It does not wait, so that tasks may ask too.
        let tail = store.read_since(None).now_or_never().unwrap();
        tail.unwrap().log.iter().map(|record| record.n_rows as usize).sum()
    }

    pub(crate) fn open(&self) -> Session {
        block_on(self.try_open()).unwrap()
    }

    pub(crate) async fn try_open(&self) -> Result<Session, Error> {
        Session::new(self.try_open_database(MemoryBudget::default()).await?, Principal::system())
    }

    /// A tab that keeps no page of a segment for longer than a statement needs it.
    pub(crate) fn open_with_little_memory(&self) -> Session {
        Session::new(self.open_database(1), Principal::system()).unwrap()
    }

    /// A tab with so many bytes of memory for the columns of segments.
    pub(crate) fn open_database(&self, page_budget: usize) -> Rc<Database> {
        self.open_database_with(MemoryBudget::Pages(page_budget))
    }

    pub(crate) fn open_database_with(&self, memory: MemoryBudget) -> Rc<Database> {
        block_on(self.try_open_database(memory)).unwrap()
    }

    async fn try_open_database(&self, memory: MemoryBudget) -> Result<Rc<Database>, Error> {
        let store = SlowStore {
            inner: self.store(),
            hears: Rc::clone(&self.hears),
            n_commits: Rc::clone(&self.n_commits),
            reads: Rc::clone(&self.reads),
        };
        Database::open_with(Rc::new(store), Rc::clone(&self.clock) as Rc<dyn Clock>, Durability::Relaxed, memory).await
    }

    /// The number of the newest commit.
    pub(crate) fn head(&self) -> u64 {
        block_on(self.store().read_since(None)).unwrap().meta.head
    }

    pub(crate) fn n_pages(&self) -> usize {
        block_on(self.store().page_keys()).unwrap().len()
    }
}

pub(crate) fn query(session: &Session, sql: &str) -> Result<StatementResult, Error> {
    block_on(session.query(sql, &[], CallContext::default()))
}

/// The rows of a query, each value as text, NULL as `NULL`.
pub(crate) fn rows(session: &Session, sql: &str) -> Vec<Vec<String>> {
    try_rows(session, sql).unwrap_or_else(|error| panic!("{sql}: {error}"))
}

pub(crate) fn try_rows(session: &Session, sql: &str) -> Result<Vec<Vec<String>>, Error> {
    Ok(query(session, sql)?.batches.iter().flat_map(rows_of).collect())
}

/// The rows of a batch, each value as text, NULL as `NULL`.
pub(crate) fn rows_of(batch: &RecordBatch) -> Vec<Vec<String>> {
    (0..batch.num_rows()).map(|row| batch.columns().iter().map(|column| value(column, row)).collect()).collect()
}

fn value(column: &dyn Array, row: usize) -> String {
    if column.is_null(row) {
        return "NULL".to_owned();
    }
    ArrayFormatter::try_new(column, &FormatOptions::default()).unwrap().value(row).to_string()
}
