//! `concat`, `concat_ws`, `encode` and `to_hex` as in PostgreSQL: booleans and arrays have its text forms, base64 is
//! padded and broken into lines, and negative integers have the bits of their type.

use std::sync::Arc;

use datafusion::arrow::array::{ArrayRef, AsArray, StringViewArray};
use datafusion::arrow::compute::cast;
use datafusion::arrow::datatypes::{DataType, Field, FieldRef, Int64Type, UInt64Type};
use datafusion::common::Result as DataFusionResult;
use datafusion::execution::session_state::SessionStateBuilder;
use datafusion::logical_expr::type_coercion::functions::fields_with_udf;
use datafusion::logical_expr::{
    ColumnarValue, Documentation, Expr, ScalarFunctionArgs, ScalarUDF, ScalarUDFImpl, Signature, Volatility,
};
use kalamdb_types::{Source, SqlType, coerce};

use super::casts::to_text;
use super::scalar::{Texts, array, field, function, is_text, no_such_function};
use crate::error::{Error, ErrorKind, Result, into_datafusion};

/// PostgreSQL breaks base64 after so many characters.
const LINE: usize = 76;

pub(super) fn all() -> Vec<Arc<ScalarUDF>> {
    let encode = function(
        &["encode"],
        |name, args| match args {
            [value, format]
                if is_text(format.data_type()) && (is_text(value.data_type()) || value.data_type().is_binary()) =>
            {
                Ok(field(name, SqlType::Text))
            }
            _ => Err(no_such_function(name, args)),
        },
        encode,
    );
    vec![
        encode,
        function(&["to_hex"], of_integer, |args| digits(args, |bits| format!("{bits:x}"))),
        function(&["to_bin"], of_integer, |args| digits(args, |bits| format!("{bits:b}"))),
        function(&["to_oct"], of_integer, |args| digits(args, |bits| format!("{bits:o}"))),
    ]
}

fn of_integer(name: &str, args: &[FieldRef]) -> Result<Field> {
    match args {
        [number] if number.data_type().is_integer() || number.data_type().is_null() => Ok(field(name, SqlType::Text)),
        _ => Err(no_such_function(name, args)),
    }
}

/// The bits of integers, of which those of up to 32 have 32.
fn digits(args: &ScalarFunctionArgs, written: fn(u64) -> String) -> Result<ArrayRef> {
    let numbers = array(args, 0)?;
    let is_wide = matches!(numbers.data_type(), DataType::Int64 | DataType::UInt64);
    if *numbers.data_type() == DataType::UInt64 {
        let numbers = numbers.as_primitive::<UInt64Type>();
        return Ok(Arc::new(numbers.iter().map(|number| number.map(written)).collect::<StringViewArray>()));
    }
    let numbers = cast(&numbers, &DataType::Int64)?;
    let bits =
        |number: i64| if is_wide { number.cast_unsigned() } else { number.cast_unsigned() & u64::from(u32::MAX) };
    Ok(Arc::new(
        numbers
            .as_primitive::<Int64Type>()
            .iter()
            .map(|number| number.map(|number| written(bits(number))))
            .collect::<StringViewArray>(),
    ))
}

/// Puts functions that write values as PostgreSQL does in place of DataFusion's.
pub(super) fn wrap_all(builder: &mut SessionStateBuilder) {
    for function in builder.scalar_functions().get_or_insert_default() {
        if matches!(function.name(), "concat" | "concat_ws") {
            let signature = Signature::user_defined(Volatility::Immutable);
            *function = Arc::new(ScalarUDF::new_from_impl(OfAny { function: Arc::clone(function), signature }));
        }
    }
}

/// A text is read as one is for a BYTEA.
fn encode(args: &ScalarFunctionArgs) -> Result<ArrayRef> {
    let (values, formats) = (array(args, 0)?, Texts::of(args, 1)?);
    let field = args.arg_fields.first().ok_or_else(|| Error::internal("an argument is missing"))?;
    let bytes =
        if is_text(values.data_type()) { coerce(&values, field, &SqlType::Bytea, Source::Sql)? } else { values };
    let bytes = cast(&bytes, &DataType::Binary)?;
    let rows = bytes.as_binary::<i32>().iter().enumerate();
    let texts =
        rows.map(|(row, bytes)| bytes.zip(formats.get(row)).map(|(bytes, format)| encoded(bytes, format)).transpose());
    Ok(Arc::new(texts.collect::<Result<StringViewArray>>()?))
}

