//! What the engine promises, through its public API: one program, so that DataFusion is linked once.
//!
//! `cargo test --workspace --test engine isolation` runs the tests of one module.
#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::indexing_slicing,
    clippy::print_stdout,
    clippy::print_stderr,
    reason = "tests may panic and say what they try"
)]

mod support;

mod isolation;
mod memory;
mod roles;
mod streams;

mod concurrency {
    mod group_commit;
    mod insert_each;
    mod takeover;
}

mod definitions {
    mod alter_history;
    mod changes;
}

mod durability {
    mod damage;
    mod deleted_keys;
    mod history;
    mod orphans;
    mod segments;
    mod signed_zeros;
}

mod feed {
    mod follower;
    mod history;
    mod reports;
    mod swap;
}

mod parameters {
    mod arrays;
    mod datetimes;
    mod decimals;
}

mod statements {
    mod every_function;
    mod functions;
    mod hostile;
    mod index_scans;
    mod kept_queries;
    mod points;
    mod progress;
    mod surface;
}

mod transactions {
    mod managed;
    mod row_ids;
}
