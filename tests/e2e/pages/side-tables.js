/** So many tables are there at once. */
const MAX_TABLES = 3;

/**
 * Tables that are made, changed, emptied and dropped again. A table has at most one operation under way, so that its operations
 * have an order; one of which an operation has an unknown outcome is left as it is.
 */
export class SideTables {
  #between;
  /** The tables that are there and at rest. */
  #tables = [];
  #made = 0;

  /** @param between - gives a random whole number from its first argument to its second */
  constructor(between) {
    this.#between = between;
  }

  /** An operation on a table; undefined if all are busy. */
  next() {
    if (this.#made < MAX_TABLES) {
      this.#made += 1;
      return { type: 'create' };
    }
    const [table] = this.#tables.splice(this.#between(0, this.#tables.length - 1), 1);
    if (table === undefined) return undefined;
    const type = ['fill', 'fill', 'alter', 'truncate', 'drop'][this.#between(0, 4)];
    return { type, table };
  }

  sql({ type, number, table }) {
    switch (type) {
      case 'create':
        return `CREATE TABLE side${number} (op BIGINT NOT NULL) WITH (FLUSH_POLICY = 'rows:5')`;
      case 'fill':
        return `INSERT INTO side${table} (op) VALUES (${number}), (${number}), (${number})`;
      case 'alter':
        return `ALTER TABLE side${table} ADD COLUMN c${number} INTEGER`;
      case 'truncate':
        return `TRUNCATE side${table}`;
      default:
        return `DROP TABLE side${table}`;
    }
  }

  /** An operation has ended; those on other tables do not matter. */
  settled({ type, number, table, outcome }) {
    if (type !== 'create' && table === undefined) return;
    const resting = { create: ['acknowledged'], drop: ['refused'] }[type] ?? ['acknowledged', 'refused'];
    if (resting.includes(outcome)) this.#tables.push(table ?? number);
    else this.#made -= 1;
  }

  /** The tables that there are belong to nobody any more. */
  forget() {
    this.#tables = [];
    this.#made = 0;
  }
}
