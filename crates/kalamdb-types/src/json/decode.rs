use std::{fmt, sync::Arc};

use arrow::{
    array::{
        ArrayRef, BinaryBuilder, BooleanBuilder, Date32Builder, Decimal128Builder, Float32Builder, Float64Builder,
        Int8Builder, Int16Builder, Int32Builder, Int64Builder, IntervalMonthDayNanoBuilder, StringViewBuilder,
        Time64MicrosecondBuilder, TimestampMicrosecondBuilder, UInt8Builder, UInt16Builder, UInt32Builder,
        UInt64Builder,
    },
    datatypes::IntervalMonthDayNano,
};
use base64::{Engine, engine::general_purpose::STANDARD};
use serde::de::{self, DeserializeSeed, Deserializer, IgnoredAny, SeqAccess, Visitor};

use super::{
    JsonError,
    decode_lists::{Lists, Vectors},
};
use crate::{
    SqlType,
    number::{self, Excess},
    sql_type::MAX_PRECISION,
};

/// Reads what [`encode_rows`](super::encode_rows) wrote, straight into one array of each type.
///
/// `n_rows_hint` is how many rows to make room for; it may be wrong.
///
/// # Errors
/// If the bytes are not rows of these types. Integers must fit, strings for decimals and bytes must parse; what was
/// checked on the way in (contents of `UUID` and `JSON`, lengths of `VARCHAR`, precisions of `DECIMAL`) is not checked
/// again.
pub fn decode_rows(bytes: &[u8], types: &[SqlType], n_rows_hint: usize) -> Result<Vec<ArrayRef>, JsonError> {
    // A row of n cells takes at least 2n + 1 bytes: a hint is no reason to allocate more than the input can fill.
    let n_rows = n_rows_hint.min(bytes.len() / (2 * types.len() + 1));
    let mut columns: Vec<Cells> = types.iter().map(|sql_type| Cells::new(*sql_type, n_rows)).collect();
    let text = std::str::from_utf8(bytes).map_err(|error| JsonError::Decode(error.to_string()))?;
    let mut input = serde_json::Deserializer::from_str(text);
    Rows(&mut columns)
        .deserialize(&mut input)
        .and_then(|()| input.end())
        .map_err(|error| JsonError::Decode(error.to_string()))?;
    columns.into_iter().map(Cells::finish).collect()
}

/// All rows.
struct Rows<'a>(&'a mut [Cells]);

impl<'de> DeserializeSeed<'de> for Rows<'_> {
    type Value = ();

    fn deserialize<D: Deserializer<'de>>(self, input: D) -> Result<(), D::Error> {
        input.deserialize_seq(self)
    }
}

impl<'de> Visitor<'de> for Rows<'_> {
    type Value = ();

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("an array of rows")
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut rows: A) -> Result<(), A::Error> {
        while rows.next_element_seed(Row(&mut *self.0))?.is_some() {}
        Ok(())
    }
}

/// One row: a cell for each column.
struct Row<'a>(&'a mut [Cells]);

impl<'de> DeserializeSeed<'de> for Row<'_> {
    type Value = ();

    fn deserialize<D: Deserializer<'de>>(self, input: D) -> Result<(), D::Error> {
        input.deserialize_seq(self)
    }
}

impl<'de> Visitor<'de> for Row<'_> {
    type Value = ();

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "a row of {} cells", self.0.len())
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut row: A) -> Result<(), A::Error> {
        for (index, column) in self.0.iter_mut().enumerate() {
            row.next_element_seed(Cell(column))?
                .ok_or_else(|| de::Error::custom(format_args!("a row of {index} cells")))?;
        }
        match row.next_element::<IgnoredAny>()? {
            None => Ok(()),
            Some(_) => Err(de::Error::custom(format_args!("a row of more than {} cells", self.0.len()))),
        }
    }
}

/// The next cell of a column.
pub(super) struct Cell<'a>(pub(super) &'a mut Cells);

