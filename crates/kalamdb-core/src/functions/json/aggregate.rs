//! `json_agg` and `json_object_agg`.

use std::hash::{Hash, Hasher};
use std::sync::Arc;

use datafusion::arrow::array::{Array, ArrayRef, AsArray, BinaryArray, StringViewArray};
use datafusion::arrow::datatypes::{DataType, Field, FieldRef};
use datafusion::arrow::row::{RowConverter, SortField};
use datafusion::common::utils::SingleRowListArrayBuilder;
use datafusion::common::{Result as DataFusionResult, ScalarValue};
use datafusion::logical_expr::function::{AccumulatorArgs, StateFieldsArgs};
use datafusion::logical_expr::utils::AggregateOrderSensitivity;
use datafusion::logical_expr::{Accumulator, AggregateUDF, AggregateUDFImpl, Signature, Volatility};
use kalamdb_types::SqlType;

use super::build::{Argument, write_key};
use crate::error::{Error, into_datafusion};
use crate::functions::{asked_for_type, no_such_function};

/// The aggregates of this module.
pub(super) fn all() -> Vec<Arc<AggregateUDF>> {
    let aggregate = |kind, aliases: &[&str]| {
        let aliases = aliases.iter().map(ToString::to_string).collect();
        Arc::new(AggregateUDF::new_from_impl(Aggregate {
            kind,
            aliases,
            signature: Signature::variadic_any(Volatility::Immutable),
        }))
    };
    vec![aggregate(Kind::Array, &["jsonb_agg"]), aggregate(Kind::Object, &["jsonb_object_agg"])]
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
enum Kind {
    Array,
    Object,
}

#[derive(Debug)]
struct Aggregate {
    kind: Kind,
    aliases: Vec<String>,
    signature: Signature,
}

impl PartialEq for Aggregate {
    fn eq(&self, other: &Self) -> bool {
        self.kind == other.kind
    }
}

impl Eq for Aggregate {}

impl Hash for Aggregate {
    fn hash<H: Hasher>(&self, state: &mut H) {
        self.kind.hash(state);
    }
}

impl AggregateUDFImpl for Aggregate {
    fn name(&self) -> &str {
        match self.kind {
            Kind::Array => "json_agg",
            Kind::Object => "json_object_agg",
        }
    }

    fn aliases(&self) -> &[String] {
        &self.aliases
    }

    fn signature(&self) -> &Signature {
        &self.signature
    }

    fn return_type(&self, _: &[DataType]) -> DataFusionResult<DataType> {
        Err(asked_for_type(self.name()))
    }

    fn return_field(&self, arg_fields: &[FieldRef]) -> DataFusionResult<FieldRef> {
        let n_args = match self.kind {
            Kind::Array => 1,
            Kind::Object => 2,
        };
        if arg_fields.len() != n_args {
            return Err(into_datafusion(no_such_function(self.name(), arg_fields)));
        }
        Ok(Arc::new(SqlType::Json.field(self.name(), true)))
    }

    fn accumulator(&self, args: AccumulatorArgs<'_>) -> DataFusionResult<Box<dyn Accumulator>> {
        if args.is_distinct {
            return Err(into_datafusion(Error::unsupported(format!("DISTINCT in {}", self.name()))));
        }
        let order = args
            .order_bys
            .iter()
            .map(|key| Ok(SortField::new_with_options(key.expr.data_type(args.schema)?, key.options)))
            .collect::<DataFusionResult<Vec<_>>>()?;
        let order = if order.is_empty() { None } else { Some(RowConverter::new(order)?) };
        Ok(Box::new(Members {
            kind: self.kind,
            fields: args.expr_fields.to_vec(),
            order,
            entries: Vec::new(),
            n_bytes: 0,
        }))
    }

    // The accumulator sorts, which a soft requirement gives it the columns for: DataFusion sorts the input for one
    // order only.
    fn order_sensitivity(&self) -> AggregateOrderSensitivity {
        AggregateOrderSensitivity::SoftRequirement
    }

    fn with_beneficial_ordering(self: Arc<Self>, _: bool) -> DataFusionResult<Option<Arc<dyn AggregateUDFImpl>>> {
        Ok(Some(self))
    }

    fn state_fields(&self, args: StateFieldsArgs<'_>) -> DataFusionResult<Vec<FieldRef>> {
        let list = |name: &str, item| {
            Arc::new(Field::new_list(format!("{}[{name}]", args.name), Field::new_list_field(item, true), true))
        };
        Ok(vec![list("keys", DataType::Binary), list("members", DataType::Utf8View)])
    }
}

/// The members so far.
#[derive(Debug)]
struct Members {
    kind: Kind,
    fields: Vec<FieldRef>,
    /// Makes bytes that sort as the ORDER BY of the call says.
    order: Option<RowConverter>,
    entries: Vec<Entry>,
    n_bytes: usize,
}

/// A member as JSON, and what it is sorted by.
#[derive(Debug)]
struct Entry {
    key: Vec<u8>,
    json: String,
}

impl Members {
    fn push(&mut self, key: Vec<u8>, json: String) {
        self.n_bytes += key.capacity() + json.capacity() + size_of::<Entry>();
        self.entries.push(Entry { key, json });
    }
}

impl Accumulator for Members {
    fn update_batch(&mut self, values: &[ArrayRef]) -> DataFusionResult<()> {
        let arguments: Vec<Argument> = values
            .iter()
            .zip(&self.fields)
            .map(|(array, field)| Argument { array: Arc::clone(array), field: Arc::clone(field) })
            .collect();
        let n_rows = values.first().map_or(0, |array| array.len());
        let keys = match &self.order {
            // The columns of ORDER BY follow the arguments.
            Some(order) => Some(order.convert_columns(values.get(self.fields.len()..).unwrap_or_default())?),
            None => None,
        };
        for row in 0..n_rows {
            let mut json = String::new();
            match (self.kind, arguments.as_slice()) {
                (Kind::Array, [value, ..]) => value.write(row, &mut json),
                (Kind::Object, [key, value, ..]) => {
                    write_key(key, row, &mut json).map_err(into_datafusion)?;
                    json.push(':');
                    value.write(row, &mut json);
                }
                _ => return Err(into_datafusion(Error::internal("an argument is missing"))),
            }
            self.push(keys.as_ref().map_or_else(Vec::new, |keys| keys.row(row).as_ref().to_vec()), json);
        }
        Ok(())
    }

    fn evaluate(&mut self) -> DataFusionResult<ScalarValue> {
        if self.entries.is_empty() {
            return Ok(ScalarValue::Utf8View(None));
        }
        if self.order.is_some() {
            self.entries.sort_by(|a, b| a.key.cmp(&b.key));
        }
        let members: Vec<&str> = self.entries.iter().map(|entry| entry.json.as_str()).collect();
        let members = members.join(",");
        Ok(ScalarValue::Utf8View(Some(match self.kind {
            Kind::Array => format!("[{members}]"),
            Kind::Object => format!("{{{members}}}"),
        })))
    }

    fn size(&self) -> usize {
        size_of_val(self) + self.n_bytes
    }

    fn state(&mut self) -> DataFusionResult<Vec<ScalarValue>> {
        let keys: BinaryArray = self.entries.iter().map(|entry| Some(entry.key.as_slice())).collect();
        let members: StringViewArray = self.entries.iter().map(|entry| Some(entry.json.as_str())).collect();
        Ok(vec![
            SingleRowListArrayBuilder::new(Arc::new(keys)).build_list_scalar(),
            SingleRowListArrayBuilder::new(Arc::new(members)).build_list_scalar(),
        ])
    }

    fn merge_batch(&mut self, states: &[ArrayRef]) -> DataFusionResult<()> {
        let [keys, members] = states else { return Err(into_datafusion(Error::internal("a state has two parts"))) };
        let (Some(keys), Some(members)) = (keys.as_list_opt::<i32>(), members.as_list_opt::<i32>()) else {
            return Err(into_datafusion(Error::internal("the parts of a state are lists")));
        };
        for (keys, members) in keys.iter().zip(members.iter()) {
            let (Some(keys), Some(members)) = (keys, members) else { continue };
            let (Some(keys), Some(members)) = (keys.as_binary_opt::<i32>(), members.as_string_view_opt()) else {
                continue;
            };
            for (key, json) in keys.iter().zip(members) {
                self.push(key.unwrap_or_default().to_vec(), json.unwrap_or("null").to_owned());
            }
        }
        Ok(())
    }
}
