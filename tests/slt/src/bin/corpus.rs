//! `corpus [--sqlite | --datafusion] [--bare] [--label ENGINE] [--every N] [--failures FILE] PATH...`: see the README.
#![allow(clippy::print_stdout, clippy::print_stderr, reason = "a command prints")]

use std::error::Error;
use std::io::Write;
use std::path::PathBuf;

use kalamdb_slt::corpus::{Comparison, Dialect, Engine, Options, Report, files, run_file};

fn main() -> Result<(), Box<dyn Error>> {
    let mut options = Options { dialect: Dialect::Sqlite, label: "sqlite".to_owned(), every: 1 };
    let mut compares = false;
    let mut failures: Option<PathBuf> = None;
    let mut paths: Vec<PathBuf> = Vec::new();
    let mut arguments = std::env::args().skip(1);
    while let Some(argument) = arguments.next() {
        let mut value = || arguments.next().ok_or_else(|| format!("{argument} needs a value"));
        match argument.as_str() {
            "--sqlite" => options.dialect = Dialect::Sqlite,
            "--datafusion" => {
                options = Options { dialect: Dialect::DataFusion, label: "Datafusion".to_owned(), ..options }
            }
            "--bare" => compares = true,
            "--label" => options.label = value()?,
            "--every" => options.every = value()?.parse::<usize>()?.max(1),
            "--failures" => failures = Some(value()?.into()),
            path => paths.push(path.into()),
        }
    }
    let (mut report, mut comparison) = (Report::default(), Comparison::default());
    for path in &paths {
        for file in files(path)? {
            eprintln!("{}", file.display());
            let ours = run_file(Engine::KalamDB, &file, &options, &mut report);
            if compares {
                let bare = run_file(Engine::DataFusion, &file, &options, &mut Report::default());
                comparison.add(&file, ours, &bare);
            }
        }
    }
    if let Some(file) = failures {
        let mut out = std::io::BufWriter::new(std::fs::File::create(file)?);
        let lost = comparison.lost.iter().cloned();
        let failed = report.failures.iter().map(|failure| format!("{}\n{}", failure.place, failure.text));
        let texts: Vec<String> = if compares { lost.collect() } else { failed.collect() };
        for text in texts {
            writeln!(out, "{text}\n")?;
        }
    }
    println!("{report}");
    if compares {
        println!("{comparison}");
    }
    Ok(())
}
