//! How large the values are that a function makes of its arguments.

use datafusion::arrow::array::{Array, ArrayRef, AsArray, OffsetSizeTrait};
use datafusion::arrow::compute::cast;
use datafusion::arrow::datatypes::{DataType, Int64Type};
use datafusion::common::ScalarValue;
use datafusion::logical_expr::ColumnarValue;

/// How large the values of a call are at most, in bytes.
#[derive(Debug, Clone, Copy, Default)]
pub(super) struct Size {
    /// Of the largest value.
    pub(super) largest: u64,
    /// Of all values together.
    pub(super) total: u64,
}

/// Tells the size of what a function makes: from its arguments, for so many rows. It may look closer where more than
/// the last argument would come out.
pub(super) type Estimate = fn(&[ColumnarValue], usize, u64) -> Size;

/// A number that does not become text of more bytes.
const NUMBER_BYTES: u64 = 48;

/// The estimate for a function that may make values much larger than its arguments.
pub(super) fn estimate_of(name: &str) -> Option<Estimate> {
    Some(match name {
        "repeat" => repeat,
        "lpad" | "rpad" => pad,
        "replace" => replace,
        "regexp_replace" => regexp_replace,
        "concat" | "||" | "overlay" | "make_array" | "array_concat" | "array_append" | "array_prepend"
        | "named_struct" | "struct" | "map" | "array_union" | "array_intersect" | "flatten" | "array_insert" => sum,
        "concat_ws" => concat_ws,
        "array_to_string" => array_to_string,
        "array_repeat" => array_repeat,
        "array_resize" => array_resize,
        "range" | "generate_series" => range,
        "string_to_array" => string_to_array,
        "translate" => |args, n_rows, _| times(args, n_rows, 4),
        "upper" | "lower" | "initcap" => |args, n_rows, _| times(args, n_rows, 1),
        "encode" | "to_hex" | "to_json" | "to_jsonb" | "json_build_array" | "json_build_object" | "json_array"
        | "json_object" => |args, n_rows, _| times(args, n_rows, 2),
        "to_char" | "date_format" => |args, n_rows, _| times(args, n_rows, 16),
        "array_replace" | "array_replace_n" | "array_replace_all" => array_replace,
        _ => return None,
    })
}

/// A number for each row.
type OfRow<'a, T> = Box<dyn Fn(usize) -> T + 'a>;

/// The sizes of an argument's values.
fn sizes(arg: &ColumnarValue) -> OfRow<'_, u64> {
    match arg {
        ColumnarValue::Scalar(value) => {
            let size = scalar_size(value);
            Box::new(move |_| size)
        }
        ColumnarValue::Array(array) => array_sizes(array),
    }
}

fn scalar_size(value: &ScalarValue) -> u64 {
    match value {
        ScalarValue::Utf8(text) | ScalarValue::LargeUtf8(text) | ScalarValue::Utf8View(text) => {
            text.as_ref().map_or(0, |text| text.len() as u64)
        }
        ScalarValue::Binary(bytes)
        | ScalarValue::LargeBinary(bytes)
        | ScalarValue::BinaryView(bytes)
        | ScalarValue::FixedSizeBinary(_, bytes) => bytes.as_ref().map_or(0, |bytes| bytes.len() as u64),
        ScalarValue::List(list) => data_size(list.as_ref()),
        ScalarValue::LargeList(list) => data_size(list.as_ref()),
        ScalarValue::FixedSizeList(list) => data_size(list.as_ref()),
        ScalarValue::Struct(fields) => data_size(fields.as_ref()),
        ScalarValue::Map(map) => data_size(map.as_ref()),
        _ => NUMBER_BYTES,
    }
}

