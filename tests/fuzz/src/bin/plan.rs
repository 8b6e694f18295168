//! Any statement has a plan or an error: names, rewriting, types, optimizer.
#![no_main]

use kalamdb_core::Session;
use libfuzzer_sys::{Corpus, fuzz_target};

/// What a statement begins with that EXPLAIN plans, and does not run.
const FIRST_WORDS: [&str; 6] = ["SELECT", "WITH", "VALUES", "INSERT", "UPDATE", "DELETE"];

thread_local! {
    static SESSION: Session = kalamdb_fuzz::open();
}

fuzz_target!(|text: &str| -> Corpus {
    let word = text.split(|c: char| !c.is_ascii_alphabetic()).next().unwrap_or_default();
    if !FIRST_WORDS.iter().any(|first| first.eq_ignore_ascii_case(word)) {
        return Corpus::Reject;
    }
    SESSION.with(|session| kalamdb_fuzz::run(session, &format!("EXPLAIN {text}")));
    Corpus::Keep
});
