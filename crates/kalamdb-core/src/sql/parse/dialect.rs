//! The dialect that statements are read in: sqlparser's generic one, with PostgreSQL's operators.

use std::any::TypeId;

use datafusion::sql::sqlparser::ast::{BinaryOperator, Expr, UnaryOperator};
use datafusion::sql::sqlparser::dialect::{Dialect, GenericDialect, Precedence};
use datafusion::sql::sqlparser::keywords::Keyword;
use datafusion::sql::sqlparser::parser::{Parser, ParserError};
use datafusion::sql::sqlparser::tokenizer::{Token, TokenWithSpan, Word};

use super::between::parse_between_symmetric;
use super::calls::call;
use super::query_parentheses::{parse_in, parse_quantified, parse_subquery};

/// The generic dialect with `IN ()`, `NOTNULL` and `ISNULL`, and with the precedence of PostgreSQL's operators.
///
/// The generic dialect binds `->` and its like looser than `=`, so that `j -> 'a' = 'b'` would be `j -> ('a' = 'b')`.
#[derive(Debug)]
pub(crate) struct SqlDialect {
    /// Whether a join before ON is one within the join that the ON ends: `a JOIN b JOIN c ON p ON q`.
    pub(super) nests_joins: bool,
}

impl SqlDialect {
    pub(crate) const PLAIN: Self = Self { nests_joins: false };
    /// For statements without NATURAL, behind which there is no ON.
    pub(super) const WITH_NESTED_JOINS: Self = Self { nests_joins: true };
}

/// Where PostgreSQL has all operators that it does not name: looser than `+`, tighter than the comparisons.
const OTHER_OPERATORS: u8 = 25;

/// Where PostgreSQL has `^`: tighter than `*`.
const POWER: u8 = 41;

/// Answers as the generic dialect does.
macro_rules! as_generic {
    ($($method:ident)*) => {
        $(fn $method(&self) -> bool {
            GenericDialect.$method()
        })*
    };
}

impl Dialect for SqlDialect {
    /// The parser asks for the generic dialect by its type in many places.
    fn dialect(&self) -> TypeId {
        TypeId::of::<GenericDialect>()
    }

    fn get_next_precedence(&self, parser: &Parser<'_>) -> Option<Result<u8, ParserError>> {
        let is_other = matches!(
            parser.peek_token_ref().token,
            Token::Arrow
                | Token::LongArrow
                | Token::HashArrow
                | Token::HashLongArrow
                | Token::AtArrow
                | Token::ArrowAt
                | Token::Question
                | Token::QuestionAnd
                | Token::QuestionPipe
                | Token::StringConcat
                | Token::Tilde
                | Token::TildeAsterisk
                | Token::ExclamationMarkTilde
                | Token::ExclamationMarkTildeAsterisk
                | Token::Sharp
        );
        if is_isnull(parser) {
            return Some(Ok(self.prec_value(Precedence::Is)));
        }
        if parser.peek_token_ref().token == Token::Caret {
            return Some(Ok(POWER));
        }
        is_other.then_some(Ok(OTHER_OPERATORS))
    }

    /// `CURRENT_USER` and its like are functions that may be written without parentheses. The parser binds NOT to
    /// EXISTS more tightly than the operators that come after it.
    fn parse_prefix(&self, parser: &mut Parser<'_>) -> Option<Result<Expr, ParserError>> {
        if is_keyword(parser, 0, Keyword::NOT) && is_keyword(parser, 1, Keyword::EXISTS) {
            parser.advance_token();
            return Some(parser.parse_subexpr(self.prec_value(Precedence::UnaryNot)).map(not));
        }
        let name = match &parser.peek_token_ref().token {
            Token::LParen => return parse_subquery(parser),
            Token::Word(word) if word.quote_style.is_none() && is_session_value(&word.value) => {
                word.to_ident(parser.peek_token_ref().span)
            }
            _ => return None,
        };
        // A name before a point is a table's.
        if parser.peek_nth_token(1).token == Token::Period {
            return None;
        }
        parser.advance_token();
        if parser.consume_token(&Token::LParen)
            && let Err(error) = parser.expect_token(&Token::RParen)
        {
            return Some(Err(error));
        }
        Some(Ok(call(name, Vec::new())))
    }