fn array_sizes(array: &ArrayRef) -> OfRow<'_, u64> {
    fn between<O: OffsetSizeTrait>(offsets: &[O], each: u64) -> OfRow<'_, u64> {
        Box::new(move |row| {
            let at = |row: usize| offsets.get(row).map_or(0, |offset| offset.as_usize() as u64);
            at(row + 1).saturating_sub(at(row)).saturating_mul(each)
        })
    }
    let of_view = |view: Option<&u128>| view.map_or(0, |view| u64::from(*view as u32));
    match array.data_type() {
        DataType::Utf8 => between(array.as_string::<i32>().value_offsets(), 1),
        DataType::LargeUtf8 => between(array.as_string::<i64>().value_offsets(), 1),
        DataType::Binary => between(array.as_binary::<i32>().value_offsets(), 1),
        DataType::LargeBinary => between(array.as_binary::<i64>().value_offsets(), 1),
        DataType::Utf8View => {
            let views = array.as_string_view().views();
            Box::new(move |row| of_view(views.get(row)))
        }
        DataType::BinaryView => {
            let views = array.as_binary_view().views();
            Box::new(move |row| of_view(views.get(row)))
        }
        DataType::List(_) => between(array.as_list::<i32>().value_offsets(), each(array.as_list::<i32>().values())),
        DataType::LargeList(_) => {
            between(array.as_list::<i64>().value_offsets(), each(array.as_list::<i64>().values()))
        }
        _ => {
            let each = each(array).max(NUMBER_BYTES);
            Box::new(move |_| each)
        }
    }
}

/// The mean size of the values of an array.
fn each(array: &dyn Array) -> u64 {
    data_size(array).div_ceil((array.len() as u64).max(1))
}

/// What the values of an array take, without what they share with others.
pub(crate) fn data_size(array: &dyn Array) -> u64 {
    let n = array.len() as u64;
    let of = |offsets: Option<(usize, usize)>| offsets.map_or(0, |(first, last)| last.saturating_sub(first) as u64);
    fn ends<O: OffsetSizeTrait>(offsets: &[O]) -> Option<(usize, usize)> {
        Some((offsets.first()?.as_usize(), offsets.last()?.as_usize()))
    }
    fn part(values: &dyn Array, ends: Option<(usize, usize)>) -> u64 {
        let n = ends.map_or(0, |(first, last)| last.saturating_sub(first) as u64);
        each(values).saturating_mul(n)
    }
    let of_views = |views: &[u128]| views.iter().map(|view| u64::from(*view as u32)).fold(16 * n, u64::saturating_add);
    match array.data_type() {
        DataType::Utf8 => 4 * n + of(ends(array.as_string::<i32>().value_offsets())),
        DataType::LargeUtf8 => 8 * n + of(ends(array.as_string::<i64>().value_offsets())),
        DataType::Binary => 4 * n + of(ends(array.as_binary::<i32>().value_offsets())),
        DataType::LargeBinary => 8 * n + of(ends(array.as_binary::<i64>().value_offsets())),
        DataType::Utf8View => of_views(array.as_string_view().views()),
        DataType::BinaryView => of_views(array.as_binary_view().views()),
        DataType::List(_) => {
            4 * n + part(array.as_list::<i32>().values(), ends(array.as_list::<i32>().value_offsets()))
        }
        DataType::LargeList(_) => {
            8 * n + part(array.as_list::<i64>().values(), ends(array.as_list::<i64>().value_offsets()))
        }
        DataType::FixedSizeList(..) => data_size(array.as_fixed_size_list().values()),
        DataType::Struct(_) => {
            array.as_struct().columns().iter().map(|column| data_size(column)).fold(n, u64::saturating_add)
        }
        DataType::Map(..) => data_size(array.as_map().entries()),
        other => n.saturating_mul(other.primitive_width().unwrap_or(16) as u64),
    }
}

/// An argument's values as integers; what is none counts as 0.
fn integers(arg: Option<&ColumnarValue>) -> OfRow<'_, i64> {
    match arg {
        Some(ColumnarValue::Scalar(value)) => {
            let value = match value.cast_to(&DataType::Int64) {
                Ok(ScalarValue::Int64(Some(value))) => value,
                _ => 0,
            };
            Box::new(move |_| value)
        }
        Some(ColumnarValue::Array(array)) => match cast(array, &DataType::Int64) {
            Ok(values) => Box::new(move |row| {
                let values = values.as_primitive::<Int64Type>();
                if row < values.len() && values.is_valid(row) { values.value(row) } else { 0 }
            }),
            Err(_) => Box::new(|_| 0),
        },
        None => Box::new(|_| 0),
    }
}

