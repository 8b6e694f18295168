//! The statements of texts that come again.

use std::cell::RefCell;
use std::collections::HashMap;
use std::mem::take;
use std::rc::Rc;

use super::parser::parse;
use super::statement::Statement;
use crate::error::Result;

/// Longer texts hold values more often than parameters, and hardly come again.
const MAX_TEXT_BYTES: usize = 4096;

/// How many texts are kept at least, if there are as many.
const KEPT_TEXTS: usize = 64;

/// What a session has parsed, by the text: a text that comes again is not parsed again.
///
/// What a text means to the parser depends on nothing but the text.
#[derive(Debug, Default)]
pub(crate) struct StatementCache(RefCell<Texts>);

#[derive(Debug, Default)]
struct Texts {
    recent: HashMap<Box<str>, Rc<[Statement]>>,
    /// Go when the recent ones are too many.
    older: HashMap<Box<str>, Rc<[Statement]>>,
}

impl StatementCache {
    /// The statements of a text.
    ///
    /// # Errors
    /// As [`parse`].
    pub(crate) fn parse(&self, sql: &str) -> Result<Rc<[Statement]>> {
        if sql.len() > MAX_TEXT_BYTES {
            return Ok(parse(sql)?.into());
        }
        let texts = &mut *self.0.borrow_mut();
        if let Some(statements) = texts.recent.get(sql) {
            return Ok(Rc::clone(statements));
        }
        let (text, statements) = match texts.older.remove_entry(sql) {
            Some(entry) => entry,
            None => (sql.into(), parse(sql)?.into()),
        };
        if texts.recent.len() >= KEPT_TEXTS {
            texts.older = take(&mut texts.recent);
        }
        texts.recent.insert(text, Rc::clone(&statements));
        Ok(statements)
    }
}
