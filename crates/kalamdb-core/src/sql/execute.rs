//! One arm for each kind of statement.

use datafusion::sql::sqlparser::ast::With;

use super::{ddl, show};
use crate::access::{Action, Principal, Role, Target};
use crate::error::Result;
use crate::result::StatementResult;
use crate::sql::dml::{delete, insert, update};
use crate::sql::parse::{Command, Parameters};
use crate::sql::plan::{StatementContext, count, nothing, point};

impl StatementContext<'_> {
    pub(crate) async fn run(&self, command: &Command, parameters: &Parameters) -> Result<StatementResult> {
        match command {
            Command::Query(statement) | Command::Explain(statement) => {
                self.view.refresh().await?;
                if let Some(result) = point::run(self, statement, parameters)? {
                    return Ok(result);
                }
                if let Some(result) = count::run(self, statement)? {
                    return Ok(result);
                }
                let planned = self.plan((**statement).clone(), parameters, Vec::new())?;
                let rows = Box::pin(planned.run_once(self, self.call.max_rows)).await?;
                let result = StatementResult::rows(command.tag(), &rows.schema, rows.batches);
                StatementResult::check_size([&result])?;
                Ok(result)
            }
            Command::Insert { statement, overriding } => insert::run(self, statement, *overriding, parameters).await,
            Command::With { with, command } => Box::pin(run_with(self, with, command, parameters)).await,
            Command::Update(statement) => update::run(self, statement, parameters).await,
            Command::Delete(statement) => delete::run(self, statement, parameters).await,
            Command::Undelete(statement) => delete::undelete(self, statement, parameters).await,
            Command::Define(definition) => ddl::run(self, definition, parameters).await,
            Command::Show(show) => show::run(show, self).await,
            Command::ExecuteAs { user, command } => Box::pin(self.run_as(user, command, parameters)).await,
            Command::Maintain(maintenance) => ddl::maintain(self, maintenance).await,
        }
    }

    /// Runs a statement as a user.
    async fn run_as(&self, user: &str, command: &Command, parameters: &Parameters) -> Result<StatementResult> {
        self.principal.require(Action::ActAs, Target::OtherUser, || "EXECUTE AS USER".to_owned())?;
        let principal = Principal::user(user, Role::User)?;
        let result = self.of(&principal).run(command, parameters).await?;
        Ok(StatementResult { as_user: Some(user.to_owned()), ..result })
    }
}
/// Runs the statement behind a WITH.
async fn run_with(
    context: &StatementContext<'_>,
    with: &With,
    command: &Command,
    parameters: &Parameters,
) -> Result<StatementResult> {
    context.view.refresh().await?;
    let context = context.behind(with);
    // The queries must be right, whether the statement names them or not.
    context.query(nothing()?, parameters, Vec::new()).await?;
    context.run(command, parameters).await
}
