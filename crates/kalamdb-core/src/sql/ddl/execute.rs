//! One arm for each statement that changes definitions.

use super::{alter, indexes, namespaces, tables, views};
use crate::access::{Action, Target};
use crate::error::Result;
use crate::result::StatementResult;
use crate::sql::parse::{Definition, Parameters};
use crate::sql::plan::StatementContext;

pub(crate) async fn run(
    context: &StatementContext<'_>,
    definition: &Definition,
    parameters: &Parameters,
) -> Result<StatementResult> {
    context.principal.require(Action::Define, Target::Definitions, || definition.tag().to_owned())?;
    context.view.catalog().require_whole()?;
    match definition {
        Definition::CreateTable(create) => return tables::create(context, create, parameters).await,
        Definition::DropTables { names, kind, if_exists, cascade } => {
            tables::drop(context, names, *kind, *if_exists, *cascade).await?
        }
        Definition::Truncate(truncate) => tables::truncate(context, truncate).await?,
        Definition::AlterTable(alter) => alter::alter_table(context, alter).await?,
        Definition::CreateView(create) => views::create(context, create).await?,
        Definition::DropViews { names, if_exists, cascade } => {
            views::drop(context, names, *if_exists, *cascade).await?
        }
        Definition::CreateIndex(create) => indexes::create(context, create).await?,
        Definition::DropIndexes { names, if_exists } => indexes::drop(context, names, *if_exists).await?,
        Definition::CreateNamespace { name, if_not_exists } => {
            namespaces::create(context, name, *if_not_exists).await?
        }
        Definition::DropNamespace { name, if_exists, cascade } => {
            namespaces::drop(context, name, *if_exists, *cascade).await?
        }
        Definition::AlterNamespace { name, options } => namespaces::set_options(context, name, options).await?,
    }
    Ok(StatementResult::done(definition.tag()))
}
