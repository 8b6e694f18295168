use std::{collections::HashMap, fmt, str::FromStr, sync::Arc};

use arrow::datatypes::{DataType, Field, FieldRef, IntervalUnit, TimeUnit};
use serde::{Deserialize, Serialize};
use thiserror::Error;

/// The key of the field metadata that tells apart the types which share one Arrow type: its value is the canonical
/// name.
pub const TYPE_KEY: &str = "kalamdb.type";

/// The most characters that `VARCHAR(n)` may allow.
const MAX_VARCHAR: u32 = 10_485_760;

/// The most digits of a `DECIMAL`.
pub(crate) const MAX_PRECISION: u8 = 38;

/// The most dimensions of an array, as in PostgreSQL.
const MAX_DIMENSIONS: u8 = 6;

/// The most numbers that an `EMBEDDING` may have.
const MAX_EMBEDDING: u32 = 16_000;

/// Declares [`SqlType`] together with the types that arrays are made of and the list of types without parameters, so
/// that no list can miss one.
macro_rules! sql_types {
    ($($(#[$doc:meta])* $variant:ident = $name:literal,)*) => {
        /// A type that a column may have.
        ///
        /// Displayed, parsed and serialised as its canonical SQL name, for instance `DECIMAL(10,2)`. Other spellings
        /// (`INT8`, `STRING`) are the business of the SQL layer.
        #[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
        #[serde(into = "String", try_from = "String")]
        pub enum SqlType {
            $($(#[$doc])* $variant,)*
            /// A decimal number of (precision, scale): that many digits, of which so many after the point.
            /// `1 <= precision <= 38`, `0 <= scale <= precision`.
            Decimal(u8, u8),
            /// Text of at most so many characters, `1..=10_485_760`.
            Varchar(u32),
            /// A vector of so many 32-bit floats, `1..=16_000`.
            Embedding(u32),
            /// Any number of values of another type, NULLs among them.
            Array(ArrayType),
        }

        /// The types other than arrays. They are apart because a type that holds itself could not be copied.
        #[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
        enum Scalar {
            $($variant,)*
            Decimal(u8, u8),
            Varchar(u32),
            Embedding(u32),
        }

        const PLAIN: &[(&str, SqlType)] = &[$(($name, SqlType::$variant),)*];

        impl From<Scalar> for SqlType {
            fn from(scalar: Scalar) -> Self {
                match scalar {
                    $(Scalar::$variant => Self::$variant,)*
                    Scalar::Decimal(precision, scale) => Self::Decimal(precision, scale),
                    Scalar::Varchar(length) => Self::Varchar(length),
                    Scalar::Embedding(length) => Self::Embedding(length),
                }
            }
        }

        impl ArrayType {
            /// Arrays of the element; `None` if they had too many dimensions.
            fn of(element: SqlType) -> Option<Self> {
                let (scalar, dimensions) = match element {
                    $(SqlType::$variant => (Scalar::$variant, 1),)*
                    SqlType::Decimal(precision, scale) => (Scalar::Decimal(precision, scale), 1),
                    SqlType::Varchar(length) => (Scalar::Varchar(length), 1),
                    SqlType::Embedding(length) => (Scalar::Embedding(length), 1),
                    SqlType::Array(array) => (array.scalar, array.dimensions + 1),
                };
                (dimensions <= MAX_DIMENSIONS).then_some(Self { scalar, dimensions })
            }
        }

        impl fmt::Display for SqlType {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                match self {
                    $(Self::$variant => f.write_str($name),)*
                    Self::Decimal(precision, scale) => write!(f, "DECIMAL({precision},{scale})"),
                    Self::Varchar(length) => write!(f, "VARCHAR({length})"),
                    Self::Embedding(length) => write!(f, "EMBEDDING({length})"),
                    Self::Array(array) => write!(f, "{}[]", array.element()),
                }
            }
        }
    };
}

/// What an array is made of, and in how many dimensions.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub struct ArrayType {
    scalar: Scalar,
    dimensions: u8,
}

impl ArrayType {
    /// The type of the array's elements, arrays themselves if it has several dimensions.
    pub fn element(self) -> SqlType {
        match self.dimensions {
            0 | 1 => self.scalar.into(),
            dimensions => SqlType::Array(Self { dimensions: dimensions - 1, ..self }),
        }
    }
}

sql_types! {
    /// true or false.
    Boolean = "BOOLEAN",
    /// An integer of 8 bits.
    TinyInt = "TINYINT",
    /// An integer of 16 bits.
    SmallInt = "SMALLINT",
    /// An integer of 32 bits.
    Integer = "INTEGER",
    /// An integer of 64 bits.
    BigInt = "BIGINT",
    /// An integer of 8 bits without sign.
    TinyIntUnsigned = "TINYINT UNSIGNED",
    /// An integer of 16 bits without sign.
    SmallIntUnsigned = "SMALLINT UNSIGNED",
    /// An integer of 32 bits without sign.
    IntegerUnsigned = "INTEGER UNSIGNED",
    /// An integer of 64 bits without sign.
    BigIntUnsigned = "BIGINT UNSIGNED",
    /// An IEEE number of 32 bits.
    Real = "REAL",
    /// An IEEE number of 64 bits.
    Double = "DOUBLE",
    /// Text of any length.
    Text = "TEXT",
    /// Bytes.
    Bytea = "BYTEA",
    /// A day: days since 1970-01-01.
    Date = "DATE",
    /// A time of day, in microseconds.
    Time = "TIME",
    /// A date and time without a zone, in microseconds.
    Timestamp = "TIMESTAMP",
    /// A point in time, in microseconds, shown in UTC.
    TimestampTz = "TIMESTAMPTZ",
    /// Months, days and nanoseconds, each with a sign of its own.
    Interval = "INTERVAL",
    /// A UUID: lower-case text with hyphens.
    Uuid = "UUID",
    /// A JSON text, kept as it was given.
    Json = "JSON",
}

impl SqlType {
    /// Every type once; the types with parameters at several sizes, the largest among them.
    pub fn all_examples() -> Vec<Self> {
        let mut types: Vec<Self> = PLAIN.iter().map(|(_, plain)| *plain).collect();
        types.extend([Self::Decimal(1, 0), Self::Decimal(10, 2), Self::Decimal(38, 0), Self::Decimal(38, 38)]);
        types.extend([Self::Varchar(1), Self::Varchar(255), Self::Varchar(MAX_VARCHAR)]);
        types.extend([Self::Embedding(1), Self::Embedding(3), Self::Embedding(MAX_EMBEDDING)]);
        // Of each type an array, but for the largest embedding, whose arrays are of no use in examples.
        let arrays: Vec<Self> = types
            .iter()
            .filter(|scalar| **scalar != Self::Embedding(MAX_EMBEDDING))
            .filter_map(|scalar| scalar.array())
            .collect();
        types.extend(arrays);
        let nested = [Self::Integer, Self::Text, Self::Json].into_iter().filter_map(|scalar| scalar.array()?.array());
        types.extend(nested);
        types.extend((0..MAX_DIMENSIONS).try_fold(Self::Double, |element, _| element.array()));
        types
    }

    /// Arrays of this type; `None` if they had more than six dimensions.
    pub fn array(self) -> Option<Self> {
        ArrayType::of(self).map(Self::Array)
    }

    /// The type `EMBEDDING(length)`; `None` if there is none of that length.
    pub fn embedding(length: u64) -> Option<Self> {
        u32::try_from(length).ok().filter(|length| (1..=MAX_EMBEDDING).contains(length)).map(Self::Embedding)
    }

    /// Whether a column of this type may be a key: whether equal values have one form.
    pub fn can_be_key(&self) -> bool {
        !matches!(self, Self::Interval | Self::Embedding(_) | Self::Array(_))
    }

    /// The Arrow type that holds a column of this type.
    pub fn arrow(&self) -> DataType {
        match *self {
            Self::Boolean => DataType::Boolean,
            Self::TinyInt => DataType::Int8,
            Self::SmallInt => DataType::Int16,
            Self::Integer => DataType::Int32,
            Self::BigInt => DataType::Int64,
            Self::TinyIntUnsigned => DataType::UInt8,
            Self::SmallIntUnsigned => DataType::UInt16,
            Self::IntegerUnsigned => DataType::UInt32,
            Self::BigIntUnsigned => DataType::UInt64,
            Self::Real => DataType::Float32,
            Self::Double => DataType::Float64,
            Self::Decimal(precision, scale) => DataType::Decimal128(precision, scale.cast_signed()),
            Self::Text | Self::Varchar(_) | Self::Uuid | Self::Json => DataType::Utf8View,
            Self::Bytea => DataType::Binary,
            Self::Date => DataType::Date32,
            Self::Time => DataType::Time64(TimeUnit::Microsecond),
            Self::Timestamp => DataType::Timestamp(TimeUnit::Microsecond, None),
            Self::TimestampTz => DataType::Timestamp(TimeUnit::Microsecond, Some("UTC".into())),
            Self::Interval => DataType::Interval(IntervalUnit::MonthDayNano),
            Self::Embedding(length) => DataType::FixedSizeList(item(DataType::Float32), length.cast_signed()),
            Self::Array(array) => DataType::List(item(array.element().arrow())),
        }
    }

    /// The Arrow field of a column of this type; `VARCHAR(n)`, `UUID` and `JSON`, and arrays of them, are marked under
    /// [`TYPE_KEY`].
    pub fn field(&self, name: &str, nullable: bool) -> Field {
        let field = Field::new(name, self.arrow(), nullable);
        if self.is_marked() {
            field.with_metadata(HashMap::from([(TYPE_KEY.to_owned(), self.to_string())]))
        } else {
            field
        }
    }

    /// Whether the Arrow type alone does not tell this type from others.
    fn is_marked(&self) -> bool {
        match self {
            Self::Varchar(_) | Self::Uuid | Self::Json => true,
            Self::Array(array) => SqlType::from(array.scalar).is_marked(),
            Self::Boolean
            | Self::TinyInt
            | Self::SmallInt
            | Self::Integer
            | Self::BigInt
            | Self::TinyIntUnsigned
            | Self::SmallIntUnsigned
            | Self::IntegerUnsigned
            | Self::BigIntUnsigned
            | Self::Real
            | Self::Double
            | Self::Decimal(..)
            | Self::Text
            | Self::Bytea
            | Self::Date
            | Self::Time
            | Self::Timestamp
            | Self::TimestampTz
            | Self::Interval
            | Self::Embedding(_) => false,
        }
    }

    /// The type of a column that holds the values of `field`: the inverse of [`SqlType::field`], and for other widths
    /// and units of the same values (`Utf8`, nanoseconds, dictionaries) the type that they are stored as.
    ///
    /// `None` for what cannot be a column: durations, structs, maps, unions, untyped NULLs.
    pub fn of_field(field: &Field) -> Option<Self> {
        let marked = field.metadata().get(TYPE_KEY).and_then(|name| name.parse::<Self>().ok());
        match marked {
            // A cast to another type may carry the metadata along, so it counts for text only.
            Some(marked) if marked.is_marked() && marked.fits(field.data_type()) => Some(marked),
            _ => Self::of_arrow(field.data_type()),
        }
    }

    /// Whether a marked type may be that of such an Arrow type: of text, or of lists of it.
    fn fits(self, data_type: &DataType) -> bool {
        match self {
            Self::Array(array) => item_of(data_type).is_some_and(|item| array.element().fits(item.data_type())),
            _ => matches!(data_type, DataType::Utf8 | DataType::LargeUtf8 | DataType::Utf8View),
        }
    }

    fn of_arrow(data_type: &DataType) -> Option<Self> {
        Some(match data_type {
            DataType::Boolean => Self::Boolean,
            DataType::Int8 => Self::TinyInt,
            DataType::Int16 => Self::SmallInt,
            DataType::Int32 => Self::Integer,
            DataType::Int64 => Self::BigInt,
            DataType::UInt8 => Self::TinyIntUnsigned,
            DataType::UInt16 => Self::SmallIntUnsigned,
            DataType::UInt32 => Self::IntegerUnsigned,
            DataType::UInt64 => Self::BigIntUnsigned,
            DataType::Float16 | DataType::Float32 => Self::Real,
            DataType::Float64 => Self::Double,
            DataType::Decimal32(p, s)
            | DataType::Decimal64(p, s)
            | DataType::Decimal128(p, s)
            | DataType::Decimal256(p, s) => {
                return u8::try_from(*s).ok().and_then(|s| Self::decimal(*p, s));
            }
            DataType::Utf8 | DataType::LargeUtf8 | DataType::Utf8View => Self::Text,
            DataType::Binary | DataType::LargeBinary | DataType::BinaryView | DataType::FixedSizeBinary(_) => {
                Self::Bytea
            }
            DataType::Date32 | DataType::Date64 => Self::Date,
            DataType::Time32(_) | DataType::Time64(_) => Self::Time,
            DataType::Timestamp(_, None) => Self::Timestamp,
            DataType::Timestamp(_, Some(_)) => Self::TimestampTz,
            DataType::Dictionary(_, values) => return Self::of_arrow(values),
            DataType::RunEndEncoded(_, values) => return Self::of_arrow(values.data_type()),
            DataType::Interval(_) => Self::Interval,
            DataType::FixedSizeList(item, length) if *item.data_type() == DataType::Float32 => {
                return u64::try_from(*length).ok().and_then(Self::embedding);
            }
            DataType::List(item)
            | DataType::ListView(item)
            | DataType::FixedSizeList(item, _)
            | DataType::LargeList(item)
            | DataType::LargeListView(item) => return Self::of_field(item)?.array(),
            DataType::Null | DataType::Duration(_) | DataType::Struct(_) | DataType::Union(..) | DataType::Map(..) => {
                return None;
            }
        })
    }

    fn decimal(precision: u8, scale: u8) -> Option<Self> {
        ((1..=MAX_PRECISION).contains(&precision) && scale <= precision).then_some(Self::Decimal(precision, scale))
    }

    fn varchar(length: u32) -> Option<Self> {
        (1..=MAX_VARCHAR).contains(&length).then_some(Self::Varchar(length))
    }
}

/// The field of the elements of a list, as Arrow and DataFusion have it.
fn item(data_type: DataType) -> FieldRef {
    Arc::new(Field::new_list_field(data_type, true))
}

/// What describes the elements of a list of any kind.
fn item_of(data_type: &DataType) -> Option<&FieldRef> {
    match data_type {
        DataType::List(item)
        | DataType::ListView(item)
        | DataType::FixedSizeList(item, _)
        | DataType::LargeList(item)
        | DataType::LargeListView(item) => Some(item),
        _ => None,
    }
}

/// What describes the elements of the lists of `list`: the mark of an array is on the column, not on its elements.
pub(crate) fn element_field(list: &Field, item: &FieldRef) -> FieldRef {
    match SqlType::of_field(list) {
        Some(SqlType::Array(array)) if array.element().is_marked() => {
            Arc::new(array.element().field(item.name(), true).with_data_type(item.data_type().clone()))
        }
        _ => Arc::clone(item),
    }
}

/// A text that is not the canonical name of a [`SqlType`].
#[derive(Debug, Clone, PartialEq, Eq, Error)]
#[error("{0:?} is not the name of a type")]
pub struct ParseTypeError(pub String);

impl FromStr for SqlType {
    type Err = ParseTypeError;

    fn from_str(name: &str) -> Result<Self, ParseTypeError> {
        let parsed = match name.strip_suffix("[]") {
            Some(element) => element.parse::<Self>().ok().and_then(Self::array),
            None => parse_plain(name).or_else(|| parse_sized(name)),
        };
        parsed.ok_or_else(|| ParseTypeError(name.to_owned()))
    }
}

fn parse_plain(name: &str) -> Option<SqlType> {
    PLAIN.iter().find(|(plain, _)| *plain == name).map(|(_, plain)| *plain)
}

fn parse_sized(name: &str) -> Option<SqlType> {
    let (base, sizes) = name.strip_suffix(')')?.split_once('(')?;
    let parsed = match base {
        "DECIMAL" => sizes.split_once(',').and_then(|(p, s)| SqlType::decimal(p.parse().ok()?, s.parse().ok()?)),
        "VARCHAR" => sizes.parse().ok().and_then(SqlType::varchar),
        "EMBEDDING" => sizes.parse().ok().and_then(SqlType::embedding),
        _ => None,
    };
    // One type, one name: "VARCHAR(+1)" and "DECIMAL(05,2)" are not canonical.
    parsed.filter(|parsed| parsed.to_string() == name)
}

impl From<SqlType> for String {
    fn from(sql_type: SqlType) -> Self {
        sql_type.to_string()
    }
}

impl TryFrom<String> for SqlType {
    type Error = ParseTypeError;

    fn try_from(name: String) -> Result<Self, ParseTypeError> {
        name.parse()
    }
}
