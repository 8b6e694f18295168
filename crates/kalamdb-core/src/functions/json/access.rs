//! `json_get` and its family: the value at a path, as JSON, as text, or as a value of SQL.

use std::sync::Arc;

use datafusion::arrow::array::{
    Array, ArrayRef, AsArray, BooleanBuilder, Float64Builder, Int64Builder, ListArray, StringViewArray,
    StringViewBuilder,
};
use datafusion::arrow::compute::cast;
use datafusion::arrow::datatypes::{DataType, Field, FieldRef, Int64Type};
use datafusion::logical_expr::{ScalarFunctionArgs, ScalarUDF};
use kalamdb_types::SqlType;

use super::path::{Kind, Step, kind, read, to_text, walk};
use crate::error::{Error, Result};
use crate::functions::{Texts, array, field, function, is_text, no_such_function};

/// `json_get(json, step...)`, which is also the operator `->`.
pub(super) fn get() -> Arc<ScalarUDF> {
    function(
        &["json_get", "json_get_json"],
        |name, args| by_steps(name, args, SqlType::Json),
        |args| texts(args, &Steps::of(args, 1)?, false),
    )
}

/// `json_as_text(json, step...)`, which is also the operator `->>`.
pub(super) fn as_text() -> Arc<ScalarUDF> {
    function(
        &["json_as_text"],
        |name, args| by_steps(name, args, SqlType::Text),
        |args| texts(args, &Steps::of(args, 1)?, true),
    )
}

/// `json_extract_path(json, text...)`: keys and, for arrays, indices as text.
pub(super) fn extract_path() -> Arc<ScalarUDF> {
    let names = ["json_extract_path", "jsonb_extract_path"];
    function(&names, |name, args| by_path(name, args, SqlType::Json), |args| texts(args, &Steps::of_path(args)?, false))
}

/// `json_extract_path_text(json, text...)`.
pub(super) fn extract_path_text() -> Arc<ScalarUDF> {
    let names = ["json_extract_path_text", "jsonb_extract_path_text"];
    function(&names, |name, args| by_path(name, args, SqlType::Text), |args| texts(args, &Steps::of_path(args)?, true))
}

/// The functions that give a value of SQL: NULL where the JSON value is of another kind.
pub(super) fn typed() -> Vec<Arc<ScalarUDF>> {
    vec![
        function(
            &["json_get_str"],
            |name, args| by_steps(name, args, SqlType::Text),
            |args| {
                let mut values = StringViewBuilder::with_capacity(args.number_rows);
                each(args, &Steps::of(args, 1)?, |json| {
                    match json {
                        Some(json) if kind(json)? == Kind::String => values.append_value(read::<String>(json)?),
                        _ => values.append_null(),
                    }
                    Ok(())
                })?;
                Ok(Arc::new(values.finish()))
            },
        ),
        function(
            &["json_get_int"],
            |name, args| by_steps(name, args, SqlType::BigInt),
            |args| {
                let mut values = Int64Builder::with_capacity(args.number_rows);
                each(args, &Steps::of(args, 1)?, |json| {
                    values.append_option(json.and_then(|json| json.parse().ok()));
                    Ok(())
                })?;
                Ok(Arc::new(values.finish()))
            },
        ),
        function(
            &["json_get_float"],
            |name, args| by_steps(name, args, SqlType::Double),
            |args| {
                let mut values = Float64Builder::with_capacity(args.number_rows);
                each(args, &Steps::of(args, 1)?, |json| {
                    values.append_option(match json {
                        Some(json) if kind(json)? == Kind::Number => {
                            json.parse::<f64>().ok().filter(|value| value.is_finite())
                        }
                        _ => None,
                    });
                    Ok(())
                })?;
                Ok(Arc::new(values.finish()))
            },
        ),
        function(
            &["json_get_bool"],
            |name, args| by_steps(name, args, SqlType::Boolean),
            |args| {
                let mut values = BooleanBuilder::with_capacity(args.number_rows);
                each(args, &Steps::of(args, 1)?, |json| {
                    values.append_option(match json {
                        Some("true") => Some(true),
                        Some("false") => Some(false),
                        _ => None,
                    });
                    Ok(())
                })?;
                Ok(Arc::new(values.finish()))
            },
        ),
    ]
}

/// `json_contains(json, step...)`: whether the path leads to a value, be it null.
pub(super) fn contains_path() -> Arc<ScalarUDF> {
    function(
        &["json_contains"],
        |name, args| by_steps(name, args, SqlType::Boolean),
        |args| {
            let (json, steps) = (Texts::of(args, 0)?, Steps::of(args, 1)?);
            let mut values = BooleanBuilder::with_capacity(args.number_rows);
            for row in 0..args.number_rows {
                values.append_option(match (json.get(row), steps.get(row)) {
                    (Some(json), Some(steps)) => Some(walk(json, &steps)?.is_some()),
                    _ => None,
                });
            }
            Ok(Arc::new(values.finish()))
        },
    )
}

/// The arguments `json, step...`, a step being text or an integer.
pub(super) fn by_steps(name: &str, args: &[FieldRef], sql_type: SqlType) -> Result<Field> {
    let is_step = |arg: &FieldRef| is_text(arg.data_type()) || arg.data_type().is_integer();
    match args {
        [json, steps @ ..] if is_text(json.data_type()) && steps.iter().all(is_step) => Ok(field(name, sql_type)),
        _ => Err(no_such_function(name, args)),
    }
}

