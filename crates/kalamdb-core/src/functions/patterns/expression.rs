//! PostgreSQL's regular expressions, written as those of the crate that matches them.
//!
//! Matching takes a time that is linear in the text, so what cannot be matched so is refused: back references, and
//! looking ahead and behind.

use std::fmt::Write;
use std::iter::Peekable;
use std::str::Chars;

use regex::{Regex, RegexBuilder};

use crate::error::{Error, ErrorKind, Result};

/// The most memory that one compiled expression takes.
const MAX_BYTES: usize = 4 << 20;

/// The most repetitions that `{m,n}` may ask for, as in PostgreSQL.
const MAX_REPETITIONS: u32 = 255;

/// How an expression is read, from the letters of an argument or of `(?...)`.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub(super) struct Options {
    ignores_case: bool,
    /// Whether `.` and `[^...]` stop at the end of a line.
    stops_at_lines: bool,
    /// Whether `^` and `$` match at every line.
    anchors_at_lines: bool,
    /// Whether white space and comments count for nothing.
    expanded: bool,
    /// Whether the expression is a plain text.
    literal: bool,
    pub(super) global: bool,
}

impl Options {
    pub(super) fn read(letters: &str) -> Result<Self> {
        let mut options = Self::default();
        letters.chars().try_for_each(|letter| options.set(letter))?;
        Ok(options)
    }

    fn set(&mut self, letter: char) -> Result<()> {
        match letter {
            'g' => self.global = true,
            'i' => self.ignores_case = true,
            'c' => self.ignores_case = false,
            'n' | 'm' => (self.stops_at_lines, self.anchors_at_lines) = (true, true),
            's' => (self.stops_at_lines, self.anchors_at_lines) = (false, false),
            'p' => (self.stops_at_lines, self.anchors_at_lines) = (true, false),
            'w' => (self.stops_at_lines, self.anchors_at_lines) = (false, true),
            'x' => self.expanded = true,
            't' => self.expanded = false,
            'q' => self.literal = true,
            'e' => {}
            'b' => return Err(Error::unsupported("basic regular expressions, the option b")),
            other => {
                let message = format!("invalid option of a regular expression: {other:?}");
                return Err(Error::new(ErrorKind::InvalidParameterValue, message));
            }
        }
        Ok(())
    }
}

/// Compiles an expression.
///
/// # Errors
/// `data_exception` if it is none, `feature_not_supported` for what is not offered, `program_limit_exceeded` if it is
/// too large.
pub(super) fn compile(pattern: &str, options: Options) -> Result<Regex> {
    let (pattern, options) = with_directors(pattern, options)?;
    let translated = if options.literal { regex::escape(pattern) } else { Translation::of(pattern, options)? };
    RegexBuilder::new(&translated)
        .case_insensitive(options.ignores_case)
        .dot_matches_new_line(!options.stops_at_lines)
        .multi_line(options.anchors_at_lines)
        .ignore_whitespace(options.expanded && !options.literal)
        .size_limit(MAX_BYTES)
        .dfa_size_limit(MAX_BYTES)
        .build()
        .map_err(|error| match error {
            regex::Error::CompiledTooBig(_) => {
                Error::new(ErrorKind::ProgramLimitExceeded, "a regular expression is too large")
            }
            _ => invalid(pattern, "it is malformed"),
        })
}

fn invalid(pattern: &str, why: &str) -> Error {
    let shown: String = pattern.chars().take(60).collect();
    Error::new(ErrorKind::DataException, format!("invalid regular expression {shown:?}: {why}"))
}

/// Takes `***=`, `***:` and `(?i)` off the beginning.
fn with_directors(pattern: &str, mut options: Options) -> Result<(&str, Options)> {
    if options.literal {
        return Ok((pattern, options));
    }
    if let Some(text) = pattern.strip_prefix("***=") {
        return Ok((text, Options { literal: true, ..options }));
    }
    let pattern = pattern.strip_prefix("***:").unwrap_or(pattern);
    let Some((letters, rest)) = pattern.strip_prefix("(?").and_then(|rest| rest.split_once(')')) else {
        return Ok((pattern, options));
    };
    if letters.is_empty() || !letters.bytes().all(|letter| letter.is_ascii_lowercase()) {
        return Ok((pattern, options));
    }
    letters.chars().try_for_each(|letter| options.set(letter))?;
    Ok((rest, options))
}

