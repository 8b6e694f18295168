//! `generate_series` and `range` of points in time, in FROM.

use std::any::Any;
use std::fmt;
use std::sync::Arc;

use async_trait::async_trait;
use datafusion::arrow::array::{RecordBatch, TimestampMicrosecondArray};
use datafusion::arrow::datatypes::{DataType, Field, IntervalMonthDayNano, Schema, SchemaRef, TimeUnit};
use datafusion::catalog::{Session, TableProvider};
use datafusion::common::{Result as DataFusionResult, ScalarValue};
use datafusion::logical_expr::{Expr, TableType};
use datafusion::physical_plan::ExecutionPlan;
use datafusion::physical_plan::memory::{LazyBatchGenerator, LazyMemoryExec};
use kalamdb_types::{Source, SqlType, coerce};
use parking_lot::RwLock;

use super::shift;
use super::values::Kind;
use crate::error::{Error, ErrorKind, Result, into_datafusion};

/// The table of a series, if one of the bounds is a day or a point in time. The arguments are constants.
pub(crate) fn series(name: &str, args: &[Expr]) -> Result<Option<Arc<dyn TableProvider>>> {
    let values: Option<Vec<&ScalarValue>> = args.iter().map(|arg| arg.as_literal()).collect();
    let Some(values) = values else { return Ok(None) };
    let [from, to, rest @ ..] = values.as_slice() else { return Ok(None) };
    let kinds = [Kind::of(&from.data_type()), Kind::of(&to.data_type())];
    if !kinds.iter().any(|kind| kind.is_moment()) {
        return Ok(None);
    }
    let fits = |kind: &Kind| kind.is_moment() || matches!(kind, Kind::Text | Kind::Null);
    let step = match rest {
        [step]
            if matches!(Kind::of(&step.data_type()), Kind::Interval | Kind::Text | Kind::Null)
                && kinds.iter().all(fits) =>
        {
            step
        }
        _ => {
            let message = format!("{name} of timestamps takes two timestamps and an interval");
            return Err(Error::new(ErrorKind::UndefinedFunction, message).with_hint("cast the arguments"));
        }
    };
    // Dates have a zone here, as in PostgreSQL.
    let bound = if kinds.contains(&Kind::Timestamp) { SqlType::Timestamp } else { SqlType::TimestampTz };
    let bounds = (timestamp(from, bound)?, timestamp(to, bound)?);
    let step = match converted(step, SqlType::Interval)? {
        ScalarValue::IntervalMonthDayNano(step) => step,
        _ => None,
    };
    let zone = (bound == SqlType::TimestampTz).then(|| Arc::from("UTC"));
    let field = Field::new("value", DataType::Timestamp(TimeUnit::Microsecond, zone), false);
    let schema = Arc::new(Schema::new(vec![field]));
    let steps = match (bounds, step) {
        ((Some(from), Some(to)), Some(step)) => Steps::new(from, to, step, name != "range")?,
        _ => Steps { next: None, ..Steps::new(0, 0, IntervalMonthDayNano::new(0, 1, 0), true)? },
    };
    Ok(Some(Arc::new(Series { schema, steps })))
}

fn timestamp(value: &ScalarValue, sql_type: SqlType) -> Result<Option<i64>> {
    Ok(match converted(value, sql_type)? {
        ScalarValue::TimestampMicrosecond(micros, _) => micros,
        _ => None,
    })
}

fn converted(value: &ScalarValue, sql_type: SqlType) -> Result<ScalarValue> {
    let array = value.to_array()?;
    let field = Field::new("", array.data_type().clone(), true);
    Ok(ScalarValue::try_from_array(&coerce(&array, &field, &sql_type, Source::Sql)?, 0)?)
}

/// The points in time from one to another.
#[derive(Debug, Clone)]
pub(super) struct Steps {
    next: Option<i64>,
    to: i64,
    step: IntervalMonthDayNano,
    is_backward: bool,
    includes_end: bool,
}

impl Steps {
    pub(super) fn new(from: i64, to: i64, step: IntervalMonthDayNano, includes_end: bool) -> Result<Self> {
        let length = (i128::from(step.months) * i128::from(shift::MONTH_DAYS) + i128::from(step.days))
            * shift::DAY_NANOS
            + i128::from(step.nanoseconds);
        if length.abs() < i128::from(shift::MICROSECOND) {
            return Err(Error::new(ErrorKind::InvalidParameterValue, "step size cannot equal zero"));
        }
        Ok(Self { next: Some(from), to, step, is_backward: length < 0, includes_end })
    }
}

impl Iterator for Steps {
    type Item = i64;

    /// It ends where the type does.
    fn next(&mut self) -> Option<i64> {
        let current = self.next?;
        let is_past = if self.is_backward { current < self.to } else { current > self.to };
        if is_past || (current == self.to && !self.includes_end) {
            self.next = None;
            return None;
        }
        // A step of mixed signs may lead nowhere.
        self.next = shift::add(current, self.step)
            .ok()
            .filter(|next| if self.is_backward { *next < current } else { *next > current });
        Some(current)
    }
}

#[derive(Debug)]
struct Series {
    schema: SchemaRef,
    steps: Steps,
}

#[async_trait]
impl TableProvider for Series {
    fn schema(&self) -> SchemaRef {
        Arc::clone(&self.schema)
    }

    fn table_type(&self) -> TableType {
        TableType::Base
    }

    async fn scan(
        &self,
        state: &dyn Session,
        projection: Option<&Vec<usize>>,
        _: &[Expr],
        _: Option<usize>,
    ) -> DataFusionResult<Arc<dyn ExecutionPlan>> {
        let batch_size = state.config_options().execution.batch_size.get();
        let generator = Generator {
            schema: Arc::clone(&self.schema),
            first: self.steps.clone(),
            steps: self.steps.clone(),
            batch_size,
        };
        let exec = LazyMemoryExec::try_new(Arc::clone(&self.schema), vec![Arc::new(RwLock::new(generator))])?;
        Ok(Arc::new(exec.with_projection(projection.cloned())))
    }
}

/// Makes the rows as they are asked for.
#[derive(Debug)]
struct Generator {
    schema: SchemaRef,
    first: Steps,
    steps: Steps,
    batch_size: usize,
}

impl fmt::Display for Generator {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "series of timestamps")
    }
}

impl LazyBatchGenerator for Generator {
    fn as_any(&self) -> &dyn Any {
        self
    }

    fn generate_next_batch(&mut self) -> DataFusionResult<Option<RecordBatch>> {
        let values: Vec<i64> = self.steps.by_ref().take(self.batch_size).collect();
        if values.is_empty() {
            return Ok(None);
        }
        let zone = match self.schema.fields().first().map(|field| field.data_type()) {
            Some(DataType::Timestamp(_, zone)) => zone.clone(),
            _ => return Err(into_datafusion(Error::internal("a series has one column"))),
        };
        let column = TimestampMicrosecondArray::from(values).with_timezone_opt(zone);
        Ok(Some(RecordBatch::try_new(Arc::clone(&self.schema), vec![Arc::new(column)])?))
    }

    fn reset_state(&self) -> Arc<RwLock<dyn LazyBatchGenerator>> {
        let Self { schema, first, batch_size, .. } = self;
        Arc::new(RwLock::new(Self {
            schema: Arc::clone(schema),
            first: first.clone(),
            steps: first.clone(),
            batch_size: *batch_size,
        }))
    }
}
