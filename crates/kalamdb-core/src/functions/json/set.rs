//! JSON with a value put at a path, and without the members that are null: `jsonb_set`, `jsonb_insert`,
//! `jsonb_strip_nulls`. What stays is kept as it is written.

use std::sync::Arc;

use datafusion::arrow::array::{Array, ArrayRef, AsArray, StringViewArray};
use datafusion::arrow::compute::cast;
use datafusion::arrow::datatypes::{DataType, Field, FieldRef};
use datafusion::logical_expr::{ScalarFunctionArgs, ScalarUDF};
use kalamdb_types::SqlType;

use super::access::{is_texts, path_of_text, text_lists};
use super::change::{MAX_STEPS, list, object, position};
use super::path::{Kind, check, elements, kind, members};
use crate::error::{Error, ErrorKind, Result};
use crate::functions::{Texts, array, field, function, is_text, no_such_function};

pub(super) fn all() -> Vec<Arc<ScalarUDF>> {
    vec![
        function(&["jsonb_set"], returns, |args| {
            changed(args, |flag| if flag { Put::Set } else { Put::Replace }, true)
        }),
        function(&["jsonb_insert"], returns, |args| {
            changed(args, |flag| if flag { Put::After } else { Put::Before }, false)
        }),
        function(&["jsonb_strip_nulls"], of_json, strips),
    ]
}

fn of_json(name: &str, args: &[FieldRef]) -> Result<Field> {
    match args {
        [json] if is_text(json.data_type()) => Ok(field(name, SqlType::Json)),
        _ => Err(no_such_function(name, args)),
    }
}

/// JSON, a path, a value, and perhaps whether what is not there is made, or where the value goes.
fn returns(name: &str, args: &[FieldRef]) -> Result<Field> {
    let (fixed, flag) = args.split_at_checked(3).unwrap_or((args, &[]));
    let is_flag = |of: &FieldRef| matches!(of.data_type(), DataType::Boolean | DataType::Null);
    match (fixed, flag) {
        ([json, path, value], [] | [_])
            if is_text(json.data_type())
                && is_text(value.data_type())
                && (is_text(path.data_type()) || is_texts(path.data_type()))
                && flag.iter().all(is_flag) =>
        {
            Ok(field(name, SqlType::Json))
        }
        _ => Err(no_such_function(name, args)),
    }
}

/// How a value comes to its place.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Put {
    /// In place of what is there, or anew.
    Set,
    Replace,
    /// Beside the element that is there.
    Before,
    After,
}

fn changed(args: &ScalarFunctionArgs, put: fn(bool) -> Put, default: bool) -> Result<ArrayRef> {
    let (json, values) = (Texts::of(args, 0)?, Texts::of(args, 2)?);
    let paths = array(args, 1)?;
    let is_written = is_text(paths.data_type());
    let texts = if is_written { Some(Texts::of(args, 1)?) } else { None };
    let lists = if is_written { None } else { Some(text_lists(&paths)?) };
    let path = |row: usize| -> Result<Option<Vec<String>>> {
        if let Some(texts) = &texts {
            return texts.get(row).map(path_of_text).transpose();
        }
        let Some(list) = lists.as_ref().filter(|lists| lists.is_valid(row)).map(|lists| lists.value(row)) else {
            return Ok(None);
        };
        let steps = cast(&list, &DataType::Utf8View)?;
        Ok(Some(steps.as_string_view().iter().flatten().map(ToOwned::to_owned).collect()))
    };
    let flags = if args.args.len() > 3 { Some(cast(&array(args, 3)?, &DataType::Boolean)?) } else { None };
    let flag = |row: usize| match &flags {
        Some(flags) => flags.is_valid(row).then(|| flags.as_boolean().value(row)),
        None => Some(default),
    };
    let rows = (0..args.number_rows).map(|row| {
        let (Some(json), Some(path), Some(value), Some(flag)) = (json.get(row), path(row)?, values.get(row), flag(row))
        else {
            return Ok(None);
        };
        let (json, value) = (json.trim_ascii(), value.trim_ascii());
        check(value)?;
        if !matches!(kind(json)?, Kind::Object | Kind::Array) {
            return Err(Error::new(ErrorKind::InvalidParameterValue, "cannot set a path in a scalar"));
        }
        if path.len() > MAX_STEPS {
            return Err(Error::new(ErrorKind::ProgramLimitExceeded, format!("a path has at most {MAX_STEPS} steps")));
        }
        with_value(json, &path, value, put(flag)).map(Some)
    });
    Ok(Arc::new(rows.collect::<Result<StringViewArray>>()?))
}