fn encoded(bytes: &[u8], format: &str) -> Result<String> {
    Ok(match format.to_ascii_lowercase().as_str() {
        "hex" => bytes.iter().fold(String::with_capacity(bytes.len() * 2), |text, byte| format!("{text}{byte:02x}")),
        "base64" => base64(bytes),
        "escape" => bytes.iter().fold(String::with_capacity(bytes.len()), |text, byte| match byte {
            b'\\' => text + "\\\\",
            0 | 0x80.. => format!("{text}\\{byte:03o}"),
            other => text + char::from(*other).encode_utf8(&mut [0; 4]),
        }),
        _ => {
            let error = Error::new(ErrorKind::InvalidParameterValue, format!("unknown encoding: {format:?}"));
            return Err(error.with_hint("there are base64, hex and escape"));
        }
    })
}

/// With padding, and an end of line after each full line that is not the last.
fn base64(bytes: &[u8]) -> String {
    const DIGITS: &[u8] = b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
    let mut text = String::with_capacity(bytes.len().div_ceil(3) * 4 + bytes.len() / 57);
    for (number, group) in bytes.chunks(3).enumerate() {
        if number > 0 && (number * 4).is_multiple_of(LINE) {
            text.push('\n');
        }
        let bits = (0..3).fold(0_usize, |bits, at| bits << 8 | usize::from(group.get(at).copied().unwrap_or(0)));
        for at in 0..4 {
            let digit = DIGITS.get(bits >> (18 - 6 * at) & 63).filter(|_| at <= group.len());
            text.push(digit.map_or('=', |digit| char::from(*digit)));
        }
    }
    text
}

/// A function that takes values of any type for their texts.
#[derive(Debug, PartialEq, Eq, Hash)]
struct OfAny {
    function: Arc<ScalarUDF>,
    signature: Signature,
}

/// Whether a value has another text here than DataFusion gives it.
fn is_written(data_type: &DataType) -> bool {
    *data_type == DataType::Boolean || data_type.is_list()
}

fn as_text(data_type: &DataType) -> DataType {
    if is_written(data_type) { DataType::Utf8View } else { data_type.clone() }
}

impl ScalarUDFImpl for OfAny {
    fn name(&self) -> &str {
        self.function.name()
    }

    fn aliases(&self) -> &[String] {
        self.function.aliases()
    }

    fn schema_name(&self, args: &[Expr]) -> DataFusionResult<String> {
        self.function.schema_name(args)
    }

    fn signature(&self) -> &Signature {
        &self.signature
    }

    fn return_type(&self, types: &[DataType]) -> DataFusionResult<DataType> {
        self.function.return_type(&types.iter().map(as_text).collect::<Vec<_>>())
    }

    fn coerce_types(&self, types: &[DataType]) -> DataFusionResult<Vec<DataType>> {
        let fields: Vec<FieldRef> =
            types.iter().map(|data_type| Arc::new(Field::new("", as_text(data_type), true))).collect();
        let coerced = fields_with_udf(&fields, self.function.as_ref())?;
        let kept = |(own, coerced): (&DataType, FieldRef)| {
            if is_written(own) { own.clone() } else { coerced.data_type().clone() }
        };
        Ok(types.iter().zip(coerced).map(kept).collect())
    }

    fn documentation(&self) -> Option<&Documentation> {
        self.function.documentation()
    }

    fn invoke_with_args(&self, mut args: ScalarFunctionArgs) -> DataFusionResult<ColumnarValue> {
        for (arg, field) in args.args.iter_mut().zip(&mut args.arg_fields) {
            if !is_written(field.data_type()) {
                continue;
            }
            let n_rows = if matches!(arg, ColumnarValue::Scalar(_)) { 1 } else { args.number_rows };
            let texts = written(&arg.to_array(n_rows)?, field).map_err(into_datafusion)?;
            *arg = match arg {
                ColumnarValue::Scalar(_) => {
                    ColumnarValue::Scalar(datafusion::common::ScalarValue::try_from_array(&texts, 0)?)
                }
                ColumnarValue::Array(_) => ColumnarValue::Array(texts),
            };
            *field = Arc::new(Field::new(field.name(), DataType::Utf8View, true));
        }
        self.function.invoke_with_args(args)
    }
}

pub(super) fn written(values: &ArrayRef, field: &Field) -> Result<ArrayRef> {
    match values.as_any().downcast_ref::<datafusion::arrow::array::BooleanArray>() {
        Some(values) => Ok(Arc::new(
            values.iter().map(|value| value.map(|value| if value { "t" } else { "f" })).collect::<StringViewArray>(),
        )),
        None => to_text(values, field),
    }
}
