//! Errors as plain data, the form in which they reach JavaScript.

use kalamdb_store::StoreError;
use serde::Serialize;

use super::error::Error;

/// An error as plain data: the one form in which errors cross to JavaScript.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct ErrorPayload {
    /// The error's kind, for instance `unique_violation`.
    pub code: &'static str,
    /// The SQLSTATE.
    pub sql_state: &'static str,
    /// What happened, to whom.
    pub message: String,
    /// Whether the same call may succeed when it is made again.
    pub retryable: bool,
    /// The offset into the SQL text in UTF-16 code units, from 0.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub position: Option<usize>,
    /// The line of the SQL text, from 1.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub line: Option<u64>,
    /// The character in the line, from 1.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub column: Option<u64>,
    /// The values that are at fault.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub detail: Option<String>,
    /// What to do about it.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub hint: Option<String>,
    /// The platform's exception behind it.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub cause: Option<ErrorCause>,
}

/// The platform's exception behind an error.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct ErrorCause {
    /// The exception's name.
    pub name: String,
    /// The exception's message.
    pub message: String,
}

impl Error {
    /// The error as plain data; `sql` is the text that its location refers to.
    pub fn payload(&self, sql: &str) -> ErrorPayload {
        let location = self.location();
        ErrorPayload {
            code: self.kind().code(),
            sql_state: self.kind().sql_state(),
            message: self.message().to_owned(),
            retryable: self.kind().is_retryable(),
            position: location.and_then(|location| utf16_offset(sql, location.line, location.column)),
            line: location.map(|location| location.line),
            column: location.map(|location| location.column),
            detail: self.detail().map(str::to_owned),
            hint: self.hint().map(str::to_owned),
            cause: self.store_error().and_then(|cause| match cause {
                StoreError::Platform { name, message } => {
                    Some(ErrorCause { name: name.clone(), message: message.clone() })
                }
                StoreError::QuotaExceeded => {
                    Some(ErrorCause { name: "QuotaExceededError".to_owned(), message: cause.to_string() })
                }
                StoreError::Conflict { .. }
                | StoreError::InvalidCommit { .. }
                | StoreError::Corrupted { .. }
                | StoreError::SchemaTooNew { .. }
                | StoreError::Closed
                | StoreError::Deleted { .. }
                | StoreError::Blocked { .. }
                | StoreError::Unavailable { .. }
                | StoreError::Indeterminate { .. } => None,
            }),
        }
    }
}

/// The offset of a line and column in UTF-16 code units, which is how JavaScript indexes a text.
fn utf16_offset(sql: &str, line: u64, column: u64) -> Option<usize> {
    let mut offset = 0;
    let (mut at_line, mut at_column) = (1, 1);
    for character in sql.chars() {
        if (at_line, at_column) == (line, column) {
            return Some(offset);
        }
        offset += character.len_utf16();
        if character == '\n' {
            at_line += 1;
            at_column = 1;
        } else {
            at_column += 1;
        }
    }
    (line > 0).then_some(offset)
}

#[cfg(test)]
mod tests {
    use super::utf16_offset;

    #[test]
    fn offsets_count_utf16_code_units() {
        assert_eq!(utf16_offset("select x", 1, 8), Some(7));
        assert_eq!(utf16_offset("-- \u{1F600}\nselect", 2, 1), Some(6));
        assert_eq!(utf16_offset("'\u{1F600}' x", 1, 5), Some(5));
        assert_eq!(utf16_offset("select", 1, 7), Some(6));
    }
}
