/** Prints a line for whoever reads the output of a run. */
export function log(line: string): void {
  process.stdout.write(`${line}\n`);
}
