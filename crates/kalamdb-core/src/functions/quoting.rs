//! `format`, `quote_literal`, `quote_nullable` and `quote_ident`: texts to put into statements.

use std::sync::Arc;

use datafusion::arrow::array::{Array, ArrayRef, AsArray, StringViewArray};
use datafusion::arrow::compute::cast;
use datafusion::arrow::datatypes::{DataType, Field, FieldRef};
use datafusion::logical_expr::{ScalarFunctionArgs, ScalarUDF};
use kalamdb_types::SqlType;

use super::scalar::{Texts, array, field, function, is_text, no_such_function};
use super::texts::written;
use crate::error::{Error, ErrorKind, Result};

/// A field of `format` is at most so wide.
const MAX_WIDTH: usize = 10_000;

/// Words that are no names without quotes.
const RESERVED: &str = " all analyse analyze and any array as asc asymmetric authorization between bigint binary bit \
boolean both case cast char character check coalesce collate collation column concurrently constraint create cross \
current_catalog current_date current_role current_schema current_time current_timestamp current_user dec decimal \
default deferrable desc distinct do else end except exists extract false fetch float for foreign freeze from full \
grant greatest group grouping having ilike in initially inner inout int integer intersect interval into is isnull \
join json json_array json_arrayagg json_exists json_object json_objectagg json_query json_scalar json_serialize \
json_table json_value lateral leading least left like limit localtime localtimestamp merge_action national natural \
nchar none normalize not notnull null nullif numeric offset on only or order out outer overlaps overlay placing \
position precision primary real references returning right row select session_user setof similar smallint some \
substring symmetric system_user table tablesample then time timestamp to trailing treat trim true union unique user \
using values varchar variadic verbose when where window with xmlattributes xmlconcat xmlelement xmlexists xmlforest \
xmlnamespaces xmlparse xmlpi xmlroot xmlserialize xmltable ";

pub(super) fn all() -> Vec<Arc<ScalarUDF>> {
    vec![
        function(&["quote_literal"], of_one, |args| each(args, |text| text.map(literal))),
        function(&["quote_nullable"], of_one, |args| {
            each(args, |text| Some(text.map_or_else(|| "NULL".to_owned(), literal)))
        }),
        function(&["quote_ident"], of_one, |args| each(args, |text| text.map(identifier))),
        function(
            &["format"],
            |name, args| match args.first() {
                Some(pattern) if is_text(pattern.data_type()) => Ok(field(name, SqlType::Text)),
                _ => Err(no_such_function(name, args)),
            },
            formats,
        ),
    ]
}

fn of_one(name: &str, args: &[FieldRef]) -> Result<Field> {
    match args {
        [_] => Ok(field(name, SqlType::Text)),
        _ => Err(no_such_function(name, args)),
    }
}

fn as_texts(args: &ScalarFunctionArgs, at: usize) -> Result<StringViewArray> {
    let of = args.arg_fields.get(at).ok_or_else(|| Error::internal("an argument is missing"))?;
    Ok(cast(&written(&array(args, at)?, of)?, &DataType::Utf8View)?.as_string_view().clone())
}

fn each(args: &ScalarFunctionArgs, quoted: fn(Option<&str>) -> Option<String>) -> Result<ArrayRef> {
    Ok(Arc::new(as_texts(args, 0)?.iter().map(quoted).collect::<StringViewArray>()))
}

fn literal(text: &str) -> String {
    let prefix = if text.contains('\\') { "E" } else { "" };
    format!("{prefix}'{}'", text.replace('\\', "\\\\").replace('\'', "''"))
}

fn identifier(text: &str) -> String {
    let is_first = |first: char| first.is_ascii_lowercase() || first == '_';
    let is_plain = text.starts_with(is_first)
        && text.chars().all(|c| is_first(c) || c.is_ascii_digit())
        && !RESERVED.contains(&format!(" {text} "));
    if is_plain { text.to_owned() } else { format!("\"{}\"", text.replace('"', "\"\"")) }
}

fn formats(args: &ScalarFunctionArgs) -> Result<ArrayRef> {
    let patterns = Texts::of(args, 0)?;
    let values = (1..args.args.len()).map(|at| as_texts(args, at)).collect::<Result<Vec<_>>>()?;
    let rows = (0..args.number_rows).map(|row| {
        let value = |at: usize| values.get(at).map(|values| values.is_valid(row).then(|| values.value(row)));
        patterns.get(row).map(|pattern| formatted(pattern, value)).transpose()
    });
    Ok(Arc::new(rows.collect::<Result<StringViewArray>>()?))
}

fn formatted<'v>(pattern: &str, value: impl Fn(usize) -> Option<Option<&'v str>>) -> Result<String> {
    let mut text = String::with_capacity(pattern.len());
    let (mut rest, mut next) = (pattern, 0);
    while let Some((before, field)) = rest.split_once('%') {
        text.push_str(before);
        if let Some(after) = field.strip_prefix('%') {
            text.push('%');
            rest = after;
            continue;
        }
        let mut field = field;
        // `%1$s` is of the first value.
        if let Some((digits, after)) = field.split_once('$')
            && !digits.is_empty()
            && digits.bytes().all(|digit| digit.is_ascii_digit())
        {
            let number = digits.parse::<usize>().ok().and_then(|number| number.checked_sub(1));
            next = number.ok_or_else(|| refused("the values of format are numbered from 1".to_owned()))?;
            field = after;
        }
        let flagless = field.trim_start_matches('-');
        let mut is_left = flagless.len() < field.len();
        field = flagless;
        let n_digits = field.bytes().take_while(u8::is_ascii_digit).count();
        let (digits, after) = field.split_at_checked(n_digits).unwrap_or((field, ""));
        let mut width = digits.parse::<usize>().ok();
        field = after;
        if let Some(after) = field.strip_prefix('*') {
            let given = value(next).ok_or_else(too_few)?.and_then(|given| given.parse::<i64>().ok()).unwrap_or(0);
            is_left |= given < 0;
            width = usize::try_from(given.unsigned_abs()).ok();
            next += 1;
            field = after;
        }
        let mut letters = field.chars();
        let shown = match letters.next() {
            Some(letter @ ('s' | 'I' | 'L')) => match (letter, value(next).ok_or_else(too_few)?) {
                ('s', value) => value.unwrap_or_default().to_owned(),
                ('L', value) => value.map_or_else(|| "NULL".to_owned(), literal),
                (_, Some(value)) => identifier(value),
                (_, None) => {
                    let message = "a NULL cannot be formatted as an identifier";
                    return Err(Error::new(ErrorKind::InvalidParameterValue, message));
                }
            },
            Some(other) => return Err(refused(format!("format has no fields of the kind {other:?}"))),
            None => return Err(refused("the last field of format has no end".to_owned())),
        };
        next += 1;
        let width = width.unwrap_or(0);
        if width > MAX_WIDTH {
            return Err(Error::new(ErrorKind::ProgramLimitExceeded, format!("a field is at most {MAX_WIDTH} wide")));
        }
        let padding = " ".repeat(width.saturating_sub(shown.chars().count()));
        if is_left {
            text.extend([shown, padding]);
        } else {
            text.extend([padding, shown]);
        }
        rest = letters.as_str();
    }
    text.push_str(rest);
    Ok(text)
}

fn too_few() -> Error {
    refused("format has more fields than values".to_owned())
}

fn refused(message: String) -> Error {
    Error::new(ErrorKind::InvalidParameterValue, message)
}
