use std::sync::Arc;

use arrow::{
    array::{Array, ArrayRef, AsArray, FixedSizeListArray, ListArray, NullBufferBuilder, types::Float32Type},
    buffer::OffsetBuffer,
    datatypes::{DataType, Field},
};
use serde::de::{Error, SeqAccess};

use super::JsonError;
use super::decode::{Cell, Cells};
use crate::SqlType;

/// A column of arrays that is being built.
pub(super) struct Lists {
    element: SqlType,
    items: Cells,
    n_items: i32,
    offsets: Vec<i32>,
    nulls: NullBufferBuilder,
}

impl Lists {
    pub(super) fn new(element: SqlType, n_rows: usize) -> Self {
        let mut offsets = Vec::with_capacity(n_rows + 1);
        offsets.push(0);
        Self { element, items: Cells::new(element, 0), n_items: 0, offsets, nulls: NullBufferBuilder::new(n_rows) }
    }

    pub(super) fn append<'de, A: SeqAccess<'de>>(&mut self, mut items: A) -> Result<(), A::Error> {
        while items.next_element_seed(Cell(&mut self.items))?.is_some() {
            self.n_items =
                self.n_items.checked_add(1).ok_or_else(|| A::Error::custom("more elements than a column holds"))?;
        }
        self.offsets.push(self.n_items);
        self.nulls.append_non_null();
        Ok(())
    }

    pub(super) fn append_null(&mut self) {
        self.offsets.push(self.n_items);
        self.nulls.append_null();
    }

    pub(super) fn finish(&mut self) -> Result<ArrayRef, JsonError> {
        let items = std::mem::replace(&mut self.items, Cells::new(self.element, 0)).finish()?;
        // They begin with 0 and only rise.
        let offsets = OffsetBuffer::new(std::mem::take(&mut self.offsets).into());
        let item = Arc::new(Field::new_list_field(self.element.arrow(), true));
        let lists = ListArray::try_new(item, offsets, items, self.nulls.finish())
            .map_err(|error| JsonError::Decode(error.to_string()))?;
        Ok(Arc::new(lists))
    }
}

/// A column of vectors that is being built.
pub(super) struct Vectors {
    length: u32,
    numbers: Cells,
    nulls: NullBufferBuilder,
}

impl Vectors {
    pub(super) fn new(length: u32) -> Self {
        Self { length, numbers: Cells::new(SqlType::Real, 0), nulls: NullBufferBuilder::new(0) }
    }

    pub(super) fn append<'de, A: SeqAccess<'de>>(&mut self, mut numbers: A) -> Result<(), A::Error> {
        let mut found = 0_u32;
        while found <= self.length && numbers.next_element_seed(Cell(&mut self.numbers))?.is_some() {
            found += 1;
        }
        self.nulls.append_non_null();
        if found == self.length {
            Ok(())
        } else {
            Err(A::Error::custom(format_args!("a vector that is not of {} numbers", self.length)))
        }
    }

    /// A NULL has its numbers too, which are of no account.
    pub(super) fn append_null(&mut self) {
        for _ in 0..self.length {
            self.numbers.append_float(0.0);
        }
        self.nulls.append_null();
    }

    pub(super) fn finish(&mut self) -> Result<ArrayRef, JsonError> {
        let decode = |message: String| JsonError::Decode(message);
        let numbers = std::mem::replace(&mut self.numbers, Cells::new(SqlType::Real, 0)).finish()?;
        if numbers.as_primitive::<Float32Type>().null_count() > 0 {
            return Err(decode("NULL within a vector".to_owned()));
        }
        let DataType::FixedSizeList(item, size) = SqlType::Embedding(self.length).arrow() else {
            return Err(decode("vectors are lists of one size".to_owned()));
        };
        let vectors = FixedSizeListArray::try_new(item, size, numbers, self.nulls.finish())
            .map_err(|error| decode(error.to_string()))?;
        Ok(Arc::new(vectors))
    }
}
