use arrow::datatypes::{DataType, Field};

use crate::SqlType;

/// The SQL name of the type of any Arrow field, for the header of a result.
///
/// Lists are their element's name and `[]`, structs `STRUCT`, maps `MAP`, intervals and durations `INTERVAL`; a type
/// that SQL has no name for is its Arrow name in upper case.
pub fn type_name(field: &Field) -> String {
    match SqlType::of_field(field) {
        Some(sql_type) => sql_type.to_string(),
        None => other_name(field.data_type()),
    }
}

fn other_name(data_type: &DataType) -> String {
    match data_type {
        DataType::List(item)
        | DataType::LargeList(item)
        | DataType::FixedSizeList(item, _)
        | DataType::ListView(item)
        | DataType::LargeListView(item) => format!("{}[]", type_name(item)),
        DataType::Struct(_) => "STRUCT".to_owned(),
        DataType::Map(..) => "MAP".to_owned(),
        DataType::Union(..) => "UNION".to_owned(),
        DataType::Interval(_) | DataType::Duration(_) => "INTERVAL".to_owned(),
        DataType::Decimal32(p, s)
        | DataType::Decimal64(p, s)
        | DataType::Decimal128(p, s)
        | DataType::Decimal256(p, s) => {
            format!("DECIMAL({p},{s})")
        }
        DataType::Dictionary(_, values) => other_name(values),
        DataType::RunEndEncoded(_, values) => type_name(values),
        other => other.to_string().to_uppercase(),
    }
}
