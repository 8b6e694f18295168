//! `snowflake_id()`, `uuid_v7()`, `ulid()` and `gen_random_uuid()`: another value for each row.

use std::hash::{Hash, Hasher};
use std::sync::Arc;

use datafusion::arrow::array::{ArrayRef, Int64Array, StringViewArray, StringViewBuilder};
use datafusion::arrow::datatypes::{DataType, FieldRef};
use datafusion::common::Result as DataFusionResult;
use datafusion::logical_expr::{
    ColumnarValue, ReturnFieldArgs, ScalarFunctionArgs, ScalarUDF, ScalarUDFImpl, Signature, Volatility,
};
use kalamdb_types::SqlType;
use ulid::Ulid;
use uuid::Builder;

use super::ids::{Ids, Tick};
use super::scalar::asked_for_type;
use crate::error::{Result, into_datafusion};

/// The functions that make ids.
pub(super) fn all(ids: &Arc<Ids>) -> Vec<Arc<ScalarUDF>> {
    let function = |kind| {
        let signature = Signature::nullary(Volatility::Volatile);
        Arc::new(ScalarUDF::new_from_impl(IdFunction { kind, ids: Arc::clone(ids), signature }))
    };
    [Kind::Snowflake, Kind::UuidV7, Kind::Ulid, Kind::RandomUuid].map(function).to_vec()
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
enum Kind {
    Snowflake,
    UuidV7,
    Ulid,
    RandomUuid,
}

#[derive(Debug)]
struct IdFunction {
    kind: Kind,
    ids: Arc<Ids>,
    signature: Signature,
}

impl PartialEq for IdFunction {
    fn eq(&self, other: &Self) -> bool {
        self.kind == other.kind
    }
}

impl Eq for IdFunction {}

impl Hash for IdFunction {
    fn hash<H: Hasher>(&self, state: &mut H) {
        self.kind.hash(state);
    }
}

impl ScalarUDFImpl for IdFunction {
    fn name(&self) -> &str {
        match self.kind {
            Kind::Snowflake => "snowflake_id",
            Kind::UuidV7 => "uuid_v7",
            Kind::Ulid => "ulid",
            Kind::RandomUuid => "gen_random_uuid",
        }
    }

    fn signature(&self) -> &Signature {
        &self.signature
    }

    fn return_type(&self, _: &[DataType]) -> DataFusionResult<DataType> {
        Err(asked_for_type(self.name()))
    }

    fn return_field_from_args(&self, _: ReturnFieldArgs<'_>) -> DataFusionResult<FieldRef> {
        let sql_type = match self.kind {
            Kind::Snowflake => SqlType::BigInt,
            Kind::UuidV7 | Kind::RandomUuid => SqlType::Uuid,
            Kind::Ulid => SqlType::Text,
        };
        Ok(Arc::new(sql_type.field(self.name(), false)))
    }

    fn invoke_with_args(&self, args: ScalarFunctionArgs) -> DataFusionResult<ColumnarValue> {
        self.values(args.number_rows).map(ColumnarValue::Array).map_err(into_datafusion)
    }
}

impl IdFunction {
    fn values(&self, n: usize) -> Result<ArrayRef> {
        let ids = &self.ids;
        Ok(match self.kind {
            Kind::Snowflake => {
                Arc::new(ids.ticks(n).into_iter().map(|tick| ids.snowflake(tick)).collect::<Int64Array>())
            }
            Kind::UuidV7 => Arc::new(timed(ids, n, uuid_v7)?),
            Kind::Ulid => Arc::new(timed(ids, n, ulid)?),
            Kind::RandomUuid => {
                let uuids = ids
                    .random(n)?
                    .into_iter()
                    .map(|bytes| Some(Builder::from_random_bytes(bytes).into_uuid().to_string()));
                Arc::new(uuids.collect::<StringViewArray>())
            }
        })
    }
}

fn timed(ids: &Ids, n: usize, text: impl Fn(Tick, [u8; 16]) -> String) -> Result<StringViewArray> {
    let mut values = StringViewBuilder::with_capacity(n);
    for (tick, random) in ids.ticks(n).into_iter().zip(ids.random(n)?) {
        values.append_value(text(tick, random));
    }
    Ok(values.finish())
}

/// The sequence is in the bits after the time (RFC 9562, method 1), so that ids of one millisecond rise too.
fn uuid_v7(tick: Tick, random: [u8; 16]) -> String {
    let [.., a, b, c, d, e, f, g, h] = random;
    let [high, low] = tick.sequence.to_be_bytes();
    Builder::from_unix_timestamp_millis(tick.ms, &[high, low, a, b, c, d, e, f, g, h]).into_uuid().to_string()
}

/// The first 16 of the 80 random bits are the sequence and 4 random ones.
fn ulid(tick: Tick, random: [u8; 16]) -> String {
    let random = u128::from_le_bytes(random) % (1 << 68);
    Ulid::from_parts(tick.ms, u128::from(tick.sequence) << 68 | random).to_string()
}
