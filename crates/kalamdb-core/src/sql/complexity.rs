use datafusion::sql::sqlparser::keywords::Keyword;
use datafusion::sql::sqlparser::tokenizer::{Token, TokenWithSpan};

use crate::error::{Error, ErrorKind, Location, Result};

/// The longest SQL text, in bytes.
pub(super) const MAX_SQL_BYTES: usize = 4 << 20;

/// The longest chain of operators in one expression, and of set operations or joins in one query.
///
/// A chain becomes a tree as deep as the chain is long, which the planner walks recursively: the stack of a wasm instance holds
/// about three times as many.
const MAX_CHAIN: usize = 500;

/// The deepest nesting of parentheses.
const MAX_NESTING: usize = 60;

/// Refuses texts that the parser or the planner would exhaust the stack on.
///
/// Works on tokens, before anything recursive sees the text.
pub(super) fn check(tokens: &[TokenWithSpan]) -> Result<()> {
    // One counter of chained operators for each open parenthesis, and one of chained relations.
    let mut operators = vec![0_usize];
    let mut relations = vec![0_usize];
    let mut prefixes = 0_usize;
    for token in tokens {
        prefixes = match &token.token {
            Token::Whitespace(_) => prefixes,
            Token::Minus | Token::Plus | Token::Tilde | Token::ExclamationMark => prefixes + 1,
            Token::Word(word) if word.keyword == Keyword::NOT => prefixes + 1,
            _ => 0,
        };
        match &token.token {
            Token::Whitespace(_) => continue,
            Token::LParen | Token::LBracket | Token::LBrace => {
                operators.push(0);
                relations.push(0);
            }
            Token::RParen | Token::RBracket | Token::RBrace if operators.len() > 1 => {
                operators.pop();
                relations.pop();
            }
            Token::SemiColon => {
                operators = vec![0];
                relations = vec![0];
            }
            Token::Comma => reset(&mut operators),
            Token::Word(word) => match word.keyword {
                Keyword::UNION | Keyword::INTERSECT | Keyword::EXCEPT | Keyword::JOIN => {
                    reset(&mut operators);
                    increment(&mut relations);
                }
                Keyword::SELECT | Keyword::FROM | Keyword::WHERE | Keyword::HAVING => reset(&mut operators),
                Keyword::NoKeyword => {}
                _ => increment(&mut operators),
            },
            Token::Number(..) | Token::SingleQuotedString(_) | Token::Placeholder(_) | Token::Period | Token::EOF => {}
            _ => increment(&mut operators),
        }
        // Each operator before an operand nests one level deeper.
        let too_deep = operators.len() + prefixes > MAX_NESTING;
        if too_deep || over(&operators, MAX_CHAIN) || over(&relations, MAX_CHAIN / 2) {
            let what = if too_deep { "nests too deep" } else { "chains too many operators" };
            let start = token.span.start;
            return Err(Error::new(ErrorKind::StatementTooComplex, format!("the statement {what}"))
                .with_hint("split the statement, use IN with a list, or a table that holds the values")
                .with_location(Some(Location { line: start.line, column: start.column })));
        }
    }
    Ok(())
}

fn reset(counters: &mut [usize]) {
    if let Some(counter) = counters.last_mut() {
        *counter = 0;
    }
}

fn increment(counters: &mut [usize]) {
    if let Some(counter) = counters.last_mut() {
        *counter += 1;
    }
}

fn over(counters: &[usize], limit: usize) -> bool {
    counters.last().is_some_and(|counter| *counter > limit)
}
