//! `current_user` and its like: what they give depends on who asks, so they are made for each statement.

use std::hash::{Hash, Hasher};
use std::sync::Arc;

use datafusion::arrow::datatypes::DataType;
use datafusion::common::{Result as DataFusionResult, ScalarValue};
use datafusion::logical_expr::{ColumnarValue, ScalarFunctionArgs, ScalarUDF, ScalarUDFImpl, Signature, Volatility};

use crate::access::Principal;

/// The function of that name, if it is one of these.
pub(crate) fn session_function(name: &str, principal: &Principal) -> Option<Arc<ScalarUDF>> {
    let (name, value) = match name {
        "current_user" => ("current_user", principal.user_id().unwrap_or(principal.role().name())),
        "session_user" => ("session_user", principal.user_id().unwrap_or(principal.role().name())),
        "current_role" => ("current_role", principal.role().name()),
        _ => return None,
    };
    let signature = Signature::nullary(Volatility::Stable);
    Some(Arc::new(ScalarUDF::new_from_impl(SessionValue { name, value: value.to_owned(), signature })))
}

/// A function that gives one text for the whole statement.
#[derive(Debug)]
struct SessionValue {
    name: &'static str,
    value: String,
    signature: Signature,
}

impl PartialEq for SessionValue {
    fn eq(&self, other: &Self) -> bool {
        self.name == other.name && self.value == other.value
    }
}

impl Eq for SessionValue {}

impl Hash for SessionValue {
    fn hash<H: Hasher>(&self, state: &mut H) {
        (self.name, &self.value).hash(state);
    }
}

impl ScalarUDFImpl for SessionValue {
    fn name(&self) -> &str {
        self.name
    }

    fn signature(&self) -> &Signature {
        &self.signature
    }

    fn return_type(&self, _: &[DataType]) -> DataFusionResult<DataType> {
        Ok(DataType::Utf8View)
    }

    fn invoke_with_args(&self, _: ScalarFunctionArgs) -> DataFusionResult<ColumnarValue> {
        Ok(ColumnarValue::Scalar(ScalarValue::Utf8View(Some(self.value.clone()))))
    }
}
