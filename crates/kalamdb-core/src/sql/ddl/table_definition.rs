//! The columns and constraints of a table, read from what the parser has made of them. What cannot be kept is refused.

use datafusion::sql::sqlparser::ast::{
    CheckConstraint, ColumnDef as ColumnDefAst, ColumnOption, DataType, Expr, GeneratedAs, Ident, IndexColumn,
    ObjectNamePart, PrimaryKeyConstraint, TableConstraint, UniqueConstraint,
};
use datafusion::sql::sqlparser::tokenizer::Token;
use kalamdb_types::SqlType;

use crate::catalog::{Check, ColumnDef, Index, Table, check_column_name, check_constraint_name};
use crate::error::{Error, ErrorKind, Result};
use crate::sql::parse::{column_type, fold};

/// The longest generated name of a constraint, in characters.
const MAX_GENERATED_NAME: usize = 64;

/// A column as written, with the constraints that stand beside it.
#[derive(Debug)]
pub(super) struct ReadColumn {
    pub(crate) definition: ColumnDef,
    pub(crate) is_key: bool,
    /// The names of UNIQUE constraints, where they have one.
    unique: Vec<Option<String>>,
    checks: Vec<(Option<String>, String)>,
}

/// Adds the columns of a statement to an empty table.
pub(super) fn add_columns(table: &mut Table, columns: &[ColumnDefAst]) -> Result<()> {
    let mut keys = 0;
    for column in columns {
        let read = read_column(column, next_column_id(table)?)?;
        if read.is_key {
            keys += 1;
            check_key_type(&read.definition)?;
            table.primary_key = vec![table.columns.len()];
        }
        add_column(table, read)?;
    }
    if keys > 1 {
        return Err(invalid("several columns are marked PRIMARY KEY")
            .with_hint("a key of several columns is written PRIMARY KEY (a, b)"));
    }
    Ok(())
}

/// Refuses keys of types whose values have no one form, or no order.
fn check_key_type(column: &ColumnDef) -> Result<()> {
    if column.sql_type.can_be_key() {
        return Ok(());
    }
    Err(Error::unsupported(format!("a key of type {}", column.sql_type)).in_column(&column.name))
}

/// Adds a column with its UNIQUE and CHECK constraints.
pub(super) fn add_column(table: &mut Table, read: ReadColumn) -> Result<()> {
    let ReadColumn { definition, unique, checks, .. } = read;
    if table.column_index(&definition.name).is_some() {
        return Err(Error::new(ErrorKind::DuplicateColumn, format!("column {} is defined twice", definition.name)));
    }
    let (at, name) = (table.columns.len(), definition.name.clone());
    table.columns.push(definition);
    for constraint in unique {
        add_unique(table, constraint, vec![at])?;
    }
    for (constraint, condition) in checks {
        add_check(table, constraint, Some(&name), condition)?;
    }
    Ok(())
}

/// Adds a constraint of the whole table.
pub(super) fn add_constraint(table: &mut Table, constraint: &TableConstraint) -> Result<()> {
    match constraint {
        TableConstraint::PrimaryKey(key) => {
            if table.has_primary_key() {
                return Err(invalid("a table has at most one primary key"));
            }
            table.primary_key = read_key(key, table)?;
            Ok(())
        }
        TableConstraint::Unique(unique) => {
            let name = unique.name.as_ref().or(unique.index_name.as_ref());
            check_unique_clauses(unique)?;
            let columns = read_index_columns(&unique.columns, table, "UNIQUE")?;
            add_unique(table, name.map(fold), columns)
        }
        TableConstraint::Check(check) => add_check(table, check.name.as_ref().map(fold), None, condition_of(check)?),
        TableConstraint::ForeignKey(_) => Err(foreign_key()),
        other => Err(Error::unsupported(format!("the table constraint {other}"))),
    }
}

/// Makes the key's columns NOT NULL and brings the Arrow fields up to date.
pub(super) fn finish(table: &mut Table) -> Result<()> {
    if table.columns.is_empty() {
        return Err(invalid("a table needs at least one column"));
    }
    for &index in &table.primary_key {
        if let Some(column) = table.columns.get_mut(index) {
            column.nullable = false;
        }
    }
    table.fields = Table::arrow_fields(&table.columns);
    Ok(())
}

