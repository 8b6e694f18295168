import { execFile } from 'node:child_process';
import { stat } from 'node:fs/promises';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';

const file = (path: string): string => fileURLToPath(new URL(`../../../${path}`, import.meta.url));

/**
 * Builds the demo from the package as it is now, so that the tests never see an old one.
 * Playwright looks for a default export here.
 */
// biome-ignore lint/style/noDefaultExport: Playwright asks for it
export default async function buildDemo(): Promise<void> {
  for (const [needed, remedy] of [
    ['pkg/kalamdb.js', 'npm run build'],
    ['www/node_modules', 'npm --prefix www ci'],
  ] as const) {
    await stat(file(needed)).catch(() => {
      throw new Error(`${needed} does not exist; make it with: ${remedy}`);
    });
  }
  await promisify(execFile)('npm', ['--prefix', file('www'), 'run', '--silent', 'build']);
}