/// An expression on its way from one syntax to the other.
struct Translation<'p> {
    pattern: &'p str,
    rest: Peekable<Chars<'p>>,
    out: String,
    options: Options,
}

impl<'p> Translation<'p> {
    fn of(pattern: &'p str, options: Options) -> Result<String> {
        let mut translation =
            Self { pattern, rest: pattern.chars().peekable(), out: String::with_capacity(pattern.len() + 8), options };
        while let Some(next) = translation.rest.next() {
            translation.part(next)?;
        }
        Ok(translation.out)
    }

    fn invalid(&self, why: &str) -> Error {
        invalid(self.pattern, why)
    }

    fn part(&mut self, next: char) -> Result<()> {
        match next {
            '\\' => self.escape(),
            '[' => self.bracket(),
            '(' => self.group(),
            '{' if self.rest.peek().is_some_and(char::is_ascii_digit) => self.bound(),
            '{' | '}' => {
                self.literal(next);
                Ok(())
            }
            '*' | '+' | '?' => {
                self.out.push(next);
                self.after_quantifier()
            }
            other => {
                self.out.push(other);
                Ok(())
            }
        }
    }

    fn literal(&mut self, c: char) {
        let mut buffer = [0; 4];
        self.out.push_str(&regex::escape(c.encode_utf8(&mut buffer)));
        // White space that is meant, within an expression where it counts for nothing.
        if self.options.expanded && (c.is_whitespace() || c == '#') {
            self.out.pop();
            let _ = write!(self.out, "\\x{{{:x}}}", u32::from(c));
        }
    }

    fn after_quantifier(&mut self) -> Result<()> {
        if self.rest.peek() == Some(&'?') {
            self.rest.next();
            self.out.push('?');
        }
        match self.rest.peek() {
            Some('*' | '+' | '?') => Err(self.invalid("a quantifier follows another")),
            _ => Ok(()),
        }
    }

    fn group(&mut self) -> Result<()> {
        self.out.push('(');
        if self.rest.peek() != Some(&'?') {
            return Ok(());
        }
        self.rest.next();
        match self.rest.next() {
            Some(':') => {
                self.out.push_str("?:");
                Ok(())
            }
            Some('=' | '!' | '<') => {
                Err(Error::unsupported("looking ahead and behind, (?=...) and its like, in regular expressions")
                    .with_hint("match more, and take a group of it with regexp_match"))
            }
            _ => Err(self.invalid("an unknown kind of group")),
        }
    }

    fn bound(&mut self) -> Result<()> {
        let mut bound = String::new();
        loop {
            match self.rest.next() {
                Some('}') => break,
                Some(c) if c.is_ascii_digit() || c == ',' => bound.push(c),
                _ => return Err(self.invalid("a bound is {m}, {m,} or {m,n}")),
            }
        }
        let (least, most) = bound.split_once(',').unwrap_or((&bound, ""));
        for number in [least, most] {
            if !number.is_empty() && !number.parse::<u32>().is_ok_and(|number| number <= MAX_REPETITIONS) {
                return Err(self.invalid("at most 255 repetitions can be asked for"));
            }
        }
        let _ = write!(self.out, "{{{bound}}}");
        self.after_quantifier()
    }

    /// What follows a backslash outside of brackets.
    fn escape(&mut self) -> Result<()> {
        let Some(c) = self.rest.next() else { return Err(self.invalid("it ends with a backslash")) };
        match c {
            'd' | 'D' | 'w' | 'W' | 's' | 'S' => {
                self.out.push('\\');
                self.out.push(c);
            }
            'm' => self.out.push_str("\\b{start}"),
            'M' => self.out.push_str("\\b{end}"),
            'y' => self.out.push_str("\\b"),
            'Y' => self.out.push_str("\\B"),
            'A' => self.out.push_str("\\A"),
            'Z' => self.out.push_str("\\z"),
            '1'..='9' => {
                return Err(Error::unsupported("back references, \\1 and its like, in regular expressions")
                    .with_hint("compare the groups that regexp_match gives"));
            }
            c => {
                let meant = self.character(c)?;
                self.literal(meant);
            }
        }
        Ok(())
    }

