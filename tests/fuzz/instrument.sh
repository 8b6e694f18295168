#!/bin/sh
# Cargo calls this in the place of rustc for the crates of the workspace: it adds the counters that tell libFuzzer what
# an input reached. Dependencies are left as they are, so that they need not be compiled again.
exec "$@" -C passes=sancov-module -C llvm-args=-sanitizer-coverage-level=4 \
  -C llvm-args=-sanitizer-coverage-inline-8bit-counters -C llvm-args=-sanitizer-coverage-pc-table \
  -C llvm-args=-sanitizer-coverage-trace-compares
