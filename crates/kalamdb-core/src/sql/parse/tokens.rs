//! Tokens that the parser would read otherwise than PostgreSQL does, or not at all.

use datafusion::sql::sqlparser::keywords::Keyword;
use datafusion::sql::sqlparser::tokenizer::{Span, Token, TokenWithSpan, Word};

use super::statement::Overriding;

/// What INSERT statements say with `OVERRIDING { SYSTEM | USER } VALUE`, which the parser does not know.
#[derive(Debug, Default)]
pub(super) struct Overrides(Vec<(Span, Overriding)>);

impl Overrides {
    /// Takes the clauses out of a text, each with the place of its INSERT.
    pub(crate) fn take(tokens: &mut Vec<TokenWithSpan>) -> Self {
        let is_word = |token: &TokenWithSpan, text: &str| matches!(&token.token, Token::Word(word) if word.quote_style.is_none() && word.value.eq_ignore_ascii_case(text));
        let mut found = Self::default();
        if !tokens.iter().any(|token| is_word(token, "overriding")) {
            return found;
        }
        let mut insert = None;
        let mut kept: Vec<TokenWithSpan> = Vec::with_capacity(tokens.len());
        for token in tokens.drain(..).filter(|token| !matches!(token.token, Token::Whitespace(_))) {
            if let Token::Word(word) = &token.token {
                match word.keyword {
                    Keyword::INSERT => insert = Some(token.span),
                    Keyword::VALUES | Keyword::SELECT | Keyword::WITH => {}
                    _ => {
                        kept.push(token);
                        continue;
                    }
                }
            } else if token.token != Token::LParen {
                kept.push(token);
                continue;
            }
            // What is inserted begins here.
            let clause = kept.len().checked_sub(3).and_then(|from| kept.get(from..));
            let overriding = match clause {
                Some([a, b, c]) if is_word(a, "overriding") && is_word(c, "value") => {
                    let system = is_word(b, "system").then_some(Overriding::SystemValue);
                    system.or_else(|| is_word(b, "user").then_some(Overriding::UserValue))
                }
                _ => None,
            };
            if let (Some(overriding), Some(insert)) = (overriding, insert) {
                found.0.push((insert, overriding));
                kept.truncate(kept.len() - 3);
            }
            kept.push(token);
        }
        *tokens = kept;
        found
    }

    /// What the statement that begins with that token says.
    pub(crate) fn of(&self, token: &TokenWithSpan) -> Option<Overriding> {
        self.0.iter().find(|(insert, _)| *insert == token.span).map(|(_, overriding)| *overriding)
    }
}

/// The keyword that a token is.
pub(super) fn keyword(token: &TokenWithSpan) -> Keyword {
    match &token.token {
        Token::Word(word) if word.quote_style.is_none() => word.keyword,
        _ => Keyword::NoKeyword,
    }
}

/// Writes `SELECT * FROM` for the word TABLE where a query begins: the parser reads `TABLE name` in some of these
/// places only.
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
                matches!(word.keyword, Keyword::UNION | Keyword::EXCEPT | Keyword::INTERSECT | Keyword::ALL)
                    && word.quote_style.is_none()
            }
            _ => false,
        };
        let is_table =
            matches!(&token.token, Token::Word(word) if word.keyword == Keyword::TABLE && word.quote_style.is_none());
        if begins && is_table {
            let span = token.span;
            let word = |keyword: Keyword, value: &str| {
                Token::Word(Word { value: value.to_owned(), quote_style: None, keyword })
            };
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
    let mut rest =
        tokens.iter().skip(at + 1).map(|token| &token.token).filter(|token| !matches!(token, Token::Whitespace(_)));
    loop {
        match (rest.next(), rest.next()) {
            (Some(Token::Word(_)), Some(Token::Period)) => {}
            (Some(Token::Word(_)), Some(Token::RParen)) => return true,
            (Some(Token::Word(_)), Some(Token::Word(word))) => {
                return matches!(
                    word.keyword,
                    Keyword::UNION | Keyword::EXCEPT | Keyword::INTERSECT | Keyword::ORDER | Keyword::LIMIT
                );
            }
            _ => return false,
        }
    }
}
