use std::collections::BTreeMap;
use std::fmt;
use std::path::Path;

use super::Verdict;

/// What this engine and DataFusion alone make of the same records.
#[derive(Debug, Default)]
pub struct Comparison {
    folders: BTreeMap<String, Counts>,
    /// The records that DataFusion passes and this engine fails, with what happened.
    pub lost: Vec<String>,
}

#[derive(Debug, Default, Clone, Copy)]
struct Counts {
    ours: usize,
    bare: usize,
    both: usize,
    lost: usize,
    foreign: usize,
}

impl Comparison {
    /// Counts the records of one file, in the order in which both have run them.
    pub fn add(&mut self, file: &Path, ours: Vec<Verdict>, bare: &[Verdict]) {
        let folder = file.parent().map_or_else(String::new, |folder| folder.to_string_lossy().into_owned());
        let counts = self.folders.entry(folder).or_default();
        for (ours, bare) in ours.into_iter().zip(bare) {
            let bare_passes = *bare == Verdict::Passed;
            counts.ours += usize::from(ours == Verdict::Passed);
            counts.bare += usize::from(bare_passes);
            match ours {
                Verdict::Passed => counts.both += usize::from(bare_passes),
                Verdict::Foreign => counts.foreign += usize::from(bare_passes),
                Verdict::Failed(text) if bare_passes => {
                    counts.lost += 1;
                    self.lost.push(text);
                }
                Verdict::Failed(_) | Verdict::Skipped => {}
            }
        }
    }
}

impl fmt::Display for Comparison {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let mut all = Counts::default();
        let mut line = |name: &str, counts: &Counts| {
            let Counts { ours, bare, both, lost, foreign } = counts;
            let percent = 100.0 * *both as f64 / ((both + lost) as f64).max(1.0);
            writeln!(
                f,
                "{ours:8} passed {bare:8} by DataFusion alone, of these {both:8} passed {lost:6} failed {foreign:6} foreign {percent:8.3} %  {name}"
            )
        };
        for (folder, counts) in &self.folders {
            line(folder, counts)?;
            all.ours += counts.ours;
            all.bare += counts.bare;
            all.both += counts.both;
            all.lost += counts.lost;
            all.foreign += counts.foreign;
        }
        line("in all", &all)
    }
}