impl<'de> DeserializeSeed<'de> for Cell<'_> {
    type Value = ();

    fn deserialize<D: Deserializer<'de>>(self, input: D) -> Result<(), D::Error> {
        input.deserialize_any(self)
    }
}

impl<'de> Visitor<'de> for Cell<'_> {
    type Value = ();

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "a cell of type {}", self.0.type_name())
    }

    fn visit_unit<E: de::Error>(self) -> Result<(), E> {
        self.0.append_null();
        Ok(())
    }

    fn visit_bool<E: de::Error>(self, value: bool) -> Result<(), E> {
        if self.0.append_bool(value) { Ok(()) } else { Err(E::invalid_type(de::Unexpected::Bool(value), &self)) }
    }

    fn visit_i64<E: de::Error>(self, value: i64) -> Result<(), E> {
        if self.0.append_integer(value.into()) {
            Ok(())
        } else {
            Err(E::invalid_value(de::Unexpected::Signed(value), &self))
        }
    }

    fn visit_u64<E: de::Error>(self, value: u64) -> Result<(), E> {
        if self.0.append_integer(value.into()) {
            Ok(())
        } else {
            Err(E::invalid_value(de::Unexpected::Unsigned(value), &self))
        }
    }

    fn visit_f64<E: de::Error>(self, value: f64) -> Result<(), E> {
        if self.0.append_float(value) { Ok(()) } else { Err(E::invalid_value(de::Unexpected::Float(value), &self)) }
    }

    fn visit_str<E: de::Error>(self, value: &str) -> Result<(), E> {
        // The text is not repeated in the error: it may be a user's.
        if self.0.append_str(value) { Ok(()) } else { Err(E::invalid_value(de::Unexpected::Other("string"), &self)) }
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut parts: A) -> Result<(), A::Error> {
        match self.0 {
            Cells::Interval(builder) => {
                let mut part = || {
                    parts
                        .next_element::<i64>()?
                        .ok_or_else(|| de::Error::custom("an interval of fewer than three parts"))
                };
                let (months, days, nanos) = (part()?, part()?, part()?);
                if parts.next_element::<IgnoredAny>()?.is_some() {
                    return Err(de::Error::custom("an interval of more than three parts"));
                }
                let narrow = |part: i64| i32::try_from(part).map_err(|_| de::Error::custom("an interval out of range"));
                builder.append_value(IntervalMonthDayNano::new(narrow(months)?, narrow(days)?, nanos));
                Ok(())
            }
            Cells::Embedding(vectors) => vectors.append(parts),
            Cells::Array(lists) => lists.append(parts),
            _ => Err(de::Error::invalid_type(de::Unexpected::Seq, &self)),
        }
    }
}

/// A column that is being built.
pub(super) enum Cells {
    Boolean(BooleanBuilder),
    TinyInt(Int8Builder),
    SmallInt(Int16Builder),
    Integer(Int32Builder),
    BigInt(Int64Builder),
    TinyIntUnsigned(UInt8Builder),
    SmallIntUnsigned(UInt16Builder),
    IntegerUnsigned(UInt32Builder),
    BigIntUnsigned(UInt64Builder),
    Real(Float32Builder),
    Double(Float64Builder),
    Decimal(Decimal128Builder, u8),
    Text(StringViewBuilder),
    Bytea(BinaryBuilder),
    Date(Date32Builder),
    Time(Time64MicrosecondBuilder),
    Timestamp(TimestampMicrosecondBuilder),
    Interval(IntervalMonthDayNanoBuilder),
    Embedding(Box<Vectors>),
    Array(Box<Lists>),
}