fn n_times(arg: Option<&ColumnarValue>) -> OfRow<'_, u64> {
    let integers = integers(arg);
    Box::new(move |row| u64::try_from(integers(row)).unwrap_or(0))
}

fn none<'a>(_: usize) -> OfRow<'a, u64> {
    Box::new(|_| 0)
}

fn sizes_at(args: &[ColumnarValue], at: usize) -> OfRow<'_, u64> {
    args.get(at).map_or_else(|| none(at), sizes)
}

/// The sizes of all rows from that of each.
fn of_rows(args: &[ColumnarValue], n_rows: usize, of_row: impl Fn(usize) -> u64) -> Size {
    // What is the same for all rows is made once.
    let n_rows = if args.iter().all(|arg| matches!(arg, ColumnarValue::Scalar(_))) { n_rows.min(1) } else { n_rows };
    (0..n_rows).map(of_row).fold(Size::default(), |size, row| Size {
        largest: size.largest.max(row),
        total: size.total.saturating_add(row),
    })
}

fn times(args: &[ColumnarValue], n_rows: usize, factor: u64) -> Size {
    let sizes: Vec<_> = args.iter().map(sizes).collect();
    of_rows(args, n_rows, |row| sizes.iter().map(|size| size(row)).fold(0, u64::saturating_add).saturating_mul(factor))
}

fn sum(args: &[ColumnarValue], n_rows: usize, _: u64) -> Size {
    times(args, n_rows, 1)
}

fn repeat(args: &[ColumnarValue], n_rows: usize, _: u64) -> Size {
    let (text, n) = (sizes_at(args, 0), n_times(args.get(1)));
    of_rows(args, n_rows, |row| text(row).saturating_mul(n(row)))
}

fn pad(args: &[ColumnarValue], n_rows: usize, _: u64) -> Size {
    let (text, n) = (sizes_at(args, 0), n_times(args.get(1)));
    let is_ascii = match args.get(2) {
        None => true,
        Some(ColumnarValue::Scalar(
            ScalarValue::Utf8(Some(fill)) | ScalarValue::Utf8View(Some(fill)) | ScalarValue::LargeUtf8(Some(fill)),
        )) => fill.is_ascii(),
        Some(_) => false,
    };
    let width = if is_ascii { 1 } else { 4 };
    // A text that is longer is cut.
    of_rows(args, n_rows, |row| n(row).saturating_mul(width).saturating_add(text(row).min(n(row).saturating_mul(4))))
}

fn replace(args: &[ColumnarValue], n_rows: usize, limit: u64) -> Size {
    let (text, from, to) = (sizes_at(args, 0), sizes_at(args, 1), sizes_at(args, 2));
    let (texts, patterns) = (texts(args.first()), texts(args.get(1)));
    of_rows(args, n_rows, |row| {
        let grows = to(row).saturating_sub(from(row));
        let at_most = |n: u64| text(row).saturating_add(n.saturating_mul(grows));
        let estimate = at_most(text(row) / from(row).max(1) + 1);
        if estimate <= limit {
            return estimate;
        }
        match (texts(row), patterns(row)) {
            (Some(text), Some(pattern)) => at_most(text.matches(&pattern).count() as u64),
            _ => estimate,
        }
    })
}

/// The texts of an argument.
fn texts(arg: Option<&ColumnarValue>) -> OfRow<'_, Option<String>> {
    let text = |array: &ArrayRef, row: usize| match array.data_type() {
        DataType::Utf8 => Some(array.as_string::<i32>().value(row).to_owned()),
        DataType::LargeUtf8 => Some(array.as_string::<i64>().value(row).to_owned()),
        DataType::Utf8View => Some(array.as_string_view().value(row).to_owned()),
        _ => None,
    };
    match arg {
        Some(ColumnarValue::Scalar(
            ScalarValue::Utf8(value) | ScalarValue::Utf8View(value) | ScalarValue::LargeUtf8(value),
        )) => Box::new(move |_| value.clone()),
        Some(ColumnarValue::Array(array)) => {
            Box::new(move |row| if row < array.len() && array.is_valid(row) { text(array, row) } else { None })
        }
        _ => Box::new(|_| None),
    }
}

