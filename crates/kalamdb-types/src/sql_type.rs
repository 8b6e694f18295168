use std::{collections::HashMap, fmt, str::FromStr};

use arrow::datatypes::{DataType, Field, TimeUnit};
use serde::{Deserialize, Serialize};
use thiserror::Error;

/// The key of the field metadata that tells apart the types which share one Arrow type: its value is the canonical name.
pub const TYPE_KEY: &str = "kalamdb.type";

/// The most characters that `VARCHAR(n)` may allow.
const MAX_VARCHAR: u32 = 10_485_760;

/// The most digits of a `DECIMAL`.
pub(crate) const MAX_PRECISION: u8 = 38;

/// Declares [`SqlType`] together with the list of its types without parameters, so that no list can miss one.
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
        }

        const PLAIN: &[(&str, SqlType)] = &[$(($name, SqlType::$variant),)*];

        impl fmt::Display for SqlType {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                match self {
                    $(Self::$variant => f.write_str($name),)*
                    Self::Decimal(precision, scale) => write!(f, "DECIMAL({precision},{scale})"),
                    Self::Varchar(length) => write!(f, "VARCHAR({length})"),
                }
            }
        }
    };
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
        types
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
        }
    }

    /// The Arrow field of a column of this type; `VARCHAR(n)`, `UUID` and `JSON` are marked under [`TYPE_KEY`].
    pub fn field(&self, name: &str, nullable: bool) -> Field {
        let field = Field::new(name, self.arrow(), nullable);
        match self {
            Self::Varchar(_) | Self::Uuid | Self::Json => field.with_metadata(HashMap::from([(TYPE_KEY.to_owned(), self.to_string())])),
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
            | Self::TimestampTz => field,
        }
    }

    /// The type of a column that holds the values of `field`: the inverse of [`SqlType::field`], and for other widths and
    /// units of the same values (`Utf8`, nanoseconds, dictionaries) the type that they are stored as.
    ///
    /// `None` for what cannot be a column: intervals, lists, structs, maps, unions, untyped NULLs.
    pub fn of_field(field: &Field) -> Option<Self> {
        let is_text = matches!(field.data_type(), DataType::Utf8 | DataType::LargeUtf8 | DataType::Utf8View);
        // A cast to another type may carry the metadata along, so it counts for text only.
        let marked = field.metadata().get(TYPE_KEY).filter(|_| is_text).and_then(|name| name.parse::<Self>().ok());
        match marked {
            Some(marked) if marked.arrow() == DataType::Utf8View => Some(marked),
            _ => Self::of_arrow(field.data_type()),
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
            DataType::Decimal32(p, s) | DataType::Decimal64(p, s) | DataType::Decimal128(p, s) | DataType::Decimal256(p, s) => {
                return u8::try_from(*s).ok().and_then(|s| Self::decimal(*p, s));
            }
            DataType::Utf8 | DataType::LargeUtf8 | DataType::Utf8View => Self::Text,
            DataType::Binary | DataType::LargeBinary | DataType::BinaryView | DataType::FixedSizeBinary(_) => Self::Bytea,
            DataType::Date32 | DataType::Date64 => Self::Date,
            DataType::Time32(_) | DataType::Time64(_) => Self::Time,
            DataType::Timestamp(_, None) => Self::Timestamp,
            DataType::Timestamp(_, Some(_)) => Self::TimestampTz,
            DataType::Dictionary(_, values) => return Self::of_arrow(values),
            DataType::RunEndEncoded(_, values) => return Self::of_arrow(values.data_type()),
            DataType::Null
            | DataType::Duration(_)
            | DataType::Interval(_)
            | DataType::List(_)
            | DataType::ListView(_)
            | DataType::FixedSizeList(..)
            | DataType::LargeList(_)
            | DataType::LargeListView(_)
            | DataType::Struct(_)
            | DataType::Union(..)
            | DataType::Map(..) => return None,
        })
    }

    fn decimal(precision: u8, scale: u8) -> Option<Self> {
        ((1..=MAX_PRECISION).contains(&precision) && scale <= precision).then_some(Self::Decimal(precision, scale))
    }

    fn varchar(length: u32) -> Option<Self> {
        (1..=MAX_VARCHAR).contains(&length).then_some(Self::Varchar(length))
    }
}

/// A text that is not the canonical name of a [`SqlType`].
#[derive(Debug, Clone, PartialEq, Eq, Error)]
#[error("{0:?} is not the name of a type")]
pub struct ParseTypeError(pub String);

impl FromStr for SqlType {
    type Err = ParseTypeError;

    fn from_str(name: &str) -> Result<Self, ParseTypeError> {
        parse_plain(name).or_else(|| parse_sized(name)).ok_or_else(|| ParseTypeError(name.to_owned()))
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