    /// The character that an escape stands for.
    fn character(&mut self, c: char) -> Result<char> {
        let code = match c {
            'a' => 0x07,
            'b' => 0x08,
            'B' => u32::from('\\'),
            'e' => 0x1b,
            'f' => 0x0c,
            'n' => 0x0a,
            'r' => 0x0d,
            't' => 0x09,
            'v' => 0x0b,
            'c' => u32::from(self.rest.next().ok_or_else(|| self.invalid("\\c stands before a character"))?) & 0x1f,
            'u' => self.number(16, 4, 4)?,
            'U' => self.number(16, 8, 8)?,
            'x' => self.number(16, 1, 8)?,
            '0' => self.number(8, 0, 2)?,
            c if c.is_ascii_alphanumeric() => return Err(self.invalid("an unknown escape")),
            c => u32::from(c),
        };
        char::from_u32(code).ok_or_else(|| self.invalid("an escape is no character"))
    }

    fn number(&mut self, radix: u32, least: usize, most: usize) -> Result<u32> {
        let (mut value, mut n_digits) = (0_u32, 0);
        while n_digits < most
            && let Some(digit) = self.rest.peek().and_then(|c| c.to_digit(radix))
        {
            value = value.wrapping_mul(radix).wrapping_add(digit);
            n_digits += 1;
            self.rest.next();
        }
        if n_digits < least { Err(self.invalid("an escape lacks digits")) } else { Ok(value) }
    }

    fn bracket(&mut self) -> Result<()> {
        for (word, meaning) in [("[:<:]]", "\\b{start}"), ("[:>:]]", "\\b{end}")] {
            if self.rest.clone().take(word.len()).eq(word.chars()) {
                let _ = self.rest.nth(word.len() - 1);
                self.out.push_str(meaning);
                return Ok(());
            }
        }
        self.out.push('[');
        if self.rest.peek() == Some(&'^') {
            self.rest.next();
            self.out.push('^');
            if self.options.stops_at_lines {
                self.out.push_str("\\n");
            }
        }
        let mut is_first = true;
        loop {
            let Some(c) = self.rest.next() else { return Err(self.invalid("a bracket is not closed")) };
            match c {
                ']' if !is_first => {
                    self.out.push(']');
                    return Ok(());
                }
                '[' if matches!(self.rest.peek(), Some(':' | '.' | '=')) => self.class()?,
                '\\' => match self.rest.next() {
                    Some(c @ ('d' | 'w' | 's')) => {
                        self.out.push('\\');
                        self.out.push(c);
                    }
                    Some(c) => {
                        let meant = self.character(c)?;
                        self.literal(meant);
                    }
                    None => return Err(self.invalid("it ends with a backslash")),
                },
                '-' if !is_first && self.rest.peek().is_some_and(|next| *next != ']') => self.out.push('-'),
                '-' => self.out.push_str("\\-"),
                c => self.literal(c),
            }
            is_first = false;
        }
    }

