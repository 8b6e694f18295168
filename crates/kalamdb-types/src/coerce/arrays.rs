//! Arrays and vectors, from lists of any kind and from text: a JSON array, or PostgreSQL's `{1,2}`.

use std::sync::Arc;

use arrow::{
    array::{
        Array, ArrayRef, AsArray, FixedSizeListArray, Float32Array, ListArray, StringViewArray, types::Float32Type,
    },
    buffer::OffsetBuffer,
    datatypes::{DataType, Field, FieldRef},
};

use super::{Converted, Fault, Source, convert, elements, plain};
use crate::{SqlType, error::Failure, lists::Lists, sql_type::element_field};

/// An array whose elements are of type `element`; the array itself if they are already.
pub(super) fn to_array(array: &ArrayRef, field: &Field, element: SqlType, source: Source) -> Converted {
    let flat = Flat::of(array, field, element, source)?;
    let items = flat.convert(element, source)?;
    let item = Arc::new(Field::new_list_field(element.arrow(), true));
    if Arc::ptr_eq(&items, &flat.items) && *array.data_type() == DataType::List(Arc::clone(&item)) {
        return Ok(Arc::clone(array));
    }
    let list = ListArray::try_new(item, offsets(&flat.lengths)?, items, array.nulls().cloned())
        .map_err(|_| Fault::whole(Failure::Type))?;
    Ok(Arc::new(list))
}

/// A vector of `length` numbers, none of them NULL; the array itself if it is one already.
pub(super) fn to_embedding(array: &ArrayRef, field: &Field, length: u32, source: Source) -> Converted {
    let flat = Flat::of(array, field, SqlType::Real, source)?;
    let items = flat.convert(SqlType::Real, source)?;
    let numbers = items.as_primitive::<Float32Type>();
    let wanted = usize::try_from(length).unwrap_or(usize::MAX);
    let mut start = 0;
    for (row, &found) in flat.lengths.iter().enumerate() {
        if found != wanted && array.is_valid(row) {
            return Err(Fault { row, failure: Failure::Length(found) });
        }
        if numbers.null_count() > 0 && numbers.slice(start, found).null_count() > 0 {
            return Err(Fault { row, failure: Failure::NullNumber });
        }
        start += found;
    }
    let target = SqlType::Embedding(length).arrow();
    if *array.data_type() == target {
        return Ok(Arc::clone(array));
    }
    // A NULL has its numbers too; they are of no account.
    let blank = vec![0.0; if array.null_count() > 0 { wanted } else { 0 }];
    let mut values: Vec<f32> = Vec::with_capacity(wanted.saturating_mul(array.len()));
    let mut start = 0;
    for (row, found) in flat.lengths.iter().enumerate() {
        let given = numbers.values().get(start..start + found).unwrap_or_default();
        values.extend_from_slice(if array.is_null(row) { &blank } else { given });
        start += found;
    }
    let (item, size) = match &target {
        DataType::FixedSizeList(item, size) => (Arc::clone(item), *size),
        _ => return Err(Fault::whole(Failure::Type)),
    };
    let vectors = FixedSizeListArray::try_new(item, size, Arc::new(Float32Array::from(values)), array.nulls().cloned());
    vectors.map(|vectors| Arc::new(vectors) as ArrayRef).map_err(|_| Fault::whole(Failure::Type))
}

/// The elements of all arrays back to back.
struct Flat {
    lengths: Vec<usize>,
    items: ArrayRef,
    field: FieldRef,
}

impl Flat {
    fn of(array: &ArrayRef, field: &Field, element: SqlType, source: Source) -> Result<Self, Fault> {
        if let Some(texts) = plain::texts(array) {
            return Self::of_texts(&texts, element, source);
        }
        let Lists { lengths, items, field: item } =
            Lists::of(array).filter(|_| is_list(array)).ok_or(Fault::whole(Failure::Type))?;
        let field = element_field(field, &item);
        Ok(Self { lengths, items, field })
    }

    fn of_texts(texts: &StringViewArray, element: SqlType, source: Source) -> Result<Self, Fault> {
        let mut lengths = Vec::with_capacity(texts.len());
        let mut items: Vec<Option<String>> = Vec::new();
        for (row, text) in texts.iter().enumerate() {
            let before = items.len();
            if let Some(text) = text {
                elements::read(text, element, source, &mut items).map_err(|failure| Fault { row, failure })?;
            }
            lengths.push(items.len() - before);
        }
        let items: ArrayRef = Arc::new(StringViewArray::from_iter(items));
        let field = Arc::new(Field::new_list_field(DataType::Utf8View, true));
        Ok(Self { lengths, items, field })
    }

    /// The elements in their new type; a fault is one of the row that the element is in.
    fn convert(&self, element: SqlType, source: Source) -> Converted {
        convert(&self.items, &self.field, element, source).map_err(|fault| {
            if fault.failure == Failure::Type {
                return fault;
            }
            let mut end = 0;
            let row = self.lengths.iter().position(|length| {
                end += length;
                fault.row < end
            });
            Fault { row: row.unwrap_or(0), ..fault }
        })
    }
}

fn is_list(array: &ArrayRef) -> bool {
    array.data_type().is_list()
        || matches!(array.data_type(), DataType::ListView(_) | DataType::LargeListView(_) | DataType::FixedSizeList(..))
}

fn offsets(lengths: &[usize]) -> Result<OffsetBuffer<i32>, Fault> {
    let mut offsets = Vec::with_capacity(lengths.len() + 1);
    let mut end = 0_i32;
    offsets.push(end);
    for (row, length) in lengths.iter().enumerate() {
        end = i32::try_from(*length)
            .ok()
            .and_then(|length| end.checked_add(length))
            .ok_or(Fault { row, failure: Failure::Range })?;
        offsets.push(end);
    }
    Ok(OffsetBuffer::new(offsets.into()))
}
