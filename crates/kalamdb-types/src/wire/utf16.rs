//! Lengths in UTF-16 code units, the only ones that JavaScript knows without encoding each string by itself.

use super::WireError;

/// The offsets into `text` of values whose lengths are given in UTF-16 code units (u32, little-endian).
///
/// `text` need not be valid UTF-8: then the offsets are wrong, but within it, and the caller's check of the text finds
/// out.
///
/// # Errors
/// If the lengths do not add up to the text or one ends within a surrogate pair.
pub(super) fn offsets(text: &[u8], lengths: &[[u8; 4]]) -> Result<Vec<i32>, WireError> {
    // Byte offsets are 32-bit signed integers in Arrow.
    i32::try_from(text.len()).map_err(|_| WireError::TooLarge("a column's text"))?;
    let total: u64 = lengths.iter().map(|length| u64::from(u32::from_le_bytes(*length))).sum();
    let is_ascii = total == text.len() as u64 && text.is_ascii();
    let mut offsets = Vec::with_capacity(lengths.len() + 1);
    let mut offset = 0_usize;
    offsets.push(0);
    for length in lengths {
        let n_units = u32::from_le_bytes(*length) as usize;
        offset = if is_ascii { offset + n_units } else { advance(text, offset, n_units)? };
        // Within the text, whose length was checked above.
        offsets.push(offset as i32);
    }
    if offset == text.len() { Ok(offsets) } else { Err(WireError::Lengths) }
}

/// The byte offset that is `n_units` code units after `offset`.
fn advance(text: &[u8], offset: usize, n_units: usize) -> Result<usize, WireError> {
    let rest = text.get(offset..).ok_or(WireError::Lengths)?;
    if let Some(ascii) = rest.get(..n_units)
        && ascii.is_ascii()
    {
        return Ok(offset + n_units);
    }
    let (mut n_bytes, mut left) = (0, n_units);
    while left > 0 {
        let (char_bytes, char_units) = match rest.get(n_bytes).ok_or(WireError::Lengths)? {
            0..0x80 => (1, 1),
            0x80..0xe0 => (2, 1),
            0xe0..0xf0 => (3, 1),
            0xf0.. => (4, 2),
        };
        n_bytes += char_bytes;
        left = left.checked_sub(char_units).ok_or(WireError::Lengths)?;
    }
    if n_bytes <= rest.len() { Ok(offset + n_bytes) } else { Err(WireError::Lengths) }
}

/// The length of a text in UTF-16 code units: one a character, two for those beyond the basic plane.
pub(super) fn length(text: &str) -> usize {
    if text.is_ascii() {
        return text.len();
    }
    // Each byte that begins a character counts one, each that begins four bytes one more.
    text.bytes().map(|byte| usize::from(byte & 0xc0 != 0x80) + usize::from(byte >= 0xf0)).sum()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn offsets_of(text: &str, lengths: &[u32]) -> Result<Vec<i32>, WireError> {
        let lengths: Vec<[u8; 4]> = lengths.iter().map(|length| length.to_le_bytes()).collect();
        offsets(text.as_bytes(), &lengths)
    }

    #[test]
    fn offsets_follow_characters() {
        assert_eq!(offsets_of("abc", &[1, 0, 2]), Ok(vec![0, 1, 1, 3]));
        assert_eq!(offsets_of("a\u{e9}\u{20ac}\u{1f600}z", &[2, 1, 2, 1]), Ok(vec![0, 3, 6, 10, 11]));
        assert_eq!(offsets_of("", &[0, 0]), Ok(vec![0, 0, 0]));
        assert_eq!(offsets_of("", &[]), Ok(vec![0]));
    }

    #[test]
    fn lengths_that_do_not_add_up() {
        for (text, lengths) in [
            ("abc", &[1, 1][..]),
            ("abc", &[4]),
            ("\u{e9}", &[2]),
            ("\u{1f600}", &[1, 1]),
            ("\u{1f600}", &[1]),
            ("a", &[u32::MAX, 1]),
            ("", &[1]),
            ("a", &[]),
        ] {
            assert_eq!(offsets_of(text, lengths), Err(WireError::Lengths), "{text:?} {lengths:?}");
        }
    }

    #[test]
    fn lengths_are_those_of_utf16() {
        for text in ["", "abc", "\u{e9}", "\u{ffff}\u{10000}", "a\u{20ac}\u{1f600}\0"] {
            assert_eq!(length(text), text.encode_utf16().count(), "{text:?}");
        }
    }
}
