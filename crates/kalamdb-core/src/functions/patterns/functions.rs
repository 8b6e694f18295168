//! The functions of regular expressions.

use std::sync::Arc;

use datafusion::arrow::array::{
    Array, ArrayRef, AsArray, BooleanArray, Int32Array, Int64Array, ListBuilder, StringViewArray, StringViewBuilder,
};
use datafusion::arrow::compute::cast;
use datafusion::arrow::datatypes::{DataType, Field, FieldRef, Int64Type};
use datafusion::logical_expr::{ScalarFunctionArgs, ScalarUDF};
use kalamdb_types::SqlType;
use regex::{Captures, Match, Regex};

use super::expression::{Options, compile};
use super::pattern_functions::{REGEXP_LIKE, SUBSTRING_PATTERN};
use super::replacement::Replacement;
use crate::error::{Error, ErrorKind, Result};
use crate::functions::{Texts, array, field, function, is_text, no_such_function};

pub(super) fn all() -> Vec<Arc<ScalarUDF>> {
    vec![
        function(&[REGEXP_LIKE], |name, args| returns(name, args, &["tt", "ttt"], SqlType::Boolean), like),
        function(&["regexp_count"], |name, args| returns(name, args, &["tt", "tti", "ttit"], SqlType::Integer), count),
        function(
            &["regexp_instr"],
            |name, args| returns(name, args, &["tt", "tti", "ttii", "ttiii", "ttiiit", "ttiiiti"], SqlType::Integer),
            instr,
        ),
        function(
            &["regexp_substr"],
            |name, args| returns(name, args, &["tt", "tti", "ttii", "ttiit", "ttiiti"], SqlType::Text),
            substr,
        ),
        function(&["regexp_match"], returns_texts, groups),
        function(
            &["regexp_replace"],
            |name, args| returns(name, args, &["ttt", "tttt", "ttti", "tttii", "tttiit"], SqlType::Text),
            replace,
        ),
        function(&["regexp_split_to_array"], returns_texts, split),
        function(&[SUBSTRING_PATTERN], |name, args| returns(name, args, &["tt"], SqlType::Text), substring),
    ]
}

/// Checks the arguments against the forms that a function has: `t` is a text, `i` an integer.
fn returns(name: &str, args: &[FieldRef], forms: &[&str], sql_type: SqlType) -> Result<Field> {
    let fits = |form: &&str| {
        let is = |(kind, arg): (u8, &FieldRef)| match kind {
            b't' => is_text(arg.data_type()),
            _ => arg.data_type().is_integer() || *arg.data_type() == DataType::Null,
        };
        form.len() == args.len() && form.bytes().zip(args).all(is)
    };
    if forms.iter().any(fits) { Ok(field(name, sql_type)) } else { Err(no_such_function(name, args)) }
}

fn returns_texts(name: &str, args: &[FieldRef]) -> Result<Field> {
    let texts = SqlType::Text.array().ok_or_else(|| Error::internal("there are arrays of texts"))?;
    returns(name, args, &["tt", "ttt"], texts)
}

/// The expressions of a column of patterns; one that comes again is not compiled again.
struct Expressions {
    patterns: Texts,
    letters: Option<Texts>,
    is_global: bool,
    last: Option<(String, String, Regex, Options)>,
}

impl Expressions {
    /// The patterns are argument 1.
    fn of(args: &ScalarFunctionArgs, letters: Option<usize>) -> Result<Self> {
        let letters = letters.filter(|at| *at < args.args.len()).map(|at| Texts::of(args, at)).transpose()?;
        Ok(Self { patterns: Texts::of(args, 1)?, letters, is_global: false, last: None })
    }

    /// Lets the letter `g` say that all matches count.
    fn or_global(mut self) -> Self {
        self.is_global = true;
        self
    }