fn regexp_replace(args: &[ColumnarValue], n_rows: usize, _: u64) -> Size {
    let (text, to, flags) = (sizes_at(args, 0), sizes_at(args, 2), texts(args.get(3)));
    let replacements = texts(args.get(2));
    of_rows(args, n_rows, |row| {
        let everywhere = flags(row).is_some_and(|flags| flags.contains('g'));
        let n_matches = if everywhere { text(row).saturating_add(1) } else { 1 };
        // Each group in the replacement may stand for all that is matched.
        let n_groups =
            replacements(row).map_or(0, |to| to.bytes().filter(|byte| matches!(byte, b'$' | b'\\')).count() as u64);
        text(row).saturating_mul(1 + n_groups).saturating_add(n_matches.saturating_mul(to(row)))
    })
}

fn concat_ws(args: &[ColumnarValue], n_rows: usize, _: u64) -> Size {
    let sizes: Vec<_> = args.iter().map(sizes).collect();
    let Some((separator, texts)) = sizes.split_first() else { return Size::default() };
    let n_separators = texts.len().saturating_sub(1) as u64;
    of_rows(args, n_rows, |row| {
        texts.iter().map(|text| text(row)).fold(separator(row).saturating_mul(n_separators), u64::saturating_add)
    })
}

/// How many elements the lists of an argument have.
fn n_elements(arg: Option<&ColumnarValue>) -> OfRow<'_, u64> {
    match arg {
        Some(ColumnarValue::Scalar(ScalarValue::List(list))) => {
            let n = list.values().len() as u64;
            Box::new(move |_| n)
        }
        Some(ColumnarValue::Array(array)) => match array.data_type() {
            DataType::List(_) => {
                let list = array.as_list::<i32>();
                Box::new(move |row| if row < list.len() { u64::from(list.value_length(row).unsigned_abs()) } else { 0 })
            }
            _ => {
                let n = data_size(array).div_ceil((array.len() as u64).max(1));
                Box::new(move |_| n)
            }
        },
        Some(ColumnarValue::Scalar(other)) => {
            let n = scalar_size(other);
            Box::new(move |_| n)
        }
        None => Box::new(|_| 0),
    }
}

/// What an argument's values take as elements of a list.
fn element_sizes(arg: Option<&ColumnarValue>) -> OfRow<'_, u64> {
    match arg {
        Some(arg) => match arg.data_type().primitive_width() {
            Some(width) => Box::new(move |_| width as u64),
            None => {
                let sizes = sizes(arg);
                Box::new(move |row| sizes(row).saturating_add(16))
            }
        },
        None => Box::new(|_| 16),
    }
}

fn array_to_string(args: &[ColumnarValue], n_rows: usize, _: u64) -> Size {
    let (list, n, separator, null) =
        (sizes_at(args, 0), n_elements(args.first()), sizes_at(args, 1), sizes_at(args, 2));
    of_rows(args, n_rows, |row| {
        let each = separator(row).saturating_add(null(row)).saturating_add(8);
        list(row).saturating_add(n(row).saturating_mul(each))
    })
}

fn array_repeat(args: &[ColumnarValue], n_rows: usize, _: u64) -> Size {
    let (element, n) = (element_sizes(args.first()), n_times(args.get(1)));
    of_rows(args, n_rows, |row| element(row).saturating_mul(n(row)))
}

fn array_resize(args: &[ColumnarValue], n_rows: usize, _: u64) -> Size {
    let (list, n, element) = (sizes_at(args, 0), n_times(args.get(1)), element_sizes(args.get(2)));
    of_rows(args, n_rows, |row| list(row).saturating_add(element(row).saturating_mul(n(row))))
}

fn array_replace(args: &[ColumnarValue], n_rows: usize, _: u64) -> Size {
    let (list, n, element) = (sizes_at(args, 0), n_elements(args.first()), sizes_at(args, 2));
    of_rows(args, n_rows, |row| list(row).saturating_add(element(row).saturating_mul(n(row))))
}