    fn parse_infix(&self, parser: &mut Parser<'_>, expr: &Expr, precedence: u8) -> Option<Result<Expr, ParserError>> {
        if parser.peek_token_ref().token == Token::Sharp {
            parser.advance_token();
            let operands = parser.parse_subexpr(precedence).map(|right| (Box::new(expr.clone()), Box::new(right)));
            return Some(operands.map(|(left, right)| Expr::BinaryOp {
                left,
                op: BinaryOperator::PGBitwiseXor,
                right,
            }));
        }
        if let Some(negated) = is_in_table(parser) {
            return Some(parse_in_table(parser, expr, negated));
        }
        if let Some(negated) = is_distinct_from(parser) {
            return Some(parse_distinct_from(parser, expr, negated, precedence));
        }
        if let Some(between) = parse_between_symmetric(parser, expr) {
            return Some(between);
        }
        if let Some(comparison) = parse_in(parser, expr).or_else(|| parse_quantified(parser, expr)) {
            return Some(comparison);
        }
        is_isnull(parser).then(|| {
            parser.advance_token();
            Ok(Expr::IsNull(Box::new(expr.clone())))
        })
    }

    fn supports_left_associative_joins_without_parens(&self) -> bool {
        !self.nests_joins
    }

    fn supports_in_empty_list(&self) -> bool {
        true
    }

    fn supports_numeric_literal_underscores(&self) -> bool {
        true
    }

    fn supports_notnull_operator(&self) -> bool {
        true
    }

    fn supports_alter_column_type_using(&self) -> bool {
        true
    }

    fn supports_insert_table_alias(&self) -> bool {
        true
    }

    fn is_delimited_identifier_start(&self, ch: char) -> bool {
        GenericDialect.is_delimited_identifier_start(ch)
    }

    fn is_identifier_start(&self, ch: char) -> bool {
        is_of_name(ch) && GenericDialect.is_identifier_start(ch)
    }

    fn is_identifier_part(&self, ch: char) -> bool {
        is_of_name(ch) && GenericDialect.is_identifier_part(ch)
    }

    // Every answer of the generic dialect that is not the default one.
    as_generic! {
        supports_unicode_string_literal
        supports_partition_by_after_order_by
        supports_array_join_syntax
        supports_group_by_expr
        supports_group_by_with_modifier
        supports_connect_by
        supports_match_recognize
        supports_pipe_operator
        supports_start_transaction_modifier
        supports_window_function_null_treatment_arg
        supports_dictionary_syntax
        supports_window_clause_named_window_reference
        supports_parenthesized_set_variables
        supports_select_wildcard_except
        support_map_literal_syntax
        allow_extract_custom
        allow_extract_single_quotes
        supports_extract_comma_syntax
        supports_create_view_comment_syntax
        supports_parens_around_table_factor
        supports_values_as_table_factor
        supports_create_index_with_clause
        supports_explain_with_utility_options
        supports_limit_comma
        supports_update_order_by
        supports_from_first_select
        supports_projection_trailing_commas
        supports_asc_desc_in_column_definition
        supports_try_convert
        supports_bitwise_shift_operators
        supports_comment_on
        supports_load_extension
        supports_named_fn_args_with_assignment_operator
        supports_struct_literal
        supports_empty_projections
        supports_nested_comments
        supports_multiline_comment_hints
        supports_user_host_grantee
        supports_string_escape_constant
        supports_array_typedef_with_brackets
        supports_match_against
        supports_set_names
        supports_comma_separated_set_assignments
        supports_filter_during_aggregation
        supports_select_wildcard_exclude
        supports_data_type_signed_suffix
        supports_interval_options
        supports_quote_delimited_string
        supports_select_wildcard_replace
        supports_select_wildcard_ilike
        supports_select_wildcard_rename
        supports_optimize_table
        supports_install
        supports_detach
        supports_prewhere
        supports_with_fill
        supports_limit_by
        supports_interpolate
        supports_settings
        supports_select_format
        supports_comment_optimizer_hint
        supports_constraint_keyword_without_name
        supports_key_column_option
        supports_comma_separated_trim
        supports_cte_without_as
        supports_select_item_multi_column_alias
        supports_xml_expressions
    }
}

fn not(expr: Expr) -> Expr {
    match expr {
        Expr::Exists { subquery, negated: false } => Expr::Exists { subquery, negated: true },
        other => Expr::UnaryOp { op: UnaryOperator::Not, expr: Box::new(other) },
    }
}

fn is_keyword(parser: &Parser<'_>, at: usize, keyword: Keyword) -> bool {
    matches!(&parser.peek_nth_token_ref(at).token, Token::Word(word) if word.quote_style.is_none() && word.keyword == keyword)
}