    /// The expression of a row; `None` if a part of it is NULL.
    fn get(&mut self, row: usize) -> Result<Option<(&Regex, Options)>> {
        let Some(pattern) = self.patterns.get(row) else { return Ok(None) };
        let letters = match &self.letters {
            None => "",
            Some(letters) => match letters.get(row) {
                Some(letters) => letters,
                None => return Ok(None),
            },
        };
        let is_known = self.last.as_ref().is_some_and(|(last, of, ..)| last == pattern && of == letters);
        if !is_known {
            let options = Options::read(letters)?;
            if options.global && !self.is_global {
                return Err(Error::new(
                    ErrorKind::InvalidParameterValue,
                    "this function of regular expressions has no option g",
                ));
            }
            self.last = Some((pattern.to_owned(), letters.to_owned(), compile(pattern, options)?, options));
        }
        Ok(self.last.as_ref().map(|(.., regex, options)| (regex, *options)))
    }
}

/// The integers of an argument, or one number where it is not given.
enum Integers {
    Given(Int64Array),
    Default(i64),
}

impl Integers {
    fn of(args: &ScalarFunctionArgs, at: usize, default: i64) -> Result<Self> {
        if at >= args.args.len() {
            return Ok(Self::Default(default));
        }
        Ok(Self::Given(cast(&array(args, at)?, &DataType::Int64)?.as_primitive::<Int64Type>().clone()))
    }

    fn get(&self, row: usize) -> Option<i64> {
        match self {
            Self::Given(values) => (row < values.len() && values.is_valid(row)).then(|| values.value(row)),
            Self::Default(value) => Some(*value),
        }
    }
}

fn like(args: &ScalarFunctionArgs) -> Result<ArrayRef> {
    let (texts, mut expressions) = (Texts::of(args, 0)?, Expressions::of(args, Some(2))?);
    let matches = (0..args.number_rows).map(|row| match (texts.get(row), expressions.get(row)?) {
        (Some(text), Some((regex, _))) => Ok(Some(regex.is_match(text))),
        _ => Ok(None),
    });
    Ok(Arc::new(matches.collect::<Result<BooleanArray>>()?))
}

fn count(args: &ScalarFunctionArgs) -> Result<ArrayRef> {
    let (texts, mut expressions, starts) =
        (Texts::of(args, 0)?, Expressions::of(args, Some(3))?, Integers::of(args, 2, 1)?);
    let counts = (0..args.number_rows).map(|row| match (texts.get(row), expressions.get(row)?, starts.get(row)) {
        (Some(text), Some((regex, _)), Some(start)) => {
            let n = match byte_of(text, start)? {
                Some(start) => matches_from(regex, text, start).count(),
                None => 0,
            };
            Ok(Some(i32::try_from(n).unwrap_or(i32::MAX)))
        }
        _ => Ok(None),
    });
    Ok(Arc::new(counts.collect::<Result<Int32Array>>()?))
}

/// The n-th match from a start on, with its groups.
fn nth<'t>(regex: &Regex, text: &'t str, start: i64, n: i64) -> Result<Option<Captures<'t>>> {
    let n =
        usize::try_from(n).ok().and_then(|n| n.checked_sub(1)).ok_or_else(|| out_of_range("the number of a match"))?;
    let Some(start) = byte_of(text, start)? else { return Ok(None) };
    let found = matches_from(regex, text, start).nth(n);
    Ok(found.and_then(|found| regex.captures_at(text, found.start())))
}

fn instr(args: &ScalarFunctionArgs) -> Result<ArrayRef> {
    let (texts, mut expressions) = (Texts::of(args, 0)?, Expressions::of(args, Some(5))?);
    let (starts, ns) = (Integers::of(args, 2, 1)?, Integers::of(args, 3, 1)?);
    let (ends, parts) = (Integers::of(args, 4, 0)?, Integers::of(args, 6, 0)?);
    let places = (0..args.number_rows).map(|row| {
        let (Some(text), Some((regex, _))) = (texts.get(row), expressions.get(row)?) else { return Ok(None) };
        let (Some(start), Some(n), Some(end), Some(part)) =
            (starts.get(row), ns.get(row), ends.get(row), parts.get(row))
        else {
            return Ok(None);
        };
        if !(0..=1).contains(&end) {
            return Err(out_of_range("endoption"));
        }
        let found = nth(regex, text, start, n)?.and_then(|found| group(&found, part).transpose()).transpose()?;
        let place = found.map_or(0, |found| {
            1 + text
                .get(..if end == 1 { found.end() } else { found.start() })
                .map_or(0, |before| before.chars().count())
        });
        Ok(Some(i32::try_from(place).unwrap_or(i32::MAX)))
    });
    Ok(Arc::new(places.collect::<Result<Int32Array>>()?))
}

