//! Tokens that the parser would read otherwise than PostgreSQL does, or not at all.

use datafusion::sql::sqlparser::keywords::Keyword;
use datafusion::sql::sqlparser::tokenizer::{Token, TokenWithSpan, Word};

use crate::error::{Error, ErrorKind, Location, Result};

/// Takes the underscores out of numbers: `1_000`.
///
/// # Errors
/// `syntax_error` for an underscore that is not between two digits, which would begin an alias.
pub(super) fn join_digits(tokens: &mut [TokenWithSpan]) -> Result<()> {
    let mut after_number = None;
    for token in tokens {
        let misplaced = match &mut token.token {
            Token::Number(number, _) => {
                after_number = Some(token.span.start);
                let misplaced = number.ends_with('_');
                number.retain(|digit| digit != '_');
                misplaced
            }
            Token::Word(word) => after_number.is_some() && word.quote_style.is_none() && word.value.starts_with('_'),
            _ => {
                after_number = None;
                false
            }
        };
        if let (true, Some(start)) = (misplaced, after_number) {
            let location = Location { line: start.line, column: start.column };
            return Err(Error::new(ErrorKind::SyntaxError, "an underscore in a number stands between two digits").with_location(Some(location)));
        }
        if matches!(token.token, Token::Word(_)) {
            after_number = None;
        }
    }
    Ok(())
}

/// Writes `SELECT * FROM` for the word TABLE where a query begins: the parser reads `TABLE name` in some of these places only.
pub(super) fn select_from_tables(tokens: &mut Vec<TokenWithSpan>) {
    let mut before: Option<Token> = None;
    let mut at = 0;
    while let Some(token) = tokens.get(at) {
        if matches!(token.token, Token::Whitespace(_)) {
            at += 1;
            continue;
        }
        let begins = match &before {
            None | Some(Token::SemiColon) => true,
            Some(Token::LParen) => names_table(tokens, at),
            Some(Token::Word(word)) => {
                matches!(word.keyword, Keyword::UNION | Keyword::EXCEPT | Keyword::INTERSECT | Keyword::ALL) && word.quote_style.is_none()
            }
            _ => false,
        };
        let is_table = matches!(&token.token, Token::Word(word) if word.keyword == Keyword::TABLE && word.quote_style.is_none());
        if begins && is_table {
            let span = token.span;
            let word = |keyword: Keyword, value: &str| Token::Word(Word { value: value.to_owned(), quote_style: None, keyword });
            let select = [word(Keyword::SELECT, "SELECT"), Token::Mul, word(Keyword::FROM, "FROM")];
            tokens.splice(at..=at, select.map(|token| TokenWithSpan { token, span }));
            at += 2;
        }
        before = tokens.get(at).map(|token| token.token.clone());
        at += 1;
    }
}

/// Whether a name follows the word at `at` and the query ends or goes on behind it, so that the word is no name itself.
fn names_table(tokens: &[TokenWithSpan], at: usize) -> bool {
    let mut rest = tokens.iter().skip(at + 1).map(|token| &token.token).filter(|token| !matches!(token, Token::Whitespace(_)));
    loop {
        match (rest.next(), rest.next()) {
            (Some(Token::Word(_)), Some(Token::Period)) => {}
            (Some(Token::Word(_)), Some(Token::RParen)) => return true,
            (Some(Token::Word(_)), Some(Token::Word(word))) => {
                return matches!(word.keyword, Keyword::UNION | Keyword::EXCEPT | Keyword::INTERSECT | Keyword::ORDER | Keyword::LIMIT);
            }
            _ => return false,
        }
    }
}
