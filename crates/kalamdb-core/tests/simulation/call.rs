//! One call of the application: a statement, or a transaction of several.

use std::cell::RefCell;
use std::error::Error as _;
use std::rc::Rc;

use kalamdb_core::datafusion::arrow::array::{Array, AsArray};
use kalamdb_core::datafusion::arrow::datatypes::Int64Type;
use kalamdb_core::{CallContext, Error, ErrorKind, Session, StatementResult};
use kalamdb_store::{Durability, StoreError};

use super::model::{Answer, Cells};
use super::random::Random;
use super::statement::{Statement, TABLES, USER_TABLE, User};
use super::world::World;

#[derive(Debug, Clone)]
pub(crate) struct Call {
    pub(crate) tab: usize,
    pub(crate) user: User,
    pub(crate) steps: Vec<Step>,
    pub(crate) is_transaction: bool,
    /// Whether a transaction ends with ROLLBACK.
    pub(crate) gives_up: bool,
}

#[derive(Debug, Clone)]
pub(crate) enum Step {
    Run(Statement),
    Savepoint,
    RollBackTo,
    Release,
}

/// What is known of a call.
#[derive(Debug)]
pub(crate) struct Record {
    pub(crate) call: Call,
    pub(crate) begun: u64,
    pub(crate) ended: Option<u64>,
    /// The stored head when it ended.
    pub(crate) end_head: u64,
    /// Of each step that was run; `None` for those that were passed over.
    pub(crate) answers: Vec<Option<Result<Answer, Failure>>>,
    pub(crate) end: End,
    /// The number of the last row version that it has written.
    pub(crate) seq: Option<u64>,
}

#[derive(Debug, Clone)]
pub(crate) enum End {
    /// It has not come to the point from which on its writes may be stored.
    Begun,
    /// Its writes may be stored or not, as far as the application knows.
    Open,
    /// Its writes are stored, if it has any.
    Done,
    /// Nothing of it is stored.
    Failed(Failure),
    GivenUp,
}

#[derive(Debug, Clone)]
pub(crate) struct Failure {
    pub(crate) kind: ErrorKind,
    /// The outcome is unknown.
    pub(crate) is_indeterminate: bool,
}

impl Call {
    pub(crate) fn any(random: &Random, tab: usize, next_number: &mut i64, has_maintenance: bool) -> Self {
        let mut number = || {
            *next_number += 1;
            *next_number
        };
        let is_transaction = random.one_in(5);
        let steps = if is_transaction {
            transaction(random, &mut number)
        } else {
            vec![Step::Run(Statement::any(random, number(), has_maintenance))]
        };
        let needs_system =
            steps.iter().any(|step| matches!(step, Step::Run(statement) if statement.is_administrative()));
        let touches_users =
            steps.iter().any(|step| matches!(step, Step::Run(statement) if statement.table == USER_TABLE));
        let user = match (needs_system, touches_users) {
            (false, true) => random.pick(&[None, Some("ann"), Some("ann"), Some("bob")]),
            _ => None,
        };
        let gives_up = is_transaction && random.one_in(8);
        Self { tab, user, steps, is_transaction, gives_up }
    }

    /// Whether it changes definitions, which row versions do not tell.
    pub(crate) fn is_definition(&self) -> bool {
        self.steps.iter().any(|step| matches!(step, Step::Run(statement) if statement.is_definition()))
    }

    /// Whether it only reads.
    pub(crate) fn is_query(&self) -> bool {
        self.steps.iter().all(|step| matches!(step, Step::Run(statement) if statement.is_query()))
    }

    pub(crate) fn text(&self) -> String {
        let steps: Vec<String> = self
            .steps
            .iter()
            .map(|step| match step {
                Step::Run(statement) => statement.sql(),
                Step::Savepoint => "SAVEPOINT s".to_owned(),
                Step::RollBackTo => "ROLLBACK TO s".to_owned(),
                Step::Release => "RELEASE s".to_owned(),
            })
            .collect();
        let steps = steps.join("; ");
        let user = self.user.unwrap_or("the application");
        match (self.is_transaction, self.gives_up) {
            (false, _) => format!("{user}: {steps}"),
            (true, false) => format!("{user}: BEGIN; {steps}; COMMIT"),
            (true, true) => format!("{user}: BEGIN; {steps}; ROLLBACK"),
        }
    }
}

