import { afterEach, beforeEach, expect, test, vi } from 'vitest';
import { IdbActivity } from '../engine/idb-activity.js';

/** What was done, in order. */
const log: string[] = [];

class FakeTransaction {
  readonly mode: IDBTransactionMode;
  #hasEnded = false;

  constructor(mode: IDBTransactionMode) {
    this.mode = mode;
  }

  abort(): void {
    if (this.#hasEnded) throw new Error('it has ended');
    this.end();
    log.push(`abort ${this.mode}`);
  }

  end(): void {
    this.#hasEnded = true;
  }
}

class FakeConnection {
  close(): void {
    log.push('close');
  }
}

/** A request to open a database, which waits until the test lets it go on. */
class FakeRequest extends EventTarget {
  readyState: IDBRequestReadyState = 'pending';
  readonly error = null;
  transaction: FakeTransaction | null = null;
  readonly #connection = new FakeConnection();

  get result(): FakeConnection {
    if (this.readyState === 'pending') throw new Error('it is pending');
    return this.#connection;
  }

  upgrade(): void {
    this.readyState = 'done';
    this.transaction = new FakeTransaction('versionchange');
    this.dispatchEvent(new Event('upgradeneeded'));
  }

  succeed(): void {
    this.readyState = 'done';
    this.transaction = null;
    this.dispatchEvent(new Event('success'));
  }
}

// As the generated code names and makes them.
const generated = {
  __wbg_transaction_b1fb2912563c79ac: (_: FakeConnection, mode: IDBTransactionMode) => new FakeTransaction(mode),
  __wbg_transaction_a26f26d9d5badcda: () => 0,
  __wbg_set_onversionchange_c2fa20847e387f80: () => undefined,
  __wbg_set_onupgradeneeded_e977e06888863122: () => undefined,
  __wbg_then_098abe61755d12f6: () => 'then',
};

function watched(): { activity: IdbActivity; imports: typeof generated } {
  const activity = new IdbActivity();
  const { wbg, other } = activity.watch({ wbg: generated, other: { memory: 1 as never } });
  expect(other).toEqual({ memory: 1 });
  return { activity, imports: wbg as unknown as typeof generated };
}

const begin = (imports: typeof generated, mode: IDBTransactionMode): FakeTransaction =>
  imports.__wbg_transaction_b1fb2912563c79ac(new FakeConnection(), mode);

beforeEach(() => vi.stubGlobal('IDBTransaction', FakeTransaction));
afterEach(() => {
  log.length = 0;
  vi.unstubAllGlobals();
});

test('functions that are watched give what they gave', () => {
  const { imports } = watched();
  expect(begin(imports, 'readwrite').mode).toBe('readwrite');
  expect(imports.__wbg_transaction_a26f26d9d5badcda()).toBe(0);
  expect(imports.__wbg_then_098abe61755d12f6).toBe(generated.__wbg_then_098abe61755d12f6);
});

test('what writes and has not ended is aborted before its connection is closed', () => {
  const { activity, imports } = watched();
  const connection = new FakeConnection();
  Reflect.apply(imports.__wbg_set_onversionchange_c2fa20847e387f80, undefined, [connection, null]);
  const transactions = [begin(imports, 'readwrite'), begin(imports, 'readonly'), begin(imports, 'readwrite')];
  transactions[0]?.end();
  activity.end();
  expect(log).toEqual(['abort readwrite', 'close']);
});

test('none of many transactions is forgotten', () => {
  const { activity, imports } = watched();
  const transactions = Array.from({ length: 1000 }, () => begin(imports, 'readwrite'));
  activity.end();
  expect(log).toHaveLength(transactions.length);
});

test.each([
  ['that waits makes no database', [], []],
  ['that makes a database does not', ['upgrade'], ['abort versionchange', 'close']],
  ['that is done keeps no connection', ['succeed'], ['close']],
] as const)('a request %s', (_, before, expected) => {
  const { activity, imports } = watched();
  const request = new FakeRequest();
  Reflect.apply(imports.__wbg_set_onupgradeneeded_e977e06888863122, undefined, [request, null]);
  for (const step of before) request[step]();
  activity.end();
  expect(log).toEqual(expected);
});

test('a request that goes on later makes no database and keeps no connection', () => {
  const { activity, imports } = watched();
  const request = new FakeRequest();
  Reflect.apply(imports.__wbg_set_onupgradeneeded_e977e06888863122, undefined, [request, null]);
  activity.end();
  request.upgrade();
  request.succeed();
  expect(log).toEqual(['abort versionchange', 'close']);
});
