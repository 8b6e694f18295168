//! DataFusion alone, with its own tables in memory: what the engine is measured by.

use kalamdb_core::Error;
use kalamdb_core::datafusion::error::DataFusionError;
use kalamdb_core::datafusion::prelude::{SessionConfig, SessionContext};

use crate::native::{Native, PrintRow, print, to_sql_error};
use crate::{Outcome, SqlError};

/// Opens an empty session whose rows are printed by `print_row`.
pub(super) fn open(print_row: PrintRow) -> Native {
    Native::start(move || {
        let context = SessionContext::new_with_config(SessionConfig::new().with_target_partitions(1));
        // Some of its operators start tasks.
        let runtime = tokio::runtime::Builder::new_current_thread().build();
        Box::new(move |sql| match &runtime {
            Ok(runtime) => runtime.block_on(run(&context, sql, &print_row)).map_err(|error| to_sql_error(&error)),
            Err(error) => Err(SqlError {
                code: "internal_error".to_owned(),
                sql_state: "XX000".to_owned(),
                message: error.to_string(),
            }),
        })
    })
}

async fn run(context: &SessionContext, sql: &str, print_row: &PrintRow) -> Result<Outcome, Error> {
    let rows = async {
        let frame = context.sql(sql).await?;
        let types = frame.schema().fields().iter().map(|_| "TEXT".to_owned()).collect::<Vec<_>>();
        Ok::<_, DataFusionError>((types, frame.collect().await?))
    };
    let (types, batches) = rows.await?;
    let rows = if types.is_empty() { None } else { Some(print(&[], &batches, print_row)?) };
    Ok(Outcome { types, rows, affected: 0 })
}
