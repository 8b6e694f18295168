//! Finding a value within a JSON text, without building a tree of it.

use std::borrow::Cow;
use std::fmt;

use serde::de::{Deserialize, DeserializeSeed, Deserializer, IgnoredAny, MapAccess, Visitor};
use serde_json::value::RawValue;

use crate::error::{Error, ErrorKind, Result};

/// One step into a JSON value.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Step<'a> {
    /// The member of an object.
    Key(&'a str),
    /// The element of an array; from the end, if negative.
    Index(i64),
    /// A member, or an element if the value is an array: a part of the path of `#>`.
    Either(&'a str),
}

/// The value that the steps lead to, as it is written; `None` if there is none.
///
/// # Errors
/// `invalid_text_representation` if what is passed on the way is not JSON.
pub(super) fn walk<'j>(json: &'j str, steps: &[Step<'_>]) -> Result<Option<&'j str>> {
    let mut value = json.trim_ascii();
    for step in steps {
        let next = match (step, kind(value)?) {
            (Step::Key(key) | Step::Either(key), Kind::Object) => member(value, key)?,
            (Step::Index(index), Kind::Array) => element(value, *index)?,
            // A value by itself is an array of one element to JSONB.
            (Step::Index(0 | -1), Kind::String | Kind::Number | Kind::Boolean | Kind::Null) => Some(value),
            (Step::Either(index), Kind::Array) => match index.trim_ascii().parse() {
                Ok(index) => element(value, index)?,
                Err(_) => None,
            },
            _ => None,
        };
        match next {
            Some(next) => value = next,
            None => return Ok(None),
        }
    }
    if steps.is_empty() {
        check(value)?;
    }
    Ok(Some(value))
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Kind {
    Object,
    Array,
    String,
    Number,
    Boolean,
    Null,
}

impl Kind {
    pub(super) fn name(self) -> &'static str {
        match self {
            Self::Object => "object",
            Self::Array => "array",
            Self::String => "string",
            Self::Number => "number",
            Self::Boolean => "boolean",
            Self::Null => "null",
        }
    }
}

/// What a JSON text is. Objects and arrays are not read to their end.
pub(super) fn kind(json: &str) -> Result<Kind> {
    let json = json.trim_ascii_start();
    let kind = match json.as_bytes().first() {
        Some(b'{') => return Ok(Kind::Object),
        Some(b'[') => return Ok(Kind::Array),
        Some(b'"') => Kind::String,
        Some(b't' | b'f') => Kind::Boolean,
        Some(b'n') => Kind::Null,
        _ => Kind::Number,
    };
    check(json).map(|()| kind)
}

/// A value as text, as `->>` gives it: strings without their quotes, NULL for null, anything else as it is written.
pub(super) fn to_text(json: &str) -> Result<Option<Cow<'_, str>>> {
    match kind(json)? {
        Kind::String => read::<String>(json).map(|text| Some(text.into())),
        Kind::Null => Ok(None),
        _ => Ok(Some(json.into())),
    }
}

/// The elements of an array, as they are written.
pub(super) fn elements(json: &str) -> Result<Vec<&str>> {
    Ok(read::<Vec<&RawValue>>(json)?.into_iter().map(RawValue::get).collect())
}

/// The keys of an object in their order, each once.
pub(super) fn keys(json: &str) -> Result<Vec<String>> {
    let mut keys: Vec<String> = Vec::new();
    let mut seen = std::collections::HashSet::new();
    visit(json, Members(|key: &str| keys.extend(seen.insert(key.to_owned()).then(|| key.to_owned()))))?;
    Ok(keys)
}

/// The members of an object in their order, each key once with the last of its values.
pub(super) fn members(json: &str) -> Result<Vec<(String, &str)>> {
    Ok(unique(visit(json, Pairs)?))
}

/// Each key once, where it comes first, with the last of its values.
pub(super) fn unique(pairs: Vec<(String, &str)>) -> Vec<(String, &str)> {
    let mut members: Vec<(String, &str)> = Vec::with_capacity(pairs.len());
    let mut places = std::collections::HashMap::new();
    for (key, value) in pairs {
        match places.get(&key).and_then(|at: &usize| members.get_mut(*at)) {
            Some((_, known)) => *known = value,
            None => {
                places.insert(key.clone(), members.len());
                members.push((key, value));
            }
        }
    }
    members
}

fn element(json: &str, index: i64) -> Result<Option<&str>> {
    let elements = elements(json)?;
    let at =
        usize::try_from(index).ok().or_else(|| elements.len().checked_sub(usize::try_from(index.unsigned_abs()).ok()?));
    Ok(at.and_then(|at| elements.get(at).copied()))
}

/// Of several members of one name the last counts, as in PostgreSQL.
fn member<'j>(json: &'j str, key: &str) -> Result<Option<&'j str>> {
    visit(json, Member(key)).map(|value| value.map(RawValue::get))
}

pub(super) fn check(json: &str) -> Result<()> {
    read::<IgnoredAny>(json).map(drop)
}

