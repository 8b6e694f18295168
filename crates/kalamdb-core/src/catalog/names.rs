//! Names of namespaces, tables, columns and constraints: which are allowed, and which are the engine's own.

use std::fmt;

use super::columns::is_system_column;
use crate::error::{Error, ErrorKind, Result};

/// The longest name, in characters.
const MAX_NAME_CHARS: usize = 64;

/// Namespaces that users cannot make.
const RESERVED_NAMESPACES: [&str; 5] = ["system", "information_schema", "pg_catalog", "datafusion", "kalamdb"];

/// A table's name with its namespace.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub(crate) struct TableName {
    pub(crate) namespace: String,
    pub(crate) table: String,
}

impl fmt::Display for TableName {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if self.namespace == DEFAULT_NAMESPACE {
            write!(f, "{}", self.table)
        } else {
            write!(f, "{}.{}", self.namespace, self.table)
        }
    }
}

pub(crate) fn check_namespace_name(name: &str) -> Result<()> {
    check_name("namespace", name)?;
    if RESERVED_NAMESPACES.contains(&name.to_lowercase().as_str()) {
        return Err(Error::new(ErrorKind::ReservedName, format!("the namespace name {name} is reserved")));
    }
    Ok(())
}

pub(crate) fn check_table_name(name: &TableName) -> Result<()> {
    if RESERVED_NAMESPACES.contains(&name.namespace.as_str()) {
        return Err(Error::new(ErrorKind::ReservedName, format!("the namespace {} is read-only", name.namespace)));
    }
    check_name("table", &name.table)
}

pub(crate) fn check_column_name(name: &str) -> Result<()> {
    check_name("column", name)?;
    if is_system_column(name) {
        return Err(Error::new(
            ErrorKind::ReservedName,
            format!("the column name {name} is reserved: the engine fills that column in"),
        ));
    }
    Ok(())
}

pub(crate) fn check_constraint_name(name: &str) -> Result<()> {
    check_name("constraint or index", name)
}

fn check_name(what: &str, name: &str) -> Result<()> {
    if name.is_empty() {
        return Err(Error::new(ErrorKind::InvalidName, format!("a {what} name must have at least one character")));
    }
    if name.contains('\0') {
        return Err(Error::new(ErrorKind::InvalidName, format!("a {what} name must not contain the character NUL")));
    }
    if name.chars().count() > MAX_NAME_CHARS {
        let start: String = name.chars().take(MAX_NAME_CHARS).collect();
        return Err(Error::new(
            ErrorKind::NameTooLong,
            format!("the {what} name {start}... is longer than {MAX_NAME_CHARS} characters"),
        ));
    }
    Ok(())
}
/// The namespace that always exists.
pub(crate) const DEFAULT_NAMESPACE: &str = "default";

/// The id of the namespace that always exists; no record is stored for it.
pub(super) const DEFAULT_NAMESPACE_ID: u64 = 0;