/// Statements on rows, often all on one table, with at most one savepoint.
fn transaction(random: &Random, number: &mut impl FnMut() -> i64) -> Vec<Step> {
    let n_steps = 2 + random.below(3);
    let table = random.one_in(2).then(|| random.pick(&TABLES));
    let statement = |table: Option<&'static str>, number| {
        Statement::on_rows(random, number, table.unwrap_or_else(|| random.pick(&TABLES)), false)
    };
    let mut steps: Vec<Step> = (0..n_steps).map(|_| Step::Run(statement(table, number()))).collect();
    if random.one_in(2) {
        let at = random.below(n_steps);
        steps.insert(at, Step::Savepoint);
        steps.insert(
            at + 1 + random.below(n_steps - at + 1),
            if random.one_in(4) { Step::Release } else { Step::RollBackTo },
        );
    }
    steps
}

impl Record {
    pub(crate) fn new(call: Call, begun: u64) -> Self {
        Self { call, begun, ended: None, end_head: 0, answers: Vec::new(), end: End::Begun, seq: None }
    }
}

impl Failure {
    fn of(error: &Error) -> Self {
        let cause = error.source().and_then(|cause| cause.downcast_ref::<StoreError>());
        Self { kind: error.kind(), is_indeterminate: matches!(cause, Some(StoreError::Indeterminate { .. })) }
    }
}

/// Runs a call to its end and takes down what it answers.
pub(crate) async fn run(world: Rc<World>, session: Rc<Session>, number: usize, record: Rc<RefCell<Record>>) {
    let call = record.borrow().call.clone();
    let end = if call.is_transaction {
        run_transaction(&session, &call, &record).await
    } else {
        run_statement(&session, &call, &record).await
    };
    let mut record = record.borrow_mut();
    record.end = match end {
        Ok(end) => end,
        Err(error) => {
            let failure = Failure::of(&error);
            world.note(format!("tab {}: call {number} fails: {:?}: {error}", call.tab, failure.kind));
            if failure.is_indeterminate { End::Open } else { End::Failed(failure) }
        }
    };
    record.ended = Some(world.tick());
    world.look_at_disk();
    record.end_head = world.head();
    world.note(format!(
        "tab {}: call {number} ends, {:?}, seq {:?}: {:?}",
        call.tab, record.end, record.seq, record.answers
    ));
}

async fn run_statement(session: &Session, call: &Call, record: &RefCell<Record>) -> Result<End, Error> {
    let Some(Step::Run(statement)) = call.steps.first() else { return Ok(End::Done) };
    record.borrow_mut().end = End::Open;
    let result = session.query(&statement.sql(), &[], CallContext::default()).await;
    let mut record = record.borrow_mut();
    record.seq = result.as_ref().ok().and_then(|result| result.seq);
    record.answers.push(Some(result.as_ref().map(answer).map_err(Failure::of)));
    result.map(|_| End::Done)
}

async fn run_transaction(session: &Session, call: &Call, record: &RefCell<Record>) -> Result<End, Error> {
    let transaction = session.begin().await?;
    let mut failed = None;
    let mut has_savepoint = false;
    for step in &call.steps {
        let sql = match step {
            Step::Run(statement) => statement.sql(),
            Step::Savepoint => "SAVEPOINT s".to_owned(),
            Step::RollBackTo => "ROLLBACK TO s".to_owned(),
            Step::Release => "RELEASE s".to_owned(),
        };
        // A transaction that has failed only goes back.
        if failed.is_some() && !(has_savepoint && matches!(step, Step::RollBackTo)) {
            record.borrow_mut().answers.push(None);
            continue;
        }
        let result = transaction.query(&sql, &[], CallContext::default()).await;
        record.borrow_mut().answers.push(Some(result.as_ref().map(answer).map_err(Failure::of)));
        has_savepoint |= matches!(step, Step::Savepoint);
        failed = result.err();
    }
    if call.gives_up || failed.is_some() {
        transaction.rollback().await?;
        return failed.map_or(Ok(End::GivenUp), Err);
    }
    record.borrow_mut().end = End::Open;
    let committed = transaction.commit(Durability::Relaxed).await?;
    record.borrow_mut().seq = committed.seq;
    Ok(End::Done)
}

/// What a statement has answered, in the model's terms.
pub(crate) fn answer(result: &StatementResult) -> Answer {
    match (result.command, result.affected_rows) {
        ("SELECT", _) => Answer::rows(cells(result)),
        (_, Some(n)) => Answer::Affected(n),
        _ => Answer::Done,
    }
}

/// The rows of a result with integers only; a boolean counts as one.
pub(crate) fn cells(result: &StatementResult) -> Vec<Cells> {
    let mut rows = Vec::new();
    for batch in &result.batches {
        for row in 0..batch.num_rows() {
            let cell = |column: &std::sync::Arc<dyn Array>| match column.as_primitive_opt::<Int64Type>() {
                Some(integers) => integers.value(row),
                None => i64::from(column.as_boolean().value(row)),
            };
            rows.push(batch.columns().iter().map(cell).collect());
        }
    }
    rows
}