fn substr(args: &ScalarFunctionArgs) -> Result<ArrayRef> {
    let (texts, mut expressions) = (Texts::of(args, 0)?, Expressions::of(args, Some(4))?);
    let (starts, ns, parts) = (Integers::of(args, 2, 1)?, Integers::of(args, 3, 1)?, Integers::of(args, 5, 0)?);
    let found = (0..args.number_rows).map(|row| {
        let (Some(text), Some((regex, _))) = (texts.get(row), expressions.get(row)?) else { return Ok(None) };
        let (Some(start), Some(n), Some(part)) = (starts.get(row), ns.get(row), parts.get(row)) else {
            return Ok(None);
        };
        let found = nth(regex, text, start, n)?.and_then(|found| group(&found, part).transpose()).transpose()?;
        Ok(found.map(|found| found.as_str()))
    });
    Ok(Arc::new(found.collect::<Result<StringViewArray>>()?))
}

fn group<'t>(found: &Captures<'t>, part: i64) -> Result<Option<Match<'t>>> {
    let part = usize::try_from(part).map_err(|_| out_of_range("subexpr"))?;
    Ok(found.get(part))
}

/// The first group of the match, or the match if there are no groups.
fn substring(args: &ScalarFunctionArgs) -> Result<ArrayRef> {
    let (texts, mut expressions) = (Texts::of(args, 0)?, Expressions::of(args, None)?);
    let found = (0..args.number_rows).map(|row| {
        let (Some(text), Some((regex, _))) = (texts.get(row), expressions.get(row)?) else { return Ok(None) };
        let part = usize::from(regex.captures_len() > 1);
        Ok(regex.captures(text).and_then(|found| found.get(part)).map(|found| found.as_str()))
    });
    Ok(Arc::new(found.collect::<Result<StringViewArray>>()?))
}

fn groups(args: &ScalarFunctionArgs) -> Result<ArrayRef> {
    let (texts, mut expressions) = (Texts::of(args, 0)?, Expressions::of(args, Some(2))?);
    let mut lists = text_lists();
    for row in 0..args.number_rows {
        let found = match (texts.get(row), expressions.get(row)?) {
            (Some(text), Some((regex, _))) => regex.captures(text).map(|found| (found, regex.captures_len())),
            _ => None,
        };
        if let Some((found, n_groups)) = &found {
            let parts = if *n_groups > 1 { 1..*n_groups } else { 0..1 };
            parts.for_each(|part| lists.values().append_option(found.get(part).map(|found| found.as_str())));
        }
        lists.append(found.is_some());
    }
    Ok(Arc::new(lists.finish()))
}