fn is_session_value(word: &str) -> bool {
    ["current_user", "session_user", "current_role"].iter().any(|name| word.eq_ignore_ascii_case(name))
}

fn is_isnull(parser: &Parser<'_>) -> bool {
    matches!(&parser.peek_token_ref().token, Token::Word(word) if word.quote_style.is_none() && word.value.eq_ignore_ascii_case("isnull"))
}

/// Operators begin with `#` and `@`, also directly behind a name: `j#>'{a}'`.
fn is_of_name(ch: char) -> bool {
    !matches!(ch, '#' | '@')
}

/// Whether SQLite's `IN table` or `NOT IN table` follows, and which of the two.
fn is_in_table(parser: &Parser<'_>) -> Option<bool> {
    let keyword = |at: usize| match parser.peek_nth_token(at).token {
        Token::Word(word) if word.quote_style.is_none() => word.keyword,
        _ => Keyword::NoKeyword,
    };
    let negated = keyword(0) == Keyword::NOT;
    let name = usize::from(negated) + 1;
    let is_in = keyword(name - 1) == Keyword::IN;
    let is_name = matches!(parser.peek_nth_token(name).token, Token::Word(_))
        && parser.peek_nth_token(name + 1).token != Token::LParen;
    (is_in && is_name).then_some(negated)
}

/// Reads `IN table` as `IN (SELECT * FROM table)`.
fn parse_in_table(parser: &mut Parser<'_>, expr: &Expr, negated: bool) -> Result<Expr, ParserError> {
    (0..=usize::from(negated)).for_each(|_| parser.advance_token());
    let name = parser.parse_object_name(false)?;
    let subquery = Parser::new(&SqlDialect::PLAIN).try_with_sql(&format!("SELECT * FROM {name}"))?.parse_query()?;
    Ok(Expr::InSubquery { expr: Box::new(expr.clone()), subquery, negated })
}

/// Tells the operators `?`, `?|` and `?&` from parameters, which the generic dialect takes every `?` for.
///
/// A `?` is an operator if an operand ends before it and another begins after it.
pub(super) fn mark_question_operators(tokens: &mut Vec<TokenWithSpan>) {
    let mut before: Option<usize> = None;
    let mut at = 0;
    while let Some(token) = tokens.get(at) {
        if matches!(token.token, Token::Whitespace(_)) {
            at += 1;
            continue;
        }
        let ends_operand =
            before.and_then(|before| tokens.get(before)).is_some_and(|before| ends_operand(&before.token));
        if ends_operand && token.token == Token::Placeholder("?".to_owned()) {
            let joined = match tokens.get(at + 1).map(|next| &next.token) {
                Some(Token::Pipe) => Some(Token::QuestionPipe),
                Some(Token::Ampersand) => Some(Token::QuestionAnd),
                _ => None,
            };
            let next = tokens
                .iter()
                .skip(at + 1 + usize::from(joined.is_some()))
                .find(|next| !matches!(next.token, Token::Whitespace(_)));
            if next.is_some_and(|next| begins_operand(&next.token)) {
                if joined.is_some() {
                    tokens.remove(at + 1);
                }
                if let Some(token) = tokens.get_mut(at) {
                    token.token = joined.unwrap_or(Token::Question);
                }
            }
        }
        before = Some(at);
        at += 1;
    }
}

fn ends_operand(token: &Token) -> bool {
    match token {
        Token::Word(word) => word.quote_style.is_some() || !stands_before_operand(word),
        Token::RParen | Token::RBracket | Token::SingleQuotedString(_) | Token::Placeholder(_) => true,
        _ => false,
    }
}

/// Only what cannot follow a parameter: a word may be an alias or the next clause.
fn begins_operand(token: &Token) -> bool {
    match token {
        Token::SingleQuotedString(_) | Token::EscapedStringLiteral(_) | Token::Placeholder(_) => true,
        Token::Word(word) => word.keyword == Keyword::ARRAY,
        _ => false,
    }
}

