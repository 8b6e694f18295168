//! `cast_to(value, 'TYPE')` and `try_cast_to`: what a CAST to a type that DataFusion does not know, or reads otherwise,
//! is planned as.

use std::sync::Arc;

use datafusion::arrow::array::{Array, ArrayRef, AsArray, StringViewArray, new_null_array};
use datafusion::arrow::compute::{self, concat};
use datafusion::arrow::datatypes::{DataType, Field, FieldRef};
use datafusion::common::{Result as DataFusionResult, ScalarValue};
use datafusion::logical_expr::{
    ColumnarValue, Expr, ReturnFieldArgs, ScalarFunctionArgs, ScalarUDF, ScalarUDFImpl, Signature, Volatility,
};
use kalamdb_types::{Source, SqlType, coerce};

use super::scalar::{array, asked_for_type};
use crate::error::{Error, ErrorKind, Result, into_datafusion};

/// The name of the function.
pub(crate) const CAST_TO: &str = "cast_to";

/// The name of the function that gives NULL where a value does not convert.
pub(crate) const TRY_CAST_TO: &str = "try_cast_to";

pub(crate) fn cast_to() -> Arc<ScalarUDF> {
    function(CAST_TO)
}

pub(super) fn try_cast_to() -> Arc<ScalarUDF> {
    function(TRY_CAST_TO)
}

fn function(name: &'static str) -> Arc<ScalarUDF> {
    Arc::new(ScalarUDF::new_from_impl(CastTo { name, signature: Signature::any(2, Volatility::Immutable) }))
}

#[derive(Debug, PartialEq, Eq, Hash)]
struct CastTo {
    name: &'static str,
    signature: Signature,
}

impl ScalarUDFImpl for CastTo {
    fn name(&self) -> &str {
        self.name
    }

    /// A column that is cast keeps its name, as with other casts.
    fn schema_name(&self, args: &[Expr]) -> DataFusionResult<String> {
        Ok(args.first().map_or_else(String::new, |value| value.schema_name().to_string()))
    }

    fn signature(&self) -> &Signature {
        &self.signature
    }

    fn return_type(&self, _: &[DataType]) -> DataFusionResult<DataType> {
        Err(asked_for_type(self.name))
    }

    fn return_field_from_args(&self, args: ReturnFieldArgs<'_>) -> DataFusionResult<FieldRef> {
        let name = match args.scalar_arguments.get(1) {
            Some(Some(
                ScalarValue::Utf8(Some(name)) | ScalarValue::Utf8View(Some(name)) | ScalarValue::LargeUtf8(Some(name)),
            )) => name.as_str(),
            _ => "",
        };
        let sql_type = name
            .parse::<SqlType>()
            .map_err(|error| into_datafusion(Error::new(ErrorKind::UndefinedObject, error.to_string())))?;
        Ok(Arc::new(sql_type.field(self.name, true)))
    }

    fn invoke_with_args(&self, args: ScalarFunctionArgs) -> DataFusionResult<ColumnarValue> {
        if self.name == TRY_CAST_TO {
            return try_cast(&args).map_err(into_datafusion);
        }
        cast(&args).map_err(into_datafusion)
    }
}

/// Converts as an assignment to a column of the type does.
fn cast(args: &ScalarFunctionArgs) -> Result<ColumnarValue> {
    let target = SqlType::of_field(&args.return_field).ok_or_else(|| Error::internal("a cast has a type"))?;
    let field = args.arg_fields.first().ok_or_else(|| Error::internal("an argument is missing"))?;
    let values = array(args, 0)?;
    Ok(ColumnarValue::Array(match target {
        // What is too long is cut off, where an assignment refuses it.
        SqlType::Varchar(length) => cut_off(&coerce(&values, field, &SqlType::Text, Source::Sql)?, length as usize),
        SqlType::Text => to_text(&values, field)?,
        _ => coerce(&values, field, &target, Source::Sql)?,
    }))
}

/// The texts of values; unlike an assignment a cast takes bytes, and what is no type of a column, too.
pub(super) fn to_text(values: &ArrayRef, field: &Field) -> Result<ArrayRef> {
    if matches!(SqlType::of_field(field), Some(SqlType::Bytea)) {
        let bytes = compute::cast(values, &DataType::Binary)?;
        let hex = |bytes: &[u8]| bytes.iter().fold("\\x".to_owned(), |text, byte| format!("{text}{byte:02x}"));
        return Ok(Arc::new(bytes.as_binary::<i32>().iter().map(|bytes| bytes.map(hex)).collect::<StringViewArray>()));
    }
    if SqlType::of_field(field).is_none() {
        return Ok(compute::cast(values, &DataType::Utf8View)?);
    }
    Ok(coerce(values, field, &SqlType::Text, Source::Sql)?)
}

/// Converts each value by itself if not all convert.
fn try_cast(args: &ScalarFunctionArgs) -> Result<ColumnarValue> {
    if let Ok(values) = cast(args) {
        return Ok(values);
    }
    let target = SqlType::of_field(&args.return_field).ok_or_else(|| Error::internal("a cast has a type"))?;
    let field = args.arg_fields.first().ok_or_else(|| Error::internal("an argument is missing"))?;
    let values = array(args, 0)?;
    let null = new_null_array(args.return_field.data_type(), 1);
    let rows: Vec<ArrayRef> = (0..values.len())
        .map(|row| coerce(&values.slice(row, 1), field, &target, Source::Sql).unwrap_or_else(|_| Arc::clone(&null)))
        .collect();
    let rows: Vec<&dyn Array> = rows.iter().map(|row| row.as_ref()).collect();
    Ok(ColumnarValue::Array(if rows.is_empty() { values.slice(0, 0) } else { concat(&rows)? }))
}

/// The texts, each with so many characters at most.
fn cut_off(texts: &ArrayRef, length: usize) -> ArrayRef {
    let cut =
        |text: &str| text.char_indices().nth(length).and_then(|(end, _)| text.get(..end)).unwrap_or(text).to_owned();
    Arc::new(texts.as_string_view().iter().map(|text| text.map(cut)).collect::<StringViewArray>())
}
