//! Any text is statements or an error: tokenizer, bounds, parser.
#![no_main]

use kalamdb_core::Session;
use libfuzzer_sys::fuzz_target;

thread_local! {
    static SESSION: Session = kalamdb_fuzz::open();
}

fuzz_target!(|text: &str| {
    // It parses the text, and runs nothing.
    SESSION.with(|session| session.is_plain_insert(text));
});