fn replace(args: &ScalarFunctionArgs) -> Result<ArrayRef> {
    // The fourth argument is a start, or letters.
    let has_start = args.arg_fields.get(3).is_some_and(|field| !is_text(field.data_type()));
    let letters = if has_start { 5 } else { 3 };
    let (texts, mut expressions) = (Texts::of(args, 0)?, Expressions::of(args, Some(letters))?.or_global());
    let replacements = Texts::of(args, 2)?;
    let (starts, ns) = if has_start {
        (Integers::of(args, 3, 1)?, Integers::of(args, 4, 1)?)
    } else {
        (Integers::Default(1), Integers::Default(1))
    };
    let is_counted = args.args.len() > 4;
    let mut last: Option<(String, Replacement)> = None;
    let mut values = StringViewBuilder::with_capacity(args.number_rows);
    for row in 0..args.number_rows {
        let (Some(text), Some((regex, options)), Some(replacement)) =
            (texts.get(row), expressions.get(row)?, replacements.get(row))
        else {
            values.append_null();
            continue;
        };
        let (Some(start), Some(n)) = (starts.get(row), ns.get(row)) else {
            values.append_null();
            continue;
        };
        let n = usize::try_from(n).map_err(|_| out_of_range("the number of a match"))?;
        // Which match is replaced, from 1; 0 is all of them.
        let which = if options.global && !is_counted { 0 } else { n };
        if last.as_ref().is_none_or(|(text, _)| text != replacement) {
            last = Some((replacement.to_owned(), Replacement::read(replacement)));
        }
        match (byte_of(text, start)?, &last) {
            (Some(start), Some((_, replacement))) => {
                values.append_value(replaced(regex, text, start, replacement, which))
            }
            _ => values.append_value(text),
        }
    }
    Ok(Arc::new(values.finish()))
}

fn replaced(regex: &Regex, text: &str, start: usize, replacement: &Replacement, which: usize) -> String {
    let mut out = String::with_capacity(text.len());
    let mut copied = 0;
    for (at, found) in matches_from(regex, text, start).enumerate() {
        if which != 0 && at + 1 != which {
            continue;
        }
        out.push_str(text.get(copied..found.start()).unwrap_or(""));
        if let Some(captures) = regex.captures_at(text, found.start()) {
            replacement.append(&captures, &mut out);
        }
        copied = found.end();
        if which != 0 {
            break;
        }
    }
    out.push_str(text.get(copied..).unwrap_or(""));
    out
}

fn split(args: &ScalarFunctionArgs) -> Result<ArrayRef> {
    let (texts, mut expressions) = (Texts::of(args, 0)?, Expressions::of(args, Some(2))?);
    let mut lists = text_lists();
    for row in 0..args.number_rows {
        let (Some(text), Some((regex, _))) = (texts.get(row), expressions.get(row)?) else {
            lists.append(false);
            continue;
        };
        let mut from = 0;
        // Empty matches at the ends, and right behind another match, part nothing.
        for found in regex.find_iter(text) {
            if found.start() < text.len() && found.end() > from {
                lists.values().append_value(text.get(from..found.start()).unwrap_or(""));
                from = found.end();
            }
        }
        lists.values().append_value(text.get(from..).unwrap_or(""));
        lists.append(true);
    }
    Ok(Arc::new(lists.finish()))
}

fn text_lists() -> ListBuilder<StringViewBuilder> {
    ListBuilder::new(StringViewBuilder::new()).with_field(Field::new_list_field(DataType::Utf8View, true))
}

/// The matches from a byte on; what is before it is still there for `^` and `\y`. An empty match may be right behind
/// another.
fn matches_from<'t>(regex: &Regex, text: &'t str, start: usize) -> impl Iterator<Item = Match<'t>> {
    let mut next = Some(start);
    std::iter::from_fn(move || {
        let found = regex.find_at(text, next?)?;
        let after = |at: usize| text.get(at..).and_then(|rest| rest.chars().next()).map(|c| at + c.len_utf8());
        next = if found.is_empty() { after(found.end()) } else { Some(found.end()) };
        Some(found)
    })
}

/// The byte at which the character `start` begins, from 1; `None` beyond the end.
fn byte_of(text: &str, start: i64) -> Result<Option<usize>> {
    let at = usize::try_from(start).ok().and_then(|start| start.checked_sub(1)).ok_or_else(|| out_of_range("start"))?;
    if at == 0 {
        return Ok(Some(0));
    }
    Ok(text.char_indices().map(|(byte, _)| byte).chain(std::iter::once(text.len())).nth(at))
}

fn out_of_range(what: &str) -> Error {
    Error::new(
        ErrorKind::InvalidParameterValue,
        format!("{what} is out of range for a function of regular expressions"),
    )
}
