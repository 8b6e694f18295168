//! Words that the parser does not know where PostgreSQL allows them, and that change nothing.

use datafusion::sql::sqlparser::keywords::Keyword;
use datafusion::sql::sqlparser::tokenizer::{Token, TokenWithSpan};

use crate::error::{Error, Result};

/// Takes out `MATERIALIZED` and `NOT MATERIALIZED` between AS and the query of a WITH, `FROM` in
/// `trim(LEADING FROM x)`, `ONLY` before a table, and `EXCLUDE NO OTHERS` behind the frame of a window. No table
/// inherits from another.
///
/// # Errors
/// `feature_not_supported` for what else a frame may exclude.
pub(super) fn take_out(tokens: &mut Vec<TokenWithSpan>) -> Result<()> {
    let is_one = |word| matches!(word, Some(Keyword::MATERIALIZED | Keyword::TRIM | Keyword::ONLY | Keyword::EXCLUDE));
    if !tokens.iter().any(|token| is_one(keyword(token))) {
        return Ok(());
    }
    tokens.retain(|token| !matches!(token.token, Token::Whitespace(_)));
    let is = |at: Option<&TokenWithSpan>, wanted: Keyword| at.and_then(keyword) == Some(wanted);
    let is_open = |at: Option<&TokenWithSpan>| at.is_some_and(|token| token.token == Token::LParen);
    let mut at = 0;
    while at < tokens.len() {
        let before = |n: usize| at.checked_sub(n).and_then(|at| tokens.get(at));
        let here = tokens.get(at);
        let after_as = is(before(1), Keyword::AS);
        let is_side = before(1)
            .and_then(keyword)
            .is_some_and(|word| matches!(word, Keyword::LEADING | Keyword::TRAILING | Keyword::BOTH));
        let in_trim = is_open(before(1)) && is(before(2), Keyword::TRIM)
            || is_side && is_open(before(2)) && is(before(3), Keyword::TRIM);
        let is_materialized = after_as && is(here, Keyword::MATERIALIZED) && is_open(tokens.get(at + 1));
        let is_not = after_as
            && is(here, Keyword::NOT)
            && is(tokens.get(at + 1), Keyword::MATERIALIZED)
            && is_open(tokens.get(at + 2));
        let before_table = before(1)
            .and_then(keyword)
            .is_some_and(|word| matches!(word, Keyword::UPDATE | Keyword::FROM | Keyword::JOIN));
        let names_table = tokens
            .get(at + 1)
            .is_some_and(|token| matches!(token.token, Token::Word(_)) && keyword(token) != Some(Keyword::SET));
        let ends_frame = before(1)
            .and_then(keyword)
            .is_some_and(|word| matches!(word, Keyword::ROW | Keyword::PRECEDING | Keyword::FOLLOWING));
        let excludes = ends_frame && is(here, Keyword::EXCLUDE);
        if excludes && !is(tokens.get(at + 1), Keyword::NO) {
            return Err(Error::unsupported("EXCLUDE in window frames"));
        }
        let n_out = match () {
            () if excludes => 3.min(tokens.len() - at),
            () if is_not => 2,
            () if is_materialized
                || is(here, Keyword::FROM) && in_trim
                || is(here, Keyword::ONLY) && before_table && names_table =>
            {
                1
            }
            () => {
                at += 1;
                continue;
            }
        };
        tokens.drain(at..at + n_out);
    }
    Ok(())
}

fn keyword(token: &TokenWithSpan) -> Option<Keyword> {
    match &token.token {
        Token::Word(word) if word.quote_style.is_none() => Some(word.keyword),
        _ => None,
    }
}
