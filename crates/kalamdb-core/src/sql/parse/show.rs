//! SHOW and DESCRIBE as they are written.

use datafusion::sql::sqlparser::ast::ObjectName;
use datafusion::sql::sqlparser::parser::Parser;

use super::words::{skip, take_word};
use crate::error::Result;

/// A statement that shows definitions.
#[derive(Debug, Clone)]
pub(crate) enum Show {
    Namespaces,
    /// The tables and views of a namespace, or of the current one.
    Tables(Option<ObjectName>),
    /// DESCRIBE, SHOW COLUMNS.
    Columns(ObjectName, &'static str),
    /// DESCRIBE ... HISTORY: the columns of every version of a table.
    History(ObjectName),
    /// DESCRIBE EXTENDED: the table's options.
    Options(ObjectName),
    Stats(ObjectName),
}

impl Show {
    pub(crate) fn tag(&self) -> &'static str {
        match self {
            Show::Namespaces | Show::Tables(_) | Show::Stats(_) => "SHOW",
            Show::Columns(_, tag) => tag,
            Show::History(_) | Show::Options(_) => "DESCRIBE",
        }
    }

    /// Reads a statement that begins with SHOW or DESCRIBE and asks for definitions; `words` are its first.
    pub(crate) fn parse(parser: &mut Parser<'_>, words: [&str; 4]) -> Result<Option<Self>> {
        let show = match words {
            ["show", "namespaces" | "schemas", ..] => {
                skip(parser, 2);
                Show::Namespaces
            }
            ["show", "tables", next, _] => {
                skip(parser, 2);
                let is_in = matches!(next, "in" | "from");
                skip(parser, usize::from(is_in));
                Show::Tables(if is_in { Some(parser.parse_object_name(false)?) } else { None })
            }
            ["show", "columns", "from" | "in", _] => {
                skip(parser, 3);
                Show::Columns(parser.parse_object_name(false)?, "SHOW")
            }
            ["show", "stats", "for", "table"] => {
                skip(parser, 4);
                Show::Stats(parser.parse_object_name(false)?)
            }
            [
                "desc" | "describe",
                "select" | "with" | "values" | "insert" | "update" | "delete" | "analyze" | "verbose",
                ..,
            ] => return Ok(None),
            ["desc" | "describe", "extended", ..] => {
                skip(parser, 2);
                Show::Options(parser.parse_object_name(false)?)
            }
            ["desc" | "describe", second, ..] => {
                skip(parser, 1 + usize::from(second == "table"));
                let name = parser.parse_object_name(false)?;
                if take_word(parser, "history") { Show::History(name) } else { Show::Columns(name, "DESCRIBE") }
            }
            _ => return Ok(None),
        };
        Ok(Some(show))
    }
}
