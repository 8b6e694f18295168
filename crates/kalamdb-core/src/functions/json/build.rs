//! Functions that make JSON of values of SQL.

use std::sync::Arc;

use datafusion::arrow::array::{Array, ArrayRef, StringViewBuilder};
use datafusion::logical_expr::{ScalarFunctionArgs, ScalarUDF};
use kalamdb_types::{SqlType, append_json};

use crate::error::{Error, ErrorKind, Result};
use crate::functions::{array, field, function, no_such_function};

/// The functions of this module.
pub(super) fn all() -> Vec<Arc<ScalarUDF>> {
    vec![
        function(
            &["to_json", "to_jsonb"],
            |name, args| match args {
                [_] => Ok(field(name, SqlType::Json)),
                _ => Err(no_such_function(name, args)),
            },
            to_json,
        ),
        function(
            &["json_build_array", "jsonb_build_array", "json_array"],
            |name, _| Ok(field(name, SqlType::Json)),
            build_array,
        ),
        function(
            &["json_build_object", "jsonb_build_object", "json_object"],
            |name, args| {
                if args.len().is_multiple_of(2) {
                    return Ok(field(name, SqlType::Json));
                }
                Err(Error::new(
                    ErrorKind::InvalidParameterValue,
                    format!("{name} takes keys and values in turn: an even number of arguments"),
                ))
            },
            build_object,
        ),
    ]
}

/// NULL stays NULL.
fn to_json(args: &ScalarFunctionArgs) -> Result<ArrayRef> {
    rows(args, |arguments, row, json| match arguments.first() {
        Some(argument) if argument.is_valid(row) => {
            argument.write(row, json);
            Ok(true)
        }
        _ => Ok(false),
    })
}

fn build_array(args: &ScalarFunctionArgs) -> Result<ArrayRef> {
    rows(args, |arguments, row, json| {
        json.push('[');
        for (at, argument) in arguments.iter().enumerate() {
            if at > 0 {
                json.push(',');
            }
            argument.write(row, json);
        }
        json.push(']');
        Ok(true)
    })
}

fn build_object(args: &ScalarFunctionArgs) -> Result<ArrayRef> {
    rows(args, |arguments, row, json| {
        json.push('{');
        for (at, pair) in arguments.chunks(2).enumerate() {
            let [key, value] = pair else { continue };
            if at > 0 {
                json.push(',');
            }
            write_key(key, row, json)?;
            json.push(':');
            value.write(row, json);
        }
        json.push('}');
        Ok(true)
    })
}

/// A value that becomes the key of an object: any but NULL, as text.
pub(super) fn write_key(key: &Argument, row: usize, json: &mut String) -> Result<()> {
    if !key.is_valid(row) {
        return Err(Error::new(ErrorKind::InvalidParameterValue, "a key of a JSON object must not be NULL"));
    }
    let start = json.len();
    key.write(row, json);
    if json.get(start..).is_some_and(|written| written.starts_with('"')) {
        return Ok(());
    }
    // Numbers, booleans, lists and JSON: their JSON becomes a string.
    let written = json.split_off(start);
    json.push_str(&serde_json::to_string(&written).map_err(|error| Error::internal(error.to_string()))?);
    Ok(())
}

/// An argument with what its field says of it.
pub(super) struct Argument {
    pub(super) array: ArrayRef,
    pub(super) field: datafusion::arrow::datatypes::FieldRef,
}

impl Argument {
    fn is_valid(&self, row: usize) -> bool {
        self.array.is_valid(row) && *self.array.data_type() != datafusion::arrow::datatypes::DataType::Null
    }

    pub(super) fn write(&self, row: usize, json: &mut String) {
        append_json(&self.array, &self.field, row, json);
    }
}

/// One JSON text a row, NULL where `write` says no.
fn rows(
    args: &ScalarFunctionArgs,
    mut write: impl FnMut(&[Argument], usize, &mut String) -> Result<bool>,
) -> Result<ArrayRef> {
    let arguments = args
        .arg_fields
        .iter()
        .enumerate()
        .map(|(index, field)| Ok(Argument { array: array(args, index)?, field: Arc::clone(field) }))
        .collect::<Result<Vec<_>>>()?;
    let mut texts = StringViewBuilder::with_capacity(args.number_rows);
    let mut json = String::new();
    for row in 0..args.number_rows {
        json.clear();
        if write(&arguments, row, &mut json)? {
            texts.append_value(&json);
        } else {
            texts.append_null();
        }
    }
    Ok(Arc::new(texts.finish()))
}
