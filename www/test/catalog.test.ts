import type { Row } from 'kalamdb';
import { describe, expect, test } from 'vitest';
import { completionSchema } from '../src/console/completion-schema';
import { readCatalog } from '../src/tables/catalog';
import { FakeDatabase } from './fake-database';

/** Tables by their full names, as the fake database has them. */
type Tables = Record<string, { columns: Row[]; rows: number | bigint; isView?: boolean }>;

const column = (column_name: string, data_type: string, is_nullable = true, is_primary_key = false): Row => ({
  column_name,
  data_type,
  is_nullable,
  is_primary_key,
});

const unquoted = (name: string): string => name.replaceAll('"', '');

/** An error as the package throws it. */
function failure(code: string): Error {
  return Object.assign(new Error(code), { code, [Symbol.for('kalamdb.error')]: true });
}

/** Answers the three kinds of statements; the counts come in reverse, as no order is promised. */
function databaseOf(tables: Tables): FakeDatabase {
  const find = (name: string): Tables[string] => {
    const table = tables[unquoted(name)];
    if (table === undefined) throw failure('undefined_table');
    return table;
  };
  return new FakeDatabase((text) => {
    const described = /^DESCRIBE (.*)$/.exec(text)?.[1];
    if (described !== undefined) return find(described).columns;
    const counted = [...text.matchAll(/SELECT (\d+) AS at, count\(\*\) AS n FROM ("(?:[^"]|"")*"\."(?:[^"]|"")*")/g)];
    if (counted.length > 0)
      return counted.map(([, at, name]) => ({ at: Number(at), n: find(name ?? '').rows })).reverse();
    return Object.entries(tables).flatMap(([full, { columns, isView = false }]) => {
      const [namespace, name] = full.split('.') as [string, string];
      const shown = isView
        ? [{ column_name: null, data_type: null, is_nullable: null, is_primary_key: null }]
        : columns;
      return shown.map((row) => ({ namespace, name, is_view: isView, ...row }));
    });
  });
}

describe('the catalog', () => {
  test('has columns, keys and counts of the tables of all namespaces', async () => {
    const db = databaseOf({
      'My App.Odd Name': { columns: [column('a b', 'UUID')], rows: 0 },
      'app.pets': { columns: [column('id', 'INTEGER', false, true)], rows: 9007199254740992n },
      'default.pets': {
        columns: [column('id', 'BIGINT', false, true), column('name', 'VARCHAR(20)', false), column('born', 'DATE')],
        rows: 2,
      },
    });
    expect(await readCatalog(db)).toEqual([
      {
        namespace: 'My App',
        name: 'Odd Name',
        columns: [{ name: 'a b', type: 'UUID', isNullable: true, isKey: false }],
        rowCount: 0,
      },
      {
        namespace: 'app',
        name: 'pets',
        columns: [{ name: 'id', type: 'INTEGER', isNullable: false, isKey: true }],
        rowCount: 9007199254740992,
      },
      {
        namespace: 'default',
        name: 'pets',
        columns: [
          { name: 'id', type: 'BIGINT', isNullable: false, isKey: true },
          { name: 'name', type: 'VARCHAR(20)', isNullable: false, isKey: false },
          { name: 'born', type: 'DATE', isNullable: true, isKey: false },
        ],
        rowCount: 2,
      },
    ]);
  });

  test('takes two statements for a hundred tables, with every name in quotes', async () => {
    const tables: Tables = {};
    for (let n = 1; n <= 100; n += 1) tables[`default.t${n}`] = { columns: [column('id', 'INTEGER')], rows: n };
    const db = databaseOf(tables);
    const catalog = await readCatalog(db);
    expect(catalog.map(({ rowCount }) => rowCount)).toEqual(Array.from({ length: 100 }, (_, at) => at + 1));
    expect(db.calls).toHaveLength(2);
    expect(db.calls[1]?.split(' UNION ALL ').slice(0, 2)).toEqual([
      'SELECT 0 AS at, count(*) AS n FROM "default"."t1"',
      'SELECT 1 AS at, count(*) AS n FROM "default"."t2"',
    ]);
  });

  test('counts more tables with one more statement for each hundred', async () => {
    const tables: Tables = {};
    for (let n = 1; n <= 201; n += 1) tables[`default.t${n}`] = { columns: [column('id', 'INTEGER')], rows: n };
    const db = databaseOf(tables);
    const catalog = await readCatalog(db);
    expect(catalog.map(({ rowCount }) => rowCount)).toEqual(Array.from({ length: 201 }, (_, at) => at + 1));
    expect(db.calls).toHaveLength(4);
  });

  test('of an empty database takes one statement', async () => {
    const db = databaseOf({});
    expect(await readCatalog(db)).toEqual([]);
    expect(db.calls).toHaveLength(1);
  });

  test('has the columns of all views from one call', async () => {
    const columns = [column('id', 'BIGINT', false), column('j', 'JSON')];
    const db = databaseOf({
      'default.a': { columns, rows: 1, isView: true },
      'default.b': { columns: columns.slice(1), rows: 2, isView: true },
    });
    const catalog = await readCatalog(db);
    expect(
      catalog.map(({ name, columns: shown, rowCount }) => [name, shown.map(({ type }) => type), rowCount]),
    ).toEqual([
      ['a', ['BIGINT', 'JSON'], 1],
      ['b', ['JSON'], 2],
    ]);
    expect(db.calls.filter((text) => text.startsWith('DESCRIBE'))).toEqual([
      'DESCRIBE "default"."a"; DESCRIBE "default"."b"',
    ]);
  });
});

describe('a table that another tab drops meanwhile', () => {
  const kept = { columns: [column('id', 'INTEGER')], rows: 3 };

  /** A database that still lists a table `stale` times after it is gone. */
  function changing(stale: number, isView = false): FakeDatabase {
    const before = databaseOf({ 'default.gone': { ...kept, isView }, 'default.kept': kept });
    const after = databaseOf({ 'default.kept': kept });
    let readings = 0;
    return new FakeDatabase((text) => {
      if (text.includes('information_schema')) readings += 1;
      const isStale = text.includes('information_schema') && readings <= stale;
      return (isStale ? before : after).answer(text);
    });
  }

  test.each([false, true])('is not in the catalog (a view: %s)', async (isView) => {
    expect(await readCatalog(changing(2, isView))).toEqual([
      {
        namespace: 'default',
        name: 'kept',
        columns: [{ name: 'id', type: 'INTEGER', isNullable: true, isKey: false }],
        rowCount: 3,
      },
    ]);
  });

  test('fails the reading when that does not end', async () => {
    const db = changing(99);
    await expect(readCatalog(db)).rejects.toMatchObject({ code: 'undefined_table' });
    expect(db.calls.filter((text) => text.includes('information_schema'))).toHaveLength(3);
  });

  test('is the only failure that is tried again', async () => {
    const db = new FakeDatabase(() => {
      throw failure('database_closed');
    });
    await expect(readCatalog(db)).rejects.toMatchObject({ code: 'database_closed' });
    expect(db.calls).toHaveLength(1);
  });
});

test('completion offers columns by namespace and table', async () => {
  const tables = await readCatalog(
    databaseOf({
      'app.a': { columns: [column('x', 'TEXT')], rows: 0 },
      'app.b': { columns: [column('y', 'TEXT'), column('z', 'TEXT')], rows: 0 },
      'default.a': { columns: [column('w', 'TEXT')], rows: 0 },
    }),
  );
  expect(completionSchema(tables)).toEqual({ app: { a: ['x'], b: ['y', 'z'] }, default: { a: ['w'] } });
});
