//! `array_remove` and `array_replace`: every element that is equal, NULL being equal to itself.

use std::sync::Arc;

use datafusion::arrow::array::{Array, ArrayRef, ListArray, UInt32Array};
use datafusion::arrow::buffer::OffsetBuffer;
use datafusion::arrow::compute::{concat, take};
use datafusion::arrow::datatypes::{DataType, Field};
use datafusion::arrow::row::{RowConverter, SortField};
use datafusion::common::Result as DataFusionResult;
use datafusion::logical_expr::{ColumnarValue, ScalarFunctionArgs, ScalarUDF, ScalarUDFImpl, Signature, Volatility};

use super::super::scalar::array;
use super::{common, element_type, list_of, lists, range, refused};
use crate::error::{Error, ErrorKind, Result, into_datafusion};

pub(super) fn all() -> Vec<Arc<ScalarUDF>> {
    [("array_remove", "list_remove", false), ("array_replace", "list_replace", true)]
        .map(|(name, alias, replaces)| {
            let signature = Signature::user_defined(Volatility::Immutable);
            Arc::new(ScalarUDF::new_from_impl(Change { name, aliases: vec![alias.to_owned()], replaces, signature }))
        })
        .to_vec()
}

#[derive(Debug, PartialEq, Eq, Hash)]
struct Change {
    name: &'static str,
    aliases: Vec<String>,
    /// Whether another value takes the place of what is found.
    replaces: bool,
    signature: Signature,
}

impl ScalarUDFImpl for Change {
    fn name(&self) -> &str {
        self.name
    }

    fn aliases(&self) -> &[String] {
        &self.aliases
    }

    fn signature(&self) -> &Signature {
        &self.signature
    }

    fn return_type(&self, args: &[DataType]) -> DataFusionResult<DataType> {
        match args.first() {
            Some(list) => Ok(list.clone()),
            None => refused(self.name, args),
        }
    }

    fn coerce_types(&self, args: &[DataType]) -> DataFusionResult<Vec<DataType>> {
        let Some((list, values)) = args.split_first().filter(|(_, values)| values.len() == 1 + usize::from(self.replaces)) else {
            return refused(self.name, args);
        };
        let element = match element_type(list) {
            Some(element) => Some(element.clone()),
            None if *list == DataType::Null => values.first().cloned(),
            None => None,
        };
        let all = values.iter().try_fold(element, |element, value| Some(common(&element?, value)));
        let Some(Some(element)) = all else { return refused(self.name, args) };
        Ok(std::iter::once(list_of(element.clone())).chain(values.iter().map(|_| element.clone())).collect())
    }

    fn invoke_with_args(&self, args: ScalarFunctionArgs) -> DataFusionResult<ColumnarValue> {
        self.changed(&args).map(|lists| ColumnarValue::Array(Arc::new(lists))).map_err(into_datafusion)
    }
}

impl Change {
    fn changed(&self, args: &ScalarFunctionArgs) -> Result<ListArray> {
        let list = lists(&array(args, 0)?)?;
        let wanted = array(args, 1)?;
        let values = list.values();
        let converter = RowConverter::new(vec![SortField::new(values.data_type().clone())])?;
        let (value_rows, wanted_rows) = (converter.convert_columns(&[Arc::clone(values)])?, converter.convert_columns(&[Arc::clone(&wanted)])?);
        // What takes the place comes behind the elements, one a row.
        let source: ArrayRef = if self.replaces { concat(&[values.as_ref(), array(args, 2)?.as_ref()])? } else { Arc::clone(values) };
        let mut kept: Vec<u32> = Vec::with_capacity(values.len());
        let mut lengths = Vec::with_capacity(list.len());
        for row in 0..list.len() {
            let before = kept.len();
            if list.is_valid(row) {
                for at in range(&list, row) {
                    if value_rows.row(at) != wanted_rows.row(row) {
                        kept.push(position(at)?);
                    } else if self.replaces {
                        kept.push(position(values.len() + row)?);
                    }
                }
            }
            lengths.push(kept.len() - before);
        }
        let values = take(&source, &UInt32Array::from(kept), None)?;
        let field = Arc::new(Field::new_list_field(values.data_type().clone(), true));
        Ok(ListArray::try_new(field, OffsetBuffer::from_lengths(lengths), values, list.nulls().cloned())?)
    }
}

fn position(at: usize) -> Result<u32> {
    u32::try_from(at).map_err(|_| Error::new(ErrorKind::ProgramLimitExceeded, "arrays have too many elements"))
}
