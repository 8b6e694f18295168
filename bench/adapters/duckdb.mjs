// DuckDB-Wasm (the build for browsers with exceptions, one thread), in its own worker.
import { AsyncDuckDB, DuckDBAccessMode, VoidLogger } from '@duckdb/duckdb-wasm';
import { Float64, Int32, Int64, makeData, makeVector, Table, Utf8, vectorFromArray } from 'apache-arrow';
import { COLUMNS } from '../data.mjs';
import { sqlDatabase } from '../sql.mjs';

const file = (name) => new URL(name, import.meta.url).href;

/** The types of the benchmark's columns; its numbers go into arrays of their own, which is the least work. */
const NUMBERS = {
  id: [Int32, Int32Array, Number],
  amount: [Float64, Float64Array, Number],
  qty: [Int32, Int32Array, Number],
  created_at: [Int64, BigInt64Array, BigInt],
};

function column(name, at, rows) {
  const numbers = NUMBERS[name];
  if (numbers === undefined)
    return vectorFromArray(
      rows.map((row) => row[at]),
      new Utf8(),
    );
  const [Type, Values, convert] = numbers;
  const data = new Values(rows.length);
  rows.forEach((row, i) => {
    data[i] = convert(row[at]);
  });
  return makeVector(makeData({ type: new Type(), length: rows.length, data }));
}

export async function open(name, { storage }) {
  const worker = new Worker(file('duckdb-browser-eh.worker.js'));
  const database = new AsyncDuckDB(new VoidLogger(), worker);
  await database.instantiate(file('duckdb-eh.wasm'));
  const accessMode = DuckDBAccessMode.READ_WRITE;
  await database.open(storage === 'opfs' ? { path: `opfs://${name}.db`, accessMode } : { path: ':memory:' });
  const connection = await database.connect();
  const answer = async (sql, params = []) => {
    if (params.length === 0) return connection.query(sql);
    const statement = await connection.prepare(sql);
    const result = await statement.query(...params);
    await statement.close();
    return result;
  };
  return sqlDatabase({
    query: async (sql, params) => (await answer(sql, params)).toArray().map((row) => row.toJSON()),
    load: async (rows) => {
      const columns = COLUMNS.map((each, at) => [each, column(each, at, rows)]);
      await connection.insertArrowTable(new Table(Object.fromEntries(columns)), { name: 'items', create: false });
      // What is in OPFS is durable after a checkpoint only.
      if (storage === 'opfs') await connection.query('CHECKPOINT');
    },
    close: async () => {
      await connection.close();
      await database.terminate();
    },
  });
}
