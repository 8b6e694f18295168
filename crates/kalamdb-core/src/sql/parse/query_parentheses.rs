//! Parentheses in expressions that hold a query: `((SELECT 1) UNION (SELECT 2))`, and those of `IN` and `ANY`, where
//! the parser takes what begins with a query for one, and `((SELECT 1), 2)` is a list.

use datafusion::sql::sqlparser::ast::{BinaryOperator, Expr, Query};
use datafusion::sql::sqlparser::keywords::Keyword;
use datafusion::sql::sqlparser::parser::{Parser, ParserError};
use datafusion::sql::sqlparser::tokenizer::{Token, TokenWithSpan};

use super::tokens::keyword;

/// How deep parentheses are looked into: nothing that is nested deeper is parsed.
const MAX_DEPTH: usize = 200;

/// Reads a query in parentheses that begins with another pair of them.
pub(super) fn parse_subquery(parser: &mut Parser<'_>) -> Option<Result<Expr, ParserError>> {
    let is_open = |at| parser.peek_nth_token_ref(at).token == Token::LParen;
    let is_values = is_keyword(parser, 1, Keyword::VALUES) && is_open(2);
    if !is_open(0) || !(is_values || is_open(1) && holds_query(parser, 0)) {
        return None;
    }
    parser.advance_token();
    Some(parse_query(parser).map(Expr::Subquery))
}

/// Reads `[NOT] IN (...)`.
pub(super) fn parse_in(parser: &mut Parser<'_>, operand: &Expr) -> Option<Result<Expr, ParserError>> {
    let negated = is_keyword(parser, 0, Keyword::NOT);
    let is_in = is_keyword(parser, usize::from(negated), Keyword::IN);
    let open = usize::from(negated) + 1;
    if !is_in || parser.peek_nth_token_ref(open).token != Token::LParen {
        return None;
    }
    let is_query = holds_query(parser, open);
    (0..=open).for_each(|_| parser.advance_token());
    let expr = Box::new(operand.clone());
    Some(if is_query {
        parse_query(parser).map(|subquery| Expr::InSubquery { expr, subquery, negated })
    } else {
        parser.parse_comma_separated0(Parser::parse_expr, Token::RParen).and_then(|list| {
            parser.expect_token(&Token::RParen)?;
            Ok(Expr::InList { expr, list, negated })
        })
    })
}

/// Reads `operator { ANY | SOME | ALL } (...)`.
pub(super) fn parse_quantified(parser: &mut Parser<'_>, operand: &Expr) -> Option<Result<Expr, ParserError>> {
    let (compare_op, quantifier) = operator(parser)?;
    let is_all = is_keyword(parser, quantifier, Keyword::ALL);
    let is_some = is_keyword(parser, quantifier, Keyword::SOME);
    let open = quantifier + 1;
    if !(is_all || is_some || is_keyword(parser, quantifier, Keyword::ANY))
        || parser.peek_nth_token_ref(open).token != Token::LParen
    {
        return None;
    }
    let is_query = holds_query(parser, open);
    (0..=open).for_each(|_| parser.advance_token());
    let right = if is_query {
        parse_query(parser).map(Expr::Subquery)
    } else {
        parser.parse_expr().and_then(|array| {
            parser.expect_token(&Token::RParen)?;
            Ok(array)
        })
    };
    let left = Box::new(operand.clone());
    Some(right.map(|right| match Box::new(right) {
        right if is_all => Expr::AllOp { left, compare_op, right },
        right => Expr::AnyOp { left, compare_op, right, is_some },
    }))
}

