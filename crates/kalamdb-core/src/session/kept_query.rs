//! A query that a session keeps, to run it again.

use std::cell::RefCell;
use std::rc::Rc;

use crate::call::CallContext;
use crate::error::{Error, ErrorKind, Result};
use crate::sql::parse::{Command, Parameters, Request, Statement};
use crate::sql::plan::{PlannedQuery, StatementContext};

/// A query that is planned once and run any number of times, each time on the newest rows.
///
/// It is planned again when a definition has changed, or when it reads what is not stored in tables.
#[derive(Debug)]
pub struct KeptQuery {
    pub(super) statements: Rc<[Statement]>,
    pub(super) parameters: Parameters,
    pub(super) call: CallContext,
    planned: RefCell<Option<Rc<PlannedQuery>>>,
    n_plans: RefCell<usize>,
}

impl KeptQuery {
    pub(super) fn new(statements: Rc<[Statement]>, parameters: Parameters, call: CallContext) -> Result<Self> {
        if !matches!(&*statements, [Statement { request: Request::Database(Command::Query(_)), .. }]) {
            return Err(Error::new(ErrorKind::SyntaxError, "the text must be exactly one query"));
        }
        Ok(Self { statements, parameters, call, planned: RefCell::default(), n_plans: RefCell::default() })
    }

    /// How often it was planned.
    pub fn n_plans(&self) -> usize {
        *self.n_plans.borrow()
    }

    /// The full names of the tables that its plan reads, each with the user that the rows belong to.
    pub fn dependencies(&self) -> Vec<(String, Option<String>)> {
        let planned = self.planned.borrow();
        let dependencies = planned.iter().flat_map(|planned| planned.dependencies());
        dependencies.map(|found| (found.table.full_name().to_string(), found.partition.user.clone())).collect()
    }

    /// The plan, made again if it has to be.
    pub(super) fn planned(&self, context: &StatementContext<'_>) -> Result<Rc<PlannedQuery>> {
        if let Some(planned) = self.planned.borrow().as_ref().filter(|planned| planned.is_current(context)) {
            return Ok(Rc::clone(planned));
        }
        let [Statement { request: Request::Database(Command::Query(statement)), .. }] = &*self.statements else {
            return Err(Error::internal("what is kept is no query"));
        };
        let planned = Rc::new(context.plan((**statement).clone(), &self.parameters, Vec::new())?);
        *self.n_plans.borrow_mut() += 1;
        *self.planned.borrow_mut() = Some(Rc::clone(&planned));
        Ok(planned)
    }
}
