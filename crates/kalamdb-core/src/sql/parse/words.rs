//! Looking at and taking words, for statements that the parser does not know.

use datafusion::sql::sqlparser::parser::Parser;
use datafusion::sql::sqlparser::tokenizer::Token;

use crate::catalog::TableKind;

/// The kind of table that a word names.
pub(crate) fn kind_of(word: &str) -> Option<TableKind> {
    [TableKind::Shared, TableKind::User, TableKind::Stream].into_iter().find(|kind| kind.name() == word)
}

/// The next words, in lower case; quoted ones and what is no word are empty.
pub(super) fn next_words<const N: usize>(parser: &Parser<'_>) -> [String; N] {
    std::array::from_fn(|at| match parser.peek_nth_token(at).token {
        Token::Word(word) if word.quote_style.is_none() => word.value.to_lowercase(),
        _ => String::new(),
    })
}

pub(crate) fn skip(parser: &mut Parser<'_>, n: usize) {
    (0..n).for_each(|_| parser.advance_token());
}

/// Takes the next token if it is that word.
pub(super) fn take_word(parser: &mut Parser<'_>, word: &str) -> bool {
    let [next] = next_words::<1>(parser);
    let taken = next == word;
    if taken {
        parser.advance_token();
    }
    taken
}
