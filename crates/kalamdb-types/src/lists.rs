use std::sync::Arc;

use arrow::{
    array::{Array, ArrayRef, AsArray, OffsetSizeTrait, UInt64Array},
    compute::take,
    datatypes::{DataType, FieldRef},
};

/// A list array of any kind as lengths and the values of all lists back to back.
pub(crate) struct Lists {
    /// The number of elements of each list; 0 for NULL.
    pub(crate) lengths: Vec<usize>,
    /// The elements.
    pub(crate) items: ArrayRef,
    /// Describes the elements.
    pub(crate) field: FieldRef,
}

impl Lists {
    /// `None` for what is not a list or a map.
    pub(crate) fn of(array: &dyn Array) -> Option<Self> {
        let (ranges, items, field) = match array.data_type() {
            DataType::List(field) => {
                let list = array.as_list::<i32>();
                (offset_ranges(list.offsets()), Arc::clone(list.values()), field)
            }
            DataType::LargeList(field) => {
                let list = array.as_list::<i64>();
                (offset_ranges(list.offsets()), Arc::clone(list.values()), field)
            }
            DataType::Map(field, _) => {
                let map = array.as_map();
                (offset_ranges(map.offsets()), Arc::new(map.entries().clone()) as ArrayRef, field)
            }
            DataType::ListView(field) => {
                let list = array.as_list_view::<i32>();
                (view_ranges(list.offsets(), list.sizes()), Arc::clone(list.values()), field)
            }
            DataType::LargeListView(field) => {
                let list = array.as_list_view::<i64>();
                (view_ranges(list.offsets(), list.sizes()), Arc::clone(list.values()), field)
            }
            DataType::FixedSizeList(field, size) => {
                let list = array.as_fixed_size_list();
                let size = usize::try_from(*size).ok()?;
                ((0..list.len()).map(|row| (row * size, size)).collect(), Arc::clone(list.values()), field)
            }
            _ => return None,
        };
        Self::gather(array, ranges, items, Arc::clone(field))
    }

    fn gather(array: &dyn Array, mut ranges: Vec<(usize, usize)>, items: ArrayRef, field: FieldRef) -> Option<Self> {
        for (row, range) in ranges.iter_mut().enumerate() {
            if array.is_null(row) {
                range.1 = 0;
            }
        }
        let lengths: Vec<usize> = ranges.iter().map(|(_, length)| *length).collect();
        let filled: Vec<(usize, usize)> = ranges.into_iter().filter(|(_, length)| *length > 0).collect();
        let start = filled.first().map_or(0, |(start, _)| *start);
        let total: usize = lengths.iter().sum();
        let mut end = start;
        let is_contiguous = filled.iter().all(|(start, length)| {
            let follows = *start == end;
            end = start + length;
            follows
        });
        let items = if is_contiguous {
            items.slice(start, total)
        } else {
            let indices = filled.iter().flat_map(|(start, length)| (*start..start + length).map(|index| index as u64));
            take(&items, &UInt64Array::from_iter_values(indices), None).ok()?
        };
        Some(Self { lengths, items, field })
    }
}

fn offset_ranges<O: OffsetSizeTrait>(offsets: &[O]) -> Vec<(usize, usize)> {
    let starts = offsets.iter().map(|offset| offset.as_usize());
    starts.clone().zip(starts.skip(1)).map(|(start, end)| (start, end - start)).collect()
}

fn view_ranges<O: OffsetSizeTrait>(offsets: &[O], sizes: &[O]) -> Vec<(usize, usize)> {
    offsets.iter().zip(sizes).map(|(offset, size)| (offset.as_usize(), size.as_usize())).collect()
}
