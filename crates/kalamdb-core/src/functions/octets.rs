//! `octet_length` and `bit_length`, of text (its UTF-8) and of bytes, `length`, of text (its characters) and of bytes,
//! and `bit_count` of bytes: DataFusion's do not take bytes.

use std::sync::Arc;

use datafusion::arrow::array::{ArrayRef, Int32Builder, Int64Builder};
use datafusion::arrow::datatypes::{DataType, Field, FieldRef};
use datafusion::functions::unicode::character_length::CharacterLengthFunc;
use datafusion::logical_expr::{ColumnarValue, ScalarFunctionArgs, ScalarUDF, ScalarUDFImpl, Signature, Volatility};
use kalamdb_types::SqlType;

use super::digests::{each, returns};
use super::scalar::function;
use crate::error::{Error, ErrorKind, Result, into_datafusion};

/// The functions of this module.
pub(super) fn all() -> Vec<Arc<ScalarUDF>> {
    vec![
        function(&["octet_length"], integer, |args| count(args, 1)),
        function(&["bit_length"], integer, |args| count(args, 8)),
        function(&["bit_count"], |name, args| returns(name, args, SqlType::BigInt), bits),
        Arc::new(ScalarUDF::new_from_impl(Length {
            of_text: CharacterLengthFunc::new(),
            signature: Signature::user_defined(Volatility::Immutable),
        })),
    ]
}

#[derive(Debug, PartialEq, Eq, Hash)]
struct Length {
    of_text: CharacterLengthFunc,
    signature: Signature,
}

impl ScalarUDFImpl for Length {
    fn name(&self) -> &str {
        self.of_text.name()
    }

    fn aliases(&self) -> &[String] {
        self.of_text.aliases()
    }

    fn signature(&self) -> &Signature {
        &self.signature
    }

    fn coerce_types(&self, types: &[DataType]) -> datafusion::error::Result<Vec<DataType>> {
        let [data_type] = types else {
            return datafusion::common::plan_err!("character_length takes one argument, not {}", types.len());
        };
        let is_kept =
            is_bytes(data_type) || matches!(data_type, DataType::Utf8 | DataType::LargeUtf8 | DataType::Utf8View);
        Ok(vec![if is_kept { data_type.clone() } else { DataType::Utf8 }])
    }

    fn return_type(&self, types: &[DataType]) -> datafusion::error::Result<DataType> {
        if types.iter().any(is_bytes) { Ok(DataType::Int32) } else { self.of_text.return_type(types) }
    }

    fn invoke_with_args(&self, args: ScalarFunctionArgs) -> datafusion::error::Result<ColumnarValue> {
        if args.args.iter().any(|arg| is_bytes(&arg.data_type())) {
            return count(&args, 1).map(ColumnarValue::Array).map_err(into_datafusion);
        }
        self.of_text.invoke_with_args(args)
    }
}

fn is_bytes(data_type: &DataType) -> bool {
    matches!(data_type, DataType::Binary | DataType::LargeBinary | DataType::BinaryView)
}

fn integer(name: &str, args: &[FieldRef]) -> Result<Field> {
    returns(name, args, SqlType::Integer)
}

/// How many bits are one.
fn bits(args: &ScalarFunctionArgs) -> Result<ArrayRef> {
    let mut counts = Int64Builder::with_capacity(args.number_rows);
    each(args, |value| {
        counts.append_option(value.map(|bytes| bytes.iter().map(|byte| i64::from(byte.count_ones())).sum::<i64>()));
    })?;
    Ok(Arc::new(counts.finish()))
}

fn count(args: &ScalarFunctionArgs, factor: usize) -> Result<ArrayRef> {
    let mut counts = Int32Builder::with_capacity(args.number_rows);
    let mut is_too_long = false;
    each(args, |value| {
        let bits = value.map(|bytes| i32::try_from(bytes.len().saturating_mul(factor)));
        is_too_long |= matches!(bits, Some(Err(_)));
        counts.append_option(bits.and_then(std::result::Result::ok));
    })?;
    if is_too_long {
        return Err(Error::new(ErrorKind::NumericValueOutOfRange, "the length is out of the range of INTEGER"));
    }
    Ok(Arc::new(counts.finish()))
}
