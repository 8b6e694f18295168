//! Model checking: tabs run statements at the same time on one disk, and a scheduler decides at every call of the store
//! who goes on.
//!
//! Calls of the store fail, tabs crash and open again, word of commits comes late or never. What happened must be what
//! some order of the calls, one after the other, makes of a plain model: the order of the commits.
//!
//! `KALAMDB_SCHEDULES=n` runs more schedules, `KALAMDB_SEED=n` the one of that seed, whose account it prints.
#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::indexing_slicing,
    clippy::print_stdout,
    reason = "tests may panic"
)]

mod call;
mod check;
mod model;
mod physical;
mod random;
mod replay;
mod schedule;
mod statement;
mod store;
mod world;

use std::sync::OnceLock;
use std::sync::atomic::{AtomicU64, Ordering};
use std::thread;

use crate::schedule::{Beginning, run};
use crate::store::Protocol;

/// How many schedules run unless more are asked for.
const SCHEDULES: u64 = 10_000;

#[test]
fn every_schedule_is_one_call_after_the_other() {
    if let Some(seed) = number("KALAMDB_SEED") {
        match run(seed, &Beginning::new(), Protocol::Numbered) {
            Ok(account) => println!("{account}"),
            Err(failure) => panic!("seed {seed}:\n{failure}"),
        }
        return;
    }
    let n = number("KALAMDB_SCHEDULES").unwrap_or(SCHEDULES);
    if let Some((seed, what)) = first_failure(n, Protocol::Numbered) {
        panic!("KALAMDB_SEED={seed}:\n{what}");
    }
}

/// What the simulation is worth: it finds that a commit is not safe which somebody has to undo.
#[test]
fn a_commit_that_a_callback_undoes_is_found_to_be_unsafe() {
    assert!(first_failure(SCHEDULES, Protocol::UndoneByCallback).is_some());
}

/// Runs the first `n` schedules, or some of them until one fails.
fn first_failure(n: u64, protocol: Protocol) -> Option<(u64, String)> {
    let (next, failure) = (AtomicU64::new(0), OnceLock::new());
    let worker = || {
        let beginning = Beginning::new();
        while failure.get().is_none() {
            let seed = next.fetch_add(1, Ordering::Relaxed);
            if seed >= n {
                return;
            }
            if let Err(what) = run(seed, &beginning, protocol) {
                let _ = failure.set((seed, what));
            }
        }
    };
    thread::scope(|scope| {
        (0..thread::available_parallelism().map_or(1, usize::from)).for_each(|_| drop(scope.spawn(worker)));
    });
    failure.into_inner()
}

fn number(variable: &str) -> Option<u64> {
    let text = std::env::var(variable).ok()?;
    Some(text.parse().unwrap_or_else(|_| panic!("{variable} is {text}, it must be a number")))
}
