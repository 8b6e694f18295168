//! One arm for each statement that changes definitions.

use super::{alter, indexes, namespaces, storage, tables, views};
use crate::access::Role;
use crate::error::Result;
use crate::result::StatementResult;
use crate::sql::parse::{Definition, Parameters};
use crate::sql::plan::Executor;

pub(crate) async fn run(executor: &Executor<'_>, definition: &Definition, parameters: &Parameters) -> Result<StatementResult> {
    // Definitions are changed by administrators and the application itself.
    executor.principal.require(Role::Dba, definition.tag())?;
    if !matches!(definition, Definition::Store { .. }) {
        executor.view.catalog().require_whole()?;
    }
    match definition {
        Definition::CreateTable(create) => return tables::create(executor, create, parameters).await,
        Definition::DropTables { names, kind, if_exists, cascade } => tables::drop(executor, names, *kind, *if_exists, *cascade).await?,
        Definition::Truncate(truncate) => tables::truncate(executor, truncate).await?,
        Definition::AlterTable(alter) => alter::alter_table(executor, alter).await?,
        Definition::CreateView(create) => views::create(executor, create).await?,
        Definition::DropViews { names, if_exists, cascade } => views::drop(executor, names, *if_exists, *cascade).await?,
        Definition::CreateIndex(create) => indexes::create(executor, create).await?,
        Definition::DropIndexes { names, if_exists } => indexes::drop(executor, names, *if_exists).await?,
        Definition::CreateNamespace { name, if_not_exists } => namespaces::create(executor, name, *if_not_exists).await?,
        Definition::DropNamespace { name, if_exists, cascade } => namespaces::drop(executor, name, *if_exists, *cascade).await?,
        Definition::AlterNamespace { name, options } => namespaces::set_options(executor, name, options).await?,
        Definition::Store { name, compacts } => return storage::store(executor, name.as_ref(), *compacts, definition.tag()).await,
    }
    Ok(StatementResult::done(definition.tag()))
}
