//! The types that a statement names.

use datafusion::sql::sqlparser::ast::{
    ArrayElemTypeDef, CharacterLength, DataType, ExactNumberInfo, Ident, ObjectNamePart, TimezoneInfo,
};
use kalamdb_types::SqlType;

use super::names::fold;
use crate::error::{Error, ErrorKind, Result};

/// Precision and scale of a DECIMAL that names neither, as in DataFusion.
const DEFAULT_DECIMAL: (u8, u8) = (38, 10);

/// The column type that a type in a statement means.
///
/// # Errors
/// `feature_not_supported` for types that cannot be stored and read back unchanged, `invalid_parameter_value` for sizes
/// out of range, `undefined_object` for unknown names.
pub(crate) fn column_type(data_type: &DataType) -> Result<SqlType> {
    use DataType as T;
    Ok(match data_type {
        T::Bool | T::Boolean => SqlType::Boolean,
        T::TinyInt(_) => SqlType::TinyInt,
        T::SmallInt(_) | T::Int2(_) | T::Int16 => SqlType::SmallInt,
        T::Int(_) | T::Integer(_) | T::Int4(_) | T::Int32 | T::MediumInt(_) => SqlType::Integer,
        T::BigInt(_) | T::Int8(_) | T::Int64 => SqlType::BigInt,
        T::TinyIntUnsigned(_) | T::UTinyInt | T::UInt8 => SqlType::TinyIntUnsigned,
        T::SmallIntUnsigned(_) | T::USmallInt | T::Int2Unsigned(_) | T::UInt16 => SqlType::SmallIntUnsigned,
        T::IntUnsigned(_) | T::IntegerUnsigned(_) | T::Int4Unsigned(_) | T::UInt32 | T::MediumIntUnsigned(_) => {
            SqlType::IntegerUnsigned
        }
        T::BigIntUnsigned(_) | T::UBigInt | T::Int8Unsigned(_) | T::UInt64 => SqlType::BigIntUnsigned,
        T::Real | T::Float4 | T::Float32 => SqlType::Real,
        T::Double(_) | T::DoublePrecision | T::Float8 | T::Float64 => SqlType::Double,
        T::Float(ExactNumberInfo::Precision(bits)) if *bits <= 24 => SqlType::Real,
        T::Float(_) => SqlType::Double,
        T::Decimal(info) | T::Numeric(info) | T::Dec(info) => decimal(info)?,
        T::Text
        | T::String(_)
        | T::Clob(_)
        | T::CharacterLargeObject(_)
        | T::CharLargeObject(_)
        | T::TinyText
        | T::MediumText
        | T::LongText => SqlType::Text,
        T::Varchar(length) | T::CharVarying(length) | T::CharacterVarying(length) | T::Nvarchar(length) => {
            varchar(length.as_ref())?
        }
        T::Char(length) | T::Character(length) => varchar(length.as_ref())?,
        T::Bytea
        | T::Blob(_)
        | T::Bytes(_)
        | T::Varbinary(_)
        | T::Binary(_)
        | T::TinyBlob
        | T::MediumBlob
        | T::LongBlob => SqlType::Bytea,
        T::Date | T::Date32 => SqlType::Date,
        T::Time(precision, TimezoneInfo::None | TimezoneInfo::WithoutTimeZone) => {
            at_most_microseconds(*precision, SqlType::Time)?
        }
        T::Timestamp(precision, TimezoneInfo::None | TimezoneInfo::WithoutTimeZone) => {
            at_most_microseconds(*precision, SqlType::Timestamp)?
        }
        T::Datetime(precision) => at_most_microseconds(*precision, SqlType::Timestamp)?,
        T::Timestamp(precision, TimezoneInfo::WithTimeZone | TimezoneInfo::Tz) => {
            at_most_microseconds(*precision, SqlType::TimestampTz)?
        }
        T::Interval { fields: None, precision: None | Some(6) } => SqlType::Interval,
        T::Uuid => SqlType::Uuid,
        T::JSON | T::JSONB => SqlType::Json,
        T::Array(element) => array(element)?,
        T::Custom(name, modifiers) => match (name.0.as_slice(), modifiers.as_slice()) {
            ([ObjectNamePart::Identifier(name)], [length]) if is_embedding(name) => embedding(length)?,
            ([ObjectNamePart::Identifier(name)], []) if is_embedding(name) => {
                return Err(invalid("EMBEDDING needs its number of dimensions".to_owned())
                    .with_hint("write, for instance, EMBEDDING(384)"));
            }
            ([ObjectNamePart::Identifier(name)], []) => match fold(name).as_str() {
                "string" => SqlType::Text,
                "timestamptz" => SqlType::TimestampTz,
                "jsonb" => SqlType::Json,
                other => return Err(undefined(other)),
            },
            _ => return Err(undefined(&data_type.to_string())),
        },
        other => return Err(Error::unsupported(format!("a column of type {other}"))),
    })
}