    /// `[:alpha:]`, `[.a.]` or `[=a=]` within brackets.
    fn class(&mut self) -> Result<()> {
        let Some(kind) = self.rest.next() else { return Err(self.invalid("a bracket is not closed")) };
        let mut name = String::new();
        loop {
            match self.rest.next() {
                Some(c) if c == kind && self.rest.peek() == Some(&']') => break,
                Some(c) => name.push(c),
                None => return Err(self.invalid("a bracket is not closed")),
            }
        }
        self.rest.next();
        let mut characters = name.chars();
        match (kind, name.as_str()) {
            (':', "alpha") => self.out.push_str("\\p{Alphabetic}"),
            (':', "alnum") => self.out.push_str("\\p{Alphabetic}\\d"),
            (':', "upper") => self.out.push_str("\\p{Uppercase}"),
            (':', "lower") => self.out.push_str("\\p{Lowercase}"),
            (':', "digit") => self.out.push_str("\\d"),
            (':', "space") => self.out.push_str("\\s"),
            (':', "word") => self.out.push_str("\\w"),
            (':', "blank" | "cntrl" | "graph" | "print" | "punct" | "xdigit") => {
                let _ = write!(self.out, "[:{name}:]");
            }
            ('.' | '=', _) => match (characters.next(), characters.next()) {
                (Some(only), None) => self.literal(only),
                _ => return Err(self.invalid("a collating element is one character")),
            },
            _ => return Err(self.invalid("an unknown class of characters")),
        }
        Ok(())
    }
}

#[cfg(test)]
#[allow(clippy::unwrap_used, reason = "tests stop at the first surprise")]
mod tests {
    use super::*;

    fn matches(text: &str, pattern: &str, letters: &str) -> Result<bool> {
        Ok(compile(pattern, Options::read(letters)?)?.is_match(text))
    }

    #[test]
    fn expressions_match_as_in_postgresql() {
        for (text, pattern, letters, expected) in [
            ("a\nb", "a.b", "", true),
            ("a\nb", "a.b", "n", false),
            ("a\nb", "^b", "", false),
            ("a\nb", "^b", "n", true),
            ("a\nb", "^b", "w", true),
            ("a\nb", "a[^x]b", "n", false),
            ("a\nb", "a$", "", false),
            ("ABC", "(?i)abc", "", true),
            ("foo bar", r"\mbar\M", "", true),
            ("foobar", r"\mbar", "", false),
            ("foo bar", "[[:<:]]bar[[:>:]]", "", true),
            ("a[b", "a[[]b", "", true),
            ("a&b", "a[&&]b", "", true),
            ("a]b", "a[]]b", "", true),
            ("axb", "a[^]]b", "", true),
            ("a-b", "a[x-]b", "", true),
            ("a-b", "a[-x]b", "", true),
            ("a~b", "[~~]", "", true),
            ("a{b", "a{b", "", true),
            ("a.c", "***=a.c", "", true),
            ("abc", "***=a.c", "", false),
            ("a.c", "a.c", "q", true),
            ("ab", "a b", "x", true),
            ("a b", r"a\ b", "x", true),
            ("a b", "a[ ]b", "x", true),
            ("\u{e9}", "^[[:alpha:]]$", "", true),
            ("\u{1b}", r"\e", "", true),
            ("A", r"\x41", "", true),
            ("A", r"\u0041", "", true),
            ("\\", r"\B", "", true),
            ("aab", "a{2}b", "", true),
        ] {
            assert_eq!(matches(text, pattern, letters).unwrap(), expected, "{text:?} {pattern:?} {letters:?}");
        }
    }

    #[test]
    fn what_is_no_expression_or_not_offered_is_refused() {
        for (pattern, kind) in [
            ("(", ErrorKind::DataException),
            ("*a", ErrorKind::DataException),
            ("a**", ErrorKind::DataException),
            ("[a", ErrorKind::DataException),
            ("a\\", ErrorKind::DataException),
            ("a{256}", ErrorKind::DataException),
            ("a{2", ErrorKind::DataException),
            ("(?<n>a)", ErrorKind::FeatureNotSupported),
            (r"(a)\1", ErrorKind::FeatureNotSupported),
            ("a(?=b)", ErrorKind::FeatureNotSupported),
            ("a(?!b)", ErrorKind::FeatureNotSupported),
            ("(?<=a)b", ErrorKind::FeatureNotSupported),
            ("((a{255}){255}){255}", ErrorKind::ProgramLimitExceeded),
        ] {
            assert_eq!(compile(pattern, Options::default()).unwrap_err().kind(), kind, "{pattern}");
        }
        assert_eq!(Options::read("z").unwrap_err().kind(), ErrorKind::InvalidParameterValue);
    }
}
