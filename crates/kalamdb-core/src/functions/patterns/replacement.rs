//! What `regexp_replace` puts in the place of a match: text with `\1` for a group, `\&` for the match and `\\` for a
//! backslash.

use regex::Captures;

/// A replacement, read once for all matches.
#[derive(Debug)]
pub(super) struct Replacement(Vec<Part>);

#[derive(Debug, PartialEq, Eq)]
enum Part {
    Text(String),
    /// A group; 0 is the match.
    Group(usize),
}

impl Replacement {
    pub(super) fn read(text: &str) -> Self {
        let mut parts = Vec::new();
        let mut plain = String::new();
        let mut rest = text.chars().peekable();
        while let Some(c) = rest.next() {
            let group = match (c, rest.peek()) {
                ('\\', Some('&')) => Some(0),
                ('\\', Some(digit @ '1'..='9')) => digit.to_digit(10).and_then(|digit| usize::try_from(digit).ok()),
                ('\\', Some('\\')) => {
                    rest.next();
                    plain.push('\\');
                    continue;
                }
                _ => None,
            };
            match group {
                Some(group) => {
                    rest.next();
                    parts.push(Part::Text(std::mem::take(&mut plain)));
                    parts.push(Part::Group(group));
                }
                None => plain.push(c),
            }
        }
        parts.push(Part::Text(plain));
        Self(parts)
    }

    pub(super) fn append(&self, captures: &Captures<'_>, out: &mut String) {
        for part in &self.0 {
            match part {
                Part::Text(text) => out.push_str(text),
                Part::Group(group) => out.push_str(captures.get(*group).map_or("", |group| group.as_str())),
            }
        }
    }
}
