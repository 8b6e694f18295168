use datafusion::sql::sqlparser::ast::AlterTable;

use crate::error::{Error, Result};
use crate::sql::execute::Executor;

pub(super) async fn alter_table(_: &Executor<'_>, _: &AlterTable) -> Result<()> {
    Err(Error::unsupported("ALTER TABLE"))
}
