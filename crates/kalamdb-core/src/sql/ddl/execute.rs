//! One arm for each statement that changes definitions.

use super::{alter, indexes, namespaces, storage, tables, views};
use crate::access::Role;
use crate::error::Result;
use crate::result::StatementResult;
use crate::sql::parse::{Definition, Parameters};
use crate::sql::plan::StatementContext;

pub(crate) async fn run(
    context: &StatementContext<'_>,
    definition: &Definition,
    parameters: &Parameters,
) -> Result<StatementResult> {
    // Definitions are changed by administrators and the application itself.
    context.principal.require(Role::Dba, definition.tag())?;
    if !matches!(definition, Definition::Store { .. }) {
        context.view.catalog().require_whole()?;
    }
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
        Definition::Store { name, compacts } => {
            return storage::store(context, name.as_ref(), *compacts, definition.tag()).await;
        }
    }
    Ok(StatementResult::done(definition.tag()))
}
