//! Bounds a text before the parser sees it: its length, and how deep what it says nests.

use datafusion::sql::sqlparser::keywords::Keyword;
use datafusion::sql::sqlparser::tokenizer::{Token, TokenWithSpan};

use crate::error::{Error, ErrorKind, Location, Result};

/// The longest SQL text, in bytes.
pub(super) const MAX_SQL_BYTES: usize = 4 << 20;

/// The most words, signs and values of a text: each takes some hundred bytes by the time it is planned.
const MAX_TOKENS: usize = 2_000_000;

/// The longest chain of operators in one expression, and of set operations or joins in one query, which count double.
///
/// A chain becomes a tree as deep as the chain is long, which the planner walks recursively: the stack of a wasm
/// instance holds about three times as many.
const MAX_CHAIN: usize = 500;

/// The deepest nesting of parentheses.
const MAX_NESTING: usize = 60;

/// The deepest tree: a chain may end in parentheses with a chain in them, and so on.
const MAX_DEPTH: usize = 750;

/// How much deeper parentheses are than an operator.
const NESTING_DEPTH: usize = 4;

/// How many subscripts and fields follow one another, and how many types nest in one.
const MAX_PATH: usize = 32;

/// Refuses texts that the parser or the planner would exhaust the stack or the memory on.
///
/// Works on tokens, before anything recursive sees the text.
pub(super) fn check(tokens: &[TokenWithSpan]) -> Result<()> {
    if tokens.iter().filter(|token| !matches!(token.token, Token::Whitespace(_))).count() > MAX_TOKENS {
        let message = format!("the SQL text has more than {MAX_TOKENS} words, signs and values");
        return Err(Error::new(ErrorKind::ProgramLimitExceeded, message)
            .with_hint("insert many rows with insert(), pass many values as a parameter"));
    }
    // What is open: the text itself, and each parenthesis.
    let mut levels = vec![Level::default()];
    let mut prefixes = 0_usize;
    let mut previous = &Token::EOF;
    for token in tokens.iter().filter(|token| !matches!(token.token, Token::Whitespace(_))) {
        prefixes = match &token.token {
            Token::Minus | Token::Plus | Token::Tilde | Token::ExclamationMark => prefixes + 1,
            Token::Word(word) if word.keyword == Keyword::NOT => prefixes + 1,
            _ => 0,
        };
        let (n_open, mut closed) = (levels.len(), None);
        if matches!(token.token, Token::RParen | Token::RBracket | Token::RBrace) && n_open > 1 {
            closed = levels.pop();
        }
        if token.token == Token::SemiColon {
            levels = vec![Level::default()];
        } else if let Some(level) = levels.last_mut() {
            match closed {
                Some(closed) => level.close(&closed),
                None => level.take(&token.token, previous),
            }
        }
        if matches!(token.token, Token::LParen | Token::LBracket | Token::LBrace) {
            levels.push(Level::default());
        }
        let Some(level) = levels.last() else { continue };
        // Each operator before an operand nests one level deeper.
        let too_deep = levels.len() + prefixes > MAX_NESTING
            || level.depth() + NESTING_DEPTH * levels.len() > MAX_DEPTH
            || level.path.max(level.types) > MAX_PATH
            || below(&levels).is_some_and(|level| level.path > MAX_PATH);
        if too_deep || level.operators > MAX_CHAIN || level.relations > MAX_CHAIN / 2 {
            let what = if too_deep { "nests too deep" } else { "chains too many operators" };
            let start = token.span.start;
            return Err(Error::new(ErrorKind::StatementTooComplex, format!("the statement {what}"))
                .with_hint("split the statement, use IN with a list, or a table that holds the values")
                .with_location(Some(Location { line: start.line, column: start.column })));
        }
        previous = &token.token;
    }
    Ok(())
}

/// The level that the innermost one is in.
fn below(levels: &[Level]) -> Option<&Level> {
    levels.len().checked_sub(2).and_then(|at| levels.get(at))
}

/// What is known of one open parenthesis, or of the text itself.
#[derive(Debug, Default)]
struct Level {
    /// The operators of the chain that is being read.
    operators: usize,
    /// The depth of the deepest operand of that chain.
    operand: usize,
    /// The depth of the deepest chain before it.
    deepest: usize,
    /// Joins, set operations, and commas in FROM.
    relations: usize,
    /// The subscripts and fields that have just followed one another.
    path: usize,
    /// The types in angle brackets that are open.
    types: usize,
    /// Whether a comma separates tables.
    in_from: bool,
}

impl Level {
    fn depth(&self) -> usize {
        self.deepest.max(self.operand + self.operators) + 2 * self.relations
    }

    /// Takes in a parenthesis that is closed.
    fn close(&mut self, closed: &Level) {
        self.operand = self.operand.max(closed.depth() + NESTING_DEPTH);
    }

    fn take(&mut self, token: &Token, previous: &Token) {
        match token {
            Token::Period | Token::LBracket => self.path += 1,
            _ if *previous == Token::Period => {}
            _ => self.path = 0,
        }
        match token {
            Token::Comma => {
                self.end_chain();
                self.relations += usize::from(self.in_from);
            }
            Token::Word(word) if word.quote_style.is_none() => self.take_word(word.keyword, previous),
            Token::Lt if matches!(previous, Token::Word(word) if is_container(word.keyword)) => {
                self.operators += 1;
                self.types += 1;
            }
            Token::Gt => {
                self.operators += 1;
                self.types = self.types.saturating_sub(1);
            }
            Token::ShiftRight => {
                self.operators += 1;
                self.types = self.types.saturating_sub(2);
            }
            Token::Word(_)
            | Token::LParen
            | Token::LBrace
            | Token::Number(..)
            | Token::SingleQuotedString(_)
            | Token::Placeholder(_)
            | Token::Period
            | Token::EOF => {}
            _ => self.operators += 1,
        }
    }

    fn take_word(&mut self, keyword: Keyword, previous: &Token) {
        match keyword {
            Keyword::UNION | Keyword::INTERSECT | Keyword::EXCEPT | Keyword::JOIN => {
                self.end_chain();
                self.relations += 1;
                self.in_from &= keyword == Keyword::JOIN;
            }
            // IS DISTINCT FROM is an operator.
            Keyword::FROM if matches!(previous, Token::Word(word) if word.keyword == Keyword::DISTINCT) => {
                self.operators += 1
            }
            Keyword::FROM | Keyword::USING => {
                self.end_chain();
                self.in_from |= keyword == Keyword::FROM;
            }
            Keyword::SELECT | Keyword::WHERE | Keyword::HAVING => {
                self.end_chain();
                self.in_from = false;
            }
            Keyword::GROUP
            | Keyword::ORDER
            | Keyword::WINDOW
            | Keyword::QUALIFY
            | Keyword::RETURNING
            | Keyword::LIMIT
            | Keyword::SET => {
                self.operators += 1;
                self.in_from = false;
            }
            Keyword::NoKeyword => {}
            _ => self.operators += 1,
        }
    }

    fn end_chain(&mut self) {
        self.deepest = self.deepest.max(self.operand + self.operators);
        self.operators = 0;
        self.operand = 0;
    }
}

fn is_container(keyword: Keyword) -> bool {
    matches!(keyword, Keyword::ARRAY | Keyword::STRUCT | Keyword::MAP)
}
