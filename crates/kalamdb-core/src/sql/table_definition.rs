use datafusion::sql::sqlparser::ast::helpers::stmt_create_table::CreateTableBuilder;
use datafusion::sql::sqlparser::ast::{
    ColumnDef as ColumnDefAst, ColumnOption, CreateTable, CreateTableOptions, Expr, PrimaryKeyConstraint, SqlOption, TableConstraint, Value,
};

use super::names::fold;
use super::types::column_type;
use crate::catalog::{Check, ColumnDef, Index, TableKind, TableOptions, check_column_name};
use crate::error::{Error, ErrorKind, Result};

/// The columns and key of a CREATE TABLE.
#[derive(Debug)]
pub(super) struct TableDefinition {
    pub(super) kind: TableKind,
    pub(super) options: TableOptions,
    pub(super) columns: Vec<ColumnDef>,
    /// Positions of the key's columns, in key order.
    pub(super) primary_key: Vec<usize>,
    pub(super) indexes: Vec<Index>,
    pub(super) checks: Vec<Check>,
}

/// Reads the definition; what cannot be kept is refused, never ignored.
pub(super) fn read(create: &CreateTable) -> Result<TableDefinition> {
    check_clauses(create)?;
    let mut columns = Vec::with_capacity(create.columns.len());
    let mut primary_key = Vec::new();
    for (index, column) in create.columns.iter().enumerate() {
        let (definition, is_key) = read_column(column, index)?;
        if columns.iter().any(|other: &ColumnDef| other.name == definition.name) {
            return Err(Error::new(ErrorKind::DuplicateColumn, format!("column {} is defined twice", definition.name)));
        }
        if is_key {
            primary_key.push(index);
        }
        columns.push(definition);
    }
    if columns.is_empty() {
        return Err(invalid("a table needs at least one column"));
    }
    if primary_key.len() > 1 {
        return Err(invalid("several columns are marked PRIMARY KEY").with_hint("a key of several columns is written PRIMARY KEY (a, b)"));
    }
    for constraint in &create.constraints {
        let TableConstraint::PrimaryKey(key) = constraint else {
            return Err(Error::unsupported(format!("the table constraint {constraint}")));
        };
        if !primary_key.is_empty() {
            return Err(invalid("a table has at most one primary key"));
        }
        primary_key = read_key(key, &columns)?;
    }
    for &index in &primary_key {
        if let Some(column) = columns.get_mut(index) {
            check_key_type(column)?;
            column.nullable = false;
        }
    }
    Ok(TableDefinition { kind: TableKind::Shared, options: TableOptions::default(), columns, primary_key, indexes: Vec::new(), checks: Vec::new() })
}

/// Refuses keys of types whose values have no one form, or no order.
pub(super) fn check_key_type(column: &ColumnDef) -> Result<()> {
    if column.sql_type.can_be_key() {
        return Ok(());
    }
    Err(Error::unsupported(format!("a key of type {}", column.sql_type)).in_column(&column.name))
}

fn invalid(message: &str) -> Error {
    Error::new(ErrorKind::InvalidTableDefinition, message)
}

/// Refuses every clause of CREATE TABLE but the columns and constraints.
fn check_clauses(create: &CreateTable) -> Result<()> {
    if create.query.is_some() {
        return Err(Error::unsupported("CREATE TABLE ... AS"));
    }
    match &create.table_options {
        CreateTableOptions::None => {}
        CreateTableOptions::With(options) => options.iter().try_for_each(check_option)?,
        other => return Err(Error::unsupported(format!("the table option {other}"))),
    }
    let plain = CreateTableBuilder::new(create.name.clone())
        .if_not_exists(create.if_not_exists)
        .columns(create.columns.clone())
        .constraints(create.constraints.clone())
        .table_options(create.table_options.clone())
        .hive_distribution(create.hive_distribution.clone())
        .hive_formats(create.hive_formats.clone())
        .build();
    if plain != *create || create.to_string() != plain.to_string() {
        return Err(
            Error::unsupported("a clause of this CREATE TABLE").with_hint("columns, PRIMARY KEY, NOT NULL, DEFAULT and WITH (TYPE = 'SHARED') are")
        );
    }
    Ok(())
}

fn check_option(option: &SqlOption) -> Result<()> {
    if let SqlOption::KeyValue { key, value: Expr::Value(value) } = option
        && fold(key) == "type"
        && let Value::SingleQuotedString(kind) = &value.value
    {
        return match kind.to_uppercase().as_str() {
            "SHARED" => Ok(()),
            other => Err(Error::unsupported(format!("the table kind {other}"))),
        };
    }
    Err(Error::unsupported(format!("the table option {option}")))
}

fn read_column(column: &ColumnDefAst, index: usize) -> Result<(ColumnDef, bool)> {
    let name = fold(&column.name);
    check_column_name(&name)?;
    let sql_type = column_type(&column.data_type).map_err(|error| error.in_column(&name))?;
    let (mut nullable, mut default, mut is_key) = (None, None, false);
    for option in &column.options {
        match &option.option {
            ColumnOption::Null if nullable != Some(false) => nullable = Some(true),
            ColumnOption::NotNull if nullable != Some(true) => nullable = Some(false),
            ColumnOption::Null | ColumnOption::NotNull => return Err(invalid("both NULL and NOT NULL are given").in_column(&name)),
            ColumnOption::Default(expr) if default.is_none() => default = Some(expr.to_string()),
            ColumnOption::Default(_) => return Err(invalid("DEFAULT is given twice").in_column(&name)),
            ColumnOption::PrimaryKey(key) if key.characteristics.is_none() => is_key = true,
            other => return Err(Error::unsupported(format!("the column constraint {other}")).in_column(&name)),
        }
    }
    if is_key && nullable == Some(true) {
        return Err(invalid("a primary key cannot be NULL").in_column(&name));
    }
    let id = u32::try_from(index + 1).map_err(|_| Error::new(ErrorKind::ProgramLimitExceeded, "too many columns"))?;
    Ok((ColumnDef { id, name, sql_type, nullable: nullable.unwrap_or(true), default, auto_increment: false }, is_key))
}

fn read_key(key: &PrimaryKeyConstraint, columns: &[ColumnDef]) -> Result<Vec<usize>> {
    if key.characteristics.is_some() || key.index_type.is_some() || !key.index_options.is_empty() {
        return Err(Error::unsupported("an option of PRIMARY KEY"));
    }
    let mut indices = Vec::with_capacity(key.columns.len());
    for column in &key.columns {
        let order = &column.column;
        let plain =
            column.operator_class.is_none() && order.options.asc.is_none() && order.options.nulls_first.is_none() && order.with_fill.is_none();
        let (Expr::Identifier(ident), true) = (&order.expr, plain) else {
            return Err(Error::unsupported(format!("{order} as a part of PRIMARY KEY")));
        };
        let name = fold(ident);
        let index = columns
            .iter()
            .position(|column| column.name == name)
            .ok_or_else(|| Error::new(ErrorKind::UndefinedColumn, format!("the primary key names column {name}, which does not exist")))?;
        if indices.contains(&index) {
            return Err(Error::new(ErrorKind::DuplicateColumn, format!("the primary key names column {name} twice")));
        }
        indices.push(index);
    }
    Ok(indices)
}
