//! Runs the statements of standard input, one a line, on the native engine, and prints what each gives.
#![allow(clippy::print_stdout, reason = "it is what this program is for")]

use std::io::{BufRead, stdin};

use kalamdb_slt::native::Native;
use sqllogictest::{DB, DBOutput};

fn main() -> std::io::Result<()> {
    let mut database = Native::open();
    for line in stdin().lock().lines() {
        let sql = line?;
        if sql.trim().is_empty() {
            continue;
        }
        println!("> {sql}");
        match database.run(&sql) {
            Ok(DBOutput::Rows { rows, .. }) => rows.iter().for_each(|row| println!("{}", row.join(" | "))),
            Ok(DBOutput::StatementComplete(affected)) => println!("{affected} written"),
            Ok(_) => {}
            Err(error) => println!("{error}"),
        }
    }
    Ok(())
}
