use std::sync::Arc;

use arrow::{
    array::*,
    datatypes::{DataType, Field, Int32Type, IntervalMonthDayNano, TimeUnit},
};

use super::{parse::Moment, *};
use crate::error::Failure;

fn text_of(array: impl Array) -> Vec<String> {
    let texts = (0..array.len()).map(|row| {
        let mut out = String::new();
        write_cell(&array, row, &mut out);
        out
    });
    texts.collect()
}

#[test]
fn floats_look_as_in_postgresql() {
    let values = [
        1.0,
        -0.0,
        0.1,
        100000.0,
        123456789012345.0,
        1e14,
        1e15,
        1e21,
        0.0001,
        0.00001,
        1.5e-7,
        -2.5e300,
        f64::NAN,
        f64::INFINITY,
        f64::NEG_INFINITY,
    ];
    assert_eq!(
        text_of(Float64Array::from(values.to_vec())),
        [
            "1",
            "-0",
            "0.1",
            "100000",
            "123456789012345",
            "100000000000000",
            "1e+15",
            "1e+21",
            "0.0001",
            "1e-05",
            "1.5e-07",
            "-2.5e+300",
            "NaN",
            "Infinity",
            "-Infinity"
        ]
    );
    assert_eq!(
        text_of(Float32Array::from(vec![0.1, 123456.0, 1234567.0, 16777216.0])),
        ["0.1", "123456", "1.234567e+06", "1.6777216e+07"]
    );
}

#[test]
fn decimals_keep_the_digits_of_their_scale() {
    let decimals = Decimal128Array::from(vec![1230, -5, 0, 100]).with_data_type(DataType::Decimal128(10, 2));
    assert_eq!(text_of(decimals), ["12.30", "-0.05", "0.00", "1.00"]);
    let coarse = Decimal128Array::from(vec![12, 0]).with_data_type(DataType::Decimal128(10, -2));
    assert_eq!(text_of(coarse), ["1200", "0"]);
}

#[test]
fn dates_and_times() {
    assert_eq!(
        text_of(Date32Array::from(vec![0, -719_162, -719_163, 2_932_896, 2_932_897])),
        ["1970-01-01", "0001-01-01", "0001-12-31 BC", "9999-12-31", "10000-01-01"]
    );
    let micros = TimestampMicrosecondArray::from(vec![0, -1, 1_500_000]);
    assert_eq!(text_of(micros.clone()), ["1970-01-01 00:00:00", "1969-12-31 23:59:59.999999", "1970-01-01 00:00:01.5"]);
    assert_eq!(text_of(micros.with_timezone("UTC"))[1], "1969-12-31 23:59:59.999999+00");
    assert_eq!(text_of(TimestampNanosecondArray::from(vec![1])), ["1970-01-01 00:00:00.000000001"]);
    assert_eq!(text_of(Time64MicrosecondArray::from(vec![0, 86_399_999_999])), ["00:00:00", "23:59:59.999999"]);
    assert_eq!(text_of(TimestampSecondArray::from(vec![i64::MIN, i64::MAX])).len(), 2);
}

#[test]
fn intervals() {
    let intervals = [
        (14, 3, 4 * 3_600_000_000_000 + 5_700_000_000),
        (0, 0, 0),
        (-1, 1, 0),
        (0, -1, 1_000_000_000),
        (1, 0, -60_000_000_000),
        (0, 1, 0),
    ];
    let array = IntervalMonthDayNanoArray::from_iter_values(
        intervals.map(|(months, days, nanoseconds)| IntervalMonthDayNano { months, days, nanoseconds }),
    );
    assert_eq!(
        text_of(array),
        [
            "1 year 2 mons 3 days 04:00:05.7",
            "00:00:00",
            "-1 mons +1 day",
            "-1 days +00:00:01",
            "1 mon -00:01:00",
            "1 day"
        ]
    );
    assert_eq!(text_of(DurationSecondArray::from(vec![90_061, -1, i64::MAX]))[..2], ["1 day 01:01:01", "-00:00:01"]);
}

#[test]
fn arrays_and_records() {
    let numbers = ListArray::from_iter_primitive::<Int32Type, _, _>([Some(vec![Some(1), None]), Some(vec![])]);
    assert_eq!(text_of(numbers.clone()), ["{1,NULL}", "{}"]);
    let mut words = ListBuilder::new(StringBuilder::new());
    words.append_value(["a", "", "null", "a b", "q\"\\", "{x}"].map(Some));
    assert_eq!(text_of(words.finish()), ["{a,\"\",\"null\",\"a b\",\"q\\\"\\\\\",\"{x}\"}"]);
    let record = StructArray::from(vec![
        (Arc::new(Field::new("n", numbers.data_type().clone(), true)), Arc::new(numbers) as ArrayRef),
        (
            Arc::new(Field::new("s", DataType::Utf8, true)),
            Arc::new(StringArray::from(vec![Some("(x)"), None])) as ArrayRef,
        ),
    ]);
    assert_eq!(text_of(record), ["(\"{1,NULL}\",\"(x)\")", "({},)"]);
}

