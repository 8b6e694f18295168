//! Doubles: as integers where they are decimal fractions of few digits, byte by byte otherwise.

use super::bytes::{Reader, write_run};
use super::integers::{read_integers, write_integers};
use super::{PageError, PageResult};

/// The most digits after the point that are tried.
const MAX_DIGITS: u8 = 4;

/// Marks doubles that are stored as they are.
const AS_THEY_ARE: u8 = u8::MAX;

/// Doubles up to this are exact as integers.
const MAX_EXACT: f64 = 9_007_199_254_740_992.0;

/// Appends doubles.
pub(super) fn write_doubles(values: &[f64], out: &mut Vec<u8>) -> PageResult<()> {
    for digits in 0..=MAX_DIGITS {
        if let Some(scaled) = scaled(values, digits) {
            out.push(digits);
            return write_integers(&scaled, out);
        }
    }
    out.push(AS_THEY_ARE);
    let bytes: Vec<[u8; 8]> = values.iter().map(|value| value.to_le_bytes()).collect();
    write_run(&transposed(&bytes), out)
}

/// Reads so many doubles.
pub(super) fn read_doubles(reader: &mut Reader<'_>, count: usize) -> PageResult<Vec<f64>> {
    match reader.byte()? {
        AS_THEY_ARE => {
            let length = count.checked_mul(8).ok_or_else(|| PageError::new("there are too many doubles"))?;
            Ok(restored::<8>(&reader.run(length)?, count).into_iter().map(f64::from_le_bytes).collect())
        }
        digits if digits <= MAX_DIGITS => {
            let power = power(digits);
            Ok(read_integers(reader, count)?.into_iter().map(|value| value as f64 / power).collect())
        }
        digits => Err(PageError::new(format!("doubles are stored in an unknown way ({digits})"))),
    }
}

fn power(digits: u8) -> f64 {
    10_f64.powi(i32::from(digits))
}

/// The values times a power of ten, if they are integers from which the values come back to the bit.
fn scaled(values: &[f64], digits: u8) -> Option<Vec<i64>> {
    let power = power(digits);
    let mut scaled = Vec::new();
    for value in values {
        let rounded = (value * power).round();
        let integer = rounded as i64;
        // As an integer it has no sign at zero.
        if !(rounded.abs() < MAX_EXACT && (integer as f64 / power).to_bits() == value.to_bits()) {
            return None;
        }
        if scaled.is_empty() {
            scaled.reserve(values.len());
        }
        scaled.push(integer);
    }
    Some(scaled)
}

/// All first bytes, then all second bytes, and so on: bytes of one place resemble each other.
pub(super) fn transposed<const N: usize>(values: &[[u8; N]]) -> Vec<u8> {
    (0..N).flat_map(|place| values.iter().filter_map(move |value| value.get(place).copied())).collect()
}

/// What [`transposed`] was made from.
pub(super) fn restored<const N: usize>(bytes: &[u8], count: usize) -> Vec<[u8; N]> {
    let mut values = vec![[0; N]; count];
    if count == 0 {
        return values;
    }
    for (place, run) in bytes.chunks_exact(count).enumerate() {
        for (value, byte) in values.iter_mut().zip(run) {
            if let Some(slot) = value.get_mut(place) {
                *slot = *byte;
            }
        }
    }
    values
}