fn with_value(json: &str, path: &[String], value: &str, put: Put) -> Result<String> {
    let Some((step, rest)) = path.split_first() else { return Ok(json.to_owned()) };
    match kind(json)? {
        Kind::Object => {
            let all = members(json)?;
            let is_there = all.iter().any(|(key, _)| key == step);
            let mut changed = Vec::with_capacity(all.len() + 1);
            for (key, old) in all {
                let new = match () {
                    () if key != *step => old.to_owned(),
                    () if !rest.is_empty() => with_value(old, rest, value, put)?,
                    () if matches!(put, Put::Before | Put::After) => {
                        let error = Error::new(ErrorKind::InvalidParameterValue, "cannot replace an existing key");
                        return Err(error.with_hint("use jsonb_set to replace a value"));
                    }
                    () => value.to_owned(),
                };
                changed.push((key, new));
            }
            if !is_there && rest.is_empty() && put != Put::Replace {
                changed.push((step.clone(), value.to_owned()));
            }
            Ok(object(&changed))
        }
        Kind::Array => {
            let mut all: Vec<String> = elements(json)?.into_iter().map(ToOwned::to_owned).collect();
            let index: i64 = step.trim_ascii().parse().map_err(|_| {
                Error::new(ErrorKind::InvalidTextRepresentation, format!("a step of a path is no index: {step:?}"))
            })?;
            let at = position(index, all.len());
            match (at, put) {
                (Some(at), _) if !rest.is_empty() => {
                    if let Some(element) = all.get_mut(at) {
                        *element = with_value(element, rest, value, put)?;
                    }
                }
                (Some(at), Put::Set | Put::Replace) => {
                    if let Some(element) = all.get_mut(at) {
                        value.clone_into(element);
                    }
                }
                (Some(at), Put::Before) => all.insert(at, value.to_owned()),
                (Some(at), Put::After) => all.insert(at + 1, value.to_owned()),
                (None, Put::Replace) => {}
                (None, _) if !rest.is_empty() => {}
                (None, _) if index < 0 => all.insert(0, value.to_owned()),
                (None, _) => all.push(value.to_owned()),
            }
            Ok(list(&all))
        }
        _ => Ok(json.to_owned()),
    }
}

fn strips(args: &ScalarFunctionArgs) -> Result<ArrayRef> {
    let json = Texts::of(args, 0)?;
    let rows = (0..args.number_rows).map(|row| json.get(row).map(|json| without_nulls(json.trim_ascii())).transpose());
    Ok(Arc::new(rows.collect::<Result<StringViewArray>>()?))
}

/// How deep a value may be is checked where it is read.
fn without_nulls(json: &str) -> Result<String> {
    match kind(json)? {
        Kind::Object => {
            let mut kept = Vec::new();
            for (key, value) in members(json)? {
                if kind(value)? != Kind::Null {
                    kept.push((key, without_nulls(value)?));
                }
            }
            Ok(object(&kept))
        }
        Kind::Array => Ok(list(&elements(json)?.into_iter().map(without_nulls).collect::<Result<Vec<_>>>()?)),
        _ => Ok(json.to_owned()),
    }
}
