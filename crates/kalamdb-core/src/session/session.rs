//! A session, where every call of an application arrives.

use std::cell::RefCell;
use std::rc::Rc;

use datafusion::execution::session_state::SessionStateBuilder;
use datafusion::sql::sqlparser::ast::ObjectName;
use futures::TryStreamExt;
use kalamdb_store::Durability;
use kalamdb_types::wire::decode_block;

use super::kept_query::KeptQuery;
use super::query_stream::QueryStream;
use super::transaction::SessionTransaction;
use crate::access::Principal;
use crate::call::CallContext;
use crate::catalog::DEFAULT_NAMESPACE;
use crate::database::{Database, ReadView, Transaction};
use crate::error::{Error, ErrorKind, Result};
use crate::result::StatementResult;
use crate::sql::dml::{BatchedInsert, Block, insert_columns};
use crate::sql::parse::{
    Command, Parameters, Request, SessionCommand, Statement, StatementCache, TransactionControl, namespace_name,
    parse_table_name,
};
use crate::sql::plan::{LazySessionState, StatementContext};

/// A connection to a database: it has its own current namespace and its own DataFusion state.
#[derive(Debug)]
pub struct Session {
    database: Rc<Database>,
    principal: Principal,
    state: LazySessionState,
    parsed: Rc<StatementCache>,
    namespace: RefCell<String>,
    transactions: SessionTransaction,
    /// Its transaction was begun by a call and ends by one; SQL text may only set savepoints in it.
    is_managed: bool,
}

impl Session {
    /// Opens a session of `principal`.
    ///
    /// The session's DataFusion state is its own: nothing that it caches is reachable from another session.
    pub fn new(database: Rc<Database>, principal: Principal) -> Result<Self> {
        let state = LazySessionState::new(database.query_memory(), database.ids(), database.limits())?;
        let namespace = RefCell::new(DEFAULT_NAMESPACE.to_owned());
        Ok(Self {
            database,
            principal,
            state,
            parsed: Rc::default(),
            namespace,
            transactions: SessionTransaction::default(),
            is_managed: false,
        })
    }

    /// The session without the optimizer rules of these names. Every query means the same without them, which tests can
    /// check.
    #[must_use]
    pub fn without_rules(self, names: &[String]) -> Self {
        let state = self.state.get();
        let kept = state.optimizers().iter().filter(|rule| !names.iter().any(|name| name == rule.name()));
        let rules = kept.cloned().collect();
        let state = SessionStateBuilder::new_from_existing(state.clone()).with_optimizer_rules(rules).build();
        Self { state: self.state.with(state), ..self }
    }

    /// The database that the session is on.
    pub fn database(&self) -> &Rc<Database> {
        &self.database
    }

    /// On whose behalf the session runs.
    pub fn principal(&self) -> &Principal {
        &self.principal
    }

    /// Whether the session is in a transaction that SQL text has begun.
    pub fn is_in_transaction(&self) -> bool {
        self.transactions.is_open()
    }

    /// Puts the session into a transaction that has failed: it was in one when its engine was lost. It takes nothing
    /// but its end.
    pub fn mark_transaction_lost(&self) {
        self.transactions.mark_lost(&self.database);
    }

    /// Another session of the same principal, which begins in the same namespace and is in a transaction, which
    /// [`Session::commit`] or [`Session::rollback`] ends; SQL text that would is refused.
    ///
    /// # Errors
    /// The store's.
    pub async fn begin(&self) -> Result<Self> {
        let session = Self {
            database: Rc::clone(&self.database),
            principal: self.principal.clone(),
            // These are the same principal's: nothing in them may not be seen here.
            state: self.state.clone(),
            parsed: Rc::clone(&self.parsed),
            namespace: self.namespace.clone(),
            transactions: SessionTransaction::default(),
            is_managed: true,
        };
        session.transactions.run(&session.database, &TransactionControl::Begin).await?;
        Ok(session)
    }

    /// Runs one statement. `params` is a wire block of one row, or empty.
    ///
    /// # Errors
    /// Every kind that a statement can fail with; `syntax_error` if the text is not exactly one statement.
    pub async fn query(&self, sql: &str, params: &[u8], call: CallContext) -> Result<StatementResult> {
        self.database.check_open()?;
        let statements = self.parsed.parse(sql)?;
        let [statement] = &*statements else {
            return Err(Error::new(ErrorKind::SyntaxError, "the text must be exactly one statement")
                .with_hint("run several statements with exec()"));
        };
        let parameters = read_parameters(params)?;
        parameters.check(statement.n_params)?;
        self.run(statement, &parameters, &call).await
    }