/// The id after the highest that a column of the table ever had.
pub(super) fn next_column_id(table: &Table) -> Result<u32> {
    let earlier = table.earlier.iter().flat_map(|version| &version.columns);
    let highest = table.columns.iter().chain(earlier).map(|column| column.id).max().unwrap_or(0);
    highest.checked_add(1).ok_or_else(|| Error::new(ErrorKind::ProgramLimitExceeded, "too many columns"))
}

pub(crate) fn invalid(message: &str) -> Error {
    Error::new(ErrorKind::InvalidTableDefinition, message)
}

fn foreign_key() -> Error {
    Error::unsupported("FOREIGN KEY").with_hint("leave it out, and check references in the application")
}

pub(crate) fn read_column(column: &ColumnDefAst, id: u32) -> Result<ReadColumn> {
    let name = fold(&column.name);
    check_column_name(&name)?;
    let serial = serial_type(&column.data_type);
    let mut auto_increment = serial.is_some();
    let sql_type = match serial {
        Some(sql_type) => sql_type,
        None => column_type(&column.data_type).map_err(|error| error.in_column(&name))?,
    };
    let (mut nullable, mut default, mut is_key, mut generated_always) = (None, None, false, false);
    let (mut unique, mut checks) = (Vec::new(), Vec::new());
    for option in &column.options {
        let constraint = option.name.as_ref().map(fold);
        match &option.option {
            ColumnOption::Null if nullable != Some(false) => nullable = Some(true),
            ColumnOption::NotNull if nullable != Some(true) => nullable = Some(false),
            ColumnOption::Null | ColumnOption::NotNull => {
                return Err(invalid("both NULL and NOT NULL are given").in_column(&name));
            }
            ColumnOption::Default(expr) if default.is_none() => default = Some(expr.to_string()),
            ColumnOption::Default(_) => return Err(invalid("DEFAULT is given twice").in_column(&name)),
            ColumnOption::PrimaryKey(key) if key.characteristics.is_none() => is_key = true,
            ColumnOption::Unique(plain) => {
                check_unique_clauses(plain)?;
                unique.push(constraint);
            }
            ColumnOption::Check(check) => checks.push((constraint, condition_of(check)?)),
            ColumnOption::DialectSpecific(tokens) if is_auto_increment(tokens) => auto_increment = true,
            ColumnOption::Generated {
                generated_as: generated_as @ (GeneratedAs::Always | GeneratedAs::ByDefault),
                sequence_options,
                generation_expr: None,
                generation_expr_mode: None,
                ..
            } if sequence_options.as_ref().is_none_or(Vec::is_empty) => {
                auto_increment = true;
                generated_always = *generated_as == GeneratedAs::Always;
            }
            ColumnOption::Generated { .. } => {
                return Err(Error::unsupported("GENERATED ... AS of anything but a plain IDENTITY").in_column(&name));
            }
            ColumnOption::ForeignKey(_) => return Err(foreign_key().in_column(&name)),
            other => return Err(Error::unsupported(format!("the column constraint {other}")).in_column(&name)),
        }
    }
    if is_key && nullable == Some(true) {
        return Err(invalid("a primary key cannot be NULL").in_column(&name));
    }
    if auto_increment {
        if !sql_type.arrow().is_integer() {
            return Err(invalid("only integers can be AUTO_INCREMENT").in_column(&name));
        }
        if nullable == Some(true) || default.is_some() {
            return Err(invalid("AUTO_INCREMENT goes with neither NULL nor DEFAULT").in_column(&name));
        }
        nullable = Some(false);
    }
    let nullable = nullable.unwrap_or(true);
    let definition =
        ColumnDef { id, name, sql_type, nullable, default, auto_increment, generated_always, missing: None };
    Ok(ReadColumn { definition, is_key, unique, checks })
}

/// The integers that PostgreSQL's counting types hold.
fn serial_type(data_type: &DataType) -> Option<SqlType> {
    let DataType::Custom(name, modifiers) = data_type else { return None };
    let ([ObjectNamePart::Identifier(name)], []) = (name.0.as_slice(), modifiers.as_slice()) else { return None };
    match fold(name).as_str() {
        "smallserial" | "serial2" => Some(SqlType::SmallInt),
        "serial" | "serial4" => Some(SqlType::Integer),
        "bigserial" | "serial8" => Some(SqlType::BigInt),
        _ => None,
    }
}

