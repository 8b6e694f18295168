//! The types that `arrow_cast` names: those that values here can have, of sizes that there is memory for.

use std::str::FromStr;

use datafusion::arrow::datatypes::DataType;
use datafusion::sql::sqlparser::ast::{Expr, Function, FunctionArg, FunctionArgExpr, FunctionArguments, Value};

use crate::error::{Error, ErrorKind, Result};

/// The longest name of a type, in bytes: it is read recursively.
const MAX_NAME_BYTES: usize = 1000;

/// How deep types nest.
const MAX_NESTING: usize = 16;

/// The most elements of a list of fixed size, and bytes of a binary.
const MAX_FIXED: i32 = 65_536;

/// Refuses a call of `arrow_cast` to a type that nothing here has.
///
/// # Errors
/// `feature_not_supported`, `program_limit_exceeded`.
pub(crate) fn check(function: &Function) -> Result<()> {
    let FunctionArguments::List(list) = &function.args else { return Ok(()) };
    let [_, FunctionArg::Unnamed(FunctionArgExpr::Expr(name))] = list.args.as_slice() else { return Ok(()) };
    let Expr::Value(value) = name else { return Err(Error::unsupported("arrow_cast to a type that is not a literal")) };
    let Value::SingleQuotedString(name) = &value.value else {
        return Err(Error::unsupported("arrow_cast to a type that is not a literal"));
    };
    if name.len() > MAX_NAME_BYTES || name.matches('(').count() > MAX_NESTING {
        return Err(Error::new(ErrorKind::StatementTooComplex, "the type nests too deep"));
    }
    match DataType::from_str(name) {
        Ok(data_type) => check_type(&data_type),
        // Whoever evaluates the call says why.
        Err(_) => Ok(()),
    }
}

fn check_type(data_type: &DataType) -> Result<()> {
    match data_type {
        DataType::FixedSizeList(_, n) | DataType::FixedSizeBinary(n) if !(0..=MAX_FIXED).contains(n) => {
            Err(Error::new(
                ErrorKind::ProgramLimitExceeded,
                format!("{data_type} is too large: at most {MAX_FIXED} are taken"),
            ))
        }
        DataType::Decimal32(_, scale)
        | DataType::Decimal64(_, scale)
        | DataType::Decimal128(_, scale)
        | DataType::Decimal256(_, scale)
            if *scale < 0 =>
        {
            Err(Error::unsupported("decimals of a negative scale"))
        }
        DataType::Union(..) | DataType::RunEndEncoded(..) | DataType::ListView(_) | DataType::LargeListView(_) => {
            Err(Error::unsupported(format!("the type {data_type}")))
        }
        DataType::List(field)
        | DataType::LargeList(field)
        | DataType::FixedSizeList(field, _)
        | DataType::Map(field, _) => check_type(field.data_type()),
        DataType::Struct(fields) => fields.iter().try_for_each(|field| check_type(field.data_type())),
        DataType::Dictionary(_, values) => check_type(values),
        _ => Ok(()),
    }
}