    /// Keeps a query, to run it again with [`Session::run_kept`]. `params` is a wire block of one row, or empty.
    ///
    /// # Errors
    /// `syntax_error` if the text is not exactly one query; those of its parameters.
    pub fn keep(&self, sql: &str, params: &[u8], call: CallContext) -> Result<KeptQuery> {
        let statements = self.parsed.parse(sql)?;
        let parameters = read_parameters(params)?;
        for statement in &*statements {
            parameters.check(statement.n_params)?;
        }
        KeptQuery::new(statements, parameters, call)
    }

    /// Runs a query that is kept, on the newest rows.
    ///
    /// # Errors
    /// As [`Session::query`]; `insufficient_privilege` if another principal has planned it.
    pub async fn run_kept(&self, kept: &KeptQuery) -> Result<StatementResult> {
        let started_us = self.database.now_us();
        let run = async |context: &StatementContext<'_>| {
            let rows = kept.planned(context)?.run(context).await?;
            let result = StatementResult::rows("SELECT", &rows.schema, rows.batches);
            StatementResult::check_size([&result])?;
            Ok(result)
        };
        let result = self.read(&kept.call, run).await?;
        Ok(StatementResult { took_us: self.database.now_us() - started_us, ..result })
    }

    /// Begins to run a query that is kept: all of its rows are those of this moment.
    ///
    /// # Errors
    /// As [`Session::run_kept`].
    pub async fn stream(&self, kept: &KeptQuery) -> Result<QueryStream> {
        let start = async |context: &StatementContext<'_>| {
            let planned = kept.planned(context)?;
            let mut rest = planned.stream(context).await?;
            // Rows that were stored anew are found by now or in the middle; the statement can begin again only here.
            let first = rest.try_next().await?;
            let head = StatementResult::rows("SELECT", &planned.schema, Vec::new());
            Ok(QueryStream { head, first, whole: None, transaction: self.transactions.current()?, rest: Some(rest) })
        };
        self.read(&kept.call, start).await
    }

    /// Begins to run one statement, as [`Session::query`] does. The rows of a query come batch by batch; any other
    /// statement is done by then, and its result is the only one.
    ///
    /// # Errors
    /// As [`Session::query`].
    pub async fn open_stream(&self, sql: &str, params: &[u8], call: CallContext) -> Result<QueryStream> {
        if let [Statement { request: Request::Database(Command::Query(_)), .. }] = &*self.parsed.parse(sql)? {
            return self.stream(&self.keep(sql, params, call)?).await;
        }
        let whole = self.query(sql, params, call).await?;
        let head = StatementResult { batches: Vec::new(), ..whole.clone() };
        Ok(QueryStream { head, first: None, whole: Some(whole), transaction: None, rest: None })
    }

    /// Runs what reads the newest rows.
    async fn read<T>(&self, call: &CallContext, run: impl AsyncFn(&StatementContext<'_>) -> Result<T>) -> Result<T> {
        self.database.check_open()?;
        let transaction = self.transactions.current()?;
        let run = async || {
            let context = self.context(call, transaction.as_deref());
            context.view.refresh().await?;
            Box::pin(run(&context)).await
        };
        let outcome = self.with_newest(transaction.as_deref(), run).await;
        fail_with(transaction.as_deref(), outcome)
    }

    /// Whether [`Session::insert_each`] takes the text.
    pub fn is_plain_insert(&self, sql: &str) -> bool {
        self.parsed.parse(sql).is_ok_and(
            |statements| matches!(&*statements, [statement] if BatchedInsert::of(&statement.request).is_some()),
        )
    }

    /// Runs one INSERT of one row of literals and parameters once for each of `blocks`, in order: as many calls of
    /// [`Session::query`] would, but in one change, which takes a fraction of the time. Gives the outcome of each.
    ///
    /// # Errors
    /// What concerns all of them: nothing is inserted then. `feature_not_supported` if the text is another statement.
    pub async fn insert_each(&self, sql: &str, blocks: &[Vec<u8>]) -> Result<Vec<Result<StatementResult>>> {
        self.database.check_open()?;
        let started_us = self.database.now_us();
        let statements = self.parsed.parse(sql)?;
        let [statement] = &*statements else {
            return Err(Error::unsupported("this text with several sets of parameters"));
        };
        let Some(insert) = BatchedInsert::of(&statement.request) else {
            return Err(Error::unsupported("this statement with several sets of parameters"));
        };
        if !self.transactions.current().is_ok_and(|transaction| transaction.is_none()) {
            // A transaction is not committed here, and ends with the first that fails.
            let mut outcomes = Vec::with_capacity(blocks.len());
            for block in blocks {
                outcomes.push(self.query(sql, block, CallContext::default()).await);
            }
            return Ok(outcomes);
        }
        let (mut sets, mut errors) = (Vec::with_capacity(blocks.len()), Vec::with_capacity(blocks.len()));
        for block in blocks {
            let set = read_parameters(block).and_then(|set| set.check(statement.n_params).map(|()| set));
            errors.push(set.map(|set| sets.push(set)).err());
        }
        let call = CallContext::default();
        let run = async || insert.run(&self.context(&call, None), &sets).await;
        let mut outcomes = self.with_newest(None, run).await?.into_iter();
        let took_us = self.database.now_us() - started_us;
        let missing = || Err(Error::internal("an INSERT has no outcome"));
        let outcome = |error: Option<Error>| error.map_or_else(|| outcomes.next().unwrap_or_else(missing), Err);
        let outcomes = errors.into_iter().map(outcome);
        Ok(outcomes.map(|outcome| outcome.map(|result| StatementResult { took_us, ..result })).collect())
    }

    /// Runs any number of statements in order, each a commit of its own outside of a transaction; stops at the first
    /// that fails.
    pub async fn exec(&self, sql: &str, call: CallContext) -> Result<Vec<StatementResult>> {
        self.database.check_open()?;
        let mut results = Vec::new();
        let parameters = Parameters::default();
        for statement in &*self.parsed.parse(sql)? {
            parameters.check(statement.n_params)?;
            StatementResult::check_size(&results)?;
            results.push(self.run(statement, &parameters, &call).await?);
        }
        Ok(results)
    }

    /// Ends the session's transaction with a commit as durable as asked for, which need not be the database's default.
    ///
    /// # Errors
    /// `serialization_failure` if what it rests on has changed; `invalid_transaction_state` if there is none; the
    /// store's. The transaction is over in each case.
    pub async fn commit(&self, durability: Durability) -> Result<StatementResult> {
        self.database.check_open()?;
        self.transactions.commit(&self.database, durability).await
    }

    /// Ends the session's transaction and undoes what it did.
    ///
    /// # Errors
    /// `invalid_transaction_state` if there is none.
    pub async fn rollback(&self) -> Result<StatementResult> {
        self.transactions.run(&self.database, &TransactionControl::Rollback).await
    }

    /// Inserts rows given as a wire block, one column of it for each name in `columns`, in one commit.
    ///
    /// # Errors
    /// `undefined_table`, `undefined_column`, `datatype_mismatch` and the other value errors, `not_null_violation`,
    /// `unique_violation`; `invalid_parameter_value` if the block does not fit the names.
    pub async fn insert(
        &self,
        table: &str,
        columns: &[String],
        block: &[u8],
        call: CallContext,
    ) -> Result<StatementResult> {
        self.database.check_open()?;
        call.cancel.check()?;
        let transaction = self.transactions.current()?;
        let context = self.context(&call, transaction.as_deref());
        let name = parse_table_name(table, &context.namespace)?;
        let block =
            decode_block(block).map_err(|error| Error::new(ErrorKind::InvalidParameterValue, error.to_string()))?;
        if block.columns.len() != columns.len() {
            let message = format!("{} columns are named, {} are given", columns.len(), block.columns.len());
            return Err(Error::new(ErrorKind::InvalidParameterValue, message));
        }
        let insert = async || {
            let given = Block { n_rows: block.n_rows, n_columns: columns.len() };
            insert_columns(&context, &name, columns, given, |table, position, target| {
                let (Some(column), Some(definition)) = (block.columns.get(position), table.columns.get(target)) else {
                    return Err(Error::internal("a column is missing"));
                };
                column.clone().into_typed(&definition.sql_type).map_err(|error| {
                    let detail = format!("row {}", error.row + 1);
                    Error::from(error).in_column(&definition.name).with_detail(detail)
                })
            })
            .await
        };
        let inserted = self.with_newest(transaction.as_deref(), insert).await;
        fail_with(transaction.as_deref(), inserted)
    }

    fn context<'a>(&'a self, call: &'a CallContext, transaction: Option<&'a Transaction>) -> StatementContext<'a> {
        call.progress.restart();
        let view = ReadView::new(&self.database, transaction);
        StatementContext::new(view, &self.principal, &self.state, self.namespace.borrow().clone(), call)
    }

    async fn run(&self, statement: &Statement, parameters: &Parameters, call: &CallContext) -> Result<StatementResult> {
        let started_us = self.database.now_us();
        call.cancel.check()?;
        let mut result = match &statement.request {
            Request::Session(SessionCommand::Transaction(control)) => {
                self.require_own_end(control)?;
                self.transactions.run(&self.database, control).await?
            }
            Request::Session(SessionCommand::Use(name)) => {
                let transaction = self.transactions.current()?;
                let outcome = self.use_namespace(name, transaction.as_deref()).await;
                fail_with(transaction.as_deref(), outcome)?
            }
            Request::Database(command) => {
                let transaction = self.transactions.current()?;
                let transaction = transaction.as_deref();
                let run = async || self.context(call, transaction).run(command, parameters).await;
                fail_with(transaction, self.with_newest(transaction, run).await)?
            }
        };
        result.took_us = self.database.now_us() - started_us;
        Ok(result)
    }

    /// Refuses to begin or end a transaction that a call has begun and will end.
    fn require_own_end(&self, control: &TransactionControl) -> Result<()> {
        let what = match control {
            TransactionControl::Begin => "BEGIN",
            TransactionControl::Commit => "COMMIT",
            TransactionControl::Rollback => "ROLLBACK",
            TransactionControl::Savepoint(_) | TransactionControl::RollbackTo(_) | TransactionControl::Release(_) => {
                return Ok(());
            }
        };
        if !self.is_managed {
            return Ok(());
        }
        Err(Error::new(ErrorKind::InvalidTransactionState, format!("{what} is not taken within transaction()"))
            .with_hint("return from the callback to commit, throw or call rollback() to undo; nest with transaction() or SAVEPOINT"))
    }

    /// Makes a namespace the current one.
    async fn use_namespace(&self, name: &ObjectName, transaction: Option<&Transaction>) -> Result<StatementResult> {
        let name = namespace_name(name)?;
        let view = ReadView::new(&self.database, transaction);
        view.refresh().await?;
        view.catalog().require_namespace(&name)?;
        *self.namespace.borrow_mut() = name;
        Ok(StatementResult::done("USE"))
    }

    /// Runs a statement until it has what it needs: pages, and the tables that other tabs have made.
    async fn with_newest<T>(&self, transaction: Option<&Transaction>, run: impl AsyncFn() -> Result<T>) -> Result<T> {
        let may_move = transaction.is_none();
        let before = self.database.meta().head;
        match self.database.with_pages(may_move, &run).await {
            // Another tab may have made it a moment ago, and word of that is still on its way.
            Err(error)
                if may_move && matches!(error.kind(), ErrorKind::UndefinedTable | ErrorKind::UndefinedSchema) =>
            {
                self.database.catch_up().await?;
                // Another statement may have read the commits meanwhile.
                if self.database.meta().head == before {
                    return Err(error);
                }
                self.database.with_pages(may_move, &run).await
            }
            result => result,
        }
    }
}

/// A statement that fails takes its transaction with it, as in PostgreSQL.
fn fail_with<T>(transaction: Option<&Transaction>, outcome: Result<T>) -> Result<T> {
    if let (Some(transaction), Err(_)) = (transaction, &outcome) {
        transaction.fail();
    }
    outcome
}

fn read_parameters(block: &[u8]) -> Result<Parameters> {
    if block.is_empty() {
        return Ok(Parameters::default());
    }
    let invalid = |message: String| Error::new(ErrorKind::InvalidParameterValue, message);
    let block = decode_block(block).map_err(|error| invalid(error.to_string()))?;
    if block.n_rows != 1 && !block.columns.is_empty() {
        return Err(invalid(format!("parameters are one row, not {}", block.n_rows)));
    }
    let values = block
        .columns
        .iter()
        .enumerate()
        .map(|(at, column)| {
            column.scalar_array().map_err(|error| Error::from(error).in_column(&format!("${}", at + 1)))
        })
        .collect::<Result<Vec<_>>>()?;
    Ok(Parameters::new(values))
}