/// The operator that comes next, and where what follows it is.
fn operator(parser: &Parser<'_>) -> Option<(BinaryOperator, usize)> {
    let op = match &parser.peek_token_ref().token {
        Token::Eq => BinaryOperator::Eq,
        Token::Neq => BinaryOperator::NotEq,
        Token::Lt => BinaryOperator::Lt,
        Token::LtEq => BinaryOperator::LtEq,
        Token::Gt => BinaryOperator::Gt,
        Token::GtEq => BinaryOperator::GtEq,
        Token::Tilde => BinaryOperator::PGRegexMatch,
        Token::TildeAsterisk => BinaryOperator::PGRegexIMatch,
        Token::ExclamationMarkTilde => BinaryOperator::PGRegexNotMatch,
        Token::ExclamationMarkTildeAsterisk => BinaryOperator::PGRegexNotIMatch,
        Token::DoubleTilde => BinaryOperator::PGLikeMatch,
        Token::DoubleTildeAsterisk => BinaryOperator::PGILikeMatch,
        Token::ExclamationMarkDoubleTilde => BinaryOperator::PGNotLikeMatch,
        Token::ExclamationMarkDoubleTildeAsterisk => BinaryOperator::PGNotILikeMatch,
        Token::Word(_) => {
            let negated = is_keyword(parser, 0, Keyword::NOT);
            let word = usize::from(negated);
            let op = match (is_keyword(parser, word, Keyword::LIKE), is_keyword(parser, word, Keyword::ILIKE), negated)
            {
                (true, _, false) => BinaryOperator::PGLikeMatch,
                (true, _, true) => BinaryOperator::PGNotLikeMatch,
                (_, true, false) => BinaryOperator::PGILikeMatch,
                (_, true, true) => BinaryOperator::PGNotILikeMatch,
                _ => return None,
            };
            return Some((op, word + 1));
        }
        _ => return None,
    };
    Some((op, 1))
}

fn is_keyword(parser: &Parser<'_>, at: usize, wanted: Keyword) -> bool {
    keyword(parser.peek_nth_token_ref(at)) == wanted
}

/// Reads a query and the parenthesis behind it.
fn parse_query(parser: &mut Parser<'_>) -> Result<Box<Query>, ParserError> {
    let query = parser.parse_query()?;
    parser.expect_token(&Token::RParen)?;
    Ok(query)
}

/// Whether a query, rather than an expression or a list, is in the parentheses that open at that token of those to
/// come: `(SELECT ...)` is one, and is part of a longer one if nothing but what goes on with a query is behind it.
fn holds_query(parser: &Parser<'_>, open: usize) -> bool {
    let mut tokens = to_come(parser).skip(open + 1).peekable();
    let mut outermost = 0_usize;
    while outermost < MAX_DEPTH && tokens.next_if(|token| token.token == Token::LParen).is_some() {
        outermost += 1;
    }
    let begins = tokens.peek().is_some_and(|token| {
        matches!(keyword(token), Keyword::SELECT | Keyword::WITH | Keyword::VALUES | Keyword::FROM)
    });
    if !begins {
        return false;
    }
    let mut depth = outermost;
    while outermost > 0 {
        match tokens.next().map(|token| &token.token) {
            Some(Token::LParen) => depth += 1,
            Some(Token::RParen) => depth -= 1,
            Some(_) => {}
            None => return false,
        }
        if depth < outermost {
            outermost = depth;
            if !tokens.peek().is_some_and(|token| goes_on(token)) {
                return false;
            }
        }
    }
    true
}

/// Whether a token behind a query in parentheses leaves it a query.
fn goes_on(token: &TokenWithSpan) -> bool {
    let is_clause = matches!(
        keyword(token),
        Keyword::UNION
            | Keyword::INTERSECT
            | Keyword::EXCEPT
            | Keyword::ORDER
            | Keyword::LIMIT
            | Keyword::OFFSET
            | Keyword::FETCH
            | Keyword::FOR
    );
    is_clause || token.token == Token::RParen
}

/// The tokens that come next.
fn to_come<'a>(parser: &'a Parser<'_>) -> impl Iterator<Item = &'a TokenWithSpan> {
    let next = parser.peek_token_ref();
    let all =
        (parser.get_current_index()..).map(|at| parser.token_at(at)).take_while(|token| token.token != Token::EOF);
    all.skip_while(move |token| !std::ptr::eq(*token, next))
        .filter(|token| !matches!(token.token, Token::Whitespace(_)))
}
