use datafusion::sql::sqlparser::ast::{CreateIndex, ObjectName};

use crate::error::{Error, Result};
use crate::sql::execute::Executor;

pub(super) async fn create(_: &Executor<'_>, _: &CreateIndex) -> Result<()> {
    Err(Error::unsupported("CREATE INDEX"))
}

pub(super) async fn drop(_: &Executor<'_>, _: &[ObjectName], _: bool) -> Result<()> {
    Err(Error::unsupported("DROP INDEX"))
}
