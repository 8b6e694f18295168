use thiserror::Error;

/// Why a value cannot be stored in a column. The caller adds the column's name.
#[derive(Debug, Clone, PartialEq, Eq, Error)]
#[error("{message}")]
pub struct TypeError {
    /// What kind of failure this is; the caller derives the error code from it.
    pub kind: TypeErrorKind,
    /// The first row of the array that cannot be converted. 0 if the array's type alone rules it out.
    pub row: usize,
    /// Names the value (shortened) and the target type.
    pub message: String,
}

/// The kinds of [`TypeError`], each one SQLSTATE.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum TypeErrorKind {
    /// Values of the source's type are never stored in a column of this type (42804).
    DatatypeMismatch,
    /// The value is not one of the type: a text that does not parse, a fraction for an integer (22P02).
    InvalidText,
    /// A number that the type cannot hold (22003).
    OutOfRange,
    /// More characters than `VARCHAR(n)` holds (22001).
    StringTooLong,
    /// A text that is no date, time, timestamp or interval (22007).
    InvalidDatetime,
    /// A date or time that the calendar or the type does not have (22008).
    DatetimeOutOfRange,
    /// A vector with another number of values than its type, or with NULL in it (22000).
    InvalidVector,
    /// More memory than a column of vectors may take (54000).
    TooLarge,
}

/// Why one value does not convert. Turned into a [`TypeError`] where the value and the target are known.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Failure {
    /// The source's type as a whole does not convert.
    Type,
    /// A text that does not parse, or a value that the target's text form has no room for.
    Syntax,
    /// A text that is no date, time or interval.
    Datetime,
    /// A day, time or interval that the calendar or the type does not have.
    DatetimeRange,
    /// A number out of range.
    Range,
    /// A fraction where an integer is needed.
    Fraction,
    /// More digits after the point than the decimal keeps.
    Digits,
    /// Too many characters.
    TooLong,
    /// A vector of so many numbers, which are not as many as the type has.
    Length(usize),
    /// NULL within a vector.
    NullNumber,
}

impl Failure {
    pub(crate) fn kind(self) -> TypeErrorKind {
        match self {
            Self::Type => TypeErrorKind::DatatypeMismatch,
            Self::Syntax | Self::Fraction => TypeErrorKind::InvalidText,
            Self::Datetime => TypeErrorKind::InvalidDatetime,
            Self::DatetimeRange => TypeErrorKind::DatetimeOutOfRange,
            Self::Range | Self::Digits => TypeErrorKind::OutOfRange,
            Self::TooLong => TypeErrorKind::StringTooLong,
            Self::Length(_) | Self::NullNumber => TypeErrorKind::InvalidVector,
        }
    }
}
