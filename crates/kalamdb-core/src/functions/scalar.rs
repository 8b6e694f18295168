//! What the scalar functions share: one implementation of DataFusion's trait, and their arguments as plain values.

use std::hash::{Hash, Hasher};
use std::sync::Arc;

use datafusion::arrow::array::{Array, ArrayRef, AsArray, StringViewArray};
use datafusion::arrow::compute::cast;
use datafusion::arrow::datatypes::{DataType, Field, FieldRef};
use datafusion::common::{DataFusionError, Result as DataFusionResult, ScalarValue};
use datafusion::logical_expr::{
    ColumnarValue, ReturnFieldArgs, ScalarFunctionArgs, ScalarUDF, ScalarUDFImpl, Signature, Volatility,
};
use kalamdb_types::{SqlType, type_name};

use crate::error::{Error, ErrorKind, Result, into_datafusion};

/// The values of a function for the rows of a batch.
type Invoke = fn(&ScalarFunctionArgs) -> Result<ArrayRef>;

/// Checks the arguments' types, and says what the function returns.
type Returns = fn(&str, &[FieldRef]) -> Result<Field>;

/// Checks the arguments' types, and says what they are converted to.
type Coerces = fn(&str, &[DataType]) -> DataFusionResult<Vec<DataType>>;

/// A function of its arguments alone.
#[derive(Debug)]
struct Function {
    name: &'static str,
    aliases: Vec<String>,
    signature: Signature,
    coerces: Option<Coerces>,
    returns: Returns,
    invoke: Invoke,
}

/// A function that takes arguments of any number and type, as far as `returns` lets them pass.
pub(crate) fn function(names: &[&'static str], returns: Returns, invoke: Invoke) -> Arc<ScalarUDF> {
    // No coercion: what an argument may be is not what any of DataFusion's signatures can say.
    let signature = Signature::one_of(
        vec![datafusion::logical_expr::TypeSignature::VariadicAny, datafusion::logical_expr::TypeSignature::Nullary],
        Volatility::Immutable,
    );
    named(names, signature, None, returns, invoke)
}

/// A function that takes arguments of the types that `coerces` gives.
pub(crate) fn coercing_function(
    names: &[&'static str],
    coerces: Coerces,
    returns: Returns,
    invoke: Invoke,
) -> Arc<ScalarUDF> {
    named(names, Signature::user_defined(Volatility::Immutable), Some(coerces), returns, invoke)
}

fn named(
    names: &[&'static str],
    signature: Signature,
    coerces: Option<Coerces>,
    returns: Returns,
    invoke: Invoke,
) -> Arc<ScalarUDF> {
    let (name, aliases) = names
        .split_first()
        .map_or(("", Vec::new()), |(name, aliases)| (*name, aliases.iter().map(ToString::to_string).collect()));
    Arc::new(ScalarUDF::new_from_impl(Function { name, aliases, signature, coerces, returns, invoke }))
}

impl PartialEq for Function {
    fn eq(&self, other: &Self) -> bool {
        self.name == other.name
    }
}

impl Eq for Function {}

impl Hash for Function {
    fn hash<H: Hasher>(&self, state: &mut H) {
        self.name.hash(state);
    }
}

impl ScalarUDFImpl for Function {
    fn name(&self) -> &str {
        self.name
    }

    fn aliases(&self) -> &[String] {
        &self.aliases
    }

    fn signature(&self) -> &Signature {
        &self.signature
    }

    fn return_type(&self, _: &[DataType]) -> DataFusionResult<DataType> {
        Err(asked_for_type(self.name))
    }

    fn coerce_types(&self, args: &[DataType]) -> DataFusionResult<Vec<DataType>> {
        // Who does not coerce is not asked.
        self.coerces.map_or_else(|| Ok(args.to_vec()), |coerces| coerces(self.name, args))
    }

    fn return_field_from_args(&self, args: ReturnFieldArgs<'_>) -> DataFusionResult<FieldRef> {
        (self.returns)(self.name, args.arg_fields).map(Arc::new).map_err(into_datafusion)
    }

    fn invoke_with_args(&self, args: ScalarFunctionArgs) -> DataFusionResult<ColumnarValue> {
        (self.invoke)(&args).map(ColumnarValue::Array).map_err(into_datafusion)
    }
}

/// The answer of functions whose fields say more than their types to whoever asks for the type.
pub(crate) fn asked_for_type(name: &str) -> DataFusionError {
    DataFusionError::Internal(format!("{name} has a field, not only a type"))
}

/// The error of PostgreSQL for arguments that no function of the name takes.
pub(crate) fn no_such_function(name: &str, arg_fields: &[FieldRef]) -> Error {
    let types: Vec<String> = arg_fields.iter().map(|field| type_name(field)).collect();
    Error::new(ErrorKind::UndefinedFunction, format!("function {name}({}) does not exist", types.join(", ")))
        .with_hint("cast the arguments")
}

pub(crate) fn is_text(data_type: &DataType) -> bool {
    matches!(data_type, DataType::Utf8 | DataType::LargeUtf8 | DataType::Utf8View | DataType::Null)
}

/// The field of a result.
pub(crate) fn field(name: &str, sql_type: SqlType) -> Field {
    sql_type.field(name, true)
}

/// An argument of text: one for all rows, or one a row.
pub(crate) enum Texts {
    One(Option<String>),
    Each(StringViewArray),
}

impl Texts {
    pub(super) fn of(args: &ScalarFunctionArgs, index: usize) -> Result<Self> {
        match args.args.get(index) {
            Some(ColumnarValue::Scalar(value)) => Ok(Self::One(match value {
                ScalarValue::Utf8(text) | ScalarValue::LargeUtf8(text) | ScalarValue::Utf8View(text) => text.clone(),
                ScalarValue::Null => None,
                other => return Err(not_text(&other.data_type())),
            })),
            Some(ColumnarValue::Array(array)) => match array.data_type() {
                data_type if is_text(data_type) => {
                    Ok(Self::Each(cast(array, &DataType::Utf8View)?.as_string_view().clone()))
                }
                other => Err(not_text(other)),
            },
            None => Err(Error::internal("an argument is missing")),
        }
    }

    pub(super) fn get(&self, row: usize) -> Option<&str> {
        match self {
            Self::One(text) => text.as_deref(),
            Self::Each(texts) => (row < texts.len() && texts.is_valid(row)).then(|| texts.value(row)),
        }
    }
}

fn not_text(data_type: &DataType) -> Error {
    Error::internal(format!("{data_type} is not text"))
}

/// The argument as one array of all rows.
pub(crate) fn array(args: &ScalarFunctionArgs, index: usize) -> Result<ArrayRef> {
    let value = args.args.get(index).ok_or_else(|| Error::internal("an argument is missing"))?;
    Ok(value.to_array(args.number_rows)?)
}
