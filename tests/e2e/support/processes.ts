import { readdir, readFile } from 'node:fs/promises';

interface Process {
  readonly id: number;
  readonly parent: number;
  readonly command: string;
}

/**
 * Kills every process of the browser that runs on a profile, with SIGKILL: the one whose
 * command line names the profile's directory, and all that descend from it.
 *
 * @returns how many processes were killed
 */
export async function killBrowser(profileDirectory: string): Promise<number> {
  const all = await processes();
  const doomed = new Set(all.filter(({ command }) => namesProfile(command, profileDirectory)).map(({ id }) => id));
  for (let before = -1; before !== doomed.size; ) {
    before = doomed.size;
    for (const { id, parent } of all) if (doomed.has(parent)) doomed.add(id);
  }
  let killed = 0;
  for (const id of doomed) {
    try {
      process.kill(id, 'SIGKILL');
      killed += 1;
    } catch {
      // It ended with its parent.
    }
  }
  return killed;
}

function namesProfile(command: string, directory: string): boolean {
  return command.split('\0').includes(`--user-data-dir=${directory}`);
}

/** The processes of this machine, from /proc. */
async function processes(): Promise<Process[]> {
  const ids = (await readdir('/proc')).filter((name) => /^\d+$/.test(name));
  const found = await Promise.all(ids.map((id) => readProcess(id).catch(() => null)));
  return found.filter((entry) => entry !== null);
}

async function readProcess(id: string): Promise<Process> {
  const [command, status] = await Promise.all([
    readFile(`/proc/${id}/cmdline`, 'utf8'),
    readFile(`/proc/${id}/stat`, 'utf8'),
  ]);
  // The second field is the name in parentheses, which may hold anything; the parent is the second after it.
  const parent = status.slice(status.lastIndexOf(')') + 2).split(' ')[1];
  return { id: Number(id), parent: Number(parent), command };
}
