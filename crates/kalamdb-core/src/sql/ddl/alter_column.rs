//! ALTER COLUMN.

use datafusion::arrow::array::Array;
use datafusion::sql::sqlparser::ast::{AlterColumnOperation, DataType, Expr};
use kalamdb_types::SqlType;

use super::table_definition::invalid;
use crate::catalog::{ColumnDef, Table};
use crate::error::{Error, ErrorKind, Result};
use crate::sql::dml::defaults;
use crate::sql::parse::{column_type, fold};
use crate::sql::plan::StatementContext;

/// Carries out one ALTER COLUMN on the column at position `at`; `old` is the table before the statement.
pub(super) async fn alter_column(
    context: &StatementContext<'_>,
    old: &Table,
    table: &mut Table,
    at: usize,
    action: &AlterColumnOperation,
) -> Result<()> {
    let is_key = table.primary_key.contains(&at);
    let Some(column) = table.columns.get_mut(at) else { return Err(Error::internal("a column is missing")) };
    let is_added = old.columns.iter().all(|other| other.id != column.id);
    match action {
        AlterColumnOperation::SetNotNull => column.nullable = false,
        AlterColumnOperation::DropNotNull if is_key || column.auto_increment => {
            let what = if is_key { "a primary key" } else { "an AUTO_INCREMENT column" };
            return Err(invalid(&format!("{what} cannot be NULL")).in_column(&column.name));
        }
        AlterColumnOperation::DropNotNull => column.nullable = true,
        AlterColumnOperation::SetDefault { .. } if column.auto_increment => {
            return Err(invalid("AUTO_INCREMENT does not go with DEFAULT").in_column(&column.name));
        }
        AlterColumnOperation::SetDefault { value } => {
            column.default = Some(value.to_string());
            defaults::check(context, column).await?;
        }
        AlterColumnOperation::DropDefault => column.default = None,
        AlterColumnOperation::SetDataType { data_type, using, .. } => {
            let target = column_type(data_type).map_err(|error| error.in_column(&column.name))?;
            if let Some(using) = using {
                check_using(using, column, data_type)?;
            }
            if column.auto_increment && !target.arrow().is_integer() {
                return Err(invalid("only integers can be AUTO_INCREMENT").in_column(&column.name));
            }
            if is_key && !keeps_keys_apart(&column.sql_type, &target) {
                let message = format!("changing the type of a primary key from {} to {target}", column.sql_type);
                return Err(Error::unsupported(message)
                    .in_column(&column.name)
                    .with_hint("only a wider type of the same kind is possible"));
            }
            column.sql_type = target;
            defaults::check(context, column).await?;
            column.missing = if is_added { missing_of(context, column).await? } else { None };
        }
        other @ AlterColumnOperation::AddGenerated { .. } => {
            return Err(Error::unsupported(format!("ALTER COLUMN ... {other}")));
        }
    }
    Ok(())
}

/// USING may say what is done anyway: the column, or the column cast to the type.
fn check_using(using: &Expr, column: &ColumnDef, data_type: &DataType) -> Result<()> {
    let is_column = |expr: &Expr| matches!(expr, Expr::Identifier(ident) if fold(ident) == column.name);
    let is_plain = match using {
        Expr::Cast { expr, data_type: to, .. } => is_column(expr) && to == data_type,
        other => is_column(other),
    };
    if is_plain {
        return Ok(());
    }
    Err(Error::unsupported("USING with anything but a cast of the column")
        .with_hint("add a column, fill it with UPDATE, drop the old one"))
}

/// Whether keys that differ still differ after the conversion, so that stored versions of rows are not taken for each
/// other.
fn keeps_keys_apart(from: &SqlType, to: &SqlType) -> bool {
    let integer = |sql_type: &SqlType| {
        let data_type = sql_type.arrow();
        data_type.is_integer().then(|| (data_type.is_signed_integer(), data_type.primitive_width().unwrap_or_default()))
    };
    match (integer(from), integer(to)) {
        (Some((true, from)), Some((true, to))) | (Some((false, from)), Some((false, to))) => to >= from,
        (Some((false, from)), Some((true, to))) => to > from,
        (Some(_), Some(_)) => false,
        _ => match (from, to) {
            (SqlType::Varchar(from), SqlType::Varchar(to)) => to >= from,
            (SqlType::Varchar(_), SqlType::Text) => true,
            (from, to) => from == to,
        },
    }
}

/// What rows that are there already read in a column that is added: its DEFAULT, evaluated once.
pub(super) async fn missing_of(context: &StatementContext<'_>, column: &ColumnDef) -> Result<Option<String>> {
    if column.default.is_none() {
        return Ok(None);
    }
    let value = defaults::values(context, column, 1).await?;
    if value.is_null(0) {
        return Ok(None);
    }
    let mut stored = Vec::new();
    kalamdb_types::json::encode_rows(&[value], std::slice::from_ref(&column.sql_type), 0, 1, &mut stored)
        .map_err(|error| Error::internal(error.to_string()))?;
    let stored = String::from_utf8(stored).map_err(|error| Error::new(ErrorKind::InternalError, error.to_string()))?;
    Ok(Some(stored))
}