fn string_to_array(args: &[ColumnarValue], n_rows: usize, _: u64) -> Size {
    let (text, separator) = (sizes_at(args, 0), sizes_at(args, 1));
    of_rows(args, n_rows, |row| text(row).saturating_add((text(row) / separator(row).max(1) + 1).saturating_mul(4)))
}

/// Nanoseconds of a day.
const DAY: i128 = 86_400_000_000_000;

fn range(args: &[ColumnarValue], n_rows: usize, _: u64) -> Size {
    // One argument is where to end.
    let (first, last) = if args.len() > 1 { (args.first(), args.get(1)) } else { (None, args.first()) };
    let is_time = first.is_some_and(|first| {
        matches!(first.data_type(), DataType::Date32 | DataType::Date64 | DataType::Timestamp(..))
    });
    if !is_time {
        let (first, last, step) = (integers(first), integers(last), args.get(2).map(|step| integers(Some(step))));
        return of_rows(args, n_rows, |row| {
            let step = step.as_ref().map_or(1, |step| step(row)).unsigned_abs().max(1);
            (last(row).abs_diff(first(row)) / step).saturating_add(1).saturating_mul(8)
        });
    }
    let (first, last, step) =
        (instants(first), instants(last), args.get(2).map_or_else(|| Box::new(|_| DAY) as OfRow<'_, i128>, durations));
    of_rows(args, n_rows, |row| {
        let n = last(row).abs_diff(first(row)) / step(row).unsigned_abs().max(1);
        u64::try_from(n).unwrap_or(u64::MAX).saturating_add(1).saturating_mul(8)
    })
}

/// Times as nanoseconds.
fn instants(arg: Option<&ColumnarValue>) -> OfRow<'_, i128> {
    use datafusion::arrow::datatypes::TimeUnit;
    let unit = match arg.map(ColumnarValue::data_type) {
        Some(DataType::Date32) => DAY,
        Some(DataType::Date64 | DataType::Timestamp(TimeUnit::Millisecond, _)) => 1_000_000,
        Some(DataType::Timestamp(TimeUnit::Second, _)) => 1_000_000_000,
        Some(DataType::Timestamp(TimeUnit::Microsecond, _)) => 1000,
        _ => 1,
    };
    // A date becomes an integer by way of one of 32 bits.
    let integers = match arg {
        Some(ColumnarValue::Array(array)) if *array.data_type() == DataType::Date32 => {
            match cast(array, &DataType::Int32) {
                Ok(days) => return owned_instants(days, unit),
                Err(_) => integers(arg),
            }
        }
        Some(ColumnarValue::Scalar(ScalarValue::Date32(days))) => {
            let days = i64::from(days.unwrap_or(0));
            Box::new(move |_| days)
        }
        _ => integers(arg),
    };
    Box::new(move |row| i128::from(integers(row)) * unit)
}

fn owned_instants<'a>(days: ArrayRef, unit: i128) -> OfRow<'a, i128> {
    use datafusion::arrow::datatypes::Int32Type;
    Box::new(move |row| {
        let days = days.as_primitive::<Int32Type>();
        if row < days.len() && days.is_valid(row) { i128::from(days.value(row)) * unit } else { 0 }
    })
}

/// Intervals as nanoseconds, months being as short as they get.
fn durations(arg: &ColumnarValue) -> OfRow<'_, i128> {
    use datafusion::arrow::datatypes::{IntervalMonthDayNano, IntervalMonthDayNanoType, IntervalUnit};
    let of = |interval: IntervalMonthDayNano| {
        let days = i128::from(interval.months) * 28 + i128::from(interval.days);
        days * DAY + i128::from(interval.nanoseconds)
    };
    match arg {
        ColumnarValue::Scalar(ScalarValue::IntervalMonthDayNano(Some(interval))) => {
            let step = of(*interval);
            Box::new(move |_| step)
        }
        ColumnarValue::Array(array) if *array.data_type() == DataType::Interval(IntervalUnit::MonthDayNano) => {
            let intervals = array.as_primitive::<IntervalMonthDayNanoType>();
            Box::new(
                move |row| {
                    if row < intervals.len() && intervals.is_valid(row) { of(intervals.value(row)) } else { DAY }
                },
            )
        }
        _ => Box::new(|_| DAY),
    }
}