#[test]
fn timestamps_from_text() {
    let micros = |text: &str| parse_moment(text).and_then(|moment| Ok((moment.local_micros()?, moment.utc_micros()?)));
    const HOUR: i64 = 3_600_000_000;
    for (text, local, utc) in [
        ("1970-01-01", 0, 0),
        (" 1970-01-01 00:00 ", 0, 0),
        ("1970-01-01T00:00:01.5Z", 1_500_000, 1_500_000),
        ("1970-01-01 02:00:00+02", 2 * HOUR, 0),
        ("1970-01-01 02:00:00 +02:30", 2 * HOUR, -HOUR / 2),
        ("1970-01-01t02:00:00-0130", 2 * HOUR, 2 * HOUR + HOUR * 3 / 2),
        ("1970-01-01 00:00:00.123456", 123_456, 123_456),
        ("1970-01-01 00:00:00.1234565", 123_457, 123_457),
        ("1970-01-01 00:00:60 UTC", 60_000_000, 60_000_000),
        ("1969-12-31 24:00:00", 0, 0),
        ("0001-01-01 00:00:00", -62_135_596_800_000_000, -62_135_596_800_000_000),
        ("9999-12-31 23:59:59.999999", 253_402_300_799_999_999, 253_402_300_799_999_999),
        ("+010000-01-01T00:00:00.000Z", 253_402_300_800_000_000, 253_402_300_800_000_000),
        ("10000-01-01", 253_402_300_800_000_000, 253_402_300_800_000_000),
        ("1970-01-02Z", 86_400_000_000, 86_400_000_000),
        ("1970-01-01 +01", 0, -HOUR),
        ("19700102T000001.5", 86_401_500_000, 86_401_500_000),
        ("19700102 00:00", 86_400_000_000, 86_400_000_000),
        ("+010000-01-01", 253_402_300_800_000_000, 253_402_300_800_000_000),
        ("0001-12-31 BC", -62_135_683_200_000_000, -62_135_683_200_000_000),
        ("-000001-01-01T00:00:00Z", -62_198_755_200_000_000, -62_198_755_200_000_000),
    ] {
        assert_eq!(micros(text), Ok((local, utc)), "{text:?}");
    }
    for text in [
        "",
        "x",
        "1970",
        "1970-1",
        "70-01-01",
        "1970-01-01 00:00:00.",
        "1970-01-01 00:00 Mars",
        "1970-01-01x",
        "1970-01-01 00:00:00Zx",
        "1970-01-01T",
        "\u{663}970-01-01",
    ] {
        assert_eq!(micros(text), Err(Failure::Datetime), "{text:?}");
    }
    for text in [
        "0000-01-01",
        "2023-02-29",
        "2024-13-01",
        "20240230",
        "1970-01-01 25:00",
        "1970-01-01 24:00:01",
        "1970-01-01 00:60",
        "1970-01-01 00:00:61",
        "1970-01-01 00:00+16",
        "9999999-01-01",
    ] {
        assert_eq!(micros(text), Err(Failure::DatetimeRange), "{text:?}");
    }
}

#[test]
fn times_from_text() {
    assert_eq!(parse_time("10:00"), Ok(36_000_000_000));
    assert_eq!(parse_time(" 23:59:59.999999 "), Ok(86_399_999_999));
    for text in ["1:2", "10", "10:00:00+02", ""] {
        assert_eq!(parse_time(text), Err(Failure::Datetime), "{text:?}");
    }
    for text in ["24:00:00", "23:59:59.9999999", "25:00"] {
        assert_eq!(parse_time(text), Err(Failure::DatetimeRange), "{text:?}");
    }
    assert_eq!(parse_date("2000-02-29 10:00", true), Ok(11_016));
    assert_eq!(parse_date("2000-02-29 10:00", false), Err(Failure::Datetime));
    assert_eq!(parse_date("2000-02-29T00:00:00Z", false), Ok(11_016));
}

#[test]
fn timestamps_read_back_what_was_written() {
    for value in [i64::MIN, -62_135_596_800_000_001, -1, 0, 1, 253_402_300_800_000_000, i64::MAX] {
        let array = TimestampMicrosecondArray::from(vec![value]);
        assert_eq!(array.data_type(), &DataType::Timestamp(TimeUnit::Microsecond, None));
        let text = text_of(array).remove(0);
        assert_eq!(parse_moment(&text).and_then(Moment::local_micros), Ok(value), "{text}");
    }
}