/// The same expression for each of Arrow's builders, and another for those of lists.
macro_rules! each {
    ($cells:expr, $builder:ident => $body:expr, $lists:ident => $lists_body:expr) => {
        match $cells {
            Cells::Boolean($builder) => $body,
            Cells::TinyInt($builder) => $body,
            Cells::SmallInt($builder) => $body,
            Cells::Integer($builder) => $body,
            Cells::BigInt($builder) => $body,
            Cells::TinyIntUnsigned($builder) => $body,
            Cells::SmallIntUnsigned($builder) => $body,
            Cells::IntegerUnsigned($builder) => $body,
            Cells::BigIntUnsigned($builder) => $body,
            Cells::Real($builder) => $body,
            Cells::Double($builder) => $body,
            Cells::Decimal($builder, _) => $body,
            Cells::Text($builder) => $body,
            Cells::Bytea($builder) => $body,
            Cells::Date($builder) => $body,
            Cells::Time($builder) => $body,
            Cells::Timestamp($builder) => $body,
            Cells::Interval($builder) => $body,
            Cells::Embedding($lists) => $lists_body,
            Cells::Array($lists) => $lists_body,
        }
    };
}

impl Cells {
    pub(super) fn new(sql_type: SqlType, n_rows: usize) -> Self {
        match sql_type {
            SqlType::Boolean => Self::Boolean(BooleanBuilder::with_capacity(n_rows)),
            SqlType::TinyInt => Self::TinyInt(Int8Builder::with_capacity(n_rows)),
            SqlType::SmallInt => Self::SmallInt(Int16Builder::with_capacity(n_rows)),
            SqlType::Integer => Self::Integer(Int32Builder::with_capacity(n_rows)),
            SqlType::BigInt => Self::BigInt(Int64Builder::with_capacity(n_rows)),
            SqlType::TinyIntUnsigned => Self::TinyIntUnsigned(UInt8Builder::with_capacity(n_rows)),
            SqlType::SmallIntUnsigned => Self::SmallIntUnsigned(UInt16Builder::with_capacity(n_rows)),
            SqlType::IntegerUnsigned => Self::IntegerUnsigned(UInt32Builder::with_capacity(n_rows)),
            SqlType::BigIntUnsigned => Self::BigIntUnsigned(UInt64Builder::with_capacity(n_rows)),
            SqlType::Real => Self::Real(Float32Builder::with_capacity(n_rows)),
            SqlType::Double => Self::Double(Float64Builder::with_capacity(n_rows)),
            SqlType::Decimal(_, scale) => {
                Self::Decimal(Decimal128Builder::with_capacity(n_rows).with_data_type(sql_type.arrow()), scale)
            }
            SqlType::Text | SqlType::Varchar(_) | SqlType::Uuid | SqlType::Json => {
                Self::Text(StringViewBuilder::with_capacity(n_rows))
            }
            SqlType::Bytea => Self::Bytea(BinaryBuilder::with_capacity(n_rows, 0)),
            SqlType::Date => Self::Date(Date32Builder::with_capacity(n_rows)),
            SqlType::Time => Self::Time(Time64MicrosecondBuilder::with_capacity(n_rows)),
            SqlType::Timestamp | SqlType::TimestampTz => {
                Self::Timestamp(TimestampMicrosecondBuilder::with_capacity(n_rows).with_data_type(sql_type.arrow()))
            }
            SqlType::Interval => Self::Interval(IntervalMonthDayNanoBuilder::with_capacity(n_rows)),
            SqlType::Embedding(length) => Self::Embedding(Box::new(Vectors::new(length))),
            SqlType::Array(array) => Self::Array(Box::new(Lists::new(array.element(), n_rows))),
        }
    }

    pub(super) fn finish(mut self) -> Result<ArrayRef, JsonError> {
        each!(&mut self, builder => Ok(Arc::new(builder.finish())), lists => lists.finish())
    }

    fn append_null(&mut self) {
        each!(self, builder => builder.append_null(), lists => lists.append_null());
    }

    // Each of the following says whether such a cell belongs in the column.

    fn append_bool(&mut self, value: bool) -> bool {
        match self {
            Self::Boolean(builder) => builder.append_value(value),
            _ => return false,
        }
        true
    }

