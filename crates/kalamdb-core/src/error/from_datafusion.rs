//! DataFusion's and Arrow's errors as our own kinds.

use datafusion::arrow::error::ArrowError;
use datafusion::common::{Column, DataFusionError, SchemaError};
use datafusion::sql::sqlparser::parser::ParserError;

use super::error::{Error, Location};
use super::kind::ErrorKind;

impl From<DataFusionError> for Error {
    fn from(error: DataFusionError) -> Self {
        match error {
            DataFusionError::External(inner) => match inner.downcast::<Error>() {
                Ok(ours) => *ours,
                Err(other) => match other.downcast::<DataFusionError>() {
                    Ok(nested) => Self::from(*nested),
                    Err(foreign) => Self::new(ErrorKind::DataException, foreign.to_string()),
                },
            },
            DataFusionError::Context(_, inner) => Self::from(*inner),
            DataFusionError::Diagnostic(diagnostic, inner) => {
                let location =
                    diagnostic.span.map(|span| Location { line: span.start.line, column: span.start.column });
                Self::from(*inner).with_location(location)
            }
            DataFusionError::Collection(errors) => {
                errors.into_iter().next().map_or_else(|| Self::internal("an empty list of errors"), Self::from)
            }
            DataFusionError::Shared(inner) => match inner.find_root() {
                DataFusionError::External(ours) if ours.is::<Error>() => {
                    ours.downcast_ref::<Error>().cloned().unwrap_or_else(|| Self::internal(inner.to_string()))
                }
                DataFusionError::ResourcesExhausted(message) => Self::new(ErrorKind::OutOfMemory, message.clone()),
                root => Self::new(ErrorKind::DataException, root.strip_backtrace()),
            },
            DataFusionError::SQL(error, _) => Self::from(*error),
            DataFusionError::ArrowError(error, _) => from_arrow(*error),
            DataFusionError::SchemaError(error, _) => from_schema_error(*error),
            DataFusionError::NotImplemented(message) => Self::new(ErrorKind::FeatureNotSupported, message),
            DataFusionError::Plan(message) => Self::new(ErrorKind::InvalidQuery, message),
            DataFusionError::Configuration(message) => Self::new(ErrorKind::InvalidParameterValue, message),
            DataFusionError::Execution(message) => Self::new(kind_of_failure(&message), message),
            DataFusionError::ResourcesExhausted(message) => Self::new(ErrorKind::OutOfMemory, message),
            DataFusionError::IoError(error) => Self::internal(error.to_string()),
            DataFusionError::Internal(message) | DataFusionError::Substrait(message) => Self::internal(message),
            other => Self::internal(other.strip_backtrace()),
        }
    }
}

/// What functions report in words alone.
fn kind_of_failure(message: &str) -> ErrorKind {
    let message = message.to_ascii_lowercase();
    let is_overflow = ["overflow", "out of range"].iter().any(|word| message.contains(word));
    if is_overflow { ErrorKind::NumericValueOutOfRange } else { ErrorKind::DataException }
}

impl From<ArrowError> for Error {
    fn from(error: ArrowError) -> Self {
        from_arrow(error)
    }
}

/// Wraps an engine error for its way through DataFusion's planner.
pub(crate) fn into_datafusion(error: Error) -> DataFusionError {
    DataFusionError::External(Box::new(error))
}

fn from_arrow(error: ArrowError) -> Error {
    let kind = match &error {
        ArrowError::DivideByZero => ErrorKind::DivisionByZero,
        ArrowError::ArithmeticOverflow(_) => ErrorKind::NumericValueOutOfRange,
        ArrowError::CastError(_) | ArrowError::ParseError(_) | ArrowError::JsonError(_) => {
            ErrorKind::InvalidTextRepresentation
        }
        ArrowError::NotYetImplemented(_) => ErrorKind::FeatureNotSupported,
        ArrowError::InvalidArgumentError(message) | ArrowError::ComputeError(message) => kind_of_failure(message),
        ArrowError::MemoryError(_) => ErrorKind::OutOfMemory,
        ArrowError::ExternalError(inner) => match inner.downcast_ref::<Error>() {
            Some(ours) => return ours.clone(),
            None => ErrorKind::DataException,
        },
        _ => ErrorKind::InternalError,
    };
    if kind == ErrorKind::DivisionByZero {
        return Error::new(kind, "division by zero");
    }
    // `Overflow happened on: 2147483647 + 1`
    if let ArrowError::ArithmeticOverflow(message) = &error {
        let of = message.strip_prefix("Overflow happened on: ").unwrap_or(message);
        return Error::new(kind, format!("out of range: {of}"));
    }
    Error::new(kind, error.to_string())
}

impl From<ParserError> for Error {
    fn from(error: ParserError) -> Self {
        match error {
            ParserError::RecursionLimitExceeded => {
                Error::new(ErrorKind::StatementTooComplex, "the statement nests too deep")
                    .with_hint("split the statement, or use parameters")
            }
            ParserError::TokenizerError(message) | ParserError::ParserError(message) => {
                let (message, location) = split_location(&message);
                Error::new(ErrorKind::SyntaxError, message).with_location(location)
            }
        }
    }
}

/// Takes the place off the end of a parser's message, `... at Line: 1, Column: 8`.
///
/// The parser has no other way to say where it stopped.
fn split_location(message: &str) -> (String, Option<Location>) {
    let Some((text, place)) = message.rsplit_once(" at Line: ") else {
        return (message.to_owned(), None);
    };
    let location = place.split_once(", Column: ").and_then(|(line, column)| {
        Some(Location { line: line.trim().parse().ok()?, column: column.trim().parse().ok()? })
    });
    match location {
        Some(_) => (text.to_owned(), location),
        None => (message.to_owned(), None),
    }
}

fn from_schema_error(error: SchemaError) -> Error {
    match error {
        SchemaError::FieldNotFound { field, valid_fields } => undefined_column(&field, &valid_fields),
        SchemaError::AmbiguousReference { field } => Error::new(
            ErrorKind::AmbiguousColumn,
            format!("column reference {} is ambiguous", field.quoted_flat_name()),
        )
        .with_hint("name the table too, as in table.column"),
        SchemaError::DuplicateQualifiedField { name, .. } | SchemaError::DuplicateUnqualifiedField { name } => {
            Error::new(ErrorKind::DuplicateColumn, format!("column {name} is named more than once"))
                .with_hint("give the columns different aliases")
        }
    }
}

fn undefined_column(field: &Column, valid_fields: &[Column]) -> Error {
    // Columns of a subquery that had one name have others since, with a NUL behind the name.
    let is_repeated =
        |column: &Column| column.name().strip_prefix(field.name()).is_some_and(|rest| rest.starts_with('\0'));
    if valid_fields.iter().any(is_repeated) {
        return Error::new(
            ErrorKind::AmbiguousColumn,
            format!("column reference {} is ambiguous", field.quoted_flat_name()),
        )
        .with_hint("give the columns of the subquery different aliases");
    }
    let names = valid_fields.iter().map(Column::name).filter(|name| !name.contains('\0'));
    Error::new(ErrorKind::UndefinedColumn, format!("column {} does not exist", field.quoted_flat_name()))
        .with_nearest(field.name(), names)
}
