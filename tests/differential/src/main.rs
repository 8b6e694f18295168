//! Answers the requests on standard input, a JSON object a line, with one JSON object a line each, in order: see
//! `protocol.rs`.
#![allow(
    clippy::disallowed_types,
    clippy::disallowed_methods,
    reason = "clocks and threads are missing in the browser; this runs natively"
)]

mod engine;
mod parameters;
mod protocol;
mod rows;

use std::io::{BufRead, Write, stdin, stdout};

fn main() -> std::io::Result<()> {
    // Builds that are not optimised need several times the stack of a release build.
    let answering = std::thread::Builder::new().stack_size(256 << 20).spawn(answer)?;
    answering.join().unwrap_or_else(|_| Err(std::io::Error::other("the engine's thread is gone")))
}

fn answer() -> std::io::Result<()> {
    // A panic is an answer.
    std::panic::set_hook(Box::new(|_| {}));
    let mut engine = None;
    let mut out = stdout().lock();
    for line in stdin().lock().lines() {
        let answer = engine::answer(&mut engine, &line?);
        serde_json::to_writer(&mut out, &answer)?;
        out.write_all(b"\n")?;
        out.flush()?;
    }
    Ok(())
}