fn is_auto_increment(tokens: &[Token]) -> bool {
    matches!(tokens, [Token::Word(word)] if word.value.eq_ignore_ascii_case("AUTO_INCREMENT") || word.value.eq_ignore_ascii_case("AUTOINCREMENT"))
}

fn condition_of(check: &CheckConstraint) -> Result<String> {
    if check.enforced == Some(false) {
        return Err(Error::unsupported("NOT ENFORCED"));
    }
    Ok(check.expr.to_string())
}

fn check_unique_clauses(unique: &UniqueConstraint) -> Result<()> {
    use datafusion::sql::sqlparser::ast::NullsDistinctOption;
    let plain = unique.characteristics.is_none()
        && unique.index_type.is_none()
        && unique.index_options.is_empty()
        && unique.nulls_distinct != NullsDistinctOption::NotDistinct;
    if plain { Ok(()) } else { Err(Error::unsupported("an option of UNIQUE")) }
}

fn read_key(key: &PrimaryKeyConstraint, table: &Table) -> Result<Vec<usize>> {
    if key.characteristics.is_some() || key.index_type.is_some() || !key.index_options.is_empty() {
        return Err(Error::unsupported("an option of PRIMARY KEY"));
    }
    let columns = read_index_columns(&key.columns, table, "the primary key")?;
    columns.iter().filter_map(|&index| table.columns.get(index)).try_for_each(check_key_type)?;
    Ok(columns)
}

/// Positions of the columns that a key or index names, each plain and once.
pub(super) fn read_index_columns(columns: &[IndexColumn], table: &Table, what: &str) -> Result<Vec<usize>> {
    let mut indices = Vec::with_capacity(columns.len());
    for column in columns {
        let order = &column.column;
        // An index leads to rows and never orders them, so that it is the same in either direction.
        let plain = column.operator_class.is_none() && order.with_fill.is_none();
        let (Expr::Identifier(ident), true) = (&order.expr, plain) else {
            return Err(Error::unsupported(format!("{order} as a part of {what}")));
        };
        let index = key_column(ident, table, what)?;
        if indices.contains(&index) {
            return Err(Error::new(ErrorKind::DuplicateColumn, format!("{what} names column {} twice", fold(ident))));
        }
        indices.push(index);
    }
    Ok(indices)
}

fn key_column(ident: &Ident, table: &Table, what: &str) -> Result<usize> {
    let name = fold(ident);
    table.column_index(&name).ok_or_else(|| {
        Error::new(ErrorKind::UndefinedColumn, format!("{what} names column {name}, which does not exist"))
    })
}

/// Adds a UNIQUE constraint, with a name of its own where none is given.
fn add_unique(table: &mut Table, name: Option<String>, columns: Vec<usize>) -> Result<()> {
    columns.iter().filter_map(|&at| table.columns.get(at)).try_for_each(check_key_type)?;
    let given = format!("{}_{}_key", table.name, table.column_names(&columns).join("_"));
    let name = constraint_name(table, name, &given)?;
    table.indexes.push(Index { name, columns, unique: true, is_constraint: true });
    Ok(())
}

fn add_check(table: &mut Table, name: Option<String>, column: Option<&str>, condition: String) -> Result<()> {
    let generated = match column {
        Some(column) => format!("{}_{column}_check", table.name),
        None => format!("{}_check", table.name),
    };
    let name = constraint_name(table, name, &generated)?;
    table.checks.push(Check { name, condition });
    Ok(())
}

/// The name given, or one made up that the table does not have yet.
fn constraint_name(table: &Table, given: Option<String>, generated: &str) -> Result<String> {
    if let Some(name) = given {
        check_constraint_name(&name)?;
        if table.has_constraint(&name) {
            let message = format!("table {} has a constraint {name} already", table.full_name());
            return Err(Error::new(ErrorKind::DuplicateObject, message));
        }
        return Ok(name);
    }
    let start = |length: usize| generated.chars().take(length).collect::<String>();
    let numbered = (1_u32..).map(|number| format!("{}{number}", start(MAX_GENERATED_NAME - 10)));
    let name = std::iter::once(start(MAX_GENERATED_NAME)).chain(numbered).find(|name| !table.has_constraint(name));
    name.ok_or_else(|| Error::internal("every name is taken"))
}