/// The arguments `json, text...`, or `json, text[]`.
fn by_path(name: &str, args: &[FieldRef], sql_type: SqlType) -> Result<Field> {
    let is_path = |path: &[FieldRef]| match path {
        [one] if is_texts(one.data_type()) => true,
        path => path.iter().all(|arg| is_text(arg.data_type())),
    };
    match args {
        [json, path @ ..] if is_text(json.data_type()) && is_path(path) => Ok(field(name, sql_type)),
        _ => Err(no_such_function(name, args)),
    }
}

/// Whether a type is a list of texts.
pub(super) fn is_texts(data_type: &DataType) -> bool {
    matches!(data_type, DataType::List(item) | DataType::LargeList(item) | DataType::FixedSizeList(item, _) if is_text(item.data_type()))
}

/// An argument that is a list of texts, as one list a row.
pub(super) fn text_lists(array: &ArrayRef) -> Result<ListArray> {
    let lists = DataType::List(Arc::new(Field::new_list_field(DataType::Utf8View, true)));
    Ok(cast(array, &lists)?.as_list::<i32>().clone())
}

/// The steps of a path, for each row.
pub(super) struct Steps(Vec<StepArg>);

enum StepArg {
    Key(Texts),
    Index(ArrayRef),
    Either(Texts),
    Path(ListArray),
}

impl Steps {
    /// The arguments from `first` on: text is a key, an integer an index.
    pub(super) fn of(args: &ScalarFunctionArgs, first: usize) -> Result<Self> {
        let step = |index: usize| {
            let is_index = args.arg_fields.get(index).is_some_and(|field| field.data_type().is_integer());
            Ok(if is_index {
                StepArg::Index(cast(&array(args, index)?, &DataType::Int64)?)
            } else {
                StepArg::Key(Texts::of(args, index)?)
            })
        };
        (first..args.args.len()).map(step).collect::<Result<_>>().map(Self)
    }

    /// The second argument if it is a list, else all from there on: keys, or indices where the value is an array.
    fn of_path(args: &ScalarFunctionArgs) -> Result<Self> {
        let step = |index: usize| {
            let is_list = args.arg_fields.get(index).is_some_and(|field| is_texts(field.data_type()));
            Ok(if is_list {
                StepArg::Path(text_lists(&array(args, index)?)?)
            } else {
                StepArg::Either(Texts::of(args, index)?)
            })
        };
        (1..args.args.len()).map(step).collect::<Result<_>>().map(Self)
    }

    /// The steps of one row; `None` if one of them is NULL.
    pub(super) fn get(&self, row: usize) -> Option<Vec<Step<'_>>> {
        let mut steps = Vec::with_capacity(self.0.len());
        for arg in &self.0 {
            match arg {
                StepArg::Key(texts) => steps.push(Step::Key(texts.get(row)?)),
                StepArg::Either(texts) => steps.push(Step::Either(texts.get(row)?)),
                StepArg::Index(array) => {
                    let indices = array.as_primitive::<Int64Type>();
                    steps.push(Step::Index(indices.is_valid(row).then(|| indices.value(row))?));
                }
                StepArg::Path(lists) => {
                    if lists.is_null(row) {
                        return None;
                    }
                    let texts: &StringViewArray = lists.values().as_string_view();
                    let bounds = lists.value_offsets().get(row..row + 2)?;
                    let [start, end] = <[i32; 2]>::try_from(bounds).ok()?;
                    for at in usize::try_from(start).ok()?..usize::try_from(end).ok()? {
                        steps.push(Step::Either(texts.is_valid(at).then(|| texts.value(at))?));
                    }
                }
            }
        }
        Some(steps)
    }
}

/// Calls `value` for each row with what the steps lead to.
pub(super) fn each(
    args: &ScalarFunctionArgs,
    steps: &Steps,
    mut value: impl FnMut(Option<&str>) -> Result<()>,
) -> Result<()> {
    let json = Texts::of(args, 0)?;
    for row in 0..args.number_rows {
        value(match (json.get(row), steps.get(row)) {
            (Some(json), Some(steps)) => walk(json, &steps)?,
            _ => None,
        })?;
    }
    Ok(())
}

/// The values that the steps lead to, as JSON or as text.
fn texts(args: &ScalarFunctionArgs, steps: &Steps, as_text: bool) -> Result<ArrayRef> {
    let mut values = StringViewBuilder::with_capacity(args.number_rows);
    each(args, steps, |json| {
        match json {
            Some(json) if as_text => values.append_option(to_text(json)?),
            json => values.append_option(json),
        }
        Ok(())
    })?;
    Ok(Arc::new(values.finish()))
}

/// The parts of a path that is written as text, `{a,0}`.
pub(super) fn path_of_text(text: &str) -> Result<Vec<String>> {
    let inner = text.trim_ascii().strip_prefix('{').and_then(|inner| inner.strip_suffix('}'));
    let inner = inner.ok_or_else(|| {
        Error::new(
            crate::error::ErrorKind::InvalidTextRepresentation,
            format!("a path is written {{key,index,...}}, not {text:?}"),
        )
    })?;
    if inner.trim_ascii().is_empty() {
        return Ok(Vec::new());
    }
    Ok(inner.split(',').map(|part| part.trim_ascii().trim_matches('"').to_owned()).collect())
}
