//! How many tests passed and failed, read from what the test runners print.

use std::ops::AddAssign;

/// Numbers of tests.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub(crate) struct Counts {
    pub(crate) passed: u64,
    pub(crate) failed: u64,
}

impl AddAssign for Counts {
    fn add_assign(&mut self, other: Self) {
        self.passed += other.passed;
        self.failed += other.failed;
    }
}

/// Sums the closing lines of cargo test, wasm-bindgen-test, vitest, Playwright and `node --test` in an output.
pub(crate) fn read(output: &str) -> Counts {
    let mut sum = Counts::default();
    for line in without_colours(output).lines() {
        let words: Vec<&str> =
            line.split(|c: char| c.is_whitespace() || c == ';' || c == ',').filter(|word| !word.is_empty()).collect();
        sum += match words.as_slice() {
            // test result: ok. 12 passed; 0 failed; 0 ignored
            ["test", "result:", _, rest @ ..] => number_word(rest),
            // Tests  1 failed | 11 passed (12)
            ["Tests", rest @ ..] => number_word(rest),
            // # pass 11
            ["#" | "\u{2139}", "pass", n] => Counts { passed: n.parse().unwrap_or(0), failed: 0 },
            ["#" | "\u{2139}", "fail", n] => Counts { passed: 0, failed: n.parse().unwrap_or(0) },
            // 11 passed (3.4s), 1 failed: each on its own line
            [n, "passed", time] if time.starts_with('(') => number_word(&[n, "passed"]),
            [n, "failed"] => number_word(&[n, "failed"]),
            _ => Counts::default(),
        };
    }
    sum
}

/// Leaves out the escape sequences that colour a terminal; some runners print them into pipes too.
fn without_colours(output: &str) -> String {
    let mut pieces = output.split("\u{1b}[");
    let first = pieces.next().unwrap_or_default().to_owned();
    pieces.fold(first, |text, piece| text + piece.split_once('m').map_or(piece, |(_, rest)| rest))
}

/// The numbers that stand before "passed" and "failed".
fn number_word(words: &[&str]) -> Counts {
    let before = |word: &str| {
        words.windows(2).find_map(|pair| if pair.last() == Some(&word) { pair.first()?.parse().ok() } else { None })
    };
    Counts { passed: before("passed").unwrap_or(0), failed: before("failed").unwrap_or(0) }
}

#[cfg(test)]
mod tests {
    use super::{Counts, read};

    fn check(output: &str, passed: u64, failed: u64) {
        assert_eq!(read(output), Counts { passed, failed }, "{output}");
    }

    #[test]
    fn cargo_test_prints_a_line_for_each_binary() {
        check(
            "running 3 tests\ntest result: ok. 3 passed; 0 failed; 0 ignored; finished in 0.1s\n\ntest result: FAILED. 4 passed; 2 failed; 0 ignored",
            7,
            2,
        );
    }

    #[test]
    fn vitest_counts_tests_and_not_files() {
        check(" Test Files  1 failed | 2 passed (3)\n      Tests  1 failed | 40 passed (41)\n   Duration  1.2s", 40, 1);
    }

    #[test]
    fn colours_are_no_part_of_a_line() {
        check(
            "\u{1b}[2m      Tests \u{1b}[22m \u{1b}[1m\u{1b}[32m134 passed\u{1b}[39m\u{1b}[22m\u{1b}[90m (134)\u{1b}[39m",
            134,
            0,
        );
    }

    #[test]
    fn playwright_prints_failures_on_a_line_of_their_own() {
        check("Running 5 tests using 1 worker\n  1 failed\n    [chromium] a page\n  4 passed (12.0s)", 4, 1);
    }

    #[test]
    fn node_prints_a_line_for_each_number() {
        check("# tests 6\n# pass 5\n# fail 1\n\u{2139} pass 2\n", 7, 1);
    }

    #[test]
    fn other_lines_count_nothing() {
        check("3 passed the gate\nall tests are fine", 0, 0);
    }
}
