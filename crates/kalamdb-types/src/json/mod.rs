//! The stored form of rows: a JSON array of rows, each an array of cells, without white space.
//!
//! | type | cell |
//! |---|---|
//! | any | `null` for NULL |
//! | `BOOLEAN` | `true`, `false` |
//! | integers | an integer, exact to 64 bits |
//! | `REAL`, `DOUBLE` | the shortest number that reads back the same; `"NaN"`, `"Infinity"`, `"-Infinity"` |
//! | `DECIMAL` | a string with all digits of its scale, `"12.30"` |
//! | `TEXT`, `VARCHAR`, `UUID` | a string |
//! | `JSON` | its text, as a string |
//! | `BYTEA` | a string of base64 with padding |
//! | `DATE` | days since the epoch |
//! | `TIME` | microseconds since midnight |
//! | `TIMESTAMP`, `TIMESTAMPTZ` | microseconds since the epoch |
//! | `INTERVAL` | an array of months, days and nanoseconds |
//! | `EMBEDDING` | an array of its numbers, each as a `REAL` |
//! | arrays | an array of cells of the element's type |

mod decode;
mod decode_lists;
mod encode;

use arrow::datatypes::DataType;
use thiserror::Error;

use crate::SqlType;

pub use decode::decode_rows;
pub use encode::encode_rows;

/// Why rows do not encode or decode.
#[derive(Debug, Error)]
pub enum JsonError {
    /// An array does not have the Arrow type of its column.
    #[error("column {column} is {found}, {expected} is stored as {}", expected.arrow())]
    ColumnType {
        /// The column's index.
        column: usize,
        /// The column's type.
        expected: SqlType,
        /// The array's type.
        found: DataType,
    },
    /// There are not as many arrays as types, or a range of rows that the arrays do not have.
    #[error("{0}")]
    Shape(String),
    /// The stored text is not rows of these types.
    #[error("the stored rows do not decode: {0}")]
    Decode(String),
}
