//! The values of `$1`, `$2` and so on.

use std::ops::ControlFlow;
use std::sync::Arc;

use datafusion::arrow::array::{Array, ArrayRef};
use datafusion::arrow::datatypes::{Field, FieldRef};
use datafusion::common::metadata::{FieldMetadata, ScalarAndMetadata};
use datafusion::common::{ParamValues, ScalarValue};
use datafusion::sql::sqlparser::ast::{Expr, Statement, Value, visit_expressions_mut};

use crate::error::{Error, ErrorKind, Result};

/// The values bound to `$1`, `$2`, ...: one array of one value each.
#[derive(Debug, Clone, Default)]
pub(crate) struct Parameters(Vec<(ArrayRef, FieldRef)>);

impl Parameters {
    pub(crate) fn new(values: Vec<(ArrayRef, Field)>) -> Self {
        Self(values.into_iter().map(|(value, field)| (value, Arc::new(field))).collect())
    }

    /// Checks that there is a value for each of the statement's parameters and a parameter for each value.
    pub(crate) fn check(&self, n_params: usize) -> Result<()> {
        if self.0.len() == n_params {
            return Ok(());
        }
        let message = format!("the statement has {n_params} parameters, {} values were given", self.0.len());
        Err(Error::new(ErrorKind::UndefinedParameter, message))
    }

    /// The value of the parameter with this placeholder, for instance `$1`.
    pub(crate) fn by_placeholder(&self, placeholder: &str) -> Option<&(ArrayRef, FieldRef)> {
        let number: usize = placeholder.strip_prefix('$')?.parse().ok()?;
        self.0.get(number.checked_sub(1)?)
    }

    pub(crate) fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    pub(crate) fn to_param_values(&self) -> Result<ParamValues> {
        let values = self
            .0
            .iter()
            .map(|(array, field)| {
                debug_assert_eq!(array.len(), 1, "a parameter is one value");
                // An object or an array is JSON, which the metadata says.
                let metadata = (!field.metadata().is_empty()).then(|| FieldMetadata::from(field.as_ref()));
                Ok(ScalarAndMetadata::new(ScalarValue::try_from_array(array, 0)?, metadata))
            })
            .collect::<Result<Vec<_>>>()?;
        Ok(ParamValues::List(values))
    }
}

/// How many parameters a statement may have, as in PostgreSQL.
const MAX_PARAMETERS: usize = 65_535;

/// Gives each `?` its number and returns how many parameters the statement has.
pub(super) fn number_placeholders(statement: &mut Statement) -> Result<usize> {
    let (mut question_marks, mut highest) = (0_usize, 0_usize);
    let outcome = visit_expressions_mut(statement, |expr| {
        let Expr::Value(value) = expr else { return ControlFlow::Continue(()) };
        let Value::Placeholder(text) = &mut value.value else { return ControlFlow::Continue(()) };
        if text == "?" {
            question_marks += 1;
            *text = format!("${question_marks}");
        }
        match text.strip_prefix('$').and_then(|number| number.parse::<usize>().ok()) {
            Some(number) if (1..=MAX_PARAMETERS).contains(&number) => {
                highest = highest.max(number);
                ControlFlow::Continue(())
            }
            Some(number) if number > MAX_PARAMETERS => {
                let message = format!("a statement has at most {MAX_PARAMETERS} parameters");
                ControlFlow::Break(
                    Error::new(ErrorKind::ProgramLimitExceeded, message)
                        .with_hint("insert many rows with insert(), and give many values as one array"),
                )
            }
            _ => {
                let message = format!("parameters are written $1, $2, ... or ?, not {text}");
                ControlFlow::Break(Error::new(ErrorKind::UndefinedParameter, message))
            }
        }
    });
    if let ControlFlow::Break(error) = outcome {
        return Err(error);
    }
    Ok(highest)
}
