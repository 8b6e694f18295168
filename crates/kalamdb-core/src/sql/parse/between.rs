//! `x BETWEEN SYMMETRIC a AND b`, whose bounds may come in either order, and the word ASYMMETRIC, which says nothing.

use datafusion::sql::sqlparser::ast::{BinaryOperator, Expr, UnaryOperator};
use datafusion::sql::sqlparser::dialect::{Dialect, Precedence};
use datafusion::sql::sqlparser::keywords::Keyword;
use datafusion::sql::sqlparser::parser::{Parser, ParserError};
use datafusion::sql::sqlparser::tokenizer::Token;

use super::dialect::SqlDialect;
use super::tokens::keyword;

/// Reads `[NOT] BETWEEN { SYMMETRIC | ASYMMETRIC } low AND high`.
pub(super) fn parse_between_symmetric(parser: &mut Parser<'_>, operand: &Expr) -> Option<Result<Expr, ParserError>> {
    let negated = keyword(parser.peek_token_ref()) == Keyword::NOT;
    let between = usize::from(negated);
    if keyword(parser.peek_nth_token_ref(between)) != Keyword::BETWEEN {
        return None;
    }
    let is_word = |text: &str| matches!(&parser.peek_nth_token_ref(between + 1).token, Token::Word(word) if word.quote_style.is_none() && word.value.eq_ignore_ascii_case(text));
    let symmetric = is_word("symmetric");
    // A column may have these names; a bound follows the word.
    let ends = |token: &Token| matches!(token, Token::Word(word) if word.keyword == Keyword::AND);
    if !(symmetric || is_word("asymmetric")) || ends(&parser.peek_nth_token_ref(between + 2).token) {
        return None;
    }
    (0..between + 2).for_each(|_| parser.advance_token());
    Some(bounds(parser).map(|(low, high)| {
        let within = |low: &Expr, high: &Expr| Expr::Between {
            expr: Box::new(operand.clone()),
            negated: false,
            low: Box::new(low.clone()),
            high: Box::new(high.clone()),
        };
        let nested = |expr: Expr| Expr::Nested(Box::new(expr));
        let either = || {
            let (left, right) = (Box::new(nested(within(&low, &high))), Box::new(nested(within(&high, &low))));
            nested(Expr::BinaryOp { left, op: BinaryOperator::Or, right })
        };
        match (symmetric, negated) {
            (true, false) => either(),
            (true, true) => nested(Expr::UnaryOp { op: UnaryOperator::Not, expr: Box::new(either()) }),
            (false, _) => {
                Expr::Between { expr: Box::new(operand.clone()), negated, low: Box::new(low), high: Box::new(high) }
            }
        }
    }))
}

fn bounds(parser: &mut Parser<'_>) -> Result<(Expr, Expr), ParserError> {
    let precedence = SqlDialect::PLAIN.prec_value(Precedence::Between);
    let low = parser.parse_subexpr(precedence)?;
    parser.expect_keyword_is(Keyword::AND)?;
    Ok((low, parser.parse_subexpr(precedence)?))
}