/// Keywords that an expression follows. Others (`data`, `value`, `key`) are the names of columns more often than not.
fn stands_before_operand(word: &Word) -> bool {
    matches!(
        word.keyword,
        Keyword::SELECT
            | Keyword::DISTINCT
            | Keyword::ALL
            | Keyword::ANY
            | Keyword::SOME
            | Keyword::FROM
            | Keyword::WHERE
            | Keyword::HAVING
            | Keyword::ON
            | Keyword::BY
            | Keyword::LIMIT
            | Keyword::OFFSET
            | Keyword::FETCH
            | Keyword::AND
            | Keyword::OR
            | Keyword::NOT
            | Keyword::IN
            | Keyword::IS
            | Keyword::LIKE
            | Keyword::ILIKE
            | Keyword::BETWEEN
            | Keyword::CASE
            | Keyword::WHEN
            | Keyword::THEN
            | Keyword::ELSE
            | Keyword::AS
            | Keyword::VALUES
            | Keyword::SET
            | Keyword::DEFAULT
            | Keyword::RETURNING
            | Keyword::INTERVAL
            | Keyword::ESCAPE
    )
}

/// Whether IS DISTINCT FROM comes next, or IS NOT DISTINCT FROM: what is after it is an operand, which the parser takes
/// for all that follows.
fn is_distinct_from(parser: &Parser<'_>) -> Option<bool> {
    let negated = is_keyword(parser, 1, Keyword::NOT);
    let distinct = 1 + usize::from(negated);
    let follows = is_keyword(parser, 0, Keyword::IS)
        && is_keyword(parser, distinct, Keyword::DISTINCT)
        && is_keyword(parser, distinct + 1, Keyword::FROM);
    follows.then_some(negated)
}

fn parse_distinct_from(
    parser: &mut Parser<'_>,
    expr: &Expr,
    negated: bool,
    precedence: u8,
) -> Result<Expr, ParserError> {
    for _ in 0..3 + usize::from(negated) {
        parser.advance_token();
    }
    let (left, right) = (Box::new(expr.clone()), Box::new(parser.parse_subexpr(precedence)?));
    Ok(if negated { Expr::IsNotDistinctFrom(left, right) } else { Expr::IsDistinctFrom(left, right) })
}

#[cfg(test)]
#[allow(clippy::unwrap_used, reason = "tests stop at the first surprise")]
mod tests {
    use datafusion::sql::sqlparser::tokenizer::Tokenizer;

    use super::*;

    /// The expression with all parentheses that precedence implies.
    fn parsed(sql: &str) -> String {
        let mut tokens = Tokenizer::new(&SqlDialect::PLAIN, sql).tokenize_with_location().unwrap();
        mark_question_operators(&mut tokens);
        let expr = Parser::new(&SqlDialect::PLAIN).with_tokens_with_locations(tokens).parse_expr().unwrap();
        shown(&expr)
    }

    fn shown(expr: &datafusion::sql::sqlparser::ast::Expr) -> String {
        use datafusion::sql::sqlparser::ast::Expr;
        match expr {
            Expr::BinaryOp { left, op, right } => format!("({} {op} {})", shown(left), shown(right)),
            other => other.to_string(),
        }
    }

    #[test]
    fn operators_bind_as_in_postgresql() {
        for (sql, expected) in [
            ("data -> 'a' ->> 'b' = 'c'", "(((data -> 'a') ->> 'b') = 'c')"),
            ("data ->> 'a' || 'b' = 'c'", "(((data ->> 'a') || 'b') = 'c')"),
            ("data -> 1 + 2", "(data -> (1 + 2))"),
            ("2 * 3 ^ 2 ^ 2 + 1", "((2 * ((3 ^ 2) ^ 2)) + 1)"),
            ("5 # 3 + 1 = 1", "((5 # (3 + 1)) = 1)"),
            ("a AND data #>> '{x}' <> 'y'", "(a AND ((data #>> '{x}') <> 'y'))"),
            ("data @> '{}' AND a ~ 'x'", "((data @> '{}') AND (a ~ 'x'))"),
            (
                "data ? 'a' OR data ?| ARRAY['a'] OR data ?& array['b']",
                "(((data ? 'a') OR (data ?| ARRAY['a'])) OR (data ?& ARRAY['b']))",
            ),
            ("data -> 'a' ? $1", "((data -> 'a') ? $1)"),
            ("data ? ?", "(data ? ?)"),
            ("? = ?", "(? = ?)"),
            ("a = ? AND b IN (?, ?)", "((a = ?) AND b IN (?, ?))"),
            ("a LIKE ? ESCAPE 'x'", "a LIKE ? ESCAPE 'x'"),
        ] {
            assert_eq!(parsed(sql), expected, "{sql}");
        }
    }
}
