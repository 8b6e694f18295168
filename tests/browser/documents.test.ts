// The TypeScript of the documents runs, and gives what the comments beside it say.
import { KalamDB, type OpenOptions } from 'kalamdb';
import { expect, test } from 'vitest';

/** The documents, by their paths. */
const DOCUMENTS = import.meta.glob<string>(['../../README.md', '../../docs/*.md'], {
  query: '?raw',
  import: 'default',
  eager: true,
});

/** What the blocks of a document rest on that is not in them. */
const SETUP: Record<string, string> = {
  '../../docs/sql.md': 'CREATE TABLE items (id INT PRIMARY KEY, name TEXT, price DOUBLE)',
  '../../docs/transactions.md': `
    CREATE USER TABLE notes (id INT PRIMARY KEY, text TEXT);
    CREATE TABLE accounts (id TEXT PRIMARY KEY, balance INT);
    INSERT INTO accounts VALUES ('a', 100), ('b', 0)`,
};

/** The database that the documents open. */
const SHOP = 'shop';

type Run = (
  kalamdb: object,
  db: KalamDB,
  check: (value: unknown) => { toEqual(other: unknown): void },
) => Promise<void>;
const AsyncFunction = (async () => {}).constructor as new (...text: string[]) => Run;

/** The blocks of a document that are marked as TypeScript; what they hold is JavaScript too. */
function blocksOf(text: string): string[] {
  return [...text.matchAll(/^```ts\n(.*?)^```$/gms)].map((match) => match[1] ?? '');
}

/** A block, with a check for each value that a comment announces behind what prints or names it. */
function withChecks(block: string): string {
  return block
    .replace(/^import \{ KalamDB \} from 'kalamdb';$/m, '')
    .replace(/^console\.log\((.*)\); \/\/ (.*)$/gm, 'check($1).toEqual($2);')
    .replace(/^(const (?:\{ (\w+) \}|(\w+)) = .*;) \/\/ ([[{'"\d].*)$/gm, '$1 check($2$3).toEqual($4);');
}

/** Runs blocks in turn; each knows the names of those before it, and may use them for something else. */
async function run(blocks: string[], setup = ''): Promise<void> {
  const code = blocks.map((block) => `{\n${withChecks(block)}\n`).join('') + '}'.repeat(blocks.length);
  const opened: KalamDB[] = [];
  const open = async (name: string, options?: OpenOptions): Promise<KalamDB> => {
    const db = await KalamDB.open(name, options);
    opened.push(db);
    return db;
  };
  try {
    const db = await open(SHOP);
    await db.exec(setup);
    await new AsyncFunction('KalamDB', 'db', 'check', code)({ open }, db, expect);
  } finally {
    for (const db of opened) await db.close();
    await KalamDB.delete(SHOP);
  }
}

for (const [path, text] of Object.entries(DOCUMENTS)) {
  const blocks = blocksOf(text);
  if (blocks.length > 0) test(path.replace(/^[./]+/, ''), () => run(blocks, SETUP[path]));
}

test('blocks are found, and a wrong value in them', async () => {
  expect(blocksOf(DOCUMENTS['../../README.md'] ?? '')).toHaveLength(2);
  const block = "const { rows } = await db.query('SELECT 1 AS n');";
  await run([`${block} // [{ n: 1 }]`, 'console.log(rows); // [{ n: 1 }]']);
  await expect(run([`${block} // [{ n: 2 }]`])).rejects.toThrow();
  await expect(run([block, 'console.log(rows); // []'])).rejects.toThrow();
  await expect(run(["await db.query('SELECT nothing');"])).rejects.toThrow();
});
