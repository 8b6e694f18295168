//! Integers of any width as differences of few bytes.

use super::bytes::{Reader, write_run};
use super::{PageError, PageResult};

/// How the stored differences are to be read.
#[derive(Clone, Copy)]
#[repr(u8)]
enum Mode {
    /// From the least value.
    FromLeast = 0,
    /// From the value before, less the least such difference.
    FromPrevious = 1,
}

/// Appends integers, whichever of the two ways takes fewer bytes.
pub(super) fn write_integers(values: &[i64], out: &mut Vec<u8>) -> PageResult<()> {
    let (least, width) = span(values.iter().copied());
    let steps = || values.iter().zip(values.iter().skip(1)).map(|(a, b)| b.wrapping_sub(*a));
    let (least_step, step_width) = span(steps());
    if step_width < width {
        let first = values.first().copied().unwrap_or_default();
        out.extend_from_slice(&[Mode::FromPrevious as u8, step_width]);
        out.extend_from_slice(&first.to_le_bytes());
        out.extend_from_slice(&least_step.to_le_bytes());
        return write_differences(steps(), least_step, step_width, values.len().saturating_sub(1), out);
    }
    out.extend_from_slice(&[Mode::FromLeast as u8, width]);
    out.extend_from_slice(&least.to_le_bytes());
    write_differences(values.iter().copied(), least, width, values.len(), out)
}

/// The least value, and how many bytes the greatest difference from it takes.
fn span(values: impl Iterator<Item = i64>) -> (i64, u8) {
    let (mut least, mut greatest) = (i64::MAX, i64::MIN);
    for value in values {
        least = least.min(value);
        greatest = greatest.max(value);
    }
    if least > greatest {
        return (0, 0);
    }
    let difference = greatest.wrapping_sub(least).cast_unsigned();
    (least, (u64::BITS - difference.leading_zeros()).div_ceil(8) as u8)
}

fn write_differences(
    values: impl Iterator<Item = i64>,
    from: i64,
    width: u8,
    count: usize,
    out: &mut Vec<u8>,
) -> PageResult<()> {
    let mut bytes = Vec::with_capacity(count * usize::from(width));
    for value in values {
        let difference = value.wrapping_sub(from).cast_unsigned().to_le_bytes();
        bytes.extend(difference.iter().take(usize::from(width)));
    }
    write_run(&bytes, out)
}

/// Reads so many integers.
pub(super) fn read_integers(reader: &mut Reader<'_>, count: usize) -> PageResult<Vec<i64>> {
    let (mode, width) = (reader.byte()?, reader.byte()?);
    if width > 8 {
        return Err(PageError::new(format!("an integer has {width} bytes")));
    }
    if mode == Mode::FromLeast as u8 {
        let least = i64::from_le_bytes(reader.array()?);
        let mut values = read_differences(reader, width, count)?;
        values.iter_mut().for_each(|value| *value = value.wrapping_add(least));
        return Ok(values);
    }
    if mode != Mode::FromPrevious as u8 {
        return Err(PageError::new(format!("integers are stored in an unknown way ({mode})")));
    }
    let mut value = i64::from_le_bytes(reader.array()?);
    let least = i64::from_le_bytes(reader.array()?);
    let steps = read_differences(reader, width, count.saturating_sub(1))?;
    let mut values = Vec::with_capacity(count);
    if count > 0 {
        values.push(value);
    }
    values.extend(steps.into_iter().map(|step| {
        value = value.wrapping_add(step).wrapping_add(least);
        value
    }));
    Ok(values)
}

fn read_differences(reader: &mut Reader<'_>, width: u8, count: usize) -> PageResult<Vec<i64>> {
    let length = count.checked_mul(usize::from(width)).ok_or_else(|| PageError::new("there are too many integers"))?;
    let bytes = reader.run(length)?;
    // One loop for each width, so that each is a plain widening copy.
    fn widen<const N: usize>(bytes: &[u8]) -> Vec<i64> {
        let (chunks, _) = bytes.as_chunks::<N>();
        let widened =
            |chunk: &[u8; N]| chunk.iter().rev().fold(0_u64, |value, byte| value << 8 | u64::from(*byte)).cast_signed();
        chunks.iter().map(widened).collect()
    }
    Ok(match width {
        0 => vec![0; count],
        1 => bytes.iter().map(|byte| i64::from(*byte)).collect(),
        2 => widen::<2>(&bytes),
        3 => widen::<3>(&bytes),
        4 => widen::<4>(&bytes),
        5 => widen::<5>(&bytes),
        6 => widen::<6>(&bytes),
        7 => widen::<7>(&bytes),
        _ => widen::<8>(&bytes),
    })
}