    fn append_integer(&mut self, value: i128) -> bool {
        /// Appends the value if it fits.
        macro_rules! fit {
            ($builder:expr) => {
                value.try_into().map(|value| $builder.append_value(value)).is_ok()
            };
        }
        match self {
            Self::TinyInt(builder) => fit!(builder),
            Self::SmallInt(builder) => fit!(builder),
            Self::Integer(builder) => fit!(builder),
            Self::BigInt(builder) => fit!(builder),
            Self::TinyIntUnsigned(builder) => fit!(builder),
            Self::SmallIntUnsigned(builder) => fit!(builder),
            Self::IntegerUnsigned(builder) => fit!(builder),
            Self::BigIntUnsigned(builder) => fit!(builder),
            Self::Date(builder) => fit!(builder),
            Self::Time(builder) => fit!(builder),
            Self::Timestamp(builder) => fit!(builder),
            Self::Real(_) | Self::Double(_) => self.append_float(value as f64),
            Self::Boolean(_)
            | Self::Decimal(..)
            | Self::Text(_)
            | Self::Bytea(_)
            | Self::Interval(_)
            | Self::Embedding(_)
            | Self::Array(_) => false,
        }
    }

    pub(super) fn append_float(&mut self, value: f64) -> bool {
        match self {
            Self::Real(builder) => builder.append_value(to_f32(value)),
            Self::Double(builder) => builder.append_value(value),
            _ => return false,
        }
        true
    }

    fn append_str(&mut self, value: &str) -> bool {
        match self {
            Self::Text(builder) => {
                builder.append_value(value);
                true
            }
            Self::Decimal(builder, scale) => number::parse_decimal(value, MAX_PRECISION, *scale, Excess::Refuse)
                .map(|value| builder.append_value(value))
                .is_ok(),
            Self::Bytea(builder) => STANDARD.decode(value).map(|bytes| builder.append_value(bytes)).is_ok(),
            Self::Real(_) | Self::Double(_) => match value {
                "NaN" => self.append_float(f64::NAN),
                "Infinity" => self.append_float(f64::INFINITY),
                "-Infinity" => self.append_float(f64::NEG_INFINITY),
                _ => false,
            },
            _ => false,
        }
    }

    fn type_name(&self) -> &'static str {
        match self {
            Self::Boolean(_) => "BOOLEAN",
            Self::TinyInt(_) => "TINYINT",
            Self::SmallInt(_) => "SMALLINT",
            Self::Integer(_) => "INTEGER",
            Self::BigInt(_) => "BIGINT",
            Self::TinyIntUnsigned(_) => "TINYINT UNSIGNED",
            Self::SmallIntUnsigned(_) => "SMALLINT UNSIGNED",
            Self::IntegerUnsigned(_) => "INTEGER UNSIGNED",
            Self::BigIntUnsigned(_) => "BIGINT UNSIGNED",
            Self::Real(_) => "REAL",
            Self::Double(_) => "DOUBLE",
            Self::Decimal(..) => "DECIMAL",
            Self::Text(_) => "TEXT",
            Self::Bytea(_) => "BYTEA",
            Self::Date(_) => "DATE",
            Self::Time(_) => "TIME",
            Self::Timestamp(_) => "TIMESTAMP",
            Self::Interval(_) => "INTERVAL",
            Self::Embedding(_) => "EMBEDDING",
            Self::Array(_) => "an array",
        }
    }
}

/// The 32-bit float whose shortest digits were read as `value`.
///
/// Rounding twice, first the digits and then `value`, goes wrong only where `value` is halfway between two: of all
/// 32-bit floats that is 7.038531e-26.
fn to_f32(value: f64) -> f32 {
    let rounded = value as f32;
    if value.to_bits() & 0x1fff_ffff != 0x1000_0000 {
        return rounded;
    }
    let is_written_so = |candidate: &f32| ryu::Buffer::new().format(*candidate).parse() == Ok(value);
    [rounded, rounded.next_down(), rounded.next_up()].into_iter().find(is_written_so).unwrap_or(rounded)
}