/// Arrays of any spelling: `T[]`, `T[3]` (PostgreSQL does not hold the number against the values either), `ARRAY<T>`,
/// `ARRAY(T)`.
fn array(element: &ArrayElemTypeDef) -> Result<SqlType> {
    let element = match element {
        ArrayElemTypeDef::SquareBracket(element, _)
        | ArrayElemTypeDef::AngleBracket(element)
        | ArrayElemTypeDef::Parenthesis(element) => element,
        ArrayElemTypeDef::None => {
            return Err(Error::unsupported("an ARRAY without the type of its elements")
                .with_hint("write, for instance, INTEGER[]"));
        }
    };
    column_type(element)?.array().ok_or_else(|| invalid("an array has at most six dimensions".to_owned()))
}

fn is_embedding(name: &Ident) -> bool {
    matches!(fold(name).as_str(), "embedding" | "vector")
}

fn embedding(length: &str) -> Result<SqlType> {
    let sql_type = length.parse().ok().and_then(SqlType::embedding);
    sql_type
        .ok_or_else(|| invalid(format!("EMBEDDING({length}) is out of range: the number of dimensions is 1 to 16000")))
}

fn undefined(name: &str) -> Error {
    Error::new(ErrorKind::UndefinedObject, format!("type {name} does not exist, or cannot be a column's type"))
        .with_hint("docs/types.md lists the types")
}

fn invalid(message: String) -> Error {
    Error::new(ErrorKind::InvalidParameterValue, message)
}

fn decimal(info: &ExactNumberInfo) -> Result<SqlType> {
    let (precision, scale) = match *info {
        ExactNumberInfo::None => return Ok(SqlType::Decimal(DEFAULT_DECIMAL.0, DEFAULT_DECIMAL.1)),
        ExactNumberInfo::Precision(precision) => (precision, 0),
        ExactNumberInfo::PrecisionAndScale(precision, scale) => (precision, scale),
    };
    match (u8::try_from(precision), u8::try_from(scale)) {
        (Ok(precision @ 1..=38), Ok(scale)) if scale <= precision => Ok(SqlType::Decimal(precision, scale)),
        _ => Err(invalid(format!(
            "DECIMAL({precision},{scale}) is out of range: the precision is 1 to 38, the scale 0 to the precision"
        ))),
    }
}

fn varchar(length: Option<&CharacterLength>) -> Result<SqlType> {
    match length {
        None | Some(CharacterLength::Max) => Ok(SqlType::Text),
        Some(CharacterLength::IntegerLength { length, .. }) => match u32::try_from(*length) {
            Ok(length @ 1..=10_485_760) => Ok(SqlType::Varchar(length)),
            _ => Err(invalid(format!("VARCHAR({length}) is out of range: the length is 1 to 10485760"))),
        },
    }
}

fn at_most_microseconds(precision: Option<u64>, sql_type: SqlType) -> Result<SqlType> {
    match precision {
        None | Some(6) => Ok(sql_type),
        Some(digits) => Err(Error::unsupported(format!("{sql_type}({digits})"))
            .with_hint("times are kept to the microsecond, which is the precision 6")),
    }
}