/// Reads all of a JSON text as a `T`.
pub(super) fn read<'j, T: Deserialize<'j>>(json: &'j str) -> Result<T> {
    serde_json::from_str(json).map_err(|_| invalid(json))
}

fn visit<'j, V: Visitor<'j>>(json: &'j str, visitor: V) -> Result<V::Value> {
    let mut input = serde_json::Deserializer::from_str(json);
    let value = input.deserialize_map(visitor);
    value.and_then(|value| input.end().map(|()| value)).map_err(|_| invalid(json))
}

pub(super) fn invalid(json: &str) -> Error {
    let shown: String = json.chars().take(60).collect();
    Error::new(ErrorKind::InvalidTextRepresentation, format!("invalid input for type JSON: {shown:?}"))
}

struct Member<'a>(&'a str);

impl<'de> Visitor<'de> for Member<'_> {
    type Value = Option<&'de RawValue>;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("an object")
    }

    fn visit_map<A: MapAccess<'de>>(self, mut members: A) -> std::result::Result<Self::Value, A::Error> {
        let mut found = None;
        while let Some(is_wanted) = members.next_key_seed(IsKey(self.0))? {
            if is_wanted {
                found = Some(members.next_value()?);
            } else {
                members.next_value::<IgnoredAny>()?;
            }
        }
        Ok(found)
    }
}

/// Compares a key without copying it, unless it holds escapes.
struct IsKey<'a>(&'a str);

impl<'de> DeserializeSeed<'de> for IsKey<'_> {
    type Value = bool;

    fn deserialize<D: Deserializer<'de>>(self, input: D) -> std::result::Result<bool, D::Error> {
        input.deserialize_str(self)
    }
}

impl Visitor<'_> for IsKey<'_> {
    type Value = bool;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a key")
    }

    fn visit_str<E>(self, key: &str) -> std::result::Result<bool, E> {
        Ok(key == self.0)
    }
}

/// Collects the members of an object.
struct Pairs;

impl<'de> Visitor<'de> for Pairs {
    type Value = Vec<(String, &'de str)>;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("an object")
    }

    fn visit_map<A: MapAccess<'de>>(self, mut members: A) -> std::result::Result<Self::Value, A::Error> {
        let mut pairs = Vec::new();
        while let Some(key) = members.next_key::<String>()? {
            pairs.push((key, members.next_value::<&RawValue>()?.get()));
        }
        Ok(pairs)
    }
}

/// Gives each key of an object to a function.
struct Members<F>(F);

impl<'de, F: FnMut(&str)> Visitor<'de> for Members<F> {
    type Value = ();

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("an object")
    }

    fn visit_map<A: MapAccess<'de>>(mut self, mut members: A) -> std::result::Result<(), A::Error> {
        while let Some(key) = members.next_key::<String>()? {
            (self.0)(&key);
            members.next_value::<IgnoredAny>()?;
        }
        Ok(())
    }
}

#[cfg(test)]
#[allow(clippy::unwrap_used, reason = "tests stop at the first surprise")]
mod tests {
    use super::*;

    #[test]
    fn steps_lead_to_values_as_they_are_written() {
        let json = r#" { "a" : [ 1.50 , {"b": null} ], "a\u0062": "x", "n": 1, "n": 2 } "#;
        let walk = |steps: &[Step<'_>]| walk(json, steps).unwrap();
        assert_eq!(walk(&[Step::Key("a"), Step::Index(0)]), Some("1.50"));
        assert_eq!(walk(&[Step::Key("a"), Step::Index(-1), Step::Key("b")]), Some("null"));
        assert_eq!(walk(&[Step::Key("ab")]), Some("\"x\""));
        assert_eq!(walk(&[Step::Key("n")]), Some("2"));
        assert_eq!(walk(&[Step::Either("a"), Step::Either("-2")]), Some("1.50"));
        for missing in [
            &[Step::Key("z")][..],
            &[Step::Index(0)],
            &[Step::Key("a"), Step::Index(2)],
            &[Step::Key("a"), Step::Index(-3)],
            &[Step::Key("a"), Step::Index(i64::MIN)],
            &[Step::Key("a"), Step::Key("0")],
            &[Step::Either("a"), Step::Either("x")],
            &[Step::Key("n"), Step::Key("n")],
        ] {
            assert_eq!(walk(missing), None, "{missing:?}");
        }
    }

    #[test]
    fn what_is_not_json_is_an_error() {
        for json in ["", "{", "{\"a\":1} x", "{a:1}", "nul", "\"\\ud800\"", "[1,]"] {
            let step = [if json.starts_with('[') { Step::Index(0) } else { Step::Key("a") }];
            let outcome = if json.starts_with('"') { to_text(json).map(drop) } else { walk(json, &step).map(drop) };
            assert_eq!(outcome.unwrap_err().kind(), ErrorKind::InvalidTextRepresentation, "{json}");
        }
    }
}
